// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_DISTANCE_H
#define PN_SPATIAL_DISTANCE_H

#include "base/realtime.h"

/* How loud a source is by its distance r: the models of OpenAL 1.1 (specification, section 3.4).
 *
 *   inverse      reference / (reference + rolloff (d - reference))
 *   linear       1 - rolloff (d - reference) / (max - reference), not below 0
 *   exponential  (d / reference) ^ -rolloff
 *   none         1
 *
 * d is r held within PN_NEAREST_METRES .. max: nothing gets louder within the one, or softer beyond the other. Nearer
 * than the reference OpenAL has two variants, the formula or a gain of 1; this is the formula, but never more than
 * reference / d, so that no rolloff leads to a pole. The defaults, inverse with a reference of 1 m and a rolloff of 1,
 * are 1 / max(r, 0.2). */
#define PN_NEAREST_METRES 0.2

typedef enum {
    PN_DISTANCE_INVERSE,
    PN_DISTANCE_LINEAR,
    PN_DISTANCE_EXPONENTIAL,
    PN_DISTANCE_NONE
} pn_distance_model;

typedef struct {
    pn_distance_model model;
    double reference; /* metres, > 0 */
    double max;       /* metres, >= reference and PN_NEAREST_METRES; linear: > reference */
    double rolloff;   /* >= 0 */
} pn_distance_law;

/* Linear gain; finite for every r, also for NaN. */
PN_BLOCK_PATH double pn_distance_gain(const pn_distance_law *law, double r);

#endif
