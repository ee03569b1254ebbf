// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* What a partition plan costs per call of the convolver.
 *
 * A level of block b = R B runs one job in R calls, and that job
 *   transforms   every input forward and every output back: table, by size
 *   multiplies   every partition of every response: b complex products each, at a rate while in cache, or
 *   moves        the spectra that it reads and writes, 8 b bytes each, through memory: whichever takes longer
 *   and passes its history in and its result out, 24 bytes a frame and channel, with some fixed cost.
 * Spectra moved: one pass over filters (P) and inputs (X) a job, 2 more for each input and output. From six partitions
 * on the CPU makes one pass serve four future jobs by quarters: a quarter of P + X, and for it partial sums, newest
 * filters and inputs: 1.5 for each response, 3 for each input and output. (28 partitions: 21.5 instead of 58.)
 * A device makes one pass serve 1, 2, 4 or 8 jobs, F of them: (P + X) / F, F + 1 for each response, 5 for each output.
 *
 * The rate of memory follows from how much else was touched since the same spectra were met last: over a level's
 * period every other level passes min(all it has, its traffic in that time) through the caches. A small level beside
 * large ones stays cached, and a large one streams.
 *
 * The dearest call: both cut jobs into as many steps as their period has calls; the CPU runs them by estimated cost. Calls
 * differ by some part of a transform, at random over the channels. A device takes the same launches in every call: some
 * for the first level, some for all others together.
 *
 * Figures: processors: one core of an AVX-512 Xeon (2 MiB second-level cache) and of a Zen 3 EPYC (512 KiB), both with
 * AVX2, where both agree within 15 %: transforms of the project's own code, warm. Rates of memory: products of tile-major
 * and plain spectra over working sets from 16 KiB to 512 MiB; on both machines 30-70 GB/s up to some MiB, 13-24 beyond
 * 32 MiB. Full schedules of 1-64 channels and 1-60 s came within 25 % of what this predicts, in the same order.
 * Devices: a model, 100 GB/s and 500 GFLOP/s, with 4 us a launch (PoCL: 8 with its wait, drivers of cards 3-6).
 * Transforms: 24 bytes a point and launch, one up to 2048 points, two beyond; from 131072 on
 * the columns of the first have less than a line of memory side by side. */
#include "convolve/plan_cost.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

typedef struct {
    double bytes, rate; /* up to so many bytes between two uses: GB/s */
} memory_rate;

enum { MEMORY_RATES = 6 };

typedef struct {
    double forward_us[PN_PLAN_SIZES], inverse_us[PN_PLAN_SIZES]; /* of blocks 32, 64 .. 524288 */
    double product_ns;                                           /* one complex product, in cache */
    memory_rate memory[MEMORY_RATES];
    double job_us;     /* fixed cost of one job, or of its launches */
    bool together;     /* one call's launches serve all levels but the first */
    double channel_us; /* of one call of a level, for each input and output */
    double step;       /* share of a forward transform by which calls differ */
    enum {
        ONE_JOB,
        QUARTERS,
        CHOSEN
    } future; /* jobs in one pass: one, four by quarters, or 1 to 8 as it is cheapest */
} cost_table;

static const cost_table tables[] = {
    [PN_BACKEND_CPU] = {.forward_us = {0.04, 0.045, 0.09, 0.19, 0.42, 0.88, 2.0, 4.7, 11, 25, 54, 116, 290,
                                       640, 1400},
                        .inverse_us = {0.03, 0.032, 0.07, 0.15, 0.33, 0.72, 1.7, 4.0, 9, 18.5, 43, 92, 240,
                                       530, 1150},
                        .product_ns = 0.13,
                        .memory = {{256e3, 60}, {2e6, 40}, {10e6, 26}, {32e6, 15}, {128e6, 11}, {1e12, 10}},
                        .job_us = 0.1,
                        .channel_us = 0.1,
                        .step = 0.12,
                        .future = QUARTERS},
    [PN_BACKEND_OPENCL] = {.forward_us = {0.008, 0.016, 0.03, 0.06, 0.12, 0.25, 0.5, 1.6, 3.3, 6.6, 13, 26,
                                          64, 180, 500},
                           .inverse_us = {0.008, 0.016, 0.03, 0.06, 0.12, 0.25, 0.5, 1.6, 3.3, 6.6, 13, 26,
                                          64, 180, 500},
                           .product_ns = 0.016,
                           .memory = {{1e12, 100}},
                           .job_us = 16,
                           .together = true,
                           .step = 1,
                           .future = CHOSEN},
};

static const double FUTURE_PARTITIONS = 6, FRAME_BYTES = 24;

/* ------------------------------------------------------------------ shape */

static int ceil_log2(size_t value) {
    int log = 0;
    while (log + 1 < PN_PLAN_BOUNDS && ((size_t)1 << log) < value)
        ++log;
    return log;
}

/* Counts `times` responses of so many taps. */
static void count_length(double *of, double (*partitions)[PN_PLAN_BOUNDS], size_t length, double times) {
    int bucket = ceil_log2(length);
    of[bucket] += times;
    for (int s = 0; s < PN_PLAN_SIZES; ++s)
        partitions[s][bucket] += times * (double)((length + ((size_t)32 << s) - 1) >> (s + 5));
}

static pinna_status count_irs(const pn_plan_desc *desc, pn_plan_shape *shape, pinna_error *err) {
    size_t channels = (size_t)desc->inputs + (size_t)desc->outputs;
    size_t *input = pn_alloc(channels, sizeof *input), *output = input + desc->inputs; /* longest of each */
    if (input == NULL)
        return pn_fail_memory(err, "the convolver's plan", (double)channels * sizeof *input);
    for (size_t e = 0; e < desc->ir_count; ++e) {
        const pinna_ir *ir = &desc->irs[e];
        count_length(shape->entries, shape->partitions, ir->length, 1);
        input[ir->input] = ir->length > input[ir->input] ? ir->length : input[ir->input];
        output[ir->output] = ir->length > output[ir->output] ? ir->length : output[ir->output];
        shape->longest = ir->length > shape->longest ? ir->length : shape->longest;
    }
    for (int i = 0; i < desc->inputs; ++i) {
        if (input[i] == 0)
            continue;
        ++shape->inputs;
        count_length(shape->inputs_of, shape->slots, input[i], 1);
    }
    for (int o = 0; o < desc->outputs; ++o) {
        if (output[o] == 0)
            continue;
        ++shape->outputs;
        shape->outputs_of[ceil_log2(output[o])] += 1;
    }
    pn_free(input);
    return PINNA_OK;
}

pinna_status pn_plan_count(const pn_plan_desc *desc, pn_plan_shape *shape, pinna_error *err) {
    memset(shape, 0, sizeof *shape);
    if (desc->irs != NULL)
        return count_irs(desc, shape, err);
    shape->inputs = desc->inputs > 0 ? desc->inputs : 1;
    shape->outputs = desc->outputs > 0 ? desc->outputs : 1;
    shape->longest = desc->longest;
    int channels = shape->inputs > shape->outputs ? shape->inputs : shape->outputs;
    size_t entries = desc->entries > 0 ? desc->entries : (size_t)channels;
    count_length(shape->entries, shape->partitions, desc->longest, (double)entries);
    count_length(shape->inputs_of, shape->slots, desc->longest, shape->inputs);
    shape->outputs_of[ceil_log2(desc->longest)] = shape->outputs;
    return PINNA_OK;
}

/* How many of `of` are longer than 2^bound. */
static double count_beyond(const double *of, int bound) {
    double count = 0;
    for (int k = bound + 1; k < PN_PLAN_BOUNDS; ++k)
        count += of[k];
    return count;
}

/* Partitions that lie before tap 2^bound (at least one partition long). */
static double count_before(const double *of, const double *partitions, int size, int bound) {
    double count = 0;
    for (int k = 0; k < PN_PLAN_BOUNDS; ++k)
        count += k <= bound ? partitions[k] : of[k] * (double)((size_t)1 << (bound - size - 5));
    return count;
}

/* ------------------------------------------------------------------ price */

typedef struct {
    double period; /* in calls */
    double inputs, outputs, entries, products, slots;
    double spectrum, held, moved; /* bytes: of one, of all, moved in a job */
    double between;               /* calls from one use of a spectrum to the next */
} level_load;

static double memory_rate_at(const cost_table *table, double bytes) {
    const memory_rate *at = table->memory;
    for (int r = 0; r < MEMORY_RATES && at[r].bytes > 0; ++r) {
        if (bytes > at[r].bytes)
            continue;
        if (r == 0)
            return at[r].rate;
        double share = (bytes - at[r - 1].bytes) / (at[r].bytes - at[r - 1].bytes);
        return at[r - 1].rate + share * (at[r].rate - at[r - 1].rate);
    }
    return at[0].rate;
}

static void load_quarters(const cost_table *table, level_load *load) {
    double ends = load->inputs + load->outputs, pass = load->products + load->slots;
    bool future = table->future == QUARTERS && load->products >= FUTURE_PARTITIONS * load->entries;
    double moved = pass + 2 * ends, quarter = 0.25 * pass + 1.5 * load->entries + 3 * ends;
    future = future && quarter < moved;
    load->held = load->spectrum * (pass + 2.5 * load->outputs + (future ? 3 * ends : 0));
    load->moved = load->spectrum * (future ? quarter : moved);
    load->between = load->period * (future ? 4 : 1);
}

static void load_chosen(level_load *load) {
    double pass = load->products + load->slots, least = INFINITY;
    int jobs = 1;
    for (int f = 1; f <= 8; f *= 2) {
        double moved = pass / f + (f + 1) * load->entries + 5 * load->outputs;
        if (moved >= least)
            continue;
        least = moved;
        jobs = f;
    }
    load->held = load->spectrum * (pass + (3 + jobs) * load->outputs);
    load->moved = load->spectrum * least;
    load->between = load->period * jobs;
}

static void load_level(const pn_plan_shape *shape, const cost_table *table, const pn_plan *plan, int l,
                       level_load *load) {
    const pn_plan_level *level = &plan->level[l];
    int size = ceil_log2((size_t)level->block) - 5;
    int end = l + 1 < plan->levels ? ceil_log2((size_t)plan->level[l + 1].block) + 1 : PN_PLAN_BOUNDS - 1;
    int first = l > 0 ? size + 6 : -1;
    load->period = (double)level->block / plan->block;
    load->inputs = count_beyond(shape->inputs_of, first);
    load->outputs = count_beyond(shape->outputs_of, first);
    load->entries = count_beyond(shape->entries, first);
    load->products = count_before(shape->entries, shape->partitions[size], size, end);
    load->slots = count_before(shape->inputs_of, shape->slots[size], size, end);
    if (l > 0) {
        load->products -= count_before(shape->entries, shape->partitions[size], size, first);
        load->slots -= count_before(shape->inputs_of, shape->slots[size], size, first);
    }
    load->spectrum = 8.0 * level->block;
    if (table->future == CHOSEN)
        load_chosen(load);
    else
        load_quarters(table, load);
}

static double bytes_between(const level_load *load, int levels, double calls) {
    double bytes = 0;
    for (int l = 0; l < levels; ++l)
        bytes += fmin(load[l].held, load[l].moved * calls / load[l].period);
    return bytes;
}

static void price_level(const cost_table *table, const level_load *load, int levels, int l,
                        pn_plan_level *level) {
    const level_load *own = &load[l];
    int size = ceil_log2((size_t)level->block) - 5;
    double rate = memory_rate_at(table, bytes_between(load, levels, own->between));
    double products = own->products * level->block * table->product_ns;
    double passing = (own->inputs + own->outputs) * 0.5 * FRAME_BYTES * level->block / rate;
    level->transform_us =
        (own->inputs * table->forward_us[size] + own->outputs * table->inverse_us[size]) / own->period;
    level->product_us = 1e-3 * fmax(products, own->moved / rate) / own->period;
    double job_us = table->together ? (l <= 1 ? table->job_us : 0) : table->job_us / own->period;
    level->other_us =
        1e-3 * passing / own->period + job_us + (own->inputs + own->outputs) * table->channel_us;
    level->bytes = own->held;
}

/* How much the dearest call has beyond the mean. */
static double excess(const cost_table *table, const pn_plan_level *level, double period, double transforms) {
    int size = ceil_log2((size_t)level->block) - 5;
    return period > 1 ? table->step * table->forward_us[size] * sqrt(transforms) : 0;
}

static void cut(pn_plan *plan, size_t longest) {
    for (int l = 0; l < plan->levels; ++l) {
        pn_plan_level *level = &plan->level[l];
        size_t block = (size_t)level->block;
        level->first = l == 0 ? 0 : 2 * block;
        size_t end = l + 1 < plan->levels ? 2 * (size_t)plan->level[l + 1].block : longest;
        level->partitions = (int)((end - level->first + block - 1) / block);
    }
}

void pn_plan_cost(const pn_plan_shape *shape, const pn_plan_desc *desc, pn_plan *plan) {
    const cost_table *table = &tables[desc->kind];
    level_load load[PN_PLAN_LEVELS];
    cut(plan, shape->longest);
    for (int l = 0; l < plan->levels; ++l)
        load_level(shape, table, plan, l, &load[l]);
    double stands_out = 0;
    plan->cost_us = plan->bytes = 0;
    for (int l = 0; l < plan->levels; ++l) {
        pn_plan_level *level = &plan->level[l];
        price_level(table, load, plan->levels, l, level);
        plan->cost_us += level->transform_us + level->product_us + level->other_us;
        double transforms = 0.5 * (load[l].inputs + load[l].outputs);
        stands_out = fmax(stands_out, excess(table, level, load[l].period, transforms));
        plan->bytes += level->bytes;
    }
    plan->worst_us = plan->cost_us + stands_out;
}
