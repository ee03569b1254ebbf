// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A partition level on a device: a matrix of one level, which is its own call. */
#include "device/opencl_backend.h"

#include "base/memory.h"
#include "device/ops.h"

struct pn_level {
    const pn_backend_ops *ops;
    pn_matrix *matrix;
    const float **frames; /* [input]: half of a history */
    int block, inputs;
    bool fresh; /* the device knows no earlier block */
};

static const float *const *half(const pn_level *level, const float *const *history, int which) {
    for (int i = 0; i < level->inputs; ++i)
        level->frames[i] = history[i] + (size_t)which * (size_t)level->block;
    return level->frames;
}

static pinna_status seed(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status =
        level->fresh ? pn_opencl_matrix_seed(level->matrix, half(level, history, 0), err) : PINNA_OK;
    level->fresh = level->fresh && status != PINNA_OK;
    return status;
}

pinna_status pn_opencl_level_begin(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = seed(level, history, err);
    return status == PINNA_OK ? pn_opencl_matrix_begin(level->matrix, half(level, history, 1), err) : status;
}

void pn_opencl_level_advance(pn_level *level, int done, int of) {
    (void)level;
    (void)done;
    (void)of;
}

pinna_status pn_opencl_level_finish(pn_level *level, float *const *out, pinna_error *err) {
    return pn_opencl_matrix_finish(level->matrix, out, err);
}

pinna_status pn_opencl_level_feed(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = seed(level, history, err);
    return status == PINNA_OK ? pn_opencl_matrix_feed(level->matrix, half(level, history, 1), err) : status;
}

void pn_opencl_level_reset(pn_level *level) {
    pn_opencl_matrix_reset(level->matrix);
    level->fresh = true;
}

static pinna_status create_matrix(pn_backend *backend, const pn_level_desc *desc, pn_level *level,
                                  pinna_error *err) {
    size_t longest = 1;
    for (int e = 0; e < desc->entries; ++e) {
        size_t partitions = pn_level_partitions(&desc->entry[e], desc->block);
        longest = partitions > longest ? partitions : longest;
    }
    const pn_matrix_level only = {.block = desc->block, .partitions = (int)longest};
    const pn_matrix_desc matrix = {.inputs = desc->inputs,
                                   .outputs = desc->outputs,
                                   .level = &only,
                                   .levels = 1,
                                   .entry = desc->entry,
                                   .entries = desc->entries};
    level->block = desc->block;
    level->inputs = desc->inputs;
    level->fresh = true;
    level->frames = pn_alloc((size_t)desc->inputs, sizeof *level->frames);
    if (level->frames == NULL)
        return pn_fail_memory(err, "a convolver's level", 8.0 * desc->inputs);
    return pn_opencl_matrix_create(backend, &matrix, &level->matrix, err);
}

pinna_status pn_opencl_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **out,
                                    pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_level_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_level *level = pn_alloc(1, sizeof *level);
    if (level == NULL)
        return pn_fail_memory(err, "a convolver's level", sizeof *level);
    level->ops = backend->ops;
    status = create_matrix(backend, desc, level, err);
    if (status != PINNA_OK)
        pn_opencl_level_free(level);
    else
        *out = level;
    return status;
}

void pn_opencl_level_free(pn_level *level) {
    if (level == NULL)
        return;
    pn_opencl_matrix_free(level->matrix);
    pn_free(level->frames);
    pn_free(level);
}
