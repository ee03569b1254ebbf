// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_TRANSFORM_H
#define PN_DEVICE_OPENCL_TRANSFORM_H

#include "device/opencl_device.h"
#include "kernels/pinna_types.h"

/* The right-angle transform on a device (the method stands in kernels/tree.h), many rows in one launch, or in two
 * when a row is larger than the local memory of a work-group. */

typedef struct {
    int points_log2;         /* M = 2^points_log2 */
    int top_log2, rest_log2; /* levels of the tree in the launch over columns (0: none), and in the other */
    int rows;                /* at most, in one call */
    cl_mem twiddles;         /* M re, M im; w of node (d, b) at 2^d + b */
    cl_mem work;             /* [row][re M | im M] between the two launches, or NULL */
    cl_kernel forward_top, forward_rest, inverse_rest, inverse_top;
} pn_opencl_transform;

/* Work-items of a group for 2^local_log2 points in local memory. */
size_t pn_opencl_transform_group(const pn_opencl *device, int local_log2);

/* points: M, power of two, 32 .. 524288. queue: for the tables' copy, which is done on return. On failure the caller
 * releases the transform all the same. */
pinna_status pn_opencl_transform_create(const pn_opencl *device, cl_command_queue queue, int points, int rows,
                                        pn_opencl_transform *transform, pinna_error *err);
void pn_opencl_transform_release(pn_opencl_transform *transform); /* accepts zeroed and half-built ones */

/* Where rows begin on the time side, and where their tiles go; the comments are in pinna_types.h. */
typedef struct {
    cl_mem in, list; /* list NULL: rows in order */
    int list_stride;
    int in_row, in_re, in_im;
    cl_mem out;
    uint32_t out_at, out_row, out_tile;
    uint32_t part_rows, part_step; /* 0: all rows are one part */
    int tile_log2;                 /* 0: PN_TILE_LOG2 */
} pn_opencl_forward;

/* Unscaled. Enqueues only. */
PN_BLOCK_PATH pinna_status pn_opencl_transform_forward(const pn_opencl *device, cl_command_queue queue,
                                                       const pn_opencl_transform *transform,
                                                       const pn_opencl_forward *what, int rows,
                                                       pinna_error *err);
/* spectra [row][tile] -> the imaginary part's last `keep` samples, with factor M: out [row][keep]. Enqueues only. */
PN_BLOCK_PATH pinna_status pn_opencl_transform_inverse(const pn_opencl *device, cl_command_queue queue,
                                                       const pn_opencl_transform *transform, cl_mem spectra,
                                                       cl_mem out, int keep, int rows, pinna_error *err);

/* y [share][count]: adds all shares into the first; nothing when there is one. Enqueues only. */
PN_BLOCK_PATH pinna_status pn_opencl_reduce(const pn_opencl *device, cl_command_queue queue,
                                            cl_kernel reduce_shares, cl_mem y, size_t count, int shares,
                                            pinna_error *err);

#endif
