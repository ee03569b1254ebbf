// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Generators against what their names promise: closed forms where there are any, else statistics over many samples
 * with bounds of at least five standard deviations. */
#include "render/generator.h"
#include "render_support.h"

enum { RATE = 48000, LONG = 1 << 18 };

static pn_generator_run *start(pn_generator_kind kind, double frequency, double level_db, uint64_t frames) {
    pn_generator generator = {.kind = kind,
                              .frequency = frequency,
                              .frequency_end = 20000,
                              .duration = -1,
                              .level_db = level_db,
                              .seed = 7};
    pn_generator_run *run = NULL;
    pinna_error err = {0};
    assert_ok(pn_generator_run_create(&generator, RATE, frames, &run, &err), &err);
    return run;
}

/* In portions of odd sizes, as nothing may depend on them. */
static float *make(pn_generator_kind kind, double frequency, double level_db, uint64_t frames, size_t count) {
    static const size_t sizes[] = {1, 256, 37, 1000, 4096, 3};
    pn_generator_run *run = start(kind, frequency, level_db, frames);
    float *out = malloc(count * sizeof *out);
    assert_non_null(out);
    for (size_t at = 0, k = 0; at < count; ++k) {
        size_t portion = sizes[k % 6] < count - at ? sizes[k % 6] : count - at;
        pn_generator_run_make(run, out + at, portion);
        at += portion;
    }
    pn_generator_run_free(run);
    return out;
}

static void sine_is_the_closed_form(void **state) {
    (void)state;
    const double frequency = 997.3;
    float *x = make(PN_GENERATOR_SINE, frequency, -12, UINT64_MAX, LONG);
    double *expected = malloc(LONG * sizeof *expected);
    assert_non_null(expected);
    for (int n = 0; n < LONG; ++n)
        expected[n] = test_db(-12) * sin(fmod(2 * PN_PI * frequency * n / RATE, 2 * PN_PI));
    assert_below(test_error_db_f64(x + 241, expected + 241, LONG - 241), -130);
    free(expected);
    free(x);
}

static void tones_fade_at_both_ends_and_stop(void **state) {
    (void)state;
    static const pn_generator_kind kinds[] = {PN_GENERATOR_SINE, PN_GENERATOR_NOISE, PN_GENERATOR_PINK};
    enum { FRAMES = 4800, FADE = 240 };
    for (int k = 0; k < 3; ++k) {
        float *faded = make(kinds[k], 1000, -6, FRAMES, FRAMES + 500);
        float *endless = make(kinds[k], 1000, -6, UINT64_MAX, FRAMES + 500);
        assert_true(test_peak(faded, 12) < 0.02 * test_peak(endless + 4000, 800));
        assert_true(test_peak(faded + FRAMES - 12, 12) < 0.02 * test_peak(endless + 4000, 800));
        assert_memory_equal(faded, endless, (FRAMES - FADE) * sizeof(float));
        for (int n = FRAMES - FADE; n < FRAMES; ++n)
            assert_true(fabsf(faded[n]) <= fabsf(endless[n]));
        assert_true(test_peak(faded + FRAMES, 500) == 0);
        free(endless);
        free(faded);
    }
}

/* Power per octave from 62.5 Hz on, dB, mean of the density when `density`. */
static void octaves(const float *x, bool density, double out[8]) {
    pn_fft *fft = NULL;
    pinna_error err = {0};
    assert_ok(pn_fft_create(LONG, &fft, &err), &err);
    pn_complex *z = calloc(LONG, sizeof *z);
    assert_non_null(z);
    for (int n = 0; n < LONG; ++n)
        z[n].re = (double)x[n];
    pn_fft_forward(fft, z);
    for (int o = 0; o < 8; ++o) {
        int low = (int)(62.5 * (1 << o) * LONG / RATE), high = 2 * low;
        double sum = 0;
        for (int k = low; k < high; ++k)
            sum += z[k].re * z[k].re + z[k].im * z[k].im;
        out[o] = 10 * log10(density ? sum / (high - low) : sum);
    }
    free(z);
    pn_fft_free(fft);
}

/* dB per octave, least squares. */
static double slope(const double y[8]) {
    double sum = 0;
    for (int o = 0; o < 8; ++o)
        sum += (o - 3.5) * y[o];
    return sum / 42;
}

static void noise_is_white_and_at_its_level(void **state) {
    (void)state;
    float *x = make(PN_GENERATOR_NOISE, 0, -20, UINT64_MAX, LONG);
    double rms = test_rms(x + 240, LONG - 240), power[8];
    assert_true(fabs(20 * log10(rms) + 20) < 0.05);
    octaves(x, true, power);
    assert_true(fabs(slope(power)) < 0.2);
    for (int lag = 1; lag <= 32; ++lag) {
        double sum = 0;
        for (int n = 240; n < LONG - lag; ++n)
            sum += (double)x[n] * (double)x[n + lag];
        assert_true(fabs(sum / (LONG * rms * rms)) < 5 / sqrt(LONG));
    }
    free(x);
}

static void pink_falls_3_db_an_octave(void **state) {
    (void)state;
    float *x = make(PN_GENERATOR_PINK, 0, -20, UINT64_MAX, LONG);
    assert_true(fabs(20 * log10(test_rms(x + 240, LONG - 240)) + 20) < 0.3);
    double density[8], power[8];
    octaves(x, true, density);
    assert_true(fabs(slope(density) + 10 * log10(2)) < 0.2);
    octaves(x, false, power);
    for (int o = 0; o < 8; ++o)
        assert_true(fabs(power[o] - power[7]) < 1.2);
    free(x);
}

static void impulses_stand_where_they_should(void **state) {
    (void)state;
    float *one = make(PN_GENERATOR_IMPULSE, 0, -6, UINT64_MAX, RATE);
    assert_true(fabs((double)one[0] - test_db(-6)) < 1e-7);
    assert_true(test_peak(one + 1, RATE - 1) == 0);
    free(one);
    /* 7 Hz does not divide the rate: each impulse stands on the first sample at or after its time. */
    static const double frequencies[] = {100, 7, 480.5};
    for (int f = 0; f < 3; ++f) {
        float *train = make(PN_GENERATOR_IMPULSE, frequencies[f], 0, UINT64_MAX, RATE);
        int count = 0;
        for (int n = 0; n < RATE; ++n) {
            if (train[n] == 0)
                continue;
            assert_true(train[n] == 1);
            assert_int_equal(n, (int)ceil(count * RATE / frequencies[f] - 1e-9));
            ++count;
        }
        assert_int_equal(count, (int)ceil(frequencies[f] - 1e-9));
        free(train);
    }
}

/* From one upward zero crossing to the next a sweep makes one turn: the mean frequency in between. */
static void sweep_rises_exponentially(void **state) {
    (void)state;
    enum { FRAMES = 4 * RATE };
    float *x = make(PN_GENERATOR_SWEEP, 50, -3, FRAMES, FRAMES + 100);
    double last = -1, worst = 0;
    int turns = 0;
    for (int n = 300; n < FRAMES - 300; ++n) {
        if (!(x[n] < 0 && x[n + 1] >= 0))
            continue;
        double at = n + (double)x[n] / ((double)x[n] - (double)x[n + 1]);
        double expected = 50 * pow(20000.0 / 50, 0.5 * (at + last) / FRAMES);
        if (last > 0 && expected < 4000) {
            worst = fmax(worst, fabs(RATE / (at - last) / expected - 1));
            ++turns;
        }
        last = at;
    }
    assert_true(turns > 1000);
    assert_below(worst, 0.01);
    /* Whole turns: the integral of the frequency over the sweep. */
    double total = 0;
    for (int n = 1; n < FRAMES; ++n)
        total += (x[n - 1] < 0) != (x[n] < 0) ? 0.5 : 0;
    assert_true(fabs(total - (20000 - 50) / log(20000.0 / 50) * 4) < 3);
    assert_true(fabs(test_peak(x, FRAMES) - test_db(-3)) < 1e-3);
    assert_true(test_peak(x + FRAMES, 100) == 0);
    free(x);
}

static double correlation_at(const float *x, double lag) {
    int whole = (int)lag;
    double sum = 0;
    for (int n = 0; n < RATE / 4; ++n)
        sum += (double)x[n] * (double)x[n + whole];
    return sum;
}

/* The mean period over many: the peak of the autocorrelation near 16 periods, by a parabola through three lags. */
static double pitch_of(const float *x, double near) {
    enum { PERIODS = 16 };
    int from = (int)(0.98 * PERIODS * RATE / near), to = (int)(1.02 * PERIODS * RATE / near) + 1, best = from;
    for (int lag = from; lag <= to; ++lag)
        best = correlation_at(x, lag) > correlation_at(x, best) ? lag : best;
    double a = correlation_at(x, best - 1), b = correlation_at(x, best), c = correlation_at(x, best + 1);
    return PERIODS * RATE / (best + 0.5 * (a - c) / (a - 2 * b + c));
}

static void pluck_is_in_tune_and_at_its_level(void **state) {
    (void)state;
    static const double notes[] = {55, 110, 220, 261.63, 440, 659.26, 1318.5};
    for (int k = 0; k < 7; ++k) {
        float *x = make(PN_GENERATOR_PLUCK, notes[k], -12, UINT64_MAX, RATE);
        double pitch = pitch_of(x + 4800, notes[k]);
        if (fabs(pitch / notes[k] - 1) > 0.002)
            fail_msg("a string of %g Hz sounds at %g Hz", notes[k], pitch);
        assert_true(fabs(20 * log10(test_peak(x, RATE)) + 12) < 0.1);
        assert_true(test_rms(x + 36000, 4800) < 0.7 * test_rms(x, 4800));
        assert_true(test_rms(x + 36000, 4800) > 0);
        free(x);
    }
}

static void runs_repeat_and_seeds_differ(void **state) {
    (void)state;
    for (int kind = PN_GENERATOR_SINE; kind <= PN_GENERATOR_PLUCK; ++kind) {
        float *a = make((pn_generator_kind)kind, 300, -12, 9600, 9600);
        float *b = make((pn_generator_kind)kind, 300, -12, 9600, 9600);
        assert_memory_equal(a, b, 9600 * sizeof(float));
        free(b);
        free(a);
    }
    pn_generator noise = {.kind = PN_GENERATOR_NOISE, .seed = 1};
    float x[2][512];
    double product = 0, power = 0;
    for (uint64_t seed = 1; seed <= 2; ++seed) {
        pn_generator_run *run = NULL;
        noise.seed = seed;
        assert_ok(pn_generator_run_create(&noise, RATE, UINT64_MAX, &run, NULL), NULL);
        pn_generator_run_make(run, x[seed - 1], 512);
        pn_generator_run_free(run);
    }
    for (int n = 0; n < 512; ++n) {
        product += (double)x[0][n] * (double)x[1][n];
        power += (double)x[0][n] * (double)x[0][n];
    }
    assert_true(fabs(product) < 0.25 * power);
}

static void bad_memory_is_told(void **state) {
    (void)state;
    pn_generator pluck = {.kind = PN_GENERATOR_PLUCK, .frequency = 100, .seed = 1};
    for (long k = 1; k <= 2; ++k) {
        pn_generator_run *run = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(k);
        assert_int_equal(pn_generator_run_create(&pluck, RATE, 100, &run, &err), PINNA_NO_MEMORY);
        pn_memory_fail_at(0);
        assert_null(run);
    }
    pn_generator_run_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sine_is_the_closed_form),
        cmocka_unit_test(tones_fade_at_both_ends_and_stop),
        cmocka_unit_test(noise_is_white_and_at_its_level),
        cmocka_unit_test(pink_falls_3_db_an_octave),
        cmocka_unit_test(impulses_stand_where_they_should),
        cmocka_unit_test(sweep_rises_exponentially),
        cmocka_unit_test(pluck_is_in_tune_and_at_its_level),
        cmocka_unit_test(runs_repeat_and_seeds_differ),
        cmocka_unit_test(bad_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
