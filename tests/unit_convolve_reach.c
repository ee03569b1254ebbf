// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

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
        cmocka_unit_test(one_long_response_does_not_lengthen_all),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
