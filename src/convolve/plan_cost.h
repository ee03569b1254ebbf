// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_PLAN_COST_H
#define PN_CONVOLVE_PLAN_COST_H

#include "convolve/plan.h"

/* What plans cost: the shape of a matrix, counted once, and the price of a set of blocks for it. For plan.c. */

enum { PN_PLAN_SMALLEST = 32, PN_PLAN_LARGEST = 524288, PN_PLAN_SIZES = 15, PN_PLAN_BOUNDS = 32 };

/* Bucket k counts the responses (or inputs, outputs, by their longest response) of 2^(k-1) < length <= 2^k taps. */
typedef struct {
    int inputs, outputs; /* that any response uses */
    size_t longest;
    double entries[PN_PLAN_BOUNDS], inputs_of[PN_PLAN_BOUNDS], outputs_of[PN_PLAN_BOUNDS];
    /* [size][bucket]: partitions of 32 << size frames, summed over the responses (over the inputs) in the bucket */
    double partitions[PN_PLAN_SIZES][PN_PLAN_BOUNDS], slots[PN_PLAN_SIZES][PN_PLAN_BOUNDS];
} pn_plan_shape;

/* desc: checked. Only memory can be missing. */
pinna_status pn_plan_count(const pn_plan_desc *desc, pn_plan_shape *shape, pinna_error *err);

/* From the levels' blocks: their first taps and partitions, and everything predicted but uniform_us. */
void pn_plan_cost(const pn_plan_shape *shape, const pn_plan_desc *desc, pn_plan *plan);

#endif
