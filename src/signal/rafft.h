// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SIGNAL_RAFFT_H
#define PN_SIGNAL_RAFFT_H

#include <stddef.h>

#include "base/realtime.h"
#include "base/status.h"

/* The real-convolution transform of the CPU path: right-angle (negacyclic) form.
 *
 * A transform of size N = 2M takes N real samples as M complex points z[n] = x[n] + i x[n+M] and gives M complex
 * bins: residues of z(t) modulo the roots of t^M - i. The product of two spectra is the negacyclic convolution
 * of length N (what wraps around comes back negated), which is all that overlap-save needs: with `re` the
 * previous block, `im` the current block, and a response of at most M + 1 taps (M in re, the rest at the start of
 * im), the imaginary part of the inverse is the block's valid output, exactly.
 *
 * Spectra are opaque: M complex bins in vectors of `lanes` floats, [lanes re][lanes im], in the order of the
 * transform's tree, and only meet spectra of the same transform. Products, sums, and
 * pn_rafft_ramp_factors are the only things done with them. 2*M floats, aligned to PN_ALIGNMENT.
 *
 * Source of the method: the right-angle convolution, e.g. R. Crandall and B. Fagin, "Discrete weighted
 * transforms and large-integer arithmetic", Math. Comp. 62 (1994); layout and radices as in rafft_width.h. */

typedef enum { PN_SIMD_PLAIN, PN_SIMD_4, PN_SIMD_8, PN_SIMD_16 } pn_simd;

/* The widest kind this processor runs (and this build has). Environment PINNA_SIMD=plain|sse2|avx2|avx512|neon
 * narrows it, for tests; a word that is no kind of this machine changes nothing. */
pn_simd pn_simd_best(void);
/* All kinds that run here, plain first; returns how many. */
int pn_simd_available(pn_simd list[4]);
const char *pn_simd_name(pn_simd simd);

typedef struct pn_rafft pn_rafft; /* immutable once made: any number of threads may share it */

/* size: N, power of two, 64 .. 1048576 real samples. Every kind of SIMD takes every size (small transforms use
 * narrower code inside). */
pinna_status pn_rafft_create(int size, pn_simd simd, pn_rafft **fft, pinna_error *err);
void pn_rafft_free(pn_rafft *fft);

int pn_rafft_lanes(const pn_rafft *fft); /* floats per vector of a spectrum */
/* Scratch floats that forward and inverse need (the caller's, one per thread, PN_ALIGNMENT aligned). */
size_t pn_rafft_scratch(const pn_rafft *fft);

/* re, im: M samples each, no alignment asked, im may be NULL for zeros; spectrum: 2M floats. Unscaled. */
PN_BLOCK_PATH void pn_rafft_forward(const pn_rafft *fft, const float *re, const float *im, float *spectrum,
                                    float *scratch);
/* Inverse with factor M: inverse(forward(z)) = M z. re may be NULL: then only im is computed and stored. The
 * spectrum is kept. */
PN_BLOCK_PATH void pn_rafft_inverse(const pn_rafft *fft, const float *spectrum, float *re, float *im,
                                    float *scratch);

/* The same transforms cut into pieces, so that a large one can be spread over time. The root's pass comes first; it
 * works on columns, 0 .. pn_rafft_columns - 1 (vectors of `lanes` points), any number at a time, in any order. It
 * leaves pn_rafft_parts parts of 2 * lanes * columns floats each, which are independent of each other: part q is
 * the q-th run of bins of the spectrum. Each is finished in its place, by its pieces 0 .. pn_rafft_part_pieces - 1,
 * in order. The inverse runs backwards: the pieces of every part, then the root's pass. In `work` the parts stand
 * `stride` floats apart (a multiple of 32), which is more than their size where that would be a power of two. The
 * results are the bits of pn_rafft_forward and pn_rafft_inverse. */
int pn_rafft_parts(const pn_rafft *fft);
size_t pn_rafft_columns(const pn_rafft *fft);
int pn_rafft_part_pieces(const pn_rafft *fft);
/* re, im: M samples each, as for pn_rafft_forward, im not NULL. */
PN_BLOCK_PATH void pn_rafft_forward_top(const pn_rafft *fft, const float *re, const float *im, float *work,
                                        size_t stride, size_t first, size_t count);
/* Pieces first .. end - 1 of a part whose memory is `data`. */
PN_BLOCK_PATH void pn_rafft_forward_part(const pn_rafft *fft, int part, float *data, int first, int end);
PN_BLOCK_PATH void pn_rafft_inverse_part(const pn_rafft *fft, int part, float *data, int first, int end);
/* Computes and stores the columns' imaginary samples only: im has M. */
PN_BLOCK_PATH void pn_rafft_inverse_top(const pn_rafft *fft, const float *work, size_t stride, float *im,
                                        size_t first, size_t count);

/* sum += a * b, complex, all of 2M floats of spectrum. */
PN_BLOCK_PATH void pn_rafft_multiply_add(const pn_rafft *fft, float *sum, const float *a, const float *b);

/* The factors of a delay ramp. A delay of d samples (within +-N) multiplies a bin by exp(-2 pi i f d), f its frequency in
 * cycles per sample, -1/2 .. 1/2; bin l of vector v by lane[l] times turn[k] for every bit k that is set in v. In double
 * precision up to here, so that long delays keep their phase: products in single precision are right to -125 dB. */
enum { PN_RAFFT_LANES = 16, PN_RAFFT_TURNS = 19 };
typedef struct {
    _Alignas(64) float lane[2 * PN_RAFFT_LANES]; /* [lanes re][lanes im] */
    float turn[PN_RAFFT_TURNS][2];               /* re, im; as many as the number of vectors has bits */
} pn_rafft_ramp;
PN_BLOCK_PATH void pn_rafft_ramp_factors(const pn_rafft *fft, double delay_samples, pn_rafft_ramp *ramp);

#endif
