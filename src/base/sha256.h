// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_BASE_SHA256_H
#define PN_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4), to tell files apart by content. */
typedef struct {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
} pn_sha256;

enum { PN_SHA256_TEXT = 65 };

void pn_sha256_start(pn_sha256 *sha);
void pn_sha256_add(pn_sha256 *sha, const void *data, size_t size);
/* 64 hexadecimal digits. */
void pn_sha256_finish(pn_sha256 *sha, char text[PN_SHA256_TEXT]);

#endif
