// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/sofa.h"

#include <errno.h>
#include <limits.h>
#include <mysofa.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"

enum { LARGEST_FILE_MB = 1024 };

extern const char pn_builtin_sofa[], pn_builtin_sofa_end[];

static const char builtin_licence[] =
    "free with no restrictions on use, provided the authors are cited (Bill Gardner "
    "and Keith Martin, MIT Media Laboratory, 1994)";

bool pn_sofa_is_builtin(const char *file) {
    return file == NULL || strcmp(file, "builtin") == 0;
}

const void *pn_sofa_builtin(size_t *size) {
    *size = (size_t)(pn_builtin_sofa_end - pn_builtin_sofa);
    return pn_builtin_sofa;
}

static const char *reason(int code) {
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {MYSOFA_INTERNAL_ERROR, "internal error"},
        {MYSOFA_INVALID_FORMAT, "invalid format"},
        {MYSOFA_UNSUPPORTED_FORMAT, "unsupported format"},
        {MYSOFA_NO_MEMORY, "out of memory"},
        {MYSOFA_READ_ERROR, "read error"},
        {MYSOFA_INVALID_ATTRIBUTES, "invalid attributes"},
        {MYSOFA_INVALID_DIMENSIONS, "invalid dimensions"},
        {MYSOFA_INVALID_DIMENSION_LIST, "invalid dimension list"},
        {MYSOFA_INVALID_COORDINATE_TYPE, "invalid coordinate type"},
        {MYSOFA_ONLY_EMITTER_WITH_ECI_SUPPORTED, "emitters of an unknown shape"},
        {MYSOFA_ONLY_DELAYS_WITH_IR_OR_MR_SUPPORTED, "delays of an unknown shape"},
        {MYSOFA_ONLY_THE_SAME_SAMPLING_RATE_SUPPORTED, "several sampling rates"},
        {MYSOFA_RECEIVERS_WITH_RCI_SUPPORTED, "receivers of an unknown shape"},
        {MYSOFA_RECEIVERS_WITH_CARTESIAN_SUPPORTED, "receivers that are not Cartesian"},
        {MYSOFA_INVALID_RECEIVER_POSITIONS, "invalid receiver positions"},
        {MYSOFA_ONLY_SOURCES_WITH_MC_SUPPORTED, "sources of an unknown shape"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; ++i) {
        if (reasons[i].code == code)
            return reasons[i].text;
    }
    return "unknown error";
}

/* ---- text */

static int sequence_length(const unsigned char *s) {
    int more = s[0] < 0x80                   ? 0
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 1
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 2
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 3
                                             : -1;
    for (int i = 1; i <= more; ++i) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return more + 1;
}

/* A copy in UTF-8: bytes that are not are taken as Latin-1, control characters become spaces; 400 bytes at most. */
static char *clean(const char *text) {
    char out[404];
    size_t used = 0;
    const unsigned char *s = (const unsigned char *)(text == NULL ? "" : text);
    while (*s != 0 && used < 400) {
        int length = sequence_length(s);
        if (length == 0) {
            out[used++] = (char)(0xc0 | *s >> 6);
            out[used++] = (char)(0x80 | (*s & 0x3f));
            ++s;
        } else if (length == 1) {
            out[used++] = *s < 32 || *s == 127 ? ' ' : (char)*s;
            ++s;
        } else {
            for (; length > 0 && used < 403; --length)
                out[used++] = (char)*s++;
        }
    }
    while (used > 0 && out[used - 1] == ' ')
        --used;
    out[used] = '\0';
    return pn_strdup(out);
}

static const char *attribute(const struct MYSOFA_ATTRIBUTE *list, const char *name) {
    for (; list != NULL; list = list->next) {
        if (list->name != NULL && strcmp(list->name, name) == 0)
            return list->value == NULL ? "" : list->value;
    }
    return "";
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool says_nothing(const char *text) {
    return text[0] == '\0' || strcasecmp(text, "none") == 0;
}

static char *make_name(const pn_measured *set, const char *label) {
    char name[820];
    if (!says_nothing(set->database) && !says_nothing(set->listener))
        snprintf(name, sizeof name, "%s %s", set->database, set->listener);
    else if (!says_nothing(set->database))
        snprintf(name, sizeof name, "%s", set->database);
    else if (!says_nothing(set->title))
        snprintf(name, sizeof name, "%s", set->title);
    else
        snprintf(name, sizeof name, "%s", base_name(label));
    return pn_strdup(name);
}

static pinna_status take_texts(pn_measured *set, const struct MYSOFA_ATTRIBUTE *list, const char *label,
                               pinna_error *err) {
    set->convention = clean(attribute(list, "SOFAConventions"));
    set->version = clean(attribute(list, "SOFAConventionsVersion"));
    set->database = clean(attribute(list, "DatabaseName"));
    set->listener = clean(attribute(list, "ListenerShortName"));
    set->title = clean(attribute(list, "Title"));
    set->licence = clean(attribute(list, "License"));
    set->organization = clean(attribute(list, "Organization"));
    if (set->convention && set->version && set->database && set->listener && set->title && set->licence &&
        set->organization)
        set->name = make_name(set, label);
    return set->name == NULL ? pn_fail_memory(err, "the texts of the HRTF set", 1e3) : PINNA_OK;
}

/* ---- checks of what libmysofa gives */

static bool has(const struct MYSOFA_ARRAY *array, uint64_t elements) {
    return array->values != NULL && array->elements == elements;
}

static pinna_status check_kind(const struct MYSOFA_HRTF *h, const char *label, pinna_error *err) {
    const char *convention = attribute(h->attributes, "SOFAConventions");
    char *shown = clean(convention);
    pinna_status status = PINNA_OK;
    if (strcmp(attribute(h->attributes, "Conventions"), "SOFA") != 0)
        status = pn_fail(err, PINNA_BAD_FILE,
                         "%s: the attribute Conventions is not SOFA; the file is damaged", label);
    else if (strcmp(convention, "SimpleFreeFieldHRIR") != 0)
        status = pn_fail(
            err, PINNA_BAD_FILE,
            "%s: its convention is %s; pinna reads SimpleFreeFieldHRIR (convert it, or choose another "
            "file)",
            label, convention[0] == '\0' || shown == NULL ? "not stated" : shown);
    pn_free(shown);
    return status;
}

static pinna_status check_shape(const struct MYSOFA_HRTF *h, const char *label, pinna_error *err) {
    if (h->R != 2)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %s%.0u receiver%s; two ears are expected (R = 2)", label,
                       h->R == 0 ? "no" : "", h->R, h->R == 1 ? "" : "s");
    if (h->E != 1)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %u emitters; one is expected (E = 1)", label, h->E);
    if (h->M > INT_MAX || h->N > INT_MAX || (double)h->M * h->N > 2.5e8)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %u measurements of %u samples; the file is damaged", label,
                       h->M, h->N);
    if (!has(&h->DataIR, (uint64_t)h->M * 2 * h->N))
        return pn_fail(
            err, PINNA_BAD_FILE,
            "%s: Data.IR has %u values where M x R x N = %u x 2 x %u are expected; the file is damaged",
            label, h->DataIR.values ? h->DataIR.elements : 0, h->M, h->N);
    if (!has(&h->SourcePosition, (uint64_t)h->M * 3) && !has(&h->SourcePosition, 3))
        return pn_fail(
            err, PINNA_BAD_FILE,
            "%s: SourcePosition has %u values where M x 3 = %u x 3 are expected; the file is damaged", label,
            h->SourcePosition.values ? h->SourcePosition.elements : 0, h->M);
    if (!has(&h->DataSamplingRate, 1) && !has(&h->DataSamplingRate, h->M))
        return pn_fail(err, PINNA_BAD_FILE, "%s: no sampling rate; the file is damaged", label);
    for (unsigned i = 1; i < h->DataSamplingRate.elements; ++i) {
        if (h->DataSamplingRate.values[i] != h->DataSamplingRate.values[0])
            return pn_fail(err, PINNA_BAD_FILE,
                           "%s: measurements of different sampling rates; one is expected", label);
    }
    if (h->DataDelay.values != NULL && h->DataDelay.elements != 2 &&
        h->DataDelay.elements != (uint64_t)h->M * 2 && h->DataDelay.elements != 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: Data.Delay has %u values; 2 or M x 2 = %u x 2 are expected",
                       label, h->DataDelay.elements, h->M);
    return PINNA_OK;
}

static bool begins(const char *text, const char *with) {
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* Whether the positions are Cartesian and what an angle is multiplied with to be radians. */
static pinna_status read_units(const struct MYSOFA_ARRAY *array, const char *label, bool *cartesian,
                               double *angle, pn_messages *messages, pinna_error *err) {
    const char *type = attribute(array->attributes, "Type"), *units = attribute(array->attributes, "Units");
    *cartesian = begins(type, "cartesian");
    *angle = begins(units, "rad") ? 1 : PN_PI / 180;
    if (*cartesian || begins(type, "spherical"))
        return PINNA_OK;
    if (type[0] != '\0')
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: SourcePosition is of the type '%.40s'; spherical or cartesian is expected", label,
                       type);
    *cartesian = begins(units, "met");
    pn_warn(messages, "%s: SourcePosition does not say its type; %s is assumed", label,
            *cartesian ? "cartesian" : "spherical");
    return PINNA_OK;
}

static pinna_status take_positions(const struct MYSOFA_HRTF *h, pn_measured *set, const char *label,
                                   pn_messages *messages, pinna_error *err) {
    bool cartesian;
    double angle;
    pinna_status status = read_units(&h->SourcePosition, label, &cartesian, &angle, messages, err);
    for (int i = 0; i < set->directions && status == PINNA_OK; ++i) {
        const float *p = h->SourcePosition.values + (h->SourcePosition.elements == 3 ? 0 : 3 * (size_t)i);
        pn_vec3 v = {(double)p[0], (double)p[1], (double)p[2]};
        set->distance[i] = cartesian ? pn_vec_length(v) : (double)p[2];
        if (cartesian && set->distance[i] < 1e-6)
            return pn_fail(err, PINNA_BAD_FILE,
                           "%s: measurement %d is at the listener's own position; it has no direction", label,
                           i);
        if (!cartesian && fabs(v.y * angle) > PN_PI / 2 + 0.01)
            return pn_fail(err, PINNA_BAD_FILE,
                           "%s: measurement %d has an elevation of %g; expected -90 to 90 degrees", label, i,
                           v.y);
        set->direction[i] = cartesian ? pn_vec_scale(v, 1 / set->distance[i])
                                      : pn_vec_from_polar(v.x * angle, v.y * angle, 1);
    }
    return status;
}

static void note_view(const struct MYSOFA_HRTF *h, const char *label, pn_messages *messages) {
    if (!has(&h->ListenerView, 3) || !begins(attribute(h->ListenerView.attributes, "Type"), "cartesian"))
        return;
    const float *v = h->ListenerView.values;
    if (!(v[0] > 0) || fabsf(v[1]) > 0.02f * v[0] || fabsf(v[2]) > 0.02f * v[0])
        pn_warn(messages,
                "%s: ListenerView is (%g, %g, %g), not the x axis; positions are taken as seen from the head",
                label, (double)v[0], (double)v[1], (double)v[2]);
}

static pinna_status take_data(const struct MYSOFA_HRTF *h, const char *label, pn_measured *set,
                              pn_messages *messages, pinna_error *err) {
    pinna_status status = pn_measured_create(set, (int)h->M, (int)h->N, h->DataSamplingRate.values[0], err);
    if (status == PINNA_OK)
        status = take_positions(h, set, label, messages, err);
    if (status != PINNA_OK)
        return status;
    memcpy(set->ir, h->DataIR.values, (size_t)h->M * 2 * h->N * sizeof(float));
    unsigned delays = h->DataDelay.values == NULL ? 0 : h->DataDelay.elements;
    for (unsigned i = 0; i < 2 * h->M && delays > 0; ++i)
        set->delay[i] = (double)h->DataDelay.values[delays == 2 ? i % 2 : i];
    if (h->ReceiverPosition.values != NULL && h->ReceiverPosition.elements >= 6 &&
        !begins(attribute(h->ReceiverPosition.attributes, "Type"), "spherical"))
        set->receiver_y = (double)h->ReceiverPosition.values[1];
    note_view(h, label, messages);
    return take_texts(set, h->attributes, label, err);
}

static pinna_status read_checked(const struct MYSOFA_HRTF *h, const char *label, pn_measured *set,
                                 pn_messages *messages, pinna_error *err) {
    pinna_status status = check_kind(h, label, err);
    if (status == PINNA_OK)
        status = check_shape(h, label, err);
    if (status == PINNA_OK)
        status = take_data(h, label, set, messages, err);
    if (status != PINNA_OK)
        pn_measured_clear(set);
    return status;
}

/* path: read that, not data: libmysofa 1.3.1 is safer with damaged files than with damaged memory, where it seeks
 * past the end and copies from there. */
static pinna_status read_through(const void *data, size_t size, const char *path, const char *label,
                                 pn_measured *set, pn_messages *messages, pinna_error *err) {
    memset(set, 0, sizeof *set);
    char why[256];
    pn_sofa_diagnose(data, size, why, sizeof why);
    if (why[0] != '\0')
        return pn_fail(err, PINNA_BAD_FILE, "%s: %s", label, why);
    int code = 0;
    struct MYSOFA_HRTF *h = path != NULL ? mysofa_load(path, &code) : mysofa_load_data(data, size, &code);
    if (h == NULL)
        return pn_fail(
            err, code == MYSOFA_NO_MEMORY ? PINNA_NO_MEMORY : PINNA_BAD_FILE,
            "%s: libmysofa cannot read it: %s; is it SimpleFreeFieldHRIR with float64 data, and whole?",
            label, reason(code));
    pinna_status status = read_checked(h, label, set, messages, err);
    mysofa_free(h);
    return status;
}

pinna_status pn_sofa_read_memory(const void *data, size_t size, const char *label, pn_measured *set,
                                 pn_messages *messages, pinna_error *err) {
    return read_through(data, size, NULL, label, set, messages, err);
}

static pinna_status read_file(const char *file, char **data, size_t *size, pinna_error *err) {
    struct stat s;
    if (stat(file, &s) != 0)
        return pn_fail(err, errno == ENOENT ? PINNA_NOT_FOUND : PINNA_IO, "%s: %s", file, strerror(errno));
    if (!S_ISREG(s.st_mode))
        return pn_fail(err, PINNA_BAD_FILE, "%s: not a regular file; a SOFA file is expected", file);
    if (s.st_size > (off_t)LARGEST_FILE_MB << 20)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %.0f MB; SOFA files up to %d MB can be read", file,
                       (double)s.st_size * 1e-6, LARGEST_FILE_MB);
    FILE *f = fopen(file, "rb");
    if (f == NULL)
        return pn_fail(err, PINNA_IO, "%s: %s", file, strerror(errno));
    *data = pn_alloc((size_t)s.st_size, 1);
    if (*data == NULL) {
        fclose(f);
        return pn_fail_memory(err, file, (double)s.st_size);
    }
    *size = fread(*data, 1, (size_t)s.st_size, f);
    bool broken = ferror(f) != 0;
    fclose(f);
    if (broken) {
        pn_free(*data);
        return pn_fail(err, PINNA_IO, "%s: reading failed", file);
    }
    return PINNA_OK;
}

static pinna_status name_builtin(pn_measured *set, pinna_error *err) {
    pn_free(set->licence);
    set->licence = pn_strdup(builtin_licence);
    if (set->licence != NULL)
        return PINNA_OK;
    pn_measured_clear(set);
    return pn_fail_memory(err, "the texts of the HRTF set", 200);
}

pinna_status pn_sofa_read(const char *file, pn_measured *set, pn_messages *messages, pinna_error *err) {
    memset(set, 0, sizeof *set);
    if (pn_sofa_is_builtin(file)) {
        size_t size;
        const void *data = pn_sofa_builtin(&size);
        pinna_status status = pn_sofa_read_memory(data, size, "builtin", set, messages, err);
        return status == PINNA_OK ? name_builtin(set, err) : status;
    }
    char *data = NULL;
    size_t size = 0;
    pinna_status status = read_file(file, &data, &size, err);
    if (status != PINNA_OK)
        return status;
    status = read_through(data, size, file, file, set, messages, err);
    pn_free(data);
    return status;
}
