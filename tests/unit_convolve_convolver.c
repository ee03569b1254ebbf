// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "convolve/convolver.h"
#include "device/cpu.h"
#include "signal/fft.h"

/* The convolver against convolution in double precision (signal/fft.h, itself tested against the definition). */

/* ------------------------------------------------------------------ convolution */

static void run_shape(int inputs, int outputs, size_t longest, int block, pn_plan_mode mode, double density) {
    matrix m = {.count = 0};
    for (int i = 0; i < inputs; ++i)
        for (int o = 0; o < outputs; ++o)
            if (m.count == 0 || (test_noise(&dice) + 1) / 2 < density)
                add_ir(&m, i, o, m.count == 0 ? longest : roll(1, longest), roll(1, 1000000));
    stream s;
    make_stream(&s, inputs, outputs, 1, 1);
    pn_convolver *convolver = make_convolver(&s, &m, block, mode, cpu);
    size_t step = (size_t)pn_convolver_block(convolver);
    free_stream(&s);
    size_t frames = (longest + 12000 + step) / step * step;
    make_stream(&s, inputs, outputs, frames, roll(1, 1000000));
    for (size_t at = 0; at < frames; at += step)
        call(convolver, &s, at, step);
    assert_int_equal(pn_convolver_latency(convolver), 0);
    convolve_exactly(&s, &m, s.expected);
    assert_stream(&s, frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

static void random_shapes_match_exact_convolution(void **state) {
    (void)state;
    dice = 11;
    for (int run = 0; run < 24; ++run) {
        int block = 32 << roll(0, 8);
        pn_plan_mode mode = run % 4 == 3 ? PN_PLAN_OFFLINE : PN_PLAN_LIVE;
        size_t longest = (size_t)pow(20000, (double)roll(0, 100) / 100);
        run_shape((int)roll(1, 4), (int)roll(1, 4), longest, mode == PN_PLAN_LIVE ? block : 0, mode, 0.6);
    }
}

/* Small ones by the thousand, against direct sums in double precision: every length around every edge of blocks. */
static void small_case(void) {
    enum { FRAMES = 512, LONGEST = 300 };
    int inputs = (int)roll(1, 3), outputs = (int)roll(1, 3), block = 32 << roll(0, 2);
    matrix m = {.count = 0};
    for (int i = 0; i < inputs; ++i)
        for (int o = 0; o < outputs; ++o)
            if (m.count == 0 || roll(0, 1) == 1)
                add_ir(&m, i, o, roll(1, LONGEST), roll(1, 1000000));
    stream s;
    make_stream(&s, inputs, outputs, FRAMES, roll(1, 1000000));
    bool offline = roll(0, 7) == 0;
    pn_convolver *convolver = make_convolver(&s, &m, block, offline ? PN_PLAN_OFFLINE : PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, FRAMES);
    for (size_t e = 0; e < m.count; ++e)
        for (size_t n = 0; n < FRAMES; ++n)
            for (size_t k = 0; k < m.ir[e].length && k <= n; ++k)
                s.expected[m.ir[e].output][n] += (double)m.ir[e].taps[k] * (double)s.in[m.ir[e].input][n - k];
    assert_stream(&s, FRAMES, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

static void thousands_of_small_shapes_match_direct_convolution(void **state) {
    (void)state;
    dice = 10;
    for (int run = 0; run < 2500; ++run)
        small_case();
}

/* Errors neither grow nor drift: the last second is as exact as the first. PINNA_LONG_TESTS=1: ten minutes. */
static void a_long_run_ends_as_exact_as_it_began(void **state) {
    (void)state;
    enum { BLOCK = 256, SECOND = 187 * BLOCK, TAPS = 40000 };
    size_t seconds = getenv("PINNA_LONG_TESTS") != NULL ? 600 : 20;
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, TAPS, 1);
    stream s, tail;
    make_stream(&s, 1, 1, SECOND, 2);
    make_stream(&tail, 1, 1, 2 * SECOND, 2);
    pn_convolver *convolver = make_convolver(&s, &m, BLOCK, PN_PLAN_LIVE, cpu);
    assert_in_range(pn_convolver_plan(convolver)->levels, 2, 6);
    /* the same second over and over, so that the exact result is that of two in a row */
    memcpy(tail.in[0], s.in[0], SECOND * sizeof(float));
    memcpy(tail.in[0] + SECOND, s.in[0], SECOND * sizeof(float));
    convolve_exactly(&tail, &m, tail.expected);
    double first = 0, worst = -400;
    for (size_t second = 0; second < seconds; ++second) {
        call(convolver, &s, 0, SECOND);
        double error = test_error_db_f64(s.out[0], tail.expected[0] + (second == 0 ? 0 : SECOND), SECOND);
        first = second == 1 ? error : first;
        worst = error > worst ? error : worst;
    }
    assert_below(worst, BOUND_DB);
    assert_below(worst, first + 0.5);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_stream(&tail);
    free_matrix(&m);
}

static double spent(pn_convolver *convolver, stream *s) {
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    call(convolver, s, 0, s->frames);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* After noise comes silence: beyond the response's end it is exact, but for the dust of the transforms. The times are
 * printed, not judged. */
static void a_tail_ends_in_silence(void **state) {
    (void)state;
    enum { BLOCK = 256, FRAMES = 300 * BLOCK };
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 60000, 1);
    stream s;
    make_stream(&s, 1, 1, FRAMES, 2);
    pn_convolver *convolver = make_convolver(&s, &m, BLOCK, PN_PLAN_LIVE, cpu);
    spent(convolver, &s);
    double noise = spent(convolver, &s);
    memset(s.in[0], 0, FRAMES * sizeof(float));
    double decay = spent(convolver, &s), silence = spent(convolver, &s);
    print_message("noise 1, its tail %.2f, silence %.2f\n", decay / noise, silence / noise);
    for (size_t n = 0; n < FRAMES; ++n)
        assert_true(s.out[0][n] == 0);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

static void edges_of_the_plan_match_exact_convolution(void **state) {
    (void)state;
    dice = 12;
    /* around 64 blocks a second level begins; 32 x 3 steps; one tap; one tap over a partition */
    static const size_t lengths[] = {1, 2, 32, 33, 64, 2047, 2048, 2049, 8192, 8193, 16384};
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; ++l)
        run_shape(1, 1, lengths[l], 32, PN_PLAN_LIVE, 1);
}

static void ten_seconds_match_exact_convolution(void **state) {
    (void)state;
    matrix m = {.count = 0};
    stream s;
    make_stream(&s, 1, 1, 96 * 8192, 5);
    add_ir(&m, 0, 0, 480000, 6);
    convolve_exactly(&s, &m, s.expected);
    pn_convolver *convolver = make_convolver(&s, &m, 256, PN_PLAN_LIVE, cpu);
    char text[128];
    assert_string_equal(pn_plan_describe(pn_convolver_plan(convolver), text, sizeof text),
                        "256 x 16, 2048 x 14, 16384 x 28");
    call(convolver, &s, 0, s.frames);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    convolver = make_convolver(&s, &m, 0, PN_PLAN_OFFLINE, cpu);
    assert_string_equal(pn_plan_describe(pn_convolver_plan(convolver), text, sizeof text), "65536 x 8");
    call(convolver, &s, 0, s.frames);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

/* ------------------------------------------------------------------ call sizes */

static void any_call_size_comes_one_block_late(void **state) {
    (void)state;
    enum { BLOCK = 64, FRAMES = 64 * 300 };
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 3000, 1);
    add_ir(&m, 1, 0, 5000, 2);
    add_ir(&m, 1, 1, 100, 3);
    stream s;
    make_stream(&s, 2, 2, FRAMES, 4);
    convolve_exactly(&s, &m, s.expected);
    pn_convolver *convolver = make_convolver(&s, &m, BLOCK, PN_PLAN_LIVE, cpu);
    dice = 13;
    call(convolver, &s, 0, 4 * BLOCK);
    call(convolver, &s, 4 * BLOCK, 0);
    assert_int_equal(pn_convolver_latency(convolver), 0);
    size_t at = 4 * BLOCK;
    for (int k = 0; k < 150; ++k) {
        size_t frames = k < 2 * BLOCK ? (size_t)k + 1 : roll(1, 500);
        frames = frames < FRAMES - at ? frames : FRAMES - at;
        call(convolver, &s, at, frames);
        at += frames;
    }
    call(convolver, &s, at, FRAMES - at);
    assert_int_equal(pn_convolver_latency(convolver), BLOCK);
    for (int o = 0; o < 2; ++o) {
        assert_below(test_error_db_f64(s.out[o], s.expected[o], 4 * BLOCK), BOUND_DB);
        for (int n = 4 * BLOCK; n < 5 * BLOCK; ++n)
            assert_true(s.out[o][n] == 0);
        assert_below(test_error_db_f64(s.out[o] + 5 * BLOCK, s.expected[o] + 4 * BLOCK, FRAMES - 5 * BLOCK),
                     BOUND_DB);
    }
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

static void reset_starts_anew_with_the_same_bits(void **state) {
    (void)state;
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 9000, 1);
    stream s;
    make_stream(&s, 1, 1, 30000, 2);
    pn_convolver *convolver = make_convolver(&s, &m, 32, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, 29984);
    float *first = pn_alloc_floats(s.frames);
    memcpy(first, s.out[0], s.frames * sizeof *first);
    call(convolver, &s, 0, 777);
    assert_int_equal(pn_convolver_latency(convolver), 32);
    pn_convolver_reset(convolver);
    assert_int_equal(pn_convolver_latency(convolver), 0);
    call(convolver, &s, 0, 29984);
    assert_memory_equal(first, s.out[0], 29984 * sizeof *first);
    pn_free(first);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

/* ------------------------------------------------------------------ swap */

static void swap_case(size_t at, size_t fade, bool odd_calls, size_t old_length, size_t new_length) {
    enum { BLOCK = 64, FRAMES = 40000 / 64 * 64 };
    matrix before = {.count = 0}, after = {.count = 0};
    add_ir(&before, 0, 0, old_length, 1);
    add_ir(&before, 1, 0, old_length / 2 + 1, 2);
    add_ir(&after, 0, 0, new_length, 3);
    add_ir(&after, 1, 1, new_length / 3 + 1, 4);
    stream s;
    make_stream(&s, 2, 2, FRAMES, 5);
    pn_convolver *convolver = make_convolver(&s, &before, BLOCK, PN_PLAN_LIVE, cpu);
    pinna_error err = {0};
    size_t done = 0;
    if (odd_calls) {
        call(convolver, &s, 0, 7);
        done = 7;
    }
    call(convolver, &s, done, at - done);
    assert_ok(pn_convolver_swap(convolver, after.ir, after.count, fade, &err), &err);
    if (fade > 300) {
        assert_true(pn_convolver_fading(convolver));
        assert_int_equal(pn_convolver_swap(convolver, before.ir, before.count, 0, &err), PINNA_BAD_ARGUMENT);
    }
    call(convolver, &s, at, FRAMES - at);
    assert_false(pn_convolver_fading(convolver));
    size_t latency = (size_t)pn_convolver_latency(convolver);
    assert_int_equal(latency, odd_calls ? BLOCK : 0);
    convolve_exactly(&s, &before, s.expected);
    if (at >= latency)
        expect_fade(&s, &after, at - latency, fade);
    for (int o = 0; o < 2; ++o)
        assert_below(test_error_db_f64(s.out[o] + latency, s.expected[o], FRAMES - latency), BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&before);
    free_matrix(&after);
}

static void swap_is_the_crossfade_of_two_convolutions(void **state) {
    (void)state;
    dice = 21;
    swap_case(0, 500, false, 4000, 4000);
    swap_case(64, 0, false, 9000, 4000);
    for (int run = 0; run < 12; ++run)
        swap_case(64 * roll(1, 300), run % 3 == 0 ? 0 : roll(1, 3000), false, roll(1, 20000), roll(1, 20000));
    for (int run = 0; run < 12; ++run)
        swap_case(roll(200, 20000), run % 3 == 0 ? 0 : roll(301, 3000), true, roll(1, 20000), roll(1, 20000));
}

static void a_much_longer_response_hears_the_past(void **state) {
    (void)state;
    matrix before = {.count = 0}, after = {.count = 0};
    add_ir(&before, 0, 0, 10, 1);
    add_ir(&after, 0, 0, 600000, 2);
    stream s;
    make_stream(&s, 1, 1, 1024 * 700, 3);
    pn_convolver *convolver = make_convolver(&s, &before, 1024, PN_PLAN_LIVE, cpu);
    pinna_error err = {0};
    call(convolver, &s, 0, 1024 * 300);
    assert_ok(pn_convolver_swap(convolver, after.ir, 1, 1000, &err), &err);
    call(convolver, &s, 1024 * 300, 1024 * 400);
    convolve_exactly(&s, &before, s.expected);
    expect_fade(&s, &after, 1024 * 300, 1000);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&before);
    free_matrix(&after);
}

/* ------------------------------------------------------------------ a device that is lost */

static void device_case(long fail_at, size_t swap_at) {
    enum { BLOCK = 64, FRAMES = 64 * 500 };
    matrix m = {.count = 0}, after = {.count = 0};
    add_ir(&m, 0, 0, 15000, 1);
    add_ir(&m, 1, 1, 12000, 2);
    add_ir(&m, 2, 1, 700, 3);
    add_ir(&after, 0, 0, 20000, 4);
    add_ir(&after, 2, 1, 5000, 5);
    stream s;
    make_stream(&s, 3, 3, FRAMES, 7);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_convolver_desc desc = {.inputs = 3,
                              .outputs = 3,
                              .block = BLOCK,
                              .irs = m.ir,
                              .ir_count = m.count,
                              .backend = open_failing(),
                              .messages = messages};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    assert_string_equal(pn_convolver_device(convolver), "opencl:9.9");
    failing.fail_at = fail_at;
    call(convolver, &s, 0, swap_at);
    convolve_exactly(&s, &m, s.expected);
    if (swap_at < FRAMES) {
        assert_ok(pn_convolver_swap(convolver, after.ir, after.count, 2000, &err), &err);
        call(convolver, &s, swap_at, FRAMES - swap_at);
        expect_fade(&s, &after, swap_at, 2000);
    }
    assert_stream(&s, FRAMES, BOUND_DB);
    bool lost = failing.calls >= failing.fail_at && fail_at > 0;
    assert_string_equal(pn_convolver_device(convolver), lost ? "cpu" : "opencl:9.9");
    assert_int_equal(pn_messages_count(messages), lost ? 1 : 0);
    if (lost) {
        pinna_message_level level;
        assert_non_null(strstr(pn_messages_get(messages, 0, &level), "opencl:9.9 failed: injected failure"));
        assert_int_equal(level, PINNA_WARNING);
    }
    pn_convolver_free(convolver);
    pn_messages_free(messages);
    free_stream(&s);
    free_matrix(&m);
    free_matrix(&after);
}

static void staggered_groups_match_exact_convolution(void **state) {
    (void)state;
    device_case(0, 64 * 500);
    device_case(0, 64 * 123);
}

static void a_lost_device_hands_over_without_a_trace(void **state) {
    (void)state;
    dice = 31;
    device_case(1, 64 * 500);
    device_case(2, 64 * 500);
    for (int run = 0; run < 8; ++run)
        device_case((long)roll(3, 1100), 64 * 500);
    for (int run = 0; run < 8; ++run)
        device_case((long)roll(400, 700), 64 * roll(150, 250));
}

/* ------------------------------------------------------------------ failures */

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state) {
    (void)state;
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 3000, 1);
    add_ir(&m, 1, 1, 20, 2);
    pn_convolver_desc desc = {
        .inputs = 2, .outputs = 2, .block = 32, .irs = m.ir, .ir_count = m.count, .backend = cpu};
    pinna_error err = {0};
    long k = 1;
    for (;; ++k) {
        pn_convolver *convolver = NULL;
        pn_memory_fail_at(k);
        pinna_status status = pn_convolver_create(&desc, &convolver, &err);
        pn_memory_fail_at(0);
        if (status == PINNA_OK) {
            pn_convolver_free(convolver);
            break;
        }
        assert_int_equal(status, PINNA_NO_MEMORY);
        assert_null(convolver);
        assert_true(k < 1000);
    }
    assert_true(k > 20);
    free_matrix(&m);
}

static void a_failed_swap_leaves_the_convolver_as_it_was(void **state) {
    (void)state;
    enum { BLOCK = 1024, FRAMES = BLOCK * 40 };
    matrix m = {.count = 0}, longer = {.count = 0};
    add_ir(&m, 0, 0, 90000, 1);
    add_ir(&longer, 0, 0, 600000, 2);
    stream s;
    make_stream(&s, 1, 1, FRAMES, 3);
    convolve_exactly(&s, &m, s.expected);
    pn_convolver *convolver = make_convolver(&s, &m, BLOCK, PN_PLAN_LIVE, cpu);
    pinna_error err = {0};
    for (long k = 1; k <= 39; ++k) {
        call(convolver, &s, (size_t)(k - 1) * BLOCK, BLOCK);
        if (k > 24)
            continue;
        pn_memory_fail_at(k);
        pinna_status status = pn_convolver_swap(convolver, longer.ir, 1, 100, &err);
        pn_memory_fail_at(0);
        assert_int_equal(status, PINNA_NO_MEMORY);
        assert_false(pn_convolver_fading(convolver));
    }
    assert_stream(&s, 39 * BLOCK, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
    free_matrix(&longer);
}

static void bad_descriptions_name_the_value(void **state) {
    (void)state;
    float taps[4] = {1, 0, 0, 0}, broken[4] = {1, 0, NAN, 0};
    pinna_ir good = {0, 0, taps, 4};
    pinna_ir twice[2] = {good, good};
    pinna_ir outside = {2, 0, taps, 4}, nan = {0, 0, broken, 4}, empty = {0, 0, taps, 0};
    pinna_ir endless = {0, 0, taps, (size_t)1 << 40};
    const struct {
        int inputs, outputs, block;
        const pinna_ir *irs;
        size_t count;
        const char *words;
    } cases[] = {
        {0, 1, 256, &good, 1, "0 inputs"},        {1, 65537, 256, &good, 1, "65537 outputs"},
        {1, 1, 100, &good, 1, "block: 100"},      {1, 1, 16, &good, 1, "block: 16"},
        {1, 1, 256, NULL, 0, "no impulse"},       {2, 2, 256, twice, 2, "another one"},
        {1, 1, 256, &outside, 1, "from input 2"}, {1, 1, 256, &nan, 1, "tap 2"},
        {1, 1, 256, &empty, 1, "no taps"},        {1, 1, 256, &endless, 1, "at most"},
        {1, 1, 256, twice, 2, "2 impulse"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        pn_convolver_desc desc = {.inputs = cases[c].inputs,
                                  .outputs = cases[c].outputs,
                                  .block = cases[c].block,
                                  .irs = cases[c].irs,
                                  .ir_count = cases[c].count,
                                  .backend = cpu};
        pn_convolver *convolver = NULL;
        pinna_error err = {0};
        assert_int_equal(pn_convolver_create(&desc, &convolver, &err), PINNA_BAD_ARGUMENT);
        assert_null(convolver);
        if (strstr(err.text, cases[c].words) == NULL)
            fail_msg("case %zu: '%s' lacks '%s'", c, err.text, cases[c].words);
    }
    pn_convolver_free(NULL);
}

static void an_absurd_shape_is_refused_with_its_size(void **state) {
    (void)state;
    /* a million short responses, each rounded up to a transform of 16384: 69 GB and 1024 channels' histories */
    if ((double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) > 64e9)
        skip();
    enum { CHANNELS = 1024 };
    static float taps[1000];
    pinna_ir *irs = pn_alloc((size_t)CHANNELS * CHANNELS, sizeof *irs);
    assert_non_null(irs);
    for (int e = 0; e < CHANNELS * CHANNELS; ++e)
        irs[e] = (pinna_ir){e / CHANNELS, e % CHANNELS, taps, 1000};
    pn_convolver_desc desc = {.inputs = CHANNELS,
                              .outputs = CHANNELS,
                              .block = 8192,
                              .irs = irs,
                              .ir_count = (size_t)CHANNELS * CHANNELS,
                              .backend = cpu};
    pinna_error err = {0};
    pn_convolver *convolver = NULL;
    long before = pn_memory_count();
    assert_int_equal(pn_convolver_create(&desc, &convolver, &err), PINNA_NO_MEMORY);
    assert_in_range(pn_memory_count() - before, 1, 8); /* lists of pairs and channels, and its own struct */
    assert_non_null(strstr(err.text, "1024 x 1024"));
    assert_non_null(strstr(err.text, "GB"));
    pn_free(irs);
}

/* Before the taps are read: of what cannot fit that would take minutes. These can't be read at all. */
static void what_cannot_fit_is_refused_unread(void **state) {
    (void)state;
    enum { CHANNELS = 65536, TAPS = 4800000 };
    void *closed = mmap(NULL, sizeof(float[TAPS]), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(closed != MAP_FAILED);
    pinna_ir *irs = pn_alloc(CHANNELS, sizeof *irs);
    for (int e = 0; e < CHANNELS; ++e)
        irs[e] = (pinna_ir){e, e, closed, TAPS};
    pn_convolver_desc desc = {.inputs = CHANNELS,
                              .outputs = CHANNELS,
                              .block = 256,
                              .irs = irs,
                              .ir_count = CHANNELS,
                              .backend = cpu};
    pinna_error err = {0};
    pn_convolver *convolver = NULL;
    assert_int_equal(pn_convolver_create(&desc, &convolver, &err), PINNA_NO_MEMORY);
    assert_non_null(strstr(err.text, "65536 x 65536"));
    pn_free(irs);
    munmap(closed, sizeof(float[TAPS]));
}

/* Against a count by hand: one level, 4 partitions of 1024, right-angle spectra of 2048 floats. */
static void memory_is_what_the_shape_needs(void **state) {
    (void)state;
    matrix m = {.count = 0}, longer = {.count = 0};
    add_ir(&m, 0, 0, 4096, 1);
    add_ir(&longer, 0, 0, 600000, 2);
    stream s;
    make_stream(&s, 1, 1, 1024, 3);
    pn_convolver *convolver = make_convolver(&s, &m, 1024, PN_PLAN_LIVE, cpu);
    size_t spectra = 2 * 4 * 2048 * sizeof(float), history = ((size_t)1 << 19) * sizeof(float);
    size_t bytes = pn_convolver_memory(convolver);
    assert_in_range(bytes, spectra + history, (spectra + history) * 11 / 10);
    pinna_error err = {0};
    assert_ok(pn_convolver_swap(convolver, longer.ir, 1, 0, &err), &err);
    assert_true(pn_convolver_memory(convolver) > bytes + 4 * 600000 * sizeof(float));
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
    free_matrix(&longer);
}

/* ------------------------------------------------------------------ the block path */

static void denormal_input_gives_nothing_and_restores_the_mode(void **state) {
    (void)state;
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 4000, 1);
    stream s;
    make_stream(&s, 1, 1, 16384, 3);
    for (size_t n = 0; n < s.frames; ++n)
        s.in[0][n] = 1e-39f;
    pn_convolver *convolver = make_convolver(&s, &m, 256, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, s.frames);
    for (size_t n = 0; n < s.frames; ++n)
        assert_true(fabsf(s.out[0][n]) < 1e-30f);
    volatile float tiny = 1e-38f;
    volatile float smaller = tiny / 16;
    assert_true(smaller > 0);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_shapes_match_exact_convolution),
        cmocka_unit_test(thousands_of_small_shapes_match_direct_convolution),
        cmocka_unit_test(a_long_run_ends_as_exact_as_it_began),
        cmocka_unit_test(a_tail_ends_in_silence),
        cmocka_unit_test(edges_of_the_plan_match_exact_convolution),
        cmocka_unit_test(ten_seconds_match_exact_convolution),
        cmocka_unit_test(any_call_size_comes_one_block_late),
        cmocka_unit_test(reset_starts_anew_with_the_same_bits),
        cmocka_unit_test(swap_is_the_crossfade_of_two_convolutions),
        cmocka_unit_test(a_much_longer_response_hears_the_past),
        cmocka_unit_test(staggered_groups_match_exact_convolution),
        cmocka_unit_test(a_lost_device_hands_over_without_a_trace),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_failed_swap_leaves_the_convolver_as_it_was),
        cmocka_unit_test(bad_descriptions_name_the_value),
        cmocka_unit_test(an_absurd_shape_is_refused_with_its_size),
        cmocka_unit_test(what_cannot_fit_is_refused_unread),
        cmocka_unit_test(memory_is_what_the_shape_needs),
        cmocka_unit_test(denormal_input_gives_nothing_and_restores_the_mode),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
