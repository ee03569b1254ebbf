// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_CONVOLVER_STATE_H
#define PN_CONVOLVE_CONVOLVER_STATE_H

#include <stdatomic.h>

#include "convolve/convolver.h"
#include "convolve/convolver_sides.h"
#include "convolve/engine.h"
#include "convolve/response_set.h"

/* What the files of the convolver share: convolver.c is the block path, convolver_fade.c its side of an exchange,
 * convolver_lost.c the loss of a device, convolver_check.c what is checked before anything is made,
 * convolver_exchange.c the exchange between two calls, convolver_request.c the control thread's side of an exchange
 * while running, and convolver_sides.c how much an edit makes anew. */

/* An engine, and how many outputs are its: convolver->owner says which. The outputs that it has and that are another's
 * are muted. */
typedef struct pn_part {
    pn_engine *engine;       /* NULL: of outputs that have no responses any more */
    pn_backend *own_backend; /* of engine, when it was made in a control thread for the CPU; else NULL */
    int outputs;
    bool lost_some; /* of its outputs, which are to be muted yet */
    struct pn_part *next;
    pn_engine *successor; /* while a device that was lost is being replaced */
} pn_part;

/* An exchange of the responses of some outputs, or of all: on its way in it holds what takes over, on its way out what
 * was replaced. */
typedef struct {
    pn_part *part;         /* what takes over; NULL once its outputs are its own */
    pn_part *replaced;     /* list: nothing is theirs any more */
    pn_history *history;   /* that `part` was brought up to date with; NULL: the convolver's */
    pn_history_span *span; /* what `history` is to hold, before it is made; or NULL */
    bool takes_history;    /* it replaces the convolver's, which on the way out is here instead */
    int64_t held; /* until this time jobs of other parts may be reading the history that was replaced */
    unsigned generation; /* of the history that `history` follows */
    size_t fade_frames;
    int *output; /* those that are exchanged */
    int outputs;
    float *out;   /* [of them][block] */
    float **rows; /* [output]: into out, NULL for others */
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
    pn_part *parts;        /* list: the one that was made for all, then those that edits brought */
    pn_part **owner;       /* [output]: whose it is; NULL: has no responses, is silent */
    bool *not_its;         /* [output]: scratch */
    pn_exchange *exchange; /* being crossfaded, or with a history that is still read; or NULL */
    size_t lag;            /* frames that its engine is behind */
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
    pn_sides *sides;            /* whose which output is, once all that was requested is done */
    pn_response_set *responses; /* as they are then; NULL unless editable */
};

/* ---- convolver_check.c */

/* Places and lengths of all of them, and that each pair has one at most. */
pinna_status pn_convolver_check_irs(const pinna_ir *irs, size_t count, int inputs, int outputs,
                                    pinna_error *err);
/* That every tap is a finite number: reads them all, so after it is known that they fit in memory. */
pinna_status pn_convolver_check_taps(const pinna_ir *irs, size_t count, pinna_error *err);
/* Both for edits, of which some may remove (taps NULL, length 0). */
pinna_status pn_convolver_check_edits(const pinna_ir *edits, size_t count, int inputs, int outputs,
                                      pinna_error *err);
/* PINNA_NO_MEMORY, with the size, when the machine has not as much. */
pinna_status pn_convolver_check_memory(const pn_convolver *convolver, double bytes, pinna_error *err);
pn_engine_desc pn_convolver_engine_desc(const pn_convolver *convolver, pn_backend *backend,
                                        const pinna_ir *irs, size_t count);
/* *span [input], for pn_free: what the history must hold for these responses, on the device, and on the CPU should it
 * be lost. `some`: a copy of it that serves a new engine only; else every input is kept, also one without a response,
 * since it may get one. */
pinna_status pn_convolver_measure(const pn_convolver *convolver, pn_backend *backend, const pinna_ir *irs,
                                  size_t count, bool some, pn_engine_need *need, pn_history_span **span,
                                  pinna_error *err);

/* ---- convolver_exchange.c */

/* With a part and its rows, without engine and history. chosen[output]: those exchanged; NULL: all. */
pinna_status pn_exchange_create(const pn_convolver *convolver, const bool *chosen, size_t fade_frames,
                                pn_exchange **exchange, pinna_error *err);
void pn_exchange_free(pn_exchange *exchange); /* accepts NULL */
void pn_part_free(pn_part *part);             /* accepts NULL */

/* ---- convolver_sides.c's, by responses: all were made anew in one engine of so many bytes */
pinna_status pn_convolver_commit_all(pn_convolver *convolver, const pinna_ir *irs, size_t count, double bytes,
                                     pinna_error *err);

/* ---- convolver_fade.c, block path */

/* Takes what the control thread offers, when there is nothing under way and it is not too late. */
PN_BLOCK_PATH void pn_convolver_take_offer(pn_convolver *convolver);
/* Makes it the one that is crossfaded, at the next frame. */
PN_BLOCK_PATH void pn_convolver_adopt(pn_convolver *convolver, pn_exchange *exchange);
/* Brings the engine that takes over up to `time`, or some blocks nearer to it. */
PN_BLOCK_PATH pinna_status pn_convolver_run_next(pn_convolver *convolver, int64_t time, pinna_error *err);
/* Fades frames from .. end-1 of the rows from old to new, at the place that the fade has reached. */
PN_BLOCK_PATH void pn_convolver_fade(pn_convolver *convolver, float *const *old, int from, int end);
/* Ends a fade: the outputs are the new part's. */
PN_BLOCK_PATH void pn_convolver_settle(pn_convolver *convolver);
/* What was replaced travels back once nothing reads it any more. */
PN_BLOCK_PATH void pn_convolver_send_back(pn_convolver *convolver);

/* ---- convolver_lost.c */

bool pn_engine_on_device(const pn_engine *engine); /* NULL: false */
/* Replaces the engines on the lost device by ones on the CPU at time `time`. Allocates. */
pinna_status pn_convolver_take_over(pn_convolver *convolver, int64_t time, const pinna_error *reason,
                                    pinna_error *err);

#endif
