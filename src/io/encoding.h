// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_ENCODING_H
#define PN_IO_ENCODING_H

#include "io/audio_file.h"

/* Float samples to the integers of a file. Rounding is to the nearest step (ties to even) of full scale
 * 2^(bits - 1), the factor that reading divides by, so that what was read as 16 or 24 bits is written
 * unchanged. */

int pn_encoding_bytes(pn_encoding encoding); /* of one sample */
int pn_encoding_bits(pn_encoding encoding);  /* 16, 24, 32; 0 for floating point */

typedef struct {
    int bits;
    bool dither;
    uint64_t seed;
    uint64_t clipped, nonfinite; /* samples so far */
    double peak;
} pn_quantiser;

void pn_quantiser_init(pn_quantiser *quantiser, pn_encoding encoding, pn_dither dither);
/* All samples pass here first: what is not finite becomes 0 and is counted; the peak is kept. */
void pn_quantiser_sift(pn_quantiser *quantiser, float *samples, size_t count);
/* Finite samples as integers in the upper `bits` of 32. Beyond +-1 they are clipped and counted; +1 itself,
 * one step above the largest integer, is given that and not counted. */
void pn_quantiser_round(pn_quantiser *quantiser, const float *samples, int32_t *integers, size_t count);

#endif
