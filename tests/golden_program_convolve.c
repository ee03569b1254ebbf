// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exact_convolution.h"
#include "io/audio_file.h"

/* `pinna convolve` through files, against convolution in double precision, on the CPU and, where there is one, on an
 * OpenCL device. */

enum { MOST = 4 };

typedef struct {
    float *channel[MOST];
    int channels;
    size_t frames;
} signal_set;

static signal_set make(const char *name, int channels, size_t frames, uint64_t seed, double decay) {
    signal_set s = {.channels = channels, .frames = frames};
    for (int c = 0; c < channels; ++c) {
        s.channel[c] = pn_alloc_floats(frames);
        test_fill_noise(s.channel[c], frames, seed + (uint64_t)c, 0.5);
        for (size_t n = 0; n < frames; ++n)
            s.channel[c][n] *= (float)exp(-decay * (double)n / (double)frames);
    }
    pinna_error err = {0};
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = channels, .rate = 48000, .encoding = PN_ENCODING_F32};
    assert_ok(pn_audio_writer_open(test_path(name), &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, (const float *const *)s.channel, frames, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
    return s;
}

static void drop(signal_set *s) {
    for (int c = 0; c < s->channels; ++c)
        pn_free(s->channel[c]);
}

static pn_audio load(const char *path) {
    pn_audio audio;
    pinna_error err = {0};
    assert_ok(pn_audio_load(path, 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
    return audio;
}

/* out[o] = sum over inputs i of in[i] * ir[route[i][o]]; -1 = nothing. */
typedef struct {
    int inputs, responses, outputs;
    int route[MOST][MOST];
} layout;

static const layout mono_for_all = {2, 1, 2, {{0, -1}, {-1, 0}}};
static const layout by_channel = {3, 3, 3, {{0, -1, -1}, {-1, 1, -1}, {-1, -1, 2}}};
static const layout one_to_many = {1, 4, 4, {{0, 1, 2, 3}}};
static const layout true_stereo = {2, 4, 2, {{0, 1}, {2, 3}}};

static void check(const char *device, double bound, const layout *l, size_t in_frames, size_t ir_frames) {
    signal_set in = make("in.wav", l->inputs, in_frames, 1, 0);
    signal_set ir = make("ir.wav", l->responses, ir_frames, 100, 5);
    size_t frames = in_frames + ir_frames - 1;
    test_run run;
    if (test_program(&run, "convolve in.wav ir.wav -o out.wav --quiet --device %s", device) != 0)
        fail_msg("%s", run.err);
    pn_audio out = load(test_path("out.wav"));
    assert_true(out.is_float); /* as IN is */
    assert_int_equal(out.channels, l->outputs);
    assert_int_equal(out.frames, frames);
    double *wanted = pn_alloc(frames, sizeof *wanted);
    for (int o = 0; o < l->outputs; ++o) {
        memset(wanted, 0, frames * sizeof *wanted);
        for (int i = 0; i < l->inputs; ++i) {
            if (l->route[i][o] >= 0)
                test_add_convolved(wanted, frames, 0, in.channel[i], in_frames, ir.channel[l->route[i][o]],
                                   ir_frames, 1);
        }
        assert_below(test_error_db_f64(out.channel[o], wanted, frames), bound);
    }
    pn_free(wanted);
    pn_audio_clear(&out);
    drop(&in);
    drop(&ir);
}

static void check_device(const char *device, double bound) {
    check(device, bound, &mono_for_all, 10000, 1);
    check(device, bound, &mono_for_all, 1, 2);
    check(device, bound, &mono_for_all, 30000, 4097);
    check(device, bound, &by_channel, 20000, 20001);
    check(device, bound, &one_to_many, 20000, 3000);
    check(device, bound, &true_stereo, 50000, 48000);
    check(device, bound, &true_stereo, 5, 70000);
    check(device, bound, &mono_for_all, 100000, 480000);
}

static void test_cpu(void **state) {
    (void)state;
    check_device("cpu", -125);
}

static void test_opencl(void **state) {
    (void)state;
    make("in.wav", 1, 100, 1, 0);
    test_run run;
    if (test_program(&run, "convolve in.wav in.wav -o probe.wav --quiet --device opencl") != 0) {
        print_message("no OpenCL device: %s", run.err);
        skip();
    }
    check_device("opencl", -115);
}

/* Same samples for any number of threads, also when the blocks are cut by an exchange or kept for a second pass. */
static void test_threads(void **state) {
    (void)state;
    static const char *const options[] = {"", "--swap ir2.wav@0.31", "--normalize --encoding pcm16"};
    signal_set in = make("in.wav", 3, 40000, 1, 0), ir = make("ir.wav", 3, 9000, 2, 4);
    signal_set second = make("ir2.wav", 1, 5000, 3, 4);
    test_run run;
    for (size_t o = 0; o < sizeof options / sizeof options[0]; ++o) {
        for (int threads = 1; threads <= 4; ++threads) {
            assert_int_equal(test_program(&run,
                                          "convolve in.wav ir.wav -o %d.wav --device cpu --threads %d %s",
                                          threads, threads, options[o]),
                             0);
            assert_int_equal(test_shell(&run, "cmp 1.wav %d.wav", threads), 0);
        }
    }
    drop(&in);
    drop(&ir);
    drop(&second);
}

static void test_wet_and_dry(void **state) {
    (void)state;
    signal_set in = make("in.wav", 2, 12000, 1, 0), ir = make("ir.wav", 4, 5000, 2, 4);
    test_run run;
    assert_int_equal(test_program(&run, "convolve in.wav ir.wav -o out.wav --wet -6 --dry=-3 --device cpu"),
                     0);
    pn_audio out = load(test_path("out.wav"));
    double *wanted = pn_alloc(out.frames, sizeof *wanted), wet = pow(10, -0.3), dry = pow(10, -0.15);
    for (int o = 0; o < 2; ++o) {
        memset(wanted, 0, out.frames * sizeof *wanted);
        for (size_t n = 0; n < 12000; ++n)
            wanted[n] = dry * in.channel[o][n];
        for (int i = 0; i < 2; ++i)
            test_add_convolved(wanted, out.frames, 0, in.channel[i], 12000, ir.channel[2 * i + o], 5000, wet);
        assert_below(test_error_db_f64(out.channel[o], wanted, out.frames), -120);
    }
    pn_free(wanted);
    pn_audio_clear(&out);
    drop(&in);
    drop(&ir);
}

/* From 0.5 s on, over 20 ms, frame k of the fade has (k + 1) / 961 of the new response. */
static void check_swap(double time_s, size_t second_frames) {
    signal_set in = make("in.wav", 1, 60000, 1, 0), ir = make("ir.wav", 1, 9000, 2, 4);
    signal_set other = make("ir2.wav", 1, second_frames, 3, 4);
    test_run run;
    if (test_program(&run, "convolve in.wav ir.wav -o out.wav --swap ir2.wav@%.9g --device cpu", time_s) != 0)
        fail_msg("%s", run.err);
    pn_audio out = load(test_path("out.wav"));
    size_t longer = second_frames > 9000 ? second_frames : 9000, at = (size_t)lround(time_s * 48000);
    assert_int_equal(out.frames, 60000 + longer - 1);
    double *old = pn_alloc(out.frames, sizeof *old), *new = pn_alloc(out.frames, sizeof *new);
    test_add_convolved(old, out.frames, 0, in.channel[0], 60000, ir.channel[0], 9000, 1);
    test_add_convolved(new, out.frames, 0, in.channel[0], 60000, other.channel[0], second_frames, 1);
    for (size_t n = at; n < out.frames; ++n) {
        double share = fmin(1, (double)(n - at + 1) / 961);
        old[n] += share * (new[n] - old[n]);
    }
    assert_below(test_error_db_f64(out.channel[0], old, out.frames), -120);
    pn_free(old);
    pn_free(new);
    pn_audio_clear(&out);
    drop(&in);
    drop(&ir);
    drop(&other);
}

static void test_swap(void **state) {
    (void)state;
    check_swap(0.5, 9000);
    check_swap(0, 1);
    check_swap(12345 / 48000.0, 30000);
}

static void test_normalize(void **state) {
    (void)state;
    signal_set in = make("in.wav", 2, 30000, 1, 0), ir = make("ir.wav", 1, 5000, 2, 4);
    test_run run;
    assert_int_equal(test_program(&run, "convolve in.wav ir.wav -o plain.wav --device cpu"), 0);
    assert_int_equal(test_program(&run, "convolve in.wav ir.wav -o norm.wav --normalize --device cpu"), 0);
    pn_audio plain = load(test_path("plain.wav")), norm = load(test_path("norm.wav"));
    assert_int_equal(norm.frames, plain.frames);
    double peak = 0, before = 0;
    for (int c = 0; c < 2; ++c) {
        for (size_t n = 0; n < norm.frames; ++n) {
            peak = fmax(peak, fabs((double)norm.channel[c][n]));
            before = fmax(before, fabs((double)plain.channel[c][n]));
        }
    }
    assert_below(fabs(20 * log10(peak) + 1), 0.0001);
    for (size_t n = 0; n < plain.frames; ++n)
        plain.channel[1][n] *= (float)(peak / before);
    assert_below(test_error_db(norm.channel[1], plain.channel[1], norm.frames), -130);
    pn_audio_clear(&plain);
    pn_audio_clear(&norm);
    drop(&in);
    drop(&ir);
}

/* Third-party results: the full convolution divided by its joint peak, in 16 bits. Their peak was scaled to 32767,
 * and they were cut, not rounded: the error of that is uniform in one step, 4.8 dB above rounding's. */
static void check_known_answer(const char *data, const char *response, const char *golden) {
    char line[1024];
    snprintf(line, sizeof line, "%s/dry/%s", data, golden);
    pn_audio wanted = load(line);
    test_run run;
    if (test_program(
            &run, "convolve '%s/dry/speech_xmas_mono.wav' '%s/irs/%s' -o out.wav --encoding f64 --device cpu",
            data, data, response) != 0)
        fail_msg("%s", run.err);
    pn_audio out = load(test_path("out.wav"));
    assert_int_equal(out.channels, wanted.channels);
    assert_int_equal(out.frames, wanted.frames);
    double peak = 0, worst = 0;
    for (int c = 0; c < out.channels; ++c) {
        for (size_t n = 0; n < out.frames; ++n)
            peak = fmax(peak, fabs((double)out.channel[c][n]));
    }
    for (int c = 0; c < out.channels; ++c) {
        for (size_t n = 0; n < out.frames; ++n) {
            double mine = out.channel[c][n] / peak * 32767;
            worst = fmax(worst, fabs(mine - (double)wanted.channel[c][n] * 32768));
        }
    }
    assert_below(worst, 1.01);
    pn_audio_clear(&out);
    pn_audio_clear(&wanted);
}

static void test_known_answers(void **state) {
    (void)state;
    const char *data = test_data_folder();
    if (data == NULL)
        skip();
    check_known_answer(data, "seminar_rir_clap_mono.wav", "GOLDEN_xmas_conv_rir_clap.wav");
    check_known_answer(data, "seminar_brir_clap_kemar.wav", "GOLDEN_xmas_conv_brir_clap.wav");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu),           cmocka_unit_test(test_opencl), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_wet_and_dry),   cmocka_unit_test(test_swap),   cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_known_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
