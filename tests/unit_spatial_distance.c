// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Laws of distance against OpenAL's formulas with figures worked out by hand, and directivity. */
#include <math.h>

#include "spatial/directivity.h"
#include "spatial/distance.h"
#include "support.h"

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.17g, expected %.17g", value, expected);
}

/* The contract: 1 / max(r, 0.2), below 1 m too; as soft as at 1000 m beyond. */
static void defaults_are_one_over_r(void **state) {
    (void)state;
    pn_distance_law law = {PN_DISTANCE_INVERSE, 1, 1000, 1};
    for (int n = 0; n < 200; ++n) {
        double r = 0.001 * pow(1.07, n);
        near(pn_distance_gain(&law, r), 1 / fmax(r, 0.2));
    }
    near(pn_distance_gain(&law, 1), 1);
    near(pn_distance_gain(&law, 0), 5);
    near(pn_distance_gain(&law, 1e9), 1e-3);
    near(pn_distance_gain(&law, INFINITY), 1e-3);
    assert_true(isfinite(pn_distance_gain(&law, NAN)));
}

static void models_are_openals(void **state) {
    (void)state;
    static const struct {
        pn_distance_law law;
        double r, gain;
    } cases[] = {
        {{PN_DISTANCE_INVERSE, 2, 50, 1}, 8, 0.25},
        {{PN_DISTANCE_INVERSE, 2, 50, 0.5}, 8, 0.4},      /* 2 / (2 + 0.5 * 6) */
        {{PN_DISTANCE_INVERSE, 2, 50, 3}, 8, 0.1},        /* 2 / (2 + 3 * 6) */
        {{PN_DISTANCE_INVERSE, 2, 50, 3}, 80, 2.0 / 146}, /* as at 50: 2 / (2 + 3 * 48) */
        {{PN_DISTANCE_INVERSE, 2, 50, 0}, 8, 1},
        {{PN_DISTANCE_INVERSE, 2, 50, 0.5}, 1, 2.0 / 1.5}, /* nearer: 2 / (2 - 0.5) */
        {{PN_DISTANCE_INVERSE, 2, 50, 3}, 1, 2},           /* 2 / (2 - 3) has passed the pole: 2 / 1 */
        {{PN_DISTANCE_INVERSE, 2, 50, 3}, 1.9, 2 / 1.9},
        {{PN_DISTANCE_LINEAR, 1, 11, 1}, 6, 0.5},
        {{PN_DISTANCE_LINEAR, 1, 11, 0.5}, 6, 0.75},
        {{PN_DISTANCE_LINEAR, 1, 11, 0.5}, 20, 0.5},
        {{PN_DISTANCE_LINEAR, 1, 11, 1}, 11, 0},
        {{PN_DISTANCE_LINEAR, 1, 11, 2}, 9, 0}, /* would be below 0 */
        {{PN_DISTANCE_LINEAR, 1, 11, 1}, 0.5, 1.05},
        {{PN_DISTANCE_LINEAR, 1, 1.01, 1}, 0.5, 2}, /* would be 51: no more than 1 / 0.5 */
        {{PN_DISTANCE_EXPONENTIAL, 2, 100, 1}, 8, 0.25},
        {{PN_DISTANCE_EXPONENTIAL, 2, 100, 2}, 8, 0.0625},
        {{PN_DISTANCE_EXPONENTIAL, 2, 100, 0.5}, 8, 0.5},
        {{PN_DISTANCE_EXPONENTIAL, 2, 32, 2}, 1000, 1.0 / 256},
        {{PN_DISTANCE_EXPONENTIAL, 2, 100, 0.5}, 0.5, 2},
        {{PN_DISTANCE_EXPONENTIAL, 2, 100, 2}, 0.5, 4}, /* 16 by the formula */
        {{PN_DISTANCE_NONE, 1, 1000, 1}, 50, 1},
        {{PN_DISTANCE_NONE, 1, 1000, 1}, 0, 1},
        {{PN_DISTANCE_INVERSE, 0.1, 10, 1}, 0, 0.5}, /* a reference within 0.2 m: 0.1 / 0.2 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        near(pn_distance_gain(&cases[i].law, cases[i].r), cases[i].gain);
}

/* Falls everywhere, without steps, and is at most reference / 0.2. */
static void every_law_falls_smoothly(void **state) {
    (void)state;
    static const double references[] = {0.05, 0.2, 1, 30}, rolloffs[] = {0, 0.3, 1, 1.5, 7, 100};
    for (int model = 0; model < 4; ++model)
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 6; ++k) {
                pn_distance_law law = {(pn_distance_model)model, references[i], references[i] + 20,
                                       rolloffs[k]};
                double last = pn_distance_gain(&law, 0);
                assert_true(last <= fmax(references[i] / 0.2, 1) + 1e-12);
                for (int n = 0; n < 100000; ++n) {
                    double gain = pn_distance_gain(&law, 1e-3 * n);
                    assert_true(gain >= 0 && gain <= last);
                    assert_true(last - gain <=
                                1e-3 * fmax(25 * references[i], 100 / fmin(references[i], 20)));
                    last = gain;
                }
            }
}

/* ------------------------------------------------------------------ directivity */

static double gain_at(pn_pattern pattern, double degrees) {
    pn_radiator radiator = {.pattern = pattern,
                            .facing = pn_vec_from_polar(pn_radians(70), pn_radians(-20), 1),
                            .inner = pn_radians(30),
                            .outer = pn_radians(90),
                            .outer_gain = 0.1};
    pn_vec3 aside = {-sin(pn_radians(70)), cos(pn_radians(70)), 0};
    pn_vec3 to = pn_vec_add(pn_vec_scale(radiator.facing, 3 * cos(pn_radians(degrees))),
                            pn_vec_scale(aside, 3 * sin(pn_radians(degrees))));
    return pn_radiator_gain(&radiator, to);
}

static void patterns_are_of_the_first_order(void **state) {
    (void)state;
    static const struct {
        pn_pattern pattern;
        double at_0, at_60, at_90, at_180;
    } cases[] = {
        {PN_PATTERN_OMNI, 1, 1, 1, 1},          {PN_PATTERN_SUBCARDIOID, 1, 0.85, 0.7, 0.4},
        {PN_PATTERN_CARDIOID, 1, 0.75, 0.5, 0}, {PN_PATTERN_HYPERCARDIOID, 1, 0.625, 0.25, -0.5},
        {PN_PATTERN_FIGURE8, 1, 0.5, 0, -1},    {PN_PATTERN_CONE, 1, 0.55, 0.1, 0.1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        near(gain_at(cases[i].pattern, 0), cases[i].at_0);
        near(gain_at(cases[i].pattern, 60), cases[i].at_60);
        near(gain_at(cases[i].pattern, -60), cases[i].at_60);
        near(gain_at(cases[i].pattern, 90), cases[i].at_90);
        near(gain_at(cases[i].pattern, 180), cases[i].at_180);
    }
    near(gain_at(PN_PATTERN_CONE, 30), 1);
    near(gain_at(PN_PATTERN_CONE, 45), 0.775);
    /* What defines the two: the greatest ratio of front to back power, and the least power in all directions. */
    double a = (gain_at(PN_PATTERN_SUPERCARDIOID, 0) + gain_at(PN_PATTERN_SUPERCARDIOID, 180)) / 2;
    near(a, (sqrt(3) - 1) / 2);
    a = (gain_at(PN_PATTERN_HYPERCARDIOID, 0) + gain_at(PN_PATTERN_HYPERCARDIOID, 180)) / 2;
    near(a, 0.25);
}

/* Past the listener at 1 mm a step, and through it: no step, no NaN. */
static void turning_the_back_is_no_step(void **state) {
    (void)state;
    for (int pattern = 0; pattern <= PN_PATTERN_CONE; ++pattern) {
        pn_radiator radiator = {(pn_pattern)pattern, {1, 0, 0}, pn_radians(20), pn_radians(160), 0};
        double last = pn_radiator_gain(&radiator, (pn_vec3){-1, 0, 0});
        for (int n = -1000; n <= 1000; ++n) {
            double gain = pn_radiator_gain(&radiator, (pn_vec3){n * 1e-3, 0, 0});
            assert_true(fabs(gain - last) <= 0.06);
            last = gain;
        }
    }
    pn_radiator step = {PN_PATTERN_CONE, {1, 0, 0}, 1, 1, 0.5};
    near(pn_radiator_gain(&step, (pn_vec3){cos(1.001), sin(1.001), 0}), 0.5);
    near(pn_radiator_gain(&step, (pn_vec3){cos(0.999), sin(0.999), 0}), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_one_over_r),     cmocka_unit_test(models_are_openals),
        cmocka_unit_test(every_law_falls_smoothly),    cmocka_unit_test(patterns_are_of_the_first_order),
        cmocka_unit_test(turning_the_back_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
