// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/rafft_impl.h"

/* The definition of the transform, in plain C: one level of the tree at a time, one complex point after
 * another. Every other width must agree with it. See rafft_impl.h for the tree. */

/* Levels `depth` and below of one node. */
static void forward_node(const pn_rafft *fft, int depth, int node, float *data) {
    for (int below = 0; depth + below < fft->passes; ++below) {
        int points = fft->half >> (depth + below + 1); /* of a child */
        for (int n = 0; n < 1 << below; ++n) {
            const float *w = fft->pass[depth + below].twiddle + 2 * ((node << below) + n);
            float *a = data + (size_t)n * 4 * (size_t)points, *c = a + 2 * points;
            for (int k = 0; k < 2 * points; k += 2) {
                float p = w[0] * c[k] - w[1] * c[k + 1];
                float q = w[0] * c[k + 1] + w[1] * c[k];
                c[k] = a[k] - p;
                c[k + 1] = a[k + 1] - q;
                a[k] += p;
                a[k + 1] += q;
            }
        }
    }
}

static void inverse_node(const pn_rafft *fft, int depth, int node, float *data) {
    for (int below = fft->passes - 1 - depth; below >= 0; --below) {
        int points = fft->half >> (depth + below + 1);
        for (int n = 0; n < 1 << below; ++n) {
            const float *w = fft->pass[depth + below].twiddle + 2 * ((node << below) + n);
            float *a = data + (size_t)n * 4 * (size_t)points, *c = a + 2 * points;
            for (int k = 0; k < 2 * points; k += 2) {
                float p = a[k] - c[k], q = a[k + 1] - c[k + 1];
                a[k] += c[k];
                a[k + 1] += c[k + 1];
                c[k] = w[0] * p + w[1] * q;
                c[k + 1] = w[0] * q - w[1] * p;
            }
        }
    }
}

/* The root's level on columns of points, then its two parts. */
static void forward_top(const pn_rafft *fft, const float *re, const float *im, float *work, size_t stride,
                        size_t first, size_t count) {
    const float *w = fft->pass[0].twiddle;
    size_t points = (size_t)fft->half / 2;
    for (size_t n = first; n < first + count; ++n) {
        float c_re = re[n + points], c_im = im[n + points];
        float p = w[0] * c_re - w[1] * c_im, q = w[0] * c_im + w[1] * c_re;
        work[2 * n] = re[n] + p;
        work[2 * n + 1] = im[n] + q;
        work[stride + 2 * n] = re[n] - p;
        work[stride + 2 * n + 1] = im[n] - q;
    }
}

static void last_level(const pn_rafft *fft, const float *work, size_t stride, float *re, float *im,
                       size_t first, size_t count) {
    const float *w = fft->pass[0].twiddle;
    size_t points = (size_t)fft->half / 2;
    for (size_t n = first; n < first + count; ++n) {
        const float *a = work + 2 * n, *c = a + stride;
        float p = a[0] - c[0], q = a[1] - c[1];
        im[n] = a[1] + c[1];
        im[n + points] = w[0] * q - w[1] * p;
        if (re == NULL)
            continue;
        re[n] = a[0] + c[0];
        re[n + points] = w[0] * p + w[1] * q;
    }
}

static void inverse_top(const pn_rafft *fft, const float *work, size_t stride, float *im, size_t first,
                        size_t count) {
    last_level(fft, work, stride, NULL, im, first, count);
}

static int part_pieces(const pn_rafft *fft) {
    (void)fft;
    return 1;
}

static void forward_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    if (first < end)
        forward_node(fft, 1, part, data);
}

static void inverse_part(const pn_rafft *fft, int part, float *data, int first, int end) {
    if (first < end)
        inverse_node(fft, 1, part, data);
}

static void forward(const pn_rafft *fft, const float *re, const float *im, float *spectrum) {
    size_t half = (size_t)fft->half;
    forward_top(fft, re, im, spectrum, half, 0, half / 2);
    for (int part = 0; part < 2; ++part)
        forward_node(fft, 1, part, spectrum + (size_t)part * half);
}

static void inverse(const pn_rafft *fft, const float *spectrum, float *re, float *im, float *scratch) {
    size_t half = (size_t)fft->half;
    for (size_t n = 0; n < 2 * half; ++n)
        scratch[n] = spectrum[n];
    for (int part = 0; part < 2; ++part)
        inverse_node(fft, 1, part, scratch + (size_t)part * half);
    last_level(fft, scratch, half, re, im, 0, half / 2);
}

static void multiply_add(const pn_rafft *fft, float *sum, const float *a, const float *b) {
    for (int n = 0; n < 2 * fft->half; n += 2) {
        sum[n] += a[n] * b[n] - a[n + 1] * b[n + 1];
        sum[n + 1] += a[n] * b[n + 1] + a[n + 1] * b[n];
    }
}

static const pn_rafft_width width = {
    .lanes = 1,
    .forward = forward,
    .inverse = inverse,
    .part_pieces = part_pieces,
    .forward_top = forward_top,
    .forward_part = forward_part,
    .inverse_part = inverse_part,
    .inverse_top = inverse_top,
    .multiply_add = multiply_add,
};

const pn_rafft_width *const pn_rafft_plain = &width;
