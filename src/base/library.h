// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_LIBRARY_H
#define PN_BASE_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>

/* A shared library that is loaded when it is first needed, as a table of its functions: the program starts without it,
 * and also where it is not installed. It is the first of these that is there: what the environment names, which
 * excludes all others; the process itself (a tool may have put its own functions before the library's); the usual
 * name; a place besides. */
typedef struct {
    const char *variable;    /* of the environment; unset or empty: names nothing */
    bool present;            /* whether the process itself is looked at */
    const char *usual;       /* as the loader finds it */
    const char *elsewhere;   /* a path; NULL: none */
    const char *const *name; /* of the functions */
    int count;
    void *table; /* that many pointers, in the order of the names; written once, when all are there */
    pthread_mutex_t mutex; /* PTHREAD_MUTEX_INITIALIZER */
    bool loaded;           /* starts false */
} pn_library;

typedef enum { PN_LIBRARY_LOADED, PN_LIBRARY_ABSENT, PN_LIBRARY_LACKS } pn_library_answer;

/* Fills the table, at the first call that can; the library then stays until the process ends. Unless LOADED, `library`
 * becomes the name that was looked for, and `lacks` the first function that is not in it. Any thread, any number of
 * times. */
pn_library_answer pn_library_load(pn_library *from, const char **library, const char **lacks);

#endif
