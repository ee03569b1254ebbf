// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"
#include "render/load.h"
#include "render/renderer_state.h"

/* The public renderer. One built by calls is a scene that grows until the first render; then the engine is built
 * from it, once. */

typedef struct {
    float *channel[4];
    int channels;
    size_t frames;
} stored_taps;

struct pinna_renderer {
    pn_messages *messages;
    pn_renderer_config config;
    char *hrtf, *device;
    pn_renderer *engine; /* NULL until built */
    pn_scene *scene;     /* the engine's once that is built */
    stored_taps *taps;   /* one for each bus added by call */
    size_t tap_count;
};

static pinna_status check(const pinna_renderer *r, bool ok, pinna_error *error, const char *what) {
    if (r == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "no renderer (NULL)");
    return ok ? PINNA_OK : pn_fail(error, PINNA_BAD_ARGUMENT, "%s", what);
}

static pinna_status new_renderer(const pinna_renderer_config *config, pinna_renderer **renderer,
                                 pinna_error *error) {
    static const pinna_renderer_config defaults = {0};
    if (config == NULL)
        config = &defaults;
    pinna_renderer *r = pn_alloc(1, sizeof *r);
    if (r == NULL)
        return pn_fail_memory(error, "the renderer", sizeof *r);
    r->messages = pn_messages_create(config->message, config->message_user);
    r->hrtf = config->hrtf == NULL ? NULL : pn_strdup(config->hrtf);
    r->device = pn_strdup(config->device == NULL ? "cpu" : config->device);
    if (r->messages == NULL || r->device == NULL || (config->hrtf != NULL && r->hrtf == NULL)) {
        pinna_renderer_free(r);
        return pn_fail_memory(error, "the renderer", sizeof *r);
    }
    r->config = (pn_renderer_config){.rate = config->rate,
                                     .block = config->block,
                                     .hrtf = r->hrtf,
                                     .device = r->device,
                                     .threads = config->threads,
                                     .doppler = config->doppler,
                                     .doppler_reach = config->doppler_reach,
                                     .spectra = config->spectra_bits};
    *renderer = r;
    return PINNA_OK;
}

pinna_status pinna_renderer_load(const char *scene_file, const pinna_renderer_config *config,
                                 pinna_renderer **renderer, pinna_error *error) {
    if (renderer == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "no place for the renderer (NULL)");
    *renderer = NULL;
    pinna_renderer *r = NULL;
    pinna_status status = new_renderer(config, &r, error);
    if (status != PINNA_OK)
        return status;
    if (scene_file == NULL)
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "pinna_renderer_load: no scene file (NULL)");
    if (status == PINNA_OK)
        status = pn_load_scene(scene_file, r->messages, &r->scene, error);
    if (status == PINNA_OK) {
        pn_scene *scene = r->scene;
        r->scene = NULL; /* the engine's from here on */
        status = pn_renderer_create(scene, &r->config, r->messages, &r->engine, error);
    }
    if (status != PINNA_OK) {
        pinna_renderer_free(r);
        return status;
    }
    *renderer = r;
    return PINNA_OK;
}

static pinna_status start_scene(pinna_renderer *r, pinna_error *error) {
    const pn_renderer_config *c = &r->config;
    if (c->rate != 0 && !(c->rate >= 8000 && c->rate <= 384000 && c->rate == floor(c->rate)))
        return pn_fail(error, PINNA_BAD_ARGUMENT, "rate: %g, expected whole Hz, 8000 to 384000", c->rate);
    if (c->block != 0 && (c->block < 32 || c->block > 8192 || (c->block & (c->block - 1)) != 0))
        return pn_fail(error, PINNA_BAD_ARGUMENT, "block: %d, expected a power of two, 32 to 8192", c->block);
    r->scene = pn_scene_create();
    if (r->scene == NULL)
        return pn_fail_memory(error, "the scene", sizeof *r->scene);
    if (c->rate != 0)
        r->scene->rate = c->rate;
    if (c->block != 0)
        r->scene->block = c->block;
    return PINNA_OK;
}

pinna_status pinna_renderer_create(const pinna_renderer_config *config, pinna_renderer **renderer,
                                   pinna_error *error) {
    if (renderer == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "no place for the renderer (NULL)");
    *renderer = NULL;
    pinna_renderer *r = NULL;
    pinna_status status = new_renderer(config, &r, error);
    if (status != PINNA_OK)
        return status;
    status = start_scene(r, error);
    if (status != PINNA_OK) {
        pinna_renderer_free(r);
        return status;
    }
    *renderer = r;
    return PINNA_OK;
}

void pinna_renderer_free(pinna_renderer *r) {
    if (r == NULL)
        return;
    pn_renderer_free(r->engine);
    pn_scene_free(r->scene);
    for (size_t b = 0; b < r->tap_count; ++b)
        for (int c = 0; c < 4; ++c)
            pn_free(r->taps[b].channel[c]);
    pn_free(r->taps);
    pn_free(r->hrtf);
    pn_free(r->device);
    pn_messages_free(r->messages);
    pn_free(r);
}

/* ---- building by calls */

static pinna_status check_building(const pinna_renderer *r, pinna_error *error) {
    return check(r, r != NULL && r->engine == NULL, error,
                 "the scene is fixed: it was loaded from a file, or rendering has begun");
}

pinna_status pinna_renderer_add_source(pinna_renderer *r, const char *name, double x, double y, double z,
                                       double gain_db, int *source, pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status != PINNA_OK)
        return status;
    if (!isfinite(x) || !isfinite(y) || !isfinite(z) || isnan(gain_db) || gain_db > 100)
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "source '%s': position and gain must be finite, gain at most 100 dB",
                       name == NULL ? "" : name);
    if (name != NULL && (pn_scene_find_source(r->scene, name) >= 0 || pn_scene_find_bus(r->scene, name) >= 0))
        return pn_fail(error, PINNA_BAD_ARGUMENT, "the name '%s' is taken", name);
    pn_source *added = pn_scene_add_source(r->scene, name);
    if (added == NULL)
        return pn_fail_memory(error, "a source", sizeof *added);
    added->has_position = 1;
    added->position = (pn_vec3){x, y, z};
    added->gain_db = gain_db;
    if (source != NULL)
        *source = (int)r->scene->source_count - 1;
    return PINNA_OK;
}

static pinna_status check_added(const pinna_renderer *r, int source, pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status == PINNA_OK && (source < 0 || (size_t)source >= r->scene->source_count))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "source %d: there are %zu, from 0 on", source,
                         r->scene->source_count);
    return status;
}

pinna_status pinna_renderer_set_doppler(pinna_renderer *r, int source, double factor, pinna_error *error) {
    pinna_status status = check_added(r, source, error);
    if (status == PINNA_OK && !(factor >= 0 && factor <= 100))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "Doppler factor %g: expected 0 to 100", factor);
    if (status == PINNA_OK)
        r->scene->sources[source].doppler = factor;
    return status;
}

pinna_status pinna_renderer_set_spread(pinna_renderer *r, int source, double width, double diffuse,
                                       pinna_error *error) {
    pinna_status status = check_added(r, source, error);
    if (status == PINNA_OK && !(width >= 0 && width <= 360))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "width %g degrees: expected 0 to 360", width);
    if (status == PINNA_OK && !(diffuse >= 0 && diffuse <= 1))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "diffuse %g: expected 0 to 1", diffuse);
    if (status != PINNA_OK)
        return status;
    r->scene->sources[source].width_deg = width;
    r->scene->sources[source].diffuse = diffuse;
    return PINNA_OK;
}

static pinna_status store_taps(stored_taps *to, const float *const *irs, int count, size_t length,
                               pinna_error *error) {
    to->channels = count;
    to->frames = length;
    for (int c = 0; c < count; ++c) {
        to->channel[c] = pn_alloc_floats(length);
        if (to->channel[c] == NULL)
            return pn_fail_memory(error, "a response", 4.0 * (double)length);
        memcpy(to->channel[c], irs[c], length * sizeof(float));
    }
    return PINNA_OK;
}

static pinna_status check_gain(double gain_db, pinna_error *error) {
    if (gain_db <= 100)
        return PINNA_OK;
    return pn_fail(error, PINNA_BAD_ARGUMENT, "gain %g dB: expected a number up to 100", gain_db);
}

/* Here already, as the convolver that would refuse them is built later. */
static pinna_status check_taps(const float *const *irs, int count, size_t length, pinna_error *error) {
    for (int c = 0; c < count; ++c) {
        if (irs[c] == NULL)
            return pn_fail(error, PINNA_BAD_ARGUMENT, "response %d of %d is NULL", c, count);
        for (size_t n = 0; n < length; ++n) {
            if (!isfinite(irs[c][n]))
                return pn_fail(error, PINNA_BAD_ARGUMENT, "response %d: tap %zu is not finite", c, n);
        }
    }
    return PINNA_OK;
}

pinna_status pinna_renderer_add_reverb(pinna_renderer *r, const char *name, const float *const *irs,
                                       int ir_count, size_t length, double gain_db, int *bus,
                                       pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status != PINNA_OK)
        return status;
    if (irs == NULL || (ir_count != 1 && ir_count != 2 && ir_count != 4) || length == 0)
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "a reverb takes 1, 2 or 4 responses of at least one tap, not %d of %zu", ir_count,
                       length);
    status = check_gain(gain_db, error);
    if (status == PINNA_OK)
        status = check_taps(irs, ir_count, length, error);
    if (status != PINNA_OK)
        return status;
    if (name != NULL && (pn_scene_find_source(r->scene, name) >= 0 || pn_scene_find_bus(r->scene, name) >= 0))
        return pn_fail(error, PINNA_BAD_ARGUMENT, "the name '%s' is taken", name);
    stored_taps *taps = pn_regrow(r->taps, r->tap_count, r->tap_count + 1, sizeof *taps);
    if (taps == NULL)
        return pn_fail_memory(error, "a reverb", sizeof *taps);
    r->taps = taps;
    r->tap_count++; /* half-stored taps are freed with the renderer, and have no bus */
    status = store_taps(&taps[r->tap_count - 1], irs, ir_count, length, error);
    pn_bus *added = status == PINNA_OK ? pn_scene_add_bus(r->scene, name) : NULL;
    if (added == NULL) {
        for (int c = 0; c < 4; ++c)
            pn_free(taps[r->tap_count - 1].channel[c]);
        r->tap_count--;
        return status == PINNA_OK ? pn_fail_memory(error, "a bus", sizeof *added) : status;
    }
    added->has_reverb = 1;
    added->gain_db = gain_db;
    if (bus != NULL)
        *bus = (int)r->scene->bus_count - 1;
    return PINNA_OK;
}

pinna_status pinna_renderer_set_send(pinna_renderer *r, int source, int bus, double gain_db,
                                     pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status != PINNA_OK)
        return status;
    if (source < 0 || (size_t)source >= r->scene->source_count || bus < 0 ||
        (size_t)bus >= r->scene->bus_count)
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "send from source %d to bus %d: there are %zu sources and %zu buses", source, bus,
                       r->scene->source_count, r->scene->bus_count);
    status = check_gain(gain_db, error);
    if (status != PINNA_OK)
        return status;
    if (!pn_source_add_send(&r->scene->sources[source], bus, gain_db))
        return pn_fail_memory(error, "a send", 0);
    return PINNA_OK;
}

static bool within(double value, double low, double high) {
    return value >= low && value <= high;
}

pinna_status pinna_renderer_set_distance(pinna_renderer *r, pinna_distance_model model, double reference,
                                         double max, double rolloff, pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status != PINNA_OK)
        return status;
    if ((int)model < 0 || model > PINNA_DISTANCE_NONE)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "distance model %d: there are 0 to %d", (int)model,
                       (int)PINNA_DISTANCE_NONE);
    if (!within(reference, 0.001, 1e6) || !within(max, PN_NEAREST_METRES, 1e9) || !within(rolloff, 0, 100))
        return pn_fail(
            error, PINNA_BAD_ARGUMENT,
            "distance: reference %g m, max %g m, rolloff %g: expected 0.001 to 1e6, 0.2 to 1e9 and 0 to "
            "100",
            reference, max, rolloff);
    if (max < reference || (model == PINNA_DISTANCE_LINEAR && max == reference))
        return pn_fail(error, PINNA_BAD_ARGUMENT, "distance: max %g m: expected %s the reference, %g m", max,
                       model == PINNA_DISTANCE_LINEAR ? "more than" : "at least", reference);
    r->scene->distance.law = (pn_distance_law){(pn_distance_model)model, reference, max, rolloff};
    return PINNA_OK;
}

pinna_status pinna_renderer_set_air(pinna_renderer *r, double temperature, double humidity,
                                    pinna_error *error) {
    pinna_status status = check_building(r, error);
    if (status == PINNA_OK && (!within(temperature, -50, 60) || !within(humidity, 0, 100)))
        status =
            pn_fail(error, PINNA_BAD_ARGUMENT,
                    "air of %g degrees Celsius and %g per cent humidity: expected -50 to 60 and 0 to 100",
                    temperature, humidity);
    if (status != PINNA_OK)
        return status;
    r->scene->air.on = 1;
    r->scene->air.state = (pn_air_state){temperature, humidity};
    return PINNA_OK;
}

static pinna_status check_facing(double azimuth, double elevation, pinna_error *error) {
    if (isfinite(azimuth) && within(elevation, -90, 90))
        return PINNA_OK;
    return pn_fail(error, PINNA_BAD_ARGUMENT,
                   "facing %g, %g: expected an azimuth in degrees and an elevation of -90 to 90", azimuth,
                   elevation);
}

pinna_status pinna_renderer_set_directivity(pinna_renderer *r, int source,
                                            const pinna_directivity *directivity, pinna_error *error) {
    pinna_status status = check_added(r, source, error);
    if (status == PINNA_OK && directivity == NULL)
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "source %d: no directivity (NULL)", source);
    if (status != PINNA_OK)
        return status;
    const pinna_directivity *d = directivity;
    if ((int)d->pattern < 0 || d->pattern > PINNA_CONE)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "pattern %d: there are 0 to %d", (int)d->pattern,
                       (int)PINNA_CONE);
    bool cone = d->pattern == PINNA_CONE;
    if (cone &&
        !(d->inner >= 0 && d->inner <= d->outer && d->outer <= 360 && within(d->outer_gain, -200, 100)))
        return pn_fail(
            error, PINNA_BAD_ARGUMENT,
            "cone of %g within %g degrees, %g dB outside: expected 0 <= inner <= outer <= 360 and -200 to "
            "100 dB",
            d->inner, d->outer, d->outer_gain);
    status = check_facing(d->azimuth, d->elevation, error);
    if (status == PINNA_OK)
        r->scene->sources[source].directivity = (pn_directivity){
            .pattern = (pn_pattern)d->pattern,
            .facing_azimuth_deg = d->azimuth,
            .facing_elevation_deg = d->elevation,
            .inner_deg = cone ? d->inner : 360,
            .outer_deg = cone ? d->outer : 360,
            .outer_gain_db = cone ? d->outer_gain : 0,
        };
    return status;
}

pinna_status pinna_renderer_set_field(pinna_renderer *r, int source, pinna_field field, pinna_error *error) {
    pinna_status status = check_added(r, source, error);
    if (status == PINNA_OK && ((int)field < 0 || field > PINNA_FIELD_FAR))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "field %d: there are 0 to %d", (int)field,
                         (int)PINNA_FIELD_FAR);
    if (status == PINNA_OK)
        r->scene->sources[source].field = (pn_field)field;
    return status;
}

/* Builds the engine at the first render, feed or move of a scene made by calls. */
static pinna_status require_engine(pinna_renderer *r, pinna_error *error) {
    pinna_status status = check(r, true, error, "");
    if (status != PINNA_OK || r->engine != NULL)
        return status;
    pn_bus_taps *taps = pn_alloc(r->tap_count, sizeof *taps);
    if (taps == NULL)
        return pn_fail_memory(error, "the reverbs", 0);
    for (size_t b = 0; b < r->tap_count; ++b)
        taps[b] =
            (pn_bus_taps){(const float *const *)r->taps[b].channel, r->taps[b].channels, r->taps[b].frames};
    pn_scene *scene = r->scene;
    r->scene = NULL;
    if (scene == NULL)
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "the renderer could not be built before; make a new one");
    else
        status = pn_renderer_create_with(scene, &r->config, taps, r->messages, &r->engine, error);
    pn_free(taps);
    return status;
}

pinna_status pinna_renderer_start(pinna_renderer *r, pinna_error *error) {
    return require_engine(r, error);
}

/* ---- what it is */

int pinna_renderer_latency(const pinna_renderer *r) {
    return r->engine == NULL ? 0 : r->engine->latency - r->engine->skip;
}

int pinna_renderer_block(const pinna_renderer *r) {
    return r->engine != NULL ? pn_renderer_block(r->engine) : r->scene != NULL ? r->scene->block : 0;
}

double pinna_renderer_rate(const pinna_renderer *r) {
    return r->engine != NULL ? pn_renderer_rate(r->engine) : r->scene != NULL ? r->scene->rate : 0;
}

uint64_t pinna_renderer_frames(const pinna_renderer *r) {
    return r->engine != NULL ? pn_renderer_frames(r->engine) : 0;
}

int pinna_renderer_find_source(const pinna_renderer *r, const char *name) {
    const pn_scene *scene = r->engine != NULL ? pn_renderer_scene(r->engine) : r->scene;
    return scene == NULL || name == NULL ? -1 : pn_scene_find_source(scene, name);
}

/* ---- running */

static pinna_status check_source(const pinna_renderer *r, int source, pinna_error *error) {
    size_t count = pn_renderer_scene(r->engine)->source_count;
    if (source >= 0 && (size_t)source < count)
        return PINNA_OK;
    return pn_fail(error, PINNA_BAD_ARGUMENT, "source %d: there are %zu, from 0 on", source, count);
}

pinna_status pinna_renderer_feed(pinna_renderer *r, int source, const float *samples, pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK)
        status = check_source(r, source, error);
    if (status == PINNA_OK && !pn_renderer_is_fed(r->engine, source))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "source %d plays a clip or a generator: it cannot be fed",
                         source);
    if (status == PINNA_OK)
        pn_renderer_feed_source(r->engine, source, samples);
    return status;
}

pinna_status pinna_renderer_move_source(pinna_renderer *r, int source, double x, double y, double z,
                                        pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK)
        status = check_source(r, source, error);
    if (status == PINNA_OK && (!isfinite(x) || !isfinite(y) || !isfinite(z)))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "source %d: the position must be finite", source);
    if (status == PINNA_OK)
        pn_renderer_move_source(r->engine, source, (pn_vec3){x, y, z});
    return status;
}

pinna_status pinna_renderer_move_listener(pinna_renderer *r, double x, double y, double z, double yaw,
                                          double pitch, double roll, pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK && !isfinite(x + y + z + yaw + pitch + roll))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "the listener's position and orientation must be finite");
    if (status == PINNA_OK)
        pn_renderer_move_listener(r->engine, (pn_vec3){x, y, z},
                                  pn_quat_from_ypr(pn_radians(yaw), pn_radians(pitch), pn_radians(roll)));
    return status;
}

pinna_status pinna_renderer_turn_source(pinna_renderer *r, int source, double azimuth, double elevation,
                                        pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK)
        status = check_source(r, source, error);
    if (status == PINNA_OK)
        status = check_facing(azimuth, elevation, error);
    if (status == PINNA_OK)
        pn_renderer_turn_source(r->engine, source,
                                pn_vec_from_polar(pn_radians(azimuth), pn_radians(elevation), 1));
    return status;
}

pinna_status pinna_renderer_set_gain(pinna_renderer *r, int source, double gain_db, pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK)
        status = check_source(r, source, error);
    if (status == PINNA_OK)
        status = check_gain(gain_db, error);
    if (status == PINNA_OK)
        pn_renderer_gain_source(r->engine, source, pn_db_to_gain(gain_db));
    return status;
}

pinna_status pinna_renderer_render(pinna_renderer *r, float *left, float *right, pinna_error *error) {
    pinna_status status = require_engine(r, error);
    if (status == PINNA_OK && (left == NULL || right == NULL))
        status = pn_fail(error, PINNA_BAD_ARGUMENT, "pinna_renderer_render: no output buffer (NULL)");
    if (status == PINNA_OK)
        status = pn_renderer_prepare(r->engine, error);
    if (status == PINNA_OK)
        status = pn_renderer_process(r->engine, left, right, error);
    return status;
}
