// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Every kernel once, as small as that can be: what opencl_oclgrind.sh runs in a simulator. Opening a device runs its
 * self-test, which meets all kernels but those for transforms beyond the local memory. */
#include <string.h>

#include "opencl_each.h"

#include "bank_support.h"

enum { BLOCK = 4096, TAPS = 3 };

static void large_transform(void **state) {
    (void)state;
    static const float taps[TAPS] = {0.5f, -0.25f, 1};
    static float input[2 * BLOCK], got[BLOCK];
    static double expected[BLOCK];
    test_fill_noise(input, 2 * BLOCK, 1, 1);
    for (int n = 0; n < BLOCK; ++n)
        for (int k = 0; k < TAPS; ++k)
            expected[n] += (double)taps[k] * (double)input[BLOCK + n - k];
    const pn_level_entry entry = {.taps = taps, .length = TAPS};
    const pn_level_desc desc = {.block = BLOCK, .inputs = 1, .outputs = 1, .entry = &entry, .entries = 1};
    pinna_error err = {0};
    pn_level *level = NULL;
    const float *history[1] = {input};
    float *out[1] = {got};
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    assert_ok(backend->ops->level_begin(level, history, &err), &err);
    assert_ok(backend->ops->level_finish(level, out, &err), &err);
    backend->ops->level_free(level);
    assert_below(test_error_db_f64(got, expected, BLOCK), -115);
}

/* Two levels at once, and steps of each. */
static void run_levels(pn_backend *on, double bound_db) {
    enum { CALL = 32, CALLS = 20, LENGTH = 400 };
    static float taps[LENGTH], input[CALLS * CALL], got[CALLS * CALL];
    static double expected[CALLS * CALL];
    test_fill_noise(taps, LENGTH, 2, 1);
    test_fill_noise(input, CALLS * CALL, 3, 1);
    memset(expected, 0, sizeof expected);
    for (int n = 0; n < CALLS * CALL; ++n)
        for (int k = 0; k <= n && k < LENGTH; ++k)
            expected[n] += (double)taps[k] * (double)input[n - k];
    const pn_matrix_level level[2] = {{CALL, 4, 0}, {2 * CALL, 5, 4 * CALL}};
    const pn_level_entry entry = {.taps = taps, .length = LENGTH};
    const pn_matrix_desc desc = {
        .inputs = 1, .outputs = 1, .level = level, .levels = 2, .entry = &entry, .entries = 1};
    pinna_error err = {0};
    pn_matrix *matrix = NULL;
    assert_ok(on->ops->matrix_create(on, &desc, &matrix, &err), &err);
    for (int c = 0; c < CALLS; ++c) {
        const float *in[1] = {input + c * CALL};
        float *out[1] = {got + c * CALL};
        assert_ok(on->ops->matrix_begin(matrix, in, &err), &err);
        assert_ok(on->ops->matrix_finish(matrix, out, &err), &err);
    }
    on->ops->matrix_free(matrix);
    assert_below(test_error_db_f64(got, expected, CALLS * CALL), bound_db);
}

/* Everything that sources can do. */
static void run_sources(pn_backend *on) {
    enum { EVERYTHING = 31 };
    const test_bank_shape shape = {64, 32, 5, 10, 10, 5, EVERYTHING};
    assert_below(test_bank_run(shape, on, 1, true, NULL), -115);
}

static void run_all(pn_backend *on) {
    run_levels(on, -115);
    run_sources(on);
    on->spectra_bits = 16;
    run_levels(on, -90);
}

static void levels_and_sources(void **state) {
    (void)state;
    run_with_each_kind(run_all);
}

/* A transform of the bank in two launches. */
static void large_bank(void **state) {
    (void)state;
    static const float responses[2] = {1, 1};
    static float in[32], left[32], right[32];
    const pn_bank_desc desc = {
        .size = 8192, .quantum = 32, .sources = 1, .nodes = 1, .taps = 1, .responses = responses};
    const pn_filter filter = {.weight = {{1}, {1}}};
    const pn_bank_source source = {.in = in, .from = filter, .to = filter};
    pinna_error err = {0};
    pn_bank *bank = NULL;
    test_fill_noise(in, 32, 4, 1);
    assert_ok(backend->ops->bank_create(backend, &desc, &bank, &err), &err);
    assert_ok(backend->ops->bank_begin(bank, &source, &err), &err);
    assert_ok(backend->ops->bank_finish(bank, left, right, &err), &err);
    backend->ops->bank_free(bank);
    assert_below(test_error_db(left, in, 32), -115);
    assert_below(test_error_db(right, in, 32), -115);
}

static int run(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_transform),
                                       cmocka_unit_test(levels_and_sources), cmocka_unit_test(large_bank)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
