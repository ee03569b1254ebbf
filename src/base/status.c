// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "base/status.h"

#include <stdio.h>
#include <string.h>

pinna_status pn_fail(pinna_error *err, pinna_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

pinna_status pn_fail_within(pinna_error *err, pinna_status status, const char *format, ...) {
    if (err == NULL)
        return status;
    char before[sizeof err->text];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(before, sizeof before, format, args);
    va_end(args);
    if (length < 0 || (size_t)length + 3 > sizeof before)
        return status;
    size_t room = sizeof err->text - (size_t)length - 3;
    size_t keep = strlen(err->text);
    if (keep > room)
        keep = room;
    memmove(err->text + length + 2, err->text, keep);
    memcpy(err->text, before, (size_t)length);
    memcpy(err->text + length, ": ", 2);
    err->text[(size_t)length + 2 + keep] = '\0';
    err->status = status;
    return status;
}

pinna_status pn_fail_memory(pinna_error *err, const char *what, double bytes) {
    if (bytes < 1e6)
        return pn_fail(err, PINNA_NO_MEMORY, "out of memory for %s (%.1f kB)", what, bytes * 1e-3);
    return pn_fail(err, PINNA_NO_MEMORY, "out of memory for %s (%.1f MB)", what, bytes * 1e-6);
}

const char *pinna_status_name(pinna_status status) {
    static const char *const names[] = {
        [PINNA_OK] = "ok",
        [PINNA_NO_MEMORY] = "out of memory",
        [PINNA_BAD_ARGUMENT] = "bad argument",
        [PINNA_NOT_FOUND] = "not found",
        [PINNA_IO] = "input/output error",
        [PINNA_BAD_FILE] = "bad file",
        [PINNA_BAD_SCENE] = "bad scene",
        [PINNA_UNSUPPORTED] = "not available",
        [PINNA_DEVICE] = "device error",
        [PINNA_CANCELLED] = "cancelled",
    };
    if ((unsigned)status >= sizeof names / sizeof names[0])
        return "unknown status";
    return names[status];
}
