// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SCENE_SCHEMA_H
#define PN_SCENE_SCHEMA_H

#include "scene/tree.h"
#include "scene/words.h"

/* The schema of scene files is tables: one row a key, with the function that reads its value, where it goes in
 * the object, and its range. This is the machinery; the tables are in read_*.c.
 *
 * All readers return PINNA_OK or fail with "file:line:column: " and the offending word (PINNA_BAD_SCENE, or
 * PINNA_NO_MEMORY). Values are strictly typed: numbers and booleans are unquoted, text is not something that
 * YAML takes for another type. */

typedef struct {
    pn_scene *scene;
    const pn_node *root; /* the scene's map */
    const char *base;    /* folder of the scene, "" for the current one: relative paths start there */
    double tempo;        /* beats a minute, for times in beats */
    pinna_error *err;
} pn_reader;

typedef struct pn_rule pn_rule;
typedef pinna_status (*pn_read_fn)(pn_reader *reader, const pn_node *value, const pn_rule *field,
                                   void *object);

typedef struct {
    const char *word;
    int value;
} pn_word;

struct pn_rule {
    const char *key;
    pn_read_fn read;
    size_t offset;        /* of the member in the object */
    double min, max;      /* numbers: inclusive range, none when both are 0 */
    const char *unit;     /* numbers: for messages, with a space before it (" dB"), or NULL */
    const pn_word *words; /* pn_read_enum: ends with a NULL word */
    size_t mark;          /* offset of the pn_mark that takes the value's place, + 1; 0 = none */
};

#define PN_AT(type, member) .offset = offsetof(type, member)
#define PN_MARK_AT(type, member) .mark = offsetof(type, member) + 1

/* Reads a map by a table that ends with a NULL key. Unknown keys fail with the nearest known one, or all known
 * ones. `what` names the map in messages ("a source"). */
pinna_status pn_read_map(pn_reader *reader, const pn_node *map, const pn_rule *fields, void *object,
                         const char *what);

/* Readers of one value into the member at field->offset. */
pinna_status pn_read_number(pn_reader *, const pn_node *, const pn_rule *, void *object); /* double */
pinna_status pn_read_integer(pn_reader *, const pn_node *, const pn_rule *,
                             void *object); /* int; the rule has a range */
pinna_status pn_read_whole(pn_reader *, const pn_node *, const pn_rule *, void *object); /* double, whole */
pinna_status pn_read_bool(pn_reader *, const pn_node *, const pn_rule *, void *object);  /* int */
pinna_status pn_read_enum(pn_reader *, const pn_node *, const pn_rule *, void *object);  /* an enum */
pinna_status pn_read_name(pn_reader *, const pn_node *, const pn_rule *, void *object);  /* char * */
pinna_status pn_read_path_text(pn_reader *, const pn_node *, const pn_rule *,
                               void *object); /* char *, resolved */
/* double, seconds: a number of seconds, or beats at the scene's tempo, "4b" or "4 beats". */
pinna_status pn_read_time(pn_reader *, const pn_node *, const pn_rule *, void *object);
pinna_status pn_read_vec3(pn_reader *, const pn_node *, const pn_rule *, void *object); /* pn_vec3, metres */

/* `count` numbers of a list of exactly that many, in the field's range. */
pinna_status pn_read_numbers(pn_reader *reader, const pn_node *value, const pn_rule *field, double *numbers,
                             size_t count);

/* The text of a scalar that is text (see above) and not empty; the length is limited to 4096 bytes. */
pinna_status pn_text_of(pn_reader *reader, const pn_node *value, const char *key, const char **text);
/* A copy of a path, relative ones put behind the scene's folder. */
pinna_status pn_resolve_path(pn_reader *reader, const char *text, char **path);

/* 1 when the scalar is this word, quoted or not. */
int pn_node_is_word(const pn_node *node, const char *word);
/* 1 when the scalar is a number by its type. */
int pn_is_number(const pn_node *node);
/* A map's value by key, or NULL. */
const pn_node *pn_map_get(const pn_node *map, const char *key);

/* Fails when the map has not this key, or has both. */
pinna_status pn_require_key(pn_reader *reader, const pn_node *map, const char *key, const char *what);
pinna_status pn_refuse_both(pn_reader *reader, const pn_node *map, const char *key, const char *other);

/* "the text 'loud'", "the number 5", "a list", ... for messages. Returns buffer. */
enum { PN_DESCRIBE_TEXT = PN_WORD_TEXT + 24 };
const char *pn_describe(const pn_node *node, char *buffer);

/* PINNA_BAD_SCENE at a place. */
#define pn_bad(reader, mark, ...)                                                                            \
    pn_scene_fail((reader)->scene, (mark), (reader)->err, PINNA_BAD_SCENE, __VA_ARGS__)
pinna_status pn_read_no_memory(pn_reader *reader, double bytes);

#endif
