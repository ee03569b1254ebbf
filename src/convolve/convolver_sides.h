// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_CONVOLVER_SIDES_H
#define PN_CONVOLVE_CONVOLVER_SIDES_H

#include <stdbool.h>

#include "base/status.h"

/* Which engine has which output once all that was requested is done: what the control thread decides from how much an
 * edit makes anew. It knows nothing of engines but their outputs.
 *
 * The first engine was made for all; the others, the sides, each by an edit, for some outputs that then are theirs. An
 * edit that touches outputs S makes one new side for them, and so that many edits do not leave many sides, it takes in
 * every side which has less than twice as many outputs left as the new one has by then. So each side that stays has at
 * least twice as many, and there are about log2(outputs) of them; and an output that is taken in goes into a side of at
 * least one and a half times the size, so that a run of edits makes each output anew about log(outputs) times (the
 * logarithmic method of J. Bentley and J. Saxe, "Decomposable searching problems I", J. Algorithms 1, 1980; O'Neil et
 * al., "The log-structured merge-tree", Acta Informatica 33, 1996). When the sides would have more than the first, or
 * the first less than half of what it was made with, everything is made anew in one. */
typedef struct pn_sides pn_sides;

enum { PN_SIDES = 32 }; /* most engines; one more: all is made anew */

pinna_status pn_sides_create(int outputs, pn_sides **sides, pinna_error *err);
void pn_sides_free(pn_sides *sides); /* accepts NULL */

/* chosen[output]: in: touched; out: to be made anew, the touched ones among them. True: all is to be, in one. */
bool pn_sides_choose(const pn_sides *sides, bool *chosen);

/* It was requested: the chosen outputs (NULL: all) are a new side's, or, when all, the first's. has[output]: there are
 * responses; an output without is nobody's. bytes: of the new engine. */
void pn_sides_commit(pn_sides *sides, const bool *chosen, const bool *has, double bytes);

int pn_sides_count(const pn_sides *sides);    /* engines that have outputs */
double pn_sides_bytes(const pn_sides *sides); /* of those engines */

#endif
