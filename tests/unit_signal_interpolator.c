// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>

#include "base/vec.h"
#include "signal/interpolator.h"

enum { TAPS = PN_INTERPOLATOR_TAPS, ROWS = PN_INTERPOLATOR_ROWS, PHASES = PN_INTERPOLATOR_PHASES };

static double row[ROWS][TAPS];

static void rows_have_the_sum_one(void **state) {
    (void)state;
    pn_interpolator_make(row);
    for (int j = 0; j < ROWS; ++j) {
        double sum = 0;
        for (int k = 0; k < TAPS; ++k)
            sum += row[j][k];
        assert_true(fabs(sum - 1) < 1e-14);
    }
}

static void whole_positions_are_copies(void **state) {
    (void)state;
    pn_interpolator_make(row);
    for (int k = 0; k < TAPS; ++k) {
        assert_true(row[0][k] == (k == PN_INTERPOLATOR_REACH - 1));
        assert_true(row[PHASES][k] == (k == PN_INTERPOLATOR_REACH));
    }
}

static void fractions_mirror_each_other(void **state) {
    (void)state;
    pn_interpolator_make(row);
    for (int j = 0; j < ROWS; ++j)
        for (int k = 0; k < TAPS; ++k)
            assert_true(fabs(row[j][k] - row[PHASES - j][TAPS - 1 - k]) < 1e-14);
}

/* Tones at any fraction, as the header promises: the error of the worst one. */
static double tone_error_db(double hertz) {
    double omega = 2 * PN_PI * hertz / 48000, worst = 0;
    for (int n = 0; n < 5000; ++n) {
        double f = fmod(n * 0.6180339887, 1), phase = f * PHASES, j = floor(phase), re = 0, im = 0;
        for (int k = 0; k < TAPS; ++k) {
            double tap = row[(int)j][k] + (phase - j) * (row[(int)j + 1][k] - row[(int)j][k]);
            re += tap * cos(omega * (k - (TAPS / 2 - 1) - f));
            im += tap * sin(omega * (k - (TAPS / 2 - 1) - f));
        }
        worst = fmax(worst, hypot(re - 1, im));
    }
    return 20 * log10(worst);
}

static void tones_keep_their_value(void **state) {
    (void)state;
    pn_interpolator_make(row);
    assert_below(tone_error_db(1000), -90);
    assert_below(tone_error_db(4000), -88);
    assert_below(tone_error_db(10000), -88);
    assert_below(tone_error_db(15000), -82);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_the_sum_one),
        cmocka_unit_test(whole_positions_are_copies),
        cmocka_unit_test(fractions_mirror_each_other),
        cmocka_unit_test(tones_keep_their_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
