// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank on a device. A quantum is one copy of what is new (a table of the sources that matter, their
 * filters, and their samples), and a fixed number of launches for all of them:
 *
 *   samples -> histories; or, where sound takes its time, -> propagation lines, and these, read at the delay, -> histories
 *   the last N samples of each audible source -> its spectrum
 *           -> four sums over all sources: old and new filters, left and right, by shares of the sources
 *           -> of the sources whose filters bend, six more: what the inner filters differ by from the straight line
 *           -> the shares' sum -> inverse transforms, the quantum at the end of the imaginary half
 *
 * The ramps in time (old to new, and the hats of the inner filters) are done by the host where it copies the result out:
 * a few multiplications a frame are less than the launch of a kernel. A source matters as long as its history is not all
 * silence; it is audible when a weight of its filters is not 0 besides. The factor 1 / M of the inverse is in the
 * nodes' spectra. */
#include "device/opencl_bank.h"

#include <math.h>
#include <string.h>

#include "device/ops.h"

/* What a quantum has to do. */
typedef struct {
    int listed, audible,
        bent;  /* sources in the table: those that bend first, then the other audible ones, then the rest */
    int rows;  /* of samples, behind the filters */
    int words; /* before the samples */
    int shares;
} bank_job;

/* ------------------------------------------------------------------ the table of a job */

static int pack_shares(pn_packed_share *to, const int *index, const float *weight, int count) {
    int packed = 0;
    for (int i = 0; i < count; ++i)
        if (weight[i] != 0)
            to[packed++] = (pn_packed_share){index[i], weight[i]};
    return packed;
}

/* Returns the words taken. */
static int pack_filter(pn_int *words, const pn_filter *from) {
    pn_packed_ear *ears = (pn_packed_ear *)(void *)words;
    pn_packed_share *share = (pn_packed_share *)(void *)(ears + 2);
    for (int ear = 0; ear < 2; ++ear) {
        float whole = floorf(from->delay[ear] + 0.5f);
        int nodes = pack_shares(share, from->node[ear], from->weight[ear], PN_FILTER_NODES);
        int tints = pack_shares(share + nodes, from->tint[ear], from->tint_weight[ear], PN_FILTER_TINTS);
        ears[ear] = (pn_packed_ear){nodes, tints, (pn_int)whole, from->delay[ear] - whole};
        share += nodes + tints;
    }
    return (int)((pn_int *)(void *)share - words);
}

/* All that a source's quantum takes: from, to, then the inner ones; steps as in pn_source. */
static int pack_filters(pn_int *words, const pn_bank_source *from, int steps) {
    _Static_assert(PN_INNER == PN_BANK_INNER, "the kernels have room for all inner filters");
    int at = pack_filter(words, &from->from);
    if (steps > 0)
        at += pack_filter(words + at, &from->to);
    for (int k = 1; k < steps; ++k)
        at += pack_filter(words + at, pn_bank_knot(from, k));
    return at;
}

/* 0 for a filter that stays, else in how many pieces it runs. */
static int source_steps(const pn_bank_source *s) {
    int steps = pn_bank_steps(s);
    return steps == 1 && memcmp(&s->from, &s->to, sizeof s->from) == 0 ? 0 : steps;
}

static bool is_audible(const pn_bank_source *s) {
    for (int k = 0; k <= pn_bank_steps(s); ++k)
        if (!pn_filter_silent(pn_bank_knot(s, k)))
            return true;
    return false;
}

/* A source matters until the quanta of silence at its end, the new one counted, are more than its history holds. */
static void count_silence(pn_bank *bank, int s, const float *in) {
    if (in != NULL)
        bank->silent[s] = 0;
    else if (bank->silent[s] <= bank->memory)
        ++bank->silent[s];
}

enum { BENT, STRAIGHT, UNHEARD };

/* Lists the sources of a kind that matter behind those listed before. */
static void list_sources(pn_bank *bank, const pn_bank_source *sources, int kind, bank_job *job) {
    pn_source *table = (pn_source *)(void *)bank->to_device.data;
    for (int s = 0; s < bank->sources; ++s) {
        const pn_bank_source *from = &sources[s];
        if (bank->silent[s] > bank->memory)
            continue;
        int steps = source_steps(from);
        if (kind != (!is_audible(from) ? UNHEARD : steps > 1 ? BENT : STRAIGHT))
            continue;
        const pn_propagation *p = &from->propagation;
        table[job->listed++] = (pn_source){.source = s,
                                           .row = from->in == NULL ? -1 : job->rows++,
                                           .steps = steps,
                                           .whole = p->whole,
                                           .c = {p->c[0], p->c[1], p->c[2], p->c[3]}};
    }
}

/* Fills the staging: the table, the filters of the audible ones, then the rows of samples in its order. */
static void fill_job(pn_bank *bank, const pn_bank_source *sources, bool only_take, bank_job *job) {
    *job = (bank_job){0};
    for (int s = 0; s < bank->sources; ++s)
        count_silence(bank, s, sources[s].in);
    if (!only_take) {
        list_sources(bank, sources, BENT, job);
        job->bent = job->listed;
        list_sources(bank, sources, STRAIGHT, job);
        job->audible = job->listed;
        list_sources(bank, sources, UNHEARD, job);
    } else {
        for (int kind = BENT; kind <= UNHEARD; ++kind)
            list_sources(bank, sources, kind, job);
    }
    pn_source *table = (pn_source *)(void *)bank->to_device.data;
    pn_int *words = (pn_int *)(void *)bank->to_device.data;
    job->words = job->listed * PN_SOURCE_WORDS;
    for (int i = 0; i < job->audible; ++i) {
        table[i].filters = job->words;
        job->words += pack_filters(words + job->words, &sources[table[i].source], table[i].steps);
    }
    float *rows = bank->to_device.data + job->words;
    size_t quantum = (size_t)bank->quantum;
    for (int i = 0; i < job->listed; ++i)
        if (table[i].row >= 0)
            memcpy(rows + (size_t)table[i].row * quantum, sources[table[i].source].in,
                   quantum * sizeof(float));
    job->shares = job->audible < 1 ? 1 : job->audible < bank->shares ? job->audible : bank->shares;
}

/* ------------------------------------------------------------------ a job */

static pinna_status enqueue_take(pn_bank *bank, const bank_job *job, pinna_error *err) {
    const pn_opencl *device = bank->device;
    size_t words = (size_t)job->words + (size_t)job->rows * (size_t)bank->quantum;
    const pn_take_args a = {.size = bank->size,
                            .quantum = bank->quantum,
                            .at = bank->at,
                            .samples = job->words,
                            .line_log2 = bank->line_log2,
                            .line_at = bank->line_at,
                            .propagation = bank->propagation};
    const pn_opencl_arg take[4] = {{sizeof a, &a},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->history, &bank->history},
                                   {sizeof bank->line, &bank->line}};
    const pn_opencl_arg read[5] = {{sizeof a, &a},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->line, &bank->line},
                                   {sizeof bank->phases, &bank->phases},
                                   {sizeof bank->history, &bank->history}};
    const size_t items[3] = {(size_t)bank->quantum, (size_t)job->listed, 1};
    pinna_status status =
        pn_opencl_write(device, bank->queue, bank->job, 0, bank->to_device.data, words, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(device, bank->take, "bank_take", 4, take, err);
    if (status == PINNA_OK)
        status = pn_opencl_run(device, bank->queue, bank->take, "bank_take", items, 32, err);
    if (status != PINNA_OK || bank->line_log2 < 0)
        return status;
    status = pn_opencl_set_args(device, bank->read, "bank_read", 5, read, err);
    if (status != PINNA_OK)
        return status;
    return pn_opencl_run(device, bank->queue, bank->read, "bank_read", items, 32, err);
}

/* start: of the last N samples in the histories. */
static pinna_status enqueue_spectra(pn_bank *bank, const bank_job *job, int start, pinna_error *err) {
    uint32_t tiles = (uint32_t)bank->size / PN_VECTOR;
    const pn_opencl_forward forward = {.in = bank->history,
                                       .list = bank->job,
                                       .list_stride = PN_SOURCE_WORDS,
                                       .in_row = 2 * bank->size,
                                       .in_re = start,
                                       .in_im = start + bank->size / 2,
                                       .out = bank->x,
                                       .out_row = tiles,
                                       .out_tile = 1};
    if (job->audible == 0)
        return PINNA_OK;
    return pn_opencl_transform_forward(bank->device, bank->queue, &bank->transform, &forward, job->audible,
                                       err);
}

static pinna_status enqueue_mix(pn_bank *bank, const bank_job *job, pinna_error *err) {
    const pn_opencl *device = bank->device;
    size_t bins = (size_t)bank->size / 2, runs = pn_opencl_bank_runs(device, bank->size);
    const pn_mix_args a = {.points_log2 = bank->transform.points_log2,
                           .count = job->audible,
                           .bent = job->bent,
                           .shares = job->shares,
                           .sums = bank->sums};
    const pn_opencl_arg args[7] = {{sizeof a, &a},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->x, &bank->x},
                                   {sizeof bank->node, &bank->node},
                                   {sizeof bank->tint, &bank->tint},
                                   {sizeof bank->turns, &bank->turns},
                                   {sizeof bank->y, &bank->y}};
    const size_t items[3] = {runs, (size_t)job->shares, 1};
    size_t group = device->info.type == PN_OPENCL_CPU ? 1
                   : runs < device->max_group         ? runs
                                                      : device->max_group;
    pinna_status status = pn_opencl_set_args(device, bank->mix, "bank_mix", 7, args, err);
    if (status == PINNA_OK)
        status = pn_opencl_run(device, bank->queue, bank->mix, "bank_mix", items, group, err);
    if (status == PINNA_OK && job->bent > 0)
        status = pn_opencl_set_args(device, bank->bend, "bank_bend", 7, args, err);
    if (status == PINNA_OK && job->bent > 0)
        status = pn_opencl_run(device, bank->queue, bank->bend, "bank_bend", items, group, err);
    if (status != PINNA_OK)
        return status;
    return pn_opencl_reduce(device, bank->queue, bank->reduce_shares, bank->y, (size_t)bank->sums * 2 * bins,
                            job->shares, err);
}

static pinna_status enqueue_job(pn_bank *bank, const bank_job *job, pinna_error *err) {
    int start = (bank->at + bank->quantum) % bank->size;
    bank->sums = job->bent > 0 ? PN_BANK_SUMS : PN_BANK_ENDS;
    pinna_status status = enqueue_take(bank, job, err);
    if (status == PINNA_OK)
        status = enqueue_spectra(bank, job, start, err);
    if (status == PINNA_OK)
        status = enqueue_mix(bank, job, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_inverse(bank->device, bank->queue, &bank->transform, bank->y, bank->out,
                                             bank->quantum, bank->sums, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(bank->device, bank->queue, bank->out, bank->from_device.data,
                                (size_t)bank->sums * (size_t)bank->quantum, &bank->done, err);
    return status == PINNA_OK ? pn_opencl_flush(bank->device, bank->queue, err) : status;
}

static void go_on(pn_bank *bank) {
    bank->at = (bank->at + bank->quantum) % bank->size;
    bank->line_at += (uint32_t)bank->quantum;
}

static pinna_status check_usable(const pn_bank *bank, pinna_error *err) {
    if (bank->lost)
        return pn_fail(err, PINNA_DEVICE, "%s (%s): an earlier job failed", bank->device->head.name,
                       bank->device->info.name);
    if (bank->begun)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a bank's job is begun before the last one is finished",
                       bank->device->head.name);
    return PINNA_OK;
}

pinna_status pn_opencl_bank_begin(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    pinna_status status = check_usable(bank, err);
    if (status != PINNA_OK)
        return status;
    bank_job job;
    fill_job(bank, sources, false, &job);
    if (job.listed > 0)
        status = enqueue_job(bank, &job, err);
    go_on(bank);
    bank->lost = status != PINNA_OK;
    bank->begun = status == PINNA_OK;
    return status;
}

static void ramp(const pn_bank *bank, int ear, float *out) {
    int quantum = bank->quantum;
    const float *before = bank->from_device.data + (size_t)ear * (size_t)quantum;
    const float *after = before + 2 * (size_t)quantum;
    float step = 1.0f / (float)quantum;
    for (int n = 0; n < quantum; ++n)
        out[n] = before[n] + (after[n] - before[n]) * ((float)n * step);
}

/* Adds the inner filters' differences under their hats: at quarter k 1, at its neighbours 0. */
static void add_bends(const pn_bank *bank, int ear, float *out) {
    int quarter = bank->quantum / 4;
    float step = 1.0f / (float)quarter;
    for (int k = 1; k < 4; ++k) {
        const float *bend =
            bank->from_device.data + (size_t)(PN_BANK_ENDS + 2 * (k - 1) + ear) * (size_t)bank->quantum;
        for (int n = 0; n < quarter; ++n) {
            int up = (k - 1) * quarter + n, down = k * quarter + n;
            out[up] += bend[up] * ((float)n * step);
            out[down] += bend[down] * (1 - (float)n * step);
        }
    }
}

pinna_status pn_opencl_bank_finish(pn_bank *bank, float *left, float *right, pinna_error *err) {
    if (!bank->begun)
        return pn_fail(err, PINNA_DEVICE, "%s: no job of the bank is begun", bank->device->head.name);
    bank->begun = false;
    if (bank->done == NULL) { /* silence all over */
        memset(left, 0, (size_t)bank->quantum * sizeof *left);
        memset(right, 0, (size_t)bank->quantum * sizeof *right);
        return PINNA_OK;
    }
    pinna_status status = pn_opencl_wait(bank->device, &bank->done, err);
    bank->lost = status != PINNA_OK;
    if (status != PINNA_OK)
        return status;
    ramp(bank, 0, left);
    ramp(bank, 1, right);
    if (bank->sums > PN_BANK_ENDS) {
        add_bends(bank, 0, left);
        add_bends(bank, 1, right);
    }
    return PINNA_OK;
}

pinna_status pn_opencl_bank_feed(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    pinna_status status = check_usable(bank, err);
    if (status != PINNA_OK)
        return status;
    bank_job job;
    fill_job(bank, sources, true, &job);
    if (job.listed > 0)
        status = enqueue_take(bank, &job, err);
    go_on(bank);
    if (status == PINNA_OK)
        status = pn_opencl_finish(bank->device, bank->queue, err);
    bank->lost = status != PINNA_OK;
    return status;
}

pinna_status pn_opencl_bank_warm_up(pn_bank *bank, pinna_error *err) {
    pn_bank_source source = {.steps = 4, .propagation = {.whole = PN_READ_TAPS}};
    bank_job job = {.listed = 1, .audible = 1, .bent = 1, .words = PN_SOURCE_WORDS, .shares = bank->shares};
    pn_source *table = (pn_source *)(void *)bank->to_device.data;
    table[0] =
        (pn_source){.row = -1, .steps = 4, .filters = PN_SOURCE_WORDS, .whole = source.propagation.whole};
    job.words += pack_filters((pn_int *)(void *)table + job.words, &source, 4);
    pinna_status status = enqueue_job(bank, &job, err);
    return status == PINNA_OK ? pn_opencl_wait(bank->device, &bank->done, err) : status;
}
