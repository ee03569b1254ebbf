// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_PLANAR_H
#define PN_IO_PLANAR_H

#include <stddef.h>
#include <stdint.h>

/* Between the interleaved samples of files and an array for each channel; what nearly all files are, mono and stereo,
 * goes fast. */

/* to[n * channels + c] = channel[c][from + n] */
void pn_interleave(float *to, const float *const *channel, size_t channels, size_t from, size_t frames);
/* channel[c][at + n] = from[n * channels + c] */
void pn_deinterleave(float *const *channel, size_t channels, size_t at, const float *from, size_t frames);

#endif
