// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/scene.h"
#include "scene/words.h"

static pinna_status not_yet(const pn_scene *scene, pn_mark mark, pinna_error *err, const char *what,
                            const char *advice) {
    return pn_scene_fail(scene, mark, err, PINNA_UNSUPPORTED, "%s not available yet in this version; %s",
                         what, advice);
}

static pinna_status strip_supported(const pn_scene *scene, const pn_strip *strip, pinna_error *err) {
    if (strip->count == 0)
        return PINNA_OK;
    return pn_scene_fail(
        scene, strip->entries[0].mark, err, PINNA_UNSUPPORTED,
        "'%s' strips are not available yet in this version; remove the strip to render without "
        "it",
        strip->entries[0].name);
}

static pinna_status automation_supported(const pn_scene *scene, const pn_source *source, pinna_error *err) {
    if (source->automation_count == 0)
        return PINNA_OK;
    char word[PN_WORD_TEXT];
    return pn_scene_fail(scene, source->automations[0].mark, err, PINNA_UNSUPPORTED,
                         "automation of '%s' is not available yet in this version; only 'gain' is",
                         pn_excerpt(source->automations[0].key, word));
}

static pinna_status source_supported(const pn_scene *scene, const pn_source *source, pinna_error *err) {
    pinna_status status = automation_supported(scene, source, err);
    return status != PINNA_OK ? status : strip_supported(scene, &source->strip, err);
}

pinna_status pn_scene_require_supported(const pn_scene *scene, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (size_t i = 0; i < scene->source_count && status == PINNA_OK; ++i)
        status = source_supported(scene, &scene->sources[i], err);
    for (size_t i = 0; i < scene->bus_count && status == PINNA_OK; ++i)
        status = strip_supported(scene, &scene->buses[i].strip, err);
    if (status == PINNA_OK)
        status = strip_supported(scene, &scene->master.strip, err);
    if (status == PINNA_OK && scene->master.has_loudness)
        return not_yet(scene, scene->master.loudness_mark, err, "'loudness' is", "leave it out");
    return status;
}
