// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_HDF5_VIEW_H
#define PN_SPATIAL_HDF5_VIEW_H

#include <stdbool.h>

#include "spatial/hdf5.h"

/* What the parts of the HDF5 reader share. */

/* Bytes read one after the other; beyond the end every value is 0 and `bad` is set. */
typedef struct {
    const uint8_t *at, *end;
    bool bad;
} pn_hdf5_bytes;

uint64_t pn_hdf5_get(pn_hdf5_bytes *bytes, int size);             /* little-endian, 0..8 bytes */
const uint8_t *pn_hdf5_skip(pn_hdf5_bytes *bytes, uint64_t size); /* NULL beyond the end */
/* Whether the next four bytes are `name`; passes them. */
bool pn_hdf5_signature(pn_hdf5_bytes *bytes, const char *name);

typedef enum {
    PN_HDF5_OTHER, /* also where nothing is said */
    PN_HDF5_INTEGER,
    PN_HDF5_FLOAT,
    PN_HDF5_STRING,
    PN_HDF5_VARIABLE_STRING
} pn_hdf5_class;

typedef struct {
    pn_hdf5_class class;
    uint32_t size; /* bytes of an element */
    bool big_endian, is_signed;
} pn_hdf5_type;

typedef struct {
    char *name, *text;
} pn_hdf5_attribute;

typedef enum { PN_HDF5_COMPACT, PN_HDF5_CONTIGUOUS, PN_HDF5_CHUNKED, PN_HDF5_NO_LAYOUT } pn_hdf5_layout;
typedef enum {
    PN_HDF5_NO_INDEX,
    PN_HDF5_TREE,
    PN_HDF5_SINGLE,
    PN_HDF5_IMPLICIT,
    PN_HDF5_FIXED_ARRAY,
    PN_HDF5_OTHER_INDEX
} pn_hdf5_index;
enum { PN_HDF5_FILTERS = 8 };

struct pn_hdf5_variable {
    char *name;
    pn_hdf5_type type;
    int rank;
    uint64_t shape[PN_HDF5_RANK], count;
    pn_hdf5_layout layout;
    pn_hdf5_bytes compact;
    uint64_t address, length; /* of the data, or of the index of chunks */
    pn_hdf5_index index;
    uint64_t chunk[PN_HDF5_RANK];
    uint64_t single_size; /* PN_HDF5_SINGLE with filters: bytes as stored */
    uint32_t single_mask;
    int filters, filter[PN_HDF5_FILTERS];
    uint32_t filter_value[PN_HDF5_FILTERS]; /* its first parameter */
    pn_hdf5_attribute *attributes;
    int attribute_count;
    const float *lent; /* its numbers, read elsewhere; NULL: to be read here */
};

struct pn_hdf5 {
    const uint8_t *data;
    uint64_t size;
    int offset_size, length_size; /* bytes of an address, of a length */
    pn_hdf5_variable root;        /* its attributes are the file's */
    pn_hdf5_variable *variables;
    int variable_count;
};

/* Whether the bytes from `from` to `to` are followed by their checksum. */
bool pn_hdf5_intact(const uint8_t *from, const uint8_t *to, const uint8_t *end);
/* The bytes from an address to the end of the file; bad when it lies outside. */
pn_hdf5_bytes pn_hdf5_at(const pn_hdf5 *file, uint64_t address);
uint64_t pn_hdf5_address(const pn_hdf5 *file, pn_hdf5_bytes *bytes);
uint64_t pn_hdf5_length(const pn_hdf5 *file, pn_hdf5_bytes *bytes);
/* The address that means none. */
bool pn_hdf5_is_none(const pn_hdf5 *file, uint64_t address);
pinna_status pn_hdf5_damaged(pinna_error *err, const char *what);

/* hdf5_message.c. Bodies of messages; false: damaged. Layout and filters go into the variable, whose rank, and type for
 * layouts of old versions, are known. */
bool pn_hdf5_parse_space(const pn_hdf5 *file, pn_hdf5_bytes body, int *rank, uint64_t *shape,
                         uint64_t *count);
/* PN_HDF5_OTHER: of a kind that is not read, or shared. */
void pn_hdf5_parse_type(pn_hdf5_bytes body, bool shared, pn_hdf5_type *type);
bool pn_hdf5_parse_layout(const pn_hdf5 *file, pn_hdf5_bytes body, pn_hdf5_variable *variable);
bool pn_hdf5_parse_filters(pn_hdf5_bytes body, pn_hdf5_variable *variable);

/* hdf5_index.c. Calls visit with every object of a fractal heap that a version 2 B-tree lists (links of a large group,
 * attributes of an object with many); id_at: where in a record the heap's identifier stands. */
typedef pinna_status (*pn_hdf5_visit)(void *user, pn_hdf5_bytes object, pinna_error *err);
pinna_status pn_hdf5_each_dense(const pn_hdf5 *file, uint64_t heap, uint64_t tree, int id_at,
                                pn_hdf5_visit visit, void *user, pinna_error *err);
/* An object of a global heap (a string of variable length); bad when it is not there. */
pn_hdf5_bytes pn_hdf5_global_object(const pn_hdf5 *file, uint64_t collection, uint32_t index);
/* Calls visit with every entry of an old group: name in the local heap, address of the object's header. */
typedef pinna_status (*pn_hdf5_visit_entry)(void *user, const char *name, size_t name_size, uint64_t header,
                                            pinna_error *err);
pinna_status pn_hdf5_each_entry(const pn_hdf5 *file, uint64_t tree, uint64_t heap, pn_hdf5_visit_entry visit,
                                void *user, pinna_error *err);

#endif
