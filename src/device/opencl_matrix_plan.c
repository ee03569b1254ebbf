// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Lays a convolver matrix out on a device, as opencl_matrix.h says: lists, shards, schedule, buffers, and the
 * responses' spectra. The factor 1 / M of the inverse is in H (exact: a power of two). */
#include "device/opencl_matrix.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"

enum { BATCH_FLOATS = 1 << 20, BATCH_ROWS = 4096, UNIT_LOG2 = 8 };

/* The part of an entry that a level covers. */
typedef struct {
    int input, output; /* of the level */
    const float *taps;
    size_t length;
    int partitions, shard;
    uint32_t at; /* vector of its spectra in the shard */
} part;

typedef struct {
    const pn_matrix_desc *desc;
    part *parts; /* of all levels, those of a level together */
    int part_first[PN_MATRIX_LEVELS + 1];
    int *input_at, *output_at, *place, *order; /* scratch */
    int *input_of, *output_of;                 /* of the level's: the matrix's number */
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
    void *all[] = {p->parts,     p->input_at, p->output_at, p->place, p->input_of, p->order,
                   p->output_of, p->row,      p->row_of,    p->piece, p->first,    p->map};
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
    p->parts = pn_alloc(levels * entries, sizeof *p->parts);
    p->input_at = pn_alloc(inputs, sizeof(int));
    p->output_at = pn_alloc(outputs, sizeof(int));
    p->input_of = pn_alloc(inputs, sizeof(int));
    p->output_of = pn_alloc(outputs, sizeof(int));
    p->place = pn_alloc(inputs + outputs + 1, sizeof(int));
    p->order = pn_alloc(entries, sizeof(int));
    p->row = pn_alloc(levels * inputs, sizeof *p->row);
    p->row_of = pn_alloc(levels * inputs, sizeof(int));
    p->piece = pn_alloc(pieces, sizeof *p->piece);
    p->first = pn_alloc(levels * (outputs + 1), sizeof(int));
    p->map = pn_alloc(levels * outputs, sizeof(int));
    if (p->parts == NULL || p->input_at == NULL || p->output_at == NULL || p->input_of == NULL ||
        p->output_of == NULL || p->place == NULL || p->order == NULL || p->row == NULL || p->row_of == NULL ||
        p->piece == NULL || p->first == NULL || p->map == NULL)
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
        p->parts[count++] = (part){.input = p->input_at[entry->input],
                                   .output = p->output_at[entry->output],
                                   .taps = entry->taps + from->first,
                                   .length = length,
                                   .partitions = partitions};
    }
    p->part_first[l + 1] = count;
}

static int unit_step(const pn_level_layout *level, int unit) {
    int step = (int)((int64_t)unit * level->period / level->units);
    while ((int64_t)level->units * (step + 1) / level->period <= unit)
        ++step;
    return step;
}

/* A run of vectors in a shard. */
static pinna_status place_row(const pn_opencl *device, plan *p, uint64_t vectors, int *shard, uint32_t *at,
                              pinna_error *err) {
    const double megabytes = PN_VECTOR * 4e-6;
    uint64_t room = device->info.max_alloc / (PN_VECTOR * 4);
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

/* The level's inputs into the list, by the step that transforms them. */
static pinna_status list_inputs(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    int *need = p->place, row_units = level->outputs > 0 ? level->units / level->outputs : 0;
    uint64_t vectors = (uint64_t)level->fixed.ring * (uint64_t)(p->desc->level[l].block / PN_TILE);
    for (int i = 0; i < level->inputs; ++i)
        need[i] = level->outputs;
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        if (p->parts[e].output < need[p->parts[e].input])
            need[p->parts[e].input] = p->parts[e].output;
    level->list = p->rows;
    level->rows_before = pn_alloc((size_t)level->period + 1, sizeof(int));
    if (level->rows_before == NULL)
        return pn_fail_memory(err, "the plan of a convolver", 4.0 * level->period);
    for (int i = 0; i < level->inputs; ++i)
        need[i] = unit_step(level, need[i] * row_units);
    for (int s = 0; s < level->period; ++s) {
        for (int i = 0; i < level->inputs; ++i) {
            if (need[i] != s)
                continue;
            pn_row *row = &p->row[p->rows];
            row->input = p->input_of[i];
            pinna_status status = place_row(m->device, p, vectors, &row->shard, &row->at, err);
            if (status != PINNA_OK)
                return status;
            p->row_of[level->list + i] = p->rows++;
        }
        level->rows_before[s + 1] = p->rows - level->list;
    }
    return PINNA_OK;
}

static int most_in_a_step(const pn_level_layout *level) {
    int most = 0, row_log2 = level->fixed.points_log2 - level->fixed.unit_log2;
    for (int s = 0; s < level->period; ++s) {
        int rows = level->rows_before[s + 1] - level->rows_before[s];
        int outs = (int)(((int64_t)level->units * (s + 1) / level->period) >> row_log2) -
                   (int)(((int64_t)level->units * s / level->period) >> row_log2);
        most = rows > most ? rows : most;
        most = outs > most ? outs : most;
    }
    return most;
}

static pinna_status shape_level(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    pn_level_work *w = &level->fixed;
    gather(m, p, l);
    level->units = level->outputs << (w->points_log2 - w->unit_log2);
    if (l == 0)
        for (int o = 0; o < level->outputs; ++o)
            m->head_output[o] = p->output_of[o];
    else { /* level 0 has every output, and the others map to it */
        w->map = (l - 1) * m->level[0].outputs;
        for (int o = 0; o < m->level[0].outputs; ++o)
            p->map[w->map + o] = p->output_at[m->head_output[o]];
        level->result = (uint32_t)p->result;
        p->result += (uint64_t)2 * (uint64_t)level->outputs << w->points_log2;
    }
    pinna_status status = list_inputs(m, p, l, err);
    if (status != PINNA_OK)
        return status;
    if (w->top_log2 > 0)
        p->work += (uint64_t)most_in_a_step(level) * 2 << w->points_log2;
    return PINNA_OK;
}

/* order: the level's parts by output; place[o + 1]: the end of those of output o, place[0] = 0. */
static void sort_parts(plan *p, int l, int outputs) {
    int *place = p->place;
    memset(place, 0, ((size_t)outputs + 1) * sizeof *place);
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        ++place[p->parts[e].output + 1];
    for (int o = 0; o < outputs; ++o)
        place[o + 1] += place[o];
    for (int e = p->part_first[l]; e < p->part_first[l + 1]; ++e)
        p->order[place[p->parts[e].output]++] = e;
    memmove(place + 1, place, (size_t)outputs * sizeof *place); /* each had moved on to its end */
    place[0] = 0;
}

/* Pieces of the level by output, and the places of its responses. */
static pinna_status list_pieces(pn_matrix *m, plan *p, int l, pinna_error *err) {
    pn_level_layout *level = &m->level[l];
    int tiles_log2 = level->fixed.points_log2 - PN_TILE_LOG2, most = 1;
    sort_parts(p, l, level->outputs);
    level->fixed.first = p->firsts;
    for (int o = 0; o < level->outputs; ++o) {
        p->first[p->firsts++] = p->pieces;
        for (int e = p->place[o]; e < p->place[o + 1]; ++e) {
            part *from = &p->parts[p->order[e]];
            uint64_t vectors = (uint64_t)from->partitions << tiles_log2;
            pinna_status status = place_row(m->device, p, vectors, &from->shard, &from->at, err);
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
    }
    p->first[p->firsts++] = p->pieces;
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
    int largest = desc->level[desc->levels - 1].block, unit = UNIT_LOG2;
    m->block = desc->level[0].block;
    m->inputs = desc->inputs;
    m->outputs = desc->outputs;
    m->levels = desc->levels;
    while ((size_t)1 << unit > m->device->max_group * (size_t)m->device->wide)
        --unit;
    for (int l = 0; l < desc->levels; ++l) {
        pn_level_layout *level = &m->level[l];
        pn_level_work *w = &level->fixed;
        level->period = desc->level[l].block / m->block;
        w->points_log2 = log2_of(desc->level[l].block);
        w->top_log2 = w->points_log2 > PN_LOCAL_LOG2 ? w->points_log2 - PN_LOCAL_LOG2 : 0;
        int local = w->top_log2 > 0 ? PN_LOCAL_LOG2 : w->points_log2;
        m->local_log2 = local > m->local_log2 ? local : m->local_log2;
        int smallest = log2_of(desc->level[l > 0 ? 1 : 0].block); /* of those launched together */
        w->unit_log2 = smallest < unit ? smallest : unit;
    }
    /* a job's window ends up to a period ago */
    m->blocks = desc->levels > 1 ? 4 * (largest / m->block) : 2;
    size_t words = 2 * sizeof(pn_work) / 4;
    m->samples = (words + PN_VECTOR - 1) / PN_VECTOR * PN_VECTOR;
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
    for (int l = 0; l < m->levels; ++l)
        m->level[l].fixed.ahead = m->level[l].fixed.y + (uint32_t)p->y;
    m->y_count = 2 * (size_t)p->y * PN_VECTOR;
    return status;
}

/* ------------------------------------------------------------------ buffers */

static pinna_status create_buffers(pn_matrix *m, const plan *p, pinna_error *err) {
    pn_opencl *device = m->device;
    size_t table = (size_t)2 << m->level[m->levels - 1].fixed.points_log2;
    m->result_count = (size_t)p->result;
    struct {
        const char *what;
        size_t count;
        cl_mem *buffer;
    } buffers[9 + PN_SHARDS] = {
        {"input blocks", (size_t)m->blocks * m->stride, &m->time},
        {"sums of spectra", m->y_count, &m->y},
        {"large transforms", (size_t)p->work, &m->work},
        {"results", m->result_count, &m->result},
        {"outputs", (size_t)m->level[0].outputs * (size_t)m->block, &m->out},
        {"the inputs' list", (size_t)p->rows * sizeof(pn_row) / 4, &m->list},
        {"the convolver's plan", (size_t)p->pieces * sizeof(pn_piece) / 4, &m->pieces},
        {"the convolver's plan", (size_t)p->firsts, &m->firsts},
        {"the outputs' map", (size_t)(m->levels - 1) * (size_t)m->level[0].outputs, &m->map}};
    m->shards = p->shards;
    for (int s = 0; s < p->shards; ++s) {
        m->shard_count[s] = (size_t)p->fill[s] * PN_VECTOR;
        m->x_count[s] = (size_t)p->x_fill[s] * PN_VECTOR;
        buffers[9 + s].what = "spectra";
        buffers[9 + s].count = m->shard_count[s];
        buffers[9 + s].buffer = &m->shard[s];
    }
    m->bytes = 4 * table;
    for (int i = 0; i < 9 + p->shards; ++i)
        m->bytes += 4 * (uint64_t)buffers[i].count;
    uint64_t used = atomic_fetch_add(&device->used, m->bytes);
    if (m->bytes + used > device->info.memory)
        return pn_fail(
            err, PINNA_NO_MEMORY,
            "%s (%s): the responses need %.1f MB, and the device has %.1f MB, of which %.1f MB are in use; "
            "use the CPU, or fewer or shorter responses",
            device->head.name, device->info.name, (double)m->bytes * 1e-6, (double)device->info.memory * 1e-6,
            (double)used * 1e-6);
    pinna_status status = PINNA_OK;
    for (int i = 0; i < 9 + p->shards && status == PINNA_OK; ++i)
        status = pn_opencl_buffer_create(device, buffers[i].what, buffers[i].count, buffers[i].buffer, err);
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

/* ------------------------------------------------------------------ spectra of the responses */

typedef struct {
    float *rows;
    cl_mem taps;
    size_t batch; /* rows at a time */
    int block;
    pn_opencl_transform transform;
} sender;

/* Partitions from .. from+count-1 into rows of `block`, with zeros at the end. */
static void fill_rows(float *rows, const part *from, int block, size_t first, size_t count) {
    const float scale = 1.0f / (float)block;
    size_t start = first * (size_t)block, floats = count * (size_t)block;
    for (size_t n = 0; n < floats; ++n)
        rows[n] = start + n < from->length ? from->taps[start + n] * scale : 0;
}

static pinna_status send_part(pn_matrix *m, const sender *s, const part *from, pinna_error *err) {
    size_t partitions = (size_t)from->partitions;
    for (size_t at = 0; at < partitions; at += s->batch) {
        size_t count = partitions - at < s->batch ? partitions - at : s->batch;
        fill_rows(s->rows, from, s->block, at, count);
        const pn_opencl_forward forward = {.in = s->taps,
                                           .in_row = s->block,
                                           .in_im = -1,
                                           .out = m->shard[from->shard],
                                           .out_at = from->at + (uint32_t)at,
                                           .out_row = 1,
                                           .out_tile = (uint32_t)partitions};
        pinna_status status =
            pn_opencl_write(m->device, m->queue, s->taps, 0, s->rows, count * (size_t)s->block, err);
        if (status == PINNA_OK)
            status =
                pn_opencl_transform_forward(m->device, m->queue, &s->transform, &forward, (int)count, err);
        pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
        if (status != PINNA_OK || done != PINNA_OK)
            return status != PINNA_OK ? status : done;
    }
    return PINNA_OK;
}

/* Those of a level. The transform's table serves every smaller size, so that the largest level leaves its own. */
static pinna_status send_level(pn_matrix *m, const plan *p, int l, pinna_error *err) {
    sender s = {.block = m->block * m->level[l].period};
    size_t most = (size_t)(BATCH_FLOATS / s.block), longest = (size_t)m->level[l].fixed.ring;
    most = most < 1 ? 1 : most < BATCH_ROWS ? most : BATCH_ROWS;
    s.batch = longest < most ? longest : most;
    size_t floats = s.batch * (size_t)s.block;
    s.rows = pn_alloc_floats(floats);
    pinna_status status =
        s.rows == NULL ? pn_fail_memory(err, "the responses on their way to the device", 4.0 * (double)floats)
                       : PINNA_OK;
    if (status == PINNA_OK)
        status = pn_opencl_buffer_create(m->device, "partitions", floats, &s.taps, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(m->device, m->queue, s.block, (int)s.batch, &s.transform, err);
    for (int e = p->part_first[l]; e < p->part_first[l + 1] && status == PINNA_OK; ++e)
        status = send_part(m, &s, &p->parts[e], err);
    if (l == m->levels - 1 && status == PINNA_OK) {
        m->twiddles = s.transform.twiddles;
        s.transform.twiddles = NULL;
    }
    pn_opencl_transform_release(&s.transform);
    pn_opencl_buffer_release(&s.taps);
    pn_free(s.rows);
    return status;
}

pinna_status pn_opencl_matrix_lay_out(pn_matrix *m, const pn_matrix_desc *desc, pinna_error *err) {
    plan p = {.desc = desc};
    set_sizes(m, desc);
    pinna_status status = make_plan(m, &p, err);
    if (status == PINNA_OK)
        status = create_buffers(m, &p, err);
    if (status == PINNA_OK)
        status = send_plan(m, &p, err);
    for (int l = 0; l < m->levels && status == PINNA_OK; ++l)
        status = send_level(m, &p, l, err);
    free_plan(&p);
    return status;
}
