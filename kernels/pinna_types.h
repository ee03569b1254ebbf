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
#define PN_VECTOR 64 /* floats of a vector */
#define PN_CHUNK 32  /* products summed before they are added to the sum: long sums lose no digits */

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
    /* spectrum side: tile t of row r is vector out_at + r * out_row + t * out_tile */
    pn_uint out_at, out_row, out_tile;
} pn_forward_args;

typedef struct {
    pn_int points_log2;
    pn_int top_log2;
    pn_int local_log2;
    pn_int keep; /* samples kept, the last of each row: out[row][keep] */
} pn_inverse_args;

/* A run of at most PN_CHUNK partitions of one matrix entry. */
typedef struct {
    pn_int input;
    pn_int partition; /* the first */
    pn_int count;
    pn_int entry_partitions;
    pn_uint entry; /* first vector of the entry's spectra [tile][partition] */
} pn_piece;

typedef struct {
    pn_int tiles;
    pn_int outputs;
    pn_int ring;   /* slots of the input spectra [input][tile][slot] */
    pn_int newest; /* slot */
    pn_int shares; /* parts that an output's pieces are cut into */
} pn_mac_args;

/* A filter of the spatial bank, its delays cut into whole samples and a rest of -1/2 .. 1/2. */
typedef struct {
    pn_int node[3];
    pn_float weight[3];
    pn_int whole[2];
    pn_float rest[2];
} pn_source_filter;

/* A source that the job has to look at. The audible ones (some weight not 0) come first. */
typedef struct {
    pn_int source; /* row of the history */
    pn_int row;    /* of the new samples; negative: silence */
    pn_int still;  /* from equals to */
    pn_int unused;
    pn_source_filter from, to;
} pn_source;

typedef struct {
    pn_int size; /* N: the history of a source is a ring of N samples, held twice in a row */
    pn_int quantum;
    pn_int at;      /* where the new samples go, 0 .. N-1 */
    pn_int samples; /* first float of the new samples in the job's buffer */
} pn_take_args;

typedef struct {
    pn_int points_log2;
    pn_int count;  /* audible sources */
    pn_int shares; /* parts that they are cut into */
} pn_mix_args;

#endif
