// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/staged.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/audio_file.h"

enum { SLOTS = 64, FREE = 0, TAKEN = 1, NAMED = 2 };

/* Never freed, so that a signal handler in another thread can read it at any time. */
static struct {
    atomic_int state;
    char path[PATH_MAX];
} table[SLOTS];

static int table_add(const char *path) {
    if (strlen(path) >= PATH_MAX)
        return -1;
    for (int i = 0; i < SLOTS; ++i) {
        int expected = FREE;
        if (!atomic_compare_exchange_strong(&table[i].state, &expected, TAKEN))
            continue;
        memcpy(table[i].path, path, strlen(path) + 1);
        atomic_store(&table[i].state, NAMED);
        return i;
    }
    return -1;
}

void pn_staged_cancel_all(void) {
    for (int i = 0; i < SLOTS; ++i) {
        if (atomic_load(&table[i].state) == NAMED)
            unlink(table[i].path);
    }
}

static void clear(pn_staged *s) {
    if (s->temporary != NULL && s->slot >= 0)
        atomic_store(&table[s->slot].state, FREE);
    pn_free(s->path);
    pn_free(s->target);
    pn_free(s->temporary);
    *s = (pn_staged){.fd = -1, .slot = -1};
}

pinna_status pn_staged_fail(const pn_staged *s, int code, pinna_error *err) {
    const char *reason = strerror(code), *left = "";
    if (code == ENOSPC || code == EDQUOT)
        reason = "the disk is full";
    else if (code == EFBIG)
        reason = "the file has reached the largest size allowed here";
    else if (code == EINTR)
        reason = "interrupted";
    else if (code == EPIPE)
        reason = "the program that reads this output has ended";
    if (!s->direct && (code == ENOSPC || code == EDQUOT || code == EFBIG))
        left = "; nothing is left of this output";
    return pn_fail(err, PINNA_IO, "%s: cannot write: %s%s",
                   pn_is_standard_output(s->path) ? "standard output" : s->path, reason, left);
}

static atomic_bool interrupted;

void pn_staged_interrupt(void) {
    atomic_store(&interrupted, true);
}

/* The signal may be handled by another thread than the one that writes, so an interrupted call is not enough to
 * notice it: up to PIPE_BUF bytes are written when they find room at once, and in between the flag is looked at. */
static pinna_status wait_for_reader(const pn_staged *s, pinna_error *err) {
    enum { STEP_MS = 50 };
    struct pollfd ready = {.fd = s->fd, .events = POLLOUT};
    while (poll(&ready, 1, STEP_MS) <= 0) {
        if (atomic_load(&interrupted))
            return pn_fail(err, PINNA_CANCELLED, "%s: interrupted while its reader stood still", s->path);
    }
    return PINNA_OK;
}

pinna_status pn_staged_write(const pn_staged *s, const void *bytes, size_t count, pinna_error *err) {
    const char *at = bytes;
    while (count > 0) {
        pinna_status status = s->waits ? wait_for_reader(s, err) : PINNA_OK;
        if (status != PINNA_OK)
            return status;
        ssize_t done = write(s->fd, at, s->waits && count > PIPE_BUF ? PIPE_BUF : count);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pn_staged_fail(s, errno, err);
        at += done;
        count -= (size_t)done;
    }
    return PINNA_OK;
}

bool pn_is_standard_output(const char *path) {
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (strcmp(path, names[i]) == 0)
            return true;
    }
    return false;
}

/* fd: what open or dup returned. */
static pinna_status opened_directly(pn_staged *s, int fd, pinna_error *err) {
    struct stat st;
    s->direct = true;
    s->fd = fd;
    if (fd < 0)
        return pn_staged_fail(s, errno, err);
    s->waits = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
    return PINNA_OK;
}

static pinna_status open_standard_output(pn_staged *s, pinna_error *err) {
    if (isatty(STDOUT_FILENO))
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "%s: standard output is a terminal; send it to a file or a program, as in `... -o - | aplay`",
            s->path);
    return opened_directly(s, dup(STDOUT_FILENO), err);
}

/* A FIFO without a reader makes open wait, as in any program. */
static pinna_status open_directly(pn_staged *s, pinna_error *err) {
    return opened_directly(s, open(s->path, O_WRONLY | O_CLOEXEC | O_NOCTTY), err);
}

/* One step along a link, in place; false when there is none. */
static bool follow(char path[PATH_MAX]) {
    char next[PATH_MAX];
    ssize_t length = readlink(path, next, sizeof next - 1);
    if (length <= 0)
        return false;
    next[length] = '\0';
    char *slash = strrchr(path, '/');
    size_t folder = next[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - path);
    if (folder + (size_t)length >= PATH_MAX)
        return false;
    memcpy(path + folder, next, (size_t)length + 1);
    return true;
}

/* Where a path leads: the file itself, through links, of which the last may point to a file that is not there yet. */
static char *resolve(const char *path) {
    enum { MOST_LINKS = 40 };
    char full[PATH_MAX];
    if (realpath(path, full) != NULL)
        return pn_strdup(full);
    if (strlen(path) >= PATH_MAX)
        return pn_strdup(path);
    memcpy(full, path, strlen(path) + 1);
    for (int links = 0; follow(full); ++links) {
        if (links == MOST_LINKS)
            return pn_strdup(path);
    }
    return pn_strdup(full);
}

static pinna_status name_temporary(pn_staged *s, pinna_error *err) {
    const char *slash = strrchr(s->target, '/');
    const char *name = slash == NULL ? s->target : slash + 1;
    int folder = (int)(name - s->target);
    size_t size = strlen(s->target) + 32;
    s->temporary = pn_alloc(size, 1);
    if (s->temporary == NULL)
        return pn_fail_memory(err, "the name of the output", (double)size);
    snprintf(s->temporary, size, "%.*s.%.*s.pinna-XXXXXX", folder, s->target, NAME_MAX - 20, name);
    return PINNA_OK;
}

static pinna_status open_beside(pn_staged *s, mode_t mode, pinna_error *err) {
    s->target = resolve(s->path);
    if (s->target == NULL)
        return pn_fail_memory(err, "the name of the output", PATH_MAX);
    pinna_status status = name_temporary(s, err);
    if (status != PINNA_OK)
        return status;
    s->fd = mkostemp(s->temporary, O_CLOEXEC);
    if (s->fd < 0) {
        int code = errno;
        pn_free(s->temporary);
        s->temporary = NULL;
        if (code == ENOENT)
            return pn_fail(err, PINNA_NOT_FOUND, "%s: cannot be written: its folder does not exist", s->path);
        return pn_fail(err, PINNA_IO, "%s: cannot be written: %s, in its folder", s->path, strerror(code));
    }
    s->slot = table_add(s->temporary);
    if (fchmod(s->fd, mode) != 0) {
        /* some file systems have no modes: the file is as private as it came */
    }
    return PINNA_OK;
}

static pinna_status check_inputs(const char *path, const char *const *inputs, size_t count,
                                 pinna_error *err) {
    for (size_t i = 0; i < count; ++i) {
        if (inputs[i] != NULL && pn_same_file(path, inputs[i]))
            return pn_fail(err, PINNA_BAD_ARGUMENT,
                           "%s: the output is the same file as the input %s; give the output another name",
                           path, inputs[i]);
    }
    return PINNA_OK;
}

static pinna_status open_staged(pn_staged *s, const char *const *inputs, size_t input_count,
                                pinna_error *err) {
    const char *path = s->path;
    if (path[0] == '\0')
        return pn_fail(err, PINNA_BAD_ARGUMENT, "the output has an empty name");
    if (pn_is_standard_output(path))
        return open_standard_output(s, err);
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = 0666 & ~mask;
    struct stat st;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: is a folder; the output must be a file in it", path);
        if (!S_ISREG(st.st_mode))
            return open_directly(s, err);
        pinna_status status = check_inputs(path, inputs, input_count, err);
        if (status != PINNA_OK)
            return status;
        if (access(path, W_OK) != 0)
            return pn_fail(err, PINNA_IO, "%s: cannot be written: %s", path, strerror(errno));
        mode = st.st_mode & 0777;
    } else if (errno == ELOOP) {
        return pn_fail(err, PINNA_IO, "%s: cannot be written: %s", path, strerror(errno));
    }
    return open_beside(s, mode, err);
}

pinna_status pn_staged_open(const char *path, const char *const *inputs, size_t input_count, pn_staged *s,
                            pinna_error *err) {
    *s = (pn_staged){.fd = -1, .slot = -1, .path = pn_strdup(path)};
    if (s->path == NULL)
        return pn_fail_memory(err, "the name of the output", PATH_MAX);
    pinna_status status = open_staged(s, inputs, input_count, err);
    if (status != PINNA_OK)
        pn_staged_discard(s);
    return status;
}

pinna_status pn_staged_commit(pn_staged *s, pinna_error *err) {
    int closed = close(s->fd);
    int code = errno;
    s->fd = -1;
    if (closed == 0 && !s->direct) {
        closed = rename(s->temporary, s->target);
        code = errno;
    }
    pinna_status status = closed == 0 ? PINNA_OK : pn_staged_fail(s, code, err);
    if (status != PINNA_OK)
        pn_staged_discard(s);
    clear(s);
    return status;
}

void pn_staged_discard(pn_staged *s) {
    if (s->path == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    if (s->temporary != NULL)
        unlink(s->temporary);
    clear(s);
}
