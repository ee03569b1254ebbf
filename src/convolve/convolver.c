// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/convolver.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "convolve/convolver_state.h"

/* ------------------------------------------------------------------ create */

static void point_rows(float **rows, float *data, int count, int block) {
    for (int i = 0; i < count; ++i)
        rows[i] = data + (size_t)i * (size_t)block;
}

static pinna_status allocate_buffers(pn_convolver *c, pinna_error *err) {
    size_t inputs = (size_t)c->inputs, outputs = (size_t)c->outputs, block = (size_t)c->block;
    c->collected = pn_alloc(inputs, block * sizeof(float));
    c->pending = pn_alloc(outputs, block * sizeof(float));
    c->collected_rows = pn_alloc(inputs, sizeof(float *));
    c->pending_rows = pn_alloc(outputs, sizeof(float *));
    c->in_at = pn_alloc(inputs, sizeof(float *));
    c->out_at = pn_alloc(outputs, sizeof(float *));
    c->parts = pn_alloc(1, sizeof *c->parts);
    c->owner = pn_alloc(outputs, sizeof(pn_part *));
    c->not_its = pn_alloc(outputs, sizeof *c->not_its);
    if (c->collected == NULL || c->pending == NULL || c->collected_rows == NULL || c->pending_rows == NULL ||
        c->in_at == NULL || c->out_at == NULL || c->parts == NULL || c->owner == NULL || c->not_its == NULL)
        return pn_fail_memory(err, "the convolver's buffers", (double)(inputs + outputs) * (double)block * 4);
    point_rows(c->collected_rows, c->collected, c->inputs, c->block);
    point_rows(c->pending_rows, c->pending, c->outputs, c->block);
    return PINNA_OK;
}

/* A device that auto chose, and that has no room or fails at once, is one that can be replaced. */
static pinna_status start_on_cpu(pn_convolver *c, const pn_convolver_desc *desc, const pinna_error *reason,
                                 pinna_error *err) {
    pinna_status status = pn_backend_cpu_open(c->pool, &c->own_cpu, err);
    if (status != PINNA_OK)
        return status;
    pn_warn(c->messages, "%s; the CPU convolves instead", reason->text);
    c->backend = c->own_cpu;
    atomic_store(&c->lost, true);
    pn_engine_desc engine = pn_convolver_engine_desc(c, c->own_cpu, desc->irs, desc->ir_count);
    return pn_engine_create(&engine, &c->parts->engine, err);
}

static pinna_status create_engine(pn_convolver *c, const pn_convolver_desc *desc, pinna_error *err) {
    pn_engine_desc engine = pn_convolver_engine_desc(c, c->device, desc->irs, desc->ir_count);
    pinna_error reason;
    pinna_status status = pn_engine_create(&engine, &c->parts->engine, &reason);
    if (status == PINNA_OK) {
        pn_engine_set_pool(c->parts->engine, c->pool);
        return PINNA_OK;
    }
    if (c->device->by_auto && (status == PINNA_NO_MEMORY || status == PINNA_DEVICE))
        return start_on_cpu(c, desc, &reason, err);
    return pn_fail(err, status, "%s", reason.text);
}

static void give_outputs(pn_convolver *c) {
    for (int o = 0; o < c->outputs; ++o) {
        if (!pn_engine_has(c->parts->engine, o))
            continue;
        c->owner[o] = c->parts;
        ++c->parts->outputs;
    }
}

/* Measures, refuses what does not fit, and makes the history. */
static pinna_status prepare(pn_convolver *c, const pn_convolver_desc *desc, pn_engine_need *need,
                            pinna_error *err) {
    pn_history_span *span = NULL;
    pinna_status status =
        pn_convolver_measure(c, c->device, desc->irs, desc->ir_count, false, need, &span, err);
    if (status != PINNA_OK)
        return status;
    c->block = need->plan.block;
    double buffers = 4.0 * c->block * (c->inputs + c->outputs);
    double history = pn_history_bytes(c->inputs, span, c->block), kept = 0;
    for (size_t e = 0; desc->editable && e < desc->ir_count; ++e)
        kept += (double)desc->irs[e].length * sizeof(float);
    status = pn_convolver_check_memory(c, need->host_bytes + history + buffers + kept, err);
    if (status == PINNA_OK)
        status = pn_convolver_check_taps(desc->irs, desc->ir_count, err);
    if (status == PINNA_OK)
        status = pn_history_create(c->inputs, span, c->block, &c->history, err);
    if (status == PINNA_OK)
        c->history->alone = c->fixed;
    pn_free(span);
    return status;
}

static pinna_status build(pn_convolver *c, const pn_convolver_desc *desc, pinna_error *err) {
    pn_engine_need need;
    pinna_status status = prepare(c, desc, &need, err);
    if (status == PINNA_OK)
        status = allocate_buffers(c, err);
    if (status == PINNA_OK && desc->editable)
        status = pn_response_set_create(NULL, desc->irs, desc->ir_count, &c->responses, err);
    if (status == PINNA_OK)
        status = pn_sides_create(c->outputs, &c->sides, err);
    if (status == PINNA_OK)
        status = pn_convolver_commit_all(c, desc->irs, desc->ir_count, need.host_bytes, err);
    if (status == PINNA_OK)
        status = create_engine(c, desc, err);
    if (status == PINNA_OK)
        give_outputs(c);
    return status;
}

pinna_status pn_convolver_create(const pn_convolver_desc *desc, pn_convolver **out, pinna_error *err) {
    *out = NULL;
    if (desc->inputs < 1 || desc->inputs > PN_ENGINE_CHANNELS || desc->outputs < 1 ||
        desc->outputs > PN_ENGINE_CHANNELS)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: %d inputs and %d outputs, expected 1..%d of each",
                       desc->inputs, desc->outputs, (int)PN_ENGINE_CHANNELS);
    pinna_status status = pn_convolver_check_irs(desc->irs, desc->ir_count, desc->inputs, desc->outputs, err);
    if (status != PINNA_OK)
        return status;
    pn_convolver *convolver = pn_alloc(1, sizeof *convolver);
    if (convolver == NULL)
        return pn_fail_memory(err, "the convolver", sizeof *convolver);
    convolver->inputs = desc->inputs;
    convolver->outputs = desc->outputs;
    convolver->block = desc->block;
    convolver->mode = desc->mode;
    convolver->fixed = desc->fixed;
    convolver->device = convolver->backend = desc->backend;
    convolver->pool = desc->pool;
    convolver->messages = desc->messages;
    atomic_init(&convolver->begun, -1);
    status = build(convolver, desc, err);
    if (status != PINNA_OK)
        pn_convolver_free(convolver);
    else
        *out = convolver;
    return status;
}

void pn_convolver_free(pn_convolver *convolver) {
    if (convolver == NULL)
        return;
    /* first: their jobs may be reading the history of the exchange under way */
    for (pn_part *part = convolver->parts, *next; part != NULL; part = next) {
        next = part->next;
        pn_part_free(part);
    }
    pn_exchange_free(convolver->exchange);
    pn_exchange_free(atomic_load(&convolver->offer));
    pn_exchange_free(atomic_load(&convolver->returned));
    for (int q = 0; q < convolver->queued; ++q)
        pn_exchange_free(convolver->queue[q]);
    pn_response_set_free(convolver->responses);
    pn_sides_free(convolver->sides);
    pn_backend_close(convolver->own_cpu);
    pn_history_free(convolver->history);
    pn_free(convolver->collected);
    pn_free(convolver->pending);
    pn_free(convolver->collected_rows);
    pn_free(convolver->pending_rows);
    pn_free(convolver->in_at);
    pn_free(convolver->out_at);
    pn_free(convolver->owner);
    pn_free(convolver->not_its);
    pn_free(convolver);
}

int pn_convolver_block(const pn_convolver *convolver) {
    return convolver->block;
}

const pn_plan *pn_convolver_plan(const pn_convolver *convolver) {
    return &pn_engine_get_need(convolver->parts->engine)->plan;
}

static double parts_bytes(const pn_part *part) {
    double bytes = 0;
    for (; part != NULL; part = part->next)
        bytes += part->engine == NULL ? 0 : pn_engine_get_need(part->engine)->bytes;
    return bytes;
}

static double exchange_bytes(const pn_convolver *c, const pn_exchange *x) {
    if (x == NULL)
        return 0;
    return parts_bytes(x->part) + parts_bytes(x->replaced) + pn_history_size(x->history) +
           4.0 * x->outputs * c->block;
}

size_t pn_convolver_memory(const pn_convolver *convolver) {
    const pn_convolver *c = convolver;
    double bytes = parts_bytes(c->parts) + pn_history_size(c->history);
    bytes += exchange_bytes(c, c->exchange) + exchange_bytes(c, atomic_load(&c->offer)) +
             exchange_bytes(c, atomic_load(&c->returned));
    for (int q = 0; q < c->queued; ++q)
        bytes += exchange_bytes(c, c->queue[q]);
    bytes += 4.0 * c->block * (c->inputs + c->outputs) + pn_response_set_bytes(c->responses);
    return (size_t)bytes;
}

const char *pn_convolver_device(const pn_convolver *convolver) {
    return convolver->backend->name;
}

int pn_convolver_latency(const pn_convolver *convolver) {
    return convolver->buffered ? convolver->block : 0;
}

bool pn_convolver_fading(const pn_convolver *convolver) {
    return convolver->exchange != NULL && convolver->exchange->part != NULL;
}

int64_t pn_convolver_begun(const pn_convolver *convolver) {
    return atomic_load(&convolver->begun);
}

pinna_status pn_convolver_measure_device(pn_convolver *convolver, pn_matrix_rates *rates, pinna_error *err) {
    pn_convolver_reset(convolver);
    return pn_engine_measure_device(convolver->parts->engine, rates, err);
}

/* The rings have room for it: two of the longest windows. The oldest frame that is still read, while block T is
 * computed, is three blocks of the largest level back from its end (a window of two, which the job keeps for one);
 * where there is one level, two. The end of block T + 2 is two blocks ahead, and the largest level's block is that of
 * the call, or at least twice as long. */
float *pn_convolver_place(const pn_convolver *convolver, int input, uint64_t number) {
    return pn_history_place(convolver->history, input, (int64_t)number * convolver->block);
}

/* ------------------------------------------------------------------ one block */

static pinna_status run_engines(pn_convolver *c, float *const *out, pinna_error *err) {
    int64_t time = pn_history_time(c->history);
    pinna_status status = PINNA_OK;
    for (int o = 0; o < c->outputs; ++o)
        if (c->owner[o] == NULL)
            memset(out[o], 0, (size_t)c->block * sizeof(float));
    for (pn_part *part = c->parts; part != NULL && status == PINNA_OK; part = part->next)
        status = pn_engine_run(part->engine, c->history, time, out, err);
    if (status == PINNA_OK && c->exchange != NULL)
        status = pn_convolver_run_next(c, time, err);
    return status;
}

static pinna_status compute(pn_convolver *c, float *const *out, pinna_error *err) {
    pinna_error reason = {0};
    pinna_status status = run_engines(c, out, &reason);
    if (status == PINNA_OK)
        return PINNA_OK;
    if (c->backend->kind == PN_BACKEND_CPU)
        return pn_fail(err, status, "%s", reason.text);
    status = pn_convolver_take_over(c, pn_history_time(c->history) - c->block, &reason, err);
    return status == PINNA_OK ? run_engines(c, out, err) : status;
}

static void fade_block(pn_convolver *c, float *const *out) {
    if (!pn_convolver_fading(c) || c->lag > 0)
        return;
    if (c->fade_done == 0)
        atomic_store(&c->begun, pn_history_time(c->history) - c->block);
    pn_convolver_fade(c, out, 0, c->block);
}

pinna_status pn_convolver_block_process(pn_convolver *convolver, const float *const *in, float *const *out,
                                        pinna_error *err) {
    unsigned long mode = pn_flush_denormals();
    pn_convolver_send_back(convolver);
    pn_convolver_take_offer(convolver);
    for (pn_part *part = convolver->parts; part != NULL; part = part->next)
        pn_engine_start(part->engine, in); /* a device computes while the history is written */
    pn_history_write(convolver->history, in, convolver->block, convolver->pool);
    pinna_status status = compute(convolver, out, err);
    if (status == PINNA_OK)
        fade_block(convolver, out);
    pn_restore_denormals(mode);
    return status;
}

/* ------------------------------------------------------------------ calls of any size */

static pinna_status process_blocks(pn_convolver *c, const float *const *in, float *const *out, size_t frames,
                                   pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (size_t done = 0; done < frames && status == PINNA_OK; done += (size_t)c->block) {
        for (int i = 0; i < c->inputs; ++i)
            c->in_at[i] = in[i] == NULL ? NULL : in[i] + done;
        for (int o = 0; o < c->outputs; ++o)
            c->out_at[o] = out[o] + done;
        status = pn_convolver_block_process(c, c->in_at, c->out_at, err);
    }
    return status;
}

/* Exchanges `frames` frames, from frame `done` of the call on, with the block under way. */
static void exchange(pn_convolver *c, const float *const *in, float *const *out, size_t done, size_t frames) {
    for (int i = 0; i < c->inputs; ++i) {
        if (in[i] != NULL)
            memcpy(c->collected_rows[i] + c->fill, in[i] + done, frames * sizeof(float));
        else
            memset(c->collected_rows[i] + c->fill, 0, frames * sizeof(float));
    }
    for (int o = 0; o < c->outputs; ++o)
        memcpy(out[o] + done, c->pending_rows[o] + c->fill, frames * sizeof(float));
    c->fill += (int)frames;
}

pinna_status pn_convolver_process(pn_convolver *convolver, const float *const *in, float *const *out,
                                  size_t frames, pinna_error *err) {
    pn_convolver *c = convolver;
    size_t block = (size_t)c->block;
    if (!c->buffered && frames % block == 0)
        return process_blocks(c, in, out, frames, err);
    c->buffered = true;
    for (size_t done = 0; done < frames;) {
        size_t room = block - (size_t)c->fill;
        size_t part = frames - done < room ? frames - done : room;
        exchange(c, in, out, done, part);
        done += part;
        if (c->fill < c->block)
            continue;
        c->fill = 0;
        c->block_known = true;
        pinna_status status =
            pn_convolver_block_process(c, (const float *const *)c->collected_rows, c->pending_rows, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

void pn_convolver_reset(pn_convolver *convolver) {
    pn_convolver *c = convolver;
    /* Ends all jobs, which read the history. */
    for (pn_part *part = c->parts; part != NULL; part = part->next)
        pn_engine_reset(part->engine);
    if (c->exchange != NULL) {
        if (c->exchange->part != NULL && c->exchange->part->engine != NULL)
            pn_engine_reset(c->exchange->part->engine);
        pn_convolver_settle(c);
        c->exchange->held = 0;
        pn_convolver_send_back(c);
    }
    c->lag = 0;
    pn_history_reset(c->history);
    memset(c->pending, 0, (size_t)c->outputs * (size_t)c->block * sizeof(float));
    c->buffered = c->block_known = false;
    c->fill = 0;
    atomic_store(&c->begun, -1);
}
