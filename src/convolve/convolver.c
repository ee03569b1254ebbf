// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/convolver.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "convolve/engine.h"

enum { MOST_CHANNELS = 1024 };
static const size_t LONGEST = (size_t)600 * 384000;  /* ten minutes at the highest rate */
static const size_t SPARE_HISTORY = (size_t)1 << 22; /* frames over all inputs, for a longer response later */
static const size_t MOST_SPARE = (size_t)1 << 19;    /* frames of one input */

struct pn_convolver {
    int inputs, outputs, block;
    pn_plan_mode mode;
    pn_backend *backend; /* what computes now */
    pn_backend *own_cpu; /* after the loss of a device */
    pn_pool *pool;
    pn_messages *messages;

    pn_history history;
    pn_engine *engine;

    /* an exchange of responses */
    pn_engine *next;
    float *next_out;   /* [output][block], made at the first exchange */
    float **next_rows; /* [output] into next_out */
    size_t fade_frames, fade_done;
    pn_engine
        *retired; /* the old engine, freed at the next exchange, and the history that it may still read */
    pn_history retired_history;

    /* calls of any size */
    bool buffered;
    bool block_known;           /* pending is the output of the last block, not the silence before it */
    int fill;                   /* frames of the block under way */
    float *collected, *pending; /* [input][block], [output][block] */
    float **collected_rows, **pending_rows;
    const float **in_at;
    float **out_at;
};

/* ------------------------------------------------------------------ checks */

static pinna_status check_ir(const pinna_ir *ir, size_t index, int inputs, int outputs, pinna_error *err) {
    if (ir->input < 0 || ir->input >= inputs || ir->output < 0 || ir->output >= outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "impulse response %zu: from input %d to output %d, but the matrix is %d x %d", index,
                       ir->input, ir->output, inputs, outputs);
    if (ir->taps == NULL || ir->length == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response %zu: no taps, expected 1 or more", index);
    if (ir->length > LONGEST)
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "impulse response %zu: %zu taps, expected at most %zu (ten minutes at 384 kHz); cut it", index,
            ir->length, LONGEST);
    for (size_t n = 0; n < ir->length; ++n)
        if (!isfinite(ir->taps[n]))
            return pn_fail(err, PINNA_BAD_ARGUMENT,
                           "impulse response %zu: tap %zu is not a finite number; repair the response", index,
                           n);
    return PINNA_OK;
}

static pinna_status check_irs(const pinna_ir *irs, size_t count, int inputs, int outputs, pinna_error *err) {
    if (irs == NULL || count == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: no impulse responses, expected 1 or more");
    if (count > (size_t)inputs * (size_t)outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: %zu impulse responses, but the matrix is %d x %d",
                       count, inputs, outputs);
    bool *taken = pn_alloc((size_t)inputs * (size_t)outputs, sizeof *taken);
    if (taken == NULL)
        return pn_fail_memory(err, "the convolver", (double)inputs * outputs);
    pinna_status status = PINNA_OK;
    for (size_t e = 0; e < count && status == PINNA_OK; ++e) {
        status = check_ir(&irs[e], e, inputs, outputs, err);
        if (status != PINNA_OK)
            break;
        bool *pair = &taken[(size_t)irs[e].input * (size_t)outputs + (size_t)irs[e].output];
        if (*pair)
            status = pn_fail(err, PINNA_BAD_ARGUMENT,
                             "impulse response %zu: there is another one from input %d to output %d", e,
                             irs[e].input, irs[e].output);
        *pair = true;
    }
    pn_free(taken);
    return status;
}

static double machine_bytes(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (double)pages * (double)size : INFINITY;
}

static pinna_status check_memory(const pn_convolver *convolver, double bytes, pinna_error *err) {
    double limit = machine_bytes();
    if (bytes <= limit)
        return PINNA_OK;
    return pn_fail(
        err, PINNA_NO_MEMORY,
        "a convolver of %d x %d with these impulse responses needs %.1f GB, and this machine has %.1f GB; "
        "use fewer or shorter ones",
        convolver->inputs, convolver->outputs, bytes * 1e-9, limit * 1e-9);
}

/* ------------------------------------------------------------------ create */

static pn_engine_desc engine_desc(const pn_convolver *convolver, pn_backend *backend, const pinna_ir *irs,
                                  size_t count) {
    return (pn_engine_desc){.inputs = convolver->inputs,
                            .outputs = convolver->outputs,
                            .block = convolver->block,
                            .mode = convolver->mode,
                            .irs = irs,
                            .ir_count = count,
                            .backend = backend};
}

/* What the history must hold for these responses: on the device of now, and on the CPU should it be lost. */
static pinna_status measure_history(const pn_convolver *convolver, const pinna_ir *irs, size_t count,
                                    pn_engine_need *need, pinna_error *err) {
    pn_engine_desc desc = engine_desc(convolver, convolver->backend, irs, count);
    pinna_status status = pn_engine_measure(&desc, need, err);
    if (status == PINNA_OK && convolver->backend->kind != PN_BACKEND_CPU) {
        pn_backend cpu = {.kind = PN_BACKEND_CPU};
        pn_engine_need fallback;
        desc.backend = &cpu;
        desc.block = need->plan.block;
        status = pn_engine_measure(&desc, &fallback, err);
        need->reach = fallback.reach > need->reach ? fallback.reach : need->reach;
        need->window = fallback.window > need->window ? fallback.window : need->window;
    }
    size_t spare = SPARE_HISTORY / (size_t)convolver->inputs;
    spare = spare < MOST_SPARE ? spare : MOST_SPARE;
    need->reach = spare > need->reach ? spare : need->reach;
    return status;
}

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

static pinna_status build(pn_convolver *c, const pn_convolver_desc *desc, pinna_error *err) {
    pn_engine_need need;
    pinna_status status = measure_history(c, desc->irs, desc->ir_count, &need, err);
    if (status != PINNA_OK)
        return status;
    c->block = need.plan.block;
    double buffers = 4.0 * c->block * (c->inputs + c->outputs);
    double history = pn_history_bytes(c->inputs, need.reach, need.window, c->block);
    status = check_memory(c, need.bytes + history + buffers, err);
    if (status == PINNA_OK)
        status = allocate_buffers(c, err);
    if (status == PINNA_OK)
        status = pn_history_init(&c->history, c->inputs, need.reach, need.window, c->block, err);
    if (status != PINNA_OK)
        return status;
    pn_engine_desc engine = engine_desc(c, c->backend, desc->irs, desc->ir_count);
    return pn_engine_create(&engine, &c->engine, err);
}

pinna_status pn_convolver_create(const pn_convolver_desc *desc, pn_convolver **out, pinna_error *err) {
    *out = NULL;
    if (desc->inputs < 1 || desc->inputs > MOST_CHANNELS || desc->outputs < 1 ||
        desc->outputs > MOST_CHANNELS)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: %d inputs and %d outputs, expected 1..%d of each",
                       desc->inputs, desc->outputs, MOST_CHANNELS);
    pinna_status status = check_irs(desc->irs, desc->ir_count, desc->inputs, desc->outputs, err);
    if (status != PINNA_OK)
        return status;
    pn_convolver *convolver = pn_alloc(1, sizeof *convolver);
    if (convolver == NULL)
        return pn_fail_memory(err, "the convolver", sizeof *convolver);
    convolver->inputs = desc->inputs;
    convolver->outputs = desc->outputs;
    convolver->block = desc->block;
    convolver->mode = desc->mode;
    convolver->backend = desc->backend;
    convolver->pool = desc->pool;
    convolver->messages = desc->messages;
    status = build(convolver, desc, err);
    if (status != PINNA_OK)
        pn_convolver_free(convolver);
    else
        *out = convolver;
    return status;
}

static void free_retired(pn_convolver *convolver) {
    pn_engine_free(convolver->retired);
    convolver->retired = NULL;
    pn_history_clear(&convolver->retired_history);
}

void pn_convolver_free(pn_convolver *convolver) {
    if (convolver == NULL)
        return;
    free_retired(convolver);
    pn_engine_free(convolver->engine);
    pn_engine_free(convolver->next);
    pn_backend_close(convolver->own_cpu);
    pn_history_clear(&convolver->history);
    pn_free(convolver->next_out);
    pn_free(convolver->next_rows);
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

static double engine_bytes(const pn_engine *engine) {
    return engine == NULL ? 0 : pn_engine_get_need(engine)->bytes;
}

size_t pn_convolver_memory(const pn_convolver *convolver) {
    const pn_convolver *c = convolver;
    double bytes = engine_bytes(c->engine) + engine_bytes(c->next) + engine_bytes(c->retired);
    bytes += (double)c->inputs * 4 * (double)(c->history.stride + c->retired_history.stride);
    bytes += 4.0 * c->block * (c->inputs + c->outputs * (c->next_out == NULL ? 1 : 2));
    return (size_t)bytes;
}

const char *pn_convolver_device(const pn_convolver *convolver) {
    return convolver->backend->name;
}

int pn_convolver_latency(const pn_convolver *convolver) {
    return convolver->buffered ? convolver->block : 0;
}

bool pn_convolver_fading(const pn_convolver *convolver) {
    return convolver->next != NULL;
}

/* ------------------------------------------------------------------ loss of a device */

/* A CPU engine with the responses of `lost`, at time `time`. */
static pinna_status make_successor(pn_convolver *c, const pn_engine *lost, int64_t time,
                                   pn_engine **successor, pinna_error *err) {
    size_t count;
    const pinna_ir *irs = pn_engine_kept_irs(lost, &count);
    pn_engine_desc desc = engine_desc(c, c->own_cpu, irs, count);
    pinna_status status = pn_engine_create(&desc, successor, err);
    if (status == PINNA_OK)
        status = pn_engine_prime(*successor, &c->history, time, err);
    return status;
}

/* Replaces the engines on the lost device by ones at time `time`. */
static pinna_status take_over(pn_convolver *c, int64_t time, const pinna_error *reason, pinna_error *err) {
    pn_engine *engine = NULL, *next = NULL;
    pinna_status status = pn_backend_cpu_open(c->pool, &c->own_cpu, err);
    if (status == PINNA_OK)
        status = make_successor(c, c->engine, time, &engine, err);
    if (status == PINNA_OK && c->next != NULL)
        status = make_successor(c, c->next, time, &next, err);
    if (status != PINNA_OK) {
        pn_engine_free(engine);
        pn_engine_free(next);
        pn_backend_close(c->own_cpu);
        c->own_cpu = NULL;
        return pn_fail_within(err, status, "device %s failed (%s), and the CPU could not take over",
                              c->backend->name, reason->text);
    }
    pn_warn(c->messages,
            "device %s failed: %s; the CPU takes over the convolution at frame %lld, nothing is lost",
            c->backend->name, reason->text, (long long)time);
    pn_engine_free(c->engine);
    pn_engine_free(c->next);
    c->engine = engine;
    c->next = next;
    c->backend = c->own_cpu;
    return PINNA_OK;
}

/* ------------------------------------------------------------------ one block */

static void retire(pn_convolver *c) {
    c->retired = c->engine;
    c->engine = c->next;
    c->next = NULL;
}

/* Fades frames from .. end-1 of the rows from old to new, at the place that the fade has reached. */
static void fade(pn_convolver *c, float *const *old, float *const *new, int from, int end) {
    double step = 1 / ((double)c->fade_frames + 1);
    for (int o = 0; o < c->outputs; ++o) {
        for (int n = from; n < end; ++n) {
            size_t at = c->fade_done + (size_t)(n - from);
            float share = (float)((double)(at + 1) * step);
            if (at >= c->fade_frames)
                old[o][n] = new[o][n];
            else
                old[o][n] += (new[o][n] - old[o][n]) * share;
        }
    }
    c->fade_done += (size_t)(end - from);
    if (c->fade_done >= c->fade_frames)
        retire(c);
}

static pinna_status run_engines(pn_convolver *c, float *const *out, pinna_error *err) {
    pinna_status status = pn_engine_run(c->engine, &c->history, out, err);
    if (status == PINNA_OK && c->next != NULL)
        status = pn_engine_run(c->next, &c->history, c->next_rows, err);
    return status;
}

static pinna_status compute(pn_convolver *c, float *const *out, pinna_error *err) {
    pinna_error reason = {0};
    pinna_status status = run_engines(c, out, &reason);
    if (status == PINNA_OK)
        return PINNA_OK;
    if (c->backend->kind == PN_BACKEND_CPU)
        return pn_fail(err, status, "%s", reason.text);
    status = take_over(c, c->history.time - c->block, &reason, err);
    return status == PINNA_OK ? run_engines(c, out, err) : status;
}

pinna_status pn_convolver_block_process(pn_convolver *convolver, const float *const *in, float *const *out,
                                        pinna_error *err) {
    unsigned long mode = pn_flush_denormals();
    pn_history_write(&convolver->history, in, convolver->block);
    pinna_status status = compute(convolver, out, err);
    if (status == PINNA_OK && convolver->next != NULL)
        fade(convolver, out, convolver->next_rows, 0, convolver->block);
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

/* ------------------------------------------------------------------ swap and reset */

/* A longer history where the new responses need one. The old one stays for jobs under way in the old engine. */
static pinna_status extend_history(pn_convolver *c, const pn_engine_need *need, pinna_error *err) {
    if (need->reach <= c->history.length && need->window <= c->history.mirror)
        return PINNA_OK;
    pn_history longer = {0};
    size_t reach = need->reach > c->history.length ? need->reach : c->history.length;
    size_t window = need->window > c->history.mirror ? need->window : c->history.mirror;
    pinna_status status = pn_history_init(&longer, c->inputs, reach, window, c->block, err);
    if (status != PINNA_OK)
        return status;
    pn_history_copy(&longer, &c->history, c->block);
    c->retired_history = c->history;
    c->history = longer;
    return PINNA_OK;
}

/* After a failure: jobs under way read the old history, so that it must be the one that stays. */
static void keep_history(pn_convolver *c) {
    if (c->retired_history.data == NULL)
        return;
    pn_history_clear(&c->history);
    c->history = c->retired_history;
    memset(&c->retired_history, 0, sizeof c->retired_history);
}

static pinna_status make_next(pn_convolver *c, const pinna_ir *irs, size_t count, pn_engine **next,
                              pinna_error *err) {
    pn_engine_desc desc = engine_desc(c, c->backend, irs, count);
    pinna_status status = pn_engine_create(&desc, next, err);
    if (status != PINNA_OK)
        return status;
    bool recompute = c->buffered && c->block_known;
    status = pn_engine_prime(*next, &c->history, c->history.time - (recompute ? c->block : 0), err);
    if (status == PINNA_OK && recompute)
        status = pn_engine_run(*next, &c->history, c->next_rows, err);
    if (status != PINNA_OK) {
        pn_engine_free(*next);
        *next = NULL;
    }
    return status;
}

static pinna_status prepare_next(pn_convolver *c, const pinna_ir *irs, size_t count, pn_engine **next,
                                 pinna_error *err) {
    if (c->next_out == NULL)
        c->next_out = pn_alloc((size_t)c->outputs, (size_t)c->block * sizeof(float));
    if (c->next_rows == NULL)
        c->next_rows = pn_alloc((size_t)c->outputs, sizeof(float *));
    if (c->next_out == NULL || c->next_rows == NULL)
        return pn_fail_memory(err, "the exchange of impulse responses", 4.0 * c->outputs * c->block);
    point_rows(c->next_rows, c->next_out, c->outputs, c->block);
    pinna_error reason = {0};
    pinna_status status = make_next(c, irs, count, next, &reason);
    if (status != PINNA_DEVICE || c->backend->kind == PN_BACKEND_CPU)
        return status == PINNA_OK ? PINNA_OK : pn_fail(err, status, "%s", reason.text);
    status = take_over(c, c->history.time, &reason, err);
    return status == PINNA_OK ? make_next(c, irs, count, next, err) : status;
}

/* The part of the output that is computed but not yet heard fades too. */
static void begin_fade(pn_convolver *c, pn_engine *next, size_t fade_frames) {
    c->next = next;
    c->fade_frames = fade_frames;
    c->fade_done = 0;
    if (c->buffered && !c->block_known)
        memset(c->next_out, 0, (size_t)c->outputs * (size_t)c->block * sizeof(float));
    if (c->buffered)
        fade(c, c->pending_rows, c->next_rows, c->fill, c->block);
    else if (fade_frames == 0)
        retire(c);
}

pinna_status pn_convolver_swap(pn_convolver *convolver, const pinna_ir *irs, size_t ir_count,
                               size_t fade_frames, pinna_error *err) {
    pn_convolver *c = convolver;
    if (c->next != NULL)
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "the impulse responses are still being crossfaded (%zu of %zu frames); wait for the end",
            c->fade_done, c->fade_frames);
    pinna_status status = check_irs(irs, ir_count, c->inputs, c->outputs, err);
    pn_engine_need need;
    if (status == PINNA_OK)
        status = measure_history(c, irs, ir_count, &need, err);
    if (status == PINNA_OK)
        status = check_memory(c, need.bytes + (double)pn_convolver_memory(c), err);
    if (status != PINNA_OK)
        return status;
    free_retired(c);
    unsigned long mode = pn_flush_denormals();
    pn_engine *next = NULL;
    const pn_engine *before = c->engine;
    status = extend_history(c, &need, err);
    if (status == PINNA_OK)
        status = prepare_next(c, irs, ir_count, &next, err);
    pn_restore_denormals(mode);
    if (status != PINNA_OK) {
        if (c->engine == before)
            keep_history(c);
        return status;
    }
    begin_fade(c, next, fade_frames);
    return PINNA_OK;
}

void pn_convolver_reset(pn_convolver *convolver) {
    pn_convolver *c = convolver;
    if (c->next != NULL)
        retire(c);
    pn_engine_reset(c->engine);
    pn_history_reset(&c->history);
    memset(c->pending, 0, (size_t)c->outputs * (size_t)c->block * sizeof(float));
    c->buffered = c->block_known = false;
    c->fill = 0;
}
