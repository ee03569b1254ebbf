// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <string.h>

#include "spatial/hrtf.h"

/* A set is the same bits for any number of threads. */

enum { TAPS = 96, COUNT = 80 };

/* Noise that dies away, and starts later on the far side. */
static pn_hrtf *make(int threads) {
    pn_measured set;
    pn_pool *pool = NULL;
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_pool_create(threads, &pool, &err), &err);
    assert_ok(pn_measured_create(&set, COUNT, TAPS, 48000, &err), &err);
    for (int i = 0; i < COUNT; ++i) {
        set.direction[i] = test_fibonacci(i, COUNT);
        set.distance[i] = 1;
        for (int ear = 0; ear < 2; ++ear) {
            uint64_t noise = 9;
            double start = 30 + (ear ? 12 : -12) * set.direction[i].y;
            for (int n = 0; n < TAPS; ++n) {
                double age = n - start, value = (1 + 0.2 * set.direction[i].x) * test_noise(&noise);
                pn_measured_ir(&set, i, ear)[n] = (float)(age < 0 ? 0 : value * exp(-age / 8));
            }
        }
    }
    const pn_hrtf_options options = {
        .grid = 150, .pool = pool, .equalise_given = true, .equalise_diffuse = true, .equalise_low = true};
    assert_ok(pn_hrtf_from_measured(&set, "test", 44100, &options, NULL, &hrtf, &err), &err);
    pn_pool_free(pool);
    return hrtf;
}

static void test_threads(void **state) {
    (void)state;
    pn_hrtf *one = make(1), *three = make(3);
    const pn_hrtf_info *info = pn_hrtf_get_info(one);
    assert_true(info->directions > COUNT && info->taps == pn_hrtf_get_info(three)->taps);
    assert_memory_equal(info->section, pn_hrtf_get_info(three)->section, sizeof info->section);
    assert_memory_equal(pn_hrtf_responses(one), pn_hrtf_responses(three),
                        2 * (size_t)info->directions * (size_t)info->taps * sizeof(float));
    pn_hrtf_free(one);
    pn_hrtf_free(three);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
