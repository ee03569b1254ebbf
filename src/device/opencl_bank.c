// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spatial bank on a device. A quantum is one copy of what is new (a table of the sources that matter, and their
 * samples), and four or five launches for all of them:
 *
 *   samples -> histories; the last N samples of each audible source -> its spectrum
 *           -> four sums over all sources: old and new filters, left and right, by shares of the sources
 *           -> the shares' sum -> four inverse transforms, the quantum at the end of the imaginary half
 *
 * The ramp from old to new is done by the host where it copies the result out: 2 q multiplications are less than
 * the launch of a kernel. A source matters as long as its history is not all silence; it is audible when a
 * weight of its filters is not 0 besides. The factor 1 / M of the inverse is in the nodes' spectra. */
#include "device/opencl_backend.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "device/ops.h"
#include "device/opencl_transform.h"

enum { BATCH_FLOATS = 1 << 20, SOURCE_WORDS = sizeof(pn_source) / 4 };

struct pn_bank {
    const pn_backend_ops *ops;
    const pn_opencl *device;
    int size, quantum, sources, nodes, shares;
    int memory;  /* quanta after which a history is all silence */
    int at;      /* where the next quantum goes in the histories' rings */
    int *silent; /* quanta of silence at the end of each source's history, counted up to memory + 1 */
    bool lost, begun;
    cl_command_queue queue;
    pn_opencl_transform transform;
    cl_kernel take, mix, reduce_shares;
    cl_mem job, history, x, node, turns, y, out;
    pn_opencl_staging to_device, from_device;
    cl_event done;
};

/* What a quantum has to do. */
typedef struct {
    int listed, audible, rows; /* sources in the table, the audible ones first; rows of samples behind it */
    int shares;
} bank_job;

/* ------------------------------------------------------------------ create */

static pinna_status create_buffers(pn_bank *bank, pinna_error *err) {
    const pn_opencl *device = bank->device;
    size_t size = (size_t)bank->size, sources = (size_t)bank->sources;
    const struct {
        const char *what;
        size_t count;
        cl_mem *buffer;
    } buffers[] = {{"the sources' samples", sources * (SOURCE_WORDS + (size_t)bank->quantum), &bank->job},
                   {"the sources' histories", sources * 2 * size, &bank->history},
                   {"spectra of the sources", sources * size, &bank->x},
                   {"spectra of the HRTF set", 2 * (size_t)bank->nodes * size, &bank->node},
                   {"frequencies", size / 2, &bank->turns},
                   {"spectra of the ears", (size_t)bank->shares * 4 * size, &bank->y},
                   {"the ears' samples", 4 * (size_t)bank->quantum, &bank->out}};
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

static pinna_status create_objects(pn_bank *bank, int rows, pinna_error *err) {
    const pn_opencl *device = bank->device;
    pinna_status status = pn_opencl_queue_create(device, &bank->queue, err);
    if (status == PINNA_OK)
        status = create_buffers(bank, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(device, bank->queue, bank->size / 2, rows, &bank->transform, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "bank_take", &bank->take, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "bank_mix", &bank->mix, err);
    if (status == PINNA_OK)
        status = pn_opencl_kernel_create(device, "reduce_shares", &bank->reduce_shares, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(device, bank->queue,
                                          (size_t)bank->sources * (SOURCE_WORDS + (size_t)bank->quantum),
                                          &bank->to_device, err);
    if (status == PINNA_OK)
        status =
            pn_opencl_staging_create(device, bank->queue, 4 * (size_t)bank->quantum, &bank->from_device, err);
    return status;
}

/* Responses from .. from+count-1, each in a row of N, scaled. */
static void fill_rows(float *rows, const pn_bank_desc *desc, size_t from, size_t count) {
    size_t size = (size_t)desc->size, taps = (size_t)desc->taps;
    const float scale = 2.0f / (float)desc->size;
    for (size_t r = 0; r < count; ++r)
        for (size_t n = 0; n < size; ++n)
            rows[r * size + n] = n < taps ? desc->responses[(from + r) * taps + n] * scale : 0;
}

static pinna_status transform_nodes(pn_bank *bank, const pn_bank_desc *desc, size_t batch, float *rows,
                                    cl_mem taps, pinna_error *err) {
    size_t all = 2 * (size_t)desc->nodes, size = (size_t)desc->size;
    uint32_t tiles = (uint32_t)bank->size / PN_VECTOR;
    for (size_t r = 0; r < all; r += batch) {
        size_t count = all - r < batch ? all - r : batch;
        fill_rows(rows, desc, r, count);
        const pn_opencl_forward forward = {.in = taps,
                                           .in_row = bank->size,
                                           .in_im = bank->size / 2,
                                           .out = bank->node,
                                           .out_at = (uint32_t)r * tiles,
                                           .out_row = tiles,
                                           .out_tile = 1};
        pinna_status status = pn_opencl_write(bank->device, bank->queue, taps, 0, rows, count * size, err);
        if (status == PINNA_OK)
            status = pn_opencl_transform_forward(bank->device, bank->queue, &bank->transform, &forward,
                                                 (int)count, err);
        pinna_status done = pn_opencl_finish(bank->device, bank->queue, status == PINNA_OK ? err : NULL);
        if (status != PINNA_OK || done != PINNA_OK)
            return status != PINNA_OK ? status : done;
    }
    return PINNA_OK;
}

static pinna_status send_nodes(pn_bank *bank, const pn_bank_desc *desc, int batch, pinna_error *err) {
    size_t floats = (size_t)batch * (size_t)desc->size;
    float *rows = pn_alloc_floats(floats);
    if (rows == NULL)
        return pn_fail_memory(err, "the HRTF set on its way to the device", 4.0 * (double)floats);
    cl_mem taps = NULL;
    pinna_status status = pn_opencl_buffer_create(bank->device, "responses", floats, &taps, err);
    if (status == PINNA_OK)
        status = transform_nodes(bank, desc, (size_t)batch, rows, taps, err);
    pn_opencl_buffer_release(&taps);
    pn_free(rows);
    return status;
}

/* The angle of each bin in 1/4M turns: 1 + 4 bitreverse(bin), wrapped to less than half a turn. */
static pinna_status send_turns(pn_bank *bank, pinna_error *err) {
    int points = bank->size / 2;
    int32_t *turns = pn_alloc((size_t)points, sizeof *turns);
    if (turns == NULL)
        return pn_fail_memory(err, "a table of frequencies", 4.0 * points);
    for (int bin = 0; bin < points; ++bin) {
        int reversed = 0;
        for (int bit = 1; bit < points; bit *= 2)
            reversed = 2 * reversed + (bin & bit ? 1 : 0);
        turns[bin] = 1 + 4 * reversed;
        if (turns[bin] > 2 * points)
            turns[bin] -= 4 * points;
    }
    pinna_status status =
        pn_opencl_write(bank->device, bank->queue, bank->turns, 0, turns, (size_t)points, err);
    pinna_status done = pn_opencl_finish(bank->device, bank->queue, status == PINNA_OK ? err : NULL);
    pn_free(turns);
    return status != PINNA_OK ? status : done;
}

/* ------------------------------------------------------------------ the table of a job */

static void set_filter(pn_source_filter *to, const pn_filter *from) {
    for (int i = 0; i < 3; ++i) {
        to->node[i] = from->node[0][i];
        to->weight[i] = from->weight[0][i];
    }
    for (int ear = 0; ear < 2; ++ear) {
        float whole = floorf(from->delay[ear] + 0.5f);
        to->whole[ear] = (pn_int)whole;
        to->rest[ear] = from->delay[ear] - whole;
    }
}

/* What the kernels can do of a filter: three nodes, the same for both ears. */
static bool can_do(const pn_filter *f) {
    for (int j = 3; j < PN_FILTER_NODES; ++j)
        if (f->weight[0][j] != 0 || f->weight[1][j] != 0)
            return false;
    return memcmp(f->node[0], f->node[1], sizeof f->node[0]) == 0 &&
           memcmp(f->weight[0], f->weight[1], sizeof f->weight[0]) == 0;
}

static pinna_status check_sources(const pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    for (int s = 0; s < bank->sources; ++s)
        if (pn_bank_steps(&sources[s]) > 1 || !can_do(&sources[s].from) || !can_do(&sources[s].to))
            return pn_fail(
                err, PINNA_UNSUPPORTED,
                "%s: source %d has filters of more than one step, of more than three nodes or of different "
                "nodes for its ears, which this device's kernels do not do yet; use the CPU",
                bank->device->head.name, s);
    return PINNA_OK;
}

/* A source matters until the quanta of silence at its end, the new one counted, are more than its history holds. */
static void count_silence(pn_bank *bank, int s, const float *in) {
    if (in != NULL)
        bank->silent[s] = 0;
    else if (bank->silent[s] <= bank->memory)
        ++bank->silent[s];
}

/* Lists the sources that matter, audible ones or the others, behind those listed before. */
static void list_sources(pn_bank *bank, const pn_bank_source *sources, bool audible, bank_job *job) {
    pn_source *table = (pn_source *)(void *)bank->to_device.data;
    for (int s = 0; s < bank->sources; ++s) {
        const pn_bank_source *from = &sources[s];
        bool heard = !(pn_filter_silent(&from->from) && pn_filter_silent(&from->to));
        if (bank->silent[s] > bank->memory || heard != audible)
            continue;
        pn_source *to = &table[job->listed++];
        to->source = s;
        to->row = from->in == NULL ? -1 : job->rows++;
        to->still = memcmp(&from->from, &from->to, sizeof from->from) == 0;
        set_filter(&to->from, &from->from);
        set_filter(&to->to, &from->to);
    }
}

/* Fills the staging: the table, then the rows of samples in its order. */
static void fill_job(pn_bank *bank, const pn_bank_source *sources, bool only_take, bank_job *job) {
    *job = (bank_job){0};
    for (int s = 0; s < bank->sources; ++s)
        count_silence(bank, s, sources[s].in);
    list_sources(bank, sources, true, job);
    job->audible = only_take ? 0 : job->listed;
    list_sources(bank, sources, false, job);
    const pn_source *table = (const pn_source *)(const void *)bank->to_device.data;
    float *rows = bank->to_device.data + (size_t)job->listed * SOURCE_WORDS;
    size_t quantum = (size_t)bank->quantum;
    for (int i = 0; i < job->listed; ++i)
        if (table[i].row >= 0)
            memcpy(rows + (size_t)table[i].row * quantum, sources[table[i].source].in,
                   quantum * sizeof(float));
    job->shares = job->audible < 1 ? 1 : job->audible < bank->shares ? job->audible : bank->shares;
}

/* ------------------------------------------------------------------ a job */

static pinna_status enqueue_take(pn_bank *bank, const bank_job *job, pinna_error *err) {
    size_t table = (size_t)job->listed * SOURCE_WORDS, rows = (size_t)job->rows * (size_t)bank->quantum;
    const pn_take_args a = {
        .size = bank->size, .quantum = bank->quantum, .at = bank->at, .samples = (pn_int)table};
    const pn_opencl_arg args[4] = {{sizeof a, &a},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->history, &bank->history}};
    pinna_status status =
        pn_opencl_write(bank->device, bank->queue, bank->job, 0, bank->to_device.data, table + rows, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(bank->device, bank->take, "bank_take", 4, args, err);
    if (status != PINNA_OK)
        return status;
    const size_t items[3] = {(size_t)bank->quantum, (size_t)job->listed, 1};
    return pn_opencl_run(bank->device, bank->queue, bank->take, "bank_take", items, 32, err);
}

/* start: of the last N samples in the histories. */
static pinna_status enqueue_spectra(pn_bank *bank, const bank_job *job, int start, pinna_error *err) {
    uint32_t tiles = (uint32_t)bank->size / PN_VECTOR;
    const pn_opencl_forward forward = {.in = bank->history,
                                       .list = bank->job,
                                       .list_stride = SOURCE_WORDS,
                                       .in_row = 2 * bank->size,
                                       .in_re = start,
                                       .in_im = start + bank->size / 2,
                                       .out = bank->x,
                                       .out_row = tiles,
                                       .out_tile = 1};
    if (job->audible == 0)
        return PINNA_OK;
    return pn_opencl_transform_forward(bank->device, bank->queue, &bank->transform, &forward, job->audible,
                                       err);
}

static pinna_status enqueue_mix(pn_bank *bank, const bank_job *job, pinna_error *err) {
    const pn_opencl *device = bank->device;
    size_t bins = (size_t)bank->size / 2;
    const pn_mix_args a = {
        .points_log2 = bank->transform.points_log2, .count = job->audible, .shares = job->shares};
    const pn_opencl_arg args[6] = {{sizeof a, &a},
                                   {sizeof bank->job, &bank->job},
                                   {sizeof bank->x, &bank->x},
                                   {sizeof bank->node, &bank->node},
                                   {sizeof bank->turns, &bank->turns},
                                   {sizeof bank->y, &bank->y}};
    pinna_status status = pn_opencl_set_args(device, bank->mix, "bank_mix", 6, args, err);
    if (status != PINNA_OK)
        return status;
    const size_t items[3] = {bins, (size_t)job->shares, 1};
    status = pn_opencl_run(device, bank->queue, bank->mix, "bank_mix", items,
                           bins < device->max_group ? bins : device->max_group, err);
    if (status != PINNA_OK)
        return status;
    return pn_opencl_reduce(device, bank->queue, bank->reduce_shares, bank->y, 8 * bins, job->shares, err);
}

static pinna_status enqueue_job(pn_bank *bank, const bank_job *job, pinna_error *err) {
    int start = (bank->at + bank->quantum) % bank->size;
    pinna_status status = enqueue_take(bank, job, err);
    if (status == PINNA_OK)
        status = enqueue_spectra(bank, job, start, err);
    if (status == PINNA_OK)
        status = enqueue_mix(bank, job, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_inverse(bank->device, bank->queue, &bank->transform, bank->y, bank->out,
                                             bank->quantum, 4, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(bank->device, bank->queue, bank->out, bank->from_device.data,
                                4 * (size_t)bank->quantum, &bank->done, err);
    return status == PINNA_OK ? pn_opencl_flush(bank->device, bank->queue, err) : status;
}

static pinna_status check_usable(const pn_bank *bank, pinna_error *err) {
    if (bank->lost)
        return pn_fail(err, PINNA_DEVICE, "%s (%s): an earlier job failed", bank->device->head.name,
                       bank->device->info.name);
    if (bank->begun)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a bank's job is begun before the last one is finished",
                       bank->device->head.name);
    return PINNA_OK;
}

pinna_status pn_opencl_bank_begin(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    pinna_status status = check_usable(bank, err);
    if (status == PINNA_OK)
        status = check_sources(bank, sources, err);
    if (status != PINNA_OK)
        return status;
    bank_job job;
    fill_job(bank, sources, false, &job);
    if (job.listed > 0)
        status = enqueue_job(bank, &job, err);
    bank->at = (bank->at + bank->quantum) % bank->size;
    bank->lost = status != PINNA_OK;
    bank->begun = status == PINNA_OK;
    return status;
}

static void ramp(const pn_bank *bank, int ear, float *out) {
    const float *before = bank->from_device.data + (size_t)ear * (size_t)bank->quantum;
    const float *after = before + 2 * (size_t)bank->quantum;
    float step = 1.0f / (float)bank->quantum;
    for (int n = 0; n < bank->quantum; ++n)
        out[n] = before[n] + (after[n] - before[n]) * ((float)n * step);
}

pinna_status pn_opencl_bank_finish(pn_bank *bank, float *left, float *right, pinna_error *err) {
    if (!bank->begun)
        return pn_fail(err, PINNA_DEVICE, "%s: no job of the bank is begun", bank->device->head.name);
    bank->begun = false;
    if (bank->done == NULL) { /* silence all over */
        memset(left, 0, (size_t)bank->quantum * sizeof *left);
        memset(right, 0, (size_t)bank->quantum * sizeof *right);
        return PINNA_OK;
    }
    pinna_status status = pn_opencl_wait(bank->device, &bank->done, err);
    bank->lost = status != PINNA_OK;
    if (status != PINNA_OK)
        return status;
    ramp(bank, 0, left);
    ramp(bank, 1, right);
    return PINNA_OK;
}

pinna_status pn_opencl_bank_feed(pn_bank *bank, const pn_bank_source *sources, pinna_error *err) {
    pinna_status status = check_usable(bank, err);
    if (status != PINNA_OK)
        return status;
    bank_job job;
    fill_job(bank, sources, true, &job);
    if (job.listed > 0)
        status = enqueue_take(bank, &job, err);
    bank->at = (bank->at + bank->quantum) % bank->size;
    if (status == PINNA_OK)
        status = pn_opencl_finish(bank->device, bank->queue, err);
    bank->lost = status != PINNA_OK;
    return status;
}

/* ------------------------------------------------------------------ life */

/* Every kernel once, so that no driver compiles anything in the first quantum: one source, silent. */
static pinna_status warm_up(pn_bank *bank, pinna_error *err) {
    const bank_job job = {.listed = 1, .audible = 1, .shares = bank->shares};
    pn_source *table = (pn_source *)(void *)bank->to_device.data;
    table[0] = (pn_source){.row = -1};
    pinna_status status = enqueue_job(bank, &job, err);
    return status == PINNA_OK ? pn_opencl_wait(bank->device, &bank->done, err) : status;
}

static pinna_status build(pn_bank *bank, const pn_bank_desc *desc, pinna_error *err) {
    bank->size = desc->size;
    bank->quantum = desc->quantum;
    bank->sources = desc->sources;
    bank->nodes = desc->nodes;
    bank->memory = desc->size / desc->quantum;
    bank->shares = pn_opencl_shares(bank->device, (size_t)desc->size / 2, (desc->sources + 1) / 2);
    bank->silent = pn_alloc((size_t)desc->sources, sizeof *bank->silent);
    if (bank->silent == NULL)
        return pn_fail_memory(err, "the spatial bank", 4.0 * desc->sources);
    for (int s = 0; s < desc->sources; ++s)
        bank->silent[s] = bank->memory + 1;
    int batch = BATCH_FLOATS / desc->size < 2 * desc->nodes ? BATCH_FLOATS / desc->size : 2 * desc->nodes;
    int rows = batch > desc->sources ? batch : desc->sources;
    pinna_status status = create_objects(bank, rows < 4 ? 4 : rows, err);
    if (status == PINNA_OK)
        status = pn_opencl_clear(bank->device, bank->queue, bank->history,
                                 2 * (size_t)desc->sources * (size_t)desc->size, err);
    if (status == PINNA_OK)
        status = send_turns(bank, err);
    if (status == PINNA_OK)
        status = send_nodes(bank, desc, batch, err);
    return status == PINNA_OK ? warm_up(bank, err) : status;
}

pinna_status pn_opencl_bank_create(pn_backend *backend, const pn_bank_desc *desc, pn_bank **out,
                                   pinna_error *err) {
    *out = NULL;
    pinna_status status = pn_bank_desc_check(desc, err);
    if (status != PINNA_OK)
        return status;
    if (desc->tints > 0 || desc->propagation > 0)
        return pn_fail(err, PINNA_UNSUPPORTED,
                       "%s: tints and propagation are not done by this device's kernels yet; use the CPU",
                       backend->name);
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
    cl_mem *buffers[] = {&bank->job,   &bank->history, &bank->x,  &bank->node,
                         &bank->turns, &bank->y,       &bank->out};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        pn_opencl_buffer_release(buffers[i]);
    pn_opencl_transform_release(&bank->transform);
    pn_opencl_kernel_release(&bank->take);
    pn_opencl_kernel_release(&bank->mix);
    pn_opencl_kernel_release(&bank->reduce_shares);
    pn_opencl_queue_release(&bank->queue);
    pn_free(bank->silent);
    pn_free(bank);
}
