// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A partition level on a device. It keeps the spectra of the inputs' last blocks in rings, X [input][tile][slot],
 * and those of all partitions, H [entry][tile][partition], so that the sum over partitions reads both in one
 * piece. A job is three or four launches for all inputs and outputs together:
 *
 *   new blocks -> forward transforms into the rings' newest slot
 *              -> Y [share][output][tile] = sums over the pieces of an output's entries
 *              -> the shares' sum -> inverse transforms, imaginary half only -> the output
 *
 * The time-domain blocks stand twice, [parity][input][B]: the halves take turns as previous and current, and only
 * new samples cross the bus. The factor 1 / M of the inverse is in H (exact: a power of two). */
#include "device/opencl_backend.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"
#include "device/opencl_transform.h"

enum { BATCH_FLOATS = 1 << 20, BATCH_ROWS = 4096 };

struct pn_level {
    const pn_backend_ops *ops;
    const pn_opencl *device;
    int block, inputs, outputs, tiles, ring, shares;
    size_t spectra_count; /* floats of x */
    int newest, parity;   /* slot and half of the last block taken */
    bool fresh;           /* the device knows no earlier block */
    bool lost;
    cl_command_queue queue;
    pn_opencl_transform transform;
    cl_kernel multiply_add, reduce_shares;
    cl_mem time, x, h, y, out, pieces, first;
    pn_opencl_staging to_device, from_device;
    cl_event done; /* of a job begun */
};

/* What create needs besides. */
typedef struct {
    const pn_level_desc *desc;
    uint32_t *entry_first; /* first vector in h */
    int *output_first;     /* first piece of an output; outputs + 1 */
    pn_piece *piece;
    int pieces, batch;
    uint64_t vectors;
} level_plan;

static int pieces_of(const pn_level_entry *entry, int block) {
    return (int)((pn_level_partitions(entry, block) + PN_CHUNK - 1) / PN_CHUNK);
}

/* ------------------------------------------------------------------ the plan */

static void free_plan(level_plan *plan) {
    pn_free(plan->entry_first);
    pn_free(plan->output_first);
    pn_free(plan->piece);
}

/* place: where the entry's output goes on. */
static void fill_pieces(level_plan *plan, int e, int *place) {
    const pn_level_entry *entry = &plan->desc->entry[e];
    int partitions = (int)pn_level_partitions(entry, plan->desc->block);
    for (int p = 0; p < partitions; p += PN_CHUNK)
        plan->piece[(*place)++] = (pn_piece){.input = entry->input,
                                             .partition = p,
                                             .count = partitions - p < PN_CHUNK ? partitions - p : PN_CHUNK,
                                             .entry_partitions = partitions,
                                             .entry = plan->entry_first[e]};
}

/* Sorts the pieces by output, in the order of the entries. Returns the most that an output has. */
static int sort_pieces(level_plan *plan) {
    const pn_level_desc *desc = plan->desc;
    int *first = plan->output_first, most = 1;
    for (int o = 0; o < desc->outputs; ++o) {
        most = first[o + 1] > most ? first[o + 1] : most;
        first[o + 1] += first[o];
    }
    plan->pieces = first[desc->outputs];
    for (int e = 0; e < desc->entries; ++e)
        fill_pieces(plan, e, &first[desc->entry[e].output]);
    memmove(first + 1, first, (size_t)desc->outputs * sizeof *first); /* each had moved on to its end */
    first[0] = 0;
    return most;
}

static pinna_status make_plan(pn_level *level, const pn_level_desc *desc, level_plan *plan,
                              pinna_error *err) {
    plan->desc = desc;
    plan->entry_first = pn_alloc((size_t)desc->entries, sizeof *plan->entry_first);
    plan->output_first = pn_alloc((size_t)desc->outputs + 1, sizeof *plan->output_first);
    size_t pieces = 0, longest = 1;
    for (int e = 0; e < desc->entries && plan->entry_first != NULL; ++e) {
        size_t partitions = pn_level_partitions(&desc->entry[e], desc->block);
        plan->entry_first[e] = (uint32_t)plan->vectors;
        plan->vectors += partitions * (uint64_t)level->tiles;
        pieces += (size_t)pieces_of(&desc->entry[e], desc->block);
        if (plan->output_first != NULL)
            plan->output_first[desc->entry[e].output + 1] += pieces_of(&desc->entry[e], desc->block);
        longest = partitions > longest ? partitions : longest;
    }
    plan->piece = pn_alloc(pieces, sizeof *plan->piece);
    if (plan->entry_first == NULL || plan->output_first == NULL || plan->piece == NULL)
        return pn_fail_memory(err, "the plan of a convolver's level", (double)(pieces * sizeof *plan->piece));
    if (plan->vectors > UINT32_MAX)
        return pn_fail(err, PINNA_NO_MEMORY, "%s: responses of %.0f MB do not fit a device",
                       level->device->head.name, (double)plan->vectors * PN_VECTOR * 4e-6);
    int most = sort_pieces(plan);
    level->ring = (int)longest;
    level->shares = pn_opencl_shares(level->device, (size_t)desc->outputs * (size_t)desc->block, most);
    plan->batch = BATCH_FLOATS / desc->block < BATCH_ROWS ? BATCH_FLOATS / desc->block : BATCH_ROWS;
    return PINNA_OK;
}

/* ------------------------------------------------------------------ create */

static pinna_status create_buffers(pn_level *level, const level_plan *plan, pinna_error *err) {
    const pn_opencl *device = level->device;
    size_t block = (size_t)level->block, in = (size_t)level->inputs * block,
           out = (size_t)level->outputs * block;
    level->spectra_count = 2 * in * (size_t)level->ring;
    const struct {
        const char *what;
        size_t count;
        cl_mem *buffer;
    } buffers[] = {{"input blocks", 2 * in, &level->time},
                   {"spectra of the inputs", level->spectra_count, &level->x},
                   {"spectra of the responses", (size_t)plan->vectors * PN_VECTOR, &level->h},
                   {"spectra of the outputs", 2 * out * (size_t)level->shares, &level->y},
                   {"output blocks", out, &level->out},
                   {"the level's plan", (size_t)plan->pieces * sizeof(pn_piece) / 4, &level->pieces},
                   {"the level's plan", (size_t)level->outputs + 1, &level->first}};
    double bytes = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        bytes += 4.0 * (double)buffers[i].count;
    if (bytes > (double)device->info.memory)
        return pn_fail(
            err, PINNA_NO_MEMORY,
            "%s (%s): the responses' level of %d frames needs %.1f MB, and the device has %.1f MB; use "
            "the CPU, or fewer or shorter responses",
            device->head.name, device->info.name, level->block, bytes * 1e-6,
            (double)device->info.memory * 1e-6);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i) {
        pinna_status status =
            pn_opencl_buffer_create(device, buffers[i].what, buffers[i].count, buffers[i].buffer, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status create_objects(pn_level *level, const level_plan *plan, pinna_error *err) {
    const pn_opencl *device = level->device;
    int rows = level->inputs > level->outputs ? level->inputs : level->outputs;
    rows = rows > plan->batch ? rows : plan->batch;
    pinna_status status = pn_opencl_queue_create(device, &level->queue, err);
    if (status == PINNA_OK)
        status = create_buffers(level, plan, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(device, level->queue, level->block, rows, &level->transform, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "multiply_add", &level->multiply_add, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "reduce_shares", &level->reduce_shares, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(
            device, level->queue, 2 * (size_t)level->inputs * (size_t)level->block, &level->to_device, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(device, level->queue, (size_t)level->outputs * (size_t)level->block,
                                          &level->from_device, err);
    return status;
}

/* Partitions from .. from+count-1 of an entry into rows of `block`, with zeros at the end. */
static void fill_rows(float *rows, const pn_level_entry *entry, int block, size_t from, size_t count) {
    const float scale = 1.0f / (float)block;
    size_t start = from * (size_t)block, floats = count * (size_t)block;
    for (size_t n = 0; n < floats; ++n)
        rows[n] = start + n < entry->length ? entry->taps[start + n] * scale : 0;
}

static pinna_status transform_entry(pn_level *level, const level_plan *plan, int e, float *rows, cl_mem taps,
                                    pinna_error *err) {
    const pn_level_entry *entry = &plan->desc->entry[e];
    size_t partitions = pn_level_partitions(entry, level->block), batch = (size_t)plan->batch;
    for (size_t p = 0; p < partitions; p += batch) {
        size_t count = partitions - p < batch ? partitions - p : batch;
        fill_rows(rows, entry, level->block, p, count);
        const pn_opencl_forward forward = {.in = taps,
                                           .in_row = level->block,
                                           .in_im = -1,
                                           .out = level->h,
                                           .out_at = plan->entry_first[e] + (uint32_t)p,
                                           .out_row = 1,
                                           .out_tile = (uint32_t)partitions};
        pinna_status status =
            pn_opencl_write(level->device, level->queue, taps, 0, rows, count * (size_t)level->block, err);
        if (status == PINNA_OK)
            status = pn_opencl_transform_forward(level->device, level->queue, &level->transform, &forward,
                                                 (int)count, err);
        pinna_status done = pn_opencl_finish(level->device, level->queue, status == PINNA_OK ? err : NULL);
        if (status != PINNA_OK || done != PINNA_OK)
            return status != PINNA_OK ? status : done;
    }
    return PINNA_OK;
}

static pinna_status transform_entries(pn_level *level, const level_plan *plan, pinna_error *err) {
    size_t floats = (size_t)plan->batch * (size_t)level->block;
    float *rows = pn_alloc_floats(floats);
    if (rows == NULL)
        return pn_fail_memory(err, "the responses on their way to the device", 4.0 * (double)floats);
    cl_mem taps = NULL;
    pinna_status status = pn_opencl_buffer_create(level->device, "partitions", floats, &taps, err);
    for (int e = 0; e < plan->desc->entries && status == PINNA_OK; ++e)
        status = transform_entry(level, plan, e, rows, taps, err);
    pn_opencl_buffer_release(&taps);
    pn_free(rows);
    return status;
}

static pinna_status send_plan(pn_level *level, const level_plan *plan, pinna_error *err) {
    pinna_status status = pn_opencl_write(level->device, level->queue, level->pieces, 0, plan->piece,
                                          (size_t)plan->pieces * sizeof(pn_piece) / 4, err);
    if (status == PINNA_OK)
        status = pn_opencl_write(level->device, level->queue, level->first, 0, plan->output_first,
                                 (size_t)level->outputs + 1, err);
    pinna_status done = pn_opencl_finish(level->device, level->queue, status == PINNA_OK ? err : NULL);
    return status != PINNA_OK ? status : done;
}

/* ------------------------------------------------------------------ a job */

/* The blocks in staging (two halves when fresh, new first) into the device's history, and their spectra. */
static pinna_status enqueue_take(pn_level *level, pinna_error *err) {
    const pn_opencl *device = level->device;
    size_t floats = (size_t)level->inputs * (size_t)level->block;
    level->parity ^= 1;
    level->newest = (level->newest + 1) % level->ring;
    size_t now = (size_t)level->parity * floats, before = (size_t)(level->parity ^ 1) * floats;
    pinna_status status =
        pn_opencl_write(device, level->queue, level->time, now, level->to_device.data, floats, err);
    if (status == PINNA_OK && level->fresh)
        status = pn_opencl_write(device, level->queue, level->time, before, level->to_device.data + floats,
                                 floats, err);
    const pn_opencl_forward forward = {.in = level->time,
                                       .in_row = level->block,
                                       .in_re = (int)before,
                                       .in_im = (int)now,
                                       .out = level->x,
                                       .out_at = (uint32_t)level->newest,
                                       .out_row = (uint32_t)(level->tiles * level->ring),
                                       .out_tile = (uint32_t)level->ring};
    level->fresh = false;
    if (status != PINNA_OK)
        return status;
    return pn_opencl_transform_forward(device, level->queue, &level->transform, &forward, level->inputs, err);
}

static pinna_status enqueue_sums(pn_level *level, pinna_error *err) {
    const pn_opencl *device = level->device;
    size_t bins = (size_t)level->block;
    const pn_mac_args a = {.tiles = level->tiles,
                           .outputs = level->outputs,
                           .ring = level->ring,
                           .newest = level->newest,
                           .shares = level->shares};
    const pn_opencl_arg args[6] = {{sizeof a, &a},
                                   {sizeof level->x, &level->x},
                                   {sizeof level->h, &level->h},
                                   {sizeof level->pieces, &level->pieces},
                                   {sizeof level->first, &level->first},
                                   {sizeof level->y, &level->y}};
    pinna_status status = pn_opencl_set_args(device, level->multiply_add, "multiply_add", 6, args, err);
    if (status != PINNA_OK)
        return status;
    const size_t items[3] = {bins, (size_t)level->outputs, (size_t)level->shares};
    status = pn_opencl_run(device, level->queue, level->multiply_add, "multiply_add", items,
                           bins < device->max_group ? bins : device->max_group, err);
    return status == PINNA_OK ? pn_opencl_reduce(device, level->queue, level->reduce_shares, level->y,
                                                 2 * bins * (size_t)level->outputs, level->shares, err)
                              : status;
}

static pinna_status enqueue_job(pn_level *level, pinna_error *err) {
    const pn_opencl *device = level->device;
    pinna_status status = enqueue_take(level, err);
    if (status == PINNA_OK)
        status = enqueue_sums(level, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_inverse(device, level->queue, &level->transform, level->y, level->out,
                                             level->block, level->outputs, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(device, level->queue, level->out, level->from_device.data,
                                level->from_device.count, &level->done, err);
    return status == PINNA_OK ? pn_opencl_flush(device, level->queue, err) : status;
}

static void copy_blocks(pn_level *level, const float *const *history) {
    size_t block = (size_t)level->block;
    float *now = level->to_device.data, *before = now + (size_t)level->inputs * block;
    for (int i = 0; i < level->inputs; ++i) {
        memcpy(now + (size_t)i * block, history[i] + block, block * sizeof(float));
        if (level->fresh)
            memcpy(before + (size_t)i * block, history[i], block * sizeof(float));
    }
}

static pinna_status check_usable(const pn_level *level, pinna_error *err) {
    if (level->lost)
        return pn_fail(err, PINNA_DEVICE, "%s (%s): an earlier job failed", level->device->head.name,
                       level->device->info.name);
    if (level->done != NULL)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a level's job is begun before the last one is finished",
                       level->device->head.name);
    return PINNA_OK;
}

pinna_status pn_opencl_level_begin(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = check_usable(level, err);
    if (status != PINNA_OK)
        return status;
    copy_blocks(level, history);
    status = enqueue_job(level, err);
    level->lost = status != PINNA_OK;
    return status;
}

void pn_opencl_level_advance(pn_level *level, int done, int of) {
    (void)level;
    (void)done;
    (void)of;
}

pinna_status pn_opencl_level_finish(pn_level *level, float *const *out, pinna_error *err) {
    if (level->done == NULL)
        return pn_fail(err, PINNA_DEVICE, "%s: no job of the level is begun", level->device->head.name);
    pinna_status status = pn_opencl_wait(level->device, &level->done, err);
    level->lost = status != PINNA_OK;
    if (status != PINNA_OK)
        return status;
    size_t block = (size_t)level->block;
    for (int o = 0; o < level->outputs; ++o)
        memcpy(out[o], level->from_device.data + (size_t)o * block, block * sizeof(float));
    return PINNA_OK;
}

pinna_status pn_opencl_level_feed(pn_level *level, const float *const *history, pinna_error *err) {
    pinna_status status = check_usable(level, err);
    if (status != PINNA_OK)
        return status;
    copy_blocks(level, history);
    status = enqueue_take(level, err);
    if (status == PINNA_OK)
        status = pn_opencl_finish(level->device, level->queue, err);
    level->lost = status != PINNA_OK;
    return status;
}

void pn_opencl_level_reset(pn_level *level) {
    if (level->done != NULL)
        pn_opencl_wait(level->device, &level->done, NULL);
    pinna_status status = pn_opencl_finish(level->device, level->queue, NULL);
    if (status == PINNA_OK)
        status = pn_opencl_clear(level->device, level->queue, level->x, level->spectra_count, NULL);
    level->lost = status != PINNA_OK;
    level->fresh = true;
}

/* ------------------------------------------------------------------ life */

/* Every kernel once, so that no driver compiles anything in the first block. */
static pinna_status warm_up(pn_level *level, pinna_error *err) {
    pinna_status status = enqueue_job(level, err);
    if (status == PINNA_OK)
        status = pn_opencl_wait(level->device, &level->done, err);
    if (status != PINNA_OK)
        return status;
    pn_opencl_level_reset(level);
    return level->lost ? check_usable(level, err) : PINNA_OK;
}

static pinna_status build(pn_level *level, const pn_level_desc *desc, level_plan *plan, pinna_error *err) {
    level->block = desc->block;
    level->inputs = desc->inputs;
    level->outputs = desc->outputs;
    level->tiles = desc->block / PN_TILE;
    level->fresh = true;
    pinna_status status = make_plan(level, desc, plan, err);
    if (status == PINNA_OK)
        status = create_objects(level, plan, err);
    if (status == PINNA_OK)
        status = pn_opencl_clear(level->device, level->queue, level->x, level->spectra_count, err);
    if (status == PINNA_OK)
        status = send_plan(level, plan, err);
    if (status == PINNA_OK)
        status = transform_entries(level, plan, err);
    return status == PINNA_OK ? warm_up(level, err) : status;
}

pinna_status pn_opencl_level_create(pn_backend *backend, const pn_level_desc *desc, pn_level **out,
                                    pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_level_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_level *level = pn_alloc(1, sizeof *level);
    if (level == NULL)
        return pn_fail_memory(err, "a convolver's level", sizeof *level);
    level->ops = backend->ops;
    level->device = (const pn_opencl *)backend;
    level_plan plan = {0};
    status = build(level, desc, &plan, err);
    free_plan(&plan);
    if (status != PINNA_OK)
        pn_opencl_level_free(level);
    else
        *out = level;
    return status;
}

void pn_opencl_level_free(pn_level *level) {
    if (level == NULL)
        return;
    if (level->done != NULL)
        pn_opencl_wait(level->device, &level->done, NULL);
    if (level->queue != NULL) {
        pn_opencl_finish(level->device, level->queue, NULL);
        pn_opencl_staging_release(level->queue, &level->to_device);
        pn_opencl_staging_release(level->queue, &level->from_device);
    }
    cl_mem *buffers[] = {&level->time, &level->x,      &level->h,    &level->y,
                         &level->out,  &level->pieces, &level->first};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        pn_opencl_buffer_release(buffers[i]);
    pn_opencl_transform_release(&level->transform);
    pn_opencl_kernel_release(&level->multiply_add);
    pn_opencl_kernel_release(&level->reduce_shares);
    pn_opencl_queue_release(&level->queue);
    pn_free(level);
}
