// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#endif

/* Forward transforms of many rows: M previous and M current samples -> M bins.
 * Groups: (column tile or subtree, row). scratch: two floats for each of the 2^local_log2 points. */

static size_t pn_row_start(pn_forward_args a, __global const int *list, size_t row) {
    const size_t place = a.list_stride > 0 ? (size_t)list[row * (size_t)a.list_stride] : row;
    return place * (size_t)a.in_row;
}

/* The top levels of large transforms, over 2^(local_log2 - top_log2) columns; work: [row][re M | im M]. */
__kernel void forward_top(const pn_forward_args a, __global const float *in, __global const int *list,
                          __global const float *tw, __global float *work, __local float *scratch) {
    const uint points = 1u << a.points_log2, size = 1u << a.local_log2;
    const int columns_log2 = a.local_log2 - a.top_log2, row_log2 = a.points_log2 - a.top_log2;
    const uint column = (uint)get_group_id(0) << columns_log2;
    const size_t row = get_group_id(1), from = pn_row_start(a, list, row), to = row * 2 * points;
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint n = ((i >> columns_log2) << row_log2) + column + (i & ((1u << columns_log2) - 1u));
        PN_PUT(PN_GET(in + from + (uint)a.in_re + n), re + i);
        PN_PUT(a.in_im < 0 ? (pn_lanes)0.0f : PN_GET(in + from + (uint)a.in_im + n), im + i);
    }
    pn_tree_forward(re, im, a.local_log2, a.top_log2, 1u, tw, points);
    PN_FOR_LANES(i, size) {
        const uint n = ((i >> columns_log2) << row_log2) + column + (i & ((1u << columns_log2) - 1u));
        PN_PUT(PN_GET(re + i), work + to + n);
        PN_PUT(PN_GET(im + i), work + to + points + n);
    }
}

/* The levels below; `in` is the time side, or the work of forward_top (as rows of 2M, re 0, im M). */
__kernel void forward_rest(const pn_forward_args a, __global const float *in, __global const int *list,
                           __global const float *tw, __global float *spectra, __local float *scratch) {
    const uint points = 1u << a.points_log2, size = 1u << a.local_log2;
    const uint subtree = (uint)get_group_id(0), first = subtree << a.local_log2, tile = 1u << a.tile_log2;
    const size_t row = get_group_id(1), from = pn_row_start(a, list, row);
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        PN_PUT(PN_GET(in + from + (uint)a.in_re + first + i), re + i);
        PN_PUT(a.in_im < 0 ? (pn_lanes)0.0f : PN_GET(in + from + (uint)a.in_im + first + i), im + i);
    }
    pn_tree_forward(re, im, a.local_log2, a.local_log2, (1u << a.top_log2) + subtree, tw, points);
    const size_t part = a.part_rows > 0 ? row / a.part_rows : 0, of_part = row - part * a.part_rows;
    const size_t place = a.out_at + part * a.part_step + of_part * a.out_row;
    PN_FOR_LANES(i, size) {
        const uint bin = first + i;
        const size_t vector = place + (size_t)(bin >> a.tile_log2) * a.out_tile;
        __global float *to = spectra + (vector << (a.tile_log2 + 1)) + (bin & (tile - 1u));
        PN_PUT(PN_GET(re + i), to);
        PN_PUT(PN_GET(im + i), to + tile);
    }
}
