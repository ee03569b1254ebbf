// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu.h"
#include "device/ops.h"

static void print_line(void *user, const char *line) {
    ++*(int *)user;
    print_message("%s\n", line);
}

static void cpu_passes_the_selftest(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_backend *backend = NULL;
    assert_ok(pn_backend_open("cpu", NULL, NULL, &backend, &err), &err);
    int lines = 0;
    assert_ok(pn_backend_selftest(backend, print_line, &lines, &err), &err);
    assert_int_equal(lines, 2);
    pn_backend_close(backend);
    pn_backend_close(NULL);
}

/* ------------------------------------------------------------------ definitions */

/* The definitions against each other: a filter in time is the inverse of blend times ramp. */
static void filter_in_time_is_blend_times_ramp(void **state) {
    (void)state;
    enum { SIZE = 64, TAPS = 20 };
    float responses[3 * 2 * TAPS];
    test_fill_noise(responses, 3 * 2 * TAPS, 1, 1);
    pn_bank_desc desc = {
        .size = SIZE, .quantum = 32, .sources = 1, .nodes = 3, .taps = TAPS, .max_delay = 12};
    desc.responses = responses;
    pinna_error err = {0};
    pn_filter filter = {.node = {{0, 1, 2}, {2, 0, 1}},
                        .weight = {{0.2f, 0.5f, 0.3f}, {0.1f, -0.4f, 0.6f}},
                        .delay = {3.3f, 10.75f}};
    for (int ear = 0; ear < 2; ++ear) {
        pn_complex node[3][SIZE / 2], blended[SIZE / 2], ramp[SIZE / 2], product[SIZE / 2];
        memset(product, 0, sizeof product);
        for (int j = 0; j < 3; ++j) {
            double padded[SIZE] = {0};
            for (int n = 0; n < TAPS; ++n)
                padded[n] = (double)responses[(2 * j + ear) * TAPS + n];
            pn_ops_forward(SIZE, padded, padded + SIZE / 2, node[j]);
        }
        const int *order = filter.node[ear];
        const pn_complex *nodes[3] = {node[order[0]], node[order[1]], node[order[2]]};
        pn_ops_blend(SIZE, blended, nodes, filter.weight[ear], 3);
        pn_ops_ramp(SIZE, (double)filter.delay[ear], ramp);
        pn_ops_multiply_add(SIZE, product, blended, ramp);
        double expected[SIZE], direct[SIZE];
        pn_ops_inverse(SIZE, product, expected, expected + SIZE / 2);
        assert_ok(pn_ops_filter(&desc, &filter, ear, direct, &err), &err);
        for (int n = 0; n < SIZE; ++n)
            assert_true(fabs(expected[n] - direct[n]) < 1e-12);
    }
}

/* A whole delay is a shift, and the job then a plain convolution. */
static void a_whole_delay_shifts(void **state) {
    (void)state;
    float responses[2 * 4] = {1, 2, 3, 4, 5, 6, 7, 8};
    pn_bank_desc desc = {.size = 64, .quantum = 32, .sources = 1, .nodes = 1, .taps = 4, .max_delay = 20};
    desc.responses = responses;
    pn_filter filter = {.weight = {{0.5f, 0.25f, 0.25f}, {0.5f, 0.25f, 0.25f}}, .delay = {7, 20}};
    double out[64];
    pinna_error err = {0};
    assert_ok(pn_ops_filter(&desc, &filter, 1, out, &err), &err);
    for (int n = 0; n < 64; ++n)
        assert_true(fabs(out[n] - (n >= 20 && n < 24 ? 5 + n - 20 : 0)) < 1e-12);
}

/* ------------------------------------------------------------------ levels */

static void level_case(int block, int products, int calls_of_advance) {
    size_t frames = (size_t)block * 6, taps = (size_t)block * (size_t)products - 5;
    float *x = pn_alloc_floats(frames + (size_t)block), *h = pn_alloc_floats(taps),
          *y = pn_alloc_floats(frames);
    double *expected = pn_alloc(frames, sizeof *expected);
    test_fill_noise(x + block, frames, 1, 1);
    test_fill_noise(h, taps, 2, 1);
    pn_level_entry entry = {0, 0, h, taps};
    pn_level_desc desc = {block, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    pn_level *level = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(NULL, &backend, &err), &err);
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    for (size_t at = 0; at < frames; at += (size_t)block) {
        const float *history = x + at;
        float *out = y + at;
        assert_ok(backend->ops->level_begin(level, &history, &err), &err);
        for (int a = 1; a <= calls_of_advance; ++a)
            backend->ops->level_advance(level, a, calls_of_advance);
        assert_ok(backend->ops->level_finish(level, &out, &err), &err);
    }
    const float *input = x + block;
    pn_ops_level(&desc, &input, frames, &expected);
    assert_below(test_error_db_f64(y, expected, frames), -125);
    backend->ops->level_free(level);
    backend->ops->level_free(NULL);
    pn_backend_close(backend);
    pn_free(x);
    pn_free(h);
    pn_free(y);
    pn_free(expected);
}

static void levels_match_the_definition(void **state) {
    (void)state;
    level_case(32, 1, 0);
    level_case(32, 2, 1);
    level_case(32, 33, 3);
    level_case(32, 100, 64);
    level_case(64, 64, 7);
    level_case(512, 3, 2);
}

/* A thousand equal products of one sign are where a running float sum would lose most. */
static void long_sums_stay_accurate(void **state) {
    (void)state;
    enum { BLOCK = 32, PARTITIONS = 2048, FRAMES = BLOCK * PARTITIONS };
    float *x = pn_alloc_floats(FRAMES + BLOCK), *h = pn_alloc_floats(FRAMES);
    for (int n = 0; n < FRAMES; ++n)
        x[BLOCK + n] = h[n] = 0.7f + 0.2f * sinf((float)n);
    pn_level_entry entry = {0, 0, h, FRAMES};
    pn_level_desc desc = {BLOCK, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    pn_level *level = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(NULL, &backend, &err), &err);
    assert_ok(backend->ops->level_create(backend, &desc, &level, &err), &err);
    float y[BLOCK];
    float *out = y;
    for (size_t at = 0; at < FRAMES; at += BLOCK) {
        const float *history = x + at;
        assert_ok(backend->ops->level_begin(level, &history, &err), &err);
        assert_ok(backend->ops->level_finish(level, &out, &err), &err);
    }
    double expected[BLOCK] = {0};
    for (int n = 0; n < BLOCK; ++n)
        for (int k = 0; k <= FRAMES - BLOCK + n; ++k)
            expected[n] += (double)h[k] * (double)x[FRAMES + n - k];
    assert_below(test_error_db_f64(y, expected, BLOCK), -128);
    backend->ops->level_free(level);
    pn_backend_close(backend);
    pn_free(x);
    pn_free(h);
}

/* ------------------------------------------------------------------ bank */

enum {
    BANK_SIZE = 256,
    BANK_QUANTUM = 32,
    BANK_SOURCES = 37,
    BANK_NODES = 5,
    BANK_TAPS = 120,
    BANK_QUANTA = 20
};

typedef struct {
    float responses[BANK_NODES * 2 * BANK_TAPS];
    float signal[BANK_SOURCES][BANK_SIZE + BANK_QUANTA * BANK_QUANTUM];
    float out[2][BANK_QUANTA * BANK_QUANTUM];
    double expected[2][BANK_QUANTA * BANK_QUANTUM];
} bank_case;

static pn_filter random_filter(uint64_t *dice) {
    pn_filter filter = {0};
    for (int ear = 0; ear < 2; ++ear) {
        for (int j = 0; j < 3; ++j) {
            filter.node[ear][j] = (int)((test_noise(dice) + 1) * 0.4999 * BANK_NODES);
            filter.weight[ear][j] = (float)test_noise(dice);
        }
        filter.delay[ear] = (float)((test_noise(dice) + 1) * 50);
    }
    return filter;
}

static pn_bank_desc describe(const bank_case *c) {
    return (pn_bank_desc){.size = BANK_SIZE,
                          .quantum = BANK_QUANTUM,
                          .sources = BANK_SOURCES,
                          .nodes = BANK_NODES,
                          .taps = BANK_TAPS,
                          .max_delay = 105,
                          .responses = c->responses};
}

static void fill_bank_case(bank_case *c) {
    memset(c, 0, sizeof *c);
    test_fill_noise(c->responses, sizeof c->responses / sizeof(float), 1, 1);
    for (int s = 0; s < BANK_SOURCES; ++s)
        test_fill_noise(c->signal[s] + BANK_SIZE, BANK_QUANTA * BANK_QUANTUM, 7 + (uint64_t)s, 0.1);
}

/* Sources move, stand still, jump, fade out and come back; every third falls silent for longer than its history,
 * every seventh never sounds. Compares with the definition in some quanta only: it is slow. */
static void run_bank(bank_case *c, pn_backend *backend, bool compare) {
    pn_bank_desc desc = describe(c);
    pn_bank *bank = NULL;
    pinna_error err = {0};
    assert_ok(backend->ops->bank_create(backend, &desc, &bank, &err), &err);
    pn_bank_source sources[BANK_SOURCES] = {0};
    uint64_t dice = 99;
    for (int s = 0; s < BANK_SOURCES; ++s)
        sources[s].to = random_filter(&dice);
    double error = 0, power = 0;
    for (int q = 0; q < BANK_QUANTA; ++q) {
        const float *history[BANK_SOURCES];
        for (int s = 0; s < BANK_SOURCES; ++s) {
            float *in = c->signal[s] + BANK_SIZE + q * BANK_QUANTUM;
            bool silent = s % 7 == 6 || (s % 3 == 0 && q >= 2 && q < 14);
            if (silent)
                memset(in, 0, BANK_QUANTUM * sizeof *in);
            sources[s].in = silent ? NULL : in;
            history[s] = in + BANK_QUANTUM - BANK_SIZE;
            double chance = test_noise(&dice);
            /* a jump: from is not the last to */
            sources[s].from = chance > 0.8 ? random_filter(&dice) : sources[s].to;
            sources[s].to = chance < 0 || q % 5 == 4 ? sources[s].from : random_filter(&dice);
            if (q % 5 == 3 && s % 2 == 0)
                memset(sources[s].to.weight, 0, sizeof sources[s].to.weight);
        }
        float *left = c->out[0] + q * BANK_QUANTUM, *right = c->out[1] + q * BANK_QUANTUM;
        assert_ok(backend->ops->bank_begin(bank, sources, &err), &err);
        assert_ok(backend->ops->bank_finish(bank, left, right, &err), &err);
        if (!compare || q % 3 == 1)
            continue;
        double l[BANK_QUANTUM], r[BANK_QUANTUM];
        assert_ok(pn_ops_bank(&desc, sources, history, l, r, &err), &err);
        for (int n = 0; n < BANK_QUANTUM; ++n) {
            error += ((double)left[n] - l[n]) * ((double)left[n] - l[n]);
            error += ((double)right[n] - r[n]) * ((double)right[n] - r[n]);
            power += l[n] * l[n] + r[n] * r[n];
        }
    }
    if (compare)
        assert_below(10 * log10(error / power), -125);
    backend->ops->bank_free(bank);
    backend->ops->bank_free(NULL);
}

static void bank_matches_the_definition(void **state) {
    (void)state;
    bank_case *c = pn_alloc(1, sizeof *c);
    fill_bank_case(c);
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_cpu_open(NULL, &backend, NULL), PINNA_OK);
    run_bank(c, backend, true);
    pn_backend_close(backend);
    pn_free(c);
}

static void bank_gives_the_same_bits_for_any_threads(void **state) {
    (void)state;
    bank_case *first = pn_alloc(1, sizeof *first), *c = pn_alloc(1, sizeof *c);
    for (int threads = 1; threads <= 3; ++threads) {
        pn_pool *pool = NULL;
        pn_backend *backend = NULL;
        pinna_error err = {0};
        assert_ok(pn_pool_create(threads, &pool, &err), &err);
        assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
        bank_case *now = threads == 1 ? first : c;
        fill_bank_case(now);
        run_bank(now, backend, false);
        assert_memory_equal(now->out, first->out, sizeof first->out);
        pn_backend_close(backend);
        pn_pool_free(pool);
    }
    pn_free(first);
    pn_free(c);
}

/* A bank that was fed the past goes on as the one that ran it. */
static void feeding_replaces_running(void **state) {
    (void)state;
    bank_case *c = pn_alloc(1, sizeof *c);
    fill_bank_case(c);
    pn_bank_desc desc = describe(c);
    pn_backend *backend = NULL;
    pn_bank *ran = NULL, *fed = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(NULL, &backend, &err), &err);
    assert_ok(backend->ops->bank_create(backend, &desc, &ran, &err), &err);
    assert_ok(backend->ops->bank_create(backend, &desc, &fed, &err), &err);
    pn_bank_source sources[BANK_SOURCES];
    uint64_t dice = 3;
    for (int s = 0; s < BANK_SOURCES; ++s)
        sources[s].from = sources[s].to = random_filter(&dice);
    float out[2][2][BANK_QUANTUM];
    for (int q = 0; q < BANK_QUANTA; ++q) {
        for (int s = 0; s < BANK_SOURCES; ++s)
            sources[s].in = c->signal[s] + BANK_SIZE + q * BANK_QUANTUM;
        assert_ok(backend->ops->bank_begin(ran, sources, &err), &err);
        assert_ok(backend->ops->bank_finish(ran, out[0][0], out[0][1], &err), &err);
        if (q + 1 < BANK_QUANTA)
            assert_ok(backend->ops->bank_feed(fed, sources, &err), &err);
    }
    assert_ok(backend->ops->bank_begin(fed, sources, &err), &err);
    assert_ok(backend->ops->bank_finish(fed, out[1][0], out[1][1], &err), &err);
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    backend->ops->bank_free(ran);
    backend->ops->bank_free(fed);
    pn_backend_close(backend);
    pn_free(c);
}

/* ------------------------------------------------------------------ failures */

static void failed_allocations_are_reported(void **state) {
    (void)state;
    bank_case *c = pn_alloc(1, sizeof *c);
    fill_bank_case(c);
    pn_bank_desc bank_desc = describe(c);
    pn_level_entry entry = {0, 0, c->signal[0], 800};
    pn_level_desc level_desc = {32, 1, 1, &entry, 1};
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_cpu_open(NULL, &backend, NULL), PINNA_OK);
    for (int kind = 0; kind < 2; ++kind) {
        pinna_status status = PINNA_NO_MEMORY;
        long k = 0;
        while (status != PINNA_OK) {
            pn_level *level = NULL;
            pn_bank *bank = NULL;
            pinna_error err = {0};
            pn_memory_fail_at(++k);
            status = kind == 0 ? backend->ops->level_create(backend, &level_desc, &level, &err)
                               : backend->ops->bank_create(backend, &bank_desc, &bank, &err);
            pn_memory_fail_at(0);
            assert_true(status == PINNA_OK || (status == PINNA_NO_MEMORY && err.text[0] != '\0'));
            assert_true(k < 100);
            backend->ops->level_free(level);
            backend->ops->bank_free(bank);
        }
        assert_true(k > 6);
    }
    pn_backend_close(backend);
    pn_free(c);
}

static void bad_descriptions_are_refused(void **state) {
    (void)state;
    float taps[8] = {0};
    pn_level_entry entry = {0, 0, taps, 8}, outside = {1, 0, taps, 8};
    pn_level_desc levels[] = {{31, 1, 1, &entry, 1},
                              {16, 1, 1, &entry, 1},
                              {32, 0, 1, &entry, 1},
                              {32, 1, 1, &entry, 0},
                              {32, 1, 1, &outside, 1}};
    pinna_error err = {0};
    for (size_t l = 0; l < sizeof levels / sizeof levels[0]; ++l)
        assert_int_equal(pn_level_desc_check(&levels[l], &err), PINNA_BAD_ARGUMENT);
    pn_bank_desc banks[] = {{500, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {64, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 512, 1, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 64, 0, 1, 4, 4, taps, 0, 0, NULL, 0},
                            {512, 64, 1, 1, 4, 4, NULL, 0, 0, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 1, 0, taps, 0},
                            {512, 64, 1, 1, 4, 4, taps, 1, 4, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 0, 4, NULL, 0},
                            {512, 64, 1, 1, 4, 4, taps, 0, 0, NULL, 7},
                            {512, 64, 1, 1, 4, 4, taps, 0, 0, NULL, PN_PROPAGATION_LONGEST + 1},
                            {512, 256, 1, 1, 220, 34, taps, 1, 5, taps, 0},
                            {512, 256, 1, 1, 224, 34, taps, 0, 0, NULL, 0}};
    for (size_t b = 0; b < sizeof banks / sizeof banks[0]; ++b)
        assert_int_equal(pn_bank_desc_check(&banks[b], &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "224"));
    pn_bank_desc good = {512, 256, 1, 1, 220, 33, taps, 1, 5, taps, 8};
    assert_ok(pn_bank_desc_check(&good, &err), &err);
}

static void device_names_are_checked(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_open("gpu", NULL, NULL, &backend, &err), PINNA_BAD_ARGUMENT);
    assert_null(backend);
    assert_non_null(strstr(err.text, "'gpu'"));
    assert_ok(pn_backend_open(NULL, NULL, NULL, &backend, &err), &err);
    assert_string_equal(backend->name, "cpu");
    assert_true(backend->description[0] != '\0');
    pn_backend_close(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_passes_the_selftest),
        cmocka_unit_test(filter_in_time_is_blend_times_ramp),
        cmocka_unit_test(a_whole_delay_shifts),
        cmocka_unit_test(levels_match_the_definition),
        cmocka_unit_test(long_sums_stay_accurate),
        cmocka_unit_test(bank_matches_the_definition),
        cmocka_unit_test(bank_gives_the_same_bits_for_any_threads),
        cmocka_unit_test(feeding_replaces_running),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(bad_descriptions_are_refused),
        cmocka_unit_test(device_names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
