// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/memory.h"
#include "convolve/history.h"

/* The ring that one thread writes and another follows. Every sample tells its time and input, so that one that was
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
    pn_history_write(history, in, BLOCK);
}

static pn_history *make(size_t reach) {
    pn_history *history = NULL;
    pinna_error err = {0};
    assert_ok(pn_history_create(INPUTS, reach, 4 * BLOCK, BLOCK, &history, &err), &err);
    return history;
}

/* The last `frames` frames of `history`, all of them in one window at a time. */
static void check_content(const pn_history *history, int64_t frames) {
    int64_t end = pn_history_time(history);
    for (int64_t time = end - frames; time + 4 * BLOCK <= end; time += BLOCK) {
        for (int i = 0; i < INPUTS; ++i) {
            const float *window = pn_history_window(history, i, time + 4 * BLOCK, 4 * BLOCK);
            for (int n = 0; n < 4 * BLOCK; ++n)
                assert_true(window[n] == sample_at(i, time + n));
        }
    }
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
    for (size_t k = 0; k <= from->length / BLOCK; ++k)
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

static void a_follower_may_keep_some_inputs_only(void **state) {
    (void)state;
    pn_history *from = make(pn_history_margin(BLOCK) + 6000), *to = NULL, *whole = make(3000);
    const bool kept[INPUTS] = {false, true, true};
    pinna_error err = {0};
    assert_ok(pn_history_create_some(INPUTS, kept, 3000, 4 * BLOCK, BLOCK, &to, &err), &err);
    assert_true(pn_history_size(to) == pn_history_bytes(2, 3000, 4 * BLOCK, BLOCK));
    assert_true(pn_history_size(to) * 3 == pn_history_size(whole) * 2);
    unsigned generation = 0;
    for (int round = 0; round < 40; ++round) {
        for (int k = 0; k < 30; ++k)
            write_block(from);
        assert_true(pn_history_follow(to, from, BLOCK, SIZE_MAX, &generation));
    }
    int64_t end = pn_history_time(to);
    assert_int_equal(end, 1200 * BLOCK);
    for (int64_t time = end; time + 2500 > end; time -= BLOCK)
        for (int i = 1; i < INPUTS; ++i) {
            const float *window = pn_history_window(to, i, time, 4 * BLOCK);
            for (int n = 0; n < 4 * BLOCK; ++n)
                assert_true(window[n] == sample_at(i, time - 4 * BLOCK + n));
        }
    pn_history_reset(to);
    for (int i = 1; i < INPUTS; ++i)
        assert_true(pn_history_window(to, i, 4 * BLOCK, 4 * BLOCK)[0] == 0);
    pn_history_free(from);
    pn_history_free(whole);
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
    writer w = {.from = make(pn_history_margin(BLOCK) + 2000)};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follower_gets_the_past_and_then_what_comes),
        cmocka_unit_test(a_follower_that_is_overtaken_or_outlived_says_so),
        cmocka_unit_test(a_follower_may_keep_some_inputs_only),
        cmocka_unit_test(what_a_follower_has_is_right_however_fast_the_writer_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
