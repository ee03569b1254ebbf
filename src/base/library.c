// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void *open_library(const pn_library *from, const char **library) {
    const char *named = getenv(from->variable);
    bool by_name = named != NULL && named[0] != '\0';
    *library = by_name ? named : from->usual;
    if (!by_name && from->present && dlsym(RTLD_DEFAULT, from->name[0]) != NULL)
        return dlopen(NULL, RTLD_NOW);
    void *handle = dlopen(*library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL && !by_name && from->elsewhere != NULL)
        handle = dlopen(from->elsewhere, RTLD_NOW | RTLD_LOCAL);
    return handle;
}

static pn_library_answer fill(const pn_library *from, void *handle, const char **lacks) {
    for (int i = 0; i < from->count && *lacks == NULL; ++i)
        if (dlsym(handle, from->name[i]) == NULL)
            *lacks = from->name[i];
    if (*lacks != NULL) {
        dlclose(handle);
        return PN_LIBRARY_LACKS;
    }
    for (int i = 0; i < from->count; ++i) {
        void *function = dlsym(handle, from->name[i]);
        memcpy((char *)from->table + (size_t)i * sizeof function, &function, sizeof function);
    }
    return PN_LIBRARY_LOADED;
}

pn_library_answer pn_library_load(pn_library *from, const char **library, const char **lacks) {
    pn_library_answer answer = PN_LIBRARY_LOADED;
    *lacks = NULL;
    pthread_mutex_lock(&from->mutex);
    if (!from->loaded) {
        void *handle = open_library(from, library);
        answer = handle == NULL ? PN_LIBRARY_ABSENT : fill(from, handle, lacks);
        from->loaded = answer == PN_LIBRARY_LOADED;
    }
    pthread_mutex_unlock(&from->mutex);
    return answer;
}
