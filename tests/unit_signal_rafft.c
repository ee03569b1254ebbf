// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Every operation of the right-angle transform, of every size and kind, against double precision: the
 * spectrum is that of z[n] e(n / 4M) by the natural-order FFT (itself tested against the sum that defines
 * it). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "exact_convolution.h"
#include "signal/rafft_impl.h"

enum { MAX_KINDS = 5 };

/* The text for 16 lanes once more, compiled for the baseline: so it is tested on processors without AVX-512. */
#define PN_LANES 16
#pragma GCC diagnostic ignored "-Wpsabi"
#include "signal/rafft_width.h"

/* What is tested: all that pn_rafft_create gives here, and a width of its own. */
typedef struct {
    const char *name;
    pn_simd simd;
    const pn_rafft_width *width; /* or NULL */
} kind;

static kind kinds[MAX_KINDS];
static int kind_count;

typedef struct {
    pn_rafft *fft;
    int size, half, lanes;
    float *samples, *spectrum, *other, *sum, *scratch, *back;
} bench;

static void bench_open(bench *b, const kind *k, int size) {
    pinna_error err;
    memset(b, 0, sizeof *b);
    if (k->width != NULL && size / 2 >= k->width->lanes * k->width->lanes)
        assert_ok(pn_rafft_create_width(size, k->width, &b->fft, &err), &err);
    else
        assert_ok(pn_rafft_create(size, k->simd, &b->fft, &err), &err);
    b->size = size;
    b->half = size / 2;
    b->lanes = pn_rafft_lanes(b->fft);
    b->samples = pn_alloc_floats((size_t)size);
    b->spectrum = pn_alloc_floats((size_t)size);
    b->other = pn_alloc_floats((size_t)size);
    b->sum = pn_alloc_floats((size_t)size);
    b->back = pn_alloc_floats((size_t)size + 1);
    b->scratch = pn_alloc_floats(pn_rafft_scratch(b->fft));
    for (size_t n = 0; n < pn_rafft_scratch(b->fft); ++n)
        b->scratch[n] = NAN; /* what it holds must not matter */
    test_fill_noise(b->samples, (size_t)size, (uint64_t)size, 1);
}

static void bench_close(bench *b) {
    pn_free(b->samples);
    pn_free(b->spectrum);
    pn_free(b->other);
    pn_free(b->sum);
    pn_free(b->back);
    pn_free(b->scratch);
    pn_rafft_free(b->fft);
}

static void transform(bench *b, float *spectrum) {
    pn_rafft_forward(b->fft, b->samples, b->samples + b->half, spectrum, b->scratch);
}

/* Bin j of vector v: re at the place returned, im `lanes` later. */
static size_t place(const bench *b, int bin) {
    return (size_t)(bin / b->lanes) * 2 * (size_t)b->lanes + (size_t)(bin % b->lanes);
}

/* The root at which a bin stands: k of (1/4 + k) / M turns. In the tree's order k is the leaf's index with its bits
 * reversed; V * V leaves stand as V vectors, the lanes across them (rafft_impl.h). */
static int root_of(const bench *b, int bin) {
    int v = bin / b->lanes, lane = bin % b->lanes;
    int leaf = (v / b->lanes * b->lanes + lane) * b->lanes + v % b->lanes, root = 0;
    for (int bit = 1; bit < b->half; bit *= 2)
        if ((leaf & bit) != 0)
            root += b->half / 2 / bit;
    return root;
}

static pn_complex turned(double turns) {
    double angle = 2 * PN_PI * (turns - floor(turns));
    return (pn_complex){cos(angle), sin(angle)};
}

static pn_complex *reference_spectrum(const bench *b) {
    pinna_error err;
    pn_fft *fft;
    assert_ok(pn_fft_create(b->half, &fft, &err), &err);
    pn_complex *z = pn_alloc((size_t)b->half, sizeof *z);
    for (int n = 0; n < b->half; ++n) {
        pn_complex w = turned(n / (4.0 * b->half));
        double re = (double)b->samples[n], im = (double)b->samples[n + b->half];
        z[n] = (pn_complex){(re * w.re - im * w.im) * b->half, (re * w.im + im * w.re) * b->half};
    }
    pn_fft_inverse(fft, z);
    pn_fft_free(fft);
    return z;
}

/* The reference in the order of the spectrum, as doubles. */
static double *reordered(const bench *b, const pn_complex *z) {
    double *out = pn_alloc((size_t)b->size, sizeof *out);
    char *seen = pn_alloc((size_t)b->half, 1);
    for (int bin = 0; bin < b->half; ++bin) {
        int k = root_of(b, bin);
        assert_in_range(k, 0, b->half - 1);
        assert_int_equal(seen[k]++, 0);
        out[place(b, bin)] = z[k].re;
        out[place(b, bin) + (size_t)b->lanes] = z[k].im;
    }
    pn_free(seen);
    return out;
}

static void over_all(void (*check)(const kind *k, int size), int max_size) {
    for (int k = 0; k < kind_count; ++k)
        for (int size = PN_RAFFT_MIN_SIZE; size <= max_size; size *= size < 16384 ? 2 : 4)
            check(&kinds[k], size);
}

/* Each level of the tree adds its own rounding, of equal power. The constant leaves 2 dB above what was measured,
 * because a compiler may fuse multiplies and adds in other ways. */
static double transform_bound(int size) {
    return -145.0 + 10 * log10(log2(size / 2.0));
}

static void report(const char *what, const kind *k, int size, double db) {
    if (getenv("PINNA_TEST_VERBOSE") != NULL)
        print_message("%-10s %-8s %8d %8.1f dB\n", what, k->name, size, db);
}

static void check_forward(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    pn_complex *z = reference_spectrum(&b);
    double *expected = reordered(&b, z);
    transform(&b, b.spectrum);
    double db = test_error_db_f64(b.spectrum, expected, (size_t)size);
    report("forward", k, size, db);
    assert_below(db, transform_bound(size));
    pn_free(z);
    pn_free(expected);
    bench_close(&b);
}

static void test_forward(void **state) {
    (void)state;
    over_all(check_forward, PN_RAFFT_MAX_SIZE);
}

/* Forth and back, with samples at odd addresses; the imaginary half alone; the spectrum untouched. */
static void check_inverse(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    transform(&b, b.spectrum);
    memcpy(b.other, b.spectrum, (size_t)size * sizeof(float));
    float *re = b.back + 1, *im = re + b.half;
    pn_rafft_inverse(b.fft, b.spectrum, re, im, b.scratch);
    for (int n = 0; n < size; ++n)
        re[n] /= (float)b.half;
    double db = test_error_db(re, b.samples, (size_t)size);
    report("inverse", k, size, db);
    assert_below(db, transform_bound(size) + 3.5);

    for (int n = 0; n < size; ++n)
        re[n] = 7;
    pn_rafft_inverse(b.fft, b.spectrum, NULL, im, b.scratch);
    for (int n = 0; n < b.half; ++n)
        im[n] /= (float)b.half;
    assert_below(test_error_db(im, b.samples + b.half, (size_t)b.half), transform_bound(size) + 3.5);
    for (int n = 0; n < b.half; ++n)
        assert_true(re[n] == 7);
    assert_memory_equal(b.other, b.spectrum, (size_t)size * sizeof(float));
    bench_close(&b);
}

static void test_inverse(void **state) {
    (void)state;
    over_all(check_inverse, PN_RAFFT_MAX_SIZE);
}

/* In pieces, the root's columns and the parts' pieces cut in two at every place in turn: the same bits. */
static void check_pieces(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    size_t columns = pn_rafft_columns(b.fft), part = columns * 2 * (size_t)b.lanes, stride = part + 32;
    int parts = pn_rafft_parts(b.fft), pieces = pn_rafft_part_pieces(b.fft);
    assert_int_equal(part * (size_t)parts, (size_t)size);
    float *work = pn_alloc_floats(stride * (size_t)parts), *samples = b.back + 1;
    memcpy(samples, b.samples, (size_t)size * sizeof *samples);
    transform(&b, b.spectrum);
    pn_rafft_inverse(b.fft, b.spectrum, NULL, b.sum, b.scratch);
    for (int cut = 0; cut <= pieces; ++cut) {
        size_t column = columns * (size_t)cut / (size_t)(pieces + 1);
        pn_rafft_forward_top(b.fft, samples, samples + b.half, work, stride, column, columns - column);
        pn_rafft_forward_top(b.fft, samples, samples + b.half, work, stride, 0, column);
        for (int q = parts - 1; q >= 0; --q) {
            float *data = work + (size_t)q * stride;
            if (cut > 0)
                pn_rafft_forward_part(b.fft, q, data, 0, cut);
            if (cut < pieces)
                pn_rafft_forward_part(b.fft, q, data, cut, pieces);
            assert_memory_equal(data, b.spectrum + (size_t)q * part, part * sizeof *data);
            if (cut > 0)
                pn_rafft_inverse_part(b.fft, q, data, 0, cut);
            if (cut < pieces)
                pn_rafft_inverse_part(b.fft, q, data, cut, pieces);
        }
        pn_rafft_inverse_top(b.fft, work, stride, b.other + 1, 0, column);
        pn_rafft_inverse_top(b.fft, work, stride, b.other + 1, column, columns - column);
        assert_memory_equal(b.other + 1, b.sum, (size_t)b.half * sizeof(float));
    }
    pn_free(work);
    bench_close(&b);
}

static void test_pieces(void **state) {
    (void)state;
    over_all(check_pieces, 65536);
}

static void check_real_only(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    pn_rafft_forward(b.fft, b.samples, NULL, b.spectrum, b.scratch);
    memset(b.samples + b.half, 0, (size_t)b.half * sizeof(float));
    transform(&b, b.other);
    assert_memory_equal(b.other, b.spectrum, (size_t)size * sizeof(float));
    bench_close(&b);
}

static void test_real_only(void **state) {
    (void)state;
    over_all(check_real_only, 16384);
}

static void check_multiply_add(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    test_fill_noise(b.spectrum, (size_t)size, 1, 1);
    test_fill_noise(b.other, (size_t)size, 2, 1);
    test_fill_noise(b.sum, (size_t)size, 3, 1);
    double *expected = pn_alloc((size_t)size, sizeof *expected);
    for (int bin = 0; bin < b.half; ++bin) {
        size_t re = place(&b, bin), im = re + (size_t)b.lanes;
        double ar = (double)b.spectrum[re], ai = (double)b.spectrum[im];
        double br = (double)b.other[re], bi = (double)b.other[im];
        expected[re] = (double)b.sum[re] + ar * br - ai * bi;
        expected[im] = (double)b.sum[im] + ar * bi + ai * br;
    }
    pn_rafft_multiply_add(b.fft, b.sum, b.spectrum, b.other);
    double db = test_error_db_f64(b.sum, expected, (size_t)size);
    report("multiply", k, size, db);
    assert_below(db, -145);
    pn_free(expected);
    bench_close(&b);
}

static void test_multiply_add(void **state) {
    (void)state;
    over_all(check_multiply_add, 65536);
}

/* What rafft.h says that the factors are. */
static void make_ramp(const bench *b, double delay, float *ramp) {
    pn_rafft_ramp factors;
    pn_rafft_ramp_factors(b->fft, delay, &factors);
    for (int bin = 0; bin < b->half; ++bin) {
        int lane = bin % b->lanes;
        float re = factors.lane[lane], im = factors.lane[b->lanes + lane];
        for (int bit = 0; 1 << bit < b->half / b->lanes; ++bit) {
            if ((bin / b->lanes >> bit & 1) == 0)
                continue;
            float turned_re = re * factors.turn[bit][0] - im * factors.turn[bit][1];
            im = re * factors.turn[bit][1] + im * factors.turn[bit][0];
            re = turned_re;
        }
        ramp[place(b, bin)] = re;
        ramp[place(b, bin) + (size_t)b->lanes] = im;
    }
}

static double ramp_error_db(bench *b, double delay) {
    make_ramp(b, delay, b->spectrum);
    double error = 0;
    for (int bin = 0; bin < b->half; ++bin) {
        double turns = (0.25 + root_of(b, bin)) / b->half;
        pn_complex w = turned((turns > 0.5 ? turns - 1 : turns) * delay);
        size_t at = place(b, bin);
        error += pow((double)b->spectrum[at] - w.re, 2) +
                 pow((double)b->spectrum[at + (size_t)b->lanes] - w.im, 2);
    }
    return 10 * log10(error / b->half + 1e-40);
}

static void check_delay_ramp(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    const double delays[] = {0, 0.37, 17.25, -3.6, size / 3.0 + 0.1, size, -size};
    double worst = -400;
    for (size_t d = 0; d < sizeof delays / sizeof delays[0]; ++d)
        worst = fmax(worst, ramp_error_db(&b, delays[d]));
    report("ramp", k, size, worst);
    assert_below(worst, -125);
    bench_close(&b);
}

static void test_delay_ramp(void **state) {
    (void)state;
    over_all(check_delay_ramp, 16384);
    for (int k = 0; k < kind_count; ++k)
        check_delay_ramp(&kinds[k], 262144);
}

/* A delay of whole samples, by its ramp, moves the samples along; what leaves at the end comes back negated.
 */
static void check_delay_of_samples(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    int delay = size / 4 + 3;
    transform(&b, b.spectrum);
    make_ramp(&b, delay, b.other);
    pn_rafft_multiply_add(b.fft, b.sum, b.spectrum, b.other);
    pn_rafft_inverse(b.fft, b.sum, b.back, b.back + b.half, b.scratch);
    double *expected = pn_alloc((size_t)size, sizeof *expected);
    for (int n = 0; n < size; ++n) {
        double x = (double)b.samples[n] * b.half;
        expected[(n + delay) % size] = n + delay < size ? x : -x;
    }
    assert_below(test_error_db_f64(b.back, expected, (size_t)size), -125);
    pn_free(expected);
    bench_close(&b);
}

static void test_delay_of_samples(void **state) {
    (void)state;
    over_all(check_delay_of_samples, 4096);
}

/* Overlap-save: previous block, current block, a response of M + 1 taps; the imaginary half is the output. */
static void check_overlap_save(const kind *k, int size) {
    bench b;
    bench_open(&b, k, size);
    int m = b.half;
    float *taps = pn_alloc_floats((size_t)m + 1);
    test_fill_noise(taps, (size_t)m + 1, 99, 1);
    double *whole = pn_alloc((size_t)(3 * m + 1), sizeof *whole);
    test_convolve_exactly(b.samples, (size_t)size, taps, (size_t)m + 1, whole);
    transform(&b, b.spectrum);
    memcpy(b.back, taps, ((size_t)m + 1) * sizeof(float));
    memset(b.back + m + 1, 0, ((size_t)m - 1) * sizeof(float));
    pn_rafft_forward(b.fft, b.back, b.back + m, b.other, b.scratch);
    pn_rafft_multiply_add(b.fft, b.sum, b.spectrum, b.other);
    pn_rafft_inverse(b.fft, b.sum, NULL, b.back, b.scratch);
    for (int n = 0; n < m; ++n)
        b.back[n] /= (float)m;
    assert_below(test_error_db_f64(b.back, whole + m, (size_t)m), -130);
    pn_free(whole);
    pn_free(taps);
    bench_close(&b);
}

static void test_overlap_save(void **state) {
    (void)state;
    over_all(check_overlap_save, 32768);
}

static void test_refusals(void **state) {
    (void)state;
    pinna_error err;
    pn_rafft *fft;
    const int sizes[] = {0, -64, 32, 63, 96, 2097152};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; ++k) {
        assert_int_equal(pn_rafft_create(sizes[k], PN_SIMD_PLAIN, &fft, &err), PINNA_BAD_ARGUMENT);
        assert_null(fft);
        assert_non_null(strstr(err.text, "power of two"));
    }
    assert_int_equal(pn_rafft_create(64, (pn_simd)9, &fft, &err), PINNA_UNSUPPORTED);
    for (int k = 1; k <= 2; ++k) {
        pn_memory_fail_at(k);
        assert_int_equal(pn_rafft_create(512, PN_SIMD_PLAIN, &fft, &err), PINNA_NO_MEMORY);
        assert_null(fft);
    }
    pn_memory_fail_at(0);
    pn_rafft_free(NULL);
}

static void test_kind_by_environment(void **state) {
    (void)state;
    pn_simd list[4];
    int count = pn_simd_available(list);
    unsetenv("PINNA_SIMD");
    assert_int_equal(pn_simd_best(), list[count - 1]);
    for (int k = 0; k < count; ++k) {
        setenv("PINNA_SIMD", pn_simd_name(list[k]), 1);
        assert_int_equal(pn_simd_best(), list[k]);
    }
    setenv("PINNA_SIMD", "mmx", 1);
    assert_int_equal(pn_simd_best(), list[count - 1]);
    unsetenv("PINNA_SIMD");
}

static void test_block_path_allocates_nothing(void **state) {
    (void)state;
    bench b;
    bench_open(&b, &kinds[kind_count - 1], 1024);
    long before = pn_memory_count();
    transform(&b, b.spectrum);
    pn_rafft_ramp factors;
    pn_rafft_ramp_factors(b.fft, 1.5, &factors);
    pn_rafft_multiply_add(b.fft, b.sum, b.spectrum, b.other);
    pn_rafft_inverse(b.fft, b.sum, NULL, b.back, b.scratch);
    assert_int_equal(pn_memory_count(), before);
    bench_close(&b);
}

int main(int argc, char **argv) {
    pn_simd list[4];
    int available = pn_simd_available(list);
    for (int k = 0; k < available; ++k)
        kinds[kind_count++] = (kind){pn_simd_name(list[k]), list[k], NULL};
    kinds[kind_count++] = (kind){"lowered", PN_SIMD_PLAIN, &width_ops};
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_inverse),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_real_only),
        cmocka_unit_test(test_multiply_add),
        cmocka_unit_test(test_delay_ramp),
        cmocka_unit_test(test_delay_of_samples),
        cmocka_unit_test(test_overlap_save),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_kind_by_environment),
        cmocka_unit_test(test_block_path_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
