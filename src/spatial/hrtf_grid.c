// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Where a set has nodes. Those of a shell are its measured directions, the middles of the edges between them, halved while
 * longer than 1.4 times the spacing of `grid` points on the sphere, and in holes a Fibonacci lattice (R. Swinbank, R. J.
 * Purser, "Fibonacci grids: A novel approach to global modelling", 2006). Rows of nodes that run along the rings of the
 * measurement matter: rings differ from each other, and a source that moves along one must not meet nodes that stick out
 * now to one side, now to the other. A set in one plane, or of fewer than PN_KRIGING_FEWEST directions, keeps to what was
 * measured. */
#include "spatial/hrtf_making.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/kriging.h"

enum { MOST_NODES = 6000, FEWEST_NODES = 1000, NODES_PER_DIRECTION = 40, LEVELS = 6, MOST_BYTES = 96 << 20 };

#define EDGE_TO                                                                                              \
    0.45 /* chord of the longest edge that is halved, if the set is not sparser; beyond is a hole */
#define HALVED_FROM 1.4   /* shortest edge that is halved, in spacings of the lattice */
#define MIDDLE_CLEAR 0.45 /* from a middle to other nodes, in spacings of the lattice */

int pn_maker_grid(const pn_maker *m, int shell) {
    int directions = m->hrtf->info.of_shell[shell], wanted = m->options->grid;
    if (m->model[shell].order < 0 || directions < PN_KRIGING_FEWEST || wanted < 0 ||
        pn_sphere_is_flat(m->measured[shell]))
        return 0;
    double most = MOST_BYTES / (8.0 * m->hrtf->info.taps * m->set->shells);
    if (wanted == 0) {
        wanted = NODES_PER_DIRECTION * directions;
        wanted = wanted < FEWEST_NODES ? FEWEST_NODES : wanted > MOST_NODES ? MOST_NODES : wanted;
    }
    return wanted < most ? wanted : (int)most;
}

static pn_vec3 fibonacci(int i, int count) {
    double z = 1 - (2 * i + 1.0) / count, r = sqrt(1 - z * z), a = i * PN_PI * (3 - sqrt(5));
    return (pn_vec3){r * cos(a), r * sin(a), z};
}

static bool is_clear(const pn_vec3 *node, int count, pn_vec3 p, double clear) {
    for (int i = 0; i < count; ++i) {
        pn_vec3 d = pn_vec_sub(p, node[i]);
        if (pn_vec_dot(d, d) < clear * clear)
            return false;
    }
    return true;
}

typedef struct {
    double length;
    pn_vec3 middle;
} edge;

static int by_length(const void *a, const void *b) {
    const edge *x = a, *y = b;
    double i = x->length, j = y->length;
    if (i == j) {
        i = x->middle.z;
        j = y->middle.z;
    }
    return (i < j) - (i > j);
}

/* Adds the middles of the edges of a triangulation of the `count` nodes so far, the longest first; returns how many there
 * are then. */
static int add_middles(const pn_sphere *sphere, double shortest, double longest, edge *list, pn_vec3 *node,
                       int count, int most) {
    int edges = 0, given = count;
    for (int t = 0; t < pn_sphere_triangles(sphere); ++t) {
        int v[3];
        pn_sphere_triangle(sphere, t, v);
        for (int e = 0; e < 3; ++e) {
            int a = v[e], b = v[(e + 1) % 3];
            if (a > b || b >= given) /* every edge once; none of a node that closes a gap */
                continue;
            double length = pn_vec_length(pn_vec_sub(node[a], node[b]));
            if (length < shortest || length > longest)
                continue;
            pn_vec3 sum = pn_vec_add(node[a], node[b]);
            list[edges++] = (edge){length, pn_vec_scale(sum, 1 / pn_vec_length(sum))};
        }
    }
    qsort(list, (size_t)edges, sizeof *list, by_length);
    for (int i = 0; i < edges && count < most; ++i) {
        if (is_clear(node, count, list[i].middle, MIDDLE_CLEAR * shortest))
            node[count++] = list[i].middle;
    }
    return count;
}

/* Middles of edges, and of the edges that these make, until none is long. So rows of nodes run along the rings of the
 * measurement. */
static pinna_status subdivide(double shortest, double longest, pn_vec3 *node, int *count, int most,
                              pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int level = 0, before = 0; before < *count && level < LEVELS && status == PINNA_OK; ++level) {
        pn_sphere *sphere = NULL;
        edge *list = NULL;
        before = *count;
        status = pn_sphere_create(node, before, &sphere, err);
        if (status == PINNA_OK) {
            list = pn_alloc(3 * (size_t)pn_sphere_triangles(sphere), sizeof *list);
            if (list == NULL)
                status = pn_fail_memory(err, "the grid of the HRTF set", before * 200.0);
            else
                *count = add_middles(sphere, shortest, longest, list, node, before, most);
        }
        pn_free(list);
        pn_sphere_free(sphere);
    }
    return status;
}

/* Lattice points that are far from everything measured. */
static int fill_holes(const pn_measured *part, int grid, double clear, pn_vec3 *node, int most) {
    int count = part->directions;
    for (int i = 0; i < grid && count < most; ++i) {
        pn_vec3 p = fibonacci(i, grid);
        if (is_clear(part->direction, part->directions, p, clear))
            node[count++] = p;
    }
    return count;
}

/* How many nodes there can be in all. */
static int node_room(const pn_maker *m, int shell) {
    int measured = m->hrtf->info.of_shell[shell], grid = pn_maker_grid(m, shell);
    return grid == 0 ? measured : measured + 3 * grid;
}

/* The measured directions of a shell, lattice points in its holes, then nodes between all these; *count: how many. */
static pinna_status choose_nodes(const pn_maker *m, int shell, pn_vec3 *node, int *count, pinna_error *err) {
    pn_measured part = pn_maker_shell(m, shell);
    int most = node_room(m, shell), grid = pn_maker_grid(m, shell);
    *count = part.directions;
    memcpy(node, part.direction, (size_t)part.directions * sizeof *node);
    if (grid == 0)
        return PINNA_OK;
    double spacing = sqrt(4 * PN_PI / grid), longest = fmax(EDGE_TO, 2.2 * sqrt(4 * PN_PI / part.directions));
    *count = fill_holes(&part, grid, longest / 2, node, most);
    return subdivide(HALVED_FROM * spacing, longest, node, count, most, err);
}

pinna_status pn_maker_make_spheres(pn_maker *m, pinna_error *err) {
    pn_hrtf *h = m->hrtf;
    size_t room = 0;
    for (int s = 0; s < m->set->shells; ++s)
        room += (size_t)node_room(m, s);
    h->given = pn_alloc(room, sizeof *h->given);
    if (h->given == NULL)
        return pn_fail_memory(err, "the grid of the HRTF set", (double)room * sizeof *h->given);
    pn_vec3 *node = h->given;
    h->info.directions = 0;
    for (int s = 0; s < m->set->shells; node += h->given_count[s], ++s) {
        pinna_status status = choose_nodes(m, s, node, &h->given_count[s], err);
        if (status == PINNA_OK)
            status = pn_sphere_create(node, h->given_count[s], &h->sphere[s], err);
        if (status != PINNA_OK)
            return pn_fail_within(err, status, "%s", m->label);
        h->info.first[s] = h->info.directions;
        h->info.directions += pn_sphere_nodes(h->sphere[s]);
    }
    return PINNA_OK;
}
