// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "convolve/convolver_state.h"

/* Exchanges requested while another thread processes: each is the crossfade of two exact convolutions over the full
 * history, from the frame on that pn_convolver_begun tells. And convolvers whose work a pool shares. */

enum { BLOCK = 32, MOST_FADES = 4096 };

/* When which matrix began to take over. */
typedef struct {
    const matrix *to;
    size_t at, fade;
} fade_event;

/* expected = the exact convolution with `first`, crossfaded as the events say. */
static void expect_fades(stream *s, const matrix *first, const fade_event *event, int events) {
    convolve_exactly(s, first, s->expected);
    const matrix *known[4] = {0};
    stream other[4];
    int count = 0;
    for (int e = 0; e < events; ++e) {
        int k = 0;
        while (k < count && known[k] != event[e].to)
            ++k;
        if (k == count) {
            assert_true(count < 4);
            known[count++] = event[e].to;
            make_stream(&other[k], s->inputs, s->outputs, s->frames, 1);
            for (int i = 0; i < s->inputs; ++i)
                memcpy(other[k].in[i], s->in[i], s->frames * sizeof(float));
            convolve_exactly(&other[k], event[e].to, other[k].expected);
        }
        size_t end = e + 1 < events ? event[e + 1].at : s->frames;
        for (int o = 0; o < s->outputs; ++o) {
            for (size_t n = event[e].at; n < s->frames; ++n) {
                size_t in = n - event[e].at;
                double share = in >= event[e].fade ? 1 : (double)(in + 1) / (double)(event[e].fade + 1);
                double *y = &s->expected[o][n];
                *y += share * (other[k].expected[o][n] - *y);
                if (n >= end && in >= event[e].fade)
                    break; /* the next one overwrites all that follows */
            }
            if (end < s->frames && end >= event[e].at + event[e].fade)
                memcpy(&s->expected[o][end], &other[k].expected[o][end], (s->frames - end) * sizeof(double));
        }
    }
    for (int k = 0; k < count; ++k)
        free_stream(&other[k]);
}

static int pending(pn_convolver *convolver) {
    int count = -1;
    pinna_error err = {0};
    assert_ok(pn_convolver_update(convolver, &count, &err), &err);
    return count;
}

static void request(pn_convolver *convolver, const matrix *m, size_t fade) {
    pinna_error err = {0};
    assert_ok(pn_convolver_request_swap(convolver, m->ir, m->count, fade, &err), &err);
}

static void two_matrices(matrix *a, matrix *b, size_t length) {
    add_ir(a, 0, 0, length, 1);
    add_ir(a, 1, 0, length / 3 + 1, 2);
    add_ir(b, 0, 0, length / 2 + 1, 3);
    add_ir(b, 1, 1, length, 4);
}

/* ------------------------------------------------------------------ phases */

/* A period of at most 32 calls, as the plan has it. Every exchange begins one phase later than the last. */
static void an_exchange_at_every_phase_of_every_level_is_exact(void **state) {
    (void)state;
    enum { PERIOD = 32, STEP = PERIOD + 1, FADES = 2 * PERIOD, CALLS = STEP * (FADES + 1) };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 20000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 5);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    const pn_plan *plan = pn_convolver_plan(convolver);
    assert_true(plan->levels >= 2 && PERIOD * BLOCK % plan->level[plan->levels - 1].block == 0);
    fade_event event[FADES];
    int events = 0;
    for (int k = 0; k < CALLS; ++k) {
        if (k % STEP == STEP - 1 && events < FADES) {
            assert_int_equal(pending(convolver), 0);
            event[events] = (fade_event){events % 2 == 0 ? &b : &a, (size_t)k * BLOCK,
                                         events % 5 == 4 ? 0 : (size_t)(events * 13)};
            request(convolver, event[events].to, event[events].fade);
            ++events;
        }
        call(convolver, &s, (size_t)k * BLOCK, BLOCK);
        if (events > 0 && k % STEP == STEP - 1)
            assert_int_equal(pn_convolver_begun(convolver), event[events - 1].at);
    }
    assert_int_equal(events, FADES);
    expect_fades(&s, &a, event, events);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

/* Blocks that were processed between the last look at the history and the hand-over: white-box, since only a race
 * makes them. Beyond 16 the offer goes back and is made again. */
static void lag_case(int lag, size_t phase) {
    enum { CALLS = 500 };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 9000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 6);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, phase * BLOCK);
    request(convolver, &b, 1000);
    pn_exchange *offer = atomic_exchange(&convolver->offer, NULL);
    assert_non_null(offer);
    call(convolver, &s, phase * BLOCK, (size_t)lag * BLOCK);
    atomic_store(&convolver->offer, offer);
    size_t at = phase + (size_t)lag;
    for (; at < CALLS; ++at) {
        call(convolver, &s, at * BLOCK, BLOCK);
        if (lag > 16 && pn_convolver_begun(convolver) < 0)
            assert_int_equal(pending(convolver), 1);
    }
    int64_t begun = pn_convolver_begun(convolver);
    int64_t expected = (int64_t)phase + (lag > 16 ? lag + 1 : lag + (lag + 1) / 2 - (lag > 0));
    if (lag == 0)
        expected = (int64_t)phase;
    assert_int_equal(begun, expected * BLOCK);
    const fade_event event = {&b, (size_t)begun, 1000};
    expect_fades(&s, &a, &event, 1);
    assert_stream(&s, s.frames, BOUND_DB);
    assert_int_equal(pending(convolver), 0);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

static void blocks_missed_in_the_hand_over_are_made_up_for(void **state) {
    (void)state;
    for (int lag = 0; lag <= 18; ++lag)
        lag_case(lag, 100 + (size_t)lag * 3);
}

static void a_longer_response_hears_the_past(void **state) {
    (void)state;
    matrix a = {.count = 0}, b = {.count = 0};
    add_ir(&a, 0, 0, 10, 1);
    add_ir(&b, 0, 0, 600000, 2);
    stream s;
    make_stream(&s, 1, 1, 1024 * 700, 3);
    pn_convolver *convolver = make_convolver(&s, &a, 1024, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, 1024 * 300);
    request(convolver, &b, 1000);
    call(convolver, &s, 1024 * 300, 1024 * 400);
    const fade_event event = {&b, 1024 * 300, 1000};
    expect_fades(&s, &a, &event, 1);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

/* ------------------------------------------------------------------ queue */

static void exchanges_wait_for_each_other_up_to_four(void **state) {
    (void)state;
    enum { CALLS = 400, FADE = 1000 };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 5000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 7);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, BLOCK);
    fade_event event[4];
    int events = 0;
    for (int e = 0; e < 4; ++e) {
        event[e] = (fade_event){e % 2 == 0 ? &b : &a, 0, FADE};
        request(convolver, event[e].to, FADE);
    }
    pinna_error err = {0};
    assert_int_equal(pn_convolver_request_swap(convolver, a.ir, a.count, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "4 exchanges"));
    assert_int_equal(pn_convolver_swap(convolver, a.ir, a.count, 0, &err), PINNA_BAD_ARGUMENT);
    int64_t last = -1;
    for (size_t k = 1; k < CALLS; ++k) {
        call(convolver, &s, k * BLOCK, BLOCK);
        int64_t begun = pn_convolver_begun(convolver);
        if (begun != last)
            event[events++].at = (size_t)begun;
        last = begun;
        pending(convolver);
    }
    assert_int_equal(events, 4);
    for (int e = 1; e < 4; ++e) /* 1000 frames are 31.25 blocks */
        assert_int_equal(event[e].at - event[e - 1].at, 32 * BLOCK);
    assert_int_equal(pending(convolver), 0);
    expect_fades(&s, &a, event, events);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

static void a_reset_between_request_and_block_loses_nothing(void **state) {
    (void)state;
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 5000);
    stream s;
    make_stream(&s, 2, 2, 300 * BLOCK, 8);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, 50 * BLOCK);
    request(convolver, &b, 0);
    pn_convolver_reset(convolver);
    call(convolver, &s, 0, 10 * BLOCK);
    assert_int_equal(pn_convolver_begun(convolver), -1);
    assert_int_equal(pending(convolver), 1);
    call(convolver, &s, 10 * BLOCK, 290 * BLOCK);
    const fade_event event = {&b, 10 * BLOCK, 0};
    expect_fades(&s, &a, &event, 1);
    assert_stream(&s, s.frames, BOUND_DB);
    /* and one while a crossfade runs: it ends at once */
    request(convolver, &a, 5000);
    call(convolver, &s, 0, BLOCK);
    assert_true(pn_convolver_fading(convolver));
    pn_convolver_reset(convolver);
    assert_false(pn_convolver_fading(convolver));
    call(convolver, &s, 0, s.frames);
    convolve_exactly(&s, &a, s.expected);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

static void calls_of_any_size_crossfade_one_block_late(void **state) {
    (void)state;
    enum { FRAMES = 400 * BLOCK };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 5000);
    stream s;
    make_stream(&s, 2, 2, FRAMES, 9);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    call(convolver, &s, 0, 1007);
    request(convolver, &b, 700);
    call(convolver, &s, 1007, FRAMES - 1007);
    size_t latency = (size_t)pn_convolver_latency(convolver);
    assert_int_equal(latency, BLOCK);
    const fade_event event = {&b, (size_t)pn_convolver_begun(convolver), 700};
    assert_int_equal(event.at, 1007 / BLOCK * BLOCK);
    expect_fades(&s, &a, &event, 1);
    for (int o = 0; o < 2; ++o)
        assert_below(test_error_db_f64(s.out[o] + latency, s.expected[o], FRAMES - latency), BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

/* ------------------------------------------------------------------ edits */

static pn_convolver *make_editable(const stream *s, const matrix *m) {
    pn_convolver_desc desc = {.inputs = s->inputs,
                              .outputs = s->outputs,
                              .block = BLOCK,
                              .irs = m->ir,
                              .ir_count = m->count,
                              .editable = true,
                              .backend = cpu};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    return convolver;
}

static void an_edit_exchanges_adds_and_removes_entries(void **state) {
    (void)state;
    matrix a = {.count = 0}, b = {.count = 0}, c = {.count = 0};
    add_ir(&a, 1, 1, 4000, 1);
    add_ir(&a, 0, 0, 6000, 2);
    add_ir(&a, 1, 0, 100, 3);
    add_ir(&b, 0, 0, 3000, 4); /* another one */
    add_ir(&b, 0, 1, 9000, 5); /* joins */
    add_ir(&b, 1, 1, 4000, 1); /* stays */
    add_ir(&c, 0, 0, 3000, 4);
    add_ir(&c, 0, 1, 9000, 5);
    add_ir(&c, 1, 1, 50, 6);
    stream s;
    make_stream(&s, 2, 2, 600 * BLOCK, 7);
    pn_convolver *convolver = make_editable(&s, &a);
    const pinna_ir first[] = {b.ir[1], {.input = 1, .output = 0}, b.ir[0]};
    pinna_error err = {0};
    call(convolver, &s, 0, 200 * BLOCK);
    assert_ok(pn_convolver_request_edit(convolver, first, 3, 500, &err), &err);
    assert_ok(pn_convolver_request_edit(convolver, &c.ir[2], 1, 500, &err), &err);
    fade_event event[2] = {{&b, 200 * BLOCK, 500}, {&c, 300 * BLOCK, 500}};
    call(convolver, &s, 200 * BLOCK, 100 * BLOCK);
    assert_int_equal(pending(convolver), 1);
    call(convolver, &s, 300 * BLOCK, 300 * BLOCK);
    expect_fades(&s, &a, event, 2);
    assert_stream(&s, s.frames, BOUND_DB);

    const pinna_ir absent = {.input = 1, .output = 0}, outside = {5, 0, c.ir[0].taps, 1};
    const pinna_ir everything[] = {
        {.input = 0, .output = 0}, {.input = 0, .output = 1}, {.input = 1, .output = 1}};
    const pinna_ir twice[] = {c.ir[0], c.ir[0]}, half = {0, 0, NULL, 7};
    assert_int_equal(pending(convolver), 0);
    assert_int_equal(pn_convolver_request_edit(convolver, &absent, 1, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "from input 1 to output 0"));
    assert_int_equal(pn_convolver_request_edit(convolver, &outside, 1, 0, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_convolver_request_edit(convolver, everything, 3, 0, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_convolver_request_edit(convolver, twice, 2, 0, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_convolver_request_edit(convolver, &half, 1, 0, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_convolver_request_edit(convolver, NULL, 0, 0, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pending(convolver), 0);
    pn_convolver_free(convolver);
    convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, cpu);
    assert_int_equal(pn_convolver_request_edit(convolver, first, 3, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "editable"));
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
    free_matrix(&c);
}

/* ------------------------------------------------------------------ failures */

static void a_failed_allocation_leaves_all_as_it_was(void **state) {
    (void)state;
    enum { CALLS = 300 };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 3000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 8);
    pn_convolver *convolver = make_editable(&s, &a);
    pinna_error err = {0};
    long k = 1;
    size_t at = 0;
    bool done = false;
    fade_event event = {&b, 0, 300};
    for (; at < CALLS; ++at) {
        if (!done) {
            pn_memory_fail_at(k++);
            done = pn_convolver_request_swap(convolver, b.ir, b.count, 300, &err) == PINNA_OK;
            pn_memory_fail_at(0);
            event.at = at * BLOCK;
            /* made, but there was no room for the history: the next update tries again */
            int left = pending(convolver);
            assert_int_equal(left, done ? 1 : 0);
        }
        call(convolver, &s, at * BLOCK, BLOCK);
    }
    assert_true(done && k > 20);
    expect_fades(&s, &a, &event, 1);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

/* The device fails at its call number fail_at, before, during or after the exchange. */
static void device_case(long fail_at) {
    enum { CALLS = 400, AT = 150 };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 6000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 9);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_convolver_desc desc = {.inputs = 2,
                              .outputs = 2,
                              .block = BLOCK,
                              .irs = a.ir,
                              .ir_count = a.count,
                              .backend = open_failing(),
                              .messages = messages};
    pn_convolver *convolver = NULL;
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &convolver, &err), &err);
    failing.fail_at = fail_at;
    call(convolver, &s, 0, (size_t)AT * BLOCK);
    bool asked = false;
    for (size_t k = AT; k < CALLS; ++k) {
        /* a device that fails in the control thread's hands fails the request; the block path notices by itself */
        if (!asked)
            asked = pn_convolver_request_swap(convolver, b.ir, b.count, 1500, &err) == PINNA_OK;
        pn_convolver_update(convolver, NULL, &err);
        call(convolver, &s, k * BLOCK, BLOCK);
    }
    assert_true(asked);
    const fade_event event = {&b, (size_t)pn_convolver_begun(convolver), 1500};
    expect_fades(&s, &a, &event, 1);
    assert_stream(&s, s.frames, BOUND_DB);
    bool lost = failing.calls >= fail_at;
    assert_string_equal(pn_convolver_device(convolver), lost ? "cpu" : "opencl:9.9");
    pn_convolver_free(convolver);
    pn_messages_free(messages);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

static void a_device_lost_around_an_exchange_leaves_no_trace(void **state) {
    (void)state;
    dice = 5;
    for (int run = 0; run < 24; ++run)
        device_case((long)roll(200, 900));
    device_case(1000000);
}

/* ------------------------------------------------------------------ two threads */

typedef struct {
    pn_convolver *convolver;
    const matrix *m[2];
    int events;
    size_t fade[MOST_FADES];
    atomic_bool stop;
} control;

/* Requests one exchange after another, with fades and pauses of any length, as fast as they are taken. */
static void *control_thread(void *argument) {
    control *c = argument;
    uint64_t noise = 3;
    pinna_error err = {0};
    while (!atomic_load(&c->stop) && c->events < MOST_FADES) {
        size_t fade = (size_t)(400 * (test_noise(&noise) + 1));
        const matrix *m = c->m[(c->events + 1) % 2];
        if (pn_convolver_request_swap(c->convolver, m->ir, m->count, fade, &err) == PINNA_OK)
            c->fade[c->events++] = fade;
        usleep((useconds_t)(300 * (test_noise(&noise) + 1)));
        pn_convolver_update(c->convolver, NULL, &err);
    }
    return NULL;
}

static void exchanges_from_another_thread_are_exact_and_allocate_nothing_here(void **state) {
    (void)state;
    enum { CALLS = 1500 };
    matrix a = {.count = 0}, b = {.count = 0};
    two_matrices(&a, &b, 6000);
    stream s;
    make_stream(&s, 2, 2, (size_t)CALLS * BLOCK, 10);
    pinna_error err = {0};
    pn_pool *pool = NULL;
    pn_backend *backend = NULL;
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    pn_convolver *convolver = make_convolver(&s, &a, BLOCK, PN_PLAN_LIVE, backend);
    static control c;
    c = (control){.convolver = convolver, .m = {&a, &b}};
    pthread_t thread;
    static fade_event event[MOST_FADES];
    int events = 0;
    int64_t last = -1;
    allocations = 0;
    assert_int_equal(pthread_create(&thread, NULL, control_thread, &c), 0);
    for (size_t k = 0; k < CALLS; ++k) {
        trapped = 1;
        call(convolver, &s, k * BLOCK, BLOCK);
        trapped = 0;
        int64_t begun = pn_convolver_begun(convolver);
        if (begun != last)
            event[events++].at = (size_t)begun;
        last = begun;
        usleep(300);
    }
    atomic_store(&c.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(allocations, 0);
    assert_true(events > 3 && events <= c.events);
    for (int e = 0; e < events; ++e) {
        event[e].to = c.m[(e + 1) % 2];
        event[e].fade = c.fade[e];
    }
    expect_fades(&s, &a, event, events);
    assert_stream(&s, s.frames, BOUND_DB);
    pn_convolver_free(convolver);
    pn_backend_close(backend);
    pn_pool_free(pool);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

/* ------------------------------------------------------------------ a pool's jobs */

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    matrix m = {.count = 0};
    for (int i = 0; i < 4; ++i)
        for (int o = 0; o < 4; ++o)
            add_ir(&m, i, o, 30000, (uint64_t)(4 * i + o));
    stream s;
    make_stream(&s, 4, 4, 40960, 9);
    float *first = NULL;
    for (int threads = 1; threads <= 4; ++threads) {
        pinna_error err = {0};
        pn_pool *pool = NULL;
        pn_backend *backend = NULL;
        assert_ok(pn_pool_create(threads, &pool, &err), &err);
        assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
        pn_convolver *convolver = make_convolver(&s, &m, 1024, PN_PLAN_LIVE, backend);
        call(convolver, &s, 0, s.frames);
        if (first == NULL) {
            first = pn_alloc_floats(4 * s.frames);
            for (size_t o = 0; o < 4; ++o)
                memcpy(first + o * s.frames, s.out[o], s.frames * sizeof *first);
        }
        for (size_t o = 0; o < 4; ++o)
            assert_memory_equal(first + o * s.frames, s.out[o], s.frames * sizeof *first);
        pn_convolver_free(convolver);
        pn_backend_close(backend);
        pn_pool_free(pool);
    }
    pn_free(first);
    free_stream(&s);
    free_matrix(&m);
}

static void the_block_path_does_not_allocate(void **state) {
    (void)state;
    matrix m = {.count = 0};
    add_ir(&m, 0, 0, 60000, 1); /* a level of which is handed to the pool */
    add_ir(&m, 0, 1, 3000, 2);
    stream s;
    make_stream(&s, 1, 2, 64 * 400, 3);
    pinna_error err = {0};
    pn_pool *pool = NULL;
    pn_backend *backend = NULL;
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    pn_convolver *convolver = make_convolver(&s, &m, 64, PN_PLAN_LIVE, backend);
    assert_ok(pn_convolver_swap(convolver, m.ir, 1, 5000, &err), &err);
    long before = pn_memory_count();
    allocations = 0;
    counting = 1;
    const float *silence[1] = {NULL};
    for (size_t at = 0; at < s.frames; at += 64) {
        const float *in[1] = {s.in[0] + at};
        float *out[2] = {s.out[0] + at, s.out[1] + at};
        if (pn_convolver_block_process(convolver, at % 640 == 0 ? silence : in, out, &err) != PINNA_OK)
            break;
    }
    pn_convolver_reset(convolver);
    counting = 0;
    assert_int_equal(pn_memory_count() - before, 0);
    assert_int_equal(allocations, 0);
    pn_convolver_free(convolver);
    pn_backend_close(backend);
    pn_pool_free(pool);
    free_stream(&s);
    free_matrix(&m);
}

/* Everything that a pool's jobs read outlives them: matrices whose larger levels are handed to a pool, exchanged in the
 * middle of a job, and freed at once or after the fade. With two and three threads the same bits as with one; that
 * nothing freed is read, the sanitizers see. */
static void pool_case(pn_pool *pool, stream *s, const matrix *a, const matrix *b, size_t at, size_t end) {
    enum { CALL = 256 };
    pn_backend *backend = NULL;
    pinna_error err = {0};
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    pn_convolver *convolver = make_convolver(s, a, CALL, PN_PLAN_LIVE, backend);
    for (size_t k = 0; k < end; ++k) {
        if (k == at)
            request(convolver, b, 1000);
        call(convolver, s, k * CALL, CALL);
        pending(convolver);
    }
    assert_true(end - at > 4 || pn_convolver_fading(convolver));
    pn_convolver_free(convolver);
    pn_backend_close(backend);
}

static void exchanged_jobs_of_a_pool_give_the_same_bits(void **state) {
    (void)state;
    enum { CALL = 256, CALLS = 60 };
    matrix a = {.count = 0}, b = {.count = 0};
    for (int i = 0; i < 4; ++i)
        for (int o = 0; o < 2; ++o) {
            add_ir(&a, i, o, 30000, (uint64_t)(2 * i + o));
            add_ir(&b, i, o, 20000, (uint64_t)(100 + 2 * i + o));
        }
    stream s;
    make_stream(&s, 4, 2, (size_t)CALLS * CALL, 12);
    float *expected = pn_alloc_floats(2 * s.frames);
    for (int threads = 1; threads <= 3; ++threads) {
        pn_pool *pool = NULL;
        pinna_error err = {0};
        assert_ok(pn_pool_create(threads, &pool, &err), &err);
        for (size_t at = 16; at < 24; ++at)
            pool_case(pool, &s, &a, &b, at, at + 1 + at % 2);
        pool_case(pool, &s, &a, &b, 19, CALLS);
        for (size_t o = 0; threads == 1 && o < 2; ++o)
            memcpy(expected + o * s.frames, s.out[o], s.frames * sizeof *expected);
        for (size_t o = 0; o < 2; ++o)
            assert_memory_equal(expected + o * s.frames, s.out[o], s.frames * sizeof *expected);
        pn_pool_free(pool);
    }
    pn_free(expected);
    free_stream(&s);
    free_matrix(&a);
    free_matrix(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_at_every_phase_of_every_level_is_exact),
        cmocka_unit_test(blocks_missed_in_the_hand_over_are_made_up_for),
        cmocka_unit_test(a_longer_response_hears_the_past),
        cmocka_unit_test(exchanges_wait_for_each_other_up_to_four),
        cmocka_unit_test(a_reset_between_request_and_block_loses_nothing),
        cmocka_unit_test(calls_of_any_size_crossfade_one_block_late),
        cmocka_unit_test(an_edit_exchanges_adds_and_removes_entries),
        cmocka_unit_test(a_failed_allocation_leaves_all_as_it_was),
        cmocka_unit_test(a_device_lost_around_an_exchange_leaves_no_trace),
        cmocka_unit_test(exchanges_from_another_thread_are_exact_and_allocate_nothing_here),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(the_block_path_does_not_allocate),
        cmocka_unit_test(exchanged_jobs_of_a_pool_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
