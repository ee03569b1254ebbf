// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_CONVOLVE_SUPPORT_H
#define PN_TESTS_CONVOLVE_SUPPORT_H

#include "exact_convolution.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "convolve/convolver.h"
#include "device/cpu.h"

/* What the tests of the convolver share: random streams and matrices, their convolution in double precision
 * (signal/fft.h, itself tested against the definition), a trap for allocations, a device that fails. */

static const double BOUND_DB = -125;

/* Calls of the allocator, by the whole process while `counting`, by a thread while it is `trapped`: the block path
 * makes none. */
static volatile long allocations;
static volatile int counting;
static _Thread_local volatile int trapped;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void free(void *memory);

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *malloc(size_t size) {
    allocations += counting | trapped;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations += counting | trapped;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations += counting | trapped;
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations += counting | trapped;
    return __libc_memalign(alignment, size);
}

void free(void *memory) {
    allocations += (counting | trapped) && memory != NULL;
    __libc_free(memory);
}
#endif

/* ------------------------------------------------------------------ cases */

enum { MOST = 6 };

typedef struct {
    int inputs, outputs;
    size_t frames;
    float *in[MOST], *out[MOST];
    double *expected[MOST];
} stream;

typedef struct {
    pinna_ir ir[MOST * MOST];
    size_t count;
} matrix;

static uint64_t dice;

static inline size_t roll(size_t low, size_t high) {
    double t = (test_noise(&dice) + 1) / 2;
    return low + (size_t)(t * (double)(high - low + 1)) % (high - low + 1);
}

static inline void make_stream(stream *s, int inputs, int outputs, size_t frames, uint64_t seed) {
    memset(s, 0, sizeof *s);
    *s = (stream){.inputs = inputs, .outputs = outputs, .frames = frames};
    for (int i = 0; i < inputs; ++i) {
        s->in[i] = pn_alloc_floats(frames);
        test_fill_noise(s->in[i], frames, seed + (uint64_t)i, 0.5);
    }
    for (int o = 0; o < outputs; ++o) {
        s->out[o] = pn_alloc_floats(frames);
        s->expected[o] = pn_alloc(frames, sizeof(double));
    }
}

static inline void free_stream(stream *s) {
    for (int i = 0; i < MOST; ++i) {
        pn_free(s->in[i]);
        pn_free(s->out[i]);
        pn_free(s->expected[i]);
    }
}

static inline void add_ir(matrix *m, int input, int output, size_t length, uint64_t seed) {
    float *taps = pn_alloc_floats(length);
    test_fill_noise(taps, length, seed, 1);
    for (size_t n = 0; n < length; ++n)
        taps[n] *= (float)exp(-5.0 * (double)n / (double)length);
    m->ir[m->count++] = (pinna_ir){input, output, taps, length};
}

static inline void free_matrix(matrix *m) {
    for (size_t e = 0; e < m->count; ++e)
        pn_free((void *)(uintptr_t)m->ir[e].taps);
    m->count = 0;
}

/* out = the sum of an output's exact convolutions, s->frames frames; overwritten. */
static inline void convolve_output(const stream *s, const matrix *m, int output, double *out) {
    memset(out, 0, s->frames * sizeof *out);
    for (size_t e = 0; e < m->count; ++e) {
        const pinna_ir *ir = &m->ir[e];
        if (ir->output == output)
            test_add_convolved(out, s->frames, 0, s->in[ir->input], s->frames, ir->taps, ir->length, 1);
    }
}

static inline void convolve_exactly(const stream *s, const matrix *m, double *const *out) {
    for (int o = 0; o < s->outputs; ++o)
        convolve_output(s, m, o, out[o]);
}

static inline void assert_stream(const stream *s, size_t frames, double bound) {
    for (int o = 0; o < s->outputs; ++o)
        assert_below(test_error_db_f64(s->out[o], s->expected[o], frames), bound);
}

static inline pn_convolver *make_convolver(const stream *s, const matrix *m, int block, pn_plan_mode mode,
                                           pn_backend *backend) {
    pn_convolver_desc desc = {.inputs = s->inputs,
                              .outputs = s->outputs,
                              .block = block,
                              .mode = mode,
                              .irs = m->ir,
                              .ir_count = m->count,
                              .backend = backend};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    return convolver;
}

/* One call of `frames` frames at frame `at` of the stream. */
static inline void call(pn_convolver *convolver, stream *s, size_t at, size_t frames) {
    const float *in[MOST];
    float *out[MOST];
    for (int i = 0; i < s->inputs; ++i)
        in[i] = s->in[i] + at;
    for (int o = 0; o < s->outputs; ++o)
        out[o] = s->out[o] + at;
    pinna_error err = {0};
    assert_ok(pn_convolver_process(convolver, in, out, frames, &err), &err);
}

static pn_backend *cpu;

static inline int open_cpu(void **state) {
    (void)state;
    return pn_backend_cpu_open(NULL, &cpu, NULL) == PINNA_OK ? 0 : -1;
}

static inline int close_cpu(void **state) {
    (void)state;
    pn_backend_close(cpu);
    return 0;
}

/* Mixes expected with the exact convolution of m as a fade from frame `at` does. */
static inline void expect_fade(stream *s, const matrix *m, size_t at, size_t fade) {
    stream other;
    make_stream(&other, s->inputs, s->outputs, s->frames, 1);
    for (int i = 0; i < s->inputs; ++i)
        memcpy(other.in[i], s->in[i], s->frames * sizeof(float));
    convolve_exactly(&other, m, other.expected);
    for (int o = 0; o < s->outputs; ++o) {
        for (size_t n = at; n < s->frames; ++n) {
            double share = n - at >= fade ? 1 : (double)(n - at + 1) / (double)(fade + 1);
            s->expected[o][n] += share * (other.expected[o][n] - s->expected[o][n]);
        }
    }
    free_stream(&other);
}

/* The CPU's jobs under another name and kind, of which call number fail_at and all after it fail. */
typedef struct {
    pn_backend head;
    long calls, fail_at;
} failing_backend;

static failing_backend failing;
static pn_backend_ops failing_ops;

static inline pinna_status fail_or(pinna_error *err) {
    if (failing.fail_at == 0 || ++failing.calls < failing.fail_at)
        return PINNA_OK;
    return pn_fail(err, PINNA_DEVICE, "injected failure at call %ld", failing.calls);
}

static inline pinna_status failing_create(pn_backend *backend, const pn_level_desc *desc, pn_level **level,
                                          pinna_error *err) {
    (void)backend;
    *level = NULL;
    pinna_status status = fail_or(err);
    return status == PINNA_OK ? cpu->ops->level_create(cpu, desc, level, err) : status;
}

static inline pinna_status failing_begin(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = fail_or(err);
    return status == PINNA_OK ? cpu->ops->level_begin(level, history, err) : status;
}

static inline pinna_status failing_finish(pn_level *level, float *const *out, pinna_error *err) {
    pinna_status status = fail_or(err);
    return status == PINNA_OK ? cpu->ops->level_finish(level, out, err) : status;
}

static inline pinna_status failing_feed(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = fail_or(err);
    return status == PINNA_OK ? cpu->ops->level_feed(level, history, err) : status;
}

static inline pn_backend *open_failing(void) {
    failing_ops = *cpu->ops;
    failing_ops.level_create = failing_create;
    failing_ops.level_begin = failing_begin;
    failing_ops.level_finish = failing_finish;
    failing_ops.level_lend = NULL;
    failing_ops.level_feed = failing_feed;
    memset(&failing, 0, sizeof failing);
    failing.head.ops = &failing_ops;
    failing.head.kind = PN_BACKEND_OPENCL;
    snprintf(failing.head.name, sizeof failing.head.name, "opencl:9.9");
    return &failing.head;
}

#endif
