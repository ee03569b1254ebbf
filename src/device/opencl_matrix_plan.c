// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Lays a convolver matrix out on a device, as opencl_matrix.h says: lists, shards, schedule, buffers. */
#include "device/opencl_matrix.h"

#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

enum { UNIT_LOG2 = 8, SMALLEST_UNIT_LOG2 = 6, UNITS_IN_A_STEP = 4 };

/* Of one transform, by bins: what it costs as reading so many spectra does, in one launch (two: twice that). It decides
 * in which call work is done, never a result. */
static const double TRANSFORM_COST_GPU = 4, TRANSFORM_COST_CPU = 6;

typedef struct {
    const pn_matrix_desc *desc;
    int most_futures_log2;
    pn_matrix_part *parts; /* of all levels, those of a level together */
    int part_first[PN_MATRIX_LEVELS + 1];
    int *input_at, *output_at, *place, *order, *rows_at; /* scratch */
    double *cost;                                        /* the same */
    int *input_of, *output_of;                           /* of the level's: the matrix's number */
    pn_row *row;
    int *row_of; /* by level's list place and input: row */
    int rows;
    pn_piece *piece;
    int pieces;
    int *first;
    int firsts;
    int *map;
    uint64_t fill[PN_SHARDS], x_fill[PN_SHARDS]; /* vectors */
    int shards;
    uint64_t work, y, result; /* floats, vectors, floats */
} plan;

static void free_plan(plan *p) {
    void *all[] = {p->parts, p->input_at,  p->output_at, p->place,  p->input_of, p->order, p->rows_at,
                   p->cost,  p->output_of, p->row,       p->row_of, p->piece,    p->first, p->map};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
        pn_free(all[i]);
}

static pinna_status allocate_plan(plan *p, pinna_error *err) {
    const pn_matrix_desc *d = p->desc;
    size_t levels = (size_t)d->levels, entries = (size_t)d->entries, inputs = (size_t)d->inputs;
    size_t outputs = (size_t)d->outputs, pieces = 0;
    for (int e = 0; e < d->entries; ++e)
        for (int l = 0; l < d->levels; ++l)
            pieces += d->entry[e].length / ((size_t)d->level[l].block * PN_CHUNK) + 1;
    if (pieces > INT_MAX)
        return pn_fail(err, PINNA_NO_MEMORY,
                       "%d responses would be %zu pieces of work for a device, expected at most %d; use the "
                       "CPU, or fewer responses",
                       d->entries, pieces, INT_MAX);
    p->parts = pn_alloc(levels * entries, sizeof *p->parts);
    p->input_at = pn_alloc(inputs, sizeof(int));
    p->output_at = pn_alloc(outputs, sizeof(int));
    p->input_of = pn_alloc(inputs, sizeof(int));
    p->output_of = pn_alloc(outputs, sizeof(int));
    p->place = pn_alloc(inputs + outputs + 1, sizeof(int));
    p->order = pn_alloc(entries, sizeof(int));
    p->rows_at = pn_alloc(outputs + 1, sizeof(int));
    p->cost = pn_alloc(outputs, sizeof *p->cost);
    p->row = pn_alloc(levels * inputs, sizeof *p->row);
    p->row_of = pn_alloc(levels * inputs, sizeof(int));
    p->piece = pn_alloc(pieces, sizeof *p->piece);
    p->first = pn_alloc(levels * 2 * outputs, sizeof(int));
    p->map = pn_alloc(levels * outputs, sizeof(int));
    if (p->parts == NULL || p->input_at == NULL || p->output_at == NULL || p->input_of == NULL ||
        p->output_of == NULL || p->place == NULL || p->order == NULL || p->rows_at == NULL ||
        p->cost == NULL || p->row == NULL || p->row_of == NULL || p->piece == NULL || p->first == NULL ||
        p->map == NULL)
        return pn_fail_memory(err, "the plan of a convolver", (double)(pieces * sizeof *p->piece));
    return PINNA_OK;
}

/* ------------------------------------------------------------------ levels */

static void gather(pn_matrix *m, plan *p, int l) {
    const pn_matrix_desc *d = p->desc;
    const pn_matrix_level *from = &d->level[l];
    pn_level_layout *level = &m->level[l];
    memset(p->input_at, -1, (size_t)d->inputs * sizeof(int));
    memset(p->output_at, -1, (size_t)d->outputs * sizeof(int));
    int count = p->part_first[l];
    level->fixed.ring = 1;
    for (int e = 0; e < d->entries; ++e) {
        const pn_level_entry *entry = &d->entry[e];
        if (entry->length <= from->first)
            continue;
        size_t room = (size_t)from->block * (size_t)from->partitions, length = entry->length - from->first;
        length = length < room ? length : room;
        if (p->input_at[entry->input] < 0) {
            p->input_of[level->inputs] = entry->input;
            p->input_at[entry->input] = level->inputs++;
        }
        if (p->output_at[entry->output] < 0) {
            p->output_of[level->outputs] = entry->output;
            p->output_at[entry->output] = level->outputs++;
        }
        int partitions = (int)((length + (size_t)from->block - 1) / (size_t)from->block);
        level->fixed.ring = partitions > level->fixed.ring ? partitions : level->fixed.ring;
        p->parts[count++] = (pn_matrix_part){.input = p->input_at[entry->input],
                                             .output = p->output_at[entry->output],
                                             .taps = entry->taps + from->first,
                                             .length = length,
                                             .partitions = partitions};
    }
    p->part_first[l + 1] = count;
}

/* A run of vectors in a shard. */
static pinna_status place_row(const pn_matrix *m, plan *p, uint64_t vectors, int *shard, uint32_t *at,
                              pinna_error *err) {
    const pn_opencl *device = m->device;
    const double megabytes = m->vector * 4e-6;
    uint64_t room = device->info.max_alloc / ((uint64_t)m->vector * 4);
    room = room < UINT32_MAX ? room : UINT32_MAX;
    if (vectors > room)
        return pn_fail(
            err, PINNA_NO_MEMORY,
            "%s (%s): the spectra of one channel would be %.1f MB, and the device gives %.1f MB in one "
            "piece; use the CPU, or shorter responses",
            device->head.name, device->info.name, (double)vectors * megabytes, (double)room * megabytes);
    if (p->shards == 0 || p->fill[p->shards - 1] + vectors > room) {
        if (p->shards == PN_SHARDS)
            return pn_fail(
                err, PINNA_NO_MEMORY,
                "%s (%s): the responses' spectra need more than %d buffers of the %.1f MB that the device "
                "gives in one piece; use the CPU, or fewer or shorter responses",
                device->head.name, device->info.name, PN_SHARDS, (double)room * megabytes);
        ++p->shards;
    }
    *shard = p->shards - 1;
    *at = (uint32_t)p->fill[*shard];
    p->fill[*shard] += vectors;
    return PINNA_OK;
}

/* Counting sort: at[k + 1] counts what belongs into run k, and becomes, in at[k], where it begins. Then at[k] moves on as
 * the run is filled, and goes back. */
static void start_runs(int *at, int runs) {
    for (int k = 0; k < runs; ++k)
        at[k + 1] += at[k];
}

static void rewind_runs(int *at, int runs) {
    memmove(at + 1, at, (size_t)runs * sizeof *at);
    at[0] = 0;
}

/* The level's inputs into the list, by the first output that needs them. rows_at[o]: those before output o's. */
static pinna_status list_inputs(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    int *need = p->place;
    uint64_t vectors =
        (uint64_t)level->fixed.ring * (2 * (uint64_t)p->desc->level[l].block / (uint64_t)m->vector);
    for (int i = 0; i < level->inputs; ++i)
        need[i] = level->outputs;
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        if (p->parts[e].output < need[p->parts[e].input])
            need[p->parts[e].input] = p->parts[e].output;
    level->list = p->rows;
    memset(p->rows_at, 0, ((size_t)level->outputs + 1) * sizeof(int));
    for (int i = 0; i < level->inputs; ++i)
        ++p->rows_at[need[i] + 1];
    start_runs(p->rows_at, level->outputs);
    for (int i = 0; i < level->inputs; ++i) {
        int at = level->list + p->rows_at[need[i]]++;
        p->row_of[level->list + i] = at;
        p->row[at].input = p->input_of[i];
    }
    rewind_runs(p->rows_at, level->outputs);
    pinna_status status = PINNA_OK;
    for (int r = 0; r < level->inputs && status == PINNA_OK; ++r) {
        pn_row *row = &p->row[p->rows++];
        status = place_row(m, p, vectors, &row->shard, &row->at, err);
    }
    return status;
}

/* Jobs that are summed in one reading: what costs least in spectra moved, while a step has units of every phase. */
static void choose_futures(const plan *p, int l, pn_level_layout *level) {
    double parts = p->part_first[l + 1] - p->part_first[l], outputs = level->outputs, partitions = 0,
           least = 0;
    int units = level->units / level->period;
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        partitions += p->parts[e].partitions;
    level->later = level->fixed.ring > 1;
    for (int log2 = 0; level->later && log2 <= p->most_futures_log2; ++log2) {
        int futures = 1 << log2;
        double read = 2 * (partitions - parts) + parts * (2 * futures + futures * (futures - 1));
        double cost = (read + outputs * (4 * futures - 2)) / futures;
        if (futures > 2 && futures > units)
            break;
        if (log2 > 0 && cost >= least)
            continue;
        least = cost;
        level->fixed.futures_log2 = log2;
    }
}

typedef struct {
    const pn_level_layout *level;
    double done, scale; /* cost so far; steps in one unit of cost */
} walk;

/* The step of what comes next. */
static int next_step(walk *w, double cost) {
    int step = (int)((w->done + 0.5 * cost) * w->scale);
    w->done += cost;
    return step < w->level->period ? step : w->level->period - 1;
}

static void count_up(int *before, int period) {
    for (int s = 0; s < period; ++s)
        before[s + 1] += before[s];
}

/* unit[o]: what a unit of output o reads and writes, mean of all phases, counting spectra of 32 bits. Returns the sum over
 * all units. */
static double count_units(const pn_matrix *m, const plan *p, int l, double *unit) {
    const pn_level_layout *level = &m->level[l];
    int futures = 1 << level->fixed.futures_log2,
        units = 1 << (level->fixed.points_log2 - level->fixed.unit_log2);
    double bins = 1 << level->fixed.unit_log2, all = 0;
    double pair = m->packed ? 1.5 + 0.5 / (1 << PN_SCALED_LOG2) : 2; /* X and H */
    for (int o = 0; o < level->outputs; ++o)
        unit[o] = bins * (5 - 2.0 / futures); /* of sums themselves */
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e) {
        int partitions = p->parts[e].partitions - 1;
        double products = partitions;
        for (int i = 1; i < futures; ++i)
            products += i < partitions ? i : partitions;
        unit[p->parts[e].output] += bins * pair * (1 + products / futures);
    }
    for (int o = 0; o < level->outputs; ++o)
        all += unit[o] * units;
    return all;
}

/* The steps, by the estimated cost of what is in them. */
static pinna_status spread_steps(pn_matrix *m, const plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    size_t row = (size_t)level->period + 1;
    int *before = pn_alloc(3 * row, sizeof *before);
    if (before == NULL)
        return pn_fail_memory(err, "the plan of a convolver", 12.0 * (double)row);
    level->rows_before = before;
    level->units_before = before + row;
    level->outs_before = before + 2 * row;
    double sums = count_units(m, p, l, p->cost);
    double transform = m->device->info.type == PN_OPENCL_CPU ? TRANSFORM_COST_CPU : TRANSFORM_COST_GPU;
    transform *= (1 << level->fixed.points_log2) * (level->fixed.top_log2 > 0 ? 2 : 1);
    level->sums_bytes = 8 * sums;
    walk w = {.level = level, .scale = level->period / (sums + transform * (level->inputs + level->outputs))};
    for (int o = 0; o < level->outputs; ++o) {
        for (int i = p->rows_at[o]; i < p->rows_at[o + 1]; ++i)
            ++level->rows_before[next_step(&w, transform) + 1];
        for (int u = 0; u < level->units / level->outputs; ++u)
            ++level->units_before[next_step(&w, p->cost[o]) + 1];
        ++level->outs_before[next_step(&w, transform) + 1];
    }
    count_up(level->rows_before, level->period);
    count_up(level->units_before, level->period);
    count_up(level->outs_before, level->period);
    return PINNA_OK;
}

static int most_in_a_step(const pn_level_layout *level) {
    int most = 0;
    for (int s = 0; s < level->period; ++s) {
        int rows = level->rows_before[s + 1] - level->rows_before[s];
        int outs = level->outs_before[s + 1] - level->outs_before[s];
        most = rows > most ? rows : most;
        most = outs > most ? outs : most;
    }
    return most;
}

/* Smaller units where there are too few in a step for all phases of their jobs. */
static void choose_unit(pn_level_layout *level) {
    pn_level_work *w = &level->fixed;
    w->unit_log2 = w->points_log2 < UNIT_LOG2 ? w->points_log2 : UNIT_LOG2;
    while (w->unit_log2 > SMALLEST_UNIT_LOG2 &&
           (level->outputs << (w->points_log2 - w->unit_log2)) < UNITS_IN_A_STEP * level->period)
        --w->unit_log2;
    level->units = level->outputs << (w->points_log2 - w->unit_log2);
}

static pinna_status shape_level(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    pn_level_work *w = &level->fixed;
    gather(m, p, l);
    choose_unit(level);
    choose_futures(p, l, level);
    if (l == 0)
        for (int o = 0; o < level->outputs; ++o)
            m->head_output[o] = p->output_of[o];
    else { /* level 0 has every output, and the others map to it */
        w->map = (l - 1) * m->level[0].outputs;
        for (int o = 0; o < m->level[0].outputs; ++o)
            p->map[w->map + o] = p->output_at[m->head_output[o]];
        level->result = (uint32_t)(p->result / PN_TILE);
        p->result += (uint64_t)2 * (uint64_t)level->outputs << w->points_log2;
    }
    pinna_status status = list_inputs(m, p, l, err);
    if (status == PINNA_OK)
        status = spread_steps(m, p, l, err);
    if (status == PINNA_OK && w->top_log2 > 0)
        p->work += (uint64_t)most_in_a_step(level) * 2 << w->points_log2;
    return status;
}

/* order: the level's parts by output; place[o + 1]: the end of those of output o, place[0] = 0. */
static void sort_parts(plan *p, int l, int outputs) {
    int *place = p->place;
    memset(place, 0, ((size_t)outputs + 1) * sizeof *place);
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        ++place[p->parts[e].output + 1];
    start_runs(place, outputs);
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        p->order[place[p->parts[e].output]++] = e;
    rewind_runs(place, outputs);
}

/* What so many vectors of H take: in 16 bits half, and the scales. */
static uint64_t spectra_vectors(const pn_matrix *m, uint64_t vectors) {
    uint64_t tile = (uint64_t)m->vector / 2, floats = vectors * (tile + (tile >> PN_SCALED_LOG2));
    return m->packed ? (floats + 2 * tile - 1) / (2 * tile) : vectors;
}

/* Pieces of the level by output, and the places of its responses. */
static pinna_status list_pieces(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    int tiles_log2 = level->fixed.points_log2 - m->device->widths.tile_log2, most = 1;
    sort_parts(p, l, level->outputs);
    level->fixed.first = p->firsts;
    for (int o = 0; o < level->outputs; ++o) {
        p->first[p->firsts++] = p->pieces;
        for (int e = p->place[o]; e < p->place[o + 1]; ++e) {
            pn_matrix_part *from = &p->parts[p->order[e]];
            uint64_t vectors = spectra_vectors(m, (uint64_t)from->partitions << tiles_log2);
            pinna_status status = place_row(m, p, vectors, &from->shard, &from->at, err);
            if (status != PINNA_OK)
                return status;
            const pn_row *row = &p->row[p->row_of[level->list + from->input]];
            for (int at = 0; at < from->partitions; at += PN_CHUNK)
                p->piece[p->pieces++] =
                    (pn_piece){.x_shard = row->shard,
                               .x = row->at,
                               .h_shard = from->shard,
                               .h = from->at,
                               .partition = at,
                               .count = from->partitions - at < PN_CHUNK ? from->partitions - at : PN_CHUNK,
                               .partitions = from->partitions};
        }
        int pieces = p->pieces - p->first[p->firsts - 1];
        most = pieces > most ? pieces : most;
        p->first[p->firsts++] = p->pieces;
    }
    size_t units = (size_t)(level->units / level->period < 1 ? 1 : level->units / level->period);
    level->fixed.shares = pn_opencl_shares(m->device, units << level->fixed.unit_log2, most);
    level->fixed.y = (uint32_t)p->y;
    p->y += (uint64_t)level->outputs * (uint64_t)level->fixed.shares << tiles_log2;
    return PINNA_OK;
}

static int log2_of(int value) {
    int log = 0;
    while (1 << log < value)
        ++log;
    return log;
}

static void set_sizes(pn_matrix *m, const pn_matrix_desc *desc) {
    int largest = desc->level[desc->levels - 1].block;
    m->vector = 2 << m->device->widths.tile_log2;
    m->packed = m->device->head.spectra_bits == 16;
    m->block = desc->level[0].block;
    m->inputs = desc->inputs;
    m->outputs = desc->outputs;
    m->levels = desc->levels;
    for (int l = 0; l < desc->levels; ++l) {
        pn_level_layout *level = &m->level[l];
        pn_level_work *w = &level->fixed;
        level->period = desc->level[l].block / m->block;
        w->points_log2 = log2_of(desc->level[l].block);
        w->top_log2 = w->points_log2 > PN_LOCAL_LOG2 ? w->points_log2 - PN_LOCAL_LOG2 : 0;
        int local = w->top_log2 > 0 ? PN_LOCAL_LOG2 : w->points_log2;
        m->local_log2 = local > m->local_log2 ? local : m->local_log2;
    }
    /* a job's window ends up to a period ago */
    m->blocks = desc->levels > 1 ? 4 * (largest / m->block) : 2;
    size_t words = 2 * sizeof(pn_work) / 4;
    m->samples = (words + 63) / 64 * 64; /* aligned as vectors are */
    m->stride = m->samples + (size_t)m->inputs * (size_t)m->block;
}

static pinna_status make_plan(pn_matrix *m, plan *p, pinna_error *err) {
    pinna_status status = allocate_plan(p, err);
    m->head_output = pn_alloc((size_t)m->outputs, sizeof(int));
    if (status == PINNA_OK && m->head_output == NULL)
        return pn_fail_memory(err, "the plan of a convolver", 4.0 * m->outputs);
    for (int l = 0; l < m->levels && status == PINNA_OK; ++l)
        status = shape_level(m, p, l, err);
    memcpy(p->x_fill, p->fill, sizeof p->fill);
    for (int l = 0; l < m->levels && status == PINNA_OK; ++l)
        status = list_pieces(m, p, l, err);
    for (int l = 0; l < m->levels; ++l) {
        pn_level_work *w = &m->level[l].fixed;
        w->ahead = (uint32_t)p->y;
        w->ahead_step = ((uint32_t)m->level[l].outputs * (uint32_t)w->shares)
                        << (w->points_log2 - m->device->widths.tile_log2);
        p->y += (uint64_t)w->ahead_step << w->futures_log2;
    }
    m->y_count = (size_t)p->y * (size_t)m->vector;
    return status;
}

/* ------------------------------------------------------------------ buffers */

/* Places of 32 bits, in vectors or in PN_TILE floats, reach over some 100 GB and more: what is beyond is refused, where a
 * device has that much at all. */
static pinna_status check_places(const pn_matrix *m, const plan *p, pinna_error *err) {
    uint64_t places = p->y;
    places = p->result / PN_TILE > places ? p->result / PN_TILE : places;
    places = p->work / PN_TILE > places ? p->work / PN_TILE : places;
    if (places <= UINT32_MAX)
        return PINNA_OK;
    return pn_fail(err, PINNA_NO_MEMORY,
                   "%s (%s): %d outputs with these responses need sums and results of %.0f GB, more than can "
                   "be addressed; use fewer outputs or shorter responses",
                   m->device->head.name, m->device->info.name, m->outputs,
                   4e-9 * ((double)m->vector * (double)p->y + (double)p->result + (double)p->work));
}

enum { BUFFERS = 9 };

typedef struct {
    const char *what;
    size_t count; /* floats */
    cl_mem *buffer;
} wanted_buffer;

/* What there will be on the device. Returns how many. */
static int list_buffers(pn_matrix *m, const plan *p, wanted_buffer list[BUFFERS + PN_SHARDS]) {
    size_t table = (size_t)2 << m->level[m->levels - 1].fixed.points_log2;
    m->result_count = (size_t)p->result;
    const wanted_buffer first[BUFFERS] = {
        {"input blocks", (size_t)m->blocks * m->stride, &m->time},
        {"sums of spectra", m->y_count, &m->y},
        {"large transforms", (size_t)p->work, &m->work},
        {"results", m->result_count, &m->result},
        {"outputs", (size_t)m->level[0].outputs * (size_t)m->block, &m->out},
        {"the inputs' list", (size_t)p->rows * sizeof(pn_row) / 4, &m->list},
        {"the convolver's plan", (size_t)p->pieces * sizeof(pn_piece) / 4, &m->pieces},
        {"the convolver's plan", (size_t)p->firsts, &m->firsts},
        {"the outputs' map", (size_t)(m->levels - 1) * (size_t)m->level[0].outputs, &m->map}};
    memcpy(list, first, sizeof first);
    m->shards = p->shards;
    for (int s = 0; s < p->shards; ++s) {
        m->shard_count[s] = (size_t)p->fill[s] * (size_t)m->vector;
        m->x_count[s] = (size_t)p->x_fill[s] * (size_t)m->vector;
        list[BUFFERS + s] = (wanted_buffer){"spectra", m->shard_count[s], &m->shard[s]};
    }
    m->bytes = 4 * (uint64_t)table;
    for (int i = 0; i < BUFFERS + p->shards; ++i)
        m->bytes += 4 * (uint64_t)list[i].count;
    return BUFFERS + p->shards;
}

static bool is_room(pn_matrix *m, const plan *p) {
    wanted_buffer list[BUFFERS + PN_SHARDS];
    int count = list_buffers(m, p, list);
    bool room = m->bytes + atomic_load(&m->device->used) <= m->device->info.memory;
    for (int i = 0; i < count && room; ++i)
        room = pn_opencl_buffer_check(m->device, list[i].what, list[i].count, NULL) == PINNA_OK;
    m->bytes = 0; /* not taken yet */
    return room;
}

static pinna_status create_buffers(pn_matrix *m, const plan *p, pinna_error *err) {
    pn_opencl *device = m->device;
    wanted_buffer list[BUFFERS + PN_SHARDS];
    int count = list_buffers(m, p, list);
    uint64_t used = atomic_fetch_add(&device->used, m->bytes);
    if (m->bytes + used > device->info.memory)
        return pn_fail(
            err, PINNA_NO_MEMORY,
            "%s (%s): the responses need %.1f MB, and the device has %.1f MB, of which %.1f MB are in use; "
            "use the CPU, or fewer or shorter responses",
            device->head.name, device->info.name, (double)m->bytes * 1e-6, (double)device->info.memory * 1e-6,
            (double)used * 1e-6);
    pinna_status status = check_places(m, p, err);
    for (int i = 0; i < count && status == PINNA_OK; ++i)
        status = pn_opencl_buffer_check(device, list[i].what, list[i].count, err);
    for (int i = 0; i < count && status == PINNA_OK; ++i)
        status = pn_opencl_buffer_create(device, list[i].what, list[i].count, list[i].buffer, err);
    return status;
}

static pinna_status send_plan(pn_matrix *m, const plan *p, pinna_error *err) {
    const struct {
        cl_mem buffer;
        const void *data;
        size_t count;
    } sent[] = {{m->list, p->row, (size_t)p->rows * sizeof(pn_row) / 4},
                {m->pieces, p->piece, (size_t)p->pieces * sizeof(pn_piece) / 4},
                {m->firsts, p->first, (size_t)p->firsts},
                {m->map, p->map, (size_t)(m->levels - 1) * (size_t)m->level[0].outputs}};
    pinna_status status = PINNA_OK;
    for (size_t i = 0; i < sizeof sent / sizeof sent[0] && status == PINNA_OK; ++i)
        status = pn_opencl_write(m->device, m->queue, sent[i].buffer, 0, sent[i].data, sent[i].count, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    return status != PINNA_OK ? status : done;
}

static void forget_plan(pn_matrix *m, plan *p) {
    free_plan(p);
    for (int l = 0; l < m->levels; ++l)
        pn_free(m->level[l].rows_before);
    memset(m->level, 0, sizeof m->level);
    pn_free(m->head_output);
    m->head_output = NULL;
}

/* With sums for as many jobs ahead as suit it, or, where their place is missing, for fewer: reading more often is better
 * than not at all. */
static pinna_status plan_to_fit(pn_matrix *m, plan *p, pinna_error *err) {
    const pn_matrix_desc *desc = p->desc;
    for (int most = PN_FUTURES_LOG2;; --most) {
        *p = (plan){.desc = desc, .most_futures_log2 = most};
        set_sizes(m, desc);
        pinna_status status = make_plan(m, p, err);
        if (status != PINNA_OK)
            return status;
        bool room = is_room(m, p);
        if (room && most < PN_FUTURES_LOG2)
            pn_info(
                m->device->head.messages,
                "%s: sums are made for at most %d jobs in one reading, since the device's memory is short",
                m->device->head.name, 1 << most);
        if (room || most == 0)
            return PINNA_OK;
        forget_plan(m, p);
    }
}

pinna_status pn_opencl_matrix_lay_out(pn_matrix *m, const pn_matrix_desc *desc, pinna_error *err) {
    plan p = {.desc = desc};
    pinna_status status = plan_to_fit(m, &p, err);
    if (status == PINNA_OK)
        status = create_buffers(m, &p, err);
    if (status == PINNA_OK)
        status = send_plan(m, &p, err);
    for (int l = 0; l < m->levels && status == PINNA_OK; ++l)
        status = pn_opencl_matrix_send(m, l, p.parts + p.part_first[l], p.part_first[l + 1] - p.part_first[l],
                                       err);
    m->first = p.first; /* for matrix_mute */
    m->first_count = (size_t)p.firsts;
    m->map_of = p.map;
    p.first = p.map = NULL;
    free_plan(&p);
    return status;
}
