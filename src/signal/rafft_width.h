// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The right-angle transform in vectors of V = PN_LANES floats (4, 8 or 16): a template, included once by a .c file
 * that defines PN_LANES and is compiled for its processor. It leaves `static const pn_rafft_width width_ops`.
 * The tree and the order of the points are told in rafft_impl.h; here is how they are walked.
 *
 * Data is one stream of vectors, [V re][V im], from the first pass to the last: no shuffling of pairs, one pointer
 * an operand. Only samples come and go as separate re and im.
 *
 * Forward butterfly, with the twiddle before the sum: t = a + w c, c' = 2 a - t, which is six fused multiply-adds;
 * without them p = w c, a + p, a - p. The twiddle of a node at a quarter turn from its neighbour is i w, a change of
 * signs that costs nothing. Inverse butterfly: a + c and (a - c) conj(w); in radix 4 the products of two twiddles
 * are tabled, so that three complex products serve four points.
 *
 * Passes above the leaf blocks are of radix 8, 4 or 2 and run depth first, so that the parts of a large transform
 * are finished while they are in the nearest cache. A leaf block is V * V points, wholly in registers. The forward
 * transform works in the place of its result, the inverse in the caller's scratch.
 *
 * Sources: for the tree, D. J. Bernstein, "Multidigit multiplication for mathematicians" (2001), sections 4-8; for
 * butterflies in fused operations, E. Linzer and E. Feig, "Implementation of efficient FFT algorithms on fused
 * multiply-add architectures", IEEE Trans. Signal Processing 41 (1993). */

#include <stddef.h>
#include <string.h>

#include "signal/rafft_impl.h"
#include "signal/rafft_lanes.h"
#include "signal/rafft_transpose.h"

INLINE cvec load_samples(const float *re, const float *im) {
    return (cvec){*(const vec_anywhere *)re, *(const vec_anywhere *)im};
}

INLINE void store_samples(float *re, float *im, cvec x) {
    if (re != NULL)
        *(vec_anywhere *)re = x.re;
    *(vec_anywhere *)im = x.im;
}

/* ---- transpose of V complex vectors */

/* re, then im: together they would not fit into the registers. */
INLINE void transpose(cvec *x) {
    vec part[V];
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j)
        part[j] = x[j].re;
    transpose_part(part);
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j) {
        x[j].re = part[j];
        part[j] = x[j].im;
    }
    transpose_part(part);
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j)
        x[j].im = part[j];
}

/* ---- complex arithmetic and butterflies */

INLINE cvec add(cvec a, cvec b) {
    return (cvec){a.re + b.re, a.im + b.im};
}

INLINE cvec subtract(cvec a, cvec b) {
    return (cvec){a.re - b.re, a.im - b.im};
}

INLINE cvec times_i(cvec a) {
    return (cvec){-a.im, a.re};
}

INLINE cvec product(cvec a, cvec b) {
    return (cvec){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

INLINE cvec product_conjugate(cvec a, cvec w) {
    return (cvec){a.re * w.re + a.im * w.im, a.im * w.re - a.re * w.im};
}

/* (a, c) -> (a + w c, a - w c) */
INLINE void forward_2(cvec *a, cvec *c, cvec w) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    vec two = broadcast(2);
    cvec t = {(a->re + c->re * w.re) - c->im * w.im, (a->im + c->re * w.im) + c->im * w.re};
    *c = (cvec){two * a->re - t.re, two * a->im - t.im};
    *a = t;
#else
    cvec p = product(*c, w);
    *c = subtract(*a, p);
    *a = add(*a, p);
#endif
}

INLINE void inverse_2(cvec *a, cvec *c, cvec w) {
    cvec d = subtract(*a, *c);
    *a = add(*a, *c);
    *c = product_conjugate(d, w);
}

/* Two levels: w1 of the node, w2 of its first child; the second child has i w2. */
INLINE void forward_4(cvec *a, cvec *b, cvec *c, cvec *d, cvec w1, cvec w2) {
    forward_2(a, c, w1);
    forward_2(b, d, w1);
    forward_2(a, b, w2);
    forward_2(c, d, times_i(w2));
}

/* w3 = w1 w2. With the node at a quarter turn, w1 and w3 stand for i w1 and i w3: `quarter`. */
INLINE void inverse_4(cvec *a, cvec *b, cvec *c, cvec *d, cvec w1, cvec w2, cvec w3, int quarter) {
    cvec s = add(*a, *b), t = subtract(*a, *b);
    cvec u = add(*c, *d), v = times_i(subtract(*c, *d));
    *a = add(s, u);
    *b = product_conjugate(subtract(t, v), w2);
    cvec p = subtract(s, u), q = add(t, v);
    if (quarter) {
        p = (cvec){p.im, -p.re};
        q = (cvec){q.im, -q.re};
    }
    *c = product_conjugate(p, w1);
    *d = product_conjugate(q, w3);
}

/* Twiddle k of a node, the same for all lanes, or of V nodes, one a lane. */
INLINE cvec twiddle(const float *w, int k, int by_lane) {
    if (by_lane)
        return load(w + 2 * V * k);
    return (cvec){broadcast(w[2 * k]), broadcast(w[2 * k + 1])};
}

#define W(k) twiddle(w, k, by_lane)

INLINE void forward_8(cvec *x, const float *w, int by_lane) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
        forward_2(x + j, x + 4 + j, W(0));
    forward_4(x, x + 1, x + 2, x + 3, W(1), W(2));
    forward_4(x + 4, x + 5, x + 6, x + 7, times_i(W(1)), W(3));
}

INLINE void inverse_8(cvec *x, const float *w, int by_lane) {
    inverse_4(x, x + 1, x + 2, x + 3, W(1), W(2), W(4), 0);
    inverse_4(x + 4, x + 5, x + 6, x + 7, W(1), W(3), W(5), 1);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
        inverse_2(x + j, x + 4 + j, W(0));
}

INLINE void forward_16(cvec *x, const float *w, int by_lane) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
        forward_4(x + j, x + 4 + j, x + 8 + j, x + 12 + j, W(0), W(1));
    forward_4(x, x + 1, x + 2, x + 3, W(2), W(4));
    forward_4(x + 4, x + 5, x + 6, x + 7, times_i(W(2)), W(5));
    forward_4(x + 8, x + 9, x + 10, x + 11, W(3), W(6));
    forward_4(x + 12, x + 13, x + 14, x + 15, times_i(W(3)), W(7));
}

INLINE void inverse_16(cvec *x, const float *w, int by_lane) {
    inverse_4(x, x + 1, x + 2, x + 3, W(2), W(4), W(9), 0);
    inverse_4(x + 4, x + 5, x + 6, x + 7, W(2), W(5), W(10), 1);
    inverse_4(x + 8, x + 9, x + 10, x + 11, W(3), W(6), W(11), 0);
    inverse_4(x + 12, x + 13, x + 14, x + 15, W(3), W(7), W(12), 1);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
        inverse_4(x + j, x + 4 + j, x + 8 + j, x + 12 + j, W(0), W(1), W(8), 0);
}

/* All radices by one name; `radix` is a constant wherever this is used. */
INLINE void forward_any(int radix, cvec *x, const float *w, int by_lane) {
    if (radix == 2)
        forward_2(x, x + 1, W(0));
    else if (radix == 4)
        forward_4(x, x + 1, x + 2, x + 3, W(0), W(1));
    else if (radix == 8)
        forward_8(x, w, by_lane);
    else
        forward_16(x, w, by_lane);
}

INLINE void inverse_any(int radix, cvec *x, const float *w, int by_lane) {
    if (radix == 2)
        inverse_2(x, x + 1, W(0));
    else if (radix == 4)
        inverse_4(x, x + 1, x + 2, x + 3, W(0), W(1), W(2), 0);
    else if (radix == 8)
        inverse_8(x, w, by_lane);
    else
        inverse_16(x, w, by_lane);
}

#undef W

enum { TWIDDLES = V == 4 ? PN_TWIDDLES_4 : V == 8 ? PN_TWIDDLES_8 : PN_TWIDDLES_16 };

/* ---- leaf blocks */

INLINE void forward_leaf(const pn_rafft *fft, int block, cvec *x, float *out) {
    forward_any(V, x, fft->leaf_first + (size_t)block * 2 * TWIDDLES, 0);
    transpose(x);
    forward_any(V, x, fft->leaf_second + (size_t)block * 2 * TWIDDLES * V, 1);
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j)
        store(out + 2 * V * j, x[j]);
}

INLINE void inverse_leaf(const pn_rafft *fft, int block, const float *in, cvec *x) {
#pragma GCC unroll 16
    for (int j = 0; j < V; ++j)
        x[j] = load(in + 2 * V * j);
    inverse_any(V, x, fft->leaf_second + (size_t)block * 2 * TWIDDLES * V, 1);
    transpose(x);
    inverse_any(V, x, fft->leaf_first + (size_t)block * 2 * TWIDDLES, 0);
}

static void forward_leaves(const pn_rafft *fft, int first, int count, float *data) {
    for (int k = 0; k < count; ++k, data += 2 * V * V) {
        cvec x[V];
#pragma GCC unroll 16
        for (int j = 0; j < V; ++j)
            x[j] = load(data + 2 * V * j);
        forward_leaf(fft, first + k, x, data);
    }
}

static void inverse_leaves(const pn_rafft *fft, int first, int count, const float *in, float *out) {
    for (int k = 0; k < count; ++k, in += 2 * V * V, out += 2 * V * V) {
        cvec x[V];
        inverse_leaf(fft, first + k, in, x);
#pragma GCC unroll 16
        for (int j = 0; j < V; ++j)
            store(out + 2 * V * j, x[j]);
    }
}

/* ---- passes: `vectors` in each of the radix parts of a node, of which `count` columns are done */

/* To where no store of the loop can change them: so they stay in registers. */
INLINE void copy_twiddles(int radix, const float *twiddle, float w[2 * PN_TWIDDLES_8]) {
    int count = radix == 2 ? PN_TWIDDLES_2 : radix == 4 ? PN_TWIDDLES_4 : PN_TWIDDLES_8;
    memcpy(w, twiddle, 2 * (size_t)count * sizeof *w);
}

INLINE void forward_pass(int radix, const float *twiddle, float *data, size_t vectors, size_t count) {
    float w[2 * PN_TWIDDLES_8];
    copy_twiddles(radix, twiddle, w);
    for (size_t v = 0; v < count; ++v, data += 2 * V) {
        cvec x[16];
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            x[j] = load(data + (size_t)j * vectors * 2 * V);
        forward_any(radix, x, w, 0);
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            store(data + (size_t)j * vectors * 2 * V, x[j]);
    }
}

INLINE void inverse_pass(int radix, const float *twiddle, float *data, size_t vectors, size_t count) {
    float w[2 * PN_TWIDDLES_8];
    copy_twiddles(radix, twiddle, w);
    for (size_t v = 0; v < count; ++v, data += 2 * V) {
        cvec x[16];
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            x[j] = load(data + (size_t)j * vectors * 2 * V);
        inverse_any(radix, x, w, 0);
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            store(data + (size_t)j * vectors * 2 * V, x[j]);
    }
}

/* The root's passes read samples, or write them; its parts stand `stride` floats apart in `out` and `in`. */
INLINE void first_pass(int radix, const float *twiddle, const float *re, const float *im, float *out,
                       size_t vectors, size_t stride, size_t count) {
    float w[2 * PN_TWIDDLES_8];
    copy_twiddles(radix, twiddle, w);
    for (size_t v = 0; v < count; ++v) {
        cvec x[16];
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j) {
            size_t at = ((size_t)j * vectors + v) * V;
            x[j] = load_samples(re + at, im + at);
        }
        forward_any(radix, x, w, 0);
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            store(out + (size_t)j * stride + v * 2 * V, x[j]);
    }
}

INLINE void last_pass(int radix, const float *twiddle, const float *in, float *re, float *im, size_t vectors,
                      size_t stride, size_t count) {
    float w[2 * PN_TWIDDLES_8];
    copy_twiddles(radix, twiddle, w);
    for (size_t v = 0; v < count; ++v) {
        cvec x[16];
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j)
            x[j] = load(in + (size_t)j * stride + v * 2 * V);
        inverse_any(radix, x, w, 0);
#pragma GCC unroll 16
        for (int j = 0; j < radix; ++j) {
            size_t at = ((size_t)j * vectors + v) * V;
            store_samples(re == NULL ? NULL : re + at, im + at, x[j]);
        }
    }
}

#define PASSES(radix)                                                                                        \
    static void forward_pass_##radix(const float *w, float *data, size_t vectors, size_t count) {            \
        forward_pass(radix, w, data, vectors, count);                                                        \
    }                                                                                                        \
    static void inverse_pass_##radix(const float *w, float *data, size_t vectors, size_t count) {            \
        inverse_pass(radix, w, data, vectors, count);                                                        \
    }                                                                                                        \
    static void first_pass_##radix(const float *w, const float *re, const float *im, float *out,             \
                                   size_t vectors, size_t stride, size_t count) {                            \
        first_pass(radix, w, re, im, out, vectors, stride, count);                                           \
    }                                                                                                        \
    static void last_pass_##radix(const float *w, const float *in, float *re, float *im, size_t vectors,     \
                                  size_t stride, size_t count) {                                             \
        if (re == NULL)                                                                                      \
            last_pass(radix, w, in, NULL, im, vectors, stride, count);                                       \
        else                                                                                                 \
            last_pass(radix, w, in, re, im, vectors, stride, count);                                         \
    }

PASSES(2)
PASSES(4)
PASSES(8)

static const struct {
    void (*forward)(const float *w, float *data, size_t vectors, size_t count);
    void (*inverse)(const float *w, float *data, size_t vectors, size_t count);
    void (*first)(const float *w, const float *re, const float *im, float *out, size_t vectors, size_t stride,
                  size_t count);
    void (*last)(const float *w, const float *in, float *re, float *im, size_t vectors, size_t stride,
                 size_t count);
} passes_of[] = {
    [2] = {forward_pass_2, inverse_pass_2, first_pass_2, last_pass_2},
    [4] = {forward_pass_4, inverse_pass_4, first_pass_4, last_pass_4},
    [8] = {forward_pass_8, inverse_pass_8, first_pass_8, last_pass_8},
};

static const float *node_twiddles(const pn_rafft_pass *pass, int node) {
    static const int count[] = {[2] = PN_TWIDDLES_2, [4] = PN_TWIDDLES_4, [8] = PN_TWIDDLES_8};
    return pass->twiddle + (size_t)node * 2 * (size_t)count[pass->radix];
}

/* ---- the walk */

/* `count` neighbouring nodes that pass `level` works on, from node `first`, each of `vectors` vectors. */
static void forward_nodes(const pn_rafft *fft, int level, int first, int count, float *data, size_t vectors) {
    if (level == fft->passes) {
        forward_leaves(fft, first, count, data);
        return;
    }
    const pn_rafft_pass *pass = &fft->pass[level];
    size_t part = vectors / (size_t)pass->radix;
    for (int node = first; node < first + count; ++node, data += 2 * V * vectors) {
        passes_of[pass->radix].forward(node_twiddles(pass, node), data, part, part);
        forward_nodes(fft, level + 1, node * pass->radix, pass->radix, data, part);
    }
}

static void inverse_nodes(const pn_rafft *fft, int level, int first, int count, const float *in, float *out,
                          size_t vectors) {
    if (level == fft->passes) {
        inverse_leaves(fft, first, count, in, out);
        return;
    }
    const pn_rafft_pass *pass = &fft->pass[level];
    size_t part = vectors / (size_t)pass->radix;
    for (int node = first; node < first + count; ++node, in += 2 * V * vectors, out += 2 * V * vectors) {
        inverse_nodes(fft, level + 1, node * pass->radix, pass->radix, in, out, part);
        passes_of[pass->radix].inverse(node_twiddles(pass, node), out, part, part);
    }
}

static void forward(const pn_rafft *fft, const float *re, const float *im, float *spectrum) {
    if (fft->passes == 0) {
        cvec x[V];
#pragma GCC unroll 16
        for (int j = 0; j < V; ++j)
            x[j] = load_samples(re + V * j, im + V * j);
        forward_leaf(fft, 0, x, spectrum);
        return;
    }
    int radix = fft->pass[0].radix;
    size_t part = (size_t)(fft->half / V / radix);
    passes_of[radix].first(fft->pass[0].twiddle, re, im, spectrum, part, 2 * V * part, part);
    forward_nodes(fft, 1, 0, radix, spectrum, part);
}

static void inverse(const pn_rafft *fft, const float *spectrum, float *re, float *im, float *scratch) {
    if (fft->passes == 0) {
        cvec x[V];
        inverse_leaf(fft, 0, spectrum, x);
#pragma GCC unroll 16
        for (int j = 0; j < V; ++j)
            store_samples(re == NULL ? NULL : re + V * j, im + V * j, x[j]);
        return;
    }
    int radix = fft->pass[0].radix;
    size_t part = (size_t)(fft->half / V / radix);
    inverse_nodes(fft, 1, 0, radix, spectrum, scratch, part);
    passes_of[radix].last(fft->pass[0].twiddle, scratch, re, im, part, 2 * V * part, part);
}

/* ---- in pieces: the root's pass by columns; of a part its own pass in SLICES, then its nodes one by one */

enum { SLICES = 4 };

static int part_pieces(const pn_rafft *fft) {
    return fft->passes < 2 ? 1 : SLICES + fft->pass[1].radix;
}

static void forward_top(const pn_rafft *fft, const float *re, const float *im, float *work, size_t stride,
                        size_t first, size_t count) {
    re += first * V;
    im += first * V;
    work += first * 2 * V;
    if (fft->passes == 0) {
        for (size_t v = 0; v < count; ++v)
            store(work + v * 2 * V, load_samples(re + v * V, im + v * V));
        return;
    }
    int radix = fft->pass[0].radix;
    passes_of[radix].first(fft->pass[0].twiddle, re, im, work, (size_t)(fft->half / V / radix), stride,
                           count);
}

static void inverse_top(const pn_rafft *fft, const float *work, size_t stride, float *im, size_t first,
                        size_t count) {
    work += first * 2 * V;
    im += first * V;
    if (fft->passes == 0) {
        for (size_t v = 0; v < count; ++v)
            store_samples(NULL, im + v * V, load(work + v * 2 * V));
        return;
    }
    int radix = fft->pass[0].radix;
    passes_of[radix].last(fft->pass[0].twiddle, work, NULL, im, (size_t)(fft->half / V / radix), stride,
                          count);
}

/* The columns of a part's pass that the pieces first .. end - 1 have, in vectors. */
static size_t column_of(size_t vectors, int piece) {
    return vectors * (size_t)(piece < SLICES ? piece : SLICES) / SLICES;
}

static void forward_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    if (fft->passes < 2) {
        forward_leaves(fft, part, 1, data);
        return;
    }
    const pn_rafft_pass *pass = &fft->pass[1];
    size_t vectors = (size_t)(fft->half / V / fft->pass[0].radix / pass->radix);
    size_t column = column_of(vectors, first), columns = column_of(vectors, end) - column;
    passes_of[pass->radix].forward(node_twiddles(pass, part), data + column * 2 * V, vectors, columns);
    int node = first > SLICES ? first - SLICES : 0, nodes = end - SLICES - node;
    if (nodes > 0)
        forward_nodes(fft, 2, part * pass->radix + node, nodes, data + (size_t)node * vectors * 2 * V,
                      vectors);
}

/* Backwards: the nodes are the first pieces. */
static void inverse_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    if (fft->passes < 2) {
        inverse_leaves(fft, part, 1, data, data);
        return;
    }
    const pn_rafft_pass *pass = &fft->pass[1];
    size_t vectors = (size_t)(fft->half / V / fft->pass[0].radix / pass->radix);
    int radix = pass->radix, nodes = (end < radix ? end : radix) - first;
    float *from = data + (size_t)first * vectors * 2 * V;
    if (nodes > 0)
        inverse_nodes(fft, 2, part * radix + first, nodes, from, from, vectors);
    if (end <= radix)
        return;
    size_t column = column_of(vectors, first > radix ? first - radix : 0);
    size_t columns = column_of(vectors, end - radix) - column;
    passes_of[radix].inverse(node_twiddles(pass, part), data + column * 2 * V, vectors, columns);
}

/* ---- on spectra */

static void multiply_add(const pn_rafft *fft, float *sum, const float *a, const float *b) {
    size_t floats = 2 * (size_t)fft->half;
#pragma GCC unroll 2
    for (size_t k = 0; k < floats; k += 2 * V) {
        cvec x = load(a + k), y = load(b + k), s = load(sum + k);
        s.re = (s.re + x.re * y.re) - x.im * y.im;
        s.im = (s.im + x.re * y.im) + x.im * y.re;
        store(sum + k, s);
    }
}

static const pn_rafft_width width_ops = {
    .lanes = V,
    .forward = forward,
    .inverse = inverse,
    .part_pieces = part_pieces,
    .forward_top = forward_top,
    .forward_part = forward_part,
    .inverse_part = inverse_part,
    .inverse_top = inverse_top,
    .multiply_add = multiply_add,
};
