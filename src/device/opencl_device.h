// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_DEVICE_H
#define PN_DEVICE_OPENCL_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "device/backend.h"
#include "device/opencl_api.h"
#include "device/opencl_probe.h"
#include "device/opencl_program.h"
#include "device/opencl_tune.h"

/* An open device, and the few calls that everything else reaches it by: they translate OpenCL's codes into
 * messages that name the device, and fail on request in tests.
 *
 * Each job has an in-order queue, buffers and kernel objects of its own, so jobs of different objects may be begun in
 * different threads and be in flight at once. */

typedef struct {
    pn_backend head;
    pn_opencl_info info;
    cl_device_id id;
    cl_context context;
    cl_program program;
    size_t max_group; /* power of two: work-items that we put into a group at most */
    pn_opencl_widths widths;
    pn_opencl_tuning tuning; /* where they are from */
    _Atomic uint64_t used;   /* bytes of matrices */
    atomic_int told_db;      /* largest error of 16-bit spectra that was told, dB rounded up; 0: none yet */
} pn_opencl;

/* Opens, builds with the widths that are kept for the device, and does no self-test. */
pinna_status pn_opencl_device_open(const pn_opencl_info *info, pn_opencl **device, pinna_error *err);
/* The same with kernels of these widths, whatever suits the device, and past the cache of programs. */
pinna_status pn_opencl_device_open_with(const pn_opencl_info *info, const pn_opencl_widths *widths,
                                        pn_opencl **device, pinna_error *err);
/* What suits devices of its type as a rule. */
pn_opencl_widths pn_opencl_usual_widths(const pn_opencl_info *info);
void pn_opencl_device_close(pn_opencl *device); /* accepts NULL, half-built ones, and pn_free's it */

/* ---- objects; the release calls accept NULL and leave NULL */

pinna_status pn_opencl_queue_create(const pn_opencl *device, cl_command_queue *queue, pinna_error *err);
void pn_opencl_queue_release(cl_command_queue *queue);
pinna_status pn_opencl_kernel_create(const pn_opencl *device, const char *name, cl_kernel *kernel,
                                     pinna_error *err);
void pn_opencl_kernel_release(cl_kernel *kernel);

/* A device buffer of count floats (or other 32-bit values), content undefined. PINNA_NO_MEMORY with the size when
 * it is more than the device gives in one piece, or cannot be had. */
pinna_status pn_opencl_buffer_create(const pn_opencl *device, const char *what, size_t count, cl_mem *buffer,
                                     pinna_error *err);
void pn_opencl_buffer_release(cl_mem *buffer);
/* PINNA_NO_MEMORY as create says it where it is more than one piece; asks the device for nothing. */
pinna_status pn_opencl_buffer_check(const pn_opencl *device, const char *what, size_t count,
                                    pinna_error *err);

/* Memory that the device copies from and to without a detour: pinned and mapped once where the driver gives
 * that, ordinary memory otherwise. */
typedef struct {
    cl_mem pinned; /* NULL: ordinary memory */
    float *data;
    size_t count;
} pn_opencl_staging;
pinna_status pn_opencl_staging_create(const pn_opencl *device, cl_command_queue queue, size_t count,
                                      pn_opencl_staging *staging, pinna_error *err);
void pn_opencl_staging_release(cl_command_queue queue, pn_opencl_staging *staging);

/* ---- commands; all but the waiting ones return at once. They do not allocate on our side. PINNA_DEVICE. */

/* floats from..from+count-1 of the buffer; data must stay until the queue has gone past it. */
pinna_status pn_opencl_write(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, size_t from,
                             const void *data, size_t count, pinna_error *err);
/* The buffer's first count floats become 0; count 0: nothing. */
pinna_status pn_opencl_clear(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, size_t count,
                             pinna_error *err);
/* The first count floats of one buffer to another. */
pinna_status pn_opencl_copy(const pn_opencl *device, cl_command_queue queue, cl_mem from, cl_mem to,
                            size_t count, pinna_error *err);
/* event (may be NULL) becomes the reading's; release it with pn_opencl_wait. */
pinna_status pn_opencl_read(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, void *data,
                            size_t count, cl_event *event, pinna_error *err);
/* Three dimensions of work-items, in groups of at most `group` and at most max_group in the first one; items[0] and
 * group are powers of two or multiples of max_group. */
pinna_status pn_opencl_run(const pn_opencl *device, cl_command_queue queue, cl_kernel kernel,
                           const char *name, const size_t items[3], size_t group, pinna_error *err);
/* What comes into `then` from now on begins after all that is in `first`, which is flushed. The same queue: nothing. */
pinna_status pn_opencl_order(const pn_opencl *device, cl_command_queue first, cl_command_queue then,
                             pinna_error *err);
pinna_status pn_opencl_flush(const pn_opencl *device, cl_command_queue queue, pinna_error *err);
/* Waits for the event and releases it (also on failure; *event becomes NULL). */
pinna_status pn_opencl_wait(const pn_opencl *device, cl_event *event, pinna_error *err);
/* Waits for everything in the queue. */
pinna_status pn_opencl_finish(const pn_opencl *device, cl_command_queue queue, pinna_error *err);

typedef struct {
    size_t size;
    const void *value; /* NULL: local memory of that size */
} pn_opencl_arg;
/* Sets arguments 0 .. count-1. */
pinna_status pn_opencl_set_args(const pn_opencl *device, cl_kernel kernel, const char *name, int count,
                                const pn_opencl_arg *args, pinna_error *err);

/* One argument anew. */
pinna_status pn_opencl_set_arg(const pn_opencl *device, cl_kernel kernel, const char *name, int index,
                               pn_opencl_arg arg, pinna_error *err);

/* Kernels launched since the start. */
long pn_opencl_launches(void);

/* Tests only: the k-th command (write, read, run, wait) or the k-th buffer from now on fails, once, with
 * CL_OUT_OF_RESOURCES; 0 turns this off. */
void pn_opencl_fail_at(long k);
void pn_opencl_fail_buffer_at(long k);

#endif
