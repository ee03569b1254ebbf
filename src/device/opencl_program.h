// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_PROGRAM_H
#define PN_DEVICE_OPENCL_PROGRAM_H

#include "device/opencl_api.h"
#include "device/opencl_probe.h"

/* The widths that the kernels are built with. None of them changes the order of a sum. */
typedef struct {
    int bins;            /* 1, 4, 8, 16: of a vector in sums over partitions */
    int wide;            /* of a work-item there, a multiple of bins, at most 16 */
    int jobs;            /* 2, 4: that a work-item there sums at once */
    int lanes_log2;      /* 0, 2, 3: elements of a vector in transforms of the matrix and of the bank */
    int tile_log2;       /* 4, 5, 6: bins of a tile of the matrix */
    int group;           /* work-items of a group at most; no build define */
    int transform_group; /* the same in transforms */
} pn_opencl_widths;

/* The program of all kernels, for one device: from the binary cache, else built from the sources inside the program
 * (or, with PINNA_KERNELS=FOLDER in the environment, from the files there).
 *
 * Cache: $XDG_CACHE_HOME/pinna, else ~/.cache/pinna; PINNA_CACHE=off turns it off. A file holds everything its
 * binary depends on (sources by hash, options, platform, device, driver), which must agree to the letter, and a
 * checksum; it is written under another name and then renamed. A cache that cannot be read or written, is damaged
 * or is refused by the driver is no error: the sources are built. With cached false they always are, and nothing is kept. */
pinna_status pn_opencl_program_create(cl_context context, cl_device_id device, const pn_opencl_info *info,
                                      const pn_opencl_widths *widths, bool cached, cl_program *program,
                                      pinna_error *err);

/* What a device, its driver and the sources are called together, for what is kept of them: some lines. */
pinna_status pn_opencl_program_identity(const pn_opencl_info *info, char *text, size_t size,
                                        pinna_error *err);

/* Tests only: programs built from source since the start; and the k-th build from now on fails, once (0: none). */
long pn_opencl_source_builds(void);
void pn_opencl_fail_build_at(long k);

#endif
