// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_device.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/opencl_program.h"

/* Groups of 256 fit every GPU; PoCL and its like compile a kernel anew for each size of group. */
enum { GROUP_GPU = 256, GROUP_CPU = 64, LIST = 64 };
/* Compilers for processors make SIMD of vectors, not of work-items that loop; a GPU's lanes are work-items. */
static const pn_opencl_widths usual[] = {
    [PN_OPENCL_GPU] =
        {.bins = 1, .wide = 1, .jobs = 4, .tile_log2 = 5, .group = GROUP_GPU, .transform_group = GROUP_GPU},
    [PN_OPENCL_CPU] = {.bins = 16,
                       .wide = 16,
                       .jobs = 2,
                       .lanes_log2 = 3,
                       .tile_log2 = 4,
                       .group = GROUP_CPU,
                       .transform_group = 16}};

static atomic_long command_countdown, buffer_countdown, launches;

void pn_opencl_fail_at(long k) {
    atomic_store(&command_countdown, k);
}

void pn_opencl_fail_buffer_at(long k) {
    atomic_store(&buffer_countdown, k);
}

long pn_opencl_launches(void) {
    return atomic_load(&launches);
}

static bool must_fail(atomic_long *countdown) {
    return atomic_load_explicit(countdown, memory_order_relaxed) > 0 && atomic_fetch_sub(countdown, 1) == 1;
}

static pinna_status fail(const pn_opencl *device, const char *what, cl_int code, pinna_error *err) {
    return pn_fail(err, PINNA_DEVICE, "%s (%s): %s failed: %s (%d)", device->head.name, device->info.name,
                   what, pn_opencl_error_name(code), (int)code);
}

/* ------------------------------------------------------------------ the device */

static pinna_status find_id(pn_opencl *device, pinna_error *err) {
    cl_platform_id platforms[LIST];
    cl_device_id devices[LIST];
    cl_uint count = 0;
    cl_int code = pn_cl.GetPlatformIDs(LIST, platforms, &count);
    if (code != CL_SUCCESS || (cl_uint)device->info.platform >= count)
        return fail(device, "clGetPlatformIDs", code, err);
    code = pn_cl.GetDeviceIDs(platforms[device->info.platform], CL_DEVICE_TYPE_ALL, LIST, devices, &count);
    if (code != CL_SUCCESS || (cl_uint)device->info.device >= count)
        return fail(device, "clGetDeviceIDs", code, err);
    device->id = devices[device->info.device];
    return PINNA_OK;
}

/* The largest power of two that the device, every kernel and we agree to. */
static pinna_status choose_group(pn_opencl *device, pinna_error *err) {
    static const char *const names[] = {
        "forward_top",       "forward_rest",    "inverse_rest",  "inverse_top",
        "level_forward_top", "level_forward",   "level_inverse", "level_inverse_top",
        "multiply_add",      "multiply_add_16", "pack_spectra",  "reduce_shares",
        "bank_take",         "bank_read",       "bank_mix",      "bank_bend"};
    size_t most = (size_t)device->info.max_group;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        cl_kernel kernel = NULL;
        size_t fits = 0;
        pinna_status status = pn_opencl_kernel_create(device, names[i], &kernel, err);
        if (status != PINNA_OK)
            return status;
        if (pn_cl.GetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof fits, &fits,
                                         NULL) == CL_SUCCESS &&
            fits > 0 && fits < most)
            most = fits;
        pn_opencl_kernel_release(&kernel);
    }
    device->max_group = (size_t)device->widths.group;
    while (device->max_group > most)
        device->max_group /= 2;
    return PINNA_OK;
}

static pinna_status open_device(pn_opencl *device, bool cached, pinna_error *err) {
    pinna_status status = find_id(device, err);
    if (status != PINNA_OK)
        return status;
    cl_int code = CL_SUCCESS;
    device->context = pn_cl.CreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    if (device->context == NULL)
        return fail(device, "clCreateContext", code, err);
    pinna_status built = pn_opencl_program_create(device->context, device->id, &device->info, &device->widths,
                                                  cached, &device->program, err);
    return built == PINNA_OK ? choose_group(device, err) : built;
}

pn_opencl_widths pn_opencl_usual_widths(const pn_opencl_info *info) {
    return usual[info->type == PN_OPENCL_CPU ? PN_OPENCL_CPU : PN_OPENCL_GPU];
}

static pinna_status open_with(const pn_opencl_info *info, const pn_opencl_widths *widths, bool cached,
                              pn_opencl **out, pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_opencl_load(err);
    if (status != PINNA_OK)
        return status;
    pn_opencl *device = pn_alloc(1, sizeof *device);
    if (device == NULL)
        return pn_fail_memory(err, "the OpenCL device", sizeof *device);
    device->info = *info;
    device->widths = *widths;
    device->head.kind = PN_BACKEND_OPENCL;
    snprintf(device->head.name, sizeof device->head.name, "opencl:%d.%d", info->platform % 100,
             info->device % 1000);
    snprintf(device->head.description, sizeof device->head.description, "%.90s, %.120s", info->platform_name,
             info->name);
    status = open_device(device, cached, err);
    if (status != PINNA_OK)
        pn_opencl_device_close(device);
    else
        *out = device;
    return status;
}

pinna_status pn_opencl_device_open(const pn_opencl_info *info, pn_opencl **out, pinna_error *err) {
    pn_opencl_widths widths;
    pn_opencl_tuning tuning = pn_opencl_tuned_widths(info, &widths);
    pinna_status status = open_with(info, &widths, true, out, err);
    if (status == PINNA_OK)
        (*out)->tuning = tuning;
    return status;
}

pinna_status pn_opencl_device_open_with(const pn_opencl_info *info, const pn_opencl_widths *widths,
                                        pn_opencl **out, pinna_error *err) {
    return open_with(info, widths, false, out, err);
}

void pn_opencl_device_close(pn_opencl *device) {
    if (device == NULL)
        return;
    if (device->program != NULL)
        pn_cl.ReleaseProgram(device->program);
    if (device->context != NULL)
        pn_cl.ReleaseContext(device->context);
    pn_free(device);
}

/* ------------------------------------------------------------------ objects */

pinna_status pn_opencl_queue_create(const pn_opencl *device, cl_command_queue *queue, pinna_error *err) {
    cl_int code = CL_SUCCESS;
    *queue = pn_cl.CreateCommandQueue(device->context, device->id, 0, &code);
    return *queue == NULL ? fail(device, "clCreateCommandQueue", code, err) : PINNA_OK;
}

void pn_opencl_queue_release(cl_command_queue *queue) {
    if (*queue != NULL)
        pn_cl.ReleaseCommandQueue(*queue);
    *queue = NULL;
}

pinna_status pn_opencl_kernel_create(const pn_opencl *device, const char *name, cl_kernel *kernel,
                                     pinna_error *err) {
    cl_int code = CL_SUCCESS;
    *kernel = pn_cl.CreateKernel(device->program, name, &code);
    return *kernel == NULL ? fail(device, name, code, err) : PINNA_OK;
}

void pn_opencl_kernel_release(cl_kernel *kernel) {
    if (*kernel != NULL)
        pn_cl.ReleaseKernel(*kernel);
    *kernel = NULL;
}

pinna_status pn_opencl_buffer_check(const pn_opencl *device, const char *what, size_t count,
                                    pinna_error *err) {
    double bytes = 4.0 * (double)count;
    if (bytes <= (double)device->info.max_alloc)
        return PINNA_OK;
    return pn_fail(err, PINNA_NO_MEMORY,
                   "%s (%s): %s would be %.1f MB, and the device gives %.1f MB in one piece; use the CPU, or "
                   "fewer or shorter responses",
                   device->head.name, device->info.name, what, bytes * 1e-6,
                   (double)device->info.max_alloc * 1e-6);
}

pinna_status pn_opencl_buffer_create(const pn_opencl *device, const char *what, size_t count, cl_mem *buffer,
                                     pinna_error *err) {
    *buffer = NULL;
    double bytes = 4.0 * (double)count;
    pinna_status status = pn_opencl_buffer_check(device, what, count, err);
    if (status != PINNA_OK)
        return status;
    cl_int code = CL_OUT_OF_RESOURCES;
    if (!must_fail(&buffer_countdown))
        *buffer =
            pn_cl.CreateBuffer(device->context, CL_MEM_READ_WRITE, (count == 0 ? 1 : count) * 4, NULL, &code);
    if (*buffer != NULL)
        return PINNA_OK;
    return pn_fail(err, PINNA_NO_MEMORY, "%s (%s): no memory for %s (%.1f MB): %s", device->head.name,
                   device->info.name, what, bytes * 1e-6, pn_opencl_error_name(code));
}

void pn_opencl_buffer_release(cl_mem *buffer) {
    if (*buffer != NULL)
        pn_cl.ReleaseMemObject(*buffer);
    *buffer = NULL;
}

pinna_status pn_opencl_staging_create(const pn_opencl *device, cl_command_queue queue, size_t count,
                                      pn_opencl_staging *staging, pinna_error *err) {
    *staging = (pn_opencl_staging){.count = count};
    size_t bytes = (count == 0 ? 1 : count) * sizeof(float);
    cl_int code = CL_SUCCESS;
    staging->pinned =
        pn_cl.CreateBuffer(device->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
    if (staging->pinned != NULL)
        staging->data = pn_cl.EnqueueMapBuffer(queue, staging->pinned, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                               bytes, 0, NULL, NULL, &code);
    if (staging->data == NULL) {
        pn_opencl_buffer_release(&staging->pinned);
        staging->data = pn_alloc_floats(count);
    }
    if (staging->data == NULL)
        return pn_fail_memory(err, "copies from and to the device", (double)bytes);
    memset(staging->data, 0, bytes);
    return PINNA_OK;
}

void pn_opencl_staging_release(cl_command_queue queue, pn_opencl_staging *staging) {
    if (staging->pinned == NULL) {
        pn_free(staging->data);
    } else {
        pn_cl.EnqueueUnmapMemObject(queue, staging->pinned, staging->data, 0, NULL, NULL);
        pn_cl.Finish(queue);
        pn_opencl_buffer_release(&staging->pinned);
    }
    *staging = (pn_opencl_staging){0};
}

/* ------------------------------------------------------------------ commands */

pinna_status pn_opencl_write(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, size_t from,
                             const void *data, size_t count, pinna_error *err) {
    cl_int code = CL_OUT_OF_RESOURCES;
    if (count == 0)
        return PINNA_OK;
    if (!must_fail(&command_countdown))
        code = pn_cl.EnqueueWriteBuffer(queue, buffer, CL_FALSE, from * 4, count * 4, data, 0, NULL, NULL);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "a copy to the device", code, err);
}

pinna_status pn_opencl_clear(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, size_t count,
                             pinna_error *err) {
    const float zero = 0;
    cl_int code = CL_OUT_OF_RESOURCES;
    if (count == 0)
        return PINNA_OK;
    if (!must_fail(&command_countdown))
        code = pn_cl.EnqueueFillBuffer(queue, buffer, &zero, sizeof zero, 0, count * 4, 0, NULL, NULL);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "clearing a buffer", code, err);
}

pinna_status pn_opencl_copy(const pn_opencl *device, cl_command_queue queue, cl_mem from, cl_mem to,
                            size_t count, pinna_error *err) {
    cl_int code = CL_OUT_OF_RESOURCES;
    if (!must_fail(&command_countdown))
        code = pn_cl.EnqueueCopyBuffer(queue, from, to, 0, 0, count * 4, 0, NULL, NULL);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "a copy on the device", code, err);
}

pinna_status pn_opencl_read(const pn_opencl *device, cl_command_queue queue, cl_mem buffer, void *data,
                            size_t count, cl_event *event, pinna_error *err) {
    cl_int code = CL_OUT_OF_RESOURCES;
    if (!must_fail(&command_countdown))
        code = pn_cl.EnqueueReadBuffer(queue, buffer, CL_FALSE, 0, count * 4, data, 0, NULL, event);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "a copy from the device", code, err);
}

pinna_status pn_opencl_run(const pn_opencl *device, cl_command_queue queue, cl_kernel kernel,
                           const char *name, const size_t items[3], size_t group, pinna_error *err) {
    const size_t local[3] = {group, 1, 1};
    cl_int code = CL_OUT_OF_RESOURCES;
    atomic_fetch_add_explicit(&launches, 1, memory_order_relaxed);
    if (!must_fail(&command_countdown))
        code = pn_cl.EnqueueNDRangeKernel(queue, kernel, 3, NULL, items, local, 0, NULL, NULL);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, name, code, err);
}

pinna_status pn_opencl_order(const pn_opencl *device, cl_command_queue first, cl_command_queue then,
                             pinna_error *err) {
    cl_event reached = NULL;
    if (first == then)
        return PINNA_OK;
    cl_int code = must_fail(&command_countdown) ? CL_OUT_OF_RESOURCES
                                                : pn_cl.EnqueueMarkerWithWaitList(first, 0, NULL, &reached);
    if (code == CL_SUCCESS)
        code = pn_cl.Flush(first);
    if (code == CL_SUCCESS)
        code = pn_cl.EnqueueBarrierWithWaitList(then, 1, &reached, NULL);
    if (reached != NULL)
        pn_cl.ReleaseEvent(reached);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "ordering two queues", code, err);
}

pinna_status pn_opencl_flush(const pn_opencl *device, cl_command_queue queue, pinna_error *err) {
    cl_int code = pn_cl.Flush(queue);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "clFlush", code, err);
}

pinna_status pn_opencl_wait(const pn_opencl *device, cl_event *event, pinna_error *err) {
    cl_int code = pn_cl.WaitForEvents(1, event);
    pn_cl.ReleaseEvent(*event);
    *event = NULL;
    if (must_fail(&command_countdown))
        code = CL_OUT_OF_RESOURCES;
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "a job", code, err);
}

pinna_status pn_opencl_finish(const pn_opencl *device, cl_command_queue queue, pinna_error *err) {
    cl_int code = pn_cl.Finish(queue);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, "clFinish", code, err);
}

pinna_status pn_opencl_set_arg(const pn_opencl *device, cl_kernel kernel, const char *name, int index,
                               pn_opencl_arg arg, pinna_error *err) {
    cl_int code = pn_cl.SetKernelArg(kernel, (cl_uint)index, arg.size, arg.value);
    return code == CL_SUCCESS ? PINNA_OK : fail(device, name, code, err);
}

pinna_status pn_opencl_set_args(const pn_opencl *device, cl_kernel kernel, const char *name, int count,
                                const pn_opencl_arg *args, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int i = 0; i < count && status == PINNA_OK; ++i)
        status = pn_opencl_set_arg(device, kernel, name, i, args[i], err);
    return status;
}
