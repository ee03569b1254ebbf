// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/read.h"

#include <string.h>

/* ------------------------------------------------------------------ rates */

static pinna_status fail_frequency(const pn_scene *scene, const pn_source *source, const char *key,
                                   double frequency, pinna_error *err) {
    return pn_scene_fail(
        scene, source->generator.mark, err, PINNA_BAD_SCENE,
        "'%s' of the generator must be below half the rate; got %.10g Hz at a rate of %.10g Hz", key,
        frequency, scene->rate);
}

pinna_status pn_scene_set_rate(pn_scene *scene, double rate, pinna_error *err) {
    scene->rate = rate;
    for (size_t i = 0; i < scene->source_count; ++i) {
        pn_source *source = &scene->sources[i];
        pn_generator *generator = &source->generator;
        if (!source->has_generator)
            continue;
        if (!generator->frequency_end_given)
            generator->frequency_end = fmin(20000, 0.45 * rate);
        if (generator->frequency >= rate / 2)
            return fail_frequency(scene, source, "frequency", generator->frequency, err);
        if (generator->kind == PN_GENERATOR_SWEEP && generator->frequency_end >= rate / 2)
            return fail_frequency(scene, source, "frequency_end", generator->frequency_end, err);
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ names */

typedef struct {
    const char *name;
    pn_mark mark;
    const char *what;
} named;

static named nth_name(const pn_scene *scene, size_t index) {
    if (index < scene->source_count)
        return (named){scene->sources[index].name, scene->sources[index].mark, "source"};
    const pn_bus *bus = &scene->buses[index - scene->source_count];
    return (named){bus->name, bus->mark, "bus"};
}

static int is_before(pn_mark a, pn_mark b) {
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static pinna_status check_names(const pn_scene *scene, pinna_error *err) {
    size_t count = scene->source_count + scene->bus_count;
    for (size_t i = 1; i < count; ++i) {
        named later = nth_name(scene, i);
        for (size_t k = 0; k < i; ++k) {
            named earlier = nth_name(scene, k);
            if (strcmp(later.name, earlier.name) != 0)
                continue;
            if (is_before(later.mark, earlier.mark)) {
                named swap = later;
                later = earlier;
                earlier = swap;
            }
            char word[PN_WORD_TEXT];
            return pn_scene_fail(scene, later.mark, err, PINNA_BAD_SCENE,
                                 "the name '%s' is already taken by the %s in line %d; names are unique over "
                                 "sources and buses",
                                 pn_excerpt(later.name, word), earlier.what, earlier.mark.line);
        }
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ what is probably not meant */

static void warn_source(const pn_scene *scene, const pn_source *source, pn_messages *messages) {
    char place[PINNA_ERROR_TEXT], word[PN_WORD_TEXT];
    pn_scene_place(scene, source->mark, place, sizeof place);
    pn_excerpt(source->name, word);
    if (scene->duration >= 0 && source->start >= scene->duration)
        pn_warn(messages, "%s: '%s' starts at %.6g s, after the end of the scene (%.6g s)", place, word,
                source->start, scene->duration);
    int placed = source->has_position || source->has_orbit || source->path.position_count > 0;
    if (source->render == PN_RENDER_DIRECT && placed)
        pn_warn(messages, "%s: '%s' is rendered 'direct': its position is not used", place, word);
    const struct {
        const char *what;
        bool given;
    } spatial[] = {{"directivity", source->directivity.pattern != PN_PATTERN_OMNI},
                   {"field", source->field != PN_FIELD_AUTO},
                   {"width", source->width_deg > 0},
                   {"diffuseness", source->diffuse > 0},
                   {"Doppler", source->doppler > 0}};
    for (size_t i = 0; i < sizeof spatial / sizeof spatial[0]; ++i)
        if (source->render != PN_RENDER_BINAURAL && spatial[i].given)
            pn_warn(messages, "%s: '%s' is not rendered 'binaural': its %s is not used", place, word,
                    spatial[i].what);
}

static int has_sends(const pn_scene *scene, size_t bus) {
    for (size_t i = 0; i < scene->source_count; ++i)
        for (size_t k = 0; k < scene->sources[i].send_count; ++k)
            if (scene->sources[i].sends[k].bus == (int)bus)
                return 1;
    return 0;
}

static void warn_scene(const pn_scene *scene, pn_messages *messages) {
    char place[PINNA_ERROR_TEXT], word[PN_WORD_TEXT];
    size_t audible = 0;
    for (size_t i = 0; i < scene->source_count; ++i) {
        warn_source(scene, &scene->sources[i], messages);
        audible += pn_source_audible(scene, &scene->sources[i]) != 0;
    }
    for (size_t i = 0; i < scene->bus_count; ++i)
        if (!has_sends(scene, i))
            pn_warn(messages, "%s: no source sends to the bus '%s'",
                    pn_scene_place(scene, scene->buses[i].mark, place, sizeof place),
                    pn_excerpt(scene->buses[i].name, word));
    if (audible == 0)
        pn_warn(messages, "%s: every source is muted; the result is silent", scene->file);
}

pinna_status pn_scene_check(pn_scene *scene, pn_messages *messages, pinna_error *err) {
    pinna_status status = check_names(scene, err);
    if (status == PINNA_OK)
        status = pn_scene_set_rate(scene, scene->rate, err);
    if (status == PINNA_OK && messages != NULL)
        warn_scene(scene, messages);
    return status;
}
