// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_DELAY_H
#define PN_DEVICE_CPU_DELAY_H

#include "device/backend.h"

/* The delay lines of the CPU's spatial bank: what the sources play goes in, what is heard of them, by their
 * pn_propagation, comes out. Different sources may be worked on by different threads. */
typedef struct pn_delays pn_delays;

pinna_status pn_delays_create(int quantum, int sources, int longest, pn_delays **delays, pinna_error *err);
void pn_delays_free(pn_delays *delays); /* accepts NULL */

/* Takes a quantum of every source: in[s].in, NULL for silence. */
PN_BLOCK_PATH void pn_delays_take(pn_delays *delays, const pn_bank_source *in);
/* The quantum taken last, as it is heard, into out. False, and nothing in out, where that is all silence. */
PN_BLOCK_PATH bool pn_delays_read(const pn_delays *delays, int source, const pn_propagation *propagation,
                                  float *out);

#endif
