// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/response_set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct {
    long users; /* sets that hold it; all in one thread */
    float taps[];
} shared_taps;

struct pn_response_set {
    pinna_ir *ir;
    shared_taps **taps; /* [ir] */
    size_t count;
};

static int compare(const void *a, const void *b) {
    const pinna_ir *p = a, *q = b;
    if (p->input != q->input)
        return p->input < q->input ? -1 : 1;
    return p->output < q->output ? -1 : p->output > q->output;
}

static pinna_status add_copy(pn_response_set *set, const pinna_ir *ir, pinna_error *err) {
    shared_taps *copy = pn_alloc(1, sizeof *copy + ir->length * sizeof(float));
    if (copy == NULL)
        return pn_fail_memory(err, "the impulse responses", (double)ir->length * sizeof(float));
    copy->users = 1;
    memcpy(copy->taps, ir->taps, ir->length * sizeof(float));
    set->taps[set->count] = copy;
    set->ir[set->count++] = (pinna_ir){ir->input, ir->output, copy->taps, ir->length};
    return PINNA_OK;
}

static void add_shared(pn_response_set *set, const pn_response_set *base, size_t index) {
    ++base->taps[index]->users;
    set->taps[set->count] = base->taps[index];
    set->ir[set->count++] = base->ir[index];
}

/* edits is sorted, as base is. */
static pinna_status merge(pn_response_set *set, const pn_response_set *base, const pinna_ir *edits,
                          size_t count, pinna_error *err) {
    size_t b = 0, e = 0, bases = base == NULL ? 0 : base->count;
    pinna_status status = PINNA_OK;
    while ((b < bases || e < count) && status == PINNA_OK) {
        int order = b == bases ? 1 : e == count ? -1 : compare(&base->ir[b], &edits[e]);
        if (order < 0) {
            add_shared(set, base, b++);
            continue;
        }
        bool removes = edits[e].taps == NULL && edits[e].length == 0;
        if (removes && order > 0)
            return pn_fail(err, PINNA_BAD_ARGUMENT,
                           "there is no impulse response from input %d to output %d to be removed",
                           edits[e].input, edits[e].output);
        if (!removes)
            status = add_copy(set, &edits[e], err);
        b += order == 0;
        ++e;
    }
    return status;
}

pinna_status pn_response_set_create(const pn_response_set *base, const pinna_ir *irs, size_t count,
                                    pn_response_set **out, pinna_error *err) {
    *out = NULL;
    size_t room = count + (base == NULL ? 0 : base->count);
    pn_response_set *set = pn_alloc(1, sizeof *set);
    pinna_ir *edits = pn_alloc(count, sizeof *edits);
    pinna_status status = PINNA_NO_MEMORY;
    if (set != NULL) {
        set->ir = pn_alloc(room, sizeof *set->ir);
        set->taps = pn_alloc(room, sizeof(shared_taps *));
    }
    if (set == NULL || edits == NULL || set->ir == NULL || set->taps == NULL) {
        pn_fail_memory(err, "the impulse responses", (double)room * sizeof *edits);
    } else {
        memcpy(edits, irs, count * sizeof *edits);
        qsort(edits, count, sizeof *edits, compare);
        status = merge(set, base, edits, count, err);
    }
    pn_free(edits);
    if (status != PINNA_OK)
        pn_response_set_free(set);
    else
        *out = set;
    return status;
}

void pn_response_set_free(pn_response_set *set) {
    if (set == NULL)
        return;
    for (size_t e = 0; e < set->count; ++e)
        if (--set->taps[e]->users == 0)
            pn_free(set->taps[e]);
    pn_free(set->taps);
    pn_free(set->ir);
    pn_free(set);
}

const pinna_ir *pn_response_set_irs(const pn_response_set *set, size_t *count) {
    *count = set->count;
    return set->ir;
}

double pn_response_set_bytes(const pn_response_set *set) {
    double bytes = 0;
    for (size_t e = 0; set != NULL && e < set->count; ++e)
        bytes += (double)set->ir[e].length * sizeof(float);
    return bytes;
}
