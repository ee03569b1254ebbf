// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>

#include "spatial/itd.h"

/* Measured ITDs, of pulses whose delay is known. */

enum { TAPS = 400 };

static void fill(float *ir, double rate, double seconds, double gain) {
    for (int n = 0; n < TAPS; ++n) {
        double t = (n / rate - seconds) / 150e-6; /* nothing to speak of above 3 kHz */
        ir[n] = (float)(gain * exp(-t * t));
    }
}

static void test_delayed_pulses(void **state) {
    (void)state;
    static const double rates[] = {8000, 44100, 96000}, delays[] = {0, 1.3e-6, 333e-6, -712.7e-6, 1.1e-3};
    static float left[TAPS], right[TAPS];
    for (int r = 0; r < 3; ++r) {
        pn_itd *itd = NULL;
        pinna_error err = {0};
        assert_ok(pn_itd_create(TAPS, rates[r], &itd, &err), &err);
        for (int d = 0; d < 5; ++d) {
            fill(left, rates[r], 2e-3, 1);
            fill(right, rates[r], 2e-3 + delays[d], 0.3);
            assert_below(fabs(pn_itd_measure(itd, left, right, 0) - delays[d]), 0.1e-6);
            fill(right, rates[r], 2e-3, 0.3); /* the delay kept apart */
            assert_below(fabs(pn_itd_measure(itd, left, right, delays[d] * rates[r]) - delays[d]), 0.1e-6);
        }
        pn_itd_free(itd);
    }
}

/* What is above the low-pass does not count: a tone of 6 kHz that lags otherwise, ten times as strong. */
static void test_only_low_frequencies_count(void **state) {
    (void)state;
    static float left[TAPS], right[TAPS];
    pn_itd *itd = NULL;
    pinna_error err = {0};
    assert_ok(pn_itd_create(TAPS, 48000, &itd, &err), &err);
    fill(left, 48000, 2e-3, 1);
    fill(right, 48000, 2.4e-3, 1);
    for (int n = 0; n < TAPS; ++n) {
        double window = 0.5 - 0.5 * cos(2 * 3.14159265358979 * n / TAPS);
        left[n] += (float)(10 * window * sin(2 * 3.14159265358979 * n / 8));
        right[n] += (float)(10 * window * sin(2 * 3.14159265358979 * (n + 3) / 8));
    }
    assert_below(fabs(pn_itd_measure(itd, left, right, 0) - 400e-6), 2e-6);
    for (int n = 0; n < TAPS; ++n)
        right[n] = 0;
    assert_true(pn_itd_measure(itd, left, right, 0) == 0);
    pn_itd_free(itd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delayed_pulses),
        cmocka_unit_test(test_only_low_frequencies_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
