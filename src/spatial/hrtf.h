// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HRTF_H
#define PN_SPATIAL_HRTF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/messages.h"
#include "base/status.h"
#include "base/vec.h"
#include "spatial/measured.h"

/* A set of measured ears, ready for rendering: for every node of a triangulated sphere a pair of responses with
 * their delays taken out (excess phase kept), and the delays. A direction is the barycentric blend of three nodes:
 * of the aligned responses, and of the delays, which come back as linear phase of the complete filter.
 * Immutable once loaded: any thread may look up. */
typedef struct pn_hrtf pn_hrtf;

typedef struct {
    double rate; /* of the responses as held, Hz */
    double file_rate;
    int directions; /* nodes: the measured ones, then those added to close gaps */
    int measured;   /* measured directions after repairs, <= directions */
    int taps;       /* of an aligned response */
    int max_delay;  /* samples: every delay[] is 0 .. max_delay */
    int latency;    /* samples of our own added to every response (pre-onset room); 0 for most sets */
    double
        scale; /* applied to all responses: mean power of both ears in front is 0 dB, over 250 Hz .. 8 kHz (or
                       0.45 of the file's rate, if less) as measured: the same for every rate */
    double distance;                         /* metres, of the measured directions (median) */
    double widest_gap_deg;                   /* no direction is farther than this from a measured one */
    bool horizontal_only;                    /* all directions in one plane: elevation is ignored */
    const char *name, *licence, *convention; /* owned by the set; never NULL */
} pn_hrtf_info;

/* What a direction uses: nodes, barycentric weights (sum 1), delay of each ear in samples. */
typedef struct {
    int node[3];
    float weight[3];
    float delay[2];
} pn_hrtf_point;

/* file NULL or "builtin": the embedded MIT KEMAR set. rate 0: the file's own. Tells repairs to messages; errors
 * name the file. */
pinna_status pn_hrtf_load(const char *file, double rate, pn_messages *messages, pn_hrtf **hrtf,
                          pinna_error *err);
/* The same from measurements in memory, which it takes over and clears, whatever happens; label names them in errors
 * and messages. */
pinna_status pn_hrtf_from_measured(pn_measured *measured, const char *label, double rate,
                                   pn_messages *messages, pn_hrtf **hrtf, pinna_error *err);
void pn_hrtf_free(pn_hrtf *hrtf);
const pn_hrtf_info *pn_hrtf_get_info(const pn_hrtf *hrtf);

/* [node][ear][taps] for pn_bank_desc.responses, owned by the set. */
const float *pn_hrtf_responses(const pn_hrtf *hrtf);
/* Unit vectors of the nodes, owned by the set. */
const pn_vec3 *pn_hrtf_directions(const pn_hrtf *hrtf);

/* direction: in the head's axes, any length but 0 (then the front). Real time. `hint` (may be NULL) is a triangle
 * number kept by the caller between look-ups of the same source; start it at -1. */
void pn_hrtf_look_up(const pn_hrtf *hrtf, pn_vec3 direction, int *hint, pn_hrtf_point *point);

/* The complete response pair in a direction, ITD inside: left and right have taps + max_delay samples each.
 * Allocates. */
pinna_status pn_hrtf_response(const pn_hrtf *hrtf, pn_vec3 direction, float *left, float *right,
                              pinna_error *err);

#endif
