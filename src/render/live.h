// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_LIVE_H
#define PN_RENDER_LIVE_H

#include "io/audio_device.h"
#include "render/renderer.h"

/* Live playback: a render thread makes blocks ahead into the audio device's ring; the device's callback only copies
 * from it. The device's rate and buffer size are taken as they come: when the rate is not the scene's the mix is
 * converted once, in the render thread. The same samples as the file, when it is not converted. */
typedef struct pn_live pn_live;

typedef struct {
    uint64_t frames_rendered; /* of the scene */
    uint64_t underruns;
    bool finished; /* all was rendered and handed to the device */
    pinna_status status;
} pn_live_state;

/* Starts rendering and playing. renderer and device are used by the live thread until pn_live_stop. */
pinna_status pn_live_start(pn_renderer *renderer, pn_audio_device *device, pn_live **live, pinna_error *err);
/* Any thread. */
void pn_live_get_state(const pn_live *live, pn_live_state *state);
/* Ends the thread, whether finished or not, and gives its error, if it failed. Accepts NULL. */
pinna_status pn_live_stop(pn_live *live, pinna_error *err);

#endif
