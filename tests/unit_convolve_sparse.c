// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

/* Matrices of up to 1024 x 1024 with few entries: cost and memory go by entries, inputs and outputs, and not by
 * inputs times outputs. */

enum { CHANNELS = 1024, ENTRIES = 4096, BLOCK = 256, BLOCKS = 12 };

/* Random pairs, each once. */
static size_t make_entries(pinna_ir *irs, float *const *taps, const size_t *lengths, int kinds) {
    static bool taken[CHANNELS][CHANNELS];
    memset(taken, 0, sizeof taken);
    size_t count = 0;
    while (count < ENTRIES) {
        size_t input = roll(0, CHANNELS - 1), output = roll(0, CHANNELS - 1),
               kind = roll(0, (size_t)kinds - 1);
        if (taken[input][output])
            continue;
        taken[input][output] = true;
        irs[count++] = (pinna_ir){(int)input, (int)output, taps[kind], lengths[kind]};
    }
    return count;
}

/* All outputs against direct sums in double precision, at some frames of each. */
static void check_output(const pinna_ir *irs, float *const *in, float *const *out, int o) {
    for (size_t n = 100; n < (size_t)BLOCKS * BLOCK; n += 397) {
        double exact = 0, size = 1e-3;
        for (size_t e = 0; e < ENTRIES; ++e) {
            if (irs[e].output != o)
                continue;
            for (size_t k = 0; k < irs[e].length && k <= n; ++k) {
                double term = (double)irs[e].taps[k] * (double)in[irs[e].input][n - k];
                exact += term;
                size += term * term;
            }
        }
        assert_below(fabs((double)out[o][n] - exact), 1e-5 * sqrt(size));
    }
}

static void a_thousand_channels_with_few_entries(void **state) {
    (void)state;
    dice = 3;
    static pinna_ir irs[ENTRIES];
    static float *in[CHANNELS], *out[CHANNELS];
    const size_t lengths[3] = {1, 130, 1000};
    float *taps[3];
    for (int k = 0; k < 3; ++k) {
        taps[k] = pn_alloc_floats(lengths[k]);
        test_fill_noise(taps[k], lengths[k], (uint64_t)k + 1, 0.1);
    }
    make_entries(irs, taps, lengths, 3);
    for (int c = 0; c < CHANNELS; ++c) {
        in[c] = pn_alloc_floats((size_t)BLOCKS * BLOCK);
        out[c] = pn_alloc_floats((size_t)BLOCKS * BLOCK);
        test_fill_noise(in[c], (size_t)BLOCKS * BLOCK, (uint64_t)c + 7, 0.5);
    }
    pn_convolver_desc desc = {.inputs = CHANNELS,
                              .outputs = CHANNELS,
                              .block = BLOCK,
                              .irs = irs,
                              .ir_count = ENTRIES,
                              .backend = cpu};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    assert_ok(pn_convolver_process(convolver, (const float *const *)in, out, (size_t)BLOCKS * BLOCK, &err),
              &err);
    for (int o = 0; o < CHANNELS; o += 31)
        check_output(irs, in, out, o);
    /* 2048 channels' history and buffers, and 4096 short responses: a dense matrix would have 256 times as many */
    assert_below((double)pn_convolver_memory(convolver), 300e6);
    pn_convolver_free(convolver);
    for (int c = 0; c < CHANNELS; ++c) {
        pn_free(in[c]);
        pn_free(out[c]);
    }
    for (int k = 0; k < 3; ++k)
        pn_free(taps[k]);
}

static void a_pair_given_twice_is_found_among_many(void **state) {
    (void)state;
    dice = 4;
    static pinna_ir irs[ENTRIES + 1];
    float *taps = pn_alloc_floats(1);
    const size_t length = 1;
    make_entries(irs, &taps, &length, 1);
    irs[ENTRIES] = irs[1234];
    pn_convolver_desc desc = {.inputs = CHANNELS,
                              .outputs = CHANNELS,
                              .block = BLOCK,
                              .irs = irs,
                              .ir_count = ENTRIES + 1,
                              .backend = cpu};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    char words[96];
    snprintf(words, sizeof words, "response 4096: there is another one from input %d to output %d",
             irs[1234].input, irs[1234].output);
    assert_int_equal(pn_convolver_create(&desc, &convolver, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, words));
    pn_free(taps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_channels_with_few_entries),
        cmocka_unit_test(a_pair_given_twice_is_found_among_many),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
