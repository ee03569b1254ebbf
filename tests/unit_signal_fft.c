// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* The natural-order FFT against the sum that defines it, and its convolution against the direct sum. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "exact_convolution.h"

static void fill(pn_complex *data, int count) {
    uint64_t seed = 5;
    for (int n = 0; n < count; ++n)
        data[n] = (pn_complex){test_noise(&seed), test_noise(&seed)};
}

static double error_db(const pn_complex *a, const pn_complex *b, int count) {
    double error = 0, power = 0;
    for (int n = 0; n < count; ++n) {
        error += pow(a[n].re - b[n].re, 2) + pow(a[n].im - b[n].im, 2);
        power += b[n].re * b[n].re + b[n].im * b[n].im;
    }
    return 10 * log10(error / power + 1e-40);
}

static void sum_by_definition(const pn_complex *in, pn_complex *out, int size) {
    for (int k = 0; k < size; ++k) {
        out[k] = (pn_complex){0, 0};
        for (int n = 0; n < size; ++n) {
            double angle = -2 * PN_PI * (double)((long)k * n % size) / size;
            out[k].re += in[n].re * cos(angle) - in[n].im * sin(angle);
            out[k].im += in[n].re * sin(angle) + in[n].im * cos(angle);
        }
    }
}

static void test_forward_and_inverse(void **state) {
    (void)state;
    enum { LARGEST = 1024 };
    static pn_complex data[LARGEST], expected[LARGEST], original[LARGEST];
    for (int size = 2; size <= LARGEST; size *= 2) {
        pinna_error err;
        pn_fft *fft;
        assert_ok(pn_fft_create(size, &fft, &err), &err);
        assert_int_equal(pn_fft_size(fft), size);
        fill(original, size);
        memcpy(data, original, sizeof data);
        sum_by_definition(original, expected, size);
        pn_fft_forward(fft, data);
        assert_below(error_db(data, expected, size), -280);
        pn_fft_inverse(fft, data);
        assert_below(error_db(data, original, size), -290);
        pn_fft_free(fft);
    }
}

/* Too large for the sum by definition: a tone of a whole number of periods has one bin, of `size`. */
static void test_large(void **state) {
    (void)state;
    enum { SIZE = 1 << 20, BIN = 333333 };
    pinna_error err;
    pn_fft *fft;
    assert_ok(pn_fft_create(SIZE, &fft, &err), &err);
    pn_complex *data = pn_alloc(SIZE, sizeof *data), *expected = pn_alloc(SIZE, sizeof *expected);
    for (long n = 0; n < SIZE; ++n) {
        double angle = 2 * PN_PI * (double)(n * BIN % SIZE) / SIZE;
        data[n] = (pn_complex){cos(angle), sin(angle)};
    }
    expected[BIN].re = SIZE;
    pn_fft_forward(fft, data);
    assert_below(error_db(data, expected, SIZE), -280);
    pn_free(data);
    pn_free(expected);
    pn_fft_free(fft);
}

static void check_convolve(size_t na, size_t nb) {
    enum { LARGEST = 700 };
    static float a[LARGEST], b[LARGEST];
    static double out[2 * LARGEST];
    test_fill_noise(a, na, 1, 1);
    test_fill_noise(b, nb, 2, 1e-3); /* far apart in level, as signals and responses are */
    test_convolve_exactly(a, na, b, nb, out);
    double worst = 0;
    for (size_t n = 0; n < na + nb - 1; ++n) {
        double sum = 0;
        for (size_t k = 0; k < nb && k <= n; ++k)
            if (n - k < na)
                sum += (double)b[k] * (double)a[n - k];
        worst = fmax(worst, fabs(out[n] - sum));
    }
    assert_below(worst, 1e-12);
}

static void test_convolve(void **state) {
    (void)state;
    check_convolve(1, 1);
    check_convolve(1, 700);
    check_convolve(129, 128);
    check_convolve(700, 333);
    check_convolve(2, 2);
}

static void test_refusals(void **state) {
    (void)state;
    pinna_error err;
    pn_fft *fft;
    const int sizes[] = {0, 1, -8, 3, 1 << 25};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; ++k) {
        assert_int_equal(pn_fft_create(sizes[k], &fft, &err), PINNA_BAD_ARGUMENT);
        assert_null(fft);
    }
    for (int k = 1; k <= 2; ++k) {
        pn_memory_fail_at(k);
        assert_int_equal(pn_fft_create(4, &fft, &err), PINNA_NO_MEMORY);
        assert_null(fft);
    }
    pn_memory_fail_at(0);
    pn_fft_free(NULL);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_and_inverse),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_convolve),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
