// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/messages.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

typedef struct {
    pinna_message_level level;
    char *text;
} message;

struct pn_messages {
    pinna_message_fn sink;
    void *user;
    pthread_mutex_t mutex;
    message *list;
    size_t count, capacity;
};

pn_messages *pn_messages_create(pinna_message_fn sink, void *user) {
    pn_messages *m = pn_alloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->sink = sink;
    m->user = user;
    pthread_mutex_init(&m->mutex, NULL);
    return m;
}

void pn_messages_free(pn_messages *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->count; ++i)
        pn_free(m->list[i].text);
    pn_free(m->list);
    pthread_mutex_destroy(&m->mutex);
    pn_free(m);
}

static void report(pn_messages *m, pinna_message_level level, const char *format, va_list args) {
    if (m == NULL)
        return;
    char text[PINNA_ERROR_TEXT];
    vsnprintf(text, sizeof text, format, args);
    pthread_mutex_lock(&m->mutex);
    if (m->count == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 16;
        message *list = pn_regrow(m->list, m->capacity, capacity, sizeof *list);
        if (list != NULL) {
            m->list = list;
            m->capacity = capacity;
        }
    }
    if (m->count < m->capacity) {
        char *copy = pn_strdup(text);
        if (copy != NULL)
            m->list[m->count++] = (message){level, copy};
    }
    if (m->sink != NULL)
        m->sink(m->user, level, text);
    pthread_mutex_unlock(&m->mutex);
}

void pn_info(pn_messages *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    report(m, PINNA_INFO, format, args);
    va_end(args);
}

void pn_warn(pn_messages *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    report(m, PINNA_WARNING, format, args);
    va_end(args);
}

size_t pn_messages_count(const pn_messages *m) {
    return m == NULL ? 0 : m->count;
}

const char *pn_messages_get(const pn_messages *m, size_t index, pinna_message_level *level) {
    if (m == NULL || index >= m->count)
        return NULL;
    if (level != NULL)
        *level = m->list[index].level;
    return m->list[index].text;
}
