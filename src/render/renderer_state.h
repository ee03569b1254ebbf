// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_RENDERER_STATE_H
#define PN_RENDER_RENDERER_STATE_H

#include "render/binaural.h"
#include "render/bus.h"
#include "render/renderer.h"
#include "render/spread.h"
#include "render/travel.h"
#include "render/voice.h"

/* Everything the render thread touches, in one struct: renderer.c runs on it, renderer_setup.c builds it. */

typedef struct {
    bool by_call;           /* moved by call: no longer follows the scene */
    pn_vec3 from, position; /* at the beginning and the end of the block */
    bool panned;
    double pan[2];    /* stereo: gains reached */
    float *send_gain; /* linear, one for each of the source's sends */
} pn_source_place;

typedef struct {
    bool by_call;
    pn_vec3 from, position;
    pn_quat from_orientation, orientation;
} pn_listener_place;

enum { PN_QUARTERS = 4 }; /* of a quantum, the most steps in one */

typedef struct {
    pn_vec3 position;
    pn_quat orientation;
} pn_head;

/* A binaural source that is heard. */
typedef struct {
    int source;        /* of the scene */
    int slot, slots;   /* of the bank: the first, how many */
    pn_spread *spread; /* NULL: a point, with one slot */
    pn_radiator radiator;
    pn_field field;
    double slowness; /* seconds a metre, times the factor of `doppler`; 0: heard at once */
    pn_travel travel;
    pn_propagation way; /* through the delay line in this quantum */
    double passage;     /* seconds that the sound heard last was on the way */
    pn_vec3 position;   /* reached, in the world */
    pn_vec3 ear;        /* where the head was then */
    pn_vec3 relative;   /* the same in the head's axes */
    bool aimed;         /* the three above are set */
    bool jumps;         /* moved so far by calls in this block that it is no movement */
} pn_emitter;

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

    pn_binaural *binaural; /* NULL without binaural sources */
    pn_aimer *aimer;       /* likewise */
    pn_emitter *emitter;   /* [emitter_count] */
    int emitter_count;
    const float **binaural_in; /* one for each slot of the bank */
    int propagation;           /* samples of the longest delay line; 0: no Doppler anywhere */
    int filter_reach;          /* frames that the bank's filters remember */
    pn_head head[PN_QUARTERS]; /* at the quarters of this quantum */
    pn_head hearing;           /* at its end, on the delay lines' clock */
    pn_vec3 hearing_velocity;

    int latency;       /* frames the HRTF set and the delay lines add of their own */
    int skip;          /* frames dropped at the start: the latency, or 0 when the caller feeds live */
    pn_delay align[2]; /* the other paths wait for the binaural one */
    float *mix[2];     /* this block */
    float *carry[2];   /* the block before, when skip > 0 */
};

/* renderer_emit.c, set-up: gives the binaural sources their slots, their copies and delay lines. reach: metres to which
 * sources that the caller moves may go with Doppler; 0 = 343. *slots: of the bank. */
pinna_status pn_renderer_open_emitters(pn_renderer *r, double reach, int *slots, pinna_error *err);
/* Frames that the sound of a source needs after its end, frame `end` of scene time, until all of it was heard, the HRTF
 * apart: on its way, and in the copies of a wide source. Muted ones too. */
uint64_t pn_renderer_last_passage(const pn_renderer *r, int source, uint64_t end);

/* Metres: no binaural source comes nearer to the listener by what the scene says, or a little less. */
double pn_renderer_nearest_way(const pn_renderer *r);

/* renderer_aim.c: where a source is at a frame of the bank's output, which is `late` frames late. */
PN_BLOCK_PATH pn_vec3 pn_renderer_source_at(const pn_renderer *r, size_t source, double frame, int late);
/* Sets what every binaural source moves to in the quantum that begins at a frame of the bank's output. */
PN_BLOCK_PATH void pn_renderer_aim(pn_renderer *r, double start);
/* Ends a block for what was moved by calls. */
PN_BLOCK_PATH void pn_renderer_arrive(pn_renderer *r);

/* As pn_renderer_create; taps (may be NULL) has one entry for each bus of the scene, which wins over the scene's
 * response when it has frames. */
pinna_status pn_renderer_create_with(pn_scene *scene, const pn_renderer_config *config,
                                     const pn_bus_taps *taps, pn_messages *messages, pn_renderer **renderer,
                                     pinna_error *err);

#endif
