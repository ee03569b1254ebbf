// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_DELAY_H
#define PN_DEVICE_CPU_DELAY_H

#include "device/cpu_blend.h"

/* The delay lines of the CPU's spatial bank: what the sources play goes in, what is heard of them, by their
 * pn_propagation, comes out. */
typedef struct pn_delays pn_delays;

/* width: for the arithmetic. */
pinna_status pn_delays_create(const pn_bank_desc *desc, const pn_blend_width *width, pn_delays **delays,
                              pinna_error *err);
void pn_delays_free(pn_delays *delays); /* accepts NULL */

/* On to the next quantum, of all sources. */
PN_BLOCK_PATH void pn_delays_advance(pn_delays *delays);
/* A quantum of one source: takes job->in, and gives what is heard by job->propagation into out. False, and nothing in
 * out, where that is all silence. Once per source and quantum; sources may be worked on by different threads. */
PN_BLOCK_PATH bool pn_delays_pass(pn_delays *delays, int source, const pn_bank_source *job, float *out);

#endif
