// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_OFFLINE_H
#define PN_RENDER_OFFLINE_H

#include "io/audio_file.h"
#include "mix/loudness.h"
#include "render/renderer.h"

/* The file renderer's loop: block after block into a writer, metered on the way. */

typedef struct {
    /* Called after every block; may be NULL. Returning false stops with PINNA_CANCELLED. */
    bool (*progress)(void *user, uint64_t frames_done, uint64_t frames_total);
    void *user;
} pn_offline_watch;

typedef struct {
    uint64_t frames;
    double seconds; /* of wall time, the loop alone */
    pn_loudness_result loudness;
} pn_offline_result;

/* Renders all frames of the renderer (which must have an end) into the writer; does not commit it. */
pinna_status pn_offline_render(pn_renderer *renderer, pn_audio_writer *writer, const pn_offline_watch *watch,
                               pn_offline_result *result, pinna_error *err);

#endif
