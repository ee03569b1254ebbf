// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SOFA_H
#define PN_SPATIAL_SOFA_H

#include <stdbool.h>
#include <stddef.h>

#include "spatial/measured.h"

/* Reads a SOFA file (AES69) of the convention SimpleFreeFieldHRIR through libmysofa, which is trusted with the
 * container only: convention, shapes and units are checked here, values by pn_measured_repair, which the caller runs.
 * file NULL or "builtin": the embedded MIT KEMAR set. Errors name the file, the reason and the way out. */
pinna_status pn_sofa_read(const char *file, pn_measured *set, pn_messages *messages, pinna_error *err);

/* The same from memory that can be trusted: libmysofa may read past the end of damaged data. */
pinna_status pn_sofa_read_memory(const void *data, size_t size, const char *label, pn_measured *set,
                                 pn_messages *messages, pinna_error *err);

bool pn_sofa_is_builtin(const char *file);
/* The embedded file. */
const void *pn_sofa_builtin(size_t *size);

/* Why a file cannot be read, from its bytes: no HDF5, cut short, another convention; "" when nothing is amiss that can
 * be seen from outside. text gets at most size bytes. */
void pn_sofa_diagnose(const void *data, size_t size, char *text, size_t text_size);

#endif
