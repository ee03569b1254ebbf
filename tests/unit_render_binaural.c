// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Binaural sources: static ones against the set's own response in float64 convolution, the axes of the head, the
 * listener's movement, smoothness while moving. */
#include "render_support.h"
#include "spatial/hrtf.h"

enum { RATE = 48000, CLIP = 4096 };
#define HEAD "pinna: 1\nrate: 48000\n"

static const float *mono[1];
static float *kept;
static pn_hrtf *set;

static int open_all(void **state) {
    (void)state;
    pinna_error err = {0};
    kept = test_noise_clip("mono.wav", RATE, 1, CLIP, 1, mono);
    assert_ok(pn_hrtf_load(NULL, RATE, NULL, NULL, &set, &err), &err);
    return 0;
}

static int close_all(void **state) {
    (void)state;
    pn_hrtf_free(set);
    free(kept);
    return 0;
}

/* The clip through the set's response in the head's direction, times gain, from frame `at` on (with silence after it),
 * without the room that the set puts before it. The two differ by the far ends of the fractional delay's sinc, which the
 * response cuts off and the bank's transform wraps round: below -100 dB. */
static double error_db(const test_mix *mix, size_t at, pn_vec3 direction, double gain) {
    enum { AFTER = 4500 };
    const pn_hrtf_info *info = pn_hrtf_get_info(set);
    size_t taps = (size_t)info->length, before = (size_t)info->latency;
    float *ear[2] = {malloc(taps * sizeof(float)), malloc(taps * sizeof(float))};
    static double expected[CLIP + AFTER];
    pinna_error err = {0};
    assert_true(ear[0] != NULL && ear[1] != NULL && mix->frames >= at + CLIP + AFTER && taps < AFTER);
    assert_ok(pn_hrtf_response(set, direction, ear[0], ear[1], &err), &err);
    double worst = -400;
    for (int side = 0; side < 2; ++side) {
        memset(expected, 0, sizeof expected);
        test_add_convolved(expected, CLIP + AFTER, 0, mono[0], CLIP, ear[side], taps, gain);
        worst =
            fmax(worst, test_error_db_f64(mix->side[side] + at, expected + before, CLIP + AFTER - before));
        free(ear[side]);
    }
    return worst;
}

static pn_vec3 polar(double azimuth, double elevation) {
    return pn_vec_from_polar(pn_radians(azimuth), pn_radians(elevation), 1);
}

/* ------------------------------------------------------------------ standing still */

/* One after the other, 0.2 s each. No place is [1, 0, 0]; one in the middle of the head is heard from the front; 1 / r
 * ends at 0.2 m. */
static void static_sources_are_the_sets_response(void **state) {
    (void)state;
    static const struct {
        const char *place;
        double azimuth, elevation, gain;
    } at[] = {{"gain: 0", 0, 0, 1},
              {"position: [0, 0, 0], field: far", 0, 0, 5},
              {"polar: {azimuth: 37.3, elevation: 12.7}", 37.3, 12.7, 1},
              {"polar: {azimuth: -90, distance: 2}", -90, 0, 0.5},
              {"polar: {azimuth: 180, distance: 0.5}, field: far", 180, 0, 2},
              {"polar: {azimuth: 123, elevation: -33, distance: 4}", 123, -33, 0.25},
              {"polar: {elevation: 90}", 0, 90, 1},
              {"polar: {azimuth: 60, distance: 0.2}, field: far", 60, 0, 5},
              {"polar: {azimuth: -60, elevation: 45, distance: 0.1}, field: far", -60, 45, 5}};
    enum { CASES = sizeof at / sizeof *at };
    char yaml[2000] = HEAD "duration: 2\nsources:\n";
    for (int k = 0; k < CASES; ++k)
        snprintf(yaml + strlen(yaml), 200, "  - {name: s%d, clip: mono.wav, start: %.17g, %s}\n", k, 0.2 * k,
                 at[k].place);
    test_mix mix;
    test_render(yaml, &mix);
    for (int k = 0; k < CASES; ++k) {
        double error =
            error_db(&mix, (size_t)(k * RATE / 5), polar(at[k].azimuth, at[k].elevation), at[k].gain);
        if (error > -75)
            fail_msg("%s: %g dB", at[k].place, error);
    }
    test_mix_clear(&mix);
}

/* A clip and what the set makes of it, to the last sample: a longer scene adds nothing. And left is left. */
/* What stands still sounds the same whenever it begins, at the very first frame too: a point, and copies that share its
 * power. */
static void the_first_quantum_is_like_any_other(void **state) {
    (void)state;
    enum { LATER = 1024 };
    static const char *const kinds[] = {"", ", width: 120, diffuse: 0.5"};
    for (int k = 0; k < 2; ++k) {
        test_mix mix[2];
        for (int late = 0; late < 2; ++late) {
            char yaml[300];
            snprintf(
                yaml, sizeof yaml,
                HEAD
                "duration: 0.25\nsources: [{name: a, clip: mono.wav, start: %.17g, position: [1, 2, 0]%s}]\n",
                late * (double)LATER / RATE, kinds[k]);
            test_render(yaml, &mix[late]);
        }
        for (int side = 0; side < 2; ++side) {
            assert_true(test_peak(mix[0].side[side], 256) > 0.01);
            for (int n = 0; n < CLIP; ++n)
                assert_true(fabs((double)mix[0].side[side][n] - (double)mix[1].side[side][n + LATER]) < 1e-5);
        }
        test_mix_clear(&mix[0]);
        test_mix_clear(&mix[1]);
    }
}

static void ends_when_the_last_response_has(void **state) {
    (void)state;
    const pn_hrtf_info *info = pn_hrtf_get_info(set);
    test_mix mix, longer;
    test_render(HEAD "sources: [{name: a, clip: mono.wav, position: [0, 1, 0]}]\n", &mix);
    test_render(HEAD "duration: 0.3\nsources: [{name: a, clip: mono.wav, position: [0, 1, 0]}]\n", &longer);
    assert_int_equal(mix.frames, CLIP + info->length);
    assert_int_equal(longer.frames, 3 * RATE / 10);
    for (int side = 0; side < 2; ++side) {
        assert_memory_equal(mix.side[side], longer.side[side], mix.frames * sizeof(float));
        assert_true(test_rms(longer.side[side] + mix.frames, 2000) <
                    1e-4 * test_rms(mix.side[side], mix.frames));
    }
    assert_true(test_rms(mix.side[0], mix.frames) > 2 * test_rms(mix.side[1], mix.frames));
    test_mix_clear(&mix);
    test_mix_clear(&longer);
}

/* ------------------------------------------------------------------ the head */

/* The head rests in each pose for 0.25 s, in which one source is heard, where that pose brings it. */
static void the_head_turns_as_written(void **state) {
    (void)state;
    static const struct {
        const char *head, *orientation, *source;
        double azimuth, elevation, gain;
    } turns[] = {
        {"[0, 0, 0]", "[90, 0, 0]", "[1, 0, 0]", -90, 0, 1}, /* to the left: the front is now right */
        {"[0, 0, 0]", "[-30, 0, 0]", "[1, 0, 0]", 30, 0, 1},
        {"[0, 0, 0]", "[0, 30, 0]", "[1, 0, 0]", 0, -30, 1}, /* looking up: the front is below */
        {"[0, 0, 0]", "[0, 90, 0]", "[0, 0, 1]", 0, 0, 1},
        {"[0, 0, 0]", "[0, 0, 90]", "[0, 0, 1]", 90, 0, 1},   /* right ear down: above is left */
        {"[0, 0, 0]", "[0, 0, 90]", "[0, -1, 0]", 0, 90, 1},  /* and the right is overhead */
        {"[0, 0, 0]", "[90, 30, 0]", "[0, 1, 0]", 0, -30, 1}, /* pitch about the turned axis */
        {"[0, 0, 0]", "[90, 0, 90]", "[0, 0, 1]", 90, 0, 1},  /* roll about the twice turned axis */
        {"[1, 1, 0]", "[0, 0, 0]", "[3, 1, 0]", 0, 0, 0.5},
        {"[1, 0, 2]", "[90, 0, 0]", "[1, -2, 2]", 180, 0, 0.5},
    };
    enum { TURNS = sizeof turns / sizeof *turns };
    char yaml[5000] = HEAD "duration: 3\nlistener:\n  path:\n";
    for (int k = 0; k < TURNS; ++k)
        for (int end = 0; end < 2; ++end)
            snprintf(yaml + strlen(yaml), 200, "    - {time: %.17g, position: %s, orientation: %s}\n",
                     0.25 * k + 0.2 * end, turns[k].head, turns[k].orientation);
    snprintf(yaml + strlen(yaml), 100, "sources:\n");
    for (int k = 0; k < TURNS; ++k)
        snprintf(yaml + strlen(yaml), 200, "  - {name: s%d, clip: mono.wav, start: %.17g, position: %s}\n", k,
                 0.25 * k + 0.02, turns[k].source);
    test_mix mix;
    test_render(yaml, &mix);
    for (int k = 0; k < TURNS; ++k) {
        size_t at = (size_t)(k * RATE / 4 + RATE / 50);
        double error = error_db(&mix, at, polar(turns[k].azimuth, turns[k].elevation), turns[k].gain);
        if (error > -75)
            fail_msg("head %s, source %s: %g dB", turns[k].orientation, turns[k].source, error);
    }
    test_mix_clear(&mix);
}

/* A head that turns and a source that circles against it are the same thing. */
static void listener_path_is_the_source_the_other_way(void **state) {
    (void)state;
    static const float *long_clip[1];
    float *noise = test_noise_clip("long.wav", RATE, 1, RATE, 5, long_clip);
    test_mix a, b;
    test_render(HEAD "duration: 0.9\nlistener: {path: [{time: 0, orientation: [0, 0, 0]}, {time: 1, "
                     "orientation: [120, 0, 0]}]}\n"
                     "sources: [{name: a, clip: long.wav, position: [2, 0, 0]}]\n",
                &a);
    test_render(HEAD "duration: 0.9\nsources: [{name: a, clip: long.wav, orbit: {period: -3, radius: 2}}]\n",
                &b);
    assert_below(test_mix_error_db(&a, &b), -80);
    test_mix_clear(&a);
    test_mix_clear(&b);
    free(noise);
}

/* ------------------------------------------------------------------ moving */

/* Power outside 1 kHz +-60 Hz (100 Hz .. 10 kHz) re the tone, dB, of the worse ear, as a Blackman-Harris window sees
 * it; the last 2^16 frames. */
static double outside_db(const test_mix *mix) {
    enum { SIZE = 1 << 16 };
    double worst = -400;
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
    pn_complex *z = malloc(SIZE * sizeof *z);
    assert_true(z != NULL && mix->frames >= SIZE);
    for (int side = 0; side < 2; ++side) {
        for (int n = 0; n < SIZE; ++n) {
            double p = 2 * PN_PI * n / SIZE;
            double w = 0.35875 - 0.48829 * cos(p) + 0.14128 * cos(2 * p) - 0.01168 * cos(3 * p);
            z[n] = (pn_complex){w * (double)mix->side[side][mix->frames - SIZE + (size_t)n], 0};
        }
        pn_fft_forward(fft, z);
        double tone = 0, outside = 0;
        for (int k = 100 * SIZE / RATE; k < (int)(10000.0 * SIZE / RATE); ++k) {
            double power = z[k].re * z[k].re + z[k].im * z[k].im;
            *(fabs((double)k * RATE / SIZE - 1000) <= 60 ? &tone : &outside) += power;
        }
        worst = fmax(worst, 10 * log10(outside / tone));
    }
    free(z);
    pn_fft_free(fft);
    return worst;
}

/* Once around in two seconds, on the horizon and above it, in small blocks and in large ones. */
static void a_moving_tone_stays_a_tone(void **state) {
    (void)state;
    static const char *const orbits[] = {"{period: 2, radius: 1}", "{period: -2, radius: 1, height: 0.6}"};
    static const int blocks[] = {64, 2048};
    for (int k = 0; k < 4; ++k) {
        char yaml[400];
        snprintf(yaml, sizeof yaml,
                 HEAD "block: %d\nduration: 2\nsources: [{name: a, generator: {kind: sine, frequency: 1000}, "
                      "orbit: %s}]\n",
                 blocks[k % 2], orbits[k / 2]);
        test_mix mix;
        test_render(yaml, &mix);
        double outside = outside_db(&mix);
        print_message("orbit %s, block %d: %.1f dB\n", orbits[k / 2], blocks[k % 2], outside);
        assert_below(outside, -60);
        test_mix_clear(&mix);
    }
}

/* The measure itself: the same tone standing still has nothing outside. */
static void the_measure_has_a_floor(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "duration: 2\nsources: [{name: a, generator: {kind: sine, frequency: 1000}}]\n", &mix);
    assert_below(outside_db(&mix), -105);
    test_mix_clear(&mix);
}

/* Motion is evaluated every 256 frames whatever the block is: larger blocks are the same mix. */
static void blocks_do_not_matter_while_moving(void **state) {
    (void)state;
    const char *yaml =
        HEAD "duration: 0.5\nlistener: {path: [{time: 0, orientation: [0, 0, 0]}, {time: 0.4, orientation: "
             "[100, 20, 5]}]}\nsources: [{name: a, clip: mono.wav, loop: true, path: [{time: 0.1, position: "
             "[1, 1, 0]}, {time: 0.3, position: [-2, 1, 1]}]}]\n";
    pn_renderer_config config = {.device = "cpu", .threads = 1, .block = 256};
    test_mix reference, mix;
    test_render_with(yaml, &config, &reference);
    for (config.block = 512; config.block <= 8192; config.block *= 16) {
        test_render_with(yaml, &config, &mix);
        assert_below(test_mix_error_db(&mix, &reference), -110);
        test_mix_clear(&mix);
    }
    test_mix_clear(&reference);
}

/* ------------------------------------------------------------------ sets with a delay of our own */

/* A set whose responses begin at once needs room before the onset; files must not be late for it: the mix is what the
 * response says, `latency` frames earlier, and `direct` is where it was. */
static void room_before_the_onset_is_taken_away(void **state) {
    (void)state;
    if (test_data_folder() == NULL)
        skip();
    char path[1024];
    pinna_error err = {0};
    pn_hrtf *other = NULL, *own = set;
    snprintf(path, sizeof path, "%s/sofa/FHK_KU100_HRIR_L2354.sofa", test_data_folder());
    assert_ok(pn_hrtf_load(path, RATE, NULL, NULL, &other, &err), &err);
    size_t latency = (size_t)pn_hrtf_get_info(other)->latency;
    assert_true(latency > 0);
    pn_renderer_config config = {.device = "cpu", .threads = 1, .hrtf = path};
    for (config.block = 32; config.block <= 2048; config.block *= 64) {
        test_mix mix;
        test_render_with(
            HEAD "duration: 0.3\nsources:\n  - {name: a, clip: mono.wav, start: 0.1, position: [1, 1, 0]}\n"
                 "  - {name: b, clip: mono.wav, render: direct}\n",
            &config, &mix);
        for (int side = 0; side < 2; ++side)
            for (int n = 0; n < RATE / 10 - 1000; ++n) {
                double expected = n < CLIP ? (double)mono[0][n] : 0;
                assert_true(fabs((double)mix.side[side][n] - expected) < 1e-6);
                mix.side[side][n] = 0;
            }
        set = other;
        assert_below(error_db(&mix, RATE / 10, polar(45, 0), sqrt(0.5)), -70);
        set = own;
        test_mix_clear(&mix);
    }
    pn_hrtf_free(other);
}

/* ------------------------------------------------------------------ equalisers */

/* Power of the left ear at a frequency, of noise in front, dB. */
static double power_db(const test_mix *mix, double from, double to) {
    enum { SIZE = 1 << 16 };
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
    pn_complex *z = malloc(SIZE * sizeof *z);
    assert_true(z != NULL && mix->frames >= SIZE);
    for (int n = 0; n < SIZE; ++n)
        z[n] = (pn_complex){(double)mix->side[0][n], 0};
    pn_fft_forward(fft, z);
    double sum = 0;
    for (int k = (int)(from * SIZE / RATE); k < to * SIZE / RATE; ++k)
        sum += z[k].re * z[k].re + z[k].im * z[k].im;
    free(z);
    pn_fft_free(fft);
    return 10 * log10(sum / (to - from));
}

/* The built-in set lacks 19 dB at 20 .. 60 Hz, and is given 15 unless told otherwise; nothing changes above. */
static void low_frequencies_are_given_back(void **state) {
    (void)state;
    static const char *const heads[] = {"", "hrtf: {file: builtin, equalise: [low]}\n",
                                        "hrtf: {file: builtin, equalise: none}\n"};
    double low[3], high[3];
    for (int k = 0; k < 3; ++k) {
        char yaml[400];
        test_mix mix;
        snprintf(yaml, sizeof yaml, HEAD "%sduration: 2\nsources: [{name: a, generator: {kind: noise}}]\n",
                 heads[k]);
        test_render(yaml, &mix);
        low[k] = power_db(&mix, 30, 60);
        high[k] = power_db(&mix, 500, 5000);
        test_mix_clear(&mix);
    }
    assert_true(low[0] == low[1] && high[0] == high[1]);
    assert_below(fabs(low[0] - low[2] - 14), 2);
    assert_below(fabs(high[0] - high[2]), 0.1);
}

/* ------------------------------------------------------------------ block sizes */

/* Where a filter ends in a transform must not be heard: a delay of a fraction of a sample rings, and what rings beyond the
 * transform wraps round, at another place for every block size. On nodes, and between them. */
static void blocks_of_any_size_sound_alike(void **state) {
    (void)state;
    char path[1024];
    const char *sets[2] = {NULL, NULL};
    if (test_data_folder() != NULL) {
        snprintf(path, sizeof path, "%s/sofa/KU100_CIRC360.sofa", test_data_folder());
        sets[1] = test_file_exists(path) ? path : NULL;
    }
    static const int blocks[2][2] = {{64, 1024}, {32, 256}};
    for (int k = 0; k < 4; ++k) {
        if (k % 2 == 1 && sets[1] == NULL)
            continue;
        test_mix mix[2];
        for (int b = 0; b < 2; ++b) {
            pn_renderer_config config = {
                .device = "cpu", .threads = 1, .hrtf = sets[k % 2], .block = blocks[k / 2][b]};
            test_render_with(HEAD
                             "duration: 0.6\nsources:\n"
                             "  - {name: a, generator: {kind: noise, level: -12}, polar: {azimuth: 37.43}}\n"
                             "  - {name: b, generator: {kind: noise, level: -12}, polar: {azimuth: -111, "
                             "elevation: 17}}\n",
                             &config, &mix[b]);
        }
        double error = test_mix_error_db(&mix[0], &mix[1]);
        print_message("blocks %d and %d, %s: %.1f dB\n", blocks[k / 2][0], blocks[k / 2][1],
                      k % 2 ? "a circle" : "built in", error);
        assert_below(error, -115);
        test_mix_clear(&mix[0]);
        test_mix_clear(&mix[1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(static_sources_are_the_sets_response),
        cmocka_unit_test(the_first_quantum_is_like_any_other),
        cmocka_unit_test(ends_when_the_last_response_has),
        cmocka_unit_test(the_head_turns_as_written),
        cmocka_unit_test(listener_path_is_the_source_the_other_way),
        cmocka_unit_test(a_moving_tone_stays_a_tone),
        cmocka_unit_test(the_measure_has_a_floor),
        cmocka_unit_test(blocks_do_not_matter_while_moving),
        cmocka_unit_test(room_before_the_onset_is_taken_away),
        cmocka_unit_test(low_frequencies_are_given_back),
        cmocka_unit_test(blocks_of_any_size_sound_alike),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
