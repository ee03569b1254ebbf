// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/wav.h"

#include <string.h>

#include "io/encoding.h"

typedef struct {
    unsigned char *at;
} cursor;

static void put(cursor *c, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        *c->at++ = (unsigned char)(value >> (8 * i));
}

static void put_name(cursor *c, const char *four) {
    memcpy(c->at, four, 4);
    c->at += 4;
}

static uint64_t data_bytes(int channels, pn_encoding encoding, uint64_t frames) {
    return frames * (uint64_t)channels * (uint64_t)pn_encoding_bytes(encoding);
}

uint64_t pn_wav_plain_frames(int channels, pn_encoding encoding) {
    return (0xffffffffu - PN_WAV_HEADER_MAX) / data_bytes(channels, encoding, 1);
}

/* More than two channels ask for the extensible form; no loudspeaker is claimed for any of them. */
static void put_format(cursor *c, int channels, uint32_t rate, pn_encoding encoding) {
    static const unsigned char guid_tail[14] = {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
    uint64_t bytes = (uint64_t)pn_encoding_bytes(encoding);
    bool is_float = pn_encoding_bits(encoding) == 0, extensible = channels > 2;
    uint64_t tag = is_float ? 3 : 1;
    put_name(c, "fmt ");
    put(c, extensible ? 40 : is_float ? 18 : 16, 4);
    put(c, extensible ? 0xfffe : tag, 2);
    put(c, (uint64_t)channels, 2);
    put(c, rate, 4);
    put(c, rate * bytes * (uint64_t)channels, 4);
    put(c, bytes * (uint64_t)channels, 2);
    put(c, 8 * bytes, 2);
    if (!extensible && !is_float)
        return;
    put(c, extensible ? 22 : 0, 2);
    if (!extensible)
        return;
    put(c, 8 * bytes, 2);
    put(c, 0, 4);
    put(c, tag, 2);
    memcpy(c->at, guid_tail, sizeof guid_tail);
    c->at += sizeof guid_tail;
}

size_t pn_wav_header(unsigned char bytes[PN_WAV_HEADER_MAX], pn_wav_kind kind, int channels, uint32_t rate,
                     pn_encoding encoding, uint64_t frames) {
    cursor c = {bytes};
    uint64_t data = data_bytes(channels, encoding, frames), padded = data + (data & 1);
    bool open = kind == PN_WAV_LARGE || kind == PN_WAV_ENDLESS,
         room = kind == PN_WAV_ROOM || kind == PN_WAV_LARGE;
    uint64_t unknown = 0xffffffff;
    put_name(&c, kind == PN_WAV_LARGE ? "RF64" : "RIFF");
    unsigned char *riff_size = c.at;
    put(&c, unknown, 4);
    put_name(&c, "WAVE");
    unsigned char *large_size = c.at + 8;
    if (room) {
        put_name(&c, kind == PN_WAV_LARGE ? "ds64" : "JUNK");
        put(&c, 28, 4);
        put(&c, 0, 8);
        put(&c, kind == PN_WAV_LARGE ? data : 0, 8);
        put(&c, kind == PN_WAV_LARGE ? frames : 0, 8);
        put(&c, 0, 4);
    }
    put_format(&c, channels, rate, encoding);
    if (pn_encoding_bits(encoding) == 0) {
        put_name(&c, "fact");
        put(&c, 4, 4);
        put(&c, open ? unknown : frames, 4);
    }
    put_name(&c, "data");
    put(&c, open ? unknown : data, 4);
    size_t length = (size_t)(c.at - bytes);
    uint64_t riff = length - 8 + padded;
    if (kind == PN_WAV_LARGE)
        put(&(cursor){large_size}, riff, 8);
    else if (!open)
        put(&(cursor){riff_size}, riff, 4);
    return length;
}

size_t pn_wav_put_integer(unsigned char *bytes, pn_encoding encoding, int32_t value) {
    uint32_t bits = (uint32_t)value;
    int count = pn_encoding_bytes(encoding);
    for (int i = 0; i < count; ++i)
        bytes[i] = (unsigned char)(bits >> (8 * (4 - count + i)));
    return (size_t)count;
}

size_t pn_wav_put_float(unsigned char *bytes, pn_encoding encoding, float value) {
    uint32_t single;
    double wide = (double)value;
    uint64_t image;
    memcpy(&single, &value, sizeof single);
    memcpy(&image, &wide, sizeof image);
    if (encoding == PN_ENCODING_F32)
        image = single;
    int count = pn_encoding_bytes(encoding);
    put(&(cursor){bytes}, image, count);
    return (size_t)count;
}
