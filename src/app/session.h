// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_SESSION_H
#define PN_APP_SESSION_H

#include "app/cli.h"
#include "io/audio_file.h"
#include "render/offline.h"
#include "render/renderer.h"

/* One scene rendered to one file: what `render` and `place` have in common. */
typedef struct {
    const char *command; /* for messages */
    const char *out;
    pn_common common;
    pn_renderer_config config;
    pn_encoding fallback_encoding; /* when neither the option nor the scene names one */
} pn_session;

/* Checks the options that need no scene: block, rate, encoding, threads. Returns -1 or an exit status. */
int pn_session_check(const pn_session *session);

/* Renders the scene (which becomes the session's, whatever happens) into session->out with progress, and prints the
 * summary or the JSON document. Returns the exit status. */
int pn_session_render(const pn_session *session, pn_scene *scene, pn_messages *messages);

/* Options of the commands that take a scene. */
#define PN_OPTION_SCENE_HRTF(hrtf)                                                                           \
    { "--hrtf", NULL, PN_OPTION_TEXT, &(hrtf), "F", "a SOFA file, or builtin, instead of the scene's" }
#define PN_OPTION_SCENE_RATE(rate)                                                                           \
    { "--rate", NULL, PN_OPTION_NUMBER, &(rate), "R", "Hz, instead of the scene's" }
#define PN_OPTION_SCENE_BLOCK(block)                                                                         \
    { "--block", NULL, PN_OPTION_INTEGER, &(block), "N", "frames, a power of two, instead of the scene's" }

/* Sets the config's rate and block from options (0 = not given). */
pn_renderer_config pn_session_config(const pn_common *common, double rate, int block, const char *hrtf);

/* "1:02.5" for people. Returns text. */
const char *pn_format_seconds(double seconds, char *text, size_t size);

#endif
