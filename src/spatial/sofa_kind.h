// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SOFA_KIND_H
#define PN_SPATIAL_SOFA_KIND_H

#include <stdbool.h>

#include "base/messages.h"
#include "spatial/hdf5.h"

/* What a SOFA file holds, by what it says and by what is in it. */
typedef struct {
    const char *label;
    bool spectra;   /* Data.Real and Data.Imag, not Data.IR */
    bool general;   /* of a convention for anything: must show that it holds ears */
    int directions; /* M */
    int samples;    /* N: samples, or frequencies */
    const pn_hdf5_variable *data, *imaginary;
} pn_sofa_kind;

/* Refuses what is not a set of ears, in one line with the reason. */
pinna_status pn_sofa_find_kind(const pn_hdf5 *file, const char *label, pn_sofa_kind *kind,
                               pn_messages *messages, pinna_error *err);

#endif
