// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

#include <math.h>

#include "base/memory.h"
#include "base/vec.h"

/* A twiddle of a node: e(scale * theta + turn). */
typedef struct {
    double scale, turn;
} twiddle_rule;

static const twiddle_rule rules_2[PN_TWIDDLES_2] = {{1.0 / 2, 0}};
static const twiddle_rule rules_4[PN_TWIDDLES_4] = {{1.0 / 2, 0}, {1.0 / 4, 0}, {3.0 / 4, 0}};
static const twiddle_rule rules_8[PN_TWIDDLES_8] = {
    {1.0 / 2, 0}, {1.0 / 4, 0}, {1.0 / 8, 0}, {1.0 / 8, 1.0 / 8}, {3.0 / 8, 0}, {3.0 / 8, 1.0 / 8},
};
static const twiddle_rule rules_16[PN_TWIDDLES_16] = {
    {1.0 / 2, 0},        {1.0 / 4, 0},         {1.0 / 8, 0},         {1.0 / 8, 1.0 / 8}, {1.0 / 16, 0},
    {1.0 / 16, 1.0 / 8}, {1.0 / 16, 1.0 / 16}, {1.0 / 16, 3.0 / 16}, {3.0 / 4, 0},       {3.0 / 16, 0},
    {3.0 / 16, 1.0 / 8}, {3.0 / 16, 3.0 / 16}, {3.0 / 16, 5.0 / 16},
};

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

/* The angle of node `index` at `depth`, in turns: 2^-depth / 4, and 1/2 for its last decision, 1/4 for the
 * one before, and so on. */
static double node_angle(int depth, int index) {
    double angle = ldexp(0.25, -depth), turn = 0.5;
    for (int k = 0; k < depth; ++k) {
        angle += (index >> k) & 1 ? turn : 0;
        turn *= 0.5;
    }
    return angle;
}

/* The twiddles of one node; re and im of the k-th go to out[k * stride] and out[k * stride + im_offset]. */
static void fill_node(int radix, int depth, int index, float *out, int stride, int im_offset) {
    int count;
    const twiddle_rule *rule = rules_of(radix, &count);
    double theta = node_angle(depth, index);
    for (int k = 0; k < count; ++k) {
        double angle = 2 * PN_PI * fmod(rule[k].scale * theta + rule[k].turn, 1.0);
        out[k * stride] = (float)cos(angle);
        out[k * stride + im_offset] = (float)sin(angle);
    }
}

static void fill_nodes(int radix, int depth, float *out) {
    int count;
    rules_of(radix, &count);
    for (int node = 0; node < 1 << depth; ++node)
        fill_node(radix, depth, node, out + (size_t)node * 2 * (size_t)count, 2, 1);
}

static void fill_leaf_lanes(int lanes, int depth, float *out) {
    int count;
    rules_of(lanes, &count);
    for (int node = 0; node < 1 << depth; ++node) {
        size_t group = (size_t)(node / lanes) * 2 * (size_t)count * (size_t)lanes;
        fill_node(lanes, depth, node, out + group + node % lanes, 2 * lanes, lanes);
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
    return used;
}

pinna_status pn_rafft_make_tables(pn_rafft *fft, pinna_error *err) {
    choose_passes(fft);
    size_t floats = share_out(fft, NULL);
    fft->tables = pn_alloc_floats(floats);
    if (fft->tables == NULL)
        return pn_fail_memory(err, "the tables of a transform", (double)floats * sizeof(float));
    share_out(fft, fft->tables);
    int depth = 0;
    for (int p = 0; p < fft->passes; ++p) {
        fill_nodes(fft->pass[p].radix, depth, fft->pass[p].twiddle);
        depth += log2_of(fft->pass[p].radix);
    }
    if (fft->width->lanes > 1) {
        fill_nodes(fft->width->lanes, depth, fft->leaf_first);
        fill_leaf_lanes(fft->width->lanes, depth + log2_of(fft->width->lanes), fft->leaf_second);
    }
    return PINNA_OK;
}

/* Bit k of b adds 2^-(k+1) to the angle; above half a turn the frequency is angle - 1, which is bit 0's 1/2
 * taken as -1/2. So step k = e(delay / 2^(k+1)), but conjugate for k = 0, and each is the square of the next:
 * one exact sine, and squares in double precision, serve all. Point b = V^2 g + V l + j is lane l of vector V g + j:
 * the bits of the lane stand between those of the vector. */

typedef struct {
    double re, im;
} factor;

static factor product(factor a, factor b) {
    return (factor){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

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
