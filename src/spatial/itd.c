// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* The lag of the highest interaural cross-correlation of the ears below 1.5 kHz, each through a Butterworth low-pass of
 * order 4 run forwards and backwards, which is |B|^2 in the spectrum and has no phase:
 *     c(t) = Re sum over k of |B(k)|^4 conj(L(k)) R(k) exp(2 pi i f(k) t)
 * B. F. G. Katz, M. Noisternig, "A comparative study of interaural time delay estimation methods", J. Acoust. Soc. Am.
 * 135 (2014), method MaxIACC with a low-pass; the corner is where hearing ceases to follow the fine structure.
 *
 * The sum has few terms: above four times the corner they are below 1e-9. It is evaluated at lags 20 us apart, where c
 * cannot have a second peak, and Newton's method goes on from the highest. */
#include "spatial/itd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "signal/fft.h"

#define CORNER 1500.0
#define LONGEST 1.2e-3
#define STEP 20e-6

struct pn_itd {
    int taps, size, bins; /* 1 .. bins - 1 are summed */
    double rate;
    pn_fft *fft;
    pn_complex *work;  /* [size] */
    pn_complex *cross; /* [bins] */
    double *weight;    /* [bins] */
};

pinna_status pn_itd_create(int taps, double rate, pn_itd **out, pinna_error *err) {
    *out = NULL;
    pn_itd *itd = pn_alloc(1, sizeof *itd);
    if (itd == NULL)
        return pn_fail_memory(err, "measuring interaural delays", sizeof *itd);
    itd->taps = taps;
    itd->rate = rate;
    itd->size = 256;
    while (itd->size < 2 * taps + rate / 100)
        itd->size *= 2;
    itd->bins = (int)fmin(itd->size / 2, ceil(4 * CORNER * itd->size / rate));
    itd->work = pn_alloc((size_t)itd->size, sizeof *itd->work);
    itd->cross = pn_alloc((size_t)itd->bins, sizeof *itd->cross);
    itd->weight = pn_alloc((size_t)itd->bins, sizeof *itd->weight);
    pinna_status status = pn_fft_create(itd->size, &itd->fft, err);
    if (status == PINNA_OK && (itd->work == NULL || itd->cross == NULL || itd->weight == NULL))
        status = pn_fail_memory(err, "measuring interaural delays", itd->size * 16.0);
    if (status != PINNA_OK) {
        pn_itd_free(itd);
        return status;
    }
    for (int k = 1; k < itd->bins; ++k) {
        double ratio = tan(PN_PI * k / itd->size) / tan(PN_PI * CORNER / rate);
        itd->weight[k] = pow(1 + pow(ratio, 8), -2);
    }
    *out = itd;
    return PINNA_OK;
}

void pn_itd_free(pn_itd *itd) {
    if (itd == NULL)
        return;
    pn_fft_free(itd->fft);
    pn_free(itd->work);
    pn_free(itd->cross);
    pn_free(itd->weight);
    pn_free(itd);
}

int pn_itd_size(const pn_itd *itd) {
    return itd->size;
}

/* c at t seconds, with its first two derivatives. */
static double correlation(const pn_itd *itd, double t, double *slope, double *curve) {
    double step = 2 * PN_PI * itd->rate / itd->size, sum = 0;
    pn_complex turn = {cos(step * t), sin(step * t)}, at = turn;
    *slope = *curve = 0;
    for (int k = 1; k < itd->bins; ++k) {
        pn_complex c = itd->cross[k];
        double w = step * k, re = c.re * at.re - c.im * at.im;
        sum += re;
        *slope -= w * (c.re * at.im + c.im * at.re);
        *curve -= w * w * re;
        at = (pn_complex){at.re * turn.re - at.im * turn.im, at.re * turn.im + at.im * turn.re};
    }
    return sum;
}

/* Whether both ears are heard at all: rounding leaks from one to the other in their common transform. */
static bool cross_spectrum(pn_itd *itd, const float *left, const float *right) {
    pn_complex *z = itd->work;
    double power[2] = {0, 0};
    memset(z, 0, (size_t)itd->size * sizeof *z);
    for (int n = 0; n < itd->taps; ++n)
        z[n] = (pn_complex){(double)left[n], (double)right[n]};
    pn_fft_forward(itd->fft, z);
    for (int k = 1; k < itd->bins; ++k) {
        pn_complex p = z[k], q = z[itd->size - k];
        pn_complex l = {p.re + q.re, p.im - q.im}, r = {p.im + q.im, q.re - p.re};
        power[0] += itd->weight[k] * (l.re * l.re + l.im * l.im);
        power[1] += itd->weight[k] * (r.re * r.re + r.im * r.im);
        itd->cross[k] = (pn_complex){itd->weight[k] * (l.re * r.re + l.im * r.im),
                                     itd->weight[k] * (l.re * r.im - l.im * r.re)};
    }
    return fmin(power[0], power[1]) > 1e-20 * fmax(power[0], power[1]);
}

double pn_itd_measure(pn_itd *itd, const float *left, const float *right, double lag) {
    double best = 0, most = 0, slope, curve, apart = lag / itd->rate;
    int steps = (int)(LONGEST / STEP);
    if (!cross_spectrum(itd, left, right))
        return 0;
    for (int i = -steps; i <= steps; ++i) {
        double c = correlation(itd, i * STEP - apart, &slope, &curve);
        if (c > most) {
            most = c;
            best = i * STEP;
        }
    }
    double t = best;
    for (int pass = 0; pass < 5 && most > 0; ++pass) {
        correlation(itd, t - apart, &slope, &curve);
        if (!(curve < 0))
            break;
        t = fmin(best + STEP, fmax(best - STEP, t - slope / curve));
    }
    return fmin(LONGEST, fmax(-LONGEST, t));
}
