// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The transforms alone, every size, against sums in float64 at a few bins and samples. */
#include <math.h>
#include <string.h>

#include "opencl_each.h"

#include "device/opencl_transform.h"
#include "device/ops.h"

enum { PROBES = 24, ROWS = 3 };

/* Bins looked at, the last one first: each is a sum over the whole transform. */
static int probes(int points) {
    return points > 65536 ? 3 : points > 4096 ? 8 : PROBES;
}

static const double BOUND_DB = -125;

typedef struct {
    int points, tiles;
    cl_command_queue queue;
    pn_opencl_transform transform;
    cl_mem in, out;
    float *time, *spectra; /* [row][2M], [row][tile][re | im] */
} bench;

static const pn_opencl *device(void) {
    return (const pn_opencl *)backend;
}

static void open_bench(bench *b, int points) {
    pinna_error err = {0};
    size_t floats = 2 * (size_t)points * ROWS;
    *b = (bench){.points = points, .tiles = points / PN_TILE};
    assert_ok(pn_opencl_queue_create(device(), &b->queue, &err), &err);
    assert_ok(pn_opencl_transform_create(device(), b->queue, points, ROWS, &b->transform, &err), &err);
    assert_ok(pn_opencl_buffer_create(device(), "in", floats, &b->in, &err), &err);
    assert_ok(pn_opencl_buffer_create(device(), "out", floats, &b->out, &err), &err);
    b->time = pn_alloc_floats(floats);
    b->spectra = pn_alloc_floats(floats);
    test_fill_noise(b->time, floats, (uint64_t)points, 1);
    test_fill_noise(b->spectra, floats, (uint64_t)points + 1, 1);
}

static void close_bench(bench *b) {
    pn_free(b->time);
    pn_free(b->spectra);
    pn_opencl_buffer_release(&b->in);
    pn_opencl_buffer_release(&b->out);
    pn_opencl_transform_release(&b->transform);
    pn_opencl_queue_release(&b->queue);
}

/* Number of the frequency that stands at a bin of the tree: ops.h counts them in natural order. */
static int natural(int points, int bin) {
    int reversed = 0;
    for (int bit = 1; bit < points; bit *= 2)
        reversed = 2 * reversed + (bin & bit ? 1 : 0);
    return reversed;
}

static void bin_of(const double *x, int points, int bin, double at[2]) {
    double f = pn_ops_frequency(2 * points, natural(points, bin));
    at[0] = at[1] = 0;
    for (int n = 0; n < 2 * points; ++n) {
        double turn = fmod(f * n, 1.0) * 2 * 3.14159265358979323846;
        at[0] += x[n] * cos(turn);
        at[1] -= x[n] * sin(turn);
    }
}

static void check_forward(bench *b, int row, bool with_im) {
    int count = probes(b->points);
    float got[2 * PROBES];
    double expected[2 * PROBES];
    double *x = pn_alloc(2 * (size_t)b->points, sizeof *x);
    for (int n = 0; n < 2 * b->points; ++n)
        x[n] =
            n < b->points || with_im ? (double)b->time[(size_t)row * 2 * (size_t)b->points + (size_t)n] : 0;
    for (int i = 0; i < count; ++i) {
        int bin = i == 0 ? b->points - 1 : (int)((long)i * 2654435 % b->points);
        size_t vector = (size_t)row * (size_t)b->tiles + (size_t)bin / PN_TILE;
        got[2 * i] = b->spectra[vector * PN_VECTOR + (size_t)bin % PN_TILE];
        got[2 * i + 1] = b->spectra[vector * PN_VECTOR + PN_TILE + (size_t)bin % PN_TILE];
        bin_of(x, b->points, bin, expected + 2 * i);
    }
    pn_free(x);
    assert_below(test_error_db_f64(got, expected, 2 * (size_t)count), BOUND_DB);
}

static void forward_is_the_definition(void **state) {
    (void)state;
    for (int points = 32; points <= 524288; points *= points < 8192 ? 2 : 8) {
        bench b;
        pinna_error err = {0};
        open_bench(&b, points);
        size_t floats = 2 * (size_t)points * ROWS;
        assert_ok(pn_opencl_write(device(), b.queue, b.in, 0, b.time, floats, &err), &err);
        for (int with_im = 0; with_im < 2; ++with_im) {
            const pn_opencl_forward forward = {.in = b.in,
                                               .in_row = 2 * points,
                                               .in_im = with_im ? points : -1,
                                               .out = b.out,
                                               .out_row = (uint32_t)b.tiles,
                                               .out_tile = 1};
            assert_ok(pn_opencl_transform_forward(device(), b.queue, &b.transform, &forward, ROWS, &err),
                      &err);
            assert_ok(pn_opencl_read(device(), b.queue, b.out, b.spectra, floats, NULL, &err), &err);
            assert_ok(pn_opencl_finish(device(), b.queue, &err), &err);
            check_forward(&b, with_im ? ROWS - 1 : 0, with_im);
        }
        close_bench(&b);
    }
}

/* One sample of the imaginary part: (sum over bins of Z[k] e(f[k] n)).im, not divided by M. */
static double sample_of(const bench *b, int row, int n) {
    double sum = 0;
    for (int bin = 0; bin < b->points; ++bin) {
        size_t vector = (size_t)row * (size_t)b->tiles + (size_t)bin / PN_TILE;
        const float *z = b->spectra + vector * PN_VECTOR + (size_t)bin % PN_TILE;
        double f = pn_ops_frequency(2 * b->points, natural(b->points, bin));
        double turn = fmod(f * n, 1.0) * 2 * 3.14159265358979323846;
        sum += (double)z[0] * sin(turn) + (double)z[PN_TILE] * cos(turn);
    }
    return sum;
}

static void check_inverse(const bench *b, int row, int keep) {
    int count = probes(b->points);
    float got[PROBES];
    double expected[PROBES];
    for (int i = 0; i < count; ++i) {
        int n = i == 0 ? keep - 1 : (int)((long)i * 2654435 % keep);
        got[i] = b->time[row * keep + n];
        expected[i] = sample_of(b, row, b->points - keep + n);
    }
    assert_below(test_error_db_f64(got, expected, (size_t)count), BOUND_DB);
}

static void inverse_is_the_definition(void **state) {
    (void)state;
    for (int points = 32; points <= 524288; points *= points < 8192 ? 2 : 8) {
        bench b;
        pinna_error err = {0};
        open_bench(&b, points);
        assert_ok(pn_opencl_write(device(), b.queue, b.in, 0, b.spectra, 2 * (size_t)points * ROWS, &err),
                  &err);
        for (int keep = points; keep >= points / 2; keep /= 2) {
            assert_ok(
                pn_opencl_transform_inverse(device(), b.queue, &b.transform, b.in, b.out, keep, ROWS, &err),
                &err);
            assert_ok(pn_opencl_read(device(), b.queue, b.out, b.time, (size_t)keep * ROWS, NULL, &err),
                      &err);
            assert_ok(pn_opencl_finish(device(), b.queue, &err), &err);
            check_inverse(&b, ROWS - 1, keep);
        }
        close_bench(&b);
    }
}

static void size_beyond_the_device_is_refused(void **state) {
    (void)state;
    cl_mem buffer = NULL;
    pinna_error err = {0};
    assert_int_equal(
        pn_opencl_buffer_create(device(), "spectra of the responses", SIZE_MAX / 8, &buffer, &err),
        PINNA_NO_MEMORY);
    assert_null(buffer);
    assert_non_null(strstr(err.text, "spectra of the responses"));
    assert_non_null(strstr(err.text, " MB"));
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_the_definition),
        cmocka_unit_test(inverse_is_the_definition),
        cmocka_unit_test(size_beyond_the_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void) {
    return run_on_each_device(run);
}
