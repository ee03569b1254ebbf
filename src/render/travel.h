// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_TRAVEL_H
#define PN_RENDER_TRAVEL_H

#include "base/realtime.h"
#include "base/vec.h"
#include "device/backend.h"

/* How the sound of a source travels to the listener: when what is heard now was emitted, and the delays that a bank's
 * delay line runs through in every quantum. What the shift of frequency (Doppler) comes from.
 *
 * Everything here is block path and finite for finite places, whatever their speed. */

/* Where something is at a scene time, in seconds. */
typedef struct {
    pn_vec3 (*at)(const void *user, double time);
    const void *user;
} pn_track;

typedef struct {
    double seconds;   /* from emission to reception, 0 .. longest */
    double rate;      /* its change in seconds a second */
    pn_vec3 position; /* of the source when it emitted */
} pn_passage;

/* Of the sound that reaches, at `time`, a listener who is at `ear` and moves by `velocity`. slowness: seconds a metre
 * (times the factor on the shift). guess: seconds, of the passage before it, say. Where several passages would do, as
 * for a source faster than sound, it is one of them. A source farther away than `longest` seconds is heard as from
 * there. */
PN_BLOCK_PATH pn_passage pn_travel_solve(const pn_track *source, double time, pn_vec3 ear, pn_vec3 velocity,
                                         double slowness, double longest, double guess);

/* ---- delay lines */

/* The limits on how fast a delay may change, in samples a sample. Beyond them a source is not swept but moved while it
 * is faded out: the reading of the line would run backwards, or at more than four times the speed. -3 is a source that
 * approaches at 3/4 of the speed of sound. */
#define PN_TRAVEL_FASTEST (-3.0)
#define PN_TRAVEL_SLOWEST 0.95

enum { PN_TRAVEL_FADE = 1536 }; /* frames of a fade (or a quantum, if that is longer) */

typedef struct {
    int quantum;
    int longest; /* samples, of the delay lines */
    int memory;  /* samples that a filter remembers */
} pn_travel_line;

/* A source's way through its line; zeroed at the start. */
typedef struct {
    bool begun;
    enum { PN_TRAVEL_HEARD, PN_TRAVEL_FALLING, PN_TRAVEL_SILENT, PN_TRAVEL_RISING } state;
    double delay, rate;          /* reached by the line: samples, and samples a sample */
    double wanted, wanted_rate;  /* given last */
    int fallen, wait;            /* quanta */
    double phase_from, phase_to; /* of the fade, in the quantum made last: 0 heard, 1 silent */
} pn_travel;

/* The next quantum, from where the last one ended to `delay` (samples, at the first frame of the next quantum) and its
 * rate there: a cubic, so that frequency is continuous. The first call begins at `delay`, and gives no quantum. leap:
 * it is a jump, however small.
 *
 * A jump takes a fade down with the old delay (FALLING: the source should be held where it was), silence until a filter
 * has forgotten it, and a fade up. The fades are cosines of 1,536 frames: what they add to a tone of 1 kHz above 5 kHz
 * is below -80 dB. A source that stays beyond the limits stays silent. */
PN_BLOCK_PATH void pn_travel_step(pn_travel *travel, const pn_travel_line *line, double delay, double rate,
                                  bool leap, pn_propagation *propagation);
/* The level at part u of the quantum made last. */
PN_BLOCK_PATH double pn_travel_level(const pn_travel *travel, double u);

#endif
