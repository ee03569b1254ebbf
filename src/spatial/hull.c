// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Incremental convex hull.
 *
 * A new point removes the faces it sees, a connected patch, and is joined to the edges around that patch. Each
 * insertion makes two faces more than it removes, so the places of removed faces are all used again and the
 * list never has gaps. A face that it sees is found by walking uphill over the hull.
 *
 * Measured grids are full of coplanar points (rings, and the four corners between two rings). Each point is
 * pushed outwards by its own pseudo-random 0 .. 2e-8 before the hull is built, and half as far to a side (points in one
 * plane with the centre, which faces lie in while the hull is small, would stay there), which decides every such case
 * the same way each time. Points PN_HULL_NEAREST apart stand out from their neighbours by 5e-7, so all stay on the
 * hull. */
#include "spatial/hull.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

struct pn_edge {
    int from, to, outer; /* seen from outside the removed patch is on the left */
};

static uint32_t scramble(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

static pn_vec3 pushed(pn_vec3 direction, int number) {
    uint32_t seed = scramble((uint32_t)number + 1);
    double u = seed / 4294967296.0, side[3];
    for (int i = 0; i < 3; ++i) {
        seed = scramble(seed + 1);
        side[i] = 2e-8 * (seed / 4294967296.0 - 0.5);
    }
    return pn_vec_add(pn_vec_scale(direction, 1 + 2e-8 * u), (pn_vec3){side[0], side[1], side[2]});
}

static double distance_to(const pn_face *face, pn_vec3 p) {
    return pn_vec_dot(face->normal, p) - face->offset;
}

static void set_face(pn_hull *hull, int index, int a, int b, int c) {
    pn_face *face = &hull->face[index];
    const pn_vec3 *p = hull->point;
    pn_vec3 normal = pn_vec_cross(pn_vec_sub(p[b], p[a]), pn_vec_sub(p[c], p[a]));
    face->vertex[0] = a;
    face->vertex[1] = b;
    face->vertex[2] = c;
    face->normal = pn_vec_scale(normal, 1 / pn_vec_length(normal));
    face->offset = pn_vec_dot(face->normal, p[a]);
}

/* The point farthest from the line through a and b (a == b: from the point). */
static int farthest_from_line(const pn_vec3 *p, int count, pn_vec3 a, pn_vec3 b) {
    pn_vec3 along = pn_vec_sub(b, a);
    double length = pn_vec_length(along), best = -1;
    int index = 0;
    for (int i = 0; i < count; ++i) {
        pn_vec3 r = pn_vec_sub(p[i], a);
        double d = length > 0 ? pn_vec_length(pn_vec_cross(r, along)) / length : pn_vec_length(r);
        if (d > best) {
            best = d;
            index = i;
        }
    }
    return index;
}

static int farthest_from_plane(const pn_vec3 *p, int count, pn_vec3 a, pn_vec3 normal, double *distance) {
    int index = 0;
    *distance = -1;
    for (int i = 0; i < count; ++i) {
        double d = fabs(pn_vec_dot(normal, pn_vec_sub(p[i], a)));
        if (d > *distance) {
            *distance = d;
            index = i;
        }
    }
    return index;
}

/* Four corners far apart; false when all is in one plane. */
static bool corners(const pn_vec3 *p, int count, double tolerance, int corner[4], pn_vec3 *normal) {
    corner[0] = 0;
    corner[1] = farthest_from_line(p, count, p[0], p[0]);
    corner[2] = farthest_from_line(p, count, p[0], p[corner[1]]);
    pn_vec3 n = pn_vec_cross(pn_vec_sub(p[corner[1]], p[0]), pn_vec_sub(p[corner[2]], p[0]));
    double length = pn_vec_length(n), distance;
    if (length < 1e-9) {
        *normal = (pn_vec3){0, 0, 1};
        return false;
    }
    *normal = pn_vec_scale(n, 1 / length);
    corner[3] = farthest_from_plane(p, count, p[0], *normal, &distance);
    return distance > tolerance;
}

bool pn_coplanar(const pn_vec3 *points, int count, double tolerance, pn_vec3 *normal) {
    int corner[4];
    pn_vec3 n;
    bool solid = corners(points, count, tolerance, corner, &n);
    if (normal != NULL)
        *normal = n;
    return !solid;
}

static void first_four(pn_hull *hull, const int c[4]) {
    static const int side[4][3] = {
        {1, 2, 3}, {0, 3, 2}, {0, 1, 3}, {0, 2, 1}}; /* without corner 0, 1, 2, 3 */
    const pn_vec3 *p = hull->point;
    pn_vec3 edge = pn_vec_sub(p[c[3]], p[c[0]]);
    pn_vec3 base = pn_vec_cross(pn_vec_sub(p[c[1]], p[c[0]]), pn_vec_sub(p[c[2]], p[c[0]]));
    bool flip = pn_vec_dot(edge, base) < 0;
    for (int f = 0; f < 4; ++f) {
        int k[3] = {side[f][0], side[f][flip ? 2 : 1], side[f][flip ? 1 : 2]};
        set_face(hull, f, c[k[0]], c[k[1]], c[k[2]]);
        for (int i = 0; i < 3; ++i)
            hull->face[f].neighbour[i] = k[i]; /* the face without that corner */
    }
    hull->faces = 4;
}

/* A face that p sees, or -1. Uphill from the face made last, from neighbour to neighbour; only where that ends on a face
 * that p does not see, through all of them. */
static int climb(const pn_hull *hull, pn_vec3 p) {
    int at = hull->last, before = -1;
    double best = distance_to(&hull->face[at], p);
    while (at != before && best <= 0) {
        before = at;
        for (int e = 0; e < 3; ++e) {
            int next = hull->face[before].neighbour[e];
            double d = distance_to(&hull->face[next], p);
            if (d > best) {
                best = d;
                at = next;
            }
        }
    }
    for (int f = 0; f < hull->faces && best <= 0; ++f) {
        best = distance_to(&hull->face[f], p);
        at = f;
    }
    return best > 0 ? at : -1;
}

/* The connected patch of faces that p sees; returns its size, 0 for a point inside. */
static int see(pn_hull *hull, pn_vec3 p) {
    int first = climb(hull, p), count = 0;
    if (first < 0)
        return 0;
    hull->visible[count++] = first;
    hull->stamp[first] = ++hull->insertion;
    for (int i = 0; i < count; ++i) {
        for (int e = 0; e < 3; ++e) {
            int next = hull->face[hull->visible[i]].neighbour[e];
            if (hull->stamp[next] == hull->insertion || distance_to(&hull->face[next], p) <= 0)
                continue;
            hull->stamp[next] = hull->insertion;
            hull->visible[count++] = next;
        }
    }
    return count;
}

static int find_horizon(pn_hull *hull, int seen) {
    int count = 0;
    for (int i = 0; i < seen; ++i) {
        const pn_face *face = &hull->face[hull->visible[i]];
        for (int e = 0; e < 3; ++e) {
            if (hull->stamp[face->neighbour[e]] == hull->insertion)
                continue;
            hull->horizon[count++] =
                (struct pn_edge){face->vertex[(e + 1) % 3], face->vertex[(e + 2) % 3], face->neighbour[e]};
        }
    }
    return count;
}

static void join(pn_hull *hull, int seen, int edges, int vertex) {
    for (int i = 0; i < edges; ++i) {
        const struct pn_edge *edge = &hull->horizon[i];
        int f = i < seen ? hull->visible[i] : hull->faces++;
        set_face(hull, f, edge->from, edge->to, vertex);
        hull->face[f].neighbour[2] = edge->outer;
        hull->starting[edge->from] = f;
        hull->last = f;
        pn_face *outer = &hull->face[edge->outer];
        for (int k = 0; k < 3; ++k) {
            if (outer->vertex[k] != edge->from && outer->vertex[k] != edge->to)
                outer->neighbour[k] = f;
        }
    }
    for (int i = 0; i < edges; ++i) {
        int f = hull->starting[hull->horizon[i].from], next = hull->starting[hull->horizon[i].to];
        hull->face[f].neighbour[0] = next;
        hull->face[next].neighbour[1] = f;
    }
}

static pinna_status insert(pn_hull *hull, int vertex, pinna_error *err) {
    int seen = see(hull, hull->point[vertex]);
    if (seen == 0)
        return PINNA_OK; /* one of the first four, or too near to another to matter */
    int edges = find_horizon(hull, seen);
    if (edges != seen + 2)
        return pn_fail(err, PINNA_BAD_FILE, "the directions cannot be triangulated (at number %d)", vertex);
    join(hull, seen, edges, vertex);
    return PINNA_OK;
}

static bool make_room(pn_hull *hull, int room) {
    size_t n = (size_t)room, faces = 2 * n + 8;
    hull->room = room;
    hull->point = pn_alloc(n, sizeof *hull->point);
    hull->face = pn_alloc(faces, sizeof *hull->face);
    hull->stamp = pn_alloc(faces, sizeof *hull->stamp);
    hull->visible = pn_alloc(faces, sizeof *hull->visible);
    hull->horizon = pn_alloc(3 * faces, sizeof *hull->horizon);
    hull->starting = pn_alloc(n, sizeof *hull->starting);
    return hull->point && hull->face && hull->stamp && hull->visible && hull->horizon && hull->starting;
}

static void shuffle(int *order, int count) {
    for (int i = 0; i < count; ++i)
        order[i] = i;
    for (int i = count - 1; i > 0; --i) {
        int j = (int)(scramble((uint32_t)i) % (uint32_t)(i + 1));
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

pinna_status pn_hull_create(pn_hull *hull, const pn_vec3 *directions, int count, int extra,
                            pinna_error *err) {
    memset(hull, 0, sizeof *hull);
    int corner[4];
    pn_vec3 normal;
    if (count < 4 || !corners(directions, count, PN_HULL_NEAREST, corner, &normal))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "the %d directions lie in one plane", count);
    int *order = pn_alloc((size_t)count, sizeof *order);
    if (order == NULL || !make_room(hull, count + extra)) {
        pn_free(order);
        pn_hull_clear(hull);
        return pn_fail_memory(err, "the triangulation of the directions", (count + extra) * 400.0);
    }
    hull->points = count;
    for (int i = 0; i < count; ++i)
        hull->point[i] = pushed(directions[i], i);
    first_four(hull, corner);
    shuffle(order, count);
    pinna_status status = PINNA_OK;
    for (int i = 0; i < count && status == PINNA_OK; ++i) {
        int v = order[i];
        if (v != corner[0] && v != corner[1] && v != corner[2] && v != corner[3])
            status = insert(hull, v, err);
    }
    pn_free(order);
    if (status != PINNA_OK)
        pn_hull_clear(hull);
    return status;
}

pinna_status pn_hull_add(pn_hull *hull, pn_vec3 direction, pinna_error *err) {
    if (hull->points == hull->room)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "no room for a further direction");
    int vertex = hull->points++;
    hull->point[vertex] = pushed(direction, vertex);
    return insert(hull, vertex, err);
}

void pn_hull_clear(pn_hull *hull) {
    pn_free(hull->point);
    pn_free(hull->face);
    pn_free(hull->stamp);
    pn_free(hull->visible);
    pn_free(hull->horizon);
    pn_free(hull->starting);
    memset(hull, 0, sizeof *hull);
}
