// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_API_H
#define PN_DEVICE_OPENCL_API_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "base/status.h"

/* OpenCL 1.2, loaded at run time: the program starts on machines without it. The loader is libOpenCL.so.1, or
 * what the environment names as PINNA_OPENCL_LIBRARY (for tests). */

#define PN_CL_FUNCTIONS(X)                                                                                   \
    X(GetPlatformIDs)                                                                                        \
    X(GetPlatformInfo)                                                                                       \
    X(GetDeviceIDs)                                                                                          \
    X(GetDeviceInfo)                                                                                         \
    X(CreateContext)                                                                                         \
    X(ReleaseContext)                                                                                        \
    X(CreateCommandQueue)                                                                                    \
    X(ReleaseCommandQueue)                                                                                   \
    X(CreateProgramWithSource)                                                                               \
    X(CreateProgramWithBinary)                                                                               \
    X(BuildProgram)                                                                                          \
    X(GetProgramBuildInfo)                                                                                   \
    X(GetProgramInfo)                                                                                        \
    X(ReleaseProgram)                                                                                        \
    X(CreateKernel)                                                                                          \
    X(ReleaseKernel)                                                                                         \
    X(SetKernelArg)                                                                                          \
    X(GetKernelWorkGroupInfo)                                                                                \
    X(CreateBuffer)                                                                                          \
    X(ReleaseMemObject)                                                                                      \
    X(EnqueueWriteBuffer)                                                                                    \
    X(EnqueueReadBuffer)                                                                                     \
    X(EnqueueFillBuffer)                                                                                     \
    X(EnqueueCopyBuffer)                                                                                     \
    X(EnqueueMarkerWithWaitList)                                                                             \
    X(EnqueueBarrierWithWaitList)                                                                            \
    X(EnqueueMapBuffer)                                                                                      \
    X(EnqueueUnmapMemObject)                                                                                 \
    X(EnqueueNDRangeKernel)                                                                                  \
    X(Flush)                                                                                                 \
    X(Finish)                                                                                                \
    X(WaitForEvents)                                                                                         \
    X(ReleaseEvent)

typedef struct {
#define PN_CL_MEMBER(name) __typeof__(cl##name) *name;
    PN_CL_FUNCTIONS(PN_CL_MEMBER)
#undef PN_CL_MEMBER
} pn_cl_api;

/* The functions, once pn_opencl_load has returned PINNA_OK; stays loaded until the process ends. */
extern pn_cl_api pn_cl;

/* PINNA_UNSUPPORTED without a loader, or with one that lacks a function. Any thread, any number of times. */
pinna_status pn_opencl_load(pinna_error *err);

/* "CL_OUT_OF_RESOURCES"; static text; "unknown OpenCL error" for others. */
const char *pn_opencl_error_name(cl_int code);

#endif
