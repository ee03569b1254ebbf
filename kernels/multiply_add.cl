// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "level.h"
#endif

/* Sums over partitions, all levels in one launch: for every unit (2^unit_log2 bins of an output) and share, the share's
 * pieces of input spectra times response spectra. Groups: (unit, share) of all levels; a work-item has PN_WIDE bins.
 * pieces of output o of a level: first[o] .. first[o+1]-1.
 *
 * Both spectra are read for two jobs at a time, which halves what the sums ask of the memory: the sum of job k,
 * H[p] X[k-p] over all p, and of job k + 1 all but what needs its own block, H[p] X[k+1-p] over p > 0, where X is that of
 * the partition before. Then job k + 1 has one product left. Units do this in odd or in even jobs by their number, so
 * that all jobs are alike. */

/* A piece's spectra of the inputs, from its first tile on, and of the response, from its first partition on. */
#define PN_PIECE(p, xs, hs)                                                                                  \
    __global const float *xs =                                                                               \
        PN_SHARD(p->x_shard) + ((size_t)p->x + (size_t)tile * (size_t)ring) * PN_VECTOR + lane;              \
    __global const float *hs =                                                                               \
        PN_SHARD(p->h_shard) +                                                                               \
        ((size_t)p->h + (size_t)tile * (size_t)p->partitions + (size_t)p->partition) * PN_VECTOR + lane

#define PN_MULTIPLY_ADD(re, im, xr, xi, hr, hi)                                                              \
    {                                                                                                        \
        re += xr * hr - xi * hi;                                                                             \
        im += xr * hi + xi * hr;                                                                             \
    }

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
    const size_t tiles = (size_t)1 << (w->points_log2 - PN_TILE_LOG2);
    const size_t place = ((size_t)output * (size_t)w->shares + share) * tiles + tile;
    __global float *to = y + ((size_t)w->y + place) * PN_VECTOR + lane;
    __global float *ahead = y + ((size_t)w->ahead + place) * PN_VECTOR + lane;
    for (int v = 0; v < PN_PARTS; ++v) {
        pn_bins sum_re = 0.0f, sum_im = 0.0f, next_re = 0.0f, next_im = 0.0f;
        if ((unit + (uint)w->odd) & 1u) { /* one product to what the job before has left */
            sum_re = PN_LOAD(ahead, v);
            sum_im = PN_LOAD(ahead + PN_TILE, v);
            for (int i = begin; i < end; ++i) {
                __global const pn_piece *p = pieces + i;
                if (p->partition > 0)
                    continue;
                PN_PIECE(p, xs, h);
                __global const float *x = xs + (size_t)newest * PN_VECTOR;
                const pn_bins xr = PN_LOAD(x, v), xi = PN_LOAD(x + PN_TILE, v);
                const pn_bins hr = PN_LOAD(h, v), hi = PN_LOAD(h + PN_TILE, v);
                PN_MULTIPLY_ADD(sum_re, sum_im, xr, xi, hr, hi);
            }
        } else {
            for (int i = begin; i < end; ++i) {
                __global const pn_piece *p = pieces + i;
                PN_PIECE(p, xs, hs);
                const int count = p->count;
                int slot = newest - p->partition;
                slot += slot < 0 ? ring : 0;
                pn_bins re = 0.0f, im = 0.0f, re1 = 0.0f, im1 = 0.0f, last_r = 0.0f, last_i = 0.0f;
                if (p->partition > 0) {
                    __global const float *x = xs + (size_t)(slot + 1 == ring ? 0 : slot + 1) * PN_VECTOR;
                    last_r = PN_LOAD(x, v);
                    last_i = PN_LOAD(x + PN_TILE, v);
                }
                for (int k = 0; k < count; ++k) {
                    __global const float *x = xs + (size_t)slot * PN_VECTOR, *h = hs + (size_t)k * PN_VECTOR;
                    const pn_bins xr = PN_LOAD(x, v), xi = PN_LOAD(x + PN_TILE, v);
                    const pn_bins hr = PN_LOAD(h, v), hi = PN_LOAD(h + PN_TILE, v);
                    PN_MULTIPLY_ADD(re, im, xr, xi, hr, hi);
                    PN_MULTIPLY_ADD(re1, im1, last_r, last_i, hr, hi);
                    last_r = xr;
                    last_i = xi;
                    slot = slot == 0 ? ring - 1 : slot - 1;
                }
                sum_re += re;
                sum_im += im;
                next_re += re1;
                next_im += im1;
            }
            PN_STORE(next_re, ahead, v);
            PN_STORE(next_im, ahead + PN_TILE, v);
        }
        PN_STORE(sum_re, to, v);
        PN_STORE(sum_im, to + PN_TILE, v);
    }
}
