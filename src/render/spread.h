// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_SPREAD_H
#define PN_RENDER_SPREAD_H

#include <stdbool.h>

#include "base/realtime.h"
#include "base/status.h"
#include "base/vec.h"

/* A source that is wider than a point: copies of its signal, alike in spectrum and unlike in phase, heard from several
 * directions at once.
 *
 *   width    8 copies, evenly over the cap of `width` degrees (across) around the source, seen from the listener. The
 *            cap goes with the source and does not turn about it; the listener's head turns within it.
 *   diffuse  8 copies from all around, at the corners of a cube that goes with the head, with the part sqrt(diffuse) of
 *            the amplitude; the rest, sqrt(1 - diffuse), is the point or the cap.
 *
 * Each copy takes a slot of the spatial bank and a cascade of some 50 all-pass filters: 12 us for a block of 256 frames.
 * Below some 200 Hz, where the copies are in phase, their amplitudes add up to that of the source (they have signs and
 * shares for that), above their powers do.
 *
 * The level is the power of both ears together, of white and of pink noise. Against the sum over the copies' directions
 * of what plain sources with the same shares have there, it is within 0.6 dB (white) and 0.75 dB (pink) through the
 * built-in set, 0.25 dB RMS over directions, widths and diffuseness. That sum is made the level of the plain source at its
 * own place, which the ears colour in another way, by two factors (balance.h): against the plain source it is within 0.9
 * dB (white) and 0.75 dB (pink). The ears' correlation of a diffuse source is that of a diffuse field within 0.2 in the
 * octaves up to 8 kHz. */
typedef struct pn_spread pn_spread;

enum { PN_SPREAD_COPIES = 8, PN_SPREAD_MOST = 2 * PN_SPREAD_COPIES };

typedef struct {
    double rate;
    int block;
    double width_deg; /* 0..360 */
    double diffuse;   /* 0..1 */
} pn_spread_desc;

/* Frames after the end of a source in which its copies may still sound. */
int pn_spread_tail(double rate);

/* For a width or a diffuseness above 0. */
pinna_status pn_spread_create(const pn_spread_desc *desc, pn_spread **spread, pinna_error *err);
void pn_spread_free(pn_spread *spread); /* accepts NULL */

/* How many slots it takes: 8, 9 (a point and what is around) or 16. */
int pn_spread_slots(const pn_spread *spread);

/* By how much the lows are to be amplified (balance.h) from the next block on, which comes to it linearly; the first
 * block has it from its beginning. 1 leaves the signal as it is. */
PN_BLOCK_PATH void pn_spread_balance(pn_spread *spread, double lows);
/* Makes the copies of a block; in NULL is silence. */
PN_BLOCK_PATH void pn_spread_feed(pn_spread *spread, const float *in);
/* What a slot plays in this block, or NULL for silence. Stays until the next feed. */
PN_BLOCK_PATH const float *pn_spread_signal(const pn_spread *spread, int slot);

/* Where a slot's copy is, as seen from the listener, with its share of the amplitude (with a sign). */
typedef struct {
    pn_vec3 relative; /* in the head's axes, as far away as the source */
    double share;
    bool around; /* one of those all around */
} pn_spread_copy;

/* The copies when the source is at `way` from the listener, in the world's axes, and the head is turned by `head`.
 * copy: one for each slot. Calls follow the source's way, which carries the cap along. */
PN_BLOCK_PATH void pn_spread_aim(pn_spread *spread, pn_vec3 way, pn_quat head, pn_spread_copy *copy);

#endif
