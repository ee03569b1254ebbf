// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/convolver.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "convolve/convolver_state.h"

enum { LAG_BLOCKS = 16, CATCH_UP_BLOCKS = 2 };

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
    if (c->collected == NULL || c->pending == NULL || c->collected_rows == NULL || c->pending_rows == NULL ||
        c->in_at == NULL || c->out_at == NULL)
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
    return pn_engine_create(&engine, &c->engine, err);
}

/* Measures, refuses what does not fit, and makes the history. */
static pinna_status prepare(pn_convolver *c, const pn_convolver_desc *desc, pn_engine_need *need,
                            pinna_error *err) {
    pn_history_span *span = NULL;
    pinna_status status = pn_convolver_measure(c, c->device, desc->irs, desc->ir_count, need, &span, err);
    if (status != PINNA_OK)
        return status;
    c->block = need->plan.block;
    double buffers = 4.0 * c->block * (c->inputs + c->outputs);
    double history = pn_history_bytes(c->inputs, span, c->block), kept = 0;
    for (size_t e = 0; desc->editable && e < desc->ir_count; ++e)
        kept += (double)desc->irs[e].length * sizeof(float);
    status = pn_convolver_check_memory(c, need->host_bytes + history + buffers + kept, err);
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
    if (status != PINNA_OK)
        return status;
    pn_engine_desc engine = pn_convolver_engine_desc(c, c->device, desc->irs, desc->ir_count);
    c->engine_bytes = need.host_bytes;
    pinna_error reason;
    status = pn_engine_create(&engine, &c->engine, &reason);
    if (status == PINNA_OK) {
        pn_engine_set_pool(c->engine, c->pool);
        return PINNA_OK;
    }
    if (c->device->by_auto && (status == PINNA_NO_MEMORY || status == PINNA_DEVICE))
        return start_on_cpu(c, desc, &reason, err);
    return pn_fail(err, status, "%s", reason.text);
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
    pn_engine_free(
        convolver->engine); /* first: its jobs may be reading the history of the exchange under way */
    pn_exchange_free(convolver->exchange);
    pn_exchange_free(atomic_load(&convolver->offer));
    pn_exchange_free(atomic_load(&convolver->returned));
    for (int q = 0; q < convolver->queued; ++q)
        pn_exchange_free(convolver->queue[q]);
    pn_response_set_free(convolver->responses);
    pn_backend_close(convolver->engine_backend);
    pn_backend_close(convolver->own_cpu);
    pn_history_free(convolver->history);
    pn_free(convolver->collected);
    pn_free(convolver->pending);
    pn_free(convolver->collected_rows);
    pn_free(convolver->pending_rows);
    pn_free(convolver->in_at);
    pn_free(convolver->out_at);
    pn_free(convolver);
}

int pn_convolver_block(const pn_convolver *convolver) {
    return convolver->block;
}

const pn_plan *pn_convolver_plan(const pn_convolver *convolver) {
    return &pn_engine_get_need(convolver->engine)->plan;
}

static double exchange_bytes(const pn_convolver *c, const pn_exchange *x) {
    if (x == NULL)
        return 0;
    double engine = x->engine == NULL ? 0 : pn_engine_get_need(x->engine)->bytes;
    return engine + pn_history_size(x->history) + 4.0 * c->outputs * c->block;
}

size_t pn_convolver_memory(const pn_convolver *convolver) {
    const pn_convolver *c = convolver;
    double bytes = pn_engine_get_need(c->engine)->bytes + pn_history_size(c->history);
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
    return convolver->exchange != NULL;
}

int64_t pn_convolver_begun(const pn_convolver *convolver) {
    return atomic_load(&convolver->begun);
}

pinna_status pn_convolver_measure_device(pn_convolver *convolver, pn_matrix_rates *rates, pinna_error *err) {
    pn_convolver_reset(convolver);
    return pn_engine_measure_device(convolver->engine, rates, err);
}

/* ------------------------------------------------------------------ loss of a device */

static bool on_device(const pn_engine *engine) {
    return pn_engine_backend(engine)->kind != PN_BACKEND_CPU;
}

/* A CPU engine with the responses of `lost`, at time `time`. */
static pinna_status make_successor(pn_convolver *c, const pn_engine *lost, int64_t time,
                                   pn_engine **successor, pinna_error *err) {
    size_t count;
    const pinna_ir *irs = pn_engine_kept_irs(lost, &count);
    pn_engine_desc desc = pn_convolver_engine_desc(c, c->own_cpu, irs, count);
    pinna_status status = pn_engine_create(&desc, successor, err);
    if (status == PINNA_OK)
        status = pn_engine_prime(*successor, c->history, time, err);
    return status;
}

static void replace_engine(pn_engine **engine, pn_engine *successor) {
    if (successor == NULL)
        return;
    pn_engine_free(*engine);
    *engine = successor;
}

pinna_status pn_convolver_take_over(pn_convolver *c, int64_t time, const pinna_error *reason,
                                    pinna_error *err) {
    pn_engine *engine = NULL, *next = NULL;
    pinna_status status = PINNA_OK;
    if (c->own_cpu == NULL)
        status = pn_backend_cpu_open(c->pool, &c->own_cpu, err);
    if (status == PINNA_OK && on_device(c->engine))
        status = make_successor(c, c->engine, time, &engine, err);
    if (status == PINNA_OK && c->exchange != NULL && on_device(c->exchange->engine))
        status = make_successor(c, c->exchange->engine, time - (int64_t)c->lag, &next, err);
    if (status != PINNA_OK) {
        pn_engine_free(engine);
        pn_engine_free(next);
        return pn_fail_within(err, status, "device %s failed (%s), and the CPU could not take over",
                              c->device->name, reason->text);
    }
    pn_warn(c->messages,
            "device %s failed: %s; the CPU takes over the convolution at frame %lld, nothing is lost",
            c->device->name, reason->text, (long long)time);
    replace_engine(&c->engine, engine);
    if (c->exchange != NULL)
        replace_engine(&c->exchange->engine, next);
    c->backend = c->own_cpu;
    atomic_store(&c->lost, true);
    return PINNA_OK;
}

/* ------------------------------------------------------------------ an exchange under way */

void pn_convolver_adopt(pn_convolver *c, pn_exchange *x) {
    int64_t time = pn_history_time(c->history);
    c->lag = x->history == NULL ? 0 : (size_t)(time - pn_history_time(x->history));
    if (x->history != NULL) {
        pn_history *old = c->history;
        pn_history_append(x->history, old, c->block);
        c->history = x->history;
        x->history = old;
    }
    if (x->own_backend != NULL)
        pn_backend_cpu_set_pool(x->own_backend, pn_backend_cpu_pool(c->backend));
    pn_engine_set_pool(x->engine, c->pool);
    c->exchange = x;
    c->fade_done = 0;
}

/* Looks for an offer of the control thread. One that is too far behind, or was made before a reset or for a device
 * that is lost, goes back. */
static void take_offer(pn_convolver *c) {
    if (c->exchange != NULL || atomic_load_explicit(&c->offer, memory_order_relaxed) == NULL)
        return;
    pn_exchange *x = atomic_exchange(&c->offer, NULL);
    int64_t lag = pn_history_time(c->history) - pn_history_time(x->history);
    int64_t most = LAG_BLOCKS * (int64_t)c->block, kept = (int64_t)pn_history_margin(c->block) / 2;
    bool fits = atomic_load(&c->history->generation) == x->generation && lag >= 0 &&
                lag <= (most < kept ? most : kept) && (c->backend == c->device || !on_device(x->engine));
    if (fits)
        pn_convolver_adopt(c, x);
    else
        atomic_store(&c->returned, x);
}

/* What was replaced travels back. The place is free: there is one exchange at a time, collected before the next. */
static void retire(pn_convolver *c) {
    pn_exchange *x = c->exchange;
    pn_engine *engine = c->engine;
    pn_backend *own = c->engine_backend;
    c->engine = x->engine;
    c->engine_backend = x->own_backend;
    c->exchange = NULL;
    x->engine = engine;
    x->own_backend = own;
    x->done = true;
    atomic_store(&c->returned, x);
}

void pn_convolver_fade(pn_convolver *c, float *const *old, int from, int end) {
    pn_exchange *x = c->exchange;
    float *const *new = x->rows;
    double step = 1 / ((double)x->fade_frames + 1);
    for (int o = 0; o < c->outputs; ++o) {
        for (int n = from; n < end; ++n) {
            size_t at = c->fade_done + (size_t)(n - from);
            float share = (float)((double)(at + 1) * step);
            if (at >= x->fade_frames)
                old[o][n] = new[o][n];
            else
                old[o][n] += (new[o][n] - old[o][n]) * share;
        }
    }
    c->fade_done += (size_t)(end - from);
    if (c->fade_done >= x->fade_frames)
        retire(c);
}

/* ------------------------------------------------------------------ one block */

/* Brings the engine that takes over from the block before `lag` up to `time`, or some blocks nearer to it. */
static pinna_status run_next(pn_convolver *c, int64_t time, pinna_error *err) {
    pn_exchange *x = c->exchange;
    pinna_status status = PINNA_OK;
    for (int extra = 0; c->lag > 0 && extra < CATCH_UP_BLOCKS && status == PINNA_OK; ++extra) {
        status = pn_engine_run(x->engine, c->history, time - (int64_t)c->lag, x->rows, err);
        if (status == PINNA_OK)
            c->lag -= (size_t)c->block;
    }
    return status == PINNA_OK ? pn_engine_run(x->engine, c->history, time - (int64_t)c->lag, x->rows, err)
                              : status;
}

static pinna_status run_engines(pn_convolver *c, float *const *out, pinna_error *err) {
    int64_t time = pn_history_time(c->history);
    pinna_status status = pn_engine_run(c->engine, c->history, time, out, err);
    if (status == PINNA_OK && c->exchange != NULL)
        status = run_next(c, time, err);
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
    if (c->exchange == NULL || c->lag > 0)
        return;
    if (c->fade_done == 0)
        atomic_store(&c->begun, pn_history_time(c->history) - c->block);
    pn_convolver_fade(c, out, 0, c->block);
}

pinna_status pn_convolver_block_process(pn_convolver *convolver, const float *const *in, float *const *out,
                                        pinna_error *err) {
    unsigned long mode = pn_flush_denormals();
    take_offer(convolver);
    pn_engine_start(convolver->engine, in); /* a device computes while the history is written */
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
    if (c->exchange != NULL) {
        pn_engine_reset(c->engine); /* ends its jobs, which read the history */
        retire(c);
    }
    c->lag = 0;
    pn_engine_reset(c->engine);
    pn_history_reset(c->history);
    memset(c->pending, 0, (size_t)c->outputs * (size_t)c->block * sizeof(float));
    c->buffered = c->block_known = false;
    c->fill = 0;
    atomic_store(&c->begun, -1);
}
