// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* Reception at time t of what was emitted at t - s by a source at P(t - s), with the listener at L(t):
 *
 *     s = k |P(t - s) - L(t)|,   k = 1 / c, times the factor.
 *
 * Below the speed of sound the right side falls or rises by less than s does, so that there is one solution; it is
 * found by the secant method from the passage before, kept within a bracket that is halved where the method leaves it.
 * Differentiated, with r the unit vector from the listener to the source as it was, p' and l' the velocities,
 *
 *     s' = k (r.p' (1 - s') - r.l')   =>   s' = k (r.p' - r.l') / (1 + k r.p'),
 *
 * and what is heard has 1 - s' = (1 + k r.l') / (1 + k r.p') times the frequency that was emitted: Doppler's formula.
 *
 * Between two instants the delay is the cubic with these values and rates at its ends (Hermite), which is continuous
 * in frequency. Its control points are delay +- rate q / 3: kept within the line, they keep the whole cubic there. */
#include "render/travel.h"

#include <math.h>

/* ------------------------------------------------------------------ passages */

enum { MOST_STEPS = 40 };
static const double close_enough = 1e-11, instant = 1e-4; /* seconds */

typedef struct {
    const pn_track *source;
    double time, slowness;
    pn_vec3 ear;
} reception;

static double lack(const reception *r, double seconds) {
    pn_vec3 way = pn_vec_sub(r->source->at(r->source->user, r->time - seconds), r->ear);
    return seconds - r->slowness * pn_vec_length(way);
}

static double solve(const reception *r, double longest, double guess) {
    double low = 0, high = longest, x = fmin(fmax(guess, 0), longest), f = lack(r, x);
    double next = x - f;
    for (int step = 0; step < MOST_STEPS && fabs(f) > close_enough; ++step) {
        if (f < 0)
            low = x;
        else
            high = x;
        if (!(next > low && next < high)) {
            if (f < 0 && high == longest && lack(r, longest) < 0)
                return longest;
            next = (low + high) / 2;
        }
        double before = x, value = f;
        x = next;
        f = lack(r, x);
        next = x - f * (f != value ? (x - before) / (f - value) : 1);
        if (!(high - low > close_enough))
            break;
    }
    return x;
}

pn_passage pn_travel_solve(const pn_track *source, double time, pn_vec3 ear, pn_vec3 velocity,
                           double slowness, double longest, double guess) {
    reception r = {source, time, slowness, ear};
    pn_passage passage = {.seconds = solve(&r, longest, guess)};
    double emitted = time - passage.seconds;
    passage.position = source->at(source->user, emitted);
    pn_vec3 way = pn_vec_sub(passage.position, ear);
    double distance = pn_vec_length(way);
    if (!(distance > 0) || passage.seconds >= longest)
        return passage;
    pn_vec3 moved =
        pn_vec_sub(source->at(source->user, emitted + instant), source->at(source->user, emitted - instant));
    double away = pn_vec_dot(way, moved) / (2 * instant * distance);
    double along = pn_vec_dot(way, velocity) / distance;
    double stretch =
        1 + slowness * away; /* 0 at the speed of sound, negative where sound is heard backwards */
    if (fabs(stretch) < 1e-3)
        stretch = 1e-3;
    double rate = slowness * (away - along) / stretch;
    passage.rate = isfinite(rate) ? rate : 0;
    return passage;
}

/* ------------------------------------------------------------------ delay lines */

static double within(double x, double low, double high) {
    return x > low ? (x < high ? x : high) : low; /* low for what is no number */
}

/* Holds a delay and its rate so that cubics which end or begin there stay within the line. */
static void hold(const pn_travel_line *line, double *delay, double *rate) {
    *delay = within(*delay, PN_PROPAGATION_SHORTEST, line->longest);
    double room = fmin(*delay - PN_PROPAGATION_SHORTEST, line->longest - *delay);
    double most = 3 * room / line->quantum;
    *rate = isnan(*rate) ? 0 : within(*rate, -most, most);
}

static bool gentle(double rate) {
    return rate >= PN_TRAVEL_FASTEST && rate <= PN_TRAVEL_SLOWEST;
}

static void cubic(const pn_travel_line *line, double delay, double rate, double to, double to_rate,
                  pn_propagation *propagation) {
    double m0 = rate * line->quantum, m1 = to_rate * line->quantum, rise = to - delay;
    propagation->whole = (int)delay;
    propagation->c[0] = (float)(delay - propagation->whole);
    propagation->c[1] = (float)m0;
    propagation->c[2] = (float)(3 * rise - 2 * m0 - m1);
    propagation->c[3] = (float)(m0 + m1 - 2 * rise);
}

/* The line goes on as it was, and comes to rest, whatever is wanted. */
static void coast(pn_travel *travel, const pn_travel_line *line, pn_propagation *propagation) {
    double end = travel->delay + travel->rate * line->quantum / 2, rest = 0;
    hold(line, &end, &rest);
    cubic(line, travel->delay, travel->rate, end, 0, propagation);
    travel->delay = end;
    travel->rate = 0;
}

static void follow(pn_travel *travel, const pn_travel_line *line, double from, double from_rate,
                   pn_propagation *propagation) {
    cubic(line, from, from_rate, travel->wanted, travel->wanted_rate, propagation);
    travel->delay = travel->wanted;
    travel->rate = travel->wanted_rate;
}

void pn_travel_step(pn_travel *travel, const pn_travel_line *line, double delay, double rate, bool leap,
                    pn_propagation *propagation) {
    const int fade = line->quantum < PN_TRAVEL_FADE ? PN_TRAVEL_FADE / line->quantum : 1;
    hold(line, &delay, &rate);
    double from = travel->wanted, from_rate = travel->wanted_rate;
    bool smooth = !leap && gentle((delay - from) / line->quantum) && gentle(rate) && gentle(from_rate);
    travel->wanted = delay;
    travel->wanted_rate = rate;
    travel->phase_from = travel->phase_to;
    if (!travel->begun) {
        travel->begun = true;
        follow(travel, line, delay, rate, propagation);
        return;
    }
    if (!smooth && (travel->state == PN_TRAVEL_HEARD || travel->state == PN_TRAVEL_RISING))
        travel->state = PN_TRAVEL_FALLING;
    if (travel->state == PN_TRAVEL_FALLING) {
        coast(travel, line, propagation);
        travel->fallen += travel->fallen < fade;
        if (travel->fallen == fade) {
            travel->state = PN_TRAVEL_SILENT;
            travel->wait = (line->memory + line->quantum - 1) / line->quantum;
        }
    } else if (!smooth) { /* silent: where it is wanted, at once */
        follow(travel, line, delay, 0, propagation);
        cubic(line, delay, 0, delay, 0, propagation);
        travel->wait = (line->memory + line->quantum - 1) / line->quantum;
    } else {
        follow(travel, line, from, from_rate, propagation);
        if (travel->state == PN_TRAVEL_RISING && --travel->fallen == 0)
            travel->state = PN_TRAVEL_HEARD;
        if (travel->state == PN_TRAVEL_SILENT && --travel->wait <= 0)
            travel->state = PN_TRAVEL_RISING;
    }
    travel->phase_to = (double)travel->fallen / fade;
}

double pn_travel_level(const pn_travel *travel, double u) {
    double phase = travel->phase_from + (travel->phase_to - travel->phase_from) * u;
    return 0.5 + 0.5 * cos(PN_PI * phase);
}
