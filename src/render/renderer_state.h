// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_RENDERER_STATE_H
#define PN_RENDER_RENDERER_STATE_H

#include "render/binaural.h"
#include "render/bus.h"
#include "render/renderer.h"
#include "render/voice.h"

/* Everything the render thread touches, in one struct: renderer.c runs on it, renderer_setup.c builds it. */

typedef struct {
    bool by_call; /* moved by call: no longer follows the scene */
    pn_vec3 position;
    bool panned;
    double pan[2];    /* stereo: gains reached */
    float *send_gain; /* linear, one for each of the source's sends */
} pn_source_place;

typedef struct {
    bool by_call;
    pn_vec3 position;
    pn_quat orientation;
} pn_listener_place;

struct pn_renderer {
    pn_scene *scene;
    pn_messages *messages;
    double rate;
    int block;
    int quantum;     /* frames between evaluations of motion: min(block, 256) */
    uint64_t frames; /* of the mix; 0 = open-ended */
    uint64_t tail;
    uint64_t now; /* frames rendered */

    pn_pool *pool;
    pn_backend *backend;
    pn_hrtf *hrtf;
    pn_voice *voice;        /* one for each source of the scene */
    pn_source_place *place; /* likewise */
    pn_listener_place listener;
    pn_bus_run *bus; /* one for each bus of the scene */
    float master_gain;

    pn_binaural *binaural;     /* NULL without binaural sources */
    int *binaural_voice;       /* [binaural_count]: which sources they are */
    const float **binaural_in; /* [binaural_count] */
    int binaural_count;

    int latency;       /* frames the HRTF set adds of its own */
    int skip;          /* frames dropped at the start: the latency, or 0 when the caller feeds live */
    pn_delay align[2]; /* the other paths wait for the binaural one */
    float *mix[2];     /* this block */
    float *carry[2];   /* the block before, when skip > 0 */
};

/* As pn_renderer_create; taps (may be NULL) has one entry for each bus of the scene, which wins over the scene's
 * response when it has frames. */
pinna_status pn_renderer_create_with(pn_scene *scene, const pn_renderer_config *config,
                                     const pn_bus_taps *taps, pn_messages *messages, pn_renderer **renderer,
                                     pinna_error *err);

#endif
