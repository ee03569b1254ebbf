// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_MINIMUM_PHASE_H
#define PN_SIGNAL_MINIMUM_PHASE_H

#include "signal/fft.h"

/* The minimum-phase response of a magnitude, by the folded cepstrum (A. V. Oppenheim, R. W. Schafer, "Discrete-Time
 * Signal Processing", ch. 13). magnitude[0 .. size / 2] at the bins of `fft`; what is below `floor` (> 0) counts as
 * that. out[0 .. size - 1] gets the response in its real parts. The size must be long enough for the cepstrum to fade:
 * several times the response. Not for the block path only because of its cost; it allocates nothing. */
void pn_minimum_phase(const pn_fft *fft, const double *magnitude, double floor, pn_complex *out);

#endif
