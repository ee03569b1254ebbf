// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/hall.h"

#include <math.h>

#include "base/memory.h"
#include "base/noise.h"
#include "base/vec.h"

enum { BANDS = 3, REFLECTIONS = 7 };

static const double hall_seconds = 2.0;
static const double noise_start_s = 0.012;

/* Seconds and gains of the early reflections of each ear: wall, floor and ceiling paths of a shoe-box hall,
 * the two sides not quite alike. */
static const struct {
    double time_s[2];
    double gain;
} reflections[REFLECTIONS] = {
    {{0.0113, 0.0127}, 0.50}, {{0.0171, 0.0163}, -0.42}, {{0.0227, 0.0241}, 0.37},  {{0.0293, 0.0281}, -0.31},
    {{0.0367, 0.0389}, 0.27}, {{0.0433, 0.0419}, 0.22},  {{0.0541, 0.0557}, -0.18},
};

static void add_reflections(float *h, int ear, double rate, size_t length) {
    for (int i = 0; i < REFLECTIONS; ++i) {
        size_t at = (size_t)lround(reflections[i].time_s[ear] * rate);
        if (at < length)
            h[at] += (float)reflections[i].gain;
    }
}

static void add_late_part(float *h, int ear, double rate, size_t length) {
    static const double reverberation_s[BANDS] = {2.0, 1.7, 0.8};
    const double low = 1 - exp(-2 * PN_PI * 500 / rate), high = 1 - exp(-2 * PN_PI * 4000 / rate);
    const double rumble = 1 - exp(-2 * PN_PI * 40 / rate);
    double below_low = 0, below_high = 0, below_rumble = 0;
    uint64_t seed = ear == 0 ? 1 : 2;
    size_t start = (size_t)(noise_start_s * rate);
    for (size_t n = start; n < length; ++n) {
        double t = (double)(n - start) / rate;
        double white = pn_noise_uniform(&seed);
        below_low += low * (white - below_low);
        below_high += high * (white - below_high);
        below_rumble += rumble * (below_low - below_rumble);
        double band[BANDS] = {below_low - below_rumble, below_high - below_low, white - below_high};
        double sum = 0;
        for (int b = 0; b < BANDS; ++b)
            sum += band[b] * pow(10, -3 * t / reverberation_s[b]);
        double onset = t < 0.04 ? t / 0.04 : 1; /* the density of reflections grows into the noise */
        double left_s = hall_seconds - (double)n / rate;
        double end = left_s < 0.2 ? left_s / 0.2 : 1;
        h[n] += (float)(0.12 * sum * onset * end);
    }
}

static void normalise(float *h, size_t length) {
    double energy = 0;
    for (size_t n = 0; n < length; ++n)
        energy += (double)h[n] * h[n];
    double scale = energy > 0 ? 1 / sqrt(energy) : 0;
    for (size_t n = 0; n < length; ++n)
        h[n] = (float)(h[n] * scale);
}

pinna_status pn_hall_make(double rate, float **left, float **right, size_t *length, pinna_error *err) {
    *length = (size_t)(hall_seconds * rate);
    *left = pn_alloc_floats(*length);
    *right = pn_alloc_floats(*length);
    float *ears[2] = {*left, *right};
    if (*left == NULL || *right == NULL) {
        pn_free(*left);
        pn_free(*right);
        *left = *right = NULL;
        return pn_fail_memory(err, "the built-in hall", 8.0 * (double)*length);
    }
    for (int ear = 0; ear < 2; ++ear) {
        add_reflections(ears[ear], ear, rate, *length);
        add_late_part(ears[ear], ear, rate, *length);
        normalise(ears[ear], *length);
    }
    return PINNA_OK;
}
