// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/audio_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/peak.h"
#include "io/planar.h"

/* Lengths. A container's header says how many frames there are; what can be read is often something else: cut-off
 * files, streams that were never completed, MP3 without a table. For plain PCM libsndfile bounds the count by the
 * size of the file and notes the difference in its log, which is searched here ("data : 96000 (should be 1024)").
 * For everything else the last frame is read; where that fails the file is decoded once to count. */

enum { LOG_SIZE = 8192, SKIP_FRAMES = 4096 };

struct pn_audio_reader {
    char *path;
    pn_messages *messages;
    SNDFILE *sndfile;
    SF_INFO sf;
    pn_audio_info info;
    uint64_t position, furthest; /* frames; what lies before furthest is counted already */
    uint64_t nonfinite;
    bool reported, short_reported;
};

static const char accepted[] = "WAV, RF64, W64, CAF, AIFF, FLAC, Ogg (Vorbis, Opus) and MP3 can be read";

static pinna_status check_path(const char *path, pinna_error *err) {
    struct stat st;
    if (strcmp(path, "-") == 0)
        return pn_fail(err, PINNA_UNSUPPORTED, "-: standard input cannot be read; name a file");
    if (stat(path, &st) != 0)
        return pn_fail(err, errno == ENOENT || errno == ENOTDIR ? PINNA_NOT_FOUND : PINNA_IO, "%s: %s", path,
                       errno == ENOENT ? "no such file" : strerror(errno));
    if (S_ISDIR(st.st_mode))
        return pn_fail(err, PINNA_BAD_FILE, "%s: is a folder, not an audio file", path);
    if (!S_ISREG(st.st_mode))
        return pn_fail(err, PINNA_UNSUPPORTED, "%s: is a pipe or a device; audio is read from files only",
                       path);
    if (st.st_size == 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: the file is empty; %s", path, accepted);
    if (access(path, R_OK) != 0)
        return pn_fail(err, PINNA_IO, "%s: cannot be read: %s", path, strerror(errno));
    return PINNA_OK;
}

/* The number after the first "name ... :" of the log; -1 when there is none. */
static double log_value(const char *log, const char *name) {
    const char *at = strstr(log, name);
    if (at == NULL || (at = strchr(at, ':')) == NULL)
        return -1;
    return strtod(at + 1, NULL);
}

static pinna_status check_rate(const char *path, double rate, pinna_error *err) {
    if (rate >= PN_RATE_MIN && rate <= PN_RATE_MAX)
        return PINNA_OK;
    return pn_fail(err, PINNA_BAD_FILE, "%s: its sample rate is %.0f Hz; %d to %d Hz are accepted", path,
                   rate, (int)PN_RATE_MIN, (int)PN_RATE_MAX);
}

/* Why libsndfile refused, in our words. Some refusals hide a value that its log shows. */
static pinna_status fail_open(const char *path, pinna_error *err) {
    char log[LOG_SIZE] = "";
    int code = sf_error(NULL);
    sf_command(NULL, SFC_GET_LOG_INFO, log, LOG_SIZE);
    double rate = log_value(log, "Sample Rate"), channels = log_value(log, "Channels");
    if (code != SF_ERR_SYSTEM && rate >= 0 && check_rate(path, rate, err) != PINNA_OK)
        return PINNA_BAD_FILE;
    if (code != SF_ERR_SYSTEM && channels == 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: has no channels", path);
    if (code == SF_ERR_UNRECOGNISED_FORMAT)
        return pn_fail(err, PINNA_BAD_FILE, "%s: no audio format is recognised in it; %s", path, accepted);
    if (code == SF_ERR_SYSTEM)
        return pn_fail(err, PINNA_IO, "%s: cannot be read: %s", path, sf_strerror(NULL));
    if (strstr(sf_strerror(NULL), "SF_INFO struct incomplete") != NULL)
        return pn_fail(
            err, PINNA_BAD_FILE,
            "%s: its header gives a sample rate or a number of channels that cannot be; %d to %d Hz and 1 to "
            "%d channels are accepted",
            path, (int)PN_RATE_MIN, (int)PN_RATE_MAX, (int)PN_AUDIO_MAX_CHANNELS);
    char reason[256];
    snprintf(reason, sizeof reason, "%s", sf_strerror(NULL));
    size_t length = strlen(reason);
    if (length > 0 && reason[length - 1] == '.')
        reason[length - 1] = '\0';
    return pn_fail(err, PINNA_BAD_FILE, "%s: damaged, or of a kind that cannot be read (%s); %s", path,
                   reason, accepted);
}

static bool is_pcm(int format) {
    int sub = format & SF_FORMAT_SUBMASK, type = format & SF_FORMAT_TYPEMASK;
    bool raw = (sub >= SF_FORMAT_PCM_S8 && sub <= SF_FORMAT_PCM_32) || sub == SF_FORMAT_PCM_U8 ||
               sub == SF_FORMAT_FLOAT || sub == SF_FORMAT_DOUBLE || sub == SF_FORMAT_ULAW ||
               sub == SF_FORMAT_ALAW;
    return raw && type != SF_FORMAT_FLAC;
}

static pinna_status open_file(pn_audio_reader *r, pinna_error *err) {
    sf_close(r->sndfile);
    memset(&r->sf, 0, sizeof r->sf);
    r->position = 0;
    r->sndfile = sf_open(r->path, SFM_READ, &r->sf);
    return r->sndfile != NULL ? PINNA_OK : fail_open(r->path, err);
}

static void describe(pn_audio_reader *r) {
    SF_FORMAT_INFO type = {.format = r->sf.format & SF_FORMAT_TYPEMASK};
    SF_FORMAT_INFO sub = {.format = r->sf.format & SF_FORMAT_SUBMASK};
    sf_command(NULL, SFC_GET_FORMAT_INFO, &type, sizeof type);
    sf_command(NULL, SFC_GET_FORMAT_INFO, &sub, sizeof sub);
    snprintf(r->info.format, sizeof r->info.format, "%s, %s", type.name == NULL ? "audio" : type.name,
             sub.name == NULL ? "unknown encoding" : sub.name);
}

/* Sizes of all ones, or close to it, are those of streams: meant to end with the file. */
static void find_cut(pn_audio_reader *r) {
    static const char *const names[] = {"RIFF :", "riff :", "Riff size :", "FORM :", "SSND :", "data :"};
    char log[LOG_SIZE] = "";
    sf_command(r->sndfile, SFC_GET_LOG_INFO, log, LOG_SIZE);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const char *at = strstr(log, names[i]);
        double said, real;
        if (at == NULL || sscanf(at + strlen(names[i]), " %lf (should be %lf)", &said, &real) != 2)
            continue;
        if (strncmp(at + strlen(names[i]), " 0x", 3) == 0 || said <= real || said >= 2147479552.0)
            continue;
        pn_warn(r->messages,
                "%s: the data ends before its header says (%.0f of %.0f bytes): cut off? The %llu frames "
                "there are read",
                r->path, real, said, (unsigned long long)r->info.frames);
        return;
    }
}

/* Skips by decoding; returns the frames skipped. */
static uint64_t decode_away(pn_audio_reader *r, uint64_t frames) {
    float *scratch = pn_alloc_floats((size_t)SKIP_FRAMES * (size_t)r->sf.channels);
    uint64_t done = 0;
    while (scratch != NULL && done < frames) {
        sf_count_t want = frames - done < SKIP_FRAMES ? (sf_count_t)(frames - done) : SKIP_FRAMES;
        sf_count_t got = sf_readf_float(r->sndfile, scratch, want);
        if (got <= 0)
            break;
        done += (uint64_t)got;
    }
    pn_free(scratch);
    return done;
}

/* Compressed formats: is the last frame where the header says? If not, counts. Leaves the file at its start. */
static pinna_status measure(pn_audio_reader *r, pinna_error *err) {
    bool known = r->sf.frames > 0 && r->sf.frames < SF_COUNT_MAX;
    if (known && r->sf.seekable && sf_seek(r->sndfile, r->sf.frames - 1, SEEK_SET) >= 0 &&
        decode_away(r, 2) == 1)
        return open_file(r, err);
    pinna_status status = open_file(r, err);
    if (status != PINNA_OK)
        return status;
    uint64_t said = r->info.frames;
    r->info.frames = decode_away(r, UINT64_MAX);
    if (known && r->info.frames != said)
        pn_warn(r->messages, "%s: holds %llu frames, not the %llu its header says: cut off?", r->path,
                (unsigned long long)r->info.frames, (unsigned long long)said);
    else if (!known)
        pn_warn(r->messages, "%s: does not tell its length, perhaps cut off; the %llu frames there are read",
                r->path, (unsigned long long)r->info.frames);
    return open_file(r, err);
}

static pinna_status open_reader(pn_audio_reader *r, pinna_error *err) {
    pinna_status status = check_path(r->path, err);
    if (status == PINNA_OK)
        status = open_file(r, err);
    if (status == PINNA_OK)
        status = check_rate(r->path, r->sf.samplerate, err);
    if (status != PINNA_OK)
        return status;
    if (r->sf.channels < 1 || r->sf.channels > PN_AUDIO_MAX_CHANNELS)
        return pn_fail(err, PINNA_BAD_FILE, "%s: has %d channels; 1 to %d are accepted", r->path,
                       r->sf.channels, (int)PN_AUDIO_MAX_CHANNELS);
    int sub = r->sf.format & SF_FORMAT_SUBMASK;
    bool flac = (r->sf.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
    r->info.channels = r->sf.channels;
    r->info.rate = r->sf.samplerate;
    r->info.frames = r->sf.frames > 0 && r->sf.frames < SF_COUNT_MAX ? (uint64_t)r->sf.frames : 0;
    r->info.is_float = sub == SF_FORMAT_FLOAT || sub == SF_FORMAT_DOUBLE;
    r->info.exact_seek = r->sf.seekable && (flac || is_pcm(r->sf.format));
    describe(r);
    if (!is_pcm(r->sf.format))
        status = measure(r, err);
    else if (r->info.frames > 0)
        find_cut(r);
    if (status == PINNA_OK && r->info.frames == 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: has no samples", r->path);
    return status;
}

pinna_status pn_audio_reader_open(const char *path, pn_messages *messages, pn_audio_reader **reader,
                                  pinna_error *err) {
    *reader = NULL;
    pn_audio_reader *r = pn_alloc(1, sizeof *r);
    char *copy = pn_strdup(path);
    if (r == NULL || copy == NULL) {
        pn_free(r);
        pn_free(copy);
        return pn_fail_memory(err, path, sizeof *r);
    }
    r->path = copy;
    r->messages = messages;
    pinna_status status = open_reader(r, err);
    if (status != PINNA_OK) {
        pn_audio_reader_free(r);
        return status;
    }
    *reader = r;
    return PINNA_OK;
}

void pn_audio_reader_free(pn_audio_reader *r) {
    if (r == NULL)
        return;
    pn_audio_reader_report(r);
    sf_close(r->sndfile);
    pn_free(r->path);
    pn_free(r);
}

const pn_audio_info *pn_audio_reader_info(const pn_audio_reader *r) {
    return &r->info;
}

const char *pn_audio_reader_path(const pn_audio_reader *r) {
    return r->path;
}

static void silence_nonfinite(pn_audio_reader *r, float *samples, size_t frames) {
    size_t channels = (size_t)r->info.channels;
    if (isfinite(pn_largest(samples, frames * channels)))
        return;
    for (size_t i = 0; i < frames * channels; ++i) {
        if (isfinite(samples[i]))
            continue;
        samples[i] = 0;
        r->nonfinite += r->position + i / channels >= r->furthest;
    }
}

pinna_status pn_audio_reader_read(pn_audio_reader *r, float *interleaved, size_t frames, size_t *got,
                                  pinna_error *err) {
    *got = 0;
    uint64_t left = r->info.frames - r->position;
    size_t want = frames < left ? frames : (size_t)left;
    while (*got < want) {
        float *at = interleaved + *got * (size_t)r->info.channels;
        sf_count_t n = sf_readf_float(r->sndfile, at, (sf_count_t)(want - *got));
        if (n <= 0)
            break;
        silence_nonfinite(r, at, (size_t)n);
        r->position += (uint64_t)n;
        r->furthest = r->position > r->furthest ? r->position : r->furthest;
        *got += (size_t)n;
    }
    if (*got == want)
        return PINNA_OK;
    if (sf_error(r->sndfile) == SF_ERR_SYSTEM)
        return pn_fail(err, PINNA_IO, "%s: reading failed at frame %llu: %s", r->path,
                       (unsigned long long)r->position, sf_strerror(r->sndfile));
    if (!r->short_reported)
        pn_warn(r->messages, "%s: ends, or is damaged, after %llu of %llu frames", r->path,
                (unsigned long long)r->position, (unsigned long long)r->info.frames);
    r->short_reported = true;
    return PINNA_OK;
}

pinna_status pn_audio_reader_seek(pn_audio_reader *r, uint64_t frame, pinna_error *err) {
    if (frame > r->info.frames)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: frame %llu lies past its end, %llu", r->path,
                       (unsigned long long)frame, (unsigned long long)r->info.frames);
    if (frame == r->position)
        return PINNA_OK;
    if (r->info.exact_seek) {
        if (sf_seek(r->sndfile, (sf_count_t)frame, SEEK_SET) != (sf_count_t)frame)
            return pn_fail(err, PINNA_IO, "%s: cannot go to frame %llu: %s", r->path,
                           (unsigned long long)frame, sf_strerror(r->sndfile));
        r->position = frame;
        return PINNA_OK;
    }
    if (frame < r->position) {
        pinna_status status = open_file(r, err);
        if (status != PINNA_OK)
            return status;
    }
    r->position += decode_away(r, frame - r->position);
    if (r->position != frame)
        return pn_fail(err, PINNA_BAD_FILE, "%s: ends at frame %llu, before %llu", r->path,
                       (unsigned long long)r->position, (unsigned long long)frame);
    return PINNA_OK;
}

uint64_t pn_audio_reader_nonfinite(const pn_audio_reader *r) {
    return r->nonfinite;
}

void pn_audio_reader_report(pn_audio_reader *r) {
    if (r->nonfinite > 0 && !r->reported)
        pn_warn(r->messages, "%s: samples that are not finite (NaN or infinite), taken as silence: %llu",
                r->path, (unsigned long long)r->nonfinite);
    r->reported = r->nonfinite > 0;
}

void pn_audio_reader_hush(pn_audio_reader *r) {
    r->nonfinite = 0;
}
