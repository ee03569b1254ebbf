// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Numbers out of an HDF5 file: from where they lie, through the filters they were written with, into one type. Chunks
 * are boxes of equal shape over the variable's index space, the last of a row reaching beyond its end; each is stored
 * by itself (file format specification 3.0, sections III.A.1, IV.A.2.i and l, VII.B). */
#include "spatial/hdf5_view.h"

#include <string.h>
#include <zlib.h>

#include "base/memory.h"

enum { DEEPEST = 16, INFLATES_TO = 1100 }; /* deflate makes at most 1032 bytes of one */
enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3 };

typedef struct {
    const pn_hdf5 *file;
    const pn_hdf5_variable *v;
    double *doubles; /* one of them */
    float *floats;
    uint64_t chunks, chunk_bytes, most_chunks; /* those read; of one; those there can be */
    uint64_t nodes;                            /* of the index, read */
    uint64_t grid[PN_HDF5_RANK];               /* chunks along each dimension */
    uint8_t *chunk, *filtered;                 /* [chunk_bytes + 4 a filter] */
    uint64_t room;
} reader;

static double number(const pn_hdf5_type *type, const uint8_t *from) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < type->size; ++i)
        bits = bits << 8 | from[type->big_endian ? i : type->size - 1 - i];
    if (type->class == PN_HDF5_FLOAT && type->size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (type->class == PN_HDF5_FLOAT) {
        uint32_t narrow = (uint32_t)bits;
        float value;
        memcpy(&value, &narrow, sizeof value);
        return (double)value;
    }
    int unused = 64 - 8 * (int)type->size;
    return type->is_signed ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

static void store(const reader *r, uint64_t to, const uint8_t *from, uint64_t count) {
    uint32_t size = r->v->type.size;
    for (uint64_t i = 0; i < count; ++i) {
        double value = number(&r->v->type, from + i * size);
        if (r->doubles != NULL)
            r->doubles[to + i] = value;
        else
            r->floats[to + i] = (float)value;
    }
}

/* ---- filters */

static bool inflate_into(uint8_t *out, uint64_t *size, const uint8_t *in, uint64_t in_size) {
    uLongf made = (uLongf)*size;
    int code = uncompress(out, &made, in, (uLong)in_size);
    *size = made;
    return code == Z_OK;
}

static void unshuffle(uint8_t *out, const uint8_t *in, uint64_t size, uint64_t element) {
    uint64_t count = size / element;
    for (uint64_t byte = 0; byte < element; ++byte) {
        for (uint64_t i = 0; i < count; ++i)
            out[i * element + byte] = in[byte * count + i];
    }
    memcpy(out + count * element, in + count * element, (size_t)(size - count * element));
}

static void exchange(reader *r) {
    uint8_t *swap = r->chunk;
    r->chunk = r->filtered;
    r->filtered = swap;
}

/* r->chunk = what was written, of `size` stored bytes; filters are undone in reverse. */
static bool decode(reader *r, const uint8_t *stored, uint64_t size, uint32_t mask) {
    const uint8_t *from = stored;
    for (int i = r->v->filters - 1; i >= 0; --i) {
        uint64_t made = r->room;
        if (mask >> i & 1)
            continue;
        if (r->v->filter[i] == FLETCHER32) {
            if (size < 4)
                return false;
            size -= 4;
            continue;
        }
        if (r->v->filter[i] == DEFLATE) {
            if (!inflate_into(r->filtered, &made, from, size))
                return false;
        } else {
            if (size > r->room || r->v->filter_value[i] == 0)
                return false;
            unshuffle(r->filtered, from, size, r->v->filter_value[i]);
            made = size;
        }
        exchange(r);
        from = r->chunk;
        size = made;
    }
    if (size < r->chunk_bytes)
        return false;
    if (from != r->chunk)
        memcpy(r->chunk, from, (size_t)r->chunk_bytes);
    return true;
}

/* ---- chunks */

/* Rows of the chunk at `offset` into their place. */
static void scatter(const reader *r, const uint64_t *offset) {
    const pn_hdf5_variable *v = r->v;
    int last = v->rank - 1;
    if (last < 0 || last >= PN_HDF5_RANK)
        return;
    uint64_t row = v->chunk[last], length = v->shape[last] - offset[last];
    length = length < row ? length : row;
    uint64_t rows = r->chunk_bytes / v->type.size / row;
    for (uint64_t i = 0; i < rows; ++i) {
        uint64_t rest = i, to = 0, stride = v->shape[last];
        bool inside = true;
        for (int d = last - 1; d >= 0; --d) {
            uint64_t at = offset[d] + rest % v->chunk[d];
            rest /= v->chunk[d];
            inside = inside && at < v->shape[d];
            to += at * stride;
            stride *= v->shape[d];
        }
        if (inside)
            store(r, to + offset[last], r->chunk + i * row * v->type.size, length);
    }
}

static pinna_status read_chunk(reader *r, uint64_t address, uint64_t size, uint32_t mask,
                               const uint64_t *offset, pinna_error *err) {
    if (pn_hdf5_is_none(r->file, address))
        return PINNA_OK; /* never written: zeros */
    pn_hdf5_bytes b = pn_hdf5_at(r->file, address);
    const uint8_t *stored = pn_hdf5_skip(&b, size);
    for (int d = 0; d < r->v->rank; ++d) {
        if (offset[d] >= r->v->shape[d] || offset[d] % r->v->chunk[d] != 0)
            return pn_hdf5_damaged(err, "numbers are said to lie outside of their variable");
    }
    if (++r->chunks > r->most_chunks)
        return pn_hdf5_damaged(err, "a variable has more pieces than fit into it");
    if (stored == NULL || !decode(r, stored, size, mask))
        return pn_hdf5_damaged(err, "a piece of its numbers cannot be decoded");
    scatter(r, offset);
    return PINNA_OK;
}

static pinna_status read_tree(reader *r, uint64_t address, int level, pinna_error *err) {
    const pn_hdf5_variable *v = r->v;
    pn_hdf5_bytes b = pn_hdf5_at(r->file, address);
    bool found = pn_hdf5_signature(&b, "TREE") && pn_hdf5_get(&b, 1) == 1;
    int here = (int)pn_hdf5_get(&b, 1), count = (int)pn_hdf5_get(&b, 2);
    if (!found || b.bad || (level >= 0 && here != level) || here > DEEPEST ||
        ++r->nodes > 2 * r->most_chunks + 64)
        return pn_hdf5_damaged(err, "the index of its numbers is not where its header says");
    pn_hdf5_address(r->file, &b);
    pn_hdf5_address(r->file, &b);
    pinna_status status = PINNA_OK;
    for (int i = 0; i < count && status == PINNA_OK; ++i) {
        uint64_t offset[PN_HDF5_RANK + 1] = {0}, size = pn_hdf5_get(&b, 4);
        uint32_t mask = (uint32_t)pn_hdf5_get(&b, 4);
        for (int d = 0; d <= v->rank; ++d)
            offset[d] = pn_hdf5_get(&b, 8);
        uint64_t child = pn_hdf5_address(r->file, &b);
        if (b.bad)
            return pn_hdf5_damaged(err, "the index of its numbers is cut off");
        status =
            here > 0 ? read_tree(r, child, here - 1, err) : read_chunk(r, child, size, mask, offset, err);
    }
    return status;
}

static void chunk_place(const reader *r, uint64_t number_of, uint64_t *offset) {
    for (int d = r->v->rank - 1; d >= 0; --d) {
        offset[d] = number_of % r->grid[d] * r->v->chunk[d];
        number_of /= r->grid[d];
    }
}

static pinna_status read_in_order(reader *r, pn_hdf5_bytes *entries, uint64_t first, uint64_t count,
                                  int size_bytes, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (uint64_t i = first; i < first + count && status == PINNA_OK; ++i) {
        uint64_t offset[PN_HDF5_RANK] = {0}, address = pn_hdf5_address(r->file, entries),
                 size = r->chunk_bytes;
        uint32_t mask = 0;
        if (size_bytes > 0) {
            size = pn_hdf5_get(entries, size_bytes);
            mask = (uint32_t)pn_hdf5_get(entries, 4);
        }
        if (entries->bad)
            return pn_hdf5_damaged(err, "the index of its numbers is cut off");
        chunk_place(r, i, offset);
        status = read_chunk(r, address, size, mask, offset, err);
    }
    return status;
}

/* A fixed array: entries one after the other, in pages once there are many, each page with a checksum. */
static pinna_status read_fixed_array(reader *r, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(r->file, r->v->address);
    bool found = pn_hdf5_signature(&b, "FAHD") && pn_hdf5_get(&b, 1) == 0;
    bool filtered = pn_hdf5_get(&b, 1) == 1;
    int entry = (int)pn_hdf5_get(&b, 1), page_bits = (int)pn_hdf5_get(&b, 1);
    uint64_t count = pn_hdf5_length(r->file, &b), data = pn_hdf5_address(r->file, &b);
    int size_bytes = filtered ? entry - r->file->offset_size - 4 : 0;
    if (!found || b.bad || size_bytes < 0 || size_bytes > 8 || page_bits < 0 || page_bits > 40 ||
        count != r->most_chunks)
        return pn_hdf5_damaged(err, "the index of its numbers is not where its header says");
    if (pn_hdf5_is_none(r->file, data))
        return PINNA_OK;
    b = pn_hdf5_at(r->file, data);
    if (!pn_hdf5_signature(&b, "FADB"))
        return pn_hdf5_damaged(err, "the index of its numbers is not where its header says");
    pn_hdf5_skip(&b, 2 + (uint64_t)r->file->offset_size);
    uint64_t page = (uint64_t)1 << page_bits;
    if (page == 0 || count <= page)
        return read_in_order(r, &b, 0, count, size_bytes, err);
    uint64_t pages = (count + page - 1) / page;
    const uint8_t *written = pn_hdf5_skip(&b, (pages + 7) / 8);
    pn_hdf5_skip(&b, 4);
    pinna_status status = PINNA_OK;
    for (uint64_t p = 0; p < pages && status == PINNA_OK && written != NULL; ++p) {
        uint64_t in_page = p + 1 < pages ? page : count - p * page;
        pn_hdf5_bytes entries = b;
        pn_hdf5_skip(&b, in_page * (uint64_t)entry + 4);
        if (written[p / 8] >> (7 - p % 8) & 1)
            status = read_in_order(r, &entries, p * page, in_page, size_bytes, err);
    }
    return status != PINNA_OK || !b.bad ? status
                                        : pn_hdf5_damaged(err, "the index of its numbers is cut off");
}

static pinna_status read_implicit(reader *r, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (uint64_t i = 0; i < r->most_chunks && status == PINNA_OK; ++i) {
        uint64_t offset[PN_HDF5_RANK] = {0};
        chunk_place(r, i, offset);
        status = read_chunk(r, r->v->address + i * r->chunk_bytes, r->chunk_bytes, 0, offset, err);
    }
    return status;
}

static pinna_status check_filters(const pn_hdf5_variable *v, pinna_error *err) {
    for (int i = 0; i < v->filters; ++i) {
        if (v->filter[i] != DEFLATE && v->filter[i] != SHUFFLE && v->filter[i] != FLETCHER32)
            return pn_fail(
                err, PINNA_BAD_FILE,
                "%s is compressed by a method that is not read (HDF5 filter %d; deflate is); rewrite the "
                "file with nccopy -d 5",
                v->name, v->filter[i]);
    }
    return PINNA_OK;
}

static pinna_status read_chunked(reader *r, uint64_t limit, pinna_error *err) {
    const pn_hdf5_variable *v = r->v;
    r->chunk_bytes = v->type.size;
    r->most_chunks = 1;
    for (int d = 0; d < v->rank; ++d) {
        if (v->chunk[d] == 0 || v->shape[d] == 0)
            return pn_hdf5_damaged(err, "a variable is cut into pieces of no size");
        r->grid[d] = (v->shape[d] + v->chunk[d] - 1) / v->chunk[d];
        r->most_chunks *= r->grid[d];
        if (r->chunk_bytes > limit / v->chunk[d])
            return pn_hdf5_damaged(err, "a variable is cut into pieces larger than the file can hold");
        r->chunk_bytes *= v->chunk[d];
    }
    r->room = r->chunk_bytes + 4 * PN_HDF5_FILTERS;
    r->chunk = pn_alloc((size_t)r->room, 1);
    r->filtered = pn_alloc((size_t)r->room, 1);
    if (r->chunk == NULL || r->filtered == NULL)
        return pn_fail_memory(err, v->name, 2.0 * (double)r->room);
    if (v->index == PN_HDF5_TREE)
        return read_tree(r, v->address, -1, err);
    if (v->index == PN_HDF5_IMPLICIT)
        return read_implicit(r, err);
    if (v->index == PN_HDF5_FIXED_ARRAY)
        return read_fixed_array(r, err);
    const uint64_t origin[PN_HDF5_RANK] = {0};
    if (v->index == PN_HDF5_SINGLE)
        return read_chunk(r, v->address, v->single_size ? v->single_size : r->chunk_bytes, v->single_mask,
                          origin, err);
    return pn_fail(
        err, PINNA_BAD_FILE,
        "%s can grow (an unlimited dimension), in a layout that is not read; rewrite the file with "
        "nccopy -u -k nc4",
        v->name);
}

static pinna_status read_all(reader *r, pinna_error *err) {
    const pn_hdf5_variable *v = r->v;
    uint64_t limit = r->file->size * INFLATES_TO + 65536, bytes = v->count * v->type.size;
    if (v->rank < 0 || v->rank > PN_HDF5_RANK || v->filters < 0 || v->filters > PN_HDF5_FILTERS)
        return pn_hdf5_damaged(err, "a variable has no proper shape");
    if ((v->type.class != PN_HDF5_INTEGER && v->type.class != PN_HDF5_FLOAT) || v->type.size < 1 ||
        v->type.size > 8)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s is not of a type that is read (integers, 32 or 64 bit floats)", v->name);
    if (bytes > limit)
        return pn_hdf5_damaged(err, "a variable has more numbers than the file can hold");
    if (v->count == 0 || (v->layout != PN_HDF5_COMPACT && pn_hdf5_is_none(r->file, v->address)))
        return PINNA_OK; /* never written: zeros */
    if (v->layout == PN_HDF5_CHUNKED) {
        pinna_status status = check_filters(v, err);
        if (status == PINNA_OK && v->rank == 0)
            status = pn_hdf5_damaged(err, "a single number is said to be cut into pieces");
        if (status == PINNA_OK)
            status = read_chunked(r, limit, err);
        pn_free(r->chunk);
        pn_free(r->filtered);
        return status;
    }
    pn_hdf5_bytes b = v->layout == PN_HDF5_COMPACT ? v->compact : pn_hdf5_at(r->file, v->address);
    const uint8_t *from = pn_hdf5_skip(&b, bytes);
    if (from == NULL)
        return pn_hdf5_damaged(err, "the numbers of a variable lie beyond its end");
    store(r, 0, from, v->count);
    return PINNA_OK;
}

void pn_hdf5_lend(pn_hdf5 *file, const char *name, const float *values, uint64_t count) {
    for (int i = 0; i < file->variable_count; ++i)
        if (strcmp(file->variables[i].name, name) == 0 && file->variables[i].count == count)
            file->variables[i].lent = values;
}

pinna_status pn_hdf5_read(const pn_hdf5 *file, const pn_hdf5_variable *variable, double *out,
                          pinna_error *err) {
    if (variable->lent != NULL) {
        for (uint64_t i = 0; i < variable->count; ++i)
            out[i] = (double)variable->lent[i];
        return PINNA_OK;
    }
    reader r = {.file = file, .v = variable, .doubles = out};
    memset(out, 0, (size_t)variable->count * sizeof *out);
    return read_all(&r, err);
}

pinna_status pn_hdf5_read_floats(const pn_hdf5 *file, const pn_hdf5_variable *variable, float *out,
                                 pinna_error *err) {
    if (variable->lent != NULL) {
        memcpy(out, variable->lent, (size_t)variable->count * sizeof *out);
        return PINNA_OK;
    }
    reader r = {.file = file, .v = variable, .floats = out};
    memset(out, 0, (size_t)variable->count * sizeof *out);
    return read_all(&r, err);
}
