// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/motion.h"

#include "base/memory.h"

/* Centripetal Catmull-Rom. The points p0..p3 have the knots k0 = 0, k[i+1] = k[i] + |p[i+1] - p[i]|^(1/2). On
 * the middle segment the spline is the cubic Hermite curve with the slopes that the Barry-Goldman pyramid gives
 * at its ends; with d1, d2, d3 the three knot intervals and slopes scaled to a segment of length 1,
 *
 *     m1 = (p2 - p1) + d2 * ((p1 - p0) / d1 - (p2 - p0) / (d1 + d2))
 *     m2 = (p2 - p1) + d2 * ((p3 - p2) / d3 - (p3 - p1) / (d2 + d3)).
 *
 * (p1 - p0) / d1 tends to 0 with d1, so coinciding neighbours are the limit d1 = 0; there, as at the ends, where
 * the missing point is the mirror image of the one opposite, the slope is the chord p2 - p1. A segment of no length
 * stays where it is: d2 = 0 makes m1 = m2 = p2 - p1 = 0.
 *
 * Length of the way: the integral of the slope's length, by Gauss and Legendre's five points on each of PN_ARC_STEPS
 * parts of a segment; the curve's slope nowhere vanishes within one, so that this is exact to some 1e-9. Its inverse
 * is the part found in the table, a straight guess within it, and two steps of Newton's method. */

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

/* A segment's ends and slopes. */
typedef struct {
    pn_vec3 p1, m1, p2, m2;
} cubic;

static cubic smooth_segment(const pn_position_key *keys, size_t count, size_t later) {
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
    return (cubic){p1, m1, p2, m2};
}

static pn_vec3 cubic_at(const cubic *c, double u) {
    double v = 1 - u;
    pn_vec3 along = pn_vec_add(c->p1, pn_vec_scale(pn_vec_sub(c->p2, c->p1), u * u * (3 - 2 * u)));
    return pn_vec_add(along, pn_vec_sub(pn_vec_scale(c->m1, u * v * v), pn_vec_scale(c->m2, u * u * v)));
}

/* Length of the slope: metres for u from 0 to 1. */
static double cubic_speed(const cubic *c, double u) {
    double v = 1 - u;
    pn_vec3 s = pn_vec_scale(pn_vec_sub(c->p2, c->p1), 6 * u * v);
    s = pn_vec_add(s, pn_vec_scale(c->m1, v * (1 - 3 * u)));
    return safe_length(pn_vec_add(s, pn_vec_scale(c->m2, u * (3 * u - 2))));
}

static double cubic_length(const cubic *c, double from, double to) {
    static const double x[] = {0.5384693101056831, 0.9061798459386640};
    static const double w[] = {0.4786286704993665, 0.2369268850561891};
    double middle = (from + to) / 2, half = (to - from) / 2;
    double sum = 128.0 / 225 * cubic_speed(c, middle);
    for (int i = 0; i < 2; ++i)
        sum += w[i] * (cubic_speed(c, middle - half * x[i]) + cubic_speed(c, middle + half * x[i]));
    return half * sum;
}

/* Where on the curve the way from its beginning is so long. */
static double cubic_parameter(const cubic *c, const double *arc, double way) {
    int part = 0;
    while (part < PN_ARC_STEPS - 1 && arc[part + 1] < way)
        ++part;
    double from = (double)part / PN_ARC_STEPS, to = (part + 1.0) / PN_ARC_STEPS;
    double length = arc[part + 1] - arc[part];
    if (!(length > 0))
        return from;
    double u = from + (way - arc[part]) / length / PN_ARC_STEPS;
    for (int step = 0; step < 2; ++step) {
        double speed = cubic_speed(c, u);
        if (speed > 0)
            u += (way - arc[part] - cubic_length(c, from, u)) / speed;
        u = fmin(fmax(u, from), to);
    }
    return u;
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

/* ------------------------------------------------------------------ stretches */

/* How much of a stretch is behind at time t, of its length or of its turn: 0 .. 1. */
static double progress(const pn_stretch *stretch, double t) {
    double u = fmin(fmax(fraction(stretch->start, stretch->end, t), 0), 1);
    return stretch->speed == PN_SPEED_EASED ? u * u * (3 - 2 * u) : u;
}

/* When that much is behind. */
static double time_of(const pn_stretch *stretch, double behind) {
    double u = behind;
    if (stretch->speed == PN_SPEED_EASED)
        u = 0.5 - sin(asin(fmin(fmax(1 - 2 * behind, -1), 1)) / 3);
    return stretch->start + u * (stretch->end - stretch->start);
}

/* The segment that leads to key `later`: its length, and the table of a curve. */
static double measure_segment(pn_path *path, size_t later, double *arc) {
    pn_position_key *key = &path->positions[later];
    key->arc = NULL;
    if (key->curve == PN_CURVE_LINEAR)
        return safe_length(pn_vec_sub(key->position, key[-1].position));
    cubic c = smooth_segment(path->positions, path->position_count, later);
    key->arc = arc;
    arc[0] = 0;
    for (int part = 0; part < PN_ARC_STEPS; ++part)
        arc[part + 1] =
            arc[part] + cubic_length(&c, (double)part / PN_ARC_STEPS, (part + 1.0) / PN_ARC_STEPS);
    return arc[PN_ARC_STEPS];
}

/* The stretch from key `first` to key `last`. */
static void measure_stretch(pn_path *path, size_t first, size_t last) {
    pn_position_key *keys = path->positions;
    pn_stretch stretch = {keys[last].stretch.speed, keys[first].time, keys[last].time, 0};
    if (stretch.speed == PN_SPEED_KEYS && last - first > 1)
        stretch.speed = PN_SPEED_CONSTANT;
    for (size_t i = first + 1; i <= last && stretch.speed != PN_SPEED_KEYS; ++i) {
        keys[i].before = stretch.length;
        stretch.length += measure_segment(path, i, path->arcs + i * (PN_ARC_STEPS + 1));
    }
    for (size_t i = first + 1; i <= last; ++i) {
        keys[i].stretch = stretch;
        if (i > first + 1)
            keys[i - 1].time = time_of(&stretch, stretch.length > 0 ? keys[i].before / stretch.length : 0);
    }
}

int pn_path_measure(pn_path *path) {
    int needed = 0;
    for (size_t i = 0; i < path->position_count; ++i)
        needed |= path->positions[i].stretch.speed != PN_SPEED_KEYS || isnan(path->positions[i].time);
    if (!needed)
        return 1;
    pn_free(path->arcs);
    path->arcs = pn_alloc(path->position_count, (PN_ARC_STEPS + 1) * sizeof *path->arcs);
    if (path->arcs == NULL)
        return 0;
    for (size_t first = 0, i = 1; i < path->position_count; ++i) {
        if (isnan(path->positions[i].time))
            continue;
        measure_stretch(path, first, i);
        first = i;
    }
    return 1;
}

/* ------------------------------------------------------------------ tracks */

double pn_keys_at(const pn_keys *keys, double t) {
    size_t later = find_later(keys->keys, keys->count, sizeof *keys->keys, t);
    if (later == 0)
        return keys->keys[0].value;
    if (later == keys->count)
        return keys->keys[later - 1].value;
    const pn_key *a = &keys->keys[later - 1], *b = &keys->keys[later];
    return a->value + fraction(a->time, b->time, t) * (b->value - a->value);
}

/* Where on its segment, 0 .. 1, a stretch is at time t. */
static double along(const pn_position_key *b, const cubic *c, double t) {
    double way = progress(&b->stretch, t) * b->stretch.length - b->before;
    if (b->arc != NULL)
        return cubic_parameter(c, b->arc, fmin(fmax(way, 0), b->arc[PN_ARC_STEPS]));
    double length = safe_length(pn_vec_sub(c->p2, c->p1));
    return length > 0 ? fmin(fmax(way / length, 0), 1) : 0;
}

pn_vec3 pn_positions_at(const pn_position_key *keys, size_t count, double t) {
    size_t later = find_later(keys, count, sizeof *keys, t);
    if (later == 0)
        return keys[0].position;
    if (later == count)
        return keys[later - 1].position;
    const pn_position_key *a = &keys[later - 1], *b = &keys[later];
    cubic c = {.p1 = a->position, .p2 = b->position};
    if (b->curve == PN_CURVE_SMOOTH)
        c = smooth_segment(keys, count, later);
    double u = b->stretch.speed == PN_SPEED_KEYS ? fraction(a->time, b->time, t) : along(b, &c, t);
    if (b->curve == PN_CURVE_SMOOTH)
        return cubic_at(&c, u);
    return pn_vec_add(a->position, pn_vec_scale(pn_vec_sub(b->position, a->position), u));
}

pn_quat pn_orientations_at(const pn_orientation_key *keys, size_t count, double t) {
    size_t later = find_later(keys, count, sizeof *keys, t);
    if (later == 0)
        return keys[0].orientation;
    if (later == count)
        return keys[later - 1].orientation;
    const pn_orientation_key *a = &keys[later - 1], *b = &keys[later];
    double u = fraction(a->time, b->time, t);
    if (b->stretch.speed == PN_SPEED_EASED) {
        double from = progress(&b->stretch, a->time), to = progress(&b->stretch, b->time);
        u = to > from ? (progress(&b->stretch, t) - from) / (to - from) : 1;
    }
    return pn_quat_slerp(a->orientation, b->orientation, u);
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

/* ------------------------------------------------------------------ boxes */

static void grow(pn_box *box, pn_vec3 p) {
    box->low = (pn_vec3){fmin(box->low.x, p.x), fmin(box->low.y, p.y), fmin(box->low.z, p.z)};
    box->high = (pn_vec3){fmax(box->high.x, p.x), fmax(box->high.y, p.y), fmax(box->high.z, p.z)};
}

/* A cubic is within its control points. */
static void positions_box(const pn_position_key *keys, size_t count, pn_box *box) {
    *box = (pn_box){keys[0].position, keys[0].position};
    for (size_t i = 1; i < count; ++i) {
        grow(box, keys[i].position);
        if (keys[i].curve != PN_CURVE_SMOOTH)
            continue;
        cubic c = smooth_segment(keys, count, i);
        grow(box, pn_vec_add(c.p1, pn_vec_scale(c.m1, 1.0 / 3)));
        grow(box, pn_vec_sub(c.p2, pn_vec_scale(c.m2, 1.0 / 3)));
    }
}

void pn_source_box(const pn_source *source, pn_box *box) {
    *box = (pn_box){source->position, source->position};
    if (source->path.position_count > 0)
        positions_box(source->path.positions, source->path.position_count, box);
    if (!source->has_orbit)
        return;
    pn_vec3 arm = {source->orbit.radius, source->orbit.radius, 0}, up = {0, 0, source->orbit.height};
    box->low = pn_vec_add(pn_vec_sub(box->low, arm), up);
    box->high = pn_vec_add(pn_vec_add(box->high, arm), up);
}

void pn_listener_box(const pn_listener *listener, pn_box *box) {
    *box = (pn_box){listener->position, listener->position};
    if (listener->path.position_count > 0)
        positions_box(listener->path.positions, listener->path.position_count, box);
}
