// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "edit_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Edits with a pool's threads and from another thread: what they leave alone keeps its bits, the block path keeps its
 * promises. And what they take of memory. */

/* ------------------------------------------------------------------ a pool's jobs */

/* Outputs that are not touched keep their bits through an edit, be they of components of their own or of one; and so for
 * any number of threads. */
static void alone_case(bool dense, int threads) {
    enum { CALL = 256, CALLS = 60, AT = 27 };
    float *before = NULL;
    for (int edited = 0; edited < 2; ++edited) {
        edit_run *r = open_run(4, 4, (size_t)CALLS * CALL, 9);
        for (int i = 0; i < 4; ++i)
            for (int o = 0; o < 4; ++o)
                if (dense || i == o)
                    r->first.ir[r->first.count++] = new_ir(r, i, o, 30000 - (size_t)(i + o) * 3000);
        pn_pool *pool = NULL;
        pn_backend *backend = NULL;
        pinna_error err = {0};
        assert_ok(pn_pool_create(edited > 0 ? threads : 1, &pool, &err), &err);
        assert_ok(pn_backend_cpu_open(pool, &backend, &err), &err);
        start(r, CALL, backend, pool, NULL);
        for (size_t k = 0; k < CALLS; ++k) {
            pinna_ir ir = {0};
            if (edited > 0 && k == AT) {
                ir = new_ir(r, 2, 2, 20000);
                request(r, &ir, 1, 700);
            }
            go_on(r, k * CALL, CALL);
        }
        if (edited == 0) {
            before = pn_alloc_floats(4 * r->s.frames);
            for (size_t o = 0; o < 4; ++o)
                memcpy(before + o * r->s.frames, r->s.out[o], r->s.frames * sizeof *before);
        } else {
            assert_int_equal(check_parts(r->convolver), 2);
            for (size_t o = 0; o < 4; ++o) {
                size_t same = o == 2 ? (size_t)AT * CALL : r->s.frames;
                assert_memory_equal(before + o * r->s.frames, r->s.out[o], same * sizeof *before);
            }
            compare(r);
        }
        close_run(r);
        pn_backend_close(backend);
        pn_pool_free(pool);
    }
    pn_free(before);
}

static void outputs_that_are_not_touched_keep_their_bits(void **state) {
    (void)state;
    alone_case(false, 1);
    alone_case(true, 2);
    alone_case(false, 3);
}

static void any_run_of_edits_is_exact_with_a_pool(void **state) {
    (void)state;
    pn_pool *pool = NULL;
    pinna_error err = {0};
    assert_ok(pn_pool_create(2, &pool, &err), &err);
    random_case(41, 400, false, 4, pool);
    pn_pool_free(pool);
}

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
        cmocka_unit_test(outputs_that_are_not_touched_keep_their_bits),
        cmocka_unit_test(any_run_of_edits_is_exact_with_a_pool),
        cmocka_unit_test(an_edit_takes_its_share_of_memory),
        cmocka_unit_test(the_block_path_does_not_allocate),
        cmocka_unit_test(edits_from_another_thread_are_exact_and_allocate_nothing_here),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
