// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* New samples of the listed sources into their histories, or, where sound takes its time, into their propagation lines
 * (bank_read fills the histories then). A history is held twice, N samples apart, so that the last N samples always
 * stand in one piece. Work-items: (frame of the quantum, listed source). */
__kernel void bank_take(const pn_take_args a, __global const float *job, __global float *history,
                        __global float *line) {
    const size_t n = get_global_id(0);
    __global const pn_source *s = (__global const pn_source *)job + get_global_id(1);
    const float value = s->row < 0 ? 0.0f : job[(size_t)a.samples + (size_t)s->row * (size_t)a.quantum + n];
    if (a.line_log2 >= 0) {
        const uint mask = (1u << a.line_log2) - 1u;
        line[((size_t)s->source << a.line_log2) + ((a.line_at + (uint)n) & mask)] = value;
        return;
    }
    __global float *to = history + (size_t)s->source * 2 * (size_t)a.size + (size_t)a.at + n;
    to[0] = value;
    to[a.size] = value;
}
