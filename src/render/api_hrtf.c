// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>

#include "base/memory.h"
#include "spatial/hrtf.h"

struct pinna_hrtf {
    pn_messages *messages;
    pn_hrtf *set;
};

pinna_status pinna_hrtf_open(const char *file, double rate, pinna_message_fn message, void *user,
                             pinna_hrtf **hrtf, pinna_error *error) {
    if (hrtf == NULL)
        return pn_fail(error, PINNA_BAD_ARGUMENT, "pinna_hrtf_open: no place for the set (NULL)");
    *hrtf = NULL;
    if (rate != 0 && !(rate >= 8000 && rate <= 384000))
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "rate: %g, expected 8000 to 384000 Hz, or 0 for the file's own", rate);
    pinna_hrtf *h = pn_alloc(1, sizeof *h);
    if (h == NULL)
        return pn_fail_memory(error, "an HRTF set", sizeof *h);
    h->messages = pn_messages_create(message, user);
    pinna_status status = h->messages == NULL ? pn_fail_memory(error, "an HRTF set", sizeof *h)
                                              : pn_hrtf_load(file, rate, NULL, h->messages, &h->set, error);
    if (status != PINNA_OK) {
        pinna_hrtf_free(h);
        return status;
    }
    *hrtf = h;
    return PINNA_OK;
}

void pinna_hrtf_free(pinna_hrtf *h) {
    if (h == NULL)
        return;
    pn_hrtf_free(h->set);
    pn_messages_free(h->messages);
    pn_free(h);
}

void pinna_hrtf_describe(const pinna_hrtf *h, pinna_hrtf_info *info) {
    const pn_hrtf_info *own = pn_hrtf_get_info(h->set);
    *info = (pinna_hrtf_info){
        .rate = own->rate,
        .file_rate = own->file_rate,
        .directions = own->measured,
        .taps = own->taps + own->max_delay,
        .latency = own->latency,
        .scale = own->scale,
        .name = own->name,
        .licence = own->licence,
    };
}

pinna_status pinna_hrtf_lookup(const pinna_hrtf *h, double azimuth, double elevation, float *left,
                               float *right, pinna_error *error) {
    if (!isfinite(azimuth) || !(elevation >= -90 && elevation <= 90))
        return pn_fail(error, PINNA_BAD_ARGUMENT,
                       "direction %g, %g: expected an azimuth in degrees and an elevation of -90 to 90",
                       azimuth, elevation);
    pn_vec3 direction = pn_vec_from_polar(pn_radians(azimuth), pn_radians(elevation), 1);
    return pn_hrtf_response(h->set, direction, left, right, error);
}
