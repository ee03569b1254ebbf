// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "io/audio_file.h"
#include "support.h"

/* `pinna hrtf` as people meet it: what it tells of a set, what it refuses. */

static double number(const cJSON *json, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsNumber(item))
        fail_msg("no number '%s'", key);
    return item->valuedouble;
}

/* What the set's own documentation says: 710 directions, 512 samples at 44.1 kHz, elevations -40 to 90, 1.4 m. */
static void test_builtin(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "hrtf builtin"), 0);
    assert_non_null(strstr(run.out, "MIT KEMAR"));
    assert_non_null(strstr(run.out, "SimpleFreeFieldHRIR"));
    assert_int_equal(test_program(&run, "hrtf builtin --json --quiet"), 0);
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    assert_true(number(json, "file_directions") == 710 && number(json, "file_taps") == 512);
    assert_true(number(json, "file_rate") == 44100);
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

static void test_wrong_usage(void **state) {
    (void)state;
    test_run run;
    assert_int_equal(test_program(&run, "hrtf"), 2);
    assert_int_equal(test_program(&run, "hrtf builtin --plot x.png"), 2);
    assert_non_null(strstr(run.err, "--plot"));
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

/* Real files, good and bad: each is described, or refused in one line that names it; nothing crashes. */
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
            assert_non_null(strstr(run.err, "error: "));
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
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
