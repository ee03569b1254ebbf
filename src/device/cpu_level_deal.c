// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* A job's list of steps, dealt out to threads.
 *
 *   by component   one stage, a lane for some of the components: a thread does all of a channel, whose spectra and
 *                  buffers so stay in its caches. For at least as many components as threads.
 *   by strand      three stages: the columns of all forward passes; the parts with all that is done in them; the columns
 *                  of all inverse passes. A level of a single part has its forward pieces, its sums and its inverse
 *                  pieces one after another instead, five stages in all.
 * The pieces of a lane are stretches of the list; what they compute does not depend on where they are cut. */
#include "device/cpu_level.h"

#include <math.h>

#include "base/memory.h"

static const double SHARED_COST = 60000; /* nanoseconds: a cheaper job is not worth a hand-over */
static const double PIECE_COST = 12000;
enum { MOST_PIECES = 256, AMPLE_COMPONENTS = 4 };

/* Where a lane may begin: at any step that differs from the one before in .. */
typedef enum { BY_COMPONENT, BY_STRAND, BY_INDEX, BY_STEP } border_kind;

typedef struct {
    pn_step_kind kind, last_kind;
    border_kind by;
} stage_plan;

static double mean_cost(const pn_level *level, size_t step) {
    double cost = 0;
    for (int k = 0; k < PN_SUMS_FUTURE; ++k)
        cost += level->step[step].cost_end[k] - (step == 0 ? 0 : level->step[step - 1].cost_end[k]);
    return cost / PN_SUMS_FUTURE;
}

static bool is_border(const pn_step *a, const pn_step *b, border_kind by) {
    if (by == BY_STEP || a->component != b->component)
        return true;
    if (by == BY_COMPONENT)
        return false;
    return a->strand != b->strand || (by == BY_INDEX && a->index != b->index);
}

/* The lanes of stage s, of equal cost as far as the borders allow: first[lane] and, behind the last, the end. */
static int cut_lanes(const pn_level *level, const stage_plan *plan, size_t first[PN_JOB_LANES + 1]) {
    double total = 0, cost = 0;
    for (size_t k = 0; k < level->steps; ++k)
        if (pn_step_is_of(&level->step[k], plan->kind, plan->last_kind))
            total += mean_cost(level, k);
    int lanes = 0;
    const pn_step *before = NULL;
    for (size_t k = 0; k < level->steps; ++k) {
        const pn_step *s = &level->step[k];
        if (!pn_step_is_of(s, plan->kind, plan->last_kind))
            continue;
        bool may = before == NULL || is_border(before, s, plan->by);
        if (may && lanes < PN_JOB_LANES && cost >= total * lanes / PN_JOB_LANES)
            first[lanes++] = k;
        before = s;
        cost += mean_cost(level, k);
    }
    first[lanes] = level->steps;
    return lanes;
}

/* The pieces of steps first .. end - 1: writes where each begins, and the end behind them; returns how many. */
static int cut_pieces(const pn_level *level, const stage_plan *plan, size_t first, size_t end,
                      uint32_t *border) {
    double total = 0, cost = 0;
    for (size_t k = first; k < end; ++k)
        if (pn_step_is_of(&level->step[k], plan->kind, plan->last_kind))
            total += mean_cost(level, k);
    int most = (int)fmin(total / PIECE_COST, MOST_PIECES), pieces = 0;
    for (size_t k = first; k < end; ++k) {
        if (!pn_step_is_of(&level->step[k], plan->kind, plan->last_kind))
            continue;
        if (pieces == 0 || (pieces < most && cost >= total * pieces / most))
            border[pieces++] = (uint32_t)k;
        cost += mean_cost(level, k);
    }
    border[pieces] = (uint32_t)end;
    return pieces;
}

static void run_piece(void *context, int stage, int lane, int piece) {
    const pn_level_deal *deal = context;
    const uint32_t *border = deal->stage[stage].border[lane] + piece;
    pn_step_kind last = deal->stage[stage].last_kind, most = deal->level->last_kind;
    pn_cpu_level_run_in_order(deal->level, border[0], border[1], deal->stage[stage].kind,
                              last < most ? last : most);
}

static pinna_status make_deal(const pn_level *level, const stage_plan *plan, int stages, pn_level_deal *deal,
                              pinna_error *err) {
    size_t room = level->steps + (size_t)stages * (PN_JOB_LANES + 1);
    pn_job_shape shape = {.run = run_piece, .context = deal, .stages = stages};
    deal->level = level;
    deal->borders = pn_alloc(room, sizeof *deal->borders);
    if (deal->borders == NULL)
        return pn_fail_memory(err, "a partition level", (double)room * sizeof *deal->borders);
    uint32_t *border = deal->borders;
    for (int s = 0; s < stages; ++s) {
        size_t first[PN_JOB_LANES + 1];
        deal->stage[s].kind = plan[s].kind;
        deal->stage[s].last_kind = plan[s].last_kind;
        shape.lanes[s] = cut_lanes(level, &plan[s], first);
        for (int l = 0; l < shape.lanes[s]; ++l) {
            deal->stage[s].border[l] = border;
            shape.pieces[s][l] = cut_pieces(level, &plan[s], first[l], first[l + 1], border);
            border += shape.pieces[s][l] + 1;
        }
    }
    return pn_job_create(&shape, &deal->job, err);
}

pinna_status pn_cpu_level_make_deals(pn_level *level, pinna_error *err) {
    static const stage_plan whole[] = {{PN_STEP_FORWARD_TOP, PN_STEP_INVERSE_TOP, BY_COMPONENT}};
    static const stage_plan parts[] = {{PN_STEP_FORWARD_TOP, PN_STEP_FORWARD_TOP, BY_STRAND},
                                       {PN_STEP_FORWARD_PART, PN_STEP_INVERSE_PART, BY_STRAND},
                                       {PN_STEP_INVERSE_TOP, PN_STEP_INVERSE_TOP, BY_STRAND}};
    static const stage_plan part[] = {{PN_STEP_FORWARD_TOP, PN_STEP_FORWARD_TOP, BY_STRAND},
                                      {PN_STEP_FORWARD_PART, PN_STEP_FORWARD_PART, BY_INDEX},
                                      {PN_STEP_SUMS, PN_STEP_SUMS, BY_STEP},
                                      {PN_STEP_INVERSE_PART, PN_STEP_INVERSE_PART, BY_INDEX},
                                      {PN_STEP_INVERSE_TOP, PN_STEP_INVERSE_TOP, BY_STRAND}};
    double cost = 0;
    for (size_t k = 0; k < level->steps; ++k)
        cost += mean_cost(level, k);
    if (cost < SHARED_COST)
        return PINNA_OK;
    pinna_status status = PINNA_OK;
    if (level->components > 1)
        status = make_deal(level, whole, 1, &level->by_component, err);
    if (status != PINNA_OK)
        return status;
    bool single = level->joined || level->parts == 1;
    return make_deal(level, single ? part : parts, single ? 5 : 3, &level->by_strand, err);
}

void pn_cpu_level_free_deals(pn_level *level) {
    pn_job_free(level->by_component.job);
    pn_job_free(level->by_strand.job);
    pn_free(level->by_component.borders);
    pn_free(level->by_strand.borders);
}

void pn_cpu_level_deal(pn_level *level, pn_step_kind last_kind) {
    int threads = pn_pool_threads(level->cpu->pool), components = level->components;
    level->dealt = NULL;
    if (threads < 2 || level->by_strand.job == NULL || level->sets < components)
        return;
    bool whole = components > 1 && (components % threads == 0 || components >= AMPLE_COMPONENTS * threads);
    level->dealt = whole ? level->by_component.job : level->by_strand.job;
    level->last_kind = last_kind;
    pn_job_begin(level->dealt, level->cpu->pool, level->block);
}
