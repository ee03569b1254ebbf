// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_TREE_H
#define PINNA_TREE_H

/* The right-angle transform: z[n] = x[n] + i x[n+M] is the real polynomial x(t) of 2M coefficients modulo
 * t^M - i. It is reduced down a tree: the node at depth d with index b holds a residue modulo t^m - e(theta),
 * m = M / 2^d, e(x) = exp(2 pi i x), theta = 1/4 at the root. As t^m - w^2 = (t^(m/2) - w) (t^(m/2) + w) with
 * w = e(theta/2), the residue a + b t^(m/2) becomes a + w b on the left (theta/2), a - w b on the right
 * (theta/2 + 1/2). After log2 M levels bin b is the value at t = e((1/4 + bitreverse(b)) / M). Nothing is ever
 * reordered: products are taken in this order, and the inverse is the transpose, with factor M.
 *
 * w depends on depth and index only, so one table in heap order, w of (d, b) at 2^d + b, serves all sizes, and
 * any subtree is the same code started at its own root. Over columns (a subtree of few levels with all elements
 * of a row side by side) the tree merely stops early. Two levels at a time: the right child's w is i times the
 * left one's.
 *
 * Source: the right-angle convolution of R. Crandall and B. Fagin, "Discrete weighted transforms and
 * large-integer arithmetic", Math. Comp. 62 (1994). */

/* Elements that a work-item takes at a time: one, or a vector where the compiler makes SIMD of vectors rather than of
 * work-items. */
#ifndef PN_LANES_LOG2
#define PN_LANES_LOG2 0
#endif
#if PN_LANES_LOG2 == 3
typedef float8 pn_lanes;
#define PN_GET(p) vload8(0, p)
#define PN_PUT(v, p) vstore8(v, 0, p)
#elif PN_LANES_LOG2 == 2
typedef float4 pn_lanes;
#define PN_GET(p) vload4(0, p)
#define PN_PUT(v, p) vstore4(v, 0, p)
#else
typedef float pn_lanes;
#define PN_GET(p) (*(p))
#define PN_PUT(v, p) (*(p) = (v))
#endif
#define PN_LANES (1u << PN_LANES_LOG2)

/* i: the first element of each vector of `count` that this work-item takes. */
#define PN_FOR_LANES(i, count)                                                                               \
    for (uint i = (uint)get_local_id(0) * PN_LANES; i < (count); i += (uint)get_local_size(0) * PN_LANES)

/* Two levels below a node: a, b, c, d a quarter apart, in place; w1 the node's, w2 its left child's. */
#define PN_FORWARD_BUTTERFLY(type, ar, ai, br, bi, cr, ci, dr, di, w1r, w1i, w2r, w2i)                       \
    {                                                                                                        \
        const type x2r = w1r * cr - w1i * ci, x2i = w1r * ci + w1i * cr;                                     \
        const type x3r = w1r * dr - w1i * di, x3i = w1r * di + w1i * dr;                                     \
        const type u0r = ar + x2r, u0i = ai + x2i, v0r = ar - x2r, v0i = ai - x2i;                           \
        const type u1r = br + x3r, u1i = bi + x3i, v1r = br - x3r, v1i = bi - x3i;                           \
        const type ur = w2r * u1r - w2i * u1i, ui = w2r * u1i + w2i * u1r;                                   \
        const type vr = w2r * v1r - w2i * v1i, vi = w2r * v1i + w2i * v1r;                                   \
        ar = u0r + ur;                                                                                       \
        ai = u0i + ui;                                                                                       \
        br = u0r - ur;                                                                                       \
        bi = u0i - ui;                                                                                       \
        cr = v0r - vi;                                                                                       \
        ci = v0i + vr;                                                                                       \
        dr = v0r + vi;                                                                                       \
        di = v0i - vr;                                                                                       \
    }

#define PN_INVERSE_BUTTERFLY(type, ar, ai, br, bi, cr, ci, dr, di, w1r, w1i, w2r, w2i)                       \
    {                                                                                                        \
        const type u0r = ar + br, u0i = ai + bi, ur = ar - br, ui = ai - bi;                                 \
        const type v0r = cr + dr, v0i = ci + di, vr = cr - dr, vi = ci - di;                                 \
        const type u1r = w2r * ur + w2i * ui, u1i = w2r * ui - w2i * ur;                                     \
        const type v1r = w2r * vi - w2i * vr, v1i = -w2r * vr - w2i * vi;                                    \
        const type d0r = u0r - v0r, d0i = u0i - v0i, d1r = u1r - v1r, d1i = u1i - v1i;                       \
        ar = u0r + v0r;                                                                                      \
        ai = u0i + v0i;                                                                                      \
        br = u1r + v1r;                                                                                      \
        bi = u1i + v1i;                                                                                      \
        cr = w1r * d0r + w1i * d0i;                                                                          \
        ci = w1r * d0i - w1i * d0r;                                                                          \
        dr = w1r * d1r + w1i * d1i;                                                                          \
        di = w1r * d1i - w1i * d1r;                                                                          \
    }

static void pn_forward_2(__local float *re, __local float *im, int size_log2, uint root,
                         __global const float *tw, uint points) {
    const uint half_size = 1u << (size_log2 - 1);
    const float wr = tw[root], wi = tw[points + root];
    PN_FOR_LANES(a, half_size) {
        const uint b = a + half_size;
        const pn_lanes ar = PN_GET(re + a), ai = PN_GET(im + a), br = PN_GET(re + b), bi = PN_GET(im + b);
        const pn_lanes tr = wr * br - wi * bi, ti = wr * bi + wi * br;
        PN_PUT(ar + tr, re + a);
        PN_PUT(ai + ti, im + a);
        PN_PUT(ar - tr, re + b);
        PN_PUT(ai - ti, im + b);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

static void pn_inverse_2(__local float *re, __local float *im, int size_log2, uint root,
                         __global const float *tw, uint points) {
    const uint half_size = 1u << (size_log2 - 1);
    const float wr = tw[root], wi = tw[points + root];
    PN_FOR_LANES(a, half_size) {
        const uint b = a + half_size;
        const pn_lanes ar = PN_GET(re + a), ai = PN_GET(im + a), br = PN_GET(re + b), bi = PN_GET(im + b);
        const pn_lanes dr = ar - br, di = ai - bi;
        PN_PUT(ar + br, re + a);
        PN_PUT(ai + bi, im + a);
        PN_PUT(wr * dr + wi * di, re + b);
        PN_PUT(wr * di - wi * dr, im + b);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* Two levels below nodes `root << depth`; elements of a butterfly are 2^low apart, low >= PN_LANES_LOG2. */
#define PN_RADIX_4(name, butterfly)                                                                          \
    static void name(__local float *re, __local float *im, int size_log2, int depth, uint root,              \
                     __global const float *tw, uint points) {                                                \
        const int low = size_log2 - depth - 2;                                                               \
        const uint step = 1u << low, quarter = 1u << (size_log2 - 2);                                        \
        PN_FOR_LANES(j, quarter) {                                                                           \
            const uint node = j >> low, h = (root << depth) + node;                                          \
            const uint k = (node << (low + 2)) + (j & (step - 1u)), k1 = k + step, k2 = k1 + step,           \
                       k3 = k2 + step;                                                                       \
            const float w1r = tw[h], w1i = tw[points + h], w2r = tw[2 * h], w2i = tw[points + 2 * h];        \
            pn_lanes ar = PN_GET(re + k), ai = PN_GET(im + k), br = PN_GET(re + k1), bi = PN_GET(im + k1);   \
            pn_lanes cr = PN_GET(re + k2), ci = PN_GET(im + k2), dr = PN_GET(re + k3), di = PN_GET(im + k3); \
            butterfly(pn_lanes, ar, ai, br, bi, cr, ci, dr, di, w1r, w1i, w2r, w2i);                         \
            PN_PUT(ar, re + k);                                                                              \
            PN_PUT(ai, im + k);                                                                              \
            PN_PUT(br, re + k1);                                                                             \
            PN_PUT(bi, im + k1);                                                                             \
            PN_PUT(cr, re + k2);                                                                             \
            PN_PUT(ci, im + k2);                                                                             \
            PN_PUT(dr, re + k3);                                                                             \
            PN_PUT(di, im + k3);                                                                             \
        }                                                                                                    \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                        \
    }

PN_RADIX_4(pn_forward_4, PN_FORWARD_BUTTERFLY)
PN_RADIX_4(pn_inverse_4, PN_INVERSE_BUTTERFLY)

#if PN_LANES_LOG2 > 0

/* Rows to columns, four by four. */
#define PN_TRANSPOSE(a, b, c, d)                                                                             \
    {                                                                                                        \
        const float4 t0 = (float4)(a.xy, b.xy).xzyw, t1 = (float4)(c.xy, d.xy).xzyw;                         \
        const float4 t2 = (float4)(a.zw, b.zw).xzyw, t3 = (float4)(c.zw, d.zw).xzyw;                         \
        a = (float4)(t0.lo, t1.lo);                                                                          \
        b = (float4)(t0.hi, t1.hi);                                                                          \
        c = (float4)(t2.lo, t3.lo);                                                                          \
        d = (float4)(t2.hi, t3.hi);                                                                          \
    }

#define PN_LOAD_16(a, b, c, d, p)                                                                            \
    float4 a = vload4(0, p), b = vload4(1, p), c = vload4(2, p), d = vload4(3, p)
#define PN_STORE_16(a, b, c, d, p)                                                                           \
    {                                                                                                        \
        vstore4(a, 0, p);                                                                                    \
        vstore4(b, 1, p);                                                                                    \
        vstore4(c, 2, p);                                                                                    \
        vstore4(d, 3, p);                                                                                    \
    }
#define PN_LAST_TWIDDLES(h)                                                                                  \
    const float w1r = tw[h], w1i = tw[points + h], w2r = tw[2 * h], w2i = tw[points + 2 * h];                \
    const float4 z1r = vload4(h, tw), z1i = vload4(0, tw + points + 4 * h);                                  \
    const float4 z2r = vload8(h, tw).even, z2i = vload8(0, tw + points + 8 * h).even

/* The four levels that end in single bins, 16 elements at a time: too near each other for whole vectors. */
static void pn_forward_last(__local float *re, __local float *im, int size_log2, uint root,
                            __global const float *tw, uint points) {
    for (uint j = get_local_id(0); j < 1u << (size_log2 - 4); j += get_local_size(0)) {
        const uint h = (root << (size_log2 - 4)) + j;
        PN_LOAD_16(ar, br, cr, dr, re + 16 * j);
        PN_LOAD_16(ai, bi, ci, di, im + 16 * j);
        PN_LAST_TWIDDLES(h);
        PN_FORWARD_BUTTERFLY(float4, ar, ai, br, bi, cr, ci, dr, di, w1r, w1i, w2r, w2i);
        PN_TRANSPOSE(ar, br, cr, dr);
        PN_TRANSPOSE(ai, bi, ci, di);
        PN_FORWARD_BUTTERFLY(float4, ar, ai, br, bi, cr, ci, dr, di, z1r, z1i, z2r, z2i);
        PN_TRANSPOSE(ar, br, cr, dr);
        PN_TRANSPOSE(ai, bi, ci, di);
        PN_STORE_16(ar, br, cr, dr, re + 16 * j);
        PN_STORE_16(ai, bi, ci, di, im + 16 * j);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

static void pn_inverse_last(__local float *re, __local float *im, int size_log2, uint root,
                            __global const float *tw, uint points) {
    for (uint j = get_local_id(0); j < 1u << (size_log2 - 4); j += get_local_size(0)) {
        const uint h = (root << (size_log2 - 4)) + j;
        PN_LOAD_16(ar, br, cr, dr, re + 16 * j);
        PN_LOAD_16(ai, bi, ci, di, im + 16 * j);
        PN_LAST_TWIDDLES(h);
        PN_TRANSPOSE(ar, br, cr, dr);
        PN_TRANSPOSE(ai, bi, ci, di);
        PN_INVERSE_BUTTERFLY(float4, ar, ai, br, bi, cr, ci, dr, di, z1r, z1i, z2r, z2i);
        PN_TRANSPOSE(ar, br, cr, dr);
        PN_TRANSPOSE(ai, bi, ci, di);
        PN_INVERSE_BUTTERFLY(float4, ar, ai, br, bi, cr, ci, dr, di, w1r, w1i, w2r, w2i);
        PN_STORE_16(ar, br, cr, dr, re + 16 * j);
        PN_STORE_16(ai, bi, ci, di, im + 16 * j);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

#endif

/* Levels that are taken by pn_forward_last: four where the tree ends in bins. */
static int pn_last_levels(int size_log2, int levels) {
#if PN_LANES_LOG2 > 0
    return levels == size_log2 ? 4 : 0;
#else
    return 0 * (size_log2 + levels);
#endif
}

/* 2^size_log2 elements in local memory, `levels` levels below the node `root` of the heap, in place. tw: w of the
 * whole tree, `points` real parts, then `points` imaginary parts. All work-items of the group; begins and ends
 * with all of them past the group's writes. */
static void pn_tree_forward(__local float *re, __local float *im, int size_log2, int levels, uint root,
                            __global const float *tw, uint points) {
    const int last = pn_last_levels(size_log2, levels);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (levels & 1)
        pn_forward_2(re, im, size_log2, root, tw, points);
    for (int depth = levels & 1; depth < levels - last; depth += 2)
        pn_forward_4(re, im, size_log2, depth, root, tw, points);
#if PN_LANES_LOG2 > 0
    if (last > 0)
        pn_forward_last(re, im, size_log2, root, tw, points);
#endif
}

static void pn_tree_inverse(__local float *re, __local float *im, int size_log2, int levels, uint root,
                            __global const float *tw, uint points) {
    const int last = pn_last_levels(size_log2, levels);
    barrier(CLK_LOCAL_MEM_FENCE);
#if PN_LANES_LOG2 > 0
    if (last > 0)
        pn_inverse_last(re, im, size_log2, root, tw, points);
#endif
    for (int depth = levels - last - 2; depth >= (levels & 1); depth -= 2)
        pn_inverse_4(re, im, size_log2, depth, root, tw, points);
    if (levels & 1)
        pn_inverse_2(re, im, size_log2, root, tw, points);
}

#endif
