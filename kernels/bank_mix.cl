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
    const pn_mix_item item = pn_get_mix_item(PN_RUN_OF_POINTS(t.points), a.count, a.shares);
    __global const pn_source *sources = (__global const pn_source *)job;
    pn_bank_float total[PN_RUN][8], sum[PN_RUN][8];
    for (int v = 0; v < item.run; ++v)
        for (int i = 0; i < 8; ++i)
            total[v][i] = 0.0f;
    for (int from = item.begin; from < item.end; from += PN_CHUNK) {
        const int last = min(item.end, from + PN_CHUNK);
        for (int v = 0; v < item.run; ++v)
            for (int i = 0; i < 8; ++i)
                sum[v][i] = 0.0f;
        for (int s = from; s < last; ++s) {
            __global const int *words = job + sources[s].filters;
            const int still = sources[s].steps == 0;
            pn_ear_filter old[2], new[2];
            words += pn_open_filter(&t, words, item.bin, old);
            if (!still)
                pn_open_filter(&t, words, item.bin, new);
            for (int v = 0; v < item.run; ++v) {
                pn_bank_float xr, xi;
                pn_get_bins(&t, x, s, &item, v, &xr, &xi);
                for (int ear = 0; ear < 2; ++ear) {
                    pn_bank_float re, im;
                    pn_ear_bins(&t, &old[ear], item.bin, v, &re, &im);
                    sum[v][2 * ear] += xr * re - xi * im;
                    sum[v][2 * ear + 1] += xr * im + xi * re;
                    if (!still)
                        pn_ear_bins(&t, &new[ear], item.bin, v, &re, &im);
                    sum[v][2 * ear + 4] += xr * re - xi * im;
                    sum[v][2 * ear + 5] += xr * im + xi * re;
                }
            }
        }
        for (int v = 0; v < item.run; ++v)
            for (int i = 0; i < 8; ++i)
                total[v][i] += sum[v][i];
    }
    for (int v = 0; v < item.run; ++v)
        for (int i = 0; i < 4; ++i)
            pn_put_bins(&t, y, item.share * (size_t)a.sums + (size_t)i, &item, v, total[v][2 * i],
                        total[v][2 * i + 1]);
}
