// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <string.h>

#include "convolve/plan.h"

static void plans_are_those_that_were_measured_best(void **state) {
    (void)state;
    static const struct {
        pn_plan_mode mode;
        int block;
        size_t longest;
        pn_backend_kind kind;
        const char *text;
    } cases[] = {
        {PN_PLAN_LIVE, 256, 480000, PN_BACKEND_CPU, "256 x 16, 2048 x 14, 16384 x 28"},
        {PN_PLAN_LIVE, 256, 48000, PN_BACKEND_CPU, "256 x 16, 2048 x 22"},
        {PN_PLAN_LIVE, 1024, 480000, PN_BACKEND_CPU, "1024 x 32, 16384 x 28"},
        {PN_PLAN_LIVE, 256, 1, PN_BACKEND_CPU, "256 x 1"},
        {PN_PLAN_LIVE, 8192, 480000, PN_BACKEND_OPENCL, "8192 x 59"},
        {PN_PLAN_LIVE, 256, 480000, PN_BACKEND_OPENCL, "256 x 16, 2048 x 6, 8192 x 57"},
        {PN_PLAN_OFFLINE, 0, 480000, PN_BACKEND_CPU, "65536 x 8"},
        {PN_PLAN_OFFLINE, 0, 48000, PN_BACKEND_CPU, "8192 x 6"},
        {PN_PLAN_OFFLINE, 0, 1, PN_BACKEND_CPU, "1024 x 1"},
        {PN_PLAN_OFFLINE, 4096, 480000, PN_BACKEND_CPU, "4096 x 118"},
        {PN_PLAN_OFFLINE, 0, 480000, PN_BACKEND_OPENCL, "8192 x 59"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        pn_plan plan;
        pinna_error err = {0};
        char text[128];
        assert_ok(pn_plan_make(cases[c].mode, cases[c].block, cases[c].longest, cases[c].kind, &plan, &err),
                  &err);
        assert_string_equal(pn_plan_describe(&plan, text, sizeof text), cases[c].text);
    }
}

/* Every tap in one level; every level whose result has one period to be computed; block sizes allowed. */
static void every_plan_covers_every_tap_once(void **state) {
    (void)state;
    for (int block = 32; block <= 8192; block *= 2) {
        for (size_t longest = 1; longest < 240000000; longest = longest * 5 / 3 + 1) {
            for (int kind = 0; kind < 2; ++kind) {
                pn_plan plan;
                pinna_error err = {0};
                assert_ok(pn_plan_make(PN_PLAN_LIVE, block, longest, (pn_backend_kind)kind, &plan, &err),
                          &err);
                assert_int_equal(plan.block, block);
                assert_in_range(plan.levels, 1, PN_PLAN_LEVELS);
                assert_int_equal(plan.level[0].block, block);
                assert_int_equal(plan.level[0].first, 0);
                for (int l = 0; l < plan.levels; ++l) {
                    const pn_plan_level *level = &plan.level[l];
                    size_t end = level->first + (size_t)level->block * (size_t)level->partitions;
                    assert_true(level->partitions > 0);
                    assert_true(level->block <= 524288);
                    if (l > 0)
                        assert_int_equal(level->first, 2 * level->block);
                    if (l + 1 < plan.levels)
                        assert_int_equal(end, plan.level[l + 1].first);
                    else
                        assert_in_range(end, longest, longest + (size_t)level->block - 1);
                }
            }
        }
    }
}

static void bad_values_are_named(void **state) {
    (void)state;
    pn_plan plan;
    pinna_error err = {0};
    assert_int_equal(pn_plan_make(PN_PLAN_LIVE, 257, 10, PN_BACKEND_CPU, &plan, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "257"));
    assert_int_equal(pn_plan_make(PN_PLAN_LIVE, 16384, 10, PN_BACKEND_CPU, &plan, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_plan_make(PN_PLAN_LIVE, 256, 0, PN_BACKEND_CPU, &plan, &err), PINNA_BAD_ARGUMENT);
}

static void a_short_text_is_cut(void **state) {
    (void)state;
    pn_plan plan;
    char text[12];
    assert_int_equal(pn_plan_make(PN_PLAN_LIVE, 256, 480000, PN_BACKEND_CPU, &plan, NULL), PINNA_OK);
    assert_string_equal(pn_plan_describe(&plan, text, sizeof text), "256 x 16, 2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_those_that_were_measured_best),
        cmocka_unit_test(every_plan_covers_every_tap_once),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(a_short_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
