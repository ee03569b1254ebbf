// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_BUS_H
#define PN_RENDER_BUS_H

#include "convolve/convolver.h"
#include "render/delay.h"
#include "scene/scene.h"

/* A running stereo bus, with a convolution reverb or without. Sources add to `input` during a block; then
 * pn_bus_run_process adds what comes out to the mix. IR layouts: mono (both sides alike), stereo (left to
 * left, right to right), true stereo LL, LR, RL, RR (first letter the input). */
typedef struct {
    float *input[2];
    float *wet[2];
    pn_delay predelay[2];
    pn_convolver *reverb; /* NULL: what is sent reaches the mix as it is */
    float gain;           /* of reverb and bus together, linear */
    int ir_channels;      /* 1, 2 or 4 */
    size_t ir_frames;
} pn_bus_run;

typedef struct {
    int block;
    double rate;
    pn_backend *backend;
    pn_pool *pool;
    pn_messages *messages;
} pn_bus_setting;

/* Responses handed over in memory instead of the file that the scene names. */
typedef struct {
    const float *const *channel; /* 1, 2 or 4 */
    int channels;
    size_t frames;
} pn_bus_taps;

/* Loads the response that the scene's bus names (a file at any rate, or the built-in hall), or takes `taps`
 * when that is not NULL. `run` must be zeroed. */
pinna_status pn_bus_run_open(pn_bus_run *run, const pn_scene *scene, const pn_bus *bus,
                             const pn_bus_taps *taps, const pn_bus_setting *setting, pinna_error *err);
void pn_bus_run_close(pn_bus_run *run); /* accepts a zeroed or half-built one */

/* Frames that the bus goes on after its input has ended: predelay and response. */
size_t pn_bus_run_tail(const pn_bus_run *run);

PN_BLOCK_PATH void pn_bus_run_clear_input(pn_bus_run *run, size_t frames);
PN_BLOCK_PATH pinna_status pn_bus_run_process(pn_bus_run *run, float *left, float *right, size_t frames,
                                              pinna_error *err);

#endif
