// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_PLAN_H
#define PN_CONVOLVE_PLAN_H

#include "device/backend.h"

/* How the responses are cut into partitions: a pure function of block, responses' lengths and places, mode and kind
 * of device, so that the same scene gives the same samples in a file and live. Costs come from stored tables
 * (plan_cost.c), nothing is timed.
 *
 * Level l covers taps [first, first + block * partitions). Level 0 has the convolver's block B and starts at tap
 * 0. A level l > 0 starts at tap 2 * block: its job begins when `block` frames of input are complete and its
 * result is first needed `block` frames later, so that it has one full period to run and adds no latency. The
 * latency of every plan is 0 beyond its block.
 *
 * Live: the cheapest of all plans of up to PN_PLAN_LEVELS levels, each block 2..64 times the one before; a plan
 * whose dearest call stands out is charged for it, and a further level must earn some percent. For one channel of
 * 10 s at 48 kHz: 256 x 16, 2048 x 14, 16384 x 28.
 * Offline: one level with the block that costs least per frame, from 1024 on: 65536 x 8. Of blocks that cost about
 * the same the smallest, which keeps histories and buffers small. */

enum { PN_PLAN_LEVELS = 6, PN_PLAN_CHANNELS = 65536 };

typedef enum { PN_PLAN_LIVE, PN_PLAN_OFFLINE } pn_plan_mode;

typedef struct {
    pn_plan_mode mode;
    pn_backend_kind kind;
    int block; /* 32..8192 live; offline 0 = the plan's choice, or the block of an earlier plan, to be kept */
    int inputs, outputs; /* up to PN_PLAN_CHANNELS; 0 = 1 */
    /* The responses; their taps are not read. NULL: `entries` responses (0: one for each channel of the larger
     * side) of `longest` taps each. */
    const pinna_ir *irs;
    size_t ir_count;
    size_t entries, longest;
} pn_plan_desc;

typedef struct {
    int block; /* frames of one partition */
    int partitions;
    size_t first; /* first tap */
    /* predicted, per call of the convolver, all channels together */
    double transform_us, product_us, other_us;
    double bytes; /* of spectra */
} pn_plan_level;

typedef struct {
    int block; /* of the convolver: frames per call */
    int levels;
    pn_plan_level level[PN_PLAN_LEVELS];
    /* Predicted on one core of a current processor (or a middling graphics card). */
    double cost_us;    /* mean of a call, all channels together */
    double worst_us;   /* the dearest call of the schedule */
    double uniform_us; /* mean of a call if all were cut into the plan's first block */
    double bytes;      /* spectra of filters and inputs, and sums */
} pn_plan;

/* The best plan. PINNA_BAD_ARGUMENT for blocks, channels or lengths out of range. */
pinna_status pn_plan_make(const pn_plan_desc *desc, pn_plan *plan, pinna_error *err);

/* The blocks of `plan`, as many as it has levels, priced for desc: sets all the rest. As pn_plan_make it checks desc;
 * the blocks must be admissible. */
pinna_status pn_plan_price(const pn_plan_desc *desc, pn_plan *plan, pinna_error *err);

/* One line for people: "256 x 16, 2048 x 14, 16384 x 28". Returns text. */
const char *pn_plan_describe(const pn_plan *plan, char *text, size_t size);

/* Another: "predicted 9.12 us a block (worst 11.2, uniform 120), latency 256 frames, 10.2 MB". Returns text. */
const char *pn_plan_describe_cost(const pn_plan *plan, char *text, size_t size);

/* Some lines, each ended by a newline and begun with `indent`: what every level covers and costs. Returns text; 1000
 * characters hold any plan. */
const char *pn_plan_explain(const pn_plan *plan, const char *indent, char *text, size_t size);

#endif
