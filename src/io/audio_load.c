// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/audio_file.h"

#include <string.h>

#include "base/memory.h"
#include "io/planar.h"
#include "signal/resample.h"

enum { PORTION_SAMPLES = 65536 };
static const double longest_response_s = 600;

void pn_audio_clear(pn_audio *audio) {
    if (audio == NULL)
        return;
    for (int c = 0; audio->channel != NULL && c < audio->channels; ++c)
        pn_free(audio->channel[c]);
    pn_free(audio->channel);
    memset(audio, 0, sizeof *audio);
}

static pinna_status allocate(pn_audio *audio, const char *path, pinna_error *err) {
    double bytes = (double)audio->channels * (double)audio->frames * sizeof(float);
    audio->channel = pn_alloc((size_t)audio->channels, sizeof *audio->channel);
    if (audio->channel == NULL)
        return pn_fail_memory(err, path, bytes);
    for (int c = 0; c < audio->channels; ++c) {
        audio->channel[c] = pn_alloc_floats(audio->frames);
        if (audio->channel[c] == NULL)
            return pn_fail_memory(err, path, bytes);
    }
    return PINNA_OK;
}

/* Reads everything; a file that ends early leaves audio->frames at what there was. */
static pinna_status read_all(pn_audio_reader *reader, pn_audio *audio, pinna_error *err) {
    size_t channels = (size_t)audio->channels, most = PORTION_SAMPLES / channels, done = 0, got = 1;
    float *buffer = pn_alloc_floats(most * channels);
    if (buffer == NULL)
        return pn_fail_memory(err, pn_audio_reader_path(reader), PORTION_SAMPLES * sizeof(float));
    pinna_status status = PINNA_OK;
    while (status == PINNA_OK && got > 0 && done < audio->frames) {
        size_t want = audio->frames - done < most ? audio->frames - done : most;
        status = pn_audio_reader_read(reader, buffer, want, &got, err);
        pn_deinterleave(audio->channel, channels, done, buffer, got);
        done += got;
    }
    pn_free(buffer);
    audio->frames = done;
    if (status == PINNA_OK && done == 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: has no samples that can be read",
                       pn_audio_reader_path(reader));
    return status;
}

static pinna_status check_response(const pn_audio_reader *reader, const pn_audio *audio,
                                   pn_messages *messages, pinna_error *err) {
    const char *path = pn_audio_reader_path(reader);
    uint64_t bad = pn_audio_reader_nonfinite(reader);
    if (bad > 0)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: samples that are not finite (NaN or infinite): %llu; an impulse response must be "
                       "free of them",
                       path, (unsigned long long)bad);
    for (int c = 0; c < audio->channels; ++c) {
        for (size_t n = 0; n < audio->frames; ++n) {
            if (audio->channel[c][n] != 0)
                return PINNA_OK;
        }
    }
    pn_warn(messages, "%s: this impulse response is all zero: what it is convolved with becomes silence",
            path);
    return PINNA_OK;
}

/* The sum of a response is its gain at 0 Hz, and resampling keeps the values, not the sum: from/to undoes that. */
static pinna_status resample(pn_audio *audio, double rate, bool response, pinna_error *err) {
    size_t frames = audio->frames;
    for (int c = 0; c < audio->channels; ++c) {
        float *out = NULL;
        pinna_status status =
            pn_resample(audio->channel[c], audio->frames, audio->rate, rate, &out, &frames, err);
        if (status != PINNA_OK)
            return status;
        double factor = response ? audio->rate / rate : 1;
        for (size_t n = 0; n < frames; ++n)
            out[n] = (float)(out[n] * factor);
        pn_free(audio->channel[c]);
        audio->channel[c] = out;
    }
    audio->frames = frames;
    audio->rate = rate;
    return PINNA_OK;
}

static pinna_status load(pn_audio_reader *reader, double rate, pn_audio_use use, pn_messages *messages,
                         pn_audio *audio, pinna_error *err) {
    const pn_audio_info *info = pn_audio_reader_info(reader);
    const char *path = pn_audio_reader_path(reader);
    bool response = use == PN_AUDIO_RESPONSE;
    double seconds = (double)info->frames / info->rate;
    if (response && seconds > longest_response_s)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %.0f s long; an impulse response has at most %.0f s", path,
                       seconds, longest_response_s);
    *audio = (pn_audio){.channels = info->channels,
                        .frames = (size_t)info->frames,
                        .rate = info->rate,
                        .file_rate = info->rate,
                        .is_float = info->is_float};
    pinna_status status = allocate(audio, path, err);
    if (status == PINNA_OK)
        status = read_all(reader, audio, err);
    if (status == PINNA_OK && response)
        status = check_response(reader, audio, messages, err);
    if (status != PINNA_OK || rate <= 0 || rate == audio->rate)
        return status;
    pn_info(messages, "%s: resampled from %g to %g Hz", path, audio->rate, rate);
    return resample(audio, rate, response, err);
}

pinna_status pn_audio_load(const char *path, double rate, pn_audio_use use, pn_messages *messages,
                           pn_audio *audio, pinna_error *err) {
    memset(audio, 0, sizeof *audio);
    pn_audio_reader *reader = NULL;
    pinna_status status = pn_audio_reader_open(path, messages, &reader, err);
    if (status != PINNA_OK)
        return status;
    status = load(reader, rate, use, messages, audio, err);
    if (status != PINNA_OK) {
        pn_audio_clear(audio);
        pn_audio_reader_hush(reader); /* the error says it */
    }
    pn_audio_reader_free(reader);
    return status;
}
