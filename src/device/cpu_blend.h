// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_BLEND_H
#define PN_DEVICE_CPU_BLEND_H

#include <stddef.h>

#include "device/backend.h"
#include "signal/rafft.h"

/* The inner loops of the spatial bank, in vectors: a filter from nodes, delay and tints, used on a source's spectrum in
 * the same pass. Spectra as pn_rafft has them, one ear at a time. cpu_blend_width.h has the method. */

/* One ear's filter, ready to be made. */
typedef struct {
    int nodes; /* 3 or 6: further ones have weight 0, and any place */
    int tints; /* 0, 2 or 4: likewise */
    const float *node[PN_FILTER_NODES], *tint[PN_FILTER_TINTS];
    float weight[PN_FILTER_NODES], tint_weight[PN_FILTER_TINTS];
    pn_rafft_ramp ramp;
} pn_blend;

/* A quantum of a delay line: frame n of out is the signal at ring[start + 7 + n - delay(n)], with `length` added to
 * places before the ring; delay(n) = c[0] + c[1] u + .., u = n / quantum, held to low .. high. Behind the ring its
 * first quantum + 16 samples are there again, and start < length - quantum. */
typedef struct {
    const float *row; /* the interpolator's, [PN_INTERPOLATOR_ROWS][PN_INTERPOLATOR_TAPS] */
    const float *ring;
    int length, start, quantum;
    float c[4], low, high;
} pn_delay_read;

/* A width's kernels. vectors: of a spectrum, a power of two, 8 or more. */
typedef struct {
    int lanes;
    /* filter = blend */
    void (*make)(const pn_blend *blend, size_t vectors, float *filter);
    /* old += filter x, filter = blend, new += filter x */
    void (*move)(const pn_blend *blend, size_t vectors, const float *x, float *filter, float *old,
                 float *new);
    /* sum += (b - (a + c) / 2) x */
    void (*bend)(size_t vectors, const float *x, const float *a, const float *b, const float *c, float *sum);
    void (*delay)(const pn_delay_read *read, float *out);
} pn_blend_width;

/* For spectra of so many lanes: 1, 4, 8 or 16, as pn_rafft_lanes has them here. */
const pn_blend_width *pn_blend_width_of(int lanes);

/* The widths; NULL where this build has none. */
extern const pn_blend_width *const pn_blend_plain;
extern const pn_blend_width *const pn_blend_v4;
extern const pn_blend_width *const pn_blend_v8;
extern const pn_blend_width *const pn_blend_v16;

#endif
