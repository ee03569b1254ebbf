// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* pinna devices through the program: with the machine's OpenCL, without a loader, with one that dies. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static const cJSON *at(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (item == NULL)
        fail_msg("the JSON lacks %s", key);
    return item;
}

static void every_device_tells_its_self_test(void **state) {
    (void)state;
    test_run run;
    setenv("SDL_AUDIODRIVER", "dummy", 1);
    assert_int_equal(test_program(&run, "devices --json"), 0);
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    assert_true(cJSON_IsTrue(at(at(json, "cpu"), "usable")));
    assert_int_equal(cJSON_GetArraySize(at(at(json, "cpu"), "self_test")),
                     3); /* levels, the bank with and without delay lines */
    const cJSON *device = NULL;
    cJSON_ArrayForEach(device, at(at(json, "opencl"), "devices")) {
        assert_memory_equal(at(device, "name")->valuestring, "opencl:", 7);
        if (cJSON_IsTrue(at(device, "usable")))
            assert_int_equal(cJSON_GetArraySize(at(device, "self_test")), 4); /* the matrix besides */
        else
            assert_true(at(device, "problem")->valuestring[0] != '\0');
    }
    assert_string_equal(at(at(json, "audio"), "driver")->valuestring, "dummy");
    cJSON_Delete(json);

    assert_int_equal(test_program(&run, "devices"), 0);
    assert_non_null(strstr(run.out, "level ok -1"));
    assert_non_null(strstr(run.out, "bank ok -1"));
}

static void no_loader_is_said(void **state) {
    (void)state;
    test_run run;
    setenv("PINNA_OPENCL_LIBRARY", "libno-such-opencl.so.1", 1);
    assert_int_equal(test_program(&run, "devices"), 0);
    assert_non_null(strstr(run.out, "cpu: "));
    assert_non_null(strstr(run.out, "none: no OpenCL loader (libno-such-opencl.so.1) on this machine"));
    unsetenv("PINNA_OPENCL_LIBRARY");
}

/* Minutes of work are not begun where their result cannot be kept. */
static void no_tuning_without_a_cache(void **state) {
    (void)state;
    test_run run;
    setenv("PINNA_CACHE", "off", 1);
    assert_int_equal(test_program(&run, "devices --tune --json"), 0);
    unsetenv("PINNA_CACHE");
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    const cJSON *device = NULL;
    cJSON_ArrayForEach(device, at(at(json, "opencl"), "devices")) {
        if (!cJSON_IsTrue(at(device, "usable")))
            continue;
        assert_non_null(strstr(at(device, "tuning_problem")->valuestring, "PINNA_CACHE is off"));
        assert_int_equal(cJSON_GetArraySize(at(device, "tuning")), 0);
    }
    cJSON_Delete(json);
}

static void dying_platform_is_said(void **state) {
    (void)state;
    test_run run;
    const char *fake = getenv("PINNA_FAKE_OPENCL");
    if (fake == NULL)
        skip();
    setenv("PINNA_OPENCL_LIBRARY", fake, 1);
    setenv("FAKE_OPENCL", "look abort", 1);
    assert_int_equal(test_program(&run, "devices"), 0);
    assert_non_null(strstr(run.out, "opencl:1: Fake"));
    assert_non_null(strstr(run.out, "its driver ends the program that looks at it"));
    assert_non_null(strstr(run.out, "opencl:2.0: Fake"));
    unsetenv("PINNA_OPENCL_LIBRARY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_device_tells_its_self_test),
        cmocka_unit_test(no_loader_is_said),
        cmocka_unit_test(no_tuning_without_a_cache),
        cmocka_unit_test(dying_platform_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
