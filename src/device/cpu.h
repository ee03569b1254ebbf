// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_CPU_H
#define PN_DEVICE_CPU_H

#include "device/backend.h"
#include "signal/rafft.h"

/* What the files of the CPU back end share: backend_cpu.c opens it, cpu_level*.c and cpu_bank.c are its jobs.
 * Jobs and tasks for the pool are cut by the shape alone, and a sum always has the same order: which thread has a piece,
 * and how many there are, changes no bit. */
enum { PN_CPU_SIZES = 32 };

typedef struct {
    pn_backend head;
    pn_pool *pool; /* may be NULL */
    bool shared;   /* several threads share a job, now or once a pool is set */
    pn_simd simd;
    pn_rafft *fft[PN_CPU_SIZES]; /* of 2^k points, made when first asked for; levels share them */
} pn_cpu;

/* For `size` points; lives as long as the back end. Not while another thread asks. */
pinna_status pn_cpu_transform(pn_cpu *cpu, int size, const pn_rafft **fft, pinna_error *err);

pinna_status pn_cpu_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **level,
                                 pinna_error *err);
void pn_cpu_level_free(pn_level *level);
PN_BLOCK_PATH void pn_cpu_level_aim(pn_level *level, float *const *out);
PN_BLOCK_PATH pinna_status pn_cpu_level_begin(pn_level *level, const float *const *history, pinna_error *err);
PN_BLOCK_PATH void pn_cpu_level_advance(pn_level *level, int done, int of);
PN_BLOCK_PATH pinna_status pn_cpu_level_finish(pn_level *level, float *const *out, pinna_error *err);
PN_BLOCK_PATH pinna_status pn_cpu_level_lend(pn_level *level, const float *const **out, pinna_error *err);
pinna_status pn_cpu_level_feed(pn_level *level, const float *const *history, pinna_error *err);
PN_BLOCK_PATH void pn_cpu_level_reset(pn_level *level);
PN_BLOCK_PATH void pn_cpu_level_move(pn_level *level, const float *const *history);
PN_BLOCK_PATH void pn_cpu_level_mute(pn_level *level, const bool *muted);

pinna_status pn_cpu_bank_create(pn_backend *backend, const pn_bank_desc *desc, pn_bank **bank,
                                pinna_error *err);
void pn_cpu_bank_free(pn_bank *bank);
PN_BLOCK_PATH pinna_status pn_cpu_bank_begin(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);
PN_BLOCK_PATH pinna_status pn_cpu_bank_finish(pn_bank *bank, float *left, float *right, pinna_error *err);
pinna_status pn_cpu_bank_feed(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);

#endif
