// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

#include "base/memory.h"
#include "io/audio_file.h"
#include "io/encoding.h"
#include "io/spill.h"
#include "io/wav.h"
#include "support.h"

enum { FRAMES = 5001, CHANNELS = 2 };

static float left[FRAMES], right[FRAMES];
static const float *const noise[CHANNELS] = {left, right};

static int make_noise(void **state) {
    (void)state;
    test_fill_noise(left, FRAMES, 1, 0.9);
    test_fill_noise(right, FRAMES, 2, 0.9);
    return 0;
}

static void write_file(const char *path, const pn_audio_writer_spec *spec, const float *const *channel,
                       size_t frames) {
    pinna_error err = {0};
    pn_audio_writer *writer;
    assert_ok(pn_audio_writer_open(path, spec, NULL, &writer, &err), &err);
    /* uneven portions: nothing may depend on how the calls are cut */
    for (size_t done = 0, n = 1; done < frames; done += n, n = 3 * n + 1) {
        const float *at[64];
        n = n < frames - done ? n : frames - done;
        for (int c = 0; c < spec->channels; ++c)
            at[c] = channel[c] + done;
        assert_ok(pn_audio_writer_write(writer, at, n, &err), &err);
    }
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
}

/* Files in the test's folder whose name has `part` in it. */
static int count_files(const char *part) {
    test_run run;
    test_shell(&run, "ls -A | grep -c -- '%s'", part);
    return atoi(run.out);
}

static void *slurp(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void test_round_trips(void **state) {
    (void)state;
    static const char *const names[] = {"t.wav", "t.w64", "t.caf", "t.aiff", "t.aif", "t.flac", "T.WAV"};
    for (size_t f = 0; f < sizeof names / sizeof names[0]; ++f) {
        for (pn_encoding e = PN_ENCODING_PCM16; e <= PN_ENCODING_F64; ++e) {
            bool flac = strstr(names[f], "flac") != NULL;
            if (flac && e > PN_ENCODING_PCM24)
                continue;
            const char *path = test_path(names[f]);
            write_file(path, &(pn_audio_writer_spec){.channels = CHANNELS, .rate = 44100, .encoding = e},
                       noise, FRAMES);
            pn_audio audio;
            pinna_error err = {0};
            assert_ok(pn_audio_load(path, 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
            assert_int_equal(audio.channels, CHANNELS);
            assert_int_equal(audio.frames, FRAMES);
            assert_true(audio.rate == 44100);
            assert_int_equal(audio.is_float, e >= PN_ENCODING_F32);
            /* Half a step of the integers; floats come back as they were. */
            static const double half_steps[] = {0, 0x1p-16, 0x1p-24, 0x1p-32, 0, 0};
            double half = half_steps[e];
            for (size_t n = 0; n < FRAMES; ++n) {
                assert_below(fabs((double)audio.channel[0][n] - (double)left[n]), half);
                assert_below(fabs((double)audio.channel[1][n] - (double)right[n]), half);
            }
            pn_audio_clear(&audio);
        }
    }
}

/* What was read as integers is written unchanged: the promise behind `render: direct`. */
static void test_integers_are_exact(void **state) {
    (void)state;
    static const int wanted[] = {0, 1, -1, 12345, -12345, 32767, -32768, 2, -2};
    enum { N = sizeof wanted / sizeof wanted[0] };
    float samples[N];
    const float *const rows[] = {samples};
    for (int bits = 16; bits <= 24; bits += 8) {
        for (int i = 0; i < N; ++i)
            samples[i] = (float)ldexp(wanted[i], -15);
        const char *path = test_path(bits == 16 ? "i16.wav" : "i24.wav");
        pn_encoding encoding = bits == 16 ? PN_ENCODING_PCM16 : PN_ENCODING_PCM24;
        write_file(path, &(pn_audio_writer_spec){.channels = 1, .rate = 48000, .encoding = encoding}, rows,
                   N);
        SF_INFO info = {0};
        SNDFILE *file = sf_open(path, SFM_READ, &info);
        int got[N];
        assert_int_equal(sf_read_int(file, got, N), N);
        sf_close(file);
        for (int i = 0; i < N; ++i)
            assert_int_equal(got[i], wanted[i] * 65536);
    }
}

static void test_clipping_and_rounding(void **state) {
    (void)state;
    const float samples[] = {1.5f, -1.5f,   1.0f, -1.0f, (float)(0.4 / 32768), (float)(0.6 / 32768),
                             NAN,  INFINITY};
    const int wanted[] = {32767, -32768, 32767, -32768, 0, 1, 0, 0};
    const float *const rows[] = {samples};
    const char *path = test_path("clip.wav");
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = 1, .rate = 48000, .encoding = PN_ENCODING_PCM16};
    assert_ok(pn_audio_writer_open(path, &spec, messages, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, rows, 8, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_stats stats;
    pn_audio_writer_get_stats(writer, &stats);
    pn_audio_writer_free(writer);
    assert_int_equal(stats.clipped, 2);
    assert_int_equal(stats.nonfinite, 2);
    assert_true(stats.peak == 1.5);
    assert_int_equal(pn_messages_count(messages), 2);
    assert_non_null(strstr(pn_messages_get(messages, 0, NULL), "+3.52 dBFS"));
    pn_messages_free(messages);
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    short got[8];
    assert_int_equal(sf_read_short(file, got, 8), 8);
    sf_close(file);
    for (int i = 0; i < 8; ++i)
        assert_int_equal(got[i], wanted[i]);
}

/* Triangular dither makes the error's mean and variance independent of the signal: 0, and 1/4 of a step squared
 * (1/12 of the rounding, 2/12 of the dither), also for a signal of a third of a step. */
static int32_t round_one(pn_quantiser *q, float sample) {
    int32_t integer = -1;
    pn_quantiser_round(q, &sample, &integer, 1);
    return integer;
}

static void test_dither(void **state) {
    (void)state;
    enum { N = 200000 };
    const double level = 0.3 / 32768;
    pn_quantiser q, again, off;
    pn_quantiser_init(&q, PN_ENCODING_PCM16, PN_DITHER_TPDF);
    pn_quantiser_init(&again, PN_ENCODING_PCM16, PN_DITHER_TPDF);
    pn_quantiser_init(&off, PN_ENCODING_PCM32, PN_DITHER_TPDF);
    double sum = 0, squares = 0;
    for (int i = 0; i < N; ++i) {
        int32_t value = round_one(&q, (float)level);
        assert_int_equal(value, round_one(&again, (float)level));
        double error = value / 65536.0 - 0.3;
        sum += error;
        squares += error * error;
    }
    assert_below(fabs(sum / N), 0.005);
    assert_below(fabs(squares / N - 0.25), 0.005);
    assert_int_equal(round_one(&off, 0), 0);
}

static void test_same_bytes_every_time(void **state) {
    (void)state;
    static const char *const ends[] = {".wav", ".w64", ".caf", ".aiff", ".flac", ".ogg", ".opus"};
    for (size_t f = 0; f < sizeof ends / sizeof ends[0]; ++f) {
        size_t sizes[2];
        void *bytes[2];
        for (int k = 0; k < 2; ++k) {
            char name[32];
            snprintf(name, sizeof name, "same%d%s", k, ends[f]);
            pn_audio_writer_spec spec = {
                .channels = CHANNELS, .rate = 48000, .encoding = PN_ENCODING_PCM16, .dither = PN_DITHER_TPDF};
            write_file(test_path(name), &spec, noise, FRAMES);
            bytes[k] = slurp(test_path(name), &sizes[k]);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(bytes[0], bytes[1], sizes[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
}

/* The serial numbers are rewritten after the encoder: every page must still have a right check sum. */
static void test_ogg_reads_back(void **state) {
    (void)state;
    static const char *const names[] = {"v.ogg", "v.opus"};
    float tone[FRAMES];
    for (int n = 0; n < FRAMES; ++n)
        tone[n] = (float)(0.5 * sin(2 * 3.141592653589793 * 440 * n / 48000));
    const float *const rows[] = {tone};
    for (int f = 0; f < 2; ++f) {
        write_file(test_path(names[f]), &(pn_audio_writer_spec){.channels = 1, .rate = 48000}, rows, FRAMES);
        pn_audio audio;
        pinna_error err = {0};
        assert_ok(pn_audio_load(test_path(names[f]), 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
        assert_int_equal(audio.frames, FRAMES);
        assert_below(test_error_db(audio.channel[0], tone, FRAMES), -20);
        pn_audio_clear(&audio);
    }
}

static void test_large_header(void **state) {
    (void)state;
    unsigned char h[PN_WAV_HEADER_MAX];
    uint64_t frames = 3000000000u;
    assert_true(pn_wav_plain_frames(2, PN_ENCODING_PCM24) < frames);
    size_t room = pn_wav_header(h, PN_WAV_ROOM, 2, 48000, PN_ENCODING_PCM24, 0);
    assert_memory_equal(h, "RIFF", 4);
    assert_memory_equal(h + 12, "JUNK", 4);
    size_t large = pn_wav_header(h, PN_WAV_LARGE, 2, 48000, PN_ENCODING_PCM24, frames);
    assert_int_equal(room, large);
    assert_memory_equal(h, "RF64\xff\xff\xff\xffWAVEds64", 16);
    uint64_t values[3];
    memcpy(values, h + 20,
           sizeof values); /* riff, data, frames; this machine is little endian as all we build for */
    assert_true(values[0] == large - 8 + 6 * frames);
    assert_true(values[1] == 6 * frames);
    assert_true(values[2] == frames);

    /* and to libsndfile it is one: 18 GB of nothing, which take no room on disk */
    FILE *file = fopen(test_path("large.wav"), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(h, 1, large, file), large);
    fclose(file);
    if (truncate(test_path("large.wav"), (off_t)(large + 6 * frames)) != 0)
        return;
    pn_audio_reader *reader;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_ok(pn_audio_reader_open(test_path("large.wav"), messages, &reader, &err), &err);
    assert_true(pn_audio_reader_info(reader)->frames == frames);
    assert_int_equal(pn_messages_count(messages), 0);
    pn_audio_reader_free(reader);
    pn_messages_free(messages);
    unlink(test_path("large.wav"));
}

static void expect_open_error(const char *path, const char *word) {
    pinna_error err = {0};
    pn_audio_reader *reader;
    assert_int_not_equal(pn_audio_reader_open(path, NULL, &reader, &err), PINNA_OK);
    assert_null(reader);
    if (strstr(err.text, word) == NULL || strstr(err.text, path) == NULL)
        fail_msg("'%s' lacks '%s' or the path", err.text, word);
}

static void test_reader_refuses(void **state) {
    (void)state;
    expect_open_error(test_path("nowhere.wav"), "no such file");
    expect_open_error(test_folder(), "folder");
    expect_open_error(test_write_text("empty.wav", ""), "empty");
    expect_open_error(test_write_text("text.wav", "this is no audio at all, only text"), "no audio format");
    expect_open_error("-", "standard input");
    expect_open_error("/dev/null", "device");
    const float *const none[] = {left, right};
    write_file(test_path("none.wav"), &(pn_audio_writer_spec){.channels = 2, .rate = 48000}, none, 0);
    expect_open_error(test_path("none.wav"), "no samples");
}

static void test_bad_samples(void **state) {
    (void)state;
    float bad[600];
    const float *const rows[] = {bad};
    test_fill_noise(bad, 600, 3, 0.5);
    bad[7] = NAN;
    bad[400] = -INFINITY;
    SF_INFO info = {.channels = 1, .samplerate = 48000, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(test_path("nan.wav"), SFM_WRITE, &info);
    assert_int_equal(sf_write_float(file, rows[0], 600), 600);
    sf_close(file);
    pinna_error err = {0};
    pn_audio audio;
    assert_int_equal(pn_audio_load(test_path("nan.wav"), 0, PN_AUDIO_RESPONSE, NULL, &audio, &err),
                     PINNA_BAD_FILE);
    assert_non_null(strstr(err.text, "not finite"));
    assert_null(audio.channel);
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_ok(pn_audio_load(test_path("nan.wav"), 0, PN_AUDIO_SIGNAL, messages, &audio, &err), &err);
    assert_true(audio.channel[0][7] == 0 && audio.channel[0][400] == 0 && audio.channel[0][8] == bad[8]);
    pn_audio_clear(&audio);
    assert_int_equal(pn_messages_count(messages), 1);
    assert_non_null(strstr(pn_messages_get(messages, 0, NULL), ": 2"));
    pn_messages_free(messages);
}

/* Every container, cut in the middle: what is there is read, with a warning; or refused, with an error. */
static void test_truncated(void **state) {
    (void)state;
    static const char *const ends[] = {".wav", ".w64", ".aiff", ".flac", ".ogg", ".caf"};
    static float longer[48000];
    const float *const rows[] = {longer};
    test_fill_noise(longer, 48000, 9, 0.5);
    for (size_t f = 0; f < sizeof ends / sizeof ends[0]; ++f) {
        char name[32];
        snprintf(name, sizeof name, "cut%s", ends[f]);
        write_file(test_path(name), &(pn_audio_writer_spec){.channels = 1, .rate = 48000}, rows, 48000);
        size_t size;
        free(slurp(test_path(name), &size));
        assert_int_equal(truncate(test_path(name), (off_t)(size / 2 + 1)), 0);
        pn_messages *messages = pn_messages_create(NULL, NULL);
        pinna_error err = {0};
        pn_audio audio;
        pinna_status status = pn_audio_load(test_path(name), 0, PN_AUDIO_SIGNAL, messages, &audio, &err);
        if (strcmp(ends[f], ".caf") == 0) {
            assert_int_equal(status, PINNA_BAD_FILE); /* libsndfile takes no CAF that is cut */
        } else {
            assert_ok(status, &err);
            assert_true(audio.frames > 8000 && audio.frames < 26000);
            pinna_message_level level;
            assert_int_equal(pn_messages_count(messages), 1);
            assert_non_null(strstr(pn_messages_get(messages, 0, &level), "cut off"));
            assert_int_equal(level, PINNA_WARNING);
        }
        pn_audio_clear(&audio);
        pn_messages_free(messages);
    }
}

static void test_seek(void **state) {
    (void)state;
    static const char *const ends[] = {".wav", ".flac", ".ogg", ".opus"};
    for (size_t f = 0; f < sizeof ends / sizeof ends[0]; ++f) {
        char name[32];
        snprintf(name, sizeof name, "seek%s", ends[f]);
        write_file(test_path(name), &(pn_audio_writer_spec){.channels = 2, .rate = 48000}, noise, FRAMES);
        pn_audio_reader *reader;
        pinna_error err = {0};
        static float whole[FRAMES * 2], part[FRAMES * 2];
        size_t got;
        assert_ok(pn_audio_reader_open(test_path(name), NULL, &reader, &err), &err);
        assert_ok(pn_audio_reader_read(reader, whole, FRAMES, &got, &err), &err);
        assert_int_equal(got, FRAMES);
        static const size_t places[] = {4000, 100, 0, FRAMES - 1, FRAMES};
        for (size_t p = 0; p < 5; ++p) {
            assert_ok(pn_audio_reader_seek(reader, places[p], &err), &err);
            assert_ok(pn_audio_reader_read(reader, part, FRAMES, &got, &err), &err);
            assert_int_equal(got, FRAMES - places[p]);
            assert_memory_equal(part, whole + 2 * places[p], got * 2 * sizeof(float));
        }
        assert_int_equal(pn_audio_reader_seek(reader, FRAMES + 1, &err), PINNA_BAD_ARGUMENT);
        pn_audio_reader_free(reader);
    }
}

/* A response's gain at 0 Hz is the sum of its taps, and stays when it is resampled. */
static void test_response_gain(void **state) {
    (void)state;
    static float ir[2000];
    const float *const rows[] = {ir};
    double sum = 0;
    for (int n = 0; n < 2000; ++n) {
        double w = sin(3.141592653589793 * (n + 0.5) / 2000);
        ir[n] = (float)(0.002 * w * w);
        sum += ir[n];
    }
    pn_audio_writer_spec spec = {.channels = 1, .rate = 44100, .encoding = PN_ENCODING_F32};
    write_file(test_path("ir.wav"), &spec, rows, 2000);
    pn_audio audio;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    assert_ok(pn_audio_load(test_path("ir.wav"), 96000, PN_AUDIO_RESPONSE, messages, &audio, &err), &err);
    double now = 0;
    for (size_t n = 0; n < audio.frames; ++n)
        now += audio.channel[0][n];
    assert_below(fabs(20 * log10(now / sum)), 0.001);
    assert_true(audio.rate == 96000 && audio.file_rate == 44100);
    assert_int_equal(pn_messages_count(messages), 1);
    pn_messages_free(messages);
    pn_audio_clear(&audio);
}

static pinna_status try_open(const char *path, pn_audio_writer_spec spec, pinna_error *err) {
    pn_audio_writer *writer;
    spec.channels = spec.channels == 0 ? 1 : spec.channels;
    spec.rate = spec.rate == 0 ? 48000 : spec.rate;
    pinna_status status = pn_audio_writer_open(path, &spec, NULL, &writer, err);
    pn_audio_writer_free(writer);
    return status;
}

static void test_writer_refuses(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_audio_writer_spec plain = {0};
    assert_int_equal(try_open(test_path("x.mp7"), plain, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, ".flac"));
    assert_int_equal(try_open(test_path("noextension"), plain, &err), PINNA_BAD_ARGUMENT);
    assert_int_equal(try_open(test_folder(), plain, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "folder"));
    assert_int_equal(try_open(test_path("no/such/x.wav"), plain, &err), PINNA_NOT_FOUND);
    assert_int_equal(try_open(test_path("x.flac"), (pn_audio_writer_spec){.channels = 9}, &err),
                     PINNA_BAD_ARGUMENT);
    assert_int_equal(try_open(test_path("x.opus"), (pn_audio_writer_spec){.rate = 44100}, &err),
                     PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "48 kHz"));
    assert_int_equal(try_open(test_path("x.ogg"), (pn_audio_writer_spec){.rate = 384000}, &err),
                     PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "8000 to 200000 Hz"));
    assert_null(strstr(err.text, ".;"));
    assert_int_equal(try_open(test_path("x.aiff"), (pn_audio_writer_spec){.frames = 1u << 30}, &err),
                     PINNA_IO);
    write_file(test_path("in.wav"), &(pn_audio_writer_spec){.channels = 1, .rate = 48000}, noise, 10);
    assert_int_equal(symlink("in.wav", test_path("alias.wav")), 0);
    const char *inputs[] = {NULL, test_path("in.wav")};
    pn_audio_writer_spec onto = {.inputs = inputs, .input_count = 2};
    assert_int_equal(try_open(test_path("alias.wav"), onto, &err), PINNA_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "same file"));
    assert_int_equal(count_files("pinna-"), 0);
    assert_false(test_file_exists(test_path("x.flac")));
}

/* A link to a link to a file that is not there yet: the file appears there, the links stay. */
static void test_dangling_links(void **state) {
    (void)state;
    char to[1024];
    struct stat st;
    pn_audio_writer_spec spec = {.channels = 1, .rate = 48000};
    assert_int_equal(mkdir(test_path("there"), 0777), 0);
    assert_int_equal(symlink("there/first.wav", test_path("one.wav")), 0);
    snprintf(to, sizeof to, "%s", test_path("one.wav"));
    assert_int_equal(symlink(to, test_path("two.wav")), 0);
    write_file(test_path("two.wav"), &spec, noise, 10);
    assert_int_equal(lstat(test_path("there/first.wav"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_true(lstat(test_path("one.wav"), &st) == 0 && S_ISLNK(st.st_mode));
    assert_true(lstat(test_path("two.wav"), &st) == 0 && S_ISLNK(st.st_mode));
    pinna_error err = {0};
    assert_int_equal(symlink("none/x.wav", test_path("astray.wav")), 0);
    assert_int_equal(try_open(test_path("astray.wav"), spec, &err), PINNA_NOT_FOUND);
    assert_int_equal(symlink("ring.wav", test_path("ring.wav")), 0);
    assert_int_equal(try_open(test_path("ring.wav"), spec, &err), PINNA_IO);
    assert_int_equal(count_files("pinna-"), 0);
}

static void test_replaces_only_when_complete(void **state) {
    (void)state;
    const char *path = test_write_text("kept.wav", "what was here before");
    pn_audio_writer_spec spec = {.channels = 2, .rate = 48000};
    pinna_error err = {0};
    pn_audio_writer *writer;
    assert_ok(pn_audio_writer_open(path, &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, noise, FRAMES, &err), &err);
    assert_int_equal(count_files("pinna-"), 1);
    pn_audio_writer_cancel_all(); /* as a signal handler does */
    assert_int_equal(count_files("pinna-"), 0);
    pn_audio_writer_free(writer);
    assert_ok(pn_audio_writer_open(path, &spec, NULL, &writer, &err), &err);
    pn_audio_writer_free(writer);
    size_t size;
    char *text = slurp(path, &size);
    assert_memory_equal(text, "what was here before", size);
    free(text);
    assert_int_equal(chmod(path, 0640), 0);
    write_file(path, &spec, noise, FRAMES);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 44 + 36 + FRAMES * 6);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(count_files("pinna-"), 0);
}

/* A limit on the size of files stands for a full disk: the same place fails, with another reason. */
static void test_full_disk(void **state) {
    (void)state;
    static const char *const names[] = {"full.wav", "full.w64", "full.flac", "full.ogg"};
    struct rlimit was, now;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    for (int f = 0; f < 4; ++f) {
        pn_audio_writer_spec spec = {.channels = 2, .rate = 48000};
        pinna_error err = {0};
        pn_audio_writer *writer;
        now = was;
        now.rlim_cur = 5000;
        setrlimit(RLIMIT_FSIZE, &now);
        pinna_status status = pn_audio_writer_open(test_path(names[f]), &spec, NULL, &writer, &err);
        for (int i = 0; i < 20 && status == PINNA_OK; ++i)
            status = pn_audio_writer_write(writer, noise, FRAMES, &err);
        if (status == PINNA_OK)
            status = pn_audio_writer_commit(writer, &err);
        pn_audio_writer_free(writer);
        setrlimit(RLIMIT_FSIZE, &was);
        assert_int_equal(status, PINNA_IO);
        assert_non_null(strstr(err.text, names[f]));
        assert_false(test_file_exists(test_path(names[f])));
    }
    assert_int_equal(count_files("pinna-"), 0);
}

static void test_spill(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_spill *spill;
    static float a[FRAMES], b[FRAMES];
    float *rows[] = {a, b};
    size_t got;
    assert_ok(pn_spill_open(test_path("beside.wav"), 2, &spill, &err), &err);
    assert_ok(pn_spill_write(spill, noise, FRAMES, &err), &err);
    assert_int_equal(count_files("pinna-"), 0);
    assert_ok(pn_spill_read(spill, rows, 4000, &got, &err), &err);
    assert_memory_equal(b, right, 4000 * sizeof(float));
    assert_ok(pn_spill_read(spill, rows, 4000, &got, &err), &err);
    assert_int_equal(got, FRAMES - 4000);
    assert_memory_equal(a, left + 4000, got * sizeof(float));
    assert_int_equal(pn_spill_write(spill, noise, 1, &err), PINNA_BAD_ARGUMENT);
    pn_spill_free(spill);
}

/* Each allocation of an open fails once: an error, no leak (the sanitizers look), no file left. */
static void test_memory_failures(void **state) {
    (void)state;
    write_file(test_path("m.wav"), &(pn_audio_writer_spec){.channels = 2, .rate = 44100}, noise, FRAMES);
    for (long k = 1; k < 12; ++k) {
        pinna_error err = {0};
        pn_audio audio;
        pn_memory_fail_at(k);
        pinna_status loaded = pn_audio_load(test_path("m.wav"), 48000, PN_AUDIO_SIGNAL, NULL, &audio, &err);
        pn_memory_fail_at(k);
        pinna_status opened = try_open(test_path("m2.wav"), (pn_audio_writer_spec){0}, &err);
        pn_memory_fail_at(0);
        pn_audio_clear(&audio);
        assert_true(k > 5 || (loaded == PINNA_NO_MEMORY && opened == PINNA_NO_MEMORY));
    }
    assert_int_equal(count_files("pinna-"), 0);
}

static void test_real_data(void **state) {
    (void)state;
    const char *data = test_data_folder();
    if (data == NULL)
        skip();
    test_run run;
    test_shell(&run, "find '%s/dry' '%s/irs' '%s/adm' '%s/malformed' -name '*.wav' -o -name '*.flac'", data,
               data, data, data);
    int files = 0;
    for (char *path = strtok(run.out, "\n"); path != NULL; path = strtok(NULL, "\n"), ++files) {
        pn_audio audio;
        pinna_error err = {0};
        pinna_status status = pn_audio_load(path, 0, PN_AUDIO_SIGNAL, NULL, &audio, &err);
        if (strstr(path, "/malformed/") == NULL)
            assert_ok(status, &err);
        if (status != PINNA_OK)
            assert_non_null(strstr(err.text, path));
        else
            assert_true(audio.frames > 0 && audio.channels > 0);
        pn_audio_clear(&audio);
    }
    assert_true(files > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_integers_are_exact),
        cmocka_unit_test(test_clipping_and_rounding),
        cmocka_unit_test(test_dither),
        cmocka_unit_test(test_same_bytes_every_time),
        cmocka_unit_test(test_ogg_reads_back),
        cmocka_unit_test(test_large_header),
        cmocka_unit_test(test_reader_refuses),
        cmocka_unit_test(test_bad_samples),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_seek),
        cmocka_unit_test(test_response_gain),
        cmocka_unit_test(test_writer_refuses),
        cmocka_unit_test(test_dangling_links),
        cmocka_unit_test(test_replaces_only_when_complete),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_memory_failures),
        cmocka_unit_test(test_real_data),
    };
    return cmocka_run_group_tests(tests, make_noise, NULL);
}
