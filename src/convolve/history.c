// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Following a ring that is being written, without a lock and without a data race.
 *
 * The writer announces the frames it is about to replace (claimed), stores the samples, and publishes them (time).
 * The follower copies frames that were published and then looks at `claimed`: were they replaced meanwhile, the copy
 * is thrown away. Every sample is stored with release and loaded with acquire order, so that whoever has seen a new
 * sample also sees the claim that came before it (a seqlock without fences; on x86 these are plain moves). Samples
 * go by pairs: a write is a multiple of 32 frames and rings are aligned.
 *
 * Where a block is megabytes, samples are streamed past the caches instead, several times as fast, between fences that
 * order them after the claim and before the time. Vectors that are stored whole are no atomic objects of C, but tear at
 * no place where pairs do not; the thread sanitizer, which cannot know, gets the pairs. */
#include "convolve/history.h"

#include <string.h>

#include "base/memory.h"
#include "base/rows.h"

#if defined(__SANITIZE_THREAD__)
enum { MAY_STREAM = 0 };
#else
enum { MAY_STREAM = 1 };
#endif

enum { PADDING = 32, MARGIN_BLOCKS = 32, MARGIN_LARGE = 4, MARGIN_FRAMES = 8192 };

typedef uint64_t __attribute__((may_alias)) sample_pair;

static size_t round_up(size_t value, size_t step) {
    return (value + step - 1) / step * step;
}

static size_t ring_length(const pn_history_span *span, int block) {
    size_t least = 2 * span->window;
    return round_up(span->reach < least ? least : span->reach, (size_t)block);
}

static size_t ring_floats(const pn_history_span *span, int block) {
    return span->window == 0 ? 0 : ring_length(span, block) + span->window + PADDING;
}

size_t pn_history_margin(int block) {
    return (size_t)(block > MARGIN_FRAMES ? MARGIN_LARGE : MARGIN_BLOCKS) * (size_t)block + MARGIN_FRAMES;
}

static size_t all_floats(int inputs, const pn_history_span *span, int block) {
    size_t floats = 0;
    for (int i = 0; i < inputs; ++i)
        floats += ring_floats(&span[i], block);
    return floats;
}

double pn_history_bytes(int inputs, const pn_history_span *span, int block) {
    return (double)all_floats(inputs, span, block) * sizeof(float);
}

double pn_history_size(const pn_history *history) {
    return history == NULL ? 0 : (double)history->floats * sizeof(float);
}

pinna_status pn_history_create(int inputs, const pn_history_span *span, int block, pn_history **out,
                               pinna_error *err) {
    *out = NULL;
    pn_history *history = pn_alloc(1, sizeof *history);
    size_t floats = all_floats(inputs, span, block);
    pn_history_ring *ring = pn_alloc((size_t)inputs, sizeof *ring);
    float *data = pn_alloc_floats(floats);
    if (history == NULL || ring == NULL || data == NULL) {
        pn_free(history);
        pn_free(ring);
        pn_free(data);
        return pn_fail_memory(err, "the input history", (double)floats * sizeof(float));
    }
    *history = (pn_history){.inputs = inputs, .ring = ring, .data = data, .floats = floats};
    for (int i = 0; i < inputs; ++i) {
        if (span[i].window > 0)
            ring[i] = (pn_history_ring){data, ring_length(&span[i], block), span[i].window};
        data += ring_floats(&span[i], block);
    }
    *out = history;
    return PINNA_OK;
}

void pn_history_free(pn_history *history) {
    if (history == NULL)
        return;
    pn_free(history->ring);
    pn_free(history->data);
    pn_free(history);
}

bool pn_history_holds(const pn_history *history, const pn_history_span *span) {
    for (int i = 0; i < history->inputs; ++i)
        if (span[i].reach > history->ring[i].length || span[i].window > history->ring[i].mirror)
            return false;
    return true;
}

void pn_history_raise(const pn_history *history, pn_history_span *span) {
    for (int i = 0; i < history->inputs; ++i) {
        const pn_history_ring *ring = &history->ring[i];
        span[i].reach = span[i].reach > ring->length ? span[i].reach : ring->length;
        span[i].window = span[i].window > ring->mirror ? span[i].window : ring->mirror;
    }
}

int64_t pn_history_time(const pn_history *history) {
    return atomic_load_explicit(&history->time, memory_order_acquire);
}

static size_t position(const pn_history_ring *ring, int64_t time) {
    int64_t length = (int64_t)ring->length;
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

typedef void (*put_fn)(float *to, const float *from, size_t frames);

static put_fn usual_put(const pn_history *history) {
    return history->alone ? pn_row_copy : store;
}

static void write_at(const pn_history_ring *ring, size_t at, put_fn put, const float *in, size_t frames) {
    if (in != ring->data + at)
        put(ring->data + at, in, frames);
    if (at < ring->mirror)
        put(ring->data + ring->length + at, in, frames);
}

static void claim(pn_history *history, int64_t time) {
    atomic_store_explicit(&history->claimed, time, memory_order_relaxed);
}

static void publish(pn_history *history, int64_t time) {
    atomic_store_explicit(&history->time, time, memory_order_release);
}

void pn_history_reset(pn_history *history) {
    atomic_fetch_add(&history->generation, 1);
    store(history->data, NULL, history->floats);
    claim(history, 0);
    publish(history, 0);
}

typedef struct {
    const pn_history *history;
    const float *const *in;
    int64_t time;
    size_t block;
    put_fn put;
} write_work;

/* As a rule many rings are of the same length: the division is done once for all of them in a row. */
static void write_range(void *context, int first, int end) {
    const write_work *w = context;
    size_t length = 0, at = 0;
    for (int i = first; i < end; ++i) {
        const pn_history_ring *ring = &w->history->ring[i];
        if (ring->data == NULL)
            continue;
        if (ring->length != length)
            at = position(ring, w->time);
        length = ring->length;
        write_at(ring, at, w->put, w->in[i], w->block);
    }
}

void pn_history_write(pn_history *history, const float *const *in, int block, pn_pool *pool) {
    int64_t time = pn_history_time(history);
    bool many = (size_t)history->inputs * (size_t)block >= PN_ROWS_MANY;
    write_work work = {history, in, time, (size_t)block, usual_put(history)};
    claim(history, time + block);
    if (many && MAY_STREAM) {
        work.put = pn_row_stream;
        pn_rows_fence();
    }
    pn_rows_run(pool, many, history->inputs, write_range, &work);
    publish(history, time + block);
}

float *pn_history_place(const pn_history *history, int input, int64_t time) {
    const pn_history_ring *ring = &history->ring[input];
    return ring->data + position(ring, time);
}

const float *pn_history_window(const pn_history *history, int input, int64_t end, size_t frames) {
    const pn_history_ring *ring = &history->ring[input];
    return ring->data + position(ring, end - (int64_t)frames);
}

static int64_t oldest(int64_t time, size_t known) {
    return time > (int64_t)known ? time - (int64_t)known : 0;
}

/* Frames of an input that both have, of whose ring in `from` the last `margin` are not relied on. */
static size_t known_to_both(const pn_history *to, const pn_history *from, int input, size_t margin) {
    size_t have = from->ring[input].length, wanted = to->ring[input].length;
    have = have > margin ? have - margin : 0;
    return have < wanted ? have : wanted;
}

static void append_from(pn_history *to, const pn_history *from, int64_t first, int block) {
    int64_t end = pn_history_time(from);
    for (int i = 0; i < to->inputs; ++i) {
        int64_t known = oldest(end, known_to_both(to, from, i, 0));
        for (int64_t time = first > known ? first : known; time < end; time += block)
            write_at(&to->ring[i], position(&to->ring[i], time), usual_put(to),
                     pn_history_window(from, i, time + block, (size_t)block), (size_t)block);
    }
    claim(to, end);
    publish(to, end);
}

void pn_history_copy(pn_history *to, const pn_history *from, int block) {
    append_from(to, from, 0, block);
}

void pn_history_append(pn_history *to, const pn_history *from, int block) {
    append_from(to, from, pn_history_time(to), block);
}

static void follow_input(const pn_history_ring *to, const float *from, int64_t time, int block) {
    size_t at = position(to, time);
    load(to->data + at, from, (size_t)block);
    if (at < to->mirror)
        memcpy(to->data + to->length + at, to->data + at, (size_t)block * sizeof(float));
}

/* One block of all inputs, which stood whole in `from` all the while: else false. At the start those are left out whose
 * rings do not reach back to it by now. */
static bool follow_block(pn_history *to, const pn_history *from, int64_t time, int block, bool start,
                         unsigned generation) {
    int64_t now = pn_history_time(from);
    size_t shortest = INT64_MAX;
    for (int i = 0; i < to->inputs; ++i) {
        size_t length = from->ring[i].length;
        if (to->ring[i].data == NULL ||
            (start && time < now - (int64_t)known_to_both(to, from, i, pn_history_margin(block))))
            continue;
        follow_input(&to->ring[i], pn_history_window(from, i, time + block, (size_t)block), time, block);
        shortest = length < shortest ? length : shortest;
    }
    int64_t claimed = atomic_load_explicit(&from->claimed, memory_order_acquire);
    return claimed - (int64_t)shortest <= time && atomic_load(&from->generation) == generation;
}

/* Up to time `end`, or as far as the limit goes. */
static bool follow_until(pn_history *to, const pn_history *from, int64_t *time, int64_t end, int block,
                         size_t *limit, bool start, unsigned generation) {
    bool followed = true;
    for (; followed && *time<end && * limit> 0; *time += block, --*limit)
        followed = follow_block(to, from, *time, block, start, generation);
    return followed;
}

bool pn_history_follow(pn_history *to, const pn_history *from, int block, size_t limit,
                       unsigned *generation) {
    int64_t time = pn_history_time(to);
    bool start = time == 0;
    if (start)
        *generation = atomic_load(&from->generation);
    int64_t end = pn_history_time(from);
    size_t known = 0;
    for (int i = 0; start && i < to->inputs; ++i) {
        size_t both = known_to_both(to, from, i, pn_history_margin(block));
        known = both > known ? both : known;
    }
    if (start)
        time = oldest(end, known);
    bool followed = atomic_load(&from->generation) == *generation &&
                    follow_until(to, from, &time, end, block, &limit, start, *generation);
    /* Meanwhile short rings may have moved on from where their past began: it is whole as of now. */
    if (followed && start)
        followed = follow_until(to, from, &time, pn_history_time(from), block, &limit, false, *generation);
    if (!followed)
        pn_history_reset(to);
    else
        publish(to, time);
    return followed;
}
