// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/sink.h"

#include <errno.h>
#include <sndfile.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/ogg.h"

#define TAKES(e) (1u << PN_ENCODING_##e)
#define TAKES_ALL (TAKES(PCM16) | TAKES(PCM24) | TAKES(PCM32) | TAKES(F32) | TAKES(F64))

static const pn_container containers[] = {
    {.extension = ".wav", .name = "WAV", .takes = TAKES_ALL},
    {.extension = ".w64", .name = "W64", .format = SF_FORMAT_W64, .takes = TAKES_ALL},
    {.extension = ".caf", .name = "CAF", .format = SF_FORMAT_CAF, .takes = TAKES_ALL},
    {.extension = ".aiff",
     .name = "AIFF",
     .format = SF_FORMAT_AIFF,
     .takes = TAKES_ALL,
     .max_bytes = 0x7fff0000},
    {.extension = ".aif",
     .name = "AIFF",
     .format = SF_FORMAT_AIFF,
     .takes = TAKES_ALL,
     .max_bytes = 0x7fff0000},
    {.extension = ".flac",
     .name = "FLAC",
     .format = SF_FORMAT_FLAC,
     .takes = TAKES(PCM16) | TAKES(PCM24),
     .limits = "up to 8 channels, up to 655350 Hz",
     .max_channels = 8,
     .max_rate = 655350},
    {.extension = ".ogg",
     .name = "Ogg Vorbis",
     .format = SF_FORMAT_OGG | SF_FORMAT_VORBIS,
     .codec = "vorbis",
     .takes = TAKES_ALL,
     .limits = "up to 255 channels, 8000 to 200000 Hz",
     .max_channels = 255,
     .min_rate = 8000,
     .max_rate = 200000},
    {.extension = ".opus",
     .name = "Ogg Opus",
     .format = SF_FORMAT_OGG | SF_FORMAT_OPUS,
     .codec = "opus",
     .takes = TAKES_ALL,
     .limits = "up to 255 channels, at 8, 12, 16, 24 or 48 kHz",
     .max_channels = 255},
};
enum { CONTAINERS = sizeof containers / sizeof containers[0], PORTION = 2048 };

const pn_container pn_container_stream = {.extension = "", .name = "WAV", .takes = TAKES_ALL};

const char *pn_container_list(void) {
    return ".wav .w64 .caf .aiff .aif .flac .ogg .opus";
}

const pn_container *pn_container_find(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (dot == NULL || (slash != NULL && dot < slash))
        return NULL;
    for (int i = 0; i < CONTAINERS; ++i) {
        if (strcasecmp(dot, containers[i].extension) == 0)
            return &containers[i];
    }
    return NULL;
}

typedef struct {
    pn_sink head;
    const pn_staged *file;
    const pn_container *container;
    pn_sink_spec spec;
    SNDFILE *sndfile;
    uint64_t written; /* frames */
} snd_sink;

static int subformat(pn_encoding encoding) {
    static const int formats[] = {SF_FORMAT_PCM_24, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24,
                                  SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,  SF_FORMAT_DOUBLE};
    return formats[encoding];
}

static pinna_status fail_writing(const snd_sink *s, int code, pinna_error *err) {
    if (code != 0)
        return pn_staged_fail(s->file, code, err);
    const char *reason = sf_strerror(s->sndfile); /* some end with a full stop, some do not */
    int length = (int)strcspn(reason, ".");
    return pn_fail(err, PINNA_IO, "%s: cannot write: %.*s; nothing is left of this output", s->file->path,
                   length, reason);
}

static pinna_status check_size(snd_sink *s, size_t frames, pinna_error *err) {
    uint64_t bytes =
        (s->written + frames) * (uint64_t)s->spec.channels * (uint64_t)pn_encoding_bytes(s->spec.encoding);
    if (s->container->max_bytes == 0 || bytes <= s->container->max_bytes)
        return PINNA_OK;
    return pn_fail(err, PINNA_IO, "%s: too long for %s, which ends at 2 GiB; .wav, .w64 and .caf go on",
                   s->file->path, s->container->name);
}

/* In small portions: the Vorbis encoder of libsndfile keeps each call's samples on the stack. */
static pinna_status write_portions(snd_sink *s, const int32_t *integers, const float *floats, size_t frames,
                                   pinna_error *err) {
    pinna_status status = check_size(s, frames, err);
    size_t channels = (size_t)s->spec.channels;
    for (size_t done = 0; done < frames && status == PINNA_OK;) {
        size_t n = frames - done < PORTION ? frames - done : PORTION;
        errno = 0;
        sf_count_t wrote = integers != NULL
                               ? sf_writef_int(s->sndfile, integers + done * channels, (sf_count_t)n)
                               : sf_writef_float(s->sndfile, floats + done * channels, (sf_count_t)n);
        if (wrote != (sf_count_t)n)
            status = fail_writing(s, errno, err);
        done += n;
    }
    s->written += frames;
    return status;
}

static pinna_status write_integers(pn_sink *sink, const int32_t *samples, size_t frames, pinna_error *err) {
    return write_portions((snd_sink *)sink, samples, NULL, frames, err);
}

static pinna_status write_floats(pn_sink *sink, const float *samples, size_t frames, pinna_error *err) {
    return write_portions((snd_sink *)sink, NULL, samples, frames, err);
}

/* What libsndfile writes while closing can fail unseen (a full disk): the file must read back at full length. */
static pinna_status verify(snd_sink *s, uint64_t frames, pinna_error *err) {
    SF_INFO info = {0};
    if (lseek(s->file->fd, 0, SEEK_SET) != 0)
        return pn_staged_fail(s->file, errno, err);
    SNDFILE *back = sf_open_fd(s->file->fd, SFM_READ, &info, 0);
    uint64_t found = back == NULL ? 0 : (uint64_t)info.frames;
    sf_close(back);
    if (found == frames)
        return PINNA_OK;
    return pn_fail(err, PINNA_IO,
                   "%s: reads back with %llu of %llu frames (disk full?); nothing is left of this output",
                   s->file->path, (unsigned long long)found, (unsigned long long)frames);
}

static pinna_status finish(pn_sink *sink, uint64_t frames, pinna_error *err) {
    snd_sink *s = (snd_sink *)sink;
    errno = 0;
    int closed = sf_close(s->sndfile);
    int code = errno;
    s->sndfile = NULL;
    if (closed != 0)
        return fail_writing(s, code, err);
    if (s->container->codec != NULL && !pn_ogg_fix_serial(s->file->fd))
        return fail_writing(s, EIO, err);
    return verify(s, frames, err);
}

static void snd_free(pn_sink *sink) {
    snd_sink *s = (snd_sink *)sink;
    if (s->sndfile != NULL)
        sf_close(s->sndfile);
    pn_free(s);
}

static const pn_sink_ops ops = {
    .write_integers = write_integers, .write_floats = write_floats, .finish = finish, .free = snd_free};

static bool fits(const pn_container *container, const pn_sink_spec *spec) {
    return (container->max_channels == 0 || spec->channels <= container->max_channels) &&
           (container->max_rate == 0 || spec->rate <= container->max_rate) &&
           spec->rate >= container->min_rate;
}

static pinna_status start(snd_sink *s, pinna_error *err) {
    int format = s->container->format;
    if (s->container->codec == NULL)
        format |= subformat(s->spec.encoding);
    SF_INFO info = {.samplerate = (int)s->spec.rate, .channels = s->spec.channels, .format = format};
    pinna_status status = check_size(s, s->spec.frames, err);
    if (status != PINNA_OK)
        return status;
    if (fits(s->container, &s->spec) && sf_format_check(&info))
        s->sndfile = sf_open_fd(s->file->fd, SFM_WRITE, &info, 0);
    if (s->sndfile == NULL) {
        const char *limits = s->container->limits;
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "%s: %s cannot hold %d channels at %u Hz%s%s%s; .wav, .w64 and .caf hold any",
                       s->file->path, s->container->name, s->spec.channels, s->spec.rate,
                       limits == NULL ? "" : " (", limits == NULL ? "" : limits, limits == NULL ? "" : ")");
    }
    sf_command(s->sndfile, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    double quality = 0.7;
    if (s->container->codec != NULL)
        sf_command(s->sndfile, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
    return PINNA_OK;
}

pinna_status pn_sink_sndfile_open(const pn_staged *file, const pn_container *container,
                                  const pn_sink_spec *spec, pn_sink **sink, pinna_error *err) {
    *sink = NULL;
    snd_sink *s = pn_alloc(1, sizeof *s);
    if (s == NULL)
        return pn_fail_memory(err, "the output file", sizeof *s);
    *s = (snd_sink){.head = {&ops}, .file = file, .container = container, .spec = *spec};
    pinna_status status = start(s, err);
    if (status != PINNA_OK) {
        snd_free(&s->head);
        return status;
    }
    *sink = &s->head;
    return PINNA_OK;
}
