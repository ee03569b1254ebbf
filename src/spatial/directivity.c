// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/directivity.h"

#include "spatial/distance.h"

static double cone(const pn_radiator *radiator, double cosine) {
    double angle = acos(fmax(fmin(cosine, 1), -1));
    if (angle <= radiator->inner)
        return 1;
    if (angle >= radiator->outer)
        return radiator->outer_gain;
    double part = (angle - radiator->inner) / (radiator->outer - radiator->inner);
    return 1 + part * (radiator->outer_gain - 1);
}

double pn_radiator_gain(const pn_radiator *radiator, pn_vec3 to_listener) {
    static const double constant[] = {
        [PN_PATTERN_OMNI] = 1,
        [PN_PATTERN_SUBCARDIOID] = 0.7,
        [PN_PATTERN_CARDIOID] = 0.5,
        [PN_PATTERN_SUPERCARDIOID] = 0.36602540378443865,
        [PN_PATTERN_HYPERCARDIOID] = 0.25,
        [PN_PATTERN_FIGURE8] = 0,
    };
    if (radiator->pattern == PN_PATTERN_OMNI)
        return 1;
    double length = fmax(pn_vec_length(to_listener), PN_NEAREST_METRES);
    double cosine = pn_vec_dot(radiator->facing, to_listener) / length;
    if (radiator->pattern == PN_PATTERN_CONE)
        return cone(radiator, cosine);
    double a = constant[radiator->pattern];
    return a + (1 - a) * cosine;
}
