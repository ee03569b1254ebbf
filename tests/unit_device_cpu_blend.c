// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* The bank's inner loops, of every width, against double precision on random spectra and lines. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "device/cpu_blend.h"

/* The text for 16 lanes once more, compiled for the baseline: so it is tested on processors without AVX-512. */
#define PN_LANES 16
#pragma GCC diagnostic ignored "-Wpsabi"
#include "device/cpu_blend_width.h"

typedef struct {
    pn_blend blend;
    const pn_blend_width *width;
    size_t vectors, floats;
    float *random; /* nodes, tints, x, old filter, two sums, in spectra */
    double error, power;
} bench;

static const pn_blend_width *width_of(pn_simd simd) {
    static const int lanes[] = {1, 4, 8, 16};
    return pn_blend_width_of(lanes[simd]);
}

static float *spectrum(const bench *b, int k) {
    return b->random + (size_t)k * b->floats;
}

enum { NODE, TINT = 6, X = 10, FILTER, OLD, NEW, SPECTRA };

static void open_bench(bench *b, const pn_blend_width *width, size_t vectors, int nodes, int tints) {
    size_t floats = vectors * 2 * (size_t)width->lanes;
    *b = (bench){.width = width, .vectors = vectors, .floats = floats};
    b->random = pn_alloc_floats(SPECTRA * floats);
    test_fill_noise(b->random, SPECTRA * floats, 3, 1);
    b->blend.nodes = nodes;
    b->blend.tints = tints;
    uint64_t dice = 17;
    for (int j = 0; j < nodes; ++j) {
        b->blend.node[j] = spectrum(b, NODE + j);
        b->blend.weight[j] = (float)test_noise(&dice);
    }
    for (int j = 0; j < tints; ++j) {
        b->blend.tint[j] = spectrum(b, TINT + j);
        b->blend.tint_weight[j] = (float)test_noise(&dice);
    }
    for (int l = 0; l < width->lanes; ++l) {
        b->blend.ramp.lane[l] = (float)cos(0.3 * l);
        b->blend.ramp.lane[width->lanes + l] = (float)sin(0.3 * l);
    }
    for (int k = 0; k < PN_RAFFT_TURNS; ++k) {
        b->blend.ramp.turn[k][0] = (float)cos(0.7 * k + 0.2);
        b->blend.ramp.turn[k][1] = (float)sin(0.7 * k + 0.2);
    }
}

static void close_bench(bench *b) {
    pn_free(b->random);
}

typedef struct {
    double re, im;
} pair;

static pair times(pair a, pair b) {
    return (pair){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static pair read_pair(const bench *b, const float *from, size_t v, int l) {
    const float *at = from + v * 2 * (size_t)b->width->lanes + l;
    return (pair){(double)at[0], (double)at[b->width->lanes]};
}

static pair weighted(const bench *b, const float *const *from, const float *weight, int count, size_t v,
                     int l) {
    pair sum = {0, 0};
    for (int j = 0; j < count; ++j) {
        pair one = read_pair(b, from[j], v, l);
        sum.re += (double)weight[j] * one.re;
        sum.im += (double)weight[j] * one.im;
    }
    return sum;
}

static pair blend_at(const bench *b, size_t v, int l) {
    const pn_blend *blend = &b->blend;
    pair made = weighted(b, blend->node, blend->weight, blend->nodes, v, l);
    made = times(made, read_pair(b, blend->ramp.lane, 0, l));
    for (int bit = 0; v >> bit > 0; ++bit)
        if (v >> bit & 1)
            made = times(made, (pair){(double)blend->ramp.turn[bit][0], (double)blend->ramp.turn[bit][1]});
    if (blend->tints > 0)
        made = times(made, weighted(b, blend->tint, blend->tint_weight, blend->tints, v, l));
    return made;
}

static void compare(bench *b, const float *got, size_t v, int l, pair expected) {
    pair now = read_pair(b, got, v, l);
    b->error +=
        (now.re - expected.re) * (now.re - expected.re) + (now.im - expected.im) * (now.im - expected.im);
    b->power += expected.re * expected.re + expected.im * expected.im;
}

static void check_spectra(const pn_blend_width *width, size_t vectors, int nodes, int tints) {
    bench b;
    open_bench(&b, width, vectors, nodes, tints);
    float *made = pn_alloc_floats(b.floats), *before = pn_alloc_floats(SPECTRA * b.floats);
    memcpy(before, b.random, SPECTRA * b.floats * sizeof *before);
    width->make(&b.blend, vectors, made);
    width->move(&b.blend, vectors, spectrum(&b, X), spectrum(&b, FILTER), spectrum(&b, OLD),
                spectrum(&b, NEW));
    for (size_t v = 0; v < vectors; ++v)
        for (int l = 0; l < width->lanes; ++l) {
            pair filter = blend_at(&b, v, l), x = read_pair(&b, spectrum(&b, X), v, l);
            pair old = times(read_pair(&b, before + FILTER * b.floats, v, l), x), new = times(filter, x);
            pair old_sum = read_pair(&b, before + OLD * b.floats, v, l);
            pair new_sum = read_pair(&b, before + NEW * b.floats, v, l);
            compare(&b, made, v, l, filter);
            compare(&b, spectrum(&b, FILTER), v, l, filter);
            compare(&b, spectrum(&b, OLD), v, l, (pair){old_sum.re + old.re, old_sum.im + old.im});
            compare(&b, spectrum(&b, NEW), v, l, (pair){new_sum.re + new.re, new_sum.im + new.im});
        }
    assert_below(10 * log10(b.error / b.power), -128);
    close_bench(&b);
    pn_free(made);
    pn_free(before);
}

static void check_bend(const pn_blend_width *width, size_t vectors) {
    bench b;
    open_bench(&b, width, vectors, 3, 0);
    float *sum = pn_alloc_floats(b.floats);
    memcpy(sum, spectrum(&b, OLD), b.floats * sizeof *sum);
    width->bend(vectors, spectrum(&b, X), spectrum(&b, 0), spectrum(&b, 1), spectrum(&b, 2), sum);
    for (size_t v = 0; v < vectors; ++v)
        for (int l = 0; l < width->lanes; ++l) {
            pair p[3], x = read_pair(&b, spectrum(&b, X), v, l), was = read_pair(&b, spectrum(&b, OLD), v, l);
            for (int j = 0; j < 3; ++j)
                p[j] = read_pair(&b, spectrum(&b, j), v, l);
            pair off = {p[1].re - (p[0].re + p[2].re) / 2, p[1].im - (p[0].im + p[2].im) / 2};
            pair add = times(off, x);
            compare(&b, sum, v, l, (pair){was.re + add.re, was.im + add.im});
        }
    assert_below(10 * log10(b.error / b.power), -128);
    close_bench(&b);
    pn_free(sum);
}

/* Cubics of every kind across the end of a ring. */
static void check_delay(const pn_blend_width *width) {
    enum { QUANTUM = 64, LENGTH = 5 * QUANTUM, ROOM = LENGTH + QUANTUM + TAPS };
    static double table[PN_INTERPOLATOR_ROWS][TAPS];
    static const float cubics[][4] = {{0, 0, 0, 0},      {0.25f, 0, 0, 0},  {0.3f, 1.7f, 0, 0},
                                      {0, -20, 30, -10}, {0, 150, 0, -140}, {-500, 0, 0, 1}};
    float *ring = pn_alloc_floats(ROOM), *rows = pn_alloc_floats((size_t)PN_INTERPOLATOR_ROWS * TAPS);
    pn_interpolator_make(table);
    for (int k = 0; k < PN_INTERPOLATOR_ROWS * TAPS; ++k)
        rows[k] = (float)table[k / TAPS][k % TAPS];
    test_fill_noise(ring, LENGTH, 5, 1);
    memcpy(ring + LENGTH, ring, (ROOM - LENGTH) * sizeof *ring);
    double error = 0, power = 0;
    for (int at = 0; at < LENGTH; at += QUANTUM)
        for (size_t c = 0; c < sizeof cubics / sizeof cubics[0]; ++c) {
            int whole = 30, longest = LENGTH - 2 * QUANTUM;
            float out[QUANTUM];
            pn_delay_read read = {.row = rows,
                                  .ring = ring,
                                  .length = LENGTH,
                                  .start = at - whole - 7,
                                  .quantum = QUANTUM,
                                  .low = (float)(8 - whole),
                                  .high = (float)(longest - whole)};
            memcpy(read.c, cubics[c], sizeof read.c);
            width->delay(&read, out);
            for (int n = 0; n < QUANTUM; ++n) {
                double u = (double)n / QUANTUM, sum = 0, delay = whole;
                for (int k = 0; k < 4; ++k)
                    delay += (double)cubics[c][k] * pow(u, k);
                double where = at + n - fmin(fmax(delay, 8), longest), i = floor(where),
                       f = (where - i) * 128;
                for (int k = 0; k < TAPS; ++k) {
                    double tap =
                        table[(int)f][k] + (f - floor(f)) * (table[(int)f + 1][k] - table[(int)f][k]);
                    sum += tap * (double)ring[((int)i - 7 + k + LENGTH) % LENGTH];
                }
                error += ((double)out[n] - sum) * ((double)out[n] - sum);
                power += sum * sum;
            }
        }
    assert_below(10 * log10(error / power), -115); /* the places are rounded to float */
    pn_free(ring);
    pn_free(rows);
}

static void check_width(const pn_blend_width *width) {
    for (int nodes = 3; nodes <= 6; nodes += 3)
        for (int tints = 0; tints <= 4; tints += 2)
            for (size_t vectors = 8; vectors <= 256; vectors *= 4)
                check_spectra(width, vectors, nodes, tints);
    check_bend(width, 16);
    check_delay(width);
}

static void every_width_matches(void **state) {
    (void)state;
    pn_simd list[4];
    int count = pn_simd_available(list);
    for (int k = 0; k < count; ++k) {
        const pn_blend_width *width = width_of(list[k]);
        assert_non_null(width);
        print_message("%s\n", pn_simd_name(list[k]));
        check_width(width);
    }
    check_width(&blend_ops);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_width_matches)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
