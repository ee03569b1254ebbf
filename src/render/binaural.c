// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/binaural.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "render/balance.h"

struct pn_binaural {
    pn_binaural_desc desc;
    pn_backend *backend; /* in use: desc.backend, or `own` after a device was lost */
    pn_backend *own;
    pn_bank *bank;
    pn_bank_desc bank_desc;
    pn_bank_source *source;                   /* [slots] */
    unsigned char *aimed;                     /* [slots]: how often, counted up to 2 */
    pn_aim_hint *hint;                        /* [slots] */
    pn_aim_hint *whole;                       /* [slots], of pn_binaural_share: at a source's first slot */
    pn_balance *balance;                      /* NULL without copies */
    float *left, *right;                      /* one quantum */
    pn_biquad_state low[2][PN_HRTF_SECTIONS]; /* equaliser of the lows, after the mix */
    float *past;                              /* [slots][past_frames], the newest last; NULL on the CPU */
    pn_propagation
        *travelled; /* [past quanta of a filter][slots], the newest last; NULL without delay lines */
    size_t past_frames;
};

static size_t filter_quanta(const pn_binaural *b) {
    return (size_t)(b->bank_desc.size / b->desc.quantum);
}

static pinna_status keep_past(pn_binaural *b, pinna_error *err) {
    size_t slots = (size_t)b->desc.slots, quantum = (size_t)b->desc.quantum;
    size_t reach = (size_t)b->bank_desc.size + (size_t)b->desc.propagation + PN_PROPAGATION_SHORTEST;
    b->past_frames = (reach + quantum - 1) / quantum * quantum;
    b->past = pn_alloc(slots, b->past_frames * sizeof *b->past);
    if (b->desc.propagation > 0)
        b->travelled = pn_alloc(filter_quanta(b) * slots, sizeof *b->travelled);
    if (b->past == NULL || (b->desc.propagation > 0 && b->travelled == NULL))
        return pn_fail_memory(err, "the sources' last samples", 4.0 * (double)(slots * b->past_frames));
    return PINNA_OK;
}

static pinna_status allocate(pn_binaural *b, pinna_error *err) {
    size_t slots = (size_t)b->desc.slots, quantum = (size_t)b->desc.quantum;
    b->source = pn_alloc(slots, sizeof *b->source);
    b->aimed = pn_alloc(slots, sizeof *b->aimed);
    b->hint = pn_alloc(slots, sizeof *b->hint);
    b->whole = pn_alloc(slots, sizeof *b->whole);
    b->left = pn_alloc_floats(quantum);
    b->right = pn_alloc_floats(quantum);
    if (b->source == NULL || b->aimed == NULL || b->hint == NULL || b->whole == NULL || b->left == NULL ||
        b->right == NULL)
        return pn_fail_memory(err, "the binaural sources", (double)(slots * sizeof *b->source));
    for (size_t s = 0; s < slots; ++s) {
        b->source[s].steps = 1;
        b->source[s].propagation.whole = PN_PROPAGATION_SHORTEST;
        pn_aim_hint_init(&b->hint[s]);
        pn_aim_hint_init(&b->whole[s]);
    }
    if (b->desc.copies) {
        pinna_status status = pn_balance_create(b->desc.hrtf, &b->balance, err);
        if (status != PINNA_OK)
            return status;
    }
    return b->desc.backend->kind == PN_BACKEND_CPU ? PINNA_OK : keep_past(b, err);
}

pinna_status pn_binaural_create(const pn_binaural_desc *desc, pn_binaural **out, pinna_error *err) {
    *out = NULL;
    pn_binaural *b = pn_alloc(1, sizeof *b);
    if (b == NULL)
        return pn_fail_memory(err, "the binaural part", sizeof *b);
    b->desc = *desc;
    b->backend = desc->backend;
    b->bank_desc = *pn_aimer_get_bank(desc->aimer);
    b->bank_desc.size = 64;
    b->bank_desc.quantum = desc->quantum;
    b->bank_desc.sources = desc->slots;
    b->bank_desc.propagation = desc->propagation;
    while (pn_binaural_reach(b) + desc->quantum > b->bank_desc.size || b->bank_desc.size < 2 * desc->quantum)
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
    pn_free(b->whole);
    pn_balance_free(b->balance);
    pn_free(b->left);
    pn_free(b->right);
    pn_free(b->past);
    pn_free(b->travelled);
    pn_free(b);
}

int pn_binaural_transform(const pn_binaural *b) {
    return b->bank_desc.size;
}

int pn_binaural_reach(const pn_binaural *b) {
    const pn_hrtf_info *info = pn_hrtf_get_info(b->desc.hrtf);
    int tint = b->bank_desc.tints > 0 ? b->bank_desc.tint_taps - 1 : 0;
    return b->bank_desc.taps + tint + b->bank_desc.max_delay + info->guard - 1;
}

size_t pn_binaural_memory(const pn_binaural *b) {
    size_t size = (size_t)b->bank_desc.size, line = (size_t)b->desc.propagation;
    return sizeof(float) *
           (size * 2 * (size_t)b->bank_desc.nodes + (3 * size + line) * (size_t)b->desc.slots);
}

const char *pn_binaural_device(const pn_binaural *b) {
    return b->backend->name;
}

/* ------------------------------------------------------------------ places */

/* Filter k of 1 .. steps of a quantum. */
static pn_filter *knot(pn_bank_source *source, int k, int steps) {
    return k == steps ? &source->to : &source->inner[k * 4 / steps - 1];
}

void pn_binaural_aim(pn_binaural *b, int slot, const pn_aim *aim, int steps) {
    pn_bank_source *source = &b->source[slot];
    source->steps = steps;
    for (int k = 1; k <= steps; ++k)
        pn_aim_filter(b->desc.aimer, &aim[k - 1], &b->hint[slot], knot(source, k, steps));
    if (b->aimed[slot] == 0)
        source->from = source->to;
    if (b->aimed[slot] < 2)
        ++b->aimed[slot];
}

static void scale(pn_filter *filter, float gain) {
    for (int ear = 0; ear < 2; ++ear)
        for (int k = 0; k < PN_FILTER_NODES; ++k)
            filter->weight[ear][k] *= gain;
}

double pn_binaural_share(pn_binaural *b, int first, int count, const pn_aim *whole, int steps) {
    pn_balance_gains gains = {0, 1};
    for (int k = 1; k <= steps; ++k) {
        pn_filter point;
        pn_aim_filter(b->desc.aimer, &whole[k - 1], &b->whole[first], &point);
        pn_balance_power alone = {0}, together = {0};
        pn_balance_add(b->balance, &point, &alone);
        for (int s = first; s < first + count; ++s)
            pn_balance_add(b->balance, knot(&b->source[s], k, steps), &together);
        gains = pn_balance_solve(&alone, &together);
        for (int s = first; s < first + count; ++s)
            scale(knot(&b->source[s], k, steps), (float)gains.gain);
    }
    for (int s = first; s < first + count; ++s)
        if (b->aimed[s] == 1)
            b->source[s].from = b->source[s].to;
    return gains.lows;
}

void pn_binaural_travel(pn_binaural *b, int slot, const pn_propagation *propagation) {
    b->source[slot].propagation = *propagation;
}

/* ------------------------------------------------------------------ a quantum */

static void remember(pn_binaural *b) {
    size_t slots = (size_t)b->desc.slots, quantum = (size_t)b->desc.quantum, keep = b->past_frames - quantum;
    for (size_t s = 0; s < slots; ++s) {
        float *past = b->past + s * b->past_frames;
        memmove(past, past + quantum, keep * sizeof *past);
        if (b->source[s].in != NULL)
            memcpy(past + keep, b->source[s].in, quantum * sizeof *past);
        else
            memset(past + keep, 0, quantum * sizeof *past);
    }
    if (b->travelled == NULL)
        return;
    size_t older = (filter_quanta(b) - 1) * slots;
    memmove(b->travelled, b->travelled + slots, older * sizeof *b->travelled);
    for (size_t s = 0; s < slots; ++s)
        b->travelled[older + s] = b->source[s].propagation;
}

static pinna_status run_bank(pn_binaural *b, pinna_error *err) {
    pinna_status status = b->backend->ops->bank_begin(b->bank, b->source, err);
    if (status == PINNA_OK)
        status = b->backend->ops->bank_finish(b->bank, b->left, b->right, err);
    return status;
}

/* Feeds a new bank with what every slot played before this quantum, and how that travelled: only the last quanta are
 * still in a filter's memory. */
static pinna_status feed_past(pn_binaural *b, pinna_error *err) {
    size_t slots = (size_t)b->desc.slots, quanta = b->past_frames / (size_t)b->desc.quantum;
    pn_bank_source *now = pn_alloc(slots, sizeof *now);
    if (now == NULL)
        return pn_fail_memory(err, "handing the sources to the CPU", 0);
    memcpy(now, b->source, slots * sizeof *now);
    pinna_status status = PINNA_OK;
    for (size_t q = 0; q < quanta && status == PINNA_OK; ++q) {
        size_t older = quanta - filter_quanta(b);
        for (size_t s = 0; s < slots; ++s) {
            now[s].in = b->past + s * b->past_frames + q * (size_t)b->desc.quantum;
            if (b->travelled != NULL && q >= older)
                now[s].propagation = b->travelled[(q - older) * slots + s];
        }
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

static void equalise(pn_binaural *b) {
    const pn_hrtf_info *info = pn_hrtf_get_info(b->desc.hrtf);
    for (int s = 0; s < info->sections; ++s) {
        pn_biquad_run(&info->section[s], &b->low[0][s], b->left, b->desc.quantum);
        pn_biquad_run(&info->section[s], &b->low[1][s], b->right, b->desc.quantum);
    }
}

pinna_status pn_binaural_process(pn_binaural *b, const float *const *in, float *left, float *right,
                                 pinna_error *err) {
    for (int s = 0; s < b->desc.slots; ++s)
        b->source[s].in = in[s];
    pinna_error local = {0};
    pinna_status status = run_bank(b, &local);
    if (status != PINNA_OK && b->backend->kind != PN_BACKEND_CPU)
        status = take_over(b, &local);
    if (status != PINNA_OK)
        return pn_fail(err, status, "%s", local.text);
    if (b->past != NULL && b->backend->kind != PN_BACKEND_CPU)
        remember(b);
    equalise(b);
    for (int n = 0; n < b->desc.quantum; ++n) {
        left[n] += b->left[n];
        right[n] += b->right[n];
    }
    for (int s = 0; s < b->desc.slots; ++s)
        b->source[s].from = b->source[s].to;
    return PINNA_OK;
}
