// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* From a place to a filter, as the bank's definition makes it sound: a set that is a rigid sphere at 1 m becomes the
 * sphere at any distance; at 1 m and beyond the set is left alone; ways through the head have no step and no peak. */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"
#include "render/aim.h"
#include "spatial/near_field.h"
#include "support.h"

enum { RATE = 48000, SIZE = 1024, TAPS = 256, ONSET = 64, DIRECTIONS = 700, BINS = TAPS / 2 + 1 };

static pn_hrtf *set; /* the sphere at 1 m */

/* Band-limited, so that delays of any fraction are exact. */
static double band(double frequency) {
    return exp(-pow(frequency / 14000, 4));
}

/* The transform's sign of time: exp(+i w t). */
static double complex sphere(double distance, double angle, double frequency) {
    pn_complex p = pn_near_pressure(distance, angle, frequency);
    return p.re - I * p.im;
}

static void fill(pn_measured *measured, int index, pn_vec3 direction, pn_fft *fft) {
    measured->direction[index] = direction;
    measured->distance[index] = 1;
    for (int ear = 0; ear < 2; ++ear) {
        pn_complex z[TAPS];
        for (int k = 0; k < BINS; ++k) {
            double frequency = (double)k * RATE / TAPS;
            double complex h = band(frequency) * sphere(1, pn_near_angle(ear, direction), frequency) *
                               cexp(-2 * PN_PI * I * ONSET * k / TAPS);
            z[k] = (pn_complex){creal(h), k == TAPS / 2 ? 0 : cimag(h)};
            z[(TAPS - k) % TAPS] = (pn_complex){z[k].re, -z[k].im};
        }
        pn_fft_inverse(fft, z);
        for (int n = 0; n < TAPS; ++n)
            pn_measured_ir(measured, index, ear)[n] = (float)z[n].re;
    }
}

static int make_sphere(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_fft *fft = NULL;
    pn_measured measured;
    pn_hrtf_options options = {.equalise_given = true, .grid = -1, .no_cache = true};
    assert_ok(pn_fft_create(TAPS, &fft, &err), &err);
    assert_ok(pn_measured_create(&measured, DIRECTIONS, TAPS, RATE, &err), &err);
    for (int i = 0; i < DIRECTIONS; ++i)
        fill(&measured, i, test_fibonacci(i, DIRECTIONS), fft);
    pn_fft_free(fft);
    assert_ok(pn_hrtf_from_measured(&measured, "sphere", RATE, &options, NULL, &set, &err), &err);
    return 0;
}

static int free_sphere(void **state) {
    (void)state;
    pn_hrtf_free(set);
    return 0;
}

/* ------------------------------------------------------------------ filters, heard */

typedef struct {
    pn_aimer *aimer;
    pn_bank_desc bank;
    pn_aim_hint hint;
} fixture;

static fixture make(const pn_aimer_desc *desc) {
    fixture f = {0};
    pinna_error err = {0};
    assert_ok(pn_aimer_create(desc, &f.aimer, &err), &err);
    f.bank = *pn_aimer_get_bank(f.aimer);
    f.bank.size = SIZE;
    f.bank.quantum = 256;
    f.bank.sources = 1;
    assert_ok(pn_bank_desc_check(&f.bank, &err), &err);
    pn_aim_hint_init(&f.hint);
    return f;
}

static fixture make_plain(pn_distance_model model) {
    pn_aimer_desc desc = {.hrtf = set, .distance = {model, 1, 1000, 1}, .parallax = true, .near = true};
    return make(&desc);
}

static pn_filter aimed(fixture *f, pn_vec3 relative, pn_field field, bool air) {
    pn_radiator omni = {PN_PATTERN_OMNI};
    pn_aim aim = {relative, pn_aimer_gain(f->aimer, &omni, relative), field, air};
    pn_filter filter;
    pn_aim_filter(f->aimer, &aim, &f->hint, &filter);
    return filter;
}

/* What the bank demands of a filter. */
static void check_filter(const fixture *f, const pn_filter *filter) {
    for (int ear = 0; ear < 2; ++ear) {
        double all = 0;
        assert_true(filter->delay[ear] >= 0 && filter->delay[ear] <= (float)f->bank.max_delay);
        for (int k = 0; k < PN_FILTER_NODES; ++k) {
            assert_in_range(filter->node[ear][k], 0, f->bank.nodes - 1);
            assert_true(isfinite(filter->weight[ear][k]));
            assert_true(k == 0 || filter->weight[ear][k] == 0 || filter->weight[ear][k - 1] != 0);
        }
        for (int k = 0; k < PN_FILTER_TINTS; ++k) {
            assert_in_range(filter->tint[ear][k], 0, f->bank.tints > 0 ? f->bank.tints - 1 : 0);
            assert_true(k == 0 || filter->tint_weight[ear][k] == 0 || filter->tint_weight[ear][k - 1] != 0);
            all += (double)filter->tint_weight[ear][k];
        }
        assert_true(all == 0 || fabs(all - 1) < 1e-6);
    }
}

static double complex transform(const float *taps, int count, double frequency) {
    double complex sum = 0, turn = cexp(-2 * PN_PI * I * frequency / RATE), power = 1;
    for (int n = 0; n < count; ++n, power *= turn)
        sum += (double)taps[n] * power;
    return sum;
}

/* What a filter does to a tone, by the definition (backend.h). */
static double complex heard(const fixture *f, const pn_filter *filter, int ear, double frequency) {
    const pn_bank_desc *bank = &f->bank;
    double complex set_part = 0, tint = 0;
    bool tinted = false;
    for (int k = 0; k < PN_FILTER_NODES; ++k) {
        if (filter->weight[ear][k] != 0)
            set_part += (double)filter->weight[ear][k] *
                        transform(bank->responses + (2 * filter->node[ear][k] + ear) * bank->taps, bank->taps,
                                  frequency);
    }
    for (int k = 0; k < PN_FILTER_TINTS; ++k) {
        if (filter->tint_weight[ear][k] == 0)
            continue;
        tinted = true;
        tint += (double)filter->tint_weight[ear][k] *
                transform(bank->tint_responses + filter->tint[ear][k] * bank->tint_taps, bank->tint_taps,
                          frequency);
    }
    double complex delay = cexp(-2 * PN_PI * I * frequency * (double)filter->delay[ear] / RATE);
    return set_part * delay * (tinted ? tint : 1);
}

/* ------------------------------------------------------------------ the near sphere */

static const double frequencies[] = {100, 300, 700, 1000, 1500, 2500, 4000, 6000, 9000};
enum { FREQUENCIES = sizeof frequencies / sizeof *frequencies };

static double db(double complex value) {
    return 20 * log10(cabs(value));
}

/* The worst level error, dB, and of the phase between the ears below 1.5 kHz, us. Not of the lobes on the far side, which
 * 700 directions do not resolve. */
static void compare(fixture *f, pn_vec3 place, pn_field field, double *level, double *itd) {
    double r = pn_vec_length(place), at = fmin(fmax(r, 0.2), 1);
    pn_filter filter = aimed(f, place, field, false);
    check_filter(f, &filter);
    for (int k = 0; k < FREQUENCIES; ++k) {
        double complex got[2], expected[2];
        for (int ear = 0; ear < 2; ++ear) {
            double angle = pn_near_angle(ear, place);
            got[ear] = heard(f, &filter, ear, frequencies[k]);
            expected[ear] = pn_hrtf_get_info(set)->scale / fmax(r, 0.2) * band(frequencies[k]) *
                            sphere(at, angle, frequencies[k]);
            if (angle < 2.2 || frequencies[k] < 3000)
                *level = fmax(*level, fabs(db(got[ear] / expected[ear])));
        }
        if (frequencies[k] <= 1500) {
            double phase = carg(got[0] / got[1] * expected[1] / expected[0]);
            *itd = fmax(*itd, fabs(phase) / (2 * PN_PI * frequencies[k]) * 1e6);
        }
    }
}

static void a_sphere_comes_near(void **state) {
    (void)state;
    fixture f = make_plain(PN_DISTANCE_INVERSE);
    static const double distances[] = {3, 1, 0.99, 0.7, 0.45, 0.3, 0.2, 0.12};
    for (size_t d = 0; d < sizeof distances / sizeof *distances; ++d) {
        uint64_t noise = 11;
        double level = 0, itd = 0;
        for (int n = 0; n < 60; ++n) {
            pn_vec3 place =
                pn_vec_from_polar(PN_PI * test_noise(&noise), asin(test_noise(&noise)), distances[d]);
            compare(&f, place, n % 2 ? PN_FIELD_AUTO : PN_FIELD_NEAR, &level, &itd);
        }
        print_message("%g m: %.2f dB, %.1f us\n", distances[d], level, itd);
        assert_below(level, 0.5);
        assert_below(itd, 10);
    }
    pn_aimer_free(f.aimer);
}

/* `mid` has the directions and times of `near` but not its levels; `far` is the set at the gain of the distance. */
static void fields_leave_out_what_they_say(void **state) {
    (void)state;
    fixture f = make_plain(PN_DISTANCE_INVERSE);
    pn_vec3 place = {0.1, 0.2, 0.05}, there = pn_vec_scale(place, 1 / pn_vec_length(place));
    pn_filter near = aimed(&f, place, PN_FIELD_NEAR, false), mid = aimed(&f, place, PN_FIELD_MID, false),
              far = aimed(&f, place, PN_FIELD_FAR, false), at_1_m = aimed(&f, there, PN_FIELD_NEAR, false);
    for (int ear = 0; ear < 2; ++ear) {
        for (int k = 0; k < FREQUENCIES; ++k)
            assert_below(cabs(heard(&f, &far, ear, frequencies[k]) * pn_vec_length(place) -
                              heard(&f, &at_1_m, ear, frequencies[k])),
                         1e-5);
        assert_true(mid.tint_weight[ear][0] == 0 && far.tint_weight[ear][0] == 0);
        assert_true(near.delay[ear] == mid.delay[ear]);
        assert_memory_equal(near.node[ear], mid.node[ear], sizeof near.node[ear]);
    }
    assert_true(mid.delay[1] - mid.delay[0] > far.delay[1] - far.delay[0] + 0.5f);
    double near_ild = db(heard(&f, &near, 0, 300) / heard(&f, &near, 1, 300)),
           far_ild = db(heard(&f, &far, 0, 300) / heard(&f, &far, 1, 300));
    assert_true(near_ild > far_ild + 5);
    pn_aimer_free(f.aimer);
}

/* ------------------------------------------------------------------ the set as measured */

static void the_set_is_left_alone_at_1_m_and_beyond(void **state) {
    (void)state;
    fixture f = make_plain(PN_DISTANCE_NONE);
    uint64_t noise = 3;
    pn_hrtf_hint hint = {{-1, -1}};
    for (int n = 0; n < 500; ++n) {
        double r = n < 100 ? 1 : 1 + 20 * fabs(test_noise(&noise));
        pn_vec3 place = pn_vec_from_polar(PN_PI * test_noise(&noise), asin(test_noise(&noise)), 1);
        place = pn_vec_scale(place, fmax(r / pn_vec_length(place), 1 / pn_vec_length(place)));
        if (pn_vec_length(place) < 1) /* by rounding */
            continue;
        pn_filter filter = aimed(&f, place, (pn_field)(n % 4), true);
        pn_hrtf_point point;
        pn_hrtf_look_up(set, place, &hint, &point);
        check_filter(&f, &filter);
        for (int ear = 0; ear < 2; ++ear) {
            int used = 0;
            for (int k = 0; k < PN_HRTF_NODES; ++k) {
                if (point.weight[k] == 0)
                    continue;
                assert_int_equal(filter.node[ear][used], point.node[k]);
                assert_true(filter.weight[ear][used++] == point.weight[k]);
            }
            assert_true(filter.delay[ear] == point.delay[ear]);
            for (int k = 0; k < PN_FILTER_TINTS; ++k)
                assert_true(filter.tint_weight[ear][k] == 0 && filter.tint[ear][k] == 0);
        }
    }
    pn_aimer_free(f.aimer);
}

/* The filter in air is the filter without, less what the standard says. */
static void air_absorbs_beyond_1_m(void **state) {
    (void)state;
    pn_aimer_desc desc = {.hrtf = set,
                          .distance = {PN_DISTANCE_INVERSE, 1, 500, 1},
                          .parallax = true,
                          .near = true,
                          .air = true,
                          .air_state = {20, 50}};
    fixture f = make(&desc);
    static const double distances[] = {0.4, 1, 1.3, 12, 77, 300, 499, 1e5};
    for (size_t d = 0; d < sizeof distances / sizeof *distances; ++d) {
        pn_vec3 place = pn_vec_from_polar(0.7, 0.2, distances[d]);
        pn_filter with = aimed(&f, place, PN_FIELD_AUTO, true),
                  without = aimed(&f, place, PN_FIELD_AUTO, false);
        check_filter(&f, &with);
        for (int k = 0; k < FREQUENCIES; ++k) {
            double absorbed =
                pn_air_absorption(&desc.air_state, frequencies[k]) * fmax(fmin(distances[d], 500) - 1, 0);
            double got = db(heard(&f, &without, 0, frequencies[k]) / heard(&f, &with, 0, frequencies[k]));
            if (absorbed < 30)
                assert_below(fabs(got - absorbed), 0.3);
        }
    }
    pn_aimer_free(f.aimer);
}

/* ------------------------------------------------------------------ ways through the head */

enum { TONES = 24 };

static void hear_tones(fixture *f, pn_vec3 place, pn_field field, double complex tone[2][TONES]) {
    pn_filter filter = aimed(f, place, field, false);
    check_filter(f, &filter);
    for (int ear = 0; ear < 2; ++ear)
        for (int k = 0; k < TONES; ++k)
            tone[ear][k] = heard(f, &filter, ear, 60 * pow(1.27, k)); /* to 15 kHz */
}

static double power(double complex tone[2][TONES], double complex minus[2][TONES]) {
    double sum = 0;
    for (int ear = 0; ear < 2; ++ear)
        for (int k = 0; k < TONES; ++k)
            sum += pow(cabs(tone[ear][k] - (minus == NULL ? 0 : minus[ear][k])), 2);
    return sum;
}

/* In steps of 2 mm past the head in many directions, through its centre and beside it: filters change by little from step
 * to step, and within 0.2 m are never more than 6 dB above what they were there; the passage at 1 m as well. */
static void through_the_head_without_a_step(void **state) {
    (void)state;
    static const double offsets[] = {0, 0.004, 0.05, 0.09, 0.15};
    uint64_t noise = 9;
    double worst_step = 0, worst_rise = -400;
    for (int way = 0; way < 12; ++way) {
        fixture f = make_plain(PN_DISTANCE_INVERSE);
        pn_vec3 along = pn_vec_from_polar(PN_PI * test_noise(&noise), asin(test_noise(&noise)), 1);
        if (way < 4)
            along = (pn_vec3){way == 0, way == 1 || way == 3, way == 2};
        pn_vec3 up = fabs(along.z) < 0.9 ? (pn_vec3){0, 0, 1} : (pn_vec3){1, 0, 0};
        pn_vec3 aside = pn_vec_cross(along, up);
        aside = pn_vec_scale(aside, offsets[way % 5] / pn_vec_length(aside));
        double complex last[2][TONES], now[2][TONES];
        double before = 0, at_edge = 0;
        for (int n = -550; n <= 550; ++n) {
            if (abs(n) > 120 && abs(n) < 480) { /* smooth there: saves time */
                before = 0;
                continue;
            }
            pn_vec3 place = pn_vec_add(aside, pn_vec_scale(along, n * 2e-3));
            hear_tones(&f, place, (pn_field)(way % 4), now);
            double here = power(now, NULL);
            assert_true(isfinite(here));
            if (pn_vec_length(place) >= 0.2)
                at_edge = here;
            else
                worst_rise = fmax(worst_rise, 10 * log10(here / at_edge));
            if (before > 0)
                worst_step = fmax(worst_step, sqrt(power(now, last) / fmax(here, before)));
            before = here;
            memcpy(last, now, sizeof last);
        }
        pn_aimer_free(f.aimer);
    }
    print_message("steps of 2 mm change %.3f of a filter at most; %.1f dB above 0.2 m\n", worst_step,
                  worst_rise);
    assert_below(worst_step, 0.3); /* 15 us of arrival at either ear */
    assert_below(worst_rise, 6);
}

/* Every place has a filter: the centre, the ears, far away. */
static void every_place_has_a_filter(void **state) {
    (void)state;
    fixture f = make_plain(PN_DISTANCE_INVERSE);
    static const pn_vec3 places[] = {{0, 0, 0},
                                     {1e-320, 0, 0},
                                     {0, 1e-12, 0},
                                     {0, PN_HEAD_RADIUS, 0},
                                     {0, -0.2, 0},
                                     {0, 0.2, 1e-18},
                                     {0, -PN_HEAD_RADIUS, 0},
                                     {1e6, 1e6, -1e6},
                                     {-1e-3, 0, 0},
                                     {0, 0, -1},
                                     {0, 1, 0},
                                     {0, -1, 0}};
    for (size_t i = 0; i < sizeof places / sizeof *places; ++i)
        for (int field = 0; field < 4; ++field) {
            pn_filter filter = aimed(&f, places[i], (pn_field)field, false);
            check_filter(&f, &filter);
            for (int ear = 0; ear < 2; ++ear) {
                double level = db(heard(&f, &filter, ear, 1000));
                assert_true(level > -200 && level < 40);
            }
        }
    pn_filter centre = aimed(&f, places[0], PN_FIELD_FAR, false),
              front = aimed(&f, (pn_vec3){1, 0, 0}, PN_FIELD_FAR, false);
    for (int ear = 0; ear < 2; ++ear)
        for (int k = 0; k < 3; ++k)
            assert_true(fabsf(centre.weight[ear][k] - 5 * front.weight[ear][k]) < 1e-6f);
    pn_aimer_free(f.aimer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sphere_comes_near),
        cmocka_unit_test(fields_leave_out_what_they_say),
        cmocka_unit_test(the_set_is_left_alone_at_1_m_and_beyond),
        cmocka_unit_test(air_absorbs_beyond_1_m),
        cmocka_unit_test(through_the_head_without_a_step),
        cmocka_unit_test(every_place_has_a_filter),
    };
    return cmocka_run_group_tests(tests, make_sphere, free_sphere);
}
