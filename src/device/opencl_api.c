// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_api.h"

#include "base/library.h"

pn_cl_api pn_cl;

static const char *const function_names[] = {
#define PN_CL_NAME(name) "cl" #name,
    PN_CL_FUNCTIONS(PN_CL_NAME)
#undef PN_CL_NAME
};
enum { FUNCTIONS = sizeof function_names / sizeof function_names[0] };
_Static_assert(sizeof(pn_cl_api) == FUNCTIONS * sizeof(void *), "one pointer a function");

static pn_library opencl = {.variable = "PINNA_OPENCL_LIBRARY",
                            .present = true,
                            .usual = "libOpenCL.so.1",
                            .name = function_names,
                            .count = FUNCTIONS,
                            .table = &pn_cl,
                            .mutex = PTHREAD_MUTEX_INITIALIZER};

pinna_status pn_opencl_load(pinna_error *err) {
    const char *library = NULL, *lacks = NULL;
    switch (pn_library_load(&opencl, &library, &lacks)) {
    case PN_LIBRARY_ABSENT:
        return pn_fail(err, PINNA_UNSUPPORTED,
                       "no OpenCL loader (%s) on this machine; install one (Debian: ocl-icd-libopencl1, and "
                       "pocl-opencl-icd or the graphics card's driver), or use the CPU",
                       library);
    case PN_LIBRARY_LACKS:
        return pn_fail(err, PINNA_UNSUPPORTED, "the OpenCL loader %s lacks %s; OpenCL 1.2 is needed", library,
                       lacks);
    default:
        return PINNA_OK;
    }
}

const char *pn_opencl_error_name(cl_int code) {
    static const struct {
        cl_int code;
        const char *name;
    } names[] = {
        {CL_SUCCESS, "CL_SUCCESS"},
        {CL_DEVICE_NOT_FOUND, "CL_DEVICE_NOT_FOUND"},
        {CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE"},
        {CL_COMPILER_NOT_AVAILABLE, "CL_COMPILER_NOT_AVAILABLE"},
        {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
        {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
        {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
        {CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"},
        {CL_MAP_FAILURE, "CL_MAP_FAILURE"},
        {CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
        {CL_INVALID_VALUE, "CL_INVALID_VALUE"},
        {CL_INVALID_PLATFORM, "CL_INVALID_PLATFORM"},
        {CL_INVALID_DEVICE, "CL_INVALID_DEVICE"},
        {CL_INVALID_CONTEXT, "CL_INVALID_CONTEXT"},
        {CL_INVALID_COMMAND_QUEUE, "CL_INVALID_COMMAND_QUEUE"},
        {CL_INVALID_MEM_OBJECT, "CL_INVALID_MEM_OBJECT"},
        {CL_INVALID_BINARY, "CL_INVALID_BINARY"},
        {CL_INVALID_BUILD_OPTIONS, "CL_INVALID_BUILD_OPTIONS"},
        {CL_INVALID_PROGRAM_EXECUTABLE, "CL_INVALID_PROGRAM_EXECUTABLE"},
        {CL_INVALID_KERNEL_NAME, "CL_INVALID_KERNEL_NAME"},
        {CL_INVALID_KERNEL_ARGS, "CL_INVALID_KERNEL_ARGS"},
        {CL_INVALID_ARG_SIZE, "CL_INVALID_ARG_SIZE"},
        {CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE"},
        {CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"},
        {CL_INVALID_OPERATION, "CL_INVALID_OPERATION"},
        {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (names[i].code == code)
            return names[i].name;
    return "unknown OpenCL error";
}
