// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache.h"
#include "base/memory.h"
#include "base/sha256.h"

static void check_hash(const char *text, size_t times, const char *expected) {
    char got[PN_SHA256_TEXT];
    pn_sha256 sha;
    pn_sha256_start(&sha);
    for (size_t i = 0; i < times; ++i)
        pn_sha256_add(&sha, text, strlen(text));
    pn_sha256_finish(&sha, got);
    assert_string_equal(got, expected);
}

/* The examples of FIPS 180-2, appendix B, and the empty message. */
static void test_sha256(void **state) {
    (void)state;
    check_hash("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hash("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_hash("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check_hash("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
               10000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Names of the files in the cache's folder; returns how many. */
static int files(char name[][256], int room) {
    char path[600];
    snprintf(path, sizeof path, "%s/cache/pinna", test_folder());
    DIR *folder = opendir(path);
    int count = 0;
    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && count < room;) {
        if (entry->d_name[0] != '.')
            snprintf(name[count++], 256, "%.255s", entry->d_name);
    }
    closedir(folder);
    return count;
}

static const char *only_file(void) {
    static char path[900];
    char name[4][256];
    assert_int_equal(files(name, 4), 1);
    snprintf(path, sizeof path, "%s/cache/pinna/%s", test_folder(), name[0]);
    return path;
}

static void expect(const char *key, pn_cache_answer answer, const char *content) {
    unsigned char *data;
    size_t size;
    assert_int_equal(pn_cache_read("test", key, &data, &size), answer);
    assert_true((data != NULL) == (answer == PN_CACHE_FOUND));
    if (answer == PN_CACHE_FOUND) {
        assert_int_equal(size, strlen(content));
        assert_memory_equal(data, content, size);
    }
    pn_free(data);
}

static bool keep(const char *key, const char *content) {
    return pn_cache_write("test", key, (const unsigned char *)content, strlen(content));
}

static void change_byte(const char *path, long at) {
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    fputc(c ^ 4, f);
    assert_int_equal(fclose(f), 0);
}

static void cut_to(const char *path, long size) {
    char line[1000];
    snprintf(line, sizeof line, "truncate -s %ld '%s'", size, path);
    assert_int_equal(system(line), 0);
}

static void test_cache(void **state) {
    (void)state;
    char folder[600];
    snprintf(folder, sizeof folder, "%s/cache", test_folder());
    setenv("XDG_CACHE_HOME", folder, 1);
    unsetenv("PINNA_CACHE");
    expect("one", PN_CACHE_NOTHING, NULL);
    assert_true(keep("one", "some data of the first key"));
    expect("one", PN_CACHE_FOUND, "some data of the first key");
    expect("two", PN_CACHE_NOTHING, NULL);
    assert_true(keep("one", "other data"));
    expect("one", PN_CACHE_FOUND, "other data");
    setenv("PINNA_CACHE", "off", 1);
    expect("one", PN_CACHE_NOTHING, NULL);
    assert_true(!keep("three", "x"));
    pinna_error err = {0};
    assert_int_equal(pn_cache_check(&err), PINNA_UNSUPPORTED);
    assert_non_null(strstr(err.text, "PINNA_CACHE is off"));
    unsetenv("PINNA_CACHE");

    change_byte(only_file(), -3);
    expect("one", PN_CACHE_DAMAGED, NULL);
    assert_true(keep("one", "other data"));
    expect("one", PN_CACHE_FOUND, "other data");
    change_byte(only_file(), 2); /* magic */
    expect("one", PN_CACHE_DAMAGED, NULL);
    assert_true(keep("one", "other data"));
    cut_to(only_file(), 40);
    expect("one", PN_CACHE_DAMAGED, NULL);
    cut_to(only_file(), 0);
    expect("one", PN_CACHE_DAMAGED, NULL);
    assert_true(keep("one", "other data"));
    cut_to(only_file(), 4000); /* zeros after the end */
    expect("one", PN_CACHE_DAMAGED, NULL);

    setenv("XDG_CACHE_HOME", "/dev/null/none", 1); /* cannot be written, not even by root */
    assert_true(!keep("one", "x"));
    expect("one", PN_CACHE_NOTHING, NULL);
    assert_int_equal(pn_cache_check(&err), PINNA_IO);
    assert_non_null(strstr(err.text, "/dev/null/none/pinna cannot be written: Not a directory"));
}

/* A folder that is not there yet is made. */
static void test_check(void **state) {
    (void)state;
    pinna_error err = {0};
    char folder[600];
    snprintf(folder, sizeof folder, "%s/not/yet", test_folder());
    setenv("XDG_CACHE_HOME", folder, 1);
    assert_ok(pn_cache_check(&err), &err);
    assert_true(keep("one", "x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sha256), cmocka_unit_test(test_cache),
                                       cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
