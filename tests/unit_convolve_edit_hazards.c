// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "edit_support.h"

#include <limits.h>

/* Edits and what may go wrong: what is asked for, allocations, a device that is lost. */

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

/* What an edit left of the first engine would have a plan of larger blocks than the history was made for, if it were asked
 * for one of its own: a window across the ring's end would be cut short. */
static void what_is_left_on_a_lost_device_fits_the_history(void **state) {
    (void)state;
    enum { CALLS = (1 << 19) / BLOCK + 100, OUTPUTS = 6 };
    pn_messages *messages = pn_messages_create(NULL, NULL);
    edit_run *r = open_run(2, OUTPUTS, (size_t)CALLS * BLOCK, 9);
    for (int o = 0; o < OUTPUTS; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, o % 2 > 0 || o == 0 ? 1500 : 3500);
    start(r, BLOCK, open_failing(), NULL, messages);
    assert_int_equal(r->convolver->history->ring[0].length, 1 << 19);
    failing.fail_at = LONG_MAX;
    for (size_t k = 0; k < CALLS; ++k) {
        pinna_ir ir = k == 20 ? new_ir(r, 0, 0, 100) : r->now.ir[0];
        if (k == 20)
            request(r, &ir, 1, 100);
        if (k == CALLS - 200)
            failing.fail_at = failing.calls + 1;
        go_on(r, k * BLOCK, BLOCK);
    }
    assert_int_equal(r->most_parts, 2);
    assert_string_equal(pn_convolver_device(r->convolver), "cpu");
    compare(r);
    close_run(r);
    pn_messages_free(messages);
}

/* After the loss of a device a request takes the memory of an engine on the CPU, and is checked for that. */
static void a_request_after_a_loss_is_measured_for_the_cpu(void **state) {
    (void)state;
    enum { CALLS = 200 };
    pn_messages *messages = pn_messages_create(NULL, NULL);
    edit_run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 8);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 3000);
    start(r, BLOCK, open_failing(), NULL, messages);
    failing.fail_at = failing.calls + 50;
    for (size_t k = 0; k < CALLS; ++k) {
        if (k == 100) {
            assert_string_equal(pn_convolver_device(r->convolver), "cpu");
            const pinna_ir irs[] = {new_ir(r, 0, 0, 2500), new_ir(r, 1, 1, 2500), new_ir(r, 0, 2, 2500)};
            request(r, irs, 3, 100);
        }
        go_on(r, k * BLOCK, BLOCK);
        pending(r);
    }
    assert_null(r->convolver->parts->next);
    assert_true(pn_sides_bytes(r->convolver->sides) ==
                pn_engine_get_need(r->convolver->parts->engine)->host_bytes);
    compare(r);
    close_run(r);
    pn_messages_free(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_allocation_leaves_all_as_it_was),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_device_lost_around_edits_leaves_no_trace),
        cmocka_unit_test(a_device_lost_while_an_edit_catches_up),
        cmocka_unit_test(what_is_left_on_a_lost_device_fits_the_history),
        cmocka_unit_test(a_request_after_a_loss_is_measured_for_the_cpu),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
