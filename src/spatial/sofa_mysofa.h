// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_SOFA_MYSOFA_H
#define PN_SPATIAL_SOFA_MYSOFA_H

#include <stddef.h>

#include "spatial/hdf5.h"

/* The numbers of a SOFA file by libmysofa, which knows the responses in the time domain of files with all of AES69's
 * dimensions. It trusts what a file says of itself and reads past the end of damaged ones, so it only gets files that
 * pn_hdf5_open has walked from end to end; what it refuses (spectra, single precision, other shapes) hdf5.h reads. */
typedef struct pn_sofa_mysofa pn_sofa_mysofa;

/* Lends libmysofa's numbers to the file's variables, those of the same counts. path: of the file; NULL: data, which must
 * be trusted. NULL when libmysofa refuses the file. The numbers go with pn_sofa_mysofa_free, after the last reading. */
pn_sofa_mysofa *pn_sofa_mysofa_lend(pn_hdf5 *file, const char *path, const void *data, size_t size);
void pn_sofa_mysofa_free(pn_sofa_mysofa *lent); /* accepts NULL */

#endif
