// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <string.h>

#include <cjson/cJSON.h>

static test_run run;

/* Runs a benchmark and checks what both report; gives the document, which the caller deletes. */
static cJSON *bench(const char *arguments, int channels) {
    static const char *const positive[] = {"mean_us",      "p99_us",      "max_us",
                                           "wall_mean_us", "wall_p99_us", "wall_max_us",
                                           "blocks",       "block",       "mean_us_per_channel"};
    assert_int_equal(test_program(&run, "bench %s --quiet --json --device cpu", arguments), 0);
    assert_string_equal(run.err, "");
    cJSON *json = cJSON_Parse(run.out);
    assert_non_null(json);
    for (size_t p = 0; p < sizeof positive / sizeof positive[0]; ++p)
        assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, positive[p])) > 0);
    assert_non_null(cJSON_GetObjectItem(json, "phase_worst_us"));
    assert_non_null(cJSON_GetObjectItem(json, "wall_phase_worst_us"));
    assert_non_null(cJSON_GetObjectItem(json, "realtime_channels"));
    double error_db = cJSON_GetNumberValue(cJSON_GetObjectItem(json, "error_db"));
    assert_below(error_db, -125);
    assert_true(error_db > -170); /* a float32 result that is nearer was not compared */
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "channels")) == channels);
    return json;
}

static void assert_text(const cJSON *json, const char *name, const char *text) {
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, name)), text);
}

static void convolve_reports_its_figures(void **state) {
    (void)state;
    cJSON *json = bench("convolve --channels 3 --ir 0.3 --block 128 --seconds 0.4", 3);
    assert_text(json, "plan", "128 x 16, 1024 x 13");
    assert_text(json, "device", "cpu");
    cJSON_Delete(json);
    json = bench("convolve --matrix 3x2 --ir 0.05 --seconds 0.2 --live", 3);
    cJSON_Delete(json);
    json = bench("convolve --channels 1 --ir 1 --seconds 2 --offline", 1);
    assert_text(json, "plan", "4096 x 12");
    cJSON_Delete(json);
}

static void binaural_reports_its_figures(void **state) {
    (void)state;
    cJSON *json = bench("binaural --sources 5 --block 64 --seconds 0.2", 5);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "taps")) == 224);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "partitions")) == 4);
    cJSON_Delete(json);
    json = bench("binaural --sources 3 --block 512 --taps 512 --still --seconds 0.2", 3);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "taps")) == 512);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(json, "partitions")) == 2);
    cJSON_Delete(json);
}

static void wrong_usage_is_told(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *words;
    } cases[] = {
        {"", "too few"},
        {"reverb", "'reverb'"},
        {"convolve --block 100", "--block: 100"},
        {"convolve --matrix 3by2", "'3by2'"},
        {"convolve --channels 0", "0 x 0"},
        {"convolve --ir -1", "--ir: -1"},
        {"convolve --live --offline", "exclude"},
        {"convolve --seconds 0", "--seconds"},
        {"binaural --sources 0", "--sources: 0"},
        {"binaural --taps 7", "--taps: 7"},
        {"convolve --device gpu", "gpu"},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        assert_int_equal(test_program(&run, "bench %s", cases[c].arguments), 2);
        if (strstr(run.err, cases[c].words) == NULL)
            fail_msg("'%s': '%s' lacks '%s'", cases[c].arguments, run.err, cases[c].words);
        assert_string_equal(run.out, "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolve_reports_its_figures),
        cmocka_unit_test(binaural_reports_its_figures),
        cmocka_unit_test(wrong_usage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
