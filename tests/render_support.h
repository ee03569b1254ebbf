// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_RENDER_SUPPORT_H
#define PN_TESTS_RENDER_SUPPORT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "io/audio_file.h"
#include "render/renderer.h"
#include "scene/reader.h"
#include "exact_convolution.h"

/* What the tests of the renderer share: scenes from text to samples, clips written and read, float64 models. */

typedef struct {
    double rate;
    size_t frames;
    float *side[2];
} test_mix;

static inline void test_mix_clear(test_mix *mix) {
    free(mix->side[0]);
    free(mix->side[1]);
    memset(mix, 0, sizeof *mix);
}

/* A scene of the test's folder; fails the test when it does not open. */
static inline pn_renderer *test_open_scene(const char *yaml, const pn_renderer_config *config,
                                           pn_messages *messages) {
    static const pn_renderer_config plain = {.device = "cpu", .threads = 1};
    pn_scene *scene = NULL;
    pn_renderer *renderer = NULL;
    pinna_error err = {0};
    assert_ok(pn_scene_read_text(yaml, strlen(yaml), "test.yaml", test_folder(), messages, &scene, &err),
              &err);
    assert_ok(pn_renderer_create(scene, config == NULL ? &plain : config, messages, &renderer, &err), &err);
    return renderer;
}

/* All frames of a renderer, or `most` of them. */
static inline void test_run_renderer(pn_renderer *renderer, size_t most, test_mix *mix) {
    pinna_error err = {0};
    size_t block = (size_t)pn_renderer_block(renderer), frames = (size_t)pn_renderer_frames(renderer);
    mix->frames = most > 0 && (most < frames || frames == 0) ? most : frames;
    mix->rate = pn_renderer_rate(renderer);
    for (int side = 0; side < 2; ++side)
        assert_non_null(mix->side[side] = malloc((mix->frames + block) * sizeof(float)));
    for (size_t at = 0; at < mix->frames; at += block) {
        assert_ok(pn_renderer_prepare(renderer, &err), &err);
        assert_ok(pn_renderer_process(renderer, mix->side[0] + at, mix->side[1] + at, &err), &err);
    }
}

static inline void test_render_with(const char *yaml, const pn_renderer_config *config, test_mix *mix) {
    pn_renderer *renderer = test_open_scene(yaml, config, NULL);
    test_run_renderer(renderer, 0, mix);
    pn_renderer_free(renderer);
}

/* On the CPU, one thread, at the scene's rate and block. */
static inline void test_render(const char *yaml, test_mix *mix) {
    test_render_with(yaml, NULL, mix);
}

/* A float WAV in the test's folder. */
static inline void test_write_wav(const char *name, double rate, int channels, const float *const *channel,
                                  size_t frames) {
    pn_audio_writer_spec spec = {.channels = channels, .rate = rate, .encoding = PN_ENCODING_F32};
    pn_audio_writer *writer = NULL;
    pinna_error err = {0};
    assert_ok(pn_audio_writer_open(test_path(name), &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, channel, frames, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
}

/* `channels` of noise, channel c from seed + c, all in one allocation that the caller frees; also as a clip. */
static inline float *test_noise_clip(const char *name, double rate, int channels, size_t frames,
                                     uint64_t seed, const float **channel) {
    float *noise = malloc((size_t)channels * frames * sizeof *noise);
    assert_non_null(noise);
    for (int c = 0; c < channels; ++c) {
        channel[c] = noise + (size_t)c * frames;
        test_fill_noise(noise + (size_t)c * frames, frames, seed + (uint64_t)c, 0.5);
    }
    test_write_wav(name, rate, channels, channel, frames);
    return noise;
}

static inline void test_read_wav(const char *path, test_mix *mix) {
    pn_audio audio;
    pinna_error err = {0};
    assert_ok(pn_audio_load(path, 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
    assert_int_equal(audio.channels, 2);
    mix->frames = audio.frames;
    mix->rate = audio.rate;
    for (int side = 0; side < 2; ++side) {
        assert_non_null(mix->side[side] = malloc((audio.frames + 1) * sizeof(float)));
        memcpy(mix->side[side], audio.channel[side], audio.frames * sizeof(float));
    }
    pn_audio_clear(&audio);
}

/* 20 log10 of the RMS of the difference of both sides re the RMS of b. */
static inline double test_mix_error_db(const test_mix *a, const test_mix *b) {
    double error = 0, reference = 0;
    assert_int_equal(a->frames, b->frames);
    for (int side = 0; side < 2; ++side) {
        for (size_t n = 0; n < b->frames; ++n) {
            double d = (double)a->side[side][n] - (double)b->side[side][n];
            error += d * d;
            reference += (double)b->side[side][n] * (double)b->side[side][n];
        }
    }
    assert_true(isfinite(error) && reference > 0);
    return error == 0 ? -400 : 10 * log10(error / reference);
}

static inline double test_rms(const float *x, size_t count) {
    double sum = 0;
    for (size_t n = 0; n < count; ++n)
        sum += (double)x[n] * (double)x[n];
    return sqrt(sum / (double)count);
}

static inline double test_peak(const float *x, size_t count) {
    double peak = 0;
    for (size_t n = 0; n < count; ++n)
        peak = fmax(peak, fabs((double)x[n]));
    return peak;
}

static inline double test_db(double gain) {
    return pow(10, gain / 20);
}

#endif
