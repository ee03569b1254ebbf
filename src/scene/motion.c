// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/motion.h"

/* Centripetal Catmull-Rom. The points p0..p3 have the knots k0 = 0, k[i+1] = k[i] + |p[i+1] - p[i]|^(1/2). On
 * the middle segment the spline is the cubic Hermite curve with the slopes that the Barry-Goldman pyramid gives
 * at its ends; with d1, d2, d3 the three knot intervals and slopes scaled to a segment of length 1,
 *
 *     m1 = (p2 - p1) + d2 * ((p1 - p0) / d1 - (p2 - p0) / (d1 + d2))
 *     m2 = (p2 - p1) + d2 * ((p3 - p2) / d3 - (p3 - p1) / (d2 + d3)).
 *
 * (p1 - p0) / d1 tends to 0 with d1, so coinciding neighbours are the limit d1 = 0; there, as at the ends, where
 * the missing point is the mirror image of the one opposite, the slope is the chord p2 - p1. A segment of no length
 * stays where it is: d2 = 0 makes m1 = m2 = p2 - p1 = 0. */

/* Length that neither overflows nor underflows on the way. */
static double safe_length(pn_vec3 v) {
    return hypot(hypot(v.x, v.y), v.z);
}

static pn_vec3 slope(pn_vec3 chord, double d, pn_vec3 side, double d_side, pn_vec3 across) {
    if (!(d_side > 0) || !(d > 0))
        return chord;
    pn_vec3 bend = pn_vec_sub(pn_vec_scale(side, d / d_side), pn_vec_scale(across, d / (d + d_side)));
    return pn_vec_add(chord, bend);
}

static pn_vec3 smooth_segment(const pn_position_key *keys, size_t count, size_t later, double u) {
    pn_vec3 p1 = keys[later - 1].position, p2 = keys[later].position;
    pn_vec3 chord = pn_vec_sub(p2, p1), m1 = chord, m2 = chord;
    double d2 = sqrt(safe_length(chord));
    if (later >= 2) {
        pn_vec3 p0 = keys[later - 2].position, side = pn_vec_sub(p1, p0);
        m1 = slope(chord, d2, side, sqrt(safe_length(side)), pn_vec_sub(p2, p0));
    }
    if (later + 1 < count) {
        pn_vec3 p3 = keys[later + 1].position, side = pn_vec_sub(p3, p2);
        m2 = slope(chord, d2, side, sqrt(safe_length(side)), pn_vec_sub(p3, p1));
    }
    double v = 1 - u;
    pn_vec3 along = pn_vec_add(p1, pn_vec_scale(chord, u * u * (3 - 2 * u)));
    return pn_vec_add(along, pn_vec_sub(pn_vec_scale(m1, u * v * v), pn_vec_scale(m2, u * u * v)));
}

/* Index of the first key later than t among keys `stride` bytes apart that begin with their time; count when
 * there is none. */
static size_t find_later(const void *keys, size_t count, size_t stride, double t) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (*(const double *)(const void *)((const char *)keys + middle * stride) > t)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static double fraction(double before, double after, double t) {
    return (t - before) / (after - before);
}

double pn_keys_at(const pn_keys *keys, double t) {
    size_t later = find_later(keys->keys, keys->count, sizeof *keys->keys, t);
    if (later == 0)
        return keys->keys[0].value;
    if (later == keys->count)
        return keys->keys[later - 1].value;
    const pn_key *a = &keys->keys[later - 1], *b = &keys->keys[later];
    return a->value + fraction(a->time, b->time, t) * (b->value - a->value);
}

pn_vec3 pn_positions_at(const pn_position_key *keys, size_t count, double t) {
    size_t later = find_later(keys, count, sizeof *keys, t);
    if (later == 0)
        return keys[0].position;
    if (later == count)
        return keys[later - 1].position;
    const pn_position_key *a = &keys[later - 1], *b = &keys[later];
    double u = fraction(a->time, b->time, t);
    if (b->curve == PN_CURVE_SMOOTH)
        return smooth_segment(keys, count, later, u);
    return pn_vec_add(a->position, pn_vec_scale(pn_vec_sub(b->position, a->position), u));
}

pn_quat pn_orientations_at(const pn_orientation_key *keys, size_t count, double t) {
    size_t later = find_later(keys, count, sizeof *keys, t);
    if (later == 0)
        return keys[0].orientation;
    if (later == count)
        return keys[later - 1].orientation;
    const pn_orientation_key *a = &keys[later - 1], *b = &keys[later];
    return pn_quat_slerp(a->orientation, b->orientation, fraction(a->time, b->time, t));
}

pn_vec3 pn_orbit_at(const pn_orbit *orbit, pn_vec3 centre, double t) {
    /* Whole turns are taken off exactly, so that long scenes keep the precision of the angle. */
    double turn = fmod(t, orbit->period) / orbit->period;
    double angle = pn_radians(orbit->phase_deg) + 2 * PN_PI * turn;
    return pn_vec_add(centre,
                      (pn_vec3){orbit->radius * cos(angle), orbit->radius * sin(angle), orbit->height});
}

pn_vec3 pn_source_position_at(const pn_source *source, double t) {
    pn_vec3 position = source->position;
    if (source->path.position_count > 0)
        position = pn_positions_at(source->path.positions, source->path.position_count, t);
    return source->has_orbit ? pn_orbit_at(&source->orbit, position, t) : position;
}

pn_vec3 pn_listener_position_at(const pn_listener *listener, double t) {
    const pn_path *path = &listener->path;
    return path->position_count > 0 ? pn_positions_at(path->positions, path->position_count, t)
                                    : listener->position;
}

pn_quat pn_listener_orientation_at(const pn_listener *listener, double t) {
    const pn_path *path = &listener->path;
    return path->orientation_count > 0 ? pn_orientations_at(path->orientations, path->orientation_count, t)
                                       : listener->orientation;
}

double pn_source_gain_db_at(const pn_source *source, double t) {
    return source->gain_keys.count > 0 ? pn_keys_at(&source->gain_keys, t) : source->gain_db;
}

int pn_source_moves(const pn_source *source) {
    return source->path.position_count > 1 || source->has_orbit;
}

int pn_listener_moves(const pn_listener *listener) {
    return listener->path.position_count > 1 || listener->path.orientation_count > 1;
}
