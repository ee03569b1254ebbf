// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "bank.h"
#endif

/* All sources to two ears, with their old and their new filters. Work-items: (run of bins, share). x: [audible
 * source][tile]; y: [share][old left, old right, new left, new right][tile]. Sums run over PN_CHUNK sources and are
 * then added to the total, so that many sources lose no digits. */
__kernel void bank_mix(const pn_mix_args a, __global const int *job, __global const float *x,
                       __global const float *nodes, __global const float *tints, __global const int *turns,
                       __global float *y) {
    const pn_bank_tables t = pn_tables(a.points_log2, nodes, tints, turns);
    const int run = PN_RUN_OF_POINTS(t.points);
    const size_t share = get_global_id(1), bin = get_global_id(0) * (size_t)run * PN_BANK_LANES;
    __global const pn_source *sources = (__global const pn_source *)job;
    const int begin = (int)((long)a.count * (long)share / a.shares);
    const int end = (int)((long)a.count * (long)(share + 1) / a.shares);
    pn_bank_float total[PN_RUN][8], sum[PN_RUN][8];
    for (int v = 0; v < run; ++v)
        for (int i = 0; i < 8; ++i)
            total[v][i] = 0.0f;
    for (int from = begin; from < end; from += PN_CHUNK) {
        const int last = min(end, from + PN_CHUNK);
        for (int v = 0; v < run; ++v)
            for (int i = 0; i < 8; ++i)
                sum[v][i] = 0.0f;
        for (int s = from; s < last; ++s) {
            __global const int *words = job + sources[s].filters;
            const int still = sources[s].steps == 0;
            pn_ear_filter old[2], new[2];
            words += pn_open_filter(&t, words, bin, old);
            if (!still)
                pn_open_filter(&t, words, bin, new);
            for (int v = 0; v < run; ++v) {
                __global const float *row = x + s * t.stride + pn_place_of(bin + (size_t)v * PN_BANK_LANES);
                const pn_bank_float xr = PN_BANK_GET(row), xi = PN_BANK_GET(row + PN_TILE);
                for (int ear = 0; ear < 2; ++ear) {
                    pn_bank_float re, im;
                    pn_ear_bins(&t, &old[ear], bin, v, &re, &im);
                    PN_MULTIPLY_ADD_BINS(sum[v][2 * ear], sum[v][2 * ear + 1], xr, xi, re, im);
                    if (!still)
                        pn_ear_bins(&t, &new[ear], bin, v, &re, &im);
                    PN_MULTIPLY_ADD_BINS(sum[v][2 * ear + 4], sum[v][2 * ear + 5], xr, xi, re, im);
                }
            }
        }
        for (int v = 0; v < run; ++v)
            for (int i = 0; i < 8; ++i)
                total[v][i] += sum[v][i];
    }
    for (int v = 0; v < run; ++v) {
        const size_t place = pn_place_of(bin + (size_t)v * PN_BANK_LANES);
        for (int i = 0; i < 4; ++i) {
            __global float *to = y + (share * (size_t)a.sums + (size_t)i) * t.stride + place;
            PN_BANK_PUT(total[v][2 * i], to);
            PN_BANK_PUT(total[v][2 * i + 1], to + PN_TILE);
        }
    }
}
