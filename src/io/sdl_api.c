// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/sdl_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

pn_sdl_api pn_sdl;

static const char *const function_names[] = {
#define PN_SDL_NAME(name) "SDL_" #name,
    PN_SDL_FUNCTIONS(PN_SDL_NAME)
#undef PN_SDL_NAME
};
enum { FUNCTIONS = sizeof function_names / sizeof function_names[0] };
_Static_assert(sizeof(pn_sdl_api) == FUNCTIONS * sizeof(void *), "one pointer a function");

#ifdef __APPLE__
#define SYSTEM_LIBRARY "libSDL2-2.0.0.dylib"
#else
#define SYSTEM_LIBRARY "libSDL2-2.0.so.0"
#endif

/* Held while a table is filled, so that a table is seen whole or not at all. */
static pthread_mutex_t load_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool loaded;

/* Where the loader looks, then where the SDL2 was that the program was built with. */
static void *open_library(const char **library) {
    const char *named = getenv("PINNA_SDL_LIBRARY");
    *library = named == NULL || named[0] == '\0' ? SYSTEM_LIBRARY : named;
    void *handle = dlopen(*library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL && *library != named)
        handle = dlopen(PINNA_SDL_FOLDER "/" SYSTEM_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    return handle;
}

static pinna_status load(pinna_error *err) {
    const char *library = NULL;
    void *handle = open_library(&library);
    if (handle == NULL)
        return pn_fail(err, PINNA_DEVICE,
                       "live output needs SDL2, and its library (%s) is not on this machine; install it "
                       "(Debian, Ubuntu: libsdl2-2.0-0, Fedora: SDL2, Arch, Homebrew: sdl2), or use `pinna "
                       "render`, which writes a file without it",
                       library);
    void *functions[FUNCTIONS];
    for (int i = 0; i < FUNCTIONS; ++i) {
        functions[i] = dlsym(handle, function_names[i]);
        if (functions[i] == NULL) {
            dlclose(handle);
            return pn_fail(err, PINNA_DEVICE, "the SDL2 library %s lacks %s; SDL 2.24 or later is needed",
                           library, function_names[i]);
        }
    }
    memcpy(&pn_sdl, functions, sizeof pn_sdl);
    loaded = true;
    return PINNA_OK;
}

pinna_status pn_sdl_load(pinna_error *err) {
    pthread_mutex_lock(&load_mutex);
    pinna_status status = loaded ? PINNA_OK : load(err);
    pthread_mutex_unlock(&load_mutex);
    return status;
}
