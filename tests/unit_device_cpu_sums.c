// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* The kernels of the sums, of every width, against double precision: a made-up component of two inputs, two outputs
 * and three entries, run for some jobs on random spectra. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu_sums.h"
#include "signal/rafft.h"

/* The text for 16 lanes once more, compiled for the baseline: so it is tested on processors without AVX-512. */
#define PN_LANES 16
#pragma GCC diagnostic ignored "-Wpsabi"
#include "device/cpu_sums_width.h"

enum { TILES = 4, INPUTS = 2, OUTPUTS = 2, ENTRIES = 3, JOBS = 90, MOST = 80 };

typedef struct {
    int lanes, step; /* step: 4 with sweeps, else 1 */
    size_t floats;   /* of a spectrum */
    pn_sums_input input[INPUTS];
    pn_sums_output output[OUTPUTS];
    pn_sums_entry entry[ENTRIES];
    pn_sums sums;
    float *spectra;         /* [JOBS][INPUTS][floats] */
    float *filter[ENTRIES]; /* [partition][floats], in the order of bins */
    double error, power;
} bench;

static float *tile_major(const bench *b, size_t width) {
    return pn_alloc_floats(b->floats * (width + 1));
}

static void make_entry(bench *b, int e, int input, int partitions) {
    pn_sums_entry *entry = &b->entry[e];
    entry->partitions = partitions;
    entry->input = input;
    b->filter[e] = pn_alloc_floats((size_t)entry->partitions * b->floats);
    test_fill_noise(b->filter[e], (size_t)partitions * b->floats, 10 + (uint64_t)e, 1);
    int slots = (partitions - 1) / b->step * b->step;
    if (b->input[input].slots < slots)
        b->input[input].slots = slots;
}

static void share_out(bench *b) {
    size_t tile = 2 * (size_t)b->lanes;
    pn_sums *s = &b->sums;
    for (int i = 0; i < INPUTS; ++i)
        s->ring_step += (size_t)b->input[i].slots * tile;
    for (int e = 0; e < ENTRIES; ++e)
        s->filter_step += (size_t)b->entry[e].partitions * tile;
    s->recent_step = INPUTS * tile;
    s->head_step = ENTRIES * tile;
    s->later_step = OUTPUTS * tile;
    b->input[0].ring = pn_alloc_floats(TILES * s->ring_step);
    b->input[1].ring = b->input[0].ring + (size_t)b->input[0].slots * tile;
    b->entry[0].filter = pn_alloc_floats(TILES * s->filter_step);
    for (int j = 0; j < 3; ++j) {
        b->input[0].recent[j] = tile_major(b, INPUTS);
        b->input[1].recent[j] = b->input[0].recent[j] + tile;
        b->output[0].later[j] = tile_major(b, OUTPUTS);
        b->output[1].later[j] = b->output[0].later[j] + tile;
        b->entry[0].head[j] = tile_major(b, ENTRIES);
    }
    for (int e = 1; e < ENTRIES; ++e) {
        b->entry[e].filter = b->entry[e - 1].filter + (size_t)b->entry[e - 1].partitions * tile;
        for (int j = 0; j < 3; ++j)
            b->entry[e].head[j] = b->entry[e - 1].head[j] + tile;
    }
    for (int e = 0; e < ENTRIES; ++e)
        for (int p = 0; p < b->entry[e].partitions; ++p)
            for (size_t t = 0; t < TILES; ++t) {
                const float *from = b->filter[e] + (size_t)p * b->floats + t * tile;
                memcpy(b->entry[e].filter + t * s->filter_step + (size_t)p * tile, from, tile * sizeof *from);
                if (p < 3)
                    memcpy(b->entry[e].head[p] + t * s->head_step, from, tile * sizeof *from);
            }
}

static void bench_open(bench *b, int lanes, int step, const int partitions[ENTRIES]) {
    memset(b, 0, sizeof *b);
    b->lanes = lanes;
    b->step = step;
    b->floats = TILES * 2 * (size_t)lanes;
    make_entry(b, 0, 1, partitions[0]);
    make_entry(b, 1, 0, partitions[1]);
    make_entry(b, 2, 1, partitions[2]);
    b->output[0] = (pn_sums_output){.first = 0, .end = 1};
    b->output[1] = (pn_sums_output){.first = 1, .end = 3};
    b->sums = (pn_sums){
        .input = b->input, .output = b->output, .entry = b->entry, .inputs = INPUTS, .outputs = OUTPUTS};
    share_out(b);
    for (int i = 0; i < INPUTS; ++i)
        b->input[i].work = pn_alloc_floats(b->floats);
    b->output[0].work = pn_alloc_floats(b->floats);
    b->output[1].work = b->input[0].work; /* as the level has it */
    b->spectra = pn_alloc_floats(JOBS * INPUTS * b->floats);
    test_fill_noise(b->spectra, JOBS * INPUTS * b->floats, 1, 1);
}

static void bench_close(bench *b) {
    pn_free(b->input[0].ring);
    pn_free(b->entry[0].filter);
    for (int j = 0; j < 3; ++j) {
        pn_free(b->input[0].recent[j]);
        pn_free(b->output[0].later[j]);
        pn_free(b->entry[0].head[j]);
    }
    for (int i = 0; i < INPUTS; ++i)
        pn_free(b->input[i].work);
    pn_free(b->output[0].work);
    for (int e = 0; e < ENTRIES; ++e)
        pn_free(b->filter[e]);
    pn_free(b->spectra);
}

static const float *spectrum_of(const bench *b, int job, int input) {
    return b->spectra + ((size_t)job * INPUTS + (size_t)input) * b->floats;
}

/* Adds the deviation of an output from the definition. */
static void compare(bench *b, int job, int o) {
    size_t lanes = (size_t)b->lanes;
    for (size_t n = 0; n < b->floats; n += n % lanes == lanes - 1 ? lanes + 1 : 1) {
        double re = 0, im = 0;
        for (int e = b->output[o].first; e < b->output[o].end; ++e)
            for (int p = 0; p < b->entry[e].partitions && p <= job; ++p) {
                const float *x = spectrum_of(b, job - p, b->entry[e].input) + n;
                const float *h = b->filter[e] + (size_t)p * b->floats + n;
                double xr = (double)x[0], xi = (double)x[lanes], hr = (double)h[0], hi = (double)h[lanes];
                re += xr * hr - xi * hi;
                im += xr * hi + xi * hr;
            }
        const float *y = b->output[o].work + n;
        b->error +=
            ((double)y[0] - re) * ((double)y[0] - re) + ((double)y[lanes] - im) * ((double)y[lanes] - im);
        b->power += re * re + im * im;
    }
}

/* Half of the tiles has its sweeps one job later, as the level does it with quarters. */
static void run_job(bench *b, const pn_sums_width *width, size_t job) {
    for (size_t half = 0; half < 2; ++half) {
        size_t tile = half * TILES / 2, at = tile * 2 * (size_t)b->lanes, time = job + 3 * half;
        if (b->step == 1)
            width->each(&b->sums, tile, at, TILES / 2, job);
        else if (time % 4 == 0)
            width->sweep(&b->sums, tile, at, TILES / 2, time / 4);
        else
            width->follow(&b->sums, tile, at, TILES / 2, (int)(time % 4));
    }
}

static void check_case(const pn_sums_width *width, int step, const int partitions[ENTRIES]) {
    bench b;
    bench_open(&b, width->lanes, step, partitions);
    for (int job = 0; job < JOBS; ++job) {
        for (int i = 0; i < INPUTS; ++i)
            memcpy(b.input[i].work, spectrum_of(&b, job, i), b.floats * sizeof(float));
        run_job(&b, width, (size_t)job + 1);
        for (int o = 0; o < OUTPUTS; ++o)
            compare(&b, job, o);
    }
    assert_below(10 * log10(b.error / b.power), -135);
    bench_close(&b);
}

static void check_width(const pn_sums_width *width) {
    static const int partitions[][ENTRIES] = {{1, 1, 1}, {2, 1, 3}, {4, 5, 4},    {3, 8, 7},
                                              {9, 1, 6}, {6, 2, 1}, {33, 31, 32}, {MOST, 65, 3}};
    for (size_t c = 0; c < sizeof partitions / sizeof partitions[0]; ++c)
        for (int step = 1; step <= 4; step += 3)
            check_case(width, step, partitions[c]);
}

static void every_width_here_matches_the_definition(void **state) {
    (void)state;
    const pn_simd all[] = {PN_SIMD_PLAIN, PN_SIMD_4, PN_SIMD_8, PN_SIMD_16};
    const int lanes[] = {1, 4, 8, 16};
    pn_simd list[4];
    int count = pn_simd_available(list);
    for (int k = 0; k < count; ++k)
        for (int a = 0; a < 4; ++a)
            if (all[a] == list[k]) {
                assert_non_null(pn_sums_width_of(lanes[a]));
                assert_int_equal(pn_sums_width_of(lanes[a])->lanes, lanes[a]);
                check_width(pn_sums_width_of(lanes[a]));
            }
}

static void lowered_width_matches_the_definition(void **state) {
    (void)state;
    check_width(&sums_ops);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_here_matches_the_definition),
        cmocka_unit_test(lowered_width_matches_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
