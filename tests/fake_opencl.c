// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* An OpenCL loader that misbehaves as drivers do, for the tests of the first look at platforms. FAKE_OPENCL in the
 * environment says how: where it acts ("load" = when the platforms are listed, "look" = when the devices of platform 1
 * of 3 are), and what it does: "abort" or "hang"; "empty" = platform 1 has no device, "empty all" = none has. Platforms 0 and 2 have one
 * unusable device each, of no known type; "gpu" = GPUs. */
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

/* The rest is only there to be found; other names in C, because the header declares these with arguments. */
#define ABSENT(name)                                                                                         \
    void absent_##name(void) __asm__("cl" #name);                                                            \
    void absent_##name(void) {                                                                               \
        abort();                                                                                             \
    }
ABSENT(CreateContext)
ABSENT(ReleaseContext)
ABSENT(CreateCommandQueue)
ABSENT(ReleaseCommandQueue)
ABSENT(CreateProgramWithSource)
ABSENT(CreateProgramWithBinary)
ABSENT(BuildProgram)
ABSENT(GetProgramBuildInfo)
ABSENT(GetProgramInfo)
ABSENT(ReleaseProgram)
ABSENT(CreateKernel)
ABSENT(ReleaseKernel)
ABSENT(SetKernelArg)
ABSENT(GetKernelWorkGroupInfo)
ABSENT(CreateBuffer)
ABSENT(ReleaseMemObject)
ABSENT(EnqueueWriteBuffer)
ABSENT(EnqueueReadBuffer)
ABSENT(EnqueueFillBuffer)
ABSENT(EnqueueCopyBuffer)
ABSENT(EnqueueMarkerWithWaitList)
ABSENT(EnqueueBarrierWithWaitList)
ABSENT(EnqueueMapBuffer)
ABSENT(EnqueueUnmapMemObject)
ABSENT(EnqueueNDRangeKernel)
ABSENT(Flush)
ABSENT(Finish)
ABSENT(WaitForEvents)
ABSENT(ReleaseEvent)
