// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/cpu_level.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

enum {
    SWEEP_PARTITIONS = 6, /* from so many partitions on four results per read cost less than one */
    JOINED_BLOCK = 512,   /* up to this block the parts are not worth steps of their own */
    WORK_CACHE = 262144,  /* bytes of work buffers: what stays in a second-level cache beside the spectra */
    TOUCHED_AT_ONCE = 1 << 21, /* bytes: a huge page */
    PADDING = 32               /* floats behind every buffer, against power-of-two spacing */
};

/* ------------------------------------------------------------------ components */

typedef struct {
    int *parent;    /* of inputs, then outputs: union-find */
    int *component; /* of each root, or -1 */
    int *place;     /* of each input and output: its index in the level, or -1 */
    int *start;     /* [used output + 1]: its first entry */
} finder;

static int find_root(int *parent, int node) {
    while (parent[node] != node)
        node = parent[node] = parent[parent[node]];
    return node;
}

static void unite(finder *f, const pn_level_desc *desc) {
    for (int n = 0; n < desc->inputs + desc->outputs; ++n) {
        f->parent[n] = n;
        f->component[n] = f->place[n] = -1;
    }
    for (int e = 0; e < desc->entries; ++e) {
        int input = find_root(f->parent, desc->entry[e].input);
        int output = find_root(f->parent, desc->inputs + desc->entry[e].output);
        f->parent[input] = output;
        f->place[desc->entry[e].input] = f->place[desc->inputs + desc->entry[e].output] = 0;
    }
}

/* Numbers the components by their first input, and counts their inputs and outputs. */
static void count_components(pn_level *level, finder *f, const pn_level_desc *desc) {
    for (int n = 0; n < desc->inputs + desc->outputs; ++n) {
        if (f->place[n] < 0)
            continue;
        int root = find_root(f->parent, n);
        if (f->component[root] < 0)
            f->component[root] = level->components++;
        pn_sums *sums = &level->component[f->component[root]].sums;
        ++*(n < desc->inputs ? &sums->inputs : &sums->outputs);
    }
    for (int c = 0; c < level->components; ++c) {
        pn_component *component = &level->component[c];
        component->first_input = level->used_inputs;
        component->first_output = level->used_outputs;
        component->sums.input = level->input + level->used_inputs;
        component->sums.output = level->output + level->used_outputs;
        component->sums.entry = level->entry;
        level->used_inputs += component->sums.inputs;
        level->used_outputs += component->sums.outputs;
        component->sums.inputs = component->sums.outputs = 0;
    }
}

static void place_nodes(pn_level *level, finder *f, const pn_level_desc *desc) {
    for (int n = 0; n < desc->inputs + desc->outputs; ++n) {
        if (f->place[n] < 0)
            continue;
        pn_component *component = &level->component[f->component[find_root(f->parent, n)]];
        if (n < desc->inputs) {
            f->place[n] = component->first_input + component->sums.inputs++;
            level->input_number[f->place[n]] = n;
        } else {
            f->place[n] = component->first_output + component->sums.outputs++;
            level->output_number[f->place[n]] = n - desc->inputs;
        }
    }
}

static int round_up(size_t value, int step) {
    return (int)((value + (size_t)step - 1) / (size_t)step) * step;
}

/* Entries by output (counting sort, in the order of the description within one), and the lengths of the rings. */
static void place_entries(pn_level *level, finder *f, const pn_level_desc *desc) {
    for (int e = 0; e < desc->entries; ++e)
        ++f->start[f->place[desc->inputs + desc->entry[e].output] + 1];
    for (int o = 0; o < level->used_outputs; ++o) {
        f->start[o + 1] += f->start[o];
        level->output[o].first = level->output[o].end = f->start[o];
    }
    for (int e = 0; e < desc->entries; ++e) {
        int input = f->place[desc->entry[e].input];
        const pn_component *component =
            &level->component[f->component[find_root(f->parent, desc->entry[e].input)]];
        pn_sums_entry *entry =
            &level->entry[level->output[f->place[desc->inputs + desc->entry[e].output]].end++];
        int step = level->sweeps ? PN_SUMS_FUTURE : 1;
        entry->partitions = (int)pn_level_partitions(&desc->entry[e], level->block);
        entry->input = input - component->first_input;
        entry->source = e;
        int slots = round_up((size_t)entry->partitions, step) - step;
        if (level->input[input].slots < slots)
            level->input[input].slots = slots;
    }
}

static pinna_status find_components(pn_level *level, const pn_level_desc *desc, pinna_error *err) {
    size_t inputs = (size_t)desc->inputs, outputs = (size_t)desc->outputs, nodes = inputs + outputs;
    int *numbers = pn_alloc(3 * nodes + outputs + 1, sizeof *numbers);
    level->component = pn_alloc(inputs < outputs ? inputs : outputs, sizeof *level->component);
    level->input = pn_alloc(inputs, sizeof *level->input);
    level->output = pn_alloc(outputs, sizeof *level->output);
    level->entry = pn_alloc((size_t)desc->entries, sizeof *level->entry);
    level->input_number = pn_alloc(inputs, sizeof *level->input_number);
    level->output_number = pn_alloc(outputs, sizeof *level->output_number);
    if (numbers == NULL || level->component == NULL || level->input == NULL || level->output == NULL ||
        level->entry == NULL || level->input_number == NULL || level->output_number == NULL) {
        pn_free(numbers);
        return pn_fail_memory(err, "a partition level", (double)desc->entries * sizeof *level->entry);
    }
    finder f = {numbers, numbers + nodes, numbers + 2 * nodes, numbers + 3 * nodes};
    level->entries = desc->entries;
    unite(&f, desc);
    count_components(level, &f, desc);
    place_nodes(level, &f, desc);
    place_entries(level, &f, desc);
    pn_free(numbers);
    return PINNA_OK;
}

/* ------------------------------------------------------------------ memory */

/* Hands out the next `floats` of the memory; with no memory yet it only counts. */
static float *take(const pn_level *level, size_t *used, size_t floats) {
    float *part = level->memory == NULL ? NULL : level->memory + *used;
    *used += (floats + 2 * PADDING - 1) / PADDING * PADDING;
    return part;
}

/* A kind of spectra of a component, side by side in every tile. */
typedef struct {
    float *memory;
    size_t tile; /* floats of a tile so far */
} shelf;

static float *put(const pn_level *level, shelf *to, size_t spectra) {
    float *place = to->memory == NULL ? NULL : to->memory + to->tile;
    to->tile += spectra * level->tile;
    return place;
}

/* Twice: to learn how wide the tiles are, and to place. */
static void fill_shelves(const pn_level *level, const pn_component *component, shelf *ring, shelf *filter,
                         shelf *recent, shelf *head, shelf *later) {
    int input_end = component->first_input + component->sums.inputs;
    int output_end = component->first_output + component->sums.outputs;
    for (int i = component->first_input; i < input_end; ++i) {
        level->input[i].ring = put(level, ring, (size_t)level->input[i].slots);
        for (int j = 0; j < PN_SUMS_FUTURE - 1; ++j)
            level->input[i].recent[j] = put(level, &recent[j], 1);
    }
    for (int o = component->first_output; o < output_end; ++o) {
        for (int j = 0; j < PN_SUMS_FUTURE - 1; ++j)
            level->output[o].later[j] = put(level, &later[j], 1);
        for (int e = level->output[o].first; e < level->output[o].end; ++e) {
            level->entry[e].filter = put(level, filter, (size_t)level->entry[e].partitions);
            for (int j = 0; j < PN_SUMS_FUTURE - 1; ++j)
                level->entry[e].head[j] = put(level, &head[j], 1);
        }
    }
}

static void take_shelf(const pn_level *level, size_t *used, shelf *to) {
    to->memory = take(level, used, level->tiles * to->tile);
    to->tile = 0;
}

static void place_component(const pn_level *level, pn_component *component, size_t *used) {
    pn_sums *sums = &component->sums;
    shelf ring = {0}, filter = {0}, recent[PN_SUMS_FUTURE - 1] = {0}, head[PN_SUMS_FUTURE - 1] = {0},
          later[PN_SUMS_FUTURE - 1] = {0};
    fill_shelves(level, component, &ring, &filter, recent, head, later);
    sums->ring_step = ring.tile;
    sums->filter_step = filter.tile;
    sums->recent_step = recent[0].tile;
    sums->head_step = head[0].tile;
    sums->later_step = later[0].tile;
    for (int o = component->first_output; o < component->first_output + sums->outputs; ++o) {
        level->out[0][o] = take(level, used, (size_t)level->block);
        level->out[1][o] = take(level, used, (size_t)level->block);
    }
    take_shelf(level, used, &ring);
    take_shelf(level, used, &filter);
    for (int j = 0; level->sweeps && j < PN_SUMS_FUTURE - 1; ++j) {
        take_shelf(level, used, &recent[j]);
        take_shelf(level, used, &head[j]);
        take_shelf(level, used, &later[j]);
    }
    fill_shelves(level, component, &ring, &filter, recent, head, later);
}

static size_t works_of(const pn_component *component) {
    return (size_t)(component->sums.inputs + component->sums.outputs - 1);
}

/* The work buffers of a component: one for each input, and for each output but the last, whose tiles replace the
 * first input's, which are done with. Where one thread runs them, a component's job ends before the next one's
 * begins, so that few sets, as large as the largest needs, serve all, and stay in the cache. Else each has its own,
 * of its size. */
static void place_works(pn_level *level, size_t *used) {
    size_t most = 1, all = 0, floats = (size_t)level->parts * level->stride + PADDING;
    for (int c = 0; c < level->components; ++c) {
        size_t works = works_of(&level->component[c]);
        most = works > most ? works : most;
        all += works;
    }
    size_t sets = WORK_CACHE / (most * floats * sizeof(float)), components = (size_t)level->components;
    level->sets = sets < 1 ? 1 : (int)(sets < components ? sets : components);
    if (level->cpu->shared)
        level->sets = level->components;
    bool own = level->sets == level->components;
    float *memory = take(level, used, (own ? all : (size_t)level->sets * most) * floats);
    size_t before = 0;
    for (int c = 0; memory != NULL && c < level->components; ++c) {
        const pn_component *component = &level->component[c];
        pn_sums_input *input = level->input + component->first_input;
        pn_sums_output *output = level->output + component->first_output;
        int last = component->sums.outputs - 1;
        float *at = memory + (own ? before : (size_t)(c % level->sets) * most) * floats;
        before += works_of(component);
        for (int i = 0; i < component->sums.inputs; ++i, at += floats)
            input[i].work = at;
        for (int o = 0; o < last; ++o, at += floats)
            output[o].work = at;
        output[last].work = input[0].work;
    }
}

static size_t place_memory(pn_level *level) {
    size_t used = 0;
    place_works(level, &used);
    for (int c = 0; c < level->components; ++c)
        place_component(level, &level->component[c], &used);
    if (level->used_outputs < level->outputs)
        level->silence = take(level, &used, (size_t)level->block);
    return used;
}

/* Fresh pages are cleared by the system, which takes half as long as the responses' transforms: all threads share it. */
typedef struct {
    char *memory;
    size_t bytes, share;
} touching;

static void touch_share(void *context, int number) {
    const touching *t = context;
    size_t first = (size_t)number * t->share, left = t->bytes - first;
    pn_touch(t->memory + first, left < t->share ? left : t->share);
}

static void touch_memory(const pn_level *level, size_t floats) {
    touching t = {(char *)level->memory, floats * sizeof(float), TOUCHED_AT_ONCE};
    size_t shares = (t.bytes + t.share - 1) / t.share;
    pn_pool_run(level->cpu->pool, touch_share, &t, (int)shares);
}

static pinna_status allocate(pn_level *level, pinna_error *err) {
    size_t outputs = (size_t)level->outputs;
    level->out[0] = pn_alloc(outputs, sizeof *level->out[0]);
    level->out[1] = pn_alloc(outputs, sizeof *level->out[1]);
    level->aim = pn_alloc(outputs, sizeof *level->aim);
    level->lent = pn_alloc(outputs, sizeof *level->lent);
    level->history = pn_alloc((size_t)level->inputs, sizeof *level->history);
    if (level->out[0] == NULL || level->out[1] == NULL || level->aim == NULL || level->lent == NULL ||
        level->history == NULL)
        return pn_fail_memory(err, "a partition level", 4.0 * (double)outputs * sizeof *level->lent);
    size_t floats = place_memory(level);
    level->memory = pn_alloc_untouched(floats, sizeof *level->memory);
    if (level->memory == NULL)
        return pn_fail_memory(err, "a partition level", (double)floats * sizeof(float));
    touch_memory(level, floats);
    place_memory(level);
    for (int o = 0; o < level->outputs; ++o)
        level->lent[o] = level->silence;
    return PINNA_OK;
}

pinna_status pn_cpu_level_lay_out(pn_level *level, const pn_level_desc *desc, pinna_error *err) {
    int lanes = pn_rafft_lanes(level->fft);
    level->width = pn_sums_width_of(lanes);
    level->tile = 2 * (size_t)lanes;
    level->tiles = (size_t)(level->block / lanes);
    level->parts = pn_rafft_parts(level->fft);
    level->columns = pn_rafft_columns(level->fft);
    level->joined = level->block <= JOINED_BLOCK;
    level->stride = level->columns * level->tile + (level->joined ? 0 : PADDING);
    size_t most = 0;
    for (int e = 0; e < desc->entries; ++e) {
        size_t partitions = pn_level_partitions(&desc->entry[e], level->block);
        most = partitions > most ? partitions : most;
    }
    level->sweeps = most >= SWEEP_PARTITIONS;
    level->swath =
        level->joined || level->parts < PN_SUMS_FUTURE ? level->tiles / PN_SUMS_FUTURE : level->columns;
    pinna_status status = find_components(level, desc, err);
    return status == PINNA_OK ? allocate(level, err) : status;
}
