// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/delays.h"
#include "spatial/hull.h"
#include "spatial/sphere.h"

enum { MOST = 2000 };

/* Rings of a measured set, all of their quads coplanar: elevation from..to in steps, and the pole. */
static int rings(pn_vec3 *out, double from, double to, double step, double azimuth_step) {
    int n = 0;
    for (double e = from; e <= to + 1e-9 && e < 89.9; e += step) {
        for (double a = 0; a < 359.9; a += azimuth_step)
            out[n++] = pn_vec_from_polar(pn_radians(a), pn_radians(e), 1);
    }
    if (to > 89)
        out[n++] = (pn_vec3){0, 0, 1};
    return n;
}

static pn_sphere *make(const pn_vec3 *d, int n) {
    pn_sphere *s = NULL;
    pinna_error err = {0};
    assert_ok(pn_sphere_create(d, n, &s, &err), &err);
    return s;
}

static double solid_angle(pn_vec3 a, pn_vec3 b, pn_vec3 c) {
    double det = pn_vec_dot(a, pn_vec_cross(b, c));
    double den = 1 + pn_vec_dot(a, b) + pn_vec_dot(b, c) + pn_vec_dot(c, a);
    return 2 * atan2(det, den); /* van Oosterom, Strackee 1983 */
}

/* The triangles cover the sphere exactly once: Euler's count and 4 pi of solid angle. */
static void check_cover(const pn_sphere *s) {
    double sum = 0;
    for (int t = 0; t < pn_sphere_triangles(s); ++t) {
        int v[3];
        pn_sphere_triangle(s, t, v);
        double angle = solid_angle(pn_sphere_node(s, v[0]), pn_sphere_node(s, v[1]), pn_sphere_node(s, v[2]));
        assert_true(angle > 0);
        sum += angle;
    }
    assert_below(fabs(sum - 4 * PN_PI), 1e-9);
    assert_int_equal(pn_sphere_triangles(s), 2 * pn_sphere_nodes(s) - 4);
}

static void check_point(const pn_sphere *s, pn_vec3 d, const pn_sphere_point *p) {
    pn_vec3 sum = {0, 0, 0};
    double total = 0;
    for (int i = 0; i < 3; ++i) {
        assert_in_range(p->node[i], 0, pn_sphere_nodes(s) - 1);
        assert_true(p->weight[i] >= 0);
        total += p->weight[i];
        sum = pn_vec_add(sum, pn_vec_scale(pn_sphere_node(s, p->node[i]), p->weight[i]));
    }
    assert_below(fabs(total - 1), 1e-12);
    /* the blend of the nodes points into the direction asked for */
    assert_below(pn_vec_length(pn_vec_sub(pn_vec_scale(sum, 1 / pn_vec_length(sum)), d)), 1e-6);
}

static void check_everywhere(const pn_sphere *s) {
    int hint = -1;
    for (int i = 0; i < 5000; ++i) {
        pn_vec3 d = test_fibonacci(i, 5000);
        pn_sphere_point p, q;
        pn_sphere_look_up(s, d, &hint, &p);
        check_point(s, d, &p);
        pn_sphere_look_up(s, pn_vec_scale(d, 7.5), NULL, &q);
        check_point(s, d, &q);
    }
}

static void check_nodes(const pn_sphere *s) {
    int hint = -1;
    for (int i = 0; i < pn_sphere_nodes(s); ++i) {
        pn_sphere_point p;
        pn_sphere_look_up(s, pn_sphere_node(s, i), &hint, &p);
        double weight = 0;
        for (int k = 0; k < 3; ++k)
            weight += p.node[k] == i ? p.weight[k] : 0;
        assert_true(weight == 1);
    }
}

/* Weight of every node along a circle: no step larger than the angle turned allows. */
static double roughest_step(const pn_sphere *s, pn_vec3 x, pn_vec3 y, int steps) {
    static double before[MOST + PN_SPHERE_MOST_FILLS], after[MOST + PN_SPHERE_MOST_FILLS];
    double roughest = 0;
    int hint = -1;
    size_t size = (size_t)pn_sphere_nodes(s) * sizeof before[0];
    for (int i = 0; i <= steps; ++i) {
        double a = 2 * PN_PI * i / steps;
        pn_sphere_point p;
        pn_sphere_look_up(s, pn_vec_add(pn_vec_scale(x, cos(a)), pn_vec_scale(y, sin(a))), &hint, &p);
        memset(after, 0, size);
        for (int k = 0; k < 3; ++k)
            after[p.node[k]] += p.weight[k];
        for (int n = 0; n < pn_sphere_nodes(s) && i > 0; ++n)
            roughest = fmax(roughest, fabs(after[n] - before[n]));
        memcpy(before, after, size);
    }
    return roughest;
}

static void check_smooth(const pn_sphere *s, double bound) {
    enum { STEPS = 100000 };
    pn_vec3 x = {1, 0, 0}, y = {0, 1, 0}, z = {0, 0, 1};
    assert_below(roughest_step(s, x, y, STEPS), bound);
    assert_below(roughest_step(s, x, z, STEPS), bound);
    assert_below(roughest_step(s, y, z, STEPS), bound);
}

static void test_full_sphere(void **state) {
    (void)state;
    static pn_vec3 d[MOST];
    for (int i = 0; i < 500; ++i)
        d[i] = test_fibonacci(i, 500);
    pn_sphere *s = make(d, 500);
    assert_int_equal(pn_sphere_fills(s), 0);
    check_cover(s);
    check_everywhere(s);
    check_nodes(s);
    check_smooth(s, 0.005); /* 0.0036 degrees a step, nodes 9 degrees apart */
    pn_sphere_free(s);
}

static void test_coplanar_rings(void **state) {
    (void)state;
    static pn_vec3 d[MOST];
    int n = rings(d, -40, 90, 10, 5);
    pn_sphere *s = make(d, n);
    assert_int_equal(pn_sphere_fills(s), 0);
    assert_below(fabs(pn_degrees(pn_sphere_widest_gap(s)) - 50), 0.01); /* the hole below -40 */
    check_cover(s);
    check_everywhere(s);
    check_nodes(s);
    pn_sphere_free(s);
}

static void test_octahedron_and_cube(void **state) {
    (void)state;
    pn_vec3 d[14] = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
    double c = sqrt(1 / 3.0);
    for (int i = 0; i < 8; ++i)
        d[6 + i] = (pn_vec3){i & 1 ? c : -c, i & 2 ? c : -c, i & 4 ? c : -c};
    const int sets[3][2] = {{0, 6}, {6, 8}, {0, 14}};
    for (int k = 0; k < 3; ++k) {
        pn_sphere *s = make(d + sets[k][0], sets[k][1]);
        check_cover(s);
        check_everywhere(s);
        check_nodes(s);
        pn_sphere_free(s);
    }
}

/* Sets on one side of the head get nodes in the middle of the gap, and stay continuous. */
static void test_partial_spheres(void **state) {
    (void)state;
    static pn_vec3 d[MOST];
    int n = rings(d, 0, 90, 10, 10);
    pn_sphere *s = make(d, n);
    assert_true(pn_sphere_fills(s) >= 1);
    assert_below(fabs(pn_degrees(pn_sphere_widest_gap(s)) - 90), 0.01);
    assert_below(pn_sphere_node(s, n).z, -0.99);
    check_cover(s);
    check_everywhere(s);
    check_nodes(s);
    check_smooth(s, 0.02);
    pn_sphere_free(s);

    n = 0; /* a patch in front */
    for (int a = -40; a <= 40; a += 10) {
        for (int e = -20; e <= 20; e += 10)
            d[n++] = pn_vec_from_polar(pn_radians(a), pn_radians(e), 1);
    }
    s = make(d, n);
    assert_true(pn_sphere_fills(s) >= 2);
    check_cover(s);
    check_everywhere(s);
    check_nodes(s);
    check_smooth(s, 0.02);
    for (int i = 0; i < n; ++i) /* what fills the first gap: most from the nearest edge, none negative */
        assert_true(pn_sphere_fill_weight(s, n, i) >= 0);
    pn_sphere_free(s);
}

static void test_circle(void **state) {
    (void)state;
    pn_vec3 d[4];
    for (int i = 0; i < 4; ++i) /* out of order */
        d[i] = pn_vec_from_polar(pn_radians(i * 90.0 * 3), 0, 1);
    pn_sphere *s = make(d, 4);
    assert_true(pn_sphere_is_flat(s));
    pn_sphere_point p;
    pn_sphere_look_up(s, pn_vec_from_polar(pn_radians(22.5), pn_radians(50), 3), NULL, &p);
    double weight[4] = {0};
    for (int k = 0; k < 3; ++k)
        weight[p.node[k]] += p.weight[k];
    assert_below(fabs(weight[0] - 0.75), 1e-9); /* 22.5 of 90 degrees, whatever the elevation */
    assert_below(fabs(weight[3] - 0.25), 1e-9); /* node 3 is at 810 = 90 degrees */
    check_nodes(s);
    assert_below(roughest_step(s, (pn_vec3){1, 0, 0}, (pn_vec3){0, 1, 0}, 20000), 5e-4);
    pn_sphere_free(s);
}

static void test_few(void **state) {
    (void)state;
    pn_vec3 d[3] = {{0, 1, 0}, {0, -1, 0}, {0, 0, 1}};
    pn_sphere_point p;
    pn_sphere *s = make(d, 1);
    pn_sphere_look_up(s, (pn_vec3){1, -2, 3}, NULL, &p);
    assert_true(p.node[0] == 0 && p.weight[0] == 1);
    pn_sphere_free(s);
    s = make(d, 2); /* antipodes: level circle */
    pn_sphere_look_up(s, (pn_vec3){1, 0, 0}, NULL, &p);
    assert_below(fabs(p.weight[0] - 0.5), 1e-9);
    check_nodes(s);
    pn_sphere_free(s);
    s = make(d, 3);
    check_nodes(s);
    pn_sphere_free(s);
    pinna_error err;
    assert_int_equal(pn_sphere_create(d, 0, &s, &err), PINNA_BAD_ARGUMENT);
    pn_sphere_free(NULL);
}

static void test_no_direction_is_front(void **state) {
    (void)state;
    pn_vec3 d[6] = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
    pn_sphere *s = make(d, 6);
    const pn_vec3 odd[] = {{0, 0, 0}, {NAN, 1, 1}, {INFINITY, 0, 0}, {1e-310, 0, 0}, {1e300, 0, 0}};
    for (int i = 0; i < 5; ++i) {
        pn_sphere_point p;
        pn_sphere_look_up(s, odd[i], NULL, &p);
        for (int k = 0; k < 3; ++k)
            assert_true(p.weight[k] == (p.node[k] == 0 ? 1 : 0));
    }
    pn_sphere_free(s);
}

/* Orthonormal: the mean over a dense even grid of Y_i Y_j is 1 / 4 pi for i = j, else 0. */
static void test_harmonics(void **state) {
    (void)state;
    enum { TERMS = 81, POINTS = 20000 };
    static double sum[TERMS][TERMS];
    for (int i = 0; i < POINTS; ++i) {
        double y[TERMS];
        pn_harmonics(8, test_fibonacci(i, POINTS), y);
        for (int a = 0; a < TERMS; ++a) {
            for (int b = 0; b <= a; ++b)
                sum[a][b] += y[a] * y[b] * 4 * PN_PI / POINTS;
        }
    }
    for (int a = 0; a < TERMS; ++a) {
        for (int b = 0; b <= a; ++b)
            assert_below(fabs(sum[a][b] - (a == b)), 2e-4);
    }
    double y[4];
    pn_vec3 d = {0.6, 0, 0.8};
    pn_harmonics(1, d, y); /* sqrt(3 / 4 pi) times y, z, x */
    assert_below(fabs(y[3] - sqrt(3 / (4 * PN_PI)) * 0.6), 1e-12);
    assert_below(fabs(y[2] - sqrt(3 / (4 * PN_PI)) * 0.8), 1e-12);
}

static void test_fit_ignores_outliers(void **state) {
    (void)state;
    enum { N = 300 };
    static pn_vec3 d[N];
    static double value[N], fitted[N];
    for (int i = 0; i < N; ++i) {
        d[i] = test_fibonacci(i, N);
        value[i] = 30 + 12 * d[i].y + 2 * d[i].x * d[i].z + (i % 10 == 3 ? 40 : 0);
    }
    pinna_error err = {0};
    assert_ok(pn_delays_fit(d, N, 4, 0.2, value, fitted, 1, NULL, &err), &err);
    for (int i = 0; i < N; ++i)
        assert_below(fabs(fitted[i] - (30 + 12 * d[i].y + 2 * d[i].x * d[i].z)), 0.1);
}

static void test_memory_failures(void **state) {
    (void)state;
    static pn_vec3 d[60];
    for (int i = 0; i < 60; ++i)
        d[i] = test_fibonacci(i, 60);
    pinna_status status = PINNA_NO_MEMORY;
    int k = 0;
    for (; status != PINNA_OK && k < 100; ++k) {
        pn_sphere *s = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(k + 1);
        status = pn_sphere_create(d, 60, &s, &err);
        pn_memory_fail_at(0);
        assert_true((s != NULL) == (status == PINNA_OK));
        pn_sphere_free(s);
    }
    assert_in_range(k, 5, 99);
}

/* Rings of four above each other and one pole: planes through the centre hold seven of them, and faces while the hull is
 * small. */
static void test_planes_through_the_centre(void **state) {
    (void)state;
    pn_vec3 direction[13];
    for (int turn = 0; turn < 90; turn += 15) {
        for (int i = 0; i < 12; ++i)
            direction[i] = pn_vec_from_polar(pn_radians(turn + i % 4 * 90), pn_radians((i / 4 - 1) * 45), 1);
        for (int pole = -1; pole <= 1; pole += 2) {
            pn_sphere *s = NULL;
            pinna_error err = {0};
            direction[12] = (pn_vec3){0, 0, pole};
            assert_ok(pn_sphere_create(direction, 13, &s, &err), &err);
            assert_int_equal(pn_sphere_nodes(s), 13);
            assert_int_equal(pn_sphere_triangles(s), 22);
            assert_true(pn_degrees(pn_sphere_widest_gap(s)) < 50);
            pn_sphere_free(s);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_sphere),
        cmocka_unit_test(test_coplanar_rings),
        cmocka_unit_test(test_octahedron_and_cube),
        cmocka_unit_test(test_partial_spheres),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_planes_through_the_centre),
        cmocka_unit_test(test_few),
        cmocka_unit_test(test_no_direction_is_front),
        cmocka_unit_test(test_harmonics),
        cmocka_unit_test(test_fit_ignores_outliers),
        cmocka_unit_test(test_memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
