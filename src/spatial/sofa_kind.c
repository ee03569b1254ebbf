// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/sofa_kind.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* The conventions of AES69 and of the SOFA toolboxes; why those without ears are refused. */
static const struct {
    const char *name;
    bool read, spectra, general;
    const char *reason;
} conventions[] = {
    {"SimpleFreeFieldHRIR", true, false, false, NULL},
    {"SimpleFreeFieldHRTF", true, true, false, NULL},
    {"SimpleFreeFieldTF", true, true, false, NULL},
    {"GeneralFIR", true, false, true, NULL},
    {"GeneralTF", true, true, true, NULL},
    {"SimpleFreeFieldSOS", false, false, false, "second-order sections, not responses"},
    {"SimpleFreeFieldHRSOS", false, false, false, "second-order sections, not responses"},
    {"GeneralSOS", false, false, false, "second-order sections, not responses"},
    {"FreeFieldHRIR", false, false, false, "ears for several emitters or in spherical harmonics"},
    {"FreeFieldHRTF", false, false, false, "ears for several emitters or in spherical harmonics"},
    {"FreeFieldDirectivityTF", false, false, false, "how a source radiates, not how ears hear"},
    {"SimpleHeadphoneIR", false, false, false, "headphones at the ears, not directions around a head"},
    {"MultiSpeakerBRIR", false, false, false,
     "a room with loudspeakers, for one reverb each, not directions"},
    {"SingleRoomSRIR", false, false, false, "a room heard by microphones, for a reverb, not ears"},
    {"SingleRoomDRIR", false, false, false, "a room heard by microphones, for a reverb, not ears"},
    {"SingleRoomMIMOSRIR", false, false, false, "a room with several sources, for a reverb, not ears"},
    {"GeneralFIR-E", false, false, false, "responses of several emitters, not directions"},
    {"GeneralFIRE", false, false, false, "responses of several emitters, not directions"},
    {"GeneralTF-E", false, false, false, "responses of several emitters, not directions"},
    {"AnnotatedReceiverAudio", false, false, false, "recordings, not responses"},
    {"AnnotatedEmitterAudio", false, false, false, "recordings, not responses"},
    {"SingleTrackedAudio", false, false, false, "recordings, not responses"},
    {"GeneralString", false, false, false, "texts, not responses"},
};

static const char way_out[] =
    "export the set as SimpleFreeFieldHRIR or SimpleFreeFieldHRTF, or choose another file";

static bool data_type_is(const pn_hdf5 *file, const char *name) {
    const char *data = pn_hdf5_text(file, NULL, "DataType");
    return data != NULL && strcmp(data, name) == 0;
}

/* A file that does not say what it is: its data decide. */
static pinna_status guess(const pn_hdf5 *file, const char *stated, pn_sofa_kind *kind, pn_messages *messages,
                          pinna_error *err) {
    bool real = pn_hdf5_find(file, "Data.Real") != NULL, ir = pn_hdf5_find(file, "Data.IR") != NULL;
    if (!real && !ir)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: it is HDF5, but neither says that it is SOFA nor has Data.IR; %s", kind->label,
                       way_out);
    kind->spectra = !ir || (real && data_type_is(file, "TF"));
    kind->general = true;
    if (stated != NULL && stated[0] != '\0')
        pn_warn(messages, "%s: its convention, %.40s, is not known; it is read as %s", kind->label, stated,
                kind->spectra ? "SimpleFreeFieldHRTF" : "SimpleFreeFieldHRIR");
    else
        pn_warn(messages, "%s: it does not state its convention; it is read as %s", kind->label,
                kind->spectra ? "SimpleFreeFieldHRTF" : "SimpleFreeFieldHRIR");
    return PINNA_OK;
}

static pinna_status look_up(const pn_hdf5 *file, pn_sofa_kind *kind, pn_messages *messages,
                            pinna_error *err) {
    const char *stated = pn_hdf5_text(file, NULL, "SOFAConventions");
    for (size_t i = 0; i < sizeof conventions / sizeof conventions[0]; ++i) {
        if (stated == NULL || strcmp(stated, conventions[i].name) != 0)
            continue;
        kind->spectra = conventions[i].spectra;
        kind->general = conventions[i].general;
        return conventions[i].read ? PINNA_OK
                                   : pn_fail(err, PINNA_BAD_FILE, "%s: its convention is %s: %s; %s",
                                             kind->label, stated, conventions[i].reason, way_out);
    }
    return guess(file, stated, kind, messages, err);
}

static bool in_harmonics(const pn_hdf5 *file, const char *name) {
    const pn_hdf5_variable *v = pn_hdf5_find(file, name);
    const char *type = v == NULL ? NULL : pn_hdf5_text(file, v, "Type");
    return type != NULL && strncasecmp(type, "spherical harmonic", 18) == 0;
}

static pinna_status check_domain(const pn_hdf5 *file, const pn_sofa_kind *kind, pinna_error *err) {
    const char *const places[] = {"SourcePosition", "EmitterPosition", "ReceiverPosition"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; ++i) {
        if (in_harmonics(file, places[i]))
            return pn_fail(err, PINNA_BAD_FILE, "%s: its %s is in spherical harmonics, not directions; %s",
                           kind->label, places[i], way_out);
    }
    uint64_t emitters = pn_hdf5_count(pn_hdf5_find(file, "E"));
    if (emitters > 1)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %llu emitters for each measurement; one is expected (E = 1)",
                       kind->label, (unsigned long long)emitters);
    return PINNA_OK;
}

/* M x R x N; also with a dimension of one emitter before or after N, and R x N of one measurement. */
static pinna_status check_shape(const pn_hdf5_variable *data, const char *name, pn_sofa_kind *kind,
                                pinna_error *err) {
    uint64_t s[PN_HDF5_RANK] = {0};
    int rank = pn_hdf5_shape(data, s);
    if (rank == 4 && (s[2] == 1 || s[3] == 1)) {
        s[2] = s[2] == 1 ? s[3] : s[2];
        rank = 3;
    } else if (rank == 2 && s[0] == 2) {
        s[2] = s[1];
        s[1] = 2;
        s[0] = 1;
        rank = 3;
    }
    if (rank == 4)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: %s is of several emitters (%llu x %llu x %llu x %llu); one is expected",
                       kind->label, name, (unsigned long long)s[0], (unsigned long long)s[1],
                       (unsigned long long)s[2], (unsigned long long)s[3]);
    if (rank != 3)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %s has %d dimensions; expected three, M x R x N",
                       kind->label, name, rank);
    if (s[1] != 2)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %s%.0llu receiver%s; two ears are expected (R = 2)",
                       kind->label, s[1] == 0 ? "no" : "", (unsigned long long)s[1], s[1] == 1 ? "" : "s");
    if (s[0] > INT_MAX || s[2] > INT_MAX || (double)s[0] * (double)s[2] > 2.5e8)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: %llu measurements of %llu samples; at most 2.5e8 in all can be read", kind->label,
                       (unsigned long long)s[0], (unsigned long long)s[2]);
    kind->directions = (int)s[0];
    kind->samples = (int)s[2];
    return PINNA_OK;
}

pinna_status pn_sofa_find_kind(const pn_hdf5 *file, const char *label, pn_sofa_kind *kind,
                               pn_messages *messages, pinna_error *err) {
    *kind = (pn_sofa_kind){.label = label};
    pinna_status status = look_up(file, kind, messages, err);
    if (status == PINNA_OK)
        status = check_domain(file, kind, err);
    if (status != PINNA_OK)
        return status;
    const pn_hdf5_variable *ir = pn_hdf5_find(file, "Data.IR"), *real = pn_hdf5_find(file, "Data.Real");
    if ((kind->spectra && real == NULL && ir != NULL) || (!kind->spectra && ir == NULL && real != NULL)) {
        kind->spectra = !kind->spectra;
        pn_warn(messages, "%s: its convention speaks of %s, its data are %s; the data are read", label,
                kind->spectra ? "responses" : "spectra", kind->spectra ? "spectra" : "responses");
    }
    kind->data = kind->spectra ? real : ir;
    kind->imaginary = kind->spectra ? pn_hdf5_find(file, "Data.Imag") : NULL;
    const char *name = kind->spectra ? "Data.Real" : "Data.IR";
    if (kind->data == NULL || (kind->spectra && kind->imaginary == NULL))
        return pn_fail(err, PINNA_BAD_FILE, "%s: it has no %s; the file is damaged or empty", label,
                       kind->data == NULL ? name : "Data.Imag");
    return check_shape(kind->data, name, kind, err);
}
