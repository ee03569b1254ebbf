// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Everything that can fail on a device, made to fail: each command of a job, each buffer and allocation of create, the
 * build. Each must come back as an error that names the device, and leave objects that can be freed or reset. */
#include <stdlib.h>
#include <string.h>

#include "opencl_each.h"

#include "device/opencl_program.h"

enum { BLOCK = 64, TAPS = 200, FAILURES = 100 };

static float taps[TAPS], input[3 * BLOCK];

static pinna_status create_level(pn_level **level, pinna_error *err) {
    test_fill_noise(taps, TAPS, 1, 1);
    test_fill_noise(input, 3 * BLOCK, 2, 1);
    const pn_level_entry entry = {.taps = taps, .length = TAPS};
    const pn_level_desc desc = {.block = BLOCK, .inputs = 1, .outputs = 1, .entry = &entry, .entries = 1};
    return backend->ops->level_create(backend, &desc, level, err);
}

static pinna_status run_block(pn_level *level, float *out, pinna_error *err) {
    const float *history[1] = {input + BLOCK};
    float *outs[1] = {out};
    pinna_status status = backend->ops->level_begin(level, history, err);
    return status == PINNA_OK ? backend->ops->level_finish(level, outs, err) : status;
}

static void names_the_device(const pinna_error *err) {
    assert_non_null(strstr(err->text, backend->name));
    assert_non_null(strstr(err->text, "CL_OUT_OF_RESOURCES"));
}

static void each_command_of_a_level(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_level *level = NULL;
    float expected[BLOCK], out[BLOCK];
    assert_ok(create_level(&level, &err), &err);
    assert_ok(run_block(level, expected, &err), &err);
    int failures = 0;
    for (long k = 1; k < FAILURES; ++k) {
        backend->ops->level_reset(level);
        pn_opencl_fail_at(k);
        pinna_status status = run_block(level, out, &err);
        pn_opencl_fail_at(0);
        if (status == PINNA_OK)
            break;
        ++failures;
        assert_int_equal(status, PINNA_DEVICE);
        names_the_device(&err);
        assert_int_equal(run_block(level, out, &err), PINNA_DEVICE); /* lost until reset */
        backend->ops->level_reset(level);
        assert_ok(run_block(level, out, &err), &err);
        assert_memory_equal(out, expected, sizeof out);
    }
    assert_int_equal(failures, 8); /* write, write, forward, multiply, inverse, read, multiply, wait */
    backend->ops->level_free(level);
}

static const pn_bank_desc bank_desc = {
    .size = 256, .quantum = BLOCK, .sources = 1, .nodes = 1, .taps = TAPS / 2, .responses = taps};

static pinna_status run_quantum(pn_bank *bank, pinna_error *err) {
    float out[2][BLOCK];
    const pn_filter filter = {.weight = {{1}, {1}}};
    const pn_bank_source source = {.in = input, .from = filter, .to = filter};
    pinna_status status = backend->ops->bank_begin(bank, &source, err);
    return status == PINNA_OK ? backend->ops->bank_finish(bank, out[0], out[1], err) : status;
}

static void each_command_of_a_bank(void **state) {
    (void)state;
    pinna_error err = {0};
    int failures = 0;
    for (long k = 1; k < FAILURES; ++k) {
        pn_bank *bank = NULL;
        assert_ok(backend->ops->bank_create(backend, &bank_desc, &bank, &err), &err);
        pn_opencl_fail_at(k);
        pinna_status status = run_quantum(bank, &err);
        pn_opencl_fail_at(0);
        if (status != PINNA_OK) {
            ++failures;
            assert_int_equal(status, PINNA_DEVICE);
            names_the_device(&err);
            assert_int_equal(run_quantum(bank, &err), PINNA_DEVICE);
        }
        backend->ops->bank_free(bank);
        if (status == PINNA_OK)
            break;
    }
    assert_int_equal(failures, 7); /* write, take, forward, mix, inverse, read, wait */
}

/* Calls create with the k-th thing failing until it succeeds; returns how often it failed. */
static int fail_each(void (*fail_at)(long k), pinna_status expected, bool bank_too) {
    int failures = 0;
    for (long k = 1; k < FAILURES; ++k) {
        pinna_error err = {0};
        pn_level *level = NULL;
        pn_bank *bank = NULL;
        fail_at(k);
        pinna_status status = bank_too ? backend->ops->bank_create(backend, &bank_desc, &bank, &err)
                                       : create_level(&level, &err);
        fail_at(0);
        backend->ops->level_free(level);
        backend->ops->bank_free(bank);
        if (status == PINNA_OK)
            return failures;
        ++failures;
        assert_int_equal(status, expected);
        assert_true(err.text[0] != '\0');
        assert_null(level);
        assert_null(bank);
    }
    fail_msg("still failing after %d", FAILURES);
    return 0;
}

static void each_step_of_create(void **state) {
    (void)state;
    for (int bank = 0; bank < 2; ++bank) {
        assert_in_range(fail_each(pn_opencl_fail_buffer_at, PINNA_NO_MEMORY, bank), 8, 20);
        assert_in_range(fail_each(pn_memory_fail_at, PINNA_NO_MEMORY, bank), 3, 25);
        assert_in_range(fail_each(pn_opencl_fail_at, PINNA_DEVICE, bank), 8, 40);
    }
}

/* ------------------------------------------------------------------ opening */

static pinna_status open_again(pinna_error *err) {
    pn_backend *other = NULL;
    memset(err, 0, sizeof *err);
    pinna_status status = pn_opencl_try(&((const pn_opencl *)backend)->info, NULL, NULL, &other, err);
    assert_true((other != NULL) == (status == PINNA_OK));
    pn_backend_close(other);
    return status;
}

static void damage(const char *folder, const char *how) {
    test_run run;
    assert_int_equal(test_shell(&run, "set -e; for f in '%s'/pinna/*.bin; do %s; done", folder, how), 0);
}

static void programs_are_cached(void **state) {
    (void)state;
    pinna_error err = {0};
    const char *folder = test_path("cache");
    char *before = pn_strdup(getenv("XDG_CACHE_HOME") == NULL ? "" : getenv("XDG_CACHE_HOME"));
    setenv("XDG_CACHE_HOME", folder, 1);
    long builds = pn_opencl_source_builds();
    assert_ok(open_again(&err), &err);
    assert_int_equal(pn_opencl_source_builds(), builds + 1);
    assert_ok(open_again(&err), &err);
    assert_int_equal(pn_opencl_source_builds(), builds + 1); /* from the cache */
    static const char *const ways[] = {
        "printf 'XXXXXXXX' | dd of=$f bs=1 seek=3000 conv=notrunc 2>/dev/null", /* in the binary: checksum */
        "truncate -s 2000 $f", "truncate -s 0 $f", "head -c 100000 /dev/urandom > $f"};
    for (int i = 0; i < 4; ++i) {
        damage(folder, ways[i]);
        assert_ok(open_again(&err), &err);
        assert_int_equal(pn_opencl_source_builds(), builds + 2 + i); /* built, and kept anew */
        assert_ok(open_again(&err), &err);
        assert_int_equal(pn_opencl_source_builds(), builds + 2 + i);
    }
    setenv("PINNA_CACHE", "off", 1);
    assert_ok(open_again(&err), &err);
    assert_int_equal(pn_opencl_source_builds(), builds + 6);
    unsetenv("PINNA_CACHE");
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1); /* cannot be written, not even by root */
    assert_ok(open_again(&err), &err);
    setenv("XDG_CACHE_HOME", before, 1);
    pn_free(before);
}

static char told[512];

static void hear(void *user, pinna_message_level level, const char *text) {
    (void)user;
    (void)level;
    snprintf(told, sizeof told, "%s", text);
}

/* Opens the device under its name, and says what its widths are. */
static pn_opencl_tuning widths_of(pn_opencl_widths *widths) {
    pinna_error err = {0};
    pn_backend *other = NULL;
    pn_messages *messages = pn_messages_create(hear, NULL);
    told[0] = '\0';
    assert_ok(pn_backend_opencl_open(backend->name, messages, &other, &err), &err);
    pn_opencl_tuning tuning = ((const pn_opencl *)other)->tuning;
    *widths = ((const pn_opencl *)other)->widths;
    pn_backend_close(other);
    pn_messages_free(messages);
    return tuning;
}

/* Widths that were kept are used for this device, driver and sources only, and only whole. */
static void tuned_widths_are_kept(void **state) {
    (void)state;
    pn_opencl_info info = ((const pn_opencl *)backend)->info;
    const char *folder = test_path("tuned");
    char *before = pn_strdup(getenv("XDG_CACHE_HOME") == NULL ? "" : getenv("XDG_CACHE_HOME"));
    setenv("XDG_CACHE_HOME", folder, 1);
    const pn_opencl_widths usual = pn_opencl_usual_widths(&info);
    pn_opencl_widths odd = usual, got;
    odd.bins = odd.wide = 4;
    odd.tile_log2 = 5;
    assert_int_equal(widths_of(&got), PN_OPENCL_USUAL);
    assert_memory_equal(&got, &usual, sizeof got);
    assert_true(pn_opencl_keep_widths(&info, &odd));
    assert_int_equal(widths_of(&got), PN_OPENCL_TUNED);
    assert_memory_equal(&got, &odd, sizeof got);
    assert_true(told[0] == '\0');

    pn_opencl_info other = info;
    other.driver[0] ^= 1;
    assert_int_equal(pn_opencl_tuned_widths(&other, &got), PN_OPENCL_USUAL); /* of another driver */
    assert_memory_equal(&got, &usual, sizeof got);

    damage(folder,
           "[ $(stat -c %s $f) -gt 2000 ] || printf 'X' | dd of=$f bs=1 seek=$(($(stat -c %s $f) - 2)) "
           "conv=notrunc 2>/dev/null");
    assert_int_equal(widths_of(&got), PN_OPENCL_DAMAGED);
    assert_memory_equal(&got, &usual, sizeof got);
    assert_non_null(strstr(told, "--tune"));
    odd.wide = 3; /* nothing that kernels could be built with */
    assert_true(pn_opencl_keep_widths(&info, &odd));
    assert_int_equal(widths_of(&got), PN_OPENCL_DAMAGED);
    assert_memory_equal(&got, &usual, sizeof got);
    setenv("XDG_CACHE_HOME", before, 1);
    pn_free(before);
}

static void failing_build_shows_its_log(void **state) {
    (void)state;
    pinna_error err = {0};
    setenv("PINNA_CACHE", "off", 1);
    pn_opencl_fail_build_at(1);
    assert_int_equal(open_again(&err), PINNA_DEVICE);
    pn_opencl_fail_build_at(0);
    assert_non_null(strstr(err.text, "the kernels do not build (CL_BUILD_PROGRAM_FAILURE)"));

    test_run run;
    const char *folder = test_path("kernels");
    setenv("PINNA_KERNELS", folder, 1);
    assert_int_equal(open_again(&err), PINNA_NOT_FOUND);
    assert_non_null(strstr(err.text, "PINNA_KERNELS"));
    assert_int_equal(
        test_shell(&run,
                   "cp -r '%s/kernels' '%s' && echo '__kernel void wrong(void) { no_such_word(1); }' >> "
                   "'%s/reduce_shares.cl'",
                   PINNA_SOURCE_DIR, folder, folder),
        0);
    assert_int_equal(open_again(&err), PINNA_DEVICE);
    assert_non_null(strstr(err.text, "no_such_word"));
    unsetenv("PINNA_KERNELS");
    unsetenv("PINNA_CACHE");
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_of_a_level), cmocka_unit_test(each_command_of_a_bank),
        cmocka_unit_test(each_step_of_create),     cmocka_unit_test(programs_are_cached),
        cmocka_unit_test(tuned_widths_are_kept),   cmocka_unit_test(failing_build_shows_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
