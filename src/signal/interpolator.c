// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/interpolator.h"

#include <math.h>

#include "base/vec.h"

static const double kaiser_beta = 9;

/* Modified Bessel function of order 0, by its power series. */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-18 * sum; ++k) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

static double kernel(double x) {
    const double reach = PN_INTERPOLATOR_REACH;
    if (x == floor(x))
        return x == 0 ? 1 : 0;
    double window = bessel_i0(kaiser_beta * sqrt(1 - x * x / (reach * reach))) / bessel_i0(kaiser_beta);
    return sin(PN_PI * x) / (PN_PI * x) * window;
}

void pn_interpolator_make(double row[PN_INTERPOLATOR_ROWS][PN_INTERPOLATOR_TAPS]) {
    for (int j = 0; j < PN_INTERPOLATOR_ROWS; ++j) {
        double sum = 0;
        for (int k = 0; k < PN_INTERPOLATOR_TAPS; ++k) {
            double x = k - (PN_INTERPOLATOR_REACH - 1) - (double)j / PN_INTERPOLATOR_PHASES;
            row[j][k] = kernel(x);
            sum += row[j][k];
        }
        for (int k = 0; k < PN_INTERPOLATOR_TAPS; ++k)
            row[j][k] /= sum;
    }
}
