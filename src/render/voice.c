// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/voice.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"
#include "scene/motion.h"

static uint64_t to_frames(double seconds, double rate) {
    return (uint64_t)llround(seconds * rate);
}

static pinna_status open_clip(pn_voice *voice, const pn_scene *scene, const pn_voice_setting *setting,
                              pinna_error *err) {
    const pn_source *source = voice->source;
    double length = source->length;
    if (source->loop && length < 0 && setting->scene_frames != UINT64_MAX) {
        uint64_t left = setting->scene_frames > voice->start ? setting->scene_frames - voice->start : 1;
        length = (double)left / setting->rate;
    }
    pn_clip_desc desc = {
        .path = source->clip,
        .channel = source->channel,
        .rate = setting->rate,
        .from_s = source->from,
        .length_s = length < 0 ? 0 : length,
        .loop = source->loop,
    };
    pinna_status status = pn_clip_open(&desc, setting->messages, &voice->clip, err);
    if (status != PINNA_OK) {
        char place[PINNA_ERROR_TEXT];
        return pn_fail_within(err, status, "%s",
                              pn_scene_place(scene, source->clip_mark, place, sizeof place));
    }
    voice->frames = pn_clip_frames(voice->clip);
    voice->clip_channels = pn_clip_channels(voice->clip);
    if (source->render != PN_RENDER_BINAURAL && voice->clip_channels > 2) {
        return pn_scene_fail(
            scene, source->clip_mark, err, PINNA_BAD_SCENE,
            "%s has %d channels; `render: %s` takes mono and stereo clips: choose one with `channel`",
            source->clip, voice->clip_channels, source->render == PN_RENDER_STEREO ? "stereo" : "direct");
    }
    voice->channels = source->render == PN_RENDER_BINAURAL ? 1 : voice->clip_channels;
    voice->raw = pn_alloc((size_t)voice->clip_channels, sizeof *voice->raw);
    for (int c = 0; voice->raw != NULL && c < voice->clip_channels; ++c) {
        voice->raw[c] = pn_alloc_floats((size_t)setting->block);
        if (voice->raw[c] == NULL)
            return pn_fail_memory(err, "a clip's channels", 4.0 * setting->block);
    }
    if (voice->raw == NULL)
        return pn_fail_memory(err, "a clip's channels", 8.0 * voice->clip_channels);
    return PINNA_OK;
}

static pinna_status open_generator(pn_voice *voice, const pn_voice_setting *setting, pinna_error *err) {
    const pn_source *source = voice->source;
    if (source->length >= 0)
        voice->frames = to_frames(source->length, setting->rate);
    else if (setting->scene_frames != UINT64_MAX)
        voice->frames = setting->scene_frames > voice->start ? setting->scene_frames - voice->start : 0;
    if (source->generator.kind == PN_GENERATOR_SWEEP && source->length < 0 && source->generator.duration > 0)
        voice->frames = to_frames(source->generator.duration, setting->rate);
    return pn_generator_run_create(&source->generator, setting->rate, voice->frames, &voice->generator, err);
}

pinna_status pn_voice_open(pn_voice *voice, const pn_scene *scene, const pn_source *source,
                           const pn_voice_setting *setting, pinna_error *err) {
    voice->source = source;
    voice->audible = pn_source_audible(scene, source);
    voice->channels = 1;
    voice->start = to_frames(source->start, setting->rate);
    voice->frames = UINT64_MAX;
    pinna_status status = PINNA_OK;
    if (source->clip != NULL)
        status = open_clip(voice, scene, setting, err);
    else if (source->has_generator)
        status = open_generator(voice, setting, err);
    if (status != PINNA_OK)
        return status;
    for (int c = 0; c < voice->channels; ++c) {
        voice->dry[c] = pn_alloc_floats((size_t)setting->block);
        if (voice->dry[c] == NULL)
            return pn_fail_memory(err, "a source", 4.0 * setting->block);
    }
    if (source->clip == NULL && !source->has_generator) {
        voice->fed = pn_alloc_floats((size_t)setting->block);
        if (voice->fed == NULL)
            return pn_fail_memory(err, "a source", 4.0 * setting->block);
    }
    voice->gain = (float)pn_db_to_gain(pn_source_gain_db_at(source, 0));
    return PINNA_OK;
}

void pn_voice_close(pn_voice *voice) {
    pn_clip_free(voice->clip);
    pn_generator_run_free(voice->generator);
    for (int c = 0; voice->raw != NULL && c < voice->clip_channels; ++c)
        pn_free(voice->raw[c]);
    pn_free(voice->raw);
    pn_free(voice->dry[0]);
    pn_free(voice->dry[1]);
    pn_free(voice->fed);
    memset(voice, 0, sizeof *voice);
}

/* The part of the block in which the voice has something: first frame and count; 0 when none. */
static size_t overlap(const pn_voice *voice, uint64_t now, size_t frames, size_t *first) {
    *first = 0;
    if (voice->start >= now + frames)
        return 0;
    if (voice->start > now)
        *first = (size_t)(voice->start - now);
    size_t count = frames - *first;
    if (voice->frames == UINT64_MAX)
        return count;
    uint64_t end = voice->start + voice->frames;
    if (now + *first >= end)
        return 0;
    uint64_t left = end - (now + *first);
    return left < count ? (size_t)left : count;
}

pinna_status pn_voice_prepare(pn_voice *voice, uint64_t now, size_t frames, pinna_error *err) {
    size_t first;
    size_t count = overlap(voice, now, frames, &first);
    if (voice->clip == NULL || !voice->audible || count == 0)
        return PINNA_OK;
    return pn_clip_pump(voice->clip, count, err);
}

/* Puts the voice's channels, before the gain, into dry[..][first .. first + count). */
static void take_clip(pn_voice *voice, size_t first, size_t count) {
    pn_clip_read(voice->clip, voice->raw, count);
    if (voice->channels == voice->clip_channels) {
        for (int c = 0; c < voice->channels; ++c)
            memcpy(voice->dry[c] + first, voice->raw[c], count * sizeof(float));
        return;
    }
    float *sum = voice->dry[0] + first;
    const float share = (float)(1 / sqrt(voice->clip_channels));
    for (int c = 0; c < voice->clip_channels; ++c)
        for (size_t n = 0; n < count; ++n)
            sum[n] += share * voice->raw[c][n];
}

static float gain_at(const pn_voice *voice, double time) {
    if (voice->gain_by_call)
        return (float)voice->call_gain;
    return (float)pn_db_to_gain(pn_source_gain_db_at(voice->source, time));
}

/* The gain runs on also while the voice is silent, so that it is right when the voice begins. */
static void apply_gain(pn_voice *voice, uint64_t now, size_t frames, size_t quantum, double rate) {
    for (size_t at = 0; at < frames; at += quantum) {
        float old = voice->gain, new = gain_at(voice, (double)(now + at + quantum) / rate);
        voice->gain = new;
        if (!voice->sounding || (old == 1.0f && new == 1.0f))
            continue;
        float step = (new - old) / (float)quantum;
        for (int c = 0; c < voice->channels; ++c)
            for (size_t n = 0; n < quantum; ++n)
                voice->dry[c][at + n] *= old + step * (float)n;
    }
}

void pn_voice_process(pn_voice *voice, uint64_t now, size_t frames, size_t quantum, double rate) {
    size_t first = 0;
    size_t count = overlap(voice, now, frames, &first);
    if (voice->fed != NULL && !voice->fed_now)
        count = 0;
    voice->sounding = voice->audible && count > 0;
    if (voice->sounding) {
        for (int c = 0; c < voice->channels; ++c)
            memset(voice->dry[c], 0, frames * sizeof(float));
        if (voice->clip != NULL)
            take_clip(voice, first, count);
        else if (voice->generator != NULL)
            pn_generator_run_make(voice->generator, voice->dry[0] + first, count);
        else
            memcpy(voice->dry[0] + first, voice->fed + first, count * sizeof(float));
    }
    voice->fed_now = false;
    apply_gain(voice, now, frames, quantum, rate);
}
