// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HULL_H
#define PN_SPATIAL_HULL_H

#include <stdbool.h>

#include "base/status.h"
#include "base/vec.h"

/* Convex hull of points on the unit sphere, which is their Delaunay triangulation there. Grown a point at a time,
 * so that points can be added where the hull shows a hole. Zeroed is empty. */

typedef struct {
    int vertex[3];    /* counter-clockwise seen from outside */
    int neighbour[3]; /* face across the edge opposite to vertex[i] */
    pn_vec3 normal;   /* outward, unit length */
    double offset;    /* distance of the face's plane from the origin, along normal */
} pn_face;

typedef struct {
    pn_vec3 *point; /* as triangulated: moved outwards by at most 2e-8, so that no four are coplanar */
    int points, room;
    pn_face *face;
    int faces;
    int *stamp, *starting, *visible; /* scratch of an insertion */
    struct pn_edge *horizon;
    int insertion, last; /* face made last */
} pn_hull;

/* Points closer together than this (chord) are not told apart: the caller merges them first. */
#define PN_HULL_NEAREST 1e-3

/* Unit vectors, at least 4 and not all in one plane (PINNA_BAD_ARGUMENT else). Room is kept for `extra` more. */
pinna_status pn_hull_create(pn_hull *hull, const pn_vec3 *directions, int count, int extra, pinna_error *err);
/* Adds a unit vector as vertex number hull->points. */
pinna_status pn_hull_add(pn_hull *hull, pn_vec3 direction, pinna_error *err);
void pn_hull_clear(pn_hull *hull);

/* Whether all points lie in one plane, within `tolerance`; normal (may be NULL) gets that plane's unit normal. */
bool pn_coplanar(const pn_vec3 *points, int count, double tolerance, pn_vec3 *normal);

#endif
