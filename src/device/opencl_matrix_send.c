// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The spectra of a matrix's responses: sent, transformed, and, where they are to be held in 16 bits, packed, with the
 * error that this makes. The factor 1 / M of the inverse is in them (exact: a power of two). */
#include "device/opencl_matrix.h"

#include "base/memory.h"

enum { BATCH_FLOATS = 1 << 20, BATCH_ROWS = 4096 };

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

/* Partitions from .. from+count-1 into rows of `block`, with zeros at the end. */
static void fill_rows(float *rows, const pn_matrix_part *from, int block, size_t first, size_t count) {
    const float scale = 1.0f / (float)block;
    size_t start = first * (size_t)block, floats = count * (size_t)block;
    for (size_t n = 0; n < floats; ++n)
        rows[n] = start + n < from->length ? from->taps[start + n] * scale : 0;
}

/* The batch in `whole` into 16 bits, on return done. */
static pinna_status pack(pn_matrix *m, const sender *s, const pn_matrix_part *from, size_t first,
                         size_t count, pinna_error *err) {
    const cl_uint tiles = (cl_uint)(s->block >> s->tile_log2), partitions = (cl_uint)from->partitions;
    const cl_uint first_row = (cl_uint)first;
    const cl_ulong at = (cl_ulong)from->at * (cl_ulong)m->vector;
    const pn_opencl_arg args[] = {
        {sizeof s->whole, &s->whole},   {sizeof tiles, &tiles}, {sizeof partitions, &partitions},
        {sizeof first_row, &first_row}, {sizeof at, &at},       {sizeof(cl_mem), &m->shard[from->shard]},
        {sizeof s->wrong, &s->wrong}};
    const size_t scales = (size_t)1 << (s->tile_log2 - PN_SCALED_LOG2), items[3] = {scales, count, tiles};
    size_t told = 2 * items[0] * items[1] * items[2];
    pinna_status status = pn_opencl_set_args(m->device, s->pack, "pack_spectra", 7, args, err);
    if (status == PINNA_OK)
        status = pn_opencl_run(m->device, m->queue, s->pack, "pack_spectra", items, scales, err);
    if (status == PINNA_OK)
        status = pn_opencl_read(m->device, m->queue, s->wrong, s->told, told, NULL, err);
    pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
    for (size_t i = 0; i < told && status == PINNA_OK && done == PINNA_OK; i += 2) {
        m->packed_error += s->told[i];
        m->packed_energy += s->told[i + 1];
    }
    return status != PINNA_OK ? status : done;
}

static pinna_status send_part(pn_matrix *m, const sender *s, const pn_matrix_part *from, pinna_error *err) {
    size_t partitions = (size_t)from->partitions;
    pinna_status status = PINNA_OK;
    for (size_t at = 0; at < partitions && status == PINNA_OK; at += s->batch) {
        size_t count = partitions - at < s->batch ? partitions - at : s->batch;
        fill_rows(s->rows, from, s->block, at, count);
        const pn_opencl_forward forward = {.in = s->taps,
                                           .in_row = s->block,
                                           .in_im = -1,
                                           .out = m->packed ? s->whole : m->shard[from->shard],
                                           .out_at = m->packed ? 0 : from->at + (uint32_t)at,
                                           .out_row = 1,
                                           .out_tile = (uint32_t)(m->packed ? count : partitions),
                                           .tile_log2 = s->tile_log2};
        status = pn_opencl_write(m->device, m->queue, s->taps, 0, s->rows, count * (size_t)s->block, err);
        if (status == PINNA_OK)
            status =
                pn_opencl_transform_forward(m->device, m->queue, &s->transform, &forward, (int)count, err);
        pinna_status done = pn_opencl_finish(m->device, m->queue, status == PINNA_OK ? err : NULL);
        status = status != PINNA_OK ? status : done;
        if (status == PINNA_OK && m->packed)
            status = pack(m, s, from, at, count, err);
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

static pinna_status create_sender(const pn_matrix *m, int l, sender *s, pinna_error *err) {
    size_t most = (size_t)(BATCH_FLOATS / s->block), longest = (size_t)m->level[l].fixed.ring;
    most = most < 1 ? 1 : most < BATCH_ROWS ? most : BATCH_ROWS;
    s->batch = longest < most ? longest : most;
    size_t floats = s->batch * (size_t)s->block;
    s->rows = pn_alloc_floats(floats);
    if (s->rows == NULL)
        return pn_fail_memory(err, "the responses on their way to the device", 4.0 * (double)floats);
    pinna_status status = pn_opencl_buffer_create(m->device, "partitions", floats, &s->taps, err);
    if (status == PINNA_OK)
        status = pn_opencl_transform_create(m->device, m->queue, s->block, (int)s->batch, &s->transform, err);
    return status == PINNA_OK && m->packed ? create_packer(m, s, floats, err) : status;
}

pinna_status pn_opencl_matrix_send(pn_matrix *m, int l, const pn_matrix_part *parts, int count,
                                   pinna_error *err) {
    sender s = {.block = m->block * m->level[l].period, .tile_log2 = m->device->widths.tile_log2};
    pinna_status status = create_sender(m, l, &s, err);
    for (int e = 0; e < count && status == PINNA_OK; ++e)
        status = send_part(m, &s, &parts[e], err);
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
