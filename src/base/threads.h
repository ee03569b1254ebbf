// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_THREADS_H
#define PN_BASE_THREADS_H

#include <stdbool.h>

#include "base/realtime.h"
#include "base/status.h"

/* A pool of worker threads for the thread that processes blocks, its caller. What the caller does not have to do at
 * once it hands over as a job that is due later; the workers take the most urgent first. Results must not depend on
 * who runs what: then they are the same bits for any number of threads.
 *
 * Hand-over is by atomics and a semaphore, never by locks: a place in a table is the hand-over, and a worker that finds
 * nothing there sleeps. Denormals are flushed in the workers.
 *
 * Why jobs with deadlines, and not every block's share of the work dealt out to all threads in that block, which is
 * what stood here before: that took several hand-overs a block, and each core met each channel's spectra in turn.
 * Wall time of a block of 256 on two cores (AMD Zen 3, blocks one after another without a pause), one thread / shares
 * / jobs:
 *     8 channels x 10 s    75 /  75 /  50 us        64 channels x 10 s   780 / 775 / 417 us
 *     64 channels x 2 s   628 / 585 / 322 us        32 x 2 matrix, 2 s   256 / 503 / 158 us
 * A worker that looks out for work before it sleeps (40 us) was tried and changed nothing. */
typedef struct pn_pool pn_pool;

/* threads counts the caller: 1 makes no worker, 0 means one per processor. */
pinna_status pn_pool_create(int threads, pn_pool **pool, pinna_error *err);
void pn_pool_free(pn_pool *pool);         /* after all jobs that were handed to it; accepts NULL */
int pn_pool_threads(const pn_pool *pool); /* NULL: 1 */

/* ---- what is due later
 *
 * A job goes through stages; the lanes of a stage may run side by side, the pieces of a lane run one after another. A
 * thread holds a lane for as long as it runs pieces of it, and leaves it between two pieces for a more urgent job. So a
 * lane should keep together what is close in memory, and a piece take 5 to 50 us.
 *
 * Urgent is the job with the fewest frames left until it is due (earliest deadline first), which its owner keeps up
 * to date. The owner is the pool's caller; a job that it is done with another thread may cancel and free. Whatever
 * `run` reads has to stay until the job is finished, cancelled or freed. */
typedef struct pn_job pn_job;

enum { PN_JOB_STAGES = 5, PN_JOB_LANES = 16, PN_JOB_LATER = 1 << 30 };

typedef struct {
    void (*run)(void *context, int stage, int lane, int piece); /* may not use the pool */
    void *context;
    int stages;                              /* 1 .. PN_JOB_STAGES */
    int lanes[PN_JOB_STAGES];                /* 0 .. PN_JOB_LANES of each; 0: the stage is left out */
    int pieces[PN_JOB_STAGES][PN_JOB_LANES]; /* > 0 of each lane, of about equal cost */
} pn_job_shape;

pinna_status pn_job_create(const pn_job_shape *shape, pn_job **job, pinna_error *err);
/* Not block path: what was begun is cancelled, and it waits until no worker looks at it any more. Accepts NULL. */
void pn_job_free(pn_job *job);

/* Begins it anew, after it was finished or cancelled. A job stays with the first pool that it was begun on; on another
 * one, on none and on one whose table is full it is run by its owner alone, in pace and finish. */
PN_BLOCK_PATH void pn_job_begin(pn_job *job, pn_pool *pool, int frames_left);
/* Sees to it that `share` (0 .. 1) of the pieces were begun, by the owner itself where the workers are behind: then it
 * is as even as with one thread. */
PN_BLOCK_PATH void pn_job_pace(pn_job *job, double share, int frames_left);
/* Whether all is done, as it also is before the first begin. */
PN_BLOCK_PATH bool pn_job_is_done(const pn_job *job);
/* Returns when all is done. The owner takes part; while only others' lanes are left it helps with other jobs. */
PN_BLOCK_PATH void pn_job_finish(pn_job *job);
/* Of a job that was begun, for who waits for a part of it: the owner runs one piece of it, or where others have its
 * lanes some of another job, or waits a moment. */
PN_BLOCK_PATH void pn_job_help(pn_job *job);
/* The pieces not begun yet are left out. Nothing runs any more when it returns. */
PN_BLOCK_PATH void pn_job_cancel(pn_job *job);

/* ---- what is due at once */

typedef void (*pn_task_fn)(void *context, int task);

/* Runs task 0 .. tasks-1, the caller taking part, before all jobs, and returns when all are done. Not re-entrant.
 * A NULL pool runs them in order in the caller. */
PN_BLOCK_PATH void pn_pool_run(pn_pool *pool, pn_task_fn run, void *context, int tasks);

int pn_processor_count(void);

#endif
