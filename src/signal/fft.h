// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_FFT_H
#define PN_SIGNAL_FFT_H

#include "base/status.h"

/* A small natural-order FFT in double precision, for analysis at load time (delays, minimum phase, metrics) and
 * as the yardstick of tests. Not for the block path. Power-of-two sizes 2 .. 2^24. */
typedef struct pn_fft pn_fft;

typedef struct {
    double re, im;
} pn_complex;

pinna_status pn_fft_create(int size, pn_fft **fft, pinna_error *err);
void pn_fft_free(pn_fft *fft);
int pn_fft_size(const pn_fft *fft);

/* In place, size points. forward: X[k] = sum x[n] exp(-2 pi i k n / size). inverse: with factor 1 / size. */
void pn_fft_forward(const pn_fft *fft, pn_complex *data);
void pn_fft_inverse(const pn_fft *fft, pn_complex *data);

#endif
