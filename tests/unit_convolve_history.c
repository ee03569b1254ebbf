// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/memory.h"
#include "convolve/history.h"

/* The rings that one thread writes and another follows. Every sample tells its time and input, so that one that was
 * overwritten while it was copied is seen. */

enum { BLOCK = 32, INPUTS = 3 };

static float sample_at(int input, int64_t time) {
    return (float)(time % 1000000 * 4 + input);
}

static void write_block(pn_history *history) {
    static float data[INPUTS][BLOCK];
    const float *in[INPUTS];
    int64_t time = pn_history_time(history);
    for (int i = 0; i < INPUTS; ++i) {
        in[i] = data[i];
        for (int n = 0; n < BLOCK; ++n)
            data[i][n] = sample_at(i, time + n);
    }
    pn_history_write(history, in, BLOCK, NULL);
}

static pn_history *make_of(const pn_history_span *span) {
    pn_history *history = NULL;
    pinna_error err = {0};
    assert_ok(pn_history_create(INPUTS, span, BLOCK, &history, &err), &err);
    assert_true(pn_history_size(history) == pn_history_bytes(INPUTS, span, BLOCK));
    return history;
}

static pn_history *make(size_t reach) {
    const pn_history_span one = {reach, 4 * BLOCK}, span[INPUTS] = {one, one, one};
    return make_of(span);
}

/* The last `frames` frames of an input, all of them in one window at a time. */
static void check_input(const pn_history *history, int input, int64_t frames) {
    int64_t end = pn_history_time(history);
    for (int64_t time = end - frames; time + 4 * BLOCK <= end; time += BLOCK) {
        const float *window = pn_history_window(history, input, time + 4 * BLOCK, 4 * BLOCK);
        for (int n = 0; n < 4 * BLOCK; ++n)
            assert_true(window[n] == (time + n < 0 ? 0 : sample_at(input, time + n)));
    }
}

static void check_content(const pn_history *history, int64_t frames) {
    for (int i = 0; i < INPUTS; ++i)
        check_input(history, i, frames);
}

static void a_follower_gets_the_past_and_then_what_comes(void **state) {
    (void)state;
    pn_history *from = make(pn_history_margin(BLOCK) + 6000), *to = make(6000);
    unsigned generation = 77;
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    assert_int_equal(pn_history_time(to), 0);
    for (int k = 0; k < 1000; ++k)
        write_block(from);
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    assert_int_equal(pn_history_time(to), 1000 * BLOCK);
    check_content(to, 5888);
    for (int k = 0; k < 300; ++k) {
        write_block(from);
        assert_true(pn_history_follow(to, from, BLOCK, 1, &generation));
    }
    assert_int_equal(pn_history_time(to), 1300 * BLOCK);
    check_content(to, 5888);
    for (int k = 0; k < 5; ++k)
        write_block(from);
    pn_history_append(to, from, BLOCK);
    assert_int_equal(pn_history_time(to), 1305 * BLOCK);
    check_content(to, 5888);
    pn_history_free(from);
    pn_history_free(to);
}

static void a_follower_that_is_overtaken_or_outlived_says_so(void **state) {
    (void)state;
    pn_history *from = make(pn_history_margin(BLOCK) + 2000), *to = make(1000);
    unsigned generation = 0;
    for (int k = 0; k < 10; ++k)
        write_block(from);
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    for (size_t k = 0; k <= from->ring[0].length / BLOCK; ++k)
        write_block(from);
    assert_false(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    assert_int_equal(pn_history_time(to), 0);
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    check_content(to, 900);
    pn_history_reset(from);
    for (int k = 0; k < 10; ++k)
        write_block(from);
    assert_false(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    pn_history_free(from);
    pn_history_free(to);
}

/* Each input is kept as far back as is asked for it, and no input costs what another one needs. */
static void every_input_has_a_reach_of_its_own(void **state) {
    (void)state;
    const size_t margin = pn_history_margin(BLOCK), window = 4 * BLOCK;
    const pn_history_span span[INPUTS] = {
        {margin + 20000, window}, {margin + 300, window}, {margin + 5000, window}};
    const pn_history_span wanted[INPUTS] = {{20000, window}, {300, window}, {7000, window}};
    pn_history *from = make_of(span), *to = make_of(wanted);
    const double frames = 3 * (double)margin + 25300, room = 3 * (double)(window + 2 * BLOCK);
    assert_true(pn_history_size(from) >= 4 * frames && pn_history_size(from) <= 4 * (frames + room));
    for (int k = 0; k < 3000; ++k)
        write_block(from);
    check_input(from, 0, (int64_t)margin + 20000);
    check_input(from, 1, (int64_t)margin + 300);
    unsigned generation = 0;
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    assert_int_equal(pn_history_time(to), 3000 * BLOCK);
    for (int k = 0; k < 5; ++k)
        write_block(from);
    pn_history_append(to, from, BLOCK);
    check_input(to, 0, 20000);
    check_input(to, 1, 300);
    check_input(to, 2, 5000); /* as far as it was known */
    pn_history_free(to);
    pn_history_span more[INPUTS] = {{20000, window}, {0, 0}, {40000, 2 * window}};
    assert_false(pn_history_holds(from, more));
    pn_history_raise(from, more);
    assert_true(more[0].reach >= margin + 20000 && more[1].window == window && more[2].reach == 40000);
    to = make_of(more);
    pn_history_copy(to, from, BLOCK);
    assert_true(pn_history_holds(to, more));
    check_input(to, 0, (int64_t)margin + 20000);
    check_input(to, 1, (int64_t)margin + 300);
    check_input(to, 2, (int64_t)margin + 5000);
    pn_history_free(from);
    pn_history_free(to);
}

static void an_input_may_be_left_out(void **state) {
    (void)state;
    const pn_history_span span[INPUTS] = {{2000, 4 * BLOCK}, {0, 0}, {1000, 4 * BLOCK}};
    pn_history *from = make(pn_history_margin(BLOCK) + 2000), *to = make_of(span);
    for (int k = 0; k < 700; ++k)
        write_block(from);
    unsigned generation = 0;
    assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    for (int k = 0; k < 20; ++k) {
        write_block(from);
        pn_history_append(to, from, BLOCK);
        write_block(from);
        write_block(to);
    }
    check_input(to, 0, 2000);
    check_input(to, 2, 1000);
    pn_history_free(from);
    pn_history_free(to);
}

typedef struct {
    pn_history *from;
    atomic_bool stop;
} writer;

/* As fast as it can, so that it laps the follower, with a rest now and then. */
static void *write_on(void *argument) {
    writer *w = argument;
    for (int k = 0; !atomic_load(&w->stop); ++k) {
        write_block(w->from);
        if (k % 512 == 0)
            usleep(200);
    }
    return NULL;
}

static void what_a_follower_has_is_right_however_fast_the_writer_is(void **state) {
    (void)state;
    const size_t margin = pn_history_margin(BLOCK);
    const pn_history_span span[INPUTS] = {
        {margin + 2000, 4 * BLOCK}, {margin + 9000, 4 * BLOCK}, {margin + 2500, 4 * BLOCK}};
    writer w = {.from = make_of(span)};
    pn_history *to = make(2000);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    unsigned generation = 0;
    int followed = 0, overtaken = 0;
    int64_t first = 0; /* all from here on was followed */
    for (int k = 0; k < 30000 && (followed < 300 || overtaken < 3); ++k) {
        if (pn_history_follow(to, w.from, BLOCK, 1 + (size_t)k % 64, &generation)) {
            ++followed;
            int64_t time = pn_history_time(to);
            first = first == 0 ? time : first;
            check_content(to, time - first < 1000 ? time - first : 1000);
        } else {
            ++overtaken;
            first = 0;
        }
    }
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    assert_true(followed >= 100);
    pn_history_free(w.from);
    pn_history_free(to);
}

/* At every start a burst of so many blocks, not all at once. */
enum { BURST = 200 };

typedef struct {
    pn_history *from;
    atomic_int left; /* -1: the end */
} burster;

static void *write_bursts(void *argument) {
    burster *b = argument;
    for (int left; (left = atomic_load(&b->left)) >= 0; usleep(0))
        if (left > 0) {
            write_block(b->from);
            atomic_fetch_sub(&b->left, 1);
        }
    return NULL;
}

/* While the past of the input that reaches furthest is copied, what the others' rings still hold moves on: they have theirs
 * all the same, counted from the time to which all was followed. */
static void a_short_past_is_whole_beside_a_long_one(void **state) {
    (void)state;
    const size_t margin = pn_history_margin(BLOCK), window = 4 * BLOCK;
    const pn_history_span span[INPUTS] = {
        {margin + 1000000, window}, {margin + 3000, window}, {margin + 5000, window}};
    const pn_history_span wanted[INPUTS] = {{1000000, window}, {3000, window}, {5000, window}};
    burster b = {.from = make_of(span)};
    for (int k = 0; k < 32000; ++k)
        write_block(b.from);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_bursts, &b), 0);
    for (int k = 0; k < 30; ++k) {
        pn_history *to = make_of(wanted);
        unsigned generation = 0;
        atomic_store(&b.left, BURST);
        if (pn_history_follow(to, b.from, BLOCK, SIZE_MAX, &generation)) {
            check_input(to, 1, 3000);
            check_input(to, 2, 5000);
        }
        while (atomic_load(&b.left) > 0)
            usleep(100);
        pn_history_free(to);
    }
    atomic_store(&b.left, -1);
    pthread_join(thread, NULL);
    pn_history_free(b.from);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follower_gets_the_past_and_then_what_comes),
        cmocka_unit_test(a_follower_that_is_overtaken_or_outlived_says_so),
        cmocka_unit_test(every_input_has_a_reach_of_its_own),
        cmocka_unit_test(an_input_may_be_left_out),
        cmocka_unit_test(what_a_follower_has_is_right_however_fast_the_writer_is),
        cmocka_unit_test(a_short_past_is_whole_beside_a_long_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
