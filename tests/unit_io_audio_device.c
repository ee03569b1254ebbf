// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/audio_device.h"
#include "support.h"

/* SDL's dummy driver swallows the samples, its disk driver writes them to a file. */

static void count_device(void *user, const char *name) {
    (void)name;
    ++*(int *)user;
}

static void use(const char *driver) {
    setenv("SDL_AUDIODRIVER", driver, 1);
}

/* Runs first: a library that was found stays loaded. */
static void test_no_library(void **state) {
    (void)state;
    static const struct {
        const char *library, *said;
    } cases[] = {{"libno-such-sdl.so.0", "its library (libno-such-sdl.so.0) is not on this machine"},
                 {"libm.so.6", "libm.so.6 lacks SDL_InitSubSystem"}};
    for (int i = 0; i < 2; ++i) {
        int count = 0;
        pinna_error err = {0};
        pn_audio_device *device;
        pn_audio_device_desc desc = {.rate = 48000};
        setenv("PINNA_SDL_LIBRARY", cases[i].library, 1);
        assert_int_equal(pn_audio_device_open(&desc, NULL, &device, &err), PINNA_DEVICE);
        assert_null(device);
        assert_non_null(strstr(err.text, cases[i].said));
        assert_int_equal(pn_audio_device_list(count_device, &count, NULL, &err), PINNA_DEVICE);
    }
    unsetenv("PINNA_SDL_LIBRARY");
}

static void test_list(void **state) {
    (void)state;
    int count = 0;
    const char *driver = NULL;
    pinna_error err = {0};
    use("dummy");
    assert_ok(pn_audio_device_list(count_device, &count, &driver, &err), &err);
    assert_string_equal(driver, "dummy");
    assert_true(count >= 1);
}

static void test_no_driver(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_audio_device *device;
    use("nonesuch");
    pn_audio_device_desc desc = {.rate = 48000};
    assert_int_equal(pn_audio_device_open(&desc, NULL, &device, &err), PINNA_DEVICE);
    assert_null(device);
    assert_non_null(strstr(err.text, "SDL_AUDIODRIVER"));
    assert_non_null(strstr(err.text, "nonesuch"));
}

static void test_signals_stay_ours(void **state) {
    (void)state;
    pinna_error err = {0};
    pn_audio_device *device;
    use("dummy");
    pn_audio_device_desc desc = {.rate = 48000};
    assert_ok(pn_audio_device_open(&desc, NULL, &device, &err), &err);
    struct sigaction action;
    assert_int_equal(sigaction(SIGINT, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
    pn_audio_device_close(device);
}

/* The ring is asked for in seconds and made at the device's rate: a power of two, so less than twice of that. */
static void test_ring_in_seconds(void **state) {
    (void)state;
    static const double rates[] = {8000, 44100, 96000};
    use("dummy");
    for (int r = 0; r < 3; ++r) {
        pinna_error err = {0};
        pn_audio_device *device;
        pn_audio_device_desc desc = {.rate = rates[r], .buffer = 256, .ahead_s = 0.25};
        assert_ok(pn_audio_device_open(&desc, NULL, &device, &err), &err);
        const pn_audio_device_info *info = pn_audio_device_get_info(device);
        double held_s = (double)info->ring_frames / info->rate;
        assert_true(held_s >= 0.25 && held_s < 0.5);
        pn_audio_device_close(device);
    }
}

/* What is written comes out, once, in order, after and before silence only; an empty ring is an underrun until the
 * end is declared. */
static void test_disk(void **state) {
    (void)state;
    enum { FRAMES = 6000 };
    static float wanted[2 * FRAMES], got[1 << 20];
    char path[1024];
    snprintf(path, sizeof path, "%s", test_path("disk.raw"));
    use("disk");
    setenv("SDL_DISKAUDIOFILE", path, 1);
    setenv("SDL_DISKAUDIODELAY", "1", 1);
    pinna_error err = {0};
    pn_audio_device *device;
    pn_audio_device_desc desc = {.rate = 44100, .buffer = 256};
    assert_ok(pn_audio_device_open(&desc, NULL, &device, &err), &err);
    const pn_audio_device_info *info = pn_audio_device_get_info(device);
    assert_string_equal(info->driver, "disk");
    assert_true(info->rate == 44100);
    assert_int_equal(info->channels, 2);
    assert_true(info->ring_frames >= 2 * (size_t)info->buffer);
    test_fill_noise(wanted, 2 * FRAMES, 4, 0.5);
    size_t done = pn_audio_device_write(device, wanted, FRAMES);
    assert_int_equal(done, info->ring_frames);
    assert_int_equal(pn_audio_device_writable(device), 0);
    pn_audio_device_start(device);
    while (done < FRAMES) {
        pn_audio_device_wait(device, 1, 1000);
        done += pn_audio_device_write(device, wanted + 2 * done, FRAMES - done);
    }
    pn_audio_device_wait(device, info->ring_frames, 2000);
    assert_int_equal(pn_audio_device_writable(device), info->ring_frames);
    pn_audio_device_stats starved, ended;
    do {
        pn_audio_device_wait(device, info->ring_frames + 1, 5);
        pn_audio_device_get_stats(device, &starved);
    } while (starved.underruns == 0);
    assert_true(starved.frames_missing > 0 && starved.frames_played >= FRAMES);
    pn_audio_device_finish(device);
    pn_audio_device_wait(device, info->ring_frames + 1, 5);
    pn_audio_device_get_stats(device, &starved);
    pn_audio_device_wait(device, info->ring_frames + 1, 20);
    pn_audio_device_get_stats(device, &ended);
    assert_true(ended.frames_played > starved.frames_played);
    assert_int_equal(ended.underruns, starved.underruns);
    pn_audio_device_close(device);

    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t count = fread(got, sizeof *got, sizeof got / sizeof *got, file), nonzero = 0;
    fclose(file);
    for (size_t i = 0; i < count; ++i) { /* noise has no exact zeros here; underruns put some in between */
        if (got[i] == 0)
            continue;
        assert_true(nonzero < 2 * FRAMES);
        assert_true(got[i] == wanted[nonzero]);
        ++nonzero;
    }
    assert_int_equal(nonzero, 2 * FRAMES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_library),      cmocka_unit_test(test_list),
        cmocka_unit_test(test_no_driver),       cmocka_unit_test(test_signals_stay_ours),
        cmocka_unit_test(test_ring_in_seconds), cmocka_unit_test(test_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
