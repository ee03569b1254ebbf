// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_ROWS_H
#define PN_BASE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/realtime.h"
#include "base/threads.h"

/* Copies of a block of many channels: thousands of rows of a kilobyte, each from a place and to a place of its own.
 * They are as fast as memory is, when they go past the caches on the way out (so that no line is read only to be
 * overwritten) and several threads share them. 10,000 rows of 256 floats, into rings that lie 100 KB apart, on one
 * core (AMD Zen 3): by 8 bytes 3.2 ms, memcpy 1.3 ms, past the caches 0.54 ms. */

/* From where on a block is worth that: more than the nearer caches hold. */
enum { PN_ROWS_MANY = 1 << 19 }; /* floats */

/* to: aligned to 16 bytes, count a multiple of 4, else it is a plain copy; from NULL: zeros. Other threads see
 * what was written before pn_rows_fence before what is written after it; without one there is no order. */
PN_BLOCK_PATH void pn_row_stream(float *to, const float *from, size_t count);
PN_BLOCK_PATH void pn_rows_fence(void);
/* The same through the caches. */
PN_BLOCK_PATH void pn_row_copy(float *to, const float *from, size_t count);

/* Calls `range(context, first, end)` for all of 0 .. rows-1, in pieces by the pool's threads when there are `many`.
 * Ends with a fence. */
typedef void (*pn_rows_fn)(void *context, int first, int end);
PN_BLOCK_PATH void pn_rows_run(pn_pool *pool, bool many, int rows, pn_rows_fn range, void *context);

#endif
