// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu.h"
#include "device/ops.h"

static void print_line(void *user, const char *line) {
    ++*(int *)user;
    print_message("%s\n", line);
}

static void cpu_passes_the_selftest(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_backend *backend = NULL;
    assert_ok(pn_backend_open("cpu", NULL, NULL, &backend, &err), &err);
    int lines = 0;
    assert_ok(pn_backend_selftest(backend, print_line, &lines, &err), &err);
    assert_int_equal(lines, 2);
    pn_backend_close(backend);
    pn_backend_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_passes_the_selftest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
