// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_VOICE_H
#define PN_RENDER_VOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/clip.h"
#include "render/generator.h"
#include "scene/scene.h"

/* A source while it is rendered: what it plays (a clip, a generator, or blocks that the caller feeds), its
 * channels and its gain. Binaural voices have one channel: `channel`, or the sum of all N times 1 / sqrt(N).
 * Stereo and direct ones keep one or two. */
typedef struct {
    const pn_source *source;
    bool audible;    /* neither muted nor left out by a solo */
    int channels;    /* of `dry`: 1 or 2 */
    uint64_t start;  /* first frame of scene time */
    uint64_t frames; /* how long; UINT64_MAX = open-ended (fed by the caller) */
    bool sounding;   /* something was written to `dry` in this block */
    float *dry[2];   /* this block, after the gain */
    float gain;      /* linear, reached at the end of the block before */
    bool gain_by_call;
    double call_gain; /* linear */

    pn_clip *clip;
    int clip_channels;
    float **raw; /* the clip's channels, this block */
    pn_generator_run *generator;
    float *fed; /* what the caller gave for this block */
    bool fed_now;
} pn_voice;

typedef struct {
    double rate;
    int block;
    uint64_t scene_frames; /* of `duration`, or UINT64_MAX when automatic */
    pn_messages *messages;
} pn_voice_setting;

/* Opens the clip or generator. `voice` must be zeroed; the scene outlives it. */
pinna_status pn_voice_open(pn_voice *voice, const pn_scene *scene, const pn_source *source,
                           const pn_voice_setting *setting, pinna_error *err);
void pn_voice_close(pn_voice *voice); /* accepts a zeroed or half-built one */

/* Reads the clip ahead for the block that begins at scene frame `now`. Not block path. */
pinna_status pn_voice_prepare(pn_voice *voice, uint64_t now, size_t frames, pinna_error *err);

/* Fills `dry` for the block that begins at scene frame `now`: gain is evaluated every `quantum` frames,
 * linear in between. A fed block is used up. */
PN_BLOCK_PATH void pn_voice_process(pn_voice *voice, uint64_t now, size_t frames, size_t quantum,
                                    double rate);

#endif
