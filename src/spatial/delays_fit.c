// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* A smooth function over the sphere from values with outliers: spherical harmonics c minimising
 *   sum_i w_i (v_i - Y_i c)^2 + 1e-4 M sum l (l + 1) c_lm^2
 * with w_i = 1 / max(1, |r_i| / s)^2, s = 1.5 median |r| + tolerance, in 12 reweighted passes. The penalty, a
 * smoothness in the sense of the Laplacian, keeps the function tame in the holes of incomplete grids; the constant is
 * free. */
#include "spatial/delays.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PASSES = 12, MOST_TERMS = (PN_HARMONICS_MOST + 1) * (PN_HARMONICS_MOST + 1) };

/* The polynomials P of z and the powers of (x + iy) by recursion, so that no angle is needed and the poles are
 * nothing special: Y_lm = N_lm P_l^m(z) / sin^m Re (x + iy)^m. */
void pn_harmonics(int order, pn_vec3 d, double *value) {
    double re = 1, im = 0, diagonal = sqrt(1 / (4 * PN_PI));
    for (int m = 0; m <= order; ++m) {
        double low = 0, p = diagonal, factor = m == 0 ? 1 : sqrt(2);
        for (int l = m; l <= order; ++l) {
            int centre = l * l + l;
            value[centre + m] = factor * p * re;
            if (m > 0)
                value[centre - m] = factor * p * im;
            double n = l + 1, a = sqrt((4 * n * n - 1) / (n * n - m * m));
            double b = l > m ? sqrt(((n - 1) * (n - 1) - m * m) / (4 * (n - 1) * (n - 1) - 1)) : 0;
            double next = a * (d.z * p - b * low);
            low = p;
            p = next;
        }
        double turned = re * d.x - im * d.y;
        im = re * d.y + im * d.x;
        re = turned;
        diagonal *= sqrt((2.0 * m + 3) / (2.0 * m + 2));
    }
}

/* Solves a x = b for a symmetric positive a (lower half, row by row), in place. */
static void solve(double *a, double *b, int n) {
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j <= i; ++j) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; ++k)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / a[j * n + j];
        }
    }
    for (int i = 0; i < n; ++i) {
        for (int k = 0; k < i; ++k)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (int i = n - 1; i >= 0; --i) {
        for (int k = i + 1; k < n; ++k)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct {
    int count, terms, order, stride;
    const double *value;
    double *basis, *weight, *error, *normal, *coefficient; /* basis: [count][terms] */
} fit;

static void normal_equations(fit *f) {
    int n = f->terms;
    memset(f->normal, 0, (size_t)(n * n) * sizeof *f->normal);
    memset(f->coefficient, 0, (size_t)n * sizeof *f->coefficient);
    for (int i = 0; i < f->count; ++i) {
        const double *y = f->basis + (size_t)i * (size_t)n;
        double w = f->weight[i], v = w * f->value[i * f->stride];
        for (int j = 0; j < n; ++j) {
            double wy = w * y[j];
            f->coefficient[j] += y[j] * v;
            for (int k = 0; k <= j; ++k)
                f->normal[j * n + k] += wy * y[k];
        }
    }
    for (int l = 0; l <= f->order; ++l) {
        for (int j = l * l; j < (l + 1) * (l + 1); ++j)
            f->normal[j * n + j] += 1e-4 * f->count * l * (l + 1) + 1e-9;
    }
}

static void reweight(fit *f, double tolerance, double *fitted) {
    for (int i = 0; i < f->count; ++i) {
        double sum = 0;
        for (int j = 0; j < f->terms; ++j)
            sum += f->basis[(size_t)i * (size_t)f->terms + (size_t)j] * f->coefficient[j];
        fitted[i * f->stride] = sum;
        f->error[i] = fabs(f->value[i * f->stride] - sum);
        f->weight[i] = f->error[i];
    }
    qsort(f->error, (size_t)f->count, sizeof *f->error, by_value);
    int half = f->count / 2;
    double median = f->count % 2 ? f->error[half] : (f->error[half] + f->error[half - 1]) / 2;
    double scale = 1.5 * median + tolerance;
    for (int i = 0; i < f->count; ++i) {
        double r = fmax(1, f->weight[i] / scale);
        f->weight[i] = 1 / (r * r);
    }
}

double pn_delay_model_at(const pn_delay_model *model, pn_vec3 direction, int ear) {
    double basis[PN_HARMONICS], sum = 0;
    pn_harmonics(model->order, direction, basis);
    for (int i = 0; i < (model->order + 1) * (model->order + 1); ++i)
        sum += model->coefficient[ear][i] * basis[i];
    return sum;
}

pinna_status pn_delays_fit(const pn_vec3 *direction, int count, int order, double tolerance,
                           const double *value, double *fitted, int stride, double *coefficient,
                           pinna_error *err) {
    int terms = (order + 1) * (order + 1);
    fit f = {.count = count, .terms = terms, .order = order, .stride = stride, .value = value};
    size_t n = (size_t)count, t = (size_t)terms;
    f.basis = pn_alloc(n * t, sizeof(double));
    f.weight = pn_alloc(2 * n, sizeof(double));
    f.normal = pn_alloc(t * t + t, sizeof(double));
    pinna_status status = PINNA_OK;
    if (f.basis == NULL || f.weight == NULL || f.normal == NULL) {
        status = pn_fail_memory(err, "smoothing the delays", (double)(n * t) * sizeof(double));
    } else {
        f.error = f.weight + n;
        f.coefficient = f.normal + t * t;
        for (int i = 0; i < count; ++i) {
            pn_harmonics(order, direction[i], f.basis + (size_t)i * t);
            f.weight[i] = 1;
        }
        for (int pass = 0; pass < PASSES; ++pass) {
            normal_equations(&f);
            solve(f.normal, f.coefficient, terms);
            reweight(&f, tolerance, fitted);
        }
        if (coefficient != NULL)
            memcpy(coefficient, f.coefficient, t * sizeof *coefficient);
    }
    pn_free(f.basis);
    pn_free(f.weight);
    pn_free(f.normal);
    return status;
}
