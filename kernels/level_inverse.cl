// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#include "level.h"
#endif

/* Outputs of all levels in one launch, from y [output][share][tile], whose shares are added on the way in. Of level 0
 * they are the call's output, to which the frames of the other levels' results that are heard now are added; of the
 * others they are a result. Groups and scratch as in level_forward.cl. */

/* The frames from n on of an output, as many as a vector has. */
static void pn_emit(__global const pn_work *a, __global const pn_level_work *w, uint row, uint n,
                    pn_lanes value, __global float *result, __global float *out, __global const int *map) {
    if (a->heard < 0) {
        PN_PUT(value, result + (size_t)w->result * PN_TILE + ((size_t)row << w->points_log2) + n);
        return;
    }
    for (int l = 1; l <= a->heard; ++l) {
        __global const pn_level_work *other = &a->level[l];
        const int from = map[other->map + (int)row];
        if (from >= 0)
            value +=
                PN_GET(result + (size_t)other->heard * PN_TILE + ((size_t)from << other->points_log2) + n);
    }
    PN_PUT(value, out + ((size_t)row << w->points_log2) + n);
}

__kernel void level_inverse(__global const float *time, const ulong work_at, __global const float *y,
                            __global const float *tw, __global float *work, __global float *result,
                            __global float *out, __global const int *map, __local float *scratch) {
    __global const pn_work *a = PN_WORK(time, work_at);
    const pn_place place = pn_find_row(a, (uint)get_group_id(0), 0, 0);
    __global const pn_level_work *w = &a->level[place.level];
    const int local_log2 = w->points_log2 - w->top_log2, shares = w->shares;
    const uint points = 1u << w->points_log2, size = 1u << local_log2, first = place.part << local_log2;
    const uint row = (uint)w->out_row + place.number;
    const size_t step = (size_t)2 * points;
    __global const float *from = y + (size_t)w->y * PN_MATRIX_VECTOR + (size_t)row * (size_t)shares * step;
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint bin = first + i;
        const size_t at =
            (size_t)(bin >> PN_MATRIX_TILE_LOG2) * PN_MATRIX_VECTOR + (bin & (PN_MATRIX_TILE - 1u));
        pn_lanes sum_re = PN_GET(from + at), sum_im = PN_GET(from + at + PN_MATRIX_TILE);
        for (int s = 1; s < shares; ++s) {
            sum_re += PN_GET(from + (size_t)s * step + at);
            sum_im += PN_GET(from + (size_t)s * step + at + PN_MATRIX_TILE);
        }
        PN_PUT(sum_re, re + i);
        PN_PUT(sum_im, im + i);
    }
    pn_tree_inverse(re, im, local_log2, local_log2, (1u << w->top_log2) + place.part, tw, (uint)a->points);
    if (w->top_log2 > 0) {
        __global float *to = work + (size_t)w->work_out * PN_TILE + (size_t)place.number * step + first;
        PN_FOR_LANES(i, size) {
            PN_PUT(PN_GET(re + i), to + i);
            PN_PUT(PN_GET(im + i), to + points + i);
        }
    } else {
        PN_FOR_LANES(i, size)
        pn_emit(a, w, row, i, PN_GET(im + i), result, out, map);
    }
}

__kernel void level_inverse_top(__global const float *time, const ulong work_at, __global const float *work,
                                __global const float *tw, __global float *result, __global float *out,
                                __global const int *map, __local float *scratch) {
    __global const pn_work *a = PN_WORK(time, work_at);
    const pn_place place = pn_find_row(a, (uint)get_group_id(0), 0, 1);
    __global const pn_level_work *w = &a->level[place.level];
    const uint points = 1u << w->points_log2, size = 1u << PN_LOCAL_LOG2;
    const int top = w->top_log2;
    __global const float *from = work + (size_t)w->work_out * PN_TILE + (size_t)place.number * 2 * points;
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint n = pn_column_element(i, top, w->points_log2, place.part);
        PN_PUT(PN_GET(from + n), re + i);
        PN_PUT(PN_GET(from + points + n), im + i);
    }
    pn_tree_inverse(re, im, PN_LOCAL_LOG2, top, 1u, tw, (uint)a->points);
    PN_FOR_LANES(i, size) {
        const uint n = pn_column_element(i, top, w->points_log2, place.part);
        pn_emit(a, w, (uint)w->out_row + place.number, n, PN_GET(im + i), result, out, map);
    }
}
