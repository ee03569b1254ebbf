// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank of the CPU, in every width that this processor runs: against the definition in ops.h, and against
 * what can be said without it. */
#include "bank_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "device/cpu.h"

enum { EVERYTHING = 31 };

static pn_backend *open_cpu(pn_pool *pool) {
    pn_backend *backend = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    return backend;
}

/* ------------------------------------------------------------------ against the definition */

static void check(test_bank_shape shape) {
    pn_backend *backend = open_cpu(NULL);
    double db = test_bank_run(shape, backend, 0, true, NULL);
    print_message("N %d, q %d, features %u: %.1f dB\n", shape.size, shape.quantum, shape.features, db);
    assert_below(db, -123);
    pn_backend_close(backend);
}

static void every_feature_matches_the_definition(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 5; ++bit)
        check((test_bank_shape){256, 64, 17, 60, 50, 16, 1u << bit});
    check((test_bank_shape){256, 32, 37, 100, 80, 20, 0});
    check((test_bank_shape){256, 32, 19, 60, 80, 24, EVERYTHING});
    check((test_bank_shape){1024, 256, 3, 70, 100, 4, EVERYTHING});
}

static void every_width_matches_the_definition(void **state) {
    (void)state;
    pn_simd list[4];
    int count = pn_simd_available(list);
    for (int k = 0; k < count; ++k) {
        setenv("PINNA_SIMD", pn_simd_name(list[k]), 1);
        print_message("%s\n", pn_simd_name(list[k]));
        check((test_bank_shape){64, 32, 17, 10, 10, 20, EVERYTHING});
        check((test_bank_shape){128, 64, 5, 30, 20, 12, EVERYTHING});
        check((test_bank_shape){512, 128, 5, 40, 50, 9, EVERYTHING});
    }
    unsetenv("PINNA_SIMD");
}

static void a_fed_bank_goes_on(void **state) {
    (void)state;
    pn_backend *backend = open_cpu(NULL);
    test_bank_shape shape = {128, 32, 17, 40, 30, 16, EVERYTHING};
    assert_below(test_bank_run(shape, backend, 11, true, NULL), -123);
    /* and to the bit */
    enum { FLOATS = 2 * 16 * 32, LAST = 5 * 32 };
    float ran[FLOATS], fed[FLOATS];
    shape.features &= ~(unsigned)TEST_BANK_STEPS;
    test_bank_run(shape, backend, 0, false, ran);
    test_bank_run(shape, backend, 11, false, fed);
    for (int ear = 1; ear <= 2; ++ear)
        assert_memory_equal(ran + ear * FLOATS / 2 - LAST, fed + ear * FLOATS / 2 - LAST, LAST * sizeof *ran);
    pn_backend_close(backend);
}

static void the_same_bits_for_any_threads(void **state) {
    (void)state;
    enum { FLOATS = 2 * 24 * 32 };
    test_bank_shape shape = {128, 32, 60, 40, 30, 24, EVERYTHING};
    float *first = pn_alloc_floats(FLOATS), *now = pn_alloc_floats(FLOATS);
    for (int threads = 1; threads <= 3; ++threads) {
        pn_pool *pool = NULL;
        pinna_error err = {0};
        assert_ok(pn_pool_create(threads, &pool, &err), &err);
        pn_backend *backend = open_cpu(pool);
        test_bank_run(shape, backend, 0, false, threads == 1 ? first : now);
        if (threads > 1)
            assert_memory_equal(now, first, FLOATS * sizeof *now);
        pn_backend_close(backend);
        pn_pool_free(pool);
    }
    pn_free(first);
    pn_free(now);
}

/* ------------------------------------------------------------------ by themselves */

/* One source, of which the response is a single 1: what is heard is the signal times the weights. */
typedef struct {
    pn_backend *backend;
    pn_bank *bank;
    float response[2], tint[4];
    pn_bank_desc desc;
} single;

enum { QUANTUM = 64 };

static void open_single(single *s, int propagation) {
    *s = (single){.response = {1, 1}, .tint = {1, 0, 0, 0.5f}, .backend = open_cpu(NULL)};
    s->desc = (pn_bank_desc){.size = 128,
                             .quantum = QUANTUM,
                             .sources = 1,
                             .nodes = 1,
                             .taps = 1,
                             .max_delay = 20,
                             .responses = s->response,
                             .tints = 2,
                             .tint_taps = 2,
                             .tint_responses = s->tint,
                             .propagation = propagation};
    pinna_error err = {0};
    assert_ok(s->backend->ops->bank_create(s->backend, &s->desc, &s->bank, &err), &err);
}

static void close_single(single *s) {
    s->backend->ops->bank_free(s->bank);
    pn_backend_close(s->backend);
}

static void run_single(single *s, const pn_bank_source *source, float *left, float *right) {
    pinna_error err = {0};
    assert_ok(s->backend->ops->bank_begin(s->bank, source, &err), &err);
    assert_ok(s->backend->ops->bank_finish(s->bank, left, right, &err), &err);
}

static pn_filter gain(double left, double right) {
    return (pn_filter){.weight = {{(float)left}, {(float)right}}};
}

/* A constant signal shows the way of the gains. */
static void steps_are_straight_pieces(void **state) {
    (void)state;
    single s;
    open_single(&s, 0);
    float ones[QUANTUM], left[QUANTUM], right[QUANTUM];
    for (int n = 0; n < QUANTUM; ++n)
        ones[n] = 1;
    static const double way[5] = {0.5, -1, 2, 0.25, 1};
    for (int steps = 1; steps <= 4; steps *= 2) {
        pn_bank_source source = {
            .in = ones, .steps = steps, .from = gain(way[0], 2 * way[0]), .to = gain(way[4], 2 * way[4])};
        for (int k = 0; k < 3; ++k)
            source.inner[k] = gain(way[k + 1], 2 * way[k + 1]);
        run_single(&s, &source, left, right);
        for (int n = 0; n < QUANTUM; ++n) {
            int piece = n * steps / QUANTUM, apart = 4 / steps;
            double a = way[piece * apart], b = way[(piece + 1) * apart];
            double t = (double)n * steps / QUANTUM - piece;
            assert_true(fabs((double)left[n] - (a + (b - a) * t)) < 1e-5);
            assert_true(fabs((double)right[n] - 2 * (a + (b - a) * t)) < 1e-5);
        }
    }
    close_single(&s);
}

/* Tints: a copy, and half the signal a sample later. */
static void tints_are_short_filters(void **state) {
    (void)state;
    single s;
    open_single(&s, 0);
    float in[QUANTUM], left[QUANTUM], right[QUANTUM];
    test_fill_noise(in, QUANTUM, 5, 1);
    pn_filter filter = {
        .weight = {{2}, {1}}, .delay = {3, 7}, .tint = {{0, 1}, {1}}, .tint_weight = {{0.75f, 0.5f}, {4}}};
    pn_bank_source source = {.in = in, .from = filter, .to = filter};
    run_single(&s, &source, left, right);
    for (int n = 0; n < QUANTUM; ++n) {
        double l = n < 3 ? 0 : 1.5 * (double)in[n - 3] + (n < 4 ? 0 : 0.5 * (double)in[n - 4]);
        double r = n < 8 ? 0 : 2 * (double)in[n - 8];
        assert_true(fabs((double)left[n] - l) < 1e-5 && fabs((double)right[n] - r) < 1e-5);
    }
    close_single(&s);
}

/* A tone past the listener against its formula, with delays from 8 samples up to the longest. */
static void propagation_shifts_a_tone(void **state) {
    (void)state;
    enum { LONGEST = 1000, QUANTA = 80 };
    single s;
    open_single(&s, LONGEST);
    const double omega = 2 * PN_PI * 4000 / 48000;
    double error = 0, power = 0, delay = PN_PROPAGATION_SHORTEST;
    for (int q = 0; q < QUANTA; ++q) {
        float in[QUANTUM], left[QUANTUM], right[QUANTUM];
        /* up to the longest, a stop there, and back down */
        double rate = q < 30 ? (LONGEST - 8) / 30.0 : q < 40 ? 0 : q < 70 ? -(LONGEST - 8) / 30.0 : 0;
        int whole = (int)delay;
        pn_bank_source source = {.in = in,
                                 .from = gain(1, 1),
                                 .to = gain(1, 1),
                                 .propagation = {whole, {(float)(delay - whole), (float)rate, 0, 0}}};
        for (int n = 0; n < QUANTUM; ++n)
            in[n] = (float)sin(omega * (q * QUANTUM + n));
        run_single(&s, &source, left, right);
        for (int n = 0; n < QUANTUM; ++n) {
            double time = q * QUANTUM + n - (delay + rate * n / QUANTUM);
            if (time < 20 || q == 0)
                continue;
            double off = (double)left[n] - sin(omega * time);
            error += off * off;
            power += 0.5;
            assert_true(left[n] == right[n]);
        }
        delay += rate;
    }
    assert_below(10 * log10(error / power), -85);
    close_single(&s);
}

/* What was played is heard after its delay, to the last sample, however long the silence before and after. */
static void a_click_arrives(void **state) {
    (void)state;
    enum { LONGEST = 500 };
    single s;
    open_single(&s, LONGEST);
    static const int delays[] = {8, 9, 63, 64, 65, 127, 128, 300, 499, 500};
    for (size_t d = 0; d < sizeof delays / sizeof delays[0]; ++d) {
        float click[QUANTUM] = {0}, left[QUANTUM], right[QUANTUM];
        click[QUANTUM - 1] = 1;
        int played = 20 + (int)d * 7, heard = -1;
        for (int q = 0; q < 100; ++q) {
            pn_bank_source source = {.in = q == played ? click : NULL,
                                     .from = gain(1, 1),
                                     .to = gain(1, 1),
                                     .propagation = {delays[d], {0}}};
            run_single(&s, &source, left, right);
            for (int n = 0; n < QUANTUM; ++n)
                if (fabsf(left[n]) > 1e-6f) {
                    assert_int_equal(heard, -1);
                    assert_true(fabsf(left[n] - 1) < 1e-5f);
                    heard = q * QUANTUM + n;
                }
        }
        assert_int_equal(heard, played * QUANTUM + QUANTUM - 1 + delays[d]);
    }
    close_single(&s);
}

/* Short bursts at every place of the ring, with silence long enough to be noticed before and after: what rings before
 * and after a fraction is there to its last sample. */
static void bursts_ring_out(void **state) {
    (void)state;
    enum { LONGEST = 500, QUANTA = 90, LEAD = LONGEST + 16 };
    static const pn_propagation ways[] = {
        {63, {0.5f, 0, 0, 0}},   {64, {0.37f, 0, 0, 0}},      {56, {0.99f, 0, 0, 0}},
        {121, {0.01f, 0, 0, 0}}, {128, {0.5f, 0.001f, 0, 0}}, {8, {0.5f, 0, 0, 0}},
        {499, {0.9f, 0, 0, 0}},  {20, {0, 300, -300, 0}},     {100, {0, -500, 2000, -1500}},
        {8, {0, 0, 0, 492}},     {1000, {0, -500, 0, 0}},     {30, {NAN, 0, 0, 0}},
    };
    static float signal[LEAD + QUANTA * QUANTUM];
    uint64_t dice = 3;
    for (int q = 0; q < QUANTA; ++q)
        for (int n = 0; n < QUANTUM; ++n)
            signal[LEAD + q * QUANTUM + n] = q % 13 == 3 ? (float)test_noise(&dice) : 0;
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; ++w) {
        single s;
        open_single(&s, LONGEST);
        double worst = 0;
        for (int q = 0; q < QUANTA; ++q) {
            const float *in = signal + LEAD + q * QUANTUM;
            float left[QUANTUM], right[QUANTUM];
            double expected[QUANTUM];
            pn_bank_source source = {
                .in = q % 13 == 3 ? in : NULL, .from = gain(1, 1), .to = gain(1, 1), .propagation = ways[w]};
            run_single(&s, &source, left, right);
            pn_ops_propagate(&s.desc, &ways[w], in, expected);
            for (int n = 0; n < QUANTUM; ++n)
                worst = fmax(worst, fabs((double)left[n] - expected[n]));
        }
        if (!(worst < 2e-4))
            fail_msg("way %zu is off by %g", w, worst);
        close_single(&s);
    }
}

/* Silence is exact, whether a source was never heard or is over. */
static void silence_is_exact(void **state) {
    (void)state;
    single s;
    open_single(&s, 200);
    float in[QUANTUM], left[QUANTUM], right[QUANTUM];
    test_fill_noise(in, QUANTUM, 5, 1);
    for (int q = 0; q < 40; ++q) {
        pn_filter a = gain(1, 1), b = gain(0.5, 2);
        pn_bank_source source = {.in = q >= 10 && q < 14 ? in : NULL,
                                 .from = q % 2 ? a : b,
                                 .to = q % 2 ? b : a,
                                 .propagation = {150, {0, q % 3 ? 10 : 0, 0, 0}}};
        run_single(&s, &source, left, right);
        if (q < 10 || q > 13 + 4 + 2)
            for (int n = 0; n < QUANTUM; ++n)
                assert_true(left[n] == 0 && right[n] == 0);
    }
    close_single(&s);
}

/* ------------------------------------------------------------------ failures */

static void failed_allocations_are_reported(void **state) {
    (void)state;
    test_bank b;
    test_bank_open(&b, (test_bank_shape){128, 32, 17, 40, 30, 1, EVERYTHING});
    pn_backend *backend = open_cpu(NULL);
    pinna_status status = PINNA_NO_MEMORY;
    long k = 0;
    while (status != PINNA_OK) {
        pn_bank *bank = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(++k);
        status = backend->ops->bank_create(backend, &b.desc, &bank, &err);
        pn_memory_fail_at(0);
        assert_true(status == PINNA_OK || (status == PINNA_NO_MEMORY && err.text[0] != '\0' && bank == NULL));
        assert_true(k < 100);
        backend->ops->bank_free(bank);
    }
    assert_true(k > 12);
    pn_backend_close(backend);
    test_bank_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_feature_matches_the_definition),
        cmocka_unit_test(every_width_matches_the_definition),
        cmocka_unit_test(a_fed_bank_goes_on),
        cmocka_unit_test(the_same_bits_for_any_threads),
        cmocka_unit_test(steps_are_straight_pieces),
        cmocka_unit_test(tints_are_short_filters),
        cmocka_unit_test(propagation_shifts_a_tone),
        cmocka_unit_test(a_click_arrives),
        cmocka_unit_test(bursts_ring_out),
        cmocka_unit_test(silence_is_exact),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
