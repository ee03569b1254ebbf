// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/hrtf_figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"
#include "spatial/itd.h"
#include "spatial/sofa.h"

enum { MOST_BANDS = 128, FEWEST_DIRECTIONS = 12, MOST_PREDICTED = 3000 };

/* Responses of one set, looked at. */
typedef struct {
    const pn_hrtf *hrtf;
    const pn_hrtf_info *info;
    int length, size; /* of a response, of its transform */
    float *ear[2];
    double *sum[2]; /* [size / 2 + 2]: power of all bins below */
    pn_complex *work;
    pn_fft *fft;
    pn_itd *itd;
    double itd_us, ild_db;
} eye;

static void close_eye(eye *e) {
    for (int i = 0; i < 2; ++i) {
        pn_free(e->ear[i]);
        pn_free(e->sum[i]);
    }
    pn_free(e->work);
    pn_fft_free(e->fft);
    pn_itd_free(e->itd);
}

static pinna_status open_eye(eye *e, const pn_hrtf *hrtf, pinna_error *err) {
    *e = (eye){.hrtf = hrtf, .info = pn_hrtf_get_info(hrtf)};
    e->length = e->info->length;
    e->size = 2;
    while (e->size < e->length || e->size < e->info->rate / 12)
        e->size *= 2;
    for (int i = 0; i < 2; ++i) {
        e->ear[i] = pn_alloc_floats((size_t)e->length);
        e->sum[i] = pn_alloc((size_t)e->size / 2 + 2, sizeof(double));
    }
    e->work = pn_alloc((size_t)e->size, sizeof *e->work);
    if (!e->ear[0] || !e->ear[1] || !e->sum[0] || !e->sum[1] || !e->work)
        return pn_fail_memory(err, "the figures of the HRTF set", e->size * 32.0);
    pinna_status status = pn_fft_create(e->size, &e->fft, err);
    return status == PINNA_OK ? pn_itd_create(e->length, e->info->rate, &e->itd, err) : status;
}

static pinna_status look(eye *e, pn_vec3 place, pinna_error *err) {
    pinna_status status = pn_hrtf_response(e->hrtf, place, e->ear[0], e->ear[1], err);
    if (status != PINNA_OK)
        return status;
    double energy[2] = {1e-30, 1e-30};
    memset(e->work, 0, (size_t)e->size * sizeof *e->work);
    for (int n = 0; n < e->length; ++n) {
        e->work[n] = (pn_complex){(double)e->ear[0][n], (double)e->ear[1][n]};
        energy[0] += e->work[n].re * e->work[n].re;
        energy[1] += e->work[n].im * e->work[n].im;
    }
    e->itd_us = 1e6 * pn_itd_measure(e->itd, e->ear[0], e->ear[1], 0);
    e->ild_db = 10 * log10(energy[0] / energy[1]);
    pn_fft_forward(e->fft, e->work);
    for (int k = 0; k <= e->size / 2; ++k) {
        pn_complex p = e->work[k], q = e->work[(e->size - k) & (e->size - 1)];
        double left = hypot(p.re + q.re, p.im - q.im) / 2, right = hypot(p.im + q.im, q.re - p.re) / 2;
        e->sum[0][k + 1] = e->sum[0][k] + left * left;
        e->sum[1][k + 1] = e->sum[1][k] + right * right;
    }
    return PINNA_OK;
}

/* Mean power between two frequencies; bins at the ends count in part. */
static double band_power(const eye *e, int ear, double low, double high) {
    double scale = e->size / e->info->rate, top = e->size / 2 + 1.0, total[2];
    double edge[2] = {low * scale + 0.5, high * scale + 0.5};
    if (edge[1] - edge[0] < 1) {
        double middle = (edge[0] + edge[1]) / 2;
        edge[0] = middle - 0.5;
        edge[1] = middle + 0.5;
    }
    for (int i = 0; i < 2; ++i) {
        double at = fmin(fmax(edge[i], 0), top - 1e-6);
        int k = (int)at;
        total[i] = e->sum[ear][k] + (at - k) * (e->sum[ear][k + 1] - e->sum[ear][k]);
        edge[i] = at;
    }
    return (total[1] - total[0]) / fmax(edge[1] - edge[0], 1e-6) + 1e-20;
}

/* ---- maps */

static pinna_status fill_maps(pn_hrtf_figures *f, eye *e, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int i = 0; i < PN_FIGURES_ELEVATIONS; ++i) {
        for (int j = 0; j < PN_FIGURES_AZIMUTHS && status == PINNA_OK; ++j) {
            double azimuth = pn_radians(180 - 5.0 * j), elevation = pn_radians(5.0 * i - 90);
            status = look(e, pn_vec_from_polar(azimuth, elevation, e->info->distance), err);
            f->itd_us[i][j] = e->itd_us;
            f->ild_db[i][j] = e->ild_db;
        }
    }
    return status;
}

static pinna_status fill_circle(pn_hrtf_figures *f, eye *e, pinna_error *err) {
    const double wide = pow(2, 1.0 / 12);
    f->low_hz = 100;
    f->high_hz = fmin(20000, 0.48 * e->info->rate);
    double ratio = f->high_hz / f->low_hz;
    pinna_status status = PINNA_OK;
    for (int j = 0; j < PN_FIGURES_CIRCLE && status == PINNA_OK; ++j) {
        double azimuth = pn_radians(180 - 2.5 * j);
        status = look(e, pn_vec_from_polar(azimuth, 0, e->info->distance), err);
        for (int ear = 0; ear < 2; ++ear) {
            for (int row = 0; row < PN_FIGURES_ROWS; ++row) {
                double hz = f->low_hz * pow(ratio, (row + 0.5) / PN_FIGURES_ROWS);
                f->level_db[ear][j][row] = 10 * log10(band_power(e, ear, hz / wide, hz * wide));
            }
        }
    }
    return status;
}

/* ---- errors */

typedef struct {
    int bands;
    double db[2][MOST_BANDS], itd_us;
} features;

static double erb_rate(double hz) {
    return 21.4 * log10(1 + 0.00437 * hz);
}

static double from_erb_rate(double rate) {
    return (pow(10, rate / 21.4) - 1) / 0.00437;
}

static void measure(const eye *e, double gain_db, features *f) {
    double top = erb_rate(fmin(16000, 0.45 * fmin(e->info->rate, e->info->file_rate)));
    f->bands = 0;
    f->itd_us = e->itd_us;
    for (double at = erb_rate(200); at < top && f->bands < MOST_BANDS; at += 1.0 / 3, ++f->bands) {
        for (int ear = 0; ear < 2; ++ear)
            f->db[ear][f->bands] = gain_db + 10 * log10(band_power(e, ear, from_erb_rate(at - 1.0 / 6),
                                                                   from_erb_rate(at + 1.0 / 6)));
    }
}

static double lsd(const features *a, const features *b) {
    double sum = 0;
    for (int ear = 0; ear < 2; ++ear) {
        double squares = 0;
        for (int i = 0; i < a->bands; ++i)
            squares += pow(a->db[ear][i] - b->db[ear][i], 2);
        sum += sqrt(squares / (a->bands > 0 ? a->bands : 1)) / 2;
    }
    return sum;
}

/* A set of every other measurement, from the first or the second on; what is said of it was said of the whole. */
static pinna_status load_half(const char *file, int from, const pn_hrtf_info *whole, pn_hrtf **half,
                              pinna_error *err) {
    pn_measured set;
    *half = NULL;
    pinna_status status = pn_sofa_read(file, &set, NULL, err);
    if (status != PINNA_OK)
        return status;
    bool *keep = pn_alloc((size_t)set.directions, sizeof *keep);
    if (keep == NULL) {
        pn_measured_clear(&set);
        return pn_fail_memory(err, "half of the HRTF set", set.directions);
    }
    for (int i = from; i < set.directions; i += 2)
        keep[i] = true;
    pn_measured_keep(&set, keep);
    pn_free(keep);
    const pn_hrtf_options as_whole = {.equalise_given = true,
                                      .equalise_low = whole->equalised_low,
                                      .equalise_diffuse = whole->equalised_diffuse};
    return pn_hrtf_from_measured(&set, pn_sofa_is_builtin(file) ? "builtin" : file, whole->rate, &as_whole,
                                 NULL, half, err);
}

static pn_vec3 place_of(const pn_figures_direction *d) {
    return pn_vec_from_polar(pn_radians(d->azimuth), pn_radians(d->elevation), d->distance);
}

/* Predicts the directions from .. in steps of two by the other half. */
static pinna_status predict(pn_hrtf_figures *f, eye *whole, const char *file, int from, pinna_error *err) {
    pn_hrtf *half = NULL;
    pinna_status status = load_half(file, 1 - from, whole->info, &half, err);
    if (status != PINNA_OK)
        return status;
    eye e;
    status = open_eye(&e, half, err);
    double gain = 20 * log10(whole->info->scale / pn_hrtf_get_info(half)->scale); /* each has 0 dB in front */
    int step = 2 * (1 + f->directions / MOST_PREDICTED);
    for (int i = from; i < f->directions && status == PINNA_OK; i += step) {
        pn_figures_direction *d = &f->direction[i];
        features expected = {0}, got = {0};
        if (isnan(d->distance)) /* no place: left out of every set */
            continue;
        status = look(whole, place_of(d), err);
        if (status == PINNA_OK)
            status = look(&e, place_of(d), err);
        measure(whole, 0, &expected);
        measure(&e, gain, &got);
        d->lsd_db = lsd(&expected, &got);
        d->itd_error_us = fabs(got.itd_us - expected.itd_us);
    }
    close_eye(&e);
    pn_hrtf_free(half);
    return status;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pinna_status summarise(pn_hrtf_figures *f, pinna_error *err) {
    double *sorted = pn_alloc(2 * (size_t)f->directions, sizeof *sorted), *itd = sorted + f->directions;
    if (sorted == NULL)
        return pn_fail_memory(err, "the figures of the HRTF set", f->directions * 16.0);
    f->predicted = 0;
    for (int i = 0; i < f->directions; ++i) {
        if (isnan(f->direction[i].lsd_db))
            continue;
        sorted[f->predicted] = f->direction[i].lsd_db;
        itd[f->predicted++] = f->direction[i].itd_error_us;
    }
    size_t n = (size_t)f->predicted;
    f->lsd_mean = f->itd_mean = 0;
    for (size_t i = 0; i < n; ++i) {
        f->lsd_mean += sorted[i] / (double)n;
        f->itd_mean += itd[i] / (double)n;
    }
    qsort(sorted, n, sizeof *sorted, by_value);
    qsort(itd, n, sizeof *itd, by_value);
    f->lsd_p95 = n > 0 ? sorted[(size_t)(0.95 * (double)(n - 1))] : NAN;
    f->itd_p95 = n > 0 ? itd[(size_t)(0.95 * (double)(n - 1))] : NAN;
    pn_free(sorted);
    return PINNA_OK;
}

/* The directions as they stand in the file. */
static pinna_status take_directions(pn_hrtf_figures *f, const char *file, double assumed, pinna_error *err) {
    pn_measured set;
    pinna_status status = pn_sofa_read(file, &set, NULL, err);
    if (status != PINNA_OK)
        return status;
    f->direction = pn_alloc((size_t)set.directions, sizeof *f->direction);
    for (int i = 0; i < set.directions && f->direction != NULL; ++i) {
        pn_vec3 v = set.direction[i];
        double distance = set.distance[i] >= 0.01 && set.distance[i] <= 100 ? set.distance[i] : assumed;
        f->direction[f->directions++] =
            (pn_figures_direction){.azimuth = pn_degrees(atan2(v.y, v.x)),
                                   .elevation = pn_degrees(asin(fmax(-1, fmin(1, v.z)))),
                                   .distance = isfinite(v.x + v.y + v.z) ? distance : NAN,
                                   .lsd_db = NAN,
                                   .itd_error_us = NAN};
    }
    pn_measured_clear(&set);
    return f->direction == NULL ? pn_fail_memory(err, "the figures of the HRTF set", 1e5) : PINNA_OK;
}

pinna_status pn_hrtf_figures_make(const char *file, const pn_hrtf *hrtf, pn_hrtf_figures **figures,
                                  pinna_error *err) {
    *figures = NULL;
    pn_hrtf_figures *f = pn_alloc(1, sizeof *f);
    if (f == NULL)
        return pn_fail_memory(err, "the figures of the HRTF set", sizeof *f);
    eye e;
    pinna_status status = open_eye(&e, hrtf, err);
    if (status == PINNA_OK)
        status = fill_maps(f, &e, err);
    if (status == PINNA_OK)
        status = fill_circle(f, &e, err);
    if (status == PINNA_OK)
        status = take_directions(f, file, e.info->distance, err);
    for (int from = 0; from < 2 && status == PINNA_OK && f->directions >= FEWEST_DIRECTIONS; ++from)
        status = predict(f, &e, file, from, err);
    if (status == PINNA_OK)
        status = summarise(f, err);
    close_eye(&e);
    if (status == PINNA_OK)
        *figures = f;
    else
        pn_hrtf_figures_free(f);
    return status;
}

void pn_hrtf_figures_free(pn_hrtf_figures *figures) {
    if (figures == NULL)
        return;
    pn_free(figures->direction);
    pn_free(figures);
}
