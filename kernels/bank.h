// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_BANK_H
#define PINNA_BANK_H

/* Complete filters of the spatial bank, a vector of bins at a time. Bin b stands at t = e(u), u = turns[b] / 4M cycles
 * per sample with |u| < 1/2, and a delay of d multiplies it by e(u d). d is cut into whole samples, whose phase is
 * exact in integers modulo 4M, and a rest of at most half a sample, so that no large angle is ever rounded.
 *
 * Filters stand packed in the job, as words: two pn_packed_ear, then for each ear its nodes and its tints as pairs of
 * (index, weight). */

#if PN_WIDE > 1
typedef int8 pn_lanes_int;
typedef uint8 pn_lanes_uint;
#define PN_GET_INT(p) vload8(0, p)
#define PN_TO_INT(x) convert_int8(x)
#define PN_TO_FLOAT(x) convert_float8(x)
#define PN_BITS(x) as_int8(x)
#define PN_UNBITS(x) as_float8(x)
#else
typedef int pn_lanes_int;
typedef uint pn_lanes_uint;
#define PN_GET_INT(p) (*(p))
#define PN_TO_INT(x) convert_int(x)
#define PN_TO_FLOAT(x) convert_float(x)
#define PN_BITS(x) as_int(x)
#define PN_UNBITS(x) as_float(x)
#endif

/* exp(2 pi i turn), |turn| <= 1: nearest quarter turn, and polynomials within +-1/8. */
static void pn_phasor(pn_lanes turn, pn_lanes *re, pn_lanes *im) {
    const pn_lanes quarter = rint(4.0f * turn);
    const pn_lanes x = 6.28318530717958648f * (turn - 0.25f * quarter), x2 = x * x;
    const pn_lanes s =
        x * (1.0f + x2 * (-1.6666666667e-1f +
                          x2 * (8.3333333333e-3f + x2 * (-1.9841269841e-4f + x2 * 2.7557319224e-6f))));
    const pn_lanes c =
        1.0f + x2 * (-0.5f + x2 * (4.1666666667e-2f + x2 * (-1.3888888889e-3f + x2 * 2.4801587302e-5f)));
    /* Odd quarters exchange the two; the signs are bits: re is negative in quarters 1 and 2, im in 2 and 3. */
    const pn_lanes_int q = PN_TO_INT(quarter);
    const pn_lanes_int odd = -(q & 1);
    const pn_lanes_int a = (PN_BITS(s) & odd) | (PN_BITS(c) & ~odd);
    const pn_lanes_int b = (PN_BITS(c) & odd) | (PN_BITS(s) & ~odd);
    *re = PN_UNBITS(a ^ (((q ^ (q >> 1)) & 1) << 31));
    *im = PN_UNBITS(b ^ (((q >> 1) & 1) << 31));
}

/* What a work-item needs to know of the bins it stands for. */
typedef struct {
    __global const float *nodes, *tints; /* spectra [node][ear][tile] and [tint][tile] */
    size_t place, stride;                /* of the bins in a spectrum; floats of a spectrum */
    pn_lanes_int turns;
    pn_lanes turn; /* turns / 4M */
    pn_lanes_int mask;
    float scale; /* 1 / 4M */
} pn_bins_of;

static pn_bins_of pn_bins_at(size_t bin, int points_log2, __global const float *nodes, __global const float *tints,
                             __global const int *turns) {
    pn_bins_of b;
    b.nodes = nodes;
    b.tints = tints;
    b.place = (bin >> PN_TILE_LOG2) * PN_VECTOR + (bin & (PN_TILE - 1u));
    b.stride = (size_t)2 << points_log2;
    b.turns = PN_GET_INT(turns + bin);
    b.scale = 0.25f / (float)(1 << points_log2);
    b.turn = PN_TO_FLOAT(b.turns) * b.scale;
    b.mask = (4 << points_log2) - 1;
    return b;
}

/* The bins of one ear of a packed filter. pairs: the ear's own. */
static void pn_filter_ear(const pn_bins_of *b, __global const pn_packed_ear *f, __global const pn_packed_share *pairs,
                          int ear, pn_lanes *re, pn_lanes *im) {
    pn_lanes br = 0.0f, bi = 0.0f;
    for (int i = 0; i < f->nodes; ++i) {
        __global const float *node = b->nodes + ((size_t)pairs[i].index * 2 + (size_t)ear) * b->stride + b->place;
        br += pairs[i].weight * PN_GET(node);
        bi += pairs[i].weight * PN_GET(node + PN_TILE);
    }
    const pn_lanes_int whole = (b->turns * f->whole) & b->mask;
    /* wrapped to less than half a turn: past the middle, 4M less */
    const pn_lanes_int wrapped = whole - (((whole << 1) & (b->mask + 1)));
    pn_lanes pr, pi;
    pn_phasor(PN_TO_FLOAT(wrapped) * b->scale + b->turn * f->rest, &pr, &pi);
    pn_lanes r = br * pr - bi * pi, j = br * pi + bi * pr;
    if (f->tints > 0) {
        pn_lanes tr = 0.0f, ti = 0.0f;
        for (int i = f->nodes; i < f->nodes + f->tints; ++i) {
            __global const float *tint = b->tints + (size_t)pairs[i].index * b->stride + b->place;
            tr += pairs[i].weight * PN_GET(tint);
            ti += pairs[i].weight * PN_GET(tint + PN_TILE);
        }
        const pn_lanes t = r * tr - j * ti;
        j = r * ti + j * tr;
        r = t;
    }
    *re = r;
    *im = j;
}

/* Both ears of the packed filter that begins at a word; its words are returned. */
static uint pn_filter_bins(const pn_bins_of *b, __global const int *words, pn_lanes *left_re, pn_lanes *left_im,
                           pn_lanes *right_re, pn_lanes *right_im) {
    __global const pn_packed_ear *ears = (__global const pn_packed_ear *)words;
    __global const pn_packed_share *pairs = (__global const pn_packed_share *)(ears + 2);
    const int left = ears[0].nodes + ears[0].tints;
    pn_filter_ear(b, ears, pairs, 0, left_re, left_im);
    pn_filter_ear(b, ears + 1, pairs + left, 1, right_re, right_im);
    return 8u + 2u * (uint)(left + ears[1].nodes + ears[1].tints);
}

#define PN_MULTIPLY_ADD_BINS(re, im, xr, xi, fr, fi)                                                         \
    {                                                                                                        \
        re += xr * fr - xi * fi;                                                                             \
        im += xr * fi + xi * fr;                                                                             \
    }

#endif
