// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/renderer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"
#include "render/renderer_state.h"

/* The block path of the renderer; renderer_setup.c builds what it runs on. */

int pn_renderer_block(const pn_renderer *r) {
    return r->block;
}

double pn_renderer_rate(const pn_renderer *r) {
    return r->rate;
}

uint64_t pn_renderer_frames(const pn_renderer *r) {
    return r->frames;
}

const pn_scene *pn_renderer_scene(const pn_renderer *r) {
    return r->scene;
}

const char *pn_renderer_device(const pn_renderer *r) {
    for (size_t b = 0; b < r->scene->bus_count; ++b) {
        if (r->bus[b].reverb != NULL && strcmp(pn_convolver_device(r->bus[b].reverb), r->backend->name) != 0)
            return pn_convolver_device(r->bus[b].reverb);
    }
    return r->binaural == NULL ? r->backend->name : pn_binaural_device(r->binaural);
}

/* ---- steering */

void pn_renderer_gain_source(pn_renderer *r, int source, double gain) {
    r->voice[source].call_gain = gain;
    r->voice[source].gain_by_call = true;
}

void pn_renderer_feed_source(pn_renderer *r, int source, const float *samples) {
    pn_voice *voice = &r->voice[source];
    if (voice->fed == NULL)
        return;
    if (samples != NULL)
        memcpy(voice->fed, samples, (size_t)r->block * sizeof *samples);
    voice->fed_now = samples != NULL;
}

bool pn_renderer_is_fed(const pn_renderer *r, int source) {
    return r->voice[source].fed != NULL;
}

/* ---- one block */

static void add_ramped(float *to, const float *from, double old, double new, size_t frames) {
    float gain = (float)old, step = (float)((new - old) / (double)frames);
    for (size_t n = 0; n < frames; ++n)
        to[n] += (gain + step * (float)n) * from[n];
}

static void add_scaled(float *to, const float *from, float gain, size_t frames) {
    for (size_t n = 0; n < frames; ++n)
        to[n] += gain * from[n];
}

static void mix_direct(pn_renderer *r, const pn_voice *voice) {
    size_t frames = (size_t)r->block;
    for (int side = 0; side < 2; ++side) {
        const float *from = voice->dry[voice->channels == 2 ? side : 0];
        for (size_t n = 0; n < frames; ++n)
            r->mix[side][n] += from[n];
    }
}

static void mix_stereo(pn_renderer *r, size_t index) {
    const pn_voice *voice = &r->voice[index];
    double *pan = r->place[index].pan;
    size_t frames = (size_t)r->block, quantum = (size_t)r->quantum;
    for (size_t at = 0; at < frames; at += quantum) {
        pn_vec3 p = pn_renderer_source_at(r, index, (double)(r->now + at + quantum), 0);
        double new[2];
        if (voice->channels == 1)
            pn_pan_mono(atan2(p.y, p.x), new);
        else
            pn_pan_stereo(atan2(p.y, p.x), new);
        if (!r->place[index].panned)
            memcpy(pan, new, sizeof new);
        r->place[index].panned = true;
        for (int side = 0; side < 2 && voice->sounding; ++side)
            add_ramped(r->mix[side] + at, voice->dry[voice->channels == 2 ? side : 0] + at, pan[side],
                       new[side], quantum);
        memcpy(pan, new, sizeof new);
    }
}

static void feed_sends(pn_renderer *r, const pn_voice *voice, size_t index) {
    for (size_t s = 0; s < voice->source->send_count; ++s) {
        pn_bus_run *bus = &r->bus[voice->source->sends[s].bus];
        float gain = r->place[index].send_gain[s];
        for (int side = 0; side < 2; ++side)
            add_scaled(bus->input[side], voice->dry[voice->channels == 2 ? side : 0],
                       voice->channels == 2 ? gain : gain * (float)sqrt(0.5), (size_t)r->block);
    }
}

static void run_voices(pn_renderer *r) {
    for (size_t i = 0; i < r->scene->source_count; ++i) {
        pn_voice *voice = &r->voice[i];
        pn_voice_process(voice, r->now, (size_t)r->block, (size_t)r->quantum, r->rate);
        if (voice->source->render == PN_RENDER_STEREO)
            mix_stereo(r, i);
        if (!voice->sounding)
            continue;
        if (voice->source->render == PN_RENDER_DIRECT)
            mix_direct(r, voice);
        feed_sends(r, voice, i);
    }
}

static void feed_slots(pn_renderer *r, const pn_emitter *e, int at) {
    const pn_voice *voice = &r->voice[e->source];
    const float **in = r->binaural_in + e->slot;
    for (int s = 0; s < e->slots; ++s) {
        const float *block = voice->sounding ? voice->dry[0] : NULL;
        if (e->spread != NULL)
            block = pn_spread_signal(e->spread, s);
        in[s] = block == NULL ? NULL : block + at;
    }
}

static pinna_status run_binaural(pn_renderer *r, pinna_error *err) {
    if (r->binaural == NULL)
        return PINNA_OK;
    if (r->now == 0)
        pn_renderer_aim(r, -r->quantum);
    for (int i = 0; i < r->emitter_count; ++i) {
        const pn_voice *voice = &r->voice[r->emitter[i].source];
        if (r->emitter[i].spread != NULL)
            pn_spread_feed(r->emitter[i].spread, voice->sounding ? voice->dry[0] : NULL);
    }
    for (int at = 0; at < r->block; at += r->quantum) {
        pn_renderer_aim(r, (double)r->now + at);
        for (int i = 0; i < r->emitter_count; ++i)
            feed_slots(r, &r->emitter[i], at);
        pinna_status status =
            pn_binaural_process(r->binaural, r->binaural_in, r->mix[0] + at, r->mix[1] + at, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status run_block(pn_renderer *r, pinna_error *err) {
    size_t frames = (size_t)r->block;
    pinna_status status = PINNA_OK;
    memset(r->mix[0], 0, frames * sizeof(float));
    memset(r->mix[1], 0, frames * sizeof(float));
    for (size_t b = 0; b < r->scene->bus_count; ++b)
        pn_bus_run_clear_input(&r->bus[b], frames);
    run_voices(r);
    for (size_t b = 0; b < r->scene->bus_count && status == PINNA_OK; ++b)
        status = pn_bus_run_process(&r->bus[b], r->mix[0], r->mix[1], frames, err);
    for (int side = 0; side < 2; ++side)
        pn_delay_process(&r->align[side], r->mix[side], frames);
    if (status == PINNA_OK)
        status = run_binaural(r, err);
    if (r->master_gain != 1.0f) {
        for (int side = 0; side < 2; ++side)
            for (size_t n = 0; n < frames; ++n)
                r->mix[side][n] *= r->master_gain;
    }
    pn_renderer_arrive(r);
    r->now += frames;
    return status;
}

/* Blocks are rendered `latency` frames ahead and cut again, so that output frame 0 is scene time 0. */
pinna_status pn_renderer_process(pn_renderer *r, float *left, float *right, pinna_error *err) {
    unsigned long mode = pn_flush_denormals();
    float *out[2] = {left, right};
    size_t frames = (size_t)r->block, skip = (size_t)r->skip % frames;
    pinna_status status = PINNA_OK;
    while (r->skip > 0 && r->now < (uint64_t)r->skip && status == PINNA_OK) {
        status = run_block(r, err);
        for (int side = 0; side < 2; ++side)
            memcpy(r->carry[side], r->mix[side], frames * sizeof(float));
    }
    if (status == PINNA_OK)
        status = run_block(r, err);
    for (int side = 0; side < 2; ++side) {
        if (skip == 0) {
            memcpy(out[side], r->mix[side], frames * sizeof(float));
            continue;
        }
        memcpy(out[side], r->carry[side] + skip, (frames - skip) * sizeof(float));
        memcpy(out[side] + frames - skip, r->mix[side], skip * sizeof(float));
        memcpy(r->carry[side], r->mix[side], frames * sizeof(float));
    }
    pn_restore_denormals(mode);
    return status;
}
