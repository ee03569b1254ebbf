// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Sends and buses against float64 models: what a send takes, what a reverb makes of it, how long it goes on. The
 * sources are `direct`, so that their own part of the mix is known to the sample. */
#include "render/hall.h"
#include "render_support.h"

enum { RATE = 48000, CLIP = 3000, TAPS = 7001 };
#define HEAD "pinna: 1\nrate: 48000\n"
static const double half_power = 0.70710678118654752;

static const float *mono[1], *stereo[2], *one[1], *two[2], *four[4];
static float *kept[5];

static int make_clips(void **state) {
    (void)state;
    kept[0] = test_noise_clip("mono.wav", RATE, 1, CLIP, 1, mono);
    kept[1] = test_noise_clip("stereo.wav", RATE, 2, CLIP, 10, stereo);
    kept[2] = test_noise_clip("ir1.wav", RATE, 1, TAPS, 20, one);
    kept[3] = test_noise_clip("ir2.wav", RATE, 2, TAPS, 30, two);
    kept[4] = test_noise_clip("ir4.wav", RATE, 4, TAPS, 40, four);
    return 0;
}

static int free_clips(void **state) {
    (void)state;
    for (int k = 0; k < 5; ++k)
        free(kept[k]);
    return 0;
}

typedef struct {
    double *side[2];
    size_t frames;
} model;

static model new_model(size_t frames) {
    model m = {{calloc(frames, sizeof(double)), calloc(frames, sizeof(double))}, frames};
    assert_true(m.side[0] != NULL && m.side[1] != NULL);
    return m;
}

static void add_dry(model *m, const float *left, const float *right, double gain) {
    for (size_t n = 0; n < CLIP && n < m->frames; ++n) {
        m->side[0][n] += gain * (double)left[n];
        m->side[1][n] += gain * (double)right[n];
    }
}

static void add_wet(model *m, int side, size_t at, const float *in, const float *ir, double gain) {
    test_add_convolved(m->side[side], m->frames, at, in, CLIP, ir, TAPS, gain);
}

static void compare(const char *yaml, model *m) {
    test_mix mix;
    test_render(yaml, &mix);
    assert_int_equal(mix.frames, m->frames);
    for (int side = 0; side < 2; ++side) {
        assert_below(test_error_db_f64(mix.side[side], m->side[side], m->frames), -120);
        free(m->side[side]);
    }
    test_mix_clear(&mix);
}

/* ------------------------------------------------------------------ without a reverb */

/* -12 dB after a fader of -6 dB, and -3 dB for mono into both sides; the bus itself at +2 dB. */
static void sends_are_post_fader(void **state) {
    (void)state;
    model m = new_model(CLIP);
    double wet = test_db(-6 - 12 + 2) * half_power;
    add_dry(&m, mono[0], mono[0], test_db(-6) + wet);
    compare(HEAD "sources: [{name: a, clip: mono.wav, render: direct, gain: -6, sends: {b: -12}}]\n"
                 "buses: [{name: b, gain: 2}]\n",
            &m);
}

static void stereo_sends_keep_their_level(void **state) {
    (void)state;
    model m = new_model(CLIP);
    add_dry(&m, stereo[0], stereo[1], 1 + test_db(-12));
    compare(HEAD
            "sources: [{name: a, clip: stereo.wav, render: direct, sends: {b: -12}}]\nbuses: [{name: b}]\n",
            &m);
}

/* Sends leave before panning, distance and HRTF: what the bus adds is the clip. */
static void sends_leave_before_the_space(void **state) {
    (void)state;
    static const char *const places[] = {"position: [0, 7, 1]", "render: stereo, polar: {azimuth: 90}"};
    for (int k = 0; k < 2; ++k) {
        char with[300], without[300];
        const char *form =
            HEAD "duration: 0.1\nsources: [{name: a, clip: mono.wav, %s%s}]\nbuses: [{name: b}]\n";
        snprintf(with, sizeof with, form, places[k], ", sends: {b: -3}");
        snprintf(without, sizeof without, form, places[k], "");
        test_mix a, b;
        test_render(with, &a);
        test_render(without, &b);
        for (int side = 0; side < 2; ++side)
            for (size_t n = 0; n < CLIP; ++n)
                assert_true(fabs((double)a.side[side][n] - (double)b.side[side][n] -
                                 test_db(-3) * half_power * (double)mono[0][n]) < 1e-6);
        test_mix_clear(&a);
        test_mix_clear(&b);
    }
}

/* ------------------------------------------------------------------ reverbs */

static void mono_response_serves_both_sides(void **state) {
    (void)state;
    model m = new_model(CLIP + TAPS);
    add_dry(&m, stereo[0], stereo[1], 1);
    for (int side = 0; side < 2; ++side)
        add_wet(&m, side, 0, stereo[side], one[0], test_db(-20));
    compare(HEAD "sources: [{name: a, clip: stereo.wav, render: direct, sends: {b: -20}}]\n"
                 "buses: [{name: b, reverb: {ir: ir1.wav}}]\n",
            &m);
}

/* With a predelay of 777 frames and a gain of each kind. */
static void stereo_response_left_to_left(void **state) {
    (void)state;
    model m = new_model(CLIP + TAPS + 777);
    add_dry(&m, mono[0], mono[0], 1);
    for (int side = 0; side < 2; ++side)
        add_wet(&m, side, 777, mono[0], two[side], test_db(-12 - 5 + 2) * half_power);
    compare(HEAD "sources: [{name: a, clip: mono.wav, render: direct, sends: {b: -12}}]\n"
                 "buses: [{name: b, gain: 2, reverb: {ir: ir2.wav, predelay: 0.0161875, gain: -5}}]\n",
            &m);
}

/* LL, LR, RL, RR, the first letter the input. */
static void true_stereo_response(void **state) {
    (void)state;
    model m = new_model(CLIP + TAPS);
    add_dry(&m, stereo[0], stereo[1], 1);
    for (int in = 0; in < 2; ++in)
        for (int out = 0; out < 2; ++out)
            add_wet(&m, out, 0, stereo[in], four[2 * in + out], test_db(-15));
    compare(HEAD "sources: [{name: a, clip: stereo.wav, render: direct, sends: {b: -15}}]\n"
                 "buses: [{name: b, reverb: {ir: ir4.wav}}]\n",
            &m);
}

/* Two sources into two buses, the master over all; the longest tail rules. */
static void several_of_each(void **state) {
    (void)state;
    model m = new_model(CLIP + TAPS + 480);
    double master = test_db(-4);
    add_dry(&m, mono[0], mono[0], master * (1 + test_db(-9) * half_power));
    add_dry(&m, stereo[0], stereo[1], master);
    for (int side = 0; side < 2; ++side) {
        add_wet(&m, side, 480, mono[0], two[side], master * test_db(-10) * half_power);
        add_wet(&m, side, 480, stereo[side], two[side], master * test_db(-20));
    }
    compare(HEAD "sources:\n  - {name: a, clip: mono.wav, render: direct, sends: {b: -10, c: -9}}\n"
                 "  - {name: d, clip: stereo.wav, render: direct, sends: {b: -20}}\n"
                 "buses:\n  - {name: b, reverb: {ir: ir2.wav, predelay: 0.01}}\n  - {name: c}\n"
                 "master: {gain: -4}\n",
            &m);
}

/* The hall: each channel has an energy of 1, the two are not alike, and the reverberation is that of `ir: builtin`. */
static void builtin_hall(void **state) {
    (void)state;
    float *ear[2];
    size_t length;
    pinna_error err = {0};
    assert_ok(pn_hall_make(RATE, &ear[0], &ear[1], &length, &err), &err);
    assert_int_equal(length, 2 * RATE);
    double product = 0;
    for (int k = 0; k < 2; ++k)
        assert_true(fabs(test_rms(ear[k], length) * sqrt((double)length) - 1) < 1e-4);
    for (size_t n = 0; n < length; ++n)
        product += (double)ear[0][n] * (double)ear[1][n];
    assert_true(fabs(product) < 0.1);
    assert_true(test_rms(ear[0] + RATE, RATE / 2) < 0.05 * test_rms(ear[0] + 4800, 4800));

    model m = new_model(CLIP + length);
    add_dry(&m, mono[0], mono[0], 1);
    for (int side = 0; side < 2; ++side)
        test_add_convolved(m.side[side], m.frames, 0, mono[0], CLIP, ear[side], length,
                           test_db(-12) * half_power);
    compare(HEAD "sources: [{name: a, clip: mono.wav, render: direct, sends: {b: -12}}]\n"
                 "buses: [{name: b, reverb: {ir: builtin}}]\n",
            &m);
    pn_free(ear[0]);
    pn_free(ear[1]);
}

/* A response of another rate is converted with its gain: a constant through it keeps its level. */
static void responses_of_other_rates(void **state) {
    (void)state;
    static float decay[4410], ones[RATE / 2];
    double sum = 0;
    for (int n = 0; n < 4410; ++n) {
        decay[n] = (float)(0.001 * exp(-n / 600.0) * (1 - exp(-n / 20.0)));
        sum += (double)decay[n];
    }
    for (int n = 0; n < RATE / 2; ++n)
        ones[n] = 0.5f;
    const float *channel[1] = {decay};
    test_write_wav("ir44.wav", 44100, 1, channel, 4410);
    channel[0] = ones;
    test_write_wav("half.wav", RATE, 1, channel, RATE / 2);
    test_mix mix;
    test_render(HEAD "duration: 0.5\nsources: [{name: a, clip: half.wav, render: direct, sends: {b: 0}}]\n"
                     "buses: [{name: b, reverb: {ir: ir44.wav}}]\n",
                &mix);
    double wet = (double)mix.side[0][RATE / 4] - 0.5;
    assert_true(fabs(wet / (0.5 * half_power * sum) - 1) < 1e-3);
    test_mix_clear(&mix);
}

/* A muted source sends nothing; a bus that nobody sends to is silent, but its tail still counts. */
static void muted_sends_are_silent(void **state) {
    (void)state;
    model m = new_model(CLIP + TAPS);
    add_dry(&m, stereo[0], stereo[1], 1);
    compare(HEAD
            "sources:\n  - {name: a, clip: mono.wav, render: direct, mute: true, sends: {b: 0}}\n"
            "  - {name: c, clip: stereo.wav, render: direct}\nbuses: [{name: b, reverb: {ir: ir1.wav}}]\n",
            &m);
}

/* The same whatever the block and whatever the number of threads. */
static void blocks_and_threads_do_not_matter(void **state) {
    (void)state;
    const char *yaml =
        HEAD "sources:\n  - {name: a, clip: stereo.wav, render: direct, sends: {b: -6}}\n"
             "  - {name: c, clip: mono.wav, start: 0.013, position: [1, 1, 0.5], sends: {b: -3}}\n"
             "  - {name: d, clip: mono.wav, render: stereo, position: [1, 1, 0], sends: {e: -3}}\n"
             "buses:\n  - {name: b, reverb: {ir: ir4.wav, predelay: 0.01}}\n"
             "  - {name: e, reverb: {ir: ir1.wav, gain: -6}}\n";
    static const int blocks[] = {32, 64, 512, 2048, 8192};
    test_mix reference, again;
    pn_renderer_config config = {.device = "cpu", .threads = 1, .block = 256};
    test_render_with(yaml, &config, &reference);
    config.threads = 2;
    test_render_with(yaml, &config, &again);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(reference.side[side], again.side[side], reference.frames * sizeof(float));
    test_mix_clear(&again);
    for (int k = 0; k < 5; ++k) {
        config.block = blocks[k];
        test_render_with(yaml, &config, &again);
        assert_below(test_mix_error_db(&again, &reference), -110);
        test_mix_clear(&again);
    }
    test_mix_clear(&reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_are_post_fader),
        cmocka_unit_test(stereo_sends_keep_their_level),
        cmocka_unit_test(sends_leave_before_the_space),
        cmocka_unit_test(mono_response_serves_both_sides),
        cmocka_unit_test(stereo_response_left_to_left),
        cmocka_unit_test(true_stereo_response),
        cmocka_unit_test(several_of_each),
        cmocka_unit_test(builtin_hall),
        cmocka_unit_test(responses_of_other_rates),
        cmocka_unit_test(muted_sends_are_silent),
        cmocka_unit_test(blocks_and_threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, make_clips, free_clips);
}
