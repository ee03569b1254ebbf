// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_NOISE_H
#define PN_BASE_NOISE_H

#include <stdint.h>

/* Repeatable random numbers: splitmix64 (S. Vigna). The state starts at any number, the seed. Real time. */
static inline uint64_t pn_noise_bits(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in -1 .. 1. */
static inline double pn_noise_uniform(uint64_t *state) {
    return (double)(pn_noise_bits(state) >> 11) * (2.0 / 9007199254740992.0) - 1.0;
}

#endif
