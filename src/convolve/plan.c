// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "convolve/plan.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "convolve/plan_cost.h"

enum { LARGEST_FACTOR = 64, OFFLINE_SMALLEST = 1024 };

static const double LEVEL_EARNS = 0.03;           /* what a further level must save */
static const double EVENNESS = 0.3;               /* what the dearest call's excess counts beside the mean */
static const double OFFLINE_TIE = 0.02;           /* a larger block must save this much */
static const double TYPICAL_INPUT = 60 * 48000.0; /* frames of an offline input */

/* ------------------------------------------------------------------ checks */

static bool is_power_of_two(int value) {
    return value > 0 && (value & (value - 1)) == 0;
}

static pinna_status check_irs(const pn_plan_desc *desc, pinna_error *err) {
    size_t longest = desc->irs == NULL ? desc->longest : 0;
    if (desc->ir_count > INT_MAX)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%zu impulse responses, expected at most %d", desc->ir_count,
                       INT_MAX);
    for (size_t e = 0; desc->irs != NULL && e < desc->ir_count; ++e) {
        const pinna_ir *ir = &desc->irs[e];
        if (ir->input < 0 || ir->input >= desc->inputs || ir->output < 0 || ir->output >= desc->outputs)
            return pn_fail(err, PINNA_BAD_ARGUMENT,
                           "impulse response %zu: from %d to %d in a matrix of %d x %d", e, ir->input,
                           ir->output, desc->inputs, desc->outputs);
        if (ir->length == 0) {
            longest = 0;
            break;
        }
        longest = ir->length > longest ? ir->length : longest;
    }
    if (longest == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response: no taps, expected 1 or more");
    if (longest > (size_t)1 << 30)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "impulse response: %zu taps, expected at most 2^30", longest);
    return PINNA_OK;
}

static pinna_status check(const pn_plan_desc *desc, pinna_error *err) {
    if (desc->mode == PN_PLAN_LIVE &&
        (desc->block < 32 || desc->block > 8192 || !is_power_of_two(desc->block)))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "block: %d, expected a power of two, 32..8192", desc->block);
    if (desc->mode == PN_PLAN_OFFLINE && desc->block != 0 &&
        (desc->block < PN_PLAN_SMALLEST || desc->block > PN_PLAN_LARGEST || !is_power_of_two(desc->block)))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "block: %d, expected 0 or a power of two, %d..%d",
                       desc->block, PN_PLAN_SMALLEST, PN_PLAN_LARGEST);
    if (desc->inputs < 0 || desc->inputs > PN_PLAN_CHANNELS || desc->outputs < 0 ||
        desc->outputs > PN_PLAN_CHANNELS)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "plan: %d inputs and %d outputs, expected at most %d of each",
                       desc->inputs, desc->outputs, PN_PLAN_CHANNELS);
    return check_irs(desc, err);
}

/* ------------------------------------------------------------------ search */

typedef struct {
    const pn_plan_desc *desc;
    pn_plan_shape shape;
    pn_plan best;
    double best_price;
} search;

static double price_of(const pn_plan *plan) {
    double price = plan->cost_us + EVENNESS * (plan->worst_us - plan->cost_us);
    return price * (1 + LEVEL_EARNS * (plan->levels - 1));
}

static void try_plan(search *s, pn_plan *plan) {
    pn_plan_cost(&s->shape, s->desc, plan);
    double price = price_of(plan);
    if (s->best.levels > 0 && price >= s->best_price)
        return;
    s->best = *plan;
    s->best_price = price;
}

/* Tries the plan, and with every further level that reaches into the responses. */
static void try_levels(search *s, pn_plan *plan) {
    try_plan(s, plan);
    if (plan->levels == PN_PLAN_LEVELS)
        return;
    int last = plan->level[plan->levels - 1].block;
    for (int factor = 2; factor <= LARGEST_FACTOR; factor *= 2) {
        int block = last * factor;
        if (block > PN_PLAN_LARGEST || 2 * (size_t)block >= s->shape.longest)
            break;
        plan->level[plan->levels++].block = block;
        try_levels(s, plan);
        --plan->levels;
    }
}

static void search_live(search *s) {
    pn_plan plan = {.block = s->desc->block, .levels = 1, .level = {{.block = s->desc->block}}};
    try_levels(s, &plan);
}

/* Per frame; half a block is lost at the end of an input. */
static double offline_price(const search *s, const pn_plan *plan) {
    double lost = 0.5 * plan->block / (TYPICAL_INPUT + (double)s->shape.longest);
    return plan->cost_us / plan->block * (1 + lost);
}

/* The smallest block within OFFLINE_TIE of the best. Beyond the longest response a block only wastes. */
static void search_offline(search *s) {
    pn_plan plan[PN_PLAN_SIZES];
    int plans = 0, first = s->desc->block > 0 ? s->desc->block : OFFLINE_SMALLEST;
    int last = s->desc->block > 0 ? first : PN_PLAN_LARGEST;
    for (int block = first; block <= last; block *= 2) {
        plan[plans] = (pn_plan){.block = block, .levels = 1, .level = {{.block = block}}};
        pn_plan_cost(&s->shape, s->desc, &plan[plans]);
        double price = offline_price(s, &plan[plans++]);
        s->best_price = plans == 1 || price < s->best_price ? price : s->best_price;
        if ((size_t)block >= s->shape.longest)
            break;
    }
    for (int p = plans - 1; p >= 0; --p)
        if (offline_price(s, &plan[p]) <= s->best_price * (1 + OFFLINE_TIE))
            s->best = plan[p];
}

static double uniform_cost(const search *s) {
    pn_plan plan = {.block = s->best.block, .levels = 1, .level = {{.block = s->best.block}}};
    pn_plan_cost(&s->shape, s->desc, &plan);
    return plan.cost_us;
}

pinna_status pn_plan_make(const pn_plan_desc *desc, pn_plan *plan, pinna_error *err) {
    memset(plan, 0, sizeof *plan);
    search s = {.desc = desc};
    pinna_status status = check(desc, err);
    if (status == PINNA_OK)
        status = pn_plan_count(desc, &s.shape, err);
    if (status != PINNA_OK)
        return status;
    if (desc->mode == PN_PLAN_LIVE)
        search_live(&s);
    else
        search_offline(&s);
    *plan = s.best;
    plan->uniform_us = uniform_cost(&s);
    return PINNA_OK;
}

pinna_status pn_plan_price(const pn_plan_desc *desc, pn_plan *plan, pinna_error *err) {
    search s = {.desc = desc};
    pinna_status status = check(desc, err);
    if (status == PINNA_OK)
        status = pn_plan_count(desc, &s.shape, err);
    if (status != PINNA_OK)
        return status;
    plan->block = plan->level[0].block;
    pn_plan_cost(&s.shape, desc, plan);
    s.best = *plan;
    plan->uniform_us = uniform_cost(&s);
    return PINNA_OK;
}

/* ------------------------------------------------------------------ text */

/* Appends as far as there is room. */
__attribute__((format(printf, 4, 5))) static void append(char *text, size_t size, size_t *used,
                                                         const char *format, ...) {
    va_list arguments;
    if (*used >= size)
        return;
    va_start(arguments, format);
    int wrote = vsnprintf(text + *used, size - *used, format, arguments);
    va_end(arguments);
    *used += wrote > 0 ? (size_t)wrote : 0;
}

/* Three digits, two of them at most behind the point. */
static int decimals(double value) {
    return value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
}

const char *pn_plan_describe(const pn_plan *plan, char *text, size_t size) {
    size_t used = 0;
    if (size > 0)
        text[0] = '\0';
    for (int l = 0; l < plan->levels; ++l)
        append(text, size, &used, "%s%d x %d", l == 0 ? "" : ", ", plan->level[l].block,
               plan->level[l].partitions);
    return text;
}

const char *pn_plan_describe_cost(const pn_plan *plan, char *text, size_t size) {
    size_t used = 0;
    if (size > 0)
        text[0] = '\0';
    append(text, size, &used, "predicted %.*f us a block (worst %.*f", decimals(plan->cost_us), plan->cost_us,
           decimals(plan->worst_us), plan->worst_us);
    if (plan->levels > 1)
        append(text, size, &used, ", uniform %.*f", decimals(plan->uniform_us), plan->uniform_us);
    append(text, size, &used, "), latency %d frames, %.1f MB", plan->block, 1e-6 * plan->bytes);
    return text;
}

const char *pn_plan_explain(const pn_plan *plan, const char *indent, char *text, size_t size) {
    size_t used = 0;
    if (size > 0)
        text[0] = '\0';
    for (int l = 0; l < plan->levels; ++l) {
        const pn_plan_level *level = &plan->level[l];
        append(text, size, &used,
               "%s%6d x %-4d from tap %-7zu transforms %.*f us, products %.*f, moving %.*f; %.1f MB\n",
               indent, level->block, level->partitions, level->first, decimals(level->transform_us),
               level->transform_us, decimals(level->product_us), level->product_us, decimals(level->other_us),
               level->other_us, 1e-6 * level->bytes);
    }
    return text;
}
