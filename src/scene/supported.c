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
    if (source->field != PN_FIELD_AUTO)
        return not_yet(scene, source->field_mark, err, "'field' other than auto is", "leave it out");
    if (source->directivity.pattern != PN_PATTERN_OMNI)
        return not_yet(scene, source->directivity.mark, err, "'directivity' other than omni is",
                       "leave it out");
    if (source->width_deg != 0)
        return not_yet(scene, source->width_mark, err, "'width' other than 0 is", "leave it out");
    if (source->diffuse != 0)
        return not_yet(scene, source->diffuse_mark, err, "'diffuse' other than 0 is", "leave it out");
    pinna_status status = automation_supported(scene, source, err);
    return status != PINNA_OK ? status : strip_supported(scene, &source->strip, err);
}

static pinna_status world_supported(const pn_scene *scene, pinna_error *err) {
    const pn_distance *distance = &scene->distance;
    if (scene->doppler != 0)
        return not_yet(scene, scene->doppler_mark, err, "'doppler' is", "set it to off");
    if (distance->model != PN_DISTANCE_INVERSE || distance->reference != 1 || distance->max != 1000 ||
        distance->rolloff != 1)
        return not_yet(scene, distance->mark, err,
                       "'distance' other than {model: inverse, reference: 1, max: 1000, rolloff: 1} is",
                       "leave it out");
    if (scene->air.on)
        return not_yet(scene, scene->air.mark, err, "'air' is", "set it to off");
    return PINNA_OK;
}

pinna_status pn_scene_require_supported(const pn_scene *scene, pinna_error *err) {
    pinna_status status = world_supported(scene, err);
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
