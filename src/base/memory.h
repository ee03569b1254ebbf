// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_MEMORY_H
#define PN_BASE_MEMORY_H

#include <stddef.h>

/* Every long-lived buffer of the library comes from here: zeroed, aligned for the widest vectors, checked for
 * overflow, and able to fail on purpose in tests. */

enum { PN_ALIGNMENT = 128 };

/* count * size bytes, zeroed, aligned to PN_ALIGNMENT; NULL on overflow or exhaustion. count 0 gives a valid
 * pointer. Free with pn_free. Any thread; never from the block path. */
void *pn_alloc(size_t count, size_t size) __attribute__((malloc));

/* As pn_alloc, but large buffers are not yet backed by memory: the first write to a page waits for that. For what
 * several threads are to touch, before it is used in the block path. */
void *pn_alloc_untouched(size_t count, size_t size) __attribute__((malloc));

/* Makes every page of freshly allocated zeros stand in memory. */
void pn_touch(void *memory, size_t bytes);

/* As pn_alloc for floats. */
float *pn_alloc_floats(size_t count) __attribute__((malloc));

/* Grows a pn_alloc'ed array from old_count to new_count elements, new part zeroed. On failure returns NULL
 * and leaves `old` as it was. */
void *pn_regrow(void *old, size_t old_count, size_t new_count, size_t size);

/* A copy of a string, or NULL. Free with pn_free. */
char *pn_strdup(const char *text) __attribute__((malloc));

/* Accepts NULL. */
void pn_free(void *memory);

/* Tests only: the k-th allocation from now on (1 = the next) fails, once; 0 turns this off. */
void pn_memory_fail_at(long k);

/* Allocations made since the program started. */
long pn_memory_count(void);

#endif
