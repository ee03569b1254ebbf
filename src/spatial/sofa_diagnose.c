// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* What is wrong with a file that the SOFA reader refuses, or should refuse, seen from its bytes. The superblock is at
 * the start: HDF5 File Format Specification 3.0, section II.A. */
#include "spatial/sofa.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *const conventions[] = {
    "SimpleFreeFieldHRTF", "SimpleFreeFieldTF", "SimpleFreeFieldSOS",
    "FreeFieldHRIR",       "FreeFieldHRTF",     "FreeFieldDirectivityTF",
    "SimpleHeadphoneIR",   "MultiSpeakerBRIR",  "SingleRoomSRIR",
    "SingleRoomMIMOSRIR",  "SingleRoomDRIR",    "SingleTrackedAudio",
    "GeneralFIR-E",        "GeneralFIR",        "GeneralTF-E",
    "GeneralTF",           "GeneralSOS",        "GeneralString",
};

static uint64_t little_endian(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i)
        value = value << 8 | bytes[i];
    return value;
}

/* The length that the file says it has, 0 when it does not say. */
static uint64_t stated_length(const unsigned char *bytes, size_t size) {
    if (size < 64)
        return UINT64_MAX;
    if (bytes[8] <= 1 && bytes[13] == 8)
        return little_endian(bytes + (bytes[8] == 0 ? 40 : 44));
    if ((bytes[8] == 2 || bytes[8] == 3) && bytes[9] == 8)
        return little_endian(bytes + 28);
    return 0;
}

static const char *find_convention(const void *data, size_t size) {
    for (size_t i = 0; i < sizeof conventions / sizeof conventions[0]; ++i) {
        if (memmem(data, size, conventions[i], strlen(conventions[i])) != NULL)
            return conventions[i];
    }
    return NULL;
}

void pn_sofa_diagnose(const void *data, size_t size, char *text, size_t text_size) {
    const unsigned char *bytes = data;
    text[0] = '\0';
    if (size == 0) {
        snprintf(text, text_size, "it is empty");
        return;
    }
    if (size >= 3 && memcmp(bytes, "CDF", 3) == 0) {
        snprintf(text, text_size,
                 "it is a netCDF 3 file; SOFA is netCDF 4 (HDF5): convert it with nccopy -k nc4");
        return;
    }
    if (size < 8 || memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) != 0) {
        char begins[25] = "";
        for (size_t i = 0; i < size && i < sizeof begins - 1; ++i)
            begins[i] = bytes[i] >= 32 && bytes[i] < 127 ? (char)bytes[i] : '.';
        snprintf(text, text_size, "it is no SOFA file: SOFA is HDF5, this begins with \"%s\"%s", begins,
                 size < 1024 ? "; a link or pointer in place of the file? fetch the file itself" : "");
        return;
    }
    uint64_t length = stated_length(bytes, size);
    if (length == UINT64_MAX) {
        snprintf(text, text_size, "it is cut off after %zu bytes; fetch it again", size);
        return;
    }
    if (length > size) {
        snprintf(text, text_size,
                 "it is damaged or cut off: it should have %llu bytes and has %zu; fetch it again",
                 (unsigned long long)length, size);
        return;
    }
    const char *convention = find_convention(data, size);
    if (convention != NULL && memmem(data, size, "SimpleFreeFieldHRIR", 19) == NULL)
        snprintf(text, text_size, "its convention is %s; pinna reads SimpleFreeFieldHRIR", convention);
}
