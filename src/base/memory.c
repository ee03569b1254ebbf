// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Large buffers ask for huge pages: spectra of some 100 MB are read through once per job, and the walks of the page
 * tables would be felt. They are cut out of what calloc gives, which for such sizes is fresh from the system and so is
 * zero without being written; the address of that stands just before them. As nothing else that is given out begins
 * at a huge page's border, pn_free knows them by their address. */
enum { HUGE_PAGE = 1 << 21, HUGE_FROM = HUGE_PAGE, PAGE = 4096 };

static atomic_long fail_countdown;
static atomic_long allocations;

static int must_fail(void) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

static bool is_cut_out(const void *memory) {
    return (uintptr_t)memory % HUGE_PAGE == 0;
}

static void *alloc_large(size_t bytes) {
    char *whole = calloc(1, bytes + HUGE_PAGE);
    if (whole == NULL)
        return NULL;
    char *memory = whole + HUGE_PAGE - (uintptr_t)whole % HUGE_PAGE;
    ((void **)(void *)memory)[-1] = whole;
#if defined(MADV_HUGEPAGE)
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

/* By far most at the first try. */
static void *alloc_small(size_t bytes) {
    void *memory = aligned_alloc(PN_ALIGNMENT, bytes);
    if (memory == NULL || !is_cut_out(memory))
        return memory == NULL ? NULL : memset(memory, 0, bytes);
    void *other = alloc_small(bytes);
    free(memory);
    return other;
}

void *pn_alloc_untouched(size_t count, size_t size) {
    if (must_fail() || (size != 0 && count > (SIZE_MAX / 2) / size))
        return NULL;
    size_t bytes = count * size, alignment = bytes < HUGE_FROM ? PN_ALIGNMENT : HUGE_PAGE;
    bytes = (bytes + alignment) / alignment * alignment; /* never zero; vectors may read past the end */
    return alignment == HUGE_PAGE ? alloc_large(bytes) : alloc_small(bytes);
}

void pn_touch(void *memory, size_t bytes) {
    volatile char *at = memory;
    for (size_t n = 0; n < bytes; n += PAGE)
        at[n] = 0;
}

void *pn_alloc(size_t count, size_t size) {
    char *memory = pn_alloc_untouched(count, size);
    if (memory != NULL && is_cut_out(memory))
        pn_touch(memory, count * size);
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
    bool cut_out = memory != NULL && is_cut_out(memory);
    free(cut_out ? ((void **)memory)[-1] : memory);
}

void pn_memory_fail_at(long k) {
    atomic_store(&fail_countdown, k);
}

long pn_memory_count(void) {
    return atomic_load(&allocations);
}
