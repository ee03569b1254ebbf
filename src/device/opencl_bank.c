// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The making of a spatial bank on a device; opencl_bank_job.c runs it. */
#include "device/opencl_bank.h"

#include <string.h>

#include "base/memory.h"
#include "device/ops.h"
#include "signal/interpolator.h"

enum { BATCH_FLOATS = 1 << 20 };

/* ------------------------------------------------------------------ create */

/* The angle of each bin in 1/4M turns: 1 + 4 bitreverse(bin), wrapped to less than half a turn; then those of the first
 * bins of each vector of 8, which are never wrapped, and room for a whole vector of them. */
static size_t count_turns(int size) {
    size_t points = (size_t)size / 2, vectors = points / 8;
    return points + (vectors < 8 ? 8 : vectors);
}

static pinna_status create_buffers(pn_bank *bank, size_t words, pinna_error *err) {
    const pn_opencl *device = bank->device;
    size_t size = (size_t)bank->size, sources = (size_t)bank->sources;
    bool lines = bank->line_log2 >= 0;
    const struct {
        const char *what;
        size_t count;
        cl_mem *buffer;
    } buffers[] = {{"the sources' samples", sources * words, &bank->job},
                   {"the sources' histories", sources * 2 * size, &bank->history},
                   {"the sources' propagation", lines ? sources << bank->line_log2 : 1, &bank->line},
                   {"the interpolator", PN_INTERPOLATOR_ROWS * PN_INTERPOLATOR_TAPS, &bank->phases},
                   {"spectra of the sources", sources * size, &bank->x},
                   {"spectra of the HRTF set", 2 * (size_t)bank->nodes * size, &bank->node},
                   {"spectra of near field and air", (size_t)bank->tints * size + 1, &bank->tint},
                   {"frequencies", count_turns(bank->size), &bank->turns},
                   {"spectra of the ears", (size_t)bank->shares * PN_BANK_SUMS * size, &bank->y},
                   {"the ears' samples", PN_BANK_SUMS * (size_t)bank->quantum, &bank->out}};
    double bytes = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        bytes += 4.0 * (double)buffers[i].count;
    if (bytes > (double)device->info.memory)
        return pn_fail(
            err, PINNA_NO_MEMORY,
            "%s (%s): the spatial bank of %d sources needs %.1f MB, and the device has %.1f MB; use the CPU",
            device->head.name, device->info.name, bank->sources, bytes * 1e-6,
            (double)device->info.memory * 1e-6);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i) {
        pinna_status status =
            pn_opencl_buffer_create(device, buffers[i].what, buffers[i].count, buffers[i].buffer, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status create_kernels(pn_bank *bank, pinna_error *err) {
    const struct {
        const char *name;
        cl_kernel *kernel;
    } kernels[] = {{"bank_take", &bank->take},
                   {"bank_read", &bank->read},
                   {"bank_mix", &bank->mix},
                   {"bank_bend", &bank->bend},
                   {"reduce_shares", &bank->reduce_shares}};
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i) {
        pinna_status status = pn_opencl_kernel_create(bank->device, kernels[i].name, kernels[i].kernel, err);
        if (status != PINNA_OK)
            return status;
    }
    return PINNA_OK;
}

static pinna_status create_objects(pn_bank *bank, int rows, size_t words, pinna_error *err) {
    const pn_opencl *device = bank->device;
    pinna_status status = pn_opencl_queue_create(device, &bank->queue, err);
    if (status == PINNA_OK)
        status = create_buffers(bank, words, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(device, bank->queue, bank->size / 2, rows, &bank->transform, err);
    if (status == PINNA_OK)
        status = create_kernels(bank, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(device, bank->queue, (size_t)bank->sources * words,
                                          &bank->to_device, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(device, bank->queue, PN_BANK_SUMS * (size_t)bank->quantum,
                                          &bank->from_device, err);
    return status;
}

/* Rows of taps on their way to spectra on the device. */
typedef struct {
    const float *taps; /* [row][length] */
    size_t rows, length;
    float scale;
    cl_mem spectra; /* [row][tile] */
} response_rows;

/* Rows from .. from+count-1, each padded to N, scaled. */
static void fill_rows(float *padded, size_t size, const response_rows *r, size_t from, size_t count) {
    for (size_t i = 0; i < count; ++i)
        for (size_t n = 0; n < size; ++n)
            padded[i * size + n] = n < r->length ? r->taps[(from + i) * r->length + n] * r->scale : 0;
}

static pinna_status transform_rows(pn_bank *bank, const response_rows *r, size_t batch, float *padded,
                                   cl_mem taps, pinna_error *err) {
    size_t size = (size_t)bank->size;
    uint32_t tiles = (uint32_t)bank->size / PN_VECTOR;
    for (size_t from = 0; from < r->rows; from += batch) {
        size_t count = r->rows - from < batch ? r->rows - from : batch;
        fill_rows(padded, size, r, from, count);
        const pn_opencl_forward forward = {.in = taps,
                                           .in_row = bank->size,
                                           .in_im = bank->size / 2,
                                           .out = r->spectra,
                                           .out_at = (uint32_t)from * tiles,
                                           .out_row = tiles,
                                           .out_tile = 1};
        pinna_status status = pn_opencl_write(bank->device, bank->queue, taps, 0, padded, count * size, err);
        if (status == PINNA_OK)
            status = pn_opencl_transform_forward(bank->device, bank->queue, &bank->transform, &forward,
                                                 (int)count, err);
        pinna_status done = pn_opencl_finish(bank->device, bank->queue, status == PINNA_OK ? err : NULL);
        if (status != PINNA_OK || done != PINNA_OK)
            return status != PINNA_OK ? status : done;
    }
    return PINNA_OK;
}

/* The nodes carry the factor 1 / M of the inverse, the tints none. */
static pinna_status send_responses(pn_bank *bank, const pn_bank_desc *desc, int batch, pinna_error *err) {
    const response_rows nodes = {desc->responses, 2 * (size_t)desc->nodes, (size_t)desc->taps,
                                 2.0f / (float)desc->size, bank->node};
    const response_rows tints = {desc->tint_responses, (size_t)desc->tints, (size_t)desc->tint_taps, 1,
                                 bank->tint};
    size_t floats = (size_t)batch * (size_t)desc->size;
    float *padded = pn_alloc_floats(floats);
    if (padded == NULL)
        return pn_fail_memory(err, "the HRTF set on its way to the device", 4.0 * (double)floats);
    cl_mem taps = NULL;
    pinna_status status = pn_opencl_buffer_create(bank->device, "responses", floats, &taps, err);
    if (status == PINNA_OK)
        status = transform_rows(bank, &nodes, (size_t)batch, padded, taps, err);
    if (status == PINNA_OK)
        status = transform_rows(bank, &tints, (size_t)batch, padded, taps, err);
    pn_opencl_buffer_release(&taps);
    pn_free(padded);
    return status;
}

/* The interpolator of the propagation lines, rounded to float. */
static pinna_status send_phases(pn_bank *bank, pinna_error *err) {
    enum { COUNT = PN_INTERPOLATOR_ROWS * PN_INTERPOLATOR_TAPS };
    _Static_assert(PN_READ_TAPS == PN_INTERPOLATOR_TAPS && PN_READ_PHASES == PN_INTERPOLATOR_PHASES &&
                       PN_READ_SHORTEST == PN_PROPAGATION_SHORTEST,
                   "bank_read and the interpolator's table");
    double(*row)[PN_INTERPOLATOR_TAPS] = pn_alloc(PN_INTERPOLATOR_ROWS, sizeof *row);
    float *rounded = pn_alloc_floats(COUNT);
    pinna_status status = PINNA_OK;
    if (row == NULL || rounded == NULL) {
        status = pn_fail_memory(err, "the interpolator's table", 12.0 * COUNT);
    } else {
        pn_interpolator_make(row);
        for (size_t i = 0; i < COUNT; ++i)
            rounded[i] = (float)row[i / PN_INTERPOLATOR_TAPS][i % PN_INTERPOLATOR_TAPS];
        status = pn_opencl_write(bank->device, bank->queue, bank->phases, 0, rounded, COUNT, err);
        pinna_status done = pn_opencl_finish(bank->device, bank->queue, status == PINNA_OK ? err : NULL);
        status = status != PINNA_OK ? status : done;
    }
    pn_free(row);
    pn_free(rounded);
    return status;
}

static pinna_status send_turns(pn_bank *bank, pinna_error *err) {
    int points = bank->size / 2;
    size_t count = count_turns(bank->size);
    int32_t *turns = pn_alloc(count, sizeof *turns);
    if (turns == NULL)
        return pn_fail_memory(err, "a table of frequencies", 4.0 * (double)count);
    for (int bin = 0; bin < points; ++bin) {
        int reversed = 0;
        for (int bit = 1; bit < points; bit *= 2)
            reversed = 2 * reversed + (bin & bit ? 1 : 0);
        turns[bin] = 1 + 4 * reversed;
        if (turns[bin] > 2 * points)
            turns[bin] -= 4 * points;
    }
    for (int vector = 0; vector < points / 8; ++vector)
        turns[points + vector] = turns[8 * vector];
    pinna_status status = pn_opencl_write(bank->device, bank->queue, bank->turns, 0, turns, count, err);
    pinna_status done = pn_opencl_finish(bank->device, bank->queue, status == PINNA_OK ? err : NULL);
    pn_free(turns);
    return status != PINNA_OK ? status : done;
}

/* ------------------------------------------------------------------ life */

/* A line holds the longest delay, the interpolator's reach and the new samples. */
static void measure_lines(pn_bank *bank, const pn_bank_desc *desc) {
    bank->line_log2 = -1;
    bank->propagation = desc->propagation;
    bank->memory = desc->size / desc->quantum;
    if (desc->propagation == 0)
        return;
    bank->line_log2 = 10;
    while ((int64_t)1 << bank->line_log2 < (int64_t)desc->propagation + PN_READ_TAPS + desc->quantum)
        ++bank->line_log2;
    bank->memory += (1 << bank->line_log2) / desc->quantum + 1;
}

/* On a GPU, so that all its units have work; on a CPU, where a work-item is a thread's work, a few for each thread. */
static int choose_shares(const pn_opencl *device, const pn_bank_desc *desc) {
    size_t runs = pn_opencl_bank_runs(device, desc->size);
    if (device->info.type != PN_OPENCL_CPU)
        return pn_opencl_shares(device, runs, (desc->sources + 1) / 2);
    int wanted = 4 * (int)device->info.units, most = (desc->sources + 7) / 8;
    return wanted < most ? wanted : most;
}

static pinna_status build(pn_bank *bank, const pn_bank_desc *desc, pinna_error *err) {
    bank->size = desc->size;
    bank->quantum = desc->quantum;
    bank->sources = desc->sources;
    bank->nodes = desc->nodes;
    bank->tints = desc->tints;
    measure_lines(bank, desc);
    bank->shares = choose_shares(bank->device, desc);
    bank->silent = pn_alloc((size_t)desc->sources, sizeof *bank->silent);
    if (bank->silent == NULL)
        return pn_fail_memory(err, "the spatial bank", 4.0 * desc->sources);
    for (int s = 0; s < desc->sources; ++s)
        bank->silent[s] = bank->memory + 1;
    int batch = BATCH_FLOATS / desc->size < 2 * desc->nodes ? BATCH_FLOATS / desc->size : 2 * desc->nodes;
    int rows = batch > desc->sources ? batch : desc->sources;
    pinna_status status =
        create_objects(bank, rows < PN_BANK_SUMS ? PN_BANK_SUMS : rows, pn_opencl_bank_words(desc), err);
    if (status == PINNA_OK)
        status = pn_opencl_clear(bank->device, bank->queue, bank->history,
                                 2 * (size_t)desc->sources * (size_t)desc->size, err);
    if (status == PINNA_OK && bank->line_log2 >= 0)
        status = pn_opencl_clear(bank->device, bank->queue, bank->line,
                                 (size_t)desc->sources << bank->line_log2, err);
    if (status == PINNA_OK)
        status = send_phases(bank, err);
    if (status == PINNA_OK)
        status = send_turns(bank, err);
    if (status == PINNA_OK)
        status = send_responses(bank, desc, batch, err);
    return status == PINNA_OK ? pn_opencl_bank_warm_up(bank, err) : status;
}

pinna_status pn_opencl_bank_create(pn_backend *backend, const pn_bank_desc *desc, pn_bank **out,
                                   pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_bank_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    pn_bank *bank = pn_alloc(1, sizeof *bank);
    if (bank == NULL)
        return pn_fail_memory(err, "the spatial bank", sizeof *bank);
    bank->ops = backend->ops;
    bank->device = (const pn_opencl *)backend;
    status = build(bank, desc, err);
    if (status != PINNA_OK)
        pn_opencl_bank_free(bank);
    else
        *out = bank;
    return status;
}

void pn_opencl_bank_free(pn_bank *bank) {
    if (bank == NULL)
        return;
    if (bank->done != NULL)
        pn_opencl_wait(bank->device, &bank->done, NULL);
    if (bank->queue != NULL) {
        pn_opencl_finish(bank->device, bank->queue, NULL);
        pn_opencl_staging_release(bank->queue, &bank->to_device);
        pn_opencl_staging_release(bank->queue, &bank->from_device);
    }
    cl_mem *buffers[] = {&bank->job,  &bank->history, &bank->line,  &bank->phases, &bank->x,
                         &bank->node, &bank->tint,    &bank->turns, &bank->y,      &bank->out};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        pn_opencl_buffer_release(buffers[i]);
    pn_opencl_transform_release(&bank->transform);
    pn_opencl_kernel_release(&bank->take);
    pn_opencl_kernel_release(&bank->read);
    pn_opencl_kernel_release(&bank->mix);
    pn_opencl_kernel_release(&bank->bend);
    pn_opencl_kernel_release(&bank->reduce_shares);
    pn_opencl_queue_release(&bank->queue);
    pn_free(bank->silent);
    pn_free(bank);
}
