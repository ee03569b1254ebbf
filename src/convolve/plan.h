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
 * result is first needed `block` frames later, so that it has one full period to run and adds no latency. */

enum { PN_PLAN_LEVELS = 6 };

typedef enum { PN_PLAN_LIVE, PN_PLAN_OFFLINE } pn_plan_mode;

typedef struct {
    int block;      /* frames of one partition */
    int partitions;
    size_t first;   /* first tap */
} pn_plan_level;

typedef struct {
    int block;      /* of the convolver: frames per call */
    int levels;
    pn_plan_level level[PN_PLAN_LEVELS];
} pn_plan;

/* block: 32..8192 live; ignored offline, where the plan chooses its own (plan->block). longest: taps, > 0. */
pinna_status pn_plan_make(pn_plan_mode mode, int block, size_t longest, pn_backend_kind kind, pn_plan *plan,
                          pinna_error *err);

/* One line for people: "256 x 16, 2048 x 14, 16384 x 28". Returns text. */
const char *pn_plan_describe(const pn_plan *plan, char *text, size_t size);

#endif
