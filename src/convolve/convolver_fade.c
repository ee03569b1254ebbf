// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* The block path's side of an exchange. What takes over comes as a part: an engine for some outputs, or for all. From
 * the first block on it computes these outputs into rows of its own, while those whose they were go on; they fade, and
 * then are its own: the others are muted there, and a part that has none left travels back.
 *
 * Where a longer history came with it, jobs that had begun before go on reading the old one until their ends: that
 * travels back when the longest can be over. */
#include "convolve/convolver_state.h"

enum { LAG_BLOCKS = 16, CATCH_UP_BLOCKS = 2 };

/* ------------------------------------------------------------------ taking over */

static int64_t longest_job(const pn_convolver *c) {
    int64_t longest = 0;
    for (const pn_part *part = c->parts; part != NULL; part = part->next) {
        int64_t period = pn_engine_period(part->engine);
        longest = period > longest ? period : longest;
    }
    return longest;
}

void pn_convolver_adopt(pn_convolver *c, pn_exchange *x) {
    int64_t time = pn_history_time(c->history);
    int64_t known = x->history == NULL ? time : pn_history_time(x->history);
    c->lag = (size_t)(time - known);
    if (x->history != NULL && x->takes_history) {
        pn_history *old = c->history;
        pn_history_append(x->history, old, c->block);
        c->history = x->history;
        x->history = old;
        x->held = time + longest_job(c);
    } else if (x->history != NULL) {
        pn_engine_move(x->part->engine, c->history, known);
    }
    if (x->part->own_backend != NULL)
        pn_backend_cpu_set_pool(x->part->own_backend, pn_backend_cpu_pool(c->backend));
    if (x->part->engine != NULL)
        pn_engine_set_pool(x->part->engine, c->pool);
    c->exchange = x;
    c->fade_done = 0;
}

/* One that is too far behind, or was made before a reset or for a device that is lost, does not. */
static bool fits(const pn_convolver *c, const pn_exchange *x) {
    if (x->history == NULL)
        return true;
    int64_t lag = pn_history_time(c->history) - pn_history_time(x->history);
    int64_t most = LAG_BLOCKS * (int64_t)c->block, kept = (int64_t)pn_history_margin(c->block) / 2;
    return atomic_load(&c->history->generation) == x->generation && lag >= 0 &&
           lag <= (most < kept ? most : kept) &&
           (c->backend == c->device || !pn_engine_on_device(x->part->engine));
}

void pn_convolver_take_offer(pn_convolver *c) {
    if (c->exchange != NULL || atomic_load_explicit(&c->offer, memory_order_relaxed) == NULL)
        return;
    pn_exchange *x = atomic_exchange(&c->offer, NULL);
    if (fits(c, x))
        pn_convolver_adopt(c, x);
    else
        atomic_store(&c->returned, x);
}

pinna_status pn_convolver_run_next(pn_convolver *c, int64_t time, pinna_error *err) {
    pn_exchange *x = c->exchange;
    pinna_status status = PINNA_OK;
    if (x->part == NULL || x->part->engine == NULL)
        return PINNA_OK;
    for (int extra = 0; c->lag > 0 && extra < CATCH_UP_BLOCKS && status == PINNA_OK; ++extra) {
        status = pn_engine_run(x->part->engine, c->history, time - (int64_t)c->lag, x->rows, err);
        if (status == PINNA_OK)
            c->lag -= (size_t)c->block;
    }
    return status == PINNA_OK
               ? pn_engine_run(x->part->engine, c->history, time - (int64_t)c->lag, x->rows, err)
               : status;
}

/* ------------------------------------------------------------------ the end */

static void mute_lost(pn_convolver *c, pn_part *part) {
    for (int o = 0; o < c->outputs; ++o)
        c->not_its[o] = c->owner[o] != part;
    pn_engine_mute(part->engine, c->not_its);
    part->lost_some = false;
}

/* Parts that have no output left leave the list; those that lost some mute them. */
static void sort_out_parts(pn_convolver *c, pn_exchange *x) {
    for (pn_part **at = &c->parts; *at != NULL;) {
        pn_part *part = *at;
        if (part->outputs == 0) {
            *at = part->next;
            part->next = x->replaced;
            x->replaced = part;
            continue;
        }
        if (part->lost_some)
            mute_lost(c, part);
        at = &part->next;
    }
}

/* By the outputs that are exchanged: of the others nothing changes. */
static void hand_over(pn_convolver *c, const pn_exchange *x) {
    for (int k = 0; k < x->outputs; ++k) {
        int o = x->output[k];
        pn_part *before = c->owner[o];
        if (before != NULL) {
            --before->outputs;
            before->lost_some = true;
        }
        bool has = x->part->engine != NULL && pn_engine_has(x->part->engine, o);
        c->owner[o] = has ? x->part : NULL;
        x->part->outputs += has;
    }
}

void pn_convolver_settle(pn_convolver *c) {
    pn_exchange *x = c->exchange;
    pn_part **last = &c->parts;
    if (x->part == NULL)
        return;
    hand_over(c, x);
    while (*last != NULL)
        last = &(*last)->next;
    *last = x->part;
    x->part = NULL;
    sort_out_parts(c, x);
    if (c->parts->next == NULL)
        x->held = 0; /* who reads it goes with it */
}

/* The place is free: there is one exchange at a time, collected before the next. */
void pn_convolver_send_back(pn_convolver *c) {
    pn_exchange *x = c->exchange;
    if (x == NULL || x->part != NULL || pn_history_time(c->history) < x->held)
        return;
    c->exchange = NULL;
    x->done = true;
    atomic_store(&c->returned, x);
}

void pn_convolver_fade(pn_convolver *c, float *const *old, int from, int end) {
    pn_exchange *x = c->exchange;
    float *const *new = x->rows;
    double step = 1 / ((double)x->fade_frames + 1);
    for (int k = 0; k < x->outputs; ++k) {
        int o = x->output[k];
        for (int n = from; n < end; ++n) {
            size_t at = c->fade_done + (size_t)(n - from);
            float share = (float)((double)(at + 1) * step);
            if (at >= x->fade_frames)
                old[o][n] = new[o][n];
            else
                old[o][n] += (new[o][n] - old[o][n]) * share;
        }
    }
    c->fade_done += (size_t)(end - from);
    if (c->fade_done < x->fade_frames)
        return;
    pn_convolver_settle(c);
    pn_convolver_send_back(c);
}
