// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_transform.h"

#include <math.h>

#include "base/memory.h"
#include "base/vec.h"

/* 2^11 points are 16 KB of local memory: half of what the smallest GPUs have, so that two groups share a unit. */
enum { LOCAL_LOG2 = PN_LOCAL_LOG2 };

/* theta of node (d, b) is (1/4 + bitreverse(b)) / 2^d: the children of theta are theta/2 and theta/2 + 1/2. */
static void fill_twiddles(float *table, int points) {
    double *theta = (double *)(void *)(table + 2 * (size_t)points); /* the caller's scratch behind it */
    theta[1] = 0.25;
    for (int node = 1; node < points; ++node) {
        double half = theta[node] / 2;
        table[node] = (float)cos(2 * PN_PI * half);
        table[points + node] = (float)sin(2 * PN_PI * half);
        if (2 * node + 1 < points) {
            theta[2 * node] = half;
            theta[2 * node + 1] = half + 0.5;
        }
    }
}

static pinna_status send_twiddles(const pn_opencl *device, cl_command_queue queue, pn_opencl_transform *t,
                                  pinna_error *err) {
    int points = 1 << t->points_log2;
    float *table = pn_alloc_floats(4 * (size_t)points);
    if (table == NULL)
        return pn_fail_memory(err, "a transform's tables", 16.0 * points);
    fill_twiddles(table, points);
    pinna_status status = pn_opencl_write(device, queue, t->twiddles, 0, table, 2 * (size_t)points, err);
    pinna_status done = pn_opencl_finish(device, queue, status == PINNA_OK ? err : NULL);
    pn_free(table);
    return status != PINNA_OK ? status : done;
}

pinna_status pn_opencl_transform_create(const pn_opencl *device, cl_command_queue queue, int points, int rows,
                                        pn_opencl_transform *t, pinna_error *err) {
    *t = (pn_opencl_transform){.rows = rows};
    while (1 << t->points_log2 < points)
        ++t->points_log2;
    t->top_log2 = t->points_log2 > LOCAL_LOG2 ? t->points_log2 - LOCAL_LOG2 : 0;
    t->rest_log2 = t->points_log2 - t->top_log2;
    size_t row = 2 * (size_t)points;
    pinna_status status = pn_opencl_buffer_create(device, "a transform's tables", row, &t->twiddles, err);
    if (status == PINNA_OK && t->top_log2 > 0)
        status = pn_opencl_buffer_create(device, "large transforms", row * (size_t)rows, &t->work, err);
    if (status == PINNA_OK && t->top_log2 > 0)
        status = pn_opencl_kernel_create(device, "forward_top", &t->forward_top, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "forward_rest", &t->forward_rest, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "inverse_rest", &t->inverse_rest, err);
    if (status == PINNA_OK && t->top_log2 > 0)
        status = pn_opencl_kernel_create(device, "inverse_top", &t->inverse_top, err);
    return status == PINNA_OK ? send_twiddles(device, queue, t, err) : status;
}

void pn_opencl_transform_release(pn_opencl_transform *t) {
    pn_opencl_kernel_release(&t->forward_top);
    pn_opencl_kernel_release(&t->forward_rest);
    pn_opencl_kernel_release(&t->inverse_rest);
    pn_opencl_kernel_release(&t->inverse_top);
    pn_opencl_buffer_release(&t->twiddles);
    pn_opencl_buffer_release(&t->work);
}

/* A butterfly of radix 4 for each work-item at a time; on a processor few, each of which takes vectors in turn. */
size_t pn_opencl_transform_group(const pn_opencl *device, int local_log2) {
    size_t group = local_log2 > 7 ? (size_t)1 << (local_log2 - 2) : 32;
    size_t most = (size_t)device->widths.transform_group;
    group = group > most ? most : group;
    return group > device->max_group ? device->max_group : group;
}

static pinna_status launch(const pn_opencl *device, cl_command_queue queue, cl_kernel kernel,
                           const char *name, int count, pn_opencl_arg *args, int points_log2, int local_log2,
                           int rows, pinna_error *err) {
    size_t group = pn_opencl_transform_group(device, local_log2);
    args[count - 1] = (pn_opencl_arg){2 * sizeof(float) << local_log2, NULL};
    pinna_status status = pn_opencl_set_args(device, kernel, name, count, args, err);
    const size_t items[3] = {group << (points_log2 - local_log2), (size_t)rows, 1};
    return status == PINNA_OK ? pn_opencl_run(device, queue, kernel, name, items, group, err) : status;
}

pinna_status pn_opencl_transform_forward(const pn_opencl *device, cl_command_queue queue,
                                         const pn_opencl_transform *t, const pn_opencl_forward *what,
                                         int rows, pinna_error *err) {
    pn_forward_args a = {.points_log2 = t->points_log2,
                         .top_log2 = t->top_log2,
                         .local_log2 = t->top_log2 > 0 ? LOCAL_LOG2 : t->rest_log2,
                         .list_stride = what->list == NULL ? 0 : what->list_stride,
                         .in_row = what->in_row,
                         .in_re = what->in_re,
                         .in_im = what->in_im,
                         .out_at = what->out_at,
                         .out_row = what->out_row,
                         .out_tile = what->out_tile,
                         .part_rows = what->part_rows,
                         .part_step = what->part_step,
                         .tile_log2 = what->tile_log2 == 0 ? PN_TILE_LOG2 : what->tile_log2};
    cl_mem in = what->in, list = what->list == NULL ? t->twiddles : what->list; /* read only with a stride */
    cl_mem work = t->work, out = what->out;
    pn_opencl_arg args[6] = {{sizeof a, &a},       {sizeof in, &in},
                             {sizeof list, &list}, {sizeof t->twiddles, &t->twiddles},
                             {sizeof work, &work}, {0, NULL}};
    if (t->top_log2 > 0) {
        pinna_status status = launch(device, queue, t->forward_top, "forward_top", 6, args, t->points_log2,
                                     a.local_log2, rows, err);
        if (status != PINNA_OK)
            return status;
        a.list_stride = 0;
        a.in_row = 2 << t->points_log2;
        a.in_re = 0;
        a.in_im = 1 << t->points_log2;
        in = work;
    }
    args[4] = (pn_opencl_arg){sizeof out, &out};
    a.local_log2 = t->rest_log2;
    return launch(device, queue, t->forward_rest, "forward_rest", 6, args, t->points_log2, a.local_log2, rows,
                  err);
}

pinna_status pn_opencl_transform_inverse(const pn_opencl *device, cl_command_queue queue,
                                         const pn_opencl_transform *t, cl_mem spectra, cl_mem out, int keep,
                                         int rows, pinna_error *err) {
    pn_inverse_args a = {
        .points_log2 = t->points_log2, .top_log2 = t->top_log2, .local_log2 = t->rest_log2, .keep = keep};
    cl_mem from = spectra, to = t->top_log2 > 0 ? t->work : out;
    pn_opencl_arg args[5] = {{sizeof a, &a},
                             {sizeof from, &from},
                             {sizeof t->twiddles, &t->twiddles},
                             {sizeof to, &to},
                             {0, NULL}};
    pinna_status status = launch(device, queue, t->inverse_rest, "inverse_rest", 5, args, t->points_log2,
                                 a.local_log2, rows, err);
    if (status != PINNA_OK || t->top_log2 == 0)
        return status;
    a.local_log2 = LOCAL_LOG2;
    from = t->work;
    to = out;
    return launch(device, queue, t->inverse_top, "inverse_top", 5, args, t->points_log2, LOCAL_LOG2, rows,
                  err);
}

pinna_status pn_opencl_reduce(const pn_opencl *device, cl_command_queue queue, cl_kernel reduce_shares,
                              cl_mem y, size_t count, int shares, pinna_error *err) {
    if (shares < 2)
        return PINNA_OK;
    const cl_int of = shares;
    const pn_opencl_arg args[2] = {{sizeof y, &y}, {sizeof of, &of}};
    pinna_status status = pn_opencl_set_args(device, reduce_shares, "reduce_shares", 2, args, err);
    const size_t items[3] = {count, 1, 1},
                 group = device->max_group < PN_VECTOR ? device->max_group : PN_VECTOR;
    return status == PINNA_OK
               ? pn_opencl_run(device, queue, reduce_shares, "reduce_shares", items, group, err)
               : status;
}
