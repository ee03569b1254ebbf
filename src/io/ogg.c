// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/ogg.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    HEADER = 27,
    SEGMENTS = 255,
    PAGE_MAX = HEADER + SEGMENTS + SEGMENTS * 255,
    SERIAL_AT = 14,
    CRC_AT = 22
};

static uint32_t check_sum(const unsigned char *bytes, size_t count) {
    uint32_t crc = 0;
    for (size_t i = 0; i < count; ++i) {
        crc ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc & 0x80000000u ? (crc << 1) ^ 0x04c11db7u : crc << 1;
    }
    return crc;
}

static void put32(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; ++i)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* Length of the page that starts at offset, read into page; 0 at the end of the file, -1 when it is none. */
static ssize_t read_page(int fd, off_t offset, unsigned char *page) {
    ssize_t got = pread(fd, page, PAGE_MAX, offset);
    if (got == 0)
        return 0;
    if (got < HEADER || memcmp(page, "OggS", 4) != 0)
        return -1;
    ssize_t length = HEADER + page[HEADER - 1];
    if (length > got)
        return -1;
    for (int i = 0; i < page[HEADER - 1]; ++i)
        length += page[HEADER + i];
    return length <= got ? length : -1;
}

bool pn_ogg_fix_serial(int fd) {
    unsigned char page[PAGE_MAX];
    off_t offset = 0;
    for (;;) {
        ssize_t length = read_page(fd, offset, page);
        if (length <= 0)
            return length == 0 && offset > 0;
        put32(page + SERIAL_AT, 0x70696e6e);
        put32(page + CRC_AT, 0);
        put32(page + CRC_AT, check_sum(page, (size_t)length));
        if (pwrite(fd, page, HEADER, offset) != HEADER)
            return false;
        offset += length;
    }
}
