// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "bank.h"
#endif

/* Fast sources, whose filters bend within the quantum: what their inner filters differ by from the straight line between
 * old and new, at the quarters of the quantum. With two steps the first and the last quarter stand half-way to the one
 * inner filter. These sources come first in the table. Work-items: (run of bins, share). y: [share][4 of bank_mix,
 * then quarter 1 left, right, quarter 2, quarter 3][tile]. */
__kernel void bank_bend(const pn_mix_args a, __global const int *job, __global const float *x,
                        __global const float *nodes, __global const float *tints, __global const int *turns,
                        __global float *y) {
    const pn_bank_tables t = pn_tables(a.points_log2, nodes, tints, turns);
    const int run = PN_RUN_OF_POINTS(t.points);
    const size_t share = get_global_id(1), bin = get_global_id(0) * (size_t)run * PN_BANK_LANES;
    __global const pn_source *sources = (__global const pn_source *)job;
    const int begin = (int)((long)a.bent * (long)share / a.shares);
    const int end = (int)((long)a.bent * (long)(share + 1) / a.shares);
    pn_bank_float sum[PN_RUN][12];
    for (int v = 0; v < run; ++v)
        for (int i = 0; i < 12; ++i)
            sum[v][i] = 0.0f;
    for (int s = begin; s < end; ++s) {
        const int steps = sources[s].steps;
        const float outer = steps == 2 ? 0.5f : 0.0f;
        __global const int *words = job + sources[s].filters;
        pn_ear_filter old[2], new[2], inner[2];
        words += pn_open_filter(&t, words, bin, old);
        words += pn_open_filter(&t, words, bin, new);
        for (int k = 1; k < steps; ++k) {
            const float way = (float)k / (float)steps;
            /* What the three quarters take of it. */
            const float first = steps == 4 && k == 1 ? 1.0f : outer;
            const float middle = steps == 2 || k == 2 ? 1.0f : 0.0f;
            const float third = steps == 4 && k == 3 ? 1.0f : outer;
            words += pn_open_filter(&t, words, bin, inner);
            for (int v = 0; v < run; ++v) {
                __global const float *row = x + s * t.stride + pn_place_of(bin + (size_t)v * PN_BANK_LANES);
                const pn_bank_float xr = PN_BANK_GET(row), xi = PN_BANK_GET(row + PN_TILE);
                for (int ear = 0; ear < 2; ++ear) {
                    pn_bank_float old_re, old_im, new_re, new_im, re, im;
                    pn_ear_bins(&t, &old[ear], bin, v, &old_re, &old_im);
                    pn_ear_bins(&t, &new[ear], bin, v, &new_re, &new_im);
                    pn_ear_bins(&t, &inner[ear], bin, v, &re, &im);
                    re -= old_re + way * (new_re - old_re);
                    im -= old_im + way * (new_im - old_im);
                    const pn_bank_float dr = xr * re - xi * im, di = xr * im + xi * re;
                    sum[v][2 * ear] += first * dr;
                    sum[v][2 * ear + 1] += first * di;
                    sum[v][2 * ear + 4] += middle * dr;
                    sum[v][2 * ear + 5] += middle * di;
                    sum[v][2 * ear + 8] += third * dr;
                    sum[v][2 * ear + 9] += third * di;
                }
            }
        }
    }
    for (int v = 0; v < run; ++v) {
        const size_t place = pn_place_of(bin + (size_t)v * PN_BANK_LANES);
        for (int i = 0; i < 6; ++i) {
            __global float *to = y + (share * (size_t)a.sums + 4u + (size_t)i) * t.stride + place;
            PN_BANK_PUT(sum[v][2 * i], to);
            PN_BANK_PUT(sum[v][2 * i + 1], to + PN_TILE);
        }
    }
}
