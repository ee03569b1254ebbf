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

typedef struct {
    int quantum;
    int longest; /* samples, of the delay lines */
    int memory;  /* samples that a filter remembers */
} pn_travel_line;

/* A source's way through its line; zeroed at the start. */
typedef struct {
    bool begun;
    double delay, rate; /* reached: samples, and samples a sample */
    int wait;           /* quanta until it is heard again; 0: it is heard */
} pn_travel;

/* The next quantum, from where the last one ended to `delay` (samples, at the first frame of the next quantum) and its
 * rate there: a cubic, so that frequency is continuous. The first call begins at `delay`, and gives no quantum.
 *
 * Returns the level that the source is to have at the end of the quantum, 1 or 0, with a ramp in it. A jump takes a
 * ramp down with the old delay, silence until a filter has forgotten it, and a ramp up: (3 quanta, or a little more
 * where filters are longer than a quantum). */
PN_BLOCK_PATH double pn_travel_step(pn_travel *travel, const pn_travel_line *line, double delay, double rate,
                                    pn_propagation *propagation);

#endif
