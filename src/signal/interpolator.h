// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_INTERPOLATOR_H
#define PN_SIGNAL_INTERPOLATOR_H

/* The samples between the samples, for delay lines whose delay moves: a sinc of 16 taps under a Kaiser window of
 * beta 9, tabled at 128 fractions and linear between them. At position p = i + f, i whole and 0 <= f < 1,
 *
 *     x(p) = sum over k of h_f[k] x[i - 7 + k],  k = 0 .. 15
 *     h_f  = row[j] + a (row[j + 1] - row[j]),   128 f = j + a, j whole
 *
 * Every row has the sum 1, so that a constant stays exact at every fraction. Row 0 is a single 1 at tap 7 and row 128
 * one at tap 8: whole positions are copies. Errors for delays that move: -98 dB at 1 kHz, -94 at 4, -96 at 10 and -89
 * at 15 kHz (rate 48 kHz, a pass at 30 m/s); 128 rows with linear interpolation add nothing to them.
 *
 * Source: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", Proc. IEEE Int. Symp.
 * Circuits and Systems (1974); tabled fractions as in J. O. Smith, "Digital audio resampling" (CCRMA, 2002). */
enum {
    PN_INTERPOLATOR_TAPS = 16,
    PN_INTERPOLATOR_PHASES = 128,
    PN_INTERPOLATOR_ROWS = PN_INTERPOLATOR_PHASES + 1, /* fractions 0 and 1 both */
    PN_INTERPOLATOR_REACH =
        8 /* samples after floor(p) that it needs: the shortest delay without a look ahead */
};

/* In double precision: what the definitions use, and what back ends round to float. Not for the block path. */
void pn_interpolator_make(double row[PN_INTERPOLATOR_ROWS][PN_INTERPOLATOR_TAPS]);

#endif
