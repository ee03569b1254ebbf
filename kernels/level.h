// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_LEVEL_H
#define PINNA_LEVEL_H

/* What the kernels of the convolver matrix share. Their first arguments are the ring of inputs and the place of the
 * launch's pn_work in it: the work travels with the samples, in one copy. */

/* For functions whose arguments choose what is compiled. */
#define PN_INLINE static inline __attribute__((always_inline))

#define PN_WORK(time, at) ((__global const pn_work *)((time) + (at)))

/* The shards of spectra as kernel arguments, and the one with a number. */
#define PN_SHARD_ARGS                                                                                        \
    __global float *s0, __global float *s1, __global float *s2, __global float *s3, __global float *s4,      \
        __global float *s5, __global float *s6, __global float *s7
#define PN_SHARD(n)                                                                                          \
    ((n) < 4 ? ((n) < 2 ? ((n) == 0 ? s0 : s1) : ((n) == 2 ? s2 : s3))                                       \
             : ((n) < 6 ? ((n) == 4 ? s4 : s5) : ((n) == 6 ? s6 : s7)))

/* Spectra of the matrix stand in tiles of PN_MATRIX_TILE bins: a vector is [re | im]. */
#ifndef PN_MATRIX_TILE_LOG2
#define PN_MATRIX_TILE_LOG2 PN_TILE_LOG2
#endif
#define PN_MATRIX_TILE (1 << PN_MATRIX_TILE_LOG2)
#define PN_MATRIX_VECTOR (2 << PN_MATRIX_TILE_LOG2)
#define PN_SCALES (1 << (PN_MATRIX_TILE_LOG2 - PN_SCALED_LOG2)) /* of a vector in 16 bits */

/* Bins of a work-item in sums: PN_WIDE, at most 16, in vectors (or single floats) of PN_BINS, in which bin `part * PN_BINS`
 * of p is the first. */
#ifndef PN_BINS
#define PN_BINS 1
#endif
#ifndef PN_WIDE
#define PN_WIDE PN_BINS
#endif
#define PN_PARTS (PN_WIDE / PN_BINS)
/* Jobs that a work-item sums at once in its registers, 2 or 4. */
#ifndef PN_JOBS
#define PN_JOBS 2
#endif
#if PN_BINS == 16
typedef float16 pn_bins;
#define PN_LOAD(p, part) vload16(part, p)
#define PN_STORE(v, p, part) vstore16(v, part, p)
#define PN_LOAD_SHORT(p, part) convert_float16(vload16(part, p))
#elif PN_BINS == 8
typedef float8 pn_bins;
#define PN_LOAD(p, part) vload8(part, p)
#define PN_STORE(v, p, part) vstore8(v, part, p)
#define PN_LOAD_SHORT(p, part) convert_float8(vload8(part, p))
#elif PN_BINS == 4
typedef float4 pn_bins;
#define PN_LOAD(p, part) vload4(part, p)
#define PN_STORE(v, p, part) vstore4(v, part, p)
#define PN_LOAD_SHORT(p, part) convert_float4(vload4(part, p))
#else
typedef float pn_bins;
#define PN_LOAD(p, part) (p)[part]
#define PN_STORE(v, p, part) (p)[part] = (v)
#define PN_LOAD_SHORT(p, part) ((float)(p)[part])
#endif

/* A group's row among those of a launch: `number` within its level, and its part of the row. */
typedef struct {
    int level;
    uint number, part;
} pn_place;

/* forward: rows of inputs, else of outputs. only_large: the launch leaves out levels of one-launch transforms. */
static pn_place pn_find_row(__global const pn_work *a, uint group, int forward, int only_large) {
    pn_place place = {0, 0, 0};
    for (int l = 0; l < a->levels; ++l) {
        __global const pn_level_work *w = &a->level[l];
        const uint rows = (uint)(forward ? w->rows : w->out_rows);
        const uint groups = only_large && w->top_log2 == 0 ? 0u : rows << w->top_log2;
        place.level = l;
        if (group < groups)
            break;
        group -= groups;
    }
    const int top = a->level[place.level].top_log2;
    place.number = group >> top;
    place.part = group & ((1u << top) - 1u);
    return place;
}

/* Element of a column tile -> element of the row, for transforms in two launches. */
static uint pn_column_element(uint i, int top_log2, int points_log2, uint part) {
    const int columns_log2 = PN_LOCAL_LOG2 - top_log2, row_log2 = points_log2 - top_log2;
    return ((i >> columns_log2) << row_log2) + (part << columns_log2) + (i & ((1u << columns_log2) - 1u));
}

#endif
