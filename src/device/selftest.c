// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

/* Small cases that still meet every path of a job: several partitions, an input with two outputs, two inputs in
 * one output; sources that move in one, two and four steps, one that stands still, one that falls silent, with three
 * nodes and six, the same and different ones for the ears, with tints and without, and with all of them again behind
 * delay lines. */
enum {
    BLOCK = 64,
    BLOCKS = 7,
    FRAMES = BLOCK * BLOCKS,
    TAPS = 230,
    SIZE = 256,
    QUANTUM = 64,
    QUANTA = 6,
    SOURCES = 5,
    NODES = 4,
    NODE_TAPS = 100,
    MAX_DELAY = 40,
    TINTS = 3,
    TINT_TAPS = 5,
    PROPAGATION = 90,
    LEAD = SIZE + PROPAGATION + 16 /* silence before the start */
};
static const double BOUND_DB = -110;

typedef struct {
    float input[2][BLOCK + FRAMES]; /* a block of silence first */
    float taps[3][TAPS];
    float out[2][FRAMES];
    double expected[2][FRAMES];
} level_case;

typedef struct {
    pn_bank_desc desc;
    float responses[NODES * 2 * NODE_TAPS];
    float tints[TINTS * TINT_TAPS];
    float signal[SOURCES][LEAD + QUANTUM * QUANTA];
    float heard[SOURCES][LEAD + QUANTUM * QUANTA];
    float out[2][QUANTUM * QUANTA];
    double expected[2][QUANTUM * QUANTA];
} bank_case;

static void fill(float *out, size_t count, uint32_t seed) {
    for (size_t n = 0; n < count; ++n) {
        seed = seed * 1664525u + 1013904223u;
        out[n] = (float)((double)(seed >> 8) / 8388608.0 - 1.0);
    }
}

static double error_db(const float *got, const double *expected, size_t count) {
    double error = 0, reference = 0;
    for (size_t n = 0; n < count; ++n) {
        double d = (double)got[n] - expected[n];
        error += d * d;
        reference += expected[n] * expected[n];
    }
    if (!isfinite(error))
        return 999;
    return 10 * log10((error + 1e-30) / (reference + 1e-30));
}

/* ------------------------------------------------------------------ level */

static pinna_status run_level(pn_backend *backend, pn_level *level, level_case *c, pinna_error *err) {
    for (int b = 0; b < BLOCKS; ++b) {
        const float *history[2] = {c->input[0] + b * BLOCK, c->input[1] + b * BLOCK};
        float *out[2] = {c->out[0] + b * BLOCK, c->out[1] + b * BLOCK};
        pinna_status status = backend->ops->level_begin(level, history, err);
        if (status != PINNA_OK)
            return status;
        backend->ops->level_advance(level, 1, 3);
        status = backend->ops->level_finish(level, out, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

#define LEVEL_ENTRIES(c)                                                                                     \
    {                                                                                                        \
        {0, 0, (c)->taps[0], TAPS}, {0, 1, (c)->taps[1], 33}, {                                              \
            1, 1, (c)->taps[2], 128                                                                          \
        }                                                                                                    \
    }

static void fill_level_case(level_case *c) {
    fill(c->input[0] + BLOCK, FRAMES, 1);
    fill(c->input[1] + BLOCK, FRAMES, 2);
    fill(c->taps[0], 3 * TAPS, 3);
}

static double level_error_db(level_case *c, const pn_level_entry *entry) {
    const pn_level_desc desc = {.block = BLOCK, .inputs = 2, .outputs = 2, .entry = entry, .entries = 3};
    const float *input[2] = {c->input[0] + BLOCK, c->input[1] + BLOCK};
    double *expected[2] = {c->expected[0], c->expected[1]};
    pn_ops_level(&desc, input, FRAMES, expected);
    return error_db(c->out[0], c->expected[0], (size_t)2 * FRAMES);
}

static pinna_status test_level(pn_backend *backend, double *db, pinna_error *err) {
    level_case *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(err, "the self-test", sizeof *c);
    fill_level_case(c);
    const pn_level_entry entry[3] = LEVEL_ENTRIES(c);
    const pn_level_desc desc = {.block = BLOCK, .inputs = 2, .outputs = 2, .entry = entry, .entries = 3};
    pn_level *level = NULL;
    pinna_status status = backend->ops->level_create(backend, &desc, &level, err);
    if (status == PINNA_OK)
        status = run_level(backend, level, c, err);
    backend->ops->level_free(level);
    *db = level_error_db(c, entry);
    pn_free(c);
    return status;
}

/* ------------------------------------------------------------------ matrix */

/* The level's case in calls of half its block: level 0, and the whole blocks from the second on. */
static pinna_status run_matrix(pn_backend *backend, pn_matrix *matrix, level_case *c, pinna_error *err) {
    enum { CALL = BLOCK / 2 };
    for (int b = 0; b < FRAMES / CALL; ++b) {
        const float *in[2] = {c->input[0] + BLOCK + b * CALL, c->input[1] + BLOCK + b * CALL};
        float *out[2] = {c->out[0] + b * CALL, c->out[1] + b * CALL};
        pinna_status status = backend->ops->matrix_begin(matrix, in, err);
        if (status == PINNA_OK)
            status = backend->ops->matrix_finish(matrix, out, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status test_matrix(pn_backend *backend, double *db, pinna_error *err) {
    level_case *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(err, "the self-test", sizeof *c);
    fill_level_case(c);
    const pn_level_entry entry[3] = LEVEL_ENTRIES(c);
    const pn_matrix_level level[2] = {{BLOCK / 2, 4, 0}, {BLOCK, 2, (size_t)2 * BLOCK}};
    const pn_matrix_desc desc = {
        .inputs = 2, .outputs = 2, .level = level, .levels = 2, .entry = entry, .entries = 3};
    pn_matrix *matrix = NULL;
    pinna_status status = backend->ops->matrix_create(backend, &desc, &matrix, err);
    if (status == PINNA_OK)
        status = run_matrix(backend, matrix, c, err);
    backend->ops->matrix_free(matrix);
    *db = level_error_db(c, entry);
    pn_free(c);
    return status;
}

/* ------------------------------------------------------------------ bank */

/* t: time in quanta. */
static pn_filter filter_at(int source, float t) {
    t = source == 1 ? 0.3f : t / QUANTA;
    pn_filter filter = {.delay = {3.25f + 30 * t, 36.5f - 30 * t}};
    int nodes = source == 3 ? PN_FILTER_NODES : 3, tints = source < 2 ? 0 : source;
    for (int ear = 0; ear < 2; ++ear) {
        for (int j = 0; j < nodes; ++j) {
            filter.node[ear][j] = (source + j + (source == 3 ? 2 * ear : 0)) % NODES;
            filter.weight[ear][j] = j == 0 ? 0.7f * (1 - t) : j == 1 ? 0.5f * t : 0.2f / (float)j;
        }
        for (int j = 0; j < tints; ++j) {
            filter.tint[ear][j] = (j + ear) % TINTS;
            filter.tint_weight[ear][j] = 0.4f * t + 0.3f * (float)j;
        }
    }
    return filter;
}

/* Source 2 is silent from the third quantum on, and its filter fades to nothing. */
static void set_sources(const bank_case *c, int q, pn_bank_source *sources) {
    for (int s = 0; s < SOURCES; ++s) {
        sources[s] = (pn_bank_source){.in = c->signal[s] + LEAD + q * QUANTUM,
                                      .steps = s == 3   ? 2
                                               : s == 4 ? 4
                                                        : 1,
                                      .from = filter_at(s, (float)q),
                                      .to = filter_at(s, (float)(q + 1)),
                                      .propagation = {10 + 12 * s, {0.3f, (float)(2 * s), 1, -0.5f}}};
        /* off the straight way */
        for (int k = 0; k < PN_BANK_INNER; ++k)
            sources[s].inner[k] = filter_at(s, (float)q + 1.5f - 0.3f * (float)k);
    }
    if (q >= 2)
        sources[2].in = NULL;
    if (q >= 3)
        memset(sources[2].to.weight, 0, sizeof sources[2].to.weight);
    if (q >= 4)
        memset(sources[2].from.weight, 0, sizeof sources[2].from.weight);
}

/* What the definition reads: the signals, or what is heard of them. */
static void hear(bank_case *c, int q, const pn_bank_source *sources, const float **history) {
    for (int s = 0; s < SOURCES; ++s) {
        const float *in = c->signal[s] + LEAD + q * QUANTUM;
        float *heard = c->heard[s] + LEAD + q * QUANTUM;
        double delayed[QUANTUM];
        if (c->desc.propagation > 0)
            pn_ops_propagate(&c->desc, &sources[s].propagation, in, delayed);
        for (int n = 0; n < QUANTUM; ++n)
            heard[n] = c->desc.propagation > 0 ? (float)delayed[n] : in[n];
        history[s] = heard + QUANTUM - SIZE;
    }
}

static pinna_status run_bank(pn_backend *backend, pn_bank *bank, bank_case *c, pinna_error *err) {
    for (int q = 0; q < QUANTA; ++q) {
        pn_bank_source sources[SOURCES];
        const float *history[SOURCES];
        set_sources(c, q, sources);
        hear(c, q, sources, history);
        pinna_status status = backend->ops->bank_begin(bank, sources, err);
        if (status == PINNA_OK)
            status = backend->ops->bank_finish(bank, c->out[0] + q * QUANTUM, c->out[1] + q * QUANTUM, err);
        if (status == PINNA_OK)
            status = pn_ops_bank(&c->desc, sources, history, c->expected[0] + q * QUANTUM,
                                 c->expected[1] + q * QUANTUM, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status test_bank_with(pn_backend *backend, int propagation, double *db, pinna_error *err) {
    bank_case *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(err, "the self-test", sizeof *c);
    fill(c->responses, sizeof c->responses / sizeof *c->responses, 4);
    fill(c->tints, sizeof c->tints / sizeof *c->tints, 3);
    for (int s = 0; s < SOURCES; ++s)
        fill(c->signal[s] + LEAD, QUANTUM * (s == 2 ? 2 : QUANTA), 5 + (uint32_t)s);
    c->desc = (pn_bank_desc){.size = SIZE,
                             .quantum = QUANTUM,
                             .sources = SOURCES,
                             .nodes = NODES,
                             .taps = NODE_TAPS,
                             .max_delay = MAX_DELAY,
                             .responses = c->responses,
                             .tints = TINTS,
                             .tint_taps = TINT_TAPS,
                             .tint_responses = c->tints,
                             .propagation = propagation};
    pn_bank *bank = NULL;
    pinna_status status = backend->ops->bank_create(backend, &c->desc, &bank, err);
    if (status == PINNA_OK)
        status = run_bank(backend, bank, c, err);
    backend->ops->bank_free(bank);
    *db = error_db(c->out[0], c->expected[0], (size_t)2 * QUANTUM * QUANTA);
    pn_free(c);
    return status;
}

static pinna_status test_bank(pn_backend *backend, double *db, pinna_error *err) {
    return test_bank_with(backend, 0, db, err);
}

static pinna_status test_delayed_bank(pn_backend *backend, double *db, pinna_error *err) {
    return test_bank_with(backend, PROPAGATION, db, err);
}

pinna_status pn_backend_selftest(pn_backend *backend, void (*report)(void *user, const char *line),
                                 void *user, pinna_error *err) {
    static const struct {
        const char *name;
        pinna_status (*run)(pn_backend *, double *, pinna_error *);
    } jobs[] = {{"level", test_level},
                {"matrix", test_matrix},
                {"bank", test_bank},
                {"bank with delay lines", test_delayed_bank}};
    for (size_t j = 0; j < sizeof jobs / sizeof jobs[0]; ++j) {
        double db = 0;
        if (jobs[j].run == test_matrix && backend->ops->matrix_create == NULL)
            continue;
        pinna_status status = jobs[j].run(backend, &db, err);
        if (status != PINNA_OK)
            return pn_fail_within(err, status, "%s: self-test of the job '%s'", backend->name, jobs[j].name);
        char line[80];
        snprintf(line, sizeof line, "%s %s %.1f dB", jobs[j].name, db <= BOUND_DB ? "ok" : "wrong", db);
        if (report != NULL)
            report(user, line);
        if (db > BOUND_DB)
            return pn_fail(
                err, PINNA_DEVICE,
                "%s: the self-test of the job '%s' is off by %.1f dB (bound %.0f dB); choose another "
                "device",
                backend->name, jobs[j].name, db, BOUND_DB);
    }
    return PINNA_OK;
}
