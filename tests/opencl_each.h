// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_OPENCL_EACH_H
#define PN_TESTS_OPENCL_EACH_H

#include <stdio.h>

#include "support.h"

#include "base/memory.h"
#include "device/opencl_backend.h"

/* Runs a program's tests once for every OpenCL device present, which they find opened here. */
static pn_backend *backend;

static inline int run_on_each_device(int (*run)(void)) {
    pn_opencl_info *list = NULL;
    int count = 0, failed = 0, tried = 0;
    pinna_error err = {0};
    if (pn_opencl_list(&list, &count, &err) != PINNA_OK) {
        printf("skipped: %s\n", err.text);
        return 77;
    }
    for (int i = 0; i < count; ++i) {
        if (list[i].problem[0] != '\0') {
            printf("left out: %s: %s\n", list[i].platform_name, list[i].problem);
            continue;
        }
        ++tried;
        if (pn_opencl_try(&list[i], NULL, NULL, &backend, &err) != PINNA_OK) {
            printf("%s\n", err.text);
            ++failed;
            continue;
        }
        printf("%s: %s\n", backend->name, backend->description);
        failed += run();
        pn_backend_close(backend);
        backend = NULL;
    }
    pn_free(list);
    if (tried == 0)
        printf("skipped: no OpenCL device can be used\n");
    return tried == 0 ? 77 : failed != 0;
}

/* The device with the kernels for graphics cards (single bins), then with those for processors (vectors), whatever it is. */
static inline void run_with_each_kind(void (*check)(pn_backend *)) {
    static const pn_opencl_type types[] = {PN_OPENCL_GPU, PN_OPENCL_CPU};
    for (int t = 0; t < 2; ++t) {
        pn_opencl_info info = ((const pn_opencl *)backend)->info;
        pn_opencl *device = NULL;
        pinna_error err = {0};
        info.type = types[t];
        assert_ok(pn_opencl_device_open(&info, &device, &err), &err);
        device->head.ops = backend->ops;
        check(&device->head);
        pn_opencl_device_close(device);
    }
}

#endif
