// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_TREE_H
#define PN_SCENE_TREE_H

#include "scene/scene.h"

/* Text of a scene file as a tree of lists, maps and scalars with their places, before any meaning. YAML 1.2
 * less what a scene has no use for and what hides mistakes: aliases, anchors, tags, merge keys, several
 * documents, keys that are not plain words, duplicate keys, and deep nesting are errors here. libfyaml scans
 * the text; its events are taken one by one, so that hostile nesting never builds up. */

enum {
    PN_TREE_BYTES = 8 << 20, /* largest text */
    PN_TREE_NODES = 2 << 20, /* most scalars, lists and maps together */
    PN_TREE_DEPTH = 16,      /* deepest nesting of lists and maps */
    PN_TREE_KEYS = 256       /* most keys of one map */
};

typedef enum { PN_NODE_SCALAR, PN_NODE_LIST, PN_NODE_MAP } pn_node_kind;

typedef struct pn_node {
    pn_node_kind kind;
    int plain;             /* scalar written without quotes: only these are numbers and booleans */
    pn_mark mark;          /* of its first character, the quote included */
    const char *text;      /* scalar: UTF-8, no NUL inside */
    size_t count;          /* of entries of a list or map */
    struct pn_node *first; /* list: entries; map: keys, which are scalars, each with its `value` */
    struct pn_node *next;  /* of the same list or map */
    struct pn_node *value; /* of a key */
} pn_node;

typedef struct pn_tree pn_tree;

/* Parses `size` bytes; `name` is what messages call the text. *root is a map and lives as long as the tree.
 * PINNA_BAD_SCENE with "name:line:column: ..." for everything that is wrong with the text. */
pinna_status pn_tree_parse(const char *text, size_t size, const char *name, pn_tree **tree,
                           const pn_node **root, pinna_error *err);
void pn_tree_free(pn_tree *tree); /* accepts NULL */

#endif
