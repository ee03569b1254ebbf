// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_EAR_METRICS_H
#define PN_TESTS_EAR_METRICS_H

#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "signal/fft.h"
#include "support.h"

/* The metrics of hearing for a pair of responses: log-spectral distance on a 1/3-ERB grid, ITD of the 1.5 kHz low-passed
 * ears, ILD. */

enum { SIZE = 4096, FINE = 4 * SIZE, MOST_BANDS = 128 };

typedef struct {
    double band_db[2][MOST_BANDS];
    int bands;
    double itd_us, ild_db;
} features;

typedef struct {
    pn_fft *fft, *fine;
    double rate, top;
    pn_complex work[FINE];
    pn_complex spectrum[2][SIZE];
} analyser;

static inline void transform(analyser *a, const float *ear[2], int length) {
    for (int e = 0; e < 2; ++e) {
        memset(a->spectrum[e], 0, sizeof a->spectrum[e]);
        for (int n = 0; n < length && n < SIZE; ++n)
            a->spectrum[e][n].re = (double)ear[e][n];
        pn_fft_forward(a->fft, a->spectrum[e]);
    }
}

static inline double power(pn_complex z) {
    return z.re * z.re + z.im * z.im;
}

/* Triangles of a third of an ERB at steps of a third of an ERB (Glasberg and Moore 1990). */
static inline void measure_bands(const analyser *a, features *f) {
    double step = 1 / 3.0, from = 21.4 * log10(1 + 0.00437 * 200), ild = 0;
    int above = 0;
    f->bands = 0;
    for (double e = from; f->bands < MOST_BANDS; e += step) {
        double centre = (pow(10, e / 21.4) - 1) / 0.00437, width = 24.7 * (4.37e-3 * centre + 1) / 3;
        if (centre > a->top)
            break;
        for (int ear = 0; ear < 2; ++ear) {
            double sum = 0, weights = 0;
            for (int k = 1; k < SIZE / 2; ++k) {
                double w = 1 - fabs(k * a->rate / SIZE - centre) / width;
                if (w > 0) {
                    sum += w * power(a->spectrum[ear][k]);
                    weights += w;
                }
            }
            if (!(weights > 0)) /* narrower than a bin */
                sum = power(a->spectrum[ear][(int)lrint(centre * SIZE / a->rate)]), weights = 1;
            f->band_db[ear][f->bands] = 10 * log10(sum / weights + 1e-20);
        }
        if (centre >= 1500) {
            ild += f->band_db[0][f->bands] - f->band_db[1][f->bands];
            ++above;
        }
        ++f->bands;
    }
    f->ild_db = above ? ild / above : 0;
}

static inline void measure_itd(analyser *a, features *f) {
    memset(a->work, 0, sizeof a->work);
    double corner = tan(PN_PI * 1500 / a->rate);
    for (int k = 1; k < SIZE / 2; ++k) {
        double gain = 1 / (1 + pow(tan(PN_PI * k / SIZE) / corner, 8)); /* Butterworth of order 4, squared */
        pn_complex l = a->spectrum[0][k], r = a->spectrum[1][k];
        a->work[k] = (pn_complex){gain * gain * (l.re * r.re + l.im * r.im),
                                  gain * gain * (l.re * r.im - l.im * r.re)};
    }
    pn_fft_inverse(a->fine, a->work);
    int most = (int)(1.2e-3 * a->rate * 4), best = 0;
    for (int lag = -most; lag <= most; ++lag) {
        if (a->work[lag & (FINE - 1)].re > a->work[best & (FINE - 1)].re)
            best = lag;
    }
    double x = a->work[(best - 1) & (FINE - 1)].re, y = a->work[best & (FINE - 1)].re;
    double z = a->work[(best + 1) & (FINE - 1)].re;
    f->itd_us = 1e6 * (best + 0.5 * (x - z) / (x - 2 * y + z)) / 4 / a->rate;
}

static inline void measure(analyser *a, const float *left, const float *right, int length, features *f) {
    const float *ear[2] = {left, right};
    transform(a, ear, length);
    measure_bands(a, f);
    measure_itd(a, f);
}

static inline double ear_distance_db(const features *a, const features *b, int ear) {
    double sum = 0;
    for (int i = 0; i < a->bands; ++i)
        sum += pow(a->band_db[ear][i] - b->band_db[ear][i], 2);
    return sqrt(sum / a->bands);
}

static inline double distance_db(const features *a, const features *b) {
    return fmax(ear_distance_db(a, b, 0), ear_distance_db(a, b, 1));
}

static inline void open_analyser(analyser *a, double rate, double top) {
    pinna_error err = {0};
    a->rate = rate;
    a->top = top;
    assert_ok(pn_fft_create(SIZE, &a->fft, &err), &err);
    assert_ok(pn_fft_create(FINE, &a->fine, &err), &err);
}

static inline void close_analyser(analyser *a) {
    pn_fft_free(a->fft);
    pn_fft_free(a->fine);
}

#endif
