// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Doppler through the whole renderer: against sines and noise that were shifted in double precision by the exact time of
 * emission, against the formula, and where it cannot be swept: jumps, the speed of sound, rooms beyond the delay line. */
#include "render_support.h"

enum { RATE = 48000 };
#define HEAD "pinna: 1\nrate: 48000\n"

static double exact_sound(void) {
    return 343.2;
}

/* ------------------------------------------------------------------ the pass */

enum { PASS = 4 * RATE };
static const double speed = 30, aside = 2, start_x = -60;

/* When what reaches the origin at t was emitted by a source at (start_x + speed t, aside, 0). */
static double emitted(double t) {
    double c = exact_sound(), x = start_x + speed * t;
    double a = c * c - speed * speed, b = speed * x;
    /* (x - speed s)^2 + aside^2 = c^2 s^2 */
    double s = (-b + sqrt(b * b + a * (x * x + aside * aside))) / a;
    return t - s;
}

/* What the sound card of a perfect world would get: the tone at the time of its emission, from where it was emitted,
 * as a clip on a path without Doppler. */
static void render_reference(int block, test_mix *mix) {
    enum { STEP = 32, KEYS = PASS / STEP + 1 };
    float *tone = malloc(PASS * sizeof *tone);
    const float *channel[1] = {tone};
    size_t room = 200 + KEYS * 80;
    char *yaml = malloc(room);
    assert_true(tone != NULL && yaml != NULL);
    for (int n = 0; n < PASS; ++n) {
        double t = emitted((double)n / RATE);
        tone[n] = t < 0 ? 0 : (float)(0.25 * sin(2 * PN_PI * 1000 * t));
    }
    test_write_wav("shifted.wav", RATE, 1, channel, PASS);
    size_t used =
        (size_t)snprintf(yaml, room,
                         HEAD "block: %d\nduration: 4\ndoppler: on\nsources: [{name: b, generator: {kind: "
                              "sine}, gain: -200}, {name: a, clip: shifted.wav, doppler: off, path: [",
                         block);
    for (int k = 0; k < KEYS; ++k)
        used += (size_t)snprintf(yaml + used, room - used, "%s{time: %.10g, position: [%.12g, 2, 0]}",
                                 k ? ", " : "", (double)k * STEP / RATE,
                                 start_x + speed * emitted((double)k * STEP / RATE));
    snprintf(yaml + used, room - used, "]}]\n");
    test_render(yaml, mix);
    free(yaml);
    free(tone);
}

static void render_pass(int block, test_mix *mix) {
    char yaml[400];
    snprintf(
        yaml, sizeof yaml,
        HEAD
        "block: %d\nduration: 4\ndoppler: on\nsources: [{name: a, generator: {kind: sine, frequency: 1000, "
        "level: -12.041199826559248}, path: [{time: 0, position: [-60, 2, 0]}, {time: 4, position: [60, 2, "
        "0]}]}]\n",
        block);
    test_render(yaml, mix);
}

static double part_error_db(const test_mix *a, const test_mix *b, size_t from, size_t to) {
    double worst = -400;
    for (int side = 0; side < 2; ++side)
        worst = fmax(worst, test_error_db(a->side[side] + from, b->side[side] + from, to - from));
    return worst;
}

static void a_pass_is_the_exact_one(void **state) {
    (void)state;
    static const int blocks[] = {64, 256, 2048};
    for (int k = 0; k < 3; ++k) {
        test_mix mix, exact;
        render_pass(blocks[k], &mix);
        render_reference(blocks[k], &exact);
        assert_int_equal(mix.frames, PASS);
        /* from when the first sound has come; far, at the pass, after it */
        double far = part_error_db(&mix, &exact, RATE / 2, RATE),
               all = part_error_db(&mix, &exact, RATE / 2, PASS),
               near = part_error_db(&mix, &exact, 19 * RATE / 10, 21 * RATE / 10);
        print_message("block %d: far %.1f dB, pass %.1f dB, all %.1f dB\n", blocks[k], far, near, all);
        assert_below(all, -80);
        test_mix_clear(&mix);
        test_mix_clear(&exact);
    }
}

/* Frequency around frame n: the phase that both ears' tones of `frequency` have gained over `window` frames. The ears'
 * own delays change against each other in a pass, their mean hardly does. */
static double frequency_at(const test_mix *mix, size_t n, int window, double frequency) {
    double phase[2] = {0, 0};
    for (int end = 0; end < 2; ++end)
        for (int side = 0; side < 2; ++side) {
            double re = 0, im = 0;
            size_t at = n + (size_t)(end ? window : 0) - (size_t)window;
            for (int m = 0; m < window; ++m) {
                double hann = 0.5 - 0.5 * cos(2 * PN_PI * (m + 0.5) / window),
                       p = 2 * PN_PI * frequency * (end * window + m) / RATE;
                re += hann * (double)mix->side[side][at + (size_t)m] * cos(p);
                im -= hann * (double)mix->side[side][at + (size_t)m] * sin(p);
            }
            phase[side] += (end ? 1 : -1) * atan2(im, re);
        }
    double turns = remainder(phase[0], 2 * PN_PI) + remainder(phase[1], 2 * PN_PI);
    return frequency + turns / 2 / (2 * PN_PI) * RATE / window;
}

static void frequencies_follow_the_formula(void **state) {
    (void)state;
    test_mix mix;
    render_pass(256, &mix);
    double worst = 0;
    for (size_t n = RATE / 2; n < PASS - 4000; n += 100) {
        const double h = 1e-4;
        double t = (double)n / RATE, expected = 1000 * (emitted(t + h) - emitted(t - h)) / (2 * h);
        /* f / (1 + v_r / c) with the speed at which the source went away when it emitted */
        double x = start_x + speed * emitted(t), away = speed * x / hypot(x, aside);
        assert_true(fabs(expected - 1000 / (1 + away / exact_sound())) < 1e-3);
        if (fabs(x) < 10)
            continue; /* the ears' delays turn */
        worst = fmax(worst, fabs(frequency_at(&mix, n, 960, expected) / expected - 1));
    }
    print_message("frequency: within %.4f %%\n", 100 * worst);
    assert_below(100 * worst, 0.05);
    test_mix_clear(&mix);
}

/* ------------------------------------------------------------------ who moves, and how much */

/* A listener that runs away from a source in front: f (1 - v / c), by any factor; and the shift of the source alone. */
static void factors_and_listeners(void **state) {
    (void)state;
    static const struct {
        const char *scene;
        double ratio;
    } cases[] = {
        {"doppler: on\nlistener: {path: [{time: 0, position: [0, 0, 0]}, {time: 2, position: [-40, 0, "
         "0]}]}\nsources: [{name: a, POSITION}]\n",
         1 - 20 / 343.2},
        {"doppler: 2\nlistener: {path: [{time: 0, position: [0, 0, 0]}, {time: 2, position: [-40, 0, "
         "0]}]}\nsources: [{name: a, POSITION}]\n",
         1 - 40 / 343.2},
        {"doppler: 0.5\nsources: [{name: a, path: [{time: 0, position: [70, 0, 0]}, {time: 2, position: [30, "
         "0, 0]}], POSITION}]\n",
         1 / (1 - 10 / 343.2)},
        {"sources: [{name: a, doppler: on, path: [{time: 0, position: [70, 0, 0]}, {time: 2, position: [30, "
         "0, 0]}], POSITION}]\n",
         1 / (1 - 20 / 343.2)},
        {"doppler: on\nsources: [{name: a, doppler: off, path: [{time: 0, position: [70, 0, 0]}, {time: 2, "
         "position: [30, 0, 0]}], POSITION}]\n",
         1},
        {"air: off\ndoppler: on\nlistener: {path: [{time: 0, position: [0, 0, 0]}, {time: 2, position: [40, "
         "0, 0]}]}\n"
         "sources: [{name: a, path: [{time: 0, position: [70, 0, 0]}, {time: 2, position: [110, 0, 0]}], "
         "POSITION}]\n",
         1}, /* one behind the other */
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        char yaml[800] = HEAD "duration: 2\n";
        const char *mark = strstr(cases[k].scene, "POSITION");
        snprintf(yaml + strlen(yaml), 700, "%.*s%sgenerator: {kind: sine, frequency: 1000}%s",
                 (int)(mark - cases[k].scene), cases[k].scene,
                 strstr(cases[k].scene, "path: [{time: 0, position: [0") && !strstr(cases[k].scene, "110")
                     ? "position: [30, 0, 0], "
                     : "",
                 mark + 8);
        test_mix mix;
        test_render(yaml, &mix);
        for (size_t n = RATE; n < 2 * RATE - 4000; n += 5000) {
            double ratio = frequency_at(&mix, n, 960, 1000 * cases[k].ratio) / 1000;
            if (!(fabs(ratio / cases[k].ratio - 1) < 1e-4))
                fail_msg("%s: %.6f, expected %.6f", yaml, ratio, cases[k].ratio);
        }
        test_mix_clear(&mix);
    }
}

/* A still source is only late, by a whole number of samples at this distance; another one without Doppler is as in a
 * scene that has none. */
static void still_sources_are_late(void **state) {
    (void)state;
    const float *mono[1];
    float *noise = test_noise_clip("noise.wav", RATE, 1, 9000, 3, mono);
    double distance = 1000 / (double)RATE * exact_sound();
    char yaml[400];
    test_mix late, plain, both;
    snprintf(yaml, sizeof yaml,
             HEAD
             "duration: 0.4\ndoppler: on\nsources: [{name: a, clip: noise.wav, position: [0, %.15g, 0]}]\n",
             distance);
    test_render(yaml, &late);
    snprintf(yaml, sizeof yaml,
             HEAD "duration: 0.4\nsources: [{name: a, clip: noise.wav, position: [0, %.15g, 0]}]\n",
             distance);
    test_render(yaml, &plain);
    for (int side = 0; side < 2; ++side) {
        assert_below(test_error_db(late.side[side] + 1000, plain.side[side], plain.frames - 1000), -100);
        assert_true(test_peak(late.side[side], 990) < 1e-5);
    }
    snprintf(yaml, sizeof yaml,
             HEAD "duration: 0.4\ndoppler: on\nsources: [{name: a, clip: noise.wav, doppler: 0, position: "
                  "[0, %.15g, 0]}, "
                  "{name: b, clip: noise.wav, gain: -200, position: [50, 0, 0]}]\n",
             distance);
    test_render(yaml, &both);
    assert_below(test_mix_error_db(&both, &plain), -100);
    test_mix_clear(&late);
    test_mix_clear(&plain);
    test_mix_clear(&both);
    free(noise);
}

/* The file ends when the last sound has come. */
static void ends_with_the_last_sound(void **state) {
    (void)state;
    const float *mono[1];
    free(test_noise_clip("noise.wav", RATE, 1, 9000, 3, mono));
    test_mix plain, late, longer;
    test_render(HEAD "sources: [{name: a, clip: noise.wav, position: [100, 0, 0]}]\n", &plain);
    test_render(HEAD "doppler: on\nsources: [{name: a, clip: noise.wav, position: [100, 0, 0]}]\n", &late);
    test_render(HEAD
                "doppler: on\nduration: 1\nsources: [{name: a, clip: noise.wav, position: [100, 0, 0]}]\n",
                &longer);
    assert_true(fabs((double)late.frames - (double)plain.frames - 100 / exact_sound() * RATE) < 2);
    for (int side = 0; side < 2; ++side) {
        assert_memory_equal(late.side[side], longer.side[side], late.frames * sizeof(float));
        assert_true(test_rms(longer.side[side] + late.frames, 9000) <
                    1e-4 * test_rms(late.side[side], late.frames));
        size_t comes = 9000 + (size_t)(100 / exact_sound() * RATE);
        assert_true(test_rms(late.side[side] + comes - 1000, 1000) >
                    0.3 * test_rms(late.side[side], late.frames));
    }
    test_mix_clear(&plain);
    test_mix_clear(&late);
    test_mix_clear(&longer);
}

/* ------------------------------------------------------------------ steps */

/* The highest that is left above 5 kHz, re the peak of the whole, dB. */
static double step_db(const test_mix *mix, size_t from, size_t to) {
    enum { TAPS = 511 };
    static double h[TAPS];
    for (int k = 0; k < TAPS; ++k) {
        double x = k - TAPS / 2,
               w = 0.42 - 0.5 * cos(2 * PN_PI * (k + 0.5) / TAPS) + 0.08 * cos(4 * PN_PI * (k + 0.5) / TAPS);
        double low = x == 0 ? 2 * 5000.0 / RATE : sin(2 * PN_PI * 5000 / RATE * x) / (PN_PI * x);
        h[k] = w * ((x == 0) - low);
    }
    double peak = 0, left = 0;
    for (int side = 0; side < 2; ++side)
        for (size_t n = from; n + TAPS < to; ++n) {
            double sum = 0;
            const float *x = mix->side[side] + n;
            for (int k = 0; k < TAPS; ++k)
                sum += h[k] * (double)x[k];
            left = fmax(left, fabs(sum));
            peak = fmax(peak, fabs((double)x[TAPS / 2]));
        }
    assert_true(isfinite(peak));
    return 20 * log10(left / peak);
}

/* A tone has nothing above 5 kHz; what appears there are steps. The scene's pass, a jump by 100 m and back in a
 * millisecond, and ways at 1.5 and 100 times the speed of sound. */
static void no_steps(void **state) {
    (void)state;
    static const struct {
        const char *path;
        double bound;
    } cases[] = {
        {"[{time: 0, position: [-60, 2, 0]}, {time: 4, position: [60, 2, 0]}]", -80},
        {"[{time: 0.5, position: [0, 5, 0]}, {time: 0.501, position: [0, 105, 0]}, {time: 1.2, position: [0, "
         "105, 0]}, "
         "{time: 1.201, position: [0, 5, 0]}]",
         -80},
        {"[{time: 0.5, position: [-300, 20, 0]}, {time: 1.5, position: [215, 20, 0]}]", -80},
        {"[{time: 1, position: [-300, 20, 0]}, {time: 1.02, position: [400, 20, 0]}]", -80},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        char yaml[800];
        snprintf(yaml, sizeof yaml,
                 HEAD "duration: 2\ndoppler: on\nsources: [{name: a, generator: {kind: sine, frequency: "
                      "1000}, path: %s}]\n",
                 cases[k].path);
        test_mix mix;
        test_render(yaml, &mix);
        double db = step_db(&mix, 6 * RATE / 10, mix.frames);
        if (k == 1)
            db = step_db(&mix, RATE / 10, mix.frames);
        print_message("%s: %.1f dB\n", cases[k].path, db);
        assert_below(db, cases[k].bound);
        test_mix_clear(&mix);
    }
}

/* ------------------------------------------------------------------ beyond the line */

static void rooms_beyond_the_line_are_said(void **state) {
    (void)state;
    static const char *const places[] = {"[1000, 0, 0]", "[5000, 0, 0]"};
    for (int k = 0; k < 2; ++k) {
        char yaml[300];
        snprintf(yaml, sizeof yaml,
                 HEAD
                 "duration: 4\ndoppler: on\nsources: [{name: far, generator: {kind: sine}, position: %s}]\n",
                 places[k]);
        pn_messages *messages = pn_messages_create(NULL, NULL);
        pn_renderer *r = test_open_scene(yaml, NULL, messages);
        static const char *const said[] = {"'far'", "test.yaml:5:", "5000 m", "1030 m"};
        for (int i = 0; i < 4; ++i)
            assert_int_equal(test_warned(messages, said[i]), k);
        test_mix mix;
        test_run_renderer(r, 0, &mix);
        size_t comes = (size_t)(fmin((k ? 5000 : 1000) / exact_sound(), 3) * RATE);
        assert_true(test_peak(mix.side[0], comes - 10) < 1e-9 && test_peak(mix.side[0] + comes, 3000) > 1e-5);
        test_mix_clear(&mix);
        pn_renderer_free(r);
        pn_messages_free(messages);
    }
}

/* 400 m/s between the two, as the source comes and the listener goes to meet it: said; at a factor of 0.8 the line
 * follows. */
static void speeds_beyond_sound_are_said(void **state) {
    (void)state;
    static const char *const factors[] = {"0.8", "on"};
    for (int k = 0; k < 2; ++k) {
        char yaml[500];
        snprintf(yaml, sizeof yaml,
                 HEAD
                 "duration: 1\ndoppler: %s\n"
                 "listener: {path: [{time: 0, position: [0, 0, 0]}, {time: 1, position: [100, 0, 0]}]}\n"
                 "sources: [{name: fast, generator: {kind: sine}, path: [{time: 0, position: [410, 0, 0]}, "
                 "{time: 1, position: [110, 0, 0]}]}]\n",
                 factors[k]);
        pn_messages *messages = pn_messages_create(NULL, NULL);
        pn_renderer *r = test_open_scene(yaml, NULL, messages);
        assert_int_equal(test_warned(messages, "'fast'"), k);
        assert_int_equal(test_warned(messages, "400 m/s"), k);
        pn_renderer_free(r);
        pn_messages_free(messages);
    }
}

/* ------------------------------------------------------------------ by call */

/* Called for every block at 20 m/s: the formula for what is heard now, without steps; then a call 3 m aside, which is a
 * jump, and one to the other side at the same distance, which is one crossfade. */
static void moved_by_calls(void **state) {
    (void)state;
    static const int blocks[] = {128, 256, 1024};
    for (int k = 0; k < 3; ++k) {
        pn_renderer_config config = {.device = "cpu", .threads = 1, .block = blocks[k]};
        pn_renderer *r = test_open_scene(HEAD "duration: 3\ndoppler: on\nsources: [{name: a, generator: "
                                              "{kind: sine, frequency: 1000}, position: [60, 0, 0]}]\n",
                                         &config, NULL);
        test_mix mix = {.rate = RATE, .frames = 3 * RATE};
        pinna_error err = {0};
        size_t block = (size_t)blocks[k];
        for (int side = 0; side < 2; ++side)
            assert_non_null(mix.side[side] = calloc(3 * RATE + block, sizeof(float)));
        for (size_t at = 0; at < 3 * RATE; at += block) {
            double end = (double)(at + block) / RATE, x = 60 - 20 * fmin(end, 2);
            pn_renderer_move_source(r, 0, (pn_vec3){x, end > 2.4 ? -3 : end > 2.2 ? 3 : 0.1, 0});
            assert_ok(pn_renderer_prepare(r, &err), &err);
            assert_ok(pn_renderer_process(r, mix.side[0] + at, mix.side[1] + at, &err), &err);
        }
        for (size_t n = RATE / 2; n < 19 * RATE / 10; n += 3000) {
            double ratio = 1 + 20 / exact_sound();
            double measured = frequency_at(&mix, n, 960, 1000 * ratio) / 1000;
            if (!(fabs(measured / ratio - 1) < 1e-4))
                fail_msg("block %zu, frame %zu: %.6f, expected %.6f", block, n, measured, ratio);
        }
        double db = step_db(&mix, RATE / 2, 24 * RATE / 10),
               across = step_db(&mix, 23 * RATE / 10, mix.frames);
        print_message("block %zu: steps %.1f dB, crossfade %.1f dB\n", block, db, across);
        assert_below(db, -80);
        assert_below(across, -50); /* the corners of a ramp of one quantum */
        test_mix_clear(&mix);
        pn_renderer_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_is_the_exact_one),
        cmocka_unit_test(frequencies_follow_the_formula),
        cmocka_unit_test(factors_and_listeners),
        cmocka_unit_test(still_sources_are_late),
        cmocka_unit_test(ends_with_the_last_sound),
        cmocka_unit_test(no_steps),
        cmocka_unit_test(rooms_beyond_the_line_are_said),
        cmocka_unit_test(speeds_beyond_sound_are_said),
        cmocka_unit_test(moved_by_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
