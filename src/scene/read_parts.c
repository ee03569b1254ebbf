// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/read.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "scene/motion.h"

/* ------------------------------------------------------------------ places and orientations */

typedef struct {
    double azimuth, elevation, distance;
} polar;

pinna_status pn_read_polar(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    static const pn_rule rules[] = {
        {"azimuth", pn_read_number, PN_AT(polar, azimuth), .min = -3600, .max = 3600, .unit = " degrees"},
        {"elevation", pn_read_number, PN_AT(polar, elevation), .min = -90, .max = 90, .unit = " degrees"},
        {"distance", pn_read_number, PN_AT(polar, distance), .min = 0, .max = 1e6, .unit = " m"},
        {0},
    };
    polar p = {0, 0, 1};
    pinna_status status = pn_read_map(reader, node, rules, &p, "'polar'");
    pn_vec3 at = pn_vec_from_polar(pn_radians(p.azimuth), pn_radians(p.elevation), p.distance);
    if (status == PINNA_OK)
        memcpy((char *)object + rule->offset, &at, sizeof at);
    return status;
}

pinna_status pn_read_orientation(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    double ypr[3];
    pinna_status status = pn_read_numbers(reader, node, rule, ypr, 3);
    if (status != PINNA_OK)
        return status;
    pn_quat q = pn_quat_from_ypr(pn_radians(ypr[0]), pn_radians(ypr[1]), pn_radians(ypr[2]));
    memcpy((char *)object + rule->offset, &q, sizeof q);
    return PINNA_OK;
}

pinna_status pn_read_doppler(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    int is_off = pn_node_is_word(node, "off") || pn_node_is_word(node, "false");
    if (is_off || pn_node_is_word(node, "on") || pn_node_is_word(node, "true")) {
        double factor = is_off ? 0 : 1;
        memcpy((char *)object + rule->offset, &factor, sizeof factor);
        return PINNA_OK;
    }
    if (pn_is_number(node))
        return pn_read_number(reader, node, rule, object);
    char found[PN_DESCRIBE_TEXT];
    return pn_bad(reader, node->mark, "'doppler' must be off, on or a factor; got %s",
                  pn_describe(node, found));
}

/* ------------------------------------------------------------------ keys in time */

static pinna_status check_order(pn_reader *reader, pn_mark mark, const char *what, double time, double before,
                                size_t index) {
    if (index == 0 || time > before)
        return PINNA_OK;
    return pn_bad(reader, mark, "times in '%s' must rise from key to key; %.10g s comes after %.10g s", what,
                  time, before);
}

static pinna_status read_key(pn_reader *reader, const pn_node *node, const pn_rule *rule, pn_key *key) {
    static const pn_rule time_rule = {"time", pn_read_time, PN_AT(pn_key, time), PN_TIME_RANGE};
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST || node->count != 2)
        return pn_bad(reader, node->mark, "a key of '%s' must be a pair [time, value]; got %s", rule->key,
                      pn_describe(node, found));
    pinna_status status = pn_read_time(reader, node->first, &time_rule, key);
    if (status != PINNA_OK)
        return status;
    pn_rule value_rule = *rule;
    value_rule.offset = offsetof(pn_key, value);
    return pn_read_number(reader, node->first->next, &value_rule, key);
}

pinna_status pn_read_keys(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    pn_keys *keys = (pn_keys *)((char *)object + rule->offset);
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'%s' must be a list of pairs [time, value]; got %s", rule->key,
                      pn_describe(node, found));
    keys->keys = pn_alloc(node->count, sizeof *keys->keys);
    if (keys->keys == NULL)
        return pn_read_no_memory(reader, (double)(node->count * sizeof *keys->keys));
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pn_key *key = &keys->keys[keys->count];
        pinna_status status = read_key(reader, entry, rule, key);
        if (status == PINNA_OK)
            status = check_order(reader, entry->first->mark, rule->key, key->time,
                                 keys->count > 0 ? key[-1].time : 0, keys->count);
        if (status != PINNA_OK)
            return status;
        keys->count += 1;
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ paths */

typedef struct {
    double time; /* NaN: a point on the way */
    pn_vec3 position;
    pn_quat orientation;
    int curve, speed;
    int has_position, has_orientation;
    size_t index; /* among the positions */
    const pn_node *node;
} path_key;

static const pn_word curves[] = {{"linear", PN_CURVE_LINEAR}, {"smooth", PN_CURVE_SMOOTH}, {NULL, 0}};
static const pn_word speeds[] = {
    {"keys", PN_SPEED_KEYS}, {"constant", PN_SPEED_CONSTANT}, {"eased", PN_SPEED_EASED}, {NULL, 0}};

#define PATH_RULES                                                                                           \
    {"time", pn_read_time, PN_AT(path_key, time), PN_TIME_RANGE},                                            \
        {"position", pn_read_vec3, PN_AT(path_key, position), PN_SPACE_RANGE},                               \
        {"polar", pn_read_polar, PN_AT(path_key, position)},                                                 \
        {"curve", pn_read_enum, PN_AT(path_key, curve), .words = curves}, {                                  \
        "speed", pn_read_enum, PN_AT(path_key, speed), .words = speeds                                       \
    }

static const pn_rule source_key_rules[] = {PATH_RULES, {0}};
static const pn_rule listener_key_rules[] = {
    PATH_RULES,
    {"orientation", pn_read_orientation, PN_AT(path_key, orientation), .min = -3600, .max = 3600,
     .unit = " degrees"},
    {0},
};

static pinna_status read_path_key(pn_reader *reader, const pn_node *node, const pn_rule *rules, path_key *key,
                                  int is_end) {
    *key = (path_key){.time = NAN, .node = node};
    pinna_status status = pn_read_map(reader, node, rules, key, "a path key");
    if (status == PINNA_OK)
        status = pn_refuse_both(reader, node, "position", "polar");
    if (status != PINNA_OK)
        return status;
    key->has_position = pn_map_get(node, "position") != NULL || pn_map_get(node, "polar") != NULL;
    key->has_orientation = pn_map_get(node, "orientation") != NULL;
    if (!isnan(key->time))
        return PINNA_OK;
    if (is_end)
        return pn_bad(reader, node->mark,
                      "the first and the last key of a path need 'time'; only points on the way go without");
    if (!key->has_position)
        return pn_bad(reader, node->mark,
                      "a path key without 'time' is a point on the way and needs a 'position'");
    if (pn_map_get(node, "speed") != NULL)
        return pn_bad(reader, pn_map_get(node, "speed")->mark,
                      "'speed' is for keys with 'time'; a point on the way has that of the next one");
    return PINNA_OK;
}

/* Points on the way stand between keys with time and position, and those leave them the speed. */
static pinna_status check_way(pn_reader *reader, const path_key *keys, size_t count) {
    const path_key *on_the_way = NULL, *placed = NULL;
    for (const path_key *key = keys; key < keys + count; ++key) {
        if (!key->has_position)
            continue;
        if (isnan(key->time)) {
            on_the_way = key;
            if (placed == NULL)
                return pn_bad(reader, key->node->mark,
                              "a point on the way (a key without 'time') needs a key with 'time' and "
                              "'position' before it");
            continue;
        }
        if (on_the_way != NULL && key->speed == PN_SPEED_KEYS && pn_map_get(key->node, "speed") != NULL)
            return pn_bad(reader, pn_map_get(key->node, "speed")->mark,
                          "'speed: keys' needs the 'time' of every key, and the one in line %d has none; "
                          "constant or eased are possible",
                          on_the_way->node->mark.line);
        placed = key;
        on_the_way = NULL;
    }
    if (on_the_way != NULL)
        return pn_bad(reader, on_the_way->node->mark,
                      "a point on the way (a key without 'time') needs a key with 'time' and 'position' "
                      "after it");
    return PINNA_OK;
}

static pinna_status place_keys(pn_reader *reader, path_key *keys, size_t count, pn_path *path) {
    for (path_key *key = keys; key < keys + count; ++key) {
        if (!key->has_position)
            continue;
        key->index = path->position_count;
        path->positions[path->position_count++] = (pn_position_key){.time = key->time,
                                                                    .position = key->position,
                                                                    .curve = (pn_curve)key->curve,
                                                                    .stretch.speed = (pn_speed)key->speed};
    }
    if (!pn_path_measure(path))
        return pn_read_no_memory(reader, (double)(path->position_count * sizeof *path->positions));
    for (path_key *key = keys; key < keys + count; ++key) {
        if (!key->has_position || !isnan(key->time))
            continue;
        key->time = path->positions[key->index].time;
        if (!(key->time > path->positions[key->index - 1].time) ||
            !(key->time < path->positions[key->index + 1].stretch.end))
            return pn_bad(
                reader, key->node->mark,
                "this point on the way is where the one before or after it is; leave one of them out");
    }
    return PINNA_OK;
}

/* An orientation eases over the stretch of the path that its key ends or lies in, or from the orientation before when
 * that is older. */
static pinna_status turn_keys(pn_reader *reader, const path_key *keys, size_t count, pn_path *path) {
    double before = 0;
    for (const path_key *key = keys; key < keys + count; ++key) {
        if (!key->has_orientation)
            continue;
        size_t index = path->orientation_count++;
        if (index > 0 && !(key->time > before))
            return pn_bad(reader, key->node->mark,
                          "this point on the way is reached at %.6g s, not after the orientation before it "
                          "(%.6g s); give that one no time either, or leave its orientation out",
                          key->time, before);
        pn_stretch stretch = {.speed = (pn_speed)key->speed, .start = before, .end = key->time};
        if (key->has_position && key->index > 0 && path->positions[key->index].stretch.speed != PN_SPEED_KEYS)
            stretch = path->positions[key->index].stretch;
        stretch.start = fmin(stretch.start, before);
        path->orientations[index] = (pn_orientation_key){key->time, key->orientation, stretch};
        before = key->time;
    }
    return PINNA_OK;
}

static pinna_status read_path_keys(pn_reader *reader, const pn_node *node, const pn_rule *rules,
                                   path_key *keys) {
    double before = 0;
    size_t index = 0, timed = 0;
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        path_key *key = &keys[index++];
        pinna_status status =
            read_path_key(reader, entry, rules, key, entry == node->first || entry->next == NULL);
        if (status != PINNA_OK)
            return status;
        if (isnan(key->time))
            continue;
        status = check_order(reader, pn_map_get(entry, "time")->mark, "path", key->time, before, timed++);
        if (status != PINNA_OK)
            return status;
        before = key->time;
    }
    return check_way(reader, keys, node->count);
}

static pinna_status read_path(pn_reader *reader, const pn_node *node, const pn_rule *rules, pn_path *path) {
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'path' must be a list of keys; got %s", pn_describe(node, found));
    path->positions = pn_alloc(node->count, sizeof *path->positions);
    path->orientations = pn_alloc(node->count, sizeof *path->orientations);
    path_key *keys = pn_alloc(node->count, sizeof *keys);
    pinna_status status = PINNA_OK;
    if (path->positions == NULL || path->orientations == NULL || keys == NULL)
        status = pn_read_no_memory(reader, (double)(node->count * sizeof *keys));
    if (status == PINNA_OK)
        status = read_path_keys(reader, node, rules, keys);
    if (status == PINNA_OK)
        status = place_keys(reader, keys, node->count, path);
    if (status == PINNA_OK)
        status = turn_keys(reader, keys, node->count, path);
    pn_free(keys);
    return status;
}

pinna_status pn_read_source_path(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    return read_path(reader, node, source_key_rules, (pn_path *)((char *)object + rule->offset));
}

pinna_status pn_read_listener_path(pn_reader *reader, const pn_node *node, const pn_rule *rule,
                                   void *object) {
    return read_path(reader, node, listener_key_rules, (pn_path *)((char *)object + rule->offset));
}

/* ------------------------------------------------------------------ strips */

static const char *const stages[] = {"gain",     "highpass",   "lowpass", "bandpass", "bell",
                                     "lowshelf", "highshelf",  "notch",   "gate",     "compressor",
                                     "limiter",  "saturation", "delay",   NULL};

static int is_stage(const char *name) {
    for (size_t i = 0; stages[i] != NULL; ++i)
        if (strcmp(stages[i], name) == 0)
            return 1;
    return 0;
}

static pinna_status read_params(pn_reader *reader, const pn_node *map, pn_strip_entry *entry) {
    char found[PN_DESCRIBE_TEXT], word[PN_WORD_TEXT];
    if (map->kind != PN_NODE_MAP)
        return pn_bad(reader, map->mark, "'%s' must be a map of numbers; got %s", entry->name,
                      pn_describe(map, found));
    entry->params = pn_alloc(map->count, sizeof *entry->params);
    if (entry->params == NULL)
        return pn_read_no_memory(reader, (double)(map->count * sizeof *entry->params));
    for (const pn_node *key = map->first; key != NULL; key = key->next) {
        pn_strip_param *param = &entry->params[entry->param_count++];
        param->name = pn_strdup(key->text);
        if (param->name == NULL)
            return pn_read_no_memory(reader, (double)strlen(key->text));
        pn_rule rule = {pn_excerpt(key->text, word), pn_read_number, PN_AT(pn_strip_param, value),
                        .min = -1e6, .max = 1e6};
        pinna_status status = pn_read_number(reader, key->value, &rule, param);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status read_stage(pn_reader *reader, const pn_node *node, pn_strip_entry *entry) {
    char found[PN_DESCRIBE_TEXT], word[PN_WORD_TEXT];
    if (node->kind != PN_NODE_MAP || node->count != 1)
        return pn_bad(reader, node->mark,
                      "a stage of a strip must be a map of one name, as {highpass: {...}}; got %s",
                      node->kind == PN_NODE_MAP ? "a map of another size" : pn_describe(node, found));
    const pn_node *key = node->first;
    if (!is_stage(key->text)) {
        const char *nearest = pn_nearest_word(key->text, stages);
        return pn_bad(reader, key->mark, "unknown stage '%s' in a strip; %s%s%s", pn_excerpt(key->text, word),
                      nearest != NULL ? "did you mean '" : "there are ",
                      nearest != NULL
                          ? nearest
                          : "gain, highpass, lowpass, bandpass, bell, lowshelf, highshelf, notch, "
                            "gate, compressor, limiter, saturation, delay",
                      nearest != NULL ? "'?" : "");
    }
    entry->mark = key->mark;
    entry->name = pn_strdup(key->text);
    if (entry->name == NULL)
        return pn_read_no_memory(reader, (double)strlen(key->text));
    return read_params(reader, key->value, entry);
}

pinna_status pn_read_strip(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    pn_strip *strip = (pn_strip *)((char *)object + rule->offset);
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'strip' must be a list of stages; got %s",
                      pn_describe(node, found));
    strip->entries = pn_alloc(node->count, sizeof *strip->entries);
    if (strip->entries == NULL)
        return pn_read_no_memory(reader, (double)(node->count * sizeof *strip->entries));
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pinna_status status = read_stage(reader, entry, &strip->entries[strip->count++]);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}
