// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_BANK_H
#define PINNA_BANK_H

/* Complete filters of the spatial bank, a run of vectors of bins at a time. Bin b stands at t = e(u), u = turns[b] /
 * 4M cycles per sample with |u| < 1/2, and a delay of d multiplies it by e(u d). d is cut into whole samples, whose
 * phase is exact in integers modulo 4M, and a rest of at most half a sample, so that no large angle is ever rounded.
 *
 * Filters stand packed in the job, as words: two pn_packed_ear, then for each ear its nodes and its tints as pairs of
 * (index, weight). */

/* Bins taken at a time: 8 where the compiler makes SIMD of vectors, else 1. */
#ifndef PN_BANK_LANES
#define PN_BANK_LANES 1
#endif
#if PN_BANK_LANES > 1
typedef float8 pn_bank_float;
typedef int8 pn_bank_int;
#define PN_BANK_GET(p) vload8(0, p)
#define PN_BANK_PUT(v, p) vstore8(v, 0, p)
#define PN_TO_INT(x) convert_int8(x)
#define PN_TO_FLOAT(x) convert_float8(x)
#define PN_BITS(x) as_int8(x)
#define PN_UNBITS(x) as_float8(x)
#else
typedef float pn_bank_float;
typedef int pn_bank_int;
#define PN_BANK_GET(p) (*(p))
#define PN_BANK_PUT(v, p) (*(p) = (v))
#define PN_TO_INT(x) convert_int(x)
#define PN_TO_FLOAT(x) convert_float(x)
#define PN_BITS(x) as_int(x)
#define PN_UNBITS(x) as_float(x)
#endif

/* Vectors of bins that a work-item of the sums has, side by side: on a CPU it walks along whole spectra, as caches like
 * it, and its sums stay in the first of them. */
#if PN_BANK_LANES > 1
#define PN_RUN 32
#define PN_RUN_OF_POINTS(points) min(PN_RUN, (points) / (int)PN_BANK_LANES)
#else
#define PN_RUN 1
#define PN_RUN_OF_POINTS(points) 1
#endif

/* exp(2 pi i turn), |turn| <= 1: nearest quarter turn, and polynomials within +-1/8. */
static void pn_phasor(pn_bank_float turn, pn_bank_float *re, pn_bank_float *im) {
    const pn_bank_float quarter = rint(4.0f * turn);
    const pn_bank_float x = 6.28318530717958648f * (turn - 0.25f * quarter), x2 = x * x;
    const pn_bank_float s =
        x * (1.0f + x2 * (-1.6666666667e-1f +
                          x2 * (8.3333333333e-3f + x2 * (-1.9841269841e-4f + x2 * 2.7557319224e-6f))));
    const pn_bank_float c =
        1.0f + x2 * (-0.5f + x2 * (4.1666666667e-2f + x2 * (-1.3888888889e-3f + x2 * 2.4801587302e-5f)));
    /* Odd quarters exchange the two; the signs are bits: re is negative in quarters 1 and 2, im in 2 and 3. */
    const pn_bank_int q = PN_TO_INT(quarter);
    const pn_bank_int odd = -(q & 1);
    const pn_bank_int a = (PN_BITS(s) & odd) | (PN_BITS(c) & ~odd);
    const pn_bank_int b = (PN_BITS(c) & odd) | (PN_BITS(s) & ~odd);
    *re = PN_UNBITS(a ^ (((q ^ (q >> 1)) & 1) << 31));
    *im = PN_UNBITS(b ^ (((q >> 1) & 1) << 31));
}

/* What the filters of a bank are made of. */
typedef struct {
    __global const float *nodes, *tints; /* spectra [node][ear][tile] and [tint][tile] */
    __global const int *turns;           /* of each bin; then of the first bin of each vector of 8 */
    size_t stride;                       /* floats of a spectrum */
    int points;                          /* M */
    int mask;                            /* 4M - 1 */
    float scale;                         /* 1 / 4M */
} pn_bank_tables;

static pn_bank_tables pn_tables(int points_log2, __global const float *nodes, __global const float *tints,
                                __global const int *turns) {
    const pn_bank_tables t = {nodes,
                              tints,
                              turns,
                              (size_t)2 << points_log2,
                              1 << points_log2,
                              (4 << points_log2) - 1,
                              0.25f / (float)(1 << points_log2)};
    return t;
}

static size_t pn_place_of(size_t bin) {
    return (bin >> PN_TILE_LOG2) * PN_VECTOR + (bin & (PN_TILE - 1u));
}

/* exp(-2 pi i f delay) of a vector of bins. */
static void pn_turn(const pn_bank_tables *t, pn_bank_int turns, int delay, float rest, pn_bank_float *re,
                    pn_bank_float *im) {
    const pn_bank_int whole = (turns * delay) & t->mask;
    /* wrapped to less than half a turn: past the middle, 4M less */
    const pn_bank_int wrapped = whole - ((whole << 1) & (t->mask + 1));
    pn_phasor(PN_TO_FLOAT(wrapped) * t->scale + PN_TO_FLOAT(turns) * (t->scale * rest), re, im);
}

/* One ear of a packed filter, ready for the bins of a run. A vector of 8 bins b = 8j + l stands, bit-reversed, at
 * u = (1 + 4 rev(j)) / 4M + rev(l) / 8, less 1 for odd l: its phases are one of the vector times those of the lanes. */
typedef struct {
    __global const pn_packed_share *shares;
    int nodes, all; /* how many: nodes, then tints up to all */
    int ear;
    int delay;
    float rest;
#if PN_BANK_LANES > 1
    pn_bank_float lane_re, lane_im;
    float vector_re[PN_RUN], vector_im[PN_RUN];
#endif
} pn_ear_filter;

static void pn_open_ear(const pn_bank_tables *t, __global const pn_packed_ear *from,
                        __global const pn_packed_share *shares, int ear, size_t bin, pn_ear_filter *f) {
    f->shares = shares;
    f->nodes = from->nodes;
    f->all = from->nodes + from->tints;
    f->ear = ear;
    f->delay = from->whole;
    f->rest = from->rest;
#if PN_BANK_LANES == 1
    (void)t;
    (void)bin;
#else
    const int eighth = t->points / 2; /* of a turn in 1 / 4M */
    const pn_bank_int lanes = (pn_bank_int)(0, -4, 2, -2, 1, -3, 3, -1) * eighth;
    const int run = PN_RUN_OF_POINTS(t->points);
    pn_turn(t, lanes, f->delay, f->rest, &f->lane_re, &f->lane_im);
    for (int v = 0; v < run; v += 8) {
        pn_bank_float re, im;
        pn_turn(t, PN_BANK_GET(t->turns + t->points + bin / PN_BANK_LANES + v), f->delay, f->rest, &re, &im);
        PN_BANK_PUT(re, f->vector_re + v);
        PN_BANK_PUT(im, f->vector_im + v);
    }
#endif
}

/* Both ears of the packed filter that begins at a word; its words are returned. */
static uint pn_open_filter(const pn_bank_tables *t, __global const int *words, size_t bin, pn_ear_filter *f) {
    __global const pn_packed_ear *ears = (__global const pn_packed_ear *)words;
    __global const pn_packed_share *shares = (__global const pn_packed_share *)(ears + 2);
    const int left = ears[0].nodes + ears[0].tints;
    pn_open_ear(t, ears, shares, 0, bin, f);
    pn_open_ear(t, ears + 1, shares + left, 1, bin, f + 1);
    return 8u + 2u * (uint)(left + ears[1].nodes + ears[1].tints);
}

/* Its bins from bin + v PN_BANK_LANES on. */
static void pn_ear_bins(const pn_bank_tables *t, const pn_ear_filter *f, size_t bin, int v, pn_bank_float *re,
                        pn_bank_float *im) {
    const size_t place = pn_place_of(bin + (size_t)v * PN_BANK_LANES);
    pn_bank_float br = 0.0f, bi = 0.0f, pr, pi;
    for (int i = 0; i < f->nodes; ++i) {
        __global const float *node =
            t->nodes + ((size_t)f->shares[i].index * 2 + (size_t)f->ear) * t->stride + place;
        br += f->shares[i].weight * PN_BANK_GET(node);
        bi += f->shares[i].weight * PN_BANK_GET(node + PN_TILE);
    }
#if PN_BANK_LANES > 1
    pr = f->lane_re * f->vector_re[v] - f->lane_im * f->vector_im[v];
    pi = f->lane_re * f->vector_im[v] + f->lane_im * f->vector_re[v];
#else
    pn_turn(t, PN_BANK_GET(t->turns + bin + (size_t)v), f->delay, f->rest, &pr, &pi);
#endif
    pn_bank_float r = br * pr - bi * pi, j = br * pi + bi * pr;
    if (f->all > f->nodes) {
        pn_bank_float tr = 0.0f, ti = 0.0f;
        for (int i = f->nodes; i < f->all; ++i) {
            __global const float *tint = t->tints + (size_t)f->shares[i].index * t->stride + place;
            tr += f->shares[i].weight * PN_BANK_GET(tint);
            ti += f->shares[i].weight * PN_BANK_GET(tint + PN_TILE);
        }
        const pn_bank_float tinted = r * tr - j * ti;
        j = r * ti + j * tr;
        r = tinted;
    }
    *re = r;
    *im = j;
}

/* A work-item of the sums: a run of bins, for a share of the sources begin .. end-1. */
typedef struct {
    int run;
    size_t bin, share;
    int begin, end;
} pn_mix_item;

/* The one at hand, with `run` vectors of bins, of `count` sources in so many shares. */
static pn_mix_item pn_get_mix_item(int run, int count, int shares) {
    const size_t share = get_global_id(1);
    const pn_mix_item item = {run, get_global_id(0) * (size_t)run * PN_BANK_LANES, share,
                              (int)((long)count * (long)share / shares),
                              (int)((long)count * (long)(share + 1) / shares)};
    return item;
}

/* Bins of vector v of its run, from and to the spectra at x, of which they are in the one numbered row. */
static void pn_get_bins(const pn_bank_tables *t, __global const float *x, size_t row, const pn_mix_item *item,
                        int v, pn_bank_float *re, pn_bank_float *im) {
    __global const float *from = x + row * t->stride + pn_place_of(item->bin + (size_t)v * PN_BANK_LANES);
    *re = PN_BANK_GET(from);
    *im = PN_BANK_GET(from + PN_TILE);
}

static void pn_put_bins(const pn_bank_tables *t, __global float *y, size_t row, const pn_mix_item *item,
                        int v, pn_bank_float re, pn_bank_float im) {
    __global float *to = y + row * t->stride + pn_place_of(item->bin + (size_t)v * PN_BANK_LANES);
    PN_BANK_PUT(re, to);
    PN_BANK_PUT(im, to + PN_TILE);
}

#endif
