// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

/* The definition of the transform, in plain C: one level of the tree at a time, one complex point after
 * another. Every other width must agree with it. See rafft_impl.h for the tree. */

static void forward(const pn_rafft *fft, const float *re, const float *im, float *spectrum) {
    for (int n = 0; n < fft->half; ++n) {
        spectrum[2 * n] = re[n];
        spectrum[2 * n + 1] = im[n];
    }
    for (int depth = 0; depth < fft->passes; ++depth) {
        int points = fft->half >> (depth + 1); /* of a child */
        for (int node = 0; node < 1 << depth; ++node) {
            const float *w = fft->pass[depth].twiddle + 2 * node;
            float *a = spectrum + (size_t)node * 4 * (size_t)points, *c = a + 2 * points;
            for (int n = 0; n < 2 * points; n += 2) {
                float p = w[0] * c[n] - w[1] * c[n + 1];
                float q = w[0] * c[n + 1] + w[1] * c[n];
                c[n] = a[n] - p;
                c[n + 1] = a[n + 1] - q;
                a[n] += p;
                a[n + 1] += q;
            }
        }
    }
}

static void inverse(const pn_rafft *fft, const float *spectrum, float *re, float *im, float *scratch) {
    for (int n = 0; n < 2 * fft->half; ++n)
        scratch[n] = spectrum[n];
    for (int depth = fft->passes - 1; depth >= 0; --depth) {
        int points = fft->half >> (depth + 1);
        for (int node = 0; node < 1 << depth; ++node) {
            const float *w = fft->pass[depth].twiddle + 2 * node;
            float *a = scratch + (size_t)node * 4 * (size_t)points, *c = a + 2 * points;
            for (int n = 0; n < 2 * points; n += 2) {
                float p = a[n] - c[n], q = a[n + 1] - c[n + 1];
                a[n] += c[n];
                a[n + 1] += c[n + 1];
                c[n] = w[0] * p + w[1] * q;
                c[n + 1] = w[0] * q - w[1] * p;
            }
        }
    }
    for (int n = 0; n < fft->half; ++n) {
        if (re != NULL)
            re[n] = scratch[2 * n];
        im[n] = scratch[2 * n + 1];
    }
}

static void multiply_add(const pn_rafft *fft, float *sum, const float *a, const float *b) {
    for (int n = 0; n < 2 * fft->half; n += 2) {
        sum[n] += a[n] * b[n] - a[n + 1] * b[n + 1];
        sum[n + 1] += a[n] * b[n + 1] + a[n + 1] * b[n];
    }
}

static void delay_ramp(const pn_rafft *fft, double delay_samples, float *ramp) {
    pn_rafft_factor step[PN_RAFFT_MAX_PASSES];
    pn_rafft_factor first = pn_rafft_ramp_steps(fft, delay_samples, step);
    ramp[0] = (float)first.re;
    ramp[1] = (float)first.im;
    for (int bit = 0; bit < fft->bits; ++bit) {
        float re = (float)step[bit].re, im = (float)step[bit].im;
        int done = 2 << bit;
        for (int n = 0; n < done; n += 2) {
            ramp[done + n] = ramp[n] * re - ramp[n + 1] * im;
            ramp[done + n + 1] = ramp[n] * im + ramp[n + 1] * re;
        }
    }
}

static const pn_rafft_width width = {
    .lanes = 1,
    .forward = forward,
    .inverse = inverse,
    .multiply_add = multiply_add,
    .delay_ramp = delay_ramp,
};

const pn_rafft_width *const pn_rafft_plain = &width;
