// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_PROBE_H
#define PN_DEVICE_OPENCL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/backend.h"

/* What OpenCL there is on this machine. A vendor's library may abort or hang as soon as it is looked at, so the
 * first look happens in a child process with a time limit; a platform that dies there is reported, and never
 * touched by this process.
 *
 * The child is a fork() that loads OpenCL and writes what it sees into a pipe. In a process with other threads a
 * forked child may, by POSIX, only call async-signal-safe functions; loading a library is not among them. What
 * makes it work is that the C library readies its allocator and its loader for a fork; where another thread
 * holds some other lock just then, the child hangs, is ended by the time limit, and OpenCL is reported as not
 * answering: never a crash or a hang of the caller. The look happens once per process, before OpenCL is loaded here. */

typedef enum { PN_OPENCL_GPU, PN_OPENCL_ACCELERATOR, PN_OPENCL_CPU, PN_OPENCL_OTHER } pn_opencl_type;

typedef struct {
    int platform, device; /* as in opencl:P.D; device -1: the platform as a whole, with its problem */
    pn_opencl_type type;
    char platform_name[96], platform_version[160];
    char name[128], version[160], driver[96];
    uint64_t memory, max_alloc; /* bytes */
    uint64_t local_memory;
    int units, max_group;
    bool empty;        /* with device -1: the platform shows no device */
    char problem[256]; /* why it cannot be used; "" when it can be tried */
} pn_opencl_info;

/* All devices, platforms in order. *list: pn_free it; *count may be 0. PINNA_UNSUPPORTED without a loader,
 * PINNA_DEVICE when the loader itself dies or hangs. Any thread; takes up to the time limit per platform. */
pinna_status pn_opencl_list(pn_opencl_info **list, int *count, pinna_error *err);

/* For `auto`, whether that look can be spared: nothing was looked at in this process, and a look of an earlier one, on the
 * date given, found neither GPU nor accelerator with the same drivers and hardware (opencl_seen.h). pn_opencl_list always
 * looks, and refreshes what is remembered. Any thread. */
enum { PN_OPENCL_DATE = 11 }; /* "2026-11-28" */
bool pn_opencl_remembers_none(char date[PN_OPENCL_DATE]);

const char *pn_opencl_type_name(pn_opencl_type type); /* "GPU", "accelerator", "CPU", "other" */

/* Opens one device of the list and runs its self-test; report (may be NULL) as for pn_backend_selftest. */
pinna_status pn_opencl_try(const pn_opencl_info *info, void (*report)(void *user, const char *line),
                           void *user, pn_backend **backend, pinna_error *err);

/* Tests only: forgets what was seen, and sets the time limit (seconds; 0 = the usual 10). */
void pn_opencl_probe_again(double time_limit);

#endif
