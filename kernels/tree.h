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

/* Number of a butterfly's first element and of its node. */
#define PN_BUTTERFLY(j, low_log2, radix_log2, base, node)                                                    \
    const uint node = (j) >> (low_log2);                                                                     \
    const uint base = (node << ((low_log2) + (radix_log2))) + ((j) & ((1u << (low_log2)) - 1u))

static void pn_forward_2(__local float *re, __local float *im, int size_log2, uint root,
                         __global const float *tw, uint points) {
    const uint half_size = 1u << (size_log2 - 1);
    const float wr = tw[root], wi = tw[points + root];
    for (uint a = get_local_id(0); a < half_size; a += get_local_size(0)) {
        const uint b = a + half_size;
        const float tr = wr * re[b] - wi * im[b], ti = wr * im[b] + wi * re[b];
        const float ar = re[a], ai = im[a];
        re[a] = ar + tr;
        im[a] = ai + ti;
        re[b] = ar - tr;
        im[b] = ai - ti;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

static void pn_inverse_2(__local float *re, __local float *im, int size_log2, uint root,
                         __global const float *tw, uint points) {
    const uint half_size = 1u << (size_log2 - 1);
    const float wr = tw[root], wi = tw[points + root];
    for (uint a = get_local_id(0); a < half_size; a += get_local_size(0)) {
        const uint b = a + half_size;
        const float dr = re[a] - re[b], di = im[a] - im[b];
        re[a] += re[b];
        im[a] += im[b];
        re[b] = wr * dr + wi * di;
        im[b] = wr * di - wi * dr;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* Two levels below nodes `root << depth`; elements of a butterfly are 2^low_log2 apart. */
static void pn_forward_4(__local float *re, __local float *im, int size_log2, int depth, uint root,
                         __global const float *tw, uint points) {
    const int low = size_log2 - depth - 2;
    const uint step = 1u << low;
    for (uint j = get_local_id(0); j < 1u << (size_log2 - 2); j += get_local_size(0)) {
        PN_BUTTERFLY(j, low, 2, k, node);
        const uint h = (root << depth) + node;
        const float w1r = tw[h], w1i = tw[points + h], w2r = tw[2 * h], w2i = tw[points + 2 * h];
        const uint k1 = k + step, k2 = k1 + step, k3 = k2 + step;
        const float x2r = w1r * re[k2] - w1i * im[k2], x2i = w1r * im[k2] + w1i * re[k2];
        const float x3r = w1r * re[k3] - w1i * im[k3], x3i = w1r * im[k3] + w1i * re[k3];
        const float u0r = re[k] + x2r, u0i = im[k] + x2i, v0r = re[k] - x2r, v0i = im[k] - x2i;
        const float u1r = re[k1] + x3r, u1i = im[k1] + x3i, v1r = re[k1] - x3r, v1i = im[k1] - x3i;
        const float ur = w2r * u1r - w2i * u1i, ui = w2r * u1i + w2i * u1r;
        const float vr = w2r * v1r - w2i * v1i, vi = w2r * v1i + w2i * v1r;
        re[k] = u0r + ur;
        im[k] = u0i + ui;
        re[k1] = u0r - ur;
        im[k1] = u0i - ui;
        re[k2] = v0r - vi;
        im[k2] = v0i + vr;
        re[k3] = v0r + vi;
        im[k3] = v0i - vr;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

static void pn_inverse_4(__local float *re, __local float *im, int size_log2, int depth, uint root,
                         __global const float *tw, uint points) {
    const int low = size_log2 - depth - 2;
    const uint step = 1u << low;
    for (uint j = get_local_id(0); j < 1u << (size_log2 - 2); j += get_local_size(0)) {
        PN_BUTTERFLY(j, low, 2, k, node);
        const uint h = (root << depth) + node;
        const float w1r = tw[h], w1i = tw[points + h], w2r = tw[2 * h], w2i = tw[points + 2 * h];
        const uint k1 = k + step, k2 = k1 + step, k3 = k2 + step;
        const float u0r = re[k] + re[k1], u0i = im[k] + im[k1], ur = re[k] - re[k1], ui = im[k] - im[k1];
        const float v0r = re[k2] + re[k3], v0i = im[k2] + im[k3], vr = re[k2] - re[k3], vi = im[k2] - im[k3];
        const float u1r = w2r * ur + w2i * ui, u1i = w2r * ui - w2i * ur;
        const float v1r = w2r * vi - w2i * vr, v1i = -w2r * vr - w2i * vi;
        const float d0r = u0r - v0r, d0i = u0i - v0i, d1r = u1r - v1r, d1i = u1i - v1i;
        re[k] = u0r + v0r;
        im[k] = u0i + v0i;
        re[k1] = u1r + v1r;
        im[k1] = u1i + v1i;
        re[k2] = w1r * d0r + w1i * d0i;
        im[k2] = w1r * d0i - w1i * d0r;
        re[k3] = w1r * d1r + w1i * d1i;
        im[k3] = w1r * d1i - w1i * d1r;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* 2^size_log2 elements in local memory, `levels` levels below the node `root` of the heap, in place. tw: w of the
 * whole tree, `points` real parts, then `points` imaginary parts. All work-items of the group; begins and ends
 * with all of them past the group's writes. */
static void pn_tree_forward(__local float *re, __local float *im, int size_log2, int levels, uint root,
                            __global const float *tw, uint points) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (levels & 1)
        pn_forward_2(re, im, size_log2, root, tw, points);
    for (int depth = levels & 1; depth < levels; depth += 2)
        pn_forward_4(re, im, size_log2, depth, root, tw, points);
}

static void pn_tree_inverse(__local float *re, __local float *im, int size_log2, int levels, uint root,
                            __global const float *tw, uint points) {
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int depth = levels - 2; depth >= (levels & 1); depth -= 2)
        pn_inverse_4(re, im, size_log2, depth, root, tw, points);
    if (levels & 1)
        pn_inverse_2(re, im, size_log2, root, tw, points);
}

#endif
