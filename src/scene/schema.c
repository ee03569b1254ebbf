// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { LONGEST_TEXT = 4096, LONGEST_NAME = 200, MOST_RULES = 64 };

pinna_status pn_read_no_memory(pn_reader *reader, double bytes) {
    return pn_fail_memory(reader->err, "the scene", bytes);
}

/* ------------------------------------------------------------------ what a scalar is */

static int is_one_of(const char *text, const char *const *words) {
    for (; *words != NULL; ++words)
        if (strcmp(text, *words) == 0)
            return 1;
    return 0;
}

static int is_null(const pn_node *node) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};
    return node->kind == PN_NODE_SCALAR && node->plain && is_one_of(node->text, words);
}

/* -1 when it is no boolean. */
static int boolean_of(const pn_node *node) {
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    if (node->kind != PN_NODE_SCALAR || !node->plain)
        return -1;
    return is_one_of(node->text, yes) ? 1 : is_one_of(node->text, no) ? 0 : -1;
}

/* Decimal numbers only: what strtod reads besides (hexadecimal, infinity, NaN) is no number of a scene. */
static int is_decimal(const char *text) {
    return text[strspn(text, "+-.0123456789eE")] == '\0' && strpbrk(text, "0123456789") != NULL;
}

static int number_of(const pn_node *node, double *number) {
    return node->kind == PN_NODE_SCALAR && node->plain && is_decimal(node->text) &&
           pn_parse_number(node->text, number);
}

int pn_is_number(const pn_node *node) {
    double number;
    return number_of(node, &number);
}

const char *pn_describe(const pn_node *node, char *buffer) {
    char word[PN_WORD_TEXT];
    double number;
    if (node->kind != PN_NODE_SCALAR)
        return strcpy(buffer, node->kind == PN_NODE_LIST ? "a list" : "a map");
    if (is_null(node))
        return strcpy(buffer, "nothing");
    const char *kind = number_of(node, &number) ? "the number " : boolean_of(node) >= 0 ? "" : "the text ";
    const char *quote = *kind == 't' && kind[4] == 't' ? "'" : "";
    snprintf(buffer, PN_DESCRIBE_TEXT, "%s%s%s%s", kind, quote, pn_excerpt(node->text, word), quote);
    return buffer;
}

int pn_node_is_word(const pn_node *node, const char *word) {
    return node->kind == PN_NODE_SCALAR && strcmp(node->text, word) == 0;
}

const pn_node *pn_map_get(const pn_node *map, const char *key) {
    for (const pn_node *entry = map->first; entry != NULL; entry = entry->next)
        if (strcmp(entry->text, key) == 0)
            return entry->value;
    return NULL;
}

/* ------------------------------------------------------------------ maps */

pinna_status pn_require_key(pn_reader *reader, const pn_node *map, const char *key, const char *what) {
    if (pn_map_get(map, key) != NULL)
        return PINNA_OK;
    return pn_bad(reader, map->mark, "%s needs '%s'", what, key);
}

pinna_status pn_refuse_both(pn_reader *reader, const pn_node *map, const char *key, const char *other) {
    const pn_node *first = pn_map_get(map, key), *second = pn_map_get(map, other);
    if (first == NULL || second == NULL)
        return PINNA_OK;
    int first_is_later = first->mark.line > second->mark.line ||
                         (first->mark.line == second->mark.line && first->mark.column > second->mark.column);
    return pn_bad(reader, first_is_later ? first->mark : second->mark,
                  "'%s' and '%s' exclude each other; leave one of them out", key, other);
}

static pinna_status fail_unknown(pn_reader *reader, const pn_node *key, const pn_rule *fields,
                                 const char *what) {
    const char *words[MOST_RULES + 1] = {NULL};
    char list[512] = "", word[PN_WORD_TEXT];
    size_t used = 0;
    for (size_t i = 0; i < MOST_RULES && fields[i].key != NULL; ++i) {
        words[i] = fields[i].key;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    pn_excerpt(key->text, word);
    const char *nearest = pn_nearest_word(key->text, words);
    if (nearest != NULL)
        return pn_bad(reader, key->mark, "unknown key '%s' in %s; did you mean '%s'?", word, what, nearest);
    return pn_bad(reader, key->mark, "unknown key '%s' in %s; it can have: %s", word, what, list);
}

pinna_status pn_read_map(pn_reader *reader, const pn_node *map, const pn_rule *fields, void *object,
                         const char *what) {
    char found[PN_DESCRIBE_TEXT];
    if (map->kind != PN_NODE_MAP)
        return pn_bad(reader, map->mark, "%s must be a map of keys; got %s", what, pn_describe(map, found));
    for (const pn_node *key = map->first; key != NULL; key = key->next) {
        const pn_rule *field = fields;
        while (field->key != NULL && strcmp(field->key, key->text) != 0)
            ++field;
        if (field->key == NULL)
            return fail_unknown(reader, key, fields, what);
        if (field->mark != 0)
            memcpy((char *)object + field->mark - 1, &key->value->mark, sizeof(pn_mark));
        pinna_status status = field->read(reader, key->value, field, object);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ numbers and times */

static pinna_status check_range(pn_reader *reader, const pn_node *node, const pn_rule *field, double number) {
    const char *unit = field->unit != NULL ? field->unit : "";
    if ((field->min == 0 && field->max == 0) || (number >= field->min && number <= field->max))
        return PINNA_OK;
    char word[PN_WORD_TEXT];
    return pn_bad(reader, node->mark, "'%s' must be %.10g .. %.10g%s; got %s", field->key, field->min,
                  field->max, unit, pn_excerpt(node->text, word));
}

static pinna_status number_in_range(pn_reader *reader, const pn_node *node, const pn_rule *field,
                                    double *number) {
    char found[PN_DESCRIBE_TEXT];
    if (!number_of(node, number))
        return pn_bad(reader, node->mark, "'%s' must be a number%s%s%s; got %s", field->key,
                      field->unit != NULL ? " (" : "", field->unit != NULL ? field->unit + 1 : "",
                      field->unit != NULL ? ")" : "", pn_describe(node, found));
    return check_range(reader, node, field, *number);
}

pinna_status pn_read_number(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    double number;
    pinna_status status = number_in_range(reader, node, field, &number);
    if (status == PINNA_OK)
        memcpy((char *)object + field->offset, &number, sizeof number);
    return status;
}

pinna_status pn_read_whole(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    double number;
    pinna_status status = number_in_range(reader, node, field, &number);
    if (status != PINNA_OK)
        return status;
    char word[PN_WORD_TEXT];
    if (number != floor(number))
        return pn_bad(reader, node->mark, "'%s' must be a whole number; got %s", field->key,
                      pn_excerpt(node->text, word));
    memcpy((char *)object + field->offset, &number, sizeof number);
    return PINNA_OK;
}

pinna_status pn_read_integer(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    double number = 0;
    pn_rule whole = *field;
    whole.offset = 0;
    pinna_status status = pn_read_whole(reader, node, &whole, &number);
    int integer = (int)number;
    if (status == PINNA_OK)
        memcpy((char *)object + field->offset, &integer, sizeof integer);
    return status;
}

/* Beats: a number and then "b", "beat" or "beats", spaces between them allowed. */
static int beats_of(const pn_node *node, double *beats) {
    if (node->kind != PN_NODE_SCALAR)
        return 0;
    size_t digits = strspn(node->text, "+-.0123456789");
    char number[64];
    if (digits == 0 || digits >= sizeof number)
        return 0;
    memcpy(number, node->text, digits);
    number[digits] = '\0';
    const char *rest = node->text + digits + strspn(node->text + digits, " ");
    static const char *const units[] = {"b", "beat", "beats", NULL};
    return is_one_of(rest, units) && pn_parse_number(number, beats);
}

pinna_status pn_read_time(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    char found[PN_DESCRIBE_TEXT];
    double seconds, beats;
    if (beats_of(node, &beats))
        seconds = beats * 60 / reader->tempo;
    else if (!number_of(node, &seconds))
        return pn_bad(reader, node->mark, "'%s' must be a time: seconds (2.5) or beats ('4b'); got %s",
                      field->key, pn_describe(node, found));
    pinna_status status = check_range(reader, node, field, seconds);
    if (status == PINNA_OK)
        memcpy((char *)object + field->offset, &seconds, sizeof seconds);
    return status;
}

pinna_status pn_read_numbers(pn_reader *reader, const pn_node *node, const pn_rule *field, double *numbers,
                             size_t count) {
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'%s' must be a list of %zu numbers; got %s", field->key, count,
                      pn_describe(node, found));
    if (node->count != count)
        return pn_bad(reader, node->mark, "'%s' must be a list of %zu numbers; got %zu", field->key, count,
                      node->count);
    size_t i = 0;
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pinna_status status = number_in_range(reader, entry, field, &numbers[i++]);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

pinna_status pn_read_vec3(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    double xyz[3];
    pinna_status status = pn_read_numbers(reader, node, field, xyz, 3);
    pn_vec3 vector = {xyz[0], xyz[1], xyz[2]};
    if (status == PINNA_OK)
        memcpy((char *)object + field->offset, &vector, sizeof vector);
    return status;
}

/* ------------------------------------------------------------------ words and text */

pinna_status pn_read_bool(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    char found[PN_DESCRIBE_TEXT];
    int value = boolean_of(node);
    if (value < 0)
        return pn_bad(reader, node->mark, "'%s' must be true or false; got %s", field->key,
                      pn_describe(node, found));
    memcpy((char *)object + field->offset, &value, sizeof value);
    return PINNA_OK;
}

static pinna_status fail_word(pn_reader *reader, const pn_node *node, const pn_rule *field) {
    const char *words[MOST_RULES + 1] = {NULL};
    char list[256] = "", found[PN_DESCRIBE_TEXT];
    size_t used = 0;
    for (size_t i = 0; i < MOST_RULES && field->words[i].word != NULL; ++i) {
        words[i] = field->words[i].word;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    const char *nearest = node->kind == PN_NODE_SCALAR ? pn_nearest_word(node->text, words) : NULL;
    return pn_bad(reader, node->mark, "'%s' must be one of %s; got %s%s%s%s", field->key, list,
                  pn_describe(node, found), nearest != NULL ? "; did you mean '" : "",
                  nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

pinna_status pn_read_enum(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    for (const pn_word *word = field->words; word->word != NULL; ++word) {
        if (!pn_node_is_word(node, word->word))
            continue;
        memcpy((char *)object + field->offset, &word->value, sizeof word->value);
        return PINNA_OK;
    }
    return fail_word(reader, node, field);
}

pinna_status pn_text_of(pn_reader *reader, const pn_node *node, const char *key, const char **text) {
    char found[PN_DESCRIBE_TEXT];
    double number;
    if (node->kind != PN_NODE_SCALAR || is_null(node))
        return pn_bad(reader, node->mark, "'%s' must be text; got %s", key, pn_describe(node, found));
    if (number_of(node, &number) || boolean_of(node) >= 0)
        return pn_bad(reader, node->mark, "'%s' must be text; got %s; put it in quotes if it is meant", key,
                      pn_describe(node, found));
    if (node->text[0] == '\0')
        return pn_bad(reader, node->mark, "'%s' must not be empty", key);
    if (strlen(node->text) > LONGEST_TEXT)
        return pn_bad(reader, node->mark, "'%s' is too long (%zu bytes; 4096 at most)", key,
                      strlen(node->text));
    *text = node->text;
    return PINNA_OK;
}

pinna_status pn_read_name(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    const char *text = NULL;
    pinna_status status = pn_text_of(reader, node, field->key, &text);
    if (status != PINNA_OK)
        return status;
    if (strlen(text) > LONGEST_NAME)
        return pn_bad(reader, node->mark, "'%s' is too long (%zu bytes; 200 at most)", field->key,
                      strlen(text));
    for (const char *c = text; *c != '\0'; ++c)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return pn_bad(reader, node->mark, "'%s' has a control character in it", field->key);
    char *copy = pn_strdup(text);
    if (copy == NULL)
        return pn_read_no_memory(reader, (double)strlen(text));
    memcpy((char *)object + field->offset, &copy, sizeof copy);
    return PINNA_OK;
}

pinna_status pn_resolve_path(pn_reader *reader, const char *text, char **path) {
    const char *base = text[0] == '/' ? "" : reader->base;
    size_t length = strlen(base);
    const char *slash = length > 0 && base[length - 1] != '/' ? "/" : "";
    size_t size = length + strlen(text) + 2;
    char *joined = pn_alloc(size, 1);
    if (joined == NULL)
        return pn_read_no_memory(reader, (double)size);
    snprintf(joined, size, "%s%s%s", base, slash, text);
    *path = joined;
    return PINNA_OK;
}

pinna_status pn_read_path_text(pn_reader *reader, const pn_node *node, const pn_rule *field, void *object) {
    const char *text = NULL;
    pinna_status status = pn_text_of(reader, node, field->key, &text);
    char *path = NULL;
    if (status == PINNA_OK)
        status = pn_resolve_path(reader, text, &path);
    if (status == PINNA_OK)
        memcpy((char *)object + field->offset, &path, sizeof path);
    return status;
}
