// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* `pinna render` and `pinna check` as a user meets them: what they print and leave behind, usage, outputs that cannot
 * be written, interruption, the JSON documents. */
#include <dirent.h>
#include <unistd.h>

#include "json_support.h"
#include "render_support.h"

static test_run run;

#define SCENE "pinna: 1\nrate: 48000\n"
static const char small[] =
    SCENE "duration: 0.2\nsources: [{name: tone, generator: {kind: sine}, position: [1, 1, 0], "
          "sends: {hall: -10}}]\nbuses: [{name: hall, reverb: {ir: builtin, predelay: 0.01}}]\n";

/* Files in the test's folder whose names begin with `prefix` or are its temporary ones. */
static int count_files(const char *prefix) {
    int count = 0;
    DIR *folder = opendir(test_folder());
    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder))
        count += strncmp(e->d_name, prefix, strlen(prefix)) == 0 || strstr(e->d_name, "pinna-") != NULL;
    closedir(folder);
    return count;
}

/* Exit status and a word on standard error; one line beginning "pinna COMMAND:". */
static void expect(int status, const char *word) {
    if (run.status != status || strstr(run.err, word) == NULL)
        fail_msg("expected %d and '%s', got %d: %s%s", status, word, run.status, run.out, run.err);
}

static cJSON *json(void) {
    cJSON *document = cJSON_Parse(run.out);
    if (run.status != 0 || document == NULL)
        fail_msg("%d, no JSON: %s%s", run.status, run.out, run.err);
    return document;
}

/* ------------------------------------------------------------------ what it does */

static void renders_a_scene(void **state) {
    (void)state;
    test_write_text("small.yaml", small);
    test_program(&run, "render small.yaml -o small.wav --device cpu");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "small.wav"));
    assert_non_null(strstr(run.out, "0.20 s"));
    assert_non_null(strstr(run.out, "pcm24"));
    assert_non_null(strstr(run.out, "dBTP"));
    assert_null(strchr(run.err, '\r'));
    pn_audio audio;
    pinna_error err = {0};
    assert_ok(pn_audio_load(test_path("small.wav"), 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
    assert_int_equal(audio.channels, 2);
    assert_int_equal(audio.frames, 9600);
    assert_true(test_peak(audio.channel[0], audio.frames) > 0.1);
    pn_audio_clear(&audio);
    test_program(&run, "render small.yaml -o small.wav --device cpu --quiet");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "");
    assert_int_equal(count_files("small.wav"), 1);
}

static void options_win_over_the_scene(void **state) {
    (void)state;
    test_write_text("small.yaml", small);
    static const struct {
        const char *options, *file, *encoding;
        double rate;
    } cases[] = {
        {"--rate 16000 --block 64 --encoding f32", "o.wav", "f32", 16000},
        {"--encoding pcm16 --hrtf builtin", "o.flac", "pcm16", 48000},
        {"--encoding=f64", "o.caf", "f64", 48000},
        {"--threads 1", "o.w64", "pcm24", 48000},
    };
    for (int k = 0; k < 4; ++k) {
        test_program(&run, "render --device cpu %s -o %s small.yaml", cases[k].options, cases[k].file);
        if (run.status != 0)
            fail_msg("%s: %s", cases[k].options, run.err);
        assert_non_null(strstr(run.out, cases[k].encoding));
        pn_audio audio;
        pinna_error err = {0};
        assert_ok(pn_audio_load(test_path(cases[k].file), 0, PN_AUDIO_SIGNAL, NULL, &audio, &err), &err);
        assert_true(audio.file_rate == cases[k].rate);
        assert_int_equal(audio.frames, (size_t)(cases[k].rate / 5));
        pn_audio_clear(&audio);
    }
}

static void tells_what_it_did(void **state) {
    (void)state;
    const float *clip[2];
    free(test_noise_clip("c44.wav", 44100, 2, 4410, 1, clip));
    test_write_text("loud.yaml",
                    SCENE "sources:\n  - {name: loud, clip: c44.wav, gain: 30, render: direct}\n");
    test_program(&run, "render loud.yaml -o loud.wav --device cpu --json");
    cJSON *document = json();
    assert_string_equal(text(document, "device"), "cpu");
    assert_true(number(document, "frames") == 4800);
    assert_true(number(document, "rate") == 48000);
    assert_true(number(document, "channels") == 2);
    assert_true(fabs(number(document, "seconds") - 0.1) < 1e-9);
    assert_true(number(document, "realtime_factor") > 0);
    assert_true(number(document, "peak_dbtp") > 20);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(document, "lufs")); /* null: too short to have one */
    const cJSON *warnings = cJSON_GetObjectItemCaseSensitive(document, "warnings");
    assert_true(cJSON_IsArray(warnings) && cJSON_GetArraySize(warnings) == 1);
    assert_non_null(strstr(cJSON_GetArrayItem(warnings, 0)->valuestring, "clipped"));
    cJSON_Delete(document);
    assert_non_null(strstr(run.err, "44100"));
    assert_non_null(strstr(run.err, "warning: "));
}

static void silence_has_no_level(void **state) {
    (void)state;
    test_write_text("mute.yaml",
                    SCENE "duration: 0.5\nsources: [{name: a, generator: {kind: sine}, mute: true}]\n");
    test_program(&run, "render mute.yaml -o mute.wav --device cpu --json");
    cJSON *document = json();
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(document, "peak_dbtp")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(document, "lufs")));
    cJSON_Delete(document);
}

/* A 1 kHz sine of -20 dBFS in both channels: mean square -23.01 dB each, -20 dB together; the K weighting at 1 kHz and
 * the constant of BS.1770 cancel. */
static void loudness_is_that_of_the_standard(void **state) {
    (void)state;
    test_write_text("tone.yaml",
                    SCENE "sources: [{name: a, generator: {kind: sine, frequency: 1000, level: -20}, "
                          "length: 2, render: direct}]\n");
    test_program(&run, "render tone.yaml -o tone.wav --device cpu --json");
    cJSON *document = json();
    assert_true(fabs(number(document, "peak_dbtp") + 20) < 0.1);
    assert_true(fabs(number(document, "lufs") + 20) < 0.1);
    cJSON_Delete(document);
}

static void the_demo_renders(void **state) {
    (void)state;
    test_program(&run, "render builtin -o demo.wav --device cpu --json");
    cJSON *document = json();
    assert_true(number(document, "seconds") == 20);
    assert_true(number(document, "peak_dbtp") < -1 && number(document, "peak_dbtp") > -20);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(document, "warnings")), 0);
    cJSON_Delete(document);
}

static void writes_to_standard_output(void **state) {
    (void)state;
    test_write_text("small.yaml", small);
    test_program(&run, "render small.yaml -o - --device cpu --encoding f32 > piped.wav");
    assert_int_equal(run.status, 0);
    test_program(&run, "render small.yaml -o file.wav --device cpu --encoding f32 --quiet");
    test_mix a, b;
    test_read_wav(test_path("piped.wav"), &a);
    test_read_wav(test_path("file.wav"), &b);
    assert_int_equal(a.frames, b.frames);
    for (int side = 0; side < 2; ++side)
        assert_memory_equal(a.side[side], b.side[side], a.frames * sizeof(float));
    test_mix_clear(&a);
    test_mix_clear(&b);
    test_program(&run, "render small.yaml -o - --device cpu --json 2> piped.json | wc -c");
    test_shell(&run, "cat piped.json");
    assert_non_null(strstr(run.out, "\"frames\""));
}

/* ------------------------------------------------------------------ check */

static void check_describes(void **state) {
    (void)state;
    const float *clip[2];
    free(test_noise_clip("c44.wav", 44100, 2, 4410, 1, clip));
    test_write_text("s.yaml",
                    SCENE "sources:\n  - {name: voice, clip: c44.wav, start: 0.5, sends: {hall: -6}}\n"
                          "  - {name: quiet, clip: c44.wav, mute: true, render: stereo}\n"
                          "buses: [{name: hall, reverb: {ir: builtin, predelay: 0.02}}]\n");
    test_program(&run, "check s.yaml --device cpu");
    assert_int_equal(run.status, 0);
    static const char *const words[] = {"voice",
                                        "quiet",
                                        "hall",
                                        "44100",
                                        "0.50 s",
                                        "stereo",
                                        "48000",
                                        "builtin",
                                        "latency of the engine",
                                        "memory",
                                        "mute",
                                        "-6.0 dB",
                                        "longest tail 2.02 s"};
    for (size_t k = 0; k < sizeof words / sizeof *words; ++k)
        if (strstr(run.out, words[k]) == NULL && strstr(run.err, words[k]) == NULL)
            fail_msg("no '%s' in %s%s", words[k], run.out, run.err);
    test_program(&run, "check s.yaml --device cpu --json");
    cJSON *document = json();
    assert_true(number(document, "rate") == 48000);
    assert_true(number(document, "block") == 256);
    assert_true(number(document, "latency_frames") == 256);
    assert_true(number(document, "memory") > 1e6);
    assert_true(fabs(number(document, "seconds") - (0.5 + 0.1 + 2.02)) < 1e-9);
    assert_true(fabs(number(document, "longest_tail") - 2.02) < 1e-9);
    const cJSON *sources = cJSON_GetObjectItemCaseSensitive(document, "sources");
    assert_int_equal(cJSON_GetArraySize(sources), 2);
    assert_string_equal(text(cJSON_GetArrayItem(sources, 0), "name"), "voice");
    assert_true(number(cJSON_GetArrayItem(sources, 0), "file_rate") == 44100);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(sources, 1), "heard")));
    const cJSON *bus = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(document, "buses"), 0);
    assert_true(fabs(number(bus, "ir_seconds") - 2) < 1e-9);
    assert_true(fabs(number(bus, "predelay") - 0.02) < 1e-9);
    assert_non_null(text(bus, "plan"));
    assert_true(cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(document, "warnings")));
    cJSON_Delete(document);
}

/* ------------------------------------------------------------------ usage */

static void wrong_usage_is_told(void **state) {
    (void)state;
    test_write_text("small.yaml", small);
    static const struct {
        const char *line, *word;
    } cases[] = {
        {"", "usage"},
        {"rendr", "did you mean 'render'"},
        {"render", "too few"},
        {"render small.yaml", "-o"},
        {"render small.yaml -o", "needs a value"},
        {"render small.yaml more -o x.wav", "'more'"},
        {"render small.yaml -o x.wav --rte 48000", "did you mean '--rate'"},
        {"render small.yaml -o x.wav --rate fast", "'fast'"},
        {"render small.yaml -o x.wav --rate 100", "8000 to 384000"},
        {"render small.yaml -o x.wav --rate nan", "nan"},
        {"render small.yaml -o x.wav --block 100", "power of two"},
        {"render small.yaml -o x.wav --threads -1", "--threads"},
        {"render small.yaml -o x.wav --encoding mp3", "pcm16"},
        {"render small.yaml -o x.wav --quiet=1", "takes no value"},
        {"render small.yaml -o x.wav --stems stems", "not available"},
        {"view small.yaml", "not available"},
        {"view", "not available"},
        {"check", "too few"},
        {"play", "too few"},
        {"place", "too few"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        test_program(&run, "%s", cases[k].line);
        if (run.status != 2 || strstr(run.err, cases[k].word) == NULL)
            fail_msg("pinna %s: expected 2 and '%s', got %d: %s", cases[k].line, cases[k].word, run.status,
                     run.err);
        assert_string_equal(run.out, "");
    }
    assert_false(test_file_exists(test_path("x.wav")));
}

static void help_and_version(void **state) {
    (void)state;
    static const char *const commands[] = {"render", "check", "place", "play"};
    for (int k = 0; k < 4; ++k) {
        test_program(&run, "%s --help", commands[k]);
        assert_int_equal(run.status, 0);
        assert_non_null(strstr(run.out, "usage: pinna"));
        assert_non_null(strstr(run.out, "--device"));
        assert_string_equal(run.err, "");
    }
    test_program(&run, "--version");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "pinna " PINNA_VERSION "\n");
}

static void devices_that_do_not_exist(void **state) {
    (void)state;
    test_write_text("small.yaml", small);
    static const char *const devices[] = {"gpu", "opencl:99.0", "opencl:x", ""};
    for (int k = 0; k < 4; ++k) {
        test_program(&run, "render small.yaml -o x.wav --device '%s'", devices[k]);
        if (run.status == 0 || run.status > 2 || strstr(run.err, devices[k]) == NULL)
            fail_msg("--device '%s': %d %s", devices[k], run.status, run.err);
        assert_int_equal(count_files("x.wav"), 0);
    }
}

/* ------------------------------------------------------------------ outputs */

static const char long_scene[] = SCENE "duration: 2000\nsources: [{name: a, generator: {kind: sine}}, {name: "
                                       "b, generator: {kind: noise}, orbit: "
                                       "{period: 3, radius: 1}}]\n";

/* Found before the rendering, which would take minutes. */
static void unwritable_outputs_are_found_first(void **state) {
    (void)state;
    test_write_text("long.yaml", long_scene);
    test_shell(&run, "mkdir -p folder.wav");
    static const struct {
        const char *out, *word;
    } cases[] = {{"no/such/folder/x.wav", "no/such/folder"},
                 {"folder.wav", "folder"},
                 {"x.mp9", ".flac"},
                 {"x", ".flac"},
                 {"long.yaml", "long.yaml"},
                 {"./long.yaml", "long.yaml"},
                 {"''", "output"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        test_program(&run, "render long.yaml --device cpu -o %s", cases[k].out);
        expect(1, cases[k].word);
        assert_true(run.seconds < 10);
    }
    test_shell(&run, "cat long.yaml");
    assert_string_equal(run.out, long_scene);
}

/* Whatever the scene names is not overwritten, by whatever name. */
static void an_input_is_not_overwritten(void **state) {
    (void)state;
    const float *clip[1];
    free(test_noise_clip("in.wav", 48000, 1, 4800, 1, clip));
    free(test_noise_clip("ir.wav", 48000, 1, 480, 1, clip));
    test_shell(&run, "ln -sf in.wav link.wav; ln -f ir.wav hard.wav; cksum in.wav ir.wav");
    static char before[sizeof run.out];
    memcpy(before, run.out, sizeof before);
    test_write_text("in.yaml", SCENE "sources: [{name: a, clip: in.wav, sends: {b: 0}}]\n"
                                     "buses: [{name: b, reverb: {ir: ir.wav}}]\n");
    static const char *const outs[] = {"in.wav", "ir.wav", "link.wav", "hard.wav", "./in.wav"};
    for (int k = 0; k < 5; ++k) {
        test_program(&run, "render in.yaml --device cpu -o %s", outs[k]);
        expect(1, "in");
    }
    test_shell(&run, "cksum in.wav ir.wav");
    assert_string_equal(run.out, before);
}

static void interruption_leaves_nothing(void **state) {
    (void)state;
    test_write_text("long.yaml", long_scene);
    test_shell(&run, "'%s' render long.yaml --device cpu -o long.wav & p=$!; sleep 1; kill -INT $p; wait $p",
               getenv("PINNA_PROGRAM"));
    expect(1, "interrupted");
    assert_true(run.seconds < 10);
    assert_int_equal(count_files("long.wav"), 0);
    test_shell(
        &run,
        "echo old > old.wav; '%s' render long.yaml --device cpu -o old.wav & p=$!; sleep 1; kill -TERM $p; "
        "wait $p; cat old.wav",
        getenv("PINNA_PROGRAM"));
    assert_string_equal(run.out, "old\n");
    assert_int_equal(count_files("old.wav"), 1);
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    test_write_text("long.yaml", long_scene);
    test_program(&run, "render long.yaml --device cpu --rate 8000 -o /dev/full");
    expect(1, "/dev/full");
    assert_true(run.seconds < 10);
    /* 512 * 200 bytes; the signal that comes with this limit is not the program's to end by. */
    test_shell(&run, "ulimit -f 200; exec '%s' render long.yaml --device cpu -o big.wav",
               getenv("PINNA_PROGRAM"));
    expect(1, "big.wav");
    assert_int_equal(count_files("big.wav"), 0);
}

static void a_closed_pipe_is_told(void **state) {
    (void)state;
    test_write_text("long.yaml", long_scene);
    test_shell(&run,
               "('%s' render long.yaml --device cpu -o -; echo status $? >&2) | head -c 100000 > /dev/null",
               getenv("PINNA_PROGRAM"));
    assert_non_null(strstr(run.err, "status 1"));
    assert_non_null(strstr(run.err, "error"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_a_scene),
        cmocka_unit_test(options_win_over_the_scene),
        cmocka_unit_test(tells_what_it_did),
        cmocka_unit_test(silence_has_no_level),
        cmocka_unit_test(loudness_is_that_of_the_standard),
        cmocka_unit_test(the_demo_renders),
        cmocka_unit_test(writes_to_standard_output),
        cmocka_unit_test(check_describes),
        cmocka_unit_test(wrong_usage_is_told),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(devices_that_do_not_exist),
        cmocka_unit_test(unwritable_outputs_are_found_first),
        cmocka_unit_test(an_input_is_not_overwritten),
        cmocka_unit_test(interruption_leaves_nothing),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(a_closed_pipe_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
