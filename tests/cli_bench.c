// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "json_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static test_run run;

/* Rising edges from the least to the most, all measured blocks in between, percentiles in order. */
static void check_histogram(const cJSON *json) {
    const cJSON *histogram = cJSON_GetObjectItem(json, "histogram");
    const cJSON *edges = cJSON_GetObjectItem(histogram, "edges_us"), *one;
    const cJSON *blocks = cJSON_GetObjectItem(histogram, "blocks");
    double last = 0, sum = 0;
    assert_int_equal(cJSON_GetArraySize(edges), cJSON_GetArraySize(blocks) + 1);
    cJSON_ArrayForEach(one, edges) {
        assert_true(one->valuedouble > last || cJSON_GetArraySize(edges) == 2);
        last = one->valuedouble;
    }
    cJSON_ArrayForEach(one, blocks) sum += one->valuedouble;
    assert_true(sum >= 0.7 * number(json, "blocks") && sum <= number(json, "blocks"));
    assert_true(last >= 0.999 * number(json, "max_us") && last <= 1.001 * number(json, "max_us"));
    assert_true(number(json, "p50_us") <= number(json, "p90_us"));
    assert_true(number(json, "p90_us") <= number(json, "p99_us"));
    assert_true(number(json, "p99_us") <= number(json, "p999_us"));
    assert_true(number(json, "p999_us") <= number(json, "max_us"));
}

/* The levels add up to the plan's text and the prediction. */
static void check_plan(const cJSON *json) {
    char text[256] = "";
    double cost = 0;
    const cJSON *level;
    cJSON_ArrayForEach(level, cJSON_GetObjectItem(json, "levels")) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.0f x %.0f", used > 0 ? ", " : "",
                 number(level, "block"), number(level, "partitions"));
        cost += number(level, "transform_us") + number(level, "product_us") + number(level, "other_us");
        assert_true(number(level, "bytes") > 0 && number(level, "first_tap") >= 0);
    }
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "plan")), text);
    assert_true(cost > 0.999 * number(json, "predicted_us") && cost < 1.001 * number(json, "predicted_us"));
    assert_true(number(json, "predicted_worst_us") >= number(json, "predicted_us"));
    assert_true(number(json, "predicted_uniform_us") >= number(json, "predicted_us"));
    assert_true(number(json, "latency_frames") == number(json, "block"));
    assert_true(number(json, "memory_bytes") > 0);
}

/* Runs a benchmark and checks what both report; gives the document, which the caller deletes. */
static cJSON *bench(const char *arguments, int channels) {
    static const char *const positive[] = {
        "mean_us",      "p50_us",       "p90_us",      "p99_us",      "p999_us",
        "max_us",       "wall_mean_us", "wall_p50_us", "wall_p90_us", "wall_p99_us",
        "wall_p999_us", "wall_max_us",  "blocks",      "block",       "mean_us_per_channel"};
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
    check_histogram(json);
    return json;
}

static void assert_text(const cJSON *json, const char *name, const char *text) {
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, name)), text);
}

static void convolve_reports_its_figures(void **state) {
    (void)state;
    cJSON *json = bench("convolve --channels 3 --ir 1 --block 256 --seconds 0.8", 3);
    assert_text(json, "plan", "256 x 16, 2048 x 22");
    assert_text(json, "device", "cpu");
    int period = 2048 / 256;
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "phase_medians_us")), period);
    check_plan(json);
    cJSON_Delete(json);
    json = bench("convolve --matrix 3x2 --ir 0.05 --seconds 0.2 --live", 3);
    check_plan(json);
    cJSON_Delete(json);
    json = bench("convolve --channels 1 --ir 1 --seconds 2 --offline", 1);
    assert_text(json, "plan", "4096 x 12");
    check_plan(json);
    cJSON_Delete(json);
}

/* Edited entries are in the output that the error is measured of. */
static void entries_are_edited(void **state) {
    (void)state;
    cJSON *json = bench("convolve --channels 6 --ir 0.2 --seconds 0.3 --edit 5", 6);
    const cJSON *edits = cJSON_GetObjectItem(json, "edits");
    static const char *const positive[] = {"request_ms",    "request_worst_ms", "during_us",
                                           "during_max_us", "after_us",         "memory_before_bytes",
                                           "memory_bytes"};
    for (size_t p = 0; p < sizeof positive / sizeof positive[0]; ++p)
        assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(edits, positive[p])) > 0);
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(edits, "count")) == 5);
    cJSON_Delete(json);
    assert_int_equal(
        test_program(&run, "bench convolve --channels 6 --ir 0.2 --seconds 0.3 --edit 2 --device cpu"), 0);
    assert_non_null(strstr(run.out, "edits     2 of an entry each"));
    assert_int_equal(test_program(&run, "bench convolve --channels 6 --ir 0.2 --seconds 0.3 --device cpu"),
                     0);
    assert_null(strstr(run.out, "edits"));
}

/* Every element is closed, in order; and something is drawn. Just enough of XML for what we write. */
static void check_svg(const char *text) {
    char open[8][16];
    int depth = 0, seen = 0;
    const char *at = text;
    assert_int_equal(strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40), 0);
    while ((at = strchr(at, '<')) != NULL) {
        const char *end = strchr(at, '>');
        char name[16];
        assert_non_null(end);
        bool closing = at[1] == '/', empty = end[-1] == '/';
        assert_int_equal(sscanf(at + 1 + closing, "%15[a-z]", name), 1);
        assert_null(memchr(at + 1, '<', (size_t)(end - at) - 1));
        if (closing)
            assert_true(depth > 0 && strcmp(open[--depth], name) == 0);
        else if (!empty)
            strcpy(open[depth++], name);
        assert_true(depth > 0 || strchr(end, '<') == NULL);
        assert_in_range(depth, 0, 7);
        at = end;
        ++seen;
    }
    assert_int_equal(depth, 0);
    assert_true(seen > 25);
    for (const char *p = strchr(text, '&'); p != NULL; p = strchr(p + 1, '&'))
        assert_true(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 || strncmp(p, "&gt;", 4) == 0);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}

static void a_plot_is_drawn(void **state) {
    (void)state;
    static const struct {
        const char *arguments, *plan, *words;
    } cases[] = {
        {"convolve --channels 2 --ir 1 --seconds 0.8", "256 x 16, 2048 x 22", "Median by place"},
        {"convolve --channels 1 --ir 0.01 --seconds 0.1", "256 x 2", "Blocks by CPU time"},
        {"convolve --channels 1 --ir 0.3 --seconds 0.001 --offline", "1 channel, 1 block of",
         "Blocks by CPU time"},
        {"binaural --sources 3 --seconds 0.1", "transform 512", "Blocks by CPU time"},
    };
    const char *path = test_path("plot.svg");
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; ++c) {
        assert_int_equal(
            test_program(&run, "bench %s --quiet --device cpu --plot %s", cases[c].arguments, path), 0);
        assert_non_null(strstr(run.out, "CPU time of the blocks"));
        assert_int_equal(test_shell(&run, "cat %s", path), 0);
        check_svg(run.out);
        assert_non_null(strstr(run.out, cases[c].plan));
        assert_non_null(strstr(run.out, cases[c].words));
    }
    assert_int_equal(
        test_program(&run, "bench convolve --ir 0.01 --seconds 0.1 --device cpu --plot none/p.svg"), 1);
    assert_non_null(strstr(run.err, "none/p.svg"));
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

static void unknown_simd_is_told(void **state) {
    (void)state;
    const char *before = getenv("PINNA_SIMD");
    char *kept = before == NULL ? NULL : strdup(before);
    setenv("PINNA_SIMD", "mmx", 1);
    assert_int_equal(test_program(&run, "bench convolve --ir 0.01 --seconds 0.1 --device cpu"), 0);
    assert_non_null(strstr(run.err, "PINNA_SIMD=mmx is none of what this machine has (plain"));
    setenv("PINNA_SIMD", "plain", 1);
    assert_int_equal(test_program(&run, "bench convolve --ir 0.01 --seconds 0.1 --device cpu"), 0);
    assert_string_equal(run.err, "");
    assert_non_null(strstr(run.out, ", plain, "));
    if (kept == NULL)
        unsetenv("PINNA_SIMD");
    else
        setenv("PINNA_SIMD", kept, 1);
    free(kept);
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
        {"convolve --channels 2 --matrix 2x2", "exclude each other"},
        {"convolve --channels 0", "0 x 0"},
        {"convolve --ir -1", "--ir: -1"},
        {"convolve --live --offline", "exclude"},
        {"convolve --seconds 0", "--seconds"},
        {"convolve --edit -1", "--edit: -1"},
        {"convolve --block 64 --offline", "--block and --offline"},
        {"convolve --plot p.png", "'p.png' does not end in .svg"},
        {"convolve --doppler", "--doppler is for pinna bench binaural"},
        {"convolve --taps 224", "--taps is for pinna bench binaural"},
        {"binaural --ir 10", "--ir is for pinna bench convolve"},
        {"binaural --spectra 16", "--spectra is for pinna bench convolve"},
        {"binaural --sources 0", "--sources: 0"},
        {"binaural --taps 7", "--taps: 7"},
        {"binaural --steps 3", "--steps: 3"},
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
        cmocka_unit_test(entries_are_edited),
        cmocka_unit_test(a_plot_is_drawn),
        cmocka_unit_test(binaural_reports_its_figures),
        cmocka_unit_test(unknown_simd_is_told),
        cmocka_unit_test(wrong_usage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
