// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/hrtf.h"

#include "base/memory.h"
#include "signal/fft.h"
#include "spatial/hrtf_set.h"

void pn_hrtf_free(pn_hrtf *hrtf) {
    if (hrtf == NULL)
        return;
    for (int s = 0; s < PN_HRTF_SHELLS; ++s)
        pn_sphere_free(hrtf->sphere[s]);
    pn_free(hrtf->position);
    pn_free(hrtf->response);
    pn_free(hrtf->delay);
    pn_free(hrtf->name);
    pn_free(hrtf->licence);
    pn_free(hrtf->convention);
    pn_free(hrtf);
}

const pn_hrtf_info *pn_hrtf_get_info(const pn_hrtf *hrtf) {
    return &hrtf->info;
}

const float *pn_hrtf_responses(const pn_hrtf *hrtf) {
    return hrtf->response;
}

const pn_vec3 *pn_hrtf_positions(const pn_hrtf *hrtf) {
    return hrtf->position;
}

/* Adds a shell's three nodes with their share of the weight. */
static void add_shell(const pn_hrtf *hrtf, int shell, pn_vec3 direction, double share, int *triangle,
                      pn_hrtf_point *point, double delay[2]) {
    pn_sphere_point at;
    pn_sphere_look_up(hrtf->sphere[shell], direction, triangle, &at);
    int used = point->weight[0] > 0 ? 3 : 0;
    for (int i = 0; i < 3; ++i) {
        int node = hrtf->first[shell] + at.node[i];
        double weight = share * at.weight[i];
        point->node[used + i] = node;
        point->weight[used + i] = (float)weight;
        delay[0] += weight * (double)hrtf->delay[2 * node];
        delay[1] += weight * (double)hrtf->delay[2 * node + 1];
    }
}

void pn_hrtf_look_up(const pn_hrtf *hrtf, pn_vec3 relative, pn_hrtf_hint *hint, pn_hrtf_point *point) {
    const double *radius = hrtf->info.radius;
    int shells = hrtf->info.shells, outer = 0;
    double distance = shells > 1 ? pn_vec_length(relative) : 1, delay[2] = {0, 0};
    while (outer < shells && radius[outer] < distance)
        ++outer;
    *point = (pn_hrtf_point){0};
    int *triangle = hint == NULL ? NULL : hint->triangle;
    if (shells == 1 || outer == 0 || outer == shells || !(distance < 1e300)) {
        add_shell(hrtf, outer < shells ? outer : shells - 1, relative, 1, triangle, point, delay);
    } else {
        double share = (1 / distance - 1 / radius[outer]) / (1 / radius[outer - 1] - 1 / radius[outer]);
        /* The nearer one first, so that entry 0 is always in use. */
        int order = share >= 0.5 ? outer - 1 : outer, other = 2 * outer - 1 - order;
        share = fmax(share, 1 - share);
        add_shell(hrtf, order, relative, share, triangle, point, delay);
        if (share < 1)
            add_shell(hrtf, other, relative, 1 - share, triangle == NULL ? NULL : triangle + 1, point, delay);
    }
    point->delay[0] = (float)delay[0];
    point->delay[1] = (float)delay[1];
}

/* Both ears through one transform, as re and im. */
static void delay_both(pn_complex *z, int size, const float delay[2]) {
    for (int k = 0; k <= size / 2; ++k) {
        int mirror = (size - k) & (size - 1);
        pn_complex p = z[k], q = z[mirror];
        pn_complex ear[2] = {{(p.re + q.re) / 2, (p.im - q.im) / 2}, {(p.im + q.im) / 2, (q.re - p.re) / 2}};
        for (int e = 0; e < 2; ++e) {
            double phase = -2 * PN_PI * k * (double)delay[e] / size, c = cos(phase),
                   s = k == size / 2 ? 0 : sin(phase);
            ear[e] = (pn_complex){ear[e].re * c - ear[e].im * s, ear[e].re * s + ear[e].im * c};
        }
        z[k] = (pn_complex){ear[0].re - ear[1].im, ear[0].im + ear[1].re};
        z[mirror] = (pn_complex){ear[0].re + ear[1].im, ear[1].re - ear[0].im};
    }
}

static void blend(const pn_hrtf *hrtf, const pn_hrtf_point *point, pn_complex *z) {
    size_t taps = (size_t)hrtf->info.taps;
    for (int i = 0; i < 3; ++i) {
        const float *left = hrtf->response + (size_t)point->node[i] * 2 * taps, *right = left + taps;
        double weight = (double)point->weight[i];
        for (size_t n = 0; n < taps && weight > 0; ++n) {
            z[n].re += weight * (double)left[n];
            z[n].im += weight * (double)right[n];
        }
    }
}

pinna_status pn_hrtf_response(const pn_hrtf *hrtf, pn_vec3 direction, float *left, float *right,
                              pinna_error *err) {
    pn_hrtf_point point;
    pn_hrtf_look_up(hrtf, direction, NULL, &point);
    int length = hrtf->info.taps + hrtf->info.max_delay, size = 64;
    while (size < 2 * length)
        size *= 2;
    pn_complex *z = pn_alloc((size_t)size, sizeof *z);
    if (z == NULL)
        return pn_fail_memory(err, "an HRTF response", size * 16.0);
    pn_fft *fft = NULL;
    pinna_status status = pn_fft_create(size, &fft, err);
    if (status == PINNA_OK) {
        blend(hrtf, &point, z);
        pn_fft_forward(fft, z);
        delay_both(z, size, point.delay);
        pn_fft_inverse(fft, z);
        for (int n = 0; n < length; ++n) {
            left[n] = (float)z[n].re;
            right[n] = (float)z[n].im;
        }
    }
    pn_fft_free(fft);
    pn_free(z);
    return status;
}
