// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_DELAYS_H
#define PN_SPATIAL_DELAYS_H

#include "spatial/measured.h"

/* The delay of every response: tau[direction * 2 + ear], samples from time 0 of the set (set->delay included), smooth
 * over the sphere. What is left of a response after taking tau out is nearly minimum phase, and stays in the
 * response. */
pinna_status pn_delays_estimate(const pn_measured *set, double *tau, pinna_error *err);

enum { PN_HARMONICS_MOST = 8 };

/* Real orthonormal spherical harmonics up to `order` (0 .. PN_HARMONICS_MOST) at a unit vector: (order + 1)^2 values,
 * l ascending, m from -l to l. */
void pn_harmonics(int order, pn_vec3 direction, double *value);

/* Fits values over directions by spherical harmonics up to `order`, with outliers weighted down beyond 1.5 times the
 * median error plus `tolerance`; fitted gets the smooth values. value and fitted are `stride` apart. */
pinna_status pn_delays_fit(const pn_vec3 *direction, int count, int order, double tolerance,
                           const double *value, double *fitted, int stride, pinna_error *err);

#endif
