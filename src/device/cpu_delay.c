// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A line is a ring of whole quanta, with the first samples again behind its end, so that the 16 samples around any
 * place stand in one piece. A source that has been silent for as long as the line reaches back is not written any
 * more: its line is all zeros then. */
#include "device/cpu_delay.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "signal/interpolator.h"

enum { TAPS = PN_INTERPOLATOR_TAPS };

struct pn_delays {
    int quantum, sources, longest;
    int length;  /* of a ring */
    int at;      /* where the quantum taken last begins */
    int *silent; /* [source]: quanta of silence at the end of the ring, up to its length */
    float *ring; /* [source][length + TAPS] */
    float *row;  /* the interpolator's */
};

static pinna_status make_rows(pn_delays *delays, pinna_error *err) {
    enum { ROWS = PN_INTERPOLATOR_ROWS };
    double(*row)[TAPS] = pn_alloc(ROWS, sizeof *row);
    delays->row = pn_alloc_floats((size_t)ROWS * TAPS);
    if (row == NULL || delays->row == NULL) {
        pn_free(row);
        return pn_fail_memory(err, "the delay lines' interpolator", 8.0 * ROWS * TAPS);
    }
    pn_interpolator_make(row);
    for (int j = 0; j < ROWS; ++j)
        for (int k = 0; k < TAPS; ++k)
            delays->row[j * TAPS + k] = (float)row[j][k];
    pn_free(row);
    return PINNA_OK;
}

static float *ring_of(const pn_delays *delays, int source) {
    return delays->ring + (size_t)source * ((size_t)delays->length + TAPS);
}

pinna_status pn_delays_create(int quantum, int sources, int longest, pn_delays **out, pinna_error *err) {
    *out = NULL;
    pn_delays *delays = pn_alloc(1, sizeof *delays);
    if (delays == NULL)
        return pn_fail_memory(err, "the delay lines", sizeof *delays);
    delays->quantum = quantum;
    delays->sources = sources;
    delays->longest = longest;
    delays->length = ((longest + TAPS) / quantum + 2) * quantum;
    size_t floats = (size_t)sources * ((size_t)delays->length + TAPS);
    delays->silent = pn_alloc((size_t)sources, sizeof *delays->silent);
    delays->ring = pn_alloc_floats(floats);
    pinna_status status = make_rows(delays, err);
    if (status == PINNA_OK && (delays->silent == NULL || delays->ring == NULL))
        status = pn_fail_memory(err, "the sources' delay lines", 4.0 * (double)floats);
    if (status != PINNA_OK) {
        pn_delays_free(delays);
        return status;
    }
    for (int s = 0; s < sources; ++s)
        delays->silent[s] = delays->length / quantum;
    *out = delays;
    return PINNA_OK;
}

void pn_delays_free(pn_delays *delays) {
    if (delays == NULL)
        return;
    pn_free(delays->silent);
    pn_free(delays->ring);
    pn_free(delays->row);
    pn_free(delays);
}

void pn_delays_take(pn_delays *delays, const pn_bank_source *in) {
    size_t bytes = (size_t)delays->quantum * sizeof(float);
    delays->at = (delays->at + delays->quantum) % delays->length;
    for (int s = 0; s < delays->sources; ++s) {
        float *ring = ring_of(delays, s);
        if (in[s].in == NULL && delays->silent[s] >= delays->length / delays->quantum)
            continue;
        delays->silent[s] = in[s].in == NULL ? delays->silent[s] + 1 : 0;
        if (in[s].in != NULL)
            memcpy(ring + delays->at, in[s].in, bytes);
        else
            memset(ring + delays->at, 0, bytes);
        if (delays->at == 0)
            memcpy(ring + delays->length, ring, TAPS * sizeof *ring);
    }
}

bool pn_delays_read(const pn_delays *delays, int source, const pn_propagation *propagation, float *out) {
    if (delays->silent[source] >= delays->length / delays->quantum)
        return false;
    const float *ring = ring_of(delays, source), *c = propagation->c;
    float low = (float)(PN_PROPAGATION_SHORTEST - propagation->whole);
    float high = (float)(delays->longest - propagation->whole);
    for (int n = 0; n < delays->quantum; ++n) {
        float u = (float)n / (float)delays->quantum;
        float delay = c[0] + u * (c[1] + u * (c[2] + u * c[3]));
        delay = delay >= low ? delay : low;
        delay = delay <= high ? delay : high;
        float before = floorf(-delay), phase = (-delay - before) * PN_INTERPOLATOR_PHASES;
        int j = (int)phase < PN_INTERPOLATOR_PHASES - 1 ? (int)phase : PN_INTERPOLATOR_PHASES - 1;
        int start = delays->at + n - propagation->whole + (int)before - (PN_INTERPOLATOR_REACH - 1);
        const float *h = delays->row + (ptrdiff_t)j * TAPS;
        const float *x = ring + (start < 0 ? start + delays->length : start);
        float a = phase - (float)j, sum = 0;
        for (int k = 0; k < TAPS; ++k)
            sum += (h[k] + a * (h[k + TAPS] - h[k])) * x[k];
        out[n] = sum;
    }
    return true;
}
