// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "io/clip.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/ring.h"
#include "io/audio_file.h"
#include "signal/resample.h"

/* Two stages: the source stream (frames of the part of the file, repeated when looped, only the channels wanted) and
 * the ring (the same at the engine's rate). A loop is unrolled before the resampler, which so never sees a seam.
 * Loops of up to CACHE_SAMPLES are held in memory, so that short ones don't seek all the time. */

enum { PORTION = 1024, READ_FRAMES = 256, CACHE_SAMPLES = 1 << 18 };

struct pn_clip {
    pn_audio_reader *reader;
    pn_resampler *resampler; /* NULL: equal rates */
    int channel;             /* 0-based; -1 = all */
    size_t channels;         /* given */
    bool loop, ended;        /* ended: no more source frames */
    double file_rate;

    /* pump's side */
    uint64_t from, part, at; /* of the file, frames: first, count, next within the part */
    uint64_t total, made;    /* at the engine's rate */
    float *cache;            /* [part][channels] or NULL */
    float *file_frames;      /* PORTION x the file's channels */
    float *source;           /* PORTION x channels */
    size_t source_at, source_end;
    float *portion; /* PORTION x channels, at the engine's rate */

    pn_ring ring; /* interleaved */

    /* read's side */
    uint64_t position;
    float *scratch;      /* READ_FRAMES x channels */
    _Atomic size_t owed; /* frames that came too late and are to be skipped */
};

static void pick(const pn_clip *clip, const float *frames, size_t count, float *out) {
    if (clip->channel < 0) {
        memcpy(out, frames, count * clip->channels * sizeof *out);
        return;
    }
    size_t stride = (size_t)pn_audio_reader_info(clip->reader)->channels;
    for (size_t n = 0; n < count; ++n)
        out[n] = frames[n * stride + (size_t)clip->channel];
}

static pinna_status read_file(pn_clip *clip, float *out, size_t count, size_t *got, pinna_error *err) {
    pinna_status status = pn_audio_reader_seek(clip->reader, clip->from + clip->at, err);
    if (status != PINNA_OK)
        return status;
    status = pn_audio_reader_read(clip->reader, clip->file_frames, count, got, err);
    if (status == PINNA_OK)
        pick(clip, clip->file_frames, *got, out);
    return status;
}

/* Up to count (at most PORTION) frames of the source stream; 0 = it has ended. */
static pinna_status fetch(pn_clip *clip, float *out, size_t count, size_t *got, pinna_error *err) {
    *got = 0;
    if (clip->at == clip->part) {
        pn_audio_reader_report(clip->reader);
        clip->ended = !clip->loop;
        clip->at = 0;
    }
    if (clip->ended)
        return PINNA_OK;
    uint64_t left = clip->part - clip->at;
    size_t want = count < left ? count : (size_t)left;
    if (clip->cache != NULL) {
        memcpy(out, clip->cache + clip->at * clip->channels, want * clip->channels * sizeof *out);
        *got = want;
    } else {
        pinna_status status = read_file(clip, out, want, got, err);
        if (status != PINNA_OK)
            return status;
    }
    clip->at += *got;
    if (*got <
        want) { /* the file was shorter than it said: a loop turns here, the rest of a part is silence */
        clip->part = clip->at;
        clip->ended = clip->part == 0;
    }
    return PINNA_OK;
}

/* count (at most PORTION) frames into clip->portion; silence after the end of the source. */
static pinna_status make_portion(pn_clip *clip, size_t count, pinna_error *err) {
    size_t done = 0, used = 0, made = 0;
    while (done < count) {
        if (clip->source_at == clip->source_end && !clip->ended) {
            clip->source_at = 0;
            size_t want = clip->resampler == NULL ? count - done : PORTION;
            pinna_status status = fetch(clip, clip->source, want, &clip->source_end, err);
            if (status != PINNA_OK)
                return status;
            continue;
        }
        size_t have = clip->source_end - clip->source_at;
        const float *in = clip->source + clip->source_at * clip->channels;
        float *out = clip->portion + done * clip->channels;
        if (clip->resampler == NULL) {
            used = made = have < count - done ? have : count - done;
            memcpy(out, in, made * clip->channels * sizeof *out);
        } else {
            pinna_status status = pn_resampler_process(clip->resampler, have > 0 ? in : NULL, have, &used,
                                                       out, count - done, &made, err);
            if (status != PINNA_OK)
                return status;
        }
        clip->source_at += used;
        done += made;
        if (have == 0 && made == 0)
            break;
    }
    memset(clip->portion + done * clip->channels, 0, (count - done) * clip->channels * sizeof(float));
    return PINNA_OK;
}

pinna_status pn_clip_pump(pn_clip *clip, size_t frames, pinna_error *err) {
    size_t target = frames + atomic_load_explicit(&clip->owed, memory_order_relaxed);
    size_t most = clip->ring.capacity / clip->channels;
    target = target < most ? target : most;
    for (;;) {
        size_t have = pn_ring_readable(&clip->ring) / clip->channels;
        uint64_t left = clip->total - clip->made;
        if (have >= target || left == 0)
            return PINNA_OK;
        size_t count = target - have < PORTION ? target - have : PORTION;
        count = count < left ? count : (size_t)left;
        pinna_status status = make_portion(clip, count, err);
        if (status != PINNA_OK)
            return status;
        pn_ring_write(&clip->ring, clip->portion, count * clip->channels);
        clip->made += count;
    }
}

/* Moves up to READ_FRAMES frames from the ring to out[c] + at; out NULL drops them. */
PN_BLOCK_PATH static size_t take(pn_clip *clip, float *const *out, size_t at, size_t frames) {
    size_t count = frames < READ_FRAMES ? frames : READ_FRAMES;
    size_t got = pn_ring_read(&clip->ring, clip->scratch, count * clip->channels) / clip->channels;
    for (size_t c = 0; out != NULL && c < clip->channels; ++c) {
        for (size_t n = 0; n < got; ++n)
            out[c][at + n] = clip->scratch[n * clip->channels + c];
    }
    return got;
}

PN_BLOCK_PATH static void skip_owed(pn_clip *clip) {
    size_t owed = atomic_load_explicit(&clip->owed, memory_order_relaxed), got = 1;
    while (owed > 0 && got > 0) {
        got = take(clip, NULL, 0, owed);
        owed -= got;
    }
    atomic_store_explicit(&clip->owed, owed, memory_order_relaxed);
}

size_t pn_clip_read(pn_clip *clip, float *const *out, size_t frames) {
    uint64_t left = clip->total - clip->position;
    size_t wanted = frames < left ? frames : (size_t)left, done = 0, got = 1;
    skip_owed(clip);
    while (done < wanted && got > 0) {
        got = take(clip, out, done, wanted - done);
        done += got;
    }
    for (size_t c = 0; c < clip->channels; ++c)
        memset(out[c] + done, 0, (frames - done) * sizeof(float));
    size_t owed = atomic_load_explicit(&clip->owed, memory_order_relaxed);
    atomic_store_explicit(&clip->owed, owed + wanted - done, memory_order_relaxed);
    clip->position += wanted;
    return done;
}

/* ------------------------------------------------------------------ opening */

static pinna_status check_desc(const pn_clip_desc *desc, const pn_audio_info *info, pinna_error *err) {
    double seconds = (double)info->frames / info->rate;
    if (desc->channel < 0 || desc->channel > info->channels)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: has no channel %d; it has %d", desc->path, desc->channel,
                       info->channels);
    if (!(desc->from_s >= 0) || !(desc->length_s >= 0) || !isfinite(desc->length_s))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "%s: an offset of %g s and a length of %g s; both must be 0 or more", desc->path,
                       desc->from_s, desc->length_s);
    if (desc->from_s * info->rate + 0.5 >= (double)info->frames)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: begins at %g s, but is only %g s long", desc->path,
                       desc->from_s, seconds);
    return PINNA_OK;
}

static pinna_status set_lengths(pn_clip *clip, const pn_clip_desc *desc, pn_messages *messages,
                                pinna_error *err) {
    const pn_audio_info *info = pn_audio_reader_info(clip->reader);
    clip->from = (uint64_t)(desc->from_s * info->rate + 0.5);
    clip->part = info->frames - clip->from;
    if (clip->loop) {
        clip->total = desc->length_s > 0 ? (uint64_t)(desc->length_s * desc->rate + 0.5) : UINT64_MAX;
    } else {
        double wanted = floor(desc->length_s * info->rate + 0.5);
        if (wanted > (double)clip->part)
            pn_info(messages, "%s: %g s from %g s on were asked for, it ends after %g s", desc->path,
                    desc->length_s, desc->from_s, (double)clip->part / info->rate);
        else if (desc->length_s > 0)
            clip->part = (uint64_t)wanted;
        clip->total = pn_resample_length(clip->part, info->rate, desc->rate);
    }
    if (clip->part == 0 || clip->total == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a length of %g s is less than one sample", desc->path,
                       desc->length_s);
    return PINNA_OK;
}

static pinna_status allocate(pn_clip *clip, const pn_clip_desc *desc, pinna_error *err) {
    size_t file_channels = (size_t)pn_audio_reader_info(clip->reader)->channels;
    size_t ahead = desc->ahead > 0 ? desc->ahead : PN_CLIP_AHEAD;
    clip->file_frames = pn_alloc_floats(PORTION * file_channels);
    clip->source = pn_alloc_floats(PORTION * clip->channels);
    clip->portion = pn_alloc_floats(PORTION * clip->channels);
    clip->scratch = pn_alloc_floats(READ_FRAMES * clip->channels);
    int ring = pn_ring_init(&clip->ring, ahead * clip->channels);
    if (clip->file_frames == NULL || clip->source == NULL || clip->portion == NULL || clip->scratch == NULL ||
        !ring)
        return pn_fail_memory(err, desc->path, (double)(ahead * clip->channels * sizeof(float)));
    return PINNA_OK;
}

static pinna_status fill_cache(pn_clip *clip, pinna_error *err) {
    if (!clip->loop || clip->part > CACHE_SAMPLES / clip->channels)
        return PINNA_OK;
    float *cache = pn_alloc_floats((size_t)clip->part * clip->channels);
    if (cache == NULL)
        return pn_fail_memory(err, pn_audio_reader_path(clip->reader),
                              (double)(clip->part * clip->channels * 4));
    size_t got = 1;
    pinna_status status = PINNA_OK;
    while (status == PINNA_OK && got > 0 && clip->at < clip->part && !clip->ended)
        status = fetch(clip, cache + clip->at * clip->channels, PORTION, &got, err);
    clip->at = 0;
    clip->cache = cache;
    return status;
}

static pinna_status open_clip(pn_clip *clip, const pn_clip_desc *desc, pn_messages *messages,
                              pinna_error *err) {
    pinna_status status = pn_audio_reader_open(desc->path, messages, &clip->reader, err);
    if (status != PINNA_OK)
        return status;
    const pn_audio_info *info = pn_audio_reader_info(clip->reader);
    status = check_desc(desc, info, err);
    if (status != PINNA_OK)
        return status;
    clip->channel = desc->channel - 1;
    clip->channels = desc->channel > 0 ? 1 : (size_t)info->channels;
    clip->loop = desc->loop;
    clip->file_rate = info->rate;
    status = set_lengths(clip, desc, messages, err);
    if (status == PINNA_OK)
        status = allocate(clip, desc, err);
    if (status == PINNA_OK)
        status = fill_cache(clip, err);
    if (status != PINNA_OK || info->rate == desc->rate)
        return status;
    pn_info(messages, "%s: resampled from %g to %g Hz", desc->path, info->rate, desc->rate);
    status = pn_resampler_create((int)clip->channels, info->rate, desc->rate, &clip->resampler, err);
    return status == PINNA_OK ? status : pn_fail_within(err, status, "%s", desc->path);
}

pinna_status pn_clip_open(const pn_clip_desc *desc, pn_messages *messages, pn_clip **clip, pinna_error *err) {
    *clip = NULL;
    pn_clip *c = pn_alloc(1, sizeof *c);
    if (c == NULL)
        return pn_fail_memory(err, desc->path, sizeof *c);
    pinna_status status = open_clip(c, desc, messages, err);
    if (status != PINNA_OK) {
        pn_clip_free(c);
        return status;
    }
    *clip = c;
    return PINNA_OK;
}

void pn_clip_free(pn_clip *clip) {
    if (clip == NULL)
        return;
    pn_audio_reader_free(clip->reader);
    pn_resampler_free(clip->resampler);
    pn_ring_clear(&clip->ring);
    pn_free(clip->cache);
    pn_free(clip->file_frames);
    pn_free(clip->source);
    pn_free(clip->portion);
    pn_free(clip->scratch);
    pn_free(clip);
}

int pn_clip_channels(const pn_clip *clip) {
    return (int)clip->channels;
}

double pn_clip_file_rate(const pn_clip *clip) {
    return clip->file_rate;
}

uint64_t pn_clip_frames(const pn_clip *clip) {
    return clip->total;
}

void pn_clip_report(pn_clip *clip) {
    pn_audio_reader_report(clip->reader);
}
