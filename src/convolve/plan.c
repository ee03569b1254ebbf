// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/plan.h"

#include <stdio.h>
#include <string.h>

enum {
    LARGEST = 524288,
    LARGEST_OPENCL = 8192, /* what fits into a work-group's registers and local memory */
    LIVE_PARTITIONS = 32,
    OFFLINE_PARTITIONS = 8,
    OFFLINE_SMALLEST = 1024
};

/* The smallest power of two of at least longest / partitions, within low .. high. */
static int block_for(size_t longest, int partitions, int low, int high) {
    int block = low;
    while (block < high && (size_t)block * (size_t)partitions < longest)
        block *= 2;
    return block;
}

static int log2_of(int value) {
    int log = 0;
    while ((1 << log) < value)
        ++log;
    return log;
}

static void fill_levels(pn_plan *plan, size_t longest) {
    for (int l = 0; l < plan->levels; ++l) {
        pn_plan_level *level = &plan->level[l];
        level->first = l == 0 ? 0 : 2 * (size_t)level->block;
        size_t end = l + 1 < plan->levels ? 2 * (size_t)plan->level[l + 1].block : longest;
        level->partitions = (int)((end - level->first + (size_t)level->block - 1) / (size_t)level->block);
    }
}

static void plan_offline(pn_plan *plan, int block, size_t longest, int largest) {
    plan->levels = 1;
    plan->block = block > 0 ? block : block_for(longest, OFFLINE_PARTITIONS, OFFLINE_SMALLEST, largest);
    plan->level[0].block = plan->block;
}

static void plan_live(pn_plan *plan, int block, size_t longest, int largest) {
    plan->block = block;
    plan->level[0].block = block;
    plan->levels = 1;
    int top = block_for(longest, LIVE_PARTITIONS, block, largest > block ? largest : block);
    int octaves = log2_of(top / block);
    if (octaves < 2)
        return;
    int steps = (octaves + 1) / 3 > 1 ? (octaves + 1) / 3 : 1;
    for (int s = 0; s < steps; ++s) {
        /* the larger factors first: the small levels are cheap */
        int factor = octaves / steps + (s < octaves % steps ? 1 : 0);
        plan->level[s + 1].block = plan->level[s].block << factor;
    }
    plan->levels = steps + 1;
}

pinna_status pn_plan_make(pn_plan_mode mode, int block, size_t longest, pn_backend_kind kind, pn_plan *plan,
                          pinna_error *err) {
    memset(plan, 0, sizeof *plan);
    if (mode == PN_PLAN_LIVE && (block < 32 || block > 8192 || (block & (block - 1)) != 0))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "block: %d, expected a power of two, 32..8192", block);
    if (longest == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response: no taps, expected 1 or more");
    int largest = kind == PN_BACKEND_OPENCL ? LARGEST_OPENCL : LARGEST;
    if (mode == PN_PLAN_OFFLINE)
        plan_offline(plan, block, longest, largest);
    else
        plan_live(plan, block, longest, largest);
    fill_levels(plan, longest);
    return PINNA_OK;
}

const char *pn_plan_describe(const pn_plan *plan, char *text, size_t size) {
    size_t used = 0;
    if (size > 0)
        text[0] = '\0';
    for (int l = 0; l < plan->levels && used < size; ++l) {
        int wrote = snprintf(text + used, size - used, "%s%d x %d", l == 0 ? "" : ", ", plan->level[l].block,
                             plan->level[l].partitions);
        used += wrote > 0 ? (size_t)wrote : size;
    }
    return text;
}
