// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_HALL_H
#define PN_RENDER_HALL_H

#include <stddef.h>

#include "base/status.h"

/* The built-in reverb (`ir: builtin`): a synthetic stereo hall of 2 seconds, so that a scene can have a
 * reverb without a file. A few early reflections, then two independent noises in three bands that decay
 * with 2.0, 1.7 and 0.8 s to -60 dB (below 500 Hz, between, above 4 kHz), after J. A. Moorer, "About this
 * reverberation business", CMJ 3(2), 1979. Each channel has an energy of 1 (0 dB for noise). The same at
 * every call for a rate.
 *
 * left, right: allocated with pn_alloc, *length samples each; the caller frees them. */
pinna_status pn_hall_make(double rate, float **left, float **right, size_t *length, pinna_error *err);

#endif
