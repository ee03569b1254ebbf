// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Absorption by air against the table that ISO 9613-2:1996 prints (table 2, dB per km, to its last digit), and the
 * responses against the absorption. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/vec.h"
#include "spatial/air.h"
#include "support.h"

static void absorption_is_the_standards(void **state) {
    (void)state;
    /* Octave bands 63 Hz .. 8 kHz, whose exact middles are 1000 * 10^(0.3 n). */
    static const struct {
        pn_air_state air;
        double per_km[8];
    } table[] = {
        {{10, 70}, {0.1, 0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117}},
        {{20, 70}, {0.1, 0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6}},
        {{30, 70}, {0.1, 0.3, 1.0, 3.1, 7.4, 12.7, 23.1, 59.3}},
        {{15, 20}, {0.3, 0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202}},
        {{15, 50}, {0.1, 0.5, 1.2, 2.2, 4.2, 10.8, 36.2, 129}},
        {{15, 80}, {0.1, 0.3, 1.1, 2.4, 4.1, 8.3, 23.7, 82.8}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
        for (int band = 0; band < 8; ++band) {
            double expected = table[i].per_km[band], digit = expected > 100 ? 1 : 0.1;
            double got = 1000 * pn_air_absorption(&table[i].air, 1000 * pow(10, 0.3 * (band - 4)));
            if (fabs(got - expected) > 0.55 * digit)
                fail_msg("%g C, %g %%, band %d: %.2f dB/km, expected %g", table[i].air.temperature,
                         table[i].air.humidity, band, got, expected);
        }
}

static void extremes_are_finite(void **state) {
    (void)state;
    for (int t = -50; t <= 60; t += 10)
        for (int h = 0; h <= 100; h += 20)
            for (int f = 0; f <= 192000; f += 4000) {
                double a = pn_air_absorption(&(pn_air_state){t, h}, f);
                assert_true(isfinite(a) && a >= 0 && (f > 0 || a == 0));
            }
}

/* 331.3 m/s at 0 degrees and 343.2 at 20 in every table book. */
static void sound_is_faster_in_warm_air(void **state) {
    (void)state;
    assert_below(fabs(pn_air_speed_of_sound(0) - 331.3), 0.05);
    assert_below(fabs(pn_air_speed_of_sound(20) - 343.2), 1e-9);
    assert_below(fabs(pn_air_speed_of_sound(-50) - 299.6), 0.3);
}

/* ------------------------------------------------------------------ table */

typedef struct {
    int nodes, taps;
    float *responses;
} table;

static table make_table(const pn_air_state *air, double farthest, double rate, int more) {
    pinna_error err = {0};
    table t = {pn_air_nodes(farthest), pn_air_taps(farthest, rate) + more, NULL};
    t.responses = pn_alloc_floats((size_t)t.nodes * (size_t)t.taps);
    assert_non_null(t.responses);
    assert_ok(pn_air_responses(air, farthest, rate, t.taps, t.responses, &err), &err);
    return t;
}

static double table_db(const table *t, double rate, double distance, double frequency) {
    int node[2];
    double weight[2];
    double complex sum = 0;
    pn_air_look_up(t->nodes, distance, node, weight);
    assert_true(weight[0] >= 0 && weight[1] >= 0 && fabs(weight[0] + weight[1] - 1) < 1e-12);
    for (int i = 0; i < 2; ++i) {
        assert_in_range(node[i], 0, t->nodes - 1);
        for (int n = 0; n < t->taps; ++n)
            sum += weight[i] * (double)t->responses[node[i] * t->taps + n] *
                   cexp(-2 * PN_PI * I * frequency * n / rate);
    }
    return -20 * log10(cabs(sum));
}

/* At any distance, between the nodes too: up to 30 dB of absorption within 0.3 dB, up to 50 within 0.4, and where it is
 * more nothing comes back. */
static void responses_absorb_as_much(void **state) {
    (void)state;
    static const struct {
        pn_air_state air;
        double rate, farthest;
    } cases[] = {
        {{20, 50}, 48000, 1000}, {{20, 10}, 48000, 1000}, {{40, 20}, 48000, 1000}, {{-10, 50}, 44100, 1000},
        {{10, 70}, 96000, 1000}, {{20, 50}, 48000, 100},  {{20, 50}, 16000, 3000}, {{20, 50}, 48000, 3000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        double rate = cases[i].rate, worst = 0, deep = 0, stop = INFINITY;
        table t = make_table(&cases[i].air, cases[i].farthest, rate, (int)i);
        for (int at = 0; at < 180; ++at)
            for (int tone = 0; tone < 26; ++tone) {
                double r = pow(1.0471, at), f = 50 * pow(1.26, tone);
                if (r > cases[i].farthest || f > fmin(0.45 * rate, 20000))
                    continue;
                double expected = pn_air_absorption(&cases[i].air, f) * (r - 1),
                       got = table_db(&t, rate, r, f);
                if (expected < 30)
                    worst = fmax(worst, fabs(got - expected));
                else if (expected < 50)
                    deep = fmax(deep, fabs(got - expected));
                else
                    stop = fmin(stop, got);
            }
        print_message("%g C, %g %%, to %g m, rate %g: %.2f dB, %.2f dB below 30, stop band -%.1f dB\n",
                      cases[i].air.temperature, cases[i].air.humidity, cases[i].farthest, rate, worst, deep,
                      stop);
        assert_below(worst, 0.3);
        assert_below(deep, 0.4);
        assert_true(stop > 49);
        pn_free(t.responses);
    }
}

static void nothing_is_absorbed_up_to_1_m(void **state) {
    (void)state;
    int node[2], nodes = pn_air_nodes(1000);
    double weight[2];
    for (int eighth = 0; eighth <= 8; ++eighth) {
        pn_air_look_up(nodes, eighth / 8.0, node, weight);
        assert_true(node[0] == 0 && weight[0] == 1 && weight[1] == 0);
    }
    for (int power = 0; power < 20; ++power) {
        nodes = pn_air_nodes(0.2 * pow(3, power));
        assert_in_range(nodes, 2, 120);
        pn_air_look_up(nodes, 1e12, node, weight);
        assert_true(node[1] == nodes - 1 && weight[1] == 1);
    }
    table t = make_table(&(pn_air_state){20, 50}, 100, 48000, 3);
    for (int n = 0; n < t.taps; ++n)
        assert_true(fabs((double)t.responses[n] - (n == 0)) < 1e-7);
    pn_free(t.responses);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absorption_is_the_standards),   cmocka_unit_test(extremes_are_finite),
        cmocka_unit_test(sound_is_faster_in_warm_air),   cmocka_unit_test(responses_absorb_as_much),
        cmocka_unit_test(nothing_is_absorbed_up_to_1_m),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
