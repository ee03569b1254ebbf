// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* `pinna play` with SDL's own pretended devices: `disk` keeps what is played, `dummy` plays to nobody. */
#include <sys/stat.h>

#include "render_support.h"

static test_run run;

static const char scene[] =
    "pinna: 1\nduration: 1.3\nsources:\n"
    "  - {name: a, generator: {kind: pink}, orbit: {period: 1, radius: 1}, sends: {hall: -6}}\n"
    "  - {name: b, generator: {kind: pluck}, start: 0.3, render: stereo, position: [1, 1, 0]}\n"
    "buses: [{name: hall, reverb: {ir: builtin}}]\n";

#define DISK "SDL_AUDIODRIVER=disk SDL_DISKAUDIOFILE=played.raw SDL_DISKAUDIODELAY=1 "

/* What SDL wrote: interleaved floats, silence before the start and after the end (and, on an underrun, in between). */
static float *read_played(size_t *frames) {
    struct stat s;
    const char *path = test_path("played.raw");
    assert_int_equal(stat(path, &s), 0);
    *frames = (size_t)s.st_size / 8;
    float *samples = malloc((size_t)s.st_size + 8);
    FILE *file = fopen(path, "rb");
    assert_true(samples != NULL && file != NULL);
    assert_int_equal(fread(samples, 8, *frames, file), *frames);
    fclose(file);
    return samples;
}

/* All is rendered ahead, so that no machine is too slow: the same samples as the file, from the first on. */
static void plays_the_samples_of_the_file(void **state) {
    (void)state;
    test_write_text("s.yaml", scene);
    test_program(&run, "render s.yaml -o s.wav --device cpu --encoding f32");
    assert_int_equal(run.status, 0);
    test_shell(&run, DISK "'%s' play s.yaml --device cpu --ahead 5000", getenv("PINNA_PROGRAM"));
    if (run.status != 0)
        fail_msg("%s", run.err);
    assert_non_null(strstr(run.err, "0 underruns"));
    test_mix mix;
    test_read_wav(test_path("s.wav"), &mix);
    size_t frames;
    float *played = read_played(&frames);
    size_t first = 0, silence = 0;
    while (first < mix.frames && mix.side[0][first] == 0 && mix.side[1][first] == 0)
        ++first;
    while (silence < frames && played[2 * silence] == 0 && played[2 * silence + 1] == 0)
        ++silence;
    assert_true(silence >= first && (silence - first) % 512 == 0); /* buffers before the start */
    silence -= first;
    assert_true(frames >= silence + mix.frames);
    for (size_t n = 0; n < mix.frames; ++n)
        for (int side = 0; side < 2; ++side)
            assert_true(played[2 * (silence + n) + (size_t)side] == mix.side[side][n]);
    size_t end = silence + mix.frames;
    assert_true(test_peak(played + 2 * end, 2 * (frames - end)) == 0);
    free(played);
    test_mix_clear(&mix);
}

static void ends_by_itself_or_by_ctrl_c(void **state) {
    (void)state;
    test_write_text("s.yaml", scene);
    test_shell(&run, "SDL_AUDIODRIVER=dummy '%s' play s.yaml --device cpu", getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.err, "played 1.3 s"));
    assert_true(run.seconds > 1);
    test_write_text("long.yaml", "pinna: 1\nduration: 1000\nsources: [{name: a, generator: {kind: sine}}]\n");
    test_shell(
        &run, "SDL_AUDIODRIVER=dummy '%s' play long.yaml --device cpu & p=$!; sleep 1; kill -INT $p; wait $p",
        getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.err, "stopped after"));
    assert_true(run.seconds < 8);
}

static void missing_devices_are_told(void **state) {
    (void)state;
    test_write_text("s.yaml", scene);
    test_shell(&run, "SDL_AUDIODRIVER=nonsense '%s' play s.yaml --device cpu", getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "error: "));
    assert_non_null(strstr(run.err, "nonsense"));
    test_shell(&run, DISK "SDL_DISKAUDIOFILE=no/folder/x '%s' play s.yaml --device cpu",
               getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "cannot be opened"));
    test_shell(&run, "PINNA_SDL_LIBRARY=libno-such-sdl.so.0 '%s' play s.yaml --device cpu",
               getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "libno-such-sdl.so.0"));
    assert_non_null(strstr(run.err, "pinna render"));
    test_program(&run, "play s.yaml --buffer 100");
    assert_int_equal(run.status, 2);
    test_program(&run, "play s.yaml --ahead 0");
    assert_int_equal(run.status, 2);
    test_shell(&run, "SDL_AUDIODRIVER=dummy '%s' play none.yaml --device cpu", getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "none.yaml"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_the_samples_of_the_file),
        cmocka_unit_test(ends_by_itself_or_by_ctrl_c),
        cmocka_unit_test(missing_devices_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
