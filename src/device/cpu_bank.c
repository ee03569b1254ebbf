// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank on the CPU: many moving sources to two ears with four inverse transforms a quantum in all.
 *
 * A source's last N samples, as they are heard (cpu_delay.h), stand in one piece, so that their right-angle transform
 * X (rafft.h) is one call; the quantum is at the end of the imaginary half. Its filter at an instant is complete, the
 * interaural delay and the tints inside:
 *     F[ear] = (sum of w[j] G[n[j]][ear]) exp(-2 pi i f delay[ear]) (sum of v[j] T[m[j]])
 * with the spectra G of the nodes' aligned responses and T of the tints made at create. The filter `from` is as a rule
 * the `to` of the quantum before: each source keeps its last one, and builds only what differs from it.
 *
 * Per ear there are sums over the sources: F_from X and F_to X of the sources whose filter changes, and F X of those
 * that stand still, which counts for both ends. The ears' signals are the inverses of old + still and new + still with
 * a linear ramp between in time. For sources of more than one step the way leads over inner filters: what these are
 * off the straight line between their neighbours,
 *     D_2 = F_2 - (F_0 + F_4) / 2,  D_1 = F_1 - (F_0 + F_2) / 2,  D_3 = F_3 - (F_2 + F_4) / 2  (in quarters of q),
 * goes to three more sums, whose inverses are weighted in time by hats, D_2's over all of the quantum, the others'
 * over a half. Two steps have D_2 only. For any number of sources that is four inverses, two when nothing moves, up to
 * ten when some turn fast.
 *
 * Sources are cut into chunks of SOURCES, each with sums of its own, which are then added in order: the pool's
 * tasks, and the same bits for any number of threads. */
#include "device/cpu.h"

#include <string.h>

#include "base/memory.h"
#include "device/cpu_delay.h"
#include "device/ops.h"

enum { SOURCES = 16, PADDING = 32 };
/* Sums of an ear: 2 * which + ear. */
enum { OLD, NEW, STILL, MIDDLE, FIRST, THIRD, KINDS, SUMS = 2 * KINDS };
enum { INNER = PN_BANK_INNER + 1 }; /* filters of a source with more steps: the inner ones, and `to` */

typedef struct {
    float *history; /* the N samples heard last, the newest last; see older_half */
    float *filter;  /* complete filters of `key`: left, right */
    pn_filter key;
    bool has_key;
    int silent; /* quanta of silence at the end of the history, counted up to `memory` */
} bank_source;

typedef struct {
    float *sum[SUMS];
    float *spectrum;     /* X */
    float *inner[INNER]; /* as bank_source.filter */
    float *scratch;
    bool used[SUMS];
} bank_chunk;

struct pn_bank {
    const pn_backend_ops *ops;
    const pn_cpu *cpu;
    pn_rafft *fft;
    const pn_blend_width *width;
    pn_delays *delays; /* NULL: none */
    int size, quantum, sources, chunks;
    int memory;             /* quanta after which a history is all silence */
    int turned;             /* the histories' halves have changed places */
    size_t stride, vectors; /* floats from one spectrum to the next; vectors of a spectrum */
    float *node;            /* spectra [node][ear] */
    float *tint;            /* spectra [tint] */
    bank_source *source;
    float *histories, *filters;
    bank_chunk *chunk;
    float *work;      /* all the chunks' buffers */
    float *signal[2]; /* size / 2 frames each */
    const pn_bank_source *job;
};

/* ------------------------------------------------------------------ create */

/* rows responses of `taps` to as many spectra, times `scale`. */
static void transform_rows(const pn_bank *bank, const float *responses, size_t rows, size_t taps, float scale,
                           float *spectra) {
    size_t half = (size_t)bank->size / 2;
    float *padded = bank->chunk[0].sum[0], *scratch = bank->chunk[0].scratch;
    for (size_t r = 0; r < rows; ++r) {
        for (size_t n = 0; n < 2 * half; ++n)
            padded[n] = n < taps ? responses[r * taps + n] * scale : 0;
        pn_rafft_forward(bank->fft, padded, padded + half, spectra + r * bank->stride, scratch);
    }
}

static void share_work(pn_bank *bank, size_t chunk_floats, size_t scratch) {
    for (int s = 0; s < bank->sources; ++s) {
        bank->source[s].history = bank->histories + (size_t)s * ((size_t)bank->size + PADDING);
        bank->source[s].filter = bank->filters + (size_t)s * 2 * bank->stride;
        bank->source[s].silent = bank->memory;
    }
    for (int c = 0; c < bank->chunks; ++c) {
        bank_chunk *chunk = &bank->chunk[c];
        float *at = bank->work + (size_t)c * chunk_floats;
        for (int i = 0; i < SUMS; ++i, at += bank->stride)
            chunk->sum[i] = at;
        for (int i = 0; i < INNER; ++i, at += 2 * bank->stride)
            chunk->inner[i] = at;
        chunk->spectrum = at;
        chunk->scratch = at + bank->stride;
    }
    bank->signal[0] = bank->chunk[0].scratch + scratch;
    bank->signal[1] = bank->signal[0] + bank->size / 2;
}

static pinna_status build(pn_bank *bank, const pn_bank_desc *desc, pinna_error *err) {
    size_t size = (size_t)desc->size, sources = (size_t)desc->sources;
    pinna_status status = pn_rafft_create(desc->size, bank->cpu->simd, &bank->fft, err);
    if (status != PINNA_OK)
        return status;
    bank->width = pn_blend_width_of(pn_rafft_lanes(bank->fft));
    if (desc->propagation > 0)
        status = pn_delays_create(desc, bank->width, &bank->delays, err);
    if (status != PINNA_OK)
        return status;
    bank->size = desc->size;
    bank->quantum = desc->quantum;
    bank->sources = desc->sources;
    bank->vectors = size / 2 / (size_t)bank->width->lanes;
    bank->memory = desc->size / desc->quantum;
    bank->stride = size + PADDING;
    bank->chunks = (desc->sources + SOURCES - 1) / SOURCES;
    size_t scratch = (pn_rafft_scratch(bank->fft) + PADDING) / PADDING * PADDING;
    size_t chunk_floats = (SUMS + 2 * INNER + 1) * bank->stride + scratch + size;
    bank->node = pn_alloc(2 * (size_t)desc->nodes, bank->stride * sizeof(float));
    bank->tint = pn_alloc((size_t)desc->tints, bank->stride * sizeof(float));
    bank->source = pn_alloc(sources, sizeof *bank->source);
    bank->histories = pn_alloc(sources, (size + PADDING) * sizeof(float));
    bank->filters = pn_alloc(sources, 2 * bank->stride * sizeof(float));
    bank->chunk = pn_alloc((size_t)bank->chunks, sizeof *bank->chunk);
    bank->work = pn_alloc((size_t)bank->chunks, chunk_floats * sizeof(float));
    if (bank->node == NULL || bank->tint == NULL || bank->source == NULL || bank->histories == NULL ||
        bank->filters == NULL || bank->chunk == NULL || bank->work == NULL)
        return pn_fail_memory(err, "the spatial bank",
                              4.0 * ((double)desc->nodes * 2 + (double)sources * 3) * (double)bank->stride);
    share_work(bank, chunk_floats, scratch);
    transform_rows(bank, desc->responses, 2 * (size_t)desc->nodes, (size_t)desc->taps, 2.0f / (float)size,
                   bank->node);
    transform_rows(bank, desc->tint_responses, (size_t)desc->tints, (size_t)desc->tint_taps, 1, bank->tint);
    return PINNA_OK;
}

pinna_status pn_cpu_bank_create(pn_backend *backend, const pn_bank_desc *desc, pn_bank **out,
                                pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_bank_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_bank *bank = pn_alloc(1, sizeof *bank);
    if (bank == NULL)
        return pn_fail_memory(err, "the spatial bank", sizeof *bank);
    bank->ops = backend->ops;
    bank->cpu = (const pn_cpu *)backend;
    status = build(bank, desc, err);
    if (status != PINNA_OK)
        pn_cpu_bank_free(bank);
    else
        *out = bank;
    return status;
}

void pn_cpu_bank_free(pn_bank *bank) {
    if (bank == NULL)
        return;
    pn_rafft_free(bank->fft);
    pn_delays_free(bank->delays);
    pn_free(bank->node);
    pn_free(bank->tint);
    pn_free(bank->source);
    pn_free(bank->histories);
    pn_free(bank->filters);
    pn_free(bank->chunk);
    pn_free(bank->work);
    pn_free(bank);
}

/* ------------------------------------------------------------------ filters */

static bool same_filter(const pn_filter *a, const pn_filter *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* Entries up to the last one with a weight. */
static int used(const float *weight, int count) {
    while (count > 0 && weight[count - 1] == 0)
        --count;
    return count;
}

static void describe_blend(const pn_bank *bank, const pn_filter *key, int ear, pn_blend *blend) {
    blend->nodes = used(key->weight[ear], PN_FILTER_NODES) > 3 ? 6 : 3;
    blend->tints = (used(key->tint_weight[ear], PN_FILTER_TINTS) + 1) / 2 * 2;
    for (int j = 0; j < blend->nodes; ++j) {
        blend->node[j] = bank->node + ((size_t)key->node[ear][j] * 2 + (size_t)ear) * bank->stride;
        blend->weight[j] = key->weight[ear][j];
    }
    for (int j = 0; j < blend->tints; ++j) {
        blend->tint[j] = bank->tint + (size_t)key->tint[ear][j] * bank->stride;
        blend->tint_weight[j] = key->tint_weight[ear][j];
    }
    pn_rafft_ramp_factors(bank->fft, (double)key->delay[ear], &blend->ramp);
}

static void make_filter(const pn_bank *bank, const pn_filter *key, float *filter) {
    for (int ear = 0; ear < 2; ++ear) {
        pn_blend blend;
        describe_blend(bank, key, ear, &blend);
        bank->width->make(&blend, bank->vectors, filter + (size_t)ear * bank->stride);
    }
}

/* Makes the source's filter that of key, if it isn't. */
static void keep_filter(const pn_bank *bank, bank_source *source, const pn_filter *key) {
    if (source->has_key && same_filter(&source->key, key))
        return;
    make_filter(bank, key, source->filter);
    source->key = *key;
    source->has_key = true;
}

/* ------------------------------------------------------------------ a job */

/* A sum of the chunk, zeroed when it is not used so far. */
static float *sum_of(const pn_bank *bank, bank_chunk *chunk, int which, int ear) {
    int sum = 2 * which + ear;
    if (!chunk->used[sum])
        memset(chunk->sum[sum], 0, (size_t)bank->size * sizeof(float));
    chunk->used[sum] = true;
    return chunk->sum[sum];
}

static void add_still(const pn_bank *bank, bank_source *source, const pn_filter *key, bank_chunk *chunk) {
    keep_filter(bank, source, key);
    for (int ear = 0; ear < 2; ++ear)
        pn_rafft_multiply_add(bank->fft, sum_of(bank, chunk, STILL, ear),
                              source->filter + (size_t)ear * bank->stride, chunk->spectrum);
}

/* The source's filter, which is the old one, becomes the new one. */
static void add_moving(const pn_bank *bank, bank_source *source, const pn_filter *to, bank_chunk *chunk) {
    for (int ear = 0; ear < 2; ++ear) {
        pn_blend blend;
        describe_blend(bank, to, ear, &blend);
        bank->width->move(&blend, bank->vectors, chunk->spectrum, source->filter + (size_t)ear * bank->stride,
                          sum_of(bank, chunk, OLD, ear), sum_of(bank, chunk, NEW, ear));
    }
    source->key = *to;
    source->has_key = true;
}

/* What the inner filters are off the straight way; the source's filter is the old one. */
static void add_bends(const pn_bank *bank, const bank_source *source, const pn_bank_source *job,
                      bank_chunk *chunk) {
    int steps = pn_bank_steps(job), apart = 4 / steps;
    const float *knot[5] = {source->filter, chunk->inner[0], chunk->inner[1], chunk->inner[2],
                            chunk->inner[3]};
    for (int k = 1; k <= steps; ++k)
        make_filter(bank, pn_bank_knot(job, k), chunk->inner[k * apart - 1]);
    static const struct { int which, left, right; } bends[3] = {{MIDDLE, 0, 4}, {FIRST, 0, 2}, {THIRD, 2, 4}};
    for (int i = 0; i < (steps == 2 ? 1 : 3); ++i) {
        int left = bends[i].left, right = bends[i].right;
        for (int ear = 0; ear < 2; ++ear) {
            size_t at = (size_t)ear * bank->stride;
            bank->width->bend(bank->vectors, chunk->spectrum, knot[left] + at, knot[(left + right) / 2] + at,
                              knot[right] + at, sum_of(bank, chunk, bends[i].which, ear));
        }
    }
}

static bool all_silent(const pn_bank_source *job) {
    int steps = pn_bank_steps(job);
    for (int k = 0; k <= steps; ++k)
        if (!pn_filter_silent(pn_bank_knot(job, k)))
            return false;
    return true;
}

static bool all_same(const pn_bank_source *job) {
    int steps = pn_bank_steps(job);
    for (int k = 1; k <= steps; ++k)
        if (!same_filter(pn_bank_knot(job, k), &job->from))
            return false;
    return true;
}

/* Where a quantum is half of a history, the halves only change places; else all of it moves. */
static float *older_half(const pn_bank *bank, const bank_source *source) {
    return source->history + (size_t)bank->turned * ((size_t)bank->size / 2);
}

static float *newer_half(const pn_bank *bank, const bank_source *source) {
    return source->history + (size_t)(1 - bank->turned) * ((size_t)bank->size / 2);
}

/* Moves the history on by a quantum. */
static void hear(const pn_bank *bank, int s) {
    bank_source *source = &bank->source[s];
    const pn_bank_source *job = &bank->job[s];
    size_t quantum = (size_t)bank->quantum, kept = (size_t)bank->size - quantum;
    if (bank->delays == NULL && job->in == NULL && source->silent >= bank->memory)
        return;
    float *newest = newer_half(bank, source);
    if (bank->size > 2 * bank->quantum) {
        newest = source->history + kept;
        memmove(source->history, source->history + quantum, kept * sizeof *newest);
    }
    bool heard = job->in != NULL;
    if (bank->delays != NULL)
        heard = pn_delays_pass(bank->delays, s, job, newest);
    else if (heard)
        memcpy(newest, job->in, quantum * sizeof *newest);
    if (!heard)
        memset(newest, 0, quantum * sizeof *newest);
    source->silent = heard ? 0 : source->silent < bank->memory ? source->silent + 1 : bank->memory;
}

static void run_source(const pn_bank *bank, int s, bank_chunk *chunk) {
    bank_source *source = &bank->source[s];
    const pn_bank_source *job = &bank->job[s];
    hear(bank, s);
    if (source->silent >= bank->memory || all_silent(job))
        return;
    pn_rafft_forward(bank->fft, older_half(bank, source), newer_half(bank, source), chunk->spectrum,
                     chunk->scratch);
    if (all_same(job)) {
        add_still(bank, source, &job->to, chunk);
        return;
    }
    keep_filter(bank, source, &job->from);
    if (pn_bank_steps(job) > 1)
        add_bends(bank, source, job, chunk);
    add_moving(bank, source, &job->to, chunk);
}

static void chunk_task(void *context, int task) {
    const pn_bank *bank = context;
    bank_chunk *chunk = &bank->chunk[task];
    memset(chunk->used, 0, sizeof chunk->used);
    int end = (task + 1) * SOURCES < bank->sources ? (task + 1) * SOURCES : bank->sources;
    for (int s = task * SOURCES; s < end; ++s)
        run_source(bank, s, chunk);
}

/* Adds sum `from` of chunk b to sum `to` of chunk a; a sum not used is silence. */
static void add_sum(const pn_bank *bank, bank_chunk *a, int to, const bank_chunk *b, int from) {
    if (!b->used[from])
        return;
    size_t floats = (size_t)bank->size;
    float *restrict sum = a->sum[to];
    const float *restrict more = b->sum[from];
    if (!a->used[to]) {
        memcpy(sum, more, floats * sizeof *sum);
        a->used[to] = true;
        return;
    }
    for (size_t n = 0; n < floats; ++n)
        sum[n] += more[n];
}

/* The quantum's signal of a sum of the first chunk, which is used. */
static const float *invert(const pn_bank *bank, int sum, float *signal) {
    bank_chunk *total = &bank->chunk[0];
    size_t half = (size_t)bank->size / 2;
    pn_rafft_inverse(bank->fft, total->sum[sum], NULL, signal, total->scratch);
    return signal + half - bank->quantum;
}

/* out += the signal of a sum, if it is used, times a hat over first .. first + length. */
static void add_hat(const pn_bank *bank, int sum, int first, int length, float *out) {
    if (!bank->chunk[0].used[sum])
        return;
    const float *off = invert(bank, sum, bank->signal[0]) + first;
    float step = 2.0f / (float)length;
    for (int n = 0; n < length; ++n)
        out[first + n] += off[n] * (step * (float)(n < length / 2 ? n : length - n));
}

static void finish_ear(const pn_bank *bank, int ear, float *out) {
    bank_chunk *total = &bank->chunk[0];
    int old = 2 * OLD + ear, new = 2 * NEW + ear, still = 2 * STILL + ear, quantum = bank->quantum;
    size_t bytes = (size_t)quantum * sizeof *out;
    if (!total->used[old]) { /* nothing moves */
        if (total->used[still])
            memcpy(out, invert(bank, still, bank->signal[0]), bytes);
        else
            memset(out, 0, bytes);
        return;
    }
    add_sum(bank, total, old, total, still);
    add_sum(bank, total, new, total, still);
    const float *before = invert(bank, old, bank->signal[0]);
    const float *after = invert(bank, new, bank->signal[1]);
    float step = 1.0f / (float)quantum;
    for (int n = 0; n < quantum; ++n)
        out[n] = before[n] + (after[n] - before[n]) * ((float)n * step);
    add_hat(bank, 2 * MIDDLE + ear, 0, quantum, out);
    add_hat(bank, 2 * FIRST + ear, 0, quantum / 2, out);
    add_hat(bank, 2 * THIRD + ear, quantum / 2, quantum / 2, out);
}

static void take_job(pn_bank *bank, const pn_bank_source *sources) {
    bank->job = sources;
    if (bank->size == 2 * bank->quantum)
        bank->turned = 1 - bank->turned;
    if (bank->delays != NULL)
        pn_delays_advance(bank->delays);
}

pinna_status pn_cpu_bank_begin(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    (void)err;
    take_job(bank, sources);
    return PINNA_OK;
}

pinna_status pn_cpu_bank_finish(pn_bank *bank, float *left, float *right, pinna_error *err) {
    (void)err;
    pn_pool_run(bank->cpu->pool, chunk_task, bank, bank->chunks);
    for (int c = 1; c < bank->chunks; ++c)
        for (int sum = 0; sum < SUMS; ++sum)
            add_sum(bank, &bank->chunk[0], sum, &bank->chunk[c], sum);
    finish_ear(bank, 0, left);
    finish_ear(bank, 1, right);
    return PINNA_OK;
}

pinna_status pn_cpu_bank_feed(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    (void)err;
    take_job(bank, sources);
    for (int s = 0; s < bank->sources; ++s)
        hear(bank, s);
    return PINNA_OK;
}
