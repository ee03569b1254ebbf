// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"
#include "spatial/hrtf.h"
#include "spatial/kriging.h"

/* What is predicted between measured directions, against a head whose every response is known: a rigid sphere.
 *
 * Pressure on a rigid sphere of radius a under a plane wave, re the free field, at an angle t from where the wave comes
 * from (R. O. Duda, W. L. Martens, "Range dependence of the response of a spherical head model", J. Acoust. Soc. Am. 104,
 * 1998, equation 1 for a distant source), time dependence exp(-i w t), u = k a:
 *     p(t) = 1 / u^2 sum over m of (-i)^(m - 1) (2 m + 1) P_m(cos t) / h'_m(u)
 * The ears stand off the axis by 10 degrees backwards and 5 down, so that no plane but the middle one is special. */
enum { TAPS = 192, SIZE = 512, BINS = SIZE / 2 + 1, TERMS = 60 };
#define RATE 48000.0
#define RADIUS 0.0875
#define SOUND 343.0

static double complex derivative[BINS][TERMS]; /* h'_m(u) at every bin; 0 where the term is nothing */

static double frequency(int bin) {
    return RATE * bin / SIZE;
}

static double wave_number(int bin) {
    return 2 * PN_PI * frequency(bin) / SOUND * RADIUS;
}

static int make_derivatives(void **state) {
    (void)state;
    for (int k = 1; k < BINS; ++k) {
        double u = wave_number(k);
        double complex h[TERMS + 1];
        h[0] = -I * cexp(I * u) / u;
        h[1] = h[0] * (1 / u - I);
        for (int m = 1; m < TERMS; ++m)
            h[m + 1] = (2 * m + 1) / u * h[m] - h[m - 1];
        derivative[k][0] = -h[1];
        for (int m = 1; m < TERMS; ++m)
            derivative[k][m] = cabs(h[m]) < 1e12 ? h[m - 1] - (m + 1) / u * h[m] : 0;
    }
    return 0;
}

static double complex pressure(int bin, double cosine) {
    double u = wave_number(bin), low = 0, p = 1;
    double complex sum = 0, turn = I; /* (-i)^(m - 1) */
    for (int m = 0; m < TERMS && derivative[bin][m] != 0; ++m) {
        sum += turn * (2 * m + 1) * p / derivative[bin][m];
        turn *= -I;
        double next = ((2 * m + 1) * cosine * p - m * low) / (m + 1);
        low = p;
        p = next;
    }
    return conj(sum / (u * u)); /* time as exp(+i w t) */
}

/* Nothing above 19 kHz, so that 192 taps and any fraction of a sample are enough. */
static double band(double f) {
    return f < 12000 ? 1 : f > 19000 ? 0 : 0.5 + 0.5 * cos(PN_PI * (f - 12000) / 7000);
}

static pn_vec3 ear_at(int ear) {
    return pn_vec_from_polar(pn_radians(ear ? -100 : 100), pn_radians(-5), 1);
}

static void head(pn_vec3 d, float *left, float *right) {
    static pn_complex z[SIZE];
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
    for (int ear = 0; ear < 2; ++ear) {
        double cosine = pn_vec_dot(d, ear_at(ear));
        z[0] = (pn_complex){1, 0};
        z[SIZE / 2] = (pn_complex){0, 0};
        for (int k = 1; k < SIZE / 2; ++k) {
            double complex h = band(frequency(k)) * pressure(k, cosine) *
                               cexp(-2 * PN_PI * I * k * 40 / SIZE); /* 40 samples */
            z[k] = (pn_complex){creal(h), cimag(h)};
            z[SIZE - k] = (pn_complex){creal(h), -cimag(h)};
        }
        pn_fft_inverse(fft, z);
        for (int n = 0; n < TAPS; ++n)
            (ear ? right : left)[n] = (float)z[n].re;
    }
    pn_fft_free(fft);
}

/* Rings of elevation, `step` degrees apart, down to `lowest`; azimuths as far apart at the horizon. */
static int rings(double lowest, double step, pn_vec3 *to) {
    int count = 0;
    for (double e = 90; e >= lowest - 1e-9; e -= step) {
        int n = (int)lround(360 / step * cos(pn_radians(e)));
        for (int i = 0; i < (n > 0 ? n : 1); ++i)
            to[count++] = pn_vec_from_polar(2 * PN_PI * i / (n > 0 ? n : 1), pn_radians(e), 1);
    }
    return count;
}

static pn_measured measure(const pn_vec3 *direction, int count) {
    pn_measured set;
    pinna_error err = {0};
    assert_ok(pn_measured_create(&set, count, TAPS, RATE, &err), &err);
    for (int i = 0; i < count; ++i) {
        set.direction[i] = direction[i];
        set.distance[i] = 1.5;
        head(direction[i], pn_measured_ir(&set, i, 0), pn_measured_ir(&set, i, 1));
    }
    return set;
}

static pn_hrtf *finish(pn_measured *set, const pn_hrtf_options *options, pn_messages *messages) {
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_hrtf_from_measured(set, "test", 0, options, messages, &hrtf, &err), &err);
    return hrtf;
}

static pn_hrtf *make(const pn_vec3 *direction, int count, int grid) {
    pn_measured set = measure(direction, count);
    const pn_hrtf_options options = {.grid = grid};
    return finish(&set, &options, NULL);
}

/* Energy of the error over that of the response, of both ears. */
static double error_at(const pn_hrtf *hrtf, pn_vec3 d) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    float *h[2] = {pn_alloc_floats((size_t)info->length), pn_alloc_floats((size_t)info->length)},
          truth[2][TAPS];
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(hrtf, d, h[0], h[1], &err), &err);
    head(d, truth[0], truth[1]);
    double wrong = 0, whole = 0;
    for (int ear = 0; ear < 2; ++ear) {
        for (int n = 0; n < TAPS; ++n) {
            int at = n + info->latency;
            double expected = info->scale * (double)truth[ear][n];
            double got = at < info->length ? (double)h[ear][at] : 0;
            wrong += (got - expected) * (got - expected);
            whole += expected * expected;
        }
        pn_free(h[ear]);
    }
    return wrong / whole;
}

static double mean_error_db(const pn_hrtf *hrtf, double lowest_z) {
    enum { PLACES = 150 };
    double sum = 0;
    int count = 0;
    for (int i = 0; i < PLACES; ++i) {
        pn_vec3 d = test_fibonacci(i, PLACES);
        if (d.z < lowest_z)
            continue;
        sum += error_at(hrtf, d);
        ++count;
    }
    return 10 * log10(sum / count);
}

/* Half of 300 directions, at random: predicted well better than by blending the neighbours. */
static void test_better_than_blending(void **state) {
    (void)state;
    enum { COUNT = 150 };
    pn_vec3 direction[COUNT];
    uint64_t noise = 5;
    int count = 0;
    for (int i = 0; i < 300 && count < COUNT; ++i) {
        if (test_noise(&noise) > 0 || 300 - i <= COUNT - count)
            direction[count++] = test_fibonacci(i, 300);
    }
    pn_hrtf *plain = make(direction, count, -1), *dense = make(direction, count, 0);
    double blended = mean_error_db(plain, -1), predicted = mean_error_db(dense, -1);
    print_message("blended %.1f dB, predicted %.1f dB\n", blended, predicted);
    assert_below(predicted, blended - 6);
    assert_below(predicted, -22);
    pn_hrtf_free(plain);
    pn_hrtf_free(dense);
}

/* Measured nodes keep their own responses, to the bit, whatever is predicted around them. */
static void test_measured_nodes_stay(void **state) {
    (void)state;
    pn_vec3 direction[400];
    int count = rings(-45, 15, direction);
    pn_hrtf *plain = make(direction, count, -1), *dense = make(direction, count, 700);
    const pn_hrtf_info *a = pn_hrtf_get_info(plain), *b = pn_hrtf_get_info(dense);
    assert_int_equal(a->measured, count);
    assert_int_equal(b->measured, count);
    assert_int_equal(a->taps, b->taps);
    assert_in_range(b->directions, 500, 1500);
    assert_memory_equal(pn_hrtf_responses(plain), pn_hrtf_responses(dense),
                        2 * (size_t)count * (size_t)a->taps * sizeof(float));
    for (int i = 0; i < count; ++i) {
        pn_hrtf_point p;
        pn_hrtf_look_up(dense, direction[i], NULL, &p);
        float own = 0;
        for (int k = 0; k < 3; ++k)
            own += p.node[k] == i ? p.weight[k] : 0;
        assert_true(own == 1);
        assert_below(10 * log10(error_at(dense, direction[i])), -60);
    }
    pn_hrtf_free(plain);
    pn_hrtf_free(dense);
}

/* Responses that are one tap, as strong as a smooth function and an error of the ring that they were measured on. */
static void choose_stretch(int ring_axis, double *y, double *z) {
    enum { COUNT = 400, SHORT = 64 };
    pn_vec3 direction[COUNT];
    int count = rings(-60, 15, direction);
    float *response = pn_alloc_floats((size_t)count * 2 * SHORT);
    for (int i = 0; i < count; ++i) {
        uint64_t ring = (uint64_t)(1000 + lround(100 * direction[i].z));
        if (ring_axis == 1)
            direction[i] = (pn_vec3){direction[i].x, direction[i].z, -direction[i].y};
        double level = 1 + 0.3 * direction[i].x + 0.1 * direction[i].y, fault = 0.1 * test_noise(&ring);
        for (int ear = 0; ear < 2; ++ear)
            response[(2 * i + ear) * SHORT + 16] = (float)(level + fault);
    }
    const pn_kriging_desc desc = {direction, count, response, SHORT, RATE, RATE / 2, NULL};
    pn_kriging *kriging = NULL;
    pinna_error err = {0};
    assert_ok(pn_kriging_create(&desc, &kriging, &err), &err);
    pn_kriging_stretch(kriging, 0, y, z);
    pn_kriging_free(kriging);
    pn_free(response);
}

static void test_rings_are_found(void **state) {
    (void)state;
    double y, z;
    choose_stretch(2, &y, &z); /* rings about the vertical axis: other rings are far away */
    assert_true(y == 1 && z > 1);
    choose_stretch(1, &y, &z); /* about the axis through the ears */
    assert_true(y > 1 && z == 1);
}

/* Directions of a level of their own, evenly within 1 dB to each side, cannot be told from the others: a direction that is
 * left out is missed by 0.5 dB in the mean, and a little more for what the others err. */
static void test_left_out(void **state) {
    (void)state;
    enum { COUNT = 400, SHORT = 64 };
    pn_vec3 direction[COUNT];
    int count = rings(-60, 15, direction);
    float *response = pn_alloc_floats((size_t)count * 2 * SHORT);
    uint64_t noise = 8;
    for (int i = 0; i < 2 * count; ++i)
        response[i * SHORT + 16] = (float)pow(10, 0.05 * test_noise(&noise));
    const pn_kriging_desc desc = {direction, count, response, SHORT, RATE, RATE / 2, NULL};
    pn_kriging *kriging = NULL;
    pinna_error err = {0};
    assert_ok(pn_kriging_create(&desc, &kriging, &err), &err);
    double error = pn_kriging_error_db(kriging);
    assert_below(0.4, error);
    assert_below(error, 0.9);
    pn_kriging_free(kriging);
    pn_free(response);
}

static double level_db(const pn_hrtf *hrtf, pn_vec3 d) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    float *h[2] = {pn_alloc_floats((size_t)info->length), pn_alloc_floats((size_t)info->length)};
    pinna_error err = {0};
    double energy = 0;
    assert_ok(pn_hrtf_response(hrtf, d, h[0], h[1], &err), &err);
    for (int ear = 0; ear < 2; ++ear) {
        for (int n = 0; n < info->length; ++n)
            energy += (double)h[ear][n] * (double)h[ear][n];
        pn_free(h[ear]);
    }
    return 10 * log10(energy);
}

/* Nothing below -30 degrees: no louder than anything measured, not much softer either, and no jumps on the way down. */
static void test_holes(void **state) {
    (void)state;
    static pn_vec3 direction[1000];
    int count = rings(-30, 7.5, direction); /* more on the lowest ring than kriging looks at */
    pn_hrtf *hrtf = make(direction, count, 1500);
    double most = -400, least = 400;
    for (int i = 0; i < count; ++i) {
        double level = level_db(hrtf, direction[i]);
        most = fmax(most, level);
        least = fmin(least, level);
    }
    for (int a = 0; a < 6; ++a) {
        double before = NAN;
        for (double e = -30; e >= -90; e -= 0.5) {
            double level = level_db(hrtf, pn_vec_from_polar(a, pn_radians(e), 1));
            assert_below(level, most + 0.5);
            assert_below(least - 3, level);
            if (!isnan(before))
                assert_below(fabs(level - before), 0.4);
            before = level;
        }
    }
    pn_hrtf_free(hrtf);
}

/* Every direction measured with a level of its own, 2 dB more or less: the hole gets the mean, and does not waver with the
 * choice of neighbours. */
static void test_holes_of_rough_sets(void **state) {
    (void)state;
    static pn_vec3 direction[1000];
    int count = rings(-30, 7.5, direction);
    pn_measured set = measure(direction, count);
    uint64_t noise = 3;
    for (int i = 0; i < count; ++i) {
        float gain = (float)pow(10, 0.1 * test_noise(&noise));
        for (int n = 0; n < 2 * TAPS; ++n)
            pn_measured_ir(&set, i, 0)[n] *= gain;
    }
    const pn_hrtf_options options = {.grid = 1500};
    pn_hrtf *hrtf = finish(&set, &options, NULL), *smooth = make(direction, count, 1500);
    for (int a = 0; a < 6; ++a) {
        double before = NAN;
        for (double e = -60; e >= -90; e -= 0.5) {
            pn_vec3 d = pn_vec_from_polar(a, pn_radians(e), 1);
            double off = level_db(hrtf, d) - level_db(smooth, d);
            assert_below(fabs(off), 1);
            if (!isnan(before))
                assert_below(fabs(off - before), 0.1);
            before = off;
        }
    }
    pn_hrtf_free(hrtf);
    pn_hrtf_free(smooth);
}

/* ---- shells */

/* Two distances of one head: the near one 8 dB louder in the file, later by 70.5 samples, and with 1.5 times the
 * difference between the ears. */
static pn_measured two_shells(const pn_vec3 *direction, int count) {
    pn_measured set;
    pinna_error err = {0};
    assert_ok(pn_measured_create(&set, 2 * count, TAPS, RATE, &err), &err);
    for (int i = 0; i < 2 * count; ++i) {
        pn_vec3 d = direction[i / 2];
        bool near = i % 2 == 0;
        set.direction[i] = d;
        set.distance[i] = near ? 0.25 : 1;
        for (int ear = 0; ear < 2; ++ear) {
            double gain = 1 + (ear ? -1 : 1) * (near ? 0.6 : 0.4) * d.y, at = 40 + (ear ? 12 : -12) * d.y;
            for (int n = 0; n < TAPS; ++n)
                pn_measured_ir(&set, i, ear)[n] = (float)((near ? 2.5 : 1) * gain * exp(-pow(n - at, 2) / 4));
            set.delay[2 * i + ear] = near ? 70.5 : 0;
        }
    }
    return set;
}

static double peak_of(const pn_hrtf *hrtf, pn_vec3 place, int ear, double *when) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    float *h[2] = {pn_alloc_floats((size_t)info->length), pn_alloc_floats((size_t)info->length)};
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(hrtf, place, h[0], h[1], &err), &err);
    double sum = 0, moment = 0;
    for (int n = 0; n < info->length; ++n) {
        sum += (double)h[ear][n];
        moment += n * (double)h[ear][n];
    }
    *when = moment / sum - info->latency;
    pn_free(h[0]);
    pn_free(h[1]);
    return sum / info->scale / sqrt(4 * PN_PI);
}

static void test_shells(void **state) {
    (void)state;
    pn_vec3 direction[200];
    for (int i = 0; i < 200; ++i)
        direction[i] = test_fibonacci(i, 200);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = two_shells(direction, 200);
    const pn_hrtf_options options = {.grid = 500};
    pn_hrtf *hrtf = finish(&set, &options, messages);
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    assert_int_equal(info->shells, 2);
    assert_int_equal(info->measured, 400);
    assert_true(fabs(info->radius[0] - 0.25) < 1e-9 && fabs(info->radius[1] - 1) < 1e-9);
    assert_non_null(strstr(pn_messages_get(messages, 0, NULL), "0.25 and 1 m"));
    /* Both shells are 0 dB in front; what a source's distance does is not theirs to say. */
    static const struct {
        double distance, difference;
    } cases[] = {
        {0.1, 0.6}, {0.25, 0.6}, {0.4, 0.5}, {1, 0.4}, {7, 0.4}}; /* 1 / 0.4 is half way from 4 to 1 */
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        for (int i = 0; i < 200; i += 23) {
            pn_vec3 d = direction[i];
            for (int ear = 0; ear < 2; ++ear) {
                double when, level = peak_of(hrtf, pn_vec_scale(d, cases[c].distance), ear, &when);
                assert_below(fabs(level - (1 + (ear ? -1 : 1) * cases[c].difference * d.y)), 0.02);
                assert_below(fabs(when - (40 + (ear ? 12 : -12) * d.y)), 0.1);
            }
        }
    }
    pn_hrtf_point p; /* both shells, weights of sum 1, used entries first, continuous at the shells */
    pn_hrtf_hint hint = {{-1, -1}};
    for (double r = 0.2; r < 1.2; r += 0.013) {
        pn_hrtf_look_up(hrtf, pn_vec_scale(test_fibonacci(7, 50), r), &hint, &p);
        double sum = 0, inner = 0;
        for (int k = 0; k < PN_HRTF_NODES; ++k) {
            assert_true(p.weight[k] >= 0 && p.node[k] >= 0 && p.node[k] < info->directions);
            sum += (double)p.weight[k];
            inner += p.node[k] < info->first[1] ? (double)p.weight[k] : 0;
        }
        double expected = r <= 0.25 ? 1 : r >= 1 ? 0 : (1 / r - 1) / 3;
        assert_below(fabs(sum - 1), 1e-6);
        assert_below(fabs(inner - expected), 1e-6);
    }
    pn_hrtf_free(hrtf);
    pn_messages_free(messages);
}

/* ---- equalisers */

/* Power mean over the sphere of both ears in a third of an octave, dB. */
static double diffuse_db(const pn_hrtf *hrtf, double f) {
    enum { PLACES = 300, LINES = 9 };
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    float *h[2] = {pn_alloc_floats((size_t)info->length), pn_alloc_floats((size_t)info->length)};
    pinna_error err = {0};
    double sum = 0;
    for (int i = 0; i < PLACES; ++i) {
        assert_ok(pn_hrtf_response(hrtf, test_fibonacci(i, PLACES), h[0], h[1], &err), &err);
        for (int line = 0; line < LINES; ++line) {
            double w = 2 * PN_PI * f * pow(2, (line - 4) / 27.0) / info->rate;
            for (int ear = 0; ear < 2; ++ear) {
                double complex z = 0, turn = cexp(-I * w);
                for (int n = info->length - 1; n >= 0; --n)
                    z = z * turn + (double)h[ear][n];
                sum += creal(z * conj(z)) / (2 * PLACES * LINES);
            }
        }
    }
    pn_free(h[0]);
    pn_free(h[1]);
    return 10 * log10(sum);
}

static double ear_difference_db(const pn_hrtf *hrtf, pn_vec3 d, double f) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    float *h[2] = {pn_alloc_floats((size_t)info->length), pn_alloc_floats((size_t)info->length)};
    pinna_error err = {0};
    double power[2];
    assert_ok(pn_hrtf_response(hrtf, d, h[0], h[1], &err), &err);
    for (int ear = 0; ear < 2; ++ear) {
        double complex z = 0, turn = cexp(-2 * PN_PI * I * f / info->rate);
        for (int n = info->length - 1; n >= 0; --n)
            z = z * turn + (double)h[ear][n];
        power[ear] = creal(z * conj(z));
        pn_free(h[ear]);
    }
    return 10 * log10(power[0] / power[1]);
}

/* A first-order high-pass and a resonance colour all responses alike. */
static void colour(pn_measured *set, double corner) {
    double w = tan(PN_PI * corner / RATE), b = 1 / (1 + w), a = (w - 1) / (w + 1);
    for (int r = 0; r < 2 * set->directions; ++r) {
        float *ir = set->ir + (size_t)r * TAPS;
        double x1 = 0, y1 = 0;
        for (int n = 0; n < TAPS; ++n) {
            double x = (double)ir[n], y = b * (x - x1) - a * y1;
            x1 = x;
            y1 = y;
            ir[n] = (float)(y + (n >= 12 ? 0.5 * (double)ir[n - 12] : 0));
        }
    }
}

static void test_diffuse(void **state) {
    (void)state;
    pn_vec3 direction[400];
    int count = rings(-90, 15, direction);
    pn_measured set = measure(direction, count), same = measure(direction, count);
    colour(&set, 500);
    colour(&same, 500);
    const pn_hrtf_options flat = {.grid = 500, .equalise_given = true, .equalise_diffuse = true},
                          plain = {.grid = 500};
    pn_hrtf *equalised = finish(&set, &flat, NULL), *measured = finish(&same, &plain, NULL);
    assert_true(pn_hrtf_get_info(equalised)->equalised_diffuse);
    double least = 400, most = -400, before_least = 400, before_most = -400;
    for (double f = 200; f < 16500; f *= pow(2, 1 / 3.0)) {
        double db = diffuse_db(equalised, f), before = diffuse_db(measured, f);
        least = fmin(least, db);
        most = fmax(most, db);
        before_least = fmin(before_least, before);
        before_most = fmax(before_most, before);
    }
    print_message("%.2f dB before, %.2f dB after\n", before_most - before_least, most - least);
    assert_true(before_most - before_least > 5);
    assert_below(most - least, 1); /* within 0.5 dB of flat */
    for (int i = 0; i < count; i += 11) {
        for (double f = 300; f < 14000; f *= 1.7)
            assert_below(fabs(ear_difference_db(equalised, direction[i], f) -
                              ear_difference_db(measured, direction[i], f)),
                         0.1);
    }
    pn_hrtf_free(equalised);
    pn_hrtf_free(measured);
}

static void test_low(void **state) {
    (void)state;
    pn_vec3 direction[400];
    int count = rings(-45, 15, direction);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_measured set = measure(direction, count), same = measure(direction, count),
                full = measure(direction, count);
    colour(&set, 120);
    colour(&same, 120);
    const pn_hrtf_options low = {.grid = -1, .equalise_given = true, .equalise_low = true},
                          plain = {.grid = -1};
    pn_hrtf *equalised = finish(&set, &low, messages), *measured = finish(&same, &plain, NULL);
    const pn_hrtf_info *info = pn_hrtf_get_info(equalised);
    assert_int_equal(info->sections, 2);
    assert_true(info->length > info->taps + info->max_delay);
    double reference = diffuse_db(measured, 350);
    for (double f = 50; f < 330; f *= pow(2, 1 / 3.0)) {
        double lacking = reference - diffuse_db(measured, f), left = reference - diffuse_db(equalised, f);
        assert_below(fabs(left), fmax(1.5, 0.35 * fabs(lacking)));
    }
    for (double f = 400; f < 10000; f *= 1.5) {
        assert_below(fabs(diffuse_db(equalised, f) - diffuse_db(measured, f)), 0.3);
        assert_below(fabs(ear_difference_db(equalised, direction[9], f) -
                          ear_difference_db(measured, direction[9], f)),
                     0.01);
    }
    pn_hrtf_free(equalised);
    equalised = finish(&full, &low, messages); /* the sphere itself lacks nothing */
    assert_int_equal(pn_hrtf_get_info(equalised)->sections, 0);
    pn_hrtf_free(equalised);
    pn_hrtf_free(measured);
    pn_messages_free(messages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_better_than_blending),
        cmocka_unit_test(test_measured_nodes_stay),
        cmocka_unit_test(test_rings_are_found),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_holes_of_rough_sets),
        cmocka_unit_test(test_shells),
        cmocka_unit_test(test_diffuse),
        cmocka_unit_test(test_low),
    };
    return cmocka_run_group_tests(tests, make_derivatives, NULL);
}
