// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/sdl_api.h"

#include "base/library.h"

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

static pn_library sdl = {.variable = "PINNA_SDL_LIBRARY",
                         .usual = SYSTEM_LIBRARY,
                         .elsewhere =
                             PINNA_SDL_FOLDER "/" SYSTEM_LIBRARY, /* what the program was built with */
                         .name = function_names,
                         .count = FUNCTIONS,
                         .table = &pn_sdl,
                         .mutex = PTHREAD_MUTEX_INITIALIZER};

pinna_status pn_sdl_load(pinna_error *err) {
    const char *library = NULL, *lacks = NULL;
    switch (pn_library_load(&sdl, &library, &lacks)) {
    case PN_LIBRARY_ABSENT:
        return pn_fail(err, PINNA_DEVICE,
                       "live output needs SDL2, and its library (%s) is not on this machine; install it "
                       "(Debian, Ubuntu: libsdl2-2.0-0, Fedora: SDL2, Arch, Homebrew: sdl2), or use `pinna "
                       "render`, which writes a file without it",
                       library);
    case PN_LIBRARY_LACKS:
        return pn_fail(err, PINNA_DEVICE, "the SDL2 library %s lacks %s; SDL 2.24 or later is needed",
                       library, lacks);
    default:
        return PINNA_OK;
    }
}
