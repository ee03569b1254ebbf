// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_PLAN_H
#define PN_CONVOLVE_PLAN_H

#include "device/backend.h"

/* How a response is cut into partitions: a pure function of block, longest response, mode and kind of device, so
 * that the same scene gives the same samples in a file and live.
 *
 * Level l covers taps [first, first + block * partitions). Level 0 has the convolver's block B and starts at tap
 * 0. A level l > 0 starts at tap 2 * block: its job begins when `block` frames of input are complete and its
 * result is first needed `block` frames later, so that it has one full period to run and adds no latency.
 *
 * Live: the largest block is the smallest power of two of at least a 32nd of the response, so that the levels have
 * some 30 partitions at most; between it and B stand as many levels as bring the factor from one to the next near
 * 8. Within a factor of 2 of B, B alone does. For 10 s at 48 kHz: 256 x 16, 2048 x 14, 16384 x 28.
 * Offline: one level, its block at least an 8th of the response, from 1024 on: 65536 x 8.
 * OpenCL: blocks of at most 8192 (or B), so that a transform stays in local memory. */

enum { PN_PLAN_LEVELS = 6 };

typedef enum { PN_PLAN_LIVE, PN_PLAN_OFFLINE } pn_plan_mode;

typedef struct {
    int block; /* frames of one partition */
    int partitions;
    size_t first; /* first tap */
} pn_plan_level;

typedef struct {
    int block; /* of the convolver: frames per call */
    int levels;
    pn_plan_level level[PN_PLAN_LEVELS];
} pn_plan;

/* block: 32..8192 live; offline 0 = the plan's choice (plan->block), or the block of an earlier plan, to be kept.
 * longest: taps, > 0. */
pinna_status pn_plan_make(pn_plan_mode mode, int block, size_t longest, pn_backend_kind kind, pn_plan *plan,
                          pinna_error *err);

/* One line for people: "256 x 16, 2048 x 14, 16384 x 28". Returns text. */
const char *pn_plan_describe(const pn_plan *plan, char *text, size_t size);

#endif
