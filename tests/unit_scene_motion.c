// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Motion against closed forms: lines, circles, the Barry-Goldman pyramid, quarter turns. */
#include <string.h>

#include "base/memory.h"
#include "scene/motion.h"
#include "support.h"

static void near_vec(pn_vec3 v, pn_vec3 w, double tolerance) {
    double error = pn_vec_length(pn_vec_sub(v, w));
    if (!(error <= tolerance))
        fail_msg("(%g %g %g) is %g from (%g %g %g)", v.x, v.y, v.z, error, w.x, w.y, w.z);
}

static int is_finite(pn_vec3 v) {
    return isfinite(v.x) && isfinite(v.y) && isfinite(v.z);
}

static pn_position_key key_at(double time, pn_vec3 position, pn_curve curve) {
    return (pn_position_key){.time = time, .position = position, .curve = curve};
}

static void linear(void **state) {
    (void)state;
    pn_position_key keys[] = {key_at(1, (pn_vec3){0, 0, 0}, PN_CURVE_SMOOTH),
                              key_at(3, (pn_vec3){4, -2, 6}, PN_CURVE_LINEAR),
                              key_at(4, (pn_vec3){4, 0, 6}, PN_CURVE_LINEAR)};
    near_vec(pn_positions_at(keys, 3, -5), keys[0].position, 0);
    near_vec(pn_positions_at(keys, 3, 1), keys[0].position, 0);
    near_vec(pn_positions_at(keys, 3, 1.5), (pn_vec3){1, -0.5, 1.5}, 1e-15);
    near_vec(pn_positions_at(keys, 3, 3), keys[1].position, 0);
    near_vec(pn_positions_at(keys, 3, 3.25), (pn_vec3){4, -1.5, 6}, 1e-15);
    near_vec(pn_positions_at(keys, 3, 4), keys[2].position, 0);
    near_vec(pn_positions_at(keys, 3, 1e9), keys[2].position, 0);
    near_vec(pn_positions_at(keys, 1, 0), keys[0].position, 0);
}

static pn_vec3 mix(pn_vec3 a, pn_vec3 b, double ka, double kb, double k) {
    return pn_vec_add(pn_vec_scale(a, (kb - k) / (kb - ka)), pn_vec_scale(b, (k - ka) / (kb - ka)));
}

/* Barry and Goldman's pyramid of linear interpolations, the definition of the curve. */
static pn_vec3 pyramid(const pn_vec3 p[4], double u) {
    double k[4] = {0};
    for (int i = 1; i < 4; ++i)
        k[i] = k[i - 1] + sqrt(pn_vec_length(pn_vec_sub(p[i], p[i - 1])));
    double at = k[1] + u * (k[2] - k[1]);
    pn_vec3 a1 = mix(p[0], p[1], k[0], k[1], at), a2 = mix(p[1], p[2], k[1], k[2], at),
            a3 = mix(p[2], p[3], k[2], k[3], at);
    pn_vec3 b1 = mix(a1, a2, k[0], k[2], at), b2 = mix(a2, a3, k[1], k[3], at);
    return mix(b1, b2, k[1], k[2], at);
}

static void smooth(void **state) {
    (void)state;
    uint64_t noise = 3;
    for (int round = 0; round < 200; ++round) {
        pn_position_key keys[4];
        pn_vec3 p[4];
        for (int i = 0; i < 4; ++i) {
            p[i] = (pn_vec3){5 * test_noise(&noise), 5 * test_noise(&noise), test_noise(&noise)};
            keys[i] = key_at(i * i + 0.5, p[i], PN_CURVE_SMOOTH);
        }
        for (double u = 0; u < 1; u += 0.125) {
            double t = keys[1].time + u * (keys[2].time - keys[1].time);
            near_vec(pn_positions_at(keys, 4, t), pyramid(p, u), 1e-12);
            /* at the ends: the missing point is the mirror image */
            pn_vec3 first[4] = {pn_vec_sub(pn_vec_scale(p[0], 2), p[1]), p[0], p[1], p[2]};
            near_vec(pn_positions_at(keys, 4, keys[0].time + u * (keys[1].time - keys[0].time)),
                     pyramid(first, u), 1e-12);
            pn_vec3 last[4] = {p[1], p[2], p[3], pn_vec_sub(pn_vec_scale(p[3], 2), p[2])};
            near_vec(pn_positions_at(keys, 4, keys[2].time + u * (keys[3].time - keys[2].time)),
                     pyramid(last, u), 1e-12);
        }
    }
}

/* Two keys alone, or keys evenly on a line: the straight line at even speed. */
static void smooth_line(void **state) {
    (void)state;
    pn_position_key keys[5];
    for (int i = 0; i < 5; ++i)
        keys[i] = key_at(i, (pn_vec3){i, 2 * i, -i}, PN_CURVE_SMOOTH);
    for (double t = 0; t <= 4; t += 0.0625) {
        near_vec(pn_positions_at(keys, 5, t), (pn_vec3){t, 2 * t, -t}, 1e-14);
        if (t <= 1)
            near_vec(pn_positions_at(keys, 2, t), (pn_vec3){t, 2 * t, -t}, 1e-14);
    }
}

/* The curve of a key is that of the segment that leads to it. */
static void curve_of_segment(void **state) {
    (void)state;
    pn_position_key keys[] = {
        key_at(0, (pn_vec3){0, 0, 0}, PN_CURVE_SMOOTH), key_at(1, (pn_vec3){1, 0, 0}, PN_CURVE_LINEAR),
        key_at(2, (pn_vec3){1, 1, 0}, PN_CURVE_SMOOTH), key_at(3, (pn_vec3){0, 1, 0}, PN_CURVE_LINEAR)};
    near_vec(pn_positions_at(keys, 4, 0.25), (pn_vec3){0.25, 0, 0}, 1e-15);
    near_vec(pn_positions_at(keys, 4, 2.25), (pn_vec3){0.75, 1, 0}, 1e-15);
    assert_true(pn_positions_at(keys, 4, 1.5).x > 1.05); /* bulges out of the square */
}

static void degenerate(void **state) {
    (void)state;
    static const double sizes[] = {0, 1e-300, 1e-12, 1, 1e6, 1e90};
    for (int mask = 0; mask < 6 * 6 * 6; ++mask) {
        double x[4] = {0, sizes[mask % 6], 0, 0};
        x[2] = x[1] + sizes[mask / 6 % 6];
        x[3] = x[2] - sizes[mask / 36];
        pn_position_key keys[4];
        for (int i = 0; i < 4; ++i)
            keys[i] = key_at(i * 1e-9, (pn_vec3){x[i], -x[i], 0}, PN_CURVE_SMOOTH);
        for (double u = -0.5; u < 4; u += 0.25)
            assert_true(is_finite(pn_positions_at(keys, 4, u * 1e-9)));
    }
    pn_position_key still[] = {key_at(0, (pn_vec3){1, 2, 3}, PN_CURVE_LINEAR),
                               key_at(1, (pn_vec3){1, 2, 3}, PN_CURVE_SMOOTH)};
    near_vec(pn_positions_at(still, 2, 0.5), (pn_vec3){1, 2, 3}, 1e-15);
    pn_position_key close[] = {key_at(1, (pn_vec3){0, 0, 0}, PN_CURVE_LINEAR),
                               key_at(nextafter(1, 2), (pn_vec3){1, 0, 0}, PN_CURVE_LINEAR)};
    near_vec(pn_positions_at(close, 2, 1), close[0].position, 0);
    near_vec(pn_positions_at(close, 2, nextafter(1, 2)), close[1].position, 0);
    assert_true(is_finite(pn_positions_at(close, 2, HUGE_VAL)));
}

static void orbits(void **state) {
    (void)state;
    pn_orbit orbit = {.period = 8, .radius = 2, .height = 0.5, .phase_deg = 0};
    pn_vec3 centre = {1, 1, 1};
    near_vec(pn_orbit_at(&orbit, centre, 0), (pn_vec3){3, 1, 1.5}, 1e-15);
    near_vec(pn_orbit_at(&orbit, centre, 2), (pn_vec3){1, 3, 1.5}, 1e-15); /* a quarter later: left */
    near_vec(pn_orbit_at(&orbit, centre, 8e6 + 2), (pn_vec3){1, 3, 1.5}, 1e-15);
    orbit.period = -8;
    near_vec(pn_orbit_at(&orbit, centre, 2), (pn_vec3){1, -1, 1.5}, 1e-15);
    orbit.phase_deg = 90;
    near_vec(pn_orbit_at(&orbit, centre, 0), (pn_vec3){1, 3, 1.5}, 1e-15);
}

static void source_choice(void **state) {
    (void)state;
    pn_position_key keys[] = {key_at(0, (pn_vec3){5, 0, 0}, PN_CURVE_LINEAR),
                              key_at(1, (pn_vec3){6, 0, 0}, PN_CURVE_LINEAR)};
    pn_source source = {.position = {1, 0, 0}, .gain_db = -3};
    near_vec(pn_source_position_at(&source, 1), (pn_vec3){1, 0, 0}, 0);
    source.has_orbit = 1;
    source.orbit = (pn_orbit){.period = 4, .radius = 1};
    near_vec(pn_source_position_at(&source, 1), (pn_vec3){1, 1, 0}, 1e-15);
    source.path = (pn_path){.positions = keys, .position_count = 2};
    near_vec(pn_source_position_at(&source, 1), (pn_vec3){6, 1, 0}, 1e-15); /* the path moves the centre */
    source.has_orbit = 0;
    near_vec(pn_source_position_at(&source, 0.5), (pn_vec3){5.5, 0, 0}, 1e-15);
    assert_true(pn_source_gain_db_at(&source, 0.5) == -3);
    pn_key gains[] = {{0, -60}, {2, -6}, {3, -6}};
    source.gain_keys = (pn_keys){gains, 3};
    assert_true(pn_source_gain_db_at(&source, -1) == -60);
    assert_true(fabs(pn_source_gain_db_at(&source, 1) + 33) < 1e-12);
    assert_true(pn_source_gain_db_at(&source, 2.5) == -6 && pn_source_gain_db_at(&source, 99) == -6);
}

static void orientations(void **state) {
    (void)state;
    double turn = pn_radians(90);
    pn_orientation_key keys[] = {{.time = 0, .orientation = pn_quat_from_ypr(0, 0, 0)},
                                 {.time = 2, .orientation = pn_quat_from_ypr(turn, 0, 0)}};
    pn_listener listener = {.position = {1, 2, 3}, .orientation = pn_quat_from_ypr(0, turn, 0)};
    pn_vec3 front = {1, 0, 0};
    near_vec(pn_quat_rotate(pn_listener_orientation_at(&listener, 1), front), (pn_vec3){0, 0, 1}, 1e-15);
    near_vec(pn_listener_position_at(&listener, 1), listener.position, 0);
    listener.path = (pn_path){.orientations = keys, .orientation_count = 2};
    near_vec(pn_quat_rotate(pn_listener_orientation_at(&listener, -1), front), front, 1e-15);
    near_vec(pn_quat_rotate(pn_listener_orientation_at(&listener, 2. / 3), front),
             (pn_vec3){cos(turn / 3), sin(turn / 3), 0}, 1e-14);
    near_vec(pn_quat_rotate(pn_listener_orientation_at(&listener, 9), front), (pn_vec3){0, 1, 0}, 1e-15);
    near_vec(pn_listener_position_at(&listener, 1), listener.position, 0);
    keys[1].orientation = pn_quat_from_ypr(pn_radians(270), 0, 0); /* the short way: to the right */
    near_vec(pn_quat_rotate(pn_listener_orientation_at(&listener, 1), front),
             (pn_vec3){sqrt(0.5), -sqrt(0.5), 0}, 1e-14);
}

/* ------------------------------------------------------------------ speeds */

/* A way of five keys with bends, two of them on the way; the length of the curve by a fine polyline. */
enum { WAY = 5 };
#define POLYLINE 4e-5 /* what it cuts off at corners */

static pn_path way(pn_position_key keys[WAY], pn_curve curve, pn_speed speed) {
    static const pn_vec3 at[WAY] = {{0, 0, 0}, {5, 1, 0}, {6, 6, 1}, {-2, 7, 1}, {-2, 30, 0}};
    static const double times[WAY] = {1, NAN, NAN, 3, 4};
    for (int i = 0; i < WAY; ++i) {
        keys[i] = key_at(times[i], at[i], curve);
        keys[i].stretch.speed = i == 3 ? speed : PN_SPEED_KEYS;
    }
    return (pn_path){.positions = keys, .position_count = WAY};
}

static double travelled(const pn_position_key *keys, double from, double to) {
    enum { PIECES = 20000 };
    double length = 0;
    pn_vec3 before = pn_positions_at(keys, WAY, from);
    for (int i = 1; i <= PIECES; ++i) {
        pn_vec3 now = pn_positions_at(keys, WAY, from + (to - from) * i / PIECES);
        length += pn_vec_length(pn_vec_sub(now, before));
        before = now;
    }
    return length;
}

static void constant_speed(void **state) {
    (void)state;
    for (int curve = PN_CURVE_LINEAR; curve <= PN_CURVE_SMOOTH; ++curve) {
        pn_position_key keys[WAY];
        pn_path path = way(keys, (pn_curve)curve, PN_SPEED_CONSTANT);
        assert_true(pn_path_measure(&path));
        double whole = travelled(keys, 1, 3);
        assert_true(fabs(keys[3].stretch.length - whole) < POLYLINE * whole);
        for (double t = 1; t < 3; t += 0.125)
            assert_true(fabs(travelled(keys, 1, t) / whole - (t - 1) / 2) < POLYLINE);
        for (int i = 0; i < WAY; ++i) /* points on the way are passed */
            near_vec(pn_positions_at(keys, WAY, keys[i].time), keys[i].position, 1e-9);
        for (double t = 1.0005; t < 2.999;
             t += 0.001) { /* the same speed everywhere, corners of lines apart */
            double step = pn_vec_length(
                pn_vec_sub(pn_positions_at(keys, WAY, t + 1e-4), pn_positions_at(keys, WAY, t - 1e-4)));
            if (fabs(t - keys[1].time) > 2e-4 && fabs(t - keys[2].time) > 2e-4 &&
                !(fabs(step / 2e-4 / (keys[3].stretch.length / 2) - 1) < 1e-6))
                fail_msg("curve %d: %.9g m/s at %g s, expected %.9g", curve, step / 2e-4, t, whole / 2);
        }
        /* the stretch after it is as if alone: evenly in the parameter */
        assert_int_equal(keys[4].stretch.speed, PN_SPEED_KEYS);
        pn_free(path.arcs);
    }
}

static void eased_speed(void **state) {
    (void)state;
    for (int curve = PN_CURVE_LINEAR; curve <= PN_CURVE_SMOOTH; ++curve) {
        pn_position_key keys[WAY];
        pn_path path = way(keys, (pn_curve)curve, PN_SPEED_EASED);
        assert_true(pn_path_measure(&path));
        double whole = travelled(keys, 1, 3);
        for (double u = 0; u < 1; u += 0.0625)
            assert_true(fabs(travelled(keys, 1, 1 + 2 * u) / whole - u * u * (3 - 2 * u)) < POLYLINE);
        for (int i = 0; i < WAY; ++i)
            near_vec(pn_positions_at(keys, WAY, keys[i].time), keys[i].position, 1e-9);
        for (int end = 0; end < 2; ++end) /* from rest to rest */
            assert_true(pn_vec_length(pn_vec_sub(pn_positions_at(keys, WAY, end ? 2.999 : 1.001),
                                                 keys[end ? 3 : 0].position)) < 1e-4 * whole);
        pn_free(path.arcs);
    }
}

/* Points on the way at the same place, stretches of no length, ways of 1e90 m: finite, and the keys are met. */
static void degenerate_speeds(void **state) {
    (void)state;
    static const double sizes[] = {0, 1e-300, 1e-9, 1, 1e90};
    for (int mask = 0; mask < 125; ++mask)
        for (int speed = PN_SPEED_CONSTANT; speed <= PN_SPEED_EASED; ++speed) {
            pn_position_key keys[3];
            double x = 0;
            for (int i = 0, m = mask; i < 3; ++i, m /= 5) {
                x += sizes[m % 5];
                keys[i] = key_at(i == 1 ? (double)NAN : (double)i, (pn_vec3){x, -x, 0}, PN_CURVE_SMOOTH);
                keys[i].stretch.speed = i == 2 ? (pn_speed)speed : PN_SPEED_KEYS;
            }
            pn_path path = {.positions = keys, .position_count = 3};
            assert_true(pn_path_measure(&path));
            assert_true(keys[1].time >= 0 && keys[1].time <= 2);
            for (double t = 0; t <= 2; t += 0.0625)
                assert_true(is_finite(pn_positions_at(keys, 3, t)));
            near_vec(pn_positions_at(keys, 3, 0), keys[0].position, 0);
            near_vec(pn_positions_at(keys, 3, 2), keys[2].position, 0);
            pn_free(path.arcs);
        }
}

static void eased_turns(void **state) {
    (void)state;
    double turn = pn_radians(90);
    pn_stretch stretch = {.speed = PN_SPEED_EASED, .start = 1, .end = 3};
    pn_orientation_key keys[] = {
        {.time = 1, .orientation = pn_quat_from_ypr(0, 0, 0)},
        {.time = 3, .orientation = pn_quat_from_ypr(turn, 0, 0), .stretch = stretch}};
    pn_vec3 front = {1, 0, 0};
    for (double u = 0; u <= 1; u += 0.125) {
        double angle = turn * u * u * (3 - 2 * u);
        near_vec(pn_quat_rotate(pn_orientations_at(keys, 2, 1 + 2 * u), front),
                 (pn_vec3){cos(angle), sin(angle), 0}, 1e-14);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(smooth),
        cmocka_unit_test(smooth_line),
        cmocka_unit_test(curve_of_segment),
        cmocka_unit_test(degenerate),
        cmocka_unit_test(orbits),
        cmocka_unit_test(source_choice),
        cmocka_unit_test(orientations),
        cmocka_unit_test(constant_speed),
        cmocka_unit_test(eased_speed),
        cmocka_unit_test(degenerate_speeds),
        cmocka_unit_test(eased_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
