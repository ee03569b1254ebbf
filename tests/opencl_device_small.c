// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Every kernel once, as small as that can be: what opencl_oclgrind.sh runs in a simulator. Opening a device runs its
 * self-test, which meets all kernels but those for transforms beyond the local memory. */
#include "opencl_each.h"

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

static int run(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_transform)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
