// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The first look at OpenCL: loaders that are missing, broken, or die, and platforms that do. None of them is ever loaded
 * into this process, so each test can look anew. */
#include <stdlib.h>
#include <string.h>

#include "support.h"

#include "base/memory.h"
#include "device/backend.h"
#include "device/opencl_probe.h"

static pinna_status look(const char *library, const char *how, pn_opencl_info **list, int *count,
                         pinna_error *err) {
    setenv("PINNA_OPENCL_LIBRARY", library, 1);
    setenv("FAKE_OPENCL", how, 1);
    memset(err, 0, sizeof *err);
    pn_opencl_probe_again(0.5);
    return pn_opencl_list(list, count, err);
}

static const char *fake(void) {
    const char *path = getenv("PINNA_FAKE_OPENCL");
    if (path == NULL)
        skip();
    return path;
}

static void no_loader(void **state) {
    (void)state;
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err;
    assert_int_equal(look("libno-such-opencl.so.1", "", &list, &count, &err), PINNA_UNSUPPORTED);
    assert_null(list);
    assert_non_null(strstr(err.text, "no OpenCL loader (libno-such-opencl.so.1)"));
    assert_non_null(strstr(err.text, "ocl-icd-libopencl1"));
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_open("opencl", NULL, NULL, &backend, &err), PINNA_DEVICE);
    assert_null(backend);
    assert_int_equal(pn_backend_open("opencl:0.0", NULL, NULL, &backend, &err), PINNA_DEVICE);
    assert_ok(pn_backend_open("auto", NULL, NULL, &backend, &err), &err);
    assert_string_equal(backend->name, "cpu");
    pn_backend_close(backend);
}

static void library_that_is_no_loader(void **state) {
    (void)state;
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err;
    assert_int_equal(look("libm.so.6", "", &list, &count, &err), PINNA_UNSUPPORTED);
    assert_non_null(strstr(err.text, "libm.so.6 lacks clGetPlatformIDs"));
}

static void loader_that_dies(void **state) {
    (void)state;
    static const struct {
        const char *how, *said;
    } cases[] = {{"load abort", "ends the program"}, {"load hang", "does not answer within 0.5 s"}};
    for (int i = 0; i < 2; ++i) {
        pn_opencl_info *list = NULL;
        int count = 0;
        pinna_error err;
        assert_int_equal(look(fake(), cases[i].how, &list, &count, &err), PINNA_DEVICE);
        assert_non_null(strstr(err.text, cases[i].said));
    }
}

/* The platforms before and behind the bad one are still seen, and why that one is not used. */
static void platform_that_dies(void **state) {
    (void)state;
    static const struct {
        const char *how, *said;
    } cases[] = {{"look abort", "ends the program"}, {"look hang", "does not answer within 0.5 s"}};
    for (int i = 0; i < 2; ++i) {
        pn_opencl_info *list = NULL;
        int count = 0;
        pinna_error err;
        assert_int_equal(look(fake(), cases[i].how, &list, &count, &err), PINNA_OK);
        assert_int_equal(count, 3);
        for (int p = 0; p < 3; ++p) {
            assert_int_equal(list[p].platform, p);
            assert_int_equal(list[p].device, p == 1 ? -1 : 0);
            assert_string_equal(list[p].platform_name, "Fake");
            assert_true(list[p].problem[0] != '\0');
        }
        assert_non_null(strstr(list[1].problem, cases[i].said));
        pn_free(list);
        pn_backend *backend = NULL;
        assert_int_equal(pn_backend_open("opencl:1.0", NULL, NULL, &backend, &err), PINNA_DEVICE);
        assert_non_null(strstr(err.text, cases[i].said));
    }
}

/* Said where OpenCL was asked for, by kind or by number; `auto` just takes what there is. */
static void platform_without_device(void **state) {
    (void)state;
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err;
    assert_int_equal(look(fake(), "empty", &list, &count, &err), PINNA_OK);
    assert_int_equal(count, 3);
    assert_true(list[1].platform == 1 && list[1].device == -1 && list[1].empty);
    assert_true(!list[0].empty && !list[2].empty && list[2].device == 0);
    pn_free(list);
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_open("opencl:1.0", NULL, NULL, &backend, &err), PINNA_DEVICE);
    assert_non_null(strstr(err.text, "shows no device"));
    assert_int_equal(look(fake(), "empty all", &list, &count, &err), PINNA_OK);
    pn_free(list);
    assert_int_equal(pn_backend_open("opencl", NULL, NULL, &backend, &err), PINNA_DEVICE);
    assert_non_null(strstr(err.text, "platform 0 (Fake): shows no device"));
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_ok(pn_backend_open("auto", NULL, messages, &backend, &err), &err);
    pn_backend_close(backend);
    assert_int_equal(test_told(messages, "shows no device"), 0);
    pn_messages_free(messages);
}

static void unusable_devices_are_refused(void **state) {
    (void)state;
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_int_equal(look(fake(), "", &list, &count, &err), PINNA_OK);
    assert_int_equal(count, 3);
    pn_free(list);
    pn_backend *backend = NULL;
    assert_int_equal(pn_backend_open("opencl:2.0", NULL, messages, &backend, &err), PINNA_DEVICE);
    assert_non_null(strstr(err.text, "opencl:2.0 (Fake): the driver says it is not available"));
    assert_int_equal(pn_backend_open("opencl:7.0", NULL, messages, &backend, &err), PINNA_NOT_FOUND);
    assert_non_null(strstr(err.text, "0.0 (Fake)"));
    assert_int_equal(pn_backend_open("opencl:1", NULL, messages, &backend, &err), PINNA_BAD_ARGUMENT);
    assert_null(backend);
    pn_messages_free(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_loader),
        cmocka_unit_test(library_that_is_no_loader),
        cmocka_unit_test(loader_that_dies),
        cmocka_unit_test(platform_that_dies),
        cmocka_unit_test(platform_without_device),
        cmocka_unit_test(unusable_devices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
