// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/opencl_backend.h"

static void close_backend(pn_backend *backend) {
    pn_opencl_device_close((pn_opencl *)backend);
}

static const pn_backend_ops opencl_ops = {
    .level_create = pn_opencl_level_create,
    .level_free = pn_opencl_level_free,
    .level_begin = pn_opencl_level_begin,
    .level_advance = pn_opencl_level_advance,
    .level_finish = pn_opencl_level_finish,
    .level_feed = pn_opencl_level_feed,
    .level_reset = pn_opencl_level_reset,
    .matrix_create = pn_opencl_matrix_create,
    .matrix_free = pn_opencl_matrix_free,
    .matrix_begin = pn_opencl_matrix_begin,
    .matrix_finish = pn_opencl_matrix_finish,
    .matrix_bytes = pn_opencl_matrix_bytes,
    .matrix_set_pool = pn_opencl_matrix_set_pool,
    .matrix_prime = pn_opencl_matrix_prime,
    .matrix_reset = pn_opencl_matrix_reset,
    .matrix_mute = pn_opencl_matrix_mute,
    .matrix_measure = pn_opencl_matrix_measure,
    .bank_create = pn_opencl_bank_create,
    .bank_free = pn_opencl_bank_free,
    .bank_begin = pn_opencl_bank_begin,
    .bank_finish = pn_opencl_bank_finish,
    .bank_feed = pn_opencl_bank_feed,
    .launches = pn_opencl_launches,
    .close = close_backend,
};

static pinna_status test_and_give(pn_opencl *device, void (*report)(void *user, const char *line), void *user,
                                  pn_backend **backend, pinna_error *err) {
    device->head.ops = &opencl_ops;
    pinna_status status = pn_backend_selftest(&device->head, report, user, err);
    if (status != PINNA_OK)
        pn_opencl_device_close(device);
    else
        *backend = &device->head;
    return status;
}

pinna_status pn_opencl_try(const pn_opencl_info *info, void (*report)(void *user, const char *line),
                           void *user, pn_backend **backend, pinna_error *err) {
    *backend = NULL;
    if (info->problem[0] != '\0')
        return pn_fail(err, PINNA_DEVICE, "opencl:%d.%d (%s): %s", info->platform,
                       info->device < 0 ? 0 : info->device,
                       info->device < 0 ? info->platform_name : info->name, info->problem);
    pn_opencl *device = NULL;
    pinna_status status = pn_opencl_device_open(info, &device, err);
    return status == PINNA_OK ? test_and_give(device, report, user, backend, err) : status;
}

pinna_status pn_opencl_open_with(const pn_opencl_info *info, const pn_opencl_widths *widths,
                                 pn_backend **backend, pinna_error *err) {
    *backend = NULL;
    pn_opencl *device = NULL;
    pinna_status status = pn_opencl_device_open_with(info, widths, &device, err);
    if (status == PINNA_OK) {
        device->head.ops = &opencl_ops;
        *backend = &device->head;
    }
    return status;
}

/* ------------------------------------------------------------------ choosing */

static void tell_tuning(const pn_backend *backend, pn_messages *messages) {
    if (((const pn_opencl *)backend)->tuning == PN_OPENCL_DAMAGED)
        pn_info(messages,
                "%s: what was kept of this device's tuning is damaged and not used; `pinna devices --tune` "
                "makes it anew",
                backend->name);
}

static const char no_device[] = "no OpenCL GPU or accelerator on this machine";

/* GPUs, then accelerators, then CPUs; auto leaves out CPUs. */
static pinna_status open_first(const pn_opencl_info *list, int count, bool with_cpu, pn_messages *messages,
                               pn_backend **backend, pinna_error *err) {
    static const pn_opencl_type order[] = {PN_OPENCL_GPU, PN_OPENCL_ACCELERATOR, PN_OPENCL_CPU};
    bool tried = false;
    pinna_error first = {0};
    for (int t = 0; t < (with_cpu ? 3 : 2); ++t) {
        for (int i = 0; i < count; ++i) {
            if (list[i].device < 0 || list[i].type != order[t])
                continue;
            pinna_error why = {0};
            if (pn_opencl_try(&list[i], NULL, NULL, backend, &why) == PINNA_OK) {
                tell_tuning(*backend, messages);
                return PINNA_OK;
            }
            pn_warn(messages, "%s; left out", why.text);
            if (!tried)
                first = why;
            tried = true;
        }
    }
    if (tried)
        return pn_fail(err, PINNA_DEVICE, "no OpenCL device can be used: %s", first.text);
    for (int i = 0; i < count && with_cpu; ++i)
        if (list[i].device < 0)
            return pn_fail(err, PINNA_DEVICE, "no OpenCL device can be used: platform %d (%s): %s",
                           list[i].platform, list[i].platform_name, list[i].problem);
    if (with_cpu)
        return pn_fail(err, PINNA_NOT_FOUND,
                       "no OpenCL device on this machine; install a driver (Debian: pocl-opencl-icd for the "
                       "processor), or use the CPU");
    return pn_fail(err, PINNA_NOT_FOUND, "%s", no_device);
}

static pinna_status open_numbered(const char *spec, const pn_opencl_info *list, int count,
                                  pn_messages *messages, pn_backend **backend, pinna_error *err) {
    int platform = -1, number = -1, used = 0;
    if (sscanf(spec, "opencl:%d.%d%n", &platform, &number, &used) != 2 || spec[used] != '\0' ||
        platform < 0 || number < 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "device '%s': expected opencl:PLATFORM.DEVICE by number, as in opencl:0.0", spec);
    char present[256] = "";
    for (int i = 0; i < count; ++i) {
        if (list[i].platform == platform && (list[i].device == number || list[i].device < 0)) {
            pinna_status status = pn_opencl_try(&list[i], NULL, NULL, backend, err);
            if (status == PINNA_OK)
                tell_tuning(*backend, messages);
            return status;
        }
        size_t length = strlen(present);
        if (list[i].device >= 0)
            snprintf(present + length, sizeof present - length, "%s%d.%d (%.40s)", length == 0 ? "" : ", ",
                     list[i].platform, list[i].device, list[i].name);
    }
    return pn_fail(err, PINNA_NOT_FOUND, "device '%s' does not exist; present: %s", spec,
                   present[0] == '\0' ? "none" : present);
}

pinna_status pn_backend_opencl_open(const char *spec, pn_messages *messages, pn_backend **backend,
                                    pinna_error *err) {
    *backend = NULL;
    bool by_number = strncmp(spec, "opencl:", 7) == 0, by_auto = strcmp(spec, "auto") == 0;
    char date[PN_OPENCL_DATE];
    if (by_auto && pn_opencl_remembers_none(date))
        return pn_fail(err, PINNA_NOT_FOUND, "%s (as seen on %s; `pinna devices` looks again)", no_device,
                       date);
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_status status = pn_opencl_list(&list, &count, err);
    if (status != PINNA_OK)
        return status;
    /* A driver that is installed without its hardware is nothing that `auto` needs to speak of. */
    for (int i = 0; i < count && !by_number; ++i)
        if (list[i].device < 0 && !(by_auto && list[i].empty))
            pn_warn(messages, "OpenCL platform %d (%s): %s", list[i].platform, list[i].platform_name,
                    list[i].problem);
    if (by_number)
        status = open_numbered(spec, list, count, messages, backend, err);
    else
        status = open_first(list, count, !by_auto, messages, backend, err);
    pn_free(list);
    return status;
}
