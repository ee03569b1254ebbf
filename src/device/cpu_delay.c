// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A line is a ring of whole quanta, with its first quantum and 16 samples more again behind its end, so that the taps
 * around any place stand in one piece, and those of a whole quantum whose delay stands still. A source that has been
 * silent for as long as the line reaches back is not written any more: its line is all zeros then. */
#include "device/cpu_delay.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "signal/interpolator.h"

enum { TAPS = PN_INTERPOLATOR_TAPS };

struct pn_delays {
    const pn_blend_width *width;
    int quantum, longest;
    int length;  /* of a ring */
    int at;      /* where the newest quantum begins */
    int *silent; /* [source]: quanta of silence at the end of the ring, up to its length */
    float *ring; /* [source][length, quantum + TAPS of its beginning] */
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

static size_t row_floats(const pn_delays *delays) {
    return (size_t)delays->length + (size_t)delays->quantum + TAPS;
}

pinna_status pn_delays_create(const pn_bank_desc *desc, const pn_blend_width *width, pn_delays **out,
                              pinna_error *err) {
    *out = NULL;
    pn_delays *delays = pn_alloc(1, sizeof *delays);
    if (delays == NULL)
        return pn_fail_memory(err, "the delay lines", sizeof *delays);
    delays->width = width;
    delays->quantum = desc->quantum;
    delays->longest = desc->propagation;
    delays->length = ((desc->propagation + TAPS) / desc->quantum + 2) * desc->quantum;
    size_t sources = (size_t)desc->sources, floats = sources * row_floats(delays);
    delays->silent = pn_alloc(sources, sizeof *delays->silent);
    delays->ring = pn_alloc_floats(floats);
    pinna_status status = make_rows(delays, err);
    if (status == PINNA_OK && (delays->silent == NULL || delays->ring == NULL))
        status = pn_fail_memory(err, "the sources' delay lines", 4.0 * (double)floats);
    if (status != PINNA_OK) {
        pn_delays_free(delays);
        return status;
    }
    for (size_t s = 0; s < sources; ++s)
        delays->silent[s] = delays->length / delays->quantum;
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

void pn_delays_advance(pn_delays *delays) {
    delays->at = (delays->at + delays->quantum) % delays->length;
}

/* Writes a quantum, and again behind the end what is at the beginning. */
static void write_ring(const pn_delays *delays, float *ring, const float *in) {
    size_t quantum = (size_t)delays->quantum, at = (size_t)delays->at, end = (size_t)delays->length;
    if (in != NULL)
        memcpy(ring + at, in, quantum * sizeof *ring);
    else
        memset(ring + at, 0, quantum * sizeof *ring);
    if (at <= quantum)
        memcpy(ring + end + at, ring + at, (at == 0 ? quantum : TAPS) * sizeof *ring);
}

/* Samples before the quantum that the cubic can reach at most, taps and all. */
static int reach(const pn_delays *delays, const pn_propagation *p) {
    float most = (float)p->whole;
    for (int k = 0; k < 4; ++k)
        most += fabsf(p->c[k]);
    if (!(most < (float)delays->longest)) /* or no number */
        most = (float)delays->longest;
    return PN_INTERPOLATOR_REACH + 1 +
           (most > PN_PROPAGATION_SHORTEST ? (int)most + 1 : PN_PROPAGATION_SHORTEST);
}

bool pn_delays_pass(pn_delays *delays, int source, const pn_bank_source *job, float *out) {
    const pn_propagation *p = &job->propagation;
    float *ring = delays->ring + (size_t)source * row_floats(delays);
    int *silent = &delays->silent[source], all = delays->length / delays->quantum;
    if (job->in != NULL || *silent < all)
        write_ring(delays, ring, job->in);
    *silent = job->in != NULL ? 0 : *silent < all ? *silent + 1 : all;
    if (*silent == all || (*silent - 1) * delays->quantum >= reach(delays, p))
        return false;
    const pn_delay_read read = {.row = delays->row,
                                .ring = ring,
                                .length = delays->length,
                                .start = delays->at - p->whole - (PN_INTERPOLATOR_REACH - 1),
                                .quantum = delays->quantum,
                                .c = {p->c[0], p->c[1], p->c[2], p->c[3]},
                                .low = (float)(PN_PROPAGATION_SHORTEST - p->whole),
                                .high = (float)(delays->longest - p->whole)};
    delays->width->delay(&read, out);
    return true;
}
