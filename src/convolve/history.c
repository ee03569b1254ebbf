// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Following a ring that is being written, without a lock and without a data race.
 *
 * The writer announces the frames it is about to replace (claimed), stores the samples, and publishes them (time).
 * The follower copies frames that were published and then looks at `claimed`: were they replaced meanwhile, the copy
 * is thrown away. Every sample is stored with release and loaded with acquire order, so that whoever has seen a new
 * sample also sees the claim that came before it (a seqlock without fences; on x86 these are plain moves). Samples
 * go by pairs: a write is a multiple of 32 frames and rings are aligned. */
#include "convolve/history.h"

#include <string.h>

#include "base/memory.h"

enum { PADDING = 32, MARGIN_BLOCKS = 32, MARGIN_LARGE = 4, MARGIN_FRAMES = 8192 };

typedef uint64_t __attribute__((may_alias)) sample_pair;

static size_t round_up(size_t value, size_t step) {
    return (value + step - 1) / step * step;
}

static size_t ring_length(size_t reach, size_t window, int block) {
    return round_up(reach < 2 * window ? 2 * window : reach, (size_t)block);
}

static size_t stride_for(size_t reach, size_t window, int block) {
    return ring_length(reach, window, block) + window + PADDING;
}

size_t pn_history_margin(int block) {
    return (size_t)(block > MARGIN_FRAMES ? MARGIN_LARGE : MARGIN_BLOCKS) * (size_t)block + MARGIN_FRAMES;
}

double pn_history_bytes(int inputs, size_t reach, size_t window, int block) {
    return (double)inputs * (double)stride_for(reach, window, block) * sizeof(float);
}

double pn_history_size(const pn_history *history) {
    return history == NULL ? 0 : (double)history->rings * (double)history->stride * sizeof(float);
}

static pinna_status create(int inputs, int rings, size_t reach, size_t window, int block, pn_history **out,
                           pinna_error *err) {
    *out = NULL;
    pn_history *history = pn_alloc(1, sizeof *history);
    size_t stride = stride_for(reach, window, block);
    float *data = pn_alloc((size_t)rings, stride * sizeof(float));
    if (history == NULL || data == NULL) {
        pn_free(history);
        pn_free(data);
        return pn_fail_memory(err, "the input history", pn_history_bytes(rings, reach, window, block));
    }
    history->inputs = inputs;
    history->rings = rings;
    history->length = ring_length(reach, window, block);
    history->mirror = window;
    history->stride = stride;
    history->data = data;
    *out = history;
    return PINNA_OK;
}

pinna_status pn_history_create(int inputs, size_t reach, size_t window, int block, pn_history **out,
                               pinna_error *err) {
    return create(inputs, inputs, reach, window, block, out, err);
}

pinna_status pn_history_create_some(int inputs, const bool *kept, size_t reach, size_t window, int block,
                                    pn_history **out, pinna_error *err) {
    *out = NULL;
    int rings = 0, *ring = pn_alloc((size_t)inputs, sizeof *ring);
    if (ring == NULL)
        return pn_fail_memory(err, "the input history", (double)inputs * sizeof *ring);
    for (int i = 0; i < inputs; ++i)
        ring[i] = kept[i] ? rings++ : -1;
    pinna_status status = create(inputs, rings, reach, window, block, out, err);
    if (status == PINNA_OK)
        (*out)->ring = ring;
    else
        pn_free(ring);
    return status;
}

void pn_history_free(pn_history *history) {
    if (history != NULL) {
        pn_free(history->data);
        pn_free(history->ring);
    }
    pn_free(history);
}

int64_t pn_history_time(const pn_history *history) {
    return atomic_load_explicit(&history->time, memory_order_acquire);
}

static size_t position(const pn_history *history, int64_t time) {
    int64_t length = (int64_t)history->length;
    return (size_t)((time % length + length) % length);
}

static void store(float *to, const float *from, size_t frames) {
    sample_pair *pair = (sample_pair *)(void *)to;
    for (size_t n = 0; n < frames / 2; ++n) {
        uint64_t value = 0;
        if (from != NULL)
            memcpy(&value, from + 2 * n, sizeof value);
        __atomic_store_n(&pair[n], value, __ATOMIC_RELEASE);
    }
}

static void load(float *to, const float *from, size_t frames) {
    const sample_pair *pair = (const sample_pair *)(const void *)from;
    for (size_t n = 0; n < frames / 2; ++n) {
        uint64_t value = __atomic_load_n(&pair[n], __ATOMIC_ACQUIRE);
        memcpy(to + 2 * n, &value, sizeof value);
    }
}

static void store_plainly(float *to, const float *from, size_t frames) {
    if (from != NULL)
        memcpy(to, from, frames * sizeof *to);
    else
        memset(to, 0, frames * sizeof *to);
}

static float *ring_of(const pn_history *history, int input) {
    int ring = history->ring == NULL ? input : history->ring[input];
    return history->data + (size_t)ring * history->stride;
}

static void write_at(pn_history *history, int input, int64_t time, const float *in, size_t frames) {
    size_t at = position(history, time);
    float *ring = ring_of(history, input);
    void (*put)(float *, const float *, size_t) = history->alone ? store_plainly : store;
    put(ring + at, in, frames);
    if (at < history->mirror)
        put(ring + history->length + at, in, frames);
}

static void claim(pn_history *history, int64_t time) {
    atomic_store_explicit(&history->claimed, time, memory_order_relaxed);
}

static void publish(pn_history *history, int64_t time) {
    atomic_store_explicit(&history->time, time, memory_order_release);
}

void pn_history_reset(pn_history *history) {
    atomic_fetch_add(&history->generation, 1);
    for (int i = 0; i < history->rings; ++i)
        store(history->data + (size_t)i * history->stride, NULL, history->stride);
    claim(history, 0);
    publish(history, 0);
}

void pn_history_write(pn_history *history, const float *const *in, int block) {
    int64_t time = pn_history_time(history);
    claim(history, time + block);
    for (int i = 0; i < history->inputs; ++i)
        write_at(history, i, time, in[i], (size_t)block);
    publish(history, time + block);
}

const float *pn_history_window(const pn_history *history, int input, int64_t end, size_t frames) {
    return ring_of(history, input) + position(history, end - (int64_t)frames);
}

static void append_from(pn_history *to, const pn_history *from, int64_t first, int block) {
    int64_t end = pn_history_time(from);
    for (int i = 0; i < to->inputs; ++i)
        for (int64_t time = first; time < end; time += block)
            write_at(to, i, time, pn_history_window(from, i, time + block, (size_t)block), (size_t)block);
    claim(to, end);
    publish(to, end);
}

static int64_t oldest(int64_t time, size_t known) {
    return time > (int64_t)known ? time - (int64_t)known : 0;
}

void pn_history_copy(pn_history *to, const pn_history *from, int block) {
    size_t known = from->length < to->length ? from->length : to->length;
    append_from(to, from, oldest(pn_history_time(from), known), block);
}

void pn_history_append(pn_history *to, const pn_history *from, int block) {
    append_from(to, from, pn_history_time(to), block);
}

/* One block of all inputs that `to` keeps, which stood whole in `from` all the while: else false. */
static bool follow_block(pn_history *to, const pn_history *from, int64_t time, int block,
                         unsigned generation) {
    for (int i = 0; i < to->inputs; ++i) {
        if (to->ring != NULL && to->ring[i] < 0)
            continue;
        size_t at = position(to, time);
        float *ring = ring_of(to, i);
        load(ring + at, pn_history_window(from, i, time + block, (size_t)block), (size_t)block);
        if (at < to->mirror)
            memcpy(ring + to->length + at, ring + at, (size_t)block * sizeof *ring);
    }
    int64_t claimed = atomic_load_explicit(&from->claimed, memory_order_acquire);
    return claimed - (int64_t)from->length <= time && atomic_load(&from->generation) == generation;
}

bool pn_history_follow(pn_history *to, const pn_history *from, int block, size_t limit,
                       unsigned *generation) {
    int64_t time = pn_history_time(to);
    if (time == 0)
        *generation = atomic_load(&from->generation);
    int64_t end = pn_history_time(from);
    if (time == 0) {
        size_t known = from->length - pn_history_margin(block);
        time = oldest(end, known < to->length ? known : to->length);
    }
    bool followed = atomic_load(&from->generation) == *generation;
    for (; followed && time < end && limit > 0; time += block, --limit)
        followed = follow_block(to, from, time, block, *generation);
    if (!followed)
        pn_history_reset(to);
    else
        publish(to, time);
    return followed;
}
