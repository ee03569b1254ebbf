// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/offline.h"

#include <string.h>
#include <time.h>

#include "base/memory.h"

static double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static pinna_status render_block(pn_renderer *renderer, float *const *out, size_t frames,
                                 pn_loudness *loudness, pn_audio_writer *writer, pinna_error *err) {
    const float *const *channels = (const float *const *)out;
    pinna_status status = pn_renderer_prepare(renderer, err);
    if (status == PINNA_OK)
        status = pn_renderer_process(renderer, out[0], out[1], err);
    if (status == PINNA_OK)
        status = pn_loudness_add(loudness, channels, frames, err);
    if (status == PINNA_OK)
        status = pn_audio_writer_write(writer, channels, frames, err);
    return status;
}

static pinna_status run(pn_renderer *renderer, float *const *out, pn_loudness *loudness,
                        pn_audio_writer *writer, const pn_offline_watch *watch, pn_offline_result *result,
                        pinna_error *err) {
    uint64_t total = pn_renderer_frames(renderer);
    size_t block = (size_t)pn_renderer_block(renderer);
    double started = now_seconds();
    while (result->frames < total) {
        uint64_t left = total - result->frames;
        size_t frames = left < block ? (size_t)left : block;
        pinna_status status = render_block(renderer, out, frames, loudness, writer, err);
        if (status != PINNA_OK)
            return status;
        result->frames += frames;
        if (watch != NULL && watch->progress != NULL && !watch->progress(watch->user, result->frames, total))
            return pn_fail(err, PINNA_CANCELLED, "interrupted; no file was written");
    }
    result->seconds = now_seconds() - started;
    pn_renderer_report_clips(renderer);
    return pn_loudness_finish(loudness, &result->loudness, err);
}

pinna_status pn_offline_render(pn_renderer *renderer, pn_audio_writer *writer, const pn_offline_watch *watch,
                               pn_offline_result *result, pinna_error *err) {
    memset(result, 0, sizeof *result);
    size_t block = (size_t)pn_renderer_block(renderer);
    float *buffer = pn_alloc_floats(2 * block);
    if (buffer == NULL)
        return pn_fail_memory(err, "a block", 8.0 * (double)block);
    float *out[2] = {buffer, buffer + block};
    pn_loudness *loudness = NULL;
    pinna_status status = pn_loudness_create(2, pn_renderer_rate(renderer), &loudness, err);
    if (status == PINNA_OK)
        status = run(renderer, out, loudness, writer, watch, result, err);
    pn_loudness_free(loudness);
    pn_free(buffer);
    return status;
}
