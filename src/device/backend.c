// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/backend.h"

#include <string.h>

/* `auto` asks OpenCL for a GPU or an accelerator, which it only gives when its self-test passed. */
static pinna_status open_auto(pn_pool *pool, pn_messages *messages, pn_backend **backend, pinna_error *err) {
    pinna_error reason = {0};
    if (pn_backend_opencl_open("auto", messages, backend, &reason) == PINNA_OK) {
        (*backend)->by_auto = true;
        pn_info(messages, "device: %s (%s), chosen by auto", (*backend)->name, (*backend)->description);
        return PINNA_OK;
    }
    pinna_status status = pn_backend_cpu_open(pool, backend, err);
    if (status == PINNA_OK)
        pn_info(messages, "device: cpu, chosen by auto, because: %s", reason.text);
    return status;
}

/* An explicit device that is not to be had is a failure, whether it is missing or broken. */
static pinna_status open_opencl(const char *spec, pn_messages *messages, pn_backend **backend,
                                pinna_error *err) {
    pinna_status status = pn_backend_opencl_open(spec, messages, backend, err);
    if (status != PINNA_UNSUPPORTED)
        return status;
    if (err != NULL)
        err->status = PINNA_DEVICE;
    return PINNA_DEVICE;
}

pinna_status pn_backend_open(const char *spec, pn_pool *pool, pn_messages *messages, pn_backend **backend,
                             pinna_error *err) {
    *backend = NULL;
    if (spec == NULL || strcmp(spec, "cpu") == 0)
        return pn_backend_cpu_open(pool, backend, err);
    if (strcmp(spec, "auto") == 0)
        return open_auto(pool, messages, backend, err);
    if (strcmp(spec, "opencl") == 0 || strncmp(spec, "opencl:", 7) == 0)
        return open_opencl(spec, messages, backend, err);
    return pn_fail(err, PINNA_BAD_ARGUMENT,
                   "device '%s' is unknown; expected auto, cpu, opencl or opencl:PLATFORM.DEVICE", spec);
}

void pn_backend_close(pn_backend *backend) {
    if (backend != NULL)
        backend->ops->close(backend);
}

pinna_status pn_backend_set_spectra(pn_backend *backend, int bits, pn_messages *messages, pinna_error *err) {
    if (bits != 0 && bits != 16 && bits != 32)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "spectra of %d bits; expected 16 or 32", bits);
    if (bits == 16 && backend->ops->matrix_create == NULL) {
        pn_warn(messages, "%s: spectra stay in 32 bits; those of 16 are for OpenCL devices", backend->name);
        return PINNA_OK;
    }
    backend->spectra_bits = bits;
    backend->messages = messages;
    return PINNA_OK;
}
