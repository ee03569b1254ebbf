// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "spatial/measured.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "spatial/hull.h"

enum { LOWEST_RATE = 4000, HIGHEST_RATE = 768000, MOST_TAPS_48K = 8192, MOST_DIRECTIONS = 100000 };

#define LONGEST_DELAY 0.5 /* seconds */
#define LARGEST_SAMPLE 1e15f
#define FARTHEST 100.0   /* metres; beyond it a distance says nothing either */
#define MOST_BROKEN 0.25 /* of the measurements */

pinna_status pn_measured_create(pn_measured *set, int directions, int taps, double rate, pinna_error *err) {
    memset(set, 0, sizeof *set);
    double bytes = (double)directions * taps * 8;
    if (directions < 0 || taps < 0 || bytes > 2147483648.0)
        return pn_fail_memory(err, "the HRTF set", bytes);
    size_t n = (size_t)directions;
    set->direction = pn_alloc(n, sizeof *set->direction);
    set->distance = pn_alloc(n, sizeof *set->distance);
    set->ir = pn_alloc_floats(2 * n * (size_t)taps);
    set->delay = pn_alloc(2 * n, sizeof *set->delay);
    if (!set->direction || !set->distance || !set->ir || !set->delay) {
        pn_measured_clear(set);
        return pn_fail_memory(err, "the HRTF set", bytes);
    }
    set->directions = directions;
    set->taps = taps;
    set->rate = rate;
    set->receiver_y = NAN;
    return PINNA_OK;
}

void pn_measured_clear(pn_measured *set) {
    pn_free(set->direction);
    pn_free(set->distance);
    pn_free(set->ir);
    pn_free(set->delay);
    pn_free(set->convention);
    pn_free(set->version);
    pn_free(set->database);
    pn_free(set->listener);
    pn_free(set->title);
    pn_free(set->licence);
    pn_free(set->organization);
    pn_free(set->name);
    memset(set, 0, sizeof *set);
}

float *pn_measured_ir(const pn_measured *set, int direction, int ear) {
    return set->ir + ((size_t)direction * 2 + (size_t)ear) * (size_t)set->taps;
}

int pn_measured_keep(pn_measured *set, const bool *keep) {
    int kept = 0;
    for (int i = 0; i < set->directions; ++i) {
        if (!keep[i])
            continue;
        set->direction[kept] = set->direction[i];
        set->distance[kept] = set->distance[i];
        for (int ear = 0; ear < 2; ++ear)
            set->delay[2 * kept + ear] = set->delay[2 * i + ear];
        if (kept != i)
            memcpy(pn_measured_ir(set, kept, 0), pn_measured_ir(set, i, 0),
                   2 * (size_t)set->taps * sizeof(float));
        ++kept;
    }
    int dropped = set->directions - kept;
    set->directions = kept;
    return dropped;
}

static bool is_vector(pn_vec3 v) {
    return isfinite(v.x) && isfinite(v.y) && isfinite(v.z);
}

static pinna_status check_shape(const pn_measured *set, const char *label, pinna_error *err) {
    if (set->directions < 1)
        return pn_fail(err, PINNA_BAD_FILE, "%s: no measurements (M = 0); the file is empty or damaged",
                       label);
    if (set->directions > MOST_DIRECTIONS)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %d directions; at most %d can be used", label,
                       set->directions, MOST_DIRECTIONS);
    if (set->taps < 1)
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: responses without samples (N = 0); the file is empty or damaged", label);
    if (!(set->rate >= LOWEST_RATE && set->rate <= HIGHEST_RATE))
        return pn_fail(err, PINNA_BAD_FILE,
                       "%s: a sampling rate of %g Hz; expected %d to %d, the file is damaged", label,
                       set->rate, LOWEST_RATE, HIGHEST_RATE);
    return PINNA_OK;
}

/* What is wrong with a measurement, in words; false when nothing is. */
static bool is_broken(const pn_measured *set, int i, char *why, size_t size) {
    if (!is_vector(set->direction[i]) || !isfinite(set->distance[i])) {
        snprintf(why, size, "its position is not a number");
        return true;
    }
    for (int ear = 0; ear < 2; ++ear) {
        double delay = set->delay[2 * i + ear];
        if (!(fabs(delay) <= LONGEST_DELAY * set->rate)) {
            snprintf(why, size,
                     "a delay of %g samples; at most half a second is expected (Data.Delay is in samples)",
                     delay);
            return true;
        }
        const float *ir = pn_measured_ir(set, i, ear);
        for (int n = 0; n < set->taps; ++n) {
            if (isfinite(ir[n]) && fabsf(ir[n]) <= LARGEST_SAMPLE)
                continue;
            snprintf(why, size, "sample %d of its %s ear is %g; an impulse response is expected", n,
                     ear ? "right" : "left", (double)ir[n]);
            return true;
        }
    }
    return false;
}

/* A few broken measurements are left out; a set with many is refused. */
static pinna_status drop_broken(pn_measured *set, const char *label, bool *keep, pn_messages *messages,
                                pinna_error *err) {
    int broken = 0, all = set->directions, first = 0;
    char why[160] = "", reason[160];
    for (int i = 0; i < all; ++i) {
        keep[i] = !is_broken(set, i, reason, sizeof reason);
        if (!keep[i] && broken++ == 0) {
            first = i;
            memcpy(why, reason, sizeof why);
        }
    }
    if (broken == 0)
        return PINNA_OK;
    if (broken > all * MOST_BROKEN)
        return pn_fail(err, PINNA_BAD_FILE, "%s: %d of %d measurements cannot be used; measurement %d: %s",
                       label, broken, all, first, why);
    pn_measured_keep(set, keep);
    pn_warn(messages, "%s: %d of %d measurements cannot be used and are left out; measurement %d: %s", label,
            broken, all, first, why);
    return PINNA_OK;
}

/* A distance that is none is 0 from here on: unknown. */
static void forget_absurd_distances(pn_measured *set, const char *label, pn_messages *messages) {
    int absurd = 0;
    double last = 0;
    for (int i = 0; i < set->directions; ++i) {
        if (set->distance[i] >= 0 && set->distance[i] <= FARTHEST)
            continue;
        last = set->distance[i];
        set->distance[i] = 0;
        ++absurd;
    }
    if (absurd > 0)
        pn_warn(messages,
                "%s: %d of %d positions have a distance such as %g m; expected 0 to %g, it is not used",
                label, absurd, set->directions, last, FARTHEST);
}

static double energy(const pn_measured *set, int direction) {
    const float *ir = pn_measured_ir(set, direction, 0);
    double sum = 0;
    for (size_t n = 0; n < 2 * (size_t)set->taps; ++n)
        sum += (double)ir[n] * (double)ir[n];
    return sum;
}

static pinna_status drop_silent(pn_measured *set, const char *label, bool *keep, pn_messages *messages,
                                pinna_error *err) {
    double most = 0;
    for (int i = 0; i < set->directions; ++i)
        most = fmax(most, energy(set, i));
    if (!(most > 0))
        return pn_fail(err, PINNA_BAD_FILE, "%s: all responses are silent (zeros); nothing to render with",
                       label);
    int all = set->directions;
    for (int i = 0; i < all; ++i)
        keep[i] = energy(set, i) > 1e-12 * most;
    int dropped = pn_measured_keep(set, keep);
    if (dropped > 0)
        pn_warn(messages,
                "%s: %d of %d directions are silent and left out; their neighbours take their place", label,
                dropped, all);
    return PINNA_OK;
}

static void drop_duplicates(pn_measured *set, const char *label, bool *keep, pn_messages *messages) {
    int gone = 0;
    for (int s = 0; s < set->shells; ++s) {
        int first = set->shell_first[s];
        set->shell_first[s] -= gone;
        for (int i = first; i < set->shell_first[s + 1]; ++i) {
            keep[i] = true;
            for (int j = first; j < i && keep[i]; ++j)
                keep[i] = !keep[j] ||
                          pn_vec_length(pn_vec_sub(set->direction[i], set->direction[j])) >= PN_HULL_NEAREST;
            gone += !keep[i];
        }
    }
    set->shell_first[set->shells] -= gone;
    int dropped = pn_measured_keep(set, keep);
    if (dropped > 0)
        pn_info(
            messages,
            "%s: %d measurements repeat a direction (such as azimuth 0 and 360); the first of each is used",
            label, dropped);
}

static void trim(pn_measured *set, const char *label, pn_messages *messages) {
    int most = (int)(MOST_TAPS_48K * set->rate / 48000);
    most = most < 16 ? 16 : most;
    if (set->taps <= most)
        return;
    int fade = most / 16;
    for (int i = 0; i < 2 * set->directions; ++i) {
        const float *from = set->ir + (size_t)i * (size_t)set->taps;
        float *to = set->ir + (size_t)i * (size_t)most;
        memmove(to, from, (size_t)most * sizeof *to);
        for (int n = 0; n < fade; ++n)
            to[most - fade + n] *= (float)(0.5 + 0.5 * cos(PN_PI * (n + 1) / (fade + 1)));
    }
    pn_warn(messages,
            "%s: responses of %.3g s (a room, not only ears) are cut to %.3g s with a fade; for a room use a "
            "reverb "
            "bus",
            label, set->taps / set->rate, most / set->rate);
    set->taps = most;
}

static void no_negative_delays(pn_measured *set, const char *label, pn_messages *messages) {
    double least = 0;
    for (int i = 0; i < 2 * set->directions; ++i)
        least = fmin(least, set->delay[i]);
    if (least >= 0)
        return;
    double shift = ceil(-least);
    for (int i = 0; i < 2 * set->directions; ++i)
        set->delay[i] += shift;
    pn_warn(messages,
            "%s: responses that begin before time 0 (negative delays); everything is delayed by %g samples",
            label, shift);
}

pinna_status pn_measured_repair(pn_measured *set, const char *label, pn_messages *messages,
                                pinna_error *err) {
    pinna_status status = check_shape(set, label, err);
    if (status != PINNA_OK)
        return status;
    bool *keep = pn_alloc((size_t)set->directions, sizeof *keep);
    if (keep == NULL)
        return pn_fail_memory(err, "the directions of the HRTF set", set->directions);
    status = drop_broken(set, label, keep, messages, err);
    if (status == PINNA_OK)
        status = drop_silent(set, label, keep, messages, err);
    if (status == PINNA_OK)
        forget_absurd_distances(set, label, messages);
    if (status == PINNA_OK)
        status = pn_measured_sort_shells(set, label, messages, err);
    if (status == PINNA_OK) {
        drop_duplicates(set, label, keep, messages);
        no_negative_delays(set, label, messages);
        trim(set, label, messages);
    }
    pn_free(keep);
    return status;
}

void pn_measured_swap_ears(pn_measured *set) {
    for (int i = 0; i < set->directions; ++i) {
        float *left = pn_measured_ir(set, i, 0), *right = pn_measured_ir(set, i, 1);
        for (int n = 0; n < set->taps; ++n) {
            float swap = left[n];
            left[n] = right[n];
            right[n] = swap;
        }
        double swap = set->delay[2 * i];
        set->delay[2 * i] = set->delay[2 * i + 1];
        set->delay[2 * i + 1] = swap;
    }
}
