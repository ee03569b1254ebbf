// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#endif

/* Inverse transforms of many rows, with factor M: bins [row][tile] -> the last `keep` of the M current samples,
 * which is all that overlap-save needs. Groups and scratch as in forward.cl. */

static void pn_keep(pn_inverse_args a, __global float *out, size_t row, uint n, pn_lanes value) {
    const uint skipped = (1u << a.points_log2) - (uint)a.keep;
    if (n >= skipped)
        PN_PUT(value, out + row * (size_t)a.keep + (n - skipped));
}

/* The levels below the top; out is the result, or, when a top remains, its work [row][re M | im M]. */
__kernel void inverse_rest(const pn_inverse_args a, __global const float *spectra, __global const float *tw,
                           __global float *out, __local float *scratch) {
    const uint points = 1u << a.points_log2, size = 1u << a.local_log2;
    const uint subtree = (uint)get_group_id(0), first = subtree << a.local_log2;
    const size_t row = get_group_id(1);
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint bin = first + i;
        const size_t vector = row * (points >> PN_TILE_LOG2) + (bin >> PN_TILE_LOG2);
        __global const float *from = spectra + vector * PN_VECTOR + (bin & (PN_TILE - 1u));
        PN_PUT(PN_GET(from), re + i);
        PN_PUT(PN_GET(from + PN_TILE), im + i);
    }
    pn_tree_inverse(re, im, a.local_log2, a.local_log2, (1u << a.top_log2) + subtree, tw, points);
    PN_FOR_LANES(i, size) {
        if (a.top_log2 > 0) {
            PN_PUT(PN_GET(re + i), out + row * 2 * points + first + i);
            PN_PUT(PN_GET(im + i), out + row * 2 * points + points + first + i);
        } else {
            pn_keep(a, out, row, i, PN_GET(im + i));
        }
    }
}

__kernel void inverse_top(const pn_inverse_args a, __global const float *work, __global const float *tw,
                          __global float *out, __local float *scratch) {
    const uint points = 1u << a.points_log2, size = 1u << a.local_log2;
    const int columns_log2 = a.local_log2 - a.top_log2, row_log2 = a.points_log2 - a.top_log2;
    const uint column = (uint)get_group_id(0) << columns_log2;
    const size_t row = get_group_id(1);
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint n = ((i >> columns_log2) << row_log2) + column + (i & ((1u << columns_log2) - 1u));
        PN_PUT(PN_GET(work + row * 2 * points + n), re + i);
        PN_PUT(PN_GET(work + row * 2 * points + points + n), im + i);
    }
    pn_tree_inverse(re, im, a.local_log2, a.top_log2, 1u, tw, points);
    PN_FOR_LANES(i, size) {
        const uint n = ((i >> columns_log2) << row_log2) + column + (i & ((1u << columns_log2) - 1u));
        pn_keep(a, out, row, n, PN_GET(im + i));
    }
}
