// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Libraries that are loaded when needed: found, named by the environment, absent, lacking a function, already in the
 * process, asked for by several threads at once. The library is the tests' OpenCL loader. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"

static const char variable[] = "PINNA_TEST_LIBRARY", missing[] = "libno-such-library.so.0";
static const char *const loader[] = {"clGetPlatformIDs", "clGetDeviceIDs"};
static const char *const half_a_loader[] = {"clGetPlatformIDs", "clNoSuchFunction", "clNorThis"};
static const char *const here[] = {"strlen", "strchr"};

typedef struct {
    void *function[3];
} table;

static const char *fake(void) {
    const char *path = getenv("PINNA_FAKE_OPENCL");
    if (path == NULL)
        skip();
    return path;
}

static pn_library library_of(const char *usual, const char *const *name, int count, table *t) {
    *t = (table){0};
    return (pn_library){.variable = variable,
                        .usual = usual,
                        .name = name,
                        .count = count,
                        .table = t,
                        .mutex = PTHREAD_MUTEX_INITIALIZER};
}

static void is_empty(const table *t) {
    for (int i = 0; i < 3; ++i)
        assert_null(t->function[i]);
}

static void fills_its_table_once(void **state) {
    (void)state;
    const char *name = NULL, *lacks = NULL;
    table t;
    pn_library library = library_of(fake(), loader, 2, &t);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    assert_non_null(t.function[0]);
    assert_non_null(t.function[1]);
    assert_ptr_not_equal(t.function[0], t.function[1]);
    assert_null(t.function[2]); /* no more than count */
    const table first = t;
    setenv(variable, missing, 1); /* what is loaded stays */
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    assert_memory_equal(&t, &first, sizeof t);
    unsetenv(variable);
}

/* The table stays as it was, and a later call may find what this one did not. */
static void says_what_is_absent(void **state) {
    (void)state;
    const char *name = NULL, *lacks = NULL;
    table t;
    pn_library library = library_of(missing, loader, 2, &t);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_ABSENT);
    assert_string_equal(name, missing);
    is_empty(&t);
    library.elsewhere = fake();
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    assert_non_null(t.function[1]);
}

static void says_what_it_lacks(void **state) {
    (void)state;
    const char *name = NULL, *lacks = NULL;
    table t;
    pn_library library = library_of(fake(), half_a_loader, 3, &t);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LACKS);
    assert_string_equal(name, fake());
    assert_string_equal(lacks, "clNoSuchFunction");
    is_empty(&t);
}

/* A name in the environment is taken in place of all others; an empty one is none. */
static void environment_comes_first(void **state) {
    (void)state;
    const char *name = NULL, *lacks = NULL;
    table t;
    pn_library library = library_of(fake(), here, 2, &t);
    library.present = true;
    library.elsewhere = fake();
    setenv(variable, missing, 1);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_ABSENT);
    assert_string_equal(name, missing);
    is_empty(&t);

    setenv(variable, "", 1);
    library = library_of(missing, loader, 2, &t);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_ABSENT);
    assert_string_equal(name, missing);
    setenv(variable, fake(), 1);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    assert_non_null(t.function[0]);
    unsetenv(variable);
}

static void takes_what_is_in_the_process(void **state) {
    (void)state;
    const char *name = NULL, *lacks = NULL;
    table t;
    pn_library library = library_of(missing, here, 2, &t);
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_ABSENT); /* not unless asked for */
    library.present = true;
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    size_t (*length)(const char *) = NULL;
    memcpy(&length, &t.function[0], sizeof length);
    assert_int_equal(length("four"), 4);

    library = library_of(fake(), loader, 2, &t); /* not in the process: the library as usual */
    library.present = true;
    assert_int_equal(pn_library_load(&library, &name, &lacks), PN_LIBRARY_LOADED);
    assert_non_null(t.function[0]);
}

enum { THREADS = 4 };

typedef struct {
    pn_library *library;
    table *t, seen;
    pn_library_answer answer;
} asker;

static void *ask(void *data) {
    asker *a = data;
    const char *name = NULL, *lacks = NULL;
    a->answer = pn_library_load(a->library, &name, &lacks);
    a->seen = *a->t;
    return NULL;
}

static void threads_see_it_whole(void **state) {
    (void)state;
    table t;
    pn_library library = library_of(fake(), loader, 2, &t);
    pthread_t thread[THREADS];
    asker asked[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        asked[i] = (asker){.library = &library, .t = &t};
        assert_int_equal(pthread_create(&thread[i], NULL, ask, &asked[i]), 0);
    }
    for (int i = 0; i < THREADS; ++i)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; ++i) {
        assert_int_equal(asked[i].answer, PN_LIBRARY_LOADED);
        assert_memory_equal(&asked[i].seen, &t, sizeof t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_its_table_once),         cmocka_unit_test(says_what_is_absent),
        cmocka_unit_test(says_what_it_lacks),           cmocka_unit_test(environment_comes_first),
        cmocka_unit_test(takes_what_is_in_the_process), cmocka_unit_test(threads_see_it_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
