// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#include "level.h"
#endif

/* Spectra of the inputs' newest blocks, all levels in one launch: previous and current block from the ring of inputs,
 * [block][work, then input][frame], into the rows' newest slots. Groups: (part of a row) of the rows of all levels.
 * scratch: two floats for each of the local points. */

/* The samples from n on of the job's window of an input, as many as a vector has. */
static pn_lanes pn_sample(__global const pn_work *a, __global const float *time, int frame, int input,
                          uint n) {
    const uint at = (uint)frame + n, block = (at >> a->block_log2) & (uint)(a->blocks - 1);
    const uint within = ((uint)input << a->block_log2) + (at & ((1u << a->block_log2) - 1u));
    return PN_GET(time + (size_t)block * (size_t)a->stride + (size_t)a->samples + within);
}

/* The top levels of transforms beyond the local memory; work: [row][re M | im M]. */
__kernel void level_forward_top(__global const float *time, const ulong work_at, __global const pn_row *list,
                                __global const float *tw, __global float *work, __local float *scratch) {
    __global const pn_work *a = PN_WORK(time, work_at);
    const pn_place place = pn_find_row(a, (uint)get_group_id(0), 1, 1);
    __global const pn_level_work *w = &a->level[place.level];
    const uint points = 1u << w->points_log2, size = 1u << PN_LOCAL_LOG2;
    const int input = list[w->row + (int)place.number].input, frame = w->frame, top = w->top_log2;
    __local float *re = scratch, *im = scratch + size;
    PN_FOR_LANES(i, size) {
        const uint n = pn_column_element(i, top, w->points_log2, place.part);
        PN_PUT(pn_sample(a, time, frame, input, n), re + i);
        PN_PUT(pn_sample(a, time, frame, input, n + points), im + i);
    }
    pn_tree_forward(re, im, PN_LOCAL_LOG2, top, 1u, tw, (uint)a->points);
    __global float *to = work + (size_t)w->work_in * PN_TILE + (size_t)place.number * 2 * points;
    PN_FOR_LANES(i, size) {
        const uint n = pn_column_element(i, top, w->points_log2, place.part);
        PN_PUT(PN_GET(re + i), to + n);
        PN_PUT(PN_GET(im + i), to + points + n);
    }
}

/* The levels below, or the whole of small transforms. */
__kernel void level_forward(__global const float *time, const ulong work_at, __global const pn_row *list,
                            __global const float *tw, __global const float *work, PN_SHARD_ARGS,
                            __local float *scratch) {
    __global const pn_work *a = PN_WORK(time, work_at);
    const pn_place place = pn_find_row(a, (uint)get_group_id(0), 1, 0);
    __global const pn_level_work *w = &a->level[place.level];
    __global const pn_row *row = list + w->row + place.number;
    const int local_log2 = w->points_log2 - w->top_log2, frame = w->frame, input = row->input;
    const uint points = 1u << w->points_log2, size = 1u << local_log2, first = place.part << local_log2;
    __local float *re = scratch, *im = scratch + size;
    if (w->top_log2 > 0) {
        __global const float *from =
            work + (size_t)w->work_in * PN_TILE + (size_t)place.number * 2 * points + first;
        PN_FOR_LANES(i, size) {
            PN_PUT(PN_GET(from + i), re + i);
            PN_PUT(PN_GET(from + points + i), im + i);
        }
    } else {
        PN_FOR_LANES(i, size) {
            PN_PUT(pn_sample(a, time, frame, input, i), re + i);
            PN_PUT(pn_sample(a, time, frame, input, i + points), im + i);
        }
    }
    pn_tree_forward(re, im, local_log2, local_log2, (1u << w->top_log2) + place.part, tw, (uint)a->points);
    const size_t ring = (size_t)w->ring;
    __global float *to = PN_SHARD(row->shard) + ((size_t)row->at + (size_t)w->newest) * PN_MATRIX_VECTOR;
    PN_FOR_LANES(i, size) {
        const uint bin = first + i;
        __global float *at = to + (size_t)(bin >> PN_MATRIX_TILE_LOG2) * ring * PN_MATRIX_VECTOR +
                             (bin & (PN_MATRIX_TILE - 1u));
        PN_PUT(PN_GET(re + i), at);
        PN_PUT(PN_GET(im + i), at + PN_MATRIX_TILE);
    }
}
