// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/load.h"

#include <string.h>

#include "scene/reader.h"

extern const char pn_demo_scene[], pn_demo_scene_end[]; /* demo_scene.S */

const char *pn_builtin_scene_text(size_t *size) {
    *size = (size_t)(pn_demo_scene_end - pn_demo_scene);
    return pn_demo_scene;
}

pinna_status pn_load_scene(const char *name, pn_messages *messages, pn_scene **scene, pinna_error *err) {
    if (strcmp(name, "builtin") != 0)
        return pn_scene_read(name, messages, scene, err);
    size_t size;
    const char *text = pn_builtin_scene_text(&size);
    return pn_scene_read_text(text, size, "builtin", NULL, messages, scene, err);
}
