// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/distance.h"

#include <math.h>

/* INFINITY from the pole of `inverse` on. */
static double by_formula(const pn_distance_law *law, double d) {
    double reference = law->reference, rolloff = law->rolloff;
    if (law->model == PN_DISTANCE_LINEAR)
        return fmax(1 - rolloff * (d - reference) / (law->max - reference), 0);
    if (law->model == PN_DISTANCE_EXPONENTIAL)
        return pow(d / reference, -rolloff);
    double below = reference + rolloff * (d - reference);
    return below > 0 ? reference / below : INFINITY;
}

double pn_distance_gain(const pn_distance_law *law, double r) {
    if (law->model == PN_DISTANCE_NONE)
        return 1;
    double d = fmax(fmin(r, law->max), PN_NEAREST_METRES);
    double gain = by_formula(law, d);
    return d < law->reference ? fmin(gain, law->reference / d) : gain;
}
