// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Edits of entries while a device convolves: exact, through several engines on it and its loss; and what they do not touch
 * keeps its bits. */
#include "edit_support.h"
#include "opencl_each.h"

enum { CALL = 256, CALLS = 150 };

static edit_run *open_matrix(pn_messages *messages) {
    edit_run *r = open_run(3, 6, (size_t)CALLS * CALL, 5);
    for (int o = 0; o < 6; ++o)
        r->first.ir[r->first.count++] = new_ir(r, o % 3, o, 12000);
    r->first.ir[r->first.count++] = new_ir(r, 1, 0, 9000);
    start(r, CALL, backend, NULL, messages);
    return r;
}

/* Exchanges, additions and removals, faster than they are taken. What fails in the control thread's hands is tried again;
 * the block path notices by itself. */
static void edit_and_run(edit_run *r) {
    pinna_error err = {0};
    for (size_t k = 0; k < CALLS; ++k) {
        pinna_ir irs[3];
        size_t count = k > 10 && k < CALLS - 50 && k % 11 == 3 ? roll_edit(r, irs, 9000) : 0;
        size_t fade = roll(0, 2) * 600;
        if (count > 0 && pn_convolver_request_edit(r->convolver, irs, count, fade, &err) == PINNA_OK)
            note_edit(r, irs, count, fade);
        go_on(r, k * CALL, CALL);
        pn_convolver_update(r->convolver, NULL, &err);
    }
    assert_true(r->count > 5 && r->most_parts > 1);
}

static void edits_on_a_device_are_exact(void **state) {
    (void)state;
    edit_run *r = open_matrix(NULL);
    edit_and_run(r);
    assert_string_equal(pn_convolver_device(r->convolver), backend->name);
    compare(r);
    close_run(r);
}

static void what_is_not_touched_keeps_its_bits(void **state) {
    (void)state;
    edit_run *r = open_matrix(NULL), *still = open_matrix(NULL);
    for (size_t k = 0; k < CALLS; ++k) {
        if (k == 60) {
            pinna_ir ir = new_ir(r, 2, 1, 12000);
            request(r, &ir, 1, 2000);
        }
        go_on(r, k * CALL, CALL);
        go_on(still, k * CALL, CALL);
    }
    assert_int_equal(check_parts(r->convolver), 2);
    for (int o = 0; o < 6; ++o)
        assert_memory_equal(r->s.out[o], still->s.out[o],
                            (o == 1 ? (size_t)60 * CALL : r->s.frames) * sizeof(float));
    compare(r);
    close_run(r);
    close_run(still);
}

/* At a command of the block path, while there are several engines, or of the control thread's: that may go well the next
 * time. */
static void a_device_lost_among_edits_leaves_no_trace(void **state) {
    (void)state;
    int lost = 0;
    for (int k = 0; k < 3; ++k) {
        pn_messages *messages = pn_messages_create(NULL, NULL);
        edit_run *r = open_matrix(messages);
        pn_opencl_fail_at(900 + 400 * k);
        edit_and_run(r);
        pn_opencl_fail_at(0);
        lost += strcmp(pn_convolver_device(r->convolver), "cpu") == 0;
        compare(r);
        close_run(r);
        pn_messages_free(messages);
    }
    assert_true(lost > 0);
}

static int run_all(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_on_a_device_are_exact),
        cmocka_unit_test(what_is_not_touched_keeps_its_bits),
        cmocka_unit_test(a_device_lost_among_edits_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, open_cpu, close_cpu);
}

int main(void) {
    return run_on_each_device(run_all);
}
