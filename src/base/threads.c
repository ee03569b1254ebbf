// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "base/memory.h"

struct pn_pool {
    int workers;
    pthread_t *thread;
    sem_t start; /* posted once per worker and run */
    atomic_int stop;
    /* The run in progress. A worker works on it between taking `start` and adding to `finished`; the caller
     * waits for all of them, so that no worker of an old run can meet a new one. */
    pn_task_fn run;
    void *context;
    int tasks;
    atomic_int next;
    atomic_int finished;
};

static void take_tasks(pn_pool *pool) {
    for (;;) {
        int task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (task >= pool->tasks)
            return;
        pool->run(pool->context, task);
    }
}

static void *worker(void *argument) {
    pn_pool *pool = argument;
    pn_flush_denormals();
    for (;;) {
        while (sem_wait(&pool->start) != 0)
            ;
        if (atomic_load(&pool->stop))
            return NULL;
        take_tasks(pool);
        atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
    }
}

int pn_processor_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

pinna_status pn_pool_create(int threads, pn_pool **out, pinna_error *err) {
    *out = NULL;
    if (threads < 0 || threads > 1024)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "threads: %d, expected 0 (one per processor) to 1024",
                       threads);
    if (threads == 0)
        threads = pn_processor_count();
    pn_pool *pool = pn_alloc(1, sizeof *pool);
    if (pool == NULL)
        return pn_fail_memory(err, "the thread pool", sizeof *pool);
    sem_init(&pool->start, 0, 0);
    pool->thread = pn_alloc((size_t)threads, sizeof *pool->thread);
    if (pool->thread == NULL) {
        pn_pool_free(pool);
        return pn_fail_memory(err, "the thread pool", 0);
    }
    for (int i = 1; i < threads; ++i) {
        if (pthread_create(&pool->thread[pool->workers], NULL, worker, pool) != 0) {
            pn_pool_free(pool);
            return pn_fail(err, PINNA_NO_MEMORY,
                           "thread %d of %d could not be started; use fewer (--threads)", i + 1, threads);
        }
        ++pool->workers;
    }
    *out = pool;
    return PINNA_OK;
}

void pn_pool_free(pn_pool *pool) {
    if (pool == NULL)
        return;
    atomic_store(&pool->stop, 1);
    for (int i = 0; i < pool->workers; ++i)
        sem_post(&pool->start);
    for (int i = 0; i < pool->workers; ++i)
        pthread_join(pool->thread[i], NULL);
    sem_destroy(&pool->start);
    pn_free(pool->thread);
    pn_free(pool);
}

int pn_pool_threads(const pn_pool *pool) {
    return pool == NULL ? 1 : pool->workers + 1;
}

void pn_pool_run(pn_pool *pool, pn_task_fn run, void *context, int tasks) {
    if (pool == NULL || pool->workers == 0 || tasks < 2) {
        for (int task = 0; task < tasks; ++task)
            run(context, task);
        return;
    }
    int woken = tasks - 1 < pool->workers ? tasks - 1 : pool->workers;
    pool->run = run;
    pool->context = context;
    pool->tasks = tasks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->finished, 0, memory_order_release);
    for (int i = 0; i < woken; ++i)
        sem_post(&pool->start);
    take_tasks(pool);
    while (atomic_load_explicit(&pool->finished, memory_order_acquire) < woken)
        sched_yield();
}
