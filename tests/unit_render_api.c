// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The public interface, src/pinna.h, as a caller sees it: the three objects against models and against each other, and
 * what it refuses. */
#include "pinna.h"
#include "render_support.h"

enum { RATE = 48000, BLOCK = 256, TAPS = 700, FRAMES = 40 * BLOCK };

static void expect_bad(pinna_status status, const pinna_error *err, const char *word) {
    if (status != PINNA_BAD_ARGUMENT || err->status != status || strstr(err->text, word) == NULL)
        fail_msg("expected a bad argument and '%s', got %s: %s", word, pinna_status_name(status), err->text);
}

static void count_message(void *user, pinna_message_level level, const char *text) {
    (void)level;
    (void)text;
    ++*(int *)user;
}

/* ------------------------------------------------------------------ convolver */

static float noise[FRAMES], taps[3][TAPS];

static void fill(void) {
    test_fill_noise(noise, FRAMES, 1, 0.5);
    for (int k = 0; k < 3; ++k)
        test_fill_noise(taps[k], TAPS, 10 + (uint64_t)k, 0.1);
}

/* One input to two outputs in calls of `step` frames; gives the latency at the end. */
static int convolve(pinna_convolver *c, int step, float *left, float *right) {
    pinna_error err = {0};
    for (int at = 0; at < FRAMES; at += step) {
        int frames = FRAMES - at < step ? FRAMES - at : step;
        const float *in[1] = {noise + at};
        float *out[2] = {left + at, right + at};
        assert_ok(pinna_convolver_process(c, in, out, (size_t)frames, &err), &err);
    }
    return pinna_convolver_latency(c);
}

static void convolver_convolves(void **state) {
    (void)state;
    fill();
    static float out[2][FRAMES];
    static double expected[2][FRAMES + TAPS];
    pinna_error err = {0};
    for (int k = 0; k < 2; ++k)
        test_convolve_exactly(noise, FRAMES, taps[k], TAPS, expected[k]);
    const pinna_ir irs[2] = {{0, 0, taps[0], TAPS}, {0, 1, taps[1], TAPS}};
    pinna_convolver_config config = {.inputs = 1, .outputs = 2, .irs = irs, .ir_count = 2, .threads = 1};
    static const int steps[] = {BLOCK, 4 * BLOCK, 100};
    for (int k = 0; k < 3; ++k) {
        pinna_convolver *c = NULL;
        assert_ok(pinna_convolver_create(&config, &c, &err), &err);
        assert_int_equal(pinna_convolver_latency(c), 0);
        int latency = convolve(c, steps[k], out[0], out[1]);
        assert_int_equal(latency, steps[k] % BLOCK == 0 ? 0 : BLOCK);
        for (int o = 0; o < 2; ++o)
            assert_below(test_error_db_f64(out[o] + latency, expected[o], (size_t)(FRAMES - latency)), -120);
        pinna_convolver_reset(c);
        pinna_convolver_free(c);
    }
    pinna_convolver_free(NULL);
}

/* Exchanged at once, the new response acts on the whole past. */
static void convolver_swaps(void **state) {
    (void)state;
    fill();
    static float out[FRAMES];
    static double before[FRAMES + TAPS], after[FRAMES + TAPS];
    pinna_error err = {0};
    pinna_ir ir = {0, 0, taps[0], TAPS};
    pinna_convolver_config config = {.inputs = 1, .outputs = 1, .irs = &ir, .ir_count = 1, .threads = 1};
    pinna_convolver *c = NULL;
    assert_ok(pinna_convolver_create(&config, &c, &err), &err);
    const float *in[1] = {noise};
    float *to[1] = {out};
    assert_ok(pinna_convolver_process(c, in, to, FRAMES / 2, &err), &err);
    ir.taps = taps[2];
    assert_ok(pinna_convolver_swap(c, &ir, 1, 0, &err), &err);
    in[0] = noise + FRAMES / 2;
    to[0] = out + FRAMES / 2;
    assert_ok(pinna_convolver_process(c, in, to, FRAMES / 2, &err), &err);
    test_convolve_exactly(noise, FRAMES, taps[0], TAPS, before);
    test_convolve_exactly(noise, FRAMES, taps[2], TAPS, after);
    assert_below(test_error_db_f64(out, before, FRAMES / 2), -120);
    assert_below(test_error_db_f64(out + FRAMES / 2, after + FRAMES / 2, FRAMES / 2), -120);
    assert_ok(pinna_convolver_swap(c, &ir, 1, 10000, &err), &err);
    expect_bad(pinna_convolver_swap(c, &ir, 1, 0, &err), &err, "");
    pinna_convolver_free(c);
}

static void convolver_refuses(void **state) {
    (void)state;
    fill();
    float bad[2] = {1, NAN};
    pinna_error err = {0};
    pinna_convolver *c = NULL;
    pinna_ir ir = {0, 0, taps[0], TAPS};
    expect_bad(pinna_convolver_create(NULL, &c, &err), &err, "config");
    pinna_convolver_config config = {.inputs = 1, .outputs = 1, .irs = &ir, .ir_count = 1, .threads = 1};
    expect_bad(pinna_convolver_create(&config, NULL, &err), &err, "NULL");
    config.block = 100;
    expect_bad(pinna_convolver_create(&config, &c, &err), &err, "100");
    config.block = 0;
    config.inputs = 0;
    expect_bad(pinna_convolver_create(&config, &c, &err), &err, "0");
    config.inputs = 1;
    ir = (pinna_ir){0, 0, bad, 2};
    expect_bad(pinna_convolver_create(&config, &c, &err), &err, "finite");
    ir = (pinna_ir){0, 3, taps[0], TAPS};
    expect_bad(pinna_convolver_create(&config, &c, &err), &err, "3");
    ir = (pinna_ir){0, 0, NULL, 5};
    expect_bad(pinna_convolver_create(&config, &c, &err), &err, "");
    ir = (pinna_ir){0, 0, taps[0], TAPS};
    config.device = "toaster";
    assert_int_not_equal(pinna_convolver_create(&config, &c, &err), PINNA_OK);
    assert_non_null(strstr(err.text, "toaster"));
    assert_null(c);
    assert_int_not_equal(pinna_convolver_create(&config, &c, NULL), PINNA_OK);
}

/* ------------------------------------------------------------------ HRTF sets */

static void hrtf_opens_and_looks_up(void **state) {
    (void)state;
    pinna_error err = {0};
    pinna_hrtf *h = NULL;
    int messages = 0;
    assert_ok(pinna_hrtf_open("builtin", RATE, count_message, &messages, &h, &err), &err);
    assert_true(messages > 0);
    pinna_hrtf_info info;
    pinna_hrtf_describe(h, &info);
    assert_true(info.rate == RATE && info.file_rate == 44100 && info.directions == 710 && info.taps > 100);
    assert_in_range(info.latency, 0, 40);
    assert_non_null(strstr(info.name, "KEMAR"));
    float *left = malloc((size_t)info.taps * sizeof *left),
          *right = malloc((size_t)info.taps * sizeof *right);
    assert_true(left != NULL && right != NULL);
    assert_ok(pinna_hrtf_lookup(h, 90, 0, left, right, &err), &err);
    assert_true(test_rms(left, (size_t)info.taps) > 2 * test_rms(right, (size_t)info.taps));
    assert_ok(pinna_hrtf_lookup(h, 450 - 720, 0, right, left, &err), &err);
    assert_true(test_rms(right, (size_t)info.taps) > 2 * test_rms(left, (size_t)info.taps));
    expect_bad(pinna_hrtf_lookup(h, 0, 91, left, right, &err), &err, "91");
    expect_bad(pinna_hrtf_lookup(h, NAN, 0, left, right, &err), &err, "azimuth");
    free(left);
    free(right);
    pinna_hrtf_free(h);
    pinna_hrtf_free(NULL);
    assert_int_equal(pinna_hrtf_open("none.sofa", 0, NULL, NULL, &h, &err), PINNA_NOT_FOUND);
    assert_null(h);
    expect_bad(pinna_hrtf_open(NULL, 100, NULL, NULL, &h, &err), &err, "8000");
    expect_bad(pinna_hrtf_open(NULL, 0, NULL, NULL, NULL, &err), &err, "NULL");
}

/* ------------------------------------------------------------------ renderer */

/* A scene built by calls and fed is the same scene from a file. */
static void calls_equal_the_file(void **state) {
    (void)state;
    fill();
    const float *clip[1] = {noise}, *irs[2] = {taps[0], taps[1]};
    test_write_wav("noise.wav", RATE, 1, clip, FRAMES);
    test_write_wav("ir.wav", RATE, 2, irs, TAPS);
    const char *path = test_write_text(
        "api.yaml",
        "pinna: 1\nsources: [{name: a, clip: noise.wav, gain: -3, position: [1, 2, 0], sends: {b: -6}}]\n"
        "buses: [{name: b, gain: 2, reverb: {ir: ir.wav}}]\n");
    pinna_error err = {0};
    pinna_renderer *loaded = NULL, *built = NULL;
    pinna_renderer_config config = {.threads = 1};
    assert_ok(pinna_renderer_load(path, &config, &loaded, &err), &err);
    assert_true(pinna_renderer_rate(loaded) == RATE && pinna_renderer_block(loaded) == BLOCK);
    assert_true(pinna_renderer_frames(loaded) >= FRAMES + TAPS);
    assert_int_equal(pinna_renderer_find_source(loaded, "a"), 0);
    assert_int_equal(pinna_renderer_find_source(loaded, "z"), -1);
    int source = -1, bus = -1;
    assert_ok(pinna_renderer_create(&config, &built, &err), &err);
    assert_ok(pinna_renderer_add_source(built, "a", 1, 2, 0, -3, &source, &err), &err);
    assert_ok(pinna_renderer_add_reverb(built, "b", irs, 2, TAPS, 2, &bus, &err), &err);
    assert_ok(pinna_renderer_set_send(built, source, bus, -6, &err), &err);
    assert_true(pinna_renderer_frames(built) == 0);
    static float a[2][FRAMES], b[2][FRAMES];
    for (int at = 0; at < FRAMES; at += BLOCK) {
        assert_ok(pinna_renderer_render(loaded, a[0] + at, a[1] + at, &err), &err);
        assert_ok(pinna_renderer_feed(built, source, noise + at, &err), &err);
        assert_ok(pinna_renderer_render(built, b[0] + at, b[1] + at, &err), &err);
    }
    size_t late = (size_t)pinna_renderer_latency(built); /* what is fed cannot be rendered before it comes */
    for (int side = 0; side < 2; ++side) {
        assert_true(test_rms(a[side], FRAMES) > 0.01);
        assert_below(test_error_db(b[side] + late, a[side], FRAMES - late), -130);
    }
    expect_bad(pinna_renderer_add_source(built, "c", 0, 0, 0, 0, NULL, &err), &err, "fixed");
    expect_bad(pinna_renderer_feed(loaded, 0, noise, &err), &err, "fed");
    expect_bad(pinna_renderer_feed(built, 1, noise, &err), &err, "source 1");
    pinna_renderer_free(loaded);
    pinna_renderer_free(built);
    pinna_renderer_free(NULL);
}

/* Steered: where a source was moved to, and what a turn of the head or a gain does, once a block has passed. */
static void steering_arrives(void **state) {
    (void)state;
    fill();
    pinna_error err = {0};
    pinna_renderer *r = NULL, *still = NULL;
    pinna_renderer_config config = {.threads = 1};
    int s = 0;
    assert_ok(pinna_renderer_create(&config, &r, &err), &err);
    assert_ok(pinna_renderer_add_source(r, NULL, 1, 0, 0, 0, &s, &err), &err);
    assert_ok(pinna_renderer_create(&config, &still, &err), &err);
    assert_ok(pinna_renderer_add_source(still, NULL, 0, 0.5, 0, 6, &s, &err), &err);
    static float a[2][FRAMES], b[2][FRAMES];
    for (int at = 0, k = 0; at < FRAMES; at += BLOCK, ++k) {
        if (k == 4)
            assert_ok(pinna_renderer_move_source(r, s, 1, 2, 3, &err), &err);
        if (k == 8) {
            assert_ok(pinna_renderer_move_listener(r, 1, 2, 2.5, 0, 90, 0, &err), &err);
            assert_ok(pinna_renderer_move_listener(r, 1, 2, 2.5, 0, 0, 90, &err), &err);
            assert_ok(pinna_renderer_set_gain(r, s, 6, &err), &err);
        }
        assert_ok(pinna_renderer_feed(r, s, noise + at, &err), &err);
        assert_ok(pinna_renderer_feed(still, s, noise + at, &err), &err);
        assert_ok(pinna_renderer_render(r, a[0] + at, a[1] + at, &err), &err);
        assert_ok(pinna_renderer_render(still, b[0] + at, b[1] + at, &err), &err);
    }
    enum { FROM = 14 * BLOCK };
    for (int side = 0; side < 2; ++side)
        assert_below(test_error_db(a[side] + FROM, b[side] + FROM, FRAMES - FROM), -60);
    /* Fed and then not after all, or not at all: silence, after the response's end. */
    for (int k = 0; k < 60; ++k) { /* the low equaliser rings */
        assert_ok(pinna_renderer_feed(r, s, noise, &err), &err);
        assert_ok(pinna_renderer_feed(r, s, NULL, &err), &err);
        assert_ok(pinna_renderer_render(r, a[0], a[1], &err), &err);
        assert_ok(pinna_renderer_render(still, b[0], b[1], &err), &err);
    }
    assert_true(test_peak(a[0], BLOCK) < 1e-6 && test_peak(b[0], BLOCK) < 1e-6);
    expect_bad(pinna_renderer_move_source(r, s, NAN, 0, 0, &err), &err, "finite");
    expect_bad(pinna_renderer_move_source(r, -1, 0, 0, 0, &err), &err, "source -1");
    expect_bad(pinna_renderer_move_listener(r, 0, 0, 0, INFINITY, 0, 0, &err), &err, "finite");
    expect_bad(pinna_renderer_set_gain(r, s, 1000, &err), &err, "1000");
    expect_bad(pinna_renderer_render(r, NULL, a[1], &err), &err, "NULL");
    pinna_renderer_free(r);
    pinna_renderer_free(still);
}

/* Distance, air, directivity and field by calls are those of a file; turned by call, a source is soon like one that has
 * stood so. */
static void space_by_calls_equals_the_file(void **state) {
    (void)state;
    fill();
    const float *clip[1] = {noise};
    test_write_wav("noise.wav", RATE, 1, clip, FRAMES);
    const char *path = test_write_text(
        "space.yaml",
        "pinna: 1\ndistance: {model: exponential, reference: 2, max: 90, rolloff: 0.7}\n"
        "air: {temperature: 5, humidity: 30}\nsources:\n"
        "  - {name: a, clip: noise.wav, position: [30, 20, 0], directivity: {pattern: figure8, facing: [150, "
        "20]}}\n"
        "  - {name: b, clip: noise.wav, position: [0.2, 0.2, 0], field: mid, directivity: {pattern: cone, "
        "facing: [-90, 0], inner: 20, outer: 300, outer_gain: -30}}\n");
    pinna_error err = {0};
    pinna_renderer *loaded = NULL, *built = NULL;
    pinna_renderer_config config = {.threads = 1};
    pinna_directivity eight = {.pattern = PINNA_FIGURE8, .azimuth = 10, .elevation = 0},
                      cone = {PINNA_CONE, -90, 0, 20, 300, -30};
    int a = -1, b = -1;
    assert_ok(pinna_renderer_load(path, &config, &loaded, &err), &err);
    assert_ok(pinna_renderer_create(&config, &built, &err), &err);
    assert_ok(pinna_renderer_set_distance(built, PINNA_DISTANCE_EXPONENTIAL, 2, 90, 0.7, &err), &err);
    assert_ok(pinna_renderer_set_air(built, 5, 30, &err), &err);
    assert_ok(pinna_renderer_add_source(built, "a", 30, 20, 0, 0, &a, &err), &err);
    assert_ok(pinna_renderer_add_source(built, "b", 0.2, 0.2, 0, 0, &b, &err), &err);
    assert_ok(pinna_renderer_set_directivity(built, a, &eight, &err), &err);
    assert_ok(pinna_renderer_set_directivity(built, b, &cone, &err), &err);
    assert_ok(pinna_renderer_set_field(built, b, PINNA_FIELD_MID, &err), &err);
    static float file[2][FRAMES], calls[2][FRAMES];
    for (int at = 0; at < FRAMES; at += BLOCK) {
        if (at == 4 * BLOCK)
            assert_ok(pinna_renderer_turn_source(built, a, 150, 20, &err), &err);
        assert_ok(pinna_renderer_feed(built, a, noise + at, &err), &err);
        assert_ok(pinna_renderer_feed(built, b, noise + at, &err), &err);
        assert_ok(pinna_renderer_render(loaded, file[0] + at, file[1] + at, &err), &err);
        assert_ok(pinna_renderer_render(built, calls[0] + at, calls[1] + at, &err), &err);
    }
    enum { FROM = 10 * BLOCK };
    for (int side = 0; side < 2; ++side) {
        size_t late = (size_t)pinna_renderer_latency(built); /* what is fed cannot be heard before it comes */
        assert_true(test_rms(file[side], FRAMES) > 0.01);
        assert_below(test_error_db(calls[side] + FROM + late, file[side] + FROM, FRAMES - FROM - late), -100);
        assert_true(test_error_db(calls[side] + late, file[side], 4 * BLOCK - late) > -60);
    }
    expect_bad(pinna_renderer_turn_source(built, 7, 0, 0, &err), &err, "source 7");
    expect_bad(pinna_renderer_turn_source(built, a, 0, 91, &err), &err, "-90 to 90");
    expect_bad(pinna_renderer_set_field(built, b, PINNA_FIELD_FAR, &err), &err, "fixed");
    expect_bad(pinna_renderer_set_air(loaded, 20, 50, &err), &err, "fixed");
    pinna_renderer_free(loaded);
    pinna_renderer_free(built);
}

static void space_refuses(void **state) {
    (void)state;
    pinna_error err = {0};
    pinna_renderer *r = NULL;
    int s = 0;
    assert_ok(pinna_renderer_create(NULL, &r, &err), &err);
    assert_ok(pinna_renderer_add_source(r, "a", 1, 0, 0, 0, &s, &err), &err);
    expect_bad(pinna_renderer_set_distance(r, (pinna_distance_model)4, 1, 10, 1, &err), &err, "model 4");
    expect_bad(pinna_renderer_set_distance(r, PINNA_DISTANCE_INVERSE, 0, 10, 1, &err), &err, "reference 0");
    expect_bad(pinna_renderer_set_distance(r, PINNA_DISTANCE_INVERSE, 1, 10, NAN, &err), &err, "rolloff nan");
    expect_bad(pinna_renderer_set_distance(r, PINNA_DISTANCE_INVERSE, 11, 10, 1, &err), &err, "at least");
    expect_bad(pinna_renderer_set_distance(r, PINNA_DISTANCE_LINEAR, 10, 10, 1, &err), &err, "more than");
    expect_bad(pinna_renderer_set_air(r, 70, 50, &err), &err, "70");
    expect_bad(pinna_renderer_set_air(r, 20, -1, &err), &err, "-1 per cent");
    expect_bad(pinna_renderer_set_field(r, s, (pinna_field)9, &err), &err, "field 9");
    expect_bad(pinna_renderer_set_field(r, 1, PINNA_FIELD_FAR, &err), &err, "source 1");
    pinna_directivity d = {.pattern = (pinna_pattern)7};
    expect_bad(pinna_renderer_set_directivity(r, s, NULL, &err), &err, "NULL");
    expect_bad(pinna_renderer_set_directivity(r, s, &d, &err), &err, "pattern 7");
    d = (pinna_directivity){.pattern = PINNA_CONE, .inner = 90, .outer = 60};
    expect_bad(pinna_renderer_set_directivity(r, s, &d, &err), &err, "cone of 90");
    d = (pinna_directivity){.pattern = PINNA_CARDIOID, .azimuth = INFINITY};
    expect_bad(pinna_renderer_set_directivity(r, s, &d, &err), &err, "facing inf");
    pinna_renderer_free(r);
}

static void renderer_refuses(void **state) {
    (void)state;
    fill();
    const float *irs[4] = {taps[0], taps[1], taps[2], taps[0]}, bad[1] = {NAN}, *nan[1] = {bad};
    pinna_error err = {0};
    pinna_renderer *r = NULL;
    pinna_renderer_config config = {.threads = 1, .rate = 100};
    expect_bad(pinna_renderer_create(&config, &r, &err), &err, "100");
    config = (pinna_renderer_config){.threads = 1, .block = 33};
    expect_bad(pinna_renderer_create(&config, &r, &err), &err, "33");
    expect_bad(pinna_renderer_create(&config, NULL, &err), &err, "NULL");
    expect_bad(pinna_renderer_load(NULL, NULL, &r, &err), &err, "scene");
    assert_int_equal(pinna_renderer_load("none.yaml", NULL, &r, &err), PINNA_NOT_FOUND);
    assert_null(r);
    const char *path = test_write_text("bad.yaml", "pinna: 1\nrat: 5\n");
    assert_int_equal(pinna_renderer_load(path, NULL, &r, &err), PINNA_BAD_SCENE);
    assert_non_null(strstr(err.text, "bad.yaml:2:1"));
    expect_bad(pinna_renderer_feed(NULL, 0, noise, &err), &err, "NULL");

    assert_ok(pinna_renderer_create(NULL, &r, &err), &err);
    int s = 0, b = 0;
    assert_ok(pinna_renderer_add_source(r, "a", 0, 0, 0, 0, &s, &err), &err);
    expect_bad(pinna_renderer_add_source(r, "a", 0, 0, 0, 0, &s, &err), &err, "'a'");
    expect_bad(pinna_renderer_add_source(r, "c", NAN, 0, 0, 0, &s, &err), &err, "finite");
    expect_bad(pinna_renderer_add_reverb(r, "b", irs, 3, TAPS, 0, &b, &err), &err, "not 3");
    expect_bad(pinna_renderer_add_reverb(r, "b", irs, 2, 0, 0, &b, &err), &err, "of 0");
    expect_bad(pinna_renderer_add_reverb(r, "a", irs, 2, TAPS, 0, &b, &err), &err, "'a'");
    expect_bad(pinna_renderer_add_reverb(r, "b", nan, 1, 1, 0, &b, &err), &err, "finite");
    expect_bad(pinna_renderer_add_reverb(r, "b", irs, 2, TAPS, NAN, &b, &err), &err, "gain");
    assert_ok(pinna_renderer_add_reverb(r, "b", irs, 4, TAPS, 0, &b, &err), &err);
    expect_bad(pinna_renderer_set_send(r, s, 1, 0, &err), &err, "bus 1");
    expect_bad(pinna_renderer_set_send(r, 5, b, 0, &err), &err, "source 5");
    expect_bad(pinna_renderer_set_send(r, s, b, NAN, &err), &err, "gain");
    pinna_renderer_free(r);
    assert_string_equal(pinna_version(), PINNA_VERSION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolver_convolves),  cmocka_unit_test(convolver_swaps),
        cmocka_unit_test(convolver_refuses),    cmocka_unit_test(hrtf_opens_and_looks_up),
        cmocka_unit_test(calls_equal_the_file), cmocka_unit_test(steering_arrives),
        cmocka_unit_test(renderer_refuses),     cmocka_unit_test(space_by_calls_equals_the_file),
        cmocka_unit_test(space_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
