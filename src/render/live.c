// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/live.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "signal/resample.h"

/* The render thread's loop: render a block, interleave it, convert it when the rates differ, and hand it to the
 * ring, waiting while that is full. The device is started when the ring is full for the first time, or the scene
 * has ended before. */

struct pn_live {
    pn_renderer *renderer;
    pn_audio_device *device;
    pn_resampler *resampler; /* NULL when the rates are the same */
    float *left, *right, *mixed, *converted;
    size_t converted_room; /* frames */
    bool started;
    pthread_t thread;
    atomic_bool stop, finished;
    _Atomic uint64_t rendered;
    _Atomic int status;
    pinna_error error;
};

static void start_device(pn_live *live) {
    if (live->started)
        return;
    live->started = true;
    pn_audio_device_start(live->device);
}

static void hand_over(pn_live *live, const float *interleaved, size_t frames) {
    while (frames > 0 && !atomic_load(&live->stop)) {
        size_t written = pn_audio_device_write(live->device, interleaved, frames);
        interleaved += 2 * written;
        frames -= written;
        if (frames > 0) {
            start_device(live);
            pn_audio_device_wait(live->device, frames, 100);
        }
    }
}

/* in NULL: the end; drains the converter. */
static pinna_status convert(pn_live *live, const float *in, size_t frames) {
    for (;;) {
        size_t used = 0, made = 0;
        pinna_status status = pn_resampler_process(live->resampler, in, frames, &used, live->converted,
                                                   live->converted_room, &made, &live->error);
        if (status != PINNA_OK)
            return status;
        hand_over(live, live->converted, made);
        if (in != NULL) {
            in += 2 * used;
            frames -= used;
        }
        if ((in == NULL || frames == 0) && made < live->converted_room)
            return PINNA_OK;
    }
}

static pinna_status render_block(pn_live *live, size_t frames) {
    pinna_status status = pn_renderer_prepare(live->renderer, &live->error);
    if (status == PINNA_OK)
        status = pn_renderer_process(live->renderer, live->left, live->right, &live->error);
    if (status != PINNA_OK)
        return status;
    for (size_t n = 0; n < frames; ++n) {
        live->mixed[2 * n] = live->left[n];
        live->mixed[2 * n + 1] = live->right[n];
    }
    if (live->resampler != NULL)
        return convert(live, live->mixed, frames);
    hand_over(live, live->mixed, frames);
    return PINNA_OK;
}

static void *render_thread(void *argument) {
    pn_live *live = argument;
    uint64_t total = pn_renderer_frames(live->renderer), done = 0;
    size_t block = (size_t)pn_renderer_block(live->renderer);
    pinna_status status = PINNA_OK;
    while (done < total && status == PINNA_OK && !atomic_load(&live->stop)) {
        size_t frames = total - done < block ? (size_t)(total - done) : block;
        status = render_block(live, frames);
        done += frames;
        atomic_store(&live->rendered, done);
    }
    if (status == PINNA_OK && live->resampler != NULL && !atomic_load(&live->stop))
        status = convert(live, NULL, 0);
    pn_audio_device_finish(live->device);
    start_device(live);
    atomic_store(&live->status, status);
    atomic_store(&live->finished, true);
    return NULL;
}

static pinna_status prepare(pn_live *live, pinna_error *err) {
    double from = pn_renderer_rate(live->renderer), to = pn_audio_device_get_info(live->device)->rate;
    size_t block = (size_t)pn_renderer_block(live->renderer);
    live->left = pn_alloc_floats(block);
    live->right = pn_alloc_floats(block);
    live->mixed = pn_alloc_floats(2 * block);
    live->converted_room = (size_t)((double)block * to / from) + 16;
    live->converted = pn_alloc_floats(2 * live->converted_room);
    if (live->left == NULL || live->right == NULL || live->mixed == NULL || live->converted == NULL)
        return pn_fail_memory(err, "live playback", 32.0 * (double)block);
    if (from == to)
        return PINNA_OK;
    return pn_resampler_create(2, from, to, &live->resampler, err);
}

static void release(pn_live *live) {
    pn_resampler_free(live->resampler);
    pn_free(live->left);
    pn_free(live->right);
    pn_free(live->mixed);
    pn_free(live->converted);
    pn_free(live);
}

pinna_status pn_live_start(pn_renderer *renderer, pn_audio_device *device, pn_live **out, pinna_error *err) {
    *out = NULL;
    pn_live *live = pn_alloc(1, sizeof *live);
    if (live == NULL)
        return pn_fail_memory(err, "live playback", sizeof *live);
    live->renderer = renderer;
    live->device = device;
    pinna_status status = prepare(live, err);
    if (status == PINNA_OK && pthread_create(&live->thread, NULL, render_thread, live) != 0)
        status = pn_fail(err, PINNA_NO_MEMORY, "the render thread could not be started");
    if (status != PINNA_OK) {
        release(live);
        return status;
    }
    *out = live;
    return PINNA_OK;
}

void pn_live_get_state(const pn_live *live, pn_live_state *state) {
    pn_audio_device_stats stats;
    pn_audio_device_get_stats(live->device, &stats);
    state->frames_rendered = atomic_load(&live->rendered);
    state->underruns = stats.underruns;
    state->finished = atomic_load(&live->finished);
    state->status = (pinna_status)atomic_load(&live->status);
}

pinna_status pn_live_stop(pn_live *live, pinna_error *err) {
    if (live == NULL)
        return PINNA_OK;
    atomic_store(&live->stop, true);
    pthread_join(live->thread, NULL);
    pinna_status status = (pinna_status)atomic_load(&live->status);
    if (status != PINNA_OK)
        pn_fail(err, status, "%s", live->error.text);
    release(live);
    return status;
}
