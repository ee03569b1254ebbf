// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Rate conversion against closed forms: a sine sampled at either rate. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "signal/resample.h"
#include "support.h"

static float *sine(size_t frames, double frequency, double rate) {
    float *out = pn_alloc_floats(frames);
    for (size_t n = 0; n < frames; ++n)
        out[n] = (float)(0.5 * sin(2 * PN_PI * frequency * (double)n / rate + 0.3));
    return out;
}

/* Amplitude and phase of the part of `x` at a frequency, by least squares over many periods of it. */
static void fit_sine(const float *x, size_t from, size_t to, double frequency, double rate, double *amplitude,
                     double *phase) {
    double s = 0, c = 0;
    for (size_t n = from; n < to; ++n) {
        double window = 0.5 - 0.5 * cos(2 * PN_PI * (double)(n - from) / (double)(to - from));
        double angle = 2 * PN_PI * frequency * (double)n / rate;
        s += window * (double)x[n] * sin(angle);
        c += window * (double)x[n] * cos(angle);
    }
    double scale = 4 / (double)(to - from);
    *amplitude = scale * hypot(s, c);
    *phase = atan2(c, s);
}

static void check_sine(double frequency, double from_rate, double to_rate) {
    enum { FRAMES = 20000 };
    pinna_error err;
    float *in = sine(FRAMES, frequency, from_rate), *out;
    size_t length;
    assert_ok(pn_resample(in, FRAMES, from_rate, to_rate, &out, &length, &err), &err);
    double amplitude, phase;
    fit_sine(out, length / 10, length * 9 / 10, frequency, to_rate, &amplitude, &phase);
    assert_below(fabs(20 * log10(amplitude / 0.5)), 0.01);
    double delay_us = (phase - 0.3) / (2 * PN_PI * frequency) * 1e6;
    assert_below(fabs(delay_us), 0.01);
    /* right frequency and nothing else: what is left after taking the sine away */
    double left = 0;
    for (size_t n = length / 10; n < length * 9 / 10; ++n)
        left += pow((double)out[n] - amplitude * sin(2 * PN_PI * frequency * (double)n / to_rate + phase), 2);
    left /= (double)(length * 8 / 10) * 0.125;
    assert_below(10 * log10(left), -140);

    pn_free(in);
    pn_free(out);
}

static void test_sine(void **state) {
    (void)state;
    check_sine(997, 44100, 48000);
    check_sine(15000, 44100, 48000);
    check_sine(997, 96000, 44100);
    check_sine(3001, 48000, 192000);
    check_sine(440, 8000, 48000);
}

static void test_length(void **state) {
    (void)state;
    assert_int_equal(pn_resample_length(44100, 44100, 48000), 48000);
    assert_int_equal(pn_resample_length(1, 44100, 48000), 1);
    assert_int_equal(pn_resample_length(0, 44100, 48000), 0);
    assert_int_equal(pn_resample_length(512, 44100, 48000), 557); /* 557.28 */
    assert_int_equal(pn_resample_length(512, 48000, 44100), 470); /* 470.4 */
    assert_int_equal(pn_resample_length(7, 48000, 48000), 7);
}

static size_t stream(pn_resampler *resampler, const float *in, size_t frames, int channels, size_t piece,
                     float *out, size_t room) {
    pinna_error err;
    size_t used, made, done = 0;
    while (frames > 0) {
        size_t take = frames < piece ? frames : piece;
        assert_ok(pn_resampler_process(resampler, in, take, &used, out + done * (size_t)channels,
                                       room - done < 100 ? room - done : 100, &made, &err),
                  &err);
        in += used * (size_t)channels;
        frames -= used;
        done += made;
        assert_true(used > 0 || made > 0);
    }
    do {
        assert_ok(pn_resampler_process(resampler, NULL, 0, &used, out + done * (size_t)channels, room - done,
                                       &made, &err),
                  &err);
        done += made;
    } while (made > 0);
    return done;
}

static void check_stream(double from_rate, double to_rate) {
    enum { FRAMES = 5000, ROOM = 12000 };
    static float in[2][FRAMES], interleaved[2 * FRAMES], out[2 * ROOM];
    pinna_error err;
    for (int c = 0; c < 2; ++c)
        test_fill_noise(in[c], FRAMES, (uint64_t)c, 0.5);
    for (int n = 0; n < 2 * FRAMES; ++n)
        interleaved[n] = in[n % 2][n / 2];
    pn_resampler *resampler;
    assert_ok(pn_resampler_create(2, from_rate, to_rate, &resampler, &err), &err);
    size_t made = stream(resampler, interleaved, FRAMES, 2, 37, out, ROOM);
    pn_resampler_free(resampler);
    assert_int_equal(made, pn_resample_length(FRAMES, from_rate, to_rate));
    for (size_t c = 0; c < 2; ++c) {
        float *whole;
        size_t length;
        assert_ok(pn_resample(in[c], FRAMES, from_rate, to_rate, &whole, &length, &err), &err);
        assert_int_equal(length, made);
        for (size_t n = 0; n < length; ++n)
            assert_true(whole[n] == out[2 * n + c]);
        pn_free(whole);
    }
}

static void test_stream_is_whole(void **state) {
    (void)state;
    check_stream(44100, 48000);
    check_stream(48000, 44100);
    check_stream(48000, 96000);
    check_stream(48000, 48000);
}

static void test_short_and_empty(void **state) {
    (void)state;
    pinna_error err;
    const float pulse = 1;
    float *out;
    size_t length;
    assert_ok(pn_resample(&pulse, 1, 48000, 96000, &out, &length, &err), &err);
    assert_int_equal(length, 2);
    assert_true(out[0] > 0.9f && out[0] < 1.1f);
    pn_free(out);
    assert_ok(pn_resample(&pulse, 0, 48000, 96000, &out, &length, &err), &err);
    assert_int_equal(length, 0);
    pn_free(out);
}

static void test_refusals(void **state) {
    (void)state;
    pinna_error err;
    const double bad[] = {0, -1, NAN, INFINITY, 4e9};
    pn_resampler *resampler;
    float *out;
    size_t length;
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; ++k) {
        assert_int_equal(pn_resampler_create(1, bad[k], 48000, &resampler, &err), PINNA_BAD_ARGUMENT);
        assert_null(resampler);
        assert_int_equal(pn_resample(&(float){1}, 1, 48000, bad[k], &out, &length, &err), PINNA_BAD_ARGUMENT);
        assert_null(out);
    }
    assert_int_equal(pn_resampler_create(0, 44100, 48000, &resampler, &err), PINNA_BAD_ARGUMENT);
    for (int k = 1; k <= 2; ++k) {
        pn_memory_fail_at(k);
        assert_int_equal(pn_resample(&(float){1}, 1, 44100, 48000, &out, &length, &err), PINNA_NO_MEMORY);
        assert_null(out);
    }
    pn_memory_fail_at(0);
    pn_resampler_free(NULL);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sine),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_stream_is_whole),
        cmocka_unit_test(test_short_and_empty),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
