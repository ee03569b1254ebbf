// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/sofa.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "spatial/hdf5.h"
#include "spatial/sofa_kind.h"
#include "spatial/sofa_mysofa.h"
#include "spatial/sofa_spectra.h"

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

/* The text of an attribute, "" where there is none. */
static const char *attribute(const pn_hdf5 *file, const pn_hdf5_variable *v, const char *name) {
    const char *text = pn_hdf5_text(file, v, name);
    return text == NULL ? "" : text;
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

static pinna_status take_texts(pn_measured *set, const pn_hdf5 *file, const char *label, pinna_error *err) {
    set->convention = clean(attribute(file, NULL, "SOFAConventions"));
    set->version = clean(attribute(file, NULL, "SOFAConventionsVersion"));
    set->database = clean(attribute(file, NULL, "DatabaseName"));
    set->listener = clean(attribute(file, NULL, "ListenerShortName"));
    set->title = clean(attribute(file, NULL, "Title"));
    set->licence = clean(attribute(file, NULL, "License"));
    set->organization = clean(attribute(file, NULL, "Organization"));
    if (set->convention && set->version && set->database && set->listener && set->title && set->licence &&
        set->organization)
        set->name = make_name(set, label);
    return set->name == NULL ? pn_fail_memory(err, "the texts of the HRTF set", 1e3) : PINNA_OK;
}

/* ---- numbers */

typedef struct {
    const pn_hdf5 *file;
    const char *label;
    pn_messages *messages;
    pn_sofa_kind kind;
    pn_measured *set;
} reader;

/* All numbers of a variable; *values NULL and *count 0 where there is none. Free with pn_free. */
static pinna_status numbers(const reader *r, const char *name, double **values, uint64_t *count,
                            pinna_error *err) {
    const pn_hdf5_variable *v = pn_hdf5_find(r->file, name);
    *values = NULL;
    *count = pn_hdf5_count(v);
    if (*count == 0)
        return PINNA_OK;
    if (*count > 1u << 26)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %s has %llu values; the file is damaged", r->label, name,
                       (unsigned long long)*count);
    *values = pn_alloc((size_t)*count, sizeof **values);
    if (*values == NULL)
        return pn_fail_memory(err, r->label, (double)*count * 8);
    pinna_status status = pn_hdf5_read(r->file, v, *values, err);
    if (status == PINNA_OK)
        return PINNA_OK;
    pn_free(*values);
    *values = NULL;
    return pn_fail_within(err, status, "%s", r->label);
}

static bool begins(const char *text, const char *with) {
    return strncasecmp(text, with, strlen(with)) == 0;
}

static const char *text_of(const reader *r, const char *variable, const char *name) {
    const pn_hdf5_variable *v = pn_hdf5_find(r->file, variable);
    return v == NULL ? "" : attribute(r->file, v, name);
}

/* ---- where sources are */

typedef struct {
    bool cartesian;
    double angle; /* radians in one of its units */
} units;

/* Whether the positions are Cartesian and what an angle is multiplied with to be radians. */
static pinna_status read_units(const reader *r, units *u, pinna_error *err) {
    const char *type = text_of(r, "SourcePosition", "Type"), *unit = text_of(r, "SourcePosition", "Units");
    *u = (units){.cartesian = begins(type, "cartesian"), .angle = begins(unit, "rad") ? 1 : PN_PI / 180};
    if (u->cartesian || begins(type, "spherical"))
        return PINNA_OK;
    if (type[0] != '\0')
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: SourcePosition is of the type '%.40s'; spherical or cartesian is expected",
                       r->label, type);
    u->cartesian = begins(unit, "met");
    pn_warn(r->messages, "%s: SourcePosition does not say its type; %s is assumed", r->label,
            u->cartesian ? "cartesian" : "spherical");
    return PINNA_OK;
}

/* A direction that is no number stays one: pn_measured_repair leaves it out. */
static pinna_status take_position(const reader *r, const units *u, const double *p, int i, pinna_error *err) {
    pn_measured *set = r->set;
    pn_vec3 v = {p[0], p[1], p[2]};
    set->distance[i] = u->cartesian ? pn_vec_length(v) : p[2];
    if (u->cartesian && set->distance[i] < 1e-6)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: measurement %d is at the listener's own position; it has no direction", r->label,
                       i);
    if (!u->cartesian && fabs(v.y * u->angle) > PN_PI / 2 + 0.01)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: measurement %d has an elevation of %g; expected -90 to 90 degrees", r->label, i,
                       v.y);
    set->direction[i] = u->cartesian ? pn_vec_scale(v, 1 / set->distance[i])
                                     : pn_vec_from_polar(v.x * u->angle, v.y * u->angle, 1);
    return PINNA_OK;
}

/* Whether all triples are as good as the first. */
static bool all_alike(const double *v, uint64_t count) {
    for (uint64_t i = 3; i < count; ++i) {
        if (!(fabs(v[i] - v[i % 3]) < 1e-6))
            return false;
    }
    return true;
}

/* One place for all measurements: the head turned instead. ListenerView and ListenerUp give its axes. */
static pinna_status turn_head(reader *r, pinna_error *err) {
    double *view = NULL, *up = NULL;
    uint64_t views, ups, m = (uint64_t)r->set->directions;
    pinna_status status = numbers(r, "ListenerView", &view, &views, err);
    if (status == PINNA_OK)
        status = numbers(r, "ListenerUp", &up, &ups, err);
    bool spherical = begins(text_of(r, "ListenerView", "Type"), "spherical");
    bool turns = status == PINNA_OK && view != NULL && views == 3 * m && !all_alike(view, views);
    const pn_vec3 z = {0, 0, 1};
    for (uint64_t i = 0; i < m && turns; ++i) {
        const double *v = view + 3 * i, *u = up == NULL     ? NULL
                                             : ups == 3 * m ? up + 3 * i
                                             : ups == 3     ? up
                                                            : NULL;
        pn_vec3 front = spherical ? pn_vec_from_polar(pn_radians(v[0]), pn_radians(v[1]), 1)
                                  : (pn_vec3){v[0], v[1], v[2]};
        pn_vec3 above = u == NULL ? z : (pn_vec3){u[0], u[1], u[2]}, left = pn_vec_cross(above, front);
        double length = pn_vec_length(front), width = pn_vec_length(left);
        pn_vec3 d = r->set->direction[i];
        front = pn_vec_scale(front, 1 / length);
        left = pn_vec_scale(left, 1 / width);
        r->set->direction[i] =
            (pn_vec3){pn_vec_dot(d, front), pn_vec_dot(d, left), pn_vec_dot(d, pn_vec_cross(front, left))};
    }
    if (turns)
        pn_info(r->messages,
                "%s: the source stands still and the head turns; directions follow from ListenerView",
                r->label);
    pn_free(view);
    pn_free(up);
    return status;
}

static pinna_status take_positions(reader *r, pinna_error *err) {
    double *p = NULL;
    uint64_t count, m = (uint64_t)r->set->directions;
    units u;
    pinna_status status = numbers(r, "SourcePosition", &p, &count, err);
    if (status == PINNA_OK && count != 3 && count != 3 * m)
        status = pn_fail(err, PINNA_BAD_FILE,
                         "%s: SourcePosition has %llu values where M x 3 = %llu x 3 are expected; %s",
                         r->label, (unsigned long long)count, (unsigned long long)m,
                         count == 0 ? "without directions it is no HRTF set" : "the file is damaged");
    if (status == PINNA_OK)
        status = read_units(r, &u, err);
    for (uint64_t i = 0; i < m && status == PINNA_OK; ++i)
        status = take_position(r, &u, p + (count == 3 ? 0 : 3 * i), (int)i, err);
    bool still = status == PINNA_OK && all_alike(p, count);
    pn_free(p);
    return still && m > 1 ? turn_head(r, err) : status;
}

/* A convention for anything holds ears when it has directions. */
static pinna_status check_general(const reader *r, pinna_error *err) {
    const pn_measured *set = r->set;
    for (int i = 1; i < set->directions; ++i) {
        if (!(pn_vec_length(pn_vec_sub(set->direction[i], set->direction[0])) < 1e-6))
            return PINNA_OK;
    }
    const char *convention = attribute(r->file, NULL, "SOFAConventions");
    return pn_fail(
        err, PINNA_BAD_FILE,
        "%s: %s%s with all %d measurement%s in one direction: no ears to render with (a decoder, or a "
        "room?); a set of directions is expected",
        r->label, convention[0] ? "" : "a file without convention, ", convention, set->directions,
        set->directions == 1 ? "" : "s");
}

/* ---- what else is said about the head */

static void note_view(const reader *r, const double *v, uint64_t count) {
    if (count != 3 || begins(text_of(r, "ListenerView", "Type"), "spherical"))
        return;
    if (!(v[0] > 0) || fabs(v[1]) > 0.02 * v[0] || fabs(v[2]) > 0.02 * v[0])
        pn_warn(r->messages,
                "%s: ListenerView is (%g, %g, %g), not the x axis; positions are taken as seen from the head",
                r->label, v[0], v[1], v[2]);
}

/* [receiver][axis], with a dimension behind that does not matter. */
static void note_receivers(const reader *r, const double *v, uint64_t count) {
    if (count < 6 || count % 6 != 0 || begins(text_of(r, "ReceiverPosition", "Type"), "spherical"))
        return;
    uint64_t next = count / 6;
    pn_vec3 first = {v[0], v[next], v[2 * next]}, second = {v[3 * next], v[4 * next], v[5 * next]};
    double gap = pn_vec_length(pn_vec_sub(first, second));
    if (fabs(first.y - second.y) > 1e-4)
        r->set->receiver_y = (first.y - second.y) / 2;
    if (!(gap >= 0.06 && gap <= 0.3))
        pn_info(r->messages,
                "%s: ReceiverPosition has the ears %.3g m apart, no head's width; it is not used: delays "
                "come from "
                "the responses",
                r->label, gap);
}

static pinna_status take_head(reader *r, pinna_error *err) {
    double *view = NULL, *receivers = NULL;
    uint64_t views, count;
    pinna_status status = numbers(r, "ListenerView", &view, &views, err);
    if (status == PINNA_OK)
        status = numbers(r, "ReceiverPosition", &receivers, &count, err);
    if (status == PINNA_OK) {
        note_view(r, view, views);
        note_receivers(r, receivers, count);
    }
    pn_free(view);
    pn_free(receivers);
    return status;
}

/* ---- responses */

static pinna_status find_rate(const reader *r, double *rate, pinna_error *err) {
    double *v = NULL;
    uint64_t count;
    pinna_status status = numbers(r, "Data.SamplingRate", &v, &count, err);
    if (status != PINNA_OK)
        return status;
    if (count == 0)
        return pn_fail(err, PINNA_BAD_FILE, "%s: no sampling rate (Data.SamplingRate); the file is damaged",
                       r->label);
    *rate = v[0];
    bool same = true;
    for (uint64_t i = 1; i < count; ++i)
        same = same && v[i] == v[0];
    pn_free(v);
    if (!same)
        return pn_fail(err, PINNA_BAD_FILE, "%s: measurements of different sampling rates; one is expected",
                       r->label);
    const char *unit = text_of(r, "Data.SamplingRate", "Units");
    if (begins(unit, "khz") || begins(unit, "kilo") || (*rate >= 8 && *rate <= 768)) {
        pn_warn(r->messages, "%s: a sampling rate of %g %s is taken as %g Hz", r->label, *rate,
                unit[0] ? unit : "without a unit", *rate * 1000);
        *rate *= 1000;
    }
    return PINNA_OK;
}

static pinna_status take_delays(const reader *r, pinna_error *err) {
    double *v = NULL;
    uint64_t count, m = (uint64_t)r->set->directions;
    pinna_status status = numbers(r, "Data.Delay", &v, &count, err);
    if (status == PINNA_OK && count != 0 && count != 1 && count != 2 && count != 2 * m)
        status =
            pn_fail(err, PINNA_BAD_FILE, "%s: Data.Delay has %llu values; 2 or M x 2 = %llu x 2 are expected",
                    r->label, (unsigned long long)count, (unsigned long long)m);
    for (uint64_t i = 0; i < 2 * m && status == PINNA_OK && count > 0; ++i)
        r->set->delay[i] += v[count == 1 ? 0 : count == 2 ? i % 2 : i];
    pn_free(v);
    return status;
}

static pinna_status read_data(const reader *r, const pn_hdf5_variable *v, float *out, pinna_error *err) {
    pinna_status status = pn_hdf5_read_floats(r->file, v, out, err);
    return status == PINNA_OK ? status : pn_fail_within(err, status, "%s", r->label);
}

static pinna_status read_responses(reader *r, pinna_error *err) {
    double rate = 0;
    pinna_status status = find_rate(r, &rate, err);
    if (status == PINNA_OK)
        status = pn_measured_create(r->set, r->kind.directions, r->kind.samples, rate, err);
    if (status == PINNA_OK)
        status = take_positions(r, err);
    if (status == PINNA_OK)
        status = read_data(r, r->kind.data, r->set->ir, err);
    return status == PINNA_OK ? take_delays(r, err) : status;
}

static pinna_status fill_from_spectra(reader *r, const pn_sofa_grid *grid, const double *frequency,
                                      pinna_error *err) {
    size_t values = 2 * (size_t)r->kind.directions * (size_t)r->kind.samples;
    float *re = pn_alloc_floats(values), *im = pn_alloc_floats(values);
    pinna_status status =
        re == NULL || im == NULL ? pn_fail_memory(err, r->label, (double)values * 8) : PINNA_OK;
    if (status == PINNA_OK)
        status = read_data(r, r->kind.data, re, err);
    if (status == PINNA_OK)
        status = read_data(r, r->kind.imaginary, im, err);
    if (status == PINNA_OK)
        status = pn_sofa_fill_responses(grid, frequency, r->kind.samples, re, im, r->label, r->set,
                                        r->messages, err);
    pn_free(re);
    pn_free(im);
    return status;
}

static pinna_status read_spectra(reader *r, pinna_error *err) {
    double *frequency = NULL;
    uint64_t count;
    pn_sofa_grid grid;
    pinna_status status = numbers(r, "N", &frequency, &count, err);
    if (status == PINNA_OK && count != (uint64_t)r->kind.samples)
        status = pn_fail(err, PINNA_BAD_FILE, "%s: N has %llu frequencies for spectra of %d values", r->label,
                         (unsigned long long)count, r->kind.samples);
    if (status == PINNA_OK && pn_hdf5_count(r->kind.imaginary) != pn_hdf5_count(r->kind.data))
        status =
            pn_fail(err, PINNA_BAD_FILE, "%s: Data.Real and Data.Imag are not of the same shape", r->label);
    if (status == PINNA_OK)
        status = pn_sofa_plan_grid(frequency, r->kind.samples, r->label, &grid, err);
    if (status == PINNA_OK)
        status = pn_measured_create(r->set, r->kind.directions, grid.taps, grid.rate, err);
    if (status == PINNA_OK)
        status = take_positions(r, err);
    if (status == PINNA_OK)
        status = fill_from_spectra(r, &grid, frequency, err);
    pn_free(frequency);
    return status == PINNA_OK ? take_delays(r, err) : status;
}

static pinna_status read_all(reader *r, pinna_error *err) {
    pinna_status status = pn_sofa_find_kind(r->file, r->label, &r->kind, r->messages, err);
    if (status == PINNA_OK)
        status = r->kind.spectra ? read_spectra(r, err) : read_responses(r, err);
    if (status == PINNA_OK && r->kind.general)
        status = check_general(r, err);
    if (status == PINNA_OK)
        status = take_head(r, err);
    return status == PINNA_OK ? take_texts(r->set, r->file, r->label, err) : status;
}

/* Where libmysofa finds the file: its path, or memory that can be trusted; both NULL: it is not asked. */
typedef struct {
    const char *path;
    const void *data;
} mysofa_source;

static pinna_status read_bytes(const void *data, size_t size, mysofa_source source, const char *label,
                               pn_measured *set, pn_messages *messages, pinna_error *err) {
    memset(set, 0, sizeof *set);
    pn_hdf5 *file = NULL;
    pinna_status status = pn_hdf5_open(data, size, &file, err);
    if (status != PINNA_OK)
        return pn_fail_within(err, status, "%s", label);
    reader r = {.file = file, .label = label, .messages = messages, .set = set};
    pn_sofa_mysofa *lent = NULL;
    if (source.path != NULL || source.data != NULL)
        lent = pn_sofa_mysofa_lend(file, source.path, source.data, size);
    status = read_all(&r, err);
    pn_sofa_mysofa_free(lent);
    pn_hdf5_free(file);
    if (status != PINNA_OK)
        pn_measured_clear(set);
    return status;
}

pinna_status pn_sofa_read_memory(const void *data, size_t size, const char *label, pn_measured *set,
                                 pn_messages *messages, pinna_error *err) {
    return read_bytes(data, size, (mysofa_source){0}, label, set, messages, err);
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
        pinna_status status =
            read_bytes(data, size, (mysofa_source){.data = data}, "builtin", set, messages, err);
        return status == PINNA_OK ? name_builtin(set, err) : status;
    }
    char *data = NULL;
    size_t size = 0;
    pinna_status status = read_file(file, &data, &size, err);
    if (status != PINNA_OK)
        return status;
    status = read_bytes(data, size, (mysofa_source){.path = file}, file, set, messages, err);
    pn_free(data);
    return status;
}
