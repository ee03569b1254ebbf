// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/peak.h"
#include "convolve/convolver_state.h"

static const size_t LONGEST = (size_t)600 * 384000;  /* ten minutes at the highest rate */
static const size_t SPARE_HISTORY = (size_t)1 << 22; /* frames over all inputs, for a longer response later */
static const size_t MOST_SPARE = (size_t)1 << 19;    /* frames of one input */

static pinna_status check_place(const pinna_ir *ir, size_t index, int inputs, int outputs, pinna_error *err) {
    if (ir->input < 0 || ir->input >= inputs || ir->output < 0 || ir->output >= outputs)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "impulse response %zu: from input %d to output %d, but the matrix is %d x %d", index,
                       ir->input, ir->output, inputs, outputs);
    return PINNA_OK;
}

static pinna_status check_length(const pinna_ir *ir, size_t index, pinna_error *err) {
    if (ir->taps == NULL || ir->length == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response %zu: no taps, expected 1 or more", index);
    if (ir->length > LONGEST)
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "impulse response %zu: %zu taps, expected at most %zu (ten minutes at 384 kHz); cut it", index,
            ir->length, LONGEST);
    return PINNA_OK;
}

static pinna_status check_finite(const pinna_ir *ir, size_t index, pinna_error *err) {
    if (isfinite(pn_largest(ir->taps, ir->length)))
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
            status = check_length(&irs[e], e, err);
        if (status != PINNA_OK)
            return status;
    }
    return check_pairs(irs, count, err);
}

pinna_status pn_convolver_check_taps(const pinna_ir *irs, size_t count, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (size_t e = 0; e < count && status == PINNA_OK; ++e)
        status = check_finite(&irs[e], e, err);
    return status;
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
            status = check_length(ir, e, err);
        if (status == PINNA_OK && !removes)
            status = check_finite(ir, e, err);
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

/* The rings of a convolver that is never exchanged are as short as jobs need them: two windows. Others have room for a
 * follower to lag, and for longer responses later. */
static void add_room(const pn_convolver *c, const pn_backend *backend, int block, pn_history_span *span) {
    bool least = c->fixed && backend->kind == PN_BACKEND_CPU;
    size_t spare = SPARE_HISTORY / (size_t)c->inputs, margin = pn_history_margin(block);
    spare = spare < MOST_SPARE ? spare : MOST_SPARE;
    for (int i = 0; i < c->inputs; ++i) {
        span[i].window = span[i].window > 0 ? span[i].window : (size_t)block;
        size_t reach = span[i].reach + margin;
        span[i].reach = least ? 0 : reach > spare ? reach : spare;
    }
}

/* Those of a copy of what some inputs had serve to bring a new engine up to date. */
static void add_margin(const pn_convolver *c, int block, pn_history_span *span) {
    for (int i = 0; i < c->inputs; ++i)
        span[i].reach += span[i].window > 0 ? pn_history_margin(block) : 0;
}

/* The plan of a CPU engine that takes over, for its reach. */
static pinna_status plan_fallback(pn_engine_desc desc, int block, pn_plan *plan, pinna_error *err) {
    pn_backend cpu = {.kind = PN_BACKEND_CPU};
    pn_engine_need need;
    desc.backend = &cpu;
    desc.block = block;
    pinna_status status = pn_engine_measure(&desc, &need, err);
    *plan = need.plan;
    return status;
}

pinna_status pn_convolver_measure(const pn_convolver *convolver, pn_backend *backend, const pinna_ir *irs,
                                  size_t count, bool some, pn_engine_need *need, pn_history_span **out,
                                  pinna_error *err) {
    pn_engine_desc desc = pn_convolver_engine_desc(convolver, backend, irs, count);
    pn_plan fallback = {0};
    *out = NULL;
    pinna_status status = pn_engine_measure(&desc, need, err);
    if (status == PINNA_OK && backend->kind != PN_BACKEND_CPU)
        status = plan_fallback(desc, need->plan.block, &fallback, err);
    if (status != PINNA_OK)
        return status;
    pn_history_span *span = pn_alloc((size_t)convolver->inputs, sizeof *span);
    if (span == NULL)
        return pn_fail_memory(err, "the input history", (double)convolver->inputs * sizeof *span);
    pn_engine_raise_spans(&need->plan, irs, count, span);
    pn_engine_raise_spans(&fallback, irs, count, span);
    if (some)
        add_margin(convolver, need->plan.block, span);
    else
        add_room(convolver, backend, need->plan.block, span);
    *out = span;
    return PINNA_OK;
}
