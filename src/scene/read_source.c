// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/read.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ------------------------------------------------------------------ generators */

static const pn_word generator_kinds[] = {
    {"sine", PN_GENERATOR_SINE},
    {"noise", PN_GENERATOR_NOISE},
    {"pink", PN_GENERATOR_PINK},
    {"impulse", PN_GENERATOR_IMPULSE},
    {"sweep", PN_GENERATOR_SWEEP},
    {"pluck", PN_GENERATOR_PLUCK},
    {NULL, 0},
};

static pinna_status read_seed(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    double number = 0;
    pn_rule whole = *rule;
    whole.offset = 0;
    pinna_status status = pn_read_whole(reader, node, &whole, &number);
    if (status == PINNA_OK)
        ((pn_generator *)object)->seed = (uint64_t)number;
    return status;
}

static const pn_rule generator_rules[] = {
    {"kind", pn_read_enum, PN_AT(pn_generator, kind), .words = generator_kinds},
    {"frequency", pn_read_number, PN_AT(pn_generator, frequency), .min = 0.01, .max = 192000, .unit = " Hz"},
    {"frequency_end", pn_read_number, PN_AT(pn_generator, frequency_end), .min = 0.01, .max = 192000,
     .unit = " Hz"},
    {"duration", pn_read_time, PN_AT(pn_generator, duration), .min = 0.001, .max = 1e6, .unit = " s"},
    {"level", pn_read_number, PN_AT(pn_generator, level_db), .min = -200, .max = 20, .unit = " dB"},
    {.key = "seed", .read = read_seed, .min = 0, .max = 9007199254740992.0},
    {0},
};

/* Keys that only one kind has. */
static pinna_status refuse_foreign_key(pn_reader *reader, const pn_node *map, const char *key, int fits,
                                       const char *owner) {
    const pn_node *value = pn_map_get(map, key);
    if (value == NULL || fits)
        return PINNA_OK;
    return pn_bad(reader, value->mark, "'%s' is only for %s; leave it out", key, owner);
}

static pinna_status read_generator(pn_reader *reader, const pn_node *node, const pn_rule *rule,
                                   void *object) {
    (void)rule;
    pn_source *source = object;
    pn_generator *generator = &source->generator;
    source->has_generator = 1;
    pinna_status status = pn_read_map(reader, node, generator_rules, generator, "a generator");
    if (status == PINNA_OK)
        status = pn_require_key(reader, node, "kind", "a generator");
    if (status != PINNA_OK)
        return status;
    int sweep = generator->kind == PN_GENERATOR_SWEEP;
    int noise = generator->kind == PN_GENERATOR_NOISE || generator->kind == PN_GENERATOR_PINK;
    if (pn_map_get(node, "frequency") == NULL)
        generator->frequency = sweep ? 20 : generator->kind == PN_GENERATOR_IMPULSE ? 0 : 440;
    generator->frequency_end_given = pn_map_get(node, "frequency_end") != NULL;
    status = refuse_foreign_key(reader, node, "frequency", !noise, "generators with a pitch");
    if (status == PINNA_OK)
        status = refuse_foreign_key(reader, node, "frequency_end", sweep, "kind sweep");
    if (status == PINNA_OK)
        status = refuse_foreign_key(reader, node, "duration", sweep,
                                    "kind sweep (how long others sound is the "
                                    "'length' of the source)");
    return status;
}

/* ------------------------------------------------------------------ orbit, directivity */

static pinna_status read_orbit(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    static const pn_rule rules[] = {
        {"period", pn_read_time, PN_AT(pn_orbit, period), .min = -1e6, .max = 1e6, .unit = " s"},
        {"radius", pn_read_number, PN_AT(pn_orbit, radius), .min = 0, .max = 1e6, .unit = " m"},
        {"height", pn_read_number, PN_AT(pn_orbit, height), PN_SPACE_RANGE},
        {"phase", pn_read_number, PN_AT(pn_orbit, phase_deg), .min = -3600, .max = 3600, .unit = " degrees"},
        {0},
    };
    pn_source *source = object;
    source->has_orbit = 1;
    source->orbit.radius = 1;
    pinna_status status = pn_read_map(reader, node, rules, &source->orbit, "an orbit");
    if (status == PINNA_OK)
        status = pn_require_key(reader, node, "period", "an orbit");
    if (status == PINNA_OK && fabs(source->orbit.period) < 0.001)
        return pn_bad(reader, pn_map_get(node, "period")->mark,
                      "'period' must not be 0: seconds for one turn, negative for clockwise");
    return status;
}

static const pn_word patterns[] = {
    {"omni", PN_PATTERN_OMNI},
    {"subcardioid", PN_PATTERN_SUBCARDIOID},
    {"cardioid", PN_PATTERN_CARDIOID},
    {"supercardioid", PN_PATTERN_SUPERCARDIOID},
    {"hypercardioid", PN_PATTERN_HYPERCARDIOID},
    {"figure8", PN_PATTERN_FIGURE8},
    {"cone", PN_PATTERN_CONE},
    {NULL, 0},
};

static pinna_status read_facing(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    double angles[2];
    pinna_status status = pn_read_numbers(reader, node, rule, angles, 2);
    if (status != PINNA_OK)
        return status;
    pn_directivity *directivity = object;
    directivity->facing_azimuth_deg = angles[0];
    directivity->facing_elevation_deg = angles[1];
    return PINNA_OK;
}

static const pn_rule directivity_rules[] = {
    {"pattern", pn_read_enum, PN_AT(pn_directivity, pattern), .words = patterns},
    {"facing", read_facing, .min = -3600, .max = 3600, .unit = " degrees"},
    {"inner", pn_read_number, PN_AT(pn_directivity, inner_deg), .min = 0, .max = 360, .unit = " degrees"},
    {"outer", pn_read_number, PN_AT(pn_directivity, outer_deg), .min = 0, .max = 360, .unit = " degrees"},
    {"outer_gain", pn_read_number, PN_AT(pn_directivity, outer_gain_db), PN_GAIN_RANGE},
    {0},
};

static pinna_status read_directivity(pn_reader *reader, const pn_node *node, const pn_rule *rule,
                                     void *object) {
    (void)rule;
    pn_directivity *directivity = &((pn_source *)object)->directivity;
    directivity->mark = node->mark;
    pinna_status status = pn_read_map(reader, node, directivity_rules, directivity, "'directivity'");
    int cone = directivity->pattern == PN_PATTERN_CONE;
    static const char *const cone_keys[] = {"inner", "outer", "outer_gain"};
    for (size_t i = 0; i < 3 && status == PINNA_OK; ++i)
        status = refuse_foreign_key(reader, node, cone_keys[i], cone, "pattern cone");
    if (status == PINNA_OK && directivity->inner_deg > directivity->outer_deg)
        return pn_bad(reader, node->mark, "'inner' (%.10g degrees) must not be wider than 'outer' (%.10g)",
                      directivity->inner_deg, directivity->outer_deg);
    return status;
}

/* ------------------------------------------------------------------ automation */

static pinna_status add_automation(pn_reader *reader, const pn_node *key, const pn_rule *rule,
                                   pn_source *source) {
    pn_automation *automation = &source->automations[source->automation_count++];
    automation->mark = key->mark;
    automation->key = pn_strdup(key->text);
    if (automation->key == NULL)
        return pn_read_no_memory(reader, (double)strlen(key->text));
    return pn_read_keys(reader, key->value, rule, automation);
}

static pinna_status read_automated(pn_reader *reader, const pn_node *key, pn_source *source) {
    static const pn_rule rules[] = {
        {"gain", pn_read_keys, PN_AT(pn_source, gain_keys), PN_GAIN_RANGE},
        {"width", pn_read_keys, PN_AT(pn_automation, keys), .min = 0, .max = 360, .unit = " degrees"},
        {"diffuse", pn_read_keys, PN_AT(pn_automation, keys), .min = 0, .max = 1},
    };
    static const char *const words[] = {"gain", "width", "diffuse", NULL};
    char word[PN_WORD_TEXT];
    pn_excerpt(key->text, word);
    for (size_t i = 0; i < 3; ++i) {
        if (strcmp(key->text, rules[i].key) != 0)
            continue;
        return i == 0 ? pn_read_keys(reader, key->value, &rules[0], source)
                      : add_automation(reader, key, &rules[i], source);
    }
    if (strncmp(key->text, "sends.", 6) == 0 || strncmp(key->text, "strip.", 6) == 0) {
        pn_rule other = {word, pn_read_keys, PN_AT(pn_automation, keys), .min = -1e6, .max = 1e6};
        return add_automation(reader, key, &other, source);
    }
    const char *nearest = pn_nearest_word(key->text, words);
    if (nearest != NULL)
        return pn_bad(reader, key->mark, "unknown key '%s' in 'automate'; did you mean '%s'?", word, nearest);
    return pn_bad(
        reader, key->mark,
        "unknown key '%s' in 'automate'; it can have: gain, width, diffuse, sends.NAME, strip.N.KEY", word);
}

static pinna_status read_automate(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_source *source = object;
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_MAP)
        return pn_bad(reader, node->mark, "'automate' must be a map, as {gain: [[time, dB], ...]}; got %s",
                      pn_describe(node, found));
    source->automations = pn_alloc(node->count, sizeof *source->automations);
    if (source->automations == NULL)
        return pn_read_no_memory(reader, (double)(node->count * sizeof *source->automations));
    for (const pn_node *key = node->first; key != NULL; key = key->next) {
        pinna_status status = read_automated(reader, key, source);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ sends */

static int names_a_source(const pn_reader *reader, const char *name) {
    const pn_node *sources = pn_map_get(reader->root, "sources");
    if (sources == NULL || sources->kind != PN_NODE_LIST)
        return 0;
    for (const pn_node *source = sources->first; source != NULL; source = source->next) {
        const pn_node *other = source->kind == PN_NODE_MAP ? pn_map_get(source, "name") : NULL;
        if (other != NULL && pn_node_is_word(other, name))
            return 1;
    }
    return 0;
}

static pinna_status fail_send(pn_reader *reader, const pn_node *key) {
    const pn_scene *scene = reader->scene;
    const char *names[PN_MOST_BUSES + 1] = {NULL};
    for (size_t i = 0; i < scene->bus_count && i < PN_MOST_BUSES; ++i)
        names[i] = scene->buses[i].name;
    char word[PN_WORD_TEXT], near[PN_WORD_TEXT];
    pn_excerpt(key->text, word);
    if (names_a_source(reader, key->text))
        return pn_bad(reader, key->mark,
                      "'%s' is a source; sends go to buses only, so that no cycle can arise", word);
    const char *nearest = pn_nearest_word(key->text, names);
    if (nearest != NULL)
        return pn_bad(reader, key->mark, "no bus is named '%s'; did you mean '%s'?", word,
                      pn_excerpt(nearest, near));
    return pn_bad(reader, key->mark, "no bus is named '%s'; add one to 'buses' or leave the send out", word);
}

static pinna_status read_sends(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_source *source = object;
    char found[PN_DESCRIBE_TEXT], word[PN_WORD_TEXT];
    if (node->kind != PN_NODE_MAP)
        return pn_bad(reader, node->mark,
                      "'sends' must be a map of bus names and gains, as {hall: -12}; got %s",
                      pn_describe(node, found));
    for (const pn_node *key = node->first; key != NULL; key = key->next) {
        int bus = pn_scene_find_bus(reader->scene, key->text);
        if (bus < 0)
            return fail_send(reader, key);
        double gain_db = 0;
        pn_rule gain = {pn_excerpt(key->text, word), pn_read_number, PN_GAIN_RANGE};
        pinna_status status = pn_read_number(reader, key->value, &gain, &gain_db);
        if (status != PINNA_OK)
            return status;
        if (!pn_source_add_send(source, bus, gain_db))
            return pn_read_no_memory(reader, sizeof *source->sends);
        source->sends[source->send_count - 1].mark = key->mark;
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ sources */

static const pn_word render_kinds[] = {
    {"binaural", PN_RENDER_BINAURAL}, {"stereo", PN_RENDER_STEREO}, {"direct", PN_RENDER_DIRECT}, {NULL, 0}};
static const pn_word fields[] = {{"auto", PN_FIELD_AUTO},
                                 {"near", PN_FIELD_NEAR},
                                 {"mid", PN_FIELD_MID},
                                 {"far", PN_FIELD_FAR},
                                 {NULL, 0}};

static const pn_rule source_rules[] = {
    {"name", pn_read_name, PN_AT(pn_source, name)},
    {"clip", pn_read_path_text, PN_AT(pn_source, clip), PN_MARK_AT(pn_source, clip_mark)},
    {"generator", read_generator, PN_MARK_AT(pn_source, generator.mark)},
    {"channel", pn_read_integer, PN_AT(pn_source, channel), .min = 1, .max = PN_AUDIO_MAX_CHANNELS},
    {"start", pn_read_time, PN_AT(pn_source, start), PN_TIME_RANGE},
    {"from", pn_read_time, PN_AT(pn_source, from), PN_TIME_RANGE},
    {"length", pn_read_time, PN_AT(pn_source, length), .min = 1e-6, .max = 1e6, .unit = " s"},
    {"loop", pn_read_bool, PN_AT(pn_source, loop)},
    {"gain", pn_read_number, PN_AT(pn_source, gain_db), PN_GAIN_RANGE},
    {"mute", pn_read_bool, PN_AT(pn_source, mute)},
    {"solo", pn_read_bool, PN_AT(pn_source, solo)},
    {"render", pn_read_enum, PN_AT(pn_source, render), .words = render_kinds},
    {"field", pn_read_enum, PN_AT(pn_source, field), PN_MARK_AT(pn_source, field_mark), .words = fields},
    {"position", pn_read_vec3, PN_AT(pn_source, position), PN_SPACE_RANGE},
    {"polar", pn_read_polar, PN_AT(pn_source, position)},
    {"path", pn_read_source_path, PN_AT(pn_source, path)},
    {.key = "orbit", .read = read_orbit},
    {.key = "directivity", .read = read_directivity},
    {"width", pn_read_number, PN_AT(pn_source, width_deg), .min = 0, .max = 360, .unit = " degrees"},
    {"diffuse", pn_read_number, PN_AT(pn_source, diffuse), .min = 0, .max = 1},
    {"doppler", pn_read_doppler, PN_AT(pn_source, doppler), .min = 0, .max = 100},
    {.key = "automate", .read = read_automate},
    {"strip", pn_read_strip, PN_AT(pn_source, strip)},
    {.key = "sends", .read = read_sends},
    {0},
};

static pinna_status check_exclusive(pn_reader *reader, const pn_node *node) {
    static const char *const pairs[][2] = {{"clip", "generator"}, {"position", "polar"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; ++i) {
        pinna_status status = pn_refuse_both(reader, node, pairs[i][0], pairs[i][1]);
        if (status != PINNA_OK)
            return status;
    }
    if (pn_map_get(node, "clip") == NULL && pn_map_get(node, "generator") == NULL)
        return pn_bad(reader, node->mark, "a source needs 'clip' or 'generator'");
    return pn_require_key(reader, node, "name", "a source");
}

/* A generator has no beginning to skip, no end to loop at and one channel. */
static pinna_status check_generator_use(pn_reader *reader, const pn_node *node, const pn_source *source) {
    if (source->loop)
        return pn_bad(reader, pn_map_get(node, "loop")->mark,
                      "'loop' is only for clips; a generator sounds for the 'length' of the source");
    if (source->from > 0)
        return pn_bad(reader, pn_map_get(node, "from")->mark, "'from' is only for clips; leave it out");
    if (source->channel > 1)
        return pn_bad(reader, pn_map_get(node, "channel")->mark,
                      "a generator has one channel; leave 'channel' out");
    return PINNA_OK;
}

static int ends_by_itself(const pn_source *source) {
    const pn_generator *generator = &source->generator;
    if (!source->has_generator)
        return !source->loop;
    return (generator->kind == PN_GENERATOR_SWEEP && generator->duration > 0) ||
           (generator->kind == PN_GENERATOR_IMPULSE && generator->frequency == 0);
}

static pinna_status check_end(pn_reader *reader, const pn_node *node, const pn_source *source) {
    if (ends_by_itself(source) || source->length > 0 || pn_map_get(reader->root, "duration") != NULL)
        return PINNA_OK;
    const pn_node *at = pn_map_get(node, source->has_generator ? "generator" : "loop");
    return pn_bad(reader, at->mark, "%s never ends; give the source a 'length' or the scene a 'duration'",
                  source->has_generator ? "this generator" : "a loop");
}

static pinna_status read_source(pn_reader *reader, const pn_node *node) {
    pn_source *source = pn_scene_add_source(reader->scene, NULL);
    if (source == NULL)
        return pn_read_no_memory(reader, sizeof *source);
    source->mark = node->mark;
    pinna_status status = pn_read_map(reader, node, source_rules, source, "a source");
    if (status == PINNA_OK)
        status = check_exclusive(reader, node);
    if (status == PINNA_OK && source->has_generator)
        status = check_generator_use(reader, node, source);
    if (status == PINNA_OK)
        status = check_end(reader, node, source);
    if (status != PINNA_OK)
        return status;
    source->has_position = pn_map_get(node, "position") != NULL || pn_map_get(node, "polar") != NULL;
    if (!source->has_position && source->has_orbit)
        source->position = (pn_vec3){0, 0, 0};
    return PINNA_OK;
}

pinna_status pn_read_sources(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    (void)object;
    char found[PN_DESCRIBE_TEXT];
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'sources' must be a list; got %s", pn_describe(node, found));
    if (node->count == 0 || node->count > PN_MOST_SOURCES)
        return pn_bad(reader, node->mark, "'sources' must have 1 .. %d entries; got %zu",
                      (int)PN_MOST_SOURCES, node->count);
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pinna_status status = read_source(reader, entry);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}
