// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <string.h>

#include "convolve/convolver_sides.h"

/* How much an edit makes anew: that the sides stay few, that a run of edits costs about log(outputs) times what each
 * touches, and that nothing is forgotten. */

enum { MOST = 2048 };

static bool all_have[MOST];

static pn_sides *make(int outputs) {
    pn_sides *sides = NULL;
    pinna_error err = {0};
    for (int o = 0; o < MOST; ++o)
        all_have[o] = true;
    assert_ok(pn_sides_create(outputs, &sides, &err), &err);
    assert_int_equal(pn_sides_count(sides), 0);
    pn_sides_commit(sides, NULL, all_have, 1000);
    assert_int_equal(pn_sides_count(sides), 1);
    assert_true(pn_sides_bytes(sides) == 1000);
    return sides;
}

/* An edit of `count` outputs from `first` on; returns how many are made anew. */
static int edit(pn_sides *sides, int outputs, int first, int count) {
    bool chosen[MOST] = {false};
    int made = 0;
    for (int k = 0; k < count; ++k)
        chosen[(first + k) % outputs] = true;
    bool all = pn_sides_choose(sides, chosen);
    for (int o = 0; o < outputs; ++o)
        made += chosen[o];
    assert_true(made >= count && (!all || made == outputs));
    for (int k = 0; k < count; ++k)
        assert_true(chosen[(first + k) % outputs]);
    pn_sides_commit(sides, all ? NULL : chosen, all_have, made);
    return made;
}

/* One, one more that takes it in, a third that does not, a fourth that takes in all: a binary counter. */
static void single_edits_count_in_twos(void **state) {
    (void)state;
    pn_sides *sides = make(64);
    const int made[] = {1, 2, 1, 4, 1, 2, 1, 8}, count[] = {2, 2, 3, 2, 3, 3, 4, 2};
    for (int k = 0; k < 8; ++k) {
        assert_int_equal(edit(sides, 64, k, 1), made[k]);
        assert_int_equal(pn_sides_count(sides), count[k]);
    }
    assert_true(pn_sides_bytes(sides) == 1008);
    pn_sides_free(sides);
}

static void the_same_output_again_and_again_is_one_side(void **state) {
    (void)state;
    pn_sides *sides = make(64);
    for (int k = 0; k < 100; ++k) {
        assert_int_equal(edit(sides, 64, 5, 1), 1);
        assert_int_equal(pn_sides_count(sides), 2);
    }
    pn_sides_free(sides);
}

/* Half of them in sides is kept, one more is not; a matrix of one or two outputs has no room for sides. */
static void more_than_half_is_all(void **state) {
    (void)state;
    pn_sides *sides = make(8);
    assert_int_equal(edit(sides, 8, 0, 4), 4);
    assert_int_equal(pn_sides_count(sides), 2);
    assert_int_equal(edit(sides, 8, 4, 1), 8);
    assert_int_equal(pn_sides_count(sides), 1);
    assert_int_equal(edit(sides, 8, 0, 5), 8);
    pn_sides_free(sides);
    sides = make(1);
    assert_int_equal(edit(sides, 1, 0, 1), 1);
    assert_int_equal(pn_sides_count(sides), 1);
    pn_sides_free(sides);
    sides = make(2);
    assert_int_equal(edit(sides, 2, 1, 1), 1);
    assert_int_equal(pn_sides_count(sides), 2);
    assert_int_equal(edit(sides, 2, 0, 1), 2);
    assert_int_equal(pn_sides_count(sides), 1);
    pn_sides_free(sides);
}

/* Outputs that lose their responses are nobody's, those that get some are a side's. */
static void outputs_come_and_go(void **state) {
    (void)state;
    enum { OUTPUTS = 40 };
    bool has[OUTPUTS] = {false}, chosen[OUTPUTS] = {false};
    pn_sides *sides = NULL;
    pinna_error err = {0};
    for (int o = 0; o < 10; ++o)
        has[o] = true;
    assert_ok(pn_sides_create(OUTPUTS, &sides, &err), &err);
    pn_sides_commit(sides, NULL, has, 1000);
    has[3] = false; /* is removed: no side is left behind */
    chosen[3] = true;
    assert_false(pn_sides_choose(sides, chosen));
    pn_sides_commit(sides, chosen, has, 0);
    assert_int_equal(pn_sides_count(sides), 1);
    int alls = 0;
    for (int o = 10; o < OUTPUTS; ++o) { /* 30 join: in the end they are more than the first */
        memset(chosen, 0, sizeof chosen);
        chosen[o] = has[o] = true;
        bool all = pn_sides_choose(sides, chosen);
        if (alls == 0)
            assert_true(all == (o == 19)); /* ten beside nine */
        alls += all;
        assert_false(chosen[3] && !all);
        pn_sides_commit(sides, all ? NULL : chosen, has, 1);
    }
    assert_in_range(alls, 2, 3);
    pn_sides_free(sides);
    /* and most go */
    sides = make(10);
    for (int o = 0; o < 5; ++o) {
        bool gone[10] = {false}, none[10] = {false};
        gone[o] = true;
        assert_false(pn_sides_choose(sides, gone));
        pn_sides_commit(sides, gone, none, 0);
        assert_int_equal(pn_sides_count(sides), 1);
    }
    bool gone[10] = {false};
    gone[5] = true;
    assert_true(pn_sides_choose(sides, gone));
    pn_sides_free(sides);
}

/* For runs of edits of many shapes: their number, and what they cost beside what they touch. */
static void sides_stay_few_and_cheap(void **state) {
    (void)state;
    uint64_t dice = 7;
    for (int outputs = 16; outputs <= MOST; outputs *= 2)
        for (int shape = 0; shape < 5; ++shape) {
            pn_sides *sides = make(outputs);
            double touched = 0, made = 0, log_outputs = log2(outputs);
            int most = 0;
            for (int k = 0; k < 4 * outputs && touched < 8 * outputs; ++k) {
                double t = (test_noise(&dice) + 1) / 2;
                int first = shape == 0 ? k : (int)(t * (outputs - 1)), count = 1;
                if (shape == 2)
                    count = 1 + (int)(pow(outputs / 4.0, (test_noise(&dice) + 1) / 2));
                if (shape == 3) /* ever smaller */
                    count = 1 + outputs / 4 / (1 + k % 16);
                if (shape == 4) /* those of before, in part */
                    first = k / 2;
                touched += count;
                made += edit(sides, outputs, first, count);
                int now = pn_sides_count(sides);
                most = now > most ? now : most;
            }
            assert_true(most <= log_outputs + 2);
            assert_true(made <= touched * (log_outputs + 3));
            pn_sides_free(sides);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_edits_count_in_twos),
        cmocka_unit_test(the_same_output_again_and_again_is_one_side),
        cmocka_unit_test(more_than_half_is_all),
        cmocka_unit_test(outputs_come_and_go),
        cmocka_unit_test(sides_stay_few_and_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
