// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PINNA_TYPES_H
#define PINNA_TYPES_H

/* What the host and the kernels share: constants, and the structs handed over (by value as arguments, or as
 * arrays in buffers). Only 32-bit members, so that both sides lay them out alike.
 *
 * Spectra stand in tiles of PN_TILE bins, in tree order: a vector is [PN_TILE re | PN_TILE im], and all places
 * of spectra below count in such vectors. */

#ifdef __OPENCL_VERSION__
typedef int pn_int;
typedef uint pn_uint;
typedef float pn_float;
#else
#include <stdint.h>
typedef int32_t pn_int;
typedef uint32_t pn_uint;
typedef float pn_float;
#endif

#define PN_TILE_LOG2 5
#define PN_TILE 32
#define PN_VECTOR 64      /* floats of a vector */
#define PN_LOCAL_LOG2 11  /* points of a transform that fit into a work-group's local memory: 16 KB */
#define PN_CHUNK 32       /* products summed before they are added to the sum: long sums lose no digits */
#define PN_FUTURES_LOG2 3 /* jobs that one reading of the spectra serves at most: 8 */
#define PN_SCALED_LOG2 4  /* bins with one scale in spectra of 16 bits: 16 real and 16 imaginary parts */
#define PN_NEWEST 1 /* what a level's units do: the job's own sums, from what is there and the newest block */
#define PN_LATER 2  /* the later jobs' share of the blocks that are there */

/* Transforms of M = 2^points_log2 points. The tree's top top_log2 levels run over columns in one launch, the rest in
 * local memory in another; top_log2 0: one launch. local_log2: points in a work-group's local memory. */
typedef struct {
    pn_int points_log2;
    pn_int top_log2;
    pn_int local_log2;
    /* time side: row r begins at float row * in_row, where row is list[r * list_stride], or r if that is 0 */
    pn_int list_stride;
    pn_int in_row;
    pn_int in_re; /* previous samples, M of them */
    pn_int in_im; /* current samples; negative: zeros */
    /* spectrum side: tile t of 2^tile_log2 bins of row r is vector out_at + r * out_row + t * out_tile, or, where rows go
     * by parts of part_rows, out_at + (r / part_rows) * part_step + (r % part_rows) * out_row + t * out_tile */
    pn_uint out_at, out_row, out_tile;
    pn_uint part_rows, part_step; /* part_rows 0: one part */
    pn_int tile_log2;
} pn_forward_args;

typedef struct {
    pn_int points_log2;
    pn_int top_log2;
    pn_int local_log2;
    pn_int keep; /* samples kept, the last of each row: out[row][keep] */
} pn_inverse_args;

/* ---- the convolver matrix (opencl_matrix.h has the scheme) */

#define PN_LEVELS 6
#define PN_SHARDS 8 /* buffers that the spectra are spread over */

/* What a launch has to do for one level, whose transforms have M = 2^points_log2 points. The launch's groups are dealt
 * out to the levels in order, so that one launch serves them all. */
typedef struct {
    pn_int points_log2,
        top_log2;       /* as above; local_log2 is PN_LOCAL_LOG2 for the top, the rest of the levels below */
    pn_int ring;        /* slots of an input's spectra [tile][slot] */
    pn_int newest;      /* slot of the job's newest block */
    pn_int frame;       /* where the previous block begins in the ring of inputs */
    pn_int row, rows;   /* forward: rows of the list of inputs */
    pn_int unit, units; /* sums: units (2^unit_log2 bins of an output) counted over the outputs */
    pn_int unit_log2;   /* log2 of bins in a unit */
    pn_int shares;      /* parts that an output's pieces are cut into */
    pn_int first;       /* sums: where the level's outputs begin in the list of first pieces */
    pn_int out_row, out_rows; /* inverse: outputs of the level */
    pn_uint y;                /* vector of the level's first output: y [output][share][tile] */
    pn_uint ahead,
        ahead_step; /* as y, once for each of the next 2^futures_log2 jobs: what is done of their sums */
    pn_int futures_log2;
    pn_int what; /* PN_NEWEST, PN_LATER, or both in this order */
    pn_int job;  /* its number, as far as it is smaller than 2^PN_FUTURES_LOG2 */
    /* these four in PN_TILE floats, so that 32 bits reach over every buffer: */
    pn_uint result;            /* its first output: result [output][M] */
    pn_uint work_in, work_out; /* the first row in the work between two launches */
    pn_uint heard;             /* the frames of result that are heard now, of the level's output 0 */
    pn_int map;                /* where the level's part of the map from outputs of level 0 begins */
} pn_level_work;

typedef struct {
    pn_int levels;
    pn_int inputs;     /* of the matrix */
    pn_int block_log2; /* frames of a call, 2^block_log2 */
    pn_int blocks;     /* blocks in the ring of inputs, power of two */
    pn_int stride;     /* floats from one of them to the next */
    pn_int samples;    /* floats before the samples of a block */
    pn_int points;     /* of the table of twiddles: M re, M im */
    pn_int
        heard; /* the output of level[0] goes out, with that many further levels' results; -1: into results */
    pn_level_work level[PN_LEVELS];
} pn_work;

/* An input of a level: which one of the matrix, and where its spectra [tile][slot] begin. */
typedef struct {
    pn_int input;
    pn_int shard;
    pn_uint at; /* vector in the shard */
} pn_row;

/* A run of at most PN_CHUNK partitions of one matrix entry. */
typedef struct {
    pn_int x_shard, h_shard;
    pn_uint x, h;     /* first vector of the input's spectra [tile][slot], and of the entry's */
    pn_int partition; /* the first */
    pn_int count;
    pn_int partitions; /* of the entry */
} pn_piece;

/* A filter of the spatial bank stands packed in the job's words: the heads of both ears, then the left ear's nodes and
 * tints, then the right one's, as shares of a blend. The delay is cut into whole samples and a rest of -1/2 .. 1/2. */
typedef struct {
    pn_int nodes, tints; /* how many */
    pn_int whole;
    pn_float rest;
} pn_packed_ear;

typedef struct {
    pn_int index;
    pn_float weight;
} pn_packed_share;

/* A source that the job has to look at. Those whose filters bend come first, then the other audible ones (some weight
 * not 0), then the rest. */
typedef struct {
    pn_int source;  /* row of the history */
    pn_int row;     /* of the new samples; negative: silence */
    pn_int steps;   /* 0: one filter all along; else two, `from` and `to`, and steps - 1 inner ones */
    pn_int filters; /* word of the job where they begin */
    pn_int
        whole; /* propagation: the delay at frame n, u = n / quantum, is whole + c0 + c1 u + c2 u^2 + c3 u^3 */
    pn_float c[4];
    pn_int unused;
} pn_source;

#define PN_READ_TAPS 16
#define PN_READ_PHASES 128
#define PN_READ_SHORTEST 8 /* delay that leaves the interpolator its samples ahead */

typedef struct {
    pn_int size; /* N: the history of a source is a ring of N samples, held twice in a row */
    pn_int quantum;
    pn_int at;          /* where the new samples go, 0 .. N-1 */
    pn_int samples;     /* first word of the new samples in the job */
    pn_int line_log2;   /* a source's propagation line is a ring of that many samples; negative: none */
    pn_uint line_at;    /* where its new samples go */
    pn_int propagation; /* longest delay */
} pn_take_args;

typedef struct {
    pn_int points_log2;
    pn_int count;  /* audible sources */
    pn_int bent;   /* those among them whose filters bend */
    pn_int shares; /* parts that they are cut into */
    pn_int sums;   /* of a share in y: 4, or 10 when filters bend */
} pn_mix_args;

#endif
