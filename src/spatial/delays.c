// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Delays of measured responses.
 *
 * A response is its minimum phase, delayed, and a little excess phase. So its delay is where the correlation with its
 * own minimum phase (from the cepstrum of its magnitude: A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal
 * Processing", homomorphic processing) is highest; J. Nam, J. S. Abel, J. O. Smith, "A Method for Estimating
 * Interaural Time Difference for Binaural Synthesis", AES 125 (2008). Single ears, above all the far ear, fail grossly
 * where a later arrival is stronger. Hence:
 *   1. the peak, of all causal lags;
 *   2. a robust fit over the sphere, order 4 (2 below 60 directions, 1 below 16): where the delay must be;
 *   3. the peak within 6 samples (at 48 kHz) of that;
 *   4. the same fit of order sqrt(M / 4), 2 .. 8: the delay used. What it smooths away stays in the response.
 * Below 16 directions the peaks of step 3 themselves are used; below 4, those of step 1.
 *
 * All of it looks at the 512 samples (at 48 kHz) after the set's first onset. The two ears travel through the
 * transforms together, as real and imaginary part. */
#include "spatial/delays.h"

#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"

enum { SIZE_48K = 1024, FEW = 16, TASKS = 16 };

typedef struct {
    const pn_measured *set;
    int size, half, start; /* transform, size / 2, first sample looked at */
    double scale;          /* rate / 48 kHz */
    pn_fft *fft, *fft_twice;
    /* Of one task; the estimator itself has those of all, one behind the other. */
    pn_complex *work;      /* [2 * size] */
    double *log_magnitude; /* [2][half + 1] */
    pn_complex *spectrum;  /* [2][half + 1] */
    float *cross;          /* [direction][ear][half + 1][re, im] */
    float *correlation;    /* [direction][ear][size]: lag n / 2 */
    const double
        *middle; /* [direction][ear] where the best lag is looked for, within `reach`; NULL: everywhere */
    double reach;
    double *lag; /* [direction][ear] the best found */
} estimator;

static int first_onset(const pn_measured *set) {
    int first = set->taps;
    for (int i = 0; i < 2 * set->directions; ++i) {
        const float *ir = set->ir + (size_t)i * (size_t)set->taps;
        float peak = 0;
        for (int n = 0; n < set->taps; ++n)
            peak = fmaxf(peak, fabsf(ir[n]));
        for (int n = 0; n < first && peak > 0; ++n) {
            if (fabsf(ir[n]) > 0.1f * peak)
                first = n;
        }
    }
    return first;
}

static void free_estimator(estimator *e) {
    pn_fft_free(e->fft);
    pn_fft_free(e->fft_twice);
    pn_free(e->work);
    pn_free(e->log_magnitude);
    pn_free(e->spectrum);
    pn_free(e->cross);
    pn_free(e->correlation);
}

static pinna_status make_estimator(estimator *e, const pn_measured *set, pinna_error *err) {
    e->set = set;
    e->scale = set->rate / 48000;
    e->size = 64;
    while (e->size < SIZE_48K * e->scale * 0.99)
        e->size *= 2;
    e->half = e->size / 2;
    e->start = first_onset(set) - e->size / 32;
    e->start = e->start > 0 ? e->start : 0;
    pinna_status status = pn_fft_create(e->size, &e->fft, err);
    if (status == PINNA_OK)
        status = pn_fft_create(2 * e->size, &e->fft_twice, err);
    if (status != PINNA_OK)
        return status;
    size_t ears = 2 * (size_t)set->directions, bins = (size_t)e->half + 1;
    e->work = pn_alloc(TASKS * 2 * (size_t)e->size, sizeof *e->work);
    e->log_magnitude = pn_alloc(TASKS * 2 * bins, sizeof *e->log_magnitude);
    e->spectrum = pn_alloc(TASKS * 2 * bins, sizeof *e->spectrum);
    e->cross = pn_alloc_floats(ears * bins * 2);
    e->correlation = pn_alloc_floats(ears * (size_t)e->size);
    if (!e->work || !e->log_magnitude || !e->spectrum || !e->cross || !e->correlation)
        return pn_fail_memory(err, "estimating the delays of the HRTF set", (double)(ears * bins) * 16);
    return PINNA_OK;
}

/* Of two real signals transformed as re + i im: the spectrum of each at bin k. */
static void separate(const pn_complex *z, int size, int k, pn_complex *a, pn_complex *b) {
    pn_complex p = z[k], q = z[(size - k) & (size - 1)];
    *a = (pn_complex){(p.re + q.re) / 2, (p.im - q.im) / 2};
    *b = (pn_complex){(p.im + q.im) / 2, (q.re - p.re) / 2};
}

static void transform_pair(estimator *e, int direction) {
    const float *left = pn_measured_ir(e->set, direction, 0), *right = pn_measured_ir(e->set, direction, 1);
    int count = e->set->taps - e->start < e->half ? e->set->taps - e->start : e->half, fade = e->size / 32;
    memset(e->work, 0, (size_t)e->size * sizeof *e->work);
    for (int n = 0; n < count; ++n) {
        double gain = n < e->half - fade ? 1 : 0.5 + 0.5 * cos(PN_PI * (n - (e->half - fade)) / fade);
        e->work[n] = (pn_complex){gain * (double)left[e->start + n], gain * (double)right[e->start + n]};
    }
    pn_fft_forward(e->fft, e->work);
    for (int k = 0; k <= e->half; ++k)
        separate(e->work, e->size, k, &e->spectrum[k], &e->spectrum[e->half + 1 + k]);
}

static void take_logarithms(estimator *e) {
    for (int ear = 0; ear < 2; ++ear) {
        const pn_complex *h = e->spectrum + ear * (e->half + 1);
        double *log_magnitude = e->log_magnitude + ear * (e->half + 1), most = 0;
        for (int k = 0; k <= e->half; ++k) {
            log_magnitude[k] = h[k].re * h[k].re + h[k].im * h[k].im;
            most = fmax(most, log_magnitude[k]);
        }
        double floor = fmax(1e-12 * most, 1e-60);
        for (int k = 0; k <= e->half; ++k)
            log_magnitude[k] = 0.5 * log(fmax(log_magnitude[k], floor));
    }
}

/* Leaves in work the spectra of the two folded cepstra: log |H| + i (phase of the minimum phase). */
static void find_minimum_phase(estimator *e) {
    take_logarithms(e);
    for (int k = 0; k < e->size; ++k) {
        int bin = k <= e->half ? k : e->size - k;
        e->work[k] = (pn_complex){e->log_magnitude[bin], e->log_magnitude[e->half + 1 + bin]};
    }
    pn_fft_inverse(e->fft, e->work);
    for (int n = 1; n < e->half; ++n) {
        e->work[n] = (pn_complex){2 * e->work[n].re, 2 * e->work[n].im};
        e->work[n + e->half] = (pn_complex){0, 0};
    }
    pn_fft_forward(e->fft, e->work);
}

static void find_cross_spectrum(estimator *e, int direction) {
    size_t bins = (size_t)e->half + 1;
    float *left = e->cross + (size_t)direction * bins * 4, *right = left + bins * 2;
    for (int k = 0; k <= e->half; ++k) {
        pn_complex phase[2];
        separate(e->work, e->size, k, &phase[0], &phase[1]);
        for (int ear = 0; ear < 2; ++ear) {
            pn_complex h = e->spectrum[(size_t)ear * bins + (size_t)k];
            double c = cos(phase[ear].im), s = sin(phase[ear].im),
                   magnitude = sqrt(h.re * h.re + h.im * h.im);
            float *to = (ear ? right : left) + 2 * k;
            to[0] = (float)((h.re * c + h.im * s) * magnitude);
            to[1] = (float)((h.im * c - h.re * s) * magnitude);
        }
    }
}

static void correlate(estimator *e, int direction) {
    size_t bins = (size_t)e->half + 1;
    const float *left = e->cross + (size_t)direction * bins * 4, *right = left + bins * 2;
    memset(e->work, 0, 2 * (size_t)e->size * sizeof *e->work);
    for (int k = 0; k <= e->half; ++k) {
        double lr = (double)left[2 * k], li = (double)left[2 * k + 1];
        double rr = (double)right[2 * k], ri = (double)right[2 * k + 1];
        e->work[k] = (pn_complex){lr - ri, li + rr};
        if (k > 0)
            e->work[2 * e->size - k] = (pn_complex){lr + ri, rr - li};
    }
    pn_fft_inverse(e->fft_twice, e->work);
    float *to = e->correlation + (size_t)direction * 2 * (size_t)e->size;
    for (int n = 0; n < e->size; ++n) {
        to[n] = (float)e->work[n].re;
        to[n + e->size] = (float)e->work[n].im;
    }
}

/* Newton's method on the correlation itself, a sum of cosines, from the best of a grid of half samples. */
static double refine(const estimator *e, int response, double lag) {
    const float *c = e->cross + (size_t)response * ((size_t)e->half + 1) * 2;
    double begin = lag;
    for (int pass = 0; pass < 4; ++pass) {
        double step = 2 * PN_PI / e->size, slope = 0, curve = 0;
        pn_complex turn = {cos(step * lag), sin(step * lag)}, at = turn;
        for (int k = 1; k <= e->half; ++k) {
            double re = (double)c[2 * k], im = (double)c[2 * k + 1], w = step * k;
            slope -= w * (re * at.im + im * at.re);
            curve -= w * w * (re * at.re - im * at.im);
            at = (pn_complex){at.re * turn.re - at.im * turn.im, at.re * turn.im + at.im * turn.re};
        }
        if (!(curve < 0))
            break;
        lag = fmin(begin + 0.5, fmax(begin - 0.5, lag - slope / curve));
    }
    return lag;
}

/* The best lag between two, in samples of the set's time (delay included). */
static double best_lag(const estimator *e, int response, double from, double to) {
    double offset = e->start + e->set->delay[response];
    int first = (int)fmax(0, ceil(2 * (from - offset))),
        last = (int)fmin(e->size - 1, floor(2 * (to - offset)));
    const float *c = e->correlation + (size_t)response * (size_t)e->size;
    int best = -1;
    for (int n = first; n <= last; ++n) {
        if (best < 0 || c[n] > c[best])
            best = n;
    }
    if (best < 0)
        return (from + to) / 2;
    return refine(e, response, best / 2.0) + offset;
}

static void correlate_some(void *context, int task) {
    estimator part = *(const estimator *)context;
    size_t bins = (size_t)part.half + 1;
    part.work += (size_t)task * 2 * (size_t)part.size;
    part.log_magnitude += (size_t)task * 2 * bins;
    part.spectrum += (size_t)task * 2 * bins;
    for (int i = task; i < part.set->directions; i += TASKS) {
        transform_pair(&part, i);
        find_minimum_phase(&part);
        find_cross_spectrum(&part, i);
        correlate(&part, i);
    }
}

static void search_some(void *context, int task) {
    const estimator *e = context;
    for (int i = task; i < 2 * e->set->directions; i += TASKS)
        e->lag[i] = e->middle == NULL ? best_lag(e, i, -1e9, 1e9)
                                      : best_lag(e, i, e->middle[i] - e->reach, e->middle[i] + e->reach);
}

static pinna_status smooth(const estimator *e, int order, const double *value, double *fitted,
                           pn_delay_model *model, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int ear = 0; ear < 2 && status == PINNA_OK; ++ear)
        status = pn_delays_fit(e->set->direction, e->set->directions, order, 0.2 * e->scale, value + ear,
                               fitted + ear, 2, model == NULL ? NULL : model->coefficient[ear], err);
    if (model != NULL)
        model->order = order;
    return status;
}

static pinna_status estimate(estimator *e, pn_pool *pool, double *tau, double *fitted, pn_delay_model *model,
                             pinna_error *err) {
    int count = e->set->directions;
    e->lag = tau;
    pn_pool_run(pool, correlate_some, e, TASKS);
    pn_pool_run(pool, search_some, e, TASKS);
    if (count < 4)
        return PINNA_OK;
    pinna_status status = smooth(e, count >= 60 ? 4 : count >= FEW ? 2 : 1, tau, fitted, NULL, err);
    if (status != PINNA_OK)
        return status;
    e->middle = fitted;
    e->reach = 6 * e->scale;
    pn_pool_run(pool, search_some, e, TASKS);
    if (count < FEW)
        return PINNA_OK;
    int order = (int)sqrt(count / 4.0);
    order = order < 2 ? 2 : order > PN_HARMONICS_MOST ? PN_HARMONICS_MOST : order;
    status = smooth(e, order, tau, fitted, model, err);
    memcpy(tau, fitted, 2 * (size_t)count * sizeof *tau);
    return status;
}

pinna_status pn_delays_estimate(const pn_measured *set, pn_pool *pool, double *tau, pn_delay_model *model,
                                pinna_error *err) {
    model->order = -1;
    estimator e = {0};
    double *fitted = pn_alloc(2 * (size_t)set->directions, sizeof *fitted);
    pinna_status status = fitted == NULL
                              ? pn_fail_memory(err, "the delays of the HRTF set", set->directions * 16.0)
                              : make_estimator(&e, set, err);
    if (status == PINNA_OK)
        status = estimate(&e, pool, tau, fitted, model, err);
    free_estimator(&e);
    pn_free(fitted);
    return status;
}
