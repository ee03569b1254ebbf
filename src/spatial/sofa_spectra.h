// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SOFA_SPECTRA_H
#define PN_SPATIAL_SOFA_SPECTRA_H

#include <stdbool.h>

#include "spatial/measured.h"

/* Responses from transfer functions at given frequencies, as a SOFA file of spectra holds them. */

typedef struct {
    int taps; /* of the responses */
    double rate;
    bool even; /* the frequencies are multiples first .. first + bins - 1 of rate / taps */
    int first;
} pn_sofa_grid;

/* What responses the frequencies (Hz, rising) make: for an even grid as many samples as it stands for, at the rate that
 * its upper end belongs to; for an uneven one a power of two, at the lowest usual rate that holds it. PINNA_BAD_FILE for
 * frequencies that are none. */
pinna_status pn_sofa_plan_grid(const double *frequency, int bins, const char *label, pn_sofa_grid *grid,
                               pinna_error *err);

/* Fills set->ir and set->delay, of a set created with grid->taps and with its directions known, from spectra
 * re, im [direction][ear][bins]. Given frequencies are met exactly where the grid is even; what it lacks (0 Hz, half the
 * rate) is continued, and on an uneven one everything between is interpolated: logarithm of the magnitude, and phase
 * without the delay. Which sign of the phase means later is found, not assumed. What was done is told to messages. */
pinna_status pn_sofa_fill_responses(const pn_sofa_grid *grid, const double *frequency, int bins,
                                    const float *re, const float *im, const char *label, pn_measured *set,
                                    pn_messages *messages, pinna_error *err);

#endif
