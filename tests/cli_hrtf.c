// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/audio_file.h"
#include "json_support.h"
#include "sofa_support.h"

/* `pinna hrtf` as people meet it: what it tells of a set, what it refuses. */

/* What the set's own documentation says: 710 directions, 512 samples at 44.1 kHz, elevations -40 to 90, 1.4 m. */
static void test_builtin(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "hrtf builtin"), 0);
    assert_non_null(strstr(run.out, "MIT KEMAR"));
    assert_non_null(strstr(run.out, "SimpleFreeFieldHRIR"));
    assert_non_null(strstr(run.out, "equalised    low\n"));
    assert_int_equal(test_program(&run, "hrtf builtin --equalise none"), 0);
    assert_non_null(strstr(run.out, "equalised    as measured\n"));
    assert_int_equal(test_program(&run, "hrtf builtin --equalise none"), 0);
    assert_non_null(strstr(run.out, "from the cache"));
    assert_int_equal(test_program(&run, "hrtf builtin --equalise high"), 2);
    assert_non_null(strstr(run.err, "'high' is none of none, low, diffuse"));
    assert_int_equal(test_program(&run, "hrtf builtin --json --quiet"), 0);
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    const cJSON *one;
    cJSON_ArrayForEach(one, json) /* each name once */
        assert_ptr_equal(cJSON_GetObjectItemCaseSensitive(json, one->string), one);
    assert_true(number(json, "file_directions") == 710 && number(json, "file_taps") == 512);
    assert_true(number(json, "file_rate") == 44100);
    assert_true(number(json, "nodes") > 2000 && number(json, "shells") == 1);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "equalised_low")));
    assert_true(fabs(number(json, "elevation_min") + 40) < 0.01 &&
                fabs(number(json, "elevation_max") - 90) < 0.01);
    assert_true(fabs(number(json, "distance_min") - 1.4) < 1e-3);
    /* A head of 8.75 cm: Woodworth's formula gives 660 us at the side. */
    assert_true(fabs(number(json, "itd_max_us") - 660) < 60 && fabs(number(json, "itd_min_us") + 660) < 60);
    cJSON_Delete(json);
}

static double energy(const pn_audio *audio, int channel) {
    double sum = 0;
    for (size_t n = 0; n < audio->frames; ++n)
        sum += (double)audio->channel[channel][n] * audio->channel[channel][n];
    return sum;
}

static void test_at(void **state) {
    (void)state;
    test_run run;
    pn_audio left, right;
    pinna_error err = {0};
    assert_int_equal(test_program(&run, "hrtf builtin --at 90,0 -o left.wav"), 0);
    assert_int_equal(test_program(&run, "hrtf builtin --at -90,0 -o right.wav"), 0);
    assert_ok(pn_audio_load(test_path("left.wav"), 0, PN_AUDIO_RESPONSE, NULL, &left, &err), &err);
    assert_ok(pn_audio_load(test_path("right.wav"), 0, PN_AUDIO_RESPONSE, NULL, &right, &err), &err);
    assert_int_equal(left.channels, 2);
    assert_true(left.rate == 44100 && left.is_float);
    assert_true(energy(&left, 0) > 10 * energy(&left, 1)); /* the near ear is louder by far */
    assert_true(energy(&right, 1) > 10 * energy(&right, 0));
    /* The set is symmetric: the mirrored direction has the ears exchanged. */
    assert_below(test_error_db(left.channel[0], right.channel[1], left.frames), -60);
    pn_audio_clear(&left);
    pn_audio_clear(&right);
}

/* What is written is what a source is heard through, near field and level inside: an impulse placed there gives the same
 * samples. */
static void test_at_is_what_is_rendered(void **state) {
    (void)state;
    const char *const places[][2] = {{"70,10,0.25", "-a 70 -e 10 -d 0.25"},
                                     {"-130,-20,1.5", "-a -130 -e -20 -d 1.5"},
                                     {"40,0,0", "-a 40 -d 0"}};
    float impulse[64] = {1};
    const float *const row = impulse;
    pn_audio_writer *writer;
    pn_audio_writer_spec spec = {.channels = 1, .rate = 44100, .encoding = PN_ENCODING_F32};
    pinna_error error = {0};
    assert_ok(pn_audio_writer_open(test_path("impulse.wav"), &spec, NULL, &writer, &error), &error);
    assert_ok(pn_audio_writer_write(writer, &row, 64, &error), &error);
    assert_ok(pn_audio_writer_commit(writer, &error), &error);
    pn_audio_writer_free(writer);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; ++i) {
        test_run run;
        pn_audio at, placed;
        pinna_error err = {0};
        assert_int_equal(test_program(&run, "hrtf builtin --at %s -o at.wav", places[i][0]), 0);
        assert_int_equal(test_program(&run, "place impulse.wav -o placed.wav --device cpu --encoding f32 %s",
                                      places[i][1]),
                         0);
        assert_ok(pn_audio_load(test_path("at.wav"), 0, PN_AUDIO_RESPONSE, NULL, &at, &err), &err);
        assert_ok(pn_audio_load(test_path("placed.wav"), 0, PN_AUDIO_RESPONSE, NULL, &placed, &err), &err);
        assert_true(placed.frames >= at.frames);
        for (int ear = 0; ear < 2; ++ear)
            assert_below(test_error_db(placed.channel[ear], at.channel[ear], at.frames), -90);
        pn_audio_clear(&at);
        pn_audio_clear(&placed);
    }
}

/* The response at 300 Hz of the right ear, whose onset is far from the beginning; the file is to have `frames`. */
static void at_300_hz(const char *file, double rate, int frames, double *level_db, double *delay) {
    pn_audio audio;
    pinna_error err = {0};
    assert_ok(pn_audio_load(test_path(file), 0, PN_AUDIO_RESPONSE, NULL, &audio, &err), &err);
    assert_true(audio.rate == rate);
    assert_int_equal(audio.frames, frames);
    double re = 0, im = 0, w = 2 * acos(-1) * 300 / rate;
    for (size_t n = 0; n < audio.frames; ++n) {
        re += (double)audio.channel[1][n] * cos(w * (double)n);
        im -= (double)audio.channel[1][n] * sin(w * (double)n);
    }
    *level_db = 10 * log10(re * re + im * im);
    *delay = -atan2(im, re) / (2 * acos(-1) * 300);
    pn_audio_clear(&audio);
}

/* At every rate level and time 0 of the file written are those of the set: what rendering needs before it is not in
 * there. (Phase at 300 Hz: the same but for whole periods of 3.3 ms.) */
static void test_files_are_the_same_at_all_rates(void **state) {
    (void)state;
    const double rates[] = {44100, 48000, 16000, 22050, 8000};
    double level[5], delay[5], most = 0;
    for (int i = 0; i < 5; ++i) {
        test_run run;
        assert_int_equal(
            test_program(&run, "hrtf builtin --at 60,10 -o at.wav --json -q --rate %g", rates[i]), 0);
        cJSON *json = cJSON_Parse(run.out);
        assert_non_null(json);
        double latency = number(json, "latency");
        most = fmax(most, latency / rates[i]);
        at_300_hz("at.wav", rates[i], (int)(number(json, "taps") + number(json, "max_delay") - latency),
                  &level[i], &delay[i]);
        cJSON_Delete(json);
        assert_below(fabs(delay[i] - delay[0]), 15e-6);
        assert_below(fabs(level[i] - level[0]), 0.1);
    }
    assert_true(most > 0.5e-3); /* the test is worth something */
}

static void test_wrong_usage(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "hrtf"), 2);
    assert_int_equal(test_program(&run, "hrtf builtin --plot x.gif"), 2);
    assert_non_null(strstr(run.err, "--plot: 'x.gif' does not end in .png or .svg"));
    test_shell(
        &run,
        "PINNA_CAIRO_LIBRARY=libno-such.so \"$PINNA_PROGRAM\" hrtf builtin --plot x.png; test ! -e x.png");
    assert_non_null(strstr(run.err, "pictures need cairo, and its library (libno-such.so) is not on this"));
    assert_int_equal(test_program(&run, "hrtf builtin --plot none/x.png -q"), 1);
    assert_non_null(strstr(run.err, "none"));
    assert_int_equal(test_program(&run, "hrtf builtin --at left -o x.wav"), 2);
    assert_int_equal(test_program(&run, "hrtf builtin --at 0,95 -o x.wav"), 2);
    assert_int_equal(test_program(&run, "hrtf none.sofa"), 1);
    assert_non_null(strstr(run.err, "none.sofa"));
    test_write_text("text.sofa", "not HDF5 at all");
    assert_int_equal(test_program(&run, "hrtf text.sofa --at 0,0 -o x.wav"), 1);
    assert_non_null(strstr(run.err, "text.sofa"));
    assert_false(test_file_exists(test_path("x.wav")));
    assert_false(test_file_exists(test_path("x.png")));
}

/* ---- pictures */

static size_t read_start(const char *name, unsigned char *bytes, size_t size) {
    FILE *file = fopen(test_path(name), "rb");
    assert_non_null(file);
    size = fread(bytes, 1, size, file);
    fclose(file);
    return size;
}

static double at_grid(const cJSON *plot, const char *key, int row, int column) {
    const cJSON *item =
        cJSON_GetArrayItem(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(plot, key), row), column);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* JSON larger than test_run keeps goes through a file. */
static cJSON *read_json(const char *name) {
    size_t room = 8 << 20;
    char *text = calloc(1, room);
    assert_true(read_start(name, (unsigned char *)text, room - 1) > 0);
    cJSON *json = cJSON_Parse(text);
    free(text);
    assert_non_null(json);
    return json;
}

/* The head of sofa_support.h in closed form: the left ear hears 20 y samples earlier, the ears are 1 +- 0.5 y loud. */
static void test_plot_of_a_known_head(void **state) {
    (void)state;
    sofa_file f = {0};
    sofa_head head;
    test_run run;
    make_head(&head);
    write_head(&f, &head);
    test_write_bytes("head.sofa", f.bytes, f.size);
    free(f.bytes);
    if (test_program(&run, "hrtf head.sofa -q --plot head.png --json >head.json") != 0)
        fail_msg("%s", run.err);
    cJSON *json = read_json("head.json"), *plot = cJSON_GetObjectItemCaseSensitive(json, "plot");
    const double us = 20 / 48000.0 * 1e6, db = 20 * log10(1.5 / 0.5);
    assert_below(fabs(at_grid(plot, "itd_us", 18, 18) - us), 5); /* azimuth 90, elevation 0 */
    assert_below(fabs(at_grid(plot, "itd_us", 18, 54) + us), 5);
    assert_below(fabs(at_grid(plot, "itd_us", 18, 36)), 1);
    assert_below(fabs(at_grid(plot, "itd_us", 27, 18) - us / sqrt(2)), 5); /* elevation 45 */
    assert_below(fabs(at_grid(plot, "ild_db", 18, 18) - db), 0.1);
    assert_below(fabs(at_grid(plot, "ild_db", 18, 54) + db), 0.1);
    const cJSON *levels = cJSON_GetObjectItemCaseSensitive(plot, "level_db");
    assert_int_equal(cJSON_GetArraySize(levels), 2);
    /* At one frequency the ears differ by their loudness. */
    const cJSON *left = cJSON_GetArrayItem(cJSON_GetArrayItem(levels, 0), 36),
                *right = cJSON_GetArrayItem(cJSON_GetArrayItem(levels, 1), 36);
    for (int row = 20; row < 140; row += 30)
        assert_below(fabs(cJSON_GetArrayItem(left, row)->valuedouble -
                          cJSON_GetArrayItem(right, row)->valuedouble - db),
                     0.2);
    assert_int_equal(number(plot, "predicted"), HEAD_M);
    cJSON_Delete(json);
    unsigned char png[24];
    assert_int_equal(read_start("head.png", png, 24), 24);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    assert_true((png[18] << 8 | png[19]) == 2160 && (png[22] << 8 | png[23]) == 1950);
    /* The picture may not take the set's place. */
    assert_int_equal(
        test_shell(&run, "ln -sf head.sofa head.svg && $PINNA_PROGRAM hrtf head.sofa -q --plot head.svg"), 1);
    assert_non_null(strstr(run.err, "head.svg"));
}

/* KEMAR with every other direction left out: not worse than Steam Audio on the same task, 0.58 dB and 3 us per direction
 * of one elevation in two, with room for directions above and below. */
static void test_plot_of_the_builtin_set(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "hrtf builtin -q --at 60,10 --plot set.svg --json >set.json"), 0);
    cJSON *json = read_json("set.json"), *plot = cJSON_GetObjectItemCaseSensitive(json, "plot");
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(json, "at");
    assert_below(fabs(at_grid(plot, "itd_us", 20, 24) - number(at, "itd_us")), 1);
    assert_below(fabs(at_grid(plot, "ild_db", 20, 24) - number(at, "ild_db")), 0.05);
    assert_int_equal(number(plot, "predicted"), 710);
    assert_true(number(plot, "lsd_mean_db") > 0.1 && number(plot, "lsd_mean_db") < 1.2);
    assert_true(number(plot, "itd_error_mean_us") > 0.1 && number(plot, "itd_error_mean_us") < 5);
    cJSON_Delete(json);
    unsigned char start[200];
    start[read_start("set.svg", start, sizeof start - 1)] = '\0';
    assert_non_null(strstr((const char *)start, "<svg"));
}

/* One direction, one plane: pictures as well. */
static void test_plots_of_small_sets(void **state) {
    (void)state;
    for (int m = 1; m <= 9; m += 4) {
        sofa_file f = {0};
        sofa_head head;
        test_run run;
        make_head(&head);
        head.m = m;
        write_head(&f, &head);
        test_write_bytes("small.sofa", f.bytes, f.size);
        free(f.bytes);
        assert_int_equal(test_program(&run, "hrtf small.sofa -q --plot small.png"), 0);
        assert_null(strstr(run.out, "between"));
        assert_true(test_file_exists(test_path("small.png")));
    }
}

/* Each repair is one line, and the left ear is the left ear in the end. */
static void test_repairs_are_told(void **state) {
    (void)state;
    sofa_file f = {0};
    sofa_head head;
    test_run run;
    make_head(&head);
    for (int i = 0; i < HEAD_M; ++i) { /* the first receiver is the right ear, and 0.7 m from the other */
        for (int n = 0; n < HEAD_N; ++n) {
            double swap = head.ir[i][0][n];
            head.ir[i][0][n] = head.ir[i][1][n];
            head.ir[i][1][n] = swap;
        }
    }
    head.receiver[0][1] = -0.35;
    head.receiver[1][1] = 0.35;
    head.ir[3][0][5] = NAN;
    head.position[4][2] = 0;
    write_head(&f, &head);
    test_write_bytes("odd.sofa", f.bytes, f.size);
    free(f.bytes);
    assert_int_equal(test_program(&run, "hrtf odd.sofa --at 90,0"), 0);
    assert_non_null(strstr(run.err, "0.7 m apart"));
    assert_non_null(strstr(run.err, "the ears are exchanged"));
    assert_non_null(strstr(run.err, "1 of 26 measurements cannot be used"));
    assert_non_null(strstr(run.err, "1 of 25 positions"));
    const char *itd = strstr(run.out, "ITD +4");
    assert_non_null(itd); /* 417 us, the left ear first */
}

/* Real files, good and bad: each is described, or refused in one line that names it and says why; nothing crashes. */
static void each_file(const char *folder, int refused) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".sofa") != 0)
            continue;
        test_run run;
        int status = test_program(&run, "hrtf '%s/%s'", folder, entry->d_name);
        if (status > 2 || (refused && status == 0))
            fail_msg("%s: status %d", entry->d_name, status);
        if (status != 0) {
            assert_non_null(strstr(run.err, entry->d_name));
            const char *line = strstr(run.err, "error: ");
            assert_non_null(line);
            assert_true(strchr(line, '\n') == NULL || strchr(line, '\n')[1] == '\0');
        }
    }
    closedir(dir);
}

static void test_files(void **state) {
    (void)state;
    const char *data = test_data_folder();
    char folder[1024];
    if (data == NULL)
        skip();
    snprintf(folder, sizeof folder, "%s/sofa", data);
    each_file(folder, 0);
    snprintf(folder, sizeof folder, "%s/malformed", data);
    each_file(folder, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_at_is_what_is_rendered),
        cmocka_unit_test(test_files_are_the_same_at_all_rates),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_plot_of_a_known_head),
        cmocka_unit_test(test_plot_of_the_builtin_set),
        cmocka_unit_test(test_plots_of_small_sets),
        cmocka_unit_test(test_repairs_are_told),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
