// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_TESTS_EXACT_CONVOLUTION_H
#define PN_TESTS_EXACT_CONVOLUTION_H

#include "base/memory.h"
#include "signal/fft.h"
#include "support.h"

/* Convolutions in double precision by one big FFT: what the tests expect of the program's. unit_signal_fft compares them
 * with the sum of products. */

/* With z = a + i b, the product of the spectra of a and b is (Z[k]^2 - conj(Z[-k])^2) / 4i. */
static inline void test_square_packed(pn_complex *z, int size) {
    for (int k = 0; k <= size / 2; ++k) {
        int m = (size - k) & (size - 1);
        pn_complex p = z[k], q = z[m];
        double re = (p.re * p.re - p.im * p.im - q.re * q.re + q.im * q.im) / 4;
        double im = (p.re * p.im + q.re * q.im) / 2;
        z[k] = (pn_complex){im, -re};
        z[m] = (pn_complex){im, re};
    }
}

/* out = a * b, na + nb - 1 samples. */
static inline void test_convolve_exactly(const float *a, size_t na, const float *b, size_t nb, double *out) {
    int size = 2;
    while ((size_t)size < na + nb - 1)
        size *= 2;
    pn_fft *fft = NULL;
    pinna_error err = {0};
    pn_complex *z = pn_alloc((size_t)size, sizeof *z);
    assert_non_null(z);
    assert_ok(pn_fft_create(size, &fft, &err), &err);
    for (size_t n = 0; n < na; ++n)
        z[n].re = (double)a[n];
    for (size_t n = 0; n < nb; ++n)
        z[n].im = (double)b[n];
    pn_fft_forward(fft, z);
    test_square_packed(z, size);
    pn_fft_inverse(fft, z);
    for (size_t n = 0; n < na + nb - 1; ++n)
        out[n] = z[n].re;
    pn_free(z);
    pn_fft_free(fft);
}

/* to[at + n] += gain (a * b)[n], as far as `frames` go. */
static inline void test_add_convolved(double *to, size_t frames, size_t at, const float *a, size_t na,
                                      const float *b, size_t nb, double gain) {
    double *product = pn_alloc(na + nb - 1, sizeof *product);
    assert_non_null(product);
    test_convolve_exactly(a, na, b, nb, product);
    for (size_t n = 0; n < na + nb - 1 && at + n < frames; ++n)
        to[at + n] += gain * product[n];
    pn_free(product);
}

#endif
