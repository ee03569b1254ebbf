// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* One word says all of a job's lanes that a thread must know to take one:
 *     state = run number (32 bits) | stage (16) | free lanes (16, a bit each)
 * To take a lane is to clear its bit by compare-and-swap, which fails when the run or the stage is another one by now;
 * to leave it half done is to set the bit again. Who ends the last lane of a stage opens the next, or closes the job.
 *
 * The pool's table has the address of every job that was ever begun on it, until that is freed. Who looks through the
 * table raises a counter of its own before; a job is freed when it has left the table and every thread has begun to
 * look anew since, or sleeps. (Quiescent states, as in read-copy-update: McKenney and Slingwine 1998.)
 *
 * Sleep: a worker that finds nothing looks on for a moment; then it counts itself among the sleepers, looks once more,
 * and waits; who opens lanes does so first and takes sleepers off the count then, each with one post. All of these are
 * sequentially consistent, so that one of the two sees the other. */
#include "base/threads.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { SLOTS = 256, POLLS = 64 };

static const double PATIENCE = 50e-6; /* seconds of looking on before sleep */

static const uint64_t LANES = 0xffff, CLOSED = 0xffff0000;

struct pn_job {
    pn_job_shape shape;
    pn_pool *pool; /* in whose table it stands, or NULL */
    int slot;
    int total;          /* pieces of all stages */
    atomic_bool shared; /* between begin and finish: on the pool */
    atomic_bool cancelled;
    atomic_int frames_left;
    atomic_int started; /* pieces */
    atomic_int lanes_left;
    _Atomic uint64_t state;
    int next[PN_JOB_LANES]; /* the piece at which a lane goes on; its holder's */
};

/* A thread that looks through the table: place 0 is the caller's. */
typedef struct {
    pn_pool *pool;
    pthread_t thread;
    atomic_uint look;
    atomic_bool away; /* not looking */
} __attribute__((aligned(PN_ALIGNMENT))) pool_place;

struct pn_pool {
    int threads;       /* with the caller */
    int workers;       /* that were started */
    pool_place *place; /* [threads] */
    sem_t wake;
    atomic_int sleepers;
    atomic_bool stop;
    atomic_uint opened; /* counts what may be more urgent than what one runs */
    atomic_int used;    /* places in the table */
    _Atomic(pn_job *) slot[SLOTS];
    pn_job at_once; /* of pn_pool_run */
    pn_task_fn run;
    void *context;
};

/* ------------------------------------------------------------------ lanes */

static void wake_workers(pn_pool *pool, int count) {
    atomic_fetch_add(&pool->opened, 1);
    int sleepers = atomic_load(&pool->sleepers);
    while (count > 0 && sleepers > 0)
        if (atomic_compare_exchange_weak(&pool->sleepers, &sleepers, sleepers - 1)) {
            sem_post(&pool->wake);
            --count;
        }
}

static void open_stage(pn_job *job, int stage) {
    const pn_job_shape *shape = &job->shape;
    uint64_t run = atomic_load_explicit(&job->state, memory_order_relaxed) >> 32 << 32;
    while (stage < shape->stages && shape->lanes[stage] == 0)
        ++stage;
    if (stage == shape->stages) {
        atomic_store(&job->state, run | CLOSED); /* from here on it may be gone */
        return;
    }
    int lanes = shape->lanes[stage];
    pn_pool *pool = atomic_load_explicit(&job->shared, memory_order_relaxed) ? job->pool : NULL;
    memset(job->next, 0, sizeof job->next);
    atomic_store_explicit(&job->lanes_left, lanes, memory_order_relaxed);
    atomic_store(&job->state, run | (uint64_t)stage << 16 | LANES >> (PN_JOB_LANES - lanes));
    if (pool != NULL)
        wake_workers(pool, lanes);
}

static bool is_closed(const pn_job *job) {
    return (atomic_load_explicit(&job->state, memory_order_acquire) & CLOSED) == CLOSED;
}

static bool has_free_lane(const pn_job *job) {
    return (atomic_load(&job->state) & LANES) != 0;
}

/* A lane that is held. */
typedef struct {
    pn_job *job; /* NULL: none */
    int stage, lane;
} hold;

/* Every thread begins with other lanes, the same each time, whose memory it knows. */
static int choose_lane(unsigned free_lanes, int place, int threads) {
    int lanes = 32 - __builtin_clz(free_lanes), first = place * lanes / threads;
    unsigned upper = free_lanes >> first << first;
    return __builtin_ctz(upper != 0 ? upper : free_lanes);
}

static hold take_lane(pn_job *job, int place, int threads) {
    uint64_t state = atomic_load(&job->state);
    while ((state & LANES) != 0) {
        int lane = choose_lane((unsigned)(state & LANES), place, threads);
        if (atomic_compare_exchange_weak(&job->state, &state, state & ~((uint64_t)1 << lane)))
            return (hold){job, (int)(state >> 16 & 0xffff), lane};
    }
    return (hold){NULL, 0, 0};
}

/* true: there is more of the lane. */
static bool run_piece(const hold *h) {
    pn_job *job = h->job;
    int piece = job->next[h->lane]++;
    atomic_fetch_add_explicit(&job->started, 1, memory_order_relaxed);
    if (!atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        job->shape.run(job->shape.context, h->stage, h->lane, piece);
    return job->next[h->lane] < job->shape.pieces[h->stage][h->lane];
}

/* The job may be gone afterwards. */
static void leave_lane(const hold *h, bool more) {
    if (more)
        atomic_fetch_or(&h->job->state, (uint64_t)1 << h->lane);
    else if (atomic_fetch_sub(&h->job->lanes_left, 1) == 1)
        open_stage(h->job, h->stage + 1);
}

/* ------------------------------------------------------------------ the table */

static void begin_look(pool_place *place) {
    atomic_store(&place->away, false);
    atomic_fetch_add(&place->look, 1);
}

static void end_look(pool_place *place) {
    atomic_store(&place->away, true);
}

/* The job with a free lane that is due first, of those due before `frames`; NULL: none. */
static pn_job *most_urgent(pn_pool *pool, int frames) {
    pn_job *best = NULL;
    int used = atomic_load(&pool->used);
    for (int i = 0; i < used; ++i) {
        pn_job *job = atomic_load(&pool->slot[i]);
        if (job == NULL || !has_free_lane(job))
            continue;
        int left = atomic_load_explicit(&job->frames_left, memory_order_relaxed);
        if (left >= frames)
            continue;
        frames = left;
        best = job;
    }
    return best;
}

static bool attach(pn_job *job, pn_pool *pool) {
    if (job->pool != NULL)
        return job->pool == pool;
    for (int i = 0; i < SLOTS; ++i) {
        pn_job *none = NULL;
        if (!atomic_compare_exchange_strong(&pool->slot[i], &none, job))
            continue;
        int used = atomic_load(&pool->used);
        while (used < i + 1 && !atomic_compare_exchange_weak(&pool->used, &used, i + 1))
            ;
        job->pool = pool;
        job->slot = i;
        return true;
    }
    return false;
}

static void detach(pn_job *job) {
    pn_pool *pool = job->pool;
    if (pool == NULL)
        return;
    atomic_store(&pool->slot[job->slot], NULL);
    for (int i = 0; i < pool->threads; ++i) {
        pool_place *place = &pool->place[i];
        unsigned look = atomic_load(&place->look);
        while (!atomic_load(&place->away) && atomic_load(&place->look) == look)
            sched_yield();
    }
    job->pool = NULL;
}

static void pause_for(int polls) {
    if (polls % POLLS == 0)
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#endif
}

/* ------------------------------------------------------------------ workers */

/* Runs a lane of the most urgent job, until its end or until something more urgent comes. */
static bool run_most_urgent(pool_place *place) {
    pn_pool *pool = place->pool;
    int number = (int)(place - pool->place);
    begin_look(place);
    unsigned opened = atomic_load(&pool->opened); /* before the look */
    pn_job *job = most_urgent(pool, INT_MAX);
    if (job == NULL)
        return false;
    hold h = take_lane(job, number, pool->threads);
    if (h.job == NULL)
        return true;
    bool more = run_piece(&h), leave = false;
    while (more && !leave) {
        unsigned now = atomic_load_explicit(&pool->opened, memory_order_relaxed);
        leave = now != opened &&
                most_urgent(pool, atomic_load_explicit(&job->frames_left, memory_order_relaxed)) != NULL;
        opened = now;
        if (!leave)
            more = run_piece(&h);
    }
    leave_lane(&h, more);
    return true;
}

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Looks on for a moment: what is to do comes in quick succession, and a processor that has gone to sleep takes longer
 * to wake than that, longest in a virtual machine. */
static bool something_opens(const pn_pool *pool) {
    unsigned opened = atomic_load(&pool->opened);
    double end = seconds_now() + PATIENCE;
    for (int polls = 1; atomic_load_explicit(&pool->opened, memory_order_relaxed) == opened; ++polls) {
        if (polls % POLLS == 0 && seconds_now() > end)
            return false;
        pause_for(1);
    }
    return true;
}

static void sleep_until_woken(pn_pool *pool) {
    while (sem_wait(&pool->wake) != 0)
        ;
}

/* Takes itself off the count; false: somebody else did, and has posted or is about to. */
static bool no_longer_sleeper(pn_pool *pool) {
    int sleepers = atomic_load(&pool->sleepers);
    while (sleepers > 0)
        if (atomic_compare_exchange_weak(&pool->sleepers, &sleepers, sleepers - 1))
            return true;
    return false;
}

static void *worker(void *argument) {
    pool_place *place = argument;
    pn_pool *pool = place->pool;
    pn_flush_denormals();
    while (!atomic_load(&pool->stop)) {
        if (run_most_urgent(place) || something_opens(pool))
            continue;
        atomic_fetch_add(&pool->sleepers, 1);
        bool something = most_urgent(pool, INT_MAX) != NULL || atomic_load(&pool->stop);
        end_look(place);
        if (!something || !no_longer_sleeper(pool))
            sleep_until_woken(pool);
    }
    end_look(place);
    return NULL;
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

static void run_task(void *context, int stage, int lane, int piece) {
    const pn_pool *pool = context;
    (void)stage;
    int task = lane + piece * PN_JOB_LANES;
    pool->run(pool->context, task);
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
    sem_init(&pool->wake, 0, 0);
    pool->threads = threads;
    pool->at_once.shape = (pn_job_shape){.run = run_task, .context = pool, .stages = 1};
    atomic_init(&pool->at_once.state, CLOSED);
    pool->place = pn_alloc((size_t)threads, sizeof *pool->place);
    if (pool->place == NULL) {
        pn_pool_free(pool);
        return pn_fail_memory(err, "the thread pool", (double)threads * sizeof *pool->place);
    }
    for (int i = 0; i < threads; ++i) {
        pool->place[i].pool = pool;
        atomic_init(&pool->place[i].away, true);
    }
    for (int i = 1; i < threads; ++i) {
        if (pthread_create(&pool->place[i].thread, NULL, worker, &pool->place[i]) != 0) {
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
    atomic_store(&pool->stop, true);
    for (int i = 0; i < pool->workers; ++i)
        sem_post(&pool->wake);
    for (int i = 1; i <= pool->workers; ++i)
        pthread_join(pool->place[i].thread, NULL);
    sem_destroy(&pool->wake);
    pn_free(pool->place);
    pn_free(pool);
}

int pn_pool_threads(const pn_pool *pool) {
    return pool == NULL ? 1 : pool->threads;
}

void pn_pool_run(pn_pool *pool, pn_task_fn run, void *context, int tasks) {
    if (pool == NULL || pool->workers == 0 || tasks < 2) {
        for (int task = 0; task < tasks; ++task)
            run(context, task);
        return;
    }
    pn_job *job = &pool->at_once;
    int lanes = tasks < PN_JOB_LANES ? tasks : PN_JOB_LANES;
    pool->run = run;
    pool->context = context;
    job->total = tasks;
    job->shape.lanes[0] = lanes;
    for (int l = 0; l < lanes; ++l)
        job->shape.pieces[0][l] = (tasks - l + PN_JOB_LANES - 1) / PN_JOB_LANES;
    pn_job_begin(job, pool, 0);
    pn_job_finish(job);
}

/* ------------------------------------------------------------------ the owner */

pinna_status pn_job_create(const pn_job_shape *shape, pn_job **out, pinna_error *err) {
    *out = NULL;
    pn_job *job = pn_alloc(1, sizeof *job);
    if (job == NULL)
        return pn_fail_memory(err, "job for the thread pool", sizeof *job);
    job->shape = *shape;
    for (int s = 0; s < shape->stages; ++s)
        for (int l = 0; l < shape->lanes[s]; ++l)
            job->total += shape->pieces[s][l];
    atomic_init(&job->state, CLOSED);
    *out = job;
    return PINNA_OK;
}

void pn_job_free(pn_job *job) {
    if (job == NULL)
        return;
    pn_job_cancel(job);
    detach(job);
    pn_free(job);
}

void pn_job_begin(pn_job *job, pn_pool *pool, int frames_left) {
    uint64_t run = (atomic_load_explicit(&job->state, memory_order_relaxed) >> 32) + 1;
    bool shared = pool != NULL && pool->workers > 0 && attach(job, pool);
    atomic_store_explicit(&job->started, 0, memory_order_relaxed);
    atomic_store_explicit(&job->cancelled, false, memory_order_relaxed);
    atomic_store_explicit(&job->frames_left, frames_left, memory_order_relaxed);
    atomic_store_explicit(&job->shared, shared, memory_order_relaxed);
    atomic_store(&job->state, run << 32); /* no lane yet */
    open_stage(job, 0);
}

void pn_job_pace(pn_job *job, double share, int frames_left) {
    int target = share >= 1 ? job->total : (int)(share * job->total);
    atomic_store_explicit(&job->frames_left, frames_left, memory_order_relaxed);
    while (atomic_load_explicit(&job->started, memory_order_relaxed) < target) {
        hold h = take_lane(job, 0, 1);
        if (h.job == NULL)
            return;
        bool more = true;
        while (more && atomic_load_explicit(&job->started, memory_order_relaxed) < target)
            more = run_piece(&h);
        leave_lane(&h, more);
    }
}

static void run_own(pn_job *job) {
    for (hold h = take_lane(job, 0, 1); h.job != NULL; h = take_lane(job, 0, 1)) {
        while (run_piece(&h))
            ;
        leave_lane(&h, false);
    }
}

/* Pieces of another job, until there is something to do here or nothing left to wait for. */
static bool help_others(const pn_job *job) {
    pool_place *place = &job->pool->place[0];
    begin_look(place);
    pn_job *other = most_urgent(job->pool, INT_MAX);
    hold h = other == NULL ? (hold){NULL, 0, 0} : take_lane(other, 0, job->pool->threads);
    if (h.job != NULL) {
        bool more = true;
        while (more && !is_closed(job) && !has_free_lane(job))
            more = run_piece(&h);
        leave_lane(&h, more);
    }
    end_look(place);
    return h.job != NULL;
}

static void end_job(pn_job *job, bool may_help) {
    atomic_store_explicit(&job->frames_left, 0, memory_order_relaxed);
    bool shared = atomic_load_explicit(&job->shared, memory_order_relaxed);
    if (shared && has_free_lane(job))
        wake_workers(job->pool, 1);
    for (int polls = 1; !is_closed(job); ++polls) {
        run_own(job);
        if (!is_closed(job) && !(may_help && shared && help_others(job)))
            pause_for(polls);
    }
}

void pn_job_help(pn_job *job) {
    bool shared = atomic_load_explicit(&job->shared, memory_order_relaxed);
    hold h = take_lane(job, 0, 1);
    if (h.job != NULL) {
        bool more = run_piece(&h);
        leave_lane(&h, more);
        if (more && shared)
            wake_workers(job->pool, 1);
        return;
    }
    if (is_closed(job) || (shared && help_others(job)))
        return;
    for (int polls = 1; polls <= POLLS && !is_closed(job) && !has_free_lane(job); ++polls)
        pause_for(polls);
}

bool pn_job_is_done(const pn_job *job) {
    return is_closed(job);
}

void pn_job_finish(pn_job *job) {
    end_job(job, true);
}

void pn_job_cancel(pn_job *job) {
    atomic_store_explicit(&job->cancelled, true, memory_order_relaxed);
    end_job(job, false);
}
