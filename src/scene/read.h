// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_READ_H
#define PN_SCENE_READ_H

#include "base/messages.h"
#include "scene/schema.h"

/* The parts of a scene as the reader's files share them. Readers of values have the form of pn_read_fn. */

/* Ranges of what stands in several tables. */
#define PN_GAIN_RANGE .min = -200, .max = 100, .unit = " dB"
#define PN_TIME_RANGE .min = 0, .max = 1e6, .unit = " s"
#define PN_SPACE_RANGE .min = -1e6, .max = 1e6, .unit = " m"

enum { PN_MOST_SOURCES = 4096, PN_MOST_BUSES = 256 };

/* read_parts.c */
pinna_status pn_read_polar(pn_reader *, const pn_node *, const pn_rule *, void *object);       /* pn_vec3 */
pinna_status pn_read_orientation(pn_reader *, const pn_node *, const pn_rule *, void *object); /* pn_quat */
pinna_status pn_read_doppler(pn_reader *, const pn_node *, const pn_rule *, void *object);     /* double */
pinna_status pn_read_source_path(pn_reader *, const pn_node *, const pn_rule *, void *object); /* pn_path */
pinna_status pn_read_listener_path(pn_reader *, const pn_node *, const pn_rule *, void *object);
pinna_status pn_read_strip(pn_reader *, const pn_node *, const pn_rule *, void *object); /* pn_strip */
/* A list of [time, value], times rising; values in the rule's range. */
pinna_status pn_read_keys(pn_reader *, const pn_node *, const pn_rule *, void *object); /* pn_keys */

/* read_source.c: a list into scene->sources; the buses are there already. */
pinna_status pn_read_sources(pn_reader *, const pn_node *, const pn_rule *, void *scene);

/* read_scene.c: everything, from the root. */
pinna_status pn_read_root(pn_reader *reader);

/* check.c: what several parts of a scene must keep together; then warnings. */
pinna_status pn_scene_check(pn_scene *scene, pn_messages *messages, pinna_error *err);

#endif
