// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_BANK_H
#define PN_DEVICE_OPENCL_BANK_H

#include "device/opencl_backend.h"
#include "device/opencl_transform.h"

/* The inside of a bank on a device, for opencl_bank.c (making it) and opencl_bank_job.c (its quanta). */

enum {
    PN_BANK_ENDS = 4,  /* sums of a quantum: old left, old right, new left, new right, */
    PN_BANK_SUMS = 10, /* and, when filters bend, what inner ones differ by: 3 quarters, left and right */
    PN_SOURCE_WORDS = sizeof(pn_source) / 4,
    PN_FILTER_WORDS =
        2 * sizeof(pn_packed_ear) / 4 + 2 * (PN_FILTER_NODES + PN_FILTER_TINTS) * sizeof(pn_packed_share) / 4,
};

struct pn_bank {
    const pn_backend_ops *ops;
    const pn_opencl *device;
    int size, quantum, sources, nodes, tints, shares;
    int propagation; /* longest delay, samples; 0: heard without */
    int line_log2; /* a propagation line has 2^line_log2 samples; negative: sources are heard without delay */
    int memory;    /* quanta after which a history, and the line before it, is all silence */
    int at;        /* where the next quantum goes in the histories' rings */
    uint32_t line_at; /* and in the lines */
    int *silent;      /* quanta of silence at the end of each source's signal, counted up to memory + 1 */
    int sums;         /* of the quantum in flight: PN_BANK_ENDS or PN_BANK_SUMS */
    bool lost, begun;
    cl_command_queue queue;
    pn_opencl_transform transform;
    cl_kernel take, read, mix, bend, reduce_shares;
    cl_mem job, history, line, phases, x, node, tint, turns, y, out;
    pn_opencl_staging to_device, from_device;
    cl_event done;
};

/* Words of the job that a source takes at most, its samples included. */
static inline size_t pn_opencl_bank_words(const pn_bank_desc *desc) {
    return PN_SOURCE_WORDS + (2 + PN_BANK_INNER) * (size_t)PN_FILTER_WORDS + (size_t)desc->quantum;
}

/* Bins at a time in the bank's sums, PN_BANK_LANES of kernels/bank.h, is 8 on devices of the CPU type, where a work-item
 * walks along PN_RUN such vectors; else it has one bin. Work-items along the spectra: */
static inline size_t pn_opencl_bank_runs(const pn_opencl *device, int size) {
    size_t points = (size_t)size / 2, run = device->info.type == PN_OPENCL_CPU ? 32 * 8 : 1;
    return points > run ? points / run : 1;
}

/* Every kernel once, so that no driver compiles anything in the first quantum: one source, silent. */
pinna_status pn_opencl_bank_warm_up(pn_bank *bank, pinna_error *err);

#endif
