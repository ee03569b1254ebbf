// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "level.h"
#endif

/* Spectra of a response's partitions, made whole in `in` [tile][row of `rows`], from row `row` on, into 16 bits with one
 * scale for 16 bins, real and imaginary parts: at float `at` of the shard values [tile][partition of `partitions`] vectors
 * of shorts, then scales [tile][partition][16 bins]; these are the partitions from `first` on. The error that this makes
 * and the energy there was: error[tile][row][16 bins][2]. Work-items: (16 bins of a vector, partition, tile). */
__kernel void pack_spectra(__global const float *in, const uint rows, const uint row, const uint tiles,
                           const uint partitions, const uint first, const ulong at, __global float *shard,
                           __global float *error) {
    const size_t bins = get_global_id(0), k = get_global_id(1);
    const size_t tile = get_global_id(2), place = tile * partitions + first + k,
                 whole = tile * rows + row + k;
    const size_t lane = bins << PN_SCALED_LOG2, size = 1 << PN_SCALED_LOG2;
    __global const float *from = in + whole * PN_MATRIX_VECTOR + lane;
    __global short *to = (__global short *)(shard + at) + place * PN_MATRIX_VECTOR + lane;
    __global float *scale =
        shard + at + (size_t)tiles * partitions * PN_MATRIX_TILE + place * PN_SCALES + bins;
    float most = 0, wrong = 0, energy = 0;
    for (size_t i = 0; i < size; ++i)
        most = fmax(most, fmax(fabs(from[i]), fabs(from[i + PN_MATRIX_TILE])));
    const float step = most / 32767.0f, per_step = most > 0 ? 32767.0f / most : 0.0f;
    for (size_t i = 0; i < size; ++i) {
        const float re = from[i], im = from[i + PN_MATRIX_TILE];
        const short r = convert_short_sat_rte(re * per_step), j = convert_short_sat_rte(im * per_step);
        const float off_re = re - (float)r * step, off_im = im - (float)j * step;
        to[i] = r;
        to[i + PN_MATRIX_TILE] = j;
        wrong += off_re * off_re + off_im * off_im;
        energy += re * re + im * im;
    }
    *scale = step;
    const size_t item = whole * PN_SCALES + bins;
    error[2 * item] = wrong;
    error[2 * item + 1] = energy;
}
