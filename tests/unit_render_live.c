// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* pn_live on SDL's dummy device, which takes samples in real time and throws them away: threads, ends, counts. What is
 * heard is tested through the program. */
#include <stdlib.h>
#include <time.h>

#include "render/live.h"
#include "render_support.h"

static pn_audio_device *open_device(double rate) {
    pn_audio_device_desc desc = {.rate = rate, .buffer = 256, .ahead_s = 4096 / rate};
    pn_audio_device *device = NULL;
    pinna_error err = {0};
    assert_ok(pn_audio_device_open(&desc, NULL, &device, &err), &err);
    return device;
}

static void wait_ms(long ms) {
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* At the scene's rate and converted to another: all of it is rendered, and handed over. */
static void plays_to_the_end(void **state) {
    (void)state;
    static const double rates[] = {48000, 44100};
    for (int k = 0; k < 2; ++k) {
        pn_renderer_config config = {.device = "cpu", .threads = 2};
        pn_renderer *r =
            test_open_scene("pinna: 1\nduration: 0.4\nsources: [{name: a, generator: {kind: sine}, render: "
                            "stereo, sends: {b: 0}}]\nbuses: [{name: b, reverb: {ir: builtin}}]\n",
                            &config, NULL);
        pn_audio_device *device = open_device(rates[k]);
        pn_live *live = NULL;
        pinna_error err = {0};
        pn_live_state now = {0};
        assert_ok(pn_live_start(r, device, &live, &err), &err);
        for (int ms = 0; ms < 20000 && !now.finished; ms += 10) {
            wait_ms(10);
            pn_live_get_state(live, &now);
        }
        assert_true(now.finished);
        assert_int_equal(now.frames_rendered, 19200);
        assert_int_equal(now.status, PINNA_OK);
        assert_ok(pn_live_stop(live, &err), &err);
        pn_audio_device_stats stats;
        pn_audio_device_get_stats(device, &stats);
        assert_true(stats.frames_played > 0.4 * rates[k] - 4096 - 512);
        pn_audio_device_close(device);
        pn_renderer_free(r);
    }
}

static void stops_in_the_middle(void **state) {
    (void)state;
    pn_renderer *r = test_open_scene(
        "pinna: 1\nduration: 1000\nsources: [{name: a, generator: {kind: sine}, render: direct}]\n", NULL,
        NULL);
    pn_audio_device *device = open_device(48000);
    pn_live *live = NULL;
    pinna_error err = {0};
    pn_live_state now;
    assert_ok(pn_live_start(r, device, &live, &err), &err);
    wait_ms(100);
    pn_live_get_state(live, &now);
    assert_false(now.finished);
    assert_true(now.frames_rendered > 0 && now.frames_rendered < 10 * 48000);
    assert_ok(pn_live_stop(live, &err), &err);
    assert_ok(pn_live_stop(NULL, &err), &err);
    pn_audio_device_close(device);
    pn_renderer_free(r);
}

static void no_memory_is_told(void **state) {
    (void)state;
    pn_renderer *r = test_open_scene(
        "pinna: 1\nduration: 1\nsources: [{name: a, generator: {kind: sine}, render: direct}]\n", NULL, NULL);
    pn_audio_device *device = open_device(44100);
    for (long k = 1; k <= 6; ++k) {
        pn_live *live = NULL;
        pinna_error err = {0};
        pn_memory_fail_at(k);
        pinna_status status = pn_live_start(r, device, &live, &err);
        pn_memory_fail_at(0);
        assert_int_equal(status, PINNA_NO_MEMORY);
        assert_null(live);
    }
    pn_audio_device_close(device);
    pn_renderer_free(r);
}

int main(void) {
    setenv("SDL_AUDIODRIVER", "dummy", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_to_the_end),
        cmocka_unit_test(stops_in_the_middle),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
