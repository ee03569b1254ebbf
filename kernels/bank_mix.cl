// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#include "tree.h"
#include "bank.h"
#endif

/* All sources to two ears, with their old and their new filters. Work-items: (vector of bins, share). x: [audible
 * source][tile]; y: [share][old left, old right, new left, new right][tile]. Sums run over PN_CHUNK sources and are
 * then added to the total, so that many sources lose no digits. */
__kernel void bank_mix(const pn_mix_args a, __global const int *job, __global const float *x,
                       __global const float *nodes, __global const float *tints, __global const int *turns,
                       __global float *y) {
    const size_t share = get_global_id(1);
    const pn_bins_of b = pn_bins_at(get_global_id(0) * PN_LANES, a.points_log2, nodes, tints, turns);
    __global const pn_source *sources = (__global const pn_source *)job;
    const int begin = (int)((long)a.count * (long)share / a.shares);
    const int end = (int)((long)a.count * (long)(share + 1) / a.shares);
    pn_lanes total[8];
    for (int i = 0; i < 8; ++i)
        total[i] = 0.0f;
    for (int from = begin; from < end; from += PN_CHUNK) {
        pn_lanes olr = 0.0f, oli = 0.0f, orr = 0.0f, ori = 0.0f, nlr = 0.0f, nli = 0.0f, nrr = 0.0f, nri = 0.0f;
        const int last = min(end, from + PN_CHUNK);
        for (int s = from; s < last; ++s) {
            __global const int *words = job + sources[s].filters;
            const pn_lanes xr = PN_GET(x + s * b.stride + b.place);
            const pn_lanes xi = PN_GET(x + s * b.stride + b.place + PN_TILE);
            pn_lanes lr, li, rr, ri;
            words += pn_filter_bins(&b, words, &lr, &li, &rr, &ri);
            PN_MULTIPLY_ADD_BINS(olr, oli, xr, xi, lr, li);
            PN_MULTIPLY_ADD_BINS(orr, ori, xr, xi, rr, ri);
            if (sources[s].steps > 0)
                pn_filter_bins(&b, words, &lr, &li, &rr, &ri);
            PN_MULTIPLY_ADD_BINS(nlr, nli, xr, xi, lr, li);
            PN_MULTIPLY_ADD_BINS(nrr, nri, xr, xi, rr, ri);
        }
        total[0] += olr;
        total[1] += oli;
        total[2] += orr;
        total[3] += ori;
        total[4] += nlr;
        total[5] += nli;
        total[6] += nrr;
        total[7] += nri;
    }
    for (int i = 0; i < 4; ++i) {
        __global float *to = y + (share * a.sums + (size_t)i) * b.stride + b.place;
        PN_PUT(total[2 * i], to);
        PN_PUT(total[2 * i + 1], to + PN_TILE);
    }
}
