// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/wav.h"

enum { BUFFER = 1 << 18, ROOM = BUFFER - 8 };

typedef struct {
    pn_sink head;
    const pn_staged *file;
    pn_sink_spec spec;
    pn_wav_kind kind;
    unsigned char *buffer;
    size_t used;
} wav_sink;

static pinna_status flush(wav_sink *w, pinna_error *err) {
    pinna_status status = pn_staged_write(w->file, w->buffer, w->used, err);
    w->used = 0;
    return status;
}

static pinna_status flush_if_full(wav_sink *w, pinna_error *err) {
    return w->used < ROOM ? PINNA_OK : flush(w, err);
}

/* Our samples of 32 bits stand in memory as they do in the file. */
static bool is_image(const wav_sink *w) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1 && (w->spec.encoding == PN_ENCODING_F32 || w->spec.encoding == PN_ENCODING_PCM32);
}

static pinna_status write_image(wav_sink *w, const void *samples, size_t count, pinna_error *err) {
    pinna_status status = flush(w, err);
    return status == PINNA_OK ? pn_staged_write(w->file, samples, 4 * count, err) : status;
}

static pinna_status write_integers(pn_sink *sink, const int32_t *samples, size_t frames, pinna_error *err) {
    wav_sink *w = (wav_sink *)sink;
    size_t count = frames * (size_t)w->spec.channels;
    if (is_image(w))
        return write_image(w, samples, count, err);
    pinna_status status = PINNA_OK;
    for (size_t i = 0; i < count && status == PINNA_OK; ++i) {
        w->used += pn_wav_put_integer(w->buffer + w->used, w->spec.encoding, samples[i]);
        status = flush_if_full(w, err);
    }
    return status;
}

static pinna_status write_floats(pn_sink *sink, const float *samples, size_t frames, pinna_error *err) {
    wav_sink *w = (wav_sink *)sink;
    size_t count = frames * (size_t)w->spec.channels;
    if (is_image(w))
        return write_image(w, samples, count, err);
    pinna_status status = PINNA_OK;
    for (size_t i = 0; i < count && status == PINNA_OK; ++i) {
        w->used += pn_wav_put_float(w->buffer + w->used, w->spec.encoding, samples[i]);
        status = flush_if_full(w, err);
    }
    return status;
}

static pinna_status rewrite_header(wav_sink *w, uint64_t frames, pinna_error *err) {
    unsigned char header[PN_WAV_HEADER_MAX];
    bool fits = frames <= pn_wav_plain_frames(w->spec.channels, w->spec.encoding);
    if (!fits && w->kind == PN_WAV_PLAIN)
        return pn_fail(err, PINNA_IO, "%s: more than the announced frames, past the 4 GiB of a plain WAV",
                       w->file->path);
    pn_wav_kind kind = fits ? w->kind == PN_WAV_PLAIN ? PN_WAV_PLAIN : PN_WAV_ROOM : PN_WAV_LARGE;
    size_t length = pn_wav_header(header, kind, w->spec.channels, w->spec.rate, w->spec.encoding, frames);
    if (pwrite(w->file->fd, header, length, 0) != (ssize_t)length)
        return pn_staged_fail(w->file, errno, err);
    return PINNA_OK;
}

static pinna_status finish(pn_sink *sink, uint64_t frames, pinna_error *err) {
    wav_sink *w = (wav_sink *)sink;
    uint64_t bytes = frames * (uint64_t)w->spec.channels * (uint64_t)pn_encoding_bytes(w->spec.encoding);
    if (bytes & 1)
        w->buffer[w->used++] = 0;
    pinna_status status = flush(w, err);
    if (status != PINNA_OK || w->file->direct)
        return status;
    return rewrite_header(w, frames, err);
}

static void wav_free(pn_sink *sink) {
    wav_sink *w = (wav_sink *)sink;
    pn_free(w->buffer);
    pn_free(w);
}

static const pn_sink_ops ops = {
    .write_integers = write_integers, .write_floats = write_floats, .finish = finish, .free = wav_free};

/* A stream's header cannot be corrected later: sizes stand in it when they are known and fit. */
static pn_wav_kind choose_kind(const pn_staged *file, const pn_sink_spec *spec) {
    bool known = spec->frames > 0;
    bool fits = spec->frames <= pn_wav_plain_frames(spec->channels, spec->encoding);
    if (file->direct)
        return !known ? PN_WAV_ENDLESS : fits ? PN_WAV_PLAIN : PN_WAV_LARGE;
    return known && fits ? PN_WAV_PLAIN : PN_WAV_ROOM;
}

pinna_status pn_sink_wav_open(const pn_staged *file, const pn_sink_spec *spec, pn_sink **sink,
                              pinna_error *err) {
    *sink = NULL;
    wav_sink *w = pn_alloc(1, sizeof *w);
    if (w == NULL)
        return pn_fail_memory(err, "the output file", sizeof *w);
    *w = (wav_sink){{&ops}, file, *spec, choose_kind(file, spec), pn_alloc(BUFFER, 1), 0};
    if (w->buffer == NULL) {
        wav_free(&w->head);
        return pn_fail_memory(err, "the output file", BUFFER);
    }
    w->used = pn_wav_header(w->buffer, w->kind, spec->channels, spec->rate, spec->encoding, spec->frames);
    /* At once, so that a disk without any room is found before the rendering. */
    pinna_status status = flush(w, err);
    if (status != PINNA_OK) {
        wav_free(&w->head);
        return status;
    }
    *sink = &w->head;
    return PINNA_OK;
}
