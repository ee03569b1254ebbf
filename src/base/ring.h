// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_RING_H
#define PN_BASE_RING_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/realtime.h"

/* Single-producer single-consumer ring of floats, without locks. One thread writes, one reads; both ends are
 * block path. Positions count floats ever written or read and never wrap in practice (64 bit). */
typedef struct {
    float *data;
    size_t capacity; /* power of two */
    _Atomic size_t written;
    _Atomic size_t read;
} pn_ring;

/* Rounds the capacity up to a power of two. Returns 0 when out of memory, else 1. */
int pn_ring_init(pn_ring *ring, size_t min_capacity);
void pn_ring_clear(pn_ring *ring); /* frees; accepts a zeroed ring */

PN_BLOCK_PATH size_t pn_ring_readable(const pn_ring *ring);
PN_BLOCK_PATH size_t pn_ring_writable(const pn_ring *ring);
/* Moves up to count floats; returns how many. */
PN_BLOCK_PATH size_t pn_ring_write(pn_ring *ring, const float *from, size_t count);
PN_BLOCK_PATH size_t pn_ring_read(pn_ring *ring, float *to, size_t count);

#endif
