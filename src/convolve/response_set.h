// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_RESPONSE_SET_H
#define PN_CONVOLVE_RESPONSE_SET_H

#include "base/status.h"

/* Copies of a matrix's responses, from which single ones are exchanged. Taps that an edit leaves alone are shared by
 * the set before and after it. Not block path. */
typedef struct pn_response_set pn_response_set;

/* The responses of `base` (NULL: none), in which those of irs replace the ones of the same pair of input and output,
 * join, or, with taps NULL and length 0, remove. At most one for a pair. PINNA_BAD_ARGUMENT where nothing is there to
 * be removed. base stays as it is. */
pinna_status pn_response_set_create(const pn_response_set *base, const pinna_ir *irs, size_t count,
                                    pn_response_set **set, pinna_error *err);
void pn_response_set_free(pn_response_set *set); /* accepts NULL */

/* Sorted by input, then output; valid until the set is freed. */
const pinna_ir *pn_response_set_irs(const pn_response_set *set, size_t *count);
double pn_response_set_bytes(const pn_response_set *set); /* NULL: 0 */

#endif
