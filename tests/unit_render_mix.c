// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What the renderer does outside the HRTF, sample for sample against models made here from the clips: time, gain,
 * mute and solo, panning, channels, sends, the end. */
#include "render_support.h"

enum { RATE = 48000, CLIP = 4800 };
#define HEAD "pinna: 1\nrate: 48000\n"

static const float *mono[1], *stereo[2], *many[6];
static float *kept[3];

static int make_clips(void **state) {
    (void)state;
    kept[0] = test_noise_clip("mono.wav", RATE, 1, CLIP, 1, mono);
    kept[1] = test_noise_clip("stereo.wav", RATE, 2, CLIP, 10, stereo);
    kept[2] = test_noise_clip("many.wav", RATE, 6, CLIP, 20, many);
    return 0;
}

static int free_clips(void **state) {
    (void)state;
    for (int k = 0; k < 3; ++k)
        free(kept[k]);
    return 0;
}

/* Both sides are gain[side] times what is given, from `at` on. */
static void expect_scaled(const test_mix *mix, size_t at, const float *left, const float *right,
                          size_t frames, double gain_left, double gain_right) {
    const float *given[2] = {left, right};
    double gain[2] = {gain_left, gain_right};
    assert_true(mix->frames >= at + frames);
    for (int side = 0; side < 2; ++side)
        for (size_t n = 0; n < frames; ++n)
            assert_true(fabs((double)mix->side[side][at + n] - gain[side] * (double)given[side][n]) < 3e-7);
}

/* ------------------------------------------------------------------ time */

static void direct_gives_the_clips_samples(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "sources: [{name: a, clip: stereo.wav, render: direct}]\n", &mix);
    assert_int_equal(mix.frames, CLIP);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(mix.side[side], stereo[side], CLIP * sizeof(float));
    test_mix_clear(&mix);
    test_render(HEAD "sources: [{name: a, clip: mono.wav, render: direct}]\n", &mix);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(mix.side[side], mono[0], CLIP * sizeof(float));
    test_mix_clear(&mix);
}

/* Beside a binaural source far to the left and silent, whose set must not delay it. */
static void direct_is_not_delayed_by_a_set(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "sources:\n  - {name: a, clip: mono.wav, render: direct}\n"
                     "  - {name: b, clip: mono.wav, gain: -200, position: [0, 1, 0]}\n",
                &mix);
    assert_true(mix.frames > CLIP);
    expect_scaled(&mix, 0, mono[0], mono[0], CLIP, 1, 1);
    test_mix_clear(&mix);
}

/* start 1234 frames, from 100 frames, 1000 frames long. */
static void times_are_exact(void **state) {
    (void)state;
    test_mix mix;
    test_render(
        HEAD "sources: [{name: a, clip: mono.wav, render: direct, start: 0.025708333333, from: 0.0020833333,"
             " length: 0.0208333333}]\n",
        &mix);
    assert_int_equal(mix.frames, 2234);
    assert_true(test_peak(mix.side[0], 1234) == 0);
    assert_memory_equal(mix.side[0] + 1234, mono[0] + 100, 1000 * sizeof(float));
    test_mix_clear(&mix);
}

static void loops_repeat_at_the_sample(void **state) {
    (void)state;
    static const char *const lengths[] = {"length: 0.25", "start: 0"};
    for (int k = 0; k < 2; ++k) {
        char yaml[300];
        snprintf(
            yaml, sizeof yaml,
            HEAD
            "duration: 0.25\nsources: [{name: a, clip: mono.wav, render: direct, from: 0.075, loop: true, "
            "%s}]\n",
            lengths[k]);
        test_mix mix;
        test_render(yaml, &mix);
        assert_int_equal(mix.frames, RATE / 4);
        for (size_t n = 0; n < mix.frames; ++n)
            assert_true(mix.side[0][n] == mono[0][3600 + n % (CLIP - 3600)]);
        test_mix_clear(&mix);
    }
}

static void duration_cuts_and_fills(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "duration: 0.05\nsources: [{name: a, clip: mono.wav, render: direct}]\n", &mix);
    assert_int_equal(mix.frames, 2400);
    assert_memory_equal(mix.side[1], mono[0], 2400 * sizeof(float));
    test_mix_clear(&mix);
    test_render(HEAD "duration: 0.2\nsources: [{name: a, clip: mono.wav, render: direct}]\n", &mix);
    assert_int_equal(mix.frames, 9600);
    assert_true(test_peak(mix.side[0] + CLIP, 9600 - CLIP) == 0);
    test_mix_clear(&mix);
}

/* ------------------------------------------------------------------ gain */

static void gains_multiply(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "sources: [{name: a, clip: mono.wav, render: direct, gain: -6}]\nmaster: {gain: 3.5}\n",
                &mix);
    expect_scaled(&mix, 0, mono[0], mono[0], CLIP, test_db(-2.5), test_db(-2.5));
    test_mix_clear(&mix);
}

/* From -30 dB at 0.256 s to -6 dB at 1.28 s (a whole number of quanta), exactly exponential in between; by lines of
 * 256 frames that is (0.125 dB)^2 / 8 = -84 dB off. */
static void automation_is_linear_in_db(void **state) {
    (void)state;
    static const int blocks[] = {32, 256, 4096};
    for (int k = 0; k < 3; ++k) {
        char yaml[300];
        snprintf(yaml, sizeof yaml,
                 HEAD
                 "block: %d\nduration: 2\nsources: [{name: a, clip: mono.wav, loop: true, render: direct, "
                 "gain: 40, automate: {gain: [[0.256, -30], [1.28, -6]]}}]\n",
                 blocks[k]);
        test_mix mix;
        test_render(yaml, &mix);
        double *expected = malloc(mix.frames * sizeof *expected);
        assert_non_null(expected);
        for (size_t n = 0; n < mix.frames; ++n) {
            double part = ((double)n / RATE - 0.256) / 1.024;
            double db = -30 + 24 * fmin(1, fmax(0, part));
            expected[n] = test_db(db) * (double)mono[0][n % CLIP];
        }
        assert_below(test_error_db_f64(mix.side[0], expected, mix.frames), -80);
        free(expected);
        test_mix_clear(&mix);
    }
}

static void mute_and_solo(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "sources:\n  - {name: a, clip: stereo.wav, render: direct, mute: true}\n"
                     "  - {name: b, clip: mono.wav, render: direct}\n",
                &mix);
    assert_memory_equal(mix.side[0], mono[0], CLIP * sizeof(float));
    test_mix_clear(&mix);
    test_render(HEAD "sources:\n  - {name: a, clip: stereo.wav, render: direct, solo: true}\n"
                     "  - {name: b, clip: mono.wav, render: direct, sends: {bus: 0}}\nbuses: [{name: bus}]\n",
                &mix);
    assert_memory_equal(mix.side[0], stereo[0], CLIP * sizeof(float));
    test_mix_clear(&mix);
    test_render(HEAD "sources:\n  - {name: a, clip: stereo.wav, render: direct, solo: true, mute: true}\n"
                     "  - {name: b, clip: mono.wav, render: direct, start: 0.1}\n",
                &mix);
    assert_int_equal(mix.frames, 2 * CLIP);
    assert_true(test_peak(mix.side[0], mix.frames) == 0);
    test_mix_clear(&mix);
}

/* The length of the mix does not depend on who is heard: the tail of the HRTF stays when only the direct one plays. */
static void solo_keeps_the_length(void **state) {
    (void)state;
    static const char *const solos[] = {"", ", solo: true"};
    size_t frames[2];
    for (int i = 0; i < 2; ++i) {
        char yaml[512];
        snprintf(
            yaml, sizeof yaml,
            HEAD
            "sources:\n  - {name: a, clip: stereo.wav, render: direct%s}\n  - {name: b, clip: mono.wav}\n",
            solos[i]);
        pn_renderer *renderer = test_open_scene(yaml, NULL, NULL);
        frames[i] = (size_t)pn_renderer_frames(renderer);
        pn_renderer_free(renderer);
    }
    assert_int_equal(frames[0], frames[1]);
    assert_true(frames[0] > CLIP);
}

/* ------------------------------------------------------------------ panning */

/* Sine law, -3 dB in front, hard at +-90, mirrored behind; the head's turn plays no part. */
static void mono_pans_by_the_sine_law(void **state) {
    (void)state;
    static const struct {
        double azimuth, left, right;
    } law[] = {{0, 0.70710678, 0.70710678},
               {90, 1, 0},
               {-90, 0, 1},
               {30, 0.86602540, 0.5},
               {150, 0.86602540, 0.5},
               {-30, 0.5, 0.86602540},
               {-150, 0.5, 0.86602540},
               {180, 0.70710678, 0.70710678}};
    for (size_t k = 0; k < sizeof law / sizeof *law; ++k) {
        char yaml[300];
        snprintf(yaml, sizeof yaml,
                 HEAD
                 "listener: {orientation: [90, 0, 0]}\nsources: [{name: a, clip: mono.wav, render: stereo, "
                 "polar: {azimuth: %g, distance: 3}}]\n",
                 law[k].azimuth);
        test_mix mix;
        test_render(yaml, &mix);
        expect_scaled(&mix, 0, mono[0], mono[0], CLIP, law[k].left, law[k].right);
        test_mix_clear(&mix);
    }
}

static void stereo_clips_are_balanced(void **state) {
    (void)state;
    static const struct {
        double azimuth, left, right;
    } law[] = {{0, 1, 1}, {90, 1, 0}, {-90, 0, 1}, {30, 1, 0.70710678}};
    for (size_t k = 0; k < sizeof law / sizeof *law; ++k) {
        char yaml[200];
        snprintf(yaml, sizeof yaml,
                 HEAD "sources: [{name: a, clip: stereo.wav, render: stereo, polar: {azimuth: %g}}]\n",
                 law[k].azimuth);
        test_mix mix;
        test_render(yaml, &mix);
        expect_scaled(&mix, 0, stereo[0], stereo[1], CLIP, law[k].left, law[k].right);
        test_mix_clear(&mix);
    }
}

/* A turn in 2 s on a constant clip: the output is the law itself, up to the corners of 256-frame lines. */
static void moving_pans_follow_the_law(void **state) {
    (void)state;
    static float ones[RATE];
    for (int n = 0; n < RATE; ++n)
        ones[n] = 1;
    const float *channel[1] = {ones};
    test_write_wav("ones.wav", RATE, 1, channel, RATE);
    test_mix mix;
    test_render(HEAD "sources: [{name: a, clip: ones.wav, render: stereo, orbit: {period: 2, radius: 1}}]\n",
                &mix);
    for (int n = 0; n < RATE; ++n) {
        double azimuth = PN_PI * n / RATE, folded = asin(sin(azimuth)), angle = (folded + PN_PI / 2) / 2;
        assert_true(fabs((double)mix.side[0][n] - sin(angle)) < 1e-2);
        assert_true(fabs((double)mix.side[1][n] - cos(angle)) < 1e-2);
    }
    test_mix_clear(&mix);
}

/* ------------------------------------------------------------------ channels */

static void channel_is_chosen(void **state) {
    (void)state;
    test_mix mix;
    test_render(HEAD "sources: [{name: a, clip: many.wav, channel: 3, render: direct}]\n", &mix);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(mix.side[side], many[2], CLIP * sizeof(float));
    test_mix_clear(&mix);
}

/* The mono sum of N channels has 1 / sqrt(N) of each. */
static void binaural_sums_channels(void **state) {
    (void)state;
    static float sum[CLIP];
    for (int n = 0; n < CLIP; ++n) {
        double total = 0;
        for (int c = 0; c < 6; ++c)
            total += (double)many[c][n];
        sum[n] = (float)(total / sqrt(6));
    }
    const float *channel[1] = {sum};
    test_write_wav("sum.wav", RATE, 1, channel, CLIP);
    test_mix a, b;
    test_render(HEAD "sources: [{name: a, clip: many.wav, position: [1, 2, 0]}]\n", &a);
    test_render(HEAD "sources: [{name: a, clip: sum.wav, position: [1, 2, 0]}]\n", &b);
    assert_below(test_mix_error_db(&a, &b), -120);
    test_mix_clear(&a);
    test_mix_clear(&b);
}

static void expect_failure(const char *yaml, pinna_status expected, const char *word, const char *other) {
    pn_scene *scene = NULL;
    pn_renderer *renderer = NULL;
    pinna_error err = {0};
    pn_renderer_config config = {.device = "cpu", .threads = 1};
    assert_ok(pn_scene_read_text(yaml, strlen(yaml), "test.yaml", test_folder(), NULL, &scene, &err), &err);
    assert_int_equal(pn_renderer_create(scene, &config, NULL, &renderer, &err), expected);
    assert_null(renderer);
    if (strstr(err.text, word) == NULL || strstr(err.text, other) == NULL)
        fail_msg("expected '%s' and '%s' in: %s", word, other, err.text);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    const char *sources = HEAD "sources: [{name: a, clip: %s, %s}]\n";
    static const struct {
        const char *clip, *rest;
        pinna_status status;
        const char *word, *other;
    } cases[] = {
        {"many.wav", "render: direct", PINNA_BAD_SCENE, "test.yaml:3:27", "6 channels"},
        {"many.wav", "render: stereo", PINNA_BAD_SCENE, "many.wav", "`channel`"},
        {"mono.wav", "channel: 2", PINNA_BAD_SCENE, "test.yaml:3", "channel"},
        {"none.wav", "gain: 0", PINNA_NOT_FOUND, "test.yaml:3:27", "none.wav"},
        {"mono.wav", "from: 0.2", PINNA_BAD_SCENE, "test.yaml:3", "mono.wav"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        char yaml[300];
        snprintf(yaml, sizeof yaml, sources, cases[k].clip, cases[k].rest);
        pn_scene *scene = NULL;
        pn_renderer *renderer = NULL;
        pinna_error err = {0};
        pn_renderer_config config = {.device = "cpu", .threads = 1};
        assert_ok(pn_scene_read_text(yaml, strlen(yaml), "test.yaml", test_folder(), NULL, &scene, &err),
                  &err);
        assert_int_not_equal(pn_renderer_create(scene, &config, NULL, &renderer, &err), PINNA_OK);
        if (strstr(err.text, cases[k].word) == NULL || strstr(err.text, cases[k].other) == NULL)
            fail_msg("expected '%s' and '%s' in: %s", cases[k].word, cases[k].other, err.text);
    }
    expect_failure(
        HEAD
        "sources: [{name: a, clip: mono.wav, sends: {b: 0}}]\nbuses: [{name: b, reverb: {ir: many.wav}}]\n",
        PINNA_BAD_FILE, "6 channels", "true stereo");
    expect_failure(
        HEAD
        "sources: [{name: a, clip: mono.wav, sends: {b: 0}}]\nbuses: [{name: b, reverb: {ir: no.wav}}]\n",
        PINNA_NOT_FOUND, "no.wav", "test.yaml:4");
    expect_failure(HEAD "hrtf: no.sofa\nsources: [{name: a, clip: mono.wav}]\n", PINNA_NOT_FOUND, "no.sofa",
                   "test.yaml:3");
}

/* A sweep's end follows the rate that is rendered at, and what no longer fits is said. */
static void another_rate_reaches_the_generators(void **state) {
    (void)state;
    const char *fits =
        HEAD "sources: [{name: a, generator: {kind: sweep, frequency: 100}, length: 1, render: direct}]\n";
    pn_renderer_config config = {.device = "cpu", .threads = 1, .rate = 16000};
    test_mix mix;
    test_render_with(fits, &config, &mix);
    assert_int_equal(mix.frames, 16000);
    double turns = 0;
    for (size_t n = 1; n < mix.frames; ++n)
        turns += (mix.side[0][n - 1] < 0) != (mix.side[0][n] < 0) ? 0.5 : 0;
    assert_true(fabs(turns - (7200 - 100) / log(72)) < 5);
    test_mix_clear(&mix);
    const char *not = HEAD "sources: [{name: a, generator: {kind: sine, frequency: 9000}, length: 1}]\n";
    pn_scene *scene = NULL;
    pn_renderer *renderer = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read_text(not, strlen(not ), "test.yaml", "", NULL, &scene, &err), &err);
    assert_int_equal(pn_renderer_create(scene, &config, NULL, &renderer, &err), PINNA_BAD_SCENE);
    assert_non_null(strstr(err.text, "test.yaml:3"));
    static const double bad[] = {-1, 100, 48000.5, 1e9};
    for (int k = 0; k < 4; ++k) {
        config.rate = bad[k];
        assert_ok(pn_scene_read_text(fits, strlen(fits), "test.yaml", "", NULL, &scene, &err), &err);
        assert_int_equal(pn_renderer_create(scene, &config, NULL, &renderer, &err), PINNA_BAD_ARGUMENT);
    }
}

/* A clip of another rate is resampled and keeps its time and level: a 1 kHz sine of 44.1 kHz. */
static void clips_of_other_rates_are_resampled(void **state) {
    (void)state;
    static float sine[44100];
    for (int n = 0; n < 44100; ++n)
        sine[n] = (float)(0.5 * sin(2 * PN_PI * 1000 * n / 44100));
    const float *channel[1] = {sine};
    test_write_wav("sine44.wav", 44100, 1, channel, 44100);
    test_mix mix;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_renderer *renderer =
        test_open_scene(HEAD "sources: [{name: a, clip: sine44.wav, render: direct}]\n", NULL, messages);
    test_run_renderer(renderer, 0, &mix);
    pn_renderer_free(renderer);
    assert_int_equal(mix.frames, RATE);
    double expected[RATE - 4000];
    for (int n = 0; n < RATE - 4000; ++n)
        expected[n] = 0.5 * sin(2 * PN_PI * 1000 * (n + 2000) / RATE);
    assert_below(test_error_db_f64(mix.side[0] + 2000, expected, RATE - 4000), -90);
    test_mix_clear(&mix);
    assert_int_equal(test_told(messages, "sine44.wav"), 1);
    assert_int_equal(test_told(messages, "44100"), 1);
    pn_messages_free(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_gives_the_clips_samples),
        cmocka_unit_test(direct_is_not_delayed_by_a_set),
        cmocka_unit_test(times_are_exact),
        cmocka_unit_test(loops_repeat_at_the_sample),
        cmocka_unit_test(duration_cuts_and_fills),
        cmocka_unit_test(gains_multiply),
        cmocka_unit_test(automation_is_linear_in_db),
        cmocka_unit_test(mute_and_solo),
        cmocka_unit_test(solo_keeps_the_length),
        cmocka_unit_test(mono_pans_by_the_sine_law),
        cmocka_unit_test(stereo_clips_are_balanced),
        cmocka_unit_test(moving_pans_follow_the_law),
        cmocka_unit_test(channel_is_chosen),
        cmocka_unit_test(binaural_sums_channels),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(another_rate_reaches_the_generators),
        cmocka_unit_test(clips_of_other_rates_are_resampled),
    };
    return cmocka_run_group_tests(tests, make_clips, free_clips);
}
