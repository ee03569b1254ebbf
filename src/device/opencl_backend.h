// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPENCL_BACKEND_H
#define PN_DEVICE_OPENCL_BACKEND_H

#include "device/opencl_device.h"

/* What the files of the OpenCL back end share: backend_opencl.c opens it, opencl_matrix.c (with opencl_level.c) and
 * opencl_bank.c are its jobs. After a job has failed all further ones of the same object do, until level_reset: what
 * the device holds of the history is then unknown. */

pinna_status pn_opencl_matrix_create(pn_backend *backend, const pn_matrix_desc *desc, pn_matrix **matrix,
                                     pinna_error *err);
void pn_opencl_matrix_free(pn_matrix *matrix);
PN_BLOCK_PATH pinna_status pn_opencl_matrix_begin(pn_matrix *matrix, const float *const *in,
                                                  pinna_error *err);
PN_BLOCK_PATH pinna_status pn_opencl_matrix_finish(pn_matrix *matrix, float *const *out, pinna_error *err);
double pn_opencl_matrix_bytes(const pn_matrix *matrix);
PN_BLOCK_PATH void pn_opencl_matrix_set_pool(pn_matrix *matrix, pn_pool *pool);
pinna_status pn_opencl_matrix_prime(pn_matrix *matrix, int64_t time, pn_matrix_window window,
                                    const void *user, pinna_error *err);
PN_BLOCK_PATH void pn_opencl_matrix_reset(pn_matrix *matrix);
PN_BLOCK_PATH void pn_opencl_matrix_mute(pn_matrix *matrix, const bool *muted);
pinna_status pn_opencl_matrix_measure(pn_matrix *matrix, pn_matrix_rates *rates, pinna_error *err);
/* For a matrix of one level: the block before the next call's, and a call that only takes its input. */
PN_BLOCK_PATH pinna_status pn_opencl_matrix_seed(pn_matrix *matrix, const float *const *in, pinna_error *err);
pinna_status pn_opencl_matrix_feed(pn_matrix *matrix, const float *const *in, pinna_error *err);

pinna_status pn_opencl_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **level,
                                    pinna_error *err);
void pn_opencl_level_free(pn_level *level);
PN_BLOCK_PATH pinna_status pn_opencl_level_begin(pn_level *level, const float *const *history,
                                                 pinna_error *err);
PN_BLOCK_PATH void pn_opencl_level_advance(pn_level *level, int done, int of);
PN_BLOCK_PATH pinna_status pn_opencl_level_finish(pn_level *level, float *const *out, pinna_error *err);
pinna_status pn_opencl_level_feed(pn_level *level, const float *const *history, pinna_error *err);
PN_BLOCK_PATH void pn_opencl_level_reset(pn_level *level);

pinna_status pn_opencl_bank_create(pn_backend *backend, const pn_bank_desc *desc, pn_bank **bank,
                                   pinna_error *err);
void pn_opencl_bank_free(pn_bank *bank);
PN_BLOCK_PATH pinna_status pn_opencl_bank_begin(pn_bank *bank, const pn_bank_source *sources,
                                                pinna_error *err);
PN_BLOCK_PATH pinna_status pn_opencl_bank_finish(pn_bank *bank, float *left, float *right, pinna_error *err);
pinna_status pn_opencl_bank_feed(pn_bank *bank, const pn_bank_source *sources, pinna_error *err);

/* pn_opencl_device_open_with as a back end: no self-test. */
pinna_status pn_opencl_open_with(const pn_opencl_info *info, const pn_opencl_widths *widths,
                                 pn_backend **backend, pinna_error *err);

/* Parts that `work` products per bin are cut into, so that bins * parts work-items keep a device of this kind busy. */
static inline int pn_opencl_shares(const pn_opencl *device, size_t items, int work) {
    size_t unit = device->info.type == PN_OPENCL_CPU ? 128 : 2048; /* work-items that fill a compute unit */
    size_t wanted = (size_t)device->info.units * unit / items;
    size_t most = (size_t)(work < 1 ? 1 : work < 64 ? work : 64);
    return (int)(wanted < 1 ? 1 : wanted > most ? most : wanted);
}

#endif
