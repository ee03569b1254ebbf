// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Set-up of the binaural sources: slots, copies, and how long the delay lines have to be. The longest distance of a
 * source comes from boxes around its way and the listener's: never too short, and for a way along one axis exact. */
#include <math.h>

#include "base/memory.h"
#include "render/renderer_state.h"
#include "scene/motion.h"

static const double longest_seconds = 3; /* of a delay line: 1,030 m */
static const double default_reach = 343;

static double slowness_of(const pn_renderer *r, const pn_source *source) {
    double factor = source->doppler >= 0 ? source->doppler : r->scene->doppler;
    return factor / pn_air_speed_of_sound(r->scene->air.state.temperature);
}

/* ------------------------------------------------------------------ distances */

static double farthest(const pn_box *a, const pn_box *b) {
    pn_vec3 d = {fmax(a->high.x - b->low.x, b->high.x - a->low.x),
                 fmax(a->high.y - b->low.y, b->high.y - a->low.y),
                 fmax(a->high.z - b->low.z, b->high.z - a->low.z)};
    return pn_vec_length(d);
}

static double gap(double low, double high, double other_low, double other_high) {
    return fmax(fmax(other_low - high, low - other_high), 0);
}

double pn_renderer_nearest_way(const pn_renderer *r) {
    pn_box listener, source;
    double nearest = INFINITY;
    pn_listener_box(&r->scene->listener, &listener);
    for (size_t i = 0; i < r->scene->source_count; ++i) {
        if (r->scene->sources[i].render != PN_RENDER_BINAURAL)
            continue;
        pn_source_box(&r->scene->sources[i], &source);
        pn_vec3 way = {gap(source.low.x, source.high.x, listener.low.x, listener.high.x),
                       gap(source.low.y, source.high.y, listener.low.y, listener.high.y),
                       gap(source.low.z, source.high.z, listener.low.z, listener.high.z)};
        nearest = fmin(nearest, pn_vec_length(way));
    }
    return nearest;
}

/* A source that the caller feeds is one that the caller moves. */
static double longest_distance(const pn_renderer *r, const pn_source *source, double reach) {
    pn_box source_box, listener_box;
    pn_source_box(source, &source_box);
    pn_listener_box(&r->scene->listener, &listener_box);
    double distance = farthest(&source_box, &listener_box);
    bool fed = source->clip == NULL && !source->has_generator;
    return fed ? fmax(distance, reach > 0 ? reach : default_reach) : fmax(distance, reach);
}

/* A lower bound in metres a second: from key to key of a path, on an orbit, with what the listener does meanwhile. */
static double fastest(const pn_renderer *r, const pn_source *source, double *when) {
    const pn_path *path = &source->path;
    double most = source->has_orbit ? fabs(2 * PN_PI * source->orbit.radius / source->orbit.period) : 0;
    *when = source->start;
    for (size_t i = 1; i < path->position_count; ++i) {
        double from = path->positions[i - 1].time, to = path->positions[i].time;
        pn_vec3 before = pn_vec_sub(pn_source_position_at(source, from),
                                    pn_listener_position_at(&r->scene->listener, from)),
                after = pn_vec_sub(pn_source_position_at(source, to),
                                   pn_listener_position_at(&r->scene->listener, to));
        double speed = pn_vec_length(pn_vec_sub(after, before)) / (to - from);
        if (!(speed > most))
            continue;
        most = speed;
        *when = from;
    }
    return most;
}

static void warn_speed(const pn_renderer *r, const pn_source *source, double slowness) {
    double when, speed = fastest(r, source, &when);
    char place[PINNA_ERROR_TEXT];
    if (speed * slowness < 1)
        return;
    pn_warn(r->messages,
            "%s: Doppler: '%s' moves at %.4g m/s from %.6g s on, not slower than sound (%.4g m/s); where its "
            "sound "
            "cannot be followed it is faded out and in",
            pn_scene_place(r->scene, source->mark, place, sizeof place),
            source->name == NULL ? "" : source->name, speed, when, 1 / slowness);
}

static void plan_delay(pn_renderer *r, pn_emitter *e, double reach) {
    const pn_source *source = &r->scene->sources[e->source];
    e->slowness = slowness_of(r, source);
    if (!(e->slowness > 0))
        return;
    warn_speed(r, source, e->slowness);
    double distance = longest_distance(r, source, reach), seconds = distance * e->slowness;
    if (seconds > longest_seconds) {
        char place[PINNA_ERROR_TEXT];
        pn_warn(r->messages,
                "%s: Doppler: '%s' goes up to %.4g m away, but the delay lines reach %.4g m (%.4g s): "
                "farther away it is delayed as if there",
                pn_scene_place(r->scene, source->mark, place, sizeof place),
                source->name == NULL ? "" : source->name, distance, longest_seconds / e->slowness,
                longest_seconds);
        seconds = longest_seconds;
    }
    int samples = PN_PROPAGATION_SHORTEST + (int)ceil(seconds * r->rate) + 2;
    r->propagation = samples > r->propagation ? samples : r->propagation;
}

/* ------------------------------------------------------------------ set-up */

static pinna_status open_spread(pn_renderer *r, pn_emitter *e, pinna_error *err) {
    const pn_source *source = &r->scene->sources[e->source];
    if (!(source->width_deg > 0) && !(source->diffuse > 0))
        return PINNA_OK;
    pn_spread_desc desc = {r->rate, r->block, source->width_deg, source->diffuse};
    pinna_status status = pn_spread_create(&desc, &e->spread, err);
    if (status == PINNA_OK)
        e->slots = pn_spread_slots(e->spread);
    return status;
}

pinna_status pn_renderer_open_emitters(pn_renderer *r, double reach, int *slots, pinna_error *err) {
    *slots = 0;
    for (int i = 0; i < r->emitter_count; ++i) {
        pn_emitter *e = &r->emitter[i];
        plan_delay(r, e, reach);
        pinna_status status = open_spread(r, e, err);
        if (status != PINNA_OK)
            return status;
        e->slot = *slots;
        *slots += e->slots;
    }
    r->binaural_in = pn_alloc((size_t)*slots, sizeof *r->binaural_in);
    if (r->binaural_in == NULL)
        return pn_fail_memory(err, "the sources", (double)*slots * sizeof *r->binaural_in);
    return PINNA_OK;
}

uint64_t pn_renderer_last_passage(const pn_renderer *r, int index, uint64_t end) {
    const pn_source *source = &r->scene->sources[index];
    if (source->render != PN_RENDER_BINAURAL)
        return 0;
    double slowness = slowness_of(r, source), time = (double)end / r->rate, seconds = 0;
    pn_vec3 position = pn_source_position_at(source, time);
    for (int step = 0; step < 100 && slowness > 0; ++step) {
        pn_vec3 ear = pn_listener_position_at(&r->scene->listener, time + seconds);
        seconds = fmin(slowness * pn_vec_length(pn_vec_sub(position, ear)), longest_seconds);
    }
    bool wide = source->width_deg > 0 || source->diffuse > 0;
    return (uint64_t)ceil(seconds * r->rate) + (wide ? (uint64_t)pn_spread_tail(r->rate) : 0);
}
