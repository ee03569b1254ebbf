// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_RESAMPLE_H
#define PN_SIGNAL_RESAMPLE_H

#include <stddef.h>

#include "base/status.h"

/* Rate conversion, by libsoxr at its very high quality, linear phase, delay removed. */

/* A whole signal: out gets pn_resample_length(n, from, to) samples (allocated with pn_alloc). Used for impulse
 * responses; amplitude of an impulse response must be scaled by from/to by the caller to keep its gain.
 * The length is frames * to / from, rounded; a stream gives as many. Equal rates pass the samples as they are.
 * PINNA_BAD_ARGUMENT: a rate that is not above 0, or rates further apart than a factor of 10000. */
size_t pn_resample_length(size_t frames, double from_rate, double to_rate);
pinna_status pn_resample(const float *in, size_t frames, double from_rate, double to_rate, float **out,
                         size_t *out_frames, pinna_error *err);

/* A stream, interleaved channels. */
typedef struct pn_resampler pn_resampler;
pinna_status pn_resampler_create(int channels, double from_rate, double to_rate, pn_resampler **resampler,
                                 pinna_error *err);
void pn_resampler_free(pn_resampler *resampler);
/* Takes up to in_frames (in == NULL: end of input), gives up to out_room frames; *used and *made say how many.
 * At the end of input call with in == NULL until *made is 0. */
pinna_status pn_resampler_process(pn_resampler *resampler, const float *in, size_t in_frames, size_t *used,
                                  float *out, size_t out_room, size_t *made, pinna_error *err);

#endif
