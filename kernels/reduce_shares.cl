// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_EMBEDDED
#include "pinna_types.h"
#endif

/* y: [share][count floats]; adds all shares into the first. Work-items: count. */
__kernel void reduce_shares(__global float *y, const int shares) {
    const size_t i = get_global_id(0), count = get_global_size(0);
    float sum = y[i];
    for (int s = 1; s < shares; ++s)
        sum += y[(size_t)s * count + i];
    y[i] = sum;
}
