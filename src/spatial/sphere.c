// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Look-up on the triangulated sphere.
 *
 * The weights of a direction d in a triangle (a, b, c) solve [a b c] w = d: w_a = d . (b x c) / det and so on, three
 * dot products with rows made once. All w >= 0 means that d passes through the triangle; otherwise the neighbour
 * across the edge of the most negative one is nearer, and on a Delaunay triangulation that walk always arrives (O.
 * Devillers, S. Pion, M. Teillaud, "Walking in a triangulation", 2002). It starts at the caller's hint, or at the
 * triangle of the cell of a small cube map.
 *
 * All this needs the origin well inside the hull. The face nearest to the origin spans the largest empty cap, and its
 * normal is the middle of that cap: nodes are added there until no cap is wider than 78 degrees. */
#include "spatial/sphere.h"

#include <stdlib.h>

#include "base/memory.h"
#include "spatial/hull.h"

enum { CELLS = 8, MAP = 6 * CELLS * CELLS };
#define NEAREST_FACE 0.2 /* cosine of 78 degrees */
#define FLAT 0.017       /* one degree */
#define NEGLIGIBLE 1e-7

typedef struct {
    int vertex[3], neighbour[3];
    double row[3][3];
} triangle;

struct pn_sphere {
    int given, nodes;
    pn_vec3 *node;
    double widest_gap;  /* radians */
    double *fill_angle; /* [fill]: to the nearest given node */
    triangle *list;     /* NULL when flat */
    int triangles;
    int start[MAP];
    pn_vec3 axis_x, axis_y; /* flat: the plane */
    int *ring;              /* flat: nodes by angle */
    double *angle;          /* flat: of ring[i], ascending */
};

static pn_vec3 unit(pn_vec3 v) {
    double largest = fmax(fabs(v.x), fmax(fabs(v.y), fabs(v.z)));
    if (!(largest > 1e-300) || !isfinite(v.x) || !isfinite(v.y) || !isfinite(v.z))
        return (pn_vec3){1, 0, 0};
    v = pn_vec_scale(v, 1 / largest);
    return pn_vec_scale(v, 1 / pn_vec_length(v));
}

/* ---- flat */

static double angle_on(const pn_sphere *s, pn_vec3 v) {
    return atan2(pn_vec_dot(v, s->axis_y), pn_vec_dot(v, s->axis_x));
}

static void choose_plane(pn_sphere *s) {
    pn_vec3 normal;
    pn_coplanar(s->node, s->given, FLAT, &normal);
    if (s->given == 2) {
        pn_vec3 n = pn_vec_cross(s->node[0], s->node[1]);
        normal = pn_vec_length(n) > 1e-6 ? unit(n) : (pn_vec3){0, 0, 1};
        if (fabs(pn_vec_dot(normal, s->node[0])) > 1e-6) /* antipodes, not level */
            normal = unit(pn_vec_cross(s->node[0], (pn_vec3){0, 1, 0}));
    }
    pn_vec3 front = fabs(normal.x) < 0.9 ? (pn_vec3){1, 0, 0} : (pn_vec3){0, 1, 0};
    s->axis_y = unit(pn_vec_cross(normal, front));
    s->axis_x = pn_vec_cross(s->axis_y, normal);
}

static pinna_status make_ring(pn_sphere *s, pinna_error *err) {
    size_t n = (size_t)s->given;
    s->ring = pn_alloc(n, sizeof *s->ring);
    s->angle = pn_alloc(n, sizeof *s->angle);
    if (s->ring == NULL || s->angle == NULL)
        return pn_fail_memory(err, "the circle of directions", (double)n * 12);
    choose_plane(s);
    for (int i = 0; i < s->given; ++i) {
        double a = angle_on(s, s->node[i]);
        int j = i;
        for (; j > 0 && s->angle[j - 1] > a; --j) {
            s->angle[j] = s->angle[j - 1];
            s->ring[j] = s->ring[j - 1];
        }
        s->angle[j] = a;
        s->ring[j] = i;
    }
    return PINNA_OK;
}

static void look_up_ring(const pn_sphere *s, pn_vec3 d, pn_sphere_point *point) {
    double a = angle_on(s, d);
    int low = 0, high = s->given; /* angle[low - 1] <= a < angle[high] */
    while (low < high) {
        int middle = (low + high) / 2;
        if (s->angle[middle] <= a)
            low = middle + 1;
        else
            high = middle;
    }
    int after = low % s->given, before = (low + s->given - 1) % s->given;
    double gap = s->angle[after] - s->angle[before], into = a - s->angle[before];
    gap += gap <= 0 ? 2 * PN_PI : 0;
    into += into < 0 ? 2 * PN_PI : 0;
    double share = into / gap;
    share = share < NEGLIGIBLE ? 0 : share > 1 - NEGLIGIBLE ? 1 : share;
    *point = (pn_sphere_point){{s->ring[before], s->ring[after], s->ring[before]}, {1 - share, share, 0}};
}

/* ---- triangles */

static void weights_in(const triangle *t, pn_vec3 d, double w[3]) {
    for (int i = 0; i < 3; ++i)
        w[i] = t->row[i][0] * d.x + t->row[i][1] * d.y + t->row[i][2] * d.z;
}

static int least(const double w[3]) {
    int i = w[1] < w[0] ? 1 : 0;
    return w[2] < w[i] ? 2 : i;
}

static int search_all(const pn_sphere *s, pn_vec3 d) {
    int best = 0;
    double most = -1e300;
    for (int t = 0; t < s->triangles; ++t) {
        double w[3];
        weights_in(&s->list[t], d, w);
        double lowest = w[least(w)];
        if (lowest > most) {
            most = lowest;
            best = t;
        }
    }
    return best;
}

static int walk(const pn_sphere *s, int t, pn_vec3 d) {
    for (int step = 0; step < s->triangles; ++step) {
        double w[3];
        weights_in(&s->list[t], d, w);
        int i = least(w);
        if (w[i] >= -1e-12)
            return t;
        t = s->list[t].neighbour[i];
    }
    return search_all(s, d); /* rounding went in circles */
}

static int cell_of(pn_vec3 d) {
    double x = fabs(d.x), y = fabs(d.y), z = fabs(d.z), u, v, major;
    int side;
    if (x >= y && x >= z) {
        side = d.x < 0;
        major = x, u = d.y, v = d.z;
    } else if (y >= z) {
        side = 2 + (d.y < 0);
        major = y, u = d.x, v = d.z;
    } else {
        side = 4 + (d.z < 0);
        major = z, u = d.x, v = d.y;
    }
    int i = (int)((u / major + 1) * (CELLS / 2.0)), j = (int)((v / major + 1) * (CELLS / 2.0));
    i = i < CELLS ? i : CELLS - 1;
    j = j < CELLS ? j : CELLS - 1;
    return (side * CELLS + i) * CELLS + j;
}

static pn_vec3 middle_of_cell(int cell) {
    double u = (cell / CELLS % CELLS + 0.5) * 2 / CELLS - 1, v = (cell % CELLS + 0.5) * 2 / CELLS - 1;
    int side = cell / (CELLS * CELLS);
    double sign = side % 2 ? -1 : 1;
    pn_vec3 d = side < 2 ? (pn_vec3){sign, u, v} : side < 4 ? (pn_vec3){u, sign, v} : (pn_vec3){u, v, sign};
    return unit(d);
}

static void set_rows(const pn_sphere *s, triangle *t) {
    for (int i = 0; i < 3; ++i) {
        pn_vec3 a = s->node[t->vertex[i]];
        pn_vec3 n = pn_vec_cross(s->node[t->vertex[(i + 1) % 3]], s->node[t->vertex[(i + 2) % 3]]);
        double scale = 1 / pn_vec_dot(a, n);
        t->row[i][0] = n.x * scale;
        t->row[i][1] = n.y * scale;
        t->row[i][2] = n.z * scale;
    }
}

static pinna_status close_gaps(pn_sphere *s, pn_hull *hull, pinna_error *err) {
    while (hull->points < hull->room) {
        int nearest = 0;
        for (int f = 1; f < hull->faces; ++f) {
            if (hull->face[f].offset < hull->face[nearest].offset)
                nearest = f;
        }
        if (s->nodes == s->given)
            s->widest_gap = acos(fmax(-1, fmin(1, hull->face[nearest].offset)));
        if (hull->face[nearest].offset >= NEAREST_FACE)
            break;
        pn_vec3 middle = hull->face[nearest].normal;
        double cosine = -1;
        for (int i = 0; i < s->given; ++i)
            cosine = fmax(cosine, pn_vec_dot(middle, s->node[i]));
        s->fill_angle[s->nodes - s->given] = acos(fmin(1, cosine));
        s->node[s->nodes++] = middle;
        pinna_status status = pn_hull_add(hull, middle, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status take_faces(pn_sphere *s, const pn_hull *hull, pinna_error *err) {
    s->list = pn_alloc((size_t)hull->faces, sizeof *s->list);
    if (s->list == NULL)
        return pn_fail_memory(err, "the triangles of the sphere", hull->faces * (double)sizeof *s->list);
    s->triangles = hull->faces;
    for (int f = 0; f < hull->faces; ++f) {
        if (hull->face[f].offset < NEAREST_FACE / 4)
            return pn_fail(err, PINNA_BAD_FILE,
                           "the directions do not surround the head, even with gaps filled");
        for (int i = 0; i < 3; ++i) {
            s->list[f].vertex[i] = hull->face[f].vertex[i];
            s->list[f].neighbour[i] = hull->face[f].neighbour[i];
        }
        set_rows(s, &s->list[f]);
    }
    for (int cell = 0, t = 0; cell < MAP; ++cell)
        s->start[cell] = t = walk(s, t, middle_of_cell(cell));
    return PINNA_OK;
}

static pinna_status triangulate(pn_sphere *s, pinna_error *err) {
    pn_hull hull;
    pinna_status status = pn_hull_create(&hull, s->node, s->given, PN_SPHERE_MOST_FILLS, err);
    if (status == PINNA_OK)
        status = close_gaps(s, &hull, err);
    if (status == PINNA_OK)
        status = take_faces(s, &hull, err);
    pn_hull_clear(&hull);
    return status;
}

pinna_status pn_sphere_create(const pn_vec3 *directions, int count, pn_sphere **sphere, pinna_error *err) {
    *sphere = NULL;
    if (count < 1)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "no directions");
    pn_sphere *s = pn_alloc(1, sizeof *s);
    if (s == NULL)
        return pn_fail_memory(err, "the sphere of directions", sizeof *s);
    size_t room = (size_t)count + PN_SPHERE_MOST_FILLS;
    s->node = pn_alloc(room, sizeof *s->node);
    s->fill_angle = pn_alloc(PN_SPHERE_MOST_FILLS, sizeof *s->fill_angle);
    if (s->node == NULL || s->fill_angle == NULL) {
        pn_sphere_free(s);
        return pn_fail_memory(err, "the sphere of directions", (double)room * sizeof *s->node);
    }
    s->given = s->nodes = count;
    s->widest_gap = count == 1 ? PN_PI : PN_PI / 2;
    for (int i = 0; i < count; ++i)
        s->node[i] = unit(directions[i]);
    pinna_status status = PINNA_OK;
    if (count > 1)
        status =
            count < 4 || pn_coplanar(s->node, count, FLAT, NULL) ? make_ring(s, err) : triangulate(s, err);
    if (status != PINNA_OK) {
        pn_sphere_free(s);
        return status;
    }
    *sphere = s;
    return PINNA_OK;
}

void pn_sphere_free(pn_sphere *s) {
    if (s == NULL)
        return;
    pn_free(s->node);
    pn_free(s->fill_angle);
    pn_free(s->list);
    pn_free(s->ring);
    pn_free(s->angle);
    pn_free(s);
}

int pn_sphere_nodes(const pn_sphere *s) {
    return s->nodes;
}

int pn_sphere_fills(const pn_sphere *s) {
    return s->nodes - s->given;
}

pn_vec3 pn_sphere_node(const pn_sphere *s, int node) {
    return s->node[node];
}

bool pn_sphere_is_flat(const pn_sphere *s) {
    return s->ring != NULL;
}

double pn_sphere_widest_gap(const pn_sphere *s) {
    return s->widest_gap;
}

int pn_sphere_triangles(const pn_sphere *s) {
    return s->triangles;
}

void pn_sphere_triangle(const pn_sphere *s, int index, int node[3]) {
    for (int i = 0; i < 3; ++i)
        node[i] = s->list[index].vertex[i];
}

double pn_sphere_fill_weight(const pn_sphere *s, int fill_node, int node) {
    double cosine = pn_vec_dot(s->node[fill_node], s->node[node]);
    double beyond = acos(fmax(-1, fmin(1, cosine))) - s->fill_angle[fill_node - s->given];
    double x = beyond / pn_radians(25);
    return exp(-x * x);
}

void pn_sphere_look_up(const pn_sphere *s, pn_vec3 direction, int *hint, pn_sphere_point *point) {
    pn_vec3 d = unit(direction);
    if (s->ring != NULL) {
        look_up_ring(s, d, point);
        return;
    }
    if (s->list == NULL) {
        *point = (pn_sphere_point){{0, 0, 0}, {1, 0, 0}};
        return;
    }
    int t = hint != NULL && *hint >= 0 && *hint < s->triangles ? *hint : s->start[cell_of(d)];
    t = walk(s, t, d);
    if (hint != NULL)
        *hint = t;
    double w[3], sum = 0;
    weights_in(&s->list[t], d, w);
    for (int i = 0; i < 3; ++i) {
        w[i] = w[i] < NEGLIGIBLE ? 0 : w[i];
        sum += w[i];
    }
    for (int i = 0; i < 3; ++i) {
        point->node[i] = s->list[t].vertex[i];
        point->weight[i] = w[i] / sum;
    }
}
