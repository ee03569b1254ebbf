// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What `auto` remembers from one process to the next. The loader is told to die when it is looked at after the first time,
 * which is then seen exactly where it is looked at again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "base/memory.h"
#include "device/backend.h"
#include "device/opencl_probe.h"

static char said[4096];

/* As a new process would open the device: what it says. */
static const char *by_auto(const char *how) {
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_backend *backend = NULL;
    pinna_error err = {0};
    setenv("FAKE_OPENCL", how, 1);
    pn_opencl_probe_again(0);
    assert_ok(pn_backend_open("auto", NULL, messages, &backend, &err), &err);
    assert_string_equal(backend->name, "cpu");
    pn_backend_close(backend);
    said[0] = '\0';
    for (size_t i = 0; i < pn_messages_count(messages); ++i) {
        pinna_message_level level;
        size_t used = strlen(said);
        snprintf(said + used, sizeof said - used, "%s\n", pn_messages_get(messages, i, &level));
    }
    pn_messages_free(messages);
    return said;
}

static void assert_remembered(void) {
    const char *date =
        strstr(by_auto("load abort"), "no OpenCL GPU or accelerator on this machine (as seen on 2");
    assert_non_null(date);
    assert_non_null(strstr(date, "; `pinna devices` looks again)"));
    assert_null(strstr(said, "ends the program"));
}

static void assert_looks(void) {
    assert_non_null(strstr(by_auto("load abort"), "ends the program"));
    assert_null(strstr(said, "as seen on"));
}

static void assert_looks_and_sees_none(void) {
    assert_non_null(strstr(by_auto("empty all"), "no OpenCL GPU or accelerator on this machine"));
    assert_null(strstr(said, "as seen on"));
}

/* Each test has a cache, a folder of drivers and a driver of its own. */
static int make_machine(void **state) {
    static char names[8][32];
    static int number;
    (void)state;
    const char *fake = getenv("PINNA_FAKE_OPENCL");
    if (fake == NULL)
        return 0;
    char *name = names[number];
    snprintf(name, sizeof names[0], "machine%d", number++);
    assert_int_equal(mkdir(test_path(name), 0700), 0);
    assert_int_equal(chdir(test_path(name)), 0);
    static const char *const folders[] = {"vendors", "drivers", "loader"};
    for (int i = 0; i < 3; ++i)
        assert_int_equal(mkdir(folders[i], 0700), 0);
    assert_int_equal(symlink(fake, "loader/libOpenCL.so"), 0);
    char folder[1024], text[1200];
    assert_non_null(getcwd(folder, sizeof folder));
    setenv("XDG_CACHE_HOME", folder, 1);
    snprintf(text, sizeof text, "%s/vendors", folder);
    setenv("OCL_ICD_VENDORS", text, 1);
    snprintf(text, sizeof text, "%s/loader/libOpenCL.so", folder);
    setenv("PINNA_OPENCL_LIBRARY", text, 1);
    unsetenv("PINNA_CACHE");
    FILE *icd = fopen("vendors/one.icd", "w"), *driver = fopen("drivers/one.so", "w");
    assert_true(icd != NULL && driver != NULL);
    fprintf(icd, "%s/drivers/one.so\n", folder);
    fputs("a driver", driver);
    fclose(icd);
    fclose(driver);
    return 0;
}

static void need_fake(void) {
    if (getenv("PINNA_FAKE_OPENCL") == NULL)
        skip();
}

static void none_is_remembered(void **state) {
    (void)state;
    need_fake();
    assert_looks_and_sees_none();
    assert_remembered();
    assert_remembered();
    setenv("PINNA_CACHE", "off", 1);
    assert_looks();
}

static void set_time(const char *path, long seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void add_text(const char *path) {
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("\n", file);
    fclose(file);
}

static void other_driver_time(void) {
    set_time("drivers/one.so", 1000000000);
}
static void other_driver_size(void) {
    struct stat before;
    assert_int_equal(stat("drivers/one.so", &before), 0);
    add_text("drivers/one.so");
    set_time("drivers/one.so", (long)before.st_mtim.tv_sec);
}
static void more_drivers(void) {
    add_text("vendors/two.icd");
}
static void other_icd(void) {
    add_text("vendors/one.icd");
}
static void no_driver(void) {
    assert_int_equal(unlink("drivers/one.so"), 0);
}
static void plug_in(void) {
    assert_int_equal(mkdir("drivers/pocl", 0700), 0);
}
static void other_setting(void) {
    setenv("POCL_DEVICES", "cuda", 1);
}
static void hidden_cards(void) {
    setenv("CUDA_VISIBLE_DEVICES", "", 1);
}
static void other_loader(void) {
    assert_int_equal(symlink("libOpenCL.so", "loader/other.so"), 0);
    setenv("PINNA_OPENCL_LIBRARY", "./loader/other.so", 1);
}

/* Whatever the answer depends on makes it looked for again; and what was seen then is remembered in turn. */
static void changes_are_noticed(void **state) {
    (void)state;
    need_fake();
    void (*const changes[])(void) = {other_driver_time, other_driver_size, more_drivers, other_icd,   plug_in,
                                     no_driver,         other_setting,     hidden_cards, other_loader};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; ++i) {
        assert_looks_and_sees_none();
        assert_remembered();
        changes[i]();
        assert_looks();
    }
    assert_looks_and_sees_none();
    unsetenv("POCL_DEVICES");
    unsetenv("CUDA_VISIBLE_DEVICES");
}

/* Neither what auto would try nor what it would warn of. */
static void other_answers_are_not_remembered(void **state) {
    (void)state;
    need_fake();
    assert_non_null(strstr(by_auto("gpu"), "opencl:0.0 (Fake)"));
    assert_looks();
    assert_non_null(strstr(by_auto("look abort"), "its driver ends the program"));
    assert_looks();
}

/* As `pinna devices` does: it sees what there is, and what was remembered otherwise is over. */
static void a_look_refreshes(void **state) {
    (void)state;
    need_fake();
    assert_looks_and_sees_none();
    assert_remembered();
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err = {0};
    setenv("FAKE_OPENCL", "gpu", 1);
    pn_opencl_probe_again(0);
    assert_ok(pn_opencl_list(&list, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_int_equal(list[0].type, PN_OPENCL_GPU);
    pn_free(list);
    assert_looks();
    setenv("FAKE_OPENCL", "empty all", 1);
    pn_opencl_probe_again(0);
    assert_ok(pn_opencl_list(&list, &count, &err), &err);
    pn_free(list);
    assert_remembered();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(none_is_remembered, make_machine),
        cmocka_unit_test_setup(changes_are_noticed, make_machine),
        cmocka_unit_test_setup(other_answers_are_not_remembered, make_machine),
        cmocka_unit_test_setup(a_look_refreshes, make_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
