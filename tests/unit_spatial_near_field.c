// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The near field against the rigid sphere's series, written down once more another way: Hankel functions as finite sums in
 * long double, Legendre polynomials by their cosine series. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/distance.h"
#include "spatial/near_field.h"
#include "support.h"

enum { RATE = 48000, ORDERS = 90 };
static const double sound = 343.2;

/* ------------------------------------------------------------------ the reference */

/* h_m(x) = (-i)^(m+1) exp(i x) / x sum_s i^s (m + s)! / (s! (m - s)! (2 x)^s) (Abramowitz and Stegun 10.1.16). Good where
 * the terms do not cancel: x not much larger than m, or m small. */
static long double complex hankel(int m, long double x) {
    long double complex sum = 0, term = 1;
    for (int s = 0; s <= m; ++s) {
        sum += term;
        term *= (long double complex)I * (long double)(m + s + 1) * (long double)(m - s) /
                ((long double)(s + 1) * 2 * x);
    }
    static const long double complex turns[] = {-I, -1, I, 1};
    return turns[m % 4] * (cosl(x) + (long double complex)I * sinl(x)) / x * sum;
}

static long double complex hankel_slope(int m, long double x) {
    return (long double)m / x * hankel(m, x) - hankel(m + 1, x);
}

/* P_m(cos t) = sum_k g_k g_(m-k) cos((m - 2 k) t), g_k = (2k)! / (2^k k!)^2. */
static long double legendre(int m, long double angle) {
    long double g[ORDERS + 1] = {1}, sum = 0;
    for (int k = 1; k <= m; ++k)
        g[k] = g[k - 1] * (2 * k - 1) / (2 * k);
    for (int k = 0; k <= m; ++k)
        sum += g[k] * g[m - k] * cosl((m - 2 * k) * angle);
    return sum;
}

static double complex pressure(double distance, double angle, double frequency) {
    long double k = 2 * (long double)PN_PI * frequency / sound, a = PN_HEAD_RADIUS;
    long double complex sum = 0;
    for (int m = 0; m < ORDERS; ++m) {
        long double complex factor = (2 * m + 1) * hankel(m, k * distance) / hankel_slope(m, k * a);
        sum += factor * legendre(m, angle);
        if (m > k * a && cabsl(factor) < 1e-15L * cabsl(sum))
            break;
    }
    return (double complex)(-distance / (k * a * a) *
                            (cosl(k * distance) - (long double complex)I * sinl(k * distance)) * sum);
}

static double level(double complex value) {
    return 20 * log10(cabs(value));
}

static double complex as_complex(pn_complex value) {
    return value.re + I * value.im;
}

/* ------------------------------------------------------------------ the sphere */

static void pressure_is_the_series(void **state) {
    (void)state;
    static const double distances[] = {0.2, 0.25, 0.4, 0.7, 1, 1.4},
                        frequencies[] = {20, 100, 500, 1000, 2500, 6000};
    double worst = 0;
    for (size_t r = 0; r < 6; ++r)
        for (size_t f = 0; f < 6; ++f)
            for (int degrees = 0; degrees <= 180; degrees += 15) {
                double angle = pn_radians(degrees);
                double complex expected = pressure(distances[r], angle, frequencies[f]),
                               got = as_complex(pn_near_pressure(distances[r], angle, frequencies[f]));
                worst = fmax(worst, cabs(got - expected) / cabs(expected));
            }
    assert_below(worst, 1e-9);
}

/* Closed forms. At 0 Hz on the axis: sum of (2 m + 1) / (m + 1) x^m = 2 / (1 - x) + ln(1 - x) / x, x = a / r, and the same
 * of -x at the back. A plane wave meeting the front of a large sphere: pressure doubles, as the source's own distance
 * says. */
static void limits_are_known(void **state) {
    (void)state;
    for (int n = 0; n < 11; ++n) {
        double r = 0.2 * pow(1.3, n), x = PN_HEAD_RADIUS / r;
        double front = 2 / (1 - x) + log(1 - x) / x, back = 2 / (1 + x) - log(1 + x) / x;
        assert_below(fabs(pn_near_pressure(r, 0, 0).re - front), 1e-10);
        assert_below(fabs(pn_near_pressure(r, PN_PI, 0).re - back), 1e-10);
        assert_below(fabs(level(as_complex(pn_near_pressure(r, 0.7, 0.01))) -
                          level(as_complex(pn_near_pressure(r, 0.7, 0)))),
                     1e-6);
        assert_below(
            fabs(level(as_complex(pn_near_pressure(r, 0, 20000))) - 20 * log10(2 * r / (r - PN_HEAD_RADIUS))),
            0.2);
    }
}

/* The wave front arrives when the geometry says: group delay of the sphere at 15 kHz, lit and in the shadow. */
static void arrival_is_that_of_the_wave(void **state) {
    (void)state;
    static const double distances[] = {0.2, 0.35, 1};
    for (size_t r = 0; r < 3; ++r)
        for (int degrees = 0; degrees <= 70; degrees += 10) {
            double angle = pn_radians(degrees), step = 10;
            double complex low = as_complex(pn_near_pressure(distances[r], angle, 15000 - step)),
                           high = as_complex(pn_near_pressure(distances[r], angle, 15000 + step));
            double delay = carg(high / low) / (2 * PN_PI * 2 * step);
            assert_below(fabs(delay - pn_near_arrival(distances[r], angle)), 8e-6);
        }
    /* Far away it is Woodworth's: a / c (sin + angle) between the ears. */
    for (int degrees = 0; degrees <= 90; degrees += 15) {
        double to_side = pn_radians(degrees);
        double itd = pn_near_arrival(1e4, PN_PI / 2 + to_side) - pn_near_arrival(1e4, PN_PI / 2 - to_side);
        assert_below(fabs(itd - PN_HEAD_RADIUS / sound * (sin(to_side) + to_side)), 1e-8);
    }
}

/* ------------------------------------------------------------------ parallax */

/* Ear, source and the place seen are on one ray, where there is a view; the place is at the reference, on the source's
 * side; nothing happens at the reference, on the axis, or at the far side. */
static void parallax_is_the_ray_from_the_ear(void **state) {
    (void)state;
    uint64_t noise = 5;
    for (int n = 0; n < 2000; ++n) {
        double reference = n % 2 ? 1 : 0.6, r = 0.2 + (reference - 0.2) * fabs(test_noise(&noise));
        pn_vec3 place = pn_vec_from_polar(PN_PI * test_noise(&noise), PN_PI / 2 * test_noise(&noise), r);
        for (int ear = 0; ear < 2; ++ear) {
            pn_vec3 at = {0, ear == 0 ? PN_HEAD_RADIUS : -PN_HEAD_RADIUS, 0};
            pn_vec3 seen = pn_near_seen_from(ear, place, reference);
            assert_below(fabs(pn_vec_length(seen) - reference), 1e-12);
            double angle = acos(pn_vec_dot(place, at) / (r * PN_HEAD_RADIUS));
            assert_below(fabs(angle - pn_near_angle(ear, place)), 1e-6);
            pn_vec3 a = pn_vec_sub(place, at), b = pn_vec_sub(seen, at);
            if (angle < pn_radians(75))
                assert_below(pn_vec_length(pn_vec_cross(a, b)) / (pn_vec_length(a) * pn_vec_length(b)), 1e-9);
            if (angle > pn_radians(135))
                assert_below(pn_vec_length(pn_vec_sub(seen, pn_vec_scale(place, reference / r))), 1e-9);
            assert_true(seen.x * place.x >= 0 && seen.z * place.z >= 0);
            pn_vec3 far = pn_vec_scale(place, reference / r);
            assert_below(pn_vec_length(pn_vec_sub(pn_near_seen_from(ear, far, reference), far)), 1e-9);
        }
    }
    for (int n = 0; n < 11; ++n) {
        double last = 0, r = 0.01 * pow(1.5, n);
        for (int i = 1; i <= 3600; ++i) { /* one to one: it never runs backwards */
            double seen = pn_near_seen_angle(fmax(r, PN_NEAREST_METRES), 1, PN_PI * i / 3600);
            assert_true(seen > last && seen <= PN_PI + 1e-12);
            last = seen;
        }
        pn_vec3 left = pn_near_seen_from(0, (pn_vec3){0, r, 0}, 1),
                right = pn_near_seen_from(0, (pn_vec3){0, -r, 0}, 1);
        assert_below(pn_vec_length(pn_vec_sub(left, (pn_vec3){0, 1, 0})), 1e-12);
        assert_below(pn_vec_length(pn_vec_sub(right, (pn_vec3){0, -1, 0})), 1e-12);
    }
}

/* ------------------------------------------------------------------ the table */

typedef struct {
    double reference;
    int taps, nodes;
    float *responses;
} table;

static table make_table(double reference, double rate, int more) {
    pinna_error err = {0};
    table t = {reference, pn_near_taps(rate) + more, pn_near_nodes(reference), NULL};
    t.responses = pn_alloc_floats((size_t)t.nodes * (size_t)t.taps);
    assert_non_null(t.responses);
    assert_ok(pn_near_responses(reference, rate, t.taps, t.responses, &err), &err);
    return t;
}

static double complex table_at(const table *t, double rate, double distance, double angle, double frequency) {
    int node[PN_NEAR_BLEND];
    double weight[PN_NEAR_BLEND], all = 0;
    int used = pn_near_look_up(t->reference, distance, angle, node, weight);
    double complex sum = 0;
    assert_in_range(used, 1, PN_NEAR_BLEND);
    for (int i = 0; i < used; ++i) {
        assert_in_range(node[i], 0, t->nodes - 1);
        assert_true(weight[i] > 0);
        all += weight[i];
        for (int n = 0; n < t->taps; ++n)
            sum += weight[i] * (double)t->responses[node[i] * t->taps + n] *
                   cexp(-2 * PN_PI * I * frequency * n / rate);
    }
    assert_below(fabs(all - 1), 1e-12);
    return sum;
}

/* Anywhere, between the nodes: what the set gives in the direction seen, as it arrives, through the table, is what the
 * sphere has at that distance, in level and in time. */
static void table_and_rays_make_the_near_sphere(void **state) {
    (void)state;
    static const double frequencies[] = {60, 150, 400, 800, 1200, 2000, 3500, 5500, 8000, 11000, 15000};
    static const struct {
        double reference, rate;
    } sets[] = {{1, 48000}, {0.5, 48000}, {1, 44100}, {1, 96000}, {0.25, 192000}};
    for (size_t s = 0; s < sizeof sets / sizeof *sets; ++s) {
        double reference = sets[s].reference, rate = sets[s].rate, worst = 0, square = 0, off = 0;
        table t = make_table(reference, rate, (int)s);
        uint64_t noise = 7;
        int count = 0;
        for (int n = 0; n < 300; ++n) {
            double r = 0.2 + (reference - 0.2) * fabs(test_noise(&noise)),
                   angle = PN_PI * fabs(test_noise(&noise));
            double seen = pn_near_seen_angle(r, reference, angle);
            for (size_t f = 0; f < sizeof frequencies / sizeof *frequencies; ++f) {
                double complex filter = table_at(&t, rate, r, angle, frequencies[f]);
                double complex expected = as_complex(pn_near_pressure(r, angle, frequencies[f])),
                               set = as_complex(pn_near_pressure(reference, seen, frequencies[f]));
                double wrong = level(set) + level(filter) - level(expected);
                worst = fmax(worst, fabs(wrong));
                square += wrong * wrong;
                ++count;
                if (frequencies[f] > 1500)
                    continue;
                /* The set's delay is exchanged for the near one; exp(-i w t) against the transform's exp(+i w t). */
                double late = pn_near_arrival(r, angle) - pn_near_arrival(reference, seen);
                double complex got = set * cexp(2 * PN_PI * I * frequencies[f] * late) * conj(filter);
                off = fmax(off, cabs(got / expected - 1));
            }
        }
        print_message("reference %g, rate %g: %.2f dB at most, %.3f RMS; complex %.1f %%\n", reference, rate,
                      worst, sqrt(square / count), off * 100);
        assert_below(worst, 0.25);
        assert_below(sqrt(square / count), 0.03);
        assert_below(off, 0.025);
        pn_free(t.responses);
    }
}

/* How much there is at all: the figures of the header. */
static void near_and_far_ear_differ_as_published(void **state) {
    (void)state;
    double near =
        level(as_complex(pn_near_pressure(0.2, 0, 0))) - level(as_complex(pn_near_pressure(1, 0, 0)));
    double far = level(as_complex(pn_near_pressure(0.2, PN_PI, 15000))) -
                 level(as_complex(pn_near_pressure(1, PN_PI, 15000)));
    assert_below(fabs(near - 5.8), 0.05);
    assert_below(fabs(far + 6.7), 0.2);
}

/* At the reference and beyond nothing is left; within 0.2 m nothing changes any more; from node to node it is continuous. */
static void table_ends_at_the_reference(void **state) {
    (void)state;
    int node[PN_NEAR_BLEND], last = pn_near_nodes(1) - 1, inner[PN_NEAR_BLEND];
    double weight[PN_NEAR_BLEND], inner_weight[PN_NEAR_BLEND];
    for (int degrees = 0; degrees <= 180; degrees += 5) {
        double angle = pn_radians(degrees);
        assert_int_equal(pn_near_look_up(1, 1, angle, node, weight), 1);
        assert_true(node[0] == last && weight[0] == 1);
        assert_int_equal(pn_near_look_up(1, 7, angle, node, weight), 1);
        assert_true(node[0] == last && weight[0] == 1);
        int used = pn_near_look_up(1, 0.2, angle, node, weight);
        assert_in_range(used, 1, 2);
        assert_int_equal(pn_near_look_up(1, 0, angle, inner, inner_weight), used);
        for (int i = 0; i < used; ++i)
            assert_true(node[i] == inner[i] && weight[i] == inner_weight[i]);
    }
    table t = make_table(1, RATE, 0);
    const float *identity = t.responses + (size_t)last * (size_t)t.taps;
    for (int n = 0; n < t.taps; ++n)
        assert_true(identity[n] == (n == 0));
    double before = 0, jump = 0;
    for (int n = 0; n <= 4000; ++n) {
        double now = cabs(table_at(&t, RATE, 0.15 + n * 0.9 / 4000, 3.1 * n / 4000, 900));
        if (n > 0)
            jump = fmax(jump, fabs(20 * log10(now / before)));
        before = now;
    }
    assert_below(jump, 0.03);
    pn_free(t.responses);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pressure_is_the_series),
        cmocka_unit_test(limits_are_known),
        cmocka_unit_test(arrival_is_that_of_the_wave),
        cmocka_unit_test(parallax_is_the_ray_from_the_ear),
        cmocka_unit_test(table_and_rays_make_the_near_sphere),
        cmocka_unit_test(near_and_far_ear_differ_as_published),
        cmocka_unit_test(table_ends_at_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
