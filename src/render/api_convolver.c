// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/memory.h"
#include "convolve/convolver.h"

/* The public convolver: a convolver with its own pool, device and messages. */

struct pinna_convolver {
    pn_messages *messages;
    pn_pool *pool;
    pn_backend *backend;
    pn_convolver *convolver;
};

const char *pinna_version(void) {
    return PINNA_VERSION;
}

static pinna_status open_all(pinna_convolver *c, const pinna_convolver_config *config, pinna_error *err) {
    c->messages = pn_messages_create(config->message, config->message_user);
    if (c->messages == NULL)
        return pn_fail_memory(err, "the convolver", sizeof *c);
    pinna_status status = pn_pool_create(config->threads, &c->pool, err);
    if (status == PINNA_OK)
        status = pn_backend_open(config->device == NULL ? "cpu" : config->device, c->pool, c->messages,
                                 &c->backend, err);
    if (status == PINNA_OK)
        status = pn_backend_set_spectra(c->backend, config->spectra_bits, c->messages, err);
    if (status != PINNA_OK)
        return status;
    pn_convolver_desc desc = {
        .inputs = config->inputs,
        .outputs = config->outputs,
        .block = config->block == 0 ? 256 : config->block,
        .mode = PN_PLAN_LIVE,
        .irs = config->irs,
        .ir_count = config->ir_count,
        .editable = config->editable != 0,
        .backend = c->backend,
        .pool = c->pool,
        .messages = c->messages,
    };
    return pn_convolver_create(&desc, &c->convolver, err);
}

pinna_status pinna_convolver_create(const pinna_convolver_config *config, pinna_convolver **convolver,
                                    pinna_error *error) {
    if (convolver == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "pinna_convolver_create: no place for the convolver (NULL)");
    *convolver = NULL;
    if (config == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "pinna_convolver_create: no config (NULL)");
    pinna_convolver *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(error, "the convolver", sizeof *c);
    pinna_status status = open_all(c, config, error);
    if (status != PINNA_OK) {
        pinna_convolver_free(c);
        return status;
    }
    *convolver = c;
    return PINNA_OK;
}

void pinna_convolver_free(pinna_convolver *c) {
    if (c == NULL)
        return;
    pn_convolver_free(c->convolver);
    pn_backend_close(c->backend);
    pn_pool_free(c->pool);
    pn_messages_free(c->messages);
    pn_free(c);
}

int pinna_convolver_latency(const pinna_convolver *c) {
    return pn_convolver_latency(c->convolver);
}

pinna_status pinna_convolver_process(pinna_convolver *c, const float *const *inputs, float *const *outputs,
                                     size_t frames, pinna_error *error) {
    unsigned long mode = pn_flush_denormals();
    pinna_status status = pn_convolver_process(c->convolver, inputs, outputs, frames, error);
    pn_restore_denormals(mode);
    return status;
}

pinna_status pinna_convolver_swap(pinna_convolver *c, const pinna_ir *irs, size_t ir_count,
                                  size_t fade_frames, pinna_error *error) {
    return pn_convolver_swap(c->convolver, irs, ir_count, fade_frames, error);
}

pinna_status pinna_convolver_request_swap(pinna_convolver *c, const pinna_ir *irs, size_t ir_count,
                                          size_t fade_frames, pinna_error *error) {
    return pn_convolver_request_swap(c->convolver, irs, ir_count, fade_frames, error);
}

pinna_status pinna_convolver_request_edit(pinna_convolver *c, const pinna_ir *irs, size_t ir_count,
                                          size_t fade_frames, pinna_error *error) {
    return pn_convolver_request_edit(c->convolver, irs, ir_count, fade_frames, error);
}

pinna_status pinna_convolver_update(pinna_convolver *c, int *pending, pinna_error *error) {
    return pn_convolver_update(c->convolver, pending, error);
}

void pinna_convolver_reset(pinna_convolver *c) {
    pn_convolver_reset(c->convolver);
}
