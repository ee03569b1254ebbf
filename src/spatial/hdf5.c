// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* The structure of an HDF5 file: superblock, object headers, links and attributes (file format specification 3.0,
 * sections II and IV). An object header is a list of messages in one or more blocks; those that matter here say the
 * shape, the type of numbers, where they lie and through which filters (hdf5_message.c), what links a group has, which
 * attributes. */
#include "spatial/hdf5_view.h"

#include <string.h>

#include "base/memory.h"

enum { MOST_VARIABLES = 1024, MOST_ATTRIBUTES = 4096, MOST_BLOCKS = 1024, MOST_MESSAGES = 16384 };
enum { LONGEST_TEXT = 4096 };

enum {
    DATASPACE = 0x01,
    LINK_INFO = 0x02,
    DATATYPE = 0x03,
    LINK = 0x06,
    LAYOUT = 0x08,
    FILTERS = 0x0b,
    ATTRIBUTE = 0x0c,
    CONTINUATION = 0x10,
    SYMBOL_TABLE = 0x11,
    ATTRIBUTE_INFO = 0x15
};

/* ---- bytes */

uint64_t pn_hdf5_get(pn_hdf5_bytes *bytes, int size) {
    const uint8_t *from = pn_hdf5_skip(bytes, (uint64_t)size);
    uint64_t value = 0;
    for (int i = size - 1; i >= 0 && from != NULL; --i)
        value = value << 8 | from[i];
    return value;
}

const uint8_t *pn_hdf5_skip(pn_hdf5_bytes *bytes, uint64_t size) {
    if (bytes->bad || size > (uint64_t)(bytes->end - bytes->at)) {
        bytes->bad = true;
        return NULL;
    }
    const uint8_t *at = bytes->at;
    bytes->at += size;
    return at;
}

bool pn_hdf5_signature(pn_hdf5_bytes *bytes, const char *name) {
    const uint8_t *at = pn_hdf5_skip(bytes, 4);
    return at != NULL && memcmp(at, name, 4) == 0;
}

pn_hdf5_bytes pn_hdf5_at(const pn_hdf5 *file, uint64_t address) {
    if (address >= file->size)
        return (pn_hdf5_bytes){.bad = true};
    return (pn_hdf5_bytes){.at = file->data + address, .end = file->data + file->size};
}

uint64_t pn_hdf5_address(const pn_hdf5 *file, pn_hdf5_bytes *bytes) {
    return pn_hdf5_get(bytes, file->offset_size);
}

uint64_t pn_hdf5_length(const pn_hdf5 *file, pn_hdf5_bytes *bytes) {
    return pn_hdf5_get(bytes, file->length_size);
}

bool pn_hdf5_is_none(const pn_hdf5 *file, uint64_t address) {
    return address == UINT64_MAX >> (64 - 8 * file->offset_size);
}

pinna_status pn_hdf5_damaged(pinna_error *err, const char *what) {
    return pn_fail(err, PINNA_BAD_FILE, "it is damaged: %s; fetch it again", what);
}

/* ---- object headers */

typedef struct {
    const pn_hdf5 *file;
    int version;
    bool ordered; /* messages have a creation index */
    pn_hdf5_bytes block[MOST_BLOCKS];
    int blocks, at, messages;
} header;

typedef struct {
    int kind;
    bool shared;
    pn_hdf5_bytes body;
} message;

static bool open_header(header *h, const pn_hdf5 *file, uint64_t address) {
    h->file = file;
    h->blocks = h->at = h->messages = 0;
    pn_hdf5_bytes b = pn_hdf5_at(file, address);
    const uint8_t *first = b.at;
    uint64_t size;
    if (!b.bad && b.end - b.at >= 4 && memcmp(b.at, "OHDR", 4) == 0) {
        pn_hdf5_skip(&b, 4);
        h->version = (int)pn_hdf5_get(&b, 1);
        int flags = (int)pn_hdf5_get(&b, 1);
        h->ordered = (flags & 0x04) != 0;
        pn_hdf5_skip(&b, (flags & 0x20 ? 16u : 0u) + (flags & 0x10 ? 4u : 0u));
        size = pn_hdf5_get(&b, 1 << (flags & 3));
    } else {
        h->version = (int)pn_hdf5_get(&b, 1);
        pn_hdf5_skip(&b, 7);
        size = pn_hdf5_get(&b, 4);
        pn_hdf5_skip(&b, 4);
    }
    const uint8_t *start = pn_hdf5_skip(&b, size);
    if (start == NULL || h->version < 1 || h->version > 2 ||
        (h->version == 2 && !pn_hdf5_intact(first, b.at, b.end)))
        return false;
    h->block[h->blocks++] = (pn_hdf5_bytes){.at = start, .end = start + size};
    return true;
}

static bool add_block(header *h, pn_hdf5_bytes where) {
    uint64_t address = pn_hdf5_address(h->file, &where), size = pn_hdf5_length(h->file, &where);
    pn_hdf5_bytes b = pn_hdf5_at(h->file, address);
    const uint8_t *start = pn_hdf5_skip(&b, size);
    if (where.bad || start == NULL || h->blocks == MOST_BLOCKS)
        return false;
    pn_hdf5_bytes block = {.at = start, .end = start + size};
    if (h->version == 2) {
        if (size < 8 || !pn_hdf5_intact(start, block.end - 4, block.end) ||
            !pn_hdf5_signature(&block, "OCHK"))
            return false;
        block.end -= 4;
    }
    h->block[h->blocks++] = block;
    return true;
}

/* 1: a message, 0: there are no more, -1: damaged. Follows continuations. */
static int next_message(header *h, message *m) {
    for (; h->at < h->blocks; ++h->at) {
        pn_hdf5_bytes *b = &h->block[h->at];
        int head = h->version == 1 ? 8 : 4 + (h->ordered ? 2 : 0);
        while (b->end - b->at >= head) {
            int kind = (int)pn_hdf5_get(b, h->version == 1 ? 2 : 1);
            uint64_t size = pn_hdf5_get(b, 2);
            int flags = (int)pn_hdf5_get(b, 1);
            pn_hdf5_skip(b, h->version == 1 ? 3 : h->ordered ? 2 : 0);
            const uint8_t *body = pn_hdf5_skip(b, size);
            if (body == NULL || ++h->messages > MOST_MESSAGES)
                return -1;
            *m =
                (message){.kind = kind, .shared = (flags & 2) != 0, .body = {.at = body, .end = body + size}};
            if (kind != CONTINUATION)
                return 1;
            if (!add_block(h, m->body))
                return -1;
        }
    }
    return 0;
}

/* ---- attributes */

static char *copy_text(const uint8_t *from, uint64_t size) {
    size = size > LONGEST_TEXT ? LONGEST_TEXT : size;
    char *text = pn_alloc((size_t)size + 1, 1);
    if (text != NULL && size > 0)
        memcpy(text, from, strnlen((const char *)from, (size_t)size));
    return text;
}

static char *value_of(const pn_hdf5 *file, pn_hdf5_bytes b, const pn_hdf5_type *type, uint64_t count) {
    const uint8_t none = 0;
    if (type->class == PN_HDF5_STRING && count > 0) {
        uint64_t size = type->size; /* the first of several */
        const uint8_t *text = pn_hdf5_skip(&b, size);
        return text == NULL ? copy_text(&none, 0) : copy_text(text, size);
    }
    if (type->class == PN_HDF5_VARIABLE_STRING && count > 0) {
        uint64_t length = pn_hdf5_get(&b, 4), heap = pn_hdf5_address(file, &b);
        uint32_t index = (uint32_t)pn_hdf5_get(&b, 4);
        pn_hdf5_bytes text = pn_hdf5_global_object(file, heap, index);
        if (!b.bad && !text.bad && length <= (uint64_t)(text.end - text.at))
            return copy_text(text.at, length);
    }
    return copy_text(&none, 0);
}

static pinna_status add_attribute(const pn_hdf5 *file, pn_hdf5_variable *v, pn_hdf5_bytes b,
                                  pinna_error *err) {
    int version = (int)pn_hdf5_get(&b, 1), flags = (int)pn_hdf5_get(&b, 1);
    uint64_t name_size = pn_hdf5_get(&b, 2), type_size = pn_hdf5_get(&b, 2), space_size = pn_hdf5_get(&b, 2);
    uint64_t pad = version == 1 ? 7 : 0;
    if (version == 3)
        pn_hdf5_skip(&b, 1);
    const uint8_t *name = pn_hdf5_skip(&b, (name_size + pad) & ~pad);
    const uint8_t *type_at = pn_hdf5_skip(&b, (type_size + pad) & ~pad);
    const uint8_t *space_at = pn_hdf5_skip(&b, (space_size + pad) & ~pad);
    if (b.bad || version < 1 || version > 3)
        return pn_hdf5_damaged(err, "an attribute is cut off");
    pn_hdf5_type type;
    pn_hdf5_parse_type((pn_hdf5_bytes){.at = type_at, .end = type_at + type_size}, version > 1 && (flags & 1),
                       &type);
    int rank;
    uint64_t shape[PN_HDF5_RANK], count = 0;
    pn_hdf5_bytes space = {.at = space_at, .end = space_at + space_size};
    if (version > 1 && (flags & 2))
        count = 0;
    else if (!pn_hdf5_parse_space(file, space, &rank, shape, &count))
        return pn_hdf5_damaged(err, "an attribute has no shape");
    if (v->attribute_count == MOST_ATTRIBUTES)
        return pn_hdf5_damaged(err, "an object has thousands of attributes");
    int used = v->attribute_count, room = used == 0   ? 0
                                          : used < 16 ? 16
                                                      : 1 << (32 - __builtin_clz((unsigned)used - 1));
    if (used == room) {
        pn_hdf5_attribute *more =
            pn_regrow(v->attributes, (size_t)used, used ? 2 * (size_t)used : 16, sizeof *more);
        if (more == NULL)
            return pn_fail_memory(err, "the attributes", used * 32.0);
        v->attributes = more;
    }
    pn_hdf5_attribute *a = &v->attributes[v->attribute_count++];
    a->name = copy_text(name, name_size);
    a->text = value_of(file, b, &type, count);
    return a->name == NULL || a->text == NULL ? pn_fail_memory(err, "the attributes", 1e3) : PINNA_OK;
}

typedef struct {
    pn_hdf5 *file;
    pn_hdf5_variable *variable;
} place;

static pinna_status visit_attribute(void *user, pn_hdf5_bytes object, pinna_error *err) {
    const place *p = user;
    return add_attribute(p->file, p->variable, object, err);
}

static pinna_status dense_attributes(pn_hdf5 *file, pn_hdf5_variable *v, pn_hdf5_bytes b, pinna_error *err) {
    pn_hdf5_skip(&b, 1);
    int flags = (int)pn_hdf5_get(&b, 1);
    if (flags & 1)
        pn_hdf5_skip(&b, 2);
    uint64_t heap = pn_hdf5_address(file, &b), tree = pn_hdf5_address(file, &b);
    if (b.bad)
        return pn_hdf5_damaged(err, "the list of attributes is cut off");
    place p = {file, v};
    return pn_hdf5_is_none(file, heap) ? PINNA_OK
                                       : pn_hdf5_each_dense(file, heap, tree, 0, visit_attribute, &p, err);
}

/* ---- variables */

static void clear_variable(pn_hdf5_variable *v) {
    for (int i = 0; i < v->attribute_count; ++i) {
        pn_free(v->attributes[i].name);
        pn_free(v->attributes[i].text);
    }
    pn_free(v->attributes);
    pn_free(v->name);
    memset(v, 0, sizeof *v);
}

static pinna_status take_message(pn_hdf5 *file, pn_hdf5_variable *v, const message *m, pinna_error *err) {
    if (m->kind == DATASPACE &&
        (m->shared || !pn_hdf5_parse_space(file, m->body, &v->rank, v->shape, &v->count)))
        return pn_hdf5_damaged(err, "a variable has no shape");
    if (m->kind == DATATYPE)
        pn_hdf5_parse_type(m->body, m->shared, &v->type);
    if (m->kind == FILTERS && (m->shared || !pn_hdf5_parse_filters(m->body, v)))
        return pn_hdf5_damaged(err, "a variable has no proper list of filters");
    if (m->kind == ATTRIBUTE && !m->shared)
        return add_attribute(file, v, m->body, err);
    if (m->kind == ATTRIBUTE_INFO)
        return dense_attributes(file, v, m->body, err);
    return PINNA_OK;
}

/* The object at an address: what it says of itself as a variable (or of a group's attributes). The layout is read
 * last: it needs the shape. */
static pinna_status read_object(pn_hdf5 *file, header *h, uint64_t address, pn_hdf5_variable *v,
                                pinna_error *err) {
    message m, layout = {.kind = 0};
    if (!open_header(h, file, address))
        return pn_hdf5_damaged(err, "an object is not where its link says, or does not match its checksum");
    v->layout = PN_HDF5_NO_LAYOUT;
    int more;
    while ((more = next_message(h, &m)) == 1) {
        pinna_status status = take_message(file, v, &m, err);
        if (status != PINNA_OK)
            return status;
        if (m.kind == LAYOUT)
            layout = m;
    }
    if (more < 0 || (layout.kind == LAYOUT && !pn_hdf5_parse_layout(file, layout.body, v)))
        return pn_hdf5_damaged(err, "an object's description is cut off");
    return PINNA_OK;
}

/* A group inside the root has no layout and is left out; a variable twice keeps its first. */
static pinna_status add_variable(pn_hdf5 *file, const uint8_t *name, size_t size, uint64_t address,
                                 pinna_error *err) {
    if (file->variable_count == MOST_VARIABLES)
        return pn_hdf5_damaged(err, "it has thousands of variables");
    header *h = pn_alloc(1, sizeof *h);
    pn_hdf5_variable v = {.name = copy_text(name, size)};
    pinna_status status = h == NULL || v.name == NULL ? pn_fail_memory(err, "a variable", sizeof *h)
                                                      : read_object(file, h, address, &v, err);
    pn_free(h);
    if (status == PINNA_OK && v.layout != PN_HDF5_NO_LAYOUT && pn_hdf5_find(file, v.name) == NULL) {
        file->variables[file->variable_count++] = v;
        return PINNA_OK;
    }
    clear_variable(&v);
    return status;
}

static pinna_status add_link(pn_hdf5 *file, pn_hdf5_bytes b, pinna_error *err) {
    int version = (int)pn_hdf5_get(&b, 1), flags = (int)pn_hdf5_get(&b, 1);
    int type = flags & 8 ? (int)pn_hdf5_get(&b, 1) : 0;
    pn_hdf5_skip(&b, (flags & 4 ? 8u : 0u) + (flags & 16 ? 1u : 0u));
    uint64_t size = pn_hdf5_get(&b, 1 << (flags & 3));
    const uint8_t *name = pn_hdf5_skip(&b, size);
    uint64_t address = type == 0 ? pn_hdf5_address(file, &b) : 0;
    if (b.bad || version != 1)
        return pn_hdf5_damaged(err, "a link of the root group is cut off");
    return type == 0 ? add_variable(file, name, (size_t)size, address, err) : PINNA_OK;
}

static pinna_status visit_link(void *user, pn_hdf5_bytes object, pinna_error *err) {
    return add_link(user, object, err);
}

static pinna_status visit_entry(void *user, const char *name, size_t size, uint64_t address,
                                pinna_error *err) {
    return add_variable(user, (const uint8_t *)name, size, address, err);
}

static pinna_status take_group_message(pn_hdf5 *file, message *m, pinna_error *err) {
    pn_hdf5_bytes *b = &m->body;
    if (m->kind == LINK)
        return add_link(file, *b, err);
    if (m->kind == SYMBOL_TABLE) {
        uint64_t tree = pn_hdf5_address(file, b), heap = pn_hdf5_address(file, b);
        return b->bad ? pn_hdf5_damaged(err, "the root group is cut off")
                      : pn_hdf5_each_entry(file, tree, heap, visit_entry, file, err);
    }
    if (m->kind != LINK_INFO)
        return PINNA_OK;
    pn_hdf5_skip(b, 1);
    pn_hdf5_skip(b, pn_hdf5_get(b, 1) & 1 ? 8 : 0);
    uint64_t heap = pn_hdf5_address(file, b), tree = pn_hdf5_address(file, b);
    if (b->bad)
        return pn_hdf5_damaged(err, "the root group is cut off");
    return pn_hdf5_is_none(file, heap) ? PINNA_OK
                                       : pn_hdf5_each_dense(file, heap, tree, 4, visit_link, file, err);
}

static pinna_status read_root(pn_hdf5 *file, header *h, uint64_t address, pinna_error *err) {
    message m;
    pinna_status status = read_object(file, h, address, &file->root, err);
    if (status == PINNA_OK && !open_header(h, file, address))
        status = pn_hdf5_damaged(err, "it has no root group");
    while (status == PINNA_OK && next_message(h, &m) == 1)
        status = take_group_message(file, &m, err);
    return status;
}

/* ---- the file */

static pinna_status not_hdf5(const uint8_t *bytes, size_t size, pinna_error *err) {
    if (size == 0)
        return pn_fail(err, PINNA_BAD_FILE, "it is empty");
    if (size >= 3 && memcmp(bytes, "CDF", 3) == 0)
        return pn_fail(err, PINNA_BAD_FILE,
                       "it is a netCDF 3 file; SOFA is netCDF 4 (HDF5): convert it with nccopy -k nc4");
    char begins[25] = "";
    for (size_t i = 0; i < size && i < sizeof begins - 1; ++i)
        begins[i] = bytes[i] >= 32 && bytes[i] < 127 ? (char)bytes[i] : '.';
    return pn_fail(err, PINNA_BAD_FILE, "it is no SOFA file: SOFA is HDF5, this begins with \"%s\"%s", begins,
                   size < 1024 ? "; a link or pointer in place of the file? fetch the file itself" : "");
}

static pinna_status read_superblock(pn_hdf5 *file, uint64_t *root, pinna_error *err) {
    pn_hdf5_bytes b = pn_hdf5_at(file, 8);
    int version = (int)pn_hdf5_get(&b, 1);
    if (version < 2)
        pn_hdf5_skip(&b, 4);
    file->offset_size = (int)pn_hdf5_get(&b, 1);
    file->length_size = (int)pn_hdf5_get(&b, 1);
    pn_hdf5_skip(&b, version < 2 ? 9 + (version == 1 ? 4u : 0u) : 1);
    if (b.bad)
        return pn_fail(err, PINNA_BAD_FILE, "it is cut off after %llu bytes; fetch it again",
                       (unsigned long long)file->size);
    if (version > 3 || (file->offset_size != 4 && file->offset_size != 8) ||
        (file->length_size != 4 && file->length_size != 8))
        return pn_fail(err, PINNA_BAD_FILE,
                       "it is HDF5 of a kind that is not read (superblock %d); rewrite it with nccopy -k nc4",
                       version);
    pn_hdf5_address(file, &b);
    pn_hdf5_address(file, &b);
    uint64_t end = pn_hdf5_address(file, &b);
    pn_hdf5_skip(&b, version < 2 ? 2 * (uint64_t)file->offset_size : 0);
    *root = pn_hdf5_address(file, &b);
    if (b.bad)
        return pn_fail(err, PINNA_BAD_FILE, "it is cut off after %llu bytes; fetch it again",
                       (unsigned long long)file->size);
    if (version >= 2 && !pn_hdf5_intact(file->data, b.at, b.end))
        return pn_hdf5_damaged(err, "its first bytes do not match their checksum");
    if (end > file->size)
        return pn_fail(err, PINNA_BAD_FILE,
                       "it is damaged or cut off: it should have %llu bytes and has %llu; fetch it again",
                       (unsigned long long)end, (unsigned long long)file->size);
    return PINNA_OK;
}

/* The signature stands at 0, or after a user's block of 512, 1024, .. bytes. */
static bool find_start(const uint8_t *data, size_t size, size_t *start) {
    for (*start = 0; *start < size && size - *start >= 8; *start = *start ? 2 * *start : 512) {
        if (memcmp(data + *start, "\x89HDF\r\n\x1a\n", 8) == 0)
            return true;
    }
    return false;
}

pinna_status pn_hdf5_open(const void *data, size_t size, pn_hdf5 **file, pinna_error *err) {
    *file = NULL;
    size_t start;
    if (!find_start(data, size, &start))
        return not_hdf5(data, size, err);
    pn_hdf5 *f = pn_alloc(1, sizeof *f);
    header *h = pn_alloc(1, sizeof *h);
    uint64_t root = 0;
    pinna_status status = PINNA_OK;
    if (f != NULL) {
        f->data = (const uint8_t *)data + start;
        f->size = size - start;
        f->variables = pn_alloc(MOST_VARIABLES, sizeof *f->variables);
    }
    if (f == NULL || h == NULL || f->variables == NULL)
        status =
            pn_fail_memory(err, "reading the HRTF set", sizeof *h + MOST_VARIABLES * sizeof *f->variables);
    if (status == PINNA_OK)
        status = read_superblock(f, &root, err);
    if (status == PINNA_OK)
        status = read_root(f, h, root, err);
    pn_free(h);
    if (status == PINNA_OK)
        *file = f;
    else
        pn_hdf5_free(f);
    return status;
}

void pn_hdf5_free(pn_hdf5 *file) {
    if (file == NULL)
        return;
    for (int i = 0; i < file->variable_count; ++i)
        clear_variable(&file->variables[i]);
    clear_variable(&file->root);
    pn_free(file->variables);
    pn_free(file);
}

const pn_hdf5_variable *pn_hdf5_find(const pn_hdf5 *file, const char *name) {
    for (int i = 0; i < file->variable_count; ++i) {
        if (strcmp(file->variables[i].name, name) == 0)
            return &file->variables[i];
    }
    return NULL;
}

int pn_hdf5_shape(const pn_hdf5_variable *variable, uint64_t *shape) {
    if (shape != NULL)
        memcpy(shape, variable->shape, sizeof variable->shape);
    return variable->rank;
}

uint64_t pn_hdf5_count(const pn_hdf5_variable *variable) {
    return variable == NULL ? 0 : variable->count;
}

const char *pn_hdf5_text(const pn_hdf5 *file, const pn_hdf5_variable *variable, const char *name) {
    const pn_hdf5_variable *v = variable == NULL ? &file->root : variable;
    for (int i = 0; i < v->attribute_count; ++i) {
        if (strcmp(v->attributes[i].name, name) == 0)
            return v->attributes[i].text;
    }
    return NULL;
}
