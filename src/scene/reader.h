// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_READER_H
#define PN_SCENE_READER_H

#include "base/messages.h"
#include "scene/scene.h"

/* Scene files (YAML, or JSON as far as that is YAML) to pn_scene. A scene that comes back is whole and
 * consistent: every value in its range, names unique, sends resolved, keys in order. What it names (clips,
 * responses, HRTF sets) is not looked at, and features that cannot be rendered yet pass
 * (pn_scene_require_supported finds them).
 *
 * Failures: PINNA_BAD_SCENE with "file:line:column: ", the offending word, what was expected and, for slips of
 * the keys, the word that was probably meant; PINNA_NOT_FOUND, PINNA_IO or PINNA_BAD_FILE when the file itself
 * cannot be read (directories, pipes and devices are refused; symbolic links are followed); PINNA_NO_MEMORY.
 * *scene is NULL then. Warnings tell what is probably not meant: a bus without sends, a source nobody hears.
 *
 * Times are seconds as numbers, or beats at the scene's tempo as text: 4b, 1.5 beats. */
pinna_status pn_scene_read(const char *file, pn_messages *messages, pn_scene **scene, pinna_error *err);

/* The same for a text of `size` bytes; `name` stands for the file in messages, relative paths start in `base`
 * (NULL or "" = the current folder). */
pinna_status pn_scene_read_text(const char *text, size_t size, const char *name, const char *base,
                                pn_messages *messages, pn_scene **scene, pinna_error *err);

#endif
