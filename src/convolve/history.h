// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_HISTORY_H
#define PN_CONVOLVE_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/realtime.h"
#include "base/status.h"

/* The inputs of a convolver as far back as anything needs them: one ring per input, whose first frames stand
 * once more behind its end, so that every window is one piece of memory without a copy. Before frame 0 is
 * silence.
 *
 * One thread writes and looks at windows. Another one may follow it (pn_history_follow) without either waiting for
 * the other: samples are stored and copied by atomic operations, what is about to be overwritten is announced
 * before, and a copy that was overtaken is noticed and taken again.
 *
 * A history may keep some of the inputs only; of the others there are no windows. */
typedef struct {
    int inputs;
    int rings, *ring; /* ring[input], -1 = not kept; NULL: each input its own */
    size_t length;    /* of a ring, a multiple of every write */
    size_t mirror;    /* frames behind its end: the longest window */
    size_t stride;
    float *data;
    bool alone;                  /* nobody follows: samples need not be stored atomically */
    _Atomic int64_t time;        /* frames written */
    _Atomic int64_t claimed;     /* time after the write under way */
    _Atomic unsigned generation; /* number of resets */
} pn_history;

/* Frames at the far end of a ring that a follower does not rely on, since they are the next to be overwritten. */
size_t pn_history_margin(int block);

/* reach: how many frames back a window may begin; window: longest window; block: frames of a write, of which
 * window is a multiple. */
pinna_status pn_history_create(int inputs, size_t reach, size_t window, int block, pn_history **history,
                               pinna_error *err);
/* The same, of the inputs i with kept[i] only. */
pinna_status pn_history_create_some(int inputs, const bool *kept, size_t reach, size_t window, int block,
                                    pn_history **history, pinna_error *err);
void pn_history_free(pn_history *history); /* accepts NULL */
/* Bytes that create allocates for the same values. */
double pn_history_bytes(int inputs, size_t reach, size_t window, int block);
double pn_history_size(const pn_history *history); /* bytes; NULL: 0 */
PN_BLOCK_PATH void pn_history_reset(pn_history *history);

PN_BLOCK_PATH int64_t pn_history_time(const pn_history *history);

/* in[i]: block frames, NULL = silence. Of a history that keeps all. */
PN_BLOCK_PATH void pn_history_write(pn_history *history, const float *const *in, int block);
/* The `frames` frames of an input that end at time `end`; stays as it is until `length - frames` frames later. */
PN_BLOCK_PATH const float *pn_history_window(const pn_history *history, int input, int64_t end,
                                             size_t frames);

/* Takes over what `from` still knows, and its time. Both have the same inputs and block, and keep all. */
void pn_history_copy(pn_history *to, const pn_history *from, int block);

/* Appends to `to` what `from` got since; from the writing thread. */
PN_BLOCK_PATH void pn_history_append(pn_history *to, const pn_history *from, int block);

/* The same from another thread than the one that writes `from`, up to `limit` blocks. An empty `to` begins as far
 * back as it can. Only `to` counts its time on from 0, so that both times are equal. false: overtaken by the writer,
 * or `from` was reset; `to` is as created and can begin again. *generation: that of `from` which was followed; read
 * when `to` is empty, compared otherwise. */
bool pn_history_follow(pn_history *to, const pn_history *from, int block, size_t limit, unsigned *generation);

#endif
