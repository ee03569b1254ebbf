// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "edit_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Edits and what may go wrong or cost too much: memory, failed allocations, a device that is lost, another thread, the block
 * path's promises. */

/* ------------------------------------------------------------------ memory */

enum { WIDE = 64, WIDE_TAPS = 48000, WIDE_BLOCK = 256 };

typedef struct {
    float *taps, *in, *out_data;
    pinna_ir ir[WIDE];
    const float *ins[WIDE];
    float *outs[WIDE];
    pn_convolver *convolver;
    size_t block; /* number */
} wide;

static void open_wide(wide *w, pn_pool *pool) {
    memset(w, 0, sizeof *w);
    w->taps = pn_alloc_floats(WIDE_TAPS + (size_t)WIDE * 16);
    w->in = pn_alloc_floats((size_t)WIDE * WIDE_BLOCK);
    w->out_data = pn_alloc_floats((size_t)WIDE * WIDE_BLOCK);
    test_fill_noise(w->taps, WIDE_TAPS + (size_t)WIDE * 16, 1, 0.01);
    for (int c = 0; c < WIDE; ++c) {
        w->ir[c] = (pinna_ir){c, c, w->taps + (size_t)c * 16, WIDE_TAPS};
        w->ins[c] = w->in + (size_t)c * WIDE_BLOCK;
        w->outs[c] = w->out_data + (size_t)c * WIDE_BLOCK;
    }
    const pn_convolver_desc desc = {.inputs = WIDE,
                                    .outputs = WIDE,
                                    .block = WIDE_BLOCK,
                                    .irs = w->ir,
                                    .ir_count = WIDE,
                                    .editable = true,
                                    .backend = cpu,
                                    .pool = pool};
    pinna_error err = {0};
    assert_ok(pn_convolver_create(&desc, &w->convolver, &err), &err);
}

static void close_wide(wide *w) {
    pn_convolver_free(w->convolver);
    pn_free(w->taps);
    pn_free(w->in);
    pn_free(w->out_data);
}

static void process(wide *w) {
    pinna_error err = {0};
    test_fill_noise(w->in, (size_t)WIDE * WIDE_BLOCK, 100 + w->block++, 0.5);
    assert_ok(pn_convolver_block_process(w->convolver, w->ins, w->outs, &err), &err);
}

static double edit_channel(wide *w, int channel) {
    pinna_error err = {0};
    w->ir[channel].taps += 8;
    assert_ok(pn_convolver_request_edit(w->convolver, &w->ir[channel], 1, 600, &err), &err);
    double during = (double)pn_convolver_memory(w->convolver);
    for (int left = 1; left > 0;) {
        process(w);
        assert_ok(pn_convolver_update(w->convolver, &left, &err), &err);
    }
    return during;
}

/* One of 64 outputs costs about a 64th more, a copy of its input's past while it is under way, and not again when it is
 * edited again; when more than half have been edited, all is as at first. */
static void an_edit_takes_its_share_of_memory(void **state) {
    (void)state;
    wide w;
    open_wide(&w, NULL);
    for (int k = 0; k < 20; ++k)
        process(&w);
    double before = (double)pn_convolver_memory(w.convolver), part = before / WIDE;
    double during = edit_channel(&w, 7), after = (double)pn_convolver_memory(w.convolver);
    assert_true(after - before > 0.5 * part && after - before < 1.1 * part);
    assert_true(during - before > 0.5 * part && during - before < 2 * part);
    edit_channel(&w, 7);
    assert_true((double)pn_convolver_memory(w.convolver) == after);
    for (int k = 8; k < 15; ++k) {
        edit_channel(&w, k);
        assert_true((double)pn_convolver_memory(w.convolver) - before < (k - 6) * 1.1 * part);
    }
    int made_anew = 0;
    for (int k = 15; k < 60; ++k) {
        edit_channel(&w, k);
        double now = (double)pn_convolver_memory(w.convolver);
        assert_true(now <= before + 0.55 * WIDE * part);
        made_anew += now == before;
    }
    assert_int_equal(made_anew, 1);
    close_wide(&w);
}

/* ------------------------------------------------------------------ failures */

static void a_failed_allocation_leaves_all_as_it_was(void **state) {
    (void)state;
    enum { CALLS = 300 };
    for (int whole = 0; whole < 2; ++whole) {
        edit_run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 8);
        for (int o = 0; o < 4; ++o)
            r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 3000);
        start(r, BLOCK, cpu, NULL, NULL);
        const pinna_ir irs[] = {new_ir(r, 0, 1, 2000), new_ir(r, 0, 2, 2000), {.input = 0, .output = 0}};
        size_t count = whole > 0 ? 3 : 1;
        long k = 1;
        for (size_t at = 0; at < CALLS; ++at) {
            if (r->count == 0) {
                pinna_error err = {0};
                pn_memory_fail_at(k++);
                bool done = pn_convolver_request_edit(r->convolver, irs, count, 300, &err) == PINNA_OK;
                pn_memory_fail_at(0);
                if (done)
                    note_edit(r, irs, count, 300);
                assert_int_equal(pending(r), done ? 1 : 0);
            }
            go_on(r, at * BLOCK, BLOCK);
        }
        assert_true(k > 20);
        compare(r);
        close_run(r);
    }
}

/* Responses that an edit cannot have leave everything as it was. */
static void what_is_wrong_is_said(void **state) {
    (void)state;
    edit_run *r = open_run(2, 4, 100 * BLOCK, 8);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, 0, o, 3000);
    start(r, BLOCK, cpu, NULL, NULL);
    float bad[3] = {0, NAN, 1};
    const pinna_ir unknown = {1, 2, bad, 3}, good = r->first.ir[2], none = {.input = 1, .output = 1};
    const pinna_ir twice[] = {good, {.input = 0, .output = 2}};
    const pinna_ir all[] = {{0, 0, NULL, 0}, {0, 1, NULL, 0}, {0, 2, NULL, 0}, {0, 3, NULL, 0}};
    pinna_error err = {0};
    assert_int_equal(pn_convolver_request_edit(r->convolver, &unknown, 1, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "impulse response 0: tap 1"));
    assert_int_equal(pn_convolver_request_edit(r->convolver, twice, 2, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "another one from input 0 to output 2"));
    assert_int_equal(pn_convolver_request_edit(r->convolver, &none, 1, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "no impulse response from input 1 to output 1"));
    assert_int_equal(pn_convolver_request_edit(r->convolver, all, 4, 0, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "would be left"));
    assert_int_equal(pending(r), 0);
    for (size_t k = 0; k < 100; ++k)
        go_on(r, k * BLOCK, BLOCK);
    compare(r);
    close_run(r);
}

/* The device fails at its call number fail_at: before, while and after edits left several engines on it. */
static void device_case(long fail_at) {
    enum { CALLS = 500 };
    pn_messages *messages = pn_messages_create(NULL, NULL);
    edit_run *r = open_run(2, 6, (size_t)CALLS * BLOCK, 9);
    for (int o = 0; o < 6; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 4000);
    start(r, BLOCK, open_failing(), NULL, messages);
    failing.fail_at = fail_at;
    for (size_t k = 0; k < CALLS; ++k) {
        pinna_error err = {0};
        if (k >= 60 && k % 40 == 20 && r->count < 8) {
            pinna_ir ir = new_ir(r, (int)k / 40 % 2, (int)(k / 40 * 5) % 6, 3500);
            if (pn_convolver_request_edit(r->convolver, &ir, 1, 400, &err) == PINNA_OK)
                note_edit(r, &ir, 1, 400);
        }
        go_on(r, k * BLOCK, BLOCK);
        /* a device that fails in the control thread's hands fails the update; the block path notices by itself */
        pn_convolver_update(r->convolver, NULL, &err);
    }
    assert_true(r->count > 5);
    bool lost = failing.calls >= fail_at;
    assert_string_equal(pn_convolver_device(r->convolver), lost ? "cpu" : "opencl:9.9");
    for (const pn_part *part = r->convolver->parts; part != NULL; part = part->next)
        assert_true(pn_engine_on_device(part->engine) == !lost);
    compare(r);
    close_run(r);
    pn_messages_free(messages);
}

static void a_device_lost_around_edits_leaves_no_trace(void **state) {
    (void)state;
    uint64_t noise = 17;
    for (int k = 0; k < 20; ++k)
        device_case(100 + (long)(2200 * (test_noise(&noise) + 1)));
    device_case(1000000);
}

/* While the new engine makes up for blocks that it missed, and runs behind the others. */
static void catching_up_case(long after) {
    enum { CALLS = 200, AT = 50, MISSED = 7 };
    pn_messages *messages = pn_messages_create(NULL, NULL);
    edit_run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 9);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 4000);
    start(r, BLOCK, open_failing(), NULL, messages);
    failing.fail_at = 1000000;
    call(r->convolver, &r->s, 0, (size_t)AT * BLOCK);
    pinna_ir ir = new_ir(r, 1, 2, 3500);
    request(r, &ir, 1, 400);
    pn_exchange *offer = atomic_exchange(&r->convolver->offer, NULL);
    assert_non_null(offer);
    call(r->convolver, &r->s, (size_t)AT * BLOCK, (size_t)MISSED * BLOCK);
    atomic_store(&r->convolver->offer, offer);
    failing.fail_at = failing.calls + after;
    for (size_t k = AT + MISSED; k < CALLS; ++k)
        go_on(r, k * BLOCK, BLOCK);
    assert_string_equal(pn_convolver_device(r->convolver), "cpu");
    compare(r);
    close_run(r);
    pn_messages_free(messages);
}

static void a_device_lost_while_an_edit_catches_up(void **state) {
    (void)state;
    for (long after = 1; after < 32; after += 2)
        catching_up_case(after);
}

/* ------------------------------------------------------------------ the block path */

/* Edits that mute, take in smaller ones, and make all anew. */
static void the_block_path_does_not_allocate(void **state) {
    (void)state;
    wide w;
    pn_pool *pool = NULL;
    pinna_error err = {0};
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    open_wide(&w, pool);
    for (int e = 0; e < 34; ++e) {
        w.ir[e].taps += 8;
        assert_ok(pn_convolver_request_edit(w.convolver, &w.ir[e], 1, 100, &err), &err);
        for (int left = 1; left > 0;) {
            long before = pn_memory_count();
            allocations = 0;
            counting = 1;
            pinna_status status = pn_convolver_block_process(w.convolver, w.ins, w.outs, &err);
            counting = 0;
            assert_ok(status, &err);
            assert_int_equal(pn_memory_count() - before, 0);
            assert_int_equal(allocations, 0);
            assert_ok(pn_convolver_update(w.convolver, &left, &err), &err);
        }
    }
    assert_int_equal(check_parts(w.convolver), 2); /* all anew at the 33rd, and one since */
    close_wide(&w);
    pn_pool_free(pool);
}

/* ------------------------------------------------------------------ two threads */

typedef struct {
    edit_run *r;
    atomic_bool stop;
} control;

/* Edits, now and then of longer responses, as fast as they are taken. */
static void *control_thread(void *argument) {
    control *c = argument;
    uint64_t noise = 3;
    pinna_error err = {0};
    while (!atomic_load(&c->stop) && c->r->count < MOST_EDITS - 1) {
        pinna_ir irs[3];
        int taps = c->r->taps_count;
        size_t fade = (size_t)(200 * (test_noise(&noise) + 1));
        size_t count = roll_edit(c->r, irs, c->r->count % 7 == 6 ? 20000 : 4000);
        if (count > 0 && pn_convolver_request_edit(c->r->convolver, irs, count, fade, &err) == PINNA_OK)
            note_edit(c->r, irs, count, fade);
        else
            while (c->r->taps_count > taps)
                pn_free(c->r->taps[--c->r->taps_count]);
        usleep((useconds_t)(300 * (test_noise(&noise) + 1)));
        pn_convolver_update(c->r->convolver, NULL, &err);
    }
    return NULL;
}

static void edits_from_another_thread_are_exact_and_allocate_nothing_here(void **state) {
    (void)state;
    enum { CALLS = 1500 };
    static int64_t begins[MOST_EDITS];
    int begun = 0;
    pinna_error err = {0};
    pn_pool *pool = NULL;
    pn_backend *backend = NULL;
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
    edit_run *r = open_run(3, 6, (size_t)CALLS * BLOCK, 10);
    for (int o = 0; o < 6; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 3, o, 3000);
    start(r, BLOCK, backend, pool, NULL);
    control c = {.r = r};
    pthread_t thread;
    int64_t last = -1;
    allocations = 0;
    assert_int_equal(pthread_create(&thread, NULL, control_thread, &c), 0);
    for (size_t k = 0; k < CALLS; ++k) {
        trapped = 1;
        call(r->convolver, &r->s, k * BLOCK, BLOCK);
        trapped = 0;
        int64_t now = pn_convolver_begun(r->convolver);
        if (now != last)
            begins[begun++] = now;
        last = now;
        usleep(300);
    }
    atomic_store(&c.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(allocations, 0);
    assert_true(begun > 3 && begun <= r->count);
    check_parts(r->convolver);
    for (int e = 0; e < begun; ++e)
        r->edits[e].at = begins[e];
    r->count = r->begun = begun;
    compare(r);
    close_run(r);
    pn_backend_close(backend);
    pn_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_takes_its_share_of_memory),
        cmocka_unit_test(a_failed_allocation_leaves_all_as_it_was),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_device_lost_around_edits_leaves_no_trace),
        cmocka_unit_test(a_device_lost_while_an_edit_catches_up),
        cmocka_unit_test(the_block_path_does_not_allocate),
        cmocka_unit_test(edits_from_another_thread_are_exact_and_allocate_nothing_here),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
