// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/vec.h"

/* A twiddle of a node, in 16ths: e(scale * theta + turn). */
typedef struct {
    int scale, turn;
} twiddle_rule;

static const twiddle_rule rules_2[PN_TWIDDLES_2] = {{8, 0}};
static const twiddle_rule rules_4[PN_TWIDDLES_4] = {{8, 0}, {4, 0}, {12, 0}};
static const twiddle_rule rules_8[PN_TWIDDLES_8] = {{8, 0}, {4, 0}, {2, 0}, {2, 2}, {6, 0}, {6, 2}};
static const twiddle_rule rules_16[PN_TWIDDLES_16] = {{8, 0}, {4, 0},  {2, 0}, {2, 2}, {1, 0}, {1, 2}, {1, 1},
                                                      {1, 3}, {12, 0}, {3, 0}, {3, 2}, {3, 3}, {3, 5}};

static const twiddle_rule *rules_of(int radix, int *count) {
    switch (radix) {
    case 2:
        *count = PN_TWIDDLES_2;
        return rules_2;
    case 4:
        *count = PN_TWIDDLES_4;
        return rules_4;
    case 8:
        *count = PN_TWIDDLES_8;
        return rules_8;
    default:
        *count = PN_TWIDDLES_16;
        return rules_16;
    }
}

static int log2_of(int power_of_two) {
    int bits = 0;
    while ((1 << bits) < power_of_two)
        ++bits;
    return bits;
}

/* Angles are counted in units of 2^-UNIT_BITS turns, of which 16ths are whole ones too. */
enum { UNIT_BITS = 27 };

/* The angle of node `index` at `depth`: 2^-depth / 4 of a turn, and 1/2 for its last decision, 1/4 for the one before,
 * and so on. */
static uint32_t node_angle(int depth, int index) {
    uint32_t angle = (uint32_t)1 << (UNIT_BITS - 2) >> depth;
    for (unsigned left = (unsigned)index; left != 0; left &= left - 1)
        angle += (uint32_t)1 << (UNIT_BITS - 1) >> __builtin_ctz(left);
    return angle;
}

typedef struct {
    double re, im;
} factor;

static factor product(factor a, factor b) {
    return (factor){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* All angles that are multiples of 2^-bits turns, as points on the unit circle: products of a coarse step and a fine one.
 * Two short tables of sines so serve for all twiddles, to double precision. */
typedef struct {
    int bits, fine_bits;
    factor *coarse, *fine;
} circle;

static void fill_circle(factor *point, int count, double step) {
    for (int k = 0; k < count; ++k)
        point[k] = (factor){cos(2 * PN_PI * step * k), sin(2 * PN_PI * step * k)};
}

static bool make_circle(circle *c, int bits) {
    c->bits = bits;
    c->fine_bits = bits / 2;
    int coarse = 1 << (bits - c->fine_bits), fine = 1 << c->fine_bits;
    c->coarse = pn_alloc((size_t)coarse + (size_t)fine, sizeof *c->coarse);
    if (c->coarse == NULL)
        return false;
    c->fine = c->coarse + coarse;
    fill_circle(c->coarse, coarse, 1.0 / coarse);
    fill_circle(c->fine, fine, ldexp(1, -bits));
    return true;
}

static factor point_at(const circle *c, uint32_t angle) {
    uint32_t index = (angle >> (UNIT_BITS - c->bits)) & (((uint32_t)1 << c->bits) - 1);
    return product(c->coarse[index >> c->fine_bits], c->fine[index & (((uint32_t)1 << c->fine_bits) - 1)]);
}

/* The twiddles of one node; re and im of the k-th go to out[k * stride] and out[k * stride + im_offset]. */
static void fill_node(const circle *c, int radix, int depth, int index, float *out, int stride,
                      int im_offset) {
    int count;
    const twiddle_rule *rule = rules_of(radix, &count);
    uint32_t theta = node_angle(depth, index) / 16;
    for (int k = 0; k < count; ++k) {
        factor at =
            point_at(c, (uint32_t)rule[k].scale * theta + ((uint32_t)rule[k].turn << (UNIT_BITS - 4)));
        out[k * stride] = (float)at.re;
        out[k * stride + im_offset] = (float)at.im;
    }
}

static void fill_nodes(const circle *c, int radix, int depth, float *out) {
    int count;
    rules_of(radix, &count);
    for (int node = 0; node < 1 << depth; ++node)
        fill_node(c, radix, depth, node, out + (size_t)node * 2 * (size_t)count, 2, 1);
}

static void fill_leaf_lanes(const circle *c, int lanes, int depth, float *out) {
    int count;
    rules_of(lanes, &count);
    for (int node = 0; node < 1 << depth; ++node) {
        size_t group = (size_t)(node / lanes) * 2 * (size_t)count * (size_t)lanes;
        fill_node(c, lanes, depth, node, out + group + node % lanes, 2 * lanes, lanes);
    }
}

static void fill_frequency(const pn_rafft *fft) {
    int lanes = fft->width->lanes;
    for (int b = 0; b < fft->half; ++b) {
        int block = b / (lanes * lanes), lane = b / lanes % lanes, vector = b % lanes;
        double theta = ldexp((double)node_angle(fft->bits, b), -UNIT_BITS);
        double frequency = theta > 0.5 ? 1 - theta : -theta;
        fft->frequency[(block * lanes + vector) * lanes + lane] = (float)frequency;
    }
}

/* Few passes over the data: radix 8, except where 4 avoids a 2. Vectors of 4 and 8 come with 16 registers, which
 * radix 8 overflows, and its eight streams fall into too few sets of the cache: there it is radix 4 from the root
 * on, with one 8 at the end of an odd number of levels. Plain C stays with radix 2. */
static int choose_radix(int lanes, int bits_left) {
    if (lanes == 1 || bits_left == 1)
        return 2;
    if (lanes == 16)
        return bits_left == 2 || bits_left == 4 ? 4 : 8;
    return bits_left == 3 ? 8 : 4;
}

static void choose_passes(pn_rafft *fft) {
    int left = fft->bits - 2 * log2_of(fft->width->lanes);
    while (left > 0) {
        int radix = choose_radix(fft->width->lanes, left);
        fft->pass[fft->passes++].radix = radix;
        left -= log2_of(radix);
    }
}

/* Hands out the parts of the tables, each on its own cache lines; with `base` NULL only counts. */
static float *take(float *base, size_t *used, size_t count) {
    float *part = base == NULL ? NULL : base + *used;
    *used += (count + 31) / 32 * 32;
    return part;
}

static size_t share_out(pn_rafft *fft, float *base) {
    size_t used = 0, nodes = 1, lanes = (size_t)fft->width->lanes;
    int count;
    for (int p = 0; p < fft->passes; ++p) {
        rules_of(fft->pass[p].radix, &count);
        fft->pass[p].twiddle = take(base, &used, nodes * 2 * (size_t)count);
        nodes *= (size_t)fft->pass[p].radix;
    }
    if (lanes > 1) {
        rules_of(fft->width->lanes, &count);
        fft->leaf_first = take(base, &used, nodes * 2 * (size_t)count);
        fft->leaf_second = take(base, &used, nodes * 2 * (size_t)count * lanes);
    }
    fft->frequency = take(base, &used, (size_t)fft->half);
    return used;
}

static void fill_twiddles(const pn_rafft *fft, const circle *c) {
    int depth = 0, lanes = fft->width->lanes;
    for (int p = 0; p < fft->passes; ++p) {
        fill_nodes(c, fft->pass[p].radix, depth, fft->pass[p].twiddle);
        depth += log2_of(fft->pass[p].radix);
    }
    if (lanes > 1) {
        fill_nodes(c, lanes, depth, fft->leaf_first);
        fill_leaf_lanes(c, lanes, depth + log2_of(lanes), fft->leaf_second);
    }
}

pinna_status pn_rafft_make_tables(pn_rafft *fft, pinna_error *err) {
    choose_passes(fft);
    size_t floats = share_out(fft, NULL);
    circle c;
    fft->tables = pn_alloc_floats(floats);
    /* Angles of nodes are multiples of 2^-(bits + 2) turns, rules scale them by 16ths. */
    if (fft->tables == NULL || !make_circle(&c, fft->bits + 6))
        return pn_fail_memory(err, "the tables of a transform", (double)floats * sizeof(float));
    share_out(fft, fft->tables);
    fill_twiddles(fft, &c);
    fill_frequency(fft);
    pn_free(c.coarse);
    return PINNA_OK;
}

/* Bit k of b adds 2^-(k+1) to the angle; above half a turn the frequency is angle - 1, which is bit 0's 1/2
 * taken as -1/2. So step k = e(delay / 2^(k+1)), but conjugate for k = 0, and each is the square of the next:
 * one exact sine, and squares in double precision, serve all. Point b = V^2 g + V l + j is lane l of vector V g + j:
 * the bits of the lane stand between those of the vector. */

static factor square(factor a) {
    return (factor){(a.re - a.im) * (a.re + a.im), 2 * a.re * a.im};
}

void pn_rafft_ramp_factors(const pn_rafft *fft, double delay_samples, pn_rafft_ramp *ramp) {
    int lanes = fft->width->lanes, bits = log2_of(lanes);
    factor step[PN_RAFFT_TURNS + 1], lane[PN_RAFFT_LANES];
    double angle = 2 * PN_PI * delay_samples / (4.0 * fft->half);
    lane[0] = (factor){cos(angle), sin(angle)};
    step[fft->bits] = square(lane[0]);
    for (int k = fft->bits - 1; k >= 0; --k)
        step[k] = square(step[k + 1]);
    step[0].im = -step[0].im;
    for (int bit = 0, done = 1; done < lanes; ++bit, done *= 2)
        for (int l = 0; l < done; ++l)
            lane[done + l] = product(lane[l], step[bits + bit]);
    for (int l = 0; l < lanes; ++l) {
        ramp->lane[l] = (float)lane[l].re;
        ramp->lane[lanes + l] = (float)lane[l].im;
    }
    for (int k = 0; k < fft->bits - bits; ++k) {
        int bit = k < bits ? k : k + bits;
        ramp->turn[k][0] = (float)step[bit].re;
        ramp->turn[k][1] = (float)step[bit].im;
    }
}
