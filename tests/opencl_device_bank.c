// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank on every device against its definition in float64 (ops.h): what the CPU's bank is tested by, with the
 * kernels for graphics cards and with those for processors, whatever the device is. */
#include "opencl_each.h"

#include "bank_support.h"

enum { EVERYTHING = 31 };
static const double BOUND_DB = -115;

static void check(test_bank_shape shape, int fed) {
    double db = test_bank_run(shape, backend, fed, true, NULL);
    print_message("N %d, q %d, features %u: %.1f dB\n", shape.size, shape.quantum, shape.features, db);
    assert_below(db, BOUND_DB);
}

static void every_feature_matches_the_definition(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 5; ++bit)
        check((test_bank_shape){256, 64, 17, 60, 50, 16, 1u << bit}, 0);
    check((test_bank_shape){256, 32, 19, 60, 80, 24, EVERYTHING}, 0);
}

static void every_size_matches_the_definition(void **state) {
    (void)state;
    check((test_bank_shape){64, 32, 1, 1, 0, 10, 0}, 0);
    check((test_bank_shape){64, 32, 17, 10, 10, 20, EVERYTHING}, 0);
    check((test_bank_shape){256, 64, 8, 193, 0, 8, 0},
          0); /* responses that reach into the imaginary half, no delay */
    check((test_bank_shape){256, 128, 60, 100, 29, 4, 0}, 0); /* more than a chunk of sources */
    check((test_bank_shape){1024, 256, 3, 70, 100, 4, EVERYTHING}, 0);
    check((test_bank_shape){8192, 256, 1, 2000, 40, 1, 0}, 0); /* beyond the local memory */
}

static void a_fed_bank_goes_on(void **state) {
    (void)state;
    check((test_bank_shape){128, 32, 17, 40, 30, 16, EVERYTHING}, 11);
}

static void check_kind(pn_backend *on) {
    assert_below(test_bank_run((test_bank_shape){128, 64, 17, 30, 20, 12, EVERYTHING}, on, 0, true, NULL),
                 BOUND_DB);
}

static void both_kinds_of_kernels_match(void **state) {
    (void)state;
    run_with_each_kind(check_kind);
}

/* Silence is exact before the first sound and once the last has left the longest delay and the filter, and a job is
 * finished only once. */
static void silence_is_exact(void **state) {
    (void)state;
    enum { QUANTUM = 64, LONGEST = 200 };
    static const float response[2] = {1, 1};
    const pn_bank_desc desc = {.size = 128,
                               .quantum = QUANTUM,
                               .sources = 1,
                               .nodes = 1,
                               .taps = 1,
                               .responses = response,
                               .propagation = LONGEST};
    const pn_filter filter = {.weight = {{1}, {1}}};
    pinna_error err = {0};
    pn_bank *bank = NULL;
    float in[QUANTUM], left[QUANTUM], right[QUANTUM];
    test_fill_noise(in, QUANTUM, 5, 1);
    assert_ok(backend->ops->bank_create(backend, &desc, &bank, &err), &err);
    assert_int_not_equal(backend->ops->bank_finish(bank, left, right, &err), PINNA_OK); /* nothing begun */
    for (int q = 0; q < 60; ++q) {
        pn_bank_source source = {
            .in = q == 10 || q == 45 ? in : NULL, .from = filter, .to = filter, .propagation = {150, {0}}};
        assert_ok(backend->ops->bank_begin(bank, &source, &err), &err);
        assert_ok(backend->ops->bank_finish(bank, left, right, &err), &err);
        for (int n = 0; n < QUANTUM; ++n) {
            int age = (q < 45 ? q - 10 : q - 45) * QUANTUM + n - 150;
            double expected = q >= 10 && age >= 0 && age < QUANTUM ? (double)in[age] : 0;
            assert_true(fabs((double)left[n] - expected) < 1e-5);
            if (q < 10 || (q > 16 && q < 45))
                assert_true(left[n] == 0 && right[n] == 0);
        }
    }
    backend->ops->bank_free(bank);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_feature_matches_the_definition),
        cmocka_unit_test(every_size_matches_the_definition), cmocka_unit_test(a_fed_bank_goes_on),
        cmocka_unit_test(both_kinds_of_kernels_match), cmocka_unit_test(silence_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
