// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/audio_file.h"
#include "io/wav.h"
#include "json_support.h"

/* `pinna convolve` as people meet it: what it says, what it refuses, what it leaves on disk. */

static void make(const char *name, int channels, double rate, size_t frames, pn_encoding encoding,
                 double gain) {
    static float samples[100000];
    const float *rows[16];
    test_fill_noise(samples, frames, 7, gain);
    for (int c = 0; c < channels; ++c)
        rows[c] = samples;
    pinna_error err = {0};
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = channels, .rate = rate, .encoding = encoding};
    assert_ok(pn_audio_writer_open(test_path(name), &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, rows, frames, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
}

static int make_inputs(void **state) {
    (void)state;
    make("mono.wav", 1, 48000, 5000, PN_ENCODING_PCM16, 0.1);
    make("stereo.wav", 2, 48000, 5000, PN_ENCODING_F32, 0.1);
    make("five.wav", 5, 48000, 5000, PN_ENCODING_PCM16, 0.1);
    make("ir.wav", 1, 48000, 300, PN_ENCODING_F32, 0.1);
    make("ir2.wav", 2, 48000, 300, PN_ENCODING_F32, 0.1);
    make("ir3.wav", 3, 48000, 300, PN_ENCODING_F32, 0.1);
    make("ir44.wav", 1, 44100, 300, PN_ENCODING_F32, 0.1);
    make("loud.wav", 1, 48000, 300, PN_ENCODING_F32, 1);
    return 0;
}

/* Fails with `status`, tells `word` in one line, and leaves no output. */
static void refuse(int status, const char *word, const char *arguments) {
    test_run run;
    test_program(&run, "convolve --device cpu %s", arguments);
    const char *end = strchr(run.err, '\n');
    if (run.status != status || strstr(run.err, word) == NULL || run.out[0] != '\0' || end == NULL ||
        end[1] != '\0')
        fail_msg("%s: status %d, expected %d and '%s': %s%s", arguments, run.status, status, word, run.out,
                 run.err);
    assert_false(test_file_exists(test_path("out.wav")));
    test_shell(&run, "ls -A | grep pinna-");
    assert_string_equal(run.out, "");
}

static void test_usage(void **state) {
    (void)state;
    refuse(2, "too few arguments", "mono.wav -o out.wav");
    refuse(2, "no output", "mono.wav ir.wav");
    refuse(2, "--encodng", "mono.wav ir.wav -o out.wav --encodng f32");
    refuse(2, "pcm16", "mono.wav ir.wav -o out.wav --encoding f31");
    refuse(2, "IR2@TIME", "mono.wav ir.wav -o out.wav --swap ir2.wav");
    refuse(2, "IR2@TIME", "mono.wav ir.wav -o out.wav --swap ir2.wav@-1");
    refuse(2, "--wet", "mono.wav ir.wav -o out.wav --wet 1000");
    refuse(2, "expected 16 or 32", "mono.wav ir.wav -o out.wav --spectra 24");
    refuse(2, "for OpenCL devices", "mono.wav ir.wav -o out.wav --spectra 16 --device cpu");
    refuse(2, "nodevice", "mono.wav ir.wav -o out.wav --device nodevice");
    test_run run;
    assert_int_equal(test_program(&run, "convolve --help"), 0);
    assert_non_null(strstr(run.out, "--normalize"));
}

static void test_errors(void **state) {
    (void)state;
    refuse(1, "gone.wav: no such file", "gone.wav ir.wav -o out.wav");
    refuse(1, "gone.wav: no such file", "mono.wav gone.wav -o out.wav");
    refuse(1, "do not fit", "five.wav ir2.wav -o out.wav");
    refuse(1, "true stereo", "stereo.wav ir3.wav -o out.wav");
    refuse(1, "both must agree", "mono.wav ir.wav -o out.wav --swap ir2.wav@0.01");
    refuse(1, "past the end", "mono.wav ir.wav -o out.wav --swap ir.wav@9");
    refuse(1, "same file", "mono.wav ir.wav -o mono.wav");
    refuse(1, "same file", "mono.wav ir.wav -o ./ir.wav");
    refuse(1, "extension", "mono.wav ir.wav -o out.mp7");
    refuse(1, "folder does not exist", "mono.wav ir.wav -o gone/out.wav");
    refuse(1, "is a folder", "mono.wav ir.wav -o .");
}

static void test_unwritable_folder(void **state) {
    (void)state;
    if (geteuid() == 0)
        skip(); /* who may write everywhere */
    test_run run;
    test_shell(&run, "mkdir closed && chmod 555 closed");
    refuse(1, "cannot be written", "mono.wav ir.wav -o closed/out.wav");
}

static void test_summary(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "convolve mono.wav ir44.wav -o sum.wav --device cpu"), 0);
    assert_non_null(strstr(run.err, "ir44.wav: resampled from 44100 to 48000 Hz"));
    assert_non_null(strstr(run.out, "pcm24")); /* the input has integers */
    assert_non_null(strstr(run.out, "peak"));
    assert_int_equal(test_program(&run, "convolve mono.wav ir.wav -o sum.wav --device cpu --quiet"), 0);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
}

static void test_json(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(
        test_program(&run, "convolve mono.wav loud.wav -o loud-out.wav --wet 40 --device cpu --json"), 0);
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    assert_true(number(json, "frames") == 5299);
    assert_true(number(json, "channels") == 1);
    assert_true(number(json, "rate") == 48000);
    assert_true(number(json, "clipped_samples") > 100);
    assert_true(number(json, "peak_dbfs") > 20);
    assert_string_equal(cJSON_GetObjectItem(json, "device")->valuestring, "cpu");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "warnings")), 1);
    cJSON_Delete(json);
}

/* A lossy file is told by its codec, and silence has no level to bring anywhere. */
static void test_told_as_it_is(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "convolve mono.wav ir.wav -o v.ogg --device cpu"), 0);
    assert_non_null(strstr(run.out, "48000 Hz, vorbis\n"));
    assert_int_equal(test_program(&run, "convolve mono.wav ir.wav -o o.opus --device cpu --json"), 0);
    assert_non_null(strstr(run.out, "\"opus\""));
    assert_int_equal(test_program(&run, "place mono.wav -o v.ogg --device cpu"), 0);
    assert_non_null(strstr(run.out, "48000 Hz, vorbis\n"));
    assert_int_equal(test_program(&run, "place mono.wav -o o.opus --device cpu --json"), 0);
    assert_non_null(strstr(run.out, "\"opus\""));
    /* one warning, the last of the messages, is not repeated; two with another one between are */
    assert_int_equal(
        test_program(&run, "convolve mono.wav ir.wav -o loud.wav --wet 60 --encoding pcm16 --device cpu"), 0);
    const char *clipped = strstr(run.err, "beyond full scale");
    assert_non_null(clipped);
    assert_null(strstr(clipped + 1, "beyond full scale"));
    make("zero.wav", 1, 44100, 100, PN_ENCODING_PCM16, 0);
    assert_int_equal(test_program(&run, "convolve mono.wav zero.wav -o s.wav --device cpu"), 0);
    assert_non_null(strstr(run.err, "resampled"));
    assert_non_null(strstr(run.err, "1 warning:\n  zero.wav: this impulse response is all zero"));
    make("silent.wav", 1, 48000, 100, PN_ENCODING_PCM16, 0);
    assert_int_equal(test_program(&run, "convolve silent.wav ir.wav -o s.wav --normalize --device cpu"), 0);
    assert_non_null(strstr(run.err, "cannot be normalised"));
    assert_null(strstr(run.err, "normalised to"));
}

/* Through a pipe come the same samples as into a file. */
static void test_streams(void **state) {
    (void)state;
    test_run run;
    pinna_error err = {0};
    pn_audio file, pipe;
    assert_int_equal(test_program(&run, "convolve stereo.wav ir.wav -o file.wav --device cpu"), 0);
    assert_int_equal(test_program(&run, "convolve stereo.wav ir.wav -o - --device cpu | cat > pipe.wav"), 0);
    assert_ok(pn_audio_load(test_path("file.wav"), 0, PN_AUDIO_SIGNAL, NULL, &file, &err), &err);
    assert_ok(pn_audio_load(test_path("pipe.wav"), 0, PN_AUDIO_SIGNAL, NULL, &pipe, &err), &err);
    assert_int_equal(file.frames, pipe.frames);
    assert_memory_equal(file.channel[1], pipe.channel[1], file.frames * sizeof(float));
    pn_audio_clear(&file);
    pn_audio_clear(&pipe);
    assert_int_equal(test_program(&run, "convolve stereo.wav ir.wav -o /dev/null --device cpu"), 0);
    assert_int_equal(test_shell(&run,
                                "(\"$PINNA_PROGRAM\" convolve stereo.wav ir.wav -o - --device cpu --quiet; "
                                "echo $? >status) | true; cat status"),
                     0);
    assert_true(strcmp(run.out, "0\n") == 0 || strcmp(run.out, "1\n") == 0); /* but no death by a signal */
}

/* By every name of standard output the audio is alone there, and what is said goes to standard error. */
static void test_standard_output_is_audio(void **state) {
    (void)state;
    static const char *const commands[] = {"convolve stereo.wav ir.wav --device cpu",
                                           "place mono.wav --azimuth 30 --device cpu",
                                           "hrtf builtin --at 30,0"};
    static const char *const reports[][2] = {{"-", ""}, {"/dev/stdout", "--json"}};
    test_run run;
    for (int c = 0; c < 3; ++c) {
        assert_int_equal(test_program(&run, "%s -o alone.wav", commands[c]), 0);
        for (int k = 0; k < 2; ++k) {
            test_program(&run, "%s -o %s %s | tail -c 1000 >pipe", commands[c], reports[k][0], reports[k][1]);
            assert_non_null(strstr(run.err, reports[k][0])); /* the report names its file */
            assert_int_equal(test_shell(&run, "tail -c 1000 alone.wav | cmp - pipe"), 0);
        }
    }
}

static void test_full_disk(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "convolve mono.wav ir.wav -o /dev/full --device cpu"), 1);
    assert_non_null(
        strstr(run.err, "/dev/full: cannot write: the disk is full\n")); /* no file: none to be left */
    assert_int_equal(test_program(&run, "convolve mono.wav ir.wav -o - --device cpu > /dev/full"), 1);
    assert_non_null(strstr(run.err, "standard output: cannot write: the disk is full\n"));
    assert_int_equal(
        test_program(&run, "convolve mono.wav ir.wav -o kept.wav --device cpu --json > /dev/full"), 1);
    assert_non_null(strstr(run.err, "standard output: cannot write"));
    make("long.wav", 4, 48000, 100000, PN_ENCODING_PCM16, 0.1);
    static const char *const limits[] = {"trap '' XFSZ; ", ""};
    for (int i = 0; i < 2; ++i) {
        for (int normalize = 0; normalize < 2; ++normalize) {
            test_shell(
                &run,
                "%sulimit -f 200; \"$PINNA_PROGRAM\" convolve long.wav ir.wav -o out.wav --device cpu %s",
                limits[i], normalize ? "--normalize" : "");
            assert_int_equal(run.status, 1);
            assert_non_null(strstr(run.err, "error: "));
            assert_false(test_file_exists(test_path("out.wav")));
            test_shell(&run, "ls -A | grep pinna-");
            assert_string_equal(run.out, "");
        }
    }
}

/* An hour of silence that takes no room on disk, and minutes of work: long enough to be stopped. */
static void test_interrupted(void **state) {
    (void)state;
    unsigned char header[PN_WAV_HEADER_MAX];
    uint64_t frames = (uint64_t)48000 * 3600;
    size_t length = pn_wav_header(header, PN_WAV_PLAIN, 2, 48000, PN_ENCODING_PCM16, frames);
    FILE *file = fopen(test_path("hour.wav"), "wb");
    assert_int_equal(fwrite(header, 1, length, file), length);
    fclose(file);
    assert_int_equal(truncate(test_path("hour.wav"), (off_t)(length + frames * 4)), 0);
    make("deep.wav", 4, 48000, 100000, PN_ENCODING_F32, 0.01);
    static const char *const signals[] = {"INT", "TERM"};
    for (int i = 0; i < 2; ++i) {
        test_run run;
        test_shell(
            &run,
            "\"$PINNA_PROGRAM\" convolve hour.wav deep.wav -o out.wav --device cpu --threads 1 & pid=$!; "
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
            "ls -A | grep -q pinna- && break; sleep 0.1; done; ls -A | grep -c pinna-; "
            "kill -%s $pid; wait $pid; echo \"status $?\"; ls -A | grep -c pinna-",
            signals[i]);
        assert_string_equal(run.out, "1\nstatus 1\n0\n");
        assert_non_null(strstr(run.err, "stopped"));
        assert_false(test_file_exists(test_path("out.wav")));
    }
}

/* Two signals that wait together: the first asks, the second ends the program at once, without a file either. */
static void test_interrupted_twice(void **state) {
    (void)state;
    test_run run;
    test_shell(&run,
               "\"$PINNA_PROGRAM\" convolve hour.wav deep.wav -o out.wav --device cpu --threads 1 & pid=$!; "
               "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
               "ls -A | grep -q pinna- && break; sleep 0.1; done; ls -A | grep -c pinna-; "
               "kill -STOP $pid; kill -INT $pid; kill -TERM $pid; kill -CONT $pid; wait $pid; "
               "test $? -gt 128 && echo ended; ls -A | grep -c pinna-");
    assert_string_equal(run.out, "1\nended\n0\n");
    assert_false(test_file_exists(test_path("out.wav")));
}

/* A reader that stands still keeps nobody: one signal ends the wait, in the thread that writes. */
static void test_interrupted_before_a_still_reader(void **state) {
    (void)state;
    test_run run;
    test_shell(&run,
               "mkfifo still; sleep 9 <still >/dev/null 2>&1 & reader=$!; "
               "\"$PINNA_PROGRAM\" convolve hour.wav ir.wav -o still --device cpu --threads 2 & pid=$!; "
               "sleep 0.5; kill -TERM $pid; wait $pid; echo \"status $?\"; kill $reader");
    assert_string_equal(run.out, "status 1\n");
    assert_non_null(strstr(run.err, "still: interrupted while its reader stood still"));
}

static void check_malformed(const char *path, const char *format) {
    char arguments[2048];
    test_run run;
    snprintf(arguments, sizeof arguments, format, path);
    test_program(&run, "%s -o out.wav --device cpu", arguments);
    if (run.status != 0 && run.status != 1)
        fail_msg("%s: status %d: %s", arguments, run.status, run.err);
    assert_below(run.seconds, 10);
    assert_int_equal(test_file_exists(test_path("out.wav")), run.status == 0);
    if (run.status == 1 &&
        (strstr(run.err, strrchr(path, '/') + 1) == NULL || strstr(run.err, "error: ") == NULL))
        fail_msg("%s: the message does not name the file: %s", arguments, run.err);
    unlink(test_path("out.wav"));
    test_shell(&run, "ls -A | grep pinna-");
    assert_string_equal(run.out, "");
}

static void test_malformed(void **state) {
    (void)state;
    const char *data = test_data_folder();
    if (data == NULL)
        skip();
    test_run files;
    test_shell(&files, "ls '%s'/malformed/*", data);
    int count = 0;
    for (char *path = strtok(files.out, "\n"); path != NULL; path = strtok(NULL, "\n"), ++count) {
        check_malformed(path, "convolve '%s' ir.wav");
        check_malformed(path, "convolve mono.wav '%s'");
    }
    assert_true(count > 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_unwritable_folder),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_told_as_it_is),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_standard_output_is_audio),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_interrupted_twice),
        cmocka_unit_test(test_interrupted_before_a_still_reader),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, make_inputs, NULL);
}
