// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

/* Small cases that still meet every path of a job: several partitions, an input with two outputs, two inputs in
 * one output; a source that moves, one that stands still, one that falls silent. */
enum {
    BLOCK = 64,
    BLOCKS = 7,
    FRAMES = BLOCK * BLOCKS,
    TAPS = 230,
    SIZE = 256,
    QUANTUM = 64,
    QUANTA = 6,
    SOURCES = 3,
    NODES = 4,
    NODE_TAPS = 100,
    MAX_DELAY = 40
};
static const double BOUND_DB = -110;

typedef struct {
    float input[2][BLOCK + FRAMES]; /* a block of silence first */
    float taps[3][TAPS];
    float out[2][FRAMES];
    double expected[2][FRAMES];
} level_case;

typedef struct {
    float responses[NODES * 2 * NODE_TAPS];
    float signal[SOURCES][SIZE + QUANTUM * QUANTA]; /* the silence before the start first */
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

static pn_filter filter_at(int source, int quantum) {
    float t = source == 1 ? 0.3f : (float)quantum / QUANTA;
    pn_filter filter = {.delay = {3.25f + 30 * t, 36.5f - 30 * t}};
    for (int ear = 0; ear < 2; ++ear) {
        for (int j = 0; j < 3; ++j)
            filter.node[ear][j] = (source + j) % NODES;
        filter.weight[ear][0] = 0.7f * (1 - t);
        filter.weight[ear][1] = 0.5f * t;
        filter.weight[ear][2] = 0.2f;
    }
    return filter;
}

/* Source 2 is silent from the third quantum on, and its filter fades to nothing. */
static void set_sources(const bank_case *c, int q, pn_bank_source *sources) {
    for (int s = 0; s < SOURCES; ++s) {
        sources[s] = (pn_bank_source){
            .in = c->signal[s] + SIZE + q * QUANTUM, .from = filter_at(s, q), .to = filter_at(s, q + 1)};
    }
    if (q >= 2)
        sources[2].in = NULL;
    if (q >= 3)
        memset(sources[2].to.weight, 0, sizeof sources[2].to.weight);
    if (q >= 4)
        memset(sources[2].from.weight, 0, sizeof sources[2].from.weight);
}

static pinna_status run_bank(pn_backend *backend, pn_bank *bank, const pn_bank_desc *desc, bank_case *c,
                             pinna_error *err) {
    for (int q = 0; q < QUANTA; ++q) {
        pn_bank_source sources[SOURCES];
        set_sources(c, q, sources);
        const float *history[SOURCES];
        for (int s = 0; s < SOURCES; ++s)
            history[s] = c->signal[s] + (q + 1) * QUANTUM;
        pinna_status status = backend->ops->bank_begin(bank, sources, err);
        if (status == PINNA_OK)
            status = backend->ops->bank_finish(bank, c->out[0] + q * QUANTUM, c->out[1] + q * QUANTUM, err);
        if (status == PINNA_OK)
            status = pn_ops_bank(desc, sources, history, c->expected[0] + q * QUANTUM,
                                 c->expected[1] + q * QUANTUM, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status test_bank(pn_backend *backend, double *db, pinna_error *err) {
    bank_case *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(err, "the self-test", sizeof *c);
    fill(c->responses, sizeof c->responses / sizeof *c->responses, 4);
    for (int s = 0; s < SOURCES; ++s)
        fill(c->signal[s] + SIZE, QUANTUM * (s == 2 ? 2 : QUANTA), 5 + (uint32_t)s);
    const pn_bank_desc desc = {.size = SIZE,
                               .quantum = QUANTUM,
                               .sources = SOURCES,
                               .nodes = NODES,
                               .taps = NODE_TAPS,
                               .max_delay = MAX_DELAY,
                               .responses = c->responses};
    pn_bank *bank = NULL;
    pinna_status status = backend->ops->bank_create(backend, &desc, &bank, err);
    if (status == PINNA_OK)
        status = run_bank(backend, bank, &desc, c, err);
    backend->ops->bank_free(bank);
    *db = error_db(c->out[0], c->expected[0], (size_t)2 * QUANTUM * QUANTA);
    pn_free(c);
    return status;
}

pinna_status pn_backend_selftest(pn_backend *backend, void (*report)(void *user, const char *line),
                                 void *user, pinna_error *err) {
    static const struct {
        const char *name;
        pinna_status (*run)(pn_backend *, double *, pinna_error *);
    } jobs[] = {{"level", test_level}, {"matrix", test_matrix}, {"bank", test_bank}};
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
