// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/binaural.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double nearest_metres = 0.2;

struct pn_binaural {
    pn_binaural_desc desc;
    pn_backend *backend; /* in use: desc.backend, or `own` after a device was lost */
    pn_backend *own;
    pn_bank *bank;
    pn_bank_desc bank_desc;
    pn_bank_source *source; /* [sources] */
    bool *aimed;            /* [sources]: `to` is set */
    pn_hrtf_hint *hint;     /* [sources] */
    float *left, *right;    /* one quantum */
    float *past;            /* [sources][past_frames], the newest last; NULL on the CPU */
    size_t past_frames;
};

static pinna_status allocate(pn_binaural *b, pinna_error *err) {
    size_t sources = (size_t)b->desc.sources, quantum = (size_t)b->desc.quantum;
    b->source = pn_alloc(sources, sizeof *b->source);
    b->aimed = pn_alloc(sources, sizeof *b->aimed);
    b->hint = pn_alloc(sources, sizeof *b->hint);
    b->left = pn_alloc_floats(quantum);
    b->right = pn_alloc_floats(quantum);
    b->past_frames = (size_t)b->bank_desc.size;
    if (b->desc.backend->kind != PN_BACKEND_CPU) {
        b->past = pn_alloc_floats(sources * b->past_frames);
        if (b->past == NULL)
            return pn_fail_memory(err, "the sources' last samples", 4.0 * (double)(sources * b->past_frames));
    }
    if (b->source == NULL || b->aimed == NULL || b->hint == NULL || b->left == NULL || b->right == NULL)
        return pn_fail_memory(err, "the binaural sources", (double)(sources * sizeof *b->source));
    for (size_t s = 0; s < sources; ++s)
        b->hint[s] = (pn_hrtf_hint){{-1, -1}};
    return PINNA_OK;
}

pinna_status pn_binaural_create(const pn_binaural_desc *desc, pn_binaural **out, pinna_error *err) {
    *out = NULL;
    pn_binaural *b = pn_alloc(1, sizeof *b);
    if (b == NULL)
        return pn_fail_memory(err, "the binaural part", sizeof *b);
    b->desc = *desc;
    b->backend = desc->backend;
    const pn_hrtf_info *info = pn_hrtf_get_info(desc->hrtf);
    b->bank_desc = (pn_bank_desc){
        .size = 64,
        .quantum = desc->quantum,
        .sources = desc->sources,
        .nodes = info->directions,
        .taps = info->taps,
        .max_delay = info->max_delay,
        .responses = pn_hrtf_responses(desc->hrtf),
    };
    while (info->taps + info->max_delay + desc->quantum > b->bank_desc.size + 1)
        b->bank_desc.size *= 2;
    pinna_status status = allocate(b, err);
    if (status == PINNA_OK)
        status = b->backend->ops->bank_create(b->backend, &b->bank_desc, &b->bank, err);
    if (status != PINNA_OK) {
        pn_binaural_free(b);
        return status;
    }
    *out = b;
    return PINNA_OK;
}

void pn_binaural_free(pn_binaural *b) {
    if (b == NULL)
        return;
    if (b->bank != NULL)
        b->backend->ops->bank_free(b->bank);
    pn_backend_close(b->own);
    pn_free(b->source);
    pn_free(b->aimed);
    pn_free(b->hint);
    pn_free(b->left);
    pn_free(b->right);
    pn_free(b->past);
    pn_free(b);
}

int pn_binaural_transform(const pn_binaural *b) {
    return b->bank_desc.size;
}

size_t pn_binaural_memory(const pn_binaural *b) {
    size_t size = (size_t)b->bank_desc.size;
    return sizeof(float) * size * (2 * (size_t)b->bank_desc.nodes + 3 * (size_t)b->desc.sources);
}

const char *pn_binaural_device(const pn_binaural *b) {
    return b->backend->name;
}

void pn_binaural_aim(pn_binaural *b, int source, pn_vec3 relative) {
    pn_hrtf_point point;
    pn_hrtf_look_up(b->desc.hrtf, relative, &b->hint[source], &point);
    double gain = 1 / fmax(pn_vec_length(relative), nearest_metres);
    pn_filter filter;
    for (int k = 0; k < 3; ++k) {
        filter.node[k] = point.node[k];
        filter.weight[k] = (float)(point.weight[k] * gain);
    }
    filter.delay[0] = point.delay[0];
    filter.delay[1] = point.delay[1];
    pn_bank_source *s = &b->source[source];
    if (!b->aimed[source])
        s->from = filter;
    s->to = filter;
    b->aimed[source] = true;
}

static void remember(pn_binaural *b) {
    size_t quantum = (size_t)b->desc.quantum, keep = b->past_frames - quantum;
    for (int s = 0; s < b->desc.sources; ++s) {
        float *past = b->past + (size_t)s * b->past_frames;
        memmove(past, past + quantum, keep * sizeof *past);
        if (b->source[s].in != NULL)
            memcpy(past + keep, b->source[s].in, quantum * sizeof *past);
        else
            memset(past + keep, 0, quantum * sizeof *past);
    }
}

static pinna_status run_bank(pn_binaural *b, pinna_error *err) {
    pinna_status status = b->backend->ops->bank_begin(b->bank, b->source, err);
    if (status == PINNA_OK)
        status = b->backend->ops->bank_finish(b->bank, b->left, b->right, err);
    return status;
}

/* Feeds a new bank with what every source played before this quantum. */
static pinna_status feed_past(pn_binaural *b, pinna_error *err) {
    pn_bank_source *now = pn_alloc((size_t)b->desc.sources, sizeof *now);
    if (now == NULL)
        return pn_fail_memory(err, "handing the sources to the CPU", 0);
    memcpy(now, b->source, (size_t)b->desc.sources * sizeof *now);
    pinna_status status = PINNA_OK;
    for (size_t at = 0; at < b->past_frames && status == PINNA_OK; at += (size_t)b->desc.quantum) {
        for (int s = 0; s < b->desc.sources; ++s)
            now[s].in = b->past + (size_t)s * b->past_frames + at;
        status = b->backend->ops->bank_feed(b->bank, now, err);
    }
    pn_free(now);
    return status;
}

/* The device is lost: the CPU takes over from the same history, and does this quantum again. */
static pinna_status take_over(pn_binaural *b, pinna_error *err) {
    pinna_error reason = {0};
    if (err != NULL)
        reason = *err;
    pn_warn(b->desc.messages, "%s failed (%s): the CPU goes on with the sources, nothing is lost",
            b->backend->name, reason.text);
    b->backend->ops->bank_free(b->bank);
    b->bank = NULL;
    pinna_status status = pn_backend_cpu_open(b->desc.pool, &b->own, err);
    if (status != PINNA_OK)
        return status;
    b->backend = b->own;
    status = b->backend->ops->bank_create(b->backend, &b->bank_desc, &b->bank, err);
    if (status == PINNA_OK)
        status = feed_past(b, err);
    return status == PINNA_OK ? run_bank(b, err) : status;
}

pinna_status pn_binaural_process(pn_binaural *b, const float *const *in, float *left, float *right,
                                 pinna_error *err) {
    for (int s = 0; s < b->desc.sources; ++s)
        b->source[s].in = in[s];
    pinna_error local = {0};
    pinna_status status = run_bank(b, &local);
    if (status != PINNA_OK && b->backend->kind != PN_BACKEND_CPU)
        status = take_over(b, &local);
    if (status != PINNA_OK)
        return pn_fail(err, status, "%s", local.text);
    if (b->past != NULL && b->backend->kind != PN_BACKEND_CPU)
        remember(b);
    for (int n = 0; n < b->desc.quantum; ++n) {
        left[n] += b->left[n];
        right[n] += b->right[n];
    }
    for (int s = 0; s < b->desc.sources; ++s)
        b->source[s].from = b->source[s].to;
    return PINNA_OK;
}
