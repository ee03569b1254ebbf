// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "edit_support.h"

/* Edits of some entries of a running matrix: at every phase, and in runs of many, which leave several engines and take
 * them in again; at the edges of what there is. */

/* ------------------------------------------------------------------ phases */

/* As for swaps: a period of at most 32 calls, every edit one phase later than the last. */
static void an_edit_at_every_phase_of_every_level_is_exact(void **state) {
    (void)state;
    enum { PERIOD = 32, STEP = PERIOD + 1, EDITS = PERIOD, CALLS = STEP * (EDITS + 1) };
    edit_run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 5);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 20000);
    start(r, BLOCK, cpu, NULL, NULL);
    const pn_plan *plan = pn_convolver_plan(r->convolver);
    assert_true(plan->levels >= 2 && PERIOD * BLOCK % plan->level[plan->levels - 1].block == 0);
    for (int k = 0; k < CALLS; ++k) {
        if (k % STEP == STEP - 1 && r->count < EDITS) {
            int e = r->count;
            assert_int_equal(pending(r), 0);
            pinna_ir ir = new_ir(r, e % 2, (e * 5 / 2) % 4, e % 3 == 0 ? 9000 : 20000);
            request(r, &ir, 1, e % 5 == 4 ? 0 : (size_t)(e * 25));
        }
        go_on(r, (size_t)k * BLOCK, BLOCK);
    }
    assert_int_equal(r->count, EDITS);
    assert_in_range(r->most_parts, 2, 3);
    compare(r);
    close_run(r);
}

/* ------------------------------------------------------------------ runs of edits */

static void any_run_of_edits_is_exact(void **state) {
    (void)state;
    for (uint64_t seed = 11; seed < 13; ++seed)
        random_case(seed, 900, false, 0, NULL);
}

static void any_run_of_edits_is_exact_in_calls_of_any_size(void **state) {
    (void)state;
    random_case(21, 900, true, 0, NULL);
}

static void any_run_of_edits_is_exact_while_the_history_grows(void **state) {
    (void)state;
    random_case(31, 900, false, 3, NULL);
}

/* ------------------------------------------------------------------ edges */

static void an_output_without_its_last_entry_is_silent(void **state) {
    (void)state;
    edit_run *r = open_run(2, 3, 300 * BLOCK, 3);
    for (int o = 0; o < 3; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 3000);
    start(r, BLOCK, cpu, NULL, NULL);
    for (size_t k = 0; k < 300; ++k) {
        const pinna_ir gone = {.input = 1, .output = 1};
        if (k == 50)
            request(r, &gone, 1, 200);
        if (k == 150) { /* and comes back from another input */
            assert_int_equal(check_parts(r->convolver), 1);
            assert_null(r->convolver->owner[1]);
            for (size_t n = 60 * BLOCK; n < 150 * BLOCK; ++n)
                assert_true(r->s.out[1][n] == 0);
            pinna_ir ir = new_ir(r, 0, 1, 5000);
            request(r, &ir, 1, 0);
        }
        go_on(r, k * BLOCK, BLOCK);
        pending(r);
    }
    assert_int_equal(check_parts(r->convolver), 2);
    compare(r);
    close_run(r);
}

/* A reset while an edit fades, and after it: all is as newly created with the entries edited. */
static void a_reset_ends_an_edit(void **state) {
    (void)state;
    edit_run *r = open_run(2, 4, 200 * BLOCK, 4);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 4000);
    start(r, BLOCK, cpu, NULL, NULL);
    for (int round = 0; round < 3; ++round) {
        pinna_ir ir = new_ir(r, 1, round, 20000 + (size_t)round * 80000); /* longer histories, too */
        request(r, &ir, 1, 5000);
        call(r->convolver, &r->s, 0, (size_t)(2 + round) * BLOCK);
        assert_true(pn_convolver_fading(r->convolver));
        pn_convolver_reset(r->convolver);
        assert_false(pn_convolver_fading(r->convolver));
        assert_int_equal(pending(r), 0);
        check_parts(r->convolver);
        call(r->convolver, &r->s, 0, r->s.frames);
        convolve_exactly(&r->s, &r->now, r->s.expected);
        assert_stream(&r->s, r->s.frames, BOUND_DB);
        pn_convolver_reset(r->convolver);
    }
    close_run(r);
}

/* One that needs more of the past: with the new history comes the old one's end only when no job of the engines that stay
 * reads it any more. */
static void a_longer_response_beside_others_hears_the_past(void **state) {
    (void)state;
    enum { CALL = 256, CALLS = 700, AT = 320 };
    edit_run *r = open_run(2, 2, (size_t)CALLS * CALL, 6);
    r->first.ir[r->first.count++] = new_ir(r, 0, 0, 60000);
    r->first.ir[r->first.count++] = new_ir(r, 1, 1, 60000);
    start(r, CALL, cpu, NULL, NULL);
    int64_t period = pn_engine_period(r->convolver->parts->engine), waited = 0;
    assert_true(period > 2 * CALL);
    size_t length = r->convolver->history->ring[0].length;
    for (size_t k = 0; k < CALLS; ++k) {
        if (k == AT + 1) { /* a call after a job began */
            pinna_ir ir = new_ir(r, 0, 1, 640000);
            request(r, &ir, 1, 100);
        }
        go_on(r, k * CALL, CALL);
        waited += pending(r) > 0 ? CALL : 0;
    }
    assert_true(r->convolver->history->ring[0].length > length);
    assert_true(waited >= period - CALL && waited <= period);
    compare(r);
    close_run(r);
}

/* Blocks that came in during the hand-over: white-box, since only a race makes them. */
static void lag_case(int lag) {
    enum { CALLS = 400 };
    edit_run *r = open_run(2, 4, (size_t)CALLS * BLOCK, 7);
    for (int o = 0; o < 4; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 2, o, 9000);
    start(r, BLOCK, cpu, NULL, NULL);
    size_t phase = 100 + (size_t)lag * 5;
    call(r->convolver, &r->s, 0, phase * BLOCK);
    pinna_ir ir = new_ir(r, 1, 2, 8000);
    request(r, &ir, 1, 300);
    pn_exchange *offer = atomic_exchange(&r->convolver->offer, NULL);
    assert_non_null(offer);
    call(r->convolver, &r->s, phase * BLOCK, (size_t)lag * BLOCK);
    atomic_store(&r->convolver->offer, offer);
    for (size_t k = phase + (size_t)lag; k < CALLS; ++k) {
        go_on(r, k * BLOCK, BLOCK);
        if (k < phase + 60)
            pending(r);
    }
    assert_int_equal(r->begun, 1);
    compare(r);
    close_run(r);
}

static void blocks_missed_in_the_hand_over_are_made_up_for(void **state) {
    (void)state;
    for (int lag = 0; lag <= 20; lag += lag < 4 ? 1 : 4)
        lag_case(lag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_without_its_last_entry_is_silent),
        cmocka_unit_test(a_reset_ends_an_edit),
        cmocka_unit_test(a_longer_response_beside_others_hears_the_past),
        cmocka_unit_test(blocks_missed_in_the_hand_over_are_made_up_for),
        cmocka_unit_test(an_edit_at_every_phase_of_every_level_is_exact),
        cmocka_unit_test(any_run_of_edits_is_exact),
        cmocka_unit_test(any_run_of_edits_is_exact_in_calls_of_any_size),
        cmocka_unit_test(any_run_of_edits_is_exact_while_the_history_grows),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}
