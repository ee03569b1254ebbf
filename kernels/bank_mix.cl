// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* All sources to two ears, with their old and their new filters. A filter is a blend of three nodes, delayed:
 * bin b stands at t = e(u), u = turns[b] / 4M cycles per sample with |u| < 1/2, and a delay of d multiplies it
 * by e(u d). d is cut into whole samples, whose phase is exact in integers modulo 4M, and a rest of at most half
 * a sample, so that no large angle is ever rounded. */

/* exp(2 pi i turn), |turn| <= 1: nearest quarter turn, and polynomials within +-1/8. */
static void pn_phasor(float turn, float *re, float *im) {
    const float quarter = rint(4.0f * turn);
    const float x = 6.28318530717958648f * (turn - 0.25f * quarter), x2 = x * x;
    const float s =
        x * (1.0f + x2 * (-1.6666666667e-1f +
                          x2 * (8.3333333333e-3f + x2 * (-1.9841269841e-4f + x2 * 2.7557319224e-6f))));
    const float c =
        1.0f + x2 * (-0.5f + x2 * (4.1666666667e-2f + x2 * (-1.3888888889e-3f + x2 * 2.4801587302e-5f)));
    const int q = (int)quarter & 3;
    const float a = q & 1 ? s : c, b = q & 1 ? c : s;
    *re = q == 1 || q == 2 ? -a : a;
    *im = q >= 2 ? -b : b;
}

/* One bin of a filter, one ear. nodes: [node][ear][tile]. */
static void pn_filter_bin(__global const pn_source_filter *f, int ear, int turns, int points_log2,
                          __global const float *nodes, size_t place, float *re, float *im) {
    const size_t stride = (size_t)2 << points_log2; /* floats of one spectrum */
    float br = 0.0f, bi = 0.0f;
    for (int i = 0; i < 3; ++i) {
        __global const float *node = nodes + ((size_t)f->node[i] * 2 + (size_t)ear) * stride + place;
        br += f->weight[i] * node[0];
        bi += f->weight[i] * node[PN_TILE];
    }
    const float scale = 0.25f / (float)(1 << points_log2); /* 1 / 4M */
    const uint mask = (4u << points_log2) - 1u;
    const uint whole = ((uint)turns * (uint)f->whole[ear]) & mask;
    const float wrapped = (float)((int)whole - (whole > mask / 2 ? (int)mask + 1 : 0));
    float pr, pi;
    pn_phasor(wrapped * scale + (float)turns * scale * f->rest[ear], &pr, &pi);
    *re = br * pr - bi * pi;
    *im = br * pi + bi * pr;
}

/* Work-items: (bin, share). x: [audible source][tile]; y: [share][old left, old right, new left, new right][tile].
 */
__kernel void bank_mix(const pn_mix_args a, __global const pn_source *sources, __global const float *x,
                       __global const float *nodes, __global const int *turns, __global float *y) {
    const size_t bin = get_global_id(0), share = get_global_id(1);
    const size_t place = (bin >> PN_TILE_LOG2) * PN_VECTOR + (bin & (PN_TILE - 1u));
    const size_t stride = (size_t)2 << a.points_log2;
    const int turn = turns[bin];
    const int begin = (int)((long)a.count * (long)share / a.shares);
    const int end = (int)((long)a.count * (long)(share + 1) / a.shares);
    float sum[8], chunk[8];
    for (int i = 0; i < 8; ++i)
        sum[i] = 0.0f;
    for (int from = begin; from < end; from += PN_CHUNK) {
        for (int i = 0; i < 8; ++i)
            chunk[i] = 0.0f;
        for (int s = from; s < min(end, from + PN_CHUNK); ++s) {
            __global const pn_source *source = sources + s;
            const float xr = x[s * stride + place], xi = x[s * stride + place + PN_TILE];
            for (int ear = 0; ear < 2; ++ear) {
                float old_re, old_im, new_re, new_im;
                pn_filter_bin(&source->from, ear, turn, a.points_log2, nodes, place, &old_re, &old_im);
                new_re = old_re;
                new_im = old_im;
                if (!source->still)
                    pn_filter_bin(&source->to, ear, turn, a.points_log2, nodes, place, &new_re, &new_im);
                chunk[2 * ear] += xr * old_re - xi * old_im;
                chunk[2 * ear + 1] += xr * old_im + xi * old_re;
                chunk[2 * ear + 4] += xr * new_re - xi * new_im;
                chunk[2 * ear + 5] += xr * new_im + xi * new_re;
            }
        }
        for (int i = 0; i < 8; ++i)
            sum[i] += chunk[i];
    }
    for (int i = 0; i < 4; ++i) {
        __global float *to = y + (share * 4 + (size_t)i) * stride + place;
        to[0] = sum[2 * i];
        to[PN_TILE] = sum[2 * i + 1];
    }
}
