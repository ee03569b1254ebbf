// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_CONVOLVE_ENGINE_STATE_H
#define PN_CONVOLVE_ENGINE_STATE_H

#include "convolve/engine.h"

/* What the files of the engine share: engine_make.c measures and makes one, engine.c is its clock. */

typedef struct {
    pn_level *level;
    int block, partitions;
    int period; /* in calls; level 0: 1 */
    int inputs, outputs;
    int *input, *output;       /* the matrix's numbers of the level's inputs and outputs */
    const float **history;     /* of the job under way */
    float **out;               /* level 0: the caller's; else where the back end copies its results to */
    float *result;             /* [output][block], where out points; unless the back end lends its results */
    const float *const *heard; /* the result being heard, NULL before the first; not level 0 */
    bool running;
} pn_engine_level;

struct pn_engine {
    pn_backend *backend;
    pn_engine_need need;
    int inputs, outputs;
    pn_matrix *matrix;   /* on a back end that keeps the clock itself; then there are no levels */
    int *input, *output; /* numbers of the inputs and outputs that it has, which alone are the matrix's */
    int used_inputs, used_outputs;
    const float **in; /* [used input]: new frames */
    float **out;      /* [used output]: where they go; NULL: nowhere */
    bool started;     /* the matrix has its block, or start_error says why not */
    pinna_error start_error;
    pn_engine_level *level; /* level[0] is the one level 0 */
    int levels;
    bool *needs;      /* [input]: there are responses */
    bool *has;        /* [output]: the same */
    bool *mute;       /* [output] */
    bool *level_mute; /* scratch */
    float *waste;     /* a call's frames of a mute output */
    pinna_ir *kept;
    size_t kept_count;
    float *kept_taps;
};

#endif
