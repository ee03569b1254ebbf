// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A job as a list of steps, one component after another, so that a share of the job is a stretch of the list:
 *     for each input      FORWARD_TOP   columns of the root's pass, from the samples into its work buffer
 *     for each part q     FORWARD_PART  part q of every input, in its place
 *                         SUMS          part q of all outputs, tile by tile, from the inputs' part q
 *                         INVERSE_PART  part q of every output, in its place
 *     for each output     INVERSE_TOP   columns of the root's pass, imaginary samples only, into the result
 * Bins of part q come only from its own forward pieces and feed only its own inverse pieces: no more than one part
 * of the spectra is in use at a time, and it stays in the nearest cache.
 *
 * Each step has an estimated cost, none is dear, and `advance` runs them up to its share of the sum: so a large
 * level costs the same in every block of its period.
 *
 * Steps of the same strand run in order, and a strand is a column's step, or all of a part. Strands of a kind may run side
 * by side (cpu_level_deal.c): which thread has one changes no bit.
 *
 * An output that is not needed any more (level_mute) is left out of the sums of its component and has no inverse; a
 * component without any other has no step at all. The list stays; the costs of what is left out become 0, so that a job
 * stays even. */
#include "device/cpu_level.h"

#include <math.h>

#include "base/memory.h"

/* Estimated nanoseconds, from cold memory, on a processor with vectors of 8. Only their ratios matter much. */
static const double FORWARD_TOP_COST = 1.0;  /* root's pass, per point: the samples are cold */
static const double INVERSE_TOP_COST = 0.45; /* and from what has just been computed */
static const double PASS_COST = 0.13;        /* other passes, per point and level of the tree */
static const double SWEEP_COST = 0.9;        /* four results per read: per bin and partition */
static const double FOLLOW_COST = 1.9;       /* the three jobs after it: per bin and entry */
static const double EACH_COST = 0.7;         /* one result per read: per bin and partition */
static const double RESULT_COST = 1.3;       /* per bin and output */

static const double SMALLEST_STEP = 500; /* a step is not cut below this .. */
static const double MOST_STEPS = 8192;   /* .. nor below this part of the whole */

/* ------------------------------------------------------------------ the list */

typedef struct {
    pn_level *level; /* step NULL: only counts */
    double limit;    /* of a step's cost */
    double cost[PN_SUMS_FUTURE];
    uint32_t strand;
} builder;

/* cost[k] in job k % 4. */
static void add_step(builder *b, pn_step step, const double cost[PN_SUMS_FUTURE]) {
    for (int k = 0; k < PN_SUMS_FUTURE; ++k)
        step.cost_end[k] = b->cost[k] += cost[k];
    step.strand = b->strand;
    if (b->level->step != NULL)
        b->level->step[b->level->steps] = step;
    ++b->level->steps;
}

/* Cuts first .. first + items - 1 into steps of a multiple of `unit` (a divisor of items). */
static void add_cut(builder *b, pn_step step, size_t first, size_t items, size_t unit,
                    const double cost[PN_SUMS_FUTURE]) {
    double dearest = fmax(fmax(cost[0], cost[1]), fmax(cost[2], cost[3]));
    size_t units = items / unit, pieces = (size_t)ceil(fmin(dearest / b->limit, (double)units));
    pieces = pieces < 1 ? 1 : pieces;
    bool columns = step.kind == PN_STEP_FORWARD_TOP || step.kind == PN_STEP_INVERSE_TOP;
    for (size_t k = 0; k < pieces; ++k) {
        size_t begin = units * k / pieces * unit, end = units * (k + 1) / pieces * unit;
        step.first = (uint32_t)(first + begin);
        step.end = (uint32_t)(first + end);
        b->strand += columns ? 1 : 0;
        double share = (double)(end - begin) / (double)items;
        add_step(b, step, (double[]){cost[0] * share, cost[1] * share, cost[2] * share, cost[3] * share});
    }
}

static void add_steps(builder *b, pn_step step, size_t items, size_t unit, double cost) {
    add_cut(b, step, 0, items, unit, (double[]){cost, cost, cost, cost});
}

/* Of a bin: when every result is read for, or swept, or what follows a sweep. */
typedef struct {
    double each, sweep, follow;
} bin_cost;

static bin_cost cost_of_bin(const pn_sums *sums) {
    double result = RESULT_COST * sums->outputs;
    bin_cost cost = {result, result * PN_SUMS_FUTURE, result};
    for (int o = 0; o < sums->outputs; ++o)
        for (int e = sums->output[o].first; e < sums->output[o].end; ++e) {
            cost.each += EACH_COST * sums->entry[e].partitions;
            cost.sweep += SWEEP_COST * sums->entry[e].partitions;
            cost.follow += FOLLOW_COST;
        }
    return cost;
}

/* Whether the tiles of a swath are swept in a job. */
static bool is_swept(size_t swath, size_t job) {
    return (swath + job) % PN_SUMS_FUTURE == 0;
}

static void add_sums(builder *b, pn_step step, size_t tiles, bin_cost bin) {
    const pn_level *level = b->level;
    double bins = (double)level->tile / 2;
    step.kind = PN_STEP_SUMS;
    if (!level->sweeps) {
        add_steps(b, step, tiles, 1, (double)tiles * bins * bin.each);
        return;
    }
    size_t tile = (size_t)step.part * level->columns;
    for (size_t first = 0, count; first < tiles; first += count) {
        double cost[PN_SUMS_FUTURE];
        size_t swath = (tile + first) / level->swath, border = (swath + 1) * level->swath - tile;
        count = (border < tiles ? border : tiles) - first;
        for (size_t k = 0; k < PN_SUMS_FUTURE; ++k)
            cost[k] = (double)count * bins * (is_swept(swath, k) ? bin.sweep : bin.follow);
        add_cut(b, step, first, count, 1, cost);
    }
}

/* One part, or all of them in one. */
static void add_part(builder *b, int component, int part, bin_cost bin) {
    const pn_level *level = b->level;
    const pn_sums *sums = &level->component[component].sums;
    size_t pieces = (size_t)pn_rafft_part_pieces(level->fft), tiles = level->columns;
    pn_step step = {.component = component, .part = (int16_t)part, .parts = 1};
    if (level->joined) {
        step.parts = (int16_t)level->parts;
        tiles = level->tiles;
    }
    double bins = (double)tiles * (double)level->tile / 2;
    double transform = PASS_COST * bins * log2((double)level->columns * (double)level->tile / 2);
    size_t unit = step.parts > 1 ? pieces : 1; /* no cuts */
    ++b->strand;
    step.kind = PN_STEP_FORWARD_PART;
    for (step.index = 0; step.index < sums->inputs; ++step.index)
        add_steps(b, step, pieces, unit, transform);
    step.index = 0;
    add_sums(b, step, tiles, bin);
    step.kind = PN_STEP_INVERSE_PART;
    for (step.index = 0; step.index < sums->outputs; ++step.index)
        add_steps(b, step, pieces, unit, transform);
}

static void add_component(builder *b, int component) {
    const pn_level *level = b->level;
    const pn_sums *sums = &level->component[component].sums;
    bin_cost bin = cost_of_bin(sums);
    double points = level->block;
    size_t unit = 32 / level->tile; /* whole cache lines of samples */
    unit = unit < 1 ? 1 : unit > level->columns ? level->columns : unit;
    pn_step step = {.kind = PN_STEP_FORWARD_TOP, .component = component};
    for (step.index = 0; step.index < sums->inputs; ++step.index)
        add_steps(b, step, level->columns, unit, FORWARD_TOP_COST * points);
    for (int part = 0; part < (level->joined ? 1 : level->parts); ++part)
        add_part(b, component, part, bin);
    step.kind = PN_STEP_INVERSE_TOP;
    for (step.index = 0; step.index < sums->outputs; ++step.index)
        add_steps(b, step, level->columns, unit, INVERSE_TOP_COST * points);
}

static void add_all(builder *b, double limit) {
    b->limit = limit;
    for (int k = 0; k < PN_SUMS_FUTURE; ++k)
        b->cost[k] = 0;
    b->strand = 0;
    b->level->steps = 0;
    for (int c = 0; c < b->level->components; ++c)
        add_component(b, c);
}

pinna_status pn_cpu_level_make_steps(pn_level *level, pinna_error *err) {
    builder b = {.level = level};
    add_all(&b, INFINITY); /* to know the whole cost */
    double limit = fmax(SMALLEST_STEP, b.cost[0] / MOST_STEPS);
    add_all(&b, limit);
    level->step = pn_alloc(level->steps, sizeof *level->step);
    if (level->step == NULL)
        return pn_fail_memory(err, "a partition level", (double)level->steps * sizeof *level->step);
    add_all(&b, limit);
    return PINNA_OK;
}

/* ------------------------------------------------------------------ what is mute */

/* The last output to be summed may write over the first input's spectrum: the order stays. */
static void mute_component(pn_level *level, pn_component *component, int outputs) {
    int before = component->sums.outputs, count = 0;
    for (int o = component->first_output; o < component->first_output + outputs; ++o) {
        level->mute[o] = level->to_mute[o];
        if (!level->mute[o])
            level->sounding[component->first_output + count++] = level->output[o];
    }
    component->sums.outputs = count;
    component->kept = before == 0 ? 0 : (double)count / before;
}

/* Of a step's cost before, what is left of it. */
static double share_left(const pn_level *level, const pn_step *s) {
    const pn_component *component = &level->component[s->component];
    if (component->sums.outputs == 0)
        return 0;
    if (s->kind == PN_STEP_SUMS)
        return component->kept;
    bool inverse = s->kind == PN_STEP_INVERSE_PART || s->kind == PN_STEP_INVERSE_TOP;
    return inverse && level->mute[component->first_output + s->index] ? 0 : 1;
}

void pn_cpu_level_take_out(pn_level *level) {
    for (int c = 0; c < level->components; ++c) {
        int end = c + 1 < level->components ? level->component[c + 1].first_output : level->used_outputs;
        mute_component(level, &level->component[c], end - level->component[c].first_output);
    }
    double before[PN_SUMS_FUTURE] = {0}, after[PN_SUMS_FUTURE] = {0};
    for (size_t k = 0; k < level->steps; ++k) {
        pn_step *s = &level->step[k];
        double left = share_left(level, s);
        for (int j = 0; j < PN_SUMS_FUTURE; ++j) {
            double cost = s->cost_end[j] - before[j];
            before[j] = s->cost_end[j];
            s->cost_end[j] = after[j] += cost * left;
        }
    }
    level->mutes = false;
}

/* ------------------------------------------------------------------ running a step */

/* Asks for the first tile that a part's sums will sweep, while its transform runs: a sweep itself asks one tile
 * ahead. Not worth it for many entries. */
static void prefetch_sweep(const pn_level *level, const pn_step *s) {
    const pn_sums *sums = &level->component[s->component].sums;
    const pn_sums_output *output = &sums->output[0];
    if (!level->sweeps || s->index > 0 || s->first > 0 || output->end - output->first > 1)
        return;
    const pn_sums_entry *entry = &sums->entry[output->first];
    size_t tile = (size_t)s->part * level->columns,
           end = tile + (s->parts > 1 ? level->tiles : level->columns),
           floats = (size_t)entry->partitions * level->tile;
    while (tile < end && !is_swept(tile / level->swath, level->job))
        tile = (tile / level->swath + 1) * level->swath;
    if (tile >= end)
        return;
    const float *h = entry->filter + tile * sums->filter_step;
    const float *x = sums->input[0].ring + tile * sums->ring_step;
    for (size_t n = 0; n < floats; n += 16) {
        __builtin_prefetch(h + n);
        __builtin_prefetch(x + n);
    }
}

static void run_part(const pn_level *level, const pn_step *s, float *work,
                     void (*run)(const pn_rafft *, int, float *, int, int)) {
    int pieces = pn_rafft_part_pieces(level->fft);
    if (s->parts == 1) {
        run(level->fft, s->part, work + (size_t)s->part * level->stride, (int)s->first, (int)s->end);
        return;
    }
    for (int part = 0; part < s->parts; ++part)
        run(level->fft, part, work + (size_t)part * level->stride, 0, pieces);
}

/* Tiles first .. end - 1 of the step's part. */
static void run_sums(const pn_level *level, const pn_step *s, size_t first, size_t end) {
    const pn_sums *sums = &level->component[s->component].sums;
    size_t tile = (size_t)s->part * level->columns, at = (size_t)s->part * level->stride;
    if (!level->sweeps) {
        level->width->each(sums, tile + first, at + first * level->tile, end - first, level->job);
        return;
    }
    while (first < end) {
        size_t swath = (tile + first) / level->swath, border = (swath + 1) * level->swath - tile,
               count = (border < end ? border : end) - first;
        size_t time = level->job + swath;
        if (is_swept(swath, level->job))
            level->width->sweep(sums, tile + first, at + first * level->tile, count, time / PN_SUMS_FUTURE);
        else
            level->width->follow(sums, tile + first, at + first * level->tile, count,
                                 (int)(time % PN_SUMS_FUTURE));
        first += count;
    }
}

static void run_step(const pn_level *level, const pn_step *s) {
    const pn_component *component = &level->component[s->component];
    int input = component->first_input + s->index, output = component->first_output + s->index;
    const float *history;
    switch ((pn_step_kind)s->kind) {
    case PN_STEP_FORWARD_TOP:
        history = level->history[level->input_number[input]];
        pn_rafft_forward_top(level->fft, history, history + level->block, level->input[input].work,
                             level->stride, s->first, s->end - s->first);
        break;
    case PN_STEP_FORWARD_PART:
        prefetch_sweep(level, s);
        run_part(level, s, level->input[input].work, pn_rafft_forward_part);
        break;
    case PN_STEP_SUMS:
        run_sums(level, s, s->first, s->end);
        break;
    case PN_STEP_INVERSE_PART:
        if (level->mute[output])
            break;
        run_part(level, s, level->output[output].work, pn_rafft_inverse_part);
        break;
    default:
        if (level->mute[output])
            break;
        pn_rafft_inverse_top(level->fft, level->output[output].work, level->stride,
                             pn_cpu_level_results(level)[output], s->first, s->end - s->first);
    }
}

/* ------------------------------------------------------------------ running a stretch */

/* Sums that continue each other are run as one. */
void pn_cpu_level_run_in_order(const pn_level *level, size_t first, size_t end, pn_step_kind kind,
                               pn_step_kind last_kind) {
    for (size_t k = first; k < end; ++k) {
        const pn_step *s = &level->step[k];
        if (!pn_step_is_of(s, kind, last_kind) || level->component[s->component].sums.outputs == 0)
            continue;
        if (s->kind != PN_STEP_SUMS) {
            run_step(level, s);
            continue;
        }
        while (k + 1 < end && s->strand == level->step[k + 1].strand && level->step[k + 1].kind == s->kind)
            ++k;
        run_sums(level, s, s->first, level->step[k].end);
    }
}
