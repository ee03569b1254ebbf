// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "io/audio_file.h"
#include "io/clip.h"
#include "signal/resample.h"
#include "support.h"

enum { FRAMES = 30000 };

static float left[FRAMES], right[FRAMES];

static void write_stereo(const char *name, double rate, size_t frames, pn_encoding encoding) {
    const float *const rows[] = {left, right};
    pinna_error err = {0};
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = 2, .rate = rate, .encoding = encoding};
    assert_ok(pn_audio_writer_open(test_path(name), &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, rows, frames, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
}

static int make_files(void **state) {
    (void)state;
    test_fill_noise(left, FRAMES, 1, 0.5);
    test_fill_noise(right, FRAMES, 2, 0.5);
    write_stereo("a.wav", 48000, FRAMES, PN_ENCODING_F32);
    write_stereo("short.wav", 48000, 37, PN_ENCODING_F32);
    write_stereo("b.wav", 44100, FRAMES, PN_ENCODING_F32);
    write_stereo("shortb.wav", 44100, 441, PN_ENCODING_F32);
    return 0;
}

/* Plays up to `frames` in odd portions; returns what pn_clip_read counted. */
static size_t play(pn_clip *clip, float *const *out, size_t frames) {
    size_t given = 0;
    int channels = pn_clip_channels(clip);
    for (size_t done = 0, n; done < frames; done += n) {
        float *at[2];
        n = done % 3 == 0 ? 256 : 131;
        n = n < frames - done ? n : frames - done;
        for (int c = 0; c < channels; ++c)
            at[c] = out[c] + done;
        pinna_error err = {0};
        assert_ok(pn_clip_pump(clip, n, &err), &err);
        given += pn_clip_read(clip, at, n);
    }
    return given;
}

static pn_clip *open_clip(pn_clip_desc desc) {
    pn_clip *clip;
    pinna_error err = {0};
    desc.rate = desc.rate == 0 ? 48000 : desc.rate;
    assert_ok(pn_clip_open(&desc, NULL, &clip, &err), &err);
    return clip;
}

static float out_left[100000], out_right[100000];
static float *const out[] = {out_left, out_right};

static void test_plain(void **state) {
    (void)state;
    pn_clip *clip = open_clip((pn_clip_desc){.path = test_path("a.wav")});
    assert_int_equal(pn_clip_frames(clip), FRAMES);
    assert_int_equal(pn_clip_channels(clip), 2);
    memset(out_left, 1, sizeof out_left);
    assert_int_equal(play(clip, out, FRAMES + 1000), FRAMES);
    assert_memory_equal(out_left, left, sizeof left);
    assert_memory_equal(out_right, right, sizeof right);
    for (int n = 0; n < 1000; ++n)
        assert_true(out_left[FRAMES + n] == 0);
    pn_clip_free(clip);
}

static void test_part_of_a_channel(void **state) {
    (void)state;
    /* 0.1 s in, 0.25 s long, second channel: frames 4800 .. 16799 */
    pn_clip *clip =
        open_clip((pn_clip_desc){.path = test_path("a.wav"), .channel = 2, .from_s = 0.1, .length_s = 0.25});
    assert_int_equal(pn_clip_channels(clip), 1);
    assert_int_equal(pn_clip_frames(clip), 12000);
    assert_int_equal(play(clip, out, 12500), 12000);
    assert_memory_equal(out_left, right + 4800, 12000 * sizeof(float));
    assert_true(out_left[12000] == 0);
    pn_clip_free(clip);
}

static void expect_loop(const char *name, size_t first, size_t frames, size_t total, double from_s) {
    pn_clip *clip = open_clip((pn_clip_desc){
        .path = test_path(name), .from_s = from_s, .length_s = (double)total / 48000, .loop = true});
    assert_int_equal(pn_clip_frames(clip), total);
    assert_int_equal(play(clip, out, total + 100), total);
    size_t part = frames - first;
    for (size_t n = 0; n < total; ++n)
        assert_true(out_right[n] == right[first + n % part]);
    assert_true(out_right[total] == 0);
    pn_clip_free(clip);
}

static void test_loops_are_exact(void **state) {
    (void)state;
    expect_loop("short.wav", 0, 37, 1000, 0);
    expect_loop("a.wav", 0, FRAMES, 70000, 0);
    expect_loop("a.wav", 4800, FRAMES, 70000, 0.1);
    expect_loop("a.wav", 0, FRAMES, 500, 0);
}

/* A loop too long for the cache seeks in the file. */
static void test_long_loop(void **state) {
    (void)state;
    enum { LONG = 300000 };
    float *tone = pn_alloc_floats(LONG), *got = pn_alloc_floats(LONG + 5000);
    const float *const rows[] = {tone};
    test_fill_noise(tone, LONG, 5, 0.3);
    pinna_error err = {0};
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = 1, .rate = 48000, .encoding = PN_ENCODING_F32};
    assert_ok(pn_audio_writer_open(test_path("long.wav"), &spec, NULL, &writer, &err), &err);
    assert_ok(pn_audio_writer_write(writer, rows, LONG, &err), &err);
    assert_ok(pn_audio_writer_commit(writer, &err), &err);
    pn_audio_writer_free(writer);
    pn_clip *clip = open_clip((pn_clip_desc){.path = test_path("long.wav"), .loop = true});
    assert_true(pn_clip_frames(clip) == UINT64_MAX);
    float *const at[] = {got};
    assert_int_equal(play(clip, at, LONG + 5000), LONG + 5000);
    assert_memory_equal(got, tone, LONG * sizeof(float));
    assert_memory_equal(got + LONG, tone, 5000 * sizeof(float));
    pn_clip_free(clip);
    pn_free(tone);
    pn_free(got);
}

static void test_resampled(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    pn_clip_desc desc = {.path = test_path("b.wav"), .rate = 48000, .channel = 1};
    pn_clip *clip;
    assert_ok(pn_clip_open(&desc, messages, &clip, &err), &err);
    assert_int_equal(pn_messages_count(messages), 1);
    float *whole;
    size_t frames;
    assert_ok(pn_resample(left, FRAMES, 44100, 48000, &whole, &frames, &err), &err);
    assert_int_equal(pn_clip_frames(clip), frames);
    assert_int_equal(play(clip, out, frames + 100), frames);
    assert_below(test_error_db(out_left, whole, frames), -130);
    pn_free(whole);
    pn_clip_free(clip);
    pn_messages_free(messages);
}

/* The resampled loop is the resampling of the loop written out: no seam. */
static void test_resampled_loop(void **state) {
    (void)state;
    enum { PART = 441, TIMES = 50, MADE = 480 * TIMES };
    static float unrolled[PART * TIMES];
    for (int n = 0; n < PART * TIMES; ++n)
        unrolled[n] = left[n % PART];
    float *whole;
    size_t frames;
    pinna_error err = {0};
    assert_ok(pn_resample(unrolled, PART * TIMES, 44100, 48000, &whole, &frames, &err), &err);
    pn_clip *clip =
        open_clip((pn_clip_desc){.path = test_path("shortb.wav"), .loop = true, .length_s = MADE / 48000.0});
    assert_int_equal(pn_clip_frames(clip), MADE);
    assert_int_equal(play(clip, out, MADE), MADE);
    assert_below(test_error_db(out_left, whole, MADE - 2000), -130);
    pn_free(whole);
    pn_clip_free(clip);
}

/* A read that comes before the pump gets silence, and the clip stays in time. */
static void test_late_pump(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_clip *clip = open_clip((pn_clip_desc){.path = test_path("a.wav"), .ahead = 1024});
    assert_ok(pn_clip_pump(clip, 100, &err), &err);
    assert_int_equal(pn_clip_read(clip, out, 300), 100);
    assert_memory_equal(out_left, left, 100 * sizeof(float));
    assert_true(out_left[100] == 0 && out_left[299] == 0);
    assert_ok(pn_clip_pump(clip, 256, &err), &err);
    assert_int_equal(pn_clip_read(clip, out, 256), 256);
    assert_memory_equal(out_left, left + 300, 256 * sizeof(float));
    pn_clip_free(clip);
}

static void test_read_allocates_nothing(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_clip *clip = open_clip((pn_clip_desc){.path = test_path("b.wav")});
    assert_ok(pn_clip_pump(clip, 4096, &err), &err);
    long before = pn_memory_count();
    for (int i = 0; i < 16; ++i)
        pn_clip_read(clip, out, 256);
    assert_int_equal(pn_memory_count(), before);
    pn_clip_free(clip);
}

static void refuse(pn_clip_desc desc, const char *word) {
    pinna_error err = {0};
    pn_clip *clip;
    desc.path = test_path("a.wav");
    desc.rate = 48000;
    assert_int_equal(pn_clip_open(&desc, NULL, &clip, &err), PINNA_BAD_ARGUMENT);
    assert_null(clip);
    assert_non_null(strstr(err.text, word));
    assert_non_null(strstr(err.text, "a.wav"));
}

static void test_refuses(void **state) {
    (void)state;
    refuse((pn_clip_desc){.channel = 3}, "channel 3");
    refuse((pn_clip_desc){.from_s = 0.7}, "begins at 0.7");
    refuse((pn_clip_desc){.from_s = -1}, "0 or more");
    refuse((pn_clip_desc){.from_s = NAN}, "0 or more");
    refuse((pn_clip_desc){.length_s = 1e-9}, "less than one sample");
    for (long k = 1; k < 12; ++k) {
        pinna_error err = {0};
        pn_clip *clip;
        pn_clip_desc desc = {.path = test_path("b.wav"), .rate = 48000};
        pn_memory_fail_at(k);
        pinna_status status = pn_clip_open(&desc, NULL, &clip, &err);
        pn_memory_fail_at(0);
        assert_true(k > 8 || status == PINNA_NO_MEMORY);
        pn_clip_free(clip);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),           cmocka_unit_test(test_part_of_a_channel),
        cmocka_unit_test(test_loops_are_exact), cmocka_unit_test(test_long_loop),
        cmocka_unit_test(test_resampled),       cmocka_unit_test(test_resampled_loop),
        cmocka_unit_test(test_late_pump),       cmocka_unit_test(test_read_allocates_nothing),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, make_files, NULL);
}
