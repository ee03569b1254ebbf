// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* What reaches the listener in this quantum: each listed source's line read at n - delay(n), into its history. The
 * interpolator (device/propagation.h) has PN_READ_PHASES + 1 rows of PN_READ_TAPS, linear in between. Work-items: (frame of
 * the quantum, listed source), after bank_take. */
__kernel void bank_read(const pn_take_args a, __global const float *job, __global const float *line,
                        __global const float *phases, __global float *history) {
    const size_t n = get_global_id(0);
    __global const pn_source *s = (__global const pn_source *)job + get_global_id(1);
    const float u = (float)n / (float)a.quantum;
    const float cubic = s->c[0] + u * (s->c[1] + u * (s->c[2] + u * s->c[3]));
    /* Held to what the line has; fmax takes the number where the other is none. */
    const float delay =
        fmin(fmax(cubic, (float)(PN_READ_SHORTEST - s->whole)), (float)(a.propagation - s->whole));
    const float ahead = ceil(delay); /* whole samples, and 0 <= part < 1 that the reading is after them */
    const float phase = (ahead - delay) * (float)PN_READ_PHASES;
    const int p = min((int)phase, PN_READ_PHASES - 1);
    const float between = phase - (float)p;
    const uint mask = (1u << a.line_log2) - 1u;
    const uint first = a.line_at + (uint)n - (uint)s->whole - (uint)(int)ahead - (uint)(PN_READ_TAPS / 2 - 1);
    __global const float *from = line + ((size_t)s->source << a.line_log2);
    __global const float *low = phases + p * PN_READ_TAPS, *high = low + PN_READ_TAPS;
    float sum = 0.0f;
    for (uint k = 0; k < PN_READ_TAPS; ++k)
        sum += (low[k] + between * (high[k] - low[k])) * from[(first + k) & mask];
    __global float *to = history + (size_t)s->source * 2 * (size_t)a.size + (size_t)a.at + n;
    to[0] = sum;
    to[a.size] = sum;
}
