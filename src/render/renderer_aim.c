// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Where the binaural sources are heard, quantum by quantum: the block path between the scene's motion and the spatial
 * bank.
 *
 * Time. Frame m of the bank's output is scene time m - latency, so filters are evaluated at that. A delay line is read
 * before the filter, whose own latency is in between: frame n of what it gives is scene time n - 8, the shortest delay,
 * which all sources have. Hence two clocks, `latency` and PN_PROPAGATION_SHORTEST late.
 *
 * Doppler. What is heard at a time was emitted before; the filter is that of the place where the source was then.
 *
 * Calls. A source or listener that is moved by call is carried from where it was to where it shall be over one block. If
 * that would take it past the head at more than a quarter of its distance a quantum, it is no movement but a jump: it is
 * there at once, crossfaded within the first quantum, and not swept through the directions in between. With Doppler,
 * where it is by call counts for the sound that is heard now, not for sound on its way. */
#include <math.h>

#include "render/renderer_state.h"
#include "scene/motion.h"

static const double jump = 0.26; /* a quantum, of the distance (radians): 15 degrees */
static const double two_steps = 0.0175, four_steps = 0.067; /* likewise: 1 and 3.8 degrees */
static const double fastest_call = 0.3;  /* of the speed of sound: what is called for beyond it is a jump */
static const double smallest_leap = 0.5; /* samples */
static const double instant = 1e-4;      /* seconds, for velocities */

/* ------------------------------------------------------------------ things that move */

static pn_vec3 lerp(pn_vec3 a, pn_vec3 b, double u) {
    return pn_vec_add(a, pn_vec_scale(pn_vec_sub(b, a), u));
}

static double scene_time(const pn_renderer *r, double frame, int late) {
    return fmax(frame - late, 0) / r->rate;
}

/* How much of the block is behind at a frame. */
static double part_of(const pn_renderer *r, double frame) {
    return fmin(fmax((frame - (double)r->now) / r->block, 0), 1);
}

pn_vec3 pn_renderer_source_at(const pn_renderer *r, size_t source, double frame, int late) {
    const pn_source_place *place = &r->place[source];
    if (place->by_call)
        return lerp(place->from, place->position, part_of(r, frame));
    return pn_source_position_at(&r->scene->sources[source], scene_time(r, frame, late));
}

static pn_head head_at(const pn_renderer *r, double frame, int late, double part) {
    const pn_listener_place *place = &r->listener;
    double t = scene_time(r, frame, late);
    if (place->by_call)
        return (pn_head){lerp(place->from, place->position, part),
                         pn_quat_slerp(place->from_orientation, place->orientation, part)};
    return (pn_head){pn_listener_position_at(&r->scene->listener, t),
                     pn_listener_orientation_at(&r->scene->listener, t)};
}

static pn_vec3 head_velocity(const pn_renderer *r, double frame) {
    const pn_listener_place *place = &r->listener;
    if (place->by_call)
        return pn_vec_scale(pn_vec_sub(place->position, place->from), r->rate / r->block);
    double t = scene_time(r, frame, PN_PROPAGATION_SHORTEST);
    return pn_vec_scale(pn_vec_sub(pn_listener_position_at(&r->scene->listener, t + instant),
                                   pn_listener_position_at(&r->scene->listener, t - instant)),
                        1 / (2 * instant));
}

/* ------------------------------------------------------------------ moved by call */

void pn_renderer_move_source(pn_renderer *r, int source, pn_vec3 position) {
    pn_source_place *place = &r->place[source];
    if (!place->by_call)
        place->from =
            r->now == 0 ? position : pn_renderer_source_at(r, (size_t)source, (double)r->now, r->latency);
    place->position = position;
    place->by_call = true;
    if (r->now == 0)
        place->from = position;
}

void pn_renderer_move_listener(pn_renderer *r, pn_vec3 position, pn_quat orientation) {
    pn_listener_place *place = &r->listener;
    if (r->now == 0) {
        place->from = position;
        place->from_orientation = orientation;
    } else if (!place->by_call) {
        pn_head now = head_at(r, (double)r->now, r->latency, 0);
        place->from = now.position;
        place->from_orientation = now.orientation;
    }
    place->position = position;
    place->orientation = orientation;
    place->by_call = true;
}

void pn_renderer_turn_source(pn_renderer *r, int source, pn_vec3 facing) {
    for (int i = 0; i < r->emitter_count; ++i) {
        if (r->emitter[i].source == source)
            r->emitter[i].radiator.facing = facing;
    }
}

/* After a block everything is where it was called to. */
void pn_renderer_arrive(pn_renderer *r) {
    for (size_t i = 0; i < r->scene->source_count; ++i)
        r->place[i].from = r->place[i].position;
    r->listener.from = r->listener.position;
    r->listener.from_orientation = r->listener.orientation;
}

/* ------------------------------------------------------------------ one source */

/* How far, of its distance, something went past the head. */
static double passed(pn_vec3 from, pn_vec3 to) {
    double near = fmin(pn_vec_length(from), pn_vec_length(to));
    return pn_vec_length(pn_vec_sub(to, from)) / fmax(near, PN_NEAREST_METRES);
}

/* Whether what was called for in this block is a jump for this source. */
static bool is_jump(const pn_renderer *r, const pn_emitter *e) {
    const pn_source_place *place = &r->place[e->source];
    if (!place->by_call && !r->listener.by_call)
        return false;
    double end = (double)r->now + r->block;
    pn_head head = head_at(r, end, r->latency, 1);
    pn_vec3 way = pn_vec_sub(pn_renderer_source_at(r, (size_t)e->source, end, r->latency), head.position);
    double moved = pn_vec_length(pn_vec_sub(way, pn_vec_sub(e->position, e->ear)));
    return passed(e->relative, pn_quat_unrotate(head.orientation, way)) > jump * r->block / r->quantum ||
           moved * e->slowness > fastest_call * r->block / r->rate;
}

static pn_vec3 track_at(const void *user, double time) {
    return pn_source_position_at(user, time);
}

/* The delay line in the quantum that ends at `end`. */
static void travel(pn_renderer *r, pn_emitter *e, double end) {
    pn_travel_line line = {r->quantum, r->propagation, r->filter_reach};
    double delay = 0, rate = 0;
    if (e->slowness > 0) {
        const pn_source *source = &r->scene->sources[e->source];
        const pn_source_place *place = &r->place[e->source];
        double part = e->jumps ? 1 : part_of(r, end);
        pn_head head =
            e->jumps && r->listener.by_call ? head_at(r, end, PN_PROPAGATION_SHORTEST, 1) : r->hearing;
        if (place->by_call) {
            pn_vec3 way = pn_vec_sub(lerp(place->from, place->position, part), head.position);
            pn_vec3 moved = pn_vec_scale(pn_vec_sub(place->position, place->from), r->rate / r->block);
            double distance = pn_vec_length(way);
            delay = e->slowness * distance;
            if (distance > 0 && !e->jumps)
                rate = e->slowness * pn_vec_dot(way, pn_vec_sub(moved, r->hearing_velocity)) / distance;
        } else {
            pn_track track = {track_at, source};
            pn_passage passage = pn_travel_solve(
                &track, scene_time(r, end, PN_PROPAGATION_SHORTEST), head.position, r->hearing_velocity,
                e->slowness, (r->propagation - PN_PROPAGATION_SHORTEST) / r->rate, e->passage);
            delay = e->passage = passage.seconds;
            rate = passage.rate;
        }
    }
    delay = PN_PROPAGATION_SHORTEST + delay * r->rate;
    bool leap = e->jumps && fabs(delay - e->travel.wanted) > smallest_leap;
    pn_travel_step(&e->travel, &line, delay, rate, leap, &e->way);
}

/* Seconds on the way of what is heard at part u of the quantum. The filter comes after the line, so that this may be a
 * little before the quantum. */
static double passage_at(const pn_renderer *r, const pn_emitter *e, double u) {
    const float *c = e->way.c;
    double v = u - (double)(r->latency - PN_PROPAGATION_SHORTEST) / r->quantum, w = fmax(v, 0);
    double delay = e->way.whole + (double)c[0] + w * ((double)c[1] + w * ((double)c[2] + w * (double)c[3]));
    if (v < 0)
        delay += v * (double)c[1];
    return fmax(delay - PN_PROPAGATION_SHORTEST, 0) / r->rate;
}

/* From the head to the source, in the world's axes, at part u of the quantum that begins at `start`. */
static pn_vec3 way_at(const pn_renderer *r, const pn_emitter *e, double start, double u, pn_head *head) {
    double frame = start + u * r->quantum;
    const pn_source_place *place = &r->place[e->source];
    *head = e->jumps && r->listener.by_call ? head_at(r, frame, r->latency, 1)
                                            : r->head[(int)(u * PN_QUARTERS) - 1];
    pn_vec3 position;
    if (e->aimed && e->travel.phase_to > e->travel.phase_from) /* fades: where it was */
        position = e->position;
    else if (place->by_call)
        position = lerp(place->from, place->position, e->jumps ? 1 : part_of(r, frame));
    else if (e->slowness > 0)
        position = pn_source_position_at(&r->scene->sources[e->source],
                                         scene_time(r, frame, r->latency) - passage_at(r, e, u));
    else
        position = pn_renderer_source_at(r, (size_t)e->source, frame, r->latency);
    return pn_vec_sub(position, head->position);
}

static int steps_for(const pn_emitter *e, pn_vec3 relative) {
    if (e->aimed && e->travel.phase_from != e->travel.phase_to)
        return 4;
    if (!e->aimed || e->jumps)
        return 1;
    double way = passed(e->relative, relative);
    return way <= two_steps ? 1 : way <= four_steps ? 2 : 4;
}

/* Hands places 1 .. steps over, for all the slots. */
static void aim_slots(pn_renderer *r, pn_emitter *e, double start, int steps) {
    pn_aim whole[PN_QUARTERS], aim[PN_SPREAD_MOST][PN_QUARTERS];
    pn_spread_copy copy[PN_SPREAD_MOST];
    for (int k = 0; k < steps; ++k) {
        pn_head head;
        double u = (k + 1.0) / steps;
        pn_vec3 way = way_at(r, e, start, u, &head);
        double gain = pn_aimer_gain(r->aimer, &e->radiator, pn_vec_scale(way, -1));
        whole[k] = (pn_aim){.relative = pn_quat_unrotate(head.orientation, way),
                            .gain = pn_travel_level(&e->travel, u) * gain,
                            .field = e->field,
                            .air = true};
        if (e->spread == NULL)
            continue;
        pn_spread_aim(e->spread, way, head.orientation, copy);
        for (int s = 0; s < e->slots; ++s) {
            aim[s][k] = whole[k];
            aim[s][k].relative = copy[s].relative;
            aim[s][k].gain *= copy[s].share;
            if (copy[s].around)
                aim[s][k].field = PN_FIELD_FAR;
        }
    }
    e->relative = whole[steps - 1].relative;
    if (e->spread == NULL) {
        pn_binaural_aim(r->binaural, e->slot, whole, steps);
        return;
    }
    for (int s = 0; s < e->slots; ++s)
        pn_binaural_aim(r->binaural, e->slot + s, aim[s], steps);
    pn_spread_balance(e->spread, pn_binaural_share(r->binaural, e->slot, e->slots, whole, steps));
}

static void aim_emitter(pn_renderer *r, pn_emitter *e, double start) {
    if (r->propagation > 0) {
        travel(r, e, start + r->quantum);
        for (int s = 0; s < e->slots; ++s)
            pn_binaural_travel(r->binaural, e->slot + s, &e->way);
    }
    pn_head head;
    pn_vec3 way = way_at(r, e, start, 1, &head);
    int steps = steps_for(e, pn_quat_unrotate(head.orientation, way));
    aim_slots(r, e, start, steps);
    e->position = pn_vec_add(way, head.position);
    e->ear = head.position;
    e->aimed = true;
}

/* ------------------------------------------------------------------ all */

/* start may be a quantum before the scene: the first call gives the places at frame 0. */
void pn_renderer_aim(pn_renderer *r, double start) {
    for (int k = 1; k <= PN_QUARTERS; ++k) {
        double frame = start + (double)r->quantum * k / PN_QUARTERS;
        r->head[k - 1] = head_at(r, frame, r->latency, part_of(r, frame));
    }
    double end = start + r->quantum;
    if (r->propagation > 0) {
        r->hearing = head_at(r, end, PN_PROPAGATION_SHORTEST, part_of(r, end));
        r->hearing_velocity = head_velocity(r, end);
    }
    bool block_begins = start == (double)r->now;
    for (int i = 0; i < r->emitter_count; ++i) {
        pn_emitter *e = &r->emitter[i];
        if (block_begins)
            e->jumps = e->aimed && is_jump(r, e);
        aim_emitter(r, e, start);
    }
}
