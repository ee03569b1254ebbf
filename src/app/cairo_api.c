// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/cairo_api.h"

#include "base/library.h"

pn_cairo_api pn_cairo;

static const char *const function_names[] = {
#define PN_CAIRO_NAME(name) "cairo_" #name,
    PN_CAIRO_FUNCTIONS(PN_CAIRO_NAME)
#undef PN_CAIRO_NAME
};
enum { FUNCTIONS = sizeof function_names / sizeof function_names[0] };
_Static_assert(sizeof(pn_cairo_api) == FUNCTIONS * sizeof(void *), "one pointer a function");

#ifdef __APPLE__
#define SYSTEM_LIBRARY "libcairo.2.dylib"
#else
#define SYSTEM_LIBRARY "libcairo.so.2"
#endif

static pn_library cairo = {.variable = "PINNA_CAIRO_LIBRARY",
                           .usual = SYSTEM_LIBRARY,
                           .elsewhere =
                               PINNA_CAIRO_FOLDER "/" SYSTEM_LIBRARY, /* what the program was built with */
                           .name = function_names,
                           .count = FUNCTIONS,
                           .table = &pn_cairo,
                           .mutex = PTHREAD_MUTEX_INITIALIZER};

pinna_status pn_cairo_load(pinna_error *err) {
    const char *library = NULL, *lacks = NULL;
    switch (pn_library_load(&cairo, &library, &lacks)) {
    case PN_LIBRARY_ABSENT:
        return pn_fail(
            err, PINNA_UNSUPPORTED,
            "pictures need cairo, and its library (%s) is not on this machine; install it (Debian, "
            "Ubuntu: libcairo2, others: cairo), or use --json for the figures",
            library);
    case PN_LIBRARY_LACKS:
        return pn_fail(err, PINNA_UNSUPPORTED, "the cairo library %s lacks %s; cairo 1.16 or later is needed",
                       library, lacks);
    default:
        return PINNA_OK;
    }
}
