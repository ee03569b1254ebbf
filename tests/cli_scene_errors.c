// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Broken scenes and broken material through the program: exit 1 or 2 within seconds, one message that names the file
 * (and the line), and no output file. The reader's own tests have the whole table of messages. */
#include <dirent.h>
#include <unistd.h>

#include "render_support.h"

static test_run run;

#define HEAD "pinna: 1\n"

static int anything_left(void) {
    int count = 0;
    DIR *folder = opendir(test_folder());
    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder))
        count += strncmp(e->d_name, "out.", 4) == 0 || strstr(e->d_name, "pinna-") != NULL;
    closedir(folder);
    return count;
}

/* Renders x.yaml and checks it too; both fail with the status, and say the same thing, once. */
static void refuse(int status, const char *place, const char *word) {
    static const char *const commands[] = {"render x.yaml -o out.wav --device cpu",
                                           "check x.yaml --device cpu"};
    for (int k = 0; k < 2; ++k) {
        test_program(&run, "%s", commands[k]);
        const char *error = strstr(run.err, "error: ");
        if (run.status != status || error == NULL || strstr(error, place) == NULL ||
            strstr(error, word) == NULL)
            fail_msg("pinna %s: expected %d, '%s' and '%s', got %d: %s", commands[k], status, place, word,
                     run.status, run.err);
        assert_null(strstr(error + 1, "error: "));
        assert_true(strchr(error, '\n') == error + strlen(error) - 1);
        assert_string_equal(run.out, "");
        assert_true(run.seconds < 10);
    }
    assert_int_equal(anything_left(), 0);
}

typedef struct {
    const char *text;
    int status;
    const char *place, *word;
} broken;

static void refuse_all(const broken *list, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        test_write_text("x.yaml", list[k].text);
        refuse(list[k].status, list[k].place, list[k].word);
    }
}

static void broken_scenes(void **state) {
    (void)state;
    const float *clip[6];
    free(test_noise_clip("a.wav", 48000, 1, 4800, 1, clip));
    free(test_noise_clip("six.wav", 48000, 6, 4800, 1, clip));
#define SOURCE HEAD "sources:\n  - name: a\n    clip: a.wav\n"
    static const broken list[] = {
        {"", 1, "x.yaml", "nothing"},
        {"\x01\x02\xff\xfe", 1, "x.yaml", "UTF-8"},
        {HEAD "sorces: []\n", 1, "x.yaml:2:1", "did you mean 'sources'"},
        {HEAD "rate: fast\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2:7", "'fast'"},
        {SOURCE "    gain: .nan\n", 1, "x.yaml:5:11", ".nan"},
        {SOURCE "    position: [1, .inf, 0]\n", 1, "x.yaml:5:19", ".inf"},
        {SOURCE "    sends: {hall: 0}\n", 1, "x.yaml:5", "hall"},
        {SOURCE "buses:\n  - name: b\n    sends: {b: 0}\n", 1, "x.yaml:7:12", "no 'sends'"},
        {HEAD "rate: 1e300\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2", "384000"},
        {HEAD "duration: 1e300\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2", "duration"},
        {HEAD "block: 1073741824\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2", "8192"},
        {SOURCE "    start: 1e300\n", 1, "x.yaml:5", "start"},
        {HEAD "sources: [{name: a, clip: none.wav}]\n", 1, "x.yaml:2", "none.wav"},
        {HEAD "sources: [{name: a, clip: x.yaml}]\n", 1, "x.yaml:2", "audio"},
        {HEAD "sources: [{name: a, clip: .}]\n", 1, "x.yaml:2", "folder"},
        {SOURCE "    channel: 2\n", 1, "x.yaml", "channel"},
        {SOURCE "    from: 5\n", 1, "x.yaml", "a.wav"},
        {HEAD "hrtf: none.sofa\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2", "none.sofa"},
        {HEAD "hrtf: a.wav\nsources: [{name: a, clip: a.wav}]\n", 1, "x.yaml:2", "a.wav"},
        {SOURCE "    sends: {b: 0}\nbuses: [{name: b, reverb: {ir: none.wav}}]\n", 1, "x.yaml:6", "none.wav"},
        {SOURCE "    sends: {b: 0}\nbuses: [{name: b, reverb: {ir: six.wav}}]\n", 1, "x.yaml:6",
         "true stereo"},
    };
    refuse_all(list, sizeof list / sizeof *list);
}

static void what_is_not_available_yet(void **state) {
    (void)state;
    static const broken list[] = {
        {SOURCE "    strip: [{highpass: {frequency: 80}}]\n", 2, "x.yaml:5", "highpass"},
        {SOURCE "    automate: {width: [[0, 0], [1, 30]]}\n", 2, "x.yaml:5", "width"},
        {SOURCE "master: {loudness: -16}\n", 2, "x.yaml:5", "loudness"},
        {SOURCE "master: {strip: [{limiter: {ceiling: -1}}]}\n", 2, "x.yaml:5", "limiter"},
    };
    refuse_all(list, sizeof list / sizeof *list);
}

/* Hostile scenes: deep, long, many. */
static void absurd_scenes(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE + 100);
    assert_non_null(text);
    memset(text, '[', 100000);
    text[100000] = '\0';
    test_write_text("x.yaml", text);
    refuse(1, "x.yaml:1", "nested");
    int length = snprintf(text, SIZE, HEAD "sources:\n");
    for (int k = 0; k < 3000; ++k)
        length += snprintf(text + length, (size_t)(SIZE - length), "  - {name: s%d, clip: none.wav}\n", k);
    test_write_text("x.yaml", text);
    refuse(1, "x.yaml:3", "none.wav");
    memset(text, 'a', SIZE);
    text[SIZE] = '\0';
    test_write_text("x.yaml", text);
    refuse(1, "x.yaml", "map");
    free(text);
    test_program(&run, "render none.yaml -o out.wav");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "none.yaml"));
    test_program(&run, "render . -o out.wav");
    assert_int_equal(run.status, 1);
    test_program(&run, "render /dev/zero -o out.wav");
    assert_int_equal(run.status, 1);
    assert_int_equal(anything_left(), 0);
}

/* The place survives long names. */
static void long_paths_keep_the_line(void **state) {
    (void)state;
    char name[300];
    memset(name, 'n', 200);
    snprintf(name + 200, 100, ".yaml");
    test_write_text(name, HEAD "\nsources: [{name: a, clip: none.wav}]\n");
    test_program(&run, "render %s -o out.wav --device cpu", name);
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, ".yaml:3:27: "));
    assert_non_null(strstr(run.err, "none.wav"));
}

/* A scene without an end, and one too long to be one. */
static void scenes_without_an_end(void **state) {
    (void)state;
    test_write_text("x.yaml", HEAD "sources: [{name: a, generator: {kind: sine}}]\n");
    test_program(&run, "render x.yaml -o out.wav --device cpu");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "x.yaml"));
    assert_int_equal(anything_left(), 0);
}

/* Samples that are no numbers: as a clip replaced by silence, counted in the warnings, also when the scene ends before
 * the clip; as a response refused. */
static void samples_that_are_no_numbers(void **state) {
    (void)state;
    if (test_data_folder() == NULL)
        skip();
    char yaml[2000];
    static const char *const ends[] = {"", "duration: 0.01\n"};
    for (int k = 0; k < 2; ++k) {
        snprintf(yaml, sizeof yaml, HEAD "%ssources: [{name: a, clip: %s/malformed/syn_f32_nan.wav}]\n",
                 ends[k], test_data_folder());
        test_write_text("x.yaml", yaml);
        test_program(&run, "render x.yaml -o x.wav --device cpu --json");
        assert_int_equal(run.status, 0);
        const char *warnings = strstr(run.out, "\"warnings\"");
        if (warnings == NULL || strstr(warnings, "syn_f32_nan.wav") == NULL)
            fail_msg("no warning: %s%s", run.out, run.err);
    }
    snprintf(yaml, sizeof yaml,
             HEAD "sources: [{name: a, clip: a.wav, sends: {b: 0}}]\n"
                  "buses: [{name: b, reverb: {ir: %s/malformed/syn_f32_nan.wav}}]\n",
             test_data_folder());
    test_write_text("x.yaml", yaml);
    refuse(1, "x.yaml:3", "syn_f32_nan.wav");
}

/* Every malformed file as a clip, as a response and as a set: done, or one message that names it. */
static void malformed_files(void **state) {
    (void)state;
    if (test_data_folder() == NULL)
        skip();
    char path[1024], yaml[2500];
    snprintf(path, sizeof path, "%s/malformed", test_data_folder());
    DIR *folder = opendir(path);
    assert_non_null(folder);
    int done = 0, refused = 0;
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        if (e->d_name[0] == '.')
            continue;
        const char *extension = strrchr(e->d_name, '.');
        if (strcmp(extension, ".sofa") == 0)
            snprintf(yaml, sizeof yaml,
                     HEAD "hrtf: %s/%s\nduration: 0.1\nsources: [{name: a, clip: a.wav}]\n", path, e->d_name);
        else
            snprintf(yaml, sizeof yaml,
                     HEAD "duration: 0.1\nsources: [{name: a, clip: %s/%s, channel: 1, render: direct, "
                          "sends: {b: 0}}]\n"
                          "buses: [{name: b}]\n",
                     path, e->d_name);
        test_write_text("x.yaml", yaml);
        test_program(&run, "render x.yaml -o out.wav --device cpu");
        if (run.status != 0 &&
            (run.status != 1 || strstr(run.err, e->d_name) == NULL || anything_left() != 0))
            fail_msg("%s: %d %s", e->d_name, run.status, run.err);
        assert_true(run.seconds < 20);
        *(run.status == 0 ? &done : &refused) += 1;
        unlink(test_path("out.wav"));
    }
    closedir(folder);
    print_message("%d rendered, %d refused\n", done, refused);
    assert_true(done > 10 && refused > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_scenes),         cmocka_unit_test(what_is_not_available_yet),
        cmocka_unit_test(absurd_scenes),         cmocka_unit_test(long_paths_keep_the_line),
        cmocka_unit_test(scenes_without_an_end), cmocka_unit_test(samples_that_are_no_numbers),
        cmocka_unit_test(malformed_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
