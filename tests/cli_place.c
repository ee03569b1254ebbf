// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* `pinna place`: the same as the scene of one source that it stands for. */
#include "render_support.h"

static test_run run;

static int make_clips(void **state) {
    (void)state;
    const float *clip[3];
    free(test_noise_clip("in.wav", 44100, 1, 8820, 1, clip));
    free(test_noise_clip("three.wav", 48000, 3, 9600, 1, clip));
    free(test_noise_clip("slow.wav", 4000, 1, 800, 1, clip));
    return 0;
}

/* `place` with the options against a scene with the source's keys. */
static void same_as(const char *in, const char *options, const char *head, const char *keys) {
    char yaml[500];
    test_mix a, b;
    snprintf(yaml, sizeof yaml, "pinna: 1\n%ssources: [{name: a, clip: %s, %s}]\n", head, in, keys);
    test_write_text("same.yaml", yaml);
    test_program(&run, "place %s -o placed.wav --device cpu --encoding f32 %s", in, options);
    if (run.status != 0)
        fail_msg("place %s: %s", options, run.err);
    test_program(&run, "render same.yaml -o scene.wav --device cpu --encoding f32");
    assert_int_equal(run.status, 0);
    test_read_wav(test_path("placed.wav"), &a);
    test_read_wav(test_path("scene.wav"), &b);
    assert_true(a.rate == b.rate);
    assert_below(test_mix_error_db(&a, &b), -120);
    test_mix_clear(&a);
    test_mix_clear(&b);
}

static void places_like_a_scene(void **state) {
    (void)state;
    same_as("in.wav", "", "rate: 44100\n", "gain: 0");
    same_as("in.wav", "--azimuth 60 --elevation -20 --distance 2.5", "rate: 44100\n",
            "polar: {azimuth: 60, elevation: -20, distance: 2.5}");
    same_as("in.wav", "-a -90 --rate 48000 --block 64", "rate: 48000\nblock: 64\n", "polar: {azimuth: -90}");
    same_as("three.wav", "-d 0.5", "rate: 48000\n", "polar: {distance: 0.5}");
    same_as("in.wav", "--orbit 0.5 --distance 2 --azimuth 90", "rate: 44100\n",
            "orbit: {period: 0.5, radius: 2, phase: 90}");
    same_as("in.wav", "--orbit -1 --elevation 30 --distance 2", "rate: 44100\n",
            "orbit: {period: -1, radius: 1.7320508075688772, height: 1}");
    if (test_data_folder() != NULL) {
        char options[1100], head[1100];
        snprintf(head, sizeof head, "rate: 44100\nhrtf: %s/sofa/KU100_CIRC360.sofa\n", test_data_folder());
        snprintf(options, sizeof options, "--hrtf %s/sofa/KU100_CIRC360.sofa --azimuth 90",
                 test_data_folder());
        same_as("in.wav", options, head, "polar: {azimuth: 90}");
    }
}

/* Float in, float out; the file's rate where the renderer takes it. */
static void keeps_encoding_and_rate(void **state) {
    (void)state;
    test_program(&run, "place in.wav -o a.wav --device cpu");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "f32"));
    assert_non_null(strstr(run.out, "44100"));
    test_program(
        &run, "place a.wav -o b.wav --device cpu --encoding pcm16 && '%s' place b.wav -o c.wav --device cpu",
        getenv("PINNA_PROGRAM"));
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "pcm24"));
    test_program(&run, "place slow.wav -o d.wav --device cpu");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "48000"));
    assert_non_null(strstr(run.err, "4000"));
}

static void refuses(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *line, *word;
    } cases[] = {
        {1, "none.wav -o x.wav", "none.wav"},
        {1, "in.wav -o in.wav", "in.wav"},
        {1, "in.wav -o no/x.wav", "no"},
        {1, "in.wav -o x.wav --hrtf none.sofa", "none.sofa"},
        {2, "in.wav", "-o"},
        {2, "in.wav -o x.wav --elevation 91", "--elevation"},
        {2, "in.wav -o x.wav --distance -1", "--distance"},
        {2, "in.wav -o x.wav --azimuth 1e9", "--azimuth"},
        {2, "in.wav -o x.wav --azimuth left", "'left'"},
        {2, "in.wav -o x.wav --rate 1", "--rate"},
        {2, "in.wav -o x.wav --orbit 1e-30", "--orbit"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        test_program(&run, "place %s --device cpu", cases[k].line);
        if (run.status != cases[k].status || strstr(run.err, cases[k].word) == NULL)
            fail_msg("place %s: expected %d and '%s', got %d: %s", cases[k].line, cases[k].status,
                     cases[k].word, run.status, run.err);
        assert_false(test_file_exists(test_path("x.wav")));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_like_a_scene),
        cmocka_unit_test(keeps_encoding_and_rate),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, make_clips, NULL);
}
