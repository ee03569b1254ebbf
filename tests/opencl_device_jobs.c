// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Levels on every device against their definition in float64 (ops.h), or against sparse responses, whose
 * convolution is a handful of products per sample at any length. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opencl_each.h"

#include "device/ops.h"

static const double BOUND_DB = -115;

/* ------------------------------------------------------------------ levels */

typedef struct {
    int block, blocks, inputs, outputs;
    float *input;  /* [input][block of silence, blocks] */
    float *output; /* [output][blocks] */
    size_t in_row, out_row;
} stream;

static stream make_stream(const pn_level_desc *desc, int blocks) {
    stream s = {.block = desc->block,
                .blocks = blocks,
                .inputs = desc->inputs,
                .outputs = desc->outputs,
                .in_row = (size_t)desc->block * (size_t)(blocks + 1),
                .out_row = (size_t)desc->block * (size_t)blocks};
    s.input = pn_alloc_floats(s.in_row * (size_t)s.inputs);
    s.output = pn_alloc_floats(s.out_row * (size_t)s.outputs);
    for (int i = 0; i < s.inputs; ++i)
        test_fill_noise(s.input + (size_t)i * s.in_row + s.block, s.out_row, (uint64_t)i + 1, 1);
    return s;
}

static void free_stream(stream *s) {
    pn_free(s->input);
    pn_free(s->output);
}

static void blocks_of(const stream *s, int b, const float **history, float **out) {
    for (int i = 0; i < s->inputs; ++i)
        history[i] = s->input + (size_t)i * s->in_row + (size_t)b * (size_t)s->block;
    for (int o = 0; o < s->outputs; ++o)
        out[o] = s->output + (size_t)o * s->out_row + (size_t)b * (size_t)s->block;
}

static pinna_status begin_block(pn_level *level, const stream *s, int b, pinna_error *err) {
    const float *history[64];
    float *out[64];
    blocks_of(s, b, history, out);
    return backend->ops->level_begin(level, history, err);
}

static pinna_status finish_block(pn_level *level, const stream *s, int b, pinna_error *err) {
    const float *history[64];
    float *out[64];
    blocks_of(s, b, history, out);
    backend->ops->level_advance(level, 1, 2);
    return backend->ops->level_finish(level, out, err);
}

static void run_blocks(pn_level *level, const stream *s, int from) {
    pinna_error err = {0};
    for (int b = from; b < s->blocks; ++b) {
        assert_ok(begin_block(level, s, b, &err), &err);
        assert_ok(finish_block(level, s, b, &err), &err);
    }
}

/* All outputs together, from a block on. */
static double stream_error_db(const pn_level_desc *desc, const stream *s, int from) {
    double *expected = pn_alloc(s->out_row * (size_t)s->outputs, sizeof *expected);
    const float *input[64];
    double *rows[64];
    for (int i = 0; i < s->inputs; ++i)
        input[i] = s->input + (size_t)i * s->in_row + s->block;
    for (int o = 0; o < s->outputs; ++o)
        rows[o] = expected + (size_t)o * s->out_row;
    pn_ops_level(desc, input, s->out_row, rows);
    double worst = -400;
    size_t skipped = (size_t)from * (size_t)s->block;
    for (int o = 0; o < s->outputs; ++o) {
        double db = test_error_db_f64(s->output + (size_t)o * s->out_row + skipped, rows[o] + skipped,
                                      s->out_row - skipped);
        worst = db > worst ? db : worst;
    }
    pn_free(expected);
    return worst;
}

static void check_shape(int block, int inputs, int outputs, size_t length, int blocks) {
    pn_level_entry *entry = pn_alloc((size_t)(inputs * outputs), sizeof *entry);
    float *taps = pn_alloc_floats(length * (size_t)(inputs * outputs));
    test_fill_noise(taps, length * (size_t)(inputs * outputs), 99, 1);
    int entries = 0;
    for (int o = outputs - 1; o >= 0; --o) /* not in order, of different lengths, with holes in the matrix */
        for (int i = 0; i < inputs; ++i)
            if (outputs == 1 || i == o || (i + o) % 3 == 0)
                entry[entries] = (pn_level_entry){.input = i,
                                                  .output = o,
                                                  .taps = taps + length * (size_t)entries,
                                                  .length = length - (size_t)entries % length / 3},
                ++entries;
    const pn_level_desc desc = {
        .block = block, .inputs = inputs, .outputs = outputs, .entry = entry, .entries = entries};
    pinna_error err = {0};
    pn_level *level = NULL;
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    stream s = make_stream(&desc, blocks);
    run_blocks(level, &s, 0);
    backend->ops->level_free(level);
    assert_below(stream_error_db(&desc, &s, 0), BOUND_DB);
    free_stream(&s);
    pn_free(taps);
    pn_free(entry);
}

static void level_shapes(void **state) {
    (void)state;
    check_shape(32, 1, 1, 1, 3);
    check_shape(32, 1, 1, 2500, 90); /* several pieces of partitions, and the ring around once */
    check_shape(64, 3, 3, 500, 12);
    check_shape(128, 1, 5, 300, 5);
    check_shape(256, 6, 1, 1000, 6);
    check_shape(512, 2, 2, 513, 4);
    check_shape(2048, 1, 1, 2049, 4);
}

/* A response of a few taps far apart. */
enum { SPARSE = 9 };
typedef struct {
    size_t at[SPARSE];
    float value[SPARSE];
} sparse;

static sparse make_sparse(float *taps, size_t length, uint64_t seed) {
    sparse r;
    memset(taps, 0, length * sizeof *taps);
    for (int k = 0; k < SPARSE; ++k) {
        r.at[k] = k == 0 ? length - 1 : (size_t)((test_noise(&seed) + 1) / 2 * (double)(length - 2));
        r.value[k] = (float)test_noise(&seed);
        taps[r.at[k]] += r.value[k];
    }
    return r;
}

static double sparse_error_db(const stream *s, const sparse *r) {
    double *expected = pn_alloc(s->out_row, sizeof *expected);
    const float *x = s->input + s->block;
    for (int k = 0; k < SPARSE; ++k)
        for (size_t n = r->at[k]; n < s->out_row; ++n)
            expected[n] += (double)r->value[k] * (double)x[n - r->at[k]];
    double db = test_error_db_f64(s->output, expected, s->out_row);
    pn_free(expected);
    return db;
}

static void level_beyond_local_memory(void **state) {
    (void)state;
    static const int blocks[] = {4096, 16384, 131072, 524288};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; ++i) {
        size_t length = (size_t)blocks[i] * 2 + 5;
        float *taps = pn_alloc_floats(length);
        sparse r = make_sparse(taps, length, 7);
        const pn_level_entry entry = {.taps = taps, .length = length};
        const pn_level_desc desc = {
            .block = blocks[i], .inputs = 1, .outputs = 1, .entry = &entry, .entries = 1};
        pinna_error err = {0};
        pn_level *level = NULL;
        assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
        stream s = make_stream(&desc, 4);
        run_blocks(level, &s, 0);
        backend->ops->level_free(level);
        assert_below(sparse_error_db(&s, &r), BOUND_DB);
        free_stream(&s);
        pn_free(taps);
    }
}

static pn_level_desc small_level(float *taps, pn_level_entry *entry) {
    test_fill_noise(taps, 700, 5, 1);
    *entry = (pn_level_entry){.taps = taps, .length = 700};
    return (pn_level_desc){.block = 64, .inputs = 1, .outputs = 1, .entry = entry, .entries = 1};
}

static void level_takes_over_and_starts_anew(void **state) {
    (void)state;
    float taps[700];
    pn_level_entry entry;
    const pn_level_desc desc = small_level(taps, &entry);
    pinna_error err = {0};
    pn_level *level = NULL;
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    stream s = make_stream(&desc, 30);
    for (int b = 4; b < 16; ++b) { /* the past that matters: 11 blocks and one before */
        const float *history[1];
        float *out[1];
        blocks_of(&s, b, history, out);
        assert_ok(backend->ops->level_feed(level, history, &err), &err);
    }
    run_blocks(level, &s, 16);
    assert_below(stream_error_db(&desc, &s, 16), BOUND_DB);
    assert_ok(begin_block(level, &s, 3, &err), &err); /* forgotten, as the history is */
    backend->ops->level_reset(level);
    run_blocks(level, &s, 0);
    assert_below(stream_error_db(&desc, &s, 0), BOUND_DB);
    backend->ops->level_free(level);
    free_stream(&s);
}

static void two_levels_in_flight(void **state) {
    (void)state;
    float taps[700];
    pn_level_entry entry;
    const pn_level_desc small = small_level(taps, &entry);
    pn_level_desc large = small;
    large.block = 512;
    pinna_error err = {0};
    pn_level *level[2] = {0};
    assert_ok(backend->ops->level_create(backend, &small, &level[0], &err), &err);
    assert_ok(backend->ops->level_create(backend, &large, &level[1], &err), &err);
    stream s[2] = {make_stream(&small, 24), make_stream(&large, 3)};
    for (int b = 0; b < 24; ++b) {
        if (b % 8 == 0)
            assert_ok(begin_block(level[1], &s[1], b / 8, &err), &err);
        assert_ok(begin_block(level[0], &s[0], b, &err), &err);
        assert_ok(finish_block(level[0], &s[0], b, &err), &err);
        if (b % 8 == 7)
            assert_ok(finish_block(level[1], &s[1], b / 8, &err), &err);
    }
    assert_below(stream_error_db(&small, &s[0], 0), BOUND_DB);
    assert_below(stream_error_db(&large, &s[1], 0), BOUND_DB);
    for (int i = 0; i < 2; ++i) {
        backend->ops->level_free(level[i]);
        free_stream(&s[i]);
    }
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_shapes),
        cmocka_unit_test(level_beyond_local_memory),
        cmocka_unit_test(level_takes_over_and_starts_anew),
        cmocka_unit_test(two_levels_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
