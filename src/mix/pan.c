// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "mix/pan.h"

#include <math.h>

#include "base/vec.h"

double pn_db_to_gain(double db) {
    return pow(10, db / 20);
}

double pn_gain_to_db(double gain) {
    return gain > 0 ? 20 * log10(gain) : -INFINITY;
}

void pn_pan_mono(double azimuth_rad, double gain[2]) {
    double lateral = asin(sin(azimuth_rad)); /* folds what is behind to the front, -90 .. 90 degrees */
    double angle = 0.5 * (lateral + 0.5 * PN_PI);
    gain[0] = sin(angle);
    gain[1] = sin(0.5 * PN_PI - angle);
}

void pn_pan_stereo(double azimuth_rad, double gain[2]) {
    pn_pan_mono(azimuth_rad, gain);
    for (int ear = 0; ear < 2; ++ear)
        gain[ear] = fmin(1, gain[ear] * sqrt(2.0));
}
