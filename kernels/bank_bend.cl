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
    const pn_mix_item item = pn_get_mix_item(PN_RUN_OF_POINTS(t.points), a.bent, a.shares);
    __global const pn_source *sources = (__global const pn_source *)job;
    pn_bank_float sum[PN_RUN][12];
    for (int v = 0; v < item.run; ++v)
        for (int i = 0; i < 12; ++i)
            sum[v][i] = 0.0f;
    for (int s = item.begin; s < item.end; ++s) {
        const int steps = sources[s].steps;
        __global const int *words = job + sources[s].filters;
        pn_ear_filter old[2], new[2], inner[PN_INNER][2];
        words += pn_open_filter(&t, words, item.bin, old);
        words += pn_open_filter(&t, words, item.bin, new);
        for (int k = 0; k < PN_INNER && k < steps - 1; ++k)
            words += pn_open_filter(&t, words, item.bin, inner[k]);
        for (int v = 0; v < item.run; ++v) {
            pn_bank_float xr, xi;
            pn_get_bins(&t, x, s, &item, v, &xr, &xi);
            for (int ear = 0; ear < 2; ++ear) {
                pn_bank_float old_re, old_im, new_re, new_im;
                pn_ear_bins(&t, &old[ear], item.bin, v, &old_re, &old_im);
                pn_ear_bins(&t, &new[ear], item.bin, v, &new_re, &new_im);
                for (int k = 0; k < PN_INNER && k < steps - 1; ++k) {
                    const float way = (float)(k + 1) / (float)steps;
                    pn_bank_float re, im;
                    pn_ear_bins(&t, &inner[k][ear], item.bin, v, &re, &im);
                    re -= old_re + way * (new_re - old_re);
                    im -= old_im + way * (new_im - old_im);
                    const pn_bank_float dr = xr * re - xi * im, di = xr * im + xi * re;
                    if (steps == 4) {
                        sum[v][4 * k + 2 * ear] += dr;
                        sum[v][4 * k + 2 * ear + 1] += di;
                        continue;
                    }
                    sum[v][2 * ear] += 0.5f * dr;
                    sum[v][2 * ear + 1] += 0.5f * di;
                    sum[v][2 * ear + 4] += dr;
                    sum[v][2 * ear + 5] += di;
                    sum[v][2 * ear + 8] += 0.5f * dr;
                    sum[v][2 * ear + 9] += 0.5f * di;
                }
            }
        }
    }
    for (int v = 0; v < item.run; ++v)
        for (int i = 0; i < 6; ++i)
            pn_put_bins(&t, y, item.share * (size_t)a.sums + 4u + (size_t)i, &item, v, sum[v][2 * i],
                        sum[v][2 * i + 1]);
}
