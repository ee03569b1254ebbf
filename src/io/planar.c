// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/planar.h"

#include <string.h>

enum {
    TILE = 64
}; /* frames of many channels at a time, so that lines are used while they are in the cache */

void pn_interleave(float *restrict to, const float *const *channel, size_t channels, size_t from,
                   size_t frames) {
    if (channels == 1) {
        memcpy(to, channel[0] + from, frames * sizeof *to);
        return;
    }
    if (channels == 2) {
        const float *restrict left = channel[0] + from, *restrict right = channel[1] + from;
        for (size_t n = 0; n < frames; ++n) {
            to[2 * n] = left[n];
            to[2 * n + 1] = right[n];
        }
        return;
    }
    for (size_t tile = 0; tile < frames; tile += TILE) {
        size_t end = frames - tile < TILE ? frames : tile + TILE;
        for (size_t c = 0; c < channels; ++c)
            for (size_t n = tile; n < end; ++n)
                to[n * channels + c] = channel[c][from + n];
    }
}

void pn_deinterleave(float *const *channel, size_t channels, size_t at, const float *restrict from,
                     size_t frames) {
    if (channels == 1) {
        memcpy(channel[0] + at, from, frames * sizeof *from);
        return;
    }
    if (channels == 2) {
        float *restrict left = channel[0] + at, *restrict right = channel[1] + at;
        for (size_t n = 0; n < frames; ++n) {
            left[n] = from[2 * n];
            right[n] = from[2 * n + 1];
        }
        return;
    }
    for (size_t tile = 0; tile < frames; tile += TILE) {
        size_t end = frames - tile < TILE ? frames : tile + TILE;
        for (size_t c = 0; c < channels; ++c)
            for (size_t n = tile; n < end; ++n)
                channel[c][at + n] = from[n * channels + c];
    }
}

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
