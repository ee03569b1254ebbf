// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/hrtf.h"

/* A head of known answers: each ear gets one smooth pulse, delayed by 30 - 12 y samples on the left and 30 + 12 y on
 * the right, with an amplitude of 1 +- 0.5 y. Everything about it follows from these lines. */
enum { TAPS = 128 };
#define RATE 48000.0

static double true_delay(pn_vec3 d, int ear) {
    return 30 + (ear ? 12 : -12) * d.y;
}

static double true_gain(pn_vec3 d, int ear) {
    return 1 + (ear ? -0.5 : 0.5) * d.y;
}

static double pulse(double t) {
    return exp(-t * t / 4); /* -21 dB at 12 kHz, -86 dB at 24 kHz: delays of any fraction are exact */
}

static void fill(pn_measured *set, int i, pn_vec3 d) {
    set->direction[i] = d;
    set->distance[i] = 1.2;
    for (int ear = 0; ear < 2; ++ear) {
        for (int n = 0; n < TAPS; ++n)
            pn_measured_ir(set, i, ear)[n] = (float)(true_gain(d, ear) * pulse(n - true_delay(d, ear)));
    }
}

static pn_measured make_set(int count) {
    pn_measured set;
    pinna_error err = {0};
    assert_ok(pn_measured_create(&set, count, TAPS, RATE, &err), &err);
    for (int i = 0; i < count; ++i)
        fill(&set, i, test_fibonacci(i, count));
    return set;
}

/* The grid is coarse, for speed; what is tested of it is tested in unit_spatial_grid. */
static pn_hrtf *finish(pn_measured *set, double rate, pn_messages *messages) {
    const pn_hrtf_options options = {.grid = 400};
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_hrtf_from_measured(set, "test", rate, &options, messages, &hrtf, &err), &err);
    assert_null(set->ir);
    return hrtf;
}

/* Worst error over both ears of the response in a direction against the closed form, dB. */
static double error_at(const pn_hrtf *hrtf, pn_vec3 d, double offset) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    size_t length = (size_t)info->length;
    float *h[2] = {pn_alloc_floats(length), pn_alloc_floats(length)};
    double *expected = pn_alloc(length, sizeof *expected), worst = -400, ratio = info->rate / RATE;
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(hrtf, d, h[0], h[1], &err), &err);
    for (int ear = 0; ear < 2; ++ear) {
        for (size_t n = 0; n < length; ++n)
            expected[n] = info->scale * true_gain(d, ear) / ratio *
                          pulse(((double)n - info->latency) / ratio - true_delay(d, ear) - offset);
        worst = fmax(worst, test_error_db_f64(h[ear], expected, length));
    }
    pn_free(h[0]);
    pn_free(h[1]);
    pn_free(expected);
    return worst;
}

static pn_vec3 direction_of(const pn_hrtf *hrtf, int node) {
    pn_vec3 p = pn_hrtf_positions(hrtf)[node];
    return pn_vec_scale(p, 1 / pn_vec_length(p));
}

static double worst_at_nodes(const pn_hrtf *hrtf, double offset) {
    double worst = -400;
    for (int i = 0; i < pn_hrtf_get_info(hrtf)->measured; ++i)
        worst = fmax(worst, error_at(hrtf, direction_of(hrtf, i), offset));
    return worst;
}

static void test_measured_directions_are_exact(void **state) {
    (void)state;
    pn_measured set = make_set(200);
    pn_hrtf *hrtf = finish(&set, 0, NULL);
    assert_below(worst_at_nodes(hrtf, 0), -70);
    assert_in_range(pn_hrtf_get_info(hrtf)->latency, 0, 64);
    pn_hrtf_free(hrtf);
}

/* Aligned responses are all the same pulse, so that between nodes only the blend of delays and gains errs: the
 * curvature of y within a triangle, 12 (1 - cos(0.1)) samples at most: -30 dB of this pulse. */
static void test_between_directions(void **state) {
    (void)state;
    pn_measured set = make_set(400);
    pn_hrtf *hrtf = finish(&set, 0, NULL);
    for (int i = 0; i < 300; ++i) {
        pn_vec3 d = test_fibonacci(i, 300);
        pn_hrtf_point p;
        pn_hrtf_look_up(hrtf, d, NULL, &p);
        assert_below(fabs((double)(p.delay[1] - p.delay[0]) - 24 * d.y), 0.3);
        assert_below(error_at(hrtf, d, 0), -29);
    }
    pn_hrtf_free(hrtf);
}

static void test_other_rates(void **state) {
    (void)state;
    const double rates[] = {44100, 96000, 48001, 40000};
    for (int i = 0; i < 4; ++i) {
        pn_measured set = make_set(50);
        pn_messages *messages = pn_messages_create(NULL, NULL);
        pn_hrtf *hrtf = finish(&set, rates[i], messages);
        assert_true(pn_hrtf_get_info(hrtf)->rate == rates[i]);
        assert_true(pn_hrtf_get_info(hrtf)->file_rate == RATE);
        assert_int_equal(test_told(messages, "resampled from 48000"), 1);
        /* At 40 kHz the end of the band tapers where the pulse still has -51 dB. */
        assert_below(worst_at_nodes(hrtf, 0), rates[i] < 44100 ? -55 : -60);
        pn_hrtf_free(hrtf);
        pn_messages_free(messages);
    }
}

/* Front: both ears the same pulse; its mean power over 250 Hz .. 8 kHz by its Fourier transform in closed form. */
static void test_level(void **state) {
    (void)state;
    pn_measured set = make_set(200);
    fill(&set, 0, (pn_vec3){1, 0, 0});
    pn_hrtf *hrtf = finish(&set, 0, NULL);
    double sum = 0;
    int count = 0;
    for (double f = 250; f <= 8000; f += 10, ++count) {
        double w = 2 * PN_PI * f / RATE;
        sum += pow(sqrt(4 * PN_PI) * exp(-w * w), 2);
    }
    assert_below(fabs(20 * log10(pn_hrtf_get_info(hrtf)->scale) + 10 * log10(sum / count)), 0.05);
    pn_hrtf_free(hrtf);
}

static pn_hrtf_info info_at(double rate) {
    pn_measured set = make_set(200);
    pn_hrtf *hrtf = finish(&set, rate, NULL);
    pn_hrtf_info info = *pn_hrtf_get_info(hrtf);
    pn_hrtf_free(hrtf);
    return info;
}

/* The same factor for every rate, though the front is between directions. */
static void test_level_is_of_the_file(void **state) {
    (void)state;
    const double rates[] = {8000, 16000, 44100, 96000};
    double scale = info_at(RATE).scale;
    for (int i = 0; i < 4; ++i)
        assert_below(fabs(20 * log10(info_at(rates[i]).scale / scale)), 0.05);
}

static void test_delays_beside_responses(void **state) {
    (void)state;
    pn_measured set = make_set(100);
    for (int i = 0; i < 200; ++i)
        set.delay[i] = 100.25;
    pn_hrtf *hrtf = finish(&set, 0, NULL);
    assert_below(worst_at_nodes(hrtf, 100.25), -70);
    pn_hrtf_free(hrtf);

    set = make_set(100); /* the interaural delay beside the responses instead of inside */
    for (int i = 0; i < 100; ++i) {
        for (int ear = 0; ear < 2; ++ear) {
            double whole = floor(true_delay(set.direction[i], ear) - 15);
            for (int n = 0; n < TAPS; ++n)
                pn_measured_ir(&set, i, ear)[n] =
                    (float)(true_gain(set.direction[i], ear) *
                            pulse(n + whole - true_delay(set.direction[i], ear)));
            set.delay[2 * i + ear] = whole;
        }
    }
    hrtf = finish(&set, 0, NULL);
    assert_below(worst_at_nodes(hrtf, 0), -70);
    pn_hrtf_free(hrtf);

    set = make_set(100);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    for (int i = 0; i < 200; ++i)
        set.delay[i] = -3.5;
    hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "negative"), 1);
    assert_below(worst_at_nodes(hrtf, 0.5), -70); /* delayed by 4 in all */
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

static void test_exchanged_ears(void **state) {
    (void)state;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = make_set(100);
    pn_measured_swap_ears(&set);
    set.receiver_y = 0.09;
    pn_hrtf *hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "ears are exchanged"), 1);
    assert_below(worst_at_nodes(hrtf, 0), -70);
    pn_hrtf_free(hrtf);
    set = make_set(100);
    set.receiver_y = -0.09;
    hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "the responses are believed"), 1);
    assert_below(worst_at_nodes(hrtf, 0), -70);
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

static void test_repairs(void **state) {
    (void)state;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = make_set(100);
    set.direction[40] = set.direction[3];                            /* twice the same direction */
    memset(pn_measured_ir(&set, 7, 0), 0, 2 * TAPS * sizeof(float)); /* silent */
    set.distance[9] = 0;                                             /* no distance */
    for (int i = 50; i < 60; ++i)
        set.distance[i] = 0.25; /* another shell */
    pn_hrtf *hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "repeat a direction"), 1);
    assert_int_equal(test_told(messages, "1 of 100 directions are silent"), 1);
    assert_int_equal(test_told(messages, "distance of 0"), 1);
    assert_int_equal(test_told(messages, "several distances"), 1);
    assert_int_equal(pn_hrtf_get_info(hrtf)->measured, 100 - 2 - 10);
    assert_below(fabs(pn_hrtf_get_info(hrtf)->distance - 1.2), 1e-9);
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

/* A few broken measurements are left out, each reason said; the others are as if they had never been there. */
static void test_broken_measurements(void **state) {
    (void)state;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = make_set(100);
    pn_measured_ir(&set, 5, 0)[3] = NAN;
    pn_measured_ir(&set, 6, 1)[0] = 1e30f;
    set.direction[7].x = NAN;
    set.delay[2 * 8 + 1] = -1e9;
    set.distance[9] = 1e6; /* only its distance is nonsense */
    pn_hrtf *hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "4 of 100 measurements cannot be used"), 1);
    assert_int_equal(test_told(messages, "measurement 5: sample 3 of its left ear"), 1);
    assert_int_equal(test_told(messages, "a distance such as 1e+06 m"), 1);
    assert_int_equal(pn_hrtf_get_info(hrtf)->measured, 96);
    assert_below(worst_at_nodes(hrtf, 0), -70);
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

static void test_long_responses_are_cut(void **state) {
    (void)state;
    pn_measured set;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_ok(pn_measured_create(&set, 4, 20000, RATE, &err), &err);
    for (int i = 0; i < 4; ++i) {
        set.direction[i] = pn_vec_from_polar(i * PN_PI / 2, 0, 1);
        set.distance[i] = 2;
        for (int ear = 0; ear < 2; ++ear)
            test_fill_noise(pn_measured_ir(&set, i, ear), 20000, (uint64_t)(2 * i + ear), 0.1);
    }
    pn_hrtf *hrtf = finish(&set, 0, messages);
    assert_int_equal(test_told(messages, "cut to"), 1);
    assert_int_equal(test_told(messages, "elevation is ignored"), 1);
    assert_true(pn_hrtf_get_info(hrtf)->horizontal_only);
    assert_in_range(pn_hrtf_get_info(hrtf)->taps, 8000, 8500);
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

static void test_few_directions(void **state) {
    (void)state;
    for (int count = 1; count <= 5; ++count) {
        pn_messages *messages = pn_messages_create(NULL, NULL);
        pn_measured set = make_set(count);
        for (int i = 0; i < count; ++i)
            fill(&set, i, pn_vec_from_polar(2 * PN_PI * i / count, 0, 1));
        pn_hrtf *hrtf = finish(&set, 0, messages);
        assert_below(worst_at_nodes(hrtf, 0), -60);
        assert_int_equal(test_told(messages, count == 1 ? "one direction only" : "in one plane"), 1);
        pn_vec3 up = pn_vec_from_polar(0, 1.2, 1), behind = {-1, 0.1, 0};
        pn_hrtf_point p;
        pn_hrtf_look_up(hrtf, up, NULL, &p); /* over the front: as the front */
        assert_true(p.weight[0] + p.weight[1] + p.weight[2] == 1);
        assert_below(fabs((double)(p.delay[1] - p.delay[0])), 0.05);
        pn_hrtf_look_up(hrtf, behind, NULL, &p);
        pn_hrtf_free(hrtf);
        pn_messages_free(messages);
    }
}

static void test_half_sphere(void **state) {
    (void)state;
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = make_set(200);
    for (int i = 0; i < 200; ++i) {
        pn_vec3 d = test_fibonacci(i, 400); /* z > 0 */
        fill(&set, i, d);
    }
    pn_hrtf *hrtf = finish(&set, 0, messages);
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    assert_int_equal(test_told(messages, "leave a gap"), 1);
    assert_true(info->directions > info->measured);
    assert_below(worst_at_nodes(hrtf, 0), -60);
    pn_hrtf_point p; /* below: the mean of the rim, as strong as the rim and in the middle */
    pn_hrtf_look_up(hrtf, (pn_vec3){0, 0, -1}, NULL, &p);
    assert_below(fabs((double)(p.delay[1] - p.delay[0])), 0.5);
    float h[2][500];
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(hrtf, (pn_vec3){0, 0, -1}, h[0], h[1], &err), &err);
    double energy = 0, front = 0;
    for (int n = 0; n < info->taps; ++n)
        energy += (double)h[0][n] * (double)h[0][n];
    for (int n = 0; n < TAPS; ++n)
        front += pow(info->scale * pulse(n - 30), 2);
    assert_below(fabs(10 * log10(energy / front)), 2); /* the rim itself: -6 to +3.5 dB */
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

static void refused(pn_measured *set, const char *part) {
    pn_hrtf *hrtf = (pn_hrtf *)1;
    pinna_error err = {0};
    assert_int_equal(pn_hrtf_from_measured(set, "test.sofa", 0, NULL, NULL, &hrtf, &err), PINNA_BAD_FILE);
    assert_null(hrtf);
    assert_non_null(strstr(err.text, "test.sofa"));
    if (strstr(err.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, part);
}

static void test_refusals(void **state) {
    (void)state;
    pinna_error err;
    pn_measured set;
    assert_ok(pn_measured_create(&set, 0, 10, RATE, &err), &err);
    refused(&set, "M = 0");
    assert_ok(pn_measured_create(&set, 10, 0, RATE, &err), &err);
    refused(&set, "N = 0");
    const double rates[] = {0, 1, 4.9e9, -48000, NAN, INFINITY};
    for (int i = 0; i < 6; ++i) {
        set = make_set(20);
        set.rate = rates[i];
        refused(&set, "sampling rate");
    }
    set = make_set(20);
    for (int i = 4; i < 10; ++i)
        pn_measured_ir(&set, i, 1)[17] = NAN;
    refused(&set, "6 of 20 measurements cannot be used; measurement 4: sample 17 of its right ear");
    set = make_set(20);
    for (int i = 3; i < 20; ++i)
        set.direction[i].z = INFINITY;
    refused(&set, "measurement 3: its position");
    set = make_set(20);
    for (int i = 0; i < 20; ++i)
        set.delay[2 * i + 1] = 1e6;
    refused(&set, "Data.Delay");
    set = make_set(20);
    memset(set.ir, 0, 20 * 2 * TAPS * sizeof(float));
    refused(&set, "silent");
    assert_int_equal(pn_measured_create(&set, 2000000000, 2000000000, RATE, &err), PINNA_NO_MEMORY);
}

static void test_memory_failures(void **state) {
    (void)state;
    pinna_status status = PINNA_NO_MEMORY;
    const pn_hrtf_options options = {
        .grid = 40, .equalise_given = true, .equalise_low = true, .equalise_diffuse = true};
    int k = 0;
    for (; status != PINNA_OK && k < 600; ++k) {
        pn_measured set = make_set(30);
        pn_hrtf *hrtf = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(k + 1);
        status = pn_hrtf_from_measured(&set, "test", 44100, &options, NULL, &hrtf, &err);
        pn_memory_fail_at(0);
        assert_true((hrtf != NULL) == (status == PINNA_OK));
        assert_true(status == PINNA_OK || err.text[0] != '\0');
        pn_hrtf_free(hrtf);
    }
    assert_in_range(k, 60, 599);
}

/* Looking up is block path: it must not allocate. */
static void test_look_up_does_not_allocate(void **state) {
    (void)state;
    pn_measured set = make_set(100);
    pn_hrtf *hrtf = finish(&set, 0, NULL);
    long before = pn_memory_count();
    pn_hrtf_hint hint = {{-1, -1}};
    pn_hrtf_point p;
    for (int i = 0; i < 1000; ++i)
        pn_hrtf_look_up(hrtf, test_fibonacci(i, 1000), &hint, &p);
    assert_int_equal(pn_memory_count(), before);
    pn_hrtf_free(hrtf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measured_directions_are_exact),
        cmocka_unit_test(test_between_directions),
        cmocka_unit_test(test_other_rates),
        cmocka_unit_test(test_level),
        cmocka_unit_test(test_level_is_of_the_file),
        cmocka_unit_test(test_delays_beside_responses),
        cmocka_unit_test(test_exchanged_ears),
        cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_broken_measurements),
        cmocka_unit_test(test_long_responses_are_cut),
        cmocka_unit_test(test_few_directions),
        cmocka_unit_test(test_half_sphere),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_memory_failures),
        cmocka_unit_test(test_look_up_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
