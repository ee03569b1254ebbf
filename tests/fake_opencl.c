// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* An OpenCL loader that misbehaves as drivers do, for the tests of the first look at platforms. FAKE_OPENCL in the
 * environment says how: where it acts ("load" = when the platforms are listed, "look" = when the devices of platform
 * 1 of 3 are), and what it does: "abort" or "hang"; "empty" = platform 1 has no device, "empty all" = none has.
 * Platforms 0 and 2 have one unusable device each, of no known type; "gpu" = GPUs. "idle": see below. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void misbehave(const char *where) {
    const char *how = getenv("FAKE_OPENCL");
    if (how == NULL || strncmp(how, where, strlen(where)) != 0)
        return;
    if (strstr(how, "abort") != NULL)
        abort();
    while (strstr(how, "hang") != NULL)
        sleep(1);
}

static int platforms[3], devices[3];

cl_int clGetPlatformIDs(cl_uint room, cl_platform_id *list, cl_uint *count) {
    misbehave("load");
    for (cl_uint p = 0; p < room && p < 3; ++p)
        list[p] = (cl_platform_id)(void *)&platforms[p];
    *count = 3;
    return CL_SUCCESS;
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *list,
                      cl_uint *count) {
    (void)type;
    (void)room;
    long p = (int *)(void *)platform - platforms;
    if (p == 1)
        misbehave("look");
    const char *how = getenv("FAKE_OPENCL");
    if (how != NULL && (strcmp(how, "empty all") == 0 || (p == 1 && strcmp(how, "empty") == 0)))
        return CL_DEVICE_NOT_FOUND;
    list[0] = (cl_device_id)(void *)&devices[p];
    *count = 1;
    return CL_SUCCESS;
}

static cl_int answer(size_t size, void *value, size_t *needed) {
    static const char text[] = "Fake";
    memset(value, 0, size);
    if (size > 8)
        memcpy(value, text, sizeof text);
    if (needed != NULL)
        *needed = sizeof text;
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *value,
                         size_t *needed) {
    (void)platform;
    (void)what;
    return answer(size, value, needed);
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value, size_t *needed) {
    (void)device;
    cl_int code = answer(size, value, needed);
    const char *how = getenv("FAKE_OPENCL");
    if (what == CL_DEVICE_TYPE && how != NULL && strcmp(how, "gpu") == 0)
        *(cl_device_type *)value = CL_DEVICE_TYPE_GPU;
    return code;
}

/* ------------------------------------------------------------------ idle
 *
 * With "idle" in the environment everything else succeeds at once and does nothing: what is left is the host's part.
 * Only memory that is mapped exists. Else these functions are only there to be found. */

static void only_idle(void) {
    const char *how = getenv("FAKE_OPENCL");
    if (how == NULL || strcmp(how, "idle") != 0)
        abort();
}

typedef struct {
    size_t size;
    void *mapped;
} buffer;

static int thing; /* what a handle points to that needs no content */

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *list,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
                           cl_int *code) {
    (void)properties, (void)count, (void)list, (void)notify, (void)user;
    only_idle();
    *code = CL_SUCCESS;
    return (cl_context)(void *)&thing;
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device,
                                      cl_command_queue_properties properties, cl_int *code) {
    (void)context, (void)device, (void)properties;
    only_idle();
    *code = CL_SUCCESS;
    return (cl_command_queue)(void *)&thing;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **text,
                                     const size_t *lengths, cl_int *code) {
    (void)context, (void)count, (void)text, (void)lengths;
    only_idle();
    *code = CL_SUCCESS;
    return (cl_program)(void *)&thing;
}

cl_program clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *list,
                                     const size_t *lengths, const unsigned char **binaries, cl_int *status,
                                     cl_int *code) {
    (void)context, (void)count, (void)list, (void)lengths, (void)binaries, (void)status;
    only_idle();
    *code = CL_INVALID_VALUE;
    return NULL;
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
    (void)program, (void)name;
    only_idle();
    *code = CL_SUCCESS;
    return (cl_kernel)(void *)&thing;
}

cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what,
                                size_t size, void *value, size_t *needed) {
    (void)kernel, (void)device, (void)what, (void)needed;
    only_idle();
    memset(value, 0, size);
    *(size_t *)value = 1024;
    return CL_SUCCESS;
}

cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value, size_t *needed) {
    (void)program, (void)what, (void)size, (void)value, (void)needed;
    only_idle();
    return CL_INVALID_VALUE; /* there is no binary */
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code) {
    (void)context, (void)flags, (void)host;
    only_idle();
    buffer *b = calloc(1, sizeof *b);
    *code = b == NULL ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
    if (b != NULL)
        b->size = size;
    return (cl_mem)(void *)b;
}

cl_int clReleaseMemObject(cl_mem memory) {
    buffer *b = (buffer *)(void *)memory;
    free(b->mapped);
    free(b);
    return CL_SUCCESS;
}

void *clEnqueueMapBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, cl_map_flags flags,
                         size_t from, size_t size, cl_uint count, const cl_event *list, cl_event *event,
                         cl_int *code) {
    (void)queue, (void)blocking, (void)flags, (void)from, (void)size, (void)count, (void)list, (void)event;
    buffer *b = (buffer *)(void *)memory;
    if (b->mapped == NULL)
        b->mapped = aligned_alloc(4096, (b->size + 4095) / 4096 * 4096);
    *code = b->mapped == NULL ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS;
    return b->mapped;
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t from, size_t size,
                           void *data, cl_uint count, const cl_event *list, cl_event *event) {
    (void)queue, (void)memory, (void)blocking, (void)from, (void)size, (void)data, (void)count, (void)list;
    only_idle();
    if (event != NULL)
        *event = (cl_event)(void *)&thing;
    return CL_SUCCESS;
}

cl_int clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint count, const cl_event *list,
                                   cl_event *event) {
    (void)queue, (void)count, (void)list;
    only_idle();
    *event = (cl_event)(void *)&thing;
    return CL_SUCCESS;
}

/* The others only have to succeed; under other names in C, because the header declares them with arguments. */
#define ACCEPTED(name)                                                                                       \
    cl_int accepted_##name(void) __asm__("cl" #name);                                                        \
    cl_int accepted_##name(void) {                                                                           \
        only_idle();                                                                                         \
        return CL_SUCCESS;                                                                                   \
    }
ACCEPTED(ReleaseContext)
ACCEPTED(ReleaseCommandQueue)
ACCEPTED(BuildProgram)
ACCEPTED(GetProgramBuildInfo)
ACCEPTED(ReleaseProgram)
ACCEPTED(ReleaseKernel)
ACCEPTED(SetKernelArg)
ACCEPTED(EnqueueWriteBuffer)
ACCEPTED(EnqueueFillBuffer)
ACCEPTED(EnqueueCopyBuffer)
ACCEPTED(EnqueueBarrierWithWaitList)
ACCEPTED(EnqueueUnmapMemObject)
ACCEPTED(EnqueueNDRangeKernel)
ACCEPTED(Flush)
ACCEPTED(Finish)
ACCEPTED(WaitForEvents)
ACCEPTED(ReleaseEvent)
