// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "level.h"
#endif

/* Sums over partitions, all levels in one launch: for every unit (2^unit_log2 bins of an output) and share, the share's
 * pieces of input spectra times response spectra. Groups: (unit, share) of all levels; a work-item has PN_WIDE bins.
 * pieces of output o of a level: first[o] .. first[o+1]-1. */
__kernel void multiply_add(__global const float *time, const uint work_at, PN_SHARD_ARGS,
                           __global const pn_piece *pieces, __global const int *firsts, __global float *y) {
    __global const pn_work *a = PN_WORK(time, work_at);
    __global const pn_level_work *w = a->level;
    uint group = (uint)get_group_id(0);
    for (int l = 0; l + 1 < a->levels && group >= (uint)(w->units * w->shares); ++l, ++w)
        group -= (uint)(w->units * w->shares);
    const uint share = group % (uint)w->shares, unit = (uint)w->unit + group / (uint)w->shares;
    const int row_log2 = w->points_log2 - w->unit_log2;
    const uint output = unit >> row_log2, within = unit & ((1u << row_log2) - 1u);
    const uint bin = (within << w->unit_log2) + (uint)get_local_id(0) * PN_WIDE;
    const uint tile = bin >> PN_TILE_LOG2, lane = bin & (PN_TILE - 1u);
    __global const int *first = firsts + w->first + output;
    const long all = first[1] - first[0];
    const int begin = first[0] + (int)(all * (long)share / w->shares);
    const int end = first[0] + (int)(all * (long)(share + 1) / w->shares);
    const int ring = w->ring, newest = w->newest;
    pn_bins sum_re[PN_PARTS], sum_im[PN_PARTS], re[PN_PARTS], im[PN_PARTS];
    for (int v = 0; v < PN_PARTS; ++v)
        sum_re[v] = sum_im[v] = 0.0f;
    for (int i = begin; i < end; ++i) {
        __global const pn_piece *p = pieces + i;
        __global const float *xs =
            PN_SHARD(p->x_shard) + ((size_t)p->x + (size_t)tile * (size_t)ring) * PN_VECTOR + lane;
        __global const float *hs =
            PN_SHARD(p->h_shard) +
            ((size_t)p->h + (size_t)tile * (size_t)p->partitions + (size_t)p->partition) * PN_VECTOR + lane;
        int slot = newest - p->partition;
        slot += slot < 0 ? ring : 0;
        const int count = p->count;
        for (int v = 0; v < PN_PARTS; ++v)
            re[v] = im[v] = 0.0f;
        for (int k = 0; k < count; ++k) {
            __global const float *x = xs + (size_t)slot * PN_VECTOR, *h = hs + (size_t)k * PN_VECTOR;
            for (int v = 0; v < PN_PARTS; ++v) {
                const pn_bins xr = PN_LOAD(x, v), xi = PN_LOAD(x + PN_TILE, v);
                const pn_bins hr = PN_LOAD(h, v), hi = PN_LOAD(h + PN_TILE, v);
                re[v] += xr * hr - xi * hi;
                im[v] += xr * hi + xi * hr;
            }
            slot = slot == 0 ? ring - 1 : slot - 1;
        }
        for (int v = 0; v < PN_PARTS; ++v) {
            sum_re[v] += re[v];
            sum_im[v] += im[v];
        }
    }
    const size_t tiles = (size_t)1 << (w->points_log2 - PN_TILE_LOG2);
    const size_t row = (size_t)output * (size_t)w->shares + share;
    __global float *to = y + ((size_t)w->y + row * tiles + tile) * PN_VECTOR + lane;
    for (int v = 0; v < PN_PARTS; ++v) {
        PN_STORE(sum_re[v], to, v);
        PN_STORE(sum_im[v], to + PN_TILE, v);
    }
}
