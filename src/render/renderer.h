// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_RENDERER_H
#define PN_RENDER_RENDERER_H

#include <stdint.h>

#include "convolve/convolver.h"
#include "scene/scene.h"
#include "spatial/hrtf.h"

/* One block from scene to output. A renderer is built from a scene, block by block gives the stereo mix, and
 * can be steered by calls in between. File and live use the same one.
 *
 * Signal flow: clip, generator or caller -> gain -+-> binaural bank | stereo pan | direct -+-> master gain ->
 * out
 *                                                 +-> sends -> reverb buses ---------------+
 *
 * Time: output frame n is scene time n / rate. What the HRTF set adds of its own (its latency) is removed by
 * running ahead: the other paths are delayed to match, and the first frames dropped. */
typedef struct pn_renderer pn_renderer;

typedef struct {
    double rate;          /* 0 = the scene's */
    int block;            /* 0 = the scene's */
    const char *hrtf;     /* NULL = the scene's */
    const char *device;   /* as pn_backend_open; NULL = "cpu" */
    int threads;          /* 0 = one per processor */
    double doppler;       /* factor; 0 = the scene's */
    int spectra;          /* bits, as pn_backend_set_spectra; 0 = 32 */
    double doppler_reach; /* metres that sources fed by the caller may go with Doppler; 0 = 343, a second */
} pn_renderer_config;

/* scene: becomes the renderer's in any case, success or failure. messages: may be NULL, outlives the
 * renderer. Opens every clip, IR, HRTF set and device; after this nothing is opened any more. */
pinna_status pn_renderer_create(pn_scene *scene, const pn_renderer_config *config, pn_messages *messages,
                                pn_renderer **renderer, pinna_error *err);
void pn_renderer_free(pn_renderer *renderer); /* accepts NULL */

/* Reads ahead from the clips' files as far as the next block needs. Not block path: call before each block.
 */
pinna_status pn_renderer_prepare(pn_renderer *renderer, pinna_error *err);

/* Tells what the clips had to be repaired of, as far as they were read: before the warnings are repeated. Not block
 * path; freeing does it too. */
void pn_renderer_report_clips(pn_renderer *renderer);

/* The next block: pn_renderer_block frames of left and right. The block in which a device is lost hands over to the CPU
 * and says so: it allocates and logs, once for the sources and once for each bus. */
PN_BLOCK_PATH pinna_status pn_renderer_process(pn_renderer *renderer, float *left, float *right,
                                               pinna_error *err);

/* Steering, between two blocks, from the thread that renders. Source numbers as in the scene. */
PN_BLOCK_PATH void pn_renderer_move_source(pn_renderer *renderer, int source, pn_vec3 position);
PN_BLOCK_PATH void pn_renderer_move_listener(pn_renderer *renderer, pn_vec3 position, pn_quat orientation);
/* facing: a unit vector, in the world's axes. */
PN_BLOCK_PATH void pn_renderer_turn_source(pn_renderer *renderer, int source, pn_vec3 facing);
PN_BLOCK_PATH void pn_renderer_gain_source(pn_renderer *renderer, int source, double gain);
/* The next block of a source that the caller feeds: block frames, copied; NULL = silence. Others are left alone. */
PN_BLOCK_PATH void pn_renderer_feed_source(pn_renderer *renderer, int source, const float *samples);
PN_BLOCK_PATH bool pn_renderer_is_fed(const pn_renderer *renderer, int source);

int pn_renderer_block(const pn_renderer *renderer);
double pn_renderer_rate(const pn_renderer *renderer);
uint64_t pn_renderer_frames(const pn_renderer *renderer); /* length of the mix; 0 = open-ended */
const pn_scene *pn_renderer_scene(const pn_renderer *renderer);
/* "cpu" or "opencl:P.D": what computes now. */
const char *pn_renderer_device(const pn_renderer *renderer);

/* What the set-up decided, for `check`. Pointers stay the renderer's. */
typedef struct {
    const char *name;
    uint64_t start, frames; /* at the renderer's rate; frames 0 = silent (muted, or not soloed) */
    double file_rate;       /* of a clip; 0 otherwise */
    int file_channels;
    bool active;
} pn_source_report;

typedef struct {
    const char *name;
    double seconds; /* of the response */
    int ir_channels;
    uint64_t predelay;
    const pn_plan *plan;
} pn_bus_report;

typedef struct {
    const pn_hrtf_info *hrtf; /* NULL when no source is binaural */
    int transform, quantum;   /* of the spatial bank */
    uint64_t frames, tail;    /* of the mix; the longest tail, which a given duration can cut */
    size_t memory;            /* bytes of filters, histories and buffers */
} pn_renderer_report;

void pn_renderer_describe(const pn_renderer *renderer, pn_renderer_report *report);
void pn_renderer_describe_source(const pn_renderer *renderer, int source, pn_source_report *report);
void pn_renderer_describe_bus(const pn_renderer *renderer, int bus, pn_bus_report *report);

#endif
