// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/tree.h"

#include <libfyaml.h>
#include <string.h>

#include "base/memory.h"
#include "scene/words.h"

enum { CHUNK_BYTES = 64 << 10 };

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
} chunk;

struct pn_tree {
    chunk *chunks; /* the one being filled first */
};

typedef struct {
    pn_tree *tree;
    const char *name;
    pinna_error *err;
    struct fy_parser *parser;
    struct fy_diag *diag;
    pn_node *open[PN_TREE_DEPTH]; /* lists and maps around the next event, outermost first */
    pn_node *last[PN_TREE_DEPTH]; /* last entry of each */
    pn_node *key[PN_TREE_DEPTH];  /* key that waits for its value */
    int depth;
    size_t nodes;
    int documents;
    pn_node *root;
} builder;

static void *take(pn_tree *tree, size_t size) {
    size = (size + 15) & ~(size_t)15;
    chunk *top = tree->chunks;
    if (top == NULL || top->size - top->used < size) {
        size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        top = pn_alloc(1, sizeof *top + room);
        if (top == NULL)
            return NULL;
        top->size = room;
        top->next = tree->chunks;
        tree->chunks = top;
    }
    void *memory = top->bytes + top->used;
    top->used += size;
    return memory;
}

void pn_tree_free(pn_tree *tree) {
    if (tree == NULL)
        return;
    while (tree->chunks != NULL) {
        chunk *next = tree->chunks->next;
        pn_free(tree->chunks);
        tree->chunks = next;
    }
    pn_free(tree);
}

static pinna_status fail_at(const builder *b, pn_mark mark, const char *what) {
    return pn_fail(b->err, PINNA_BAD_SCENE, "%s:%d:%d: %s", b->name, mark.line, mark.column, what);
}

/* Place of the first byte that is no character of a text file; {0, 0} when all are. Overlong forms,
 * surrogates and code points past U+10FFFF count as broken. */
static pn_mark find_bad_byte(const unsigned char *text, size_t size) {
    pn_mark mark = {1, 1};
    for (size_t i = 0; i < size; ++mark.column) {
        unsigned c = text[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 3;
        if (c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x80 && c < 0xc2) ||
            c > 0xf4)
            return mark;
        if (more > size - i - 1)
            return mark;
        for (size_t k = 1; k <= more; ++k)
            if ((text[i + k] & 0xc0) != 0x80)
                return mark;
        if ((c == 0xe0 && text[i + 1] < 0xa0) || (c == 0xed && text[i + 1] > 0x9f) ||
            (c == 0xf0 && text[i + 1] < 0x90) || (c == 0xf4 && text[i + 1] > 0x8f))
            return mark;
        i += more + 1;
        if (c == '\n')
            mark = (pn_mark){mark.line + 1, 0};
    }
    return (pn_mark){0, 0};
}

/* Where an event is; quoted scalars' marks come without the quote, values left out with none: there the key's. */
static pn_mark mark_of(struct fy_event *event, const builder *b) {
    const struct fy_mark *found = fy_event_start_mark(event);
    int level = b->depth - 1;
    if (found == NULL)
        return level < 0                ? (pn_mark){1, 1}
               : b->key[level] != NULL  ? b->key[level]->mark
               : b->last[level] != NULL ? b->last[level]->mark
                                        : b->open[level]->mark;
    pn_mark mark = {found->line + 1, found->column + 1};
    if (event->type == FYET_SCALAR && event->scalar.value != NULL) {
        enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
        if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && mark.column > 1)
            mark.column -= 1;
    }
    return mark;
}

static pinna_status fill_scalar(builder *b, pn_node *node, struct fy_event *event) {
    struct fy_token *token = event->scalar.value;
    size_t length = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : "";
    if (text == NULL)
        return pn_fail_memory(b->err, "the scene's text", 0);
    if (memchr(text, '\0', length) != NULL)
        return fail_at(b, node->mark, "a NUL character in the text");
    char *copy = take(b->tree, length + 1);
    if (copy == NULL)
        return pn_fail_memory(b->err, "the scene's text", (double)length);
    memcpy(copy, text, length);
    node->text = copy;
    node->plain = token == NULL || fy_token_scalar_style(token) == FYSS_PLAIN;
    return PINNA_OK;
}

static pinna_status add_key(builder *b, pn_node *map, pn_node *node) {
    if (node->kind != PN_NODE_SCALAR)
        return fail_at(b, node->mark, "a key must be a word, not a list or a map");
    if (node->plain && strcmp(node->text, "<<") == 0)
        return fail_at(b, node->mark, "merge keys '<<' are not part of the scene format; write the keys out");
    for (const pn_node *other = map->first; other != NULL; other = other->next) {
        if (strcmp(other->text, node->text) != 0)
            continue;
        char word[PN_WORD_TEXT];
        return pn_fail(b->err, PINNA_BAD_SCENE,
                       "%s:%d:%d: duplicate key '%s'; it is already given in line %d", b->name,
                       node->mark.line, node->mark.column, pn_excerpt(node->text, word), other->mark.line);
    }
    if (map->count >= PN_TREE_KEYS)
        return fail_at(b, node->mark, "too many keys in one map (256 at most)");
    return PINNA_OK;
}

/* Puts a node into what is open around it. */
static pinna_status attach(builder *b, pn_node *node) {
    if (b->depth == 0) {
        b->root = node;
        return PINNA_OK;
    }
    int level = b->depth - 1;
    pn_node *parent = b->open[level];
    if (parent->kind == PN_NODE_MAP && b->key[level] != NULL) {
        b->key[level]->value = node;
        b->key[level] = NULL;
        return PINNA_OK;
    }
    if (parent->kind == PN_NODE_MAP) {
        pinna_status status = add_key(b, parent, node);
        if (status != PINNA_OK)
            return status;
        b->key[level] = node;
    }
    if (b->last[level] != NULL)
        b->last[level]->next = node;
    else
        parent->first = node;
    b->last[level] = node;
    parent->count += 1;
    return PINNA_OK;
}

static pinna_status check_plain_yaml(builder *b, pn_mark mark, struct fy_token *anchor,
                                     struct fy_token *tag) {
    if (anchor != NULL)
        return fail_at(b, mark, "anchors (&name) are not part of the scene format; write the value out");
    if (tag != NULL)
        return fail_at(b, mark, "tags (!name) are not part of the scene format; leave the tag out");
    return PINNA_OK;
}

static pinna_status add_node(builder *b, struct fy_event *event, pn_node_kind kind) {
    pn_mark mark = mark_of(event, b);
    pinna_status status =
        kind == PN_NODE_SCALAR ? check_plain_yaml(b, mark, event->scalar.anchor, event->scalar.tag)
        : kind == PN_NODE_LIST
            ? check_plain_yaml(b, mark, event->sequence_start.anchor, event->sequence_start.tag)
            : check_plain_yaml(b, mark, event->mapping_start.anchor, event->mapping_start.tag);
    if (status != PINNA_OK)
        return status;
    if (++b->nodes > PN_TREE_NODES)
        return fail_at(b, mark, "too many values in one scene (2 million at most)");
    if (kind != PN_NODE_SCALAR && b->depth >= PN_TREE_DEPTH)
        return fail_at(b, mark, "lists and maps are nested too deeply (16 levels at most)");
    pn_node *node = take(b->tree, sizeof *node);
    if (node == NULL)
        return pn_fail_memory(b->err, "the scene's text", sizeof *node);
    node->kind = kind;
    node->mark = mark;
    if (kind == PN_NODE_SCALAR)
        status = fill_scalar(b, node, event);
    if (status == PINNA_OK)
        status = attach(b, node);
    if (status != PINNA_OK || kind == PN_NODE_SCALAR)
        return status;
    b->open[b->depth] = node;
    b->last[b->depth] = b->key[b->depth] = NULL;
    b->depth += 1;
    return PINNA_OK;
}

static pinna_status start_document(builder *b, struct fy_event *event) {
    struct fy_token *token = event->document_start.document_start;
    const struct fy_mark *found = token != NULL ? fy_token_start_mark(token) : NULL;
    pn_mark mark = found != NULL ? (pn_mark){found->line + 1, found->column + 1} : (pn_mark){1, 1};
    if (++b->documents > 1)
        return fail_at(b, mark, "a second document ('---'); a scene file holds one");
    return PINNA_OK;
}

static pinna_status take_event(builder *b, struct fy_event *event) {
    switch (event->type) {
    case FYET_SCALAR:
        return add_node(b, event, PN_NODE_SCALAR);
    case FYET_SEQUENCE_START:
        return add_node(b, event, PN_NODE_LIST);
    case FYET_MAPPING_START:
        return add_node(b, event, PN_NODE_MAP);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        b->depth -= b->depth > 0;
        return PINNA_OK;
    case FYET_ALIAS:
        return fail_at(b, mark_of(event, b),
                       "aliases (*name) are not part of the scene format; write the value out");
    case FYET_DOCUMENT_START:
        return start_document(b, event);
    default:
        return PINNA_OK;
    }
}

/* libfyaml's own message for what it could not scan. */
static pinna_status fail_syntax(const builder *b) {
    void *at = NULL;
    const struct fy_diag_error *found = fy_diag_errors_iterate(b->diag, &at);
    if (found == NULL || found->msg == NULL)
        return pn_fail(b->err, PINNA_BAD_SCENE, "%s: cannot be parsed as YAML", b->name);
    char text[256];
    strncpy(text, found->msg, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return pn_fail(b->err, PINNA_BAD_SCENE, "%s:%d:%d: YAML: %s", b->name, found->line, found->column, text);
}

static pinna_status take_events(builder *b) {
    pinna_status status = PINNA_OK;
    int ended = 0;
    while (status == PINNA_OK && !ended) {
        struct fy_event *event = fy_parser_parse(b->parser);
        if (event == NULL)
            return fail_syntax(b);
        ended = event->type == FYET_STREAM_END;
        status = take_event(b, event);
        fy_parser_event_free(b->parser, event);
    }
    if (status == PINNA_OK && fy_parser_get_stream_error(b->parser))
        return fail_syntax(b);
    return status;
}

static pinna_status run_parser(builder *b, const char *text, size_t size) {
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.colorize = false;
    b->diag = fy_diag_create(&diag_config);
    if (b->diag == NULL)
        return pn_fail_memory(b->err, "the YAML parser", 0);
    fy_diag_set_collect_errors(b->diag, true);
    struct fy_parse_cfg config = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE | FYPCF_DISABLE_MMAP_OPT,
        .diag = b->diag,
    };
    b->parser = fy_parser_create(&config);
    if (b->parser == NULL || fy_parser_set_string(b->parser, text, size) != 0)
        return pn_fail_memory(b->err, "the YAML parser", 0);
    return take_events(b);
}

/* Line that begins with '%', a YAML directive; 0 when none does. */
static int find_directive(const char *text, size_t size) {
    int line = 1;
    for (const char *at = text, *end = text + size; at != NULL && at < end; ++line) {
        if (*at == '%')
            return line;
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    return 0;
}

static pinna_status check_text(const builder *b, const char *text, size_t size) {
    if (size > PN_TREE_BYTES)
        return pn_fail(b->err, PINNA_BAD_SCENE, "%s: too large for a scene (%.1f MB; 8 MB at most)", b->name,
                       (double)size * 1e-6);
    pn_mark bad = find_bad_byte((const unsigned char *)text, size);
    if (bad.line != 0)
        return fail_at(b, bad, "not text: a byte that is neither UTF-8 nor printable; is this a scene file?");
    int directive = find_directive(text, size);
    if (directive != 0)
        return fail_at(b, (pn_mark){directive, 1},
                       "directives (%...) are not part of the scene format; leave the line out");
    return PINNA_OK;
}

static pinna_status check_root(const builder *b) {
    if (b->root == NULL)
        return fail_at(b, (pn_mark){1, 1}, "nothing in it; a scene starts with 'pinna: 1'");
    if (b->root->kind != PN_NODE_MAP)
        return fail_at(b, b->root->mark, "not a map of keys; a scene starts with 'pinna: 1'");
    return PINNA_OK;
}

pinna_status pn_tree_parse(const char *text, size_t size, const char *name, pn_tree **tree,
                           const pn_node **root, pinna_error *err) {
    *tree = NULL;
    builder b = {.name = name, .err = err};
    pinna_status status = check_text(&b, text, size);
    if (status != PINNA_OK)
        return status;
    b.tree = pn_alloc(1, sizeof *b.tree);
    if (b.tree == NULL)
        return pn_fail_memory(err, "the scene's text", sizeof *b.tree);
    status = size > 0 ? run_parser(&b, text, size) : PINNA_OK;
    fy_parser_destroy(b.parser);
    if (b.diag != NULL)
        fy_diag_destroy(b.diag);
    if (status == PINNA_OK)
        status = check_root(&b);
    if (status != PINNA_OK) {
        pn_tree_free(b.tree);
        return status;
    }
    *tree = b.tree;
    *root = b.root;
    return PINNA_OK;
}
