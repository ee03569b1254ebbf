// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#include "bank.h"
#endif

/* Fast sources, whose filters bend within the quantum: what their inner filters differ from the straight line between
 * old and new, at the quarters of the quantum. In a source of two steps the quarters stand half-way to its one inner filter.
 * They come first in the table. Work-items: (vector of bins, share). y: [share][4 of bank_mix, then quarter 1 left,
 * right, quarter 2, quarter 3][tile]. */
__kernel void bank_bend(const pn_mix_args a, __global const int *job, __global const float *x,
                        __global const float *nodes, __global const float *tints, __global const int *turns,
                        __global float *y) {
    const size_t share = get_global_id(1);
    const pn_bins_of b = pn_bins_at(get_global_id(0) * PN_LANES, a.points_log2, nodes, tints, turns);
    __global const pn_source *sources = (__global const pn_source *)job;
    const int begin = (int)((long)a.bent * (long)share / a.shares);
    const int end = (int)((long)a.bent * (long)(share + 1) / a.shares);
    pn_lanes total[12];
    for (int i = 0; i < 12; ++i)
        total[i] = 0.0f;
    for (int from = begin; from < end; from += PN_CHUNK) {
        pn_lanes sum[12];
        for (int i = 0; i < 12; ++i)
            sum[i] = 0.0f;
        for (int s = from; s < min(end, from + PN_CHUNK); ++s) {
            __global const int *words = job + sources[s].filters;
            const pn_lanes xr = PN_GET(x + s * b.stride + b.place);
            const pn_lanes xi = PN_GET(x + s * b.stride + b.place + PN_TILE);
            pn_lanes old[4], new[4];
            words += pn_filter_bins(&b, words, &old[0], &old[1], &old[2], &old[3]);
            words += pn_filter_bins(&b, words, &new[0], &new[1], &new[2], &new[3]);
            const int steps = sources[s].steps;
            for (int q = 0; q < steps - 1; ++q) {
                const float way = (float)(q + 1) / (float)steps;
                pn_lanes f[4];
                words += pn_filter_bins(&b, words, &f[0], &f[1], &f[2], &f[3]);
                for (int i = 0; i < 4; ++i)
                    f[i] -= old[i] + way * (new[i] - old[i]);
                pn_lanes d[4] = {xr * f[0] - xi * f[1], xr * f[1] + xi * f[0], xr * f[2] - xi * f[3],
                                 xr * f[3] + xi * f[2]};
                for (int i = 0; i < 4; ++i) {
                    sum[i] += steps == 2 ? 0.5f * d[i] : q == 0 ? d[i] : 0.0f;
                    sum[4 + i] += steps == 2 || q == 1 ? d[i] : 0.0f;
                    sum[8 + i] += steps == 2 ? 0.5f * d[i] : q == 2 ? d[i] : 0.0f;
                }
            }
        }
        for (int i = 0; i < 12; ++i)
            total[i] += sum[i];
    }
    for (int i = 0; i < 6; ++i) {
        __global float *to = y + (share * a.sums + 4u + (size_t)i) * b.stride + b.place;
        PN_PUT(total[2 * i], to);
        PN_PUT(total[2 * i + 1], to + PN_TILE);
    }
}
