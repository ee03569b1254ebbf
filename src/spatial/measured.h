// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_MEASURED_H
#define PN_SPATIAL_MEASURED_H

#include <stdbool.h>

#include "base/messages.h"
#include "base/status.h"
#include "base/vec.h"

/* A set as it was measured: pairs of responses with directions, before it is made ready for rendering. From a
 * SOFA file (sofa.h) or from arrays. Zeroed is empty. */
enum { PN_MEASURED_SHELLS = 8 };

typedef struct {
    int directions, taps;
    double rate;        /* Hz */
    pn_vec3 *direction; /* [directions], unit vectors in the head's axes */
    double *distance;   /* [directions], metres */
    float *ir;          /* [directions][ear: left, right][taps] */
    double *delay;      /* [directions][ear]: samples before ir begins; any sign, any fraction */
    double receiver_y;  /* metres, of the first receiver; NAN when unknown: what the file says of its side */

    /* After a repair: directions are sorted by distance into shells, ascending; one for nearly all sets. */
    int shells, shell_first[PN_MEASURED_SHELLS + 1];

    /* What the file says of itself; UTF-8, never NULL after a load, "" where it says nothing. */
    char *convention, *version, *database, *listener, *title, *licence, *organization;
    char *name; /* database and listener, else title, else the file's name */
} pn_measured;

/* Room for directions x taps, zeroed. PINNA_NO_MEMORY also for shapes beyond 2 GiB. */
pinna_status pn_measured_create(pn_measured *set, int directions, int taps, double rate, pinna_error *err);
void pn_measured_clear(pn_measured *set);
/* The response of direction and ear (0 left, 1 right): set->taps samples. */
float *pn_measured_ir(const pn_measured *set, int direction, int ear);

/* Checks and repairs, in place; label names the set in errors and messages. Refused: no directions or taps, a rate
 * outside 4000 .. 768000 Hz, silence, more than a quarter of the measurements broken.
 * Repaired and said: broken measurements (samples or positions that are no numbers, delays beyond half a second: left
 * out), distances of 0 or beyond 100 m, distances that surround the head too thinly (the others kept), directions measured twice (the first
 * kept), silent directions (dropped), negative delays (all delayed), responses beyond 8192 taps at 48 kHz (faded out).
 */
pinna_status pn_measured_repair(pn_measured *set, const char *label, pn_messages *messages, pinna_error *err);

/* The part of a repair that sorts by distance. */
pinna_status pn_measured_sort_shells(pn_measured *set, const char *label, pn_messages *messages,
                                     pinna_error *err);

/* Converts to another rate, gain kept, delays scaled. PN_MEASURED_LEAD samples are put before each response for what
 * a linear-phase filter does before an onset; delay[] makes up for them. */
enum { PN_MEASURED_LEAD = 32 };
pinna_status pn_measured_resample(pn_measured *set, double rate, pinna_error *err);

/* Leaves out the measurements that are not marked; returns how many. */
int pn_measured_keep(pn_measured *set, const bool *keep);

/* Exchanges the ears. */
void pn_measured_swap_ears(pn_measured *set);

#endif
