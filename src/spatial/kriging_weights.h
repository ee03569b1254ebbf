// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_KRIGING_WEIGHTS_H
#define PN_SPATIAL_KRIGING_WEIGHTS_H

#include "base/vec.h"

/* Inside of kriging.c: neighbours and weights. */

enum { PN_NEIGHBOURS = 24, PN_KERNELS = 4 };

typedef struct {
    double y, z;
} pn_stretch;

typedef struct {
    int count; /* min(PN_NEIGHBOURS, points there are) */
    int index[PN_NEIGHBOURS];
    double square[PN_NEIGHBOURS]; /* of the distance, ascending */
} pn_nearest;

/* The `most` nearest of the points to q, in stretched coordinates; `but` (-1: none) is left out. */
void pn_find_nearest(const pn_vec3 *point, int points, pn_vec3 q, pn_stretch stretch, int but, int most,
                     pn_nearest *nearest);

/* Ordinary kriging: weights of the neighbours (found with the same stretch), of sum 1, for each of the first
 * `kernels` covariances of PN_KERNELS. */
void pn_kriging_weights(const pn_vec3 *point, const pn_nearest *nearest, pn_stretch stretch, int kernels,
                        float weight[][PN_NEIGHBOURS]);

#endif
