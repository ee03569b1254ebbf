// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* What the messages of an object header say of a variable, one by one (file format specification 3.0, section IV.A.2): its
 * shape, the type of its numbers, where they lie, through which filters. */
#include "spatial/hdf5_view.h"

bool pn_hdf5_parse_space(const pn_hdf5 *file, pn_hdf5_bytes b, int *rank, uint64_t *shape, uint64_t *count) {
    int version = (int)pn_hdf5_get(&b, 1);
    *rank = (int)pn_hdf5_get(&b, 1);
    pn_hdf5_skip(&b, 1);
    bool none = pn_hdf5_get(&b, 1) == 2 && version == 2;
    if (version == 1)
        pn_hdf5_skip(&b, 4);
    *count = none ? 0 : 1;
    if (b.bad || version < 1 || version > 2 || *rank > PN_HDF5_RANK)
        return false;
    for (int i = 0; i < *rank; ++i) {
        shape[i] = pn_hdf5_length(file, &b);
        if (shape[i] >> 40 != 0 || (shape[i] > 0 && *count > ((uint64_t)1 << 40) / shape[i]))
            return false;
        *count *= shape[i];
    }
    return !b.bad;
}

void pn_hdf5_parse_type(pn_hdf5_bytes b, bool shared, pn_hdf5_type *type) {
    int kind = (int)pn_hdf5_get(&b, 1) & 15;
    uint32_t bits = (uint32_t)pn_hdf5_get(&b, 3);
    *type = (pn_hdf5_type){.class = PN_HDF5_OTHER, .size = (uint32_t)pn_hdf5_get(&b, 4)};
    type->big_endian = (bits & 1) != 0;
    uint64_t offset = pn_hdf5_get(&b, 2), precision = pn_hdf5_get(&b, 2);
    bool whole = !b.bad && !shared && offset == 0 && precision == 8 * (uint64_t)type->size;
    if (kind == 0 && whole && type->size >= 1 && type->size <= 8) {
        type->class = PN_HDF5_INTEGER;
        type->is_signed = (bits & 8) != 0;
    } else if (kind == 1 && whole && (type->size == 4 || type->size == 8) && (bits & 0x40) == 0) {
        type->class = PN_HDF5_FLOAT;
    } else if (kind == 3 && !shared) {
        type->class = PN_HDF5_STRING;
    } else if (kind == 9 && !shared && (bits & 15) == 1) {
        type->class = PN_HDF5_VARIABLE_STRING;
    }
}

static bool parse_chunks(const pn_hdf5 *file, pn_hdf5_bytes *b, int version, pn_hdf5_variable *v) {
    int flags = version == 4 ? (int)pn_hdf5_get(b, 1) : 0, rank = (int)pn_hdf5_get(b, 1) - 1;
    int bytes = version == 4 ? (int)pn_hdf5_get(b, 1) : 4;
    v->layout = PN_HDF5_CHUNKED;
    v->index = PN_HDF5_TREE;
    if (version == 3)
        v->address = pn_hdf5_address(file, b);
    if (rank != v->rank || bytes < 1 || bytes > 8)
        return false;
    for (int i = 0; i <= rank; ++i) {
        uint64_t size = pn_hdf5_get(b, bytes);
        if (i < rank)
            v->chunk[i] = size;
        if (size == 0 || size >> 32 != 0)
            return false;
    }
    if (version == 3)
        return true;
    int index = (int)pn_hdf5_get(b, 1);
    v->index = index == 1   ? PN_HDF5_SINGLE
               : index == 2 ? PN_HDF5_IMPLICIT
               : index == 3 ? PN_HDF5_FIXED_ARRAY
                            : PN_HDF5_OTHER_INDEX;
    if (index == 1 && (flags & 2)) {
        v->single_size = pn_hdf5_length(file, b);
        v->single_mask = (uint32_t)pn_hdf5_get(b, 4);
    }
    if (index == 3)
        pn_hdf5_skip(b, 1);
    v->address = pn_hdf5_address(file, b);
    return true;
}

/* Versions 1 and 2 were written by libraries before 1.6.3. */
static bool parse_old_layout(const pn_hdf5 *file, pn_hdf5_bytes *b, pn_hdf5_variable *v) {
    int rank = (int)pn_hdf5_get(b, 1), class = (int)pn_hdf5_get(b, 1);
    pn_hdf5_skip(b, 5);
    if (class != 0)
        v->address = pn_hdf5_address(file, b);
    uint64_t size = 1;
    for (int i = 0; i < rank && i < PN_HDF5_RANK; ++i) {
        uint64_t length = pn_hdf5_get(b, 4);
        size = length == 0 ? 0 : size > ((uint64_t)1 << 40) / length ? (uint64_t)1 << 40 : size * length;
        if (class == 2 && i < v->rank)
            v->chunk[i] = length;
        if (class == 2 && length == 0)
            return false;
    }
    v->layout = class == 0 ? PN_HDF5_COMPACT : class == 1 ? PN_HDF5_CONTIGUOUS : PN_HDF5_CHUNKED;
    v->index = PN_HDF5_TREE;
    v->length = size * v->type.size;
    if (class == 2)
        return rank == v->rank + 1;
    if (class == 0) {
        uint64_t bytes = pn_hdf5_get(b, 4);
        const uint8_t *data = pn_hdf5_skip(b, bytes);
        v->compact = (pn_hdf5_bytes){.at = data, .end = data + bytes, .bad = data == NULL};
    }
    return rank == v->rank && class <= 2;
}

bool pn_hdf5_parse_layout(const pn_hdf5 *file, pn_hdf5_bytes b, pn_hdf5_variable *v) {
    int version = (int)pn_hdf5_get(&b, 1);
    if (version == 1 || version == 2)
        return parse_old_layout(file, &b, v) && !b.bad;
    int class = (int)pn_hdf5_get(&b, 1);
    bool fits = version == 3 || version == 4;
    if (class == 0) {
        uint64_t bytes = pn_hdf5_get(&b, 2);
        const uint8_t *data = pn_hdf5_skip(&b, bytes);
        v->layout = PN_HDF5_COMPACT;
        v->compact = (pn_hdf5_bytes){.at = data, .end = data + bytes, .bad = data == NULL};
    } else if (class == 1) {
        v->layout = PN_HDF5_CONTIGUOUS;
        v->address = pn_hdf5_address(file, &b);
        v->length = pn_hdf5_length(file, &b);
    } else {
        fits = fits && class == 2 && parse_chunks(file, &b, version, v);
    }
    return fits && !b.bad;
}

bool pn_hdf5_parse_filters(pn_hdf5_bytes b, pn_hdf5_variable *v) {
    int version = (int)pn_hdf5_get(&b, 1);
    v->filters = (int)pn_hdf5_get(&b, 1);
    if (version == 1)
        pn_hdf5_skip(&b, 6);
    if (v->filters > PN_HDF5_FILTERS)
        return false;
    for (int i = 0; i < v->filters; ++i) {
        v->filter[i] = (int)pn_hdf5_get(&b, 2);
        uint64_t name = version == 1 || v->filter[i] >= 256 ? pn_hdf5_get(&b, 2) : 0;
        pn_hdf5_skip(&b, 2);
        uint64_t values = pn_hdf5_get(&b, 2);
        pn_hdf5_skip(&b, version == 1 ? (name + 7) & ~(uint64_t)7 : name);
        for (uint64_t k = 0; k < values && !b.bad; ++k) {
            uint32_t value = (uint32_t)pn_hdf5_get(&b, 4);
            if (k == 0)
                v->filter_value[i] = value;
        }
        if (version == 1 && values % 2 != 0)
            pn_hdf5_skip(&b, 4);
    }
    return !b.bad && (version == 1 || version == 2);
}
