// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "level.h"
#endif

/* Sums over partitions, all levels in one launch: for every unit (2^unit_log2 bins of an output) and share, the share's
 * pieces of input spectra times response spectra. Groups: (unit, share) of all levels; a work-item has PN_WIDE bins at a
 * time. pieces of output o of a level: first[o] .. first[o+1]-1.
 *
 * Job k is the sum over p of H[p] X[k-p]. Of that only H[0] X[k] has to wait for block k (PN_NEWEST); the rest is made
 * ahead (PN_LATER), for F jobs in one reading of the spectra: in every F-th job k of a unit
 *
 *   ahead[j-1] = sum over p >= j of H[p] X[k+j-p],  j = 1 .. F
 *
 * with the blocks X[k+1-p] .. X[k+F-p] kept in registers from one partition to the next; and in job k + i, i < F, the
 * products of job k + i + 1 that had to wait: ahead[i] += sum over 1 <= p <= i of H[p] X[k+i+1-p]. Units begin in turn
 * by their number, so that all jobs are alike. So P partitions cost 2 P / F + F + 1 spectra read instead of 2 P.
 *
 * Responses are held in 32 bits, [tile][partition] vectors of floats, or in 16 (pack_spectra.cl). */

/* Where the spectra of a piece stand for a work-item: of the inputs, slot 0, and of the response, the first partition. */
typedef struct {
    __global const float *x, *h;
    __global const short *packed;
    __global const float *scale;
} pn_view;

PN_INLINE pn_view pn_look_at(__global const pn_piece *p, PN_SHARD_ARGS, uint tiles, uint tile, uint lane,
                             int ring) {
    const size_t partitions = (size_t)p->partitions, at = (size_t)tile * partitions + (size_t)p->partition;
    __global const float *h = PN_SHARD(p->h_shard) + (size_t)p->h * PN_MATRIX_VECTOR;
    pn_view view;
    view.x = PN_SHARD(p->x_shard) + ((size_t)p->x + (size_t)tile * (size_t)ring) * PN_MATRIX_VECTOR + lane;
    view.h = h + at * PN_MATRIX_VECTOR + lane;
    view.packed = (__global const short *)h + at * PN_MATRIX_VECTOR + lane;
    view.scale = h + (size_t)tiles * partitions * PN_MATRIX_TILE + at * PN_SCALES + (lane >> PN_SCALED_LOG2);
    return view;
}
#define PN_LOOK_AT(p) pn_look_at(p, s0, s1, s2, s3, s4, s5, s6, s7, tiles, tile, lane, ring)

/* Partition k from the view's first on. */
PN_INLINE pn_bins pn_response(pn_view view, int k, int imaginary, int v, const int packed) {
    const size_t at = (size_t)k * PN_MATRIX_VECTOR + (size_t)(imaginary * PN_MATRIX_TILE);
    return packed ? PN_LOAD_SHORT(view.packed + at, v) * view.scale[(size_t)k * PN_SCALES]
                  : PN_LOAD(view.h + at, v);
}

#define PN_MULTIPLY_ADD(re, im, xr, xi, hr, hi)                                                              \
    {                                                                                                        \
        re += xr * hr;                                                                                       \
        re -= xi * hi;                                                                                       \
        im += xr * hi;                                                                                       \
        im += xi * hr;                                                                                       \
    }

/* The products of one piece for PN_JOBS jobs at once, or `jobs` if that is less, from ahead[first] on, added to their
 * sums. jobs is known where this is called. Every reading of a piece but the first is from a cache. */
PN_INLINE void pn_later(pn_view view, int from, int count, int newest, int ring, int v, int first,
                        const int jobs, const int packed, pn_bins *sum_re, pn_bins *sum_im) {
    pn_bins re[PN_JOBS], im[PN_JOBS], xr[PN_JOBS], xi[PN_JOBS]; /* x[j]: X[k+1+first+j-p] */
    int k = from == 0 ? first + 1 : 0;                          /* what is before needs blocks to come */
    int slot = newest + 1 + first - from - k;
    slot += slot < 0 ? ring : slot >= ring ? -ring : 0;
#pragma unroll
    for (int j = 0; j < jobs; ++j) {
        re[j] = im[j] = xr[j] = xi[j] = 0.0f;
        if (from > 0 && j + 1 < jobs) { /* as if partition from - 1 had been */
            const int at = slot + 1 + j < ring ? slot + 1 + j : slot + 1 + j - ring;
            __global const float *x = view.x + (size_t)at * PN_MATRIX_VECTOR;
            xr[j] = PN_LOAD(x, v);
            xi[j] = PN_LOAD(x + PN_MATRIX_TILE, v);
        }
    }
    for (; k < count; ++k) {
        __global const float *x = view.x + (size_t)slot * PN_MATRIX_VECTOR;
        const pn_bins hr = pn_response(view, k, 0, v, packed), hi = pn_response(view, k, 1, v, packed);
#pragma unroll
        for (int j = jobs - 1; j > 0; --j) {
            xr[j] = xr[j - 1];
            xi[j] = xi[j - 1];
        }
        xr[0] = PN_LOAD(x, v);
        xi[0] = PN_LOAD(x + PN_MATRIX_TILE, v);
#pragma unroll
        for (int j = 0; j < jobs; ++j)
            PN_MULTIPLY_ADD(re[j], im[j], xr[j], xi[j], hr, hi);
        slot = slot == 0 ? ring - 1 : slot - 1;
    }
#pragma unroll
    for (int j = 0; j < jobs; ++j) {
        sum_re[j] += re[j];
        sum_im[j] += im[j];
    }
}

/* The sums of the next jobs, as far as the blocks are there: all of `futures`, of which a run through the pieces makes
 * `jobs`. */
#define PN_ALL_LATER(futures, jobs)                                                                          \
    for (int j = 0; j < (futures); j += (jobs)) {                                                            \
        pn_bins re[jobs], im[jobs];                                                                          \
        for (int i = 0; i < (jobs); ++i)                                                                     \
            re[i] = im[i] = 0.0f;                                                                            \
        for (int i = begin; i < end; ++i) {                                                                  \
            __global const pn_piece *p = pieces + i;                                                         \
            pn_later(PN_LOOK_AT(p), p->partition, p->count, newest, ring, v, j, jobs, packed, re, im);       \
        }                                                                                                    \
        for (int i = 0; i < (jobs); ++i) {                                                                   \
            PN_STORE(re[i], ahead + (size_t)(j + i) * ahead_step, v);                                        \
            PN_STORE(im[i], ahead + (size_t)(j + i) * ahead_step + PN_MATRIX_TILE, v);                       \
        }                                                                                                    \
    }

PN_INLINE void pn_sum_up(__global const float *time, ulong work_at, PN_SHARD_ARGS,
                         __global const pn_piece *pieces, __global const int *firsts, __global float *y,
                         const int packed) {
    __global const pn_work *a = PN_WORK(time, work_at);
    __global const pn_level_work *w = a->level;
    uint group = (uint)get_group_id(0);
    for (int l = 0; l + 1 < a->levels && group >= (uint)(w->units * w->shares); ++l, ++w)
        group -= (uint)(w->units * w->shares);
    const uint share = group % (uint)w->shares, unit = (uint)w->unit + group / (uint)w->shares;
    const int row_log2 = w->points_log2 - w->unit_log2;
    const uint output = unit >> row_log2, first_bin = (unit & ((1u << row_log2) - 1u)) << w->unit_log2;
    /* Where its pieces begin and end; a mute output's end where they begin. */
    __global const int *first = firsts + w->first + 2u * output;
    const long all = first[1] - first[0];
    const int begin = first[0] + (int)(all * (long)share / w->shares);
    const int end = first[0] + (int)(all * (long)(share + 1) / w->shares);
    const int ring = w->ring, newest = w->newest, what = w->what;
    const int last = (1 << w->futures_log2) - 1, phase = ((int)unit + w->job) & last;
    const uint tiles = 1u << (w->points_log2 - PN_MATRIX_TILE_LOG2);
    const size_t ahead_step = (size_t)w->ahead_step * PN_MATRIX_VECTOR;
    const uint bins = 1u << w->unit_log2;
    for (uint b = (uint)get_local_id(0) * PN_WIDE; b < bins; b += (uint)get_local_size(0) * PN_WIDE) {
        const uint bin = first_bin + b, tile = bin >> PN_MATRIX_TILE_LOG2, lane = bin & (PN_MATRIX_TILE - 1u);
        const size_t place = ((size_t)output * (size_t)w->shares + share) * tiles + tile;
        __global float *to = y + ((size_t)w->y + place) * PN_MATRIX_VECTOR + lane;
        __global float *ahead = y + ((size_t)w->ahead + place) * PN_MATRIX_VECTOR + lane;
        for (int v = 0; v < PN_PARTS; ++v) {
            if (what & PN_NEWEST) {
                __global const float *done = ahead + (size_t)((phase + last) & last) * ahead_step;
                pn_bins re = 0.0f, im = 0.0f;
                for (int i = begin; i < end; ++i) {
                    __global const pn_piece *p = pieces + i;
                    if (p->partition > 0)
                        continue;
                    const pn_view view = PN_LOOK_AT(p);
                    __global const float *x = view.x + (size_t)newest * PN_MATRIX_VECTOR;
                    const pn_bins xr = PN_LOAD(x, v), xi = PN_LOAD(x + PN_MATRIX_TILE, v);
                    const pn_bins hr = pn_response(view, 0, 0, v, packed),
                                  hi = pn_response(view, 0, 1, v, packed);
                    PN_MULTIPLY_ADD(re, im, xr, xi, hr, hi);
                }
                PN_STORE(re + PN_LOAD(done, v), to, v);
                PN_STORE(im + PN_LOAD(done + PN_MATRIX_TILE, v), to + PN_MATRIX_TILE, v);
            }
            if ((what & PN_LATER) == 0)
                continue;
            if (phase > 0) { /* the products of the next job that had to wait */
                __global float *done = ahead + (size_t)phase * ahead_step;
                pn_bins re = 0.0f, im = 0.0f;
                for (int i = begin; i < end; ++i) {
                    __global const pn_piece *p = pieces + i;
                    if (p->partition > 0)
                        continue;
                    const pn_view view = PN_LOOK_AT(p);
                    int slot = newest;
                    for (int k = 1; k <= phase && k < p->count; ++k) {
                        __global const float *x = view.x + (size_t)slot * PN_MATRIX_VECTOR;
                        const pn_bins xr = PN_LOAD(x, v), xi = PN_LOAD(x + PN_MATRIX_TILE, v);
                        const pn_bins hr = pn_response(view, k, 0, v, packed);
                        const pn_bins hi = pn_response(view, k, 1, v, packed);
                        PN_MULTIPLY_ADD(re, im, xr, xi, hr, hi);
                        slot = slot == 0 ? ring - 1 : slot - 1;
                    }
                }
                PN_STORE(re + PN_LOAD(done, v), done, v);
                PN_STORE(im + PN_LOAD(done + PN_MATRIX_TILE, v), done + PN_MATRIX_TILE, v);
            } else if (last == 0) {
                PN_ALL_LATER(1, 1);
            } else if (last < PN_JOBS) {
                PN_ALL_LATER(last + 1, 2);
            } else {
                PN_ALL_LATER(last + 1, PN_JOBS);
            }
        }
    }
}

__kernel void multiply_add(__global const float *time, const ulong work_at, PN_SHARD_ARGS,
                           __global const pn_piece *pieces, __global const int *firsts, __global float *y) {
    pn_sum_up(time, work_at, s0, s1, s2, s3, s4, s5, s6, s7, pieces, firsts, y, 0);
}

__kernel void multiply_add_16(__global const float *time, const ulong work_at, PN_SHARD_ARGS,
                              __global const pn_piece *pieces, __global const int *firsts,
                              __global float *y) {
    pn_sum_up(time, work_at, s0, s1, s2, s3, s4, s5, s6, s7, pieces, firsts, y, 1);
}
