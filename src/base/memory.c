// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Large buffers ask for huge pages: spectra of some 100 MB are read through once per job, and the walks of the page
 * tables would be felt. */
enum { HUGE_PAGE = 1 << 21, HUGE_FROM = HUGE_PAGE };

static atomic_long fail_countdown;
static atomic_long allocations;

static int must_fail(void) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

void *pn_alloc(size_t count, size_t size) {
    if (must_fail() || (size != 0 && count > (SIZE_MAX / 2) / size))
        return NULL;
    size_t bytes = count * size;
    size_t alignment = bytes < HUGE_FROM ? PN_ALIGNMENT : HUGE_PAGE;
    bytes = (bytes + alignment) / alignment * alignment; /* never zero; vectors may read past the end */
    void *memory = aligned_alloc(alignment, bytes);
    if (memory == NULL)
        return NULL;
#if defined(MADV_HUGEPAGE)
    if (alignment == HUGE_PAGE)
        madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    memset(memory, 0, bytes);
    return memory;
}

float *pn_alloc_floats(size_t count) {
    return pn_alloc(count, sizeof(float));
}

void *pn_regrow(void *old, size_t old_count, size_t new_count, size_t size) {
    void *grown = pn_alloc(new_count, size);
    if (grown == NULL)
        return NULL;
    if (old != NULL)
        memcpy(grown, old, (old_count < new_count ? old_count : new_count) * size);
    pn_free(old);
    return grown;
}

char *pn_strdup(const char *text) {
    size_t length = strlen(text) + 1;
    char *copy = pn_alloc(length, 1);
    if (copy != NULL)
        memcpy(copy, text, length);
    return copy;
}

void pn_free(void *memory) {
    free(memory);
}

void pn_memory_fail_at(long k) {
    atomic_store(&fail_countdown, k);
}

long pn_memory_count(void) {
    return atomic_load(&allocations);
}
