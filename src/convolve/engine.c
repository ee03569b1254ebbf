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
#include "convolve/engine.h"

#include <string.h>

#include "base/memory.h"

/* Spectra that the CPU keeps besides those of the partitions: sums made ahead, copies, buffers. */
enum { CPU_FILTER = 4, CPU_INPUT = 2, CPU_OUTPUT = 5 };

typedef struct {
    pn_level *level;
    int block, partitions;
    int period; /* in calls; level 0: 1 */
    int inputs, outputs;
    int *input, *output;       /* the matrix's numbers of the level's inputs and outputs */
    const float **history;     /* of the job under way */
    float **out;               /* level 0: the caller's; else where the back end copies its results to */
    float *result;             /* [output][block], where out points; unless the back end lends its results */
    const float *const *heard; /* the result being heard, NULL before the first; not level 0 */
    bool running;
} engine_level;

struct pn_engine {
    pn_backend *backend;
    pn_engine_need need;
    int inputs, outputs;
    pn_matrix *matrix;   /* on a back end that keeps the clock itself; then there are no levels */
    int *input, *output; /* numbers of the inputs and outputs that it has, which alone are the matrix's */
    int used_inputs, used_outputs;
    const float **in; /* [used input]: new frames */
    float **out;      /* [used output]: where they go; NULL: nowhere */
    bool started;     /* the matrix has its block, or start_error says why not */
    pinna_error start_error;
    engine_level *level; /* level[0] is the one level 0 */
    int levels;
    bool *needs;      /* [input]: there are responses */
    bool *has;        /* [output]: the same */
    bool *mute;       /* [output] */
    bool *level_mute; /* scratch */
    float *waste;     /* a call's frames of a mute output */
    pinna_ir *kept;
    size_t kept_count;
    float *kept_taps;
};

/* ------------------------------------------------------------------ measure */

static size_t taps_in_level(const pn_plan *plan, int l, size_t length) {
    const pn_plan_level *level = &plan->level[l];
    if (length <= level->first)
        return 0;
    size_t room = (size_t)level->block * (size_t)level->partitions;
    return length - level->first < room ? length - level->first : room;
}

/* A sparse matrix has few responses in a level: what counts is each input's longest, and the outputs there. kept
 * [input] and heard [output] are scratch. */
static double level_bytes(const pn_engine_desc *desc, const pn_plan *plan, int l, int *kept, bool *heard) {
    const pn_plan_level *level = &plan->level[l];
    bool on_cpu = desc->backend->kind == PN_BACKEND_CPU;
    double filter = desc->backend->spectra_bits == 16 ? 17.0 / 32 : 1;
    memset(kept, 0, (size_t)desc->inputs * sizeof *kept);
    memset(heard, 0, (size_t)desc->outputs * sizeof *heard);
    double spectra = 0;
    for (size_t e = 0; e < desc->ir_count; ++e) {
        const pinna_ir *ir = &desc->irs[e];
        size_t taps = taps_in_level(plan, l, ir->length);
        if (taps == 0)
            continue;
        int partitions = (int)((taps + (size_t)level->block - 1) / (size_t)level->block);
        int more = partitions - kept[ir->input];
        spectra += partitions * filter + (more > 0 ? more : 0) + (on_cpu ? CPU_FILTER : 0);
        spectra += on_cpu && kept[ir->input] == 0 ? CPU_INPUT : 0;
        spectra += heard[ir->output] ? 0 : on_cpu ? CPU_OUTPUT : 2.5;
        kept[ir->input] += more > 0 ? more : 0;
        heard[ir->output] = true;
    }
    return 2.0 * (double)level->block * sizeof(float) * spectra;
}

static pinna_status measure_levels(const pn_engine_desc *desc, pn_engine_need *need, pinna_error *err) {
    int *kept = pn_alloc((size_t)desc->inputs, sizeof *kept);
    bool *heard = pn_alloc((size_t)desc->outputs, sizeof *heard);
    for (int l = 0; l < need->plan.levels && kept != NULL && heard != NULL; ++l)
        need->bytes += level_bytes(desc, &need->plan, l, kept, heard);
    bool measured = kept != NULL && heard != NULL;
    pn_free(kept);
    pn_free(heard);
    return measured ? PINNA_OK : pn_fail_memory(err, "the convolver's plan", 4.0 * desc->inputs);
}

pinna_status pn_engine_measure(const pn_engine_desc *desc, pn_engine_need *need, pinna_error *err) {
    memset(need, 0, sizeof *need);
    size_t taps = 0;
    for (size_t e = 0; e < desc->ir_count; ++e)
        taps += desc->irs[e].length;
    const pn_plan_desc plan = {.mode = desc->mode,
                               .kind = desc->backend->kind,
                               .block = desc->block,
                               .inputs = desc->inputs,
                               .outputs = desc->outputs,
                               .irs = desc->irs,
                               .ir_count = desc->ir_count};
    pinna_status status = pn_plan_make(&plan, &need->plan, err);
    if (status == PINNA_OK)
        status = measure_levels(desc, need, err);
    need->host_bytes = need->bytes;
    if (desc->backend->kind != PN_BACKEND_CPU) {
        need->host_bytes = (double)taps * sizeof(float);
        need->bytes += need->host_bytes;
    }
    return status;
}

/* A job's window begins two blocks before its end, and up to two periods back; see prime_level. */
void pn_engine_raise_spans(const pn_plan *plan, const pinna_ir *irs, size_t count, pn_history_span *span) {
    for (size_t e = 0; e < count; ++e) {
        pn_history_span *s = &span[irs[e].input];
        for (int l = 0; l < plan->levels; ++l) {
            size_t taps = taps_in_level(plan, l, irs[e].length), block = (size_t)plan->level[l].block;
            size_t reach = ((taps + block - 1) / block + 4) * block;
            if (taps == 0)
                continue;
            s->reach = reach > s->reach ? reach : s->reach;
            s->window = 2 * block > s->window ? 2 * block : s->window;
        }
    }
}

/* ------------------------------------------------------------------ create */

typedef struct {
    const pn_engine_desc *desc;
    pn_level_entry *entry;
    int *input_at, *output_at; /* the matrix's number to the level's, or -1 */
} builder;

/* Fills builder->entry with the responses that reach into plan level l, and the maps. */
static int gather_entries(const builder *b, const pn_plan *plan, int l, engine_level *level) {
    const pn_engine_desc *desc = b->desc;
    int entries = 0;
    memset(b->input_at, -1, (size_t)desc->inputs * sizeof *b->input_at);
    memset(b->output_at, -1, (size_t)desc->outputs * sizeof *b->output_at);
    for (size_t e = 0; e < desc->ir_count; ++e) {
        const pinna_ir *ir = &desc->irs[e];
        size_t taps = taps_in_level(plan, l, ir->length);
        if (taps == 0)
            continue;
        if (b->input_at[ir->input] < 0) {
            level->input[level->inputs] = ir->input;
            b->input_at[ir->input] = level->inputs++;
        }
        if (b->output_at[ir->output] < 0) {
            level->output[level->outputs] = ir->output;
            b->output_at[ir->output] = level->outputs++;
        }
        b->entry[entries++] = (pn_level_entry){b->input_at[ir->input], b->output_at[ir->output],
                                               ir->taps + plan->level[l].first, taps};
    }
    return entries;
}

/* Adds plan level l, without a job when nothing reaches into it. */
static pinna_status add_level(pn_engine *engine, const builder *b, int l, pinna_error *err) {
    const pn_plan *plan = &engine->need.plan;
    engine_level *level = &engine->level[engine->levels++];
    level->block = plan->level[l].block;
    level->partitions = plan->level[l].partitions;
    level->period = level->block / plan->block;
    level->input = pn_alloc((size_t)b->desc->inputs, sizeof *level->input);
    level->output = pn_alloc((size_t)b->desc->outputs, sizeof *level->output);
    level->history = pn_alloc((size_t)b->desc->inputs, sizeof *level->history);
    level->out = pn_alloc((size_t)b->desc->outputs, sizeof *level->out);
    if (level->input == NULL || level->output == NULL || level->history == NULL || level->out == NULL)
        return pn_fail_memory(err, "the convolver's channels", 0);
    int entries = gather_entries(b, plan, l, level);
    if (entries == 0)
        return PINNA_OK;
    if (l > 0 && engine->backend->ops->level_lend == NULL) {
        size_t frames = (size_t)level->block;
        level->result = pn_alloc((size_t)level->outputs, frames * sizeof(float));
        if (level->result == NULL)
            return pn_fail_memory(err, "the convolver's output", (double)level->outputs * (double)frames * 4);
        for (int o = 0; o < level->outputs; ++o)
            level->out[o] = level->result + (size_t)o * frames;
    }
    const pn_level_desc desc = {.block = level->block,
                                .inputs = level->inputs,
                                .outputs = level->outputs,
                                .entry = b->entry,
                                .entries = entries};
    return engine->backend->ops->level_create(engine->backend, &desc, &level->level, err);
}

static pinna_status add_levels(pn_engine *engine, const builder *b, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int l = 0; l < engine->need.plan.levels && status == PINNA_OK; ++l)
        status = add_level(engine, b, l, err);
    return status;
}

/* Numbers those that have responses in their order; number[]: of each input or output, behind a true one. */
static int number_used(const bool *used, int count, int *list, int *number) {
    int found = 0;
    for (int n = 0; n < count; ++n) {
        number[n] = -1;
        if (!used[n])
            continue;
        list[found] = n;
        number[n] = found++;
    }
    return found;
}

/* A matrix has the inputs and outputs that responses lead from and to, and no others. */
static pinna_status number_channels(pn_engine *engine, const builder *b, pinna_error *err) {
    size_t inputs = (size_t)engine->inputs, outputs = (size_t)engine->outputs;
    engine->input = pn_alloc(inputs, sizeof *engine->input);
    engine->output = pn_alloc(outputs, sizeof *engine->output);
    engine->in = pn_alloc(inputs, sizeof *engine->in);
    engine->out = pn_alloc(outputs, sizeof *engine->out);
    if (engine->input == NULL || engine->output == NULL || engine->in == NULL || engine->out == NULL)
        return pn_fail_memory(err, "the convolver's channels", 0);
    engine->used_inputs = number_used(engine->needs, engine->inputs, engine->input, b->input_at);
    engine->used_outputs = number_used(engine->has, engine->outputs, engine->output, b->output_at);
    return PINNA_OK;
}

static pinna_status add_matrix(pn_engine *engine, const builder *b, pinna_error *err) {
    pinna_status status = number_channels(engine, b, err);
    if (status != PINNA_OK)
        return status;
    const pn_plan *plan = &engine->need.plan;
    pn_matrix_level level[PN_PLAN_LEVELS];
    for (int l = 0; l < plan->levels; ++l)
        level[l] = (pn_matrix_level){plan->level[l].block, plan->level[l].partitions, plan->level[l].first};
    for (size_t e = 0; e < b->desc->ir_count; ++e) {
        const pinna_ir *ir = &b->desc->irs[e];
        b->entry[e] =
            (pn_level_entry){b->input_at[ir->input], b->output_at[ir->output], ir->taps, ir->length};
    }
    const pn_matrix_desc desc = {.inputs = engine->used_inputs,
                                 .outputs = engine->used_outputs,
                                 .level = level,
                                 .levels = plan->levels,
                                 .entry = b->entry,
                                 .entries = (int)b->desc->ir_count};
    const pn_backend_ops *ops = engine->backend->ops;
    status = ops->matrix_create(engine->backend, &desc, &engine->matrix, err);
    if (status == PINNA_OK && ops->matrix_bytes != NULL) /* as it has become, instead of an estimate */
        engine->need.bytes = engine->need.host_bytes + ops->matrix_bytes(engine->matrix);
    return status;
}

static pinna_status keep_irs(pn_engine *engine, const pn_engine_desc *desc, pinna_error *err) {
    size_t taps = 0;
    for (size_t e = 0; e < desc->ir_count; ++e)
        taps += desc->irs[e].length;
    engine->kept = pn_alloc(desc->ir_count, sizeof *engine->kept);
    engine->kept_taps = pn_alloc_floats(taps);
    if (engine->kept == NULL || engine->kept_taps == NULL)
        return pn_fail_memory(err, "the impulse responses", (double)taps * sizeof(float));
    float *at = engine->kept_taps;
    for (size_t e = 0; e < desc->ir_count; ++e) {
        memcpy(at, desc->irs[e].taps, desc->irs[e].length * sizeof *at);
        engine->kept[e] = desc->irs[e];
        engine->kept[e].taps = at;
        at += desc->irs[e].length;
    }
    engine->kept_count = desc->ir_count;
    return PINNA_OK;
}

static pinna_status build(pn_engine *engine, builder *b, pinna_error *err) {
    const pn_engine_desc *desc = b->desc;
    size_t inputs = (size_t)desc->inputs, outputs = (size_t)desc->outputs;
    b->entry = pn_alloc(desc->ir_count, sizeof *b->entry);
    b->input_at = pn_alloc(inputs, sizeof *b->input_at);
    b->output_at = pn_alloc(outputs, sizeof *b->output_at);
    engine->needs = pn_alloc(inputs, sizeof *engine->needs);
    engine->has = pn_alloc(outputs, sizeof *engine->has);
    engine->mute = pn_alloc(outputs, sizeof *engine->mute);
    engine->level_mute = pn_alloc(outputs, sizeof *engine->level_mute);
    engine->waste = pn_alloc_floats((size_t)engine->need.plan.block);
    engine->level = pn_alloc(PN_PLAN_LEVELS, sizeof *engine->level);
    if (b->entry == NULL || b->input_at == NULL || b->output_at == NULL || engine->needs == NULL ||
        engine->has == NULL || engine->mute == NULL || engine->level_mute == NULL || engine->waste == NULL ||
        engine->level == NULL)
        return pn_fail_memory(err, "the convolver", (double)desc->ir_count * sizeof *b->entry);
    for (size_t e = 0; e < desc->ir_count; ++e)
        engine->needs[desc->irs[e].input] = engine->has[desc->irs[e].output] = true;
    bool whole = engine->backend->ops->matrix_create != NULL;
    pinna_status status = whole ? add_matrix(engine, b, err) : add_levels(engine, b, err);
    if (status == PINNA_OK && desc->backend->kind != PN_BACKEND_CPU)
        status = keep_irs(engine, desc, err);
    return status;
}

pinna_status pn_engine_create(const pn_engine_desc *desc, pn_engine **out, pinna_error *err) {
    *out = NULL;
    pn_engine *engine = pn_alloc(1, sizeof *engine);
    if (engine == NULL)
        return pn_fail_memory(err, "the convolver", sizeof *engine);
    engine->backend = desc->backend;
    engine->inputs = desc->inputs;
    engine->outputs = desc->outputs;
    builder b = {.desc = desc};
    pinna_status status = pn_engine_measure(desc, &engine->need, err);
    if (status == PINNA_OK)
        status = build(engine, &b, err);
    pn_free(b.entry);
    pn_free(b.input_at);
    pn_free(b.output_at);
    if (status != PINNA_OK)
        pn_engine_free(engine);
    else
        *out = engine;
    return status;
}

void pn_engine_free(pn_engine *engine) {
    if (engine == NULL)
        return;
    for (int l = 0; l < engine->levels; ++l) {
        engine_level *level = &engine->level[l];
        engine->backend->ops->level_free(level->level);
        pn_free(level->input);
        pn_free(level->output);
        pn_free(level->history);
        pn_free(level->out);
        pn_free(level->result);
    }
    if (engine->matrix != NULL)
        engine->backend->ops->matrix_free(engine->matrix);
    pn_free(engine->input);
    pn_free(engine->output);
    pn_free(engine->in);
    pn_free(engine->out);
    pn_free(engine->level);
    pn_free(engine->needs);
    pn_free(engine->has);
    pn_free(engine->mute);
    pn_free(engine->level_mute);
    pn_free(engine->waste);
    pn_free(engine->kept);
    pn_free(engine->kept_taps);
    pn_free(engine);
}

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
static const float *const *look_at(engine_level *level, const pn_history *history, int64_t end) {
    for (int i = 0; i < level->inputs; ++i)
        level->history[i] = pn_history_window(history, level->input[i], end, 2 * (size_t)level->block);
    return level->history;
}

/* Feeds the windows that end at first, first + block, .. up to `last`, as far as there is anything to hear. */
static pinna_status feed(const pn_engine *engine, engine_level *level, const pn_history *history,
                         int64_t first, int64_t last, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int64_t end = first; end <= last && status == PINNA_OK; end += level->block)
        if (end > 0)
            status = engine->backend->ops->level_feed(level->level, look_at(level, history, end), err);
    return status;
}

static pinna_status finish(const pn_engine *engine, engine_level *level, pinna_error *err) {
    const pn_backend_ops *ops = engine->backend->ops;
    if (ops->level_lend != NULL)
        return ops->level_lend(level->level, &level->heard, err);
    level->heard = (const float *const *)level->out;
    return ops->level_finish(level->level, level->out, err);
}

/* The job whose result is being heard is run in one piece; the one under way gets its share. */
static pinna_status prime_level(const pn_engine *engine, engine_level *level, const pn_history *history,
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
    engine_level *head = &engine->level[0];
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
        engine_level *level = &engine->level[l];
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
static void add_slice(const pn_engine *engine, const engine_level *level, int slice, float *const *out) {
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

static pinna_status run_level(const pn_engine *engine, engine_level *level, const pn_history *history,
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
    engine_level *head = &engine->level[0];
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
        engine_level *level = &engine->level[l];
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
        engine_level *level = &engine->level[l];
        if (level->level == NULL)
            continue;
        engine->backend->ops->level_reset(level->level);
        level->running = false;
        level->heard = NULL;
    }
}
