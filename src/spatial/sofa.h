// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SOFA_H
#define PN_SPATIAL_SOFA_H

#include <stdbool.h>
#include <stddef.h>

#include "spatial/measured.h"

/* Reads the ears of a SOFA file (AES69). Convention, shapes and units are checked here, values by pn_measured_repair,
 * which the caller runs.
 *
 * Read: SimpleFreeFieldHRIR; SimpleFreeFieldHRTF and its older name SimpleFreeFieldTF, whose spectra become responses
 * (sofa_spectra.h); GeneralFIR and GeneralTF, where they have two receivers, one emitter and directions. What else SOFA
 * knows (rooms, headphones, several emitters, spherical harmonics, second-order sections) is refused with the reason.
 *
 * Two readers: the structure, and what libmysofa refuses, by ours (hdf5.h), which damage cannot lead astray; the numbers of
 * files that have passed there by libmysofa (sofa_mysofa.h).
 *
 * file NULL or "builtin": the embedded MIT KEMAR set. Errors name the file, the reason and the way out; what is assumed
 * or converted is told to messages. Damaged files are errors, whatever they hold. */
pinna_status pn_sofa_read(const char *file, pn_measured *set, pn_messages *messages, pinna_error *err);

/* The same from memory, which is only read during the call, without libmysofa: damage is an error here too. */
pinna_status pn_sofa_read_memory(const void *data, size_t size, const char *label, pn_measured *set,
                                 pn_messages *messages, pinna_error *err);

bool pn_sofa_is_builtin(const char *file);
/* The embedded file. */
const void *pn_sofa_builtin(size_t *size);

#endif
