// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Ordinary kriging of the nearest neighbours (N. Cressie, "Statistics for Spatial Data", 1993, section 3.2): with
 * K the covariances among the neighbours (K_ii = 1 + nugget) and c those to the place asked for,
 *     w = K^-1 c + K^-1 1 (1 - sum K^-1 c) / sum K^-1 1.
 * The covariance is Matern's, of the chord d in stretched coordinates. */
#include "spatial/kriging_weights.h"

#include "spatial/fast_math.h"

enum { PAIRS = PN_NEIGHBOURS * (PN_NEIGHBOURS + 1), ROW = PN_NEIGHBOURS };

#define LOG2_E 1.44269504f

static const double nugget[PN_KERNELS] = {1e-4, 1e-4, 1e-2, 1e-4};

/* Matern's covariances of orders 3/2, 1/2, 3/2 with half the length, 5/2 at distances d. */
static void covariances(const float *d, int count, float to[PN_KERNELS][PAIRS]) {
    for (int i = 0; i < count; ++i) {
        float r = 1.7320508f * d[i], e = pn_fast_exp2(-LOG2_E * r), s = 2.2360680f * d[i];
        to[0][i] = (1 + r) * e;
        to[1][i] = pn_fast_exp2(-LOG2_E * d[i]);
        to[2][i] = (1 + 2 * r) * e * e;
        to[3][i] = (1 + s + s * s / 3) * pn_fast_exp2(-LOG2_E * s);
    }
}

static pn_vec3 stretched(pn_vec3 v, pn_stretch s) {
    return (pn_vec3){v.x, s.y * v.y, s.z * v.z};
}

static double square_distance(pn_vec3 a, pn_vec3 b) {
    pn_vec3 d = pn_vec_sub(a, b);
    return pn_vec_dot(d, d);
}

void pn_find_nearest(const pn_vec3 *point, int points, pn_vec3 q, pn_stretch stretch, int but, int most,
                     pn_nearest *n) {
    q = stretched(q, stretch);
    n->count = 0;
    for (int i = 0; i < points; ++i) {
        double dx = point[i].x - q.x, dy = stretch.y * point[i].y - q.y, dz = stretch.z * point[i].z - q.z;
        double square = dx * dx + dy * dy + dz * dz;
        if (i == but || (n->count == most && square >= n->square[most - 1]))
            continue;
        int j = n->count < most ? n->count++ : most - 1;
        for (; j > 0 && n->square[j - 1] > square; --j) {
            n->square[j] = n->square[j - 1];
            n->index[j] = n->index[j - 1];
        }
        n->square[j] = square;
        n->index[j] = i;
    }
}

/* Solves a x = b for two right sides; the upper half of a becomes its root u, a = u^T u, with the reciprocals of the
 * diagonal in `scale`. */
static void solve_both(double (*restrict a)[ROW], double (*restrict b)[ROW], int n) {
    double scale[ROW] = {0};
    for (int k = 0; k < n; ++k) {
        scale[k] = 1 / sqrt(fmax(a[k][k], 1e-12));
        for (int j = k; j < n; ++j)
            a[k][j] *= scale[k];
        for (int i = k + 1; i < n; ++i) {
            double f = a[k][i];
            for (int j = i; j < n; ++j)
                a[i][j] -= f * a[k][j];
        }
        for (int side = 0; side < 2; ++side) {
            double y = b[side][k] *= scale[k];
            for (int j = k + 1; j < n; ++j)
                b[side][j] -= y * a[k][j];
        }
    }
    for (int side = 0; side < 2; ++side) {
        for (int k = n - 1; k >= 0; --k) {
            double sum = b[side][k];
            for (int j = k + 1; j < n; ++j)
                sum -= a[k][j] * b[side][j];
            b[side][k] = sum * scale[k];
        }
    }
}

/* `pair`: the covariances of neighbour i with j < i at i (i - 1) / 2 + j, then those with the place asked for. */
static void weigh(const float *pair, int n, double own, float weight[PN_NEIGHBOURS]) {
    double a[ROW][ROW], b[2][ROW];
    int at = 0;
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < i; ++j)
            a[j][i] = (double)pair[at++];
        a[i][i] = 1 + own;
    }
    for (int i = 0; i < n; ++i) {
        b[0][i] = (double)pair[at++];
        b[1][i] = 1;
    }
    solve_both(a, b, n);
    double plain = 0, ones = 0;
    for (int i = 0; i < n; ++i) {
        plain += b[0][i];
        ones += b[1][i];
    }
    for (int i = 0; i < PN_NEIGHBOURS; ++i)
        weight[i] = i < n ? (float)(b[0][i] + b[1][i] * (1 - plain) / ones) : 0;
}

void pn_kriging_weights(const pn_vec3 *point, const pn_nearest *nearest, pn_stretch stretch, int kernels,
                        float weight[][PN_NEIGHBOURS]) {
    float distance[PAIRS], pair[PN_KERNELS][PAIRS];
    pn_vec3 p[PN_NEIGHBOURS];
    int n = nearest->count, at = 0;
    for (int i = 0; i < n; ++i) {
        p[i] = stretched(point[nearest->index[i]], stretch);
        for (int j = 0; j < i; ++j)
            distance[at++] = (float)sqrt(square_distance(p[i], p[j]));
    }
    for (int i = 0; i < n; ++i)
        distance[at++] = (float)sqrt(nearest->square[i]);
    covariances(distance, at, pair);
    for (int k = 0; k < kernels; ++k)
        weigh(pair[k], n, nugget[k], weight[k]);
}
