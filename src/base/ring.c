// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/ring.h"

#include <string.h>

#include "base/memory.h"

int pn_ring_init(pn_ring *ring, size_t min_capacity) {
    size_t capacity = 64;
    while (capacity < min_capacity)
        capacity *= 2;
    ring->data = pn_alloc_floats(capacity);
    ring->capacity = capacity;
    atomic_init(&ring->written, 0);
    atomic_init(&ring->read, 0);
    return ring->data != NULL;
}

void pn_ring_clear(pn_ring *ring) {
    pn_free(ring->data);
    ring->data = NULL;
    ring->capacity = 0;
}

size_t pn_ring_readable(const pn_ring *ring) {
    return atomic_load_explicit(&ring->written, memory_order_acquire) -
           atomic_load_explicit(&ring->read, memory_order_acquire);
}

size_t pn_ring_writable(const pn_ring *ring) {
    return ring->capacity - pn_ring_readable(ring);
}

size_t pn_ring_write(pn_ring *ring, const float *from, size_t count) {
    size_t room = pn_ring_writable(ring);
    if (count > room)
        count = room;
    size_t position = atomic_load_explicit(&ring->written, memory_order_relaxed);
    size_t start = position & (ring->capacity - 1);
    size_t first = count < ring->capacity - start ? count : ring->capacity - start;
    memcpy(ring->data + start, from, first * sizeof *from);
    memcpy(ring->data, from + first, (count - first) * sizeof *from);
    atomic_store_explicit(&ring->written, position + count, memory_order_release);
    return count;
}

size_t pn_ring_read(pn_ring *ring, float *to, size_t count) {
    size_t stored = pn_ring_readable(ring);
    if (count > stored)
        count = stored;
    size_t position = atomic_load_explicit(&ring->read, memory_order_relaxed);
    size_t start = position & (ring->capacity - 1);
    size_t first = count < ring->capacity - start ? count : ring->capacity - start;
    memcpy(to, ring->data + start, first * sizeof *to);
    memcpy(to + first, ring->data, (count - first) * sizeof *to);
    atomic_store_explicit(&ring->read, position + count, memory_order_release);
    return count;
}
