// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "scene/read.h"

/* Read before the table of the root runs, since other parts need them. */
static pinna_status already_read(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)reader;
    (void)node;
    (void)rule;
    (void)object;
    return PINNA_OK;
}

/* ------------------------------------------------------------------ small parts */

static pinna_status read_block(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    pinna_status status = pn_read_integer(reader, node, rule, object);
    int block = ((pn_scene *)object)->block;
    if (status != PINNA_OK || (block & (block - 1)) == 0)
        return status;
    return pn_bad(reader, node->mark, "'block' must be a power of two, 32 .. 8192; got %d", block);
}

static pinna_status add_equalisation(pn_reader *reader, const pn_node *node, pn_scene_hrtf *hrtf) {
    enum { LOW, DIFFUSE, NONE };
    static const pn_word words[] = {{"low", LOW}, {"diffuse", DIFFUSE}, {"none", NONE}, {NULL, 0}};
    static const pn_rule rule = {"equalise", pn_read_enum, .words = words};
    int word = NONE;
    pinna_status status = pn_read_enum(reader, node, &rule, &word);
    hrtf->equalise_low |= word == LOW;
    hrtf->equalise_diffuse |= word == DIFFUSE;
    return status;
}

static pinna_status read_equalise(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_scene_hrtf *hrtf = object;
    hrtf->equalise_given = 1;
    if (node->kind != PN_NODE_LIST)
        return add_equalisation(reader, node, hrtf);
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pinna_status status = add_equalisation(reader, entry, hrtf);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status read_hrtf_file(pn_reader *reader, const pn_node *node, const pn_rule *rule,
                                   void *object) {
    (void)rule;
    const char *text = NULL;
    pinna_status status = pn_text_of(reader, node, "hrtf", &text);
    if (status != PINNA_OK || pn_node_is_word(node, "builtin"))
        return status;
    return pn_resolve_path(reader, text, &((pn_scene_hrtf *)object)->file);
}

static const pn_rule hrtf_rules[] = {
    {.key = "file", .read = read_hrtf_file},
    {"equalise", read_equalise, PN_MARK_AT(pn_scene_hrtf, equalise_mark)},
    {0},
};

static pinna_status read_hrtf(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_scene_hrtf *hrtf = &((pn_scene *)object)->hrtf;
    hrtf->mark = node->mark;
    if (node->kind != PN_NODE_MAP)
        return read_hrtf_file(reader, node, NULL, hrtf);
    pinna_status status = pn_read_map(reader, node, hrtf_rules, hrtf, "'hrtf'");
    const pn_node *file = pn_map_get(node, "file");
    if (file != NULL)
        hrtf->mark = file->mark;
    return status;
}

static const pn_word distance_models[] = {
    {"inverse", PN_DISTANCE_INVERSE},
    {"linear", PN_DISTANCE_LINEAR},
    {"exponential", PN_DISTANCE_EXPONENTIAL},
    {"none", PN_DISTANCE_NONE},
    {NULL, 0},
};

static const pn_rule distance_rules[] = {
    {"model", pn_read_enum, PN_AT(pn_distance, law.model), .words = distance_models},
    {"reference", pn_read_number, PN_AT(pn_distance, law.reference), .min = 0.001, .max = 1e6, .unit = " m"},
    {"max", pn_read_number, PN_AT(pn_distance, law.max), .min = PN_NEAREST_METRES, .max = 1e9, .unit = " m"},
    {"rolloff", pn_read_number, PN_AT(pn_distance, law.rolloff), .min = 0, .max = 100},
    {0},
};

static pinna_status read_distance(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_distance *distance = &((pn_scene *)object)->distance;
    distance->mark = node->mark;
    pinna_status status = pn_read_map(reader, node, distance_rules, distance, "'distance'");
    const pn_distance_law *law = &distance->law;
    if (status == PINNA_OK && law->max < law->reference)
        return pn_bad(reader, node->mark, "'max' (%.10g m) must not be below 'reference' (%.10g m)", law->max,
                      law->reference);
    if (status == PINNA_OK && law->model == PN_DISTANCE_LINEAR && law->max == law->reference)
        return pn_bad(
            reader, node->mark,
            "'max' must be above 'reference' (both are %.10g m): 'linear' falls from one to the other",
            law->max);
    return status;
}

static const pn_rule air_rules[] = {
    {"temperature", pn_read_number, PN_AT(pn_air, state.temperature), .min = -50, .max = 60,
     .unit = " degrees Celsius"},
    {"humidity", pn_read_number, PN_AT(pn_air, state.humidity), .min = 0, .max = 100, .unit = " per cent"},
    {0},
};

static pinna_status read_air(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_air *air = &((pn_scene *)object)->air;
    char found[PN_DESCRIBE_TEXT];
    air->mark = node->mark;
    if (pn_node_is_word(node, "off") || pn_node_is_word(node, "false"))
        return PINNA_OK;
    if (node->kind != PN_NODE_MAP)
        return pn_bad(reader, node->mark, "'air' must be off or {temperature: 20, humidity: 50}; got %s",
                      pn_describe(node, found));
    air->on = 1;
    return pn_read_map(reader, node, air_rules, air, "'air'");
}

static const pn_rule listener_rules[] = {
    {"position", pn_read_vec3, PN_AT(pn_listener, position), PN_SPACE_RANGE},
    {"polar", pn_read_polar, PN_AT(pn_listener, position)},
    {"orientation", pn_read_orientation, PN_AT(pn_listener, orientation), .min = -3600, .max = 3600,
     .unit = " degrees"},
    {"path", pn_read_listener_path, PN_AT(pn_listener, path)},
    {0},
};

static pinna_status read_listener(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pinna_status status =
        pn_read_map(reader, node, listener_rules, &((pn_scene *)object)->listener, "'listener'");
    return status != PINNA_OK ? status : pn_refuse_both(reader, node, "position", "polar");
}

static const pn_rule master_rules[] = {
    {"strip", pn_read_strip, PN_AT(pn_master, strip)},
    {"gain", pn_read_number, PN_AT(pn_master, gain_db), PN_GAIN_RANGE},
    {"loudness", pn_read_number, PN_AT(pn_master, loudness_lufs), PN_MARK_AT(pn_master, loudness_mark),
     .min = -70, .max = 0, .unit = " LUFS"},
    {0},
};

static pinna_status read_master(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_master *master = &((pn_scene *)object)->master;
    pinna_status status = pn_read_map(reader, node, master_rules, master, "'master'");
    master->has_loudness = master->loudness_mark.line > 0;
    return status;
}

static const pn_word encodings[] = {
    {"pcm16", PN_ENCODING_PCM16}, {"pcm24", PN_ENCODING_PCM24}, {"pcm32", PN_ENCODING_PCM32},
    {"f32", PN_ENCODING_F32},     {"f64", PN_ENCODING_F64},     {NULL, 0},
};
static const pn_word dithers[] = {
    {"none", PN_DITHER_NONE}, {"tpdf", PN_DITHER_TPDF}, {"triangular", PN_DITHER_TPDF}, {NULL, 0}};

static const pn_rule output_rules[] = {
    {"encoding", pn_read_enum, PN_AT(pn_scene_output, encoding), .words = encodings},
    {"dither", pn_read_enum, PN_AT(pn_scene_output, dither), .words = dithers},
    {0},
};

static pinna_status read_output(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_scene_output *output = &((pn_scene *)object)->output;
    output->mark = node->mark;
    return pn_read_map(reader, node, output_rules, output, "'output'");
}

/* ------------------------------------------------------------------ buses */

static pinna_status read_ir(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_reverb *reverb = object;
    reverb->mark = node->mark;
    const char *text = NULL;
    pinna_status status = pn_text_of(reader, node, "ir", &text);
    if (status != PINNA_OK || pn_node_is_word(node, "builtin"))
        return status;
    return pn_resolve_path(reader, text, &reverb->ir);
}

static const pn_rule reverb_rules[] = {
    {.key = "ir", .read = read_ir},
    {"predelay", pn_read_time, PN_AT(pn_reverb, predelay), .min = 0, .max = 10, .unit = " s"},
    {"gain", pn_read_number, PN_AT(pn_reverb, gain_db), PN_GAIN_RANGE},
    {0},
};

static pinna_status read_reverb(pn_reader *reader, const pn_node *node, const pn_rule *rule, void *object) {
    (void)rule;
    pn_bus *bus = object;
    bus->has_reverb = 1;
    pinna_status status = pn_read_map(reader, node, reverb_rules, &bus->reverb, "'reverb'");
    return status != PINNA_OK ? status : pn_require_key(reader, node, "ir", "'reverb'");
}

static pinna_status refuse_bus_sends(pn_reader *reader, const pn_node *node, const pn_rule *rule,
                                     void *object) {
    (void)rule;
    (void)object;
    return pn_bad(reader, node->mark,
                  "a bus has no 'sends', so that no cycle can arise; let the sources send to both buses");
}

static const pn_rule bus_rules[] = {
    {"name", pn_read_name, PN_AT(pn_bus, name)},
    {.key = "reverb", .read = read_reverb},
    {"strip", pn_read_strip, PN_AT(pn_bus, strip)},
    {"gain", pn_read_number, PN_AT(pn_bus, gain_db), PN_GAIN_RANGE},
    {.key = "sends", .read = refuse_bus_sends},
    {0},
};

static pinna_status read_bus(pn_reader *reader, const pn_node *node) {
    pn_bus *bus = pn_scene_add_bus(reader->scene, NULL);
    if (bus == NULL)
        return pn_read_no_memory(reader, sizeof *bus);
    bus->mark = node->mark;
    pinna_status status = pn_read_map(reader, node, bus_rules, bus, "a bus");
    return status != PINNA_OK ? status : pn_require_key(reader, node, "name", "a bus");
}

static pinna_status read_buses(pn_reader *reader, const pn_node *node) {
    char found[PN_DESCRIBE_TEXT];
    if (node == NULL)
        return PINNA_OK;
    if (node->kind != PN_NODE_LIST)
        return pn_bad(reader, node->mark, "'buses' must be a list; got %s", pn_describe(node, found));
    if (node->count > PN_MOST_BUSES)
        return pn_bad(reader, node->mark, "'buses' must have %d entries at most; got %zu", (int)PN_MOST_BUSES,
                      node->count);
    for (const pn_node *entry = node->first; entry != NULL; entry = entry->next) {
        pinna_status status = read_bus(reader, entry);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

/* ------------------------------------------------------------------ the root */

static const pn_rule root_rules[] = {
    {.key = "pinna", .read = already_read},
    {"rate", pn_read_whole, PN_AT(pn_scene, rate), .min = 8000, .max = 384000, .unit = " Hz"},
    {"block", read_block, PN_AT(pn_scene, block), .min = 32, .max = 8192},
    {"duration", pn_read_time, PN_AT(pn_scene, duration), .min = 1e-6, .max = 1e6, .unit = " s"},
    {.key = "tempo", .read = already_read},
    {.key = "hrtf", .read = read_hrtf},
    {"doppler", pn_read_doppler, PN_AT(pn_scene, doppler), .min = 0, .max = 100},
    {.key = "distance", .read = read_distance},
    {.key = "air", .read = read_air},
    {.key = "listener", .read = read_listener},
    {.key = "sources", .read = pn_read_sources},
    {.key = "buses", .read = already_read},
    {.key = "master", .read = read_master},
    {.key = "output", .read = read_output},
    {0},
};

static pinna_status read_version(pn_reader *reader) {
    static const pn_rule rule = {"pinna", pn_read_whole, .min = 0, .max = 1e9};
    const pn_node *node = pn_map_get(reader->root, "pinna");
    if (node == NULL)
        return pn_bad(reader, reader->root->mark, "'pinna: 1' is missing, the version of the scene format");
    double version = 0;
    pinna_status status = pn_read_whole(reader, node, &rule, &version);
    if (status == PINNA_OK && version != 1)
        return pn_bad(reader, node->mark,
                      "scene format %.10g is not known; this version of pinna reads 'pinna: 1'", version);
    return status;
}

static pinna_status read_tempo(pn_reader *reader) {
    static const pn_rule rule = {"tempo",  pn_read_number, PN_AT(pn_scene, tempo),
                                 .min = 1, .max = 1000,    .unit = " beats a minute"};
    const pn_node *node = pn_map_get(reader->root, "tempo");
    pinna_status status = node != NULL ? pn_read_number(reader, node, &rule, reader->scene) : PINNA_OK;
    reader->tempo = reader->scene->tempo;
    return status;
}

pinna_status pn_read_root(pn_reader *reader) {
    pinna_status status = read_version(reader);
    if (status == PINNA_OK)
        status = read_tempo(reader);
    if (status == PINNA_OK)
        status = read_buses(reader, pn_map_get(reader->root, "buses"));
    if (status == PINNA_OK)
        status = pn_read_map(reader, reader->root, root_rules, reader->scene, "the scene");
    if (status == PINNA_OK && reader->scene->source_count == 0)
        return pn_bad(reader, reader->root->mark, "a scene needs 'sources': nothing would be heard");
    return status;
}
