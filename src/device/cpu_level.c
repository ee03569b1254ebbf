// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A partition level on the CPU: uniformly partitioned overlap-save in the frequency domain.
 *
 * With blocks of B frames the transform takes 2B real samples in right-angle form (rafft.h): re = the previous
 * block, im = the current one. A partition of B taps stands in re, with zeros in im, so that the imaginary part
 * of the inverse of a product is the block's B valid frames. Spectra X of the inputs' last blocks stay in rings;
 *     Y[o] = sum over the entries (i, o) and their partitions p of H[entry][p] X[i][job - p]
 * is summed before the one inverse per output. (Stockham 1966; Kulp 1988; Wefers 2015, chapter 5.)
 *
 * How the sums read memory is told in cpu_sums_width.h, how a job is cut into steps in cpu_level_steps.c, how threads
 * share it in cpu_level_deal.c. The matrix falls into connected components, which share nothing but, where one thread
 * runs them, work buffers (cpu_level_layout.c); each has its spectra in one place.
 *
 * Rings start as zeros, which are the spectra of silence. Factor 1 / B of the inverse is in H. */
#include "device/cpu_level.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

/* ------------------------------------------------------------------ create */

static void spread(const pn_level *level, const float *spectrum, float *to, size_t step) {
    for (size_t t = 0; t < level->tiles; ++t)
        memcpy(to + t * step, spectrum + t * level->tile, level->tile * sizeof *to);
}

/* The responses' partitions, all in a row, in shares for the pool's threads. */
typedef struct {
    const pn_level *level;
    const pn_level_desc *desc;
    size_t partitions, shares;
    float *buffer; /* [share][floats]: spectrum, padded, scratch */
    size_t floats;
} filter_work;

/* spectrum: 2B floats; padded: B; scratch as the transform needs it. */
static void transform_partition(const pn_level *level, const pn_sums *sums, const pn_sums_entry *entry,
                                const pn_level_entry *source, size_t p, float *spectrum, float *padded,
                                float *scratch) {
    size_t block = (size_t)level->block, left = source->length - p * block,
           taps = left < block ? left : block;
    float scale = 1.0f / (float)block;
    for (size_t n = 0; n < block; ++n)
        padded[n] = n < taps ? source->taps[p * block + n] * scale : 0;
    pn_rafft_forward(level->fft, padded, NULL, spectrum, scratch);
    spread(level, spectrum, entry->filter + p * level->tile, sums->filter_step);
    if (level->sweeps && p < PN_SUMS_FUTURE - 1)
        spread(level, spectrum, entry->head[p], sums->head_step);
}

static void transform_share(void *context, int share) {
    const filter_work *work = context;
    const pn_level *level = work->level;
    size_t block = (size_t)level->block, number = 0, at = (size_t)share;
    size_t first = work->partitions * at / work->shares, end = work->partitions * (at + 1) / work->shares;
    float *spectrum = work->buffer + at * work->floats, *padded = spectrum + 2 * block;
    for (int c = 0; c < level->components; ++c) {
        const pn_sums *sums = &level->component[c].sums;
        for (int e = sums->output[0].first; e < sums->output[sums->outputs - 1].end; ++e) {
            const pn_level_entry *source = &work->desc->entry[level->entry[e].source];
            size_t partitions = pn_level_partitions(source, level->block);
            for (size_t p = 0; p < partitions && number < end; ++p, ++number)
                if (number >= first)
                    transform_partition(level, sums, &level->entry[e], source, p, spectrum, padded,
                                        padded + block);
        }
    }
}

static pinna_status transform_filters(const pn_level *level, const pn_level_desc *desc, pinna_error *err) {
    filter_work work = {.level = level, .desc = desc};
    size_t threads = (size_t)pn_pool_threads(level->cpu->pool);
    for (int e = 0; e < desc->entries; ++e)
        work.partitions += pn_level_partitions(&desc->entry[e], desc->block);
    work.shares = threads < work.partitions ? threads : work.partitions;
    work.floats = 3 * (size_t)level->block + pn_rafft_scratch(level->fft);
    work.buffer = pn_alloc(work.shares, work.floats * sizeof *work.buffer);
    if (work.buffer == NULL)
        return pn_fail_memory(err, "a partition level",
                              (double)(work.shares * work.floats) * sizeof *work.buffer);
    pn_pool_run(level->cpu->pool, transform_share, &work, (int)work.shares);
    pn_free(work.buffer);
    return PINNA_OK;
}

static pinna_status make_sounding(pn_level *level, pinna_error *err) {
    size_t outputs = (size_t)level->used_outputs;
    level->to_mute = pn_alloc(outputs, sizeof *level->to_mute);
    level->mute = pn_alloc(outputs, sizeof *level->mute);
    level->sounding = pn_alloc(outputs, sizeof *level->sounding);
    if (level->to_mute == NULL || level->mute == NULL || level->sounding == NULL)
        return pn_fail_memory(err, "a partition level", (double)outputs * sizeof *level->sounding);
    memcpy(level->sounding, level->output, outputs * sizeof *level->sounding);
    for (int c = 0; c < level->components; ++c)
        level->component[c].sums.output = level->sounding + level->component[c].first_output;
    return PINNA_OK;
}

static pinna_status build(pn_level *level, pn_cpu *cpu, const pn_level_desc *desc, pinna_error *err) {
    level->block = desc->block;
    level->inputs = desc->inputs;
    level->outputs = desc->outputs;
    pinna_status status = pn_cpu_transform(cpu, 2 * desc->block, &level->fft, err);
    if (status == PINNA_OK)
        status = pn_cpu_level_lay_out(level, desc, err);
    if (status == PINNA_OK)
        status = transform_filters(level, desc, err);
    if (status == PINNA_OK)
        status = pn_cpu_level_make_steps(level, err);
    if (status == PINNA_OK)
        status = pn_cpu_level_make_deals(level, err);
    if (status == PINNA_OK)
        status = make_sounding(level, err);
    level->next = level->steps;
    return status;
}

pinna_status pn_cpu_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **out,
                                 pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_level_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_level *level = pn_alloc(1, sizeof *level);
    if (level == NULL)
        return pn_fail_memory(err, "a partition level", sizeof *level);
    level->ops = backend->ops;
    level->cpu = (const pn_cpu *)backend;
    status = build(level, (pn_cpu *)backend, desc, err);
    if (status != PINNA_OK)
        pn_cpu_level_free(level);
    else
        *out = level;
    return status;
}

void pn_cpu_level_free(pn_level *level) {
    if (level == NULL)
        return;
    pn_cpu_level_free_deals(level);
    pn_free(level->component);
    pn_free(level->input);
    pn_free(level->output);
    pn_free(level->entry);
    pn_free(level->input_number);
    pn_free(level->output_number);
    pn_free(level->out[0]);
    pn_free(level->out[1]);
    pn_free(level->aim);
    pn_free(level->lent);
    pn_free(level->history);
    pn_free(level->memory);
    pn_free(level->to_mute);
    pn_free(level->mute);
    pn_free(level->sounding);
    pn_free(level->step);
    pn_free(level);
}

/* ------------------------------------------------------------------ jobs */

static void begin(pn_level *level, const float *const *history) {
    if (level->mutes)
        pn_cpu_level_take_out(level);
    ++level->job;
    for (int i = 0; i < level->inputs; ++i)
        level->history[i] = history[i];
    level->next = 0;
}

/* The steps that the caller has to run itself, up to `end`. */
static void run_steps(pn_level *level, size_t end, pn_step_kind last_kind) {
    size_t first = level->next;
    if (first < end)
        pn_cpu_level_run_in_order(level, first, end, PN_STEP_FORWARD_TOP, last_kind);
    level->next = end;
}

static void finish(pn_level *level, pn_step_kind last_kind) {
    if (level->dealt != NULL)
        pn_job_finish(level->dealt);
    else
        run_steps(level, level->steps, last_kind);
}

void pn_cpu_level_aim(pn_level *level, float *const *out) {
    level->aimed = out != NULL;
    for (int o = 0; level->aimed && o < level->used_outputs; ++o)
        level->aim[o] = out[level->output_number[o]];
}

pinna_status pn_cpu_level_begin(pn_level *level, const float *const *history, pinna_error *err) {
    (void)err;
    begin(level, history);
    pn_cpu_level_deal(level, PN_STEP_INVERSE_TOP);
    return PINNA_OK;
}

/* What is dealt should be under way one call before it is due: so the last call does not wait for what was begun just
 * now. */
void pn_cpu_level_advance(pn_level *level, int done, int of) {
    if (level->dealt != NULL) {
        pn_job_pace(level->dealt, of > 1 ? (double)done / (of - 1) : 1,
                    (int)((int64_t)level->block * (of - done) / of));
        return;
    }
    size_t end = level->next, quarter = level->job % PN_SUMS_FUTURE;
    double share = level->step[level->steps - 1].cost_end[quarter] * done / of;
    while (end < level->steps && level->step[end].cost_end[quarter] <= share)
        ++end;
    run_steps(level, end, PN_STEP_INVERSE_TOP);
}

pinna_status pn_cpu_level_lend(pn_level *level, const float *const **out, pinna_error *err) {
    (void)err;
    finish(level, PN_STEP_INVERSE_TOP);
    for (int o = 0; o < level->used_outputs; ++o)
        level->lent[level->output_number[o]] = pn_cpu_level_results(level)[o];
    *out = level->lent;
    return PINNA_OK;
}

pinna_status pn_cpu_level_finish(pn_level *level, float *const *out, pinna_error *err) {
    const float *const *lent;
    pinna_status status = pn_cpu_level_lend(level, &lent, err);
    size_t bytes = (size_t)level->block * sizeof(float);
    for (int o = 0; level->silence != NULL && o < level->outputs; ++o)
        if (lent[o] == level->silence)
            memset(out[o], 0, bytes);
    for (int o = 0; o < level->used_outputs; ++o)
        if (!level->mute[o] && !level->aimed)
            memcpy(out[level->output_number[o]], pn_cpu_level_results(level)[o], bytes);
    return status;
}

pinna_status pn_cpu_level_feed(pn_level *level, const float *const *history, pinna_error *err) {
    (void)err;
    begin(level, history);
    pn_cpu_level_deal(level, PN_STEP_SUMS);
    finish(level, PN_STEP_SUMS);
    return PINNA_OK;
}

void pn_cpu_level_reset(pn_level *level) {
    size_t bytes = level->tiles * sizeof(float);
    if (level->dealt != NULL)
        pn_job_cancel(level->dealt);
    level->dealt = NULL;
    for (int c = 0; c < level->components; ++c) {
        const pn_sums *sums = &level->component[c].sums;
        const pn_sums_output *output = &level->output[level->component[c].first_output];
        memset(sums->input[0].ring, 0, bytes * sums->ring_step);
        for (int j = 0; level->sweeps && j < PN_SUMS_FUTURE - 1; ++j) {
            memset(sums->input[0].recent[j], 0, bytes * sums->recent_step);
            memset(output->later[j], 0, bytes * sums->later_step);
        }
    }
    level->job = 0;
    level->next = level->steps;
}

void pn_cpu_level_move(pn_level *level, const float *const *history) {
    for (int i = 0; i < level->inputs; ++i)
        level->history[i] = history[i];
}

void pn_cpu_level_mute(pn_level *level, const bool *muted) {
    for (int o = 0; o < level->used_outputs; ++o) {
        level->to_mute[o] = muted[level->output_number[o]] || level->to_mute[o];
        level->mutes = level->mutes || level->to_mute[o] != level->mute[o];
    }
}
