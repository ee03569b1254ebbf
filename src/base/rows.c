// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/rows.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum {
    PIECES = 32
}; /* a piece takes some ten microseconds, and a thread that comes late takes fewer of them */

void pn_row_copy(float *to, const float *from, size_t count) {
    if (from != NULL)
        memcpy(to, from, count * sizeof *to);
    else
        memset(to, 0, count * sizeof *to);
}

#if defined(__SSE2__)
void pn_row_stream(float *to, const float *from, size_t count) {
    if ((uintptr_t)to % 16 != 0 || count % 4 != 0) {
        pn_row_copy(to, from, count);
        return;
    }
    for (size_t n = 0; n < count; n += 4)
        _mm_stream_ps(to + n, from == NULL ? _mm_setzero_ps() : _mm_loadu_ps(from + n));
}

void pn_rows_fence(void) {
    _mm_sfence();
}
#else
void pn_row_stream(float *to, const float *from, size_t count) {
    pn_row_copy(to, from, count);
}

void pn_rows_fence(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#endif

typedef struct {
    int rows;
    pn_rows_fn range;
    void *context;
} shares;

static void run_share(void *context, int share) {
    const shares *s = context;
    int64_t rows = s->rows;
    s->range(s->context, (int)(rows * share / PIECES), (int)(rows * (share + 1) / PIECES));
    pn_rows_fence(); /* each thread's own writes */
}

void pn_rows_run(pn_pool *pool, bool many, int rows, pn_rows_fn range, void *context) {
    shares s = {rows, range, context};
    if (many) {
        pn_pool_run(pool, run_share, &s, PIECES);
    } else {
        range(context, 0, rows);
        pn_rows_fence();
    }
}
