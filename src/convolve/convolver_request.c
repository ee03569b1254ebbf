// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* An exchange of the responses while another thread processes.
 *
 * The control thread makes the new engine, takes a copy of the input history by following the ring that the block
 * path writes (pn_history_follow: neither waits for the other), brings the engine to the present over that copy, goes
 * on following until nothing is missing, and offers engine and history together. At the next block boundary the
 * block path takes both, runs the blocks that came in between (none as a rule; two a call at most), and crossfades
 * with both engines running. Then what was replaced travels back, to be freed here:
 *
 *     queue --(made, brought up to date)--> offer --(taken at a block)--> crossfade --> returned --> freed
 *                                              \-(too late, reset, device lost)-----> returned --> queue
 *
 * An edit makes an engine for some outputs only (convolver_sides.h), and copies only the inputs that lead there; that
 * copy serves to bring it up to date, and then it goes on over the convolver's own history. A copy of all inputs is
 * made with a new engine for all, and where responses reach further back than the convolver's history: then it
 * replaces that.
 *
 * One exchange is under way at a time; others wait in the queue, finished but for the past, which they are given when
 * it is their turn. On the CPU each new engine stands on a back end of its own without a pool, since a pool has one
 * caller; it is given the block path's pool when it is taken. Jobs don't depend on the number of threads. */
#include <string.h>

#include "base/memory.h"
#include "convolve/convolver_state.h"

enum { ROUNDS = 256 };

/* ------------------------------------------------------------------ up to date */

/* While it is the exchange's turn: the convolver's history stays the same one. */
static pinna_status give_history(pn_convolver *c, pn_exchange *x, pinna_error *err) {
    if (x->history != NULL)
        return PINNA_OK;
    bool some = x->outputs < c->outputs && pn_history_holds(c->history, x->span);
    if (!some)
        pn_history_raise(c->history, x->span);
    x->takes_history = !some;
    return pn_history_create(c->inputs, x->span, c->block, &x->history, err);
}

static pinna_status run_through(pn_convolver *c, pn_exchange *x, int64_t from, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int64_t end = from + c->block; end <= pn_history_time(x->history) && status == PINNA_OK;
         end += c->block)
        status = pn_engine_run(x->part->engine, x->history, end, x->rows, err);
    return status;
}

/* Until nothing is missing, or the rounds are over: then the block path does the rest, or sends it back. */
static pinna_status catch_up(pn_convolver *c, pn_exchange *x, pinna_error *err) {
    bool primed = false;
    size_t most = pn_history_margin(c->block) / (size_t)c->block; /* beyond this windows may be overwritten */
    for (int round = 0; round < ROUNDS; ++round) {
        int64_t before = primed ? pn_history_time(x->history) : 0;
        size_t limit = primed ? most : SIZE_MAX;
        if (!pn_history_follow(x->history, c->history, c->block, limit, &x->generation)) {
            pn_engine_reset(x->part->engine);
            primed = false;
            continue;
        }
        int64_t now = pn_history_time(x->history);
        pinna_status status =
            primed ? run_through(c, x, before, err) : pn_engine_prime(x->part->engine, x->history, now, err);
        if (status != PINNA_OK)
            return status;
        primed = now > 0;
        if (pn_history_time(c->history) == now)
            break;
    }
    return PINNA_OK;
}

static pinna_status bring_up_to_date(pn_convolver *c, pn_exchange *x, pinna_error *err) {
    if (x->part->engine == NULL)
        return PINNA_OK; /* silence has no past */
    pinna_status status = give_history(c, x, err);
    if (status != PINNA_OK)
        return status;
    unsigned long mode = pn_flush_denormals();
    if (x->part->own_backend != NULL)
        pn_backend_cpu_set_pool(x->part->own_backend, NULL);
    pn_engine_reset(x->part->engine);
    pn_history_reset(x->history);
    status = catch_up(c, x, err);
    pn_restore_denormals(mode);
    return status;
}

/* ------------------------------------------------------------------ making */

static pinna_status make_engine(pn_convolver *c, pn_exchange *x, const pinna_ir *irs, size_t count,
                                bool on_cpu, pinna_error *err) {
    pinna_status status = PINNA_OK;
    if (on_cpu)
        status = pn_backend_cpu_open(NULL, &x->part->own_backend, err);
    if (status != PINNA_OK)
        return status;
    if (on_cpu)
        pn_backend_cpu_expect(x->part->own_backend, c->pool);
    pn_backend *backend = on_cpu ? x->part->own_backend : c->device;
    pn_engine_desc desc = pn_convolver_engine_desc(c, backend, irs, count);
    return pn_engine_create(&desc, &x->part->engine, err);
}

static bool wants_cpu(const pn_convolver *c) {
    return c->device->kind == PN_BACKEND_CPU || atomic_load(&c->lost);
}

/* For an engine on a device that was lost before its turn: the same on the CPU. */
static pinna_status leave_device(pn_convolver *c, pn_exchange *x, pinna_error *err) {
    if (!wants_cpu(c) || !pn_engine_on_device(x->part->engine))
        return PINNA_OK;
    pn_engine *lost = x->part->engine;
    size_t count;
    const pinna_ir *irs = pn_engine_kept_irs(lost, &count);
    pinna_status status = make_engine(c, x, irs, count, true, err);
    if (status != PINNA_OK) {
        pn_backend_close(x->part->own_backend);
        x->part->own_backend = NULL;
        x->part->engine = lost;
        return status;
    }
    pn_engine_free(lost);
    pn_history_free(x->history); /* made for the reach of the other plan */
    x->history = NULL;
    x->takes_history = false;
    return PINNA_OK;
}

/* What is asked for: the outputs that are made anew, and all the responses that lead there. */
typedef struct {
    bool *chosen; /* [output]; NULL: all */
    bool *has;    /* [output]: there are responses; where chosen */
    pinna_ir *some;
    const pinna_ir *irs; /* some, or all there are */
    size_t count;
    size_t fade_frames;
    double bytes;
} change;

static void clear_change(change *a) {
    pn_free(a->chosen);
    pn_free(a->has);
    pn_free(a->some);
}

/* What there is, and what the change adds where it is to be made. */
static pinna_status check_size(pn_convolver *c, change *a, bool on_cpu, pn_history_span **span,
                               pinna_error *err) {
    pn_backend cpu = {.kind = PN_BACKEND_CPU};
    pn_engine_need need;
    pinna_status status = pn_convolver_measure(c, on_cpu ? &cpu : c->device, a->irs, a->count,
                                               a->chosen != NULL, &need, span, err);
    if (status != PINNA_OK)
        return status;
    a->bytes = need.host_bytes;
    double histories = 2 * pn_history_bytes(c->inputs, *span, c->block);
    return pn_convolver_check_memory(
        c, a->bytes + pn_sides_bytes(c->sides) + histories + pn_response_set_bytes(c->responses), err);
}

static pinna_status make(pn_convolver *c, change *a, pn_exchange **out, pinna_error *err) {
    pn_exchange *x = NULL;
    pn_history_span *span = NULL;
    bool on_cpu = wants_cpu(c); /* asked once: a device may be lost at any time */
    pinna_status status = a->count > 0 ? check_size(c, a, on_cpu, &span, err) : PINNA_OK;
    if (status == PINNA_OK)
        status = pn_exchange_create(c, a->chosen, a->fade_frames, &x, err);
    if (status == PINNA_OK)
        x->span = span;
    else
        pn_free(span);
    if (status == PINNA_OK && a->count > 0)
        status = make_engine(c, x, a->irs, a->count, on_cpu, err);
    if (status != PINNA_OK)
        pn_exchange_free(x);
    else
        *out = x;
    return status;
}

/* ------------------------------------------------------------------ the queue */

static void enqueue(pn_convolver *c, pn_exchange *x, int place) {
    for (int q = c->queued++; q > place; --q)
        c->queue[q] = c->queue[q - 1];
    c->queue[place] = x;
}

/* What was refused is first in its turn again; it was in the queue, and so there is room. */
static void collect(pn_convolver *c) {
    pn_exchange *x = atomic_exchange(&c->returned, NULL);
    if (x == NULL)
        return;
    c->in_flight = false;
    if (x->done)
        pn_exchange_free(x);
    else
        enqueue(c, x, 0);
}

pinna_status pn_convolver_update(pn_convolver *convolver, int *pending, pinna_error *err) {
    pn_convolver *c = convolver;
    pinna_status status = PINNA_OK;
    collect(c);
    if (!c->in_flight && c->queued > 0) {
        pn_exchange *x = c->queue[0];
        status = leave_device(c, x, err);
        if (status == PINNA_OK)
            status = bring_up_to_date(c, x, err);
        if (status == PINNA_OK) {
            memmove(c->queue, c->queue + 1, (size_t)--c->queued * sizeof *c->queue);
            c->in_flight = true;
            atomic_store(&c->offer, x);
        }
    }
    if (pending != NULL)
        *pending = c->queued + (c->in_flight ? 1 : 0);
    return status;
}

/* responses: those there are then, or NULL where none are kept; taken over unless it fails. */
static pinna_status request(pn_convolver *c, pn_response_set *responses, change *a, pinna_error *err) {
    pn_exchange *x = NULL;
    a->has = pn_alloc((size_t)c->outputs, sizeof *a->has);
    if (a->has == NULL)
        return pn_fail_memory(err, "the exchange of impulse responses", (double)c->outputs * sizeof *a->has);
    for (size_t e = 0; e < a->count; ++e)
        a->has[a->irs[e].output] = true;
    pinna_status status = make(c, a, &x, err);
    if (status != PINNA_OK)
        return status;
    enqueue(c, x, c->queued);
    pn_sides_commit(c->sides, a->chosen, a->has, a->bytes);
    if (responses != NULL) {
        pn_response_set_free(c->responses);
        c->responses = responses;
    }
    /* What fails from here on is tried again at the next update. */
    pn_convolver_update(c, NULL, NULL);
    return PINNA_OK;
}

static pinna_status check_room(pn_convolver *c, pinna_error *err) {
    if (c->fixed)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "this convolver was made fixed: its responses stay");
    collect(c);
    if (c->queued + (c->in_flight ? 1 : 0) < PN_CONVOLVER_QUEUE)
        return PINNA_OK;
    return pn_fail(
        err, PINNA_BAD_ARGUMENT,
        "%d exchanges of impulse responses are pending, the most there can be; wait for one to end",
        (int)PN_CONVOLVER_QUEUE);
}

pinna_status pn_convolver_request_swap(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                                       size_t fade_frames, pinna_error *err) {
    pn_convolver *c = convolver;
    pn_response_set *responses = NULL;
    pinna_status status = check_room(c, err);
    if (status == PINNA_OK)
        status = pn_convolver_check_irs(irs, ir_count, c->inputs, c->outputs, err);
    if (status == PINNA_OK)
        status = pn_convolver_check_taps(irs, ir_count, err);
    if (status == PINNA_OK && c->responses != NULL)
        status = pn_response_set_create(NULL, irs, ir_count, &responses, err);
    change all = {.irs = irs, .count = ir_count, .fade_frames = fade_frames};
    if (status == PINNA_OK)
        status = request(c, responses, &all, err);
    if (status != PINNA_OK)
        pn_response_set_free(responses);
    clear_change(&all);
    return status;
}

/* The responses of the outputs that an edit makes anew. */
static pinna_status choose(const pn_convolver *c, const pn_response_set *responses, const pinna_ir *edits,
                           size_t edit_count, change *a, pinna_error *err) {
    size_t all;
    const pinna_ir *irs = pn_response_set_irs(responses, &all);
    if (all == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "convolver: no impulse responses would be left, expected 1 or more");
    a->chosen = pn_alloc((size_t)c->outputs, sizeof *a->chosen);
    a->some = pn_alloc(all, sizeof *a->some);
    if (a->chosen == NULL || a->some == NULL)
        return pn_fail_memory(err, "the exchange of impulse responses", (double)all * sizeof *a->some);
    for (size_t e = 0; e < edit_count; ++e)
        a->chosen[edits[e].output] = true;
    bool whole = pn_sides_choose(c->sides, a->chosen);
    for (size_t e = 0; e < all; ++e)
        if (a->chosen[irs[e].output])
            a->some[a->count++] = irs[e];
    a->irs = a->some;
    if (whole) {
        pn_free(a->chosen);
        a->chosen = NULL;
    }
    return PINNA_OK;
}

static pinna_status check_editable(const pn_convolver *c, pinna_error *err) {
    if (c->responses != NULL)
        return PINNA_OK;
    return pn_fail(err, PINNA_BAD_ARGUMENT,
                   "this convolver was not made to be edited (editable): its responses are not kept");
}

pinna_status pn_convolver_request_edit(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                                       size_t fade_frames, pinna_error *err) {
    pn_convolver *c = convolver;
    pn_response_set *responses = NULL;
    change some = {.fade_frames = fade_frames};
    pinna_status status = check_room(c, err);
    if (status == PINNA_OK)
        status = check_editable(c, err);
    if (status == PINNA_OK)
        status = pn_convolver_check_edits(irs, ir_count, c->inputs, c->outputs, err);
    if (status == PINNA_OK)
        status = pn_response_set_create(c->responses, irs, ir_count, &responses, err);
    if (status == PINNA_OK)
        status = choose(c, responses, irs, ir_count, &some, err);
    if (status == PINNA_OK)
        status = request(c, responses, &some, err);
    if (status != PINNA_OK)
        pn_response_set_free(responses);
    clear_change(&some);
    return status;
}
