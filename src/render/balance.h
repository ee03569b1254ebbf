// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_BALANCE_H
#define PN_RENDER_BALANCE_H

#include "device/backend.h"
#include "spatial/hrtf.h"

/* How strong noise is through the filters of the spatial bank, in both ears together, and how copies of a source that
 * come from elsewhere are to be amplified so that they are as strong as the source: for white noise and for pink at
 * once. Ears colour every direction in another way, so that one factor cannot do both; two can, one for the lows and one
 * for the highs, parted at PN_BALANCE_HZ by a low-pass L of the first order (bilinear) and its rest 1 - L, whose powers add
 * up exactly: |L|^2 + |1 - L|^2 = 1.
 *
 * A response's powers are measured once; the nodes that a filter blends are alike, so that their amplitudes add. Tints
 * (distance, near field, air) are left out: source and copies share them. Copies of noise are taken to be unlike, so
 * that their powers add (spread.h). Immutable once made: any thread may ask. */
typedef struct pn_balance pn_balance;

#define PN_BALANCE_HZ 2000.0

/* Of noise through filters: [white, pink from 20 Hz][lows, highs]. Powers add. */
typedef struct {
    double of[2][2];
} pn_balance_power;

typedef struct {
    double gain; /* amplitude, of all */
    double lows; /* amplitude, of the lows besides: 0.5 .. 2 */
} pn_balance_gains;

/* Costs a transform for each node, 0.1 s for the built-in set. The set is not kept. */
pinna_status pn_balance_create(const pn_hrtf *hrtf, pn_balance **balance, pinna_error *err);
void pn_balance_free(pn_balance *balance); /* accepts NULL */

/* Adds to power. */
PN_BLOCK_PATH void pn_balance_add(const pn_balance *balance, const pn_filter *filter,
                                  pn_balance_power *power);
/* What makes `copies` as strong as `point`; gain 0 when there are none. */
PN_BLOCK_PATH pn_balance_gains pn_balance_solve(const pn_balance_power *point,
                                                const pn_balance_power *copies);

#endif
