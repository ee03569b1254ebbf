// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu.h"
#include "device/ops.h"

static void print_line(void *user, const char *line) {
    ++*(int *)user;
    print_message("%s\n", line);
}

static void cpu_passes_the_selftest(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_backend *backend = NULL;
    assert_ok(pn_backend_open("cpu", NULL, NULL, &backend, &err), &err);
    int lines = 0;
    assert_ok(pn_backend_selftest(backend, print_line, &lines, &err), &err);
    assert_int_equal(lines, 3);
    pn_backend_close(backend);
    pn_backend_close(NULL);
}

/* ------------------------------------------------------------------ definitions */

enum { SIZE = 64 };

static void transform_padded(const float *response, int taps, pn_complex *bins) {
    double padded[SIZE] = {0};
    for (int n = 0; n < taps; ++n)
        padded[n] = (double)response[n];
    pn_ops_forward(SIZE, padded, padded + SIZE / 2, bins);
}

/* The definitions against each other: a filter in time is the inverse of blend times ramp times tint. */
static void filter_in_time_is_blend_times_ramp(void **state) {
    (void)state;
    enum { TAPS = 20, TINT_TAPS = 5 };
    float responses[3 * 2 * TAPS], tints[2 * TINT_TAPS];
    test_fill_noise(responses, 3 * 2 * TAPS, 1, 1);
    test_fill_noise(tints, 2 * TINT_TAPS, 2, 1);
    pn_bank_desc desc = {.size = SIZE,
                         .quantum = 32,
                         .sources = 1,
                         .nodes = 3,
                         .taps = TAPS,
                         .max_delay = 8,
                         .responses = responses,
                         .tints = 2,
                         .tint_taps = TINT_TAPS,
                         .tint_responses = tints};
    pinna_error err = {0};
    pn_filter filter = {.node = {{0, 1, 2}, {2, 0, 1}},
                        .weight = {{0.2f, 0.5f, 0.3f}, {0.1f, -0.4f, 0.6f}},
                        .delay = {3.3f, 7.75f},
                        .tint = {{0, 1}, {1, 0}},
                        .tint_weight = {{0.5f, -1.5f}, {0.25f}}};
    for (int tinted = 0; tinted < 2; ++tinted) {
        for (int ear = 0; ear < 2; ++ear) {
            const int *node = filter.node[ear], *tint = filter.tint[ear];
            pn_complex from[5][SIZE / 2], blended[SIZE / 2], colour[SIZE / 2], ramp[SIZE / 2];
            const pn_complex *nodes[3] = {from[0], from[1], from[2]}, *two[2] = {from[3], from[4]};
            for (int j = 0; j < 3; ++j)
                transform_padded(responses + (2 * node[j] + ear) * TAPS, TAPS, from[j]);
            for (int j = 0; j < 2; ++j)
                transform_padded(tints + tint[j] * TINT_TAPS, TINT_TAPS, from[3 + j]);
            pn_ops_blend(SIZE, blended, nodes, filter.weight[ear], 3);
            pn_ops_blend(SIZE, colour, two, filter.tint_weight[ear], 2);
            pn_ops_ramp(SIZE, (double)filter.delay[ear], ramp);
            pn_complex product[SIZE / 2] = {{0, 0}}, both[SIZE / 2] = {{0, 0}};
            pn_ops_multiply_add(SIZE, product, blended, ramp);
            pn_ops_multiply_add(SIZE, both, product, colour);
            double expected[SIZE], direct[SIZE];
            pn_ops_inverse(SIZE, tinted ? both : product, expected, expected + SIZE / 2);
            pn_filter now = filter;
            if (!tinted)
                memset(now.tint_weight, 0, sizeof now.tint_weight);
            assert_ok(pn_ops_filter(&desc, &now, ear, direct, &err), &err);
            for (int n = 0; n < SIZE; ++n)
                assert_true(fabs(expected[n] - direct[n]) < 1e-12);
        }
    }
}

/* A whole delay is a shift, and the job then a plain convolution. */
static void a_whole_delay_shifts(void **state) {
    (void)state;
    float responses[2 * 4] = {1, 2, 3, 4, 5, 6, 7, 8};
    pn_bank_desc desc = {.size = 64, .quantum = 32, .sources = 1, .nodes = 1, .taps = 4, .max_delay = 20};
    desc.responses = responses;
    pn_filter filter = {.weight = {{0.5f, 0.25f, 0.25f}, {0.5f, 0.25f, 0.25f}}, .delay = {7, 20}};
    double out[64];
    pinna_error err = {0};
    assert_ok(pn_ops_filter(&desc, &filter, 1, out, &err), &err);
    for (int n = 0; n < 64; ++n)
        assert_true(fabs(out[n] - (n >= 20 && n < 24 ? 5 + n - 20 : 0)) < 1e-12);
}

/* ------------------------------------------------------------------ levels */

static void level_case(int block, int products, int calls_of_advance) {
    size_t frames = (size_t)block * 6, taps = (size_t)block * (size_t)products - 5;
    float *x = pn_alloc_floats(frames + (size_t)block), *h = pn_alloc_floats(taps),
          *y = pn_alloc_floats(frames);
    double *expected = pn_alloc(frames, sizeof *expected);
    test_fill_noise(x + block, frames, 1, 1);
    test_fill_noise(h, taps, 2, 1);
    pn_level_entry entry = {0, 0, h, taps};
    pn_level_desc desc = {block, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    pn_level *level = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(NULL, &backend, &err), &err);
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    for (size_t at = 0; at < frames; at += (size_t)block) {
        const float *history = x + at;
        float *out = y + at;
        assert_ok(backend->ops->level_begin(level, &history, &err), &err);
        for (int a = 1; a <= calls_of_advance; ++a)
            backend->ops->level_advance(level, a, calls_of_advance);
        assert_ok(backend->ops->level_finish(level, &out, &err), &err);
    }
    const float *input = x + block;
    pn_ops_level(&desc, &input, frames, &expected);
    assert_below(test_error_db_f64(y, expected, frames), -125);
    backend->ops->level_free(level);
    backend->ops->level_free(NULL);
    pn_backend_close(backend);
    pn_free(x);
    pn_free(h);
    pn_free(y);
    pn_free(expected);
}

static void levels_match_the_definition(void **state) {
    (void)state;
    level_case(32, 1, 0);
    level_case(32, 2, 1);
    level_case(32, 33, 3);
    level_case(32, 100, 64);
    level_case(64, 64, 7);
    level_case(512, 3, 2);
}

/* A thousand equal products of one sign are where a running float sum would lose most. */
static void long_sums_stay_accurate(void **state) {
    (void)state;
    enum { BLOCK = 32, PARTITIONS = 2048, FRAMES = BLOCK * PARTITIONS };
    float *x = pn_alloc_floats(FRAMES + BLOCK), *h = pn_alloc_floats(FRAMES);
    for (int n = 0; n < FRAMES; ++n)
        x[BLOCK + n] = h[n] = 0.7f + 0.2f * sinf((float)n);
    pn_level_entry entry = {0, 0, h, FRAMES};
    pn_level_desc desc = {BLOCK, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    pn_level *level = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(NULL, &backend, &err), &err);
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    float y[BLOCK];
    float *out = y;
    for (size_t at = 0; at < FRAMES; at += BLOCK) {
        const float *history = x + at;
        assert_ok(backend->ops->level_begin(level, &history, &err), &err);
        assert_ok(backend->ops->level_finish(level, &out, &err), &err);
    }
    double expected[BLOCK] = {0};
    for (int n = 0; n < BLOCK; ++n)
        for (int k = 0; k <= FRAMES - BLOCK + n; ++k)
            expected[n] += (double)h[k] * (double)x[FRAMES + n - k];
    assert_below(test_error_db_f64(y, expected, BLOCK), -128);
    backend->ops->level_free(level);
    pn_backend_close(backend);
    pn_free(x);
    pn_free(h);
}

/* ------------------------------------------------------------------ failures */

static void failed_allocations_are_reported(void **state) {
    (void)state;
    float taps[800] = {1};
    pn_level_entry entry = {0, 0, taps, 800};
    pn_level_desc desc = {32, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_cpu_open(NULL, &backend, NULL), PINNA_OK);
    pinna_status status = PINNA_NO_MEMORY;
    long k = 0;
    while (status != PINNA_OK) {
        pn_level *level = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(++k);
        status = backend->ops->level_create(backend, &desc, &level, &err);
        pn_memory_fail_at(0);
        assert_true(status == PINNA_OK || (status == PINNA_NO_MEMORY && err.text[0] != '\0'));
        assert_true(k < 100);
        backend->ops->level_free(level);
    }
    assert_true(k > 6);
    pn_backend_close(backend);
}

static void bad_descriptions_are_refused(void **state) {
    (void)state;
    float taps[8] = {0};
    pn_level_entry entry = {0, 0, taps, 8}, outside = {1, 0, taps, 8};
    pn_level_desc levels[] = {{31, 1, 1, &entry, 1},
                              {16, 1, 1, &entry, 1},
                              {32, 0, 1, &entry, 1},
                              {32, 1, 1, &entry, 0},
                              {32, 1, 1, &outside, 1}};
    pinna_error err = {0};
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; ++l)
        assert_int_equal(pn_level_desc_check(&levels[l], &err), PINNA_BAD_ARGUMENT);
    pn_bank_desc banks[] = {{500, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {64, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 512, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 64, 0, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 64, 1, 1, 4, 4, NULL, 0, 0, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 1, 0, taps, 0},
                            {512, 64, 1, 1, 4, 4, taps, 1, 4, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 0, 4, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 7},
                            {512, 64, 1, 1, 4, 4, taps, 0, 0, NULL, PN_PROPAGATION_LONGEST + 1},
                            {512, 256, 1, 1, 220, 34, taps, 1, 5, taps, 0},
                            {512, 256, 1, 1, 224, 34, taps, 0, 0, NULL, 0}};
    for (size_t b = 0; b < sizeof banks / sizeof banks[0]; ++b)
        assert_int_equal(pn_bank_desc_check(&banks[b], &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "224"));
    pn_bank_desc good = {512, 256, 1, 1, 220, 33, taps, 1, 5, taps, 8};
    assert_ok(pn_bank_desc_check(&good, &err), &err);
}

static void device_names_are_checked(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_open("gpu", NULL, NULL, &backend, &err), PINNA_BAD_ARGUMENT);
    assert_null(backend);
    assert_non_null(strstr(err.text, "'gpu'"));
    assert_ok(pn_backend_open(NULL, NULL, NULL, &backend, &err), &err);
    assert_string_equal(backend->name, "cpu");
    assert_true(backend->description[0] != '\0');
    pn_backend_close(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_passes_the_selftest),      cmocka_unit_test(filter_in_time_is_blend_times_ramp),
        cmocka_unit_test(a_whole_delay_shifts),         cmocka_unit_test(levels_match_the_definition),
        cmocka_unit_test(long_sums_stay_accurate),      cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(bad_descriptions_are_refused), cmocka_unit_test(device_names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
