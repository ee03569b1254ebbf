// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_CACHE_H
#define PN_BASE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Data kept between runs, one file for each key (a text of a few lines that names everything the data depends on):
 * $XDG_CACHE_HOME/pinna or ~/.cache/pinna, nothing with PINNA_CACHE=off. Files are written beside and renamed, so that
 * readers never see half of one; they carry their key and a checksum. Any thread, any process; allocates. */

typedef enum {
    PN_CACHE_NOTHING, /* not there, or not allowed */
    PN_CACHE_FOUND,
    PN_CACHE_DAMAGED /* there, but cut short or changed */
} pn_cache_answer;

/* kind: the first part of the file's name. Data (pn_free it) and size are set when found. */
pn_cache_answer pn_cache_read(const char *kind, const char *key, unsigned char **data, size_t *size);

/* Whether anything can be kept, for what is not worth its time otherwise: PINNA_OK, PINNA_UNSUPPORTED where the user
 * has turned the cache off or has no home, PINNA_IO where the folder cannot be made or written. */
pinna_status pn_cache_check(pinna_error *err);

/* false when it could not be kept. */
bool pn_cache_write(const char *kind, const char *key, const unsigned char *data, size_t size);

/* 64-bit FNV-1a. */
uint64_t pn_hash_bytes(const void *data, size_t size);

#endif
