// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/scene.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

pn_scene *pn_scene_create(void) {
    pn_scene *scene = pn_alloc(1, sizeof *scene);
    if (scene == NULL)
        return NULL;
    scene->rate = 48000;
    scene->block = 256;
    scene->duration = -1;
    scene->tempo = 120;
    scene->distance.law = (pn_distance_law){PN_DISTANCE_INVERSE, .reference = 1, .max = 1000, .rolloff = 1};
    scene->air.state = (pn_air_state){.temperature = 20, .humidity = 50};
    scene->listener.orientation = (pn_quat){1, 0, 0, 0};
    return scene;
}

static void free_strip(pn_strip *strip) {
    for (size_t i = 0; i < strip->count; ++i) {
        pn_strip_entry *entry = &strip->entries[i];
        for (size_t k = 0; k < entry->param_count; ++k)
            pn_free(entry->params[k].name);
        pn_free(entry->params);
        pn_free(entry->name);
    }
    pn_free(strip->entries);
}

static void free_path(pn_path *path) {
    pn_free(path->positions);
    pn_free(path->orientations);
    pn_free(path->arcs);
}

static void free_source(pn_source *source) {
    pn_free(source->name);
    pn_free(source->clip);
    pn_free(source->gain_keys.keys);
    free_path(&source->path);
    for (size_t i = 0; i < source->automation_count; ++i) {
        pn_free(source->automations[i].key);
        pn_free(source->automations[i].keys.keys);
    }
    pn_free(source->automations);
    free_strip(&source->strip);
    pn_free(source->sends);
}

static void free_bus(pn_bus *bus) {
    pn_free(bus->name);
    pn_free(bus->reverb.ir);
    free_strip(&bus->strip);
}

void pn_scene_free(pn_scene *scene) {
    if (scene == NULL)
        return;
    for (size_t i = 0; i < scene->source_count; ++i)
        free_source(&scene->sources[i]);
    for (size_t i = 0; i < scene->bus_count; ++i)
        free_bus(&scene->buses[i]);
    pn_free(scene->sources);
    pn_free(scene->buses);
    pn_free(scene->file);
    pn_free(scene->hrtf.file);
    free_path(&scene->listener.path);
    free_strip(&scene->master.strip);
    pn_free(scene);
}

/* Grows an array by one zeroed element; 0 when out of memory. Room is doubled at counts that are powers of two,
 * so it follows from the count; arrays that grow by this may not be made otherwise. */
static int append(void **array, size_t *count, size_t size) {
    if ((*count & (*count - 1)) == 0) {
        void *grown = pn_regrow(*array, *count, *count == 0 ? 1 : 2 * *count, size);
        if (grown == NULL)
            return 0;
        *array = grown;
    }
    *count += 1;
    return 1;
}

pn_source *pn_scene_add_source(pn_scene *scene, const char *name) {
    char *copy = name != NULL ? pn_strdup(name) : NULL;
    if ((name != NULL && copy == NULL) ||
        !append((void **)&scene->sources, &scene->source_count, sizeof *scene->sources)) {
        pn_free(copy);
        return NULL;
    }
    pn_source *source = &scene->sources[scene->source_count - 1];
    source->name = copy;
    source->length = -1;
    source->doppler = -1;
    source->position = (pn_vec3){1, 0, 0};
    source->generator = (pn_generator){.frequency = 440,
                                       .frequency_end = 20000,
                                       .duration = -1,
                                       .level_db = -12,
                                       .seed = scene->source_count};
    source->directivity.inner_deg = source->directivity.outer_deg = 360;
    return source;
}

pn_bus *pn_scene_add_bus(pn_scene *scene, const char *name) {
    char *copy = name != NULL ? pn_strdup(name) : NULL;
    if ((name != NULL && copy == NULL) ||
        !append((void **)&scene->buses, &scene->bus_count, sizeof *scene->buses)) {
        pn_free(copy);
        return NULL;
    }
    pn_bus *bus = &scene->buses[scene->bus_count - 1];
    bus->name = copy;
    return bus;
}

int pn_source_add_send(pn_source *source, int bus, double gain_db) {
    for (size_t i = 0; i < source->send_count; ++i) {
        if (source->sends[i].bus != bus)
            continue;
        source->sends[i].gain_db = gain_db;
        return 1;
    }
    if (!append((void **)&source->sends, &source->send_count, sizeof *source->sends))
        return 0;
    pn_send *send = &source->sends[source->send_count - 1];
    send->bus = bus;
    send->gain_db = gain_db;
    return 1;
}

int pn_scene_find_source(const pn_scene *scene, const char *name) {
    for (size_t i = 0; i < scene->source_count; ++i)
        if (scene->sources[i].name != NULL && strcmp(scene->sources[i].name, name) == 0)
            return (int)i;
    return -1;
}

int pn_scene_find_bus(const pn_scene *scene, const char *name) {
    for (size_t i = 0; i < scene->bus_count; ++i)
        if (scene->buses[i].name != NULL && strcmp(scene->buses[i].name, name) == 0)
            return (int)i;
    return -1;
}

int pn_source_audible(const pn_scene *scene, const pn_source *source) {
    if (source->mute)
        return 0;
    for (size_t i = 0; i < scene->source_count; ++i)
        if (scene->sources[i].solo)
            return source->solo;
    return 1;
}

const char *pn_scene_place(const pn_scene *scene, pn_mark mark, char *buffer, size_t size) {
    const char *file = scene->file != NULL ? scene->file : "scene";
    if (mark.line > 0)
        snprintf(buffer, size, "%s:%d:%d", file, mark.line, mark.column);
    else
        snprintf(buffer, size, "%s", file);
    return buffer;
}

pinna_status pn_scene_fail(const pn_scene *scene, pn_mark mark, pinna_error *err, pinna_status status,
                           const char *format, ...) {
    if (err == NULL)
        return status;
    char text[PINNA_ERROR_TEXT], place[PINNA_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return pn_fail(err, status, "%s: %s", pn_scene_place(scene, mark, place, sizeof place), text);
}
