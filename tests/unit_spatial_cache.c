// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spatial/hrtf.h"
#include "spatial/sofa.h"

/* Sets from the cache are those that were made, bit for bit, with what was said of them. */

static const pn_hrtf_options coarse = {.grid = 60, .equalise_given = true, .equalise_low = true};

static pn_hrtf *load(const char *file, double rate, pn_messages *messages) {
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_hrtf_load(file, rate, &coarse, messages, &hrtf, &err), &err);
    return hrtf;
}

static void assert_same(const pn_hrtf *a, const pn_hrtf *b) {
    const pn_hrtf_info *i = pn_hrtf_get_info(a), *j = pn_hrtf_get_info(b);
    assert_int_equal(i->directions, j->directions);
    assert_int_equal(i->taps, j->taps);
    assert_int_equal(i->latency, j->latency);
    assert_int_equal(i->length, j->length);
    assert_true(i->scale == j->scale && i->sections == j->sections);
    assert_memory_equal(i->section, j->section, sizeof i->section);
    assert_string_equal(i->name, j->name);
    assert_string_equal(i->licence, j->licence);
    size_t nodes = (size_t)i->directions;
    assert_memory_equal(pn_hrtf_responses(a), pn_hrtf_responses(b),
                        2 * nodes * (size_t)i->taps * sizeof(float));
    assert_memory_equal(pn_hrtf_positions(a), pn_hrtf_positions(b), nodes * sizeof(pn_vec3));
    for (int n = 0; n < 500; ++n) {
        pn_vec3 d = pn_vec_from_polar(0.37 * n, 1.5 * sin(n), 1.5);
        pn_hrtf_point p, q;
        pn_hrtf_look_up(a, d, NULL, &p);
        pn_hrtf_look_up(b, d, NULL, &q);
        assert_memory_equal(&p, &q, sizeof p);
    }
}

static void assert_same_messages(const pn_messages *a, const pn_messages *b) {
    size_t from = 0; /* that the set is being made is told only when it is */
    if (strstr(pn_messages_get(a, 0, NULL), "made ready") != NULL)
        from = 1;
    assert_int_equal(pn_messages_count(a) - from, pn_messages_count(b));
    for (size_t i = 0; i < pn_messages_count(b); ++i) {
        pinna_message_level x, y;
        assert_string_equal(pn_messages_get(a, i + from, &x), pn_messages_get(b, i, &y));
        assert_int_equal(x, y);
    }
}

static int files(char path[900]) {
    char folder[600];
    int count = 0;
    snprintf(folder, sizeof folder, "%s/cache/pinna", test_folder());
    DIR *d = opendir(folder);
    for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        ++count;
        snprintf(path, 900, "%s/%s", folder, entry->d_name);
    }
    if (d != NULL)
        closedir(d);
    return count;
}

static void start_empty(void) {
    char line[700];
    snprintf(line, sizeof line, "rm -rf '%s/cache'", test_folder());
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line, "%s/cache", test_folder());
    setenv("XDG_CACHE_HOME", line, 1);
    unsetenv("PINNA_CACHE");
}

static void test_round_trip(void **state) {
    (void)state;
    char path[900];
    start_empty();
    pn_messages *first = pn_messages_create(NULL, NULL), *second = pn_messages_create(NULL, NULL);
    pn_hrtf *made = load("builtin", 48000, first), *kept = load("builtin", 48000, second);
    assert_true(!pn_hrtf_get_info(made)->cached && pn_hrtf_get_info(kept)->cached);
    assert_same(made, kept);
    assert_true(pn_messages_count(second) > 0);
    assert_same_messages(first, second);
    assert_int_equal(files(path), 1);
    pn_hrtf_free(kept);
    kept = load("builtin", 44100, NULL); /* another rate is another set */
    assert_true(!pn_hrtf_get_info(kept)->cached);
    assert_int_equal(files(path), 2);
    setenv("PINNA_CACHE", "off", 1);
    pn_hrtf_free(kept);
    kept = load("builtin", 48000, NULL);
    assert_true(!pn_hrtf_get_info(kept)->cached);
    assert_same(made, kept);
    pn_hrtf_free(kept);
    pn_hrtf_free(made);
    pn_messages_free(first);
    pn_messages_free(second);
}

static const char *write_set(const char *name) {
    size_t size;
    const void *data = pn_sofa_builtin(&size);
    return test_write_bytes(name, data, size);
}

/* The content counts, not the folder; messages name the file as it is called now. */
static void test_files(void **state) {
    (void)state;
    char path[900];
    start_empty();
    pn_messages *told = pn_messages_create(NULL, NULL);
    pn_hrtf *a = load(write_set("set.sofa"), 0, NULL);
    assert_int_equal(mkdir(test_path("other"), 0700), 0);
    const char *moved = write_set("other/set.sofa");
    pn_hrtf *b = load(moved, 0, told);
    assert_true(pn_hrtf_get_info(b)->cached);
    assert_same(a, b);
    assert_non_null(strstr(pn_messages_get(told, 0, NULL), "other/set.sofa: "));
    pn_hrtf_free(b);
    FILE *f = fopen(moved, "ab"); /* one byte more */
    assert_non_null(f);
    fputc(0, f);
    fclose(f);
    b = load(moved, 0, NULL);
    assert_true(!pn_hrtf_get_info(b)->cached);
    assert_int_equal(files(path), 2);
    pn_hrtf_free(a);
    pn_hrtf_free(b);
    pn_messages_free(told);
}

static void damage(const char *path, long at) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    fputc(c ^ 1, f);
    assert_int_equal(fclose(f), 0);
}

static void test_damage(void **state) {
    (void)state;
    char path[900];
    start_empty();
    pn_hrtf *made = load("builtin", 0, NULL);
    for (int k = 0; k < 3; ++k) {
        assert_int_equal(files(path), 1);
        if (k < 2)
            damage(path, k ? 300 : 1000000);
        else
            assert_int_equal(truncate(path, 5000), 0);
        pn_messages *told = pn_messages_create(NULL, NULL);
        pn_hrtf *again = load("builtin", 0, told);
        assert_true(!pn_hrtf_get_info(again)->cached);
        assert_same(made, again);
        pinna_message_level level;
        assert_non_null(strstr(pn_messages_get(told, 0, &level), "damaged"));
        assert_int_equal(level, PINNA_WARNING);
        pn_hrtf_free(again);
        pn_messages_free(told);
        again = load("builtin", 0, NULL);
        assert_true(pn_hrtf_get_info(again)->cached);
        pn_hrtf_free(again);
    }
    pn_hrtf_free(made);
}

/* Several programs at once that find nothing: all get the same set, one file is left, none half written. */
static void test_at_once(void **state) {
    (void)state;
    enum { PROGRAMS = 4 };
    char path[900];
    start_empty();
    pid_t child[PROGRAMS];
    for (int i = 0; i < PROGRAMS; ++i) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            pn_hrtf *hrtf = NULL;
            pinna_error err = {0};
            _exit(pn_hrtf_load("builtin", 0, &coarse, NULL, &hrtf, &err) == PINNA_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < PROGRAMS; ++i) {
        int status = 1;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(files(path), 1);
    pn_hrtf *kept = load("builtin", 0, NULL);
    assert_true(pn_hrtf_get_info(kept)->cached);
    setenv("PINNA_CACHE", "off", 1);
    pn_hrtf *made = load("builtin", 0, NULL);
    assert_same(made, kept);
    pn_hrtf_free(kept);
    pn_hrtf_free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
