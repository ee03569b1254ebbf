// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/words.h"

#include <stddef.h>
#include <string.h>

const char *pn_excerpt(const char *text, char *buffer) {
    size_t length = strlen(text), keep = length;
    if (length > PN_WORD_TEXT - 1) {
        keep = PN_WORD_TEXT - 4;
        while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
            keep -= 1;
    }
    for (size_t i = 0; i < keep; ++i)
        buffer[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    strcpy(buffer + keep, keep < length ? "..." : "");
    return buffer;
}
