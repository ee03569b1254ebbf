// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_DELAYS_H
#define PN_SPATIAL_DELAYS_H

#include "base/threads.h"
#include "spatial/measured.h"

enum { PN_HARMONICS_MOST = 8, PN_HARMONICS = (PN_HARMONICS_MOST + 1) * (PN_HARMONICS_MOST + 1) };

/* Delays as a smooth function over the sphere. */
typedef struct {
    int order;                           /* of the spherical harmonics; -1: too few directions for one */
    double coefficient[2][PN_HARMONICS]; /* [ear]; samples */
} pn_delay_model;

double pn_delay_model_at(const pn_delay_model *model, pn_vec3 direction, int ear);

/* The delay of every response: tau[direction * 2 + ear], samples from time 0 of the set (set->delay included), smooth
 * over the sphere. What is left of a response after taking tau out is nearly minimum phase, and stays in the
 * response. model gets the same for every direction. pool may be NULL. */
pinna_status pn_delays_estimate(const pn_measured *set, pn_pool *pool, double *tau, pn_delay_model *model,
                                pinna_error *err);

/* Real orthonormal spherical harmonics up to `order` (0 .. PN_HARMONICS_MOST) at a unit vector: (order + 1)^2 values,
 * l ascending, m from -l to l. */
void pn_harmonics(int order, pn_vec3 direction, double *value);

/* Fits values over directions by spherical harmonics up to `order`, with outliers weighted down beyond 1.5 times the
 * median error plus `tolerance`; fitted gets the smooth values. value and fitted are `stride` apart. coefficient (may be NULL):
 * those of the harmonics. */
pinna_status pn_delays_fit(const pn_vec3 *direction, int count, int order, double tolerance,
                           const double *value, double *fitted, int stride, double *coefficient,
                           pinna_error *err);

#endif
