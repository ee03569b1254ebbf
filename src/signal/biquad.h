// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_BIQUAD_H
#define PN_SIGNAL_BIQUAD_H

#include "base/realtime.h"
#include "signal/fft.h"

/* Second-order recursive filters, in double precision throughout (poles near 1 at low frequencies).
 * y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2] */
typedef struct {
    double b0, b1, b2, a1, a2;
} pn_biquad;

/* Memory of one filter on one signal; zeroed is silence before. */
typedef struct {
    double s1, s2;
} pn_biquad_state;

/* Shelf of `gain_db` below `frequency` (the half-way point), quality q (0.5 .. 1 without a bump); R. Bristow-Johnson,
 * "Cookbook formulae for audio EQ biquad filter coefficients". Minimum phase. */
pn_biquad pn_biquad_low_shelf(double rate, double frequency, double gain_db, double q);

/* H at a frequency, Hz. */
pn_complex pn_biquad_response(const pn_biquad *biquad, double rate, double frequency);

/* In place. Transposed direct form II. */
PN_BLOCK_PATH void pn_biquad_run(const pn_biquad *biquad, pn_biquad_state *state, float *samples, int count);

#endif
