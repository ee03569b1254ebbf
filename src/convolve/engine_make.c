// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What an engine will need, and the making of one: each level gets the responses that reach into it, with the inputs
 * and outputs that they have, numbered anew; a back end that has matrices gets all of them at once. */
#include <string.h>

#include "base/memory.h"
#include "convolve/engine_state.h"

/* Spectra that the CPU keeps besides those of the partitions: sums made ahead, copies, buffers. */
enum { CPU_FILTER = 4, CPU_INPUT = 2, CPU_OUTPUT = 5 };

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
static int gather_entries(const builder *b, const pn_plan *plan, int l, pn_engine_level *level) {
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
    pn_engine_level *level = &engine->level[engine->levels++];
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
        pn_engine_level *level = &engine->level[l];
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
