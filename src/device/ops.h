// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_DEVICE_OPS_H
#define PN_DEVICE_OPS_H

#include "device/backend.h"
#include "signal/fft.h"

/* The jobs and their operations in plain float64, straight from their definitions and without a fast transform:
 * slow, short, and what every back end is tested against (pn_backend_selftest and the tests).
 *
 * The transform of size N = 2M takes x as z[n] = x[n] + i x[n + M] to M bins; bin k stands at the frequency
 * f[k] = -(k + 1/4) / M cycles per sample, wrapped to -1/2 .. 1/2:
 *     Z[k] = sum over n < M of z[n] exp(-2 pi i f[k] n) = sum over n < N of x[n] exp(-2 pi i f[k] n).
 * Products of bins are negacyclic convolutions of length N. A back end keeps bins in an order of its own. */

/* Frequency of bin k, cycles per sample. */
double pn_ops_frequency(int size, int k);
/* re, im: size / 2 samples each, im may be NULL for zeros; bins: size / 2. */
void pn_ops_forward(int size, const double *re, const double *im, pn_complex *bins);
/* True inverse, factor 1 / M. re or im may be NULL. */
void pn_ops_inverse(int size, const pn_complex *bins, double *re, double *im);
/* sum += a * b */
void pn_ops_multiply_add(int size, pn_complex *sum, const pn_complex *a, const pn_complex *b);
/* out = sum of weight[j] node[j] */
void pn_ops_blend(int size, pn_complex *out, const pn_complex *const *node, const float *weight, int count);
/* out = exp(-2 pi i f delay) */
void pn_ops_ramp(int size, double delay, pn_complex *out);

/* A level over a whole stream that starts with its first block: input[i] and out[o] have `frames` frames.
 * out[o][n] = sum over entries (i, o), k < length of taps[k] input[i][n - k]. */
void pn_ops_level(const pn_level_desc *desc, const float *const *input, size_t frames, double *const *out);

/* The complete filter of one ear (0 left, 1 right): `size` samples. It is the blended response, convolved with the
 * blended tint if any tint weight is not 0, and that negacyclically with the band-limited delay of the period,
 *     D[n] = sin(pi x) / (N sin(pi x / N)), x = n - delay,
 * which is the ramp exp(-2 pi i f delay) on the transform's frequencies. What a fractional delay rings before
 * frame 0 comes back negated at the end; that is part of the definition. */
pinna_status pn_ops_filter(const pn_bank_desc *desc, const pn_filter *filter, int ear, double *out,
                           pinna_error *err);

/* A quantum's samples as they are heard: in points to its first new sample, with desc.propagation + 8 or more before
 * it in the same memory. out: quantum samples. */
void pn_ops_propagate(const pn_bank_desc *desc, const pn_propagation *propagation, const float *in,
                      double *out);

/* A bank's job. history[s]: the last `size` samples that were heard of the source, the quantum's last, or NULL for
 * silence: of sources[s] only the filters and steps are read. left, right: quantum frames. */
pinna_status pn_ops_bank(const pn_bank_desc *desc, const pn_bank_source *sources, const float *const *history,
                         double *left, double *right, pinna_error *err);

/* What every back end asks of a description before it makes an object: PINNA_BAD_ARGUMENT with the value. */
pinna_status pn_level_desc_check(const pn_level_desc *desc, pinna_error *err);
/* Besides what backend.h says: quantum <= size / 2, so that the quantum is in the imaginary half. */
pinna_status pn_bank_desc_check(const pn_bank_desc *desc, pinna_error *err);

/* A bank's sources, as back ends ask. */
static inline int pn_bank_steps(const pn_bank_source *source) {
    return source->steps < 1 ? 1 : source->steps;
}

/* Filter k = 0 .. steps of a quantum. */
static inline const pn_filter *pn_bank_knot(const pn_bank_source *source, int k) {
    int steps = pn_bank_steps(source);
    return k == 0 ? &source->from : k == steps ? &source->to : &source->inner[steps == 2 ? 1 : k - 1];
}

static inline bool pn_filter_silent(const pn_filter *filter) {
    for (int j = 0; j < PN_FILTER_NODES; ++j)
        if (filter->weight[0][j] != 0 || filter->weight[1][j] != 0)
            return false;
    return true;
}

static inline bool pn_filter_tinted(const pn_filter *filter, int ear) {
    for (int j = 0; j < PN_FILTER_TINTS; ++j)
        if (filter->tint_weight[ear][j] != 0)
            return true;
    return false;
}

/* Partitions of an entry. */
static inline size_t pn_level_partitions(const pn_level_entry *entry, int block) {
    return (entry->length + (size_t)block - 1) / (size_t)block;
}

#endif
