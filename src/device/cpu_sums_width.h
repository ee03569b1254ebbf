// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Sums of products in vectors of V = PN_LANES floats (1, 4, 8 or 16): a template as rafft_width.h is, included once
 * by a .c file that defines PN_LANES. It leaves `static const pn_sums_width sums_ops`.
 *
 * Such a sum reads all of H and X for one product each: memory, not arithmetic, is its price. Hence four results
 * from one read. Write x[m] for the spectrum m jobs back. A sweep at job k computes, with all of H[p] and x[p] read
 * once, this job's Y and the part of the next three that needs no newer spectrum,
 *     Z_j = sum over p >= j of H[p] x[p - j],  j = 1, 2, 3,
 * and job k + j is left with Y = Z_j + sum over p < j of H[p] x[p]: a few short streams. A sweep comes every fourth
 * job; the level gives every fourth of its tiles another phase, so that each job has one quarter of a sweep.
 * (A blocking of Toeplitz products as old as they are; for partitioned convolution: F. Wefers, "Partitioned
 * convolution algorithms for real-time auralization", 2015, chapter 5 has the sums, not the blocking.)
 *
 * The newest spectrum comes from the work buffer and is stored over the oldest, which has just been read for the
 * last time. All products of a tile are done at once, whatever the number of inputs and outputs, so that what is
 * read twice is in the nearest cache the second time.
 *
 * A running float sum over hundreds of products loses accuracy (20 dB at 1024), so that products are summed in
 * chunks of CHUNK, and the chunks added. */

#include "device/cpu_sums.h"
#include "signal/rafft_lanes.h"

enum { TILE = 2 * V, CHUNK = 32, FUTURE = PN_SUMS_FUTURE };

INLINE cvec multiply_add(cvec sum, cvec x, cvec h) {
    sum.re = (sum.re + x.re * h.re) - x.im * h.im;
    sum.im = (sum.im + x.re * h.im) + x.im * h.re;
    return sum;
}

INLINE cvec plus(cvec a, cvec b) {
    return (cvec){a.re + b.re, a.im + b.im};
}

INLINE cvec zero(void) {
    return (cvec){broadcast(0), broadcast(0)};
}

/* ---- a chunk of products, and the sum of chunks that it goes to */

typedef struct {
    cvec *total;
    int products;
} chunk;

/* Adds `sum` to the total and empties it, when `more` products would make it too long. */
INLINE void make_room(chunk *c, cvec *sum, int width, int more) {
    c->products += more;
    if (c->products <= CHUNK)
        return;
    c->products = more;
#pragma GCC unroll 4
    for (int j = 0; j < width; ++j) {
        c->total[j] = plus(c->total[j], sum[j]);
        sum[j] = zero();
    }
}

/* ---- one result per read */

/* Partitions first .. end - 1, with their spectra from `x` on. */
INLINE cvec add_run(cvec sum, chunk *c, const float *h, const float *x, int first, int end) {
    for (int p = first; p < end; ++p, x += TILE) {
        make_room(c, &sum, 1, 1);
        sum = multiply_add(sum, load(x), load(h + (ptrdiff_t)p * TILE));
    }
    return sum;
}

INLINE cvec add_entry(cvec sum, chunk *c, const pn_sums *sums, const pn_sums_entry *entry, size_t tile,
                      const float *newest, int slot) {
    const pn_sums_input *input = &sums->input[entry->input];
    const float *h = entry->filter + tile * sums->filter_step;
    const float *ring = input->ring + tile * sums->ring_step;
    int turn = input->slots - slot < entry->partitions ? input->slots - slot : entry->partitions;
    turn = turn < 1 ? 1 : turn;
    make_room(c, &sum, 1, 1);
    sum = multiply_add(sum, load(newest), load(h));
    sum = add_run(sum, c, h, ring + (ptrdiff_t)(slot + 1) * TILE, 1, turn);
    return add_run(sum, c, h, ring, turn, entry->partitions);
}

/* The slot of a job. */
INLINE int slot_of_job(const pn_sums_input *input, size_t job) {
    return input->slots == 0 ? 0 : input->slots - 1 - (int)(job % (size_t)input->slots);
}

INLINE void store_newest(const pn_sums *sums, size_t tile, size_t at, size_t job) {
    for (int i = 0; i < sums->inputs; ++i) {
        const pn_sums_input *input = &sums->input[i];
        if (input->slots > 0)
            store(input->ring + tile * sums->ring_step + (ptrdiff_t)slot_of_job(input, job) * TILE,
                  load(input->work + at));
    }
}

static void each(const pn_sums *sums, size_t tile, size_t at, size_t count, size_t job) {
    for (size_t end = tile + count; tile < end; ++tile, at += TILE) {
        for (int o = 0; o < sums->outputs; ++o) {
            const pn_sums_output *output = &sums->output[o];
            cvec total = zero(), sum = zero();
            chunk c = {&total, 0};
            for (int e = output->first; e < output->end; ++e) {
                const pn_sums_input *input = &sums->input[sums->entry[e].input];
                sum = add_entry(sum, &c, sums, &sums->entry[e], tile, input->work + at,
                                slot_of_job(input, job));
            }
            if (o == sums->outputs - 1)
                store_newest(sums, tile, at, job);
            store(output->work + at, plus(total, sum));
        }
    }
}

/* ---- four results per read */

/* The products of four spectra, newest first, with partitions 0..3 of h for this result, 1..4 for the next, and so
 * on; of h there are `limit` partitions only. */
INLINE void add_group(cvec *sum, const float *h, const float *const x[FUTURE], int limit) {
#pragma GCC unroll 4
    for (int m = 0; m < FUTURE && m < limit; ++m) {
        cvec newer = load(x[m]);
#pragma GCC unroll 4
        for (int j = 0; j < FUTURE; ++j)
            if (m + j < limit)
                sum[j] = multiply_add(sum[j], newer, load(h + (m + j) * TILE));
    }
}

/* The lines of FUTURE vectors [V re][V im]. */
INLINE void prefetch_group(const float *from) {
#pragma GCC unroll 8
    for (int k = 0; k < FUTURE * TILE; k += 16)
        __builtin_prefetch(from + k);
}

/* The spectra since the last sweep, and this one: newest first. */
INLINE void newest_group(const pn_sums *sums, const pn_sums_input *input, size_t tile, size_t at,
                         const float *x[FUTURE]) {
    x[0] = input->work + at;
    x[1] = input->recent[2] + tile * sums->recent_step;
    x[2] = input->recent[1] + tile * sums->recent_step;
    x[3] = input->recent[0] + tile * sums->recent_step;
}

/* A group of older spectra, and the one of the next tile, which is asked for. */
INLINE int next_group(const pn_sums_input *input, const float *ring, int slot, const float *x[FUTURE]) {
    slot = slot + FUTURE == input->slots ? 0 : slot + FUTURE;
#pragma GCC unroll 4
    for (int m = 0; m < FUTURE; ++m)
        x[m] = ring + (ptrdiff_t)(slot + m) * TILE;
    prefetch_group(x[0] + (size_t)input->slots * TILE);
    return slot;
}

/* The last two groups; the last has `rest` partitions, a constant where this is used. */
INLINE void sweep_end(cvec *sum, chunk *c, const float *h, const float *x[FUTURE], const pn_sums_input *input,
                      const float *ring, int slot, int groups, int rest) {
    if (groups > 1) {
        make_room(c, sum, FUTURE, FUTURE);
        add_group(sum, h, x, FUTURE + rest);
        next_group(input, ring, slot, x);
        h += FUTURE * TILE;
    }
    make_room(c, sum, FUTURE, FUTURE);
    add_group(sum, h, x, rest);
}

INLINE void sweep_entry(cvec *sum, chunk *c, const pn_sums *sums, const pn_sums_entry *entry, size_t tile,
                        size_t at, int slot) {
    const pn_sums_input *input = &sums->input[entry->input];
    const float *h = entry->filter + tile * sums->filter_step;
    const float *ring = input->ring + tile * sums->ring_step;
    const float *x[FUTURE];
    newest_group(sums, input, tile, at, x);
    int groups = (entry->partitions + FUTURE - 1) / FUTURE;
    for (int g = 2; g < groups; ++g, h += FUTURE * TILE) {
        make_room(c, sum, FUTURE, FUTURE);
        add_group(sum, h, x, 2 * FUTURE);
        slot = next_group(input, ring, slot, x);
    }
    switch (entry->partitions % FUTURE) {
    case 0:
        sweep_end(sum, c, h, x, input, ring, slot, groups, 4);
        break;
    case 1:
        sweep_end(sum, c, h, x, input, ring, slot, groups, 1);
        break;
    case 2:
        sweep_end(sum, c, h, x, input, ring, slot, groups, 2);
        break;
    default:
        sweep_end(sum, c, h, x, input, ring, slot, groups, 3);
    }
}

/* The slot of a sweep's group. */
INLINE int slot_of(const pn_sums_input *input, size_t number) {
    int groups = input->slots / FUTURE;
    return groups == 0 ? 0 : (groups - 1 - (int)(number % (size_t)groups)) * FUTURE;
}

INLINE void store_group(const pn_sums *sums, const pn_sums_input *input, size_t tile, size_t at,
                        size_t number) {
    if (input->slots == 0)
        return;
    float *to = input->ring + tile * sums->ring_step + (ptrdiff_t)slot_of(input, number) * TILE;
    const float *x[FUTURE];
    newest_group(sums, input, tile, at, x);
#pragma GCC unroll 4
    for (int m = 0; m < FUTURE; ++m)
        store(to + (ptrdiff_t)m * TILE, load(x[m]));
}

static void sweep(const pn_sums *sums, size_t tile, size_t at, size_t count, size_t number) {
    for (size_t end = tile + count; tile < end; ++tile, at += TILE) {
        for (int o = 0; o < sums->outputs; ++o) {
            const pn_sums_output *output = &sums->output[o];
            cvec total[FUTURE] = {zero(), zero(), zero(), zero()},
                 sum[FUTURE] = {zero(), zero(), zero(), zero()};
            chunk c = {total, 0};
            for (int e = output->first; e < output->end; ++e) {
                const pn_sums_input *input = &sums->input[sums->entry[e].input];
                sweep_entry(sum, &c, sums, &sums->entry[e], tile, at, slot_of(input, number));
            }
            for (int i = 0; o == sums->outputs - 1 && i < sums->inputs; ++i)
                store_group(sums, &sums->input[i], tile, at, number);
            store(output->work + at, plus(total[0], sum[0]));
#pragma GCC unroll 3
            for (int j = 1; j < FUTURE; ++j)
                store(output->later[j - 1] + tile * sums->later_step, plus(total[j], sum[j]));
        }
    }
}

/* `since` is a constant where this is used. */
INLINE void follow_by(const pn_sums *sums, size_t tile, size_t at, size_t count, int since) {
    for (size_t end = tile + count; tile < end; ++tile, at += TILE) {
        for (int o = 0; o < sums->outputs; ++o) {
            const pn_sums_output *output = &sums->output[o];
            cvec total = load(output->later[since - 1] + tile * sums->later_step), sum = zero();
            chunk c = {&total, 0};
            for (int e = output->first; e < output->end; ++e) {
                const pn_sums_entry *entry = &sums->entry[e];
                const pn_sums_input *input = &sums->input[entry->input];
                make_room(&c, &sum, 1, since);
                sum =
                    multiply_add(sum, load(input->work + at), load(entry->head[0] + tile * sums->head_step));
#pragma GCC unroll 2
                for (int p = 1; p < since; ++p)
                    sum = multiply_add(sum, load(input->recent[since - 1 - p] + tile * sums->recent_step),
                                       load(entry->head[p] + tile * sums->head_step));
            }
            for (int i = 0; o == sums->outputs - 1 && i < sums->inputs; ++i)
                store(sums->input[i].recent[since - 1] + tile * sums->recent_step,
                      load(sums->input[i].work + at));
            store(output->work + at, plus(total, sum));
        }
    }
}

static void follow(const pn_sums *sums, size_t tile, size_t at, size_t count, int since) {
    if (since == 1)
        follow_by(sums, tile, at, count, 1);
    else if (since == 2)
        follow_by(sums, tile, at, count, 2);
    else
        follow_by(sums, tile, at, count, 3);
}

static const pn_sums_width sums_ops = {.lanes = V, .each = each, .sweep = sweep, .follow = follow};
