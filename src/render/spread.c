// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Copies that differ in phase only: cascades of all-pass filters of the second order,
 *
 *     (a2 + a1 z^-1 + z^-2) / (1 + a1 z^-1 + a2 z^-2),  a1 = -2 R cos(2 pi f / fs), a2 = R^2, R = exp(-pi B / fs),
 *
 * each of which turns the phase by 360 degrees around its frequency f, over about B = 1.2 (60 Hz + f / 12), 720 Hz at most.
 * A copy's frequencies go from 150 .. 420 Hz to 21 kHz in steps that differ, so that the phase between two copies wanders
 * over all angles. A filter's energy comes within 1 / B: some 10 ms at 250 Hz, 2 ms at 4 kHz and above: no echo and no
 * dulled attack. After E. Kermit-Canfield and J. Abel, "Signal decorrelation using perceptually informed allpass
 * filters" (DAFx 2016).
 *
 * Where the steps are random the copies' cross-products leave 0.5 dB (RMS) of the level to chance, because a third of an
 * octave at 300 Hz, or the whole range through ears that are alike, holds but few such wanderings. Here the frequencies
 * are those (spread_tuning.h) that a descent along the gradient found from random ones: least sum, over sources from
 * everywhere, widths and diffuseness of all sizes and three measured heads (KEMAR, KU100, FABIAN), of the squares of
 * what the cross-products add to the power of both ears, for white noise, for pink noise (with fourth powers, so that
 * the worst counts most) and in every third of an octave; besides, of the coherence of any two copies in every octave.
 *
 * Towards 0 Hz all copies are in phase, and shares of 1 / sqrt(8) would add up to sqrt(8). So 5 of 8 have the sign +
 * and share p, 3 the sign - and share m, with
 *     5 p^2 + 3 m^2 = 1 (power),   5 p - 3 m = s (the sum at 0 Hz),
 * where s = 1 for the cap; beside a direct part sqrt(1 - d), the copies around with the part sqrt(d) have
 * sqrt(1 - d) + sqrt(d) s = 1.
 *
 * The cap's axes are carried along by the shortest turn from one direction to the next, so that they nowhere spin: a
 * frame with a fixed zenith would, above the head. */
#include "render/spread.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "render/balance.h"
#include "render/spread_tuning.h"

enum { COPIES = PN_SPREAD_COPIES, SECTIONS = PN_SPREAD_SECTIONS };

static const int negative[COPIES] = {0, 0, 0, 1, 1, 0, 1, 0};

/* One filter of each of the eight cascades. */
typedef struct {
    double a1[COPIES], a2[COPIES], s1[COPIES], s2[COPIES];
} section;

typedef struct {
    section stage[SECTIONS];
    double *lane; /* [block][COPIES] */
    float *out;   /* [COPIES][block] */
    pn_vec3 place[COPIES];
    double share[COPIES];
    int sections;
} ensemble;

struct pn_spread {
    pn_spread_desc desc;
    bool has_cap, has_around, has_point;
    ensemble *cap, *around;
    double point;    /* share */
    float *balanced; /* [block]: what was fed, with its lows amplified */
    double pole, low, lows, lows_wanted;
    bool fed;
    int tail, silent; /* frames in which the cascades ring on; frames of silence so far */
    pn_quat frame;    /* x: towards the source */
    bool aimed;
};

int pn_spread_tail(double rate) {
    return (int)(0.15 * rate);
}

/* ------------------------------------------------------------------ create */

static void tune(ensemble *e, int copy, const uint16_t *frequency, double rate) {
    for (int k = 0; k < SECTIONS; ++k) {
        double at = (double)frequency[k], radius = exp(-PN_PI * 1.2 * fmin(60 + at / 12, 600) / rate);
        bool used = at > 0 && at < 0.49 * rate;
        e->stage[k].a1[copy] = used ? -2 * radius * cos(2 * PN_PI * at / rate) : 0;
        e->stage[k].a2[copy] = used ? radius * radius : 1; /* 1: as if it was not there */
        e->sections = used && k >= e->sections ? k + 1 : e->sections;
    }
}

static void set_shares(ensemble *e, double amplitude, double sum) {
    double minus = (-6 * sum + sqrt(480 - 60 * sum * sum)) / 48, plus = (sum + 3 * minus) / 5;
    for (int c = 0; c < COPIES; ++c)
        e->share[c] = amplitude * (negative[c] ? -minus : plus);
}

/* Two squares about the axis, each in the middle (by area) of its half of the cap. */
static void place_cap(ensemble *e, double width_deg) {
    double height = 1 - cos(pn_radians(width_deg) / 2);
    for (int c = 0; c < COPIES; ++c) {
        double x = 1 - height * (c < 4 ? 0.25 : 0.75), side = sqrt(fmax(1 - x * x, 0));
        double angle = PN_PI / 2 * c + (c < 4 ? PN_PI / 4 : 0);
        e->place[c] = (pn_vec3){x, side * cos(angle), side * sin(angle)};
    }
}

static void place_around(ensemble *e) {
    double side = sqrt(1.0 / 3);
    for (int c = 0; c < COPIES; ++c)
        e->place[c] = (pn_vec3){c & 1 ? side : -side, c & 2 ? side : -side, c & 4 ? side : -side};
}

static ensemble *make_ensemble(const pn_spread_desc *desc, int group) {
    ensemble *e = pn_alloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->lane = pn_alloc((size_t)desc->block, COPIES * sizeof *e->lane);
    e->out = pn_alloc_floats((size_t)desc->block * COPIES);
    for (int c = 0; c < COPIES; ++c)
        tune(e, c, pn_spread_frequency[group][c], desc->rate);
    return e;
}

pinna_status pn_spread_create(const pn_spread_desc *desc, pn_spread **out, pinna_error *err) {
    *out = NULL;
    pn_spread *spread = pn_alloc(1, sizeof *spread);
    if (spread == NULL)
        return pn_fail_memory(err, "a wide source", sizeof *spread);
    spread->desc = *desc;
    spread->tail = spread->silent = pn_spread_tail(desc->rate);
    spread->has_cap = desc->width_deg > 0 && desc->diffuse < 1;
    spread->has_around = desc->diffuse > 0;
    spread->has_point = !spread->has_cap && desc->diffuse < 1;
    spread->lows = spread->lows_wanted = 1;
    double g = tan(PN_PI * fmin(PN_BALANCE_HZ / desc->rate, 0.45));
    spread->pole = g / (1 + g);
    spread->balanced = pn_alloc_floats((size_t)desc->block);
    double direct = sqrt(1 - desc->diffuse), around = sqrt(desc->diffuse);
    spread->point = direct;
    if (spread->has_cap)
        spread->cap = make_ensemble(desc, 0);
    if (spread->has_around)
        spread->around = make_ensemble(desc, 1);
    ensemble *const all[] = {spread->cap, spread->around};
    const bool needed[] = {spread->has_cap, spread->has_around};
    for (int e = 0; e < 2; ++e) {
        bool made = all[e] != NULL && all[e]->lane != NULL && all[e]->out != NULL;
        if (spread->balanced != NULL && (made || !needed[e]))
            continue;
        pn_spread_free(spread);
        return pn_fail_memory(err, "a wide source", (double)COPIES * 12 * desc->block);
    }
    if (spread->has_cap) {
        place_cap(spread->cap, desc->width_deg);
        set_shares(spread->cap, direct, 1);
    }
    if (spread->has_around) {
        place_around(spread->around);
        set_shares(spread->around, around, (1 - direct) / around);
    }
    *out = spread;
    return PINNA_OK;
}

static void free_ensemble(ensemble *e) {
    if (e == NULL)
        return;
    pn_free(e->lane);
    pn_free(e->out);
    pn_free(e);
}

void pn_spread_free(pn_spread *spread) {
    if (spread == NULL)
        return;
    free_ensemble(spread->cap);
    free_ensemble(spread->around);
    pn_free(spread->balanced);
    pn_free(spread);
}

int pn_spread_slots(const pn_spread *spread) {
    return (spread->has_cap ? COPIES : 0) + (spread->has_point ? 1 : 0) + (spread->has_around ? COPIES : 0);
}

/* ------------------------------------------------------------------ a block */

static void run_section(section *s, double *lane, int frames) {
    section now = *s;
    for (int n = 0; n < frames; ++n, lane += COPIES)
        for (int c = 0; c < COPIES; ++c) {
            double x = lane[c], y = now.a2[c] * x + now.s1[c];
            now.s1[c] = now.a1[c] * (x - y) + now.s2[c];
            now.s2[c] = x - now.a2[c] * y;
            lane[c] = y;
        }
    *s = now;
}

static void run_ensemble(ensemble *e, const float *in, int frames) {
    for (int n = 0; n < frames; ++n)
        for (int c = 0; c < COPIES; ++c)
            e->lane[n * COPIES + c] = (double)in[n];
    for (int k = 0; k < e->sections; ++k)
        run_section(&e->stage[k], e->lane, frames);
    for (int c = 0; c < COPIES; ++c)
        for (int n = 0; n < frames; ++n)
            e->out[(size_t)c * (size_t)frames + (size_t)n] = (float)e->lane[n * COPIES + c];
}

void pn_spread_balance(pn_spread *spread, double lows) {
    spread->lows_wanted = lows;
}

/* y = x + (lows - 1) L x. */
static void balance(pn_spread *spread, const float *in) {
    int frames = spread->desc.block;
    double lows = spread->fed ? spread->lows : spread->lows_wanted,
           step = (spread->lows_wanted - lows) / frames;
    for (int n = 0; n < frames; ++n) {
        double x = in == NULL ? 0 : (double)in[n], half = (x - spread->low) * spread->pole,
               low = half + spread->low;
        spread->low = low + half;
        lows += step;
        spread->balanced[n] = (float)(x + (lows - 1) * low);
    }
    spread->lows = spread->lows_wanted;
    spread->fed = true;
}

void pn_spread_feed(pn_spread *spread, const float *in) {
    if (in == NULL && spread->silent >= spread->tail)
        return;
    spread->silent = in == NULL ? spread->silent + spread->desc.block : 0;
    balance(spread, in);
    if (spread->cap != NULL)
        run_ensemble(spread->cap, spread->balanced, spread->desc.block);
    if (spread->around != NULL)
        run_ensemble(spread->around, spread->balanced, spread->desc.block);
}

const float *pn_spread_signal(const pn_spread *spread, int slot) {
    if (spread->silent >= spread->tail)
        return NULL;
    if (spread->has_point && slot-- == 0)
        return spread->balanced;
    const ensemble *e = spread->has_cap && slot < COPIES ? spread->cap : spread->around;
    return e->out + (size_t)(slot % COPIES) * (size_t)spread->desc.block;
}

/* ------------------------------------------------------------------ directions */

/* The shortest turn from one unit vector to another. */
static pn_quat turn_between(pn_vec3 a, pn_vec3 b) {
    pn_vec3 axis = pn_vec_cross(a, b);
    double w = 1 + pn_vec_dot(a, b);
    if (w < 1e-9) { /* opposite: about anything across */
        axis = fabs(a.z) < 0.9 ? (pn_vec3){a.y, -a.x, 0} : (pn_vec3){0, a.z, -a.y};
        w = 0;
    }
    double scale = 1 / sqrt(w * w + pn_vec_dot(axis, axis));
    return (pn_quat){w * scale, axis.x * scale, axis.y * scale, axis.z * scale};
}

static void carry_frame(pn_spread *spread, pn_vec3 direction) {
    static const pn_vec3 front = {1, 0, 0};
    if (!spread->aimed)
        spread->frame =
            pn_quat_from_ypr(atan2(direction.y, direction.x), asin(fmin(fmax(direction.z, -1), 1)), 0);
    pn_quat turn = turn_between(pn_quat_rotate(spread->frame, front), direction);
    pn_quat q = pn_quat_mul(turn, spread->frame);
    double scale = 1 / sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
    spread->frame = (pn_quat){q.w * scale, q.x * scale, q.y * scale, q.z * scale};
    spread->aimed = true;
}

void pn_spread_aim(pn_spread *spread, pn_vec3 way, pn_quat head, pn_spread_copy *copy) {
    double distance = pn_vec_length(way);
    if (distance > 0)
        carry_frame(spread, pn_vec_scale(way, 1 / distance));
    else if (!spread->aimed)
        carry_frame(spread, (pn_vec3){1, 0, 0});
    if (spread->has_point)
        *copy++ = (pn_spread_copy){pn_quat_unrotate(head, way), spread->point, false};
    for (int c = 0; c < COPIES && spread->has_cap; ++c) {
        pn_vec3 at = pn_quat_rotate(spread->frame, pn_vec_scale(spread->cap->place[c], distance));
        *copy++ = (pn_spread_copy){pn_quat_unrotate(head, at), spread->cap->share[c], false};
    }
    for (int c = 0; c < COPIES && spread->has_around; ++c)
        *copy++ = (pn_spread_copy){pn_vec_scale(spread->around->place[c], distance), spread->around->share[c],
                                   true};
}
