// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_MIX_LOUDNESS_H
#define PN_MIX_LOUDNESS_H

#include <stddef.h>

#include "base/status.h"

/* Integrated loudness and true peak of a programme as ITU-R BS.1770-4 and EBU R 128 define them, through
 * libebur128. Grows by some 24 bytes for every 100 ms of programme. One thread at a time; not block path. */
typedef struct pn_loudness pn_loudness;

typedef struct {
    double
        integrated_lufs;   /* -INFINITY: nothing above the absolute gate (-70 LUFS), or shorter than 400 ms */
    double true_peak_dbtp; /* of the loudest channel; -INFINITY: digital silence */
    double sample_peak_db; /* dBFS, likewise */
} pn_loudness_result;

/* channels 1 .. 64 (1: mono, 2: left, right, else as libebur128 assigns them). */
pinna_status pn_loudness_create(int channels, double rate, pn_loudness **loudness, pinna_error *err);
void pn_loudness_free(pn_loudness *loudness); /* accepts NULL */

pinna_status pn_loudness_add(pn_loudness *loudness, const float *const *channel, size_t frames,
                             pinna_error *err);
/* Ends the programme: only free may follow. */
pinna_status pn_loudness_finish(pn_loudness *loudness, pn_loudness_result *result, pinna_error *err);

#endif
