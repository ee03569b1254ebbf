// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The clock of the partition levels.
 *
 * A level with blocks of B_l = R B frames covers the taps from 2 B_l on (level 0: from 0 on). Its job begins in the
 * call that completes a block of B_l input frames; what it gives is heard from 2 B_l frames after that block's
 * first frame on, which is B_l frames later: the job has R calls. In the R-th call it is finished, after the last
 * frames of the result before it have been heard, and the next job begins. So each level has one result and at
 * most one job under way:
 *     call of phase 1 .. R-1   hear slice phase - 1 of the result, advance the job to phase / R
 *     call of phase 0 (R)      hear slice R - 1, finish the job into the result, begin the next
 * with phase = calls mod R. (Gardner 1995; the schedule as in Wefers 2015, chapter 6.)
 *
 * The CPU spreads a job over its period by itself (advance), or hands it to the threads of its pool as it begins, due
 * at the end of the period; advance then only makes up for what they are behind. A back end that has matrices keeps
 * this clock itself, and gets the whole matrix. */
#include <string.h>

#include "convolve/engine_state.h"

const pn_engine_need *pn_engine_get_need(const pn_engine *engine) {
    return &engine->need;
}

const pinna_ir *pn_engine_kept_irs(const pn_engine *engine, size_t *count) {
    *count = engine->kept_count;
    return engine->kept;
}

pn_backend *pn_engine_backend(const pn_engine *engine) {
    return engine->backend;
}

bool pn_engine_has(const pn_engine *engine, int output) {
    return engine->has[output] && !engine->mute[output];
}

int64_t pn_engine_period(const pn_engine *engine) {
    int64_t period = 0;
    for (int l = 1; l < engine->levels; ++l)
        period = engine->level[l].level != NULL ? engine->level[l].block : period;
    return period;
}

/* ------------------------------------------------------------------ run */

/* Points the level's inputs at the window that ends at `end`. */
static const float *const *look_at(pn_engine_level *level, const pn_history *history, int64_t end) {
    for (int i = 0; i < level->inputs; ++i)
        level->history[i] = pn_history_window(history, level->input[i], end, 2 * (size_t)level->block);
    return level->history;
}

/* Feeds the windows that end at first, first + block, .. up to `last`, as far as there is anything to hear. */
static pinna_status feed(const pn_engine *engine, pn_engine_level *level, const pn_history *history,
                         int64_t first, int64_t last, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int64_t end = first; end <= last && status == PINNA_OK; end += level->block)
        if (end > 0)
            status = engine->backend->ops->level_feed(level->level, look_at(level, history, end), err);
    return status;
}

static pinna_status finish(const pn_engine *engine, pn_engine_level *level, pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    if (ops->level_lend != NULL)
        return ops->level_lend(level->level, &level->heard, err);
    level->heard = (const float *const *)level->out;
    return ops->level_finish(level->level, level->out, err);
}

/* The job whose result is being heard is run in one piece; the one under way gets its share. */
static pinna_status prime_level(const pn_engine *engine, pn_engine_level *level, const pn_history *history,
                                int64_t time, pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    int call = engine->need.plan.block;
    int64_t block = level->block;
    int phase = (int)(time / call % level->period);
    int64_t begun = time - (int64_t)phase * call;
    pinna_status status =
        feed(engine, level, history, begun - level->partitions * block, begun - 2 * block, err);
    if (status == PINNA_OK)
        status = ops->level_begin(level->level, look_at(level, history, begun - block), err);
    if (status == PINNA_OK)
        status = finish(engine, level, err);
    if (status == PINNA_OK)
        status = ops->level_begin(level->level, look_at(level, history, begun), err);
    if (status != PINNA_OK)
        return status;
    ops->level_advance(level->level, phase, level->period);
    level->running = true;
    return PINNA_OK;
}

typedef struct {
    const pn_engine *engine;
    const pn_history *history;
} matrix_past;

static const float *matrix_window(const void *user, int input, int64_t end, size_t frames) {
    const matrix_past *past = user;
    return pn_history_window(past->history, past->engine->input[input], end, frames);
}

pinna_status pn_engine_prime(pn_engine *engine, const pn_history *history, int64_t time, pinna_error *err) {
    if (time == 0)
        return PINNA_OK;
    const matrix_past past = {engine, history};
    if (engine->matrix != NULL)
        return engine->backend->ops->matrix_prime(engine->matrix, time, matrix_window, &past, err);
    pn_engine_level *head = &engine->level[0];
    pinna_status status =
        feed(engine, head, history, time - (int64_t)(head->partitions - 2) * head->block, time, err);
    for (int l = 1; l < engine->levels && status == PINNA_OK; ++l)
        if (engine->level[l].level != NULL)
            status = prime_level(engine, &engine->level[l], history, time, err);
    return status;
}

void pn_engine_move(pn_engine *engine, const pn_history *history, int64_t time) {
    const pn_backend_ops *ops = engine->backend->ops;
    int call = engine->need.plan.block;
    for (int l = 1; l < engine->levels && ops->level_move != NULL; ++l) {
        pn_engine_level *level = &engine->level[l];
        int phase = (int)(time / call % level->period);
        if (level->running)
            ops->level_move(level->level, look_at(level, history, time - (int64_t)phase * call));
    }
}

static void start_matrix(pn_engine *engine) {
    engine->start_error.status = PINNA_OK;
    engine->backend->ops->matrix_begin(engine->matrix, engine->in, &engine->start_error);
    engine->started = true;
}

void pn_engine_start(pn_engine *engine, const float *const *in) {
    if (engine->matrix == NULL)
        return;
    for (int i = 0; i < engine->used_inputs; ++i)
        engine->in[i] = in[engine->input[i]];
    start_matrix(engine);
}

void pn_engine_set_pool(pn_engine *engine, pn_pool *pool) {
    if (engine->matrix != NULL && engine->backend->ops->matrix_set_pool != NULL)
        engine->backend->ops->matrix_set_pool(engine->matrix, pool);
}

static pinna_status run_matrix(pn_engine *engine, const pn_history *history, int64_t time, float *const *out,
                               pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    if (!engine->started) {
        for (int i = 0; i < engine->used_inputs; ++i)
            engine->in[i] =
                pn_history_window(history, engine->input[i], time, (size_t)engine->need.plan.block);
        start_matrix(engine);
    }
    engine->started = false;
    if (engine->start_error.status != PINNA_OK)
        return pn_fail(err, engine->start_error.status, "%s", engine->start_error.text);
    for (int o = 0; o < engine->used_outputs; ++o)
        engine->out[o] = engine->mute[engine->output[o]] ? NULL : out[engine->output[o]];
    return ops->matrix_finish(engine->matrix, engine->out, err);
}

static float *row_of(const pn_engine *engine, int output, float *const *out) {
    return engine->mute[output] ? engine->waste : out[output];
}

/* The slices of the outputs lie far apart: the next one's lines are asked for while one is added. */
static void add_slice(const pn_engine *engine, const pn_engine_level *level, int slice, float *const *out) {
    int frames = engine->need.plan.block;
    for (int o = 0; level->heard != NULL && o < level->outputs; ++o) {
        const float *next = level->heard[o + 1 < level->outputs ? o + 1 : o] + (size_t)slice * (size_t)frames;
        for (int n = 0; n < frames; n += 16)
            __builtin_prefetch(next + n);
        if (engine->mute[level->output[o]])
            continue;
        const float *restrict from = level->heard[o] + (size_t)slice * (size_t)frames;
        float *restrict to = out[level->output[o]];
        for (int n = 0; n < frames; ++n)
            to[n] += from[n];
    }
}

static pinna_status run_level(const pn_engine *engine, pn_engine_level *level, const pn_history *history,
                              int64_t time, float *const *out, pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    int call = engine->need.plan.block, period = level->period;
    int phase = (int)(time / call % period);
    add_slice(engine, level, (phase + period - 1) % period, out);
    if (level->running)
        ops->level_advance(level->level, phase == 0 ? period : phase, period);
    if (phase != 0)
        return PINNA_OK;
    pinna_status status = level->running ? finish(engine, level, err) : PINNA_OK;
    if (status == PINNA_OK)
        status = ops->level_begin(level->level, look_at(level, history, time), err);
    level->running = status == PINNA_OK;
    return status;
}

pinna_status pn_engine_run(pn_engine *engine, const pn_history *history, int64_t time, float *const *out,
                           pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    pn_engine_level *head = &engine->level[0];
    if (engine->matrix != NULL)
        return run_matrix(engine, history, time, out, err);
    for (int o = 0; o < head->outputs; ++o)
        head->out[o] = row_of(engine, head->output[o], out);
    if (ops->level_aim != NULL)
        ops->level_aim(head->level, head->out);
    pinna_status status = ops->level_begin(head->level, look_at(head, history, time), err);
    if (status == PINNA_OK)
        status = ops->level_finish(head->level, head->out, err);
    for (int l = 1; l < engine->levels && status == PINNA_OK; ++l)
        if (engine->level[l].level != NULL)
            status = run_level(engine, &engine->level[l], history, time, out, err);
    return status;
}

void pn_engine_mute(pn_engine *engine, const bool *muted) {
    const pn_backend_ops *ops = engine->backend->ops;
    for (int o = 0; o < engine->outputs; ++o)
        engine->mute[o] = muted[o] || engine->mute[o];
    for (int o = 0; o < engine->used_outputs; ++o)
        engine->level_mute[o] = engine->mute[engine->output[o]];
    if (engine->matrix != NULL && ops->matrix_mute != NULL)
        ops->matrix_mute(engine->matrix, engine->level_mute);
    for (int l = 0; l < engine->levels && ops->level_mute != NULL; ++l) {
        pn_engine_level *level = &engine->level[l];
        for (int o = 0; o < level->outputs; ++o)
            engine->level_mute[o] = engine->mute[level->output[o]];
        if (level->level != NULL)
            ops->level_mute(level->level, engine->level_mute);
    }
}

pinna_status pn_engine_measure_device(pn_engine *engine, pn_matrix_rates *rates, pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    if (engine->matrix == NULL || ops->matrix_measure == NULL)
        return pn_fail(err, PINNA_UNSUPPORTED, "%s: nothing to be measured", engine->backend->name);
    return ops->matrix_measure(engine->matrix, rates, err);
}

void pn_engine_reset(pn_engine *engine) {
    if (engine->matrix != NULL)
        engine->backend->ops->matrix_reset(engine->matrix);
    for (int l = 0; l < engine->levels; ++l) {
        pn_engine_level *level = &engine->level[l];
        if (level->level == NULL)
            continue;
        engine->backend->ops->level_reset(level->level);
        level->running = false;
        level->heard = NULL;
    }
}
