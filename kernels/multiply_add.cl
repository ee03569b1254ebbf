// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* One partition level: for every output, bin and share, the sum over the share's pieces of input spectra times
 * response spectra. Work-items: (bin, output, share). pieces of output o: first[o] .. first[o+1]-1.
 * x: [input][tile][slot], h: [entry][tile][partition], y: [share][output][tile]. */
__kernel void multiply_add(const pn_mac_args a, __global const float *x, __global const float *h,
                           __global const pn_piece *pieces, __global const int *first, __global float *y) {
    const uint bin = (uint)get_global_id(0), tile = bin >> PN_TILE_LOG2, lane = bin & (PN_TILE - 1u);
    const size_t output = get_global_id(1), share = get_global_id(2);
    const long all = first[output + 1] - first[output];
    const int begin = first[output] + (int)(all * (long)share / a.shares);
    const int end = first[output] + (int)(all * (long)(share + 1) / a.shares);
    float sum_re = 0.0f, sum_im = 0.0f;
    for (int i = begin; i < end; ++i) {
        __global const pn_piece *p = pieces + i;
        __global const float *xs = x + ((size_t)p->input * a.tiles + tile) * a.ring * PN_VECTOR + lane;
        __global const float *hs =
            h + (p->entry + (size_t)tile * p->entry_partitions + p->partition) * PN_VECTOR + lane;
        int slot = a.newest - p->partition;
        slot += slot < 0 ? a.ring : 0;
        float re = 0.0f, im = 0.0f;
        for (int k = 0; k < p->count; ++k) {
            const float xr = xs[(size_t)slot * PN_VECTOR], xi = xs[(size_t)slot * PN_VECTOR + PN_TILE];
            const float hr = hs[(size_t)k * PN_VECTOR], hi = hs[(size_t)k * PN_VECTOR + PN_TILE];
            re += xr * hr - xi * hi;
            im += xr * hi + xi * hr;
            slot = slot == 0 ? a.ring - 1 : slot - 1;
        }
        sum_re += re;
        sum_im += im;
    }
    __global float *to = y + ((share * a.outputs + output) * a.tiles + tile) * PN_VECTOR + lane;
    to[0] = sum_re;
    to[PN_TILE] = sum_im;
}
