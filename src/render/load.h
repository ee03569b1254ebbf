// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_RENDER_LOAD_H
#define PN_RENDER_LOAD_H

#include "base/messages.h"
#include "scene/scene.h"

/* Reads a scene: a file, or the demo scene inside the program when the name is "builtin". */
pinna_status pn_load_scene(const char *name, pn_messages *messages, pn_scene **scene, pinna_error *err);

/* The text of the demo scene (tools/demo.yaml), *size bytes, not terminated. */
const char *pn_builtin_scene_text(size_t *size);

#endif
