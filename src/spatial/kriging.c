// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Prediction of head-related responses in unmeasured directions.
 *
 * Aligned spectra A vary slowly over the sphere, so that a weighted sum of the nearest measured ones predicts one in
 * between: ordinary kriging (kriging_weights.c). The sum of the complex A is right where phases agree; at high
 * frequencies they do not, and the sum of V = sqrt |A| gives the better magnitude. Measurements are not alike on all
 * sides either: the rings of a turntable differ from each other by how the subject sat, so that neighbours on the same
 * ring should count more. That is a stretch of the coordinates y and z.
 *
 * What is best differs by set, band, ear and region, and the set itself tells, by leaving out measured directions and
 * predicting them (M. Stone, "Cross-validatory choice and assessment of statistical predictions", 1974):
 *   1. Of five stretches the two with the least errors (magnitude over all bands, phase below 6 kHz), with one kernel.
 *   2. With these two and four kernels: e_A and e_V, errors of |sum w A| and (sum w V)^2 in dB on bands of 1/3 ERB
 *      (B. R. Glasberg, B. C. J. Moore, 1990), root mean square over a band; e_P = ||sum w A - A|| / ||A||.
 *   3. At a direction asked for, in every band and ear, the 16 magnitudes are averaged as logarithms with weights
 *      (e / least e)^-8, e being the mean of that region (the 12 nearest tried directions) and that of the whole
 *      set; weights below 0.02 are dropped. The phase is that of the complex sums, weighted alike by e_P of the set
 *      (dropped below 0.05).
 *
 * In a hole of the set (below the lowest ring) neighbours lie to one side and kriging extrapolates, which may amplify
 * and jumps as the neighbours change. There it fades into a plain mean of the hole's rim, which does neither: every
 * measured direction counts by exp(-(a / 25 degrees)^2), a being how much farther it is than the nearest. */
#include "spatial/kriging.h"

#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"
#include "spatial/fast_math.h"
#include "spatial/kriging_weights.h"

enum {
    STRETCHES = 5,
    KEPT = 2,
    SYSTEMS = KEPT * PN_KERNELS,
    BANDS = 11,
    TRIED = 600,
    TRIED_FIRST = 300,
    REGION = 12,
    TASKS = 32,
    BATCH = 512,
    CENTRES = 160
};

static const pn_stretch stretches[STRETCHES] = {{1, 1}, {1, 2}, {1, 4}, {2, 1}, {4, 1}};
static const double band_edge[BANDS + 1] = {0,    500,  1000,  2000,  3000,  4500,
                                            6000, 8000, 10000, 12500, 16000, 1e9};
enum { PHASE_BANDS = 6 }; /* below 6 kHz */

/* The triangular window of one centre frequency on the power spectrum. */
typedef struct {
    int first, count, band;
    float *weight;
} centre;

/* Errors of one system at one tried direction and ear; ERRORS floats. */
typedef struct {
    float complex_db[BANDS], root_db[BANDS], phase[BANDS];
} errors;
enum { ERRORS = 3 * BANDS };

/* Of one task; arrays of bins. */
typedef struct {
    float *re, *im, *root, *log_magnitude, *phase_re, *phase_im; /* [bins] */
    pn_complex *work;                                            /* [size] */
} scratch;

struct pn_kriging {
    pn_kriging_desc desc;
    int size, bins, stride; /* transform, size / 2 + 1, that rounded up */
    pn_fft *fft;
    float *re, *im, *root; /* [direction][ear][stride] */
    float *window;         /* taps x centres, behind centre[].weight */
    centre centre[CENTRES];
    int centres;
    int band_bin[BANDS + 1], bands;
    int *tried; /* [tries] directions left out in turn */
    pn_vec3 *tried_direction;
    int tries;
    pn_stretch stretch[STRETCHES]; /* of the trial that runs; then the two kept */
    int systems, kernels;          /* of that trial: systems = stretches x kernels */
    errors *error;                 /* [system][try][ear] */
    errors mean[SYSTEMS][2];
    double hole_from, hole_to; /* radians to the nearest measured direction */
    scratch scratch[TASKS];
    float *floats;
    /* The prediction in progress. */
    const pn_vec3 *asked;
    float *answer;
    int asked_count;
};

/* ---- making */

static double erb(double f) {
    return 24.7 * (4.37e-3 * f + 1);
}

/* Centres every third of an ERB from 200 Hz, windows a third of an ERB wide at half height. */
static pinna_status make_centres(pn_kriging *k, pinna_error *err) {
    double highest = fmin(16000, 0.93 * fmin(k->desc.top, k->desc.rate / 2));
    k->window = pn_alloc_floats((size_t)CENTRES * (size_t)k->bins);
    if (k->window == NULL)
        return pn_fail_memory(err, "predicting responses", 4.0 * CENTRES * k->bins);
    float *to = k->window;
    while (k->centres < CENTRES) {
        double e = 21.4 * log10(1 + 0.00437 * 200) + k->centres / 3.0;
        double f = (pow(10, e / 21.4) - 1) / 0.00437, width = erb(f) / 3, step = k->desc.rate / k->size;
        if (f > highest)
            break;
        centre *c = &k->centre[k->centres++];
        c->first = (int)ceil((f - width) / step);
        int last = (int)floor((f + width) / step);
        last = last < k->bins - 1 ? last : k->bins - 1;
        if (last < c->first)
            c->first = last = (int)lround(f / step);
        c->weight = to;
        c->count = last - c->first + 1;
        to += c->count;
        double sum = 0;
        for (int i = 0; i < c->count; ++i)
            sum += fmax(1e-6, 1 - fabs((c->first + i) * step - f) / width);
        for (int i = 0; i < c->count; ++i)
            c->weight[i] = (float)(fmax(1e-6, 1 - fabs((c->first + i) * step - f) / width) / sum);
        while (c->band + 1 < BANDS && f >= band_edge[c->band + 1])
            ++c->band;
    }
    return PINNA_OK;
}

static void make_bands(pn_kriging *k) {
    for (int b = 0; b <= BANDS; ++b) {
        double bin = ceil(band_edge[b] * k->size / k->desc.rate);
        k->band_bin[b] = bin < k->bins ? (int)bin : k->bins;
        if (b < BANDS && k->band_bin[b] < k->bins)
            k->bands = b + 1;
    }
}

static void transform(void *context, int task) {
    pn_kriging *k = context;
    pn_complex *z = k->scratch[task].work;
    int taps = k->desc.taps, mask = k->size - 1;
    for (int d = task; d < k->desc.count; d += TASKS) {
        const float *left = k->desc.response + (size_t)d * 2 * (size_t)taps, *right = left + taps;
        memset(z, 0, (size_t)k->size * sizeof *z);
        for (int n = 0; n < taps; ++n)
            z[n] = (pn_complex){(double)left[n], (double)right[n]};
        pn_fft_forward(k->fft, z);
        size_t at = (size_t)d * 2 * (size_t)k->stride, next = at + (size_t)k->stride;
        for (int b = 0; b < k->bins; ++b) {
            pn_complex p = z[b], q = z[(k->size - b) & mask];
            pn_complex ear[2] = {{(p.re + q.re) / 2, (p.im - q.im) / 2},
                                 {(p.im + q.im) / 2, (q.re - p.re) / 2}};
            for (int e = 0; e < 2; ++e) {
                size_t to = (e ? next : at) + (size_t)b;
                k->re[to] = (float)ear[e].re;
                k->im[to] = (float)ear[e].im;
                k->root[to] = (float)sqrt(sqrt(ear[e].re * ear[e].re + ear[e].im * ear[e].im));
            }
        }
    }
}

/* ---- sums over neighbours */

static void add_rows(const float *rows, size_t stride, const pn_nearest *nearest, const float *weight,
                     size_t from, size_t to, float *restrict sum) {
    memset(sum + from, 0, (to - from) * sizeof *sum);
    for (int i = 0; i + 2 <= nearest->count; i += 2) {
        const float *restrict a = rows + (size_t)nearest->index[i] * stride;
        const float *restrict b = rows + (size_t)nearest->index[i + 1] * stride;
        float wa = weight[i], wb = weight[i + 1];
        for (size_t n = from; n < to; ++n)
            sum[n] += wa * a[n] + wb * b[n];
    }
    if (nearest->count % 2 != 0) {
        const float *restrict a = rows + (size_t)nearest->index[nearest->count - 1] * stride;
        float w = weight[nearest->count - 1];
        for (size_t n = from; n < to; ++n)
            sum[n] += w * a[n];
    }
}

static void sum_complex(const pn_kriging *k, int ear, const pn_nearest *nearest, const float *weight,
                        int band, scratch *s) {
    size_t skip = (size_t)ear * (size_t)k->stride, from = (size_t)k->band_bin[band],
           to = (size_t)k->band_bin[band + 1];
    add_rows(k->re + skip, 2 * (size_t)k->stride, nearest, weight, from, to, s->re);
    add_rows(k->im + skip, 2 * (size_t)k->stride, nearest, weight, from, to, s->im);
}

static void sum_roots(const pn_kriging *k, int ear, const pn_nearest *nearest, const float *weight, int band,
                      scratch *s) {
    add_rows(k->root + (size_t)ear * (size_t)k->stride, 2 * (size_t)k->stride, nearest, weight,
             (size_t)k->band_bin[band], (size_t)k->band_bin[band + 1], s->root);
}

/* ---- leaving out */

static errors *error_of(const pn_kriging *k, int system, int t, int ear) {
    return &k->error[((size_t)system * (size_t)k->tries + (size_t)t) * 2 + (size_t)ear];
}

static double smoothed_db(const centre *c, const float *power) {
    double sum = 0;
    for (int i = 0; i < c->count; ++i)
        sum += (double)(c->weight[i] * power[c->first + i]);
    return 10 * log10(sum + 1e-20);
}

static void find_errors(const pn_kriging *k, int direction, int ear, const pn_nearest *nearest,
                        const float *weight, scratch *s, errors *e) {
    size_t own = ((size_t)direction * 2 + (size_t)ear) * (size_t)k->stride;
    const float *re = k->re + own, *im = k->im + own;
    for (int b = 0; b < k->bands; ++b) {
        sum_complex(k, ear, nearest, weight, b, s);
        sum_roots(k, ear, nearest, weight, b, s);
        double wrong = 0, whole = 1e-30;
        for (int n = k->band_bin[b]; n < k->band_bin[b + 1]; ++n) {
            double dr = (double)(s->re[n] - re[n]), di = (double)(s->im[n] - im[n]);
            wrong += dr * dr + di * di;
            whole += (double)(re[n] * re[n] + im[n] * im[n]);
        }
        e->phase[b] = (float)sqrt(wrong / whole);
    }
    float *complex_power = s->phase_re, *root_power = s->phase_im, *power = s->log_magnitude;
    for (int n = 0; n < k->bins; ++n) {
        float v = fmaxf(s->root[n], 1e-3f);
        complex_power[n] = s->re[n] * s->re[n] + s->im[n] * s->im[n];
        root_power[n] = v * v * v * v;
        power[n] = re[n] * re[n] + im[n] * im[n];
    }
    double sum[BANDS][2] = {{0}};
    int count[BANDS] = {0};
    for (int c = 0; c < k->centres; ++c) {
        const centre *at = &k->centre[c];
        double db = smoothed_db(at, power), x = smoothed_db(at, complex_power) - db,
               y = smoothed_db(at, root_power) - db;
        sum[at->band][0] += x * x;
        sum[at->band][1] += y * y;
        ++count[at->band];
    }
    for (int b = 0, last = 0; b < k->bands; ++b) {
        last = count[b] > 0 ? b : last; /* above 16 kHz as just below */
        e->complex_db[b] = count[last] > 0 ? (float)sqrt(sum[last][0] / count[last]) : 1;
        e->root_db[b] = count[last] > 0 ? (float)sqrt(sum[last][1] / count[last]) : 1;
    }
}

static void leave_out(void *context, int task) {
    pn_kriging *k = context;
    float weight[PN_KERNELS][PN_NEIGHBOURS];
    for (int t = task; t < k->tries; t += TASKS) {
        int direction = k->tried[t];
        for (int system = 0; system < k->systems; system += k->kernels) {
            pn_stretch stretch = k->stretch[system / k->kernels];
            pn_nearest nearest;
            pn_find_nearest(k->desc.direction, k->desc.count, k->desc.direction[direction], stretch,
                            direction, PN_NEIGHBOURS, &nearest);
            pn_kriging_weights(k->desc.direction, &nearest, stretch, k->kernels, weight);
            for (int i = 0; i < 2 * k->kernels; ++i)
                find_errors(k, direction, i % 2, &nearest, weight[i / 2], &k->scratch[task],
                            error_of(k, system + i / 2, t, i % 2));
        }
    }
}

static unsigned scramble(unsigned x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

/* All directions in a random order that is always the same; the first `tries` are used. */
static void choose_tried(pn_kriging *k, int most) {
    int count = k->desc.count;
    for (int i = 0; i < count; ++i)
        k->tried[i] = i;
    for (int i = count - 1; i > 0; --i) {
        int j = (int)(scramble((unsigned)i) % (unsigned)(i + 1)), swap = k->tried[i];
        k->tried[i] = k->tried[j];
        k->tried[j] = swap;
    }
    k->tries = count < most ? count : most;
    for (int t = 0; t < k->tries; ++t)
        k->tried_direction[t] = k->desc.direction[k->tried[t]];
}

static void choose_stretches(pn_kriging *k) {
    double magnitude[STRETCHES] = {0}, phase[STRETCHES] = {0}, score[STRETCHES];
    memcpy(k->stretch, stretches, sizeof stretches);
    k->systems = STRETCHES;
    k->kernels = 1;
    choose_tried(k, TRIED_FIRST);
    pn_pool_run(k->desc.pool, leave_out, k, TASKS);
    double least_magnitude = 1e300, least_phase = 1e300;
    int phase_bands = k->bands < PHASE_BANDS ? k->bands : PHASE_BANDS;
    for (int s = 0; s < STRETCHES; ++s) {
        for (int t = 0; t < k->tries; ++t) {
            for (int ear = 0; ear < 2; ++ear) {
                const errors *e = error_of(k, s, t, ear);
                for (int b = 0; b < k->bands; ++b)
                    magnitude[s] += (double)fminf(e->complex_db[b], e->root_db[b]);
                for (int b = 0; b < phase_bands; ++b)
                    phase[s] += (double)e->phase[b];
            }
        }
        least_magnitude = fmin(least_magnitude, magnitude[s]);
        least_phase = fmin(least_phase, phase[s]);
    }
    for (int s = 0; s < STRETCHES; ++s)
        score[s] = magnitude[s] / fmax(least_magnitude, 1e-9) + phase[s] / fmax(least_phase, 1e-9);
    for (int kept = 0; kept < KEPT; ++kept) {
        int best = 0;
        for (int s = 1; s < STRETCHES; ++s)
            best = score[s] < score[best] ? s : best;
        score[best] = 1e300;
        k->stretch[kept] = stretches[best];
    }
}

static void measure_systems(pn_kriging *k) {
    k->systems = SYSTEMS;
    k->kernels = PN_KERNELS;
    choose_tried(k, TRIED);
    pn_pool_run(k->desc.pool, leave_out, k, TASKS);
    for (int s = 0; s < SYSTEMS; ++s) {
        for (int ear = 0; ear < 2; ++ear) {
            errors *mean = &k->mean[s][ear];
            for (int b = 0; b < k->bands; ++b) {
                double sum[3] = {0, 0, 0};
                for (int t = 0; t < k->tries; ++t) {
                    const errors *e = error_of(k, s, t, ear);
                    sum[0] += (double)e->complex_db[b];
                    sum[1] += (double)e->root_db[b];
                    sum[2] += (double)e->phase[b];
                }
                mean->complex_db[b] = (float)(sum[0] / k->tries);
                mean->root_db[b] = (float)(sum[1] / k->tries);
                mean->phase[b] = (float)(sum[2] / k->tries);
            }
        }
    }
}

/* A hole begins where the nearest measured direction is much farther than the directions are from each other. */
static void measure_spacing(pn_kriging *k) {
    double sum = 0;
    for (int t = 0; t < k->tries; ++t) {
        pn_nearest nearest;
        pn_find_nearest(k->desc.direction, k->desc.count, k->tried_direction[t], (pn_stretch){1, 1},
                        k->tried[t], 1, &nearest);
        sum += 2 * asin(fmin(1, sqrt(nearest.square[0]) / 2));
    }
    k->hole_from = fmax(pn_radians(12), 1.4 * sum / k->tries);
    k->hole_to = 1.25 * k->hole_from + pn_radians(12);
}

static pinna_status allocate(pn_kriging *k, pinna_error *err) {
    size_t stride = (size_t)k->stride, rows = 2 * (size_t)k->desc.count, count = (size_t)k->desc.count;
    k->re = pn_alloc_floats(rows * stride);
    k->im = pn_alloc_floats(rows * stride);
    k->root = pn_alloc_floats(rows * stride);
    k->tried = pn_alloc(count, sizeof *k->tried);
    k->tried_direction = pn_alloc(count, sizeof *k->tried_direction);
    size_t tries = count < TRIED ? count : TRIED;
    k->error = pn_alloc(SYSTEMS * tries * 2, sizeof *k->error);
    k->floats = pn_alloc_floats((size_t)TASKS * 6 * stride);
    if (!k->re || !k->im || !k->root || !k->tried || !k->tried_direction || !k->error || !k->floats)
        return pn_fail_memory(err, "predicting responses", 12.0 * (double)(rows * stride));
    float *next = k->floats;
    for (int t = 0; t < TASKS; ++t) {
        float **parts[6] = {&k->scratch[t].re,       &k->scratch[t].im,
                            &k->scratch[t].root,     &k->scratch[t].log_magnitude,
                            &k->scratch[t].phase_re, &k->scratch[t].phase_im};
        for (int i = 0; i < 6; ++i, next += stride)
            *parts[i] = next;
        k->scratch[t].work = pn_alloc((size_t)k->size, sizeof(pn_complex));
        if (k->scratch[t].work == NULL)
            return pn_fail_memory(err, "predicting responses", 16.0 * TASKS * k->size);
    }
    return pn_fft_create(k->size, &k->fft, err);
}

pinna_status pn_kriging_create(const pn_kriging_desc *desc, pn_kriging **out, pinna_error *err) {
    *out = NULL;
    pn_kriging *k = pn_alloc(1, sizeof *k);
    if (k == NULL)
        return pn_fail_memory(err, "predicting responses", sizeof *k);
    k->desc = *desc;
    k->size = 64;
    while (k->size < 1.4 * desc->taps || k->size < 0.99 * desc->rate / 93.75)
        k->size *= 2;
    k->bins = k->size / 2 + 1;
    k->stride = (k->bins + 15) / 16 * 16;
    make_bands(k);
    pinna_status status = allocate(k, err);
    if (status == PINNA_OK)
        status = make_centres(k, err);
    if (status != PINNA_OK) {
        pn_kriging_free(k);
        return status;
    }
    pn_pool_run(desc->pool, transform, k, TASKS);
    choose_stretches(k);
    measure_systems(k);
    measure_spacing(k);
    *out = k;
    return PINNA_OK;
}

void pn_kriging_free(pn_kriging *k) {
    if (k == NULL)
        return;
    pn_fft_free(k->fft);
    pn_free(k->re);
    pn_free(k->im);
    pn_free(k->root);
    pn_free(k->window);
    pn_free(k->tried);
    pn_free(k->tried_direction);
    pn_free(k->error);
    pn_free(k->floats);
    for (int t = 0; t < TASKS; ++t)
        pn_free(k->scratch[t].work);
    pn_free(k);
}

void pn_kriging_stretch(const pn_kriging *k, int which, double *y, double *z) {
    *y = k->stretch[which].y;
    *z = k->stretch[which].z;
}

double pn_kriging_error_db(const pn_kriging *k) {
    double sum = 0;
    for (int ear = 0; ear < 2; ++ear) {
        for (int b = 0; b < k->bands; ++b) {
            float best = 1e9f;
            for (int s = 0; s < SYSTEMS; ++s)
                best = fminf(best, fminf(k->mean[s][ear].complex_db[b], k->mean[s][ear].root_db[b]));
            sum += (double)best / (2 * k->bands);
        }
    }
    return sum;
}

/* ---- predicting */

typedef struct {
    float complex_db[SYSTEMS], root_db[SYSTEMS],
        phase[SYSTEMS]; /* weights, sum 1 of the first two, of the last */
} mixture;

static void weigh(const float *error, float *weight, int count, float least_share) {
    float least = error[0], sum = 0;
    for (int i = 1; i < count; ++i)
        least = fminf(least, error[i]);
    for (int i = 0; i < count; ++i) {
        float ratio = least / error[i], fourth = ratio * ratio * ratio * ratio;
        weight[i] = fourth * fourth < least_share ? 0 : fourth * fourth;
        sum += weight[i];
    }
    for (int i = 0; i < count; ++i)
        weight[i] /= sum;
}

/* Half the mean over the region, half that over the set, of everything in `errors`. */
static void expect_errors(const pn_kriging *k, const pn_nearest *region, int ear,
                          float expected[SYSTEMS][ERRORS]) {
    float half = 0.5f / (float)region->count;
    for (int s = 0; s < SYSTEMS; ++s) {
        float *restrict to = expected[s];
        const float *mean = k->mean[s][ear].complex_db;
        for (int i = 0; i < ERRORS; ++i)
            to[i] = 0.5f * mean[i];
        for (int r = 0; r < region->count; ++r) {
            const float *restrict e = error_of(k, s, region->index[r], ear)->complex_db;
            for (int i = 0; i < ERRORS; ++i)
                to[i] += half * e[i];
        }
    }
}

static void mix_estimators(const pn_kriging *k, float expected[SYSTEMS][ERRORS], int ear, int band,
                           mixture *m) {
    float error[2 * SYSTEMS], phase[SYSTEMS], share[2 * SYSTEMS];
    for (int s = 0; s < SYSTEMS; ++s) {
        error[s] = expected[s][band] + 1e-3f;
        error[SYSTEMS + s] = expected[s][BANDS + band] + 1e-3f;
        phase[s] = k->mean[s][ear].phase[band] + 1e-6f;
    }
    weigh(error, share, 2 * SYSTEMS, 0.02f);
    weigh(phase, m->phase, SYSTEMS, 0.05f);
    memcpy(m->complex_db, share, sizeof m->complex_db);
    memcpy(m->root_db, share + SYSTEMS, sizeof m->root_db);
}

/* Adds to log_magnitude (of base 2) and to the phase what the estimators in use say. */
static void estimate_band(const pn_kriging *k, int ear, int band, const pn_nearest *nearest,
                          float weight[SYSTEMS][PN_NEIGHBOURS], const mixture *m, scratch *s) {
    int from = k->band_bin[band], to = k->band_bin[band + 1];
    for (int c = 0; c < SYSTEMS; ++c) {
        const pn_nearest *near = &nearest[c / PN_KERNELS];
        if (m->complex_db[c] > 0 || m->phase[c] > 0) {
            sum_complex(k, ear, near, weight[c], band, s);
            float share = 0.5f * m->complex_db[c], phase = m->phase[c];
            for (int n = from; n < to && share > 0; ++n)
                s->log_magnitude[n] +=
                    share * pn_fast_log2(s->re[n] * s->re[n] + s->im[n] * s->im[n] + 1e-18f);
            for (int n = from; n < to; ++n) {
                s->phase_re[n] += phase * s->re[n];
                s->phase_im[n] += phase * s->im[n];
            }
        }
        if (m->root_db[c] > 0) {
            sum_roots(k, ear, near, weight[c], band, s);
            float share = 2 * m->root_db[c];
            for (int n = from; n < to; ++n)
                s->log_magnitude[n] += share * pn_fast_log2(fmaxf(s->root[n], 1e-3f));
        }
    }
}

static double angle_between(pn_vec3 a, pn_vec3 b) {
    return acos(fmax(-1, fmin(1, pn_vec_dot(a, b))));
}

static double to_nearest(const pn_kriging *k, pn_vec3 q) {
    pn_nearest nearest;
    pn_find_nearest(k->desc.direction, k->desc.count, q, (pn_stretch){1, 1}, -1, 1, &nearest);
    return 2 * asin(fmin(1, sqrt(nearest.square[0]) / 2));
}

/* Shares of the tried directions (a fair sample of all) in the mean of the rim around q. */
static void weigh_rim(const pn_kriging *k, pn_vec3 q, float weight[TRIED]) {
    double nearest = 1e9, sum = 0;
    for (int t = 0; t < k->tries; ++t)
        nearest = fmin(nearest, angle_between(k->tried_direction[t], q));
    for (int t = 0; t < k->tries; ++t) {
        double x = (angle_between(k->tried_direction[t], q) - nearest) / pn_radians(25);
        weight[t] = x < 2.5 ? (float)exp(-x * x) : 0;
        sum += (double)weight[t];
    }
    for (int t = 0; t < k->tries; ++t)
        weight[t] /= (float)sum;
}

/* The plain mean of the hole's rim takes over by `share`. */
static void blend_rim(const pn_kriging *k, const float weight[TRIED], float share, int ear, scratch *s) {
    size_t bins = (size_t)k->bins;
    memset(s->re, 0, bins * sizeof *s->re);
    memset(s->im, 0, bins * sizeof *s->im);
    memset(s->root, 0, bins * sizeof *s->root);
    for (int t = 0; t < k->tries; ++t) {
        float w = weight[t];
        size_t row = ((size_t)k->tried[t] * 2 + (size_t)ear) * (size_t)k->stride;
        const float *restrict re = k->re + row, *restrict im = k->im + row, *restrict root = k->root + row;
        for (size_t n = 0; n < bins && w > 0; ++n) {
            s->re[n] += w * re[n];
            s->im[n] += w * im[n];
            s->root[n] += w * root[n];
        }
    }
    for (size_t n = 0; n < bins; ++n) {
        float own = 1 / sqrtf(s->phase_re[n] * s->phase_re[n] + s->phase_im[n] * s->phase_im[n] + 1e-24f);
        float other = 1 / sqrtf(s->re[n] * s->re[n] + s->im[n] * s->im[n] + 1e-24f);
        s->log_magnitude[n] += share * (2 * pn_fast_log2(fmaxf(s->root[n], 1e-3f)) - s->log_magnitude[n]);
        s->phase_re[n] = (1 - share) * own * s->phase_re[n] + share * other * s->re[n];
        s->phase_im[n] = (1 - share) * own * s->phase_im[n] + share * other * s->im[n];
    }
}

static void put_ear(const pn_kriging *k, int ear, scratch *s) {
    for (int n = 0; n < k->bins; ++n) {
        float re = s->phase_re[n], im = s->phase_im[n];
        float gain = pn_fast_exp2(s->log_magnitude[n]) / sqrtf(re * re + im * im + 1e-24f);
        s->phase_re[n] = gain * re;
        s->phase_im[n] = gain * im;
    }
    s->phase_im[0] = s->phase_im[k->bins - 1] = 0;
    for (int n = 0; n < k->bins; ++n) {
        double re = (double)s->phase_re[n], im = (double)s->phase_im[n];
        pn_complex *low = &s->work[n], *high = &s->work[(k->size - n) & (k->size - 1)];
        pn_complex z = ear ? (pn_complex){low->re - im, low->im + re} : (pn_complex){re, im};
        pn_complex mirrored = ear ? (pn_complex){high->re + im, high->im + re} : (pn_complex){re, -im};
        *low = z;
        if (high != low)
            *high = mirrored;
    }
}

static void predict_one(const pn_kriging *k, pn_vec3 q, scratch *s, float *answer) {
    pn_nearest nearest[KEPT], region;
    float weight[SYSTEMS][PN_NEIGHBOURS];
    for (int i = 0; i < KEPT; ++i) {
        pn_find_nearest(k->desc.direction, k->desc.count, q, k->stretch[i], -1, PN_NEIGHBOURS, &nearest[i]);
        pn_kriging_weights(k->desc.direction, &nearest[i], k->stretch[i], PN_KERNELS,
                           weight + i * PN_KERNELS);
    }
    pn_find_nearest(k->tried_direction, k->tries, q, (pn_stretch){1, 1}, -1, REGION, &region);
    float rim[TRIED] = {0};
    double x = fmin(1, fmax(0, (to_nearest(k, q) - k->hole_from) / (k->hole_to - k->hole_from)));
    if (x > 0)
        weigh_rim(k, q, rim);
    for (int ear = 0; ear < 2; ++ear) {
        memset(s->log_magnitude, 0, (size_t)k->bins * sizeof(float));
        memset(s->phase_re, 0, (size_t)k->bins * sizeof(float));
        memset(s->phase_im, 0, (size_t)k->bins * sizeof(float));
        float expected[SYSTEMS][ERRORS];
        expect_errors(k, &region, ear, expected);
        for (int b = 0; b < k->bands; ++b) {
            mixture m;
            mix_estimators(k, expected, ear, b, &m);
            estimate_band(k, ear, b, nearest, weight, &m, s);
        }
        if (x > 0)
            blend_rim(k, rim, (float)(x * x * (3 - 2 * x)), ear, s);
        put_ear(k, ear, s);
    }
    pn_fft_inverse(k->fft, s->work);
    int taps = k->desc.taps;
    for (int n = 0; n < taps; ++n) {
        answer[n] = (float)s->work[n].re;
        answer[taps + n] = (float)s->work[n].im;
    }
}

static void predict_some(void *context, int task) {
    pn_kriging *k = context;
    for (int i = task; i < k->asked_count; i += TASKS)
        predict_one(k, k->asked[i], &k->scratch[task], k->answer + (size_t)i * 2 * (size_t)k->desc.taps);
}

void pn_kriging_predict(pn_kriging *k, const pn_vec3 *direction, int count, float *response) {
    k->asked = direction;
    k->asked_count = count;
    k->answer = response;
    pn_pool_run(k->desc.pool, predict_some, k, TASKS);
}
