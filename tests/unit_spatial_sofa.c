// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "sofa_support.h"

#include <dirent.h>
#include <mysofa.h>

#include "base/memory.h"
#include "spatial/hdf5.h"
#include "spatial/sofa.h"

/* SOFA files made here, whole and damaged, and what libmysofa reads of those that it can read. */

static pinna_status read_bytes(const sofa_file *f, pn_measured *set, pn_messages *messages,
                               pinna_error *err) {
    return pn_sofa_read_memory(f->bytes, f->size, "test.sofa", set, messages, err);
}

/* Greatest difference of what was read and what was written, after a scale and a delay of whole samples. */
static double worst_difference(const pn_measured *set, const sofa_head *h, double scale) {
    double worst = 0;
    assert_int_equal(set->directions, h->m);
    assert_int_equal(set->taps, h->n);
    for (int i = 0; i < h->m; ++i)
        for (int ear = 0; ear < 2; ++ear)
            for (int n = 0; n < h->n; ++n)
                worst = fmax(worst, fabs((double)pn_measured_ir(set, i, ear)[n] / scale - h->ir[i][ear][n]));
    return worst;
}

static void check_head(sofa_file *f, double scale, double bound) {
    sofa_head h;
    pn_measured set;
    pinna_error err = {0};
    make_head(&h);
    for (size_t i = 0; i < sizeof h.ir / sizeof(double); ++i)
        ((double *)h.ir)[i] *= scale;
    write_head(f, &h);
    make_head(&h);
    assert_ok(read_bytes(f, &set, NULL, &err), &err);
    assert_true(set.rate == HEAD_RATE);
    assert_string_equal(set.convention, "SimpleFreeFieldHRIR");
    assert_string_equal(set.name, "test head");
    assert_below(worst_difference(&set, &h, scale), bound);
    assert_below(fabs(set.direction[2].y - 1 / sqrt(2)), 1e-12); /* azimuth 90, elevation -45 */
    assert_below(fabs(set.distance[2] - 1.5), 1e-12);
    assert_true(set.receiver_y > 0);
    pn_measured_clear(&set);
    free(f->bytes);
}

static void test_types_and_layouts(void **state) {
    (void)state;
    const double bound[] = {1e-7, 1e-7, 6e-5, 1e-7}, scale[] = {1, 1, 1e4, 1};
    for (int type = SOFA_F64; type <= SOFA_F64_BIG; ++type) {
        sofa_file whole = {.type = (sofa_type)type}, cut = {.type = (sofa_type)type, .chunk = {7, 1, 30}};
        check_head(&whole, scale[type], bound[type]);
        check_head(&cut, scale[type], bound[type]);
    }
}

/* A file may begin after 512, 1024, .. bytes of something else. */
static void test_user_block(void **state) {
    (void)state;
    sofa_file f = {0};
    sofa_head h;
    pn_measured set;
    pinna_error err = {0};
    make_head(&h);
    write_head(&f, &h);
    unsigned char *moved = calloc(1, f.size + 1024);
    memcpy(moved + 1024, f.bytes, f.size);
    assert_ok(pn_sofa_read_memory(moved, f.size + 1024, "test.sofa", &set, NULL, &err), &err);
    assert_below(worst_difference(&set, &h, 1), 1e-7);
    pn_measured_clear(&set);
    free(moved);
    free(f.bytes);
}

/* ---- what is said of a file, and refused */

static sofa_head head;

/* Reads `head` and makes a fresh one; expects the messages to have `part` once (NULL: none at all). */
static pn_measured read_and_hear(const char *part) {
    sofa_file f = {0};
    pn_measured set;
    pinna_error err = {0};
    pn_messages *messages = pn_messages_create(NULL, NULL);
    write_head(&f, &head);
    assert_ok(read_bytes(&f, &set, messages, &err), &err);
    if (part == NULL ? pn_messages_count(messages) != 0 : test_told(messages, part) != 1)
        fail_msg("not said once: '%s', but '%s'", part,
                 pn_messages_count(messages) ? pn_messages_get(messages, 0, NULL) : "");
    pn_messages_free(messages);
    free(f.bytes);
    make_head(&head);
    return set;
}

static void hear(const char *part) {
    pn_measured set = read_and_hear(part);
    pn_measured_clear(&set);
}

static void refuse(const char *part) {
    sofa_file f = {0};
    pn_measured set;
    pinna_error err = {0};
    write_head(&f, &head);
    pinna_status status = read_bytes(&f, &set, NULL, &err);
    if (status == PINNA_OK)
        status = pn_measured_repair(&set, "test.sofa", NULL, &err);
    if (status != PINNA_BAD_FILE || strstr(err.text, part) == NULL ||
        strncmp(err.text, "test.sofa: ", 11) != 0)
        fail_msg("'%s' does not say '%s'", err.text, part);
    pn_measured_clear(&set);
    free(f.bytes);
    make_head(&head);
}

static void test_conventions(void **state) {
    (void)state;
    static const char *const others[][2] = {
        {"SimpleHeadphoneIR", "headphones"},    {"MultiSpeakerBRIR", "loudspeakers"},
        {"SingleRoomSRIR", "a reverb"},         {"SingleRoomMIMOSRIR", "several sources"},
        {"GeneralFIR-E", "emitters"},           {"FreeFieldHRTF", "spherical harmonics"},
        {"SimpleFreeFieldSOS", "second-order"}, {"FreeFieldDirectivityTF", "how a source radiates"}};
    make_head(&head);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        head.convention = others[i][0];
        refuse(others[i][1]);
    }
    hear(NULL);
    head.convention = "GeneralFIR";
    hear(NULL);
    head.convention = NULL;
    hear("does not state its convention");
    head.convention = "MyOwnHRIR";
    hear("MyOwnHRIR, is not known");
    head.convention = "SimpleFreeFieldHRTF";
    hear("its data are responses");
    head.convention = "GeneralFIR"; /* a decoder: channels, not directions */
    for (int i = 0; i < HEAD_M; ++i)
        head.position[i][0] = head.position[i][1] = 0;
    refuse("all 26 measurements in one direction");
    head.convention = "GeneralFIR";
    head.m = 1;
    refuse("1 measurement in one direction");
}

static void test_attributes(void **state) {
    (void)state;
    make_head(&head);
    head.type = NULL;
    hear("spherical is assumed");
    head.type = NULL;
    head.unit = "metre";
    for (int i = 0; i < HEAD_M; ++i) {
        head.position[i][0] = cos(i);
        head.position[i][1] = sin(i);
    }
    pn_measured set = read_and_hear("cartesian is assumed");
    assert_below(fabs(set.distance[3] - sqrt(1 + 1.5 * 1.5)), 1e-12);
    pn_measured_clear(&set);
    head.type = "toroidal";
    refuse("toroidal");
    head.unit = "radian, radian, metre";
    for (int i = 0; i < HEAD_M; ++i) {
        head.position[i][0] *= acos(-1) / 180;
        head.position[i][1] *= acos(-1) / 180;
    }
    set = read_and_hear(NULL);
    assert_below(fabs(set.direction[2].y - 1 / sqrt(2)), 1e-12);
    pn_measured_clear(&set);
    head.rate = 44.1;
    head.rate_unit = NULL;
    set = read_and_hear("taken as 44100 Hz");
    assert_true(set.rate == 44100);
    pn_measured_clear(&set);
    head.rate = 4.9e9;
    refuse("sampling rate of 4.9e+09");
    head.rate = NAN;
    refuse("sampling rate");
    head.leave_out = "Data.SamplingRate";
    refuse("no sampling rate");
    head.leave_out = "SourcePosition";
    refuse("without directions");
    head.leave_out = "Data.IR";
    refuse("no Data.IR");
    head.leave_out = "ReceiverPosition";
    hear(NULL);
    head.leave_out = "Data.Delay";
    hear(NULL);
    head.position[4][1] = 123;
    refuse("measurement 4 has an elevation of 123");
    head.receiver[0][1] = 0.35;
    head.receiver[1][1] = -0.35;
    hear("0.7 m apart");
    head.view[0][0] = -1;
    hear("not the x axis");
}

static void test_shapes(void **state) {
    (void)state;
    make_head(&head);
    head.m = 0;
    refuse("M = 0");
    head.n = 0;
    refuse("N = 0");
    head.receivers = 1;
    refuse("1 receiver;");
    head.receivers = 4;
    refuse("4 receivers;");
    head.delays = 6;
    refuse("Data.Delay has 6 values");
    head.m = 1;
    hear(NULL);
    memset(head.ir, 0, sizeof head.ir);
    refuse("silent");
    for (int i = 0; i < HEAD_M * 2; ++i)
        head.delay[i] = i;
    head.delays = HEAD_M * 2;
    pn_measured set = read_and_hear(NULL);
    assert_true(set.delay[7] == 7 && set.delay[51] == 51);
    pn_measured_clear(&set);
}

/* The source stands in front and the head turns to the left: the source is on its right. */
static void test_turned_heads(void **state) {
    (void)state;
    make_head(&head);
    head.views = HEAD_M;
    for (int i = 0; i < HEAD_M; ++i) {
        head.position[i][0] = head.position[i][1] = 0;
        head.view[i][0] = cos(0.2 * i);
        head.view[i][1] = sin(0.2 * i);
    }
    pn_measured set = read_and_hear("the head turns");
    for (int i = 0; i < HEAD_M; ++i) {
        assert_below(fabs(set.direction[i].x - cos(0.2 * i)), 1e-9);
        assert_below(fabs(set.direction[i].y + sin(0.2 * i)), 1e-9);
    }
    pn_measured_clear(&set);
}

/* ---- damage */

/* A copy of exactly its size, so that the address sanitizer sees what is read beyond. */
static void read_damaged(const unsigned char *bytes, size_t size) {
    unsigned char *copy = malloc(size + (size == 0));
    memcpy(copy, bytes, size);
    pn_measured set;
    pinna_error err = {0};
    pinna_status status = pn_sofa_read_memory(copy, size, "test.sofa", &set, NULL, &err);
    if (status == PINNA_OK) {
        if ((double)set.directions * set.taps * 8 > 1100.0 * (double)size + 65536)
            fail_msg("%d x %d samples of %zu bytes", set.directions, set.taps, size);
        status = pn_measured_repair(&set, "test.sofa", NULL, &err);
    }
    if (status != PINNA_OK && (err.text[0] == '\0' || strstr(err.text, "test.sofa") == NULL))
        fail_msg("status %d without a message", status);
    pn_measured_clear(&set);
    free(copy);
}

static uint64_t random_number(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* One to four bytes changed, to anything, to extremes or by one; or the file cut. */
static void mutate(const sofa_file *f, int count, uint64_t seed, size_t spread) {
    unsigned char *bytes = malloc(f->size);
    for (int i = 0; i < count; ++i) {
        static const unsigned char extremes[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
        memcpy(bytes, f->bytes, f->size);
        for (uint64_t n = 1 + random_number(&seed) % 4; n > 0; --n) {
            size_t at = (size_t)random_number(&seed) % f->size;
            if (spread > 0) /* near the end, where the descriptions are */
                at = f->size - 1 - at % spread;
            unsigned char *byte = &bytes[at];
            *byte = random_number(&seed) % 3 == 0   ? (unsigned char)random_number(&seed)
                    : random_number(&seed) % 2 == 0 ? extremes[random_number(&seed) % 6]
                                                    : (unsigned char)(*byte + 1);
        }
        read_damaged(bytes,
                     random_number(&seed) % 16 == 0 ? (size_t)random_number(&seed) % f->size : f->size);
    }
    free(bytes);
}

static void test_mutations(void **state) {
    (void)state;
    sofa_file whole = {0}, cut = {.chunk = {7, 1, 30}}, tones = {0};
    static spectra s;
    make_head(&head);
    write_head(&whole, &head);
    write_head(&cut, &head);
    fill_even(&s, 0, 32, 750);
    transform_head(&head, &s, -1, 0);
    head.convention = "SimpleFreeFieldHRTF";
    write_spectra(&tones, &head, &s);
    mutate(&whole, 300, 1, 0);
    mutate(&whole, 1500, 2, 2500); /* the last header, the root */
    mutate(&cut, 800, 3, 0);
    mutate(&cut, 1500, 4, 9000);
    mutate(&tones, 500, 5, 2500);
    for (size_t size = 0; size < whole.size; size += 1 + size / 9)
        read_damaged(whole.bytes, size);
    free(whole.bytes);
    free(cut.bytes);
    free(tones.bytes);
}

/* Files of other programs: old groups, new groups, dense attributes. */
static void mutate_file(const char *path, int count) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    sofa_file f = {.bytes = malloc(4 << 20)};
    f.size = fread(f.bytes, 1, 4 << 20, file);
    fclose(file);
    mutate(&f, count, 6, 0);
    free(f.bytes);
}

static void test_mutations_of_real_files(void **state) {
    (void)state;
    char path[600];
    const char *data = test_data_folder();
    mutate_file(PINNA_SOURCE_DIR "/hrtf/MIT_KEMAR_normal_pinna.sofa", 12);
    if (data == NULL)
        skip();
    snprintf(path, sizeof path, "%s/sofa/HRTF_FourPointHorPlane_SFFHRTF2.0.sofa", data);
    mutate_file(path, 300);
    snprintf(path, sizeof path, "%s/sofa/pyfar_GeneralFIR.sofa", data);
    mutate_file(path, 200);
}

static void test_memory_failures(void **state) {
    (void)state;
    sofa_file f = {.chunk = {7, 1, 30}};
    make_head(&head);
    write_head(&f, &head);
    pinna_status status = PINNA_NO_MEMORY;
    int k = 0;
    for (; status != PINNA_OK && k < 400; ++k) {
        pn_measured set;
        pinna_error err = {0};
        pn_memory_fail_at(k + 1);
        status = read_bytes(&f, &set, NULL, &err);
        pn_memory_fail_at(0);
        assert_true(status == PINNA_OK || (status == PINNA_NO_MEMORY && err.text[0] != '\0'));
        pn_measured_clear(&set);
    }
    assert_in_range(k, 20, 399);
    free(f.bytes);
}

/* ---- against libmysofa */

static int compare_array(const pn_hdf5 *file, const char *name, const struct MYSOFA_ARRAY *theirs) {
    const pn_hdf5_variable *v = pn_hdf5_find(file, name);
    pinna_error err = {0};
    if (theirs->values == NULL || theirs->elements == 0)
        return 0;
    assert_int_equal(pn_hdf5_count(v), theirs->elements);
    double *ours = pn_alloc(theirs->elements, sizeof *ours);
    assert_ok(pn_hdf5_read(file, v, ours, &err), &err);
    for (unsigned i = 0; i < theirs->elements; ++i) {
        if ((float)ours[i] != theirs->values[i] && !isnan(theirs->values[i]))
            fail_msg("%s[%u]: %g, libmysofa has %g", name, i, ours[i], (double)theirs->values[i]);
    }
    pn_free(ours);
    return 1;
}

/* Numbers and texts the same; returns how many variables were compared. */
static int compare_file(const char *path) {
    int code, compared = 0;
    size_t size = 0, room = 4 << 20;
    char *bytes = malloc(room);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, room, file);
    fclose(file);
    pn_hdf5 *ours = NULL;
    pinna_error err = {0};
    assert_ok(pn_hdf5_open(bytes, size, &ours, &err), &err);
    struct MYSOFA_HRTF *theirs = mysofa_load(path, &code);
    if (theirs != NULL) {
        compared += compare_array(ours, "Data.IR", &theirs->DataIR);
        compared += compare_array(ours, "SourcePosition", &theirs->SourcePosition);
        compared += compare_array(ours, "ReceiverPosition", &theirs->ReceiverPosition);
        compared += compare_array(ours, "Data.Delay", &theirs->DataDelay);
        compared += compare_array(ours, "Data.SamplingRate", &theirs->DataSamplingRate);
        for (struct MYSOFA_ATTRIBUTE *a = theirs->attributes; a != NULL; a = a->next) {
            const char *text = a->name ? pn_hdf5_text(ours, NULL, a->name) : NULL;
            if (text != NULL && text[0] != '\0' && a->value != NULL)
                assert_string_equal(text, a->value);
        }
        mysofa_free(theirs);
    }
    pn_hdf5_free(ours);
    free(bytes);
    return compared;
}

static void test_same_as_libmysofa(void **state) {
    (void)state;
    assert_int_equal(compare_file(PINNA_SOURCE_DIR "/hrtf/MIT_KEMAR_normal_pinna.sofa"), 5);
    char path[800];
    int files = 0;
    snprintf(path, sizeof path, "%s/sofa", test_data_folder() ? test_data_folder() : "/");
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (strstr(entry->d_name, ".sofa") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/sofa/%s", test_data_folder(), entry->d_name);
        files += compare_file(path) > 3;
    }
    if (dir != NULL) {
        closedir(dir);
        assert_true(files >= 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_layouts),
        cmocka_unit_test(test_user_block),
        cmocka_unit_test(test_conventions),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_turned_heads),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_mutations_of_real_files),
        cmocka_unit_test(test_memory_failures),
        cmocka_unit_test(test_same_as_libmysofa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
