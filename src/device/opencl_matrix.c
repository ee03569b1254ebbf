// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Runs a convolver matrix on a device: one call a block, and the catching up of a matrix that takes over mid-stream. The
 * scheme stands in opencl_matrix.h. */
#include "device/opencl_matrix.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rows.h"

/* ------------------------------------------------------------------ the work of a call */

static pn_work empty_work(const pn_matrix *m, int levels, int heard) {
    pn_work w = {.levels = levels,
                 .inputs = m->inputs,
                 .block_log2 = m->level[0].fixed.points_log2,
                 .blocks = m->blocks,
                 .stride = (pn_int)m->stride,
                 .samples = (pn_int)m->samples,
                 .points = 1 << m->level[m->levels - 1].fixed.points_log2,
                 .heard = heard};
    return w;
}

/* In PN_TILE floats, as all that a work says of results and of the buffer between two launches. */
static uint32_t result_of(const pn_level_layout *level, int64_t job) {
    uint64_t one = (uint64_t)level->outputs << level->fixed.points_log2;
    return level->result + (job & 1 ? (uint32_t)(one / PN_TILE) : 0u);
}

/* What is done of a step: the inputs' spectra; with the sums for later jobs; or all. */
typedef enum { SPECTRA, LATER, ALL } extent;

/* One step of a job. work: floats used so far. Level 0 does its later jobs' sums apart (set_later). */
static void set_step(const pn_matrix *m, int l, int64_t job, int step, extent what, size_t *work,
                     pn_level_work *w) {
    const pn_level_layout *level = &m->level[l];
    int64_t frames = (int64_t)m->blocks * m->block;
    w->job = (pn_int)(job & ((1 << PN_FUTURES_LOG2) - 1));
    w->newest = (pn_int)(job % w->ring);
    w->frame = (pn_int)((((job - 1) << w->points_log2) + frames) % frames);
    w->row = level->list + level->rows_before[step];
    w->rows = level->rows_before[step + 1] - level->rows_before[step];
    w->work_in = w->work_out = (pn_uint)(*work / PN_TILE);
    if (what == ALL || (what == LATER && level->later)) {
        w->what = what == LATER ? PN_LATER : l == 0 || !level->later ? PN_NEWEST : PN_NEWEST | PN_LATER;
        w->unit = level->units_before[step];
        w->units = level->units_before[step + 1] - w->unit;
    }
    if (what == ALL) {
        w->result = result_of(level, job);
        w->out_row = level->outs_before[step];
        w->out_rows = level->outs_before[step + 1] - w->out_row;
    }
    if (w->top_log2 > 0)
        *work += (size_t)(w->rows > w->out_rows ? w->rows : w->out_rows) * 2 << w->points_log2;
}

/* What job `job` of level 0 leaves to do for later ones. */
static void set_later(const pn_matrix *m, int64_t job, pn_level_work *w) {
    size_t used = 0;
    set_step(m, 0, job, 0, LATER, &used, w);
    w->rows = 0;
}

/* The head of call n, with what is heard in it of the others. */
static pn_work head_work(const pn_matrix *m, int64_t n) {
    pn_work work = empty_work(m, 1, m->levels - 1);
    size_t used = 0;
    for (int l = 0; l < m->levels; ++l)
        work.level[l] = m->level[l].fixed;
    set_step(m, 0, n - 1, 0, ALL, &used, &work.level[0]);
    for (int l = 1; l < m->levels; ++l) {
        int64_t period = m->level[l].period, job = (n - 1) / period - 2;
        work.level[l].heard =
            result_of(&m->level[l], job) + (pn_uint)((n - 1) % period * (int64_t)m->block / PN_TILE);
    }
    return work;
}

/* In call n: level 0 for later, and the others' steps. */
static pn_work rest_work(const pn_matrix *m, int64_t n) {
    pn_work work = empty_work(m, m->levels, -1);
    size_t used = 0;
    for (int l = 0; l < m->levels; ++l) {
        int64_t period = m->level[l].period;
        work.level[l] = m->level[l].fixed;
        if (l == 0)
            set_later(m, n - 1, &work.level[0]);
        else if (n >= period)
            set_step(m, l, n / period - 1, (int)(n % period), ALL, &used, &work.level[l]);
    }
    return work;
}

/* ------------------------------------------------------------------ launches */

static pinna_status launch(pn_matrix *m, cl_kernel kernel, const char *name, size_t groups, size_t group,
                           cl_ulong work_at, pinna_error *err) {
    if (groups == 0)
        return PINNA_OK;
    const size_t items[3] = {groups * group, 1, 1};
    pinna_status status =
        pn_opencl_set_arg(m->device, kernel, name, 1, (pn_opencl_arg){sizeof work_at, &work_at}, err);
    return status == PINNA_OK ? pn_opencl_run(m->device, m->queue, kernel, name, items, group, err) : status;
}

static const char *sums_name(const pn_matrix *m) {
    return m->packed ? "multiply_add_16" : "multiply_add";
}

pinna_status pn_opencl_matrix_enqueue(pn_matrix *m, const pn_work *work, size_t work_at,
                                      pn_matrix_kernels kernels, pinna_error *err) {
    size_t in = 0, in_top = 0, sums = 0, out = 0, out_top = 0, unit = 0;
    for (int l = 0; l < work->levels; ++l) {
        const pn_level_work *w = &work->level[l];
        size_t rows = kernels & PN_MATRIX_FORWARD ? (size_t)w->rows << w->top_log2 : 0;
        size_t outs = kernels & PN_MATRIX_INVERSE ? (size_t)w->out_rows << w->top_log2 : 0;
        in += rows;
        out += outs;
        in_top += w->top_log2 > 0 ? rows : 0;
        out_top += w->top_log2 > 0 ? outs : 0;
        sums += kernels & PN_MATRIX_SUMS ? (size_t)w->units * (size_t)w->shares : 0;
        unit = w->units > 0 && unit < (size_t)1 << w->unit_log2 ? (size_t)1 << w->unit_log2 : unit;
    }
    size_t group = pn_opencl_transform_group(m->device, m->local_log2);
    unit /= (size_t)m->device->widths.wide;
    unit = unit < m->device->max_group ? unit : m->device->max_group;
    cl_ulong at = work_at;
    pinna_status status = launch(m, m->forward_top, "level_forward_top", in_top, group, at, err);
    if (status == PINNA_OK)
        status = launch(m, m->forward, "level_forward", in, group, at, err);
    if (status == PINNA_OK)
        status = launch(m, m->sums, sums_name(m), sums, unit, at, err);
    if (status == PINNA_OK)
        status = launch(m, m->inverse, "level_inverse", out, group, at, err);
    if (status == PINNA_OK)
        status = launch(m, m->inverse_top, "level_inverse_top", out_top, group, at, err);
    return status;
}

/* ------------------------------------------------------------------ a call */

size_t pn_opencl_matrix_block_at(const pn_matrix *m, int64_t call) {
    return (size_t)((call - 1 + m->blocks) % m->blocks) * m->stride;
}

pn_matrix_call pn_opencl_matrix_call(const pn_matrix *m, int64_t call) {
    return (pn_matrix_call){head_work(m, call), rest_work(m, call)};
}

/* The half of the staging that the last call did not use. */
static float *staged_for(const pn_matrix *m, int64_t call) {
    return m->to_device.data + (call & 1 ? m->stride : 0);
}

/* The rows of a call, between the caller's places and the staging, in which they stand one after another. */
typedef struct {
    const pn_matrix *m;
    const float *const *in;
    float *const *out;
    float *staged;
    void (*copy)(float *to, const float *from, size_t count);
} row_copies;

static void copy_rows_in(void *context, int first, int end) {
    const row_copies *c = context;
    size_t block = (size_t)c->m->block;
    for (int i = first; i < end; ++i)
        c->copy(c->staged + (size_t)i * block, c->in[i], block);
}

static void copy_rows_out(void *context, int first, int end) {
    const row_copies *c = context;
    size_t block = (size_t)c->m->block;
    for (int row = first; row < end; ++row) {
        float *to = c->out[c->m->head_output[row]];
        if (to != NULL)
            c->copy(to, c->staged + (size_t)row * block, block);
    }
}

static void copy_rows(row_copies *c, pn_rows_fn range, int rows) {
    bool many = (size_t)rows * (size_t)c->m->block >= PN_ROWS_MANY;
    c->copy = many ? pn_row_stream : pn_row_copy;
    pn_rows_run(c->m->pool, many, rows, range, c);
}

static void copy_in(const pn_matrix *m, const float *const *in, float *staged) {
    row_copies c = {.m = m, .in = in, .staged = staged + m->samples};
    copy_rows(&c, copy_rows_in, m->inputs);
}

static void copy_out(const pn_matrix *m, float *const *out) {
    row_copies c = {.m = m, .out = out, .staged = m->from_device.data};
    copy_rows(&c, copy_rows_out, m->level[0].outputs);
}

double pn_opencl_matrix_bytes(const pn_matrix *m) {
    return (double)m->bytes;
}

void pn_opencl_matrix_set_pool(pn_matrix *m, pn_pool *pool) {
    m->pool = pool;
}

/* The block in staging becomes that of call m->calls + 1, and all is computed. */
static pinna_status enqueue_call(pn_matrix *m, float *staged, pinna_error *err) {
    int64_t n = ++m->calls;
    size_t at = pn_opencl_matrix_block_at(m, n);
    const pn_matrix_call work = pn_opencl_matrix_call(m, n);
    memcpy(staged, &work, sizeof work);
    pinna_status status = pn_opencl_write(m->device, m->transfers, m->time, at, staged, m->stride, err);
    if (status == PINNA_OK)
        status = pn_opencl_order(m->device, m->transfers, m->queue, err);
    if (status == PINNA_OK)
        status = pn_opencl_matrix_enqueue(m, &work.head, at, PN_MATRIX_ALL, err);
    if (status == PINNA_OK)
        status = pn_opencl_order(m->device, m->queue, m->transfers, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(m->device, m->transfers, m->out, m->from_device.data, m->from_device.count,
                                &m->done, err);
    if (status == PINNA_OK)
        status = pn_opencl_flush(m->device, m->transfers, err);
    if (status == PINNA_OK)
        status = pn_opencl_matrix_enqueue(m, &work.rest, at + offsetof(pn_matrix_call, rest) / 4,
                                          PN_MATRIX_ALL, err);
    return status == PINNA_OK ? pn_opencl_flush(m->device, m->queue, err) : status;
}

static pinna_status check_usable(const pn_matrix *m, pinna_error *err) {
    if (m->lost)
        return pn_fail(err, PINNA_DEVICE, "%s (%s): an earlier job failed", m->device->head.name,
                       m->device->info.name);
    if (m->done != NULL)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a job is begun before the last one is finished",
                       m->device->head.name);
    return PINNA_OK;
}

pinna_status pn_opencl_matrix_begin(pn_matrix *m, const float *const *in, pinna_error *err) {
    pinna_status status = check_usable(m, err);
    if (status != PINNA_OK)
        return status;
    float *staged = staged_for(m, m->calls + 1);
    copy_in(m, in, staged);
    status = enqueue_call(m, staged, err);
    m->lost = status != PINNA_OK;
    return status;
}

pinna_status pn_opencl_matrix_finish(pn_matrix *m, float *const *out, pinna_error *err) {
    if (m->done == NULL)
        return pn_fail(err, PINNA_DEVICE, "%s: no job is begun", m->device->head.name);
    pinna_status status = pn_opencl_wait(m->device, &m->done, err);
    m->lost = status != PINNA_OK;
    if (status != PINNA_OK)
        return status;
    if (m->level[0].outputs < m->outputs)
        for (int o = 0; o < m->outputs; ++o)
            if (out[o] != NULL)
                memset(out[o], 0, (size_t)m->block * sizeof(float));
    copy_out(m, out);
    return PINNA_OK;
}

/* ------------------------------------------------------------------ catching up */

/* Block `call` of the ring from the staging's samples, on return done. */
static pinna_status send_block(pn_matrix *m, int64_t call, pinna_error *err) {
    pinna_status status =
        pn_opencl_write(m->device, m->queue, m->time, pn_opencl_matrix_block_at(m, call) + m->samples,
                        m->to_device.data + m->samples, m->stride - m->samples, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    return status != PINNA_OK ? status : done;
}

pinna_status pn_opencl_matrix_seed(pn_matrix *m, const float *const *in, pinna_error *err) {
    pinna_status status = check_usable(m, err);
    if (status != PINNA_OK)
        return status;
    copy_in(m, in, m->to_device.data);
    status = send_block(m, m->calls, err);
    m->lost = status != PINNA_OK;
    return status;
}

pinna_status pn_opencl_matrix_feed(pn_matrix *m, const float *const *in, pinna_error *err) {
    pinna_status status = check_usable(m, err);
    if (status != PINNA_OK)
        return status;
    copy_in(m, in, m->to_device.data);
    int64_t n = ++m->calls;
    size_t at = pn_opencl_matrix_block_at(m, n);
    pn_matrix_call work = {.head = empty_work(m, 1, -1)};
    size_t used = 0;
    work.head.level[0] = m->level[0].fixed;
    set_step(m, 0, n - 1, 0, LATER, &used, &work.head.level[0]);
    memcpy(m->to_device.data, &work, sizeof work);
    status = pn_opencl_write(m->device, m->queue, m->time, at, m->to_device.data, m->stride, err);
    if (status == PINNA_OK)
        status = pn_opencl_matrix_enqueue(m, &work.head, at, PN_MATRIX_ALL, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    status = status != PINNA_OK ? status : done;
    m->lost = status != PINNA_OK;
    return status;
}

typedef struct {
    pn_matrix_window window;
    const void *user;
} past;

/* The blocks of the ring that end at time `end`, `count` of them. Asked for one by one, since not every input is known as
 * far back as the level reaches that has others. */
static pinna_status send_window(pn_matrix *m, const past *p, int64_t end, int count, pinna_error *err) {
    size_t block = (size_t)m->block;
    pinna_status status = PINNA_OK;
    for (int b = count - 1; b >= 0 && status == PINNA_OK; --b) {
        int64_t time = end - (int64_t)b * m->block;
        for (int i = 0; i < m->inputs; ++i)
            memcpy(m->to_device.data + m->samples + (size_t)i * block, p->window(p->user, i, time, block),
                   block * sizeof(float));
        status = send_block(m, time / m->block + m->blocks, err);
    }
    return status;
}

/* Steps 0 .. steps-1 of a job, whose window is in the ring. */
static pinna_status run_steps(pn_matrix *m, int l, int64_t job, int steps, extent what, pinna_error *err) {
    pinna_status status = PINNA_OK;
    for (int s = 0; s < steps && status == PINNA_OK; ++s) {
        size_t used = 0;
        pn_work work = empty_work(m, 1, -1);
        work.level[0] = m->level[l].fixed;
        set_step(m, l, job, s, what, &used, &work.level[0]);
        memcpy(m->to_device.data, &work, sizeof work);
        status = pn_opencl_write(m->device, m->queue, m->time, 0, m->to_device.data, sizeof work / 4, err);
        if (status == PINNA_OK)
            status = pn_opencl_matrix_enqueue(m, &work, 0, PN_MATRIX_ALL, err);
        pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
        status = status != PINNA_OK ? status : done;
    }
    return status;
}

/* The inputs' spectra as far back as the level reaches; the job that is heard next, with what those before left for it,
 * and the one under way. Of level 0 only what the last jobs left. */
static pinna_status prime_level(pn_matrix *m, int l, int64_t n, const past *p, pinna_error *err) {
    const pn_level_layout *level = &m->level[l];
    int64_t period = level->period, now = n / period - 1, first = now - level->fixed.ring;
    int64_t futures = (int64_t)1 << level->fixed.futures_log2, heard = l == 0 ? 0 : 2;
    pinna_status status = PINNA_OK;
    first = first < 0 ? 0 : first;
    for (int64_t job = first; job <= now && status == PINNA_OK; ++job) {
        int blocks = job == first ? 2 * (int)period : (int)period; /* the window before has the rest */
        int64_t back = now - job;
        int steps = (int)(back == 0 ? n % period + 1 : period);
        extent what = back < heard ? ALL : back < heard + futures ? LATER : SPECTRA;
        status = send_window(m, p, (job + 1) * period * m->block, blocks, err);
        if (status == PINNA_OK)
            status = run_steps(m, l, job, steps, what, err);
    }
    return status;
}

pinna_status pn_opencl_matrix_prime(pn_matrix *m, int64_t time, pn_matrix_window window, const void *user,
                                    pinna_error *err) {
    pn_opencl_matrix_reset(m);
    pinna_status status = check_usable(m, err);
    if (status != PINNA_OK)
        return status;
    const past p = {window, user};
    m->calls = time / m->block;
    for (int l = 0; l < m->levels && status == PINNA_OK; ++l)
        status = prime_level(m, l, m->calls, &p, err);
    int half = m->blocks / 2;
    if (status == PINNA_OK && m->calls > 0)
        status = send_window(m, &p, time - (int64_t)half * m->block, half, err);
    if (status == PINNA_OK && m->calls > 0)
        status = send_window(m, &p, time, half, err);
    m->lost = status != PINNA_OK;
    return status;
}

/* ------------------------------------------------------------------ life */

static pinna_status clear(pn_matrix *m, pinna_error *err) {
    pinna_status status = pn_opencl_clear(m->device, m->queue, m->time, (size_t)m->blocks * m->stride, err);
    if (status == PINNA_OK)
        status = pn_opencl_clear(m->device, m->queue, m->result, m->result_count, err);
    if (status == PINNA_OK)
        status = pn_opencl_clear(m->device, m->queue, m->y, m->y_count, err);
    for (int s = 0; s < m->shards && status == PINNA_OK; ++s)
        status = pn_opencl_clear(m->device, m->queue, m->shard[s], m->x_count[s], err);
    return status;
}

void pn_opencl_matrix_reset(pn_matrix *m) {
    if (m->done != NULL)
        pn_opencl_wait(m->device, &m->done, NULL);
    pinna_status status = pn_opencl_finish(m->device, m->queue, NULL);
    pinna_status copied = pn_opencl_finish(m->device, m->transfers, NULL);
    if (status == PINNA_OK)
        status = copied == PINNA_OK ? clear(m, NULL) : copied;
    if (status == PINNA_OK)
        status = pn_opencl_finish(m->device, m->queue, NULL);
    m->lost = status != PINNA_OK;
    m->calls = 0;
}

/* An output's list of pieces ends where it begins: its sums read nothing. In the order of the queue, between two calls;
 * should it fail the next begin does. */
void pn_opencl_matrix_mute(pn_matrix *m, const bool *muted) {
    for (int row = 0; row < m->level[0].outputs; ++row) {
        if (!muted[m->head_output[row]])
            continue;
        for (int l = 0; l < m->levels; ++l) {
            const pn_level_work *w = &m->level[l].fixed;
            int output = l == 0 ? row : m->map_of[w->map + row];
            if (output >= 0)
                m->first[w->first + 2 * output + 1] = m->first[w->first + 2 * output];
        }
    }
    if (!m->lost)
        m->lost =
            pn_opencl_write(m->device, m->queue, m->firsts, 0, m->first, m->first_count, NULL) != PINNA_OK;
}

static pinna_status create_kernels(pn_matrix *m, pinna_error *err) {
    const struct {
        const char *name;
        cl_kernel *kernel;
    } kernels[] = {{"level_forward_top", &m->forward_top},
                   {"level_forward", &m->forward},
                   {sums_name(m), &m->sums},
                   {"level_inverse", &m->inverse},
                   {"level_inverse_top", &m->inverse_top}};
    pinna_status status = PINNA_OK;
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0] && status == PINNA_OK; ++i)
        status = pn_opencl_kernel_create(m->device, kernels[i].name, kernels[i].kernel, err);
    return status;
}

#define BUFFER(b)                                                                                            \
    { sizeof(cl_mem), &(b) }

/* All arguments but the work's place, which changes from launch to launch. Absent shards are the first once more. */
static pinna_status set_arguments(pn_matrix *m, pinna_error *err) {
    const cl_ulong at = 0;
    const pn_opencl_arg place = {sizeof at, &at}, scratch = {2 * sizeof(float) << m->local_log2, NULL};
    pn_opencl_arg s[PN_SHARDS];
    for (int i = 0; i < PN_SHARDS; ++i)
        s[i] = (pn_opencl_arg)BUFFER(m->shard[i < m->shards ? i : 0]);
    const pn_opencl_arg forward_top[] = {BUFFER(m->time),     place,           BUFFER(m->list),
                                         BUFFER(m->twiddles), BUFFER(m->work), scratch};
    const pn_opencl_arg forward[] = {BUFFER(m->time),
                                     place,
                                     BUFFER(m->list),
                                     BUFFER(m->twiddles),
                                     BUFFER(m->work),
                                     s[0],
                                     s[1],
                                     s[2],
                                     s[3],
                                     s[4],
                                     s[5],
                                     s[6],
                                     s[7],
                                     scratch};
    const pn_opencl_arg sums[] = {
        BUFFER(m->time),   place,       s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], BUFFER(m->pieces),
        BUFFER(m->firsts), BUFFER(m->y)};
    const pn_opencl_arg inverse[] = {BUFFER(m->time),     place,           BUFFER(m->y),
                                     BUFFER(m->twiddles), BUFFER(m->work), BUFFER(m->result),
                                     BUFFER(m->out),      BUFFER(m->map),  scratch};
    const pn_opencl_arg inverse_top[] = {
        BUFFER(m->time),   place,          BUFFER(m->work), BUFFER(m->twiddles),
        BUFFER(m->result), BUFFER(m->out), BUFFER(m->map),  scratch};
    pinna_status status =
        pn_opencl_set_args(m->device, m->forward_top, "level_forward_top", 6, forward_top, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(m->device, m->forward, "level_forward", 14, forward, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(m->device, m->sums, sums_name(m), 13, sums, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(m->device, m->inverse, "level_inverse", 9, inverse, err);
    if (status == PINNA_OK)
        status = pn_opencl_set_args(m->device, m->inverse_top, "level_inverse_top", 8, inverse_top, err);
    return status;
}

/* Every kernel once, so that no driver compiles anything in the first calls: a call, and steps of the largest level up
 * to the one that has an output. */
static pinna_status warm_up(pn_matrix *m, pinna_error *err) {
    int last = m->levels - 1, steps = 1;
    const pn_level_layout *level = &m->level[last];
    while (level->outs_before[steps] == 0)
        ++steps;
    pinna_status status = enqueue_call(m, m->to_device.data, err);
    if (status == PINNA_OK)
        status = pn_opencl_wait(m->device, &m->done, err);
    if (status == PINNA_OK && last > 0)
        status = run_steps(m, last, 0, steps, ALL, err);
    if (status != PINNA_OK)
        return status;
    pn_opencl_matrix_reset(m);
    return check_usable(m, err);
}

static void tell_error(const pn_matrix *m) {
    double error_db = 10 * log10((m->packed_error + 1e-300) / (m->packed_energy + 1e-300));
    int rounded = (int)ceil(error_db), told = atomic_load(&m->device->told_db);
    if (told != 0 && rounded <= told)
        return;
    atomic_store(&m->device->told_db, rounded);
    uint64_t floats = 0, x = 0;
    for (int s = 0; s < m->shards; ++s) {
        floats += m->shard_count[s];
        x += m->x_count[s];
    }
    double megabytes = 4e-6 * (double)(floats - x);
    pn_info(m->device->head.messages,
            "%s: the responses' spectra are held in 16 bits, %.1f MB instead of %.1f; error %.1f dB",
            m->device->head.name, megabytes, megabytes * 32 / 17, error_db);
}

static pinna_status build(pn_matrix *m, const pn_matrix_desc *desc, pinna_error *err) {
    pinna_status status = pn_opencl_queue_create(m->device, &m->queue, err);
    m->transfers = m->queue;
    if (status == PINNA_OK && m->device->info.type != PN_OPENCL_CPU)
        status = pn_opencl_queue_create(m->device, &m->transfers, err);
    if (status == PINNA_OK)
        status = pn_opencl_matrix_lay_out(m, desc, err);
    if (status == PINNA_OK)
        status = create_kernels(m, err);
    if (status == PINNA_OK)
        status = set_arguments(m, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(m->device, m->queue, 2 * m->stride, &m->to_device, err);
    if (status == PINNA_OK)
        status = pn_opencl_staging_create(m->device, m->queue, (size_t)m->level[0].outputs * (size_t)m->block,
                                          &m->from_device, err);
    if (status == PINNA_OK)
        status = clear(m, err);
    if (status == PINNA_OK)
        status = warm_up(m, err);
    if (status == PINNA_OK && m->packed)
        tell_error(m);
    return status;
}

pinna_status pn_opencl_matrix_create(pn_backend *backend, const pn_matrix_desc *desc, pn_matrix **out,
                                     pinna_error *err) {
    *out = NULL;
    pn_matrix *m = pn_alloc(1, sizeof *m);
    if (m == NULL)
        return pn_fail_memory(err, "a convolver's matrix", sizeof *m);
    m->device = (pn_opencl *)backend;
    pinna_status status = build(m, desc, err);
    if (status != PINNA_OK)
        pn_opencl_matrix_free(m);
    else
        *out = m;
    return status;
}

void pn_opencl_matrix_free(pn_matrix *m) {
    if (m == NULL)
        return;
    if (m->done != NULL)
        pn_opencl_wait(m->device, &m->done, NULL);
    if (m->queue != NULL) {
        pn_opencl_finish(m->device, m->queue, NULL);
        if (m->transfers != NULL && m->transfers != m->queue)
            pn_opencl_finish(m->device, m->transfers, NULL);
        pn_opencl_staging_release(m->queue, &m->to_device);
        pn_opencl_staging_release(m->queue, &m->from_device);
    }
    cl_mem *buffers[] = {&m->time, &m->y,      &m->work,   &m->result, &m->out,
                         &m->list, &m->pieces, &m->firsts, &m->map,    &m->twiddles};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        pn_opencl_buffer_release(buffers[i]);
    for (int s = 0; s < PN_SHARDS; ++s)
        pn_opencl_buffer_release(&m->shard[s]);
    cl_kernel *kernels[] = {&m->forward_top, &m->forward, &m->sums, &m->inverse, &m->inverse_top};
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; ++i)
        pn_opencl_kernel_release(kernels[i]);
    if (m->transfers != m->queue)
        pn_opencl_queue_release(&m->transfers);
    pn_opencl_queue_release(&m->queue);
    atomic_fetch_sub(&m->device->used, m->bytes);
    for (int l = 0; l < m->levels; ++l)
        pn_free(m->level[l].rows_before);
    pn_free(m->head_output);
    pn_free(m->first);
    pn_free(m->map_of);
    pn_free(m);
}
