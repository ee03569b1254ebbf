// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SPHERE_H
#define PN_SPATIAL_SPHERE_H

#include <stdbool.h>

#include "base/realtime.h"
#include "base/status.h"
#include "base/vec.h"

/* From a direction to three nodes and their weights, on any set of directions.
 *
 *   in general   a triangulated sphere and barycentric weights: v0 w0 + v1 w1 + v2 w2 ~ direction. Gaps up to about
 *                78 degrees from any node are closed by large triangles; in wider ones (a hemisphere, a frontal
 *                set) nodes are added in the middle of the gap, numbered after the given ones, for which the caller
 *                finds content (pn_sphere_fill_weight), so that weights are continuous everywhere.
 *   flat         all directions in one plane (and always for 2 or 3 of them): the two neighbours on the circle, weights
 *                linear in the angle; the direction is projected onto the plane.
 *   one          the same node everywhere.
 *
 * Immutable once made: any thread may look up. */
typedef struct pn_sphere pn_sphere;

typedef struct {
    int node[3];
    double weight[3]; /* >= 0, sum 1; a direction that is a node has weight 1 on it */
} pn_sphere_point;

enum { PN_SPHERE_MOST_FILLS = 24 };

/* Unit vectors, at least PN_HULL_NEAREST apart; copied. */
pinna_status pn_sphere_create(const pn_vec3 *directions, int count, pn_sphere **sphere, pinna_error *err);
void pn_sphere_free(pn_sphere *sphere);

int pn_sphere_nodes(const pn_sphere *sphere); /* given and added ones */
int pn_sphere_fills(const pn_sphere *sphere); /* added ones */
pn_vec3 pn_sphere_node(const pn_sphere *sphere, int node);
bool pn_sphere_is_flat(const pn_sphere *sphere);
/* Radius of the widest empty cap between the given nodes, radians; pi / 2 or more where they are on one side, and when
 * flat or one. */
double pn_sphere_widest_gap(const pn_sphere *sphere);
int pn_sphere_triangles(const pn_sphere *sphere); /* 0 when flat or one */
void pn_sphere_triangle(const pn_sphere *sphere, int triangle, int node[3]);

/* The share of given node `node` in the content of an added node: the nodes around the gap, falling off with the
 * angle. The shares of all given nodes are to be divided by their sum. */
double pn_sphere_fill_weight(const pn_sphere *sphere, int fill_node, int node);

/* direction: any length but 0 (then, or when not finite, the front). hint: where to begin, -1 or what the last
 * look-up left there; may be NULL. */
PN_BLOCK_PATH void pn_sphere_look_up(const pn_sphere *sphere, pn_vec3 direction, int *hint,
                                     pn_sphere_point *point);

#endif
