// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/threads.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "support.h"

enum { MOST_PIECES = 6, MOST_THREADS = 4 };

/* Counts the runs of each piece, and sees whether they come in order. */
typedef struct {
    pn_job_shape shape;
    atomic_int runs[PN_JOB_STAGES][PN_JOB_LANES][MOST_PIECES];
    atomic_int stage_runs[PN_JOB_STAGES], wrong;
    int expected[PN_JOB_STAGES];
} counter;

static void count_piece(void *context, int stage, int lane, int piece) {
    counter *c = context;
    for (int s = 0; s < stage; ++s)
        if (atomic_load(&c->stage_runs[s]) != c->expected[s])
            atomic_fetch_add(&c->wrong, 1);
    for (int p = 0; p < MOST_PIECES; ++p)
        if (atomic_load(&c->runs[stage][lane][p]) != (p < piece ? 1 : 0))
            atomic_fetch_add(&c->wrong, 1);
    atomic_fetch_add(&c->runs[stage][lane][piece], 1);
    atomic_fetch_add(&c->stage_runs[stage], 1);
}

static int roll(uint64_t *dice, int sides) {
    return (int)((test_noise(dice) + 1) * 0.4999 * sides);
}

static void make_counter(counter *c, uint64_t *dice) {
    memset(c, 0, sizeof *c);
    c->shape = (pn_job_shape){.run = count_piece, .context = c};
    c->shape.stages = 1 + roll(dice, PN_JOB_STAGES);
    for (int s = 0; s < c->shape.stages; ++s) {
        c->shape.lanes[s] = roll(dice, PN_JOB_LANES + 1);
        for (int l = 0; l < c->shape.lanes[s]; ++l) {
            c->shape.pieces[s][l] = 1 + roll(dice, MOST_PIECES);
            c->expected[s] += c->shape.pieces[s][l];
        }
    }
}

static int runs_of(const counter *c) {
    int runs = 0;
    for (int s = 0; s < PN_JOB_STAGES; ++s)
        runs += atomic_load(&c->stage_runs[s]);
    return runs;
}

static int expected_of(const counter *c) {
    int runs = 0;
    for (int s = 0; s < PN_JOB_STAGES; ++s)
        runs += c->expected[s];
    return runs;
}

static void forget_runs(counter *c) {
    memset((void *)c->runs, 0, sizeof c->runs);
    memset((void *)c->stage_runs, 0, sizeof c->stage_runs);
}

static pn_pool *open_pool(int threads) {
    pinna_error err = {0};
    pn_pool *pool = NULL;
    assert_ok(pn_pool_create(threads, &pool, &err), &err);
    return pool;
}

static pn_job *open_job(const pn_job_shape *shape) {
    pinna_error err = {0};
    pn_job *job = NULL;
    assert_ok(pn_job_create(shape, &job, &err), &err);
    return job;
}

static void every_piece_runs_once_and_in_order(void **state) {
    (void)state;
    uint64_t dice = 1;
    for (int threads = 1; threads <= MOST_THREADS; ++threads) {
        pn_pool *pool = open_pool(threads);
        for (int round = 0; round < 200; ++round) {
            counter c;
            make_counter(&c, &dice);
            pn_job *job = open_job(&c.shape);
            assert_true(pn_job_is_done(job));
            for (int again = 0; again < 3; ++again) {
                forget_runs(&c);
                pn_job_begin(job, pool, 100);
                if (again == 1)
                    pn_job_pace(job, 0.4, 50);
                pn_job_finish(job);
                assert_true(pn_job_is_done(job));
                assert_int_equal(runs_of(&c), expected_of(&c));
                assert_int_equal(atomic_load(&c.wrong), 0);
            }
            pn_job_free(job);
        }
        pn_pool_free(pool);
    }
}

static void pace_runs_a_share_where_nobody_else_does(void **state) {
    (void)state;
    counter c = {.shape = {.run = count_piece, .context = &c, .stages = 2, .lanes = {2, 1}}};
    c.shape.pieces[0][0] = 5;
    c.shape.pieces[0][1] = 3;
    c.shape.pieces[1][0] = 2;
    c.expected[0] = 8;
    pn_job *job = open_job(&c.shape);
    for (int threads = 0; threads < 2; ++threads) {
        pn_pool *pool = threads == 0 ? NULL : open_pool(threads);
        forget_runs(&c);
        pn_job_begin(job, pool, 10);
        assert_int_equal(runs_of(&c), 0);
        for (int tenths = 0; tenths <= 10; ++tenths) {
            pn_job_pace(job, tenths * 0.1 + 0.01, 10 - tenths);
            assert_int_equal(runs_of(&c), tenths);
        }
        assert_true(pn_job_is_done(job));
        pn_pool_free(pool);
    }
    pn_job_free(job);
}

static void help_runs_a_piece_at_a_time(void **state) {
    (void)state;
    uint64_t dice = 4;
    for (int threads = 0; threads <= MOST_THREADS; ++threads) {
        pn_pool *pool = threads == 0 ? NULL : open_pool(threads);
        for (int round = 0; round < 50; ++round) {
            counter c;
            make_counter(&c, &dice);
            pn_job *job = open_job(&c.shape);
            pn_job_begin(job, pool, 100);
            for (int helped = 1; !pn_job_is_done(job); ++helped) {
                pn_job_help(job);
                if (threads < 2)
                    assert_int_equal(runs_of(&c), helped);
            }
            assert_int_equal(runs_of(&c), expected_of(&c));
            assert_int_equal(atomic_load(&c.wrong), 0);
            pn_job_free(job);
        }
        pn_pool_free(pool);
    }
}

/* ------------------------------------------------------------------ what is urgent */

enum { LOGGED = 64 };

typedef struct {
    atomic_int entries;
    char entry[LOGGED];
    atomic_bool hold, held; /* the first piece of 'a' stays until hold is false */
} order;

typedef struct {
    order *order;
    char name;
} named;

static void log_piece(void *context, int stage, int lane, int piece) {
    const named *n = context;
    order *o = n->order;
    (void)stage;
    (void)lane;
    o->entry[atomic_fetch_add(&o->entries, 1)] = n->name;
    if (n->name != 'a' || piece > 0)
        return;
    atomic_store(&o->held, true);
    while (atomic_load(&o->hold))
        sched_yield();
}

static pn_job *open_named(named *n, int pieces) {
    pn_job_shape shape = {.run = log_piece, .context = n, .stages = 1, .lanes = {1}};
    shape.pieces[0][0] = pieces;
    return open_job(&shape);
}

/* While the only worker is in the first piece of a, which is due last, c and then the more urgent b come. */
static void what_is_due_first_runs_first(void **state) {
    (void)state;
    pn_pool *pool = open_pool(2);
    order o = {.hold = true};
    named name[3] = {{&o, 'a'}, {&o, 'b'}, {&o, 'c'}};
    pn_job *a = open_named(&name[0], 3), *b = open_named(&name[1], 2), *c = open_named(&name[2], 2);
    pn_job_begin(a, pool, PN_JOB_LATER);
    while (!atomic_load(&o.held))
        sched_yield();
    pn_job_begin(c, pool, 200);
    pn_job_begin(b, pool, 100);
    atomic_store(&o.hold, false);
    while (!pn_job_is_done(a) || !pn_job_is_done(b) || !pn_job_is_done(c))
        sched_yield();
    assert_int_equal(atomic_load(&o.entries), 7);
    assert_memory_equal(o.entry, "abbccaa", 7);
    pn_job_free(a);
    pn_job_free(b);
    pn_job_free(c);
    pn_pool_free(pool);
}

/* A worker that stands still holds one lane; all others are run by the caller. */
static void the_caller_does_what_workers_leave(void **state) {
    (void)state;
    pn_pool *pool = open_pool(2);
    order o = {.hold = true};
    named name[2] = {{&o, 'a'}, {&o, 'b'}};
    pn_job *a = open_named(&name[0], 1), *b = open_named(&name[1], 8);
    pn_job_begin(a, pool, 100);
    while (!atomic_load(&o.held))
        sched_yield();
    pn_job_begin(b, pool, 100);
    pn_job_pace(b, 0.5, 50);
    assert_int_equal(atomic_load(&o.entries), 1 + 4);
    pn_job_finish(b);
    assert_int_equal(atomic_load(&o.entries), 1 + 8);
    atomic_store(&o.hold, false);
    pn_job_finish(a);
    pn_job_free(a);
    pn_job_free(b);
    pn_pool_free(pool);
}

static void what_is_cancelled_runs_no_further(void **state) {
    (void)state;
    uint64_t dice = 2;
    for (int threads = 1; threads <= 3; ++threads) {
        pn_pool *pool = open_pool(threads);
        for (int round = 0; round < 200; ++round) {
            counter c;
            make_counter(&c, &dice);
            pn_job *job = open_job(&c.shape);
            pn_job_begin(job, pool, 100);
            pn_job_cancel(job);
            assert_true(pn_job_is_done(job));
            int runs = runs_of(&c);
            sched_yield();
            assert_int_equal(runs_of(&c), runs);
            if (threads == 1)
                assert_int_equal(runs, 0);
            forget_runs(&c);
            atomic_store(&c.wrong, 0);
            pn_job_begin(job, pool, 100);
            pn_job_finish(job);
            assert_int_equal(runs_of(&c), expected_of(&c));
            assert_int_equal(atomic_load(&c.wrong), 0);
            pn_job_begin(job, pool, 100);
            pn_job_free(job); /* cancels */
        }
        pn_pool_free(pool);
    }
}

/* More jobs than the pool's table has places: those beyond are the owner's alone. */
static void any_number_of_jobs(void **state) {
    (void)state;
    enum { JOBS = 300 };
    static counter c[JOBS];
    pn_job *job[JOBS];
    pn_pool *pool = open_pool(3);
    uint64_t dice = 3;
    for (int j = 0; j < JOBS; ++j) {
        make_counter(&c[j], &dice);
        job[j] = open_job(&c[j].shape);
        pn_job_begin(job[j], pool, 1000 - j);
    }
    for (int j = 0; j < JOBS; ++j) {
        pn_job_finish(job[j]);
        assert_int_equal(runs_of(&c[j]), expected_of(&c[j]));
        assert_int_equal(atomic_load(&c[j].wrong), 0);
        pn_job_free(job[j]);
    }
    pn_pool_free(pool);
}

static void count_task(void *context, int task) {
    atomic_fetch_add((atomic_int *)context + task, 1);
}

static void tasks_run_once_beside_other_work(void **state) {
    (void)state;
    enum { MOST = 70 };
    uint64_t dice = 4;
    for (int threads = 1; threads <= MOST_THREADS; ++threads) {
        pn_pool *pool = open_pool(threads);
        counter c;
        make_counter(&c, &dice);
        pn_job *job = open_job(&c.shape);
        for (int tasks = 0; tasks <= MOST; ++tasks) {
            atomic_int runs[MOST] = {0};
            forget_runs(&c);
            pn_job_begin(job, pool, 100);
            pn_pool_run(pool, count_task, runs, tasks);
            for (int t = 0; t < MOST; ++t)
                assert_int_equal(atomic_load(&runs[t]), t < tasks ? 1 : 0);
            pn_job_finish(job);
            assert_int_equal(runs_of(&c), expected_of(&c));
        }
        assert_int_equal(atomic_load(&c.wrong), 0);
        pn_job_free(job);
        pn_pool_free(pool);
    }
}

/* On a second pool the job's owner works alone. */
static void jobs_stay_with_their_pool(void **state) {
    (void)state;
    pn_pool *first = open_pool(2), *second = open_pool(2);
    counter c = {.shape = {.run = count_piece, .context = &c, .stages = 1, .lanes = {1}, .pieces = {{6}}}};
    pn_job *job = open_job(&c.shape);
    pn_job_begin(job, first, 100);
    pn_job_finish(job);
    forget_runs(&c);
    pn_job_begin(job, second, 100);
    pn_job_pace(job, 0.5, 50);
    assert_int_equal(runs_of(&c), 3);
    pn_job_finish(job);
    assert_int_equal(runs_of(&c), 6);
    pn_job_free(job);
    pn_pool_free(second);
    pn_pool_free(first);
}

static void counts_of_threads(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_pool *pool = NULL;
    assert_int_equal(pn_pool_create(-1, &pool, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_pool_create(1025, &pool, &err), PINNA_BAD_ARGUMENT);
    assert_null(pool);
    pool = open_pool(0);
    assert_int_equal(pn_pool_threads(pool), pn_processor_count());
    pn_pool_free(pool);
    assert_int_equal(pn_pool_threads(NULL), 1);
    pn_pool_free(NULL);
    pn_job_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_runs_once_and_in_order),
        cmocka_unit_test(pace_runs_a_share_where_nobody_else_does),
        cmocka_unit_test(help_runs_a_piece_at_a_time),
        cmocka_unit_test(what_is_due_first_runs_first),
        cmocka_unit_test(the_caller_does_what_workers_leave),
        cmocka_unit_test(what_is_cancelled_runs_no_further),
        cmocka_unit_test(any_number_of_jobs),
        cmocka_unit_test(tasks_run_once_beside_other_work),
        cmocka_unit_test(jobs_stay_with_their_pool),
        cmocka_unit_test(counts_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
