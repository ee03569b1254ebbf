// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_HISTORY_H
#define PN_CONVOLVE_HISTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/realtime.h"
#include "base/status.h"
#include "base/threads.h"

/* The inputs of a convolver, each as far back as anything needs it: one ring per input, whose first frames stand
 * once more behind its end, so that every window is one piece of memory without a copy. Before frame 0 is
 * silence.
 *
 * One thread writes and looks at windows. Another one may follow it (pn_history_follow) without either waiting for
 * the other: samples are stored and copied by atomic operations, what is about to be overwritten is announced
 * before, and a copy that was overtaken is noticed and taken again. */

/* What is asked of the history of an input. */
typedef struct {
    size_t reach;  /* how many frames back a window may begin */
    size_t window; /* the longest window, a multiple of a write; 0: the input is not kept */
} pn_history_span;

typedef struct {
    float *data;   /* NULL: not kept */
    size_t length; /* a multiple of a write, and at least two windows */
    size_t mirror; /* frames behind its end: the longest window */
} pn_history_ring;

typedef struct {
    int inputs;
    pn_history_ring *ring; /* [input] */
    float *data;           /* of all */
    size_t floats;
    bool alone;                  /* nobody follows: samples need not be stored atomically */
    _Atomic int64_t time;        /* frames written */
    _Atomic int64_t claimed;     /* time after the write under way */
    _Atomic unsigned generation; /* number of resets */
} pn_history;

/* Frames at the far end of a ring that a follower does not rely on, since they are the next to be overwritten. */
size_t pn_history_margin(int block);

/* span[input]; block: frames of a write. */
pinna_status pn_history_create(int inputs, const pn_history_span *span, int block, pn_history **history,
                               pinna_error *err);
void pn_history_free(pn_history *history); /* accepts NULL */
/* Bytes that create allocates for the same values. */
double pn_history_bytes(int inputs, const pn_history_span *span, int block);
double pn_history_size(const pn_history *history); /* bytes; NULL: 0 */
/* Whether it has all that is asked. */
bool pn_history_holds(const pn_history *history, const pn_history_span *span);
/* Raises every span to what the history has. */
void pn_history_raise(const pn_history *history, pn_history_span *span);
PN_BLOCK_PATH void pn_history_reset(pn_history *history);

PN_BLOCK_PATH int64_t pn_history_time(const pn_history *history);

/* in[i]: block frames, NULL = silence; not looked at where the input is not kept. pool: of the caller, for thousands of
 * inputs; may be NULL. */
PN_BLOCK_PATH void pn_history_write(pn_history *history, const float *const *in, int block, pn_pool *pool);
/* Where the block that begins at `time` will stand. Who has written it there already, when it is time for it, gives
 * this as in[i], and nothing is copied; without followers. */
PN_BLOCK_PATH float *pn_history_place(const pn_history *history, int input, int64_t time);
/* The `frames` frames of an input that end at time `end`; stays as it is until `length - frames` frames later. What the
 * ring does not reach back to any more is some later frames. */
PN_BLOCK_PATH const float *pn_history_window(const pn_history *history, int input, int64_t end,
                                             size_t frames);

/* Takes over what `from` still knows, and its time. Both have the same number of inputs and block, here and below. */
void pn_history_copy(pn_history *to, const pn_history *from, int block);

/* Appends to `to` what `from` got since; from the writing thread. */
PN_BLOCK_PATH void pn_history_append(pn_history *to, const pn_history *from, int block);

/* The same from another thread than the one that writes `from`, up to `limit` blocks. An empty `to` begins as far
 * back as it can, with each input, and goes on to what came in meanwhile, so that each has its past as of the time it
 * is left at. Only `to` counts its time on from 0, so that both times are equal. false: overtaken by the writer, or
 * `from` was reset; `to` is as created and can begin again. *generation: that of `from` which was followed; read when
 * `to` is empty, compared otherwise. */
bool pn_history_follow(pn_history *to, const pn_history *from, int block, size_t limit, unsigned *generation);

#endif
