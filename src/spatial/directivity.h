// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_DIRECTIVITY_H
#define PN_SPATIAL_DIRECTIVITY_H

#include "base/realtime.h"
#include "base/vec.h"

/* How loud a source is in the direction of the listener, at all frequencies alike.
 *
 *   first order  a + (1 - a) cos of the angle between facing and listener; a: omni 1, subcardioid 0.7, cardioid 0.5,
 *                supercardioid (sqrt 3 - 1) / 2 = 0.366, hypercardioid 0.25, figure8 0. The rear lobe of the last three
 *                is negative, as that of a pressure gradient is: the polarity is inverted there.
 *   cone         1 within the inner cone, outer_gain outside of the outer one, linear in the angle between them, as in
 *                OpenAL
 *
 * Within PN_NEAREST_METRES of the listener the cosine shrinks with the distance, to that of 90 degrees at 0: a source
 * that passes through the head turns its back without a step. */
typedef enum {
    PN_PATTERN_OMNI,
    PN_PATTERN_SUBCARDIOID,
    PN_PATTERN_CARDIOID,
    PN_PATTERN_SUPERCARDIOID,
    PN_PATTERN_HYPERCARDIOID,
    PN_PATTERN_FIGURE8,
    PN_PATTERN_CONE
} pn_pattern;

typedef struct {
    pn_pattern pattern;
    pn_vec3 facing;      /* unit vector, in the axes of to_listener */
    double inner, outer; /* cone: radians off the axis, half of the opening; inner <= outer */
    double outer_gain;   /* cone: linear */
} pn_radiator;

/* to_listener: metres, from the source to the listener. */
PN_BLOCK_PATH double pn_radiator_gain(const pn_radiator *radiator, pn_vec3 to_listener);

#endif
