// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_IDLE_DEVICE_H
#define PN_TESTS_IDLE_DEVICE_H

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

#include "device/opencl_matrix.h"

/* A card that takes every command and computes nothing (fake_opencl.c): for what the host does, with far more channels
 * than a processor could compute. */

static const pn_backend_ops idle_ops = {.matrix_create = pn_opencl_matrix_create,
                                        .matrix_free = pn_opencl_matrix_free,
                                        .matrix_begin = pn_opencl_matrix_begin,
                                        .matrix_finish = pn_opencl_matrix_finish,
                                        .matrix_bytes = pn_opencl_matrix_bytes,
                                        .matrix_set_pool = pn_opencl_matrix_set_pool,
                                        .matrix_prime = pn_opencl_matrix_prime,
                                        .matrix_reset = pn_opencl_matrix_reset};

/* NULL where the library is not there. The sizes are those of a data-centre card. */
static inline pn_opencl *open_idle(double memory_gb) {
    const char *library = getenv("PINNA_FAKE_OPENCL");
    if (library == NULL)
        return NULL;
    setenv("PINNA_OPENCL_LIBRARY", library, 1);
    setenv("FAKE_OPENCL", "idle", 1);
    pn_opencl_info info = {.type = PN_OPENCL_GPU,
                           .memory = (uint64_t)(memory_gb * 1e9),
                           .max_alloc = (uint64_t)(memory_gb * 1e9 / 4),
                           .local_memory = 49152,
                           .units = 132,
                           .max_group = 1024};
    snprintf(info.name, sizeof info.name, "Idle");
    pn_opencl_widths widths = pn_opencl_usual_widths(&info);
    pn_opencl *device = NULL;
    pinna_error err = {0};
    assert_ok(pn_opencl_device_open_with(&info, &widths, &device, &err), &err);
    device->head.ops = &idle_ops;
    return device;
}

#endif
