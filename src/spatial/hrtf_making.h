// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HRTF_MAKING_H
#define PN_SPATIAL_HRTF_MAKING_H

#include "base/threads.h"
#include "signal/fft.h"
#include "spatial/delays.h"
#include "spatial/hrtf_set.h"
#include "spatial/measured.h"

/* Inside of making a set from measurements: what hrtf_load.c (order of the steps, content of the nodes), hrtf_grid.c
 * (where they are), hrtf_ears.c (which ear is which, level) and hrtf_align.c (aligned responses) share. Any failure
 * leaves what was allocated for pn_maker_clear. */

enum {
    PN_MAKER_TASKS = 16,
    PN_DIFFUSE_48K = 256 /* samples of the diffuse equaliser */
};

typedef struct {
    pn_measured *set; /* sorted by shell */
    const char *label;
    pn_messages *messages;
    const pn_hrtf_options *options;
    pn_pool *pool;
    pn_hrtf *hrtf;
    double *tau; /* [direction][ear], samples */
    pn_delay_model model[PN_HRTF_SHELLS];
    pn_sphere *measured[PN_HRTF_SHELLS]; /* of the measured directions alone */
    double scale[PN_HRTF_SHELLS];
    double least, most; /* of tau - delay: where the first onset lies in the arrays, and the last */
    /* Aligned responses: [direction][ear][row], onset at `room`. */
    float *aligned;
    int row, room, fade_in, fade_out, notch;
    float *inner; /* [row] scratch */
    int size;     /* of the transform */
    pn_fft *fft;
    pn_complex *work[PN_MAKER_TASKS];
} pn_maker;

void pn_maker_clear(pn_maker *m);

/* One shell of the set; shares its arrays. */
pn_measured pn_maker_shell(const pn_maker *m, int shell);

/* Exchanges the ears if the responses say so; tau is known. */
void pn_maker_settle_ears(pn_maker *m);
/* Sets scale[], and info.scale to that of the outermost shell. */
pinna_status pn_maker_set_level(pn_maker *m, pinna_error *err);

/* Lattice points wanted for a shell, whose delay model is known; 0 where no nodes are to be predicted. */
int pn_maker_grid(const pn_maker *m, int shell);
/* Chooses the nodes of all shells: given[], sphere[], first[] and directions of the set. */
pinna_status pn_maker_make_spheres(pn_maker *m, pinna_error *err);

/* Room for the transforms of the set as it is now: once at the file's rate, once at that of rendering. */
pinna_status pn_maker_prepare(pn_maker *m, pinna_error *err);
/* work[task] = both ears of a direction as re and im, each advanced by tau - delay; index n < 0 at size + n. */
void pn_maker_advance(pn_maker *m, int task, int direction);
/* Fills `aligned`, chooses room and length, sets info.taps; then the common delay (info.latency). */
pinna_status pn_maker_align(pn_maker *m, pinna_error *err);
/* Samples to where every response has ended: less than -66 dB of its energy follows. */
int pn_maker_find_end(const float *response, int count, int length);
/* Makes a response of info.taps end smoothly on both sides. Not in parallel. */
void pn_maker_finish(const pn_maker *m, float *response);

/* Finds the sections of the low equaliser; the file's rate, before change_rate. */
void pn_maker_equalise_low(pn_maker *m);
/* Of all nodes, in place. */
pinna_status pn_maker_equalise_diffuse(pn_maker *m, pinna_error *err);

#endif
