// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Passages against the closed form of evenly moving source and listener; the cubics of delay lines against their
 * values, rates and limits. */
#include <math.h>
#include <string.h>

#include "render/travel.h"
#include "support.h"

typedef struct {
    pn_vec3 start, velocity;
} line_track;

static pn_vec3 on_line(const void *user, double time) {
    const line_track *track = user;
    return pn_vec_add(track->start, pn_vec_scale(track->velocity, time));
}

/* s of |d - v s| = s / k, d the way at reception: (1 / k^2 - v^2) s^2 + 2 d.v s - d^2 = 0. */
static double exact_seconds(pn_vec3 d, pn_vec3 v, double k) {
    double a = 1 / (k * k) - pn_vec_dot(v, v), b = pn_vec_dot(d, v), c = pn_vec_dot(d, d);
    return (-b + sqrt(b * b + a * c)) / a;
}

/* Random lines below the speed of sound, also where they pass close by, from any guess. */
static void passages_are_exact(void **state) {
    (void)state;
    uint64_t noise = 1;
    for (int round = 0; round < 3000; ++round) {
        double speed = round % 3 == 0 ? 320 : 40, k = 1 / 343.2;
        line_track track = {
            {200 * test_noise(&noise), 200 * test_noise(&noise), 20 * test_noise(&noise)},
            {speed * test_noise(&noise) / 2, speed * test_noise(&noise) / 2, speed * test_noise(&noise) / 2}};
        pn_vec3 ear = {test_noise(&noise), 0, 0};
        pn_vec3 moves = {30 * test_noise(&noise), 30 * test_noise(&noise), 0};
        double t = 3 * test_noise(&noise);
        pn_track source = {on_line, &track};
        pn_passage passage = pn_travel_solve(&source, t, ear, moves, k, 10, fabs(test_noise(&noise)));
        double exact = exact_seconds(pn_vec_sub(on_line(&track, t), ear), track.velocity, k);
        assert_true(fabs(passage.seconds - exact) < 1e-9);
        const double h = 1e-5;
        double later = exact_seconds(
            pn_vec_sub(on_line(&track, t + h), pn_vec_add(ear, pn_vec_scale(moves, h))), track.velocity, k);
        double before = exact_seconds(
            pn_vec_sub(on_line(&track, t - h), pn_vec_sub(ear, pn_vec_scale(moves, h))), track.velocity, k);
        assert_true(fabs(passage.rate - (later - before) / (2 * h)) < 1e-5);
        assert_true(pn_vec_length(pn_vec_sub(passage.position, on_line(&track, t - exact))) < 1e-6);
    }
}

static pn_vec3 two_places(const void *user, double time) {
    (void)user;
    return time < 0 ? (pn_vec3){500, 0, 0} : (pn_vec3){-1, 0, 0};
}

/* Faster than sound, jumping, at the ear, far beyond the line: numbers within the line. */
static void passages_are_finite(void **state) {
    (void)state;
    static const double speeds[] = {0, 1, 343.2, 343.3, 700, 3e4, 1e9, 1e300};
    static const double places[] = {0, 1e-12, 1, 100, 1e6, 1e300};
    for (int s = 0; s < 8; ++s)
        for (int p = 0; p < 6; ++p)
            for (int sign = -1; sign <= 1; sign += 2)
                for (double t = -2; t < 2; t += 0.25) {
                    line_track track = {{places[p], 0.5, 0}, {sign * speeds[s], 0, 0}};
                    pn_track source = {on_line, &track};
                    pn_vec3 ear = {0, 0, 0}, moves = {5, 0, 0};
                    pn_passage passage = pn_travel_solve(&source, t, ear, moves, 1 / 343.2, 2, 0.3);
                    assert_true(passage.seconds >= 0 && passage.seconds <= 2);
                    assert_true(!isnan(passage.rate));
                }
    pn_track source = {two_places, NULL};
    for (double t = -1; t < 3; t += 0.01) {
        pn_passage passage =
            pn_travel_solve(&source, t, (pn_vec3){0, 0, 0}, (pn_vec3){0, 0, 0}, 1 / 343.2, 2, 1);
        assert_true(passage.seconds >= 0 && passage.seconds <= 2 && isfinite(passage.rate));
    }
}

/* ------------------------------------------------------------------ delay lines */

static double delay_at(const pn_propagation *p, double u) {
    return p->whole + (double)p->c[0] + u * ((double)p->c[1] + u * ((double)p->c[2] + u * (double)p->c[3]));
}

static double rate_at(const pn_propagation *p, double u) {
    return (double)p->c[1] + u * (2 * (double)p->c[2] + u * 3 * (double)p->c[3]);
}

/* A smooth way: value and rate go on from quantum to quantum, and the middle is that of the way. */
static void quanta_join(void **state) {
    (void)state;
    const pn_travel_line line = {256, 48000, 300};
    pn_travel travel = {0};
    pn_propagation last = {0}, now;
    for (int q = 0; q < 400; ++q) {
        double t = q / 50.0, delay = 3000 + 2500 * cos(t), rate = -2500 * sin(t) / 50 / 256;
        pn_travel_step(&travel, &line, delay, rate, false, &now);
        assert_true(pn_travel_level(&travel, 0.5) == 1);
        if (q > 1) {
            assert_true(fabs(delay_at(&now, 0) - delay_at(&last, 1)) < 1e-4);
            assert_true(fabs(rate_at(&now, 0) - rate_at(&last, 1)) < 1e-4);
        }
        if (q > 0) {
            assert_true(fabs(delay_at(&now, 1) - delay) < 1e-4);
            assert_true(fabs(delay_at(&now, 0.5) - (3000 + 2500 * cos(t - 0.01))) < 1e-4);
        }
        last = now;
    }
}

/* Jumps, turns, distances of nothing and beyond the line, rates of any size: always within the line, and where the
 * reading leaps nothing is heard: the level is 0 from the leap on for as long as a filter remembers. */
static void lines_are_kept(void **state) {
    (void)state;
    const pn_travel_line line = {64, 2000, 300};
    uint64_t noise = 9;
    pn_travel travel = {0};
    pn_propagation now, last = {0};
    double level = 1, delay = 500;
    int since_leap = 1000, leaps = 0, heard = 0, held = 0;
    for (int q = 0; q < 40000; ++q) {
        double dice = fabs(test_noise(&noise)), rate = 0.3 * test_noise(&noise);
        delay += 64 * rate;
        if (dice < 0.015)
            delay = 3000 * test_noise(&noise);
        if (dice > 0.995)
            rate = 1e3 * test_noise(&noise);
        if (dice > 0.999)
            delay = rate = NAN;
        pn_travel_step(&travel, &line, delay, rate, dice > 0.98 && dice < 0.985, &now);
        if (isnan(delay))
            delay = 500;
        for (double u = 0; u <= 1; u += 1.0 / 16) {
            double d = delay_at(&now, u), slope = rate_at(&now, u) / 64;
            assert_true(d > PN_PROPAGATION_SHORTEST - 1e-3 && d < 2000 + 1e-3);
            if (pn_travel_level(&travel, u) > 0)
                assert_true(slope < 1.6 && slope > -5); /* the cubic between gentle rates */
        }
        assert_true(fabs(pn_travel_level(&travel, 0) - level) < 1e-12);
        assert_true(fabs(pn_travel_level(&travel, 1) - level) < 0.1); /* 1,536 frames */
        held += travel.state == PN_TRAVEL_FALLING;
        since_leap += 64;
        if (q > 1 && fabs(delay_at(&now, 0) - delay_at(&last, 1)) > 0.01) {
            assert_true(level < 1e-12); /* not heard when it leaps */
            since_leap = 0;
            leaps += 1;
        }
        level = pn_travel_level(&travel, 1);
        if (level > 1e-12 && travel.state == PN_TRAVEL_RISING)
            assert_true(since_leap >= 300);
        heard += level == 1;
        last = now;
    }
    assert_true(leaps > 200 && heard > 5000 && held > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passages_are_exact),
        cmocka_unit_test(passages_are_finite),
        cmocka_unit_test(quanta_join),
        cmocka_unit_test(lines_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
