// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "opencl_each.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "convolve/convolver.h"

/* Thousands of inputs and outputs with few entries, of lengths from one tap to several levels, on the processor and on
 * every device: the blocks are large enough for copies past the caches by several threads, and the history so short that
 * an exchange and a lost device find just what they need. Against sums in double precision at some frames. */

enum { INPUTS = 3000, OUTPUTS = 2500, ENTRIES = 5000, BLOCK = 256, BLOCKS = 132, SWAP = 80, LOSS = 110 };
enum { NOISE = 1 << 16, STEP = 131, MARGIN = 1 << 15, CHECKED = 40, FRAMES_EACH = 3, LONGEST = 30000 };

static float noise[NOISE + BLOCK], taps[LONGEST + MARGIN];
static pinna_ir irs[2][ENTRIES]; /* before and after the exchange */
static pn_pool *pool;

static double noise_at(int input, int64_t frame) {
    return (double)noise[(frame + (int64_t)input * STEP) % NOISE];
}

/* Each output but the last ten has an entry, the others are drawn; each pair once. Lengths: one in 20 long. */
static void make_entries(pinna_ir *list, uint64_t seed) {
    static bool taken[INPUTS][OUTPUTS];
    memset(taken, 0, sizeof taken);
    uint64_t dice = seed;
    for (int e = 0; e < ENTRIES;) {
        int input = (int)(fabs(test_noise(&dice)) * INPUTS) % INPUTS;
        int output = e < OUTPUTS - 10 ? e : (int)(fabs(test_noise(&dice)) * (OUTPUTS - 10)) % (OUTPUTS - 10);
        double length = fabs(test_noise(&dice));
        if (taken[input][output])
            continue;
        taken[input][output] = true;
        list[e] = (pinna_ir){input, output, taps + (size_t)(fabs(test_noise(&dice)) * (MARGIN - 1)),
                             1 + (size_t)(length * (e % 20 == 0 ? LONGEST - 1 : 700))};
        ++e;
    }
}

static int make_all(void **state) {
    (void)state;
    test_fill_noise(noise, NOISE, 1, 0.5);
    memcpy(noise + NOISE, noise, BLOCK * sizeof *noise);
    test_fill_noise(taps, LONGEST + MARGIN, 2, 0.3);
    make_entries(irs[0], 3);
    for (int e = 0; e < ENTRIES; ++e) { /* as long from each input, to others, of other taps */
        irs[1][e] = irs[0][e];
        irs[1][e].output = (irs[0][e].output + 7) % (OUTPUTS - 10);
        irs[1][e].taps = taps + (irs[0][e].taps - taps + 999) % MARGIN;
    }
    return pn_pool_create(2, &pool, NULL) == PINNA_OK ? 0 : -1;
}

static int free_all(void **state) {
    (void)state;
    pn_pool_free(pool);
    return 0;
}

static void check_output(const pinna_ir *list, int output, const float *out, int64_t begin) {
    for (int k = 0; k < FRAMES_EACH; ++k) {
        int at = (output * 7 + k * 193) % BLOCK;
        double exact = 0, size = 1e-6;
        for (int e = 0; e < ENTRIES; ++e) {
            if (list[e].output != output)
                continue;
            for (size_t n = 0; n < list[e].length && (int64_t)n <= begin + at; ++n) {
                double term = (double)list[e].taps[n] * noise_at(list[e].input, begin + at - (int64_t)n);
                exact += term;
                size += term * term;
            }
        }
        assert_below(fabs((double)out[at] - exact), 1e-5 * sqrt(size));
    }
}

/* Blocks begin .. end-1. Of outputs that no other is next to in memory. */
static void run_blocks(pn_convolver *convolver, const pinna_ir *list, int begin, int end, float **out) {
    static const float *in[INPUTS];
    pinna_error err = {0};
    for (int b = begin; b < end; ++b) {
        int64_t frame = (int64_t)b * BLOCK;
        for (int i = 0; i < INPUTS; ++i)
            in[i] = noise + (frame + (int64_t)i * STEP) % NOISE;
        assert_ok(pn_convolver_block_process(convolver, in, out, &err), &err);
        bool last = b == begin || b + 1 == end; /* as things are after a change, and a while later */
        for (int k = 0; k < CHECKED && (last || b % 8 == 3); ++k)
            check_output(list, (b * 17 + k * 61) % OUTPUTS, out[(b * 17 + k * 61) % OUTPUTS], frame);
    }
}

static void run_on(pn_backend *on, bool loses) {
    float *data = pn_alloc(OUTPUTS, BLOCK * sizeof *data);
    static float *out[OUTPUTS];
    for (int o = 0; o < OUTPUTS; ++o)
        out[o] = data + (size_t)o * BLOCK;
    pn_convolver_desc desc = {.inputs = INPUTS,
                              .outputs = OUTPUTS,
                              .block = BLOCK,
                              .irs = irs[0],
                              .ir_count = ENTRIES,
                              .backend = on,
                              .pool = pool};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    assert_in_range(pn_convolver_plan(convolver)->levels, 2, 6);
    run_blocks(convolver, irs[0], 0, SWAP, out);
    assert_ok(pn_convolver_swap(convolver, irs[1], ENTRIES, 0, &err), &err);
    run_blocks(convolver, irs[1], SWAP, LOSS, out);
    pn_opencl_fail_at(loses ? 5 : 0);
    run_blocks(convolver, irs[1], LOSS, BLOCKS, out);
    pn_opencl_fail_at(0);
    assert_string_equal(pn_convolver_device(convolver), loses ? "cpu" : on->name);
    pn_convolver_free(convolver);
    pn_free(data);
}

static void thousands_on_the_processor(void **state) {
    (void)state;
    pn_backend *cpu = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(pool, &cpu, &err), &err);
    run_on(cpu, false);
    pn_backend_close(cpu);
}

static void thousands_on_a_device_that_is_lost(void **state) {
    (void)state;
    run_on(backend, true);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_on_the_processor),
        cmocka_unit_test(thousands_on_a_device_that_is_lost),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}

int main(void) {
    return run_on_each_device(run);
}
