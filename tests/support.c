// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/noise.h"

enum { TIMEOUT_S = 120 };

double test_noise(uint64_t *state) {
    return pn_noise_uniform(state);
}

void test_fill_noise(float *out, size_t count, uint64_t seed, double gain) {
    for (size_t i = 0; i < count; ++i)
        out[i] = (float)(gain * test_noise(&seed));
}

static double ratio_db(double error, double reference) {
    if (error == 0)
        return -400;
    if (reference == 0)
        return 400;
    return 10 * log10(error / reference);
}

double test_error_db(const float *a, const float *b, size_t count) {
    double error = 0, reference = 0;
    for (size_t i = 0; i < count; ++i) {
        double d = (double)a[i] - (double)b[i];
        error += d * d;
        reference += (double)b[i] * (double)b[i];
    }
    return isfinite(error) ? ratio_db(error, reference) : 400;
}

double test_error_db_f64(const float *a, const double *b, size_t count) {
    double error = 0, reference = 0;
    for (size_t i = 0; i < count; ++i) {
        double d = (double)a[i] - b[i];
        error += d * d;
        reference += b[i] * b[i];
    }
    return isfinite(error) ? ratio_db(error, reference) : 400;
}

pn_vec3 test_fibonacci(int i, int n) {
    double z = 1 - (2 * i + 1.0) / n, r = sqrt(1 - z * z), a = i * PN_PI * (3 - sqrt(5));
    return (pn_vec3){r * cos(a), r * sin(a), z};
}

static int count_messages(const pn_messages *messages, const char *part, bool only_warnings) {
    int count = 0;
    for (size_t k = 0; k < pn_messages_count(messages); ++k) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, k, &level);
        count += (level == PINNA_WARNING || !only_warnings) && strstr(text, part) != NULL;
    }
    return count;
}

int test_told(const pn_messages *messages, const char *part) {
    return count_messages(messages, part, false);
}

int test_warned(const pn_messages *messages, const char *part) {
    return count_messages(messages, part, true);
}

void test_assert_ok(pinna_status status, const pinna_error *err, const char *file, int line) {
    if (status == PINNA_OK)
        return;
    print_error("%s: %s\n", pinna_status_name(status), err == NULL ? "" : err->text);
    _fail(file, line);
}

void test_assert_below(double value, double bound, const char *what, const char *file, int line) {
    if (value <= bound)
        return;
    print_error("%s is %g, bound %g\n", what, value, bound);
    _fail(file, line);
}

static char folder[512];
static pid_t folder_owner;

static void remove_folder(void) {
    if (getpid() != folder_owner)
        return;
    char line[600];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    if (system(line) != 0)
        fprintf(stderr, "could not remove %s\n", folder);
}

const char *test_folder(void) {
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/pinna-test-XXXXXX", base == NULL ? "/tmp" : base);
        if (mkdtemp(folder) == NULL) {
            perror(folder);
            abort();
        }
        folder_owner = getpid();
        atexit(remove_folder);
    }
    return folder;
}

const char *test_path(const char *name) {
    static char paths[16][1024];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder(), name);
    return path;
}

const char *test_write_bytes(const char *name, const void *bytes, size_t size) {
    const char *path = test_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *test_write_text(const char *name, const char *text) {
    return test_write_bytes(name, text, strlen(text));
}

int test_file_exists(const char *path) {
    struct stat s;
    return stat(path, &s) == 0;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Reads what is there into text; returns 0 at the end of the pipe. What does not fit is dropped. */
static int drain(int fd, char *text, size_t size) {
    char buffer[4096];
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0)
        return 0;
    size_t used = strlen(text);
    size_t keep = (size_t)got < size - 1 - used ? (size_t)got : size - 1 - used;
    memcpy(text + used, buffer, keep);
    text[used + keep] = '\0';
    return 1;
}

static int run_shell(test_run *run, const char *line) {
    const char *where = test_folder(); /* made here, not in the child */
    int out[2], err[2];
    memset(run, 0, sizeof *run);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    double started = now();
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setpgid(0, 0);
        if (chdir(where) != 0)
            _exit(127);
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        close(out[0]);
        close(out[1]);
        close(err[0]);
        close(err[1]);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    struct pollfd fds[2] = {{.fd = out[0], .events = POLLIN}, {.fd = err[0], .events = POLLIN}};
    int open_ends = 2;
    while (open_ends > 0) {
        double left = TIMEOUT_S - (now() - started);
        if (left <= 0) {
            kill(-child, SIGKILL);
            waitpid(child, NULL, 0);
            fail_msg("no end after %d s: %s", TIMEOUT_S, line);
        }
        if (poll(fds, 2, (int)(left * 1000) + 1) <= 0)
            continue;
        if (fds[0].revents && !drain(out[0], run->out, sizeof run->out)) {
            fds[0].fd = -1;
            --open_ends;
        }
        if (fds[1].revents && !drain(err[0], run->err, sizeof run->err)) {
            fds[1].fd = -1;
            --open_ends;
        }
    }
    close(out[0]);
    close(err[0]);
    int status = 0;
    waitpid(child, &status, 0);
    run->seconds = now() - started;
    run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return run->status;
}

int test_shell(test_run *run, const char *format, ...) {
    char line[8192];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return run_shell(run, line);
}

int test_program(test_run *run, const char *format, ...) {
    char line[8192];
    const char *program = getenv("PINNA_PROGRAM");
    assert_non_null(program);
    int length = snprintf(line, sizeof line, "'%s' ", program);
    va_list args;
    va_start(args, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, args);
    va_end(args);
    return run_shell(run, line);
}

const char *test_data_folder(void) {
    const char *named = getenv("PINNA_TEST_DATA");
    const char *data = named != NULL ? named : PINNA_SOURCE_DIR "/../shared/data";
    char probe[1024];
    snprintf(probe, sizeof probe, "%s/manifest.tsv", data);
    return test_file_exists(probe) ? data : NULL;
}
