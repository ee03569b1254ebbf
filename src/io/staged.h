// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_STAGED_H
#define PN_IO_STAGED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* An output file that appears under its name only when complete: written beside its place as
 * .NAME.pinna-XXXXXX, renamed at the end. Links are followed, so that a link stays a link, also to a file that is not there yet. "-" is standard
 * output (see pn_is_standard_output); it, FIFOs and devices are written directly. Temporary names stand in a table (of the first 64), for
 * pn_staged_cancel_all. */

typedef struct {
    int fd;
    bool direct;     /* no temporary file; the bytes are gone */
    bool waits;      /* a pipe or a device, whose reader may be slow or stand still */
    char *path;      /* as given */
    char *target;    /* after links; NULL when direct */
    char *temporary; /* NULL when direct */
    int slot;        /* in the table, or -1 */
} pn_staged;

/* Finds what would fail later: a folder, a missing or closed folder, a protected file, a terminal, and an
 * output that is one of the inputs (same device and inode). */
pinna_status pn_staged_open(const char *path, const char *const *inputs, size_t input_count,
                            pn_staged *staged, pinna_error *err);
/* Closes and puts in place. On failure the temporary file is gone. The struct is zeroed (fd -1) either way.
 */
pinna_status pn_staged_commit(pn_staged *staged, pinna_error *err);
/* Closes and removes; accepts a zeroed struct, and one committed. */
void pn_staged_discard(pn_staged *staged);

/* All of the bytes, or an error that names the file and the system's reason (disk full, pipe closed), or
 * PINNA_CANCELLED once interrupted while a reader stands still. */
pinna_status pn_staged_write(const pn_staged *staged, const void *bytes, size_t count, pinna_error *err);
pinna_status pn_staged_fail(const pn_staged *staged, int code, pinna_error *err);

/* Async-signal-safe. */
void pn_staged_cancel_all(void);
/* From now on pn_staged_write does not wait for a reader any more. Async-signal-safe. */
void pn_staged_interrupt(void);

#endif
