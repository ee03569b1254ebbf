// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_SUPPORT_H
#define PN_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/messages.h"
#include "base/status.h"
#include "base/vec.h"

/* What the tests share: repeatable noise, errors in dB, temporary folders, running the real program. */

/* Uniform in -1..1, the same everywhere; state starts at any number. */
double test_noise(uint64_t *state);
void test_fill_noise(float *out, size_t count, uint64_t seed, double gain);

/* 20 log10(rms(a - b) / rms(b)); -400 when equal. */
double test_error_db(const float *a, const float *b, size_t count);
double test_error_db_f64(const float *a, const double *b, size_t count);

/* Direction i of n that cover the sphere evenly, in a Fibonacci spiral from the top down. */
pn_vec3 test_fibonacci(int i, int n);

/* How many of the messages, or of the warnings among them, say `part`. */
int test_told(const pn_messages *messages, const char *part);
int test_warned(const pn_messages *messages, const char *part);

/* Fails the test, with the message of err, when status is not PINNA_OK. */
#define assert_ok(status, err) test_assert_ok((status), (err), __FILE__, __LINE__)
void test_assert_ok(pinna_status status, const pinna_error *err, const char *file, int line);

/* Fails the test with the figure when value > bound. */
#define assert_below(value, bound) test_assert_below((value), (bound), #value, __FILE__, __LINE__)
void test_assert_below(double value, double bound, const char *what, const char *file, int line);

/* A folder of this test program, made at first use and removed at exit. */
const char *test_folder(void);
/* A path in that folder; valid for the next 15 calls. */
const char *test_path(const char *name);
/* Writes a file into the folder; returns its path. */
const char *test_write_bytes(const char *name, const void *bytes, size_t size);
const char *test_write_text(const char *name, const char *text);
int test_file_exists(const char *path);

/* Runs `$PINNA_PROGRAM arguments` (a shell line, run in test_folder) and keeps what it printed. Returns the
 * exit status, or 128 + signal. Fails the test after timeout_s. */
typedef struct {
    int status;
    char out[65536];
    char err[65536];
    double seconds;
} test_run;
int test_program(test_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for any shell line. */
int test_shell(test_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The folder of extra real data (environment PINNA_TEST_DATA, else ../shared/data beside the source), or
 * NULL. */
const char *test_data_folder(void);

#endif
