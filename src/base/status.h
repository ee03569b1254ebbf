// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_STATUS_H
#define PN_BASE_STATUS_H

#include <stdarg.h>

#include "pinna.h"

/* One status enum for everything: pinna_status, of pinna.h. A function that can fail returns it and takes a
 * `pinna_error *err` (may be NULL) as its last parameter, which it fills exactly once, where the failure
 * arises, with one message that names the file, line or value, what was expected and what to do. Foreign
 * codes are translated at the edge of the module that calls the foreign library. */

/* Fills err (when not NULL) with status and the formatted text; returns status. Any thread. No allocation. */
pinna_status pn_fail(pinna_error *err, pinna_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<formatted>: " before the text already in err, to add context on the way up; returns err's status. */
pinna_status pn_fail_within(pinna_error *err, pinna_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The usual message for memory that could not be had: what it was for, and how much. */
pinna_status pn_fail_memory(pinna_error *err, const char *what, double bytes);

#endif
