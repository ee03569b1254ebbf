// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* New samples of the listed sources into their histories. A history is held twice, N samples apart, so that the
 * last N samples always stand in one piece. Work-items: (frame of the quantum, listed source). */
__kernel void bank_take(const pn_take_args a, __global const pn_source *sources, __global const float *job,
                        __global float *history) {
    const size_t n = get_global_id(0);
    __global const pn_source *s = sources + get_global_id(1);
    const float value = s->row < 0 ? 0.0f : job[a.samples + (size_t)s->row * a.quantum + n];
    __global float *to = history + (size_t)s->source * 2 * a.size + a.at + n;
    to[0] = value;
    to[a.size] = value;
}
