// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spectra of a matrix's responses: sent, transformed, and, where they are to be held in 16 bits, packed, with the
 * error that this makes. The factor 1 / M of the inverse is in them (exact: a power of two). */
#include "device/opencl_matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A batch is a megabyte or some, of a long part or of many short ones next to each other: ten thousand responses are no ten
 * thousand uploads. */
enum { BATCH_FLOATS = 1 << 22, BATCH_ROWS = 1 << 14 };

typedef struct {
    float *rows;
    cl_mem taps;
    size_t batch; /* rows at a time */
    int block, tile_log2;
    pn_opencl_transform transform;
    /* for 16 bits */
    cl_mem whole, wrong; /* a batch in 32 bits; error and energy of every 16 bins of it */
    float *told;
    cl_kernel pack;
} sender;

/* Partitions first .. first+count-1 of each of `parts` parts. */
typedef struct {
    const pn_matrix_part *part;
    size_t parts, first, count;
} batch;

static size_t rows_of(const batch *b) {
    return b->parts * b->count;
}

/* Into rows of `block`, with zeros at each end. */
static void fill_rows(float *rows, const batch *b, int block) {
    const float scale = 1.0f / (float)block;
    const size_t start = b->first * (size_t)block, floats = b->count * (size_t)block;
    for (size_t e = 0; e < b->parts; ++e, rows += floats) {
        const pn_matrix_part *from = &b->part[e];
        size_t left = from->length - start, taps = left < floats ? left : floats;
        for (size_t n = 0; n < taps; ++n)
            rows[n] = from->taps[start + n] * scale;
        memset(rows + taps, 0, (floats - taps) * sizeof *rows);
    }
}

static pinna_status pack_part(pn_matrix *m, const sender *s, const batch *b, size_t e, pinna_error *err) {
    const pn_matrix_part *to = &b->part[e];
    const cl_uint tiles = (cl_uint)(s->block >> s->tile_log2), partitions = (cl_uint)to->partitions;
    const cl_uint first = (cl_uint)b->first, rows = (cl_uint)rows_of(b), row = (cl_uint)(e * b->count);
    const cl_ulong at = (cl_ulong)to->at * (cl_ulong)m->vector;
    const pn_opencl_arg args[] = {{sizeof s->whole, &s->whole},
                                  {sizeof rows, &rows},
                                  {sizeof row, &row},
                                  {sizeof tiles, &tiles},
                                  {sizeof partitions, &partitions},
                                  {sizeof first, &first},
                                  {sizeof at, &at},
                                  {sizeof(cl_mem), &m->shard[to->shard]},
                                  {sizeof s->wrong, &s->wrong}};
    const size_t scales = (size_t)1 << (s->tile_log2 - PN_SCALED_LOG2), items[3] = {scales, b->count, tiles};
    pinna_status status = pn_opencl_set_args(m->device, s->pack, "pack_spectra", 9, args, err);
    return status == PINNA_OK
               ? pn_opencl_run(m->device, m->queue, s->pack, "pack_spectra", items, scales, err)
               : status;
}

/* The batch in `whole` into 16 bits, on return done. */
static pinna_status pack(pn_matrix *m, const sender *s, const batch *b, pinna_error *err) {
    size_t told = 2 * (rows_of(b) * (size_t)s->block >> PN_SCALED_LOG2);
    pinna_status status = PINNA_OK;
    for (size_t e = 0; e < b->parts && status == PINNA_OK; ++e)
        status = pack_part(m, s, b, e, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(m->device, m->queue, s->wrong, s->told, told, NULL, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    for (size_t i = 0; i < told && status == PINNA_OK && done == PINNA_OK; i += 2) {
        m->packed_error += s->told[i];
        m->packed_energy += s->told[i + 1];
    }
    return status != PINNA_OK ? status : done;
}

static pinna_status send_batch(pn_matrix *m, const sender *s, const batch *b, pinna_error *err) {
    const pn_matrix_part *to = b->part;
    size_t rows = rows_of(b);
    pn_opencl_forward forward = {
        .in = s->taps, .in_row = s->block, .in_im = -1, .out_row = 1, .tile_log2 = s->tile_log2};
    if (m->packed) {
        forward.out = s->whole;
        forward.out_tile = (uint32_t)rows;
    } else {
        forward.out = m->shard[to->shard];
        forward.out_at = to->at + (uint32_t)b->first;
        forward.out_tile = (uint32_t)to->partitions;
        forward.part_rows = (uint32_t)b->count;
        forward.part_step = b->parts > 1 ? b->part[1].at - to->at : 0;
    }
    fill_rows(s->rows, b, s->block);
    pinna_status status =
        pn_opencl_write(m->device, m->queue, s->taps, 0, s->rows, rows * (size_t)s->block, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_forward(m->device, m->queue, &s->transform, &forward, (int)rows, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    status = status != PINNA_OK ? status : done;
    return status == PINNA_OK && m->packed ? pack(m, s, b, err) : status;
}

/* How many from part[0] on go into one batch: of the same length in partitions, at the same distance from one another. */
static size_t count_alike(const sender *s, const pn_matrix_part *part, size_t left) {
    size_t count = 1, partitions = (size_t)part->partitions;
    while (count < left && (count + 1) * partitions <= s->batch) {
        const pn_matrix_part *next = &part[count];
        if (next->partitions != part->partitions || next->shard != part->shard ||
            next->at - next[-1].at != part[1].at - part->at)
            break;
        ++count;
    }
    return count;
}

static pinna_status send_part(pn_matrix *m, const sender *s, const pn_matrix_part *part, pinna_error *err) {
    size_t partitions = (size_t)part->partitions;
    pinna_status status = PINNA_OK;
    for (size_t at = 0; at < partitions && status == PINNA_OK; at += s->batch) {
        size_t left = partitions - at;
        const batch b = {part, 1, at, left < s->batch ? left : s->batch};
        status = send_batch(m, s, &b, err);
    }
    return status;
}

static pinna_status create_packer(const pn_matrix *m, sender *s, size_t floats, pinna_error *err) {
    size_t told = 2 * (2 * floats >> (PN_SCALED_LOG2 + 1));
    s->told = pn_alloc_floats(told);
    if (s->told == NULL)
        return pn_fail_memory(err, "the responses on their way to the device", 4.0 * (double)told);
    pinna_status status = pn_opencl_buffer_create(m->device, "partitions", 2 * floats, &s->whole, err);
    if (status == PINNA_OK)
        status = pn_opencl_buffer_create(m->device, "the error of 16 bits", told, &s->wrong, err);
    return status == PINNA_OK ? pn_opencl_kernel_create(m->device, "pack_spectra", &s->pack, err) : status;
}

/* partitions: of all parts */
static pinna_status create_sender(const pn_matrix *m, size_t partitions, sender *s, pinna_error *err) {
    uint64_t room = m->device->info.max_alloc / 8; /* of spectra, which take twice as much */
    size_t most = (size_t)(room < BATCH_FLOATS ? room : BATCH_FLOATS) / (size_t)s->block;
    most = most < 1 ? 1 : most < BATCH_ROWS ? most : BATCH_ROWS;
    s->batch = partitions < most ? partitions : most;
    size_t floats = s->batch * (size_t)s->block;
    s->rows = pn_alloc_floats(floats);
    if (s->rows == NULL)
        return pn_fail_memory(err, "the responses on their way to the device", 4.0 * (double)floats);
    pinna_status status = pn_opencl_buffer_create(m->device, "partitions", floats, &s->taps, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(m->device, m->queue, s->block, (int)s->batch, &s->transform, err);
    return status == PINNA_OK && m->packed ? create_packer(m, s, floats, err) : status;
}

static int by_place(const void *a, const void *b) {
    const pn_matrix_part *p = a, *q = b;
    if (p->shard != q->shard)
        return p->shard < q->shard ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

pinna_status pn_opencl_matrix_send(pn_matrix *m, int l, pn_matrix_part *parts, int count, pinna_error *err) {
    sender s = {.block = m->block * m->level[l].period, .tile_log2 = m->device->widths.tile_log2};
    size_t partitions = 0;
    for (int e = 0; e < count; ++e)
        partitions += (size_t)parts[e].partitions;
    qsort(parts, (size_t)count, sizeof *parts, by_place);
    pinna_status status = create_sender(m, partitions, &s, err);
    for (size_t e = 0, alike; e < (size_t)count && status == PINNA_OK; e += alike) {
        alike = count_alike(&s, &parts[e], (size_t)count - e);
        const batch b = {&parts[e], alike, 0, (size_t)parts[e].partitions};
        status = alike > 1 ? send_batch(m, &s, &b, err) : send_part(m, &s, &parts[e], err);
    }
    if (l == m->levels - 1 && status == PINNA_OK) {
        m->twiddles = s.transform.twiddles;
        s.transform.twiddles = NULL;
    }
    pn_opencl_transform_release(&s.transform);
    pn_opencl_buffer_release(&s.taps);
    pn_opencl_buffer_release(&s.whole);
    pn_opencl_buffer_release(&s.wrong);
    pn_opencl_kernel_release(&s.pack);
    pn_free(s.told);
    pn_free(s.rows);
    return status;
}
