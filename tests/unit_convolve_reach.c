// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

#include "convolve/convolver_state.h"
#include "convolve/engine.h"

/* Inputs are kept as far back as their own responses reach, and no further: what takes over mid-stream finds all that it
 * needs, and one long response among many short ones costs one long ring. */

enum { BLOCK = 256, CALLS = 700, FRAMES = BLOCK * CALLS };

/* Of the longest, several levels and some of them; of one block. Input 3 has none. */
static const size_t lengths[] = {100000, 20000, 70};

static void make_mixed(matrix *m, uint64_t seed) {
    m->count = 0;
    add_ir(m, 0, 0, lengths[0], seed);
    add_ir(m, 1, 0, lengths[1], seed + 1);
    add_ir(m, 1, 1, lengths[2], seed + 2);
    add_ir(m, 2, 1, lengths[2], seed + 3);
}

static void spans_follow_from_the_plan(void **state) {
    (void)state;
    const pn_plan plan = {.block = 64,
                          .levels = 3,
                          .level = {{.block = 64, .partitions = 16},
                                    {.block = 512, .partitions = 14, .first = 1024},
                                    {.block = 4096, .partitions = 5, .first = 8192}}};
    const float *taps = (const float *)&plan; /* not read */
    const pinna_ir irs[] = {
        {0, 0, taps, 8192 + 4096 + 1}, {0, 1, taps, 10}, {1, 1, taps, 1025}, {2, 0, taps, 65},
        {3, 0, taps, 28672},           {2, 1, taps, 64}};
    pn_history_span span[5] = {[4] = {77, 128}};
    pn_engine_raise_spans(&plan, irs, 6, span);
    /* (partitions + 4) blocks of the level that reaches furthest, two of the largest it has taps in */
    const pn_history_span expected[5] = {{(2 + 4) * 4096, 8192},
                                         {(1 + 4) * 512, 1024},
                                         {(2 + 4) * 64, 128},
                                         {(5 + 4) * 4096, 8192},
                                         {77, 128}};
    for (int i = 0; i < 5; ++i) {
        assert_int_equal(span[i].reach, expected[i].reach);
        assert_int_equal(span[i].window, expected[i].window);
    }
}

static void swap_at(int calls, size_t fade) {
    stream s;
    matrix a, b;
    make_stream(&s, 4, 2, FRAMES, (uint64_t)calls);
    make_mixed(&a, 10);
    make_mixed(&b, 20);
    convolve_exactly(&s, &a, s.expected);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    assert_true(pn_convolver_plan(convolver)->levels >= 2);
    size_t at = (size_t)calls * BLOCK;
    call(convolver, &s, 0, at);
    pinna_error err = {0};
    assert_ok(pn_convolver_swap(convolver, b.ir, b.count, fade, &err), &err);
    call(convolver, &s, at, FRAMES - at);
    expect_fade(&s, &b, at, fade);
    assert_stream(&s, FRAMES, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

static void a_swap_finds_what_each_input_needs(void **state) {
    (void)state;
    for (int calls = 510; calls < 640; calls += 43)
        swap_at(calls, 1000);
}

/* The same, when a device is lost: the CPU's plan reaches further than the device's may. */
static void so_does_what_takes_over_from_a_device(void **state) {
    (void)state;
    for (int lost = 1000; lost < 1060; lost += 25) {
        stream s;
        matrix m;
        make_stream(&s, 4, 2, FRAMES, 5);
        make_mixed(&m, 30);
        convolve_exactly(&s, &m, s.expected);
        pn_backend *device = open_failing();
        pn_convolver *convolver = make_convolver(&s, &m, BLOCK, PN_PLAN_LIVE, device);
        failing.fail_at = lost;
        call(convolver, &s, 0, FRAMES);
        assert_string_equal(pn_convolver_device(convolver), "cpu");
        assert_stream(&s, FRAMES, BOUND_DB);
        pn_convolver_free(convolver);
        free_stream(&s);
        free_matrix(&m);
    }
}

/* The CPU takes over from a device with a plan of its own, which for some lengths looks further back. */
static void what_is_kept_for_a_device_serves_the_cpu(void **state) {
    (void)state;
    static const float taps[1] = {0}; /* not read */
    pn_backend device = {.kind = PN_BACKEND_OPENCL}, processor = {.kind = PN_BACKEND_CPU};
    const pn_convolver c = {.inputs = 2, .outputs = 1, .block = 64};
    int further = 0;
    for (size_t length = 100; length < 2000000; length += length / 5) {
        const pinna_ir irs[] = {{0, 0, taps, length}, {1, 0, taps, 3000}};
        pn_engine_need need;
        pn_history_span *span = NULL, *own = NULL, alone[2] = {{0}};
        pinna_error err = {0};
        assert_ok(pn_convolver_measure(&c, &device, irs, 2, true, &need, &span, &err), &err);
        pn_engine_raise_spans(&need.plan, irs, 2, alone);
        assert_ok(pn_convolver_measure(&c, &processor, irs, 2, true, &need, &own, &err), &err);
        for (int i = 0; i < 2; ++i) {
            assert_true(span[i].reach >= own[i].reach && span[i].window >= own[i].window);
            further += own[i].window > alone[i].window;
        }
        pn_free(span);
        pn_free(own);
    }
    assert_true(further > 0);
}

/* Live and offline, each in the place where it is kept and as early as is allowed: before the block two before it runs. */
static void blocks_may_be_written_ahead_in_place(void **state) {
    (void)state;
    static const struct {
        pn_plan_mode mode;
        int block;
    } cases[] = {{PN_PLAN_LIVE, BLOCK}, {PN_PLAN_LIVE, 64}, {PN_PLAN_OFFLINE, 0}, {PN_PLAN_OFFLINE, 1024}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; ++k) {
        stream s;
        matrix m;
        make_stream(&s, 4, 2, FRAMES, 7 + k);
        make_mixed(&m, 40);
        convolve_exactly(&s, &m, s.expected);
        pn_convolver_desc desc = {.inputs = 4,
                                  .outputs = 2,
                                  .block = cases[k].block,
                                  .mode = cases[k].mode,
                                  .irs = m.ir,
                                  .ir_count = m.count,
                                  .fixed = true,
                                  .backend = cpu};
        pn_convolver *convolver = NULL;
        pinna_error err = {0};
        assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
        size_t block = (size_t)pn_convolver_block(convolver), blocks = FRAMES / block;
        assert_true(blocks > 2 + PN_CONVOLVER_AHEAD);
        for (size_t n = 0, written = 0; n < blocks; ++n) {
            const float *in[4];
            float *out[2] = {s.out[0] + n * block, s.out[1] + n * block};
            for (; written < blocks && written <= n + PN_CONVOLVER_AHEAD; ++written)
                for (int i = 0; i < 4; ++i)
                    memcpy(pn_convolver_place(convolver, i, written), s.in[i] + written * block,
                           block * sizeof(float));
            for (int i = 0; i < 4; ++i)
                in[i] = pn_convolver_place(convolver, i, n);
            assert_ok(pn_convolver_process(convolver, in, out, block, &err), &err);
        }
        assert_stream(&s, blocks * block, BOUND_DB);
        pn_convolver_free(convolver);
        free_stream(&s);
        free_matrix(&m);
    }
}

static size_t memory_of(int inputs, size_t longest) {
    enum { INPUTS = 40 };
    pinna_ir irs[INPUTS];
    float *taps = pn_alloc_floats(longest);
    for (int i = 0; i < inputs; ++i)
        irs[i] = (pinna_ir){i, 0, taps, i == 0 ? longest : 64};
    pn_convolver_desc desc = {.inputs = inputs,
                              .outputs = 1,
                              .block = BLOCK,
                              .irs = irs,
                              .ir_count = (size_t)inputs,
                              .backend = cpu};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    size_t bytes = pn_convolver_memory(convolver);
    pn_convolver_free(convolver);
    pn_free(taps);
    return bytes;
}

/* 39 more inputs with short responses cost the room that every input has for a later exchange (2^22 frames shared, and
 * at least the margin of a follower), not the reach of the one long response. */
static void one_long_response_does_not_lengthen_all(void **state) {
    (void)state;
    double long_alone = (double)memory_of(1, 2000000), with_short = (double)memory_of(40, 2000000);
    assert_below(with_short, long_alone + 40 * 4.0 * ((1 << 22) / 40 + 10000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_follow_from_the_plan),
        cmocka_unit_test(a_swap_finds_what_each_input_needs),
        cmocka_unit_test(so_does_what_takes_over_from_a_device),
        cmocka_unit_test(what_is_kept_for_a_device_serves_the_cpu),
        cmocka_unit_test(blocks_may_be_written_ahead_in_place),
        cmocka_unit_test(one_long_response_does_not_lengthen_all),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
