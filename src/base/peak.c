// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/peak.h"

#include <stdint.h>
#include <string.h>

/* Without their signs, floats are in the order of their bits, infinity and then NaN at the end. Several maxima side by
 * side: one waits for its comparison. */
enum { LANES = 4, MAXIMA = 4, STRIDE = LANES * MAXIMA };
typedef int32_t lanes __attribute__((vector_size(4 * LANES)));

static inline int32_t magnitude(float sample) {
    int32_t bits;
    memcpy(&bits, &sample, sizeof bits);
    return bits & 0x7fffffff;
}

static inline lanes larger(lanes a, lanes b) {
    lanes more = a > b;
    return (a & more) | (b & ~more);
}

float pn_largest(const float *samples, size_t count) {
    lanes top[MAXIMA] = {{0}};
    size_t i = 0;
    for (; i + STRIDE <= count; i += STRIDE) {
        for (size_t k = 0; k < MAXIMA; ++k) {
            lanes bits;
            memcpy(&bits, samples + i + LANES * k, sizeof bits);
            top[k] = larger(bits & 0x7fffffff, top[k]);
        }
    }
    top[0] = larger(larger(top[0], top[1]), larger(top[2], top[3]));
    int32_t largest = 0;
    for (int k = 0; k < LANES; ++k)
        largest = top[0][k] > largest ? top[0][k] : largest;
    for (; i < count; ++i)
        largest = magnitude(samples[i]) > largest ? magnitude(samples[i]) : largest;
    float value;
    memcpy(&value, &largest, sizeof value);
    return value;
}
