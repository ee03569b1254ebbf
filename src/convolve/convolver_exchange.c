// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The exchange between two calls, in the thread that processes: the new engine is made and brought to the present
 * here, and the part of the output that is computed but not yet heard fades too. */
#include <string.h>

#include "base/memory.h"
#include "convolve/convolver_state.h"

static pinna_status allocate(const pn_convolver *c, pn_exchange *x, pinna_error *err) {
    size_t count = (size_t)x->outputs, outputs = (size_t)c->outputs, block = (size_t)c->block;
    x->part = pn_alloc(1, sizeof *x->part);
    x->output = pn_alloc(count, sizeof *x->output);
    x->out = pn_alloc(count, block * sizeof(float));
    x->rows = pn_alloc(outputs, sizeof(float *));
    if (x->part == NULL || x->output == NULL || x->out == NULL || x->rows == NULL)
        return pn_fail_memory(err, "the exchange of impulse responses", 4.0 * (double)(count * block));
    return PINNA_OK;
}

pinna_status pn_exchange_create(const pn_convolver *c, const bool *chosen, size_t fade_frames,
                                pn_exchange **out, pinna_error *err) {
    *out = NULL;
    pn_exchange *x = pn_alloc(1, sizeof *x);
    if (x == NULL)
        return pn_fail_memory(err, "the exchange of impulse responses", sizeof *x);
    x->fade_frames = fade_frames;
    for (int o = 0; o < c->outputs; ++o)
        x->outputs += chosen == NULL || chosen[o];
    pinna_status status = allocate(c, x, err);
    if (status != PINNA_OK) {
        pn_exchange_free(x);
        return status;
    }
    for (int o = 0, k = 0; o < c->outputs; ++o) {
        if (chosen != NULL && !chosen[o])
            continue;
        x->output[k] = o;
        x->rows[o] = x->out + (size_t)k++ * (size_t)c->block;
    }
    *out = x;
    return PINNA_OK;
}

void pn_part_free(pn_part *part) {
    if (part == NULL)
        return;
    pn_engine_free(part->engine);
    pn_backend_close(part->own_backend);
    pn_free(part);
}

void pn_exchange_free(pn_exchange *x) {
    if (x == NULL)
        return;
    pn_part_free(x->part);
    for (pn_part *part = x->replaced, *next; part != NULL; part = next) {
        next = part->next;
        pn_part_free(part);
    }
    pn_history_free(x->history); /* last: jobs were reading it */
    pn_free(x->span);
    pn_free(x->output);
    pn_free(x->out);
    pn_free(x->rows);
    pn_free(x);
}

pinna_status pn_convolver_commit_all(pn_convolver *c, const pinna_ir *irs, size_t count, double bytes,
                                     pinna_error *err) {
    bool *has = pn_alloc((size_t)c->outputs, sizeof *has);
    if (has == NULL)
        return pn_fail_memory(err, "the convolver's outputs", (double)c->outputs * sizeof *has);
    for (size_t e = 0; e < count; ++e)
        has[irs[e].output] = true;
    pn_sides_commit(c->sides, NULL, has, bytes);
    pn_free(has);
    return PINNA_OK;
}

/* A longer history where the new responses need one. */
static pinna_status extend_history(pn_convolver *c, pn_exchange *x, pn_history_span *span, pinna_error *err) {
    if (pn_history_holds(c->history, span))
        return PINNA_OK;
    pn_history_raise(c->history, span);
    pinna_status status = pn_history_create(c->inputs, span, c->block, &x->history, err);
    if (status == PINNA_OK)
        pn_history_copy(x->history, c->history, c->block);
    x->takes_history = true;
    return status;
}

static pinna_status make_engine(pn_convolver *c, pn_exchange *x, const pinna_ir *irs, size_t count,
                                pinna_error *err) {
    pn_engine_desc desc = pn_convolver_engine_desc(c, c->backend, irs, count);
    pinna_status status = pn_engine_create(&desc, &x->part->engine, err);
    if (status != PINNA_OK)
        return status;
    const pn_history *history = x->history != NULL ? x->history : c->history;
    int64_t time = pn_history_time(history);
    bool recompute = c->buffered && c->block_known;
    status = pn_engine_prime(x->part->engine, history, time - (recompute ? c->block : 0), err);
    if (status == PINNA_OK && recompute)
        status = pn_engine_run(x->part->engine, history, time, x->rows, err);
    if (status != PINNA_OK) {
        pn_engine_free(x->part->engine);
        x->part->engine = NULL;
    }
    return status;
}

static pinna_status prepare(pn_convolver *c, pn_exchange *x, const pinna_ir *irs, size_t count,
                            pinna_error *err) {
    pinna_error reason = {0};
    pinna_status status = make_engine(c, x, irs, count, &reason);
    if (status != PINNA_DEVICE || c->backend->kind == PN_BACKEND_CPU)
        return status == PINNA_OK ? PINNA_OK : pn_fail(err, status, "%s", reason.text);
    status = pn_convolver_take_over(c, pn_history_time(c->history), &reason, err);
    return status == PINNA_OK ? make_engine(c, x, irs, count, err) : status;
}

static void begin_fade(pn_convolver *c, pn_exchange *x) {
    if (c->buffered && !c->block_known)
        memset(x->out, 0, (size_t)x->outputs * (size_t)c->block * sizeof(float));
    pn_convolver_adopt(c, x);
    if (c->buffered || x->fade_frames == 0)
        atomic_store(&c->begun, pn_history_time(c->history) - (c->buffered ? c->block - c->fill : 0));
    if (c->buffered)
        pn_convolver_fade(c, c->pending_rows, c->fill, c->block);
    else if (x->fade_frames == 0)
        pn_convolver_fade(c, c->pending_rows, 0, 0);
}

static pinna_status check_free(pn_convolver *c, pinna_error *err) {
    int pending = 0;
    if (c->fixed)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "this convolver was made fixed: its responses stay");
    pinna_status status = pn_convolver_update(c, &pending, err);
    if (status != PINNA_OK || pending == 0)
        return status;
    if (!pn_convolver_fading(c))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "the impulse responses are being exchanged by a request; wait for its end");
    return pn_fail(err, PINNA_BAD_ARGUMENT,
                   "the impulse responses are still being crossfaded (%zu of %zu frames); wait for the end",
                   c->fade_done, c->exchange->fade_frames);
}

static pinna_status swap(pn_convolver *c, pn_exchange *x, const pinna_ir *irs, size_t count,
                         pn_history_span *span, pinna_error *err) {
    unsigned long mode = pn_flush_denormals();
    pinna_status status = extend_history(c, x, span, err);
    if (status == PINNA_OK)
        status = prepare(c, x, irs, count, err);
    pn_restore_denormals(mode);
    return status;
}

pinna_status pn_convolver_swap(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                               size_t fade_frames, pinna_error *err) {
    pn_convolver *c = convolver;
    pinna_status status = check_free(c, err);
    if (status == PINNA_OK)
        status = pn_convolver_check_irs(irs, ir_count, c->inputs, c->outputs, err);
    pn_engine_need need;
    pn_history_span *span = NULL;
    if (status == PINNA_OK)
        status = pn_convolver_measure(c, c->backend, irs, ir_count, false, &need, &span, err);
    if (status == PINNA_OK) /* the machine's memory, not a device's */
        status = pn_convolver_check_memory(
            c,
            need.host_bytes + pn_sides_bytes(c->sides) + pn_history_size(c->history) +
                pn_history_bytes(c->inputs, span, c->block) + 2 * pn_response_set_bytes(c->responses),
            err);
    if (status == PINNA_OK)
        status = pn_convolver_check_taps(irs, ir_count, err);
    pn_exchange *x = NULL;
    pn_response_set *responses = NULL;
    if (status == PINNA_OK)
        status = pn_exchange_create(c, NULL, fade_frames, &x, err);
    if (status == PINNA_OK && c->responses != NULL)
        status = pn_response_set_create(NULL, irs, ir_count, &responses, err);
    if (status == PINNA_OK)
        status = swap(c, x, irs, ir_count, span, err);
    pn_free(span);
    if (status == PINNA_OK)
        status = pn_convolver_commit_all(c, irs, ir_count, need.host_bytes, err);
    if (status != PINNA_OK) {
        pn_response_set_free(responses);
        pn_exchange_free(x);
        return status;
    }
    if (responses != NULL) {
        pn_response_set_free(c->responses);
        c->responses = responses;
    }
    c->in_flight = true;
    begin_fade(c, x);
    return PINNA_OK;
}
