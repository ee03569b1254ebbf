// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "ear_metrics.h"

#include <dirent.h>
#include <stdbool.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "signal/resample.h"
#include "spatial/hrtf.h"
#include "spatial/sofa.h"

/* Real sets: at a measured direction the response that is rendered is the measured one, by the metrics of hearing
 * (ear_metrics.h). And files that are no sets. */

enum { MOST_FILES = 64 };

/* The measured response at another rate, by itself, with `latency` samples before it and Data.Delay inside. */
static float *reference(const pn_measured *set, int i, int ear, const pn_hrtf_info *info, size_t *length) {
    double delay = set->delay[2 * i + ear];
    assert_true(delay == floor(delay));             /* in all sets here */
    size_t lead = (size_t)(set->rate * info->rate); /* any number of samples that is whole at both rates */
    for (size_t divisor = 2; divisor <= 1000; ++divisor) {
        while (lead % divisor == 0 && lead / divisor >= 64 &&
               fmod((double)(lead / divisor) * info->rate, set->rate) == 0)
            lead /= divisor;
    }
    size_t frames = lead + (size_t)delay + (size_t)set->taps + 256, made;
    float *in = pn_alloc_floats(frames), *out = NULL;
    for (int n = 0; n < set->taps; ++n)
        in[lead + (size_t)delay + (size_t)n] = pn_measured_ir(set, i, ear)[n];
    pinna_error err = {0};
    assert_ok(pn_resample(in, frames, set->rate, info->rate, &out, &made, &err), &err);
    pn_free(in);
    size_t skip = (size_t)((double)lead * info->rate / set->rate);
    *length = SIZE;
    float *ir = pn_alloc_floats(SIZE);
    for (size_t n = (size_t)info->latency; n < SIZE; ++n) {
        size_t from = skip + n - (size_t)info->latency;
        if (from < made)
            ir[n] = (float)((double)out[from] * info->scale * set->rate / info->rate);
    }
    for (int n = 0; n < info->latency && (size_t)(info->latency - n) <= skip;
         ++n) /* what rings before time 0 */
        ir[n] =
            (float)((double)out[skip - (size_t)(info->latency - n)] * info->scale * set->rate / info->rate);
    pn_free(out);
    return ir;
}

static void compare(analyser *a, const pn_hrtf *hrtf, const pn_measured *set, int i) {
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    size_t length = (size_t)info->length, reference_length;
    float *h[2] = {pn_alloc_floats(length), pn_alloc_floats(length)}, *r[2];
    pinna_error err = {0};
    assert_ok(pn_hrtf_response(hrtf, set->direction[i], h[0], h[1], &err), &err);
    for (int ear = 0; ear < 2; ++ear)
        r[ear] = reference(set, i, ear, info, &reference_length);
    features got, expected;
    measure(a, h[0], h[1], (int)length, &got);
    measure(a, r[0], r[1], (int)reference_length, &expected);
    assert_below(distance_db(&got, &expected), 0.1);
    assert_below(fabs(got.itd_us - expected.itd_us), 2);
    assert_below(fabs(got.ild_db - expected.ild_db), 0.1);
    for (int ear = 0; ear < 2; ++ear) {
        pn_free(h[ear]);
        pn_free(r[ear]);
    }
}

static void check_set(const char *file, double rate, int compared) {
    pn_measured set;
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_sofa_read(file, &set, NULL, &err), &err);
    assert_ok(pn_measured_repair(&set, "test", NULL, &err), &err);
    /* The coarsest of grids: what is compared is measured. */
    const pn_hrtf_options options = {.equalise_given = true, .grid = -1};
    assert_ok(pn_hrtf_load(file, rate, &options, NULL, &hrtf, &err), &err);
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    assert_int_equal(info->measured, set.directions);
    static analyser a;
    open_analyser(&a, info->rate, fmin(16000, 0.45 * fmin(set.rate, info->rate)));
    int step = set.directions / compared + 1;
    for (int i = 0; i < set.directions && set.taps < SIZE / 2; i += step)
        compare(&a, hrtf, &set, i);
    close_analyser(&a);
    pn_measured_clear(&set);
    pn_hrtf_free(hrtf);
}

static void test_builtin(void **state) {
    (void)state;
    check_set(NULL, 0, 120);
    check_set("builtin", 48000, 20);
    check_set(NULL, 96000, 4);
}

static void test_builtin_facts(void **state) {
    (void)state;
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_ok(pn_hrtf_load("builtin", 48000, NULL, NULL, &hrtf, &err), &err);
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    assert_int_equal(info->measured, 710);
    assert_in_range(info->directions, 3000, 7000);
    assert_true(info->equalised_low && !info->equalised_diffuse);
    assert_in_range(info->latency, 0, 40);
    assert_in_range(info->taps, 512, 557 + 16 + 2 * 16 + 24 + 32);
    assert_true(info->file_rate == 44100);
    assert_below(fabs(info->distance - 1.4), 1e-6);
    assert_string_equal(info->convention, "SimpleFreeFieldHRIR");
    assert_non_null(strstr(info->licence, "cited"));
    pn_hrtf_point left, right; /* a dummy head: about 0.65 ms from the side, left first; the same mirrored */
    pn_hrtf_look_up(hrtf, (pn_vec3){0, 1, 0}, NULL, &left);
    pn_hrtf_look_up(hrtf, (pn_vec3){0, -1, 0}, NULL, &right);
    double itd = 1e6 * (double)(left.delay[1] - left.delay[0]) / 48000;
    assert_in_range((int)itd, 550, 750);
    assert_below(fabs(itd + 1e6 * (double)(right.delay[1] - right.delay[0]) / 48000), 15);
    pn_hrtf_free(hrtf);
}

/* Fills names with the files in a folder of the extra data; returns how many. */
static int list(const char *folder, const char *end, char names[][512]) {
    char path[400];
    int count = 0;
    if (test_data_folder() == NULL)
        return 0;
    snprintf(path, sizeof path, "%s/%s", test_data_folder(), folder);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && count < MOST_FILES && (entry = readdir(dir)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length > strlen(end) && strcmp(entry->d_name + length - strlen(end), end) == 0)
            snprintf(names[count++], 512, "%.380s/%.120s", path, entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

/* Every set that is refused holds something else than ears: which, is said. */
static void check_reason(const char *file, const char *text) {
    static const char *const reasons[][2] = {{"SimpleHeadphoneIR", "headphones"},
                                             {"MultiSpeakerBRIR", "loudspeakers"},
                                             {"GeneralFIR-E", "emitters"},
                                             {"BEAR_AmbiHOA3", "all 16 measurements in one direction"},
                                             {"pyfar_GeneralFIR", "1 measurement in one direction"}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; ++i) {
        if (strstr(file, reasons[i][0]) != NULL && strstr(text, reasons[i][1]) != NULL &&
            strstr(text, file) != NULL)
            return;
    }
    fail_msg("refused: %s", text);
}

static void test_all_sets(void **state) {
    (void)state;
    static char names[MOST_FILES][512];
    int count = list("sofa", ".sofa", names), loaded = 0;
    if (count == 0)
        skip();
    for (int i = 0; i < count; ++i) {
        pn_measured set;
        pinna_error err = {0};
        pinna_status status = pn_sofa_read(names[i], &set, NULL, &err);
        if (status == PINNA_OK) {
            pn_measured_clear(&set);
            check_set(names[i], 48000, 4);
            ++loaded;
            continue;
        }
        assert_int_equal(status, PINNA_BAD_FILE);
        check_reason(names[i], err.text);
    }
    assert_in_range(loaded, 11, 100);
}

/* Responses and spectra of one simulation: the same ears, whichever is read. The spectra have the other sign and no
 * 0 Hz, the responses are 10 samples later and were given a phase of 0 at half the rate: all but these two must meet. */
static void test_twins(void **state) {
    (void)state;
    static char names[MOST_FILES][512];
    int count = list("sofa", ".sofa", names);
    pn_measured set[2] = {0};
    pinna_error err = {0};
    int found = 0;
    for (int i = 0; i < count; ++i) {
        bool spectra = strstr(names[i], "HRTF_FourPoint") != NULL;
        if (spectra || strstr(names[i], "HRIR_FourPoint") != NULL) {
            assert_ok(pn_sofa_read(names[i], &set[spectra], NULL, &err), &err);
            ++found;
        }
    }
    if (found < 2)
        skip();
    int taps = set[0].taps;
    assert_true(set[0].directions == 4 && set[1].directions == 4 && taps == set[1].taps &&
                set[0].rate == set[1].rate);
    for (int i = 0; i < 8; ++i) {
        const float *a = pn_measured_ir(&set[0], i / 2, i % 2), *b = pn_measured_ir(&set[1], i / 2, i % 2);
        double zero = 0, half = 0, error = 0, all = 0;
        for (int n = 0; n < taps; ++n) {
            int at = (n - 10 - (int)set[1].delay[i] + 2 * taps) % taps;
            zero += (double)(a[n] - b[at]) / taps;
            half += (double)(a[n] - b[at]) / taps * (n % 2 ? -1 : 1);
        }
        for (int n = 0; n < taps; ++n) {
            int at = (n - 10 - (int)set[1].delay[i] + 2 * taps) % taps;
            error += pow((double)(a[n] - b[at]) - zero - half * (n % 2 ? -1 : 1), 2);
            all += (double)a[n] * (double)a[n];
        }
        assert_below(10 * log10(error / all), -120);
        assert_below(fabs(zero) * taps, 0.2); /* 0 Hz is continued from 100 Hz, where the far ear has 0.85 */
    }
    pn_measured_clear(&set[0]);
    pn_measured_clear(&set[1]);
}

/* In every set of a head a source on the left is louder in the left ear and reaches it first, wherever its file says
 * that the receivers are; FHK's says right. */
static void test_left_is_left(void **state) {
    (void)state;
    static char names[MOST_FILES][512];
    static const char *const heads[] = {"ARI_dtf", "FABIAN", "FHK",       "IRC1008",
                                        "KU100",   "MIT",    "FourPoint", "6_points"};
    int count = list("sofa", ".sofa", names), seen = 0;
    if (count == 0)
        skip();
    for (int i = 0; i < count; ++i) {
        for (size_t k = 0; k < sizeof heads / sizeof heads[0]; ++k) {
            if (strstr(names[i], heads[k]) == NULL)
                continue;
            pn_hrtf *hrtf = NULL;
            pinna_error err = {0};
            pn_hrtf_point p;
            assert_ok(pn_hrtf_load(names[i], 0, NULL, NULL, &hrtf, &err), &err);
            pn_hrtf_look_up(hrtf, (pn_vec3){0, 2, 0}, NULL, &p);
            double us = 1e6 * (double)(p.delay[1] - p.delay[0]) / pn_hrtf_get_info(hrtf)->rate;
            if (!(us > 200 && us < 1000))
                fail_msg("%s: %g us", names[i], us);
            pn_hrtf_free(hrtf);
            ++seen;
        }
    }
    assert_true(seen >= 8);
}

static void test_malformed(void **state) {
    (void)state;
    static char names[MOST_FILES][512];
    int count = list("malformed", ".sofa", names);
    if (count == 0)
        skip();
    for (int i = 0; i < count; ++i) {
        pn_hrtf *hrtf = NULL;
        pinna_error err = {0};
        assert_int_equal(pn_hrtf_load(names[i], 48000, NULL, NULL, &hrtf, &err), PINNA_BAD_FILE);
        assert_null(hrtf);
        assert_non_null(strstr(err.text, names[i]));
    }
}

static void expect(const char *path, pinna_status expected, const char *part) {
    pn_hrtf *hrtf = NULL;
    pinna_error err = {0};
    assert_int_equal(pn_hrtf_load(path, 0, NULL, NULL, &hrtf, &err), expected);
    if (strstr(err.text, part) == NULL || strstr(err.text, path) == NULL)
        fail_msg("'%s' does not say '%s' and '%s'", err.text, part, path);
}

static void test_no_sets(void **state) {
    (void)state;
    size_t size;
    const char *data = pn_sofa_builtin(&size);
    expect(test_path("missing.sofa"), PINNA_NOT_FOUND, "No such file");
    expect(test_folder(), PINNA_BAD_FILE, "not a regular file");
    expect(test_write_text("empty.sofa", ""), PINNA_BAD_FILE, "empty");
    expect(test_write_text("link.sofa", "../share/x.sofa"), PINNA_BAD_FILE, "SOFA is HDF5");
    expect(test_write_bytes("netcdf3.sofa", "CDF\1........", 12), PINNA_BAD_FILE, "netCDF 3");
    expect(test_write_bytes("short.sofa", data, size / 3), PINNA_BAD_FILE, "cut off");
    expect(test_write_bytes("head.sofa", data, 20), PINNA_BAD_FILE, "cut off");
}

/* The attribute's bytes changed in place: a file of another convention. */
static void test_other_convention(void **state) {
    (void)state;
    size_t size;
    const char *data = pn_sofa_builtin(&size);
    char *copy = pn_alloc(size, 1);
    memcpy(copy, data, size);
    int changed = 0;
    for (size_t i = 0; i + 19 < size; ++i) {
        if (memcmp(copy + i, "SimpleFreeFieldHRIR", 19) == 0) {
            memcpy(copy + i, "SimpleFreeFieldSOS\0", 19);
            ++changed;
        }
    }
    assert_true(changed > 0);
    expect(test_write_bytes("sos.sofa", copy, size), PINNA_BAD_FILE, "convention is SimpleFreeFieldSOS");
    pn_free(copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),  cmocka_unit_test(test_builtin_facts),
        cmocka_unit_test(test_all_sets), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_twins),    cmocka_unit_test(test_left_is_left),
        cmocka_unit_test(test_no_sets),  cmocka_unit_test(test_other_convention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
