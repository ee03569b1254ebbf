// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "mix/loudness.h"
#include "mix/pan.h"
#include "support.h"

enum { RATE = 48000, SECONDS = 5, FRAMES = RATE * SECONDS };

static float samples[FRAMES];
static const float *const stereo[] = {samples, samples};

static void fill_sine(double frequency, double gain, double phase) {
    for (int n = 0; n < FRAMES; ++n)
        samples[n] = (float)(gain * sin(2 * PN_PI * frequency * n / RATE + phase));
}

static pn_loudness_result measure(int channels, size_t frames) {
    pn_loudness *loudness;
    pn_loudness_result result;
    pinna_error err = {0};
    assert_ok(pn_loudness_create(channels, RATE, &loudness, &err), &err);
    for (size_t done = 0, n = 1; done < frames; done += n, n = 7 * n) {
        const float *at[] = {stereo[0] + done, stereo[1] + done};
        n = n < frames - done ? n : frames - done;
        assert_ok(pn_loudness_add(loudness, at, n, &err), &err);
    }
    assert_ok(pn_loudness_finish(loudness, &result, &err), &err);
    pn_loudness_free(loudness);
    return result;
}

/* EBU Tech 3341: a stereo sine of 1 kHz whose peaks are -23 dBFS in both channels measures -23 LUFS. */
static void test_loudness(void **state) {
    (void)state;
    fill_sine(1000, pow(10, -23.0 / 20), 0);
    pn_loudness_result result = measure(2, FRAMES);
    assert_below(fabs(result.integrated_lufs + 23), 0.05);
    assert_below(fabs(result.sample_peak_db + 23), 0.01);
    assert_below(fabs(measure(1, FRAMES).integrated_lufs + 26.01), 0.05);
}

/* A sine of a quarter of the rate, sampled 45 degrees off its peaks: the samples reach -3 dB, the wave 0 dB. EBU
 * Tech 3341 lets a true peak meter be off by +0.2 and -0.4 dB. */
static void test_true_peak(void **state) {
    (void)state;
    fill_sine(RATE / 4.0, 1, PN_PI / 4);
    pn_loudness_result result = measure(2, FRAMES);
    assert_below(fabs(result.sample_peak_db + 3.01), 0.01);
    assert_below(result.true_peak_dbtp, 0.2);
    assert_below(-result.true_peak_dbtp, 0.4);
}

/* The peak of the last samples is still inside the interpolator when the programme ends. */
static void test_true_peak_at_the_end(void **state) {
    (void)state;
    fill_sine(RATE / 4.0, 1, PN_PI / 4);
    memset(samples, 0, (RATE - 2) * sizeof *samples);
    pn_loudness_result result = measure(2, RATE);
    assert_true(result.true_peak_dbtp > result.sample_peak_db + 1);
}

static void test_silence(void **state) {
    (void)state;
    memset(samples, 0, sizeof samples);
    pn_loudness_result result = measure(2, FRAMES);
    assert_true(isinf(result.integrated_lufs) && result.integrated_lufs < 0);
    assert_true(isinf(result.true_peak_dbtp) && result.true_peak_dbtp < 0);
    result = measure(2, 0);
    assert_true(isinf(result.integrated_lufs) && isinf(result.sample_peak_db));
    fill_sine(1000, 0.5, 0);
    result = measure(2, 1000); /* shorter than a gating block */
    assert_true(isinf(result.integrated_lufs));
    assert_below(fabs(result.sample_peak_db + 6.02), 0.01);
}

static void test_meter_refuses(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_loudness *loudness;
    assert_int_equal(pn_loudness_create(0, RATE, &loudness, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(pn_loudness_create(2, 0, &loudness, &err), PINNA_BAD_ARGUMENT);
    pn_memory_fail_at(2);
    assert_int_equal(pn_loudness_create(2, RATE, &loudness, &err), PINNA_NO_MEMORY);
    pn_memory_fail_at(0);
    assert_null(loudness);
}

static void expect_gains(const double gain[2], double left, double right) {
    assert_below(fabs(gain[0] - left), 1e-12);
    assert_below(fabs(gain[1] - right), 1e-12);
}

static void test_pan_mono(void **state) {
    (void)state;
    double gain[2];
    static const double places[][3] = {/* degrees, left, right */
                                       {0, 0.70710678118654752, 0.70710678118654752},
                                       {90, 1, 0},
                                       {-90, 0, 1},
                                       {180, 0.70710678118654752, 0.70710678118654752},
                                       {30, 0.86602540378443865, 0.5},
                                       {150, 0.86602540378443865, 0.5},
                                       {-30, 0.5, 0.86602540378443865},
                                       {330, 0.5, 0.86602540378443865}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; ++i) {
        pn_pan_mono(pn_radians(places[i][0]), gain);
        expect_gains(gain, places[i][1], places[i][2]);
    }
    for (int degree = -720; degree <= 720; ++degree) {
        pn_pan_mono(pn_radians(degree), gain);
        assert_below(fabs(gain[0] * gain[0] + gain[1] * gain[1] - 1), 1e-12);
    }
}

static void test_pan_stereo(void **state) {
    (void)state;
    double gain[2];
    pn_pan_stereo(0, gain);
    expect_gains(gain, 1, 1);
    pn_pan_stereo(pn_radians(90), gain);
    expect_gains(gain, 1, 0);
    pn_pan_stereo(pn_radians(30), gain);
    expect_gains(gain, 1, 0.70710678118654752);
    pn_pan_stereo(pn_radians(-150), gain);
    expect_gains(gain, 0.70710678118654752, 1);
}

static void test_decibels(void **state) {
    (void)state;
    assert_below(fabs(pn_db_to_gain(-20) - 0.1), 1e-15);
    assert_true(pn_db_to_gain(0) == 1);
    assert_true(pn_db_to_gain(-INFINITY) == 0);
    assert_below(fabs(pn_gain_to_db(10) - 20), 1e-12);
    assert_true(isinf(pn_gain_to_db(0)) && isinf(pn_gain_to_db(-1)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loudness),
        cmocka_unit_test(test_true_peak),
        cmocka_unit_test(test_true_peak_at_the_end),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_meter_refuses),
        cmocka_unit_test(test_pan_mono),
        cmocka_unit_test(test_pan_stereo),
        cmocka_unit_test(test_decibels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
