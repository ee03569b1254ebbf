// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "convolve/convolver_state.h"

static const size_t LONGEST = (size_t)600 * 384000;  /* ten minutes at the highest rate */
static const size_t SPARE_HISTORY = (size_t)1 << 22; /* frames over all inputs, for a longer response later */
static const size_t MOST_SPARE = (size_t)1 << 19;    /* frames of one input */

/* Without their signs, floats are in the order of their bits, infinity and NaN above all others: a loop for vectors. */
static bool all_finite(const float *taps, size_t length) {
    uint32_t largest = 0;
    for (size_t n = 0; n < length; ++n) {
        uint32_t bits;
        memcpy(&bits, &taps[n], sizeof bits);
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest < 0x7f800000;
}

static pinna_status check_place(const pinna_ir *ir, size_t index, int inputs, int outputs, pinna_error *err) {
    if (ir->input < 0 || ir->input >= inputs || ir->output < 0 || ir->output >= outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "impulse response %zu: from input %d to output %d, but the matrix is %d x %d", index,
                       ir->input, ir->output, inputs, outputs);
    return PINNA_OK;
}

static pinna_status check_taps(const pinna_ir *ir, size_t index, pinna_error *err) {
    if (ir->taps == NULL || ir->length == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response %zu: no taps, expected 1 or more", index);
    if (ir->length > LONGEST)
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "impulse response %zu: %zu taps, expected at most %zu (ten minutes at 384 kHz); cut it", index,
            ir->length, LONGEST);
    if (all_finite(ir->taps, ir->length))
        return PINNA_OK;
    size_t n = 0;
    while (isfinite(ir->taps[n]))
        ++n;
    return pn_fail(err, PINNA_BAD_ARGUMENT,
                   "impulse response %zu: tap %zu is not a finite number; repair the response", index, n);
}

typedef struct {
    int input, output;
    size_t index;
} pair;

static int compare_pairs(const void *a, const void *b) {
    const pair *p = a, *q = b;
    if (p->input != q->input)
        return p->input < q->input ? -1 : 1;
    if (p->output != q->output)
        return p->output < q->output ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

static pinna_status check_pairs(const pinna_ir *irs, size_t count, pinna_error *err) {
    pair *sorted = pn_alloc(count, sizeof *sorted);
    if (sorted == NULL)
        return pn_fail_memory(err, "the convolver", (double)count * sizeof *sorted);
    for (size_t e = 0; e < count; ++e)
        sorted[e] = (pair){irs[e].input, irs[e].output, e};
    qsort(sorted, count, sizeof *sorted, compare_pairs);
    pinna_status status = PINNA_OK;
    for (size_t e = 1; e < count && status == PINNA_OK; ++e) {
        const pair *p = &sorted[e];
        if (p[-1].input == p->input && p[-1].output == p->output)
            status = pn_fail(err, PINNA_BAD_ARGUMENT,
                             "impulse response %zu: there is another one from input %d to output %d",
                             p->index, p->input, p->output);
    }
    pn_free(sorted);
    return status;
}

pinna_status pn_convolver_check_irs(const pinna_ir *irs, size_t count, int inputs, int outputs,
                                    pinna_error *err) {
    if (irs == NULL || count == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: no impulse responses, expected 1 or more");
    if (count > (size_t)inputs * (size_t)outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: %zu impulse responses, but the matrix is %d x %d",
                       count, inputs, outputs);
    for (size_t e = 0; e < count; ++e) {
        pinna_status status = check_place(&irs[e], e, inputs, outputs, err);
        if (status == PINNA_OK)
            status = check_taps(&irs[e], e, err);
        if (status != PINNA_OK)
            return status;
    }
    return check_pairs(irs, count, err);
}

pinna_status pn_convolver_check_edits(const pinna_ir *edits, size_t count, int inputs, int outputs,
                                      pinna_error *err) {
    if (edits == NULL || count == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "convolver: no impulse responses, expected 1 or more");
    for (size_t e = 0; e < count; ++e) {
        const pinna_ir *ir = &edits[e];
        bool removes = ir->taps == NULL && ir->length == 0;
        pinna_status status = check_place(ir, e, inputs, outputs, err);
        if (status == PINNA_OK && !removes)
            status = check_taps(ir, e, err);
        if (status != PINNA_OK)
            return status;
    }
    return check_pairs(edits, count, err);
}

static double machine_bytes(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (double)pages * (double)size : INFINITY;
}

pinna_status pn_convolver_check_memory(const pn_convolver *convolver, double bytes, pinna_error *err) {
    double limit = machine_bytes();
    if (bytes <= limit)
        return PINNA_OK;
    return pn_fail(
        err, PINNA_NO_MEMORY,
        "a convolver of %d x %d with these impulse responses needs %.1f GB, and this machine has %.1f GB; "
        "use fewer or shorter ones",
        convolver->inputs, convolver->outputs, bytes * 1e-9, limit * 1e-9);
}

pn_engine_desc pn_convolver_engine_desc(const pn_convolver *convolver, pn_backend *backend,
                                        const pinna_ir *irs, size_t count) {
    return (pn_engine_desc){.inputs = convolver->inputs,
                            .outputs = convolver->outputs,
                            .block = convolver->block,
                            .mode = convolver->mode,
                            .irs = irs,
                            .ir_count = count,
                            .backend = backend};
}

pinna_status pn_convolver_measure(const pn_convolver *convolver, pn_backend *backend, const pinna_ir *irs,
                                  size_t count, pn_engine_need *need, pinna_error *err) {
    pn_engine_desc desc = pn_convolver_engine_desc(convolver, backend, irs, count);
    pinna_status status = pn_engine_measure(&desc, need, err);
    if (status == PINNA_OK && backend->kind != PN_BACKEND_CPU) {
        pn_backend cpu = {.kind = PN_BACKEND_CPU};
        pn_engine_need fallback;
        desc.backend = &cpu;
        desc.block = need->plan.block;
        status = pn_engine_measure(&desc, &fallback, err);
        need->reach = fallback.reach > need->reach ? fallback.reach : need->reach;
        need->window = fallback.window > need->window ? fallback.window : need->window;
    }
    if (status != PINNA_OK)
        return status;
    if (convolver->fixed && backend->kind == PN_BACKEND_CPU) {
        need->reach = 0; /* a ring is never shorter than two windows */
        return PINNA_OK;
    }
    need->reach += pn_history_margin(need->plan.block);
    size_t spare = SPARE_HISTORY / (size_t)convolver->inputs;
    spare = spare < MOST_SPARE ? spare : MOST_SPARE;
    need->reach = spare > need->reach ? spare : need->reach;
    return status;
}
