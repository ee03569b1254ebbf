// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_MATRIX_H
#define PN_DEVICE_OPENCL_MATRIX_H

#include "device/opencl_backend.h"
#include "device/opencl_transform.h"

/* What the two files of the convolver matrix share: opencl_matrix_plan.c lays everything out on the device,
 * opencl_matrix.c runs it.
 *
 * Level l works in blocks of M = R B frames (B: a call's). Its job k takes the input blocks up to k, complete after
 * call (k + 1) R, and is heard in the R calls behind call (k + 2) R. Its work is cut into R steps of equal cost, one
 * a call: step s = n mod R in call n. A job's sums are units (2^unit_log2 bins of one output), numbered over the
 * outputs; step s has those from U s / R to U (s + 1) / R. An input's new block is transformed in the step of the
 * first unit that needs it, an output is transformed back in the step of its last one. So every call has its even
 * share of all levels, whatever the shape of the matrix, and
 *
 *   one copy in      the work of the call and the new frames of all inputs, into the ring of inputs
 *   the head         level 0: forward, sums, inverse, which adds the frames heard now of the other levels' results
 *   one copy out     all outputs
 *   the rest         the steps of all other levels together: forward, sums, inverse; after the output has left
 *
 * are a constant number of launches for any number of channels and levels. Results stand twice, by the parity of the
 * job: one is heard while the next is made.
 *
 * Sums are made for two jobs in one reading of the spectra (kernels/multiply_add.cl): what a job leaves for the next one
 * is state, too.
 *
 * Spectra X [input][tile][slot] and H [entry][tile][partition] are rows in shards: buffers as large as the device gives
 * in one piece, no row in two of them. X comes first, so that what has to be zero at the start is the beginning of
 * every shard. */

typedef struct {
    pn_level_work fixed; /* what is the same in every call */
    int period, inputs, outputs;
    int units;
    int *rows_before; /* [period + 1]: inputs transformed before each step */
    int list;         /* where its rows begin in the list */
    uint32_t result;  /* float of the first of its two results */
} pn_level_layout;

struct pn_matrix {
    pn_opencl *device;
    int block, inputs, outputs, levels;
    pn_level_layout level[PN_MATRIX_LEVELS];
    int *head_output; /* the matrix's number of each output of level 0 */
    int blocks;       /* in the ring of inputs */
    size_t stride, samples;
    int local_log2; /* points in local memory at most */
    size_t result_count, y_count;
    uint64_t bytes; /* on the device */

    cl_command_queue queue;
    cl_kernel forward_top, forward, sums, inverse, inverse_top;
    cl_mem time, y, work, result, out, list, pieces, firsts, map, twiddles;
    cl_mem shard[PN_SHARDS];
    size_t shard_count[PN_SHARDS], x_count[PN_SHARDS]; /* floats of each, and of X in it */
    int shards;
    pn_opencl_staging to_device, from_device;

    int64_t calls;
    bool lost;
    cl_event done; /* of a call begun */
};

/* Everything on the device, but no kernels, with H transformed and the rest undefined. On failure the caller frees. */
pinna_status pn_opencl_matrix_lay_out(pn_matrix *matrix, const pn_matrix_desc *desc, pinna_error *err);

#endif
