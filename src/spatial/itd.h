// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_ITD_H
#define PN_SPATIAL_ITD_H

#include "base/status.h"

/* The interaural time difference of a pair of responses, as it is measured: what is printed of a set, not what
 * rendering uses. Holds buffers for one length and rate; one thread at a time. */
typedef struct pn_itd pn_itd;

/* taps: of the responses; rate in Hz. */
pinna_status pn_itd_create(int taps, double rate, pn_itd **itd, pinna_error *err);
void pn_itd_free(pn_itd *itd); /* accepts NULL */

/* Seconds by which the right ear lags, -1.2 .. 1.2 ms. `lag`: samples (of any fraction) that the right response is
 * later than written here, for pairs whose delays are kept apart. 0 when an ear is silent. */
double pn_itd_measure(pn_itd *itd, const float *left, const float *right, double lag);

/* Points of its transform: what one measurement costs. */
int pn_itd_size(const pn_itd *itd);

#endif
