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
