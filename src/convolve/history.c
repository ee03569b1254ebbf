// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/history.h"

#include <string.h>

#include "base/memory.h"

enum { PADDING = 32 };

static size_t round_up(size_t value, size_t step) {
    return (value + step - 1) / step * step;
}

static size_t ring_length(size_t reach, size_t window, int block) {
    return round_up(reach < 2 * window ? 2 * window : reach, (size_t)block);
}

static size_t stride_for(size_t reach, size_t window, int block) {
    return ring_length(reach, window, block) + window + PADDING;
}

double pn_history_bytes(int inputs, size_t reach, size_t window, int block) {
    return (double)inputs * (double)stride_for(reach, window, block) * sizeof(float);
}

pinna_status pn_history_init(pn_history *history, int inputs, size_t reach, size_t window, int block,
                             pinna_error *err) {
    history->inputs = inputs;
    history->length = ring_length(reach, window, block);
    history->mirror = window;
    history->stride = stride_for(reach, window, block);
    history->time = 0;
    history->data = pn_alloc((size_t)inputs, history->stride * sizeof(float));
    if (history->data == NULL)
        return pn_fail_memory(err, "the input history", pn_history_bytes(inputs, reach, window, block));
    return PINNA_OK;
}

void pn_history_clear(pn_history *history) {
    pn_free(history->data);
    memset(history, 0, sizeof *history);
}

void pn_history_reset(pn_history *history) {
    memset(history->data, 0, (size_t)history->inputs * history->stride * sizeof(float));
    history->time = 0;
}

static size_t position(const pn_history *history, int64_t time) {
    int64_t length = (int64_t)history->length;
    return (size_t)((time % length + length) % length);
}

static void store(float *to, const float *from, size_t frames) {
    if (from != NULL)
        memcpy(to, from, frames * sizeof *to);
    else
        memset(to, 0, frames * sizeof *to);
}

static void write_at(pn_history *history, int input, int64_t time, const float *in, size_t frames) {
    size_t at = position(history, time);
    float *ring = history->data + (size_t)input * history->stride;
    store(ring + at, in, frames);
    if (at < history->mirror)
        store(ring + history->length + at, in, frames);
}

void pn_history_write(pn_history *history, const float *const *in, int block) {
    for (int i = 0; i < history->inputs; ++i)
        write_at(history, i, history->time, in[i], (size_t)block);
    history->time += block;
}

const float *pn_history_window(const pn_history *history, int input, int64_t end, size_t frames) {
    return history->data + (size_t)input * history->stride + position(history, end - (int64_t)frames);
}

void pn_history_copy(pn_history *to, const pn_history *from, int block) {
    size_t known = from->length < to->length ? from->length : to->length;
    int64_t first = from->time > (int64_t)known ? from->time - (int64_t)known : 0;
    for (int i = 0; i < to->inputs; ++i)
        for (int64_t time = first; time < from->time; time += block)
            write_at(to, i, time, pn_history_window(from, i, time + block, (size_t)block), (size_t)block);
    to->time = from->time;
}
