// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank on the CPU: many moving sources to two ears with four inverse transforms a quantum in all.
 *
 * A source's last N samples stand in one piece, so that their right-angle transform X (rafft.h) is one call; the
 * quantum is at the end of the imaginary half. Its filter at an instant is complete, the interaural delay inside:
 *     F[ear] = (w0 G[n0][ear] + w1 G[n1][ear] + w2 G[n2][ear]) exp(-2 pi i f delay[ear])
 * with the spectra G of the nodes' aligned responses made at create. The filter `from` is as a rule the `to` of
 * the quantum before: each source keeps its last one, and builds only what differs from it.
 *
 * Per ear there are three sums over the sources: F_from X and F_to X of the sources whose filter changes, and F X
 * of those that stand still, which counts for both ends. The ears' signals are the inverses of old + still and
 * new + still with a linear ramp between in time: for any number of sources four inverses, or two when nothing
 * moves.
 *
 * Sources are cut into chunks of SOURCES, each with sums of its own, which are then added in order: the pool's
 * tasks, and the same bits for any number of threads. */
#include "device/cpu.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

enum { SOURCES = 16, SUMS = 6, PADDING = 32 };
enum { OLD, NEW, STILL }; /* sum of an ear: 2 * which + ear */

typedef struct {
    float *history; /* N samples, the newest last */
    float *filter;  /* complete filters of `key`: left, right */
    pn_filter key;
    bool has_key;
    int silent; /* quanta of silence at the end of the history, counted up to `memory` */
    pn_filter from, to;
} bank_source;

typedef struct {
    float *sum[SUMS];
    float *spectrum; /* X */
    float *ramp;
    float *blend;
    float *scratch;
    bool used[SUMS];
} bank_chunk;

struct pn_bank {
    const pn_backend_ops *ops;
    const pn_cpu *cpu;
    pn_rafft *fft;
    int size, quantum, sources, nodes, chunks;
    int memory;    /* quanta after which a history is all silence */
    size_t stride; /* floats from one spectrum to the next */
    float *node;   /* spectra [node][ear] */
    bank_source *source;
    float *histories, *filters;
    bank_chunk *chunk;
    float *work;      /* all the chunks' buffers */
    float *signal[2]; /* old, new: size / 2 frames */
};

static float *node_spectrum(const pn_bank *bank, int node, int ear) {
    return bank->node + ((size_t)node * 2 + (size_t)ear) * bank->stride;
}

/* ------------------------------------------------------------------ create */

static void transform_nodes(pn_bank *bank, const pn_bank_desc *desc, float *padded, float *scratch) {
    size_t half = (size_t)bank->size / 2, taps = (size_t)desc->taps;
    float scale = 1.0f / (float)half;
    for (size_t r = 0; r < 2 * (size_t)desc->nodes; ++r) {
        for (size_t n = 0; n < 2 * half; ++n)
            padded[n] = n < taps ? desc->responses[r * taps + n] * scale : 0;
        pn_rafft_forward(bank->fft, padded, padded + half, bank->node + r * bank->stride, scratch);
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
        chunk->spectrum = at;
        chunk->ramp = at + bank->stride;
        chunk->blend = at + 2 * bank->stride;
        chunk->scratch = at + 3 * bank->stride;
    }
    bank->signal[0] = bank->chunk[0].scratch + scratch;
    bank->signal[1] = bank->signal[0] + bank->size / 2;
}

static pinna_status build(pn_bank *bank, const pn_bank_desc *desc, pinna_error *err) {
    size_t size = (size_t)desc->size, sources = (size_t)desc->sources;
    pinna_status status = pn_rafft_create(desc->size, bank->cpu->simd, &bank->fft, err);
    if (status != PINNA_OK)
        return status;
    bank->size = desc->size;
    bank->quantum = desc->quantum;
    bank->sources = desc->sources;
    bank->nodes = desc->nodes;
    bank->memory = desc->size / desc->quantum;
    bank->stride = size + PADDING;
    bank->chunks = (desc->sources + SOURCES - 1) / SOURCES;
    size_t scratch = (pn_rafft_scratch(bank->fft) + PADDING) / PADDING * PADDING;
    size_t chunk_floats = (SUMS + 3) * bank->stride + scratch + size;
    bank->node = pn_alloc(2 * (size_t)desc->nodes, bank->stride * sizeof(float));
    bank->source = pn_alloc(sources, sizeof *bank->source);
    bank->histories = pn_alloc(sources, (size + PADDING) * sizeof(float));
    bank->filters = pn_alloc(sources, 2 * bank->stride * sizeof(float));
    bank->chunk = pn_alloc((size_t)bank->chunks, sizeof *bank->chunk);
    bank->work = pn_alloc((size_t)bank->chunks, chunk_floats * sizeof(float));
    if (bank->node == NULL || bank->source == NULL || bank->histories == NULL || bank->filters == NULL ||
        bank->chunk == NULL || bank->work == NULL)
        return pn_fail_memory(err, "the spatial bank",
                              4.0 * ((double)desc->nodes * 2 + (double)sources * 3) * (double)bank->stride);
    share_work(bank, chunk_floats, scratch);
    transform_nodes(bank, desc, bank->chunk[0].sum[0], bank->chunk[0].scratch);
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
    pn_free(bank->node);
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

static bool silent_filter(const pn_filter *f) {
    return f->weight[0] == 0 && f->weight[1] == 0 && f->weight[2] == 0;
}

/* out = w0 a + w1 b + w2 c */
static void blend(float *restrict out, const float *restrict a, const float *restrict b,
                  const float *restrict c, const float weight[3], size_t count) {
    float w0 = weight[0], w1 = weight[1], w2 = weight[2];
    for (size_t n = 0; n < count; ++n)
        out[n] = w0 * a[n] + w1 * b[n] + w2 * c[n];
}

/* Makes the source's filter that of key, if it isn't. */
static void make_filter(const pn_bank *bank, bank_source *source, const pn_filter *key, bank_chunk *chunk) {
    if (source->has_key && same_filter(&source->key, key))
        return;
    size_t floats = (size_t)bank->size;
    for (int ear = 0; ear < 2; ++ear) {
        float *filter = source->filter + (size_t)ear * bank->stride;
        blend(chunk->blend, node_spectrum(bank, key->node[0], ear), node_spectrum(bank, key->node[1], ear),
              node_spectrum(bank, key->node[2], ear), key->weight, floats);
        pn_rafft_delay_ramp(bank->fft, (double)key->delay[ear], chunk->ramp);
        memset(filter, 0, floats * sizeof *filter);
        pn_rafft_multiply_add(bank->fft, filter, chunk->blend, chunk->ramp);
    }
    source->key = *key;
    source->has_key = true;
}

/* ------------------------------------------------------------------ a job */

static void add_filtered(const pn_bank *bank, bank_source *source, const pn_filter *key, int which,
                         bank_chunk *chunk) {
    if (silent_filter(key))
        return;
    make_filter(bank, source, key, chunk);
    for (int ear = 0; ear < 2; ++ear) {
        int sum = 2 * which + ear;
        if (!chunk->used[sum])
            memset(chunk->sum[sum], 0, (size_t)bank->size * sizeof(float));
        chunk->used[sum] = true;
        pn_rafft_multiply_add(bank->fft, chunk->sum[sum], source->filter + (size_t)ear * bank->stride,
                              chunk->spectrum);
    }
}

static void chunk_task(void *context, int task) {
    const pn_bank *bank = context;
    bank_chunk *chunk = &bank->chunk[task];
    memset(chunk->used, 0, sizeof chunk->used);
    int end = (task + 1) * SOURCES < bank->sources ? (task + 1) * SOURCES : bank->sources;
    for (int s = task * SOURCES; s < end; ++s) {
        bank_source *source = &bank->source[s];
        if (source->silent >= bank->memory || (silent_filter(&source->from) && silent_filter(&source->to)))
            continue;
        pn_rafft_forward(bank->fft, source->history, source->history + bank->size / 2, chunk->spectrum,
                         chunk->scratch);
        if (same_filter(&source->from, &source->to)) {
            add_filtered(bank, source, &source->to, STILL, chunk);
            continue;
        }
        add_filtered(bank, source, &source->from, OLD, chunk);
        add_filtered(bank, source, &source->to, NEW, chunk);
    }
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

/* The quantum's signal of a sum of the first chunk, zeros where it is silent. */
static const float *invert(const pn_bank *bank, int sum, float *signal) {
    bank_chunk *total = &bank->chunk[0];
    size_t half = (size_t)bank->size / 2;
    if (total->used[sum])
        pn_rafft_inverse(bank->fft, total->sum[sum], NULL, signal, total->scratch);
    else
        memset(signal, 0, half * sizeof *signal);
    return signal + half - bank->quantum;
}

static void finish_ear(const pn_bank *bank, int ear, float *out) {
    bank_chunk *total = &bank->chunk[0];
    int old = 2 * OLD + ear, new = 2 * NEW + ear, still = 2 * STILL + ear;
    size_t quantum = (size_t)bank->quantum;
    if (!total->used[old] && !total->used[new]) {
        memcpy(out, invert(bank, still, bank->signal[0]), quantum * sizeof *out);
        return;
    }
    add_sum(bank, total, old, total, still);
    add_sum(bank, total, new, total, still);
    const float *before = invert(bank, old, bank->signal[0]);
    const float *after = invert(bank, new, bank->signal[1]);
    float step = 1.0f / (float)quantum;
    for (size_t n = 0; n < quantum; ++n)
        out[n] = before[n] + (after[n] - before[n]) * ((float)n * step);
}

static void take_samples(const pn_bank *bank, bank_source *source, const float *in) {
    size_t quantum = (size_t)bank->quantum, kept = (size_t)bank->size - quantum;
    if (in == NULL && source->silent >= bank->memory)
        return;
    source->silent = in == NULL ? source->silent + 1 : 0;
    memmove(source->history, source->history + quantum, kept * sizeof *in);
    if (in != NULL)
        memcpy(source->history + kept, in, quantum * sizeof *in);
    else
        memset(source->history + kept, 0, quantum * sizeof *in);
}

pinna_status pn_cpu_bank_begin(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    (void)err;
    for (int s = 0; s < bank->sources; ++s) {
        take_samples(bank, &bank->source[s], sources[s].in);
        bank->source[s].from = sources[s].from;
        bank->source[s].to = sources[s].to;
    }
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
    for (int s = 0; s < bank->sources; ++s)
        take_samples(bank, &bank->source[s], sources[s].in);
    return PINNA_OK;
}
