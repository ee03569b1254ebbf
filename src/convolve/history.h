// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_HISTORY_H
#define PN_CONVOLVE_HISTORY_H

#include <stdint.h>

#include "base/realtime.h"
#include "base/status.h"

/* The inputs of a convolver as far back as anything needs them: one ring per input, whose first frames stand
 * once more behind its end, so that every window is one piece of memory without a copy. Before frame 0 is
 * silence. */
typedef struct {
    int inputs;
    size_t length; /* of a ring, a multiple of every write */
    size_t mirror; /* frames behind its end: the longest window */
    size_t stride;
    float *data;
    int64_t time; /* frames written */
} pn_history;

/* reach: how many frames back a window may begin; window: longest window; block: frames of a write, of which
 * window is a multiple. */
pinna_status pn_history_init(pn_history *history, int inputs, size_t reach, size_t window, int block,
                             pinna_error *err);
/* Bytes that init allocates for the same values. */
double pn_history_bytes(int inputs, size_t reach, size_t window, int block);
void pn_history_clear(pn_history *history); /* frees; accepts a zeroed one */
void pn_history_reset(pn_history *history);

/* in[i]: block frames, NULL = silence. */
PN_BLOCK_PATH void pn_history_write(pn_history *history, const float *const *in, int block);
/* The `frames` frames of an input that end at time `end`; stays as it is until `length - frames` frames later. */
PN_BLOCK_PATH const float *pn_history_window(const pn_history *history, int input, int64_t end,
                                             size_t frames);

/* Takes over what `from` still knows, and its time. Both have the same inputs and block. */
void pn_history_copy(pn_history *to, const pn_history *from, int block);

#endif
