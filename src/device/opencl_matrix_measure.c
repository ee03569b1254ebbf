// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What a matrix's kernels take, each kind by itself. The works of a whole period are on the device first; then the
 * launches of one kind, of all calls in order, are timed together, and the last of three such runs counts. */
#include "device/opencl_matrix.h"

#include <string.h>
#include <time.h>

enum { CALLS = 64, RUNS = 3, COPIES = 8 };
static const double COPY_BYTES = 256e6; /* of each side; beyond the caches of every device */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static pinna_status send_works(pn_matrix *m, int64_t first, int calls, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int c = 0; c < calls && status == PINNA_OK; ++c) {
        const pn_matrix_call work = pn_opencl_matrix_call(m, first + c);
        memcpy(m->to_device.data, &work, sizeof work);
        status = pn_opencl_write(m->device, m->queue, m->time, pn_opencl_matrix_block_at(m, first + c),
                                 m->to_device.data, sizeof work / 4, err);
        pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
        status = status != PINNA_OK ? status : done;
    }
    return status;
}

static pinna_status run(pn_matrix *m, int64_t first, int calls, pn_matrix_kernels kernels, double *us,
                        pinna_error *err) {
    pinna_status status = PINNA_OK;
    double started = now();
    for (int c = 0; c < calls && status == PINNA_OK; ++c) {
        const pn_matrix_call work = pn_opencl_matrix_call(m, first + c);
        size_t at = pn_opencl_matrix_block_at(m, first + c);
        status = pn_opencl_matrix_enqueue(m, &work.head, at, kernels, err);
        if (status == PINNA_OK)
            status = pn_opencl_matrix_enqueue(m, &work.rest, at + offsetof(pn_matrix_call, rest) / 4, kernels,
                                              err);
    }
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    *us = 1e6 * (now() - started) / calls;
    return status != PINNA_OK ? status : done;
}

/* Bytes that the sums of a call move, mean over all phases. */
static double sums_bytes(const pn_matrix *m) {
    double bytes = 0;
    for (int l = 0; l < m->levels; ++l) {
        const pn_level_layout *level = &m->level[l];
        bytes += level->sums_bytes / level->period;
    }
    return bytes;
}

/* A device that has no room for it is not an error. */
static void measure_copy(pn_matrix *m, pn_matrix_rates *rates) {
    cl_mem from = NULL, to = NULL;
    double bytes =
        (double)m->device->info.max_alloc < COPY_BYTES ? (double)m->device->info.max_alloc : COPY_BYTES;
    size_t count = (size_t)(bytes / 4);
    pinna_status status = pn_opencl_buffer_create(m->device, "a copy", count, &from, NULL);
    if (status == PINNA_OK)
        status = pn_opencl_buffer_create(m->device, "a copy", count, &to, NULL);
    if (status == PINNA_OK) /* memory that was never written may not be there */
        status = pn_opencl_clear(m->device, m->queue, from, count, NULL);
    if (status == PINNA_OK)
        status = pn_opencl_clear(m->device, m->queue, to, count, NULL);
    if (status == PINNA_OK)
        status = pn_opencl_finish(m->device, m->queue, NULL);
    for (int r = 0; r < RUNS && status == PINNA_OK; ++r) {
        double started = now();
        for (int c = 0; c < COPIES && status == PINNA_OK; ++c)
            status = pn_opencl_copy(m->device, m->queue, from, to, count, NULL);
        if (status == PINNA_OK)
            status = pn_opencl_finish(m->device, m->queue, NULL);
        rates->copy_rate = 1e-9 * 2 * COPIES * 4 * (double)count / (now() - started);
    }
    if (status != PINNA_OK)
        rates->copy_rate = 0;
    pn_opencl_buffer_release(&from);
    pn_opencl_buffer_release(&to);
}

pinna_status pn_opencl_matrix_time(pn_matrix *m, pn_matrix_rates *rates, pinna_error *err) {
    const struct {
        pn_matrix_kernels kernels;
        double *us;
    } kinds[] = {{PN_MATRIX_FORWARD, &rates->forward_us},
                 {PN_MATRIX_SUMS, &rates->sums_us},
                 {PN_MATRIX_INVERSE, &rates->inverse_us}};
    *rates = (pn_matrix_rates){0};
    pn_opencl_matrix_reset(m);
    if (m->lost)
        return pn_fail(err, PINNA_DEVICE, "%s (%s): an earlier job failed", m->device->head.name,
                       m->device->info.name);
    int period = m->level[m->levels - 1].period, calls = period;
    while (m->levels == 1 && calls < CALLS && calls < m->blocks)
        calls *= 2;
    int64_t first = 4 * (int64_t)period; /* from here on all levels have jobs */
    pinna_status status = send_works(m, first, calls, err);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && status == PINNA_OK; ++k)
        for (int r = 0; r < RUNS && status == PINNA_OK; ++r)
            status = run(m, first, calls, kinds[k].kernels, kinds[k].us, err);
    rates->sums_rate = status == PINNA_OK ? 1e-3 * sums_bytes(m) / rates->sums_us : 0;
    pn_opencl_matrix_reset(m);
    return status;
}

pinna_status pn_opencl_matrix_measure(pn_matrix *m, pn_matrix_rates *rates, pinna_error *err) {
    pinna_status status = pn_opencl_matrix_time(m, rates, err);
    if (status == PINNA_OK)
        measure_copy(m, rates);
    return status;
}
