// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_IO_WAV_H
#define PN_IO_WAV_H

#include <stddef.h>

#include "io/audio_file.h"

/* WAV and RF64 headers, written here and not by libsndfile, which cannot write WAV to a pipe, and puts time
 * stamps into RF64. Formats: RIFF WAVE (Microsoft, IBM 1991; WAVEFORMATEXTENSIBLE 2001), RF64 (EBU Tech
 * 3306). */

enum { PN_WAV_HEADER_MAX = 128 };

typedef enum {
    PN_WAV_PLAIN,  /* sizes fit 32 bits, and are final */
    PN_WAV_ROOM,   /* plain for now, with room to become PN_WAV_LARGE: same length */
    PN_WAV_LARGE,  /* RF64 */
    PN_WAV_ENDLESS /* sizes unknown for good: all ones, which readers take as "to the end" */
} pn_wav_kind;

/* Frames that a plain WAV can hold. */
uint64_t pn_wav_plain_frames(int channels, pn_encoding encoding);

/* Writes the header up to the first sample into bytes; returns its length. */
size_t pn_wav_header(unsigned char bytes[PN_WAV_HEADER_MAX], pn_wav_kind kind, int channels, uint32_t rate,
                     pn_encoding encoding, uint64_t frames);

/* One sample, little endian; returns the bytes written. value: as pn_quantiser_round, for integer encodings.
 */
size_t pn_wav_put_integer(unsigned char *bytes, pn_encoding encoding, int32_t value);
size_t pn_wav_put_float(unsigned char *bytes, pn_encoding encoding, float value);

#endif
