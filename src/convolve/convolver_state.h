// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_CONVOLVER_STATE_H
#define PN_CONVOLVE_CONVOLVER_STATE_H

#include <stdatomic.h>

#include "convolve/convolver.h"
#include "convolve/engine.h"
#include "convolve/response_set.h"

/* What the files of the convolver share: convolver.c is the block path, convolver_check.c what is checked before
 * anything is made, convolver_exchange.c the exchange between two calls, and convolver_request.c the control thread's
 * side of an exchange while running. */

/* An exchange of the responses: on its way in it holds what takes over, on its way out what was replaced. */
typedef struct {
    pn_engine *engine;
    pn_backend *own_backend; /* of engine, when it was made in a control thread for the CPU; else NULL */
    pn_history *history;     /* NULL: goes on with the convolver's */
    unsigned generation;     /* of the history that `history` follows */
    pn_history_span *span;   /* what `history` is to hold, before it is made; or NULL */
    size_t fade_frames;
    float *out;   /* [output][block] */
    float **rows; /* [output] into out */
    bool done;    /* false on the way out: refused, to be brought up to date and offered again */
} pn_exchange;

struct pn_convolver {
    int inputs, outputs, block;
    pn_plan_mode mode;
    bool fixed;
    pn_backend *device; /* as described; never changes */
    pn_pool *pool;
    pn_messages *messages;

    /* -- the block path's */
    pn_backend *backend; /* what computes now: device, or own_cpu */
    pn_backend *own_cpu; /* after the loss of a device */
    pn_history *history;
    pn_engine *engine;
    pn_backend *engine_backend; /* own_backend of the exchange that brought the engine */
    pn_exchange *exchange;      /* being crossfaded, or NULL */
    size_t lag;                 /* frames that its engine is behind */
    size_t fade_done;

    /* calls of any size */
    bool buffered;
    bool block_known;           /* pending is the output of the last block, not the silence before it */
    int fill;                   /* frames of the block under way */
    float *collected, *pending; /* [input][block], [output][block] */
    float **collected_rows, **pending_rows;
    const float **in_at;
    float **out_at;

    /* -- between the threads */
    _Atomic(pn_exchange *) offer;    /* control thread to block path */
    _Atomic(pn_exchange *) returned; /* and back */
    atomic_bool lost;                /* the device, for good */
    _Atomic int64_t begun;           /* first output frame of the latest crossfade, -1 = none yet */

    /* -- the control thread's */
    pn_exchange *queue[PN_CONVOLVER_QUEUE];
    int queued;
    bool in_flight;             /* one is offered or being crossfaded; the history's address may change */
    double engine_bytes;        /* of the engines made last */
    pn_response_set *responses; /* NULL unless editable */
};

/* ---- convolver_check.c */

/* One response: its place, taps and length; index for the message. */
pinna_status pn_convolver_check_ir(const pinna_ir *ir, size_t index, int inputs, int outputs,
                                   pinna_error *err);
/* All of them, and that each pair has one at most. */
pinna_status pn_convolver_check_irs(const pinna_ir *irs, size_t count, int inputs, int outputs,
                                    pinna_error *err);
/* PINNA_NO_MEMORY, with the size, when the machine has not as much. */
pinna_status pn_convolver_check_memory(const pn_convolver *convolver, double bytes, pinna_error *err);
pn_engine_desc pn_convolver_engine_desc(const pn_convolver *convolver, pn_backend *backend,
                                        const pinna_ir *irs, size_t count);
/* *span [input], for pn_free: what the history must hold for these responses, on the device, and on the CPU should it be
 * lost. */
pinna_status pn_convolver_measure(const pn_convolver *convolver, pn_backend *backend, const pinna_ir *irs,
                                  size_t count, pn_engine_need *need, pn_history_span **span,
                                  pinna_error *err);

/* ---- convolver_exchange.c */

/* With its rows, without engine and history. */
pinna_status pn_exchange_create(const pn_convolver *convolver, size_t fade_frames, pn_exchange **exchange,
                                pinna_error *err);
void pn_exchange_free(pn_exchange *exchange); /* accepts NULL */

/* ---- convolver.c, block path */

/* Makes it the one that is crossfaded, at the next frame. */
PN_BLOCK_PATH void pn_convolver_adopt(pn_convolver *convolver, pn_exchange *exchange);
/* Fades frames from .. end-1 of the rows from old to new, at the place that the fade has reached. */
PN_BLOCK_PATH void pn_convolver_fade(pn_convolver *convolver, float *const *old, int from, int end);
/* Replaces the engines on the lost device by ones on the CPU at time `time`. Allocates. */
pinna_status pn_convolver_take_over(pn_convolver *convolver, int64_t time, const pinna_error *reason,
                                    pinna_error *err);

#endif
