// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Where HDF5 keeps what does not fit into an object's header (file format specification 3.0, sections III.A to III.G).
 *
 * Old groups: a version 1 B-tree whose leaves are symbol table nodes; names stand in a local heap. New groups with many
 * links, objects with many attributes: a fractal heap holds the messages, a version 2 B-tree lists their identifiers.
 * A fractal heap is one space of bytes, cut into blocks: rows of `width` blocks, the first two rows of the starting
 * size, every further row of twice the one before; blocks above the largest direct size are again tables of blocks. */
#include "spatial/hdf5_view.h"

#include <string.h>

enum { DEEPEST = 16, MOST_VISITS = 8192 };

/* ---- checksums */

static uint32_t turn(uint32_t x, int by) {
    return x << by | x >> (32 - by);
}

/* Jenkins' lookup3 (2006), as the format prescribes. */
static uint32_t checksum(const uint8_t *k, uint64_t length) {
    uint32_t a = 0xdeadbeef + (uint32_t)length, b = a, c = a;
    for (uint64_t left = length; left > 0;) {
        uint32_t word[3] = {0};
        uint64_t take = left < 12 ? left : 12;
        for (uint64_t i = 0; i < take; ++i)
            word[i / 4] |= (uint32_t)k[i] << (8 * (i % 4));
        k += take;
        left -= take;
        a += word[0];
        b += word[1];
        c += word[2];
        if (left > 0) {
            a = (a - c) ^ turn(c, 4), c += b;
            b = (b - a) ^ turn(a, 6), a += c;
            c = (c - b) ^ turn(b, 8), b += a;
            a = (a - c) ^ turn(c, 16), c += b;
            b = (b - a) ^ turn(a, 19), a += c;
            c = (c - b) ^ turn(b, 4), b += a;
        } else {
            c = (c ^ b) - turn(b, 14);
            a = (a ^ c) - turn(c, 11);
            b = (b ^ a) - turn(a, 25);
            c = (c ^ b) - turn(b, 16);
            a = (a ^ c) - turn(c, 4);
            b = (b ^ a) - turn(a, 14);
            c = (c ^ b) - turn(b, 24);
        }
    }
    return c;
}

bool pn_hdf5_intact(const uint8_t *from, const uint8_t *to, const uint8_t *end) {
    pn_hdf5_bytes stored = {.at = to, .end = end};
    return from <= to && to <= end && checksum(from, (uint64_t)(to - from)) == pn_hdf5_get(&stored, 4);
}

/* ---- local heap, symbol tables */

typedef struct {
    const pn_hdf5 *file;
    pn_hdf5_bytes names;
    pn_hdf5_visit_entry visit;
    void *user;
    int visits;
} group_walk;

static pinna_status visit_symbols(group_walk *w, uint64_t address, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(w->file, address);
    if (!pn_hdf5_signature(&b, "SNOD"))
        return pn_hdf5_damaged(err, "a table of names is not where the group says");
    pn_hdf5_skip(&b, 2);
    int count = (int)pn_hdf5_get(&b, 2);
    pinna_status status = PINNA_OK;
    for (int i = 0; i < count && status == PINNA_OK; ++i) {
        uint64_t name = pn_hdf5_address(w->file, &b), header = pn_hdf5_address(w->file, &b);
        pn_hdf5_skip(&b, 24);
        size_t room = (size_t)(w->names.end - w->names.at);
        if (b.bad || name >= room || ++w->visits > MOST_VISITS)
            return pn_hdf5_damaged(err, "a table of names is cut off");
        const char *text = (const char *)w->names.at + name;
        status = w->visit(w->user, text, strnlen(text, room - (size_t)name), header, err);
    }
    return status;
}

static pinna_status visit_group_node(group_walk *w, uint64_t address, int level, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(w->file, address);
    bool tree = pn_hdf5_signature(&b, "TREE") && pn_hdf5_get(&b, 1) == 0;
    int here = (int)pn_hdf5_get(&b, 1), count = (int)pn_hdf5_get(&b, 2);
    if (!tree || b.bad || (level >= 0 && here != level) || here > DEEPEST || ++w->visits > MOST_VISITS)
        return pn_hdf5_damaged(err, "a group's index is not where its header says");
    pn_hdf5_address(w->file, &b);
    pn_hdf5_address(w->file, &b);
    pinna_status status = PINNA_OK;
    for (int i = 0; i < count && status == PINNA_OK; ++i) {
        pn_hdf5_length(w->file, &b);
        uint64_t child = pn_hdf5_address(w->file, &b);
        if (b.bad)
            return pn_hdf5_damaged(err, "a group's index is cut off");
        status = here > 0 ? visit_group_node(w, child, here - 1, err) : visit_symbols(w, child, err);
    }
    return status;
}

pinna_status pn_hdf5_each_entry(const pn_hdf5 *file, uint64_t tree, uint64_t heap, pn_hdf5_visit_entry visit,
                                void *user, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(file, heap);
    bool found = pn_hdf5_signature(&b, "HEAP");
    pn_hdf5_skip(&b, 4);
    uint64_t size = pn_hdf5_length(file, &b);
    pn_hdf5_length(file, &b);
    group_walk w = {.file = file, .visit = visit, .user = user};
    w.names = pn_hdf5_at(file, pn_hdf5_address(file, &b));
    if (!found || b.bad || w.names.bad || size > (uint64_t)(w.names.end - w.names.at))
        return pn_hdf5_damaged(err, "the names of a group are not where its header says");
    w.names.end = w.names.at + size;
    return visit_group_node(&w, tree, -1, err);
}

/* ---- global heap */

pn_hdf5_bytes pn_hdf5_global_object(const pn_hdf5 *file, uint64_t collection, uint32_t index) {
    const pn_hdf5_bytes none = {.bad = true};
    pn_hdf5_bytes b = pn_hdf5_at(file, collection);
    const uint8_t *start = b.at;
    if (!pn_hdf5_signature(&b, "GCOL"))
        return none;
    pn_hdf5_skip(&b, 4);
    uint64_t size = pn_hdf5_length(file, &b);
    if (b.bad || size > (uint64_t)(b.end - start))
        return none;
    b.end = start + size;
    if (b.at > b.end)
        return none;
    while (!b.bad) {
        uint32_t number = (uint32_t)pn_hdf5_get(&b, 2);
        pn_hdf5_skip(&b, 6);
        uint64_t length = pn_hdf5_length(file, &b);
        const uint8_t *object = pn_hdf5_skip(&b, length);
        if (object == NULL || number == 0)
            return none;
        if (number == index)
            return (pn_hdf5_bytes){.at = object, .end = object + length};
        pn_hdf5_skip(&b, -length & 7);
    }
    return none;
}

/* ---- fractal heap */

typedef struct {
    const pn_hdf5 *file;
    int id_size, width, offset_bytes, length_bytes, max_bits, rows;
    uint64_t start, most_direct, root;
} fractal_heap;

static int bytes_for(uint64_t value) {
    int bytes = 1;
    while (bytes < 8 && value >> (8 * bytes) != 0)
        ++bytes;
    return bytes;
}

static bool is_power_of_two(uint64_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

static int log_of(uint64_t power_of_two) {
    int log = 0;
    while (power_of_two >> log > 1)
        ++log;
    return log;
}

static pinna_status open_heap(const pn_hdf5 *file, uint64_t address, fractal_heap *h, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(file, address);
    const uint8_t *start = b.at;
    *h = (fractal_heap){.file = file};
    bool found = pn_hdf5_signature(&b, "FRHP") && pn_hdf5_get(&b, 1) == 0;
    h->id_size = (int)pn_hdf5_get(&b, 2);
    int filters = (int)pn_hdf5_get(&b, 2);
    pn_hdf5_skip(&b, 1);
    uint64_t most_managed = pn_hdf5_get(&b, 4);
    for (int i = 0; i < 12; ++i)
        pn_hdf5_skip(&b, (uint64_t)(i == 1 || i == 3 ? file->offset_size : file->length_size));
    h->width = (int)pn_hdf5_get(&b, 2);
    h->start = pn_hdf5_length(file, &b);
    h->most_direct = pn_hdf5_length(file, &b);
    h->max_bits = (int)pn_hdf5_get(&b, 2);
    pn_hdf5_skip(&b, 2);
    h->root = pn_hdf5_address(file, &b);
    h->rows = (int)pn_hdf5_get(&b, 2);
    bool intact = filters != 0 || (!b.bad && pn_hdf5_intact(start, b.at, b.end));
    h->offset_bytes = (h->max_bits + 7) / 8;
    h->length_bytes = bytes_for(h->most_direct < most_managed ? h->most_direct : most_managed);
    if (!found || b.bad || !intact || h->max_bits > 64 || h->rows > 64 || h->width < 1 ||
        !is_power_of_two(h->start) || !is_power_of_two(h->most_direct) ||
        !is_power_of_two((uint64_t)h->width) || h->start >> 32 != 0)
        return pn_hdf5_damaged(err, "a heap of names or attributes is not where its header says");
    if (filters != 0)
        return pn_fail(err, PINNA_BAD_FILE, "its names or attributes are compressed, which is not read; %s",
                       "rewrite it with nccopy -k nc4");
    return PINNA_OK;
}

/* The bytes at an offset of the heap's space, in the block at `address` that begins at `base`. */
static pn_hdf5_bytes in_block(const fractal_heap *h, uint64_t address, int rows, uint64_t base,
                              uint64_t offset, uint64_t size, int depth) {
    const pn_hdf5_bytes none = {.bad = true};
    pn_hdf5_bytes b = pn_hdf5_at(h->file, address);
    if (rows == 0) {
        const uint8_t *start = b.at;
        if (!pn_hdf5_signature(&b, "FHDB") || offset - base > (uint64_t)(b.end - start))
            return none;
        b.at = start + (offset - base);
        b.end = b.end - b.at > (ptrdiff_t)size ? b.at + size : b.end;
        return b;
    }
    if (!pn_hdf5_signature(&b, "FHIB") || depth > DEEPEST)
        return none;
    pn_hdf5_skip(&b, (uint64_t)(1 + h->file->offset_size + h->offset_bytes));
    for (int row = 0; row < rows; ++row) {
        int shift = row > 1 ? row - 1 : 0;
        if (shift > 31)
            return none;
        uint64_t block = h->start << shift;
        for (int i = 0; i < h->width && !b.bad; ++i, base += block) {
            uint64_t child = pn_hdf5_address(h->file, &b);
            if (offset < base || offset - base >= block)
                continue;
            int below =
                block <= h->most_direct ? 0 : log_of(block) - log_of(h->start * (uint64_t)h->width) + 1;
            return below < 0 ? none : in_block(h, child, below, base, offset, size, depth + 1);
        }
    }
    return none;
}

/* bad: an object that is kept elsewhere (longer than a heap takes), or damage. */
static pn_hdf5_bytes heap_object(const fractal_heap *h, pn_hdf5_bytes id, bool *elsewhere) {
    int head = (int)pn_hdf5_get(&id, 1), kind = head >> 4 & 3;
    *elsewhere = kind == 1;
    if (kind == 2) { /* the identifier holds it */
        pn_hdf5_bytes tiny = {.at = id.at, .end = id.at};
        tiny.bad = pn_hdf5_skip(&id, (uint64_t)(head & 15) + 1) == NULL;
        tiny.end = tiny.bad ? tiny.at : tiny.at + (head & 15) + 1;
        return tiny;
    }
    uint64_t offset = pn_hdf5_get(&id, h->offset_bytes > 8 ? 8 : h->offset_bytes);
    uint64_t size = pn_hdf5_get(&id, h->length_bytes);
    if (kind != 0 || id.bad)
        return (pn_hdf5_bytes){.bad = true};
    return in_block(h, h->root, h->rows, 0, offset, size, 0);
}

/* ---- version 2 B-tree */

typedef struct {
    const pn_hdf5 *file;
    fractal_heap heap;
    uint32_t node_size, record_size;
    int depth, id_at, visits;
    int count_bytes, total_bytes[DEEPEST + 1]; /* of a child's record count; of all below it, by its depth */
    pn_hdf5_visit visit;
    void *user;
} dense_walk;

static pinna_status visit_record(dense_walk *w, const uint8_t *record, pinna_error *err) {
    pn_hdf5_bytes id = {.at = record + w->id_at, .end = record + w->record_size};
    if ((uint64_t)(id.end - id.at) > (uint64_t)w->heap.id_size)
        id.end = id.at + w->heap.id_size;
    bool elsewhere;
    pn_hdf5_bytes object = heap_object(&w->heap, id, &elsewhere);
    if (elsewhere) /* a text of tens of kilobytes: a history, not something that is needed */
        return PINNA_OK;
    return object.bad ? pn_hdf5_damaged(err, "a name or attribute is not where its index says")
                      : w->visit(w->user, object, err);
}

static pinna_status visit_node(dense_walk *w, uint64_t address, uint64_t records, int depth,
                               pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(w->file, address);
    bool found = pn_hdf5_signature(&b, depth > 0 ? "BTIN" : "BTLF");
    pn_hdf5_skip(&b, 2);
    const uint8_t *record = pn_hdf5_skip(&b, records * w->record_size);
    if (!found || record == NULL || records > w->node_size || ++w->visits > MOST_VISITS)
        return pn_hdf5_damaged(err, "an index of names or attributes is not where its header says");
    pinna_status status = PINNA_OK;
    for (uint64_t i = 0; i < records && status == PINNA_OK; ++i) {
        if (++w->visits > MOST_VISITS)
            return pn_hdf5_damaged(err, "an index of names or attributes has no end");
        status = visit_record(w, record + i * w->record_size, err);
    }
    for (uint64_t i = 0; i <= records && depth > 0 && status == PINNA_OK; ++i) {
        uint64_t child = pn_hdf5_address(w->file, &b), count = pn_hdf5_get(&b, w->count_bytes);
        if (depth > 1)
            pn_hdf5_get(&b, w->total_bytes[depth - 1]);
        status = b.bad ? pn_hdf5_damaged(err, "an index of names or attributes is cut off")
                       : visit_node(w, child, count, depth - 1, err);
    }
    return status;
}

/* How many bytes the counts in the pointers of inner nodes take: enough for the most that can be below. */
static void size_counts(dense_walk *w) {
    uint64_t most = (w->node_size - 10) / w->record_size, all = most;
    w->count_bytes = bytes_for(most);
    for (int depth = 1; depth <= w->depth; ++depth) {
        uint64_t pointer = (uint64_t)(w->file->offset_size + w->count_bytes + w->total_bytes[depth - 1]);
        uint64_t here = (w->node_size - 10 - pointer) / (w->record_size + pointer);
        all = all >> 32 ? UINT64_MAX : (here + 1) * all + here;
        w->total_bytes[depth] = bytes_for(all);
    }
}

pinna_status pn_hdf5_each_dense(const pn_hdf5 *file, uint64_t heap, uint64_t tree, int id_at,
                                pn_hdf5_visit visit, void *user, pinna_error *err) {
    dense_walk w = {.file = file, .id_at = id_at, .visit = visit, .user = user};
    pinna_status status = open_heap(file, heap, &w.heap, err);
    if (status != PINNA_OK)
        return status;
    pn_hdf5_bytes b = pn_hdf5_at(file, tree);
    const uint8_t *start = b.at;
    bool found = pn_hdf5_signature(&b, "BTHD");
    pn_hdf5_skip(&b, 2);
    w.node_size = (uint32_t)pn_hdf5_get(&b, 4);
    w.record_size = (uint32_t)pn_hdf5_get(&b, 2);
    w.depth = (int)pn_hdf5_get(&b, 2);
    pn_hdf5_skip(&b, 2);
    uint64_t root = pn_hdf5_address(file, &b), records = pn_hdf5_get(&b, 2);
    pn_hdf5_length(file, &b);
    if (!found || b.bad || !pn_hdf5_intact(start, b.at, b.end) || w.record_size <= (uint32_t)id_at ||
        w.node_size < 64 || w.node_size < w.record_size + 10 || w.depth > DEEPEST)
        return pn_hdf5_damaged(err, "an index of names or attributes is not where its header says");
    size_counts(&w);
    return records == 0 ? PINNA_OK : visit_node(&w, root, records, w.depth, err);
}
