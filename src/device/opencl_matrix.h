// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_MATRIX_H
#define PN_DEVICE_OPENCL_MATRIX_H

#include "device/opencl_backend.h"
#include "device/opencl_transform.h"

/* What the files of the convolver matrix share: opencl_matrix_plan.c lays everything out on the device,
 * opencl_matrix_send.c transforms the responses, opencl_matrix.c runs it.
 *
 * Level l works in blocks of M = R B frames (B: a call's). Its job k takes the input blocks up to k, complete after
 * call (k + 1) R, and is heard in the R calls behind call (k + 2) R. Its work is cut into R steps, one a call: step s
 * = n mod R in call n. A job's sums are units (2^unit_log2 bins of one output), numbered over the outputs. The work
 * stands in a row: for each output the transforms of the inputs that nothing before has needed, its units, its
 * transform back; which is cut where its estimated cost is s / R of the whole. So every call has its even share of
 * all levels, whatever the shape of the matrix, and
 *
 *   one copy in      the work of the call and the new frames of all inputs, into the ring of inputs
 *   the head         level 0: forward, sums, inverse, which adds the frames heard now of the other levels' results. Its
 *                    sums are one product for each entry: all that does not wait for the new frames was done before
 *   one copy out     all outputs
 *   the rest         the later jobs' sums of level 0, and the steps of all other levels together: forward, sums,
 *                    inverse; after the output has left
 *
 * are a constant number of launches for any number of channels and levels. Copies have a queue of their own where the
 * device has a memory of its own, so that those of the next call overlap with the rest of this one. Results stand
 * twice, by the parity of the job: one is heard while the next is made.
 *
 * Sums are made ahead, for up to 8 jobs in one reading of the spectra (kernels/multiply_add.cl): what a job leaves for
 * later ones is state, too.
 *
 * Spectra X [input][tile][slot] and H [entry][tile][partition] are rows in shards: buffers as large as the device gives
 * in one piece, no row in two of them. X comes first, so that what has to be zero at the start is the beginning of
 * every shard. H is held in 32 bits, or in 16 (kernels/pack_spectra.cl).
 *
 * Nothing here that depends on the widths that a device was tuned to changes the order of a sum. */

typedef struct {
    pn_level_work fixed; /* what is the same in every call */
    int period, inputs, outputs;
    int units;
    int *rows_before, *units_before,
        *outs_before;  /* [period + 1]: inputs, units and outputs done before each step */
    int list;          /* where its rows begin in the list */
    double sums_bytes; /* that the sums of a job move, mean of all phases */
    bool later;        /* there is anything for later jobs */
    uint32_t result;   /* where the first of its two results begins, in PN_TILE floats */
} pn_level_layout;

struct pn_matrix {
    pn_opencl *device;
    int block, inputs, outputs, levels;
    pn_level_layout level[PN_MATRIX_LEVELS];
    int *head_output;    /* the matrix's number of each output of level 0 */
    int *first, *map_of; /* what stands in `firsts` and `map` */
    size_t first_count;
    int blocks; /* in the ring of inputs */
    size_t stride, samples;
    int local_log2;                     /* points in local memory at most */
    int vector;                         /* floats: two tiles' */
    bool packed;                        /* H in 16 bits */
    double packed_error, packed_energy; /* of what was made of H, as far as it is */
    size_t result_count, y_count;
    uint64_t bytes; /* on the device */

    cl_command_queue queue,
        transfers; /* transfers: the copies' queue; on processors, where all is one memory, `queue` */
    cl_kernel forward_top, forward, sums, inverse, inverse_top;
    cl_mem time, y, work, result, out, list, pieces, firsts, map, twiddles;
    cl_mem shard[PN_SHARDS];
    size_t shard_count[PN_SHARDS], x_count[PN_SHARDS]; /* floats of each, and of X in it */
    int shards;
    pn_opencl_staging to_device; /* two calls' blocks, used in turn */
    pn_opencl_staging from_device;

    pn_pool *pool; /* for the copies of a call; may be NULL */
    int64_t calls;
    bool lost;
    cl_event done; /* of a call begun */
};

/* Everything on the device, but no kernels, with H transformed and the rest undefined. On failure the caller frees. */
pinna_status pn_opencl_matrix_lay_out(pn_matrix *matrix, const pn_matrix_desc *desc, pinna_error *err);

/* ---- opencl_matrix.c */

/* What travels before the samples of a call: the work of level 0, and that of all others. */
typedef struct {
    pn_work head, rest;
} pn_matrix_call;

PN_BLOCK_PATH pn_matrix_call pn_opencl_matrix_call(const pn_matrix *matrix, int64_t call);
/* Where a call's block begins in the ring of inputs: first its pn_matrix_call. */
PN_BLOCK_PATH size_t pn_opencl_matrix_block_at(const pn_matrix *matrix, int64_t call);

typedef enum {
    PN_MATRIX_FORWARD = 1,
    PN_MATRIX_SUMS = 2,
    PN_MATRIX_INVERSE = 4,
    PN_MATRIX_ALL = 7
} pn_matrix_kernels;
/* Launches those kernels of a work that stands at float work_at of the ring of inputs. */
PN_BLOCK_PATH pinna_status pn_opencl_matrix_enqueue(pn_matrix *matrix, const pn_work *work, size_t work_at,
                                                    pn_matrix_kernels kernels, pinna_error *err);

/* ---- opencl_matrix_measure.c: as matrix_measure, without the copy */
pinna_status pn_opencl_matrix_time(pn_matrix *matrix, pn_matrix_rates *rates, pinna_error *err);

/* ---- between opencl_matrix_plan.c and opencl_matrix_send.c */

/* The part of an entry that a level covers. */
typedef struct {
    int input, output; /* of the level */
    const float *taps;
    size_t length;
    int partitions, shard;
    uint32_t at; /* vector of its spectra in the shard */
} pn_matrix_part;

/* Transforms the parts of level l, which are put into the order of their places. That of the largest level leaves the
 * table of twiddles, which serves all. */
pinna_status pn_opencl_matrix_send(pn_matrix *matrix, int l, pn_matrix_part *parts, int count,
                                   pinna_error *err);

#endif
