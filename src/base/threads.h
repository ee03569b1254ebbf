// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_THREADS_H
#define PN_BASE_THREADS_H

#include "base/realtime.h"
#include "base/status.h"

/* A pool of worker threads for one caller: parallel-for over numbered tasks. The tasks and what each computes
 * must not depend on the number of threads; then results are the same bits for any pool.
 * Hand-over is by atomics and semaphores, never by locks. Denormals are flushed in the workers. */
typedef struct pn_pool pn_pool;

typedef void (*pn_task_fn)(void *context, int task);

/* threads counts the caller: 1 makes no worker, 0 means one per processor. */
pinna_status pn_pool_create(int threads, pn_pool **pool, pinna_error *err);
void pn_pool_free(pn_pool *pool);
int pn_pool_threads(const pn_pool *pool); /* NULL: 1 */

/* Runs task 0 .. tasks-1, the caller taking part, and returns when all are done. Not re-entrant. A NULL pool
 * runs them in order in the caller. */
PN_BLOCK_PATH void pn_pool_run(pn_pool *pool, pn_task_fn run, void *context, int tasks);

int pn_processor_count(void);

#endif
