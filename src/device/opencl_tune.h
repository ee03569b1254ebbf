// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_TUNE_H
#define PN_DEVICE_OPENCL_TUNE_H

#include "device/opencl_probe.h"
#include "device/opencl_program.h"

/* The widths that a device's kernels are built with: what suits its type as a rule, or what was found fastest on it
 * once, on request (`pinna devices --tune`), and is kept beside its program. Nothing is ever tuned when a device is
 * opened. No width changes the order of a sum, so that results do not depend on whether a device was tuned.
 *
 * What is kept is a file of the program cache (opencl_program.h says where) whose key names platform, device, driver
 * and sources; of another driver or version it is not found, and a damaged one is ignored. */

typedef enum { PN_OPENCL_USUAL, PN_OPENCL_TUNED, PN_OPENCL_DAMAGED } pn_opencl_tuning;

/* The widths kept for the device, else the usual ones; DAMAGED: usual, because what is kept cannot be used. */
pn_opencl_tuning pn_opencl_tuned_widths(const pn_opencl_info *info, pn_opencl_widths *widths);

/* Who hears of the tuning as it goes on; both calls are needed. */
typedef struct {
    void (*line)(void *user,
                 const char *line); /* of the usual widths, of each that is better, and of those kept */
    void (*progress)(void *user, int done, int of);
    void *user;
} pn_opencl_tune_listener;

/* Tries widths on a matrix of a middling size, one after the other from the usual ones on, and keeps the fastest that
 * pass the self-test. Builds the kernels some twenty times: seconds, or a minute or two where the driver compiles for a
 * processor. What fails with some widths is not an error, but left out. Nothing is written before the end. Fails before
 * it begins where nothing can be kept (pn_cache_check). Not while other work runs on the device. */
pinna_status pn_opencl_tune(const pn_opencl_info *info, const pn_opencl_tune_listener *to, pinna_error *err);

/* Keeps them, as if they had been found best. False: no cache. */
bool pn_opencl_keep_widths(const pn_opencl_info *info, const pn_opencl_widths *widths);

/* "sums 16 of 16 bins, 2 jobs, tiles 16, groups 64; transforms 8 lanes, groups 16". Returns text. */
const char *pn_opencl_widths_describe(const pn_opencl_widths *widths, char *text, size_t size);

#endif
