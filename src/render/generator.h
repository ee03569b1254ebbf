// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_GENERATOR_H
#define PN_RENDER_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/realtime.h"
#include "scene/scene.h"

/* A test or demo signal as a scene describes it. Sine, noise, pink and sweep fade in and out over 5 ms, so
 * that they neither start nor end with a click. The same samples at every run. */
typedef struct pn_generator_run pn_generator_run;

/* frames: how long it sounds (for the fade at its end and the sweep), UINT64_MAX = without end. */
pinna_status pn_generator_run_create(const pn_generator *generator, double rate, uint64_t frames,
                                     pn_generator_run **run, pinna_error *err);
void pn_generator_run_free(pn_generator_run *run); /* accepts NULL */

/* The next frames, mono. */
PN_BLOCK_PATH void pn_generator_run_make(pn_generator_run *run, float *out, size_t frames);

#endif
