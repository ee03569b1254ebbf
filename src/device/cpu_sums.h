// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_SUMS_H
#define PN_DEVICE_CPU_SUMS_H

#include <stddef.h>

#include "base/realtime.h"

/* The sums of products of a partition level, Y[o] = sum over entries (i, o) and partitions p of H[p] X[i][job - p]:
 * what cpu_level.c plans and cpu_sums_width.h computes, once for every width.
 *
 * A tile is one vector of bins, [V re][V im], 2 V floats. Spectra that are kept are tile-major, [tile][p][2 V], and all
 * of a component's of one kind stand side by side in a tile, so that a sum reads memory in one stream. The newest spectra
 * and the results stand in `work`, in the order of bins; a call's tiles are in one piece there, from `at` floats on. */

enum { PN_SUMS_FUTURE = 4 }; /* blocks that one sweep serves */

typedef struct {
    float *work; /* the newest spectrum */
    float *ring; /* `slots` of [2 V] in each tile */
    int slots;
    float *recent[PN_SUMS_FUTURE - 1]; /* those since the last sweep; not of `each` */
} pn_sums_input;

typedef struct {
    float *filter;                   /* `partitions` of [2 V] in each tile */
    float *head[PN_SUMS_FUTURE - 1]; /* partitions 0..2 once more, or zeros; not of `each` */
    int partitions;
    int input;
    int source; /* its number in the level's description */
} pn_sums_entry;

typedef struct {
    float *work;                      /* the result; the last output's may be an input's */
    float *later[PN_SUMS_FUTURE - 1]; /* what a sweep knows of the next results */
    int first, end;                   /* its entries */
} pn_sums_output;

typedef struct {
    const pn_sums_input *input;
    const pn_sums_output *output;
    const pn_sums_entry *entry;
    int inputs, outputs;
    /* Floats from one tile to the next. */
    size_t ring_step, filter_step, recent_step, head_step, later_step;
} pn_sums;

/* A width's kernels. All take tiles tile .. tile + count - 1 and put the newest spectra into the rings. */
typedef struct {
    int lanes;
    /* One result per read. Rings have partitions - 1 slots; from job to job the newest goes one slot down. */
    void (*each)(const pn_sums *sums, size_t tile, size_t at, size_t count, size_t job);
    /* This result, and what the next three have of the spectra known so far. Rings have partitions - 1 slots, rounded
     * down to groups of 4, newest first; from sweep to sweep the newest go one group down, so that they are read
     * upwards in memory, which prefetchers like better. */
    void (*sweep)(const pn_sums *sums, size_t tile, size_t at, size_t count, size_t number);
    /* The result `since` = 1, 2 or 3 jobs after a sweep. */
    void (*follow)(const pn_sums *sums, size_t tile, size_t at, size_t count, int since);
} pn_sums_width;

/* For spectra of so many lanes: 1, 4, 8 or 16, as pn_rafft_lanes has them here. */
const pn_sums_width *pn_sums_width_of(int lanes);

/* The widths; NULL where this build has none. */
extern const pn_sums_width *const pn_sums_plain;
extern const pn_sums_width *const pn_sums_v4;
extern const pn_sums_width *const pn_sums_v8;
extern const pn_sums_width *const pn_sums_v16;

#endif
