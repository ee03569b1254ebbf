// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HDF5_H
#define PN_SPATIAL_HDF5_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* An HDF5 file in memory, as far as SOFA files use the format (netCDF-4, h5py, Matlab, libmysofa): the variables of
 * the root group, their shapes, their numbers, and the attributes that are text.
 *
 * Beside libmysofa (sofa_mysofa.h), which refuses variables such as the frequencies of a transfer function, numbers of
 * single precision and chunks of more than three dimensions, and reads past the end of damaged files or never comes back
 * from them, which a library inside somebody else's program must not. libhdf5 was tried in this place: with single bytes
 * changed it ended the process, gave zeros for data that it could not find, and its usual builds serve one thread
 * only. Here every byte is reached through a check of its place, every walk has a bound, and what is held never
 * exceeds what the file's bytes can make: damage is an error that says where.
 *
 * Read: superblocks 0 to 3, object headers 1 and 2, groups old and new, dense links and attributes, contiguous,
 * compact and chunked data (indexed by a version 1 B-tree, a fixed array or not at all), deflate, shuffle and
 * Fletcher32, integers and floats of 1 to 8 bytes of either byte order, strings of fixed and of variable length.
 * Source: HDF5 File Format Specification, version 3.0. */
typedef struct pn_hdf5 pn_hdf5;
typedef struct pn_hdf5_variable pn_hdf5_variable;

enum { PN_HDF5_RANK = 8 };

/* Reads the structure, no numbers. data must stay valid until pn_hdf5_free. Errors do not name the file: the caller
 * puts its name before them. */
pinna_status pn_hdf5_open(const void *data, size_t size, pn_hdf5 **file, pinna_error *err);
void pn_hdf5_free(pn_hdf5 *file);

/* NULL: there is none of this name. Owned by the file. */
const pn_hdf5_variable *pn_hdf5_find(const pn_hdf5 *file, const char *name);
/* The shape: returns the rank (0: a single value); shape (may be NULL) has room for PN_HDF5_RANK. */
int pn_hdf5_shape(const pn_hdf5_variable *variable, uint64_t *shape);
/* Elements in all; 0 for NULL. */
uint64_t pn_hdf5_count(const pn_hdf5_variable *variable);

/* Text of an attribute of a variable, or of the file (variable NULL); NULL where there is none, "" for one that is
 * empty or no text. Any bytes but 0. Owned by the file. */
const char *pn_hdf5_text(const pn_hdf5 *file, const pn_hdf5_variable *variable, const char *name);

/* Numbers of a variable that somebody else has read from the same file: the readings below copy them. They must stay
 * until the last one. Ignored where there is no such variable, or it has another count. */
void pn_hdf5_lend(pn_hdf5 *file, const char *name, const float *values, uint64_t count);

/* All numbers of a variable, in C order, into out[pn_hdf5_count()]. */
pinna_status pn_hdf5_read(const pn_hdf5 *file, const pn_hdf5_variable *variable, double *out,
                          pinna_error *err);
pinna_status pn_hdf5_read_floats(const pn_hdf5 *file, const pn_hdf5_variable *variable, float *out,
                                 pinna_error *err);

#endif
