// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* From measurements to a set that can be rendered with.
 *
 * Response h with delay tau becomes the aligned response A = h advanced by tau (a linear phase, exact for the band up
 * to half the rate), and delay = tau - room. Blends of A then do not comb, and delay comes back as linear phase of
 * the blend, so that at a measured direction the measured response is rendered. What is acausal in A (excess phase, the
 * tails of the fractional shift) is kept in `room` samples before its onset: the fewest of rooms_48k (at 48
 * kHz) that leave less than -45 dB of every response's energy outside. A delay that would be negative is avoided by delaying
 * the whole set by whole samples (info.latency).
 *
 * Delays and level are found at the file's rate, so that they are the same whatever rate is rendered at. */
#include "spatial/hrtf_set.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"
#include "spatial/delays.h"
#include "spatial/sofa.h"

enum { RINGING = 128 }; /* zeros around a response in the transforms, for the tails of a fractional shift */

#define ROOM_LEAKAGE 3.2e-5 /* -45 dB */

enum { ROOMS = 6 };
static const int rooms_48k[ROOMS] = {16, 32, 48, 64, 96, 128};

typedef struct {
    pn_measured *set;
    const char *label;
    pn_messages *messages;
    pn_hrtf *hrtf;
    double *tau;    /* [direction][ear], samples */
    double least;   /* of tau - delay: where the first onset lies in the arrays */
    int room, size; /* pre-onset samples; transform */
    pn_fft *fft;
    pn_complex *work;
} loader;

/* ---- which ear is which */

typedef struct {
    double lag,
        level; /* seconds and dB that the far ear is behind, over lateral directions; < 0: ears swapped */
    int lateral;
} sides;

static double level_db(const pn_measured *set, int direction, int ear) {
    const float *ir = pn_measured_ir(set, direction, ear);
    double sum = 1e-30;
    for (int n = 0; n < set->taps; ++n)
        sum += (double)ir[n] * (double)ir[n];
    return 10 * log10(sum);
}

static sides compare_sides(const pn_measured *set, const double *tau) {
    sides s = {0};
    for (int i = 0; i < set->directions; ++i) {
        double y = set->direction[i].y;
        if (fabs(y) < 0.5)
            continue;
        double sign = y > 0 ? 1 : -1;
        s.lag += sign * (tau[2 * i + 1] - tau[2 * i]) / set->rate;
        s.level += sign * (level_db(set, i, 0) - level_db(set, i, 1));
        ++s.lateral;
    }
    if (s.lateral > 0) {
        s.lag /= s.lateral;
        s.level /= s.lateral;
    }
    return s;
}

/* Responses decide: many published files give the receivers in the wrong order. */
static void settle_ears(loader *l) {
    sides s = compare_sides(l->set, l->tau);
    bool clear = fabs(s.lag) > 50e-6 || fabs(s.level) > 1;
    bool swapped = fabs(s.lag) > 50e-6 ? s.lag < 0 : s.level < 0;
    bool receivers_swapped = l->set->receiver_y < 0;
    if (clear && swapped) {
        pn_measured_swap_ears(l->set);
        for (int i = 0; i < l->set->directions; ++i) {
            double swap = l->tau[2 * i];
            l->tau[2 * i] = l->tau[2 * i + 1];
            l->tau[2 * i + 1] = swap;
        }
        pn_warn(l->messages,
                "%s: by its responses the first receiver is the right ear (sources on the left reach it %.0f "
                "us later, "
                "%.1f dB weaker); the ears are exchanged",
                l->label, -1e6 * s.lag, -s.level);
    } else if (receivers_swapped && clear) {
        pn_info(l->messages,
                "%s: ReceiverPosition calls the first receiver the right ear, its responses show the left "
                "one; the "
                "responses are believed",
                l->label);
    } else if (receivers_swapped) {
        pn_warn(l->messages,
                "%s: ReceiverPosition calls the first receiver the right ear and the responses do not tell; "
                "it is "
                "taken as the left ear, as in nearly all files",
                l->label);
    }
}

/* ---- aligning */

/* work = both ears, each advanced by tau - delay, as re and im; index n < 0 at size + n. */
static void advance(loader *l, int direction) {
    const float *left = pn_measured_ir(l->set, direction, 0), *right = pn_measured_ir(l->set, direction, 1);
    pn_complex *z = l->work;
    int size = l->size;
    memset(z, 0, (size_t)size * sizeof *z);
    for (int n = 0; n < l->set->taps; ++n)
        z[n] = (pn_complex){(double)left[n], (double)right[n]};
    pn_fft_forward(l->fft, z);
    pn_complex turn[2], at[2] = {{1, 0}, {1, 0}};
    for (int e = 0; e < 2; ++e) {
        double step = 2 * PN_PI * (l->tau[2 * direction + e] - l->set->delay[2 * direction + e]) / size;
        turn[e] = (pn_complex){cos(step), sin(step)};
    }
    for (int k = 0; k <= size / 2; ++k) {
        int mirror = (size - k) & (size - 1);
        pn_complex p = z[k], q = z[mirror];
        pn_complex ear[2] = {{(p.re + q.re) / 2, (p.im - q.im) / 2}, {(p.im + q.im) / 2, (q.re - p.re) / 2}};
        for (int e = 0; e < 2; ++e) {
            double c = at[e].re, s = k == size / 2 ? 0 : at[e].im;
            ear[e] = (pn_complex){ear[e].re * c - ear[e].im * s, ear[e].re * s + ear[e].im * c};
            at[e] = (pn_complex){at[e].re * turn[e].re - at[e].im * turn[e].im,
                                 at[e].re * turn[e].im + at[e].im * turn[e].re};
        }
        z[k] = (pn_complex){ear[0].re - ear[1].im, ear[0].im + ear[1].re};
        z[mirror] = (pn_complex){ear[0].re + ear[1].im, ear[1].re - ear[0].im};
    }
    pn_fft_inverse(l->fft, z);
}

/* For the set as it is now: once at the file's rate, once at that of rendering. */
static pinna_status prepare(loader *l, pinna_error *err) {
    double most = -1e300;
    l->least = 1e300;
    for (int i = 0; i < 2 * l->set->directions; ++i) {
        l->least = fmin(l->least, l->tau[i] - l->set->delay[i]);
        most = fmax(most, l->tau[i] - l->set->delay[i]);
    }
    l->size = 64;
    while (l->size < l->set->taps + fmax(0, most) - fmin(0, l->least) + 2 * RINGING ||
           l->size < l->set->rate / 50)
        l->size *= 2;
    pn_free(l->work);
    pn_fft_free(l->fft);
    l->fft = NULL;
    l->work = pn_alloc((size_t)l->size, sizeof *l->work);
    if (l->work == NULL)
        return pn_fail_memory(err, "aligning the HRTF set", l->size * 16.0);
    return pn_fft_create(l->size, &l->fft, err);
}

static int room_samples(const loader *l, int index) {
    return (int)ceil(rooms_48k[index] * l->set->rate / 48000);
}

/* All aligned responses, with the most room, at their level. */
static void align(loader *l) {
    pn_hrtf *h = l->hrtf;
    double scale = h->info.scale;
    int taps = h->info.taps;
    for (int i = 0; i < l->set->directions; ++i) {
        advance(l, i);
        float *left = h->response + (size_t)i * 2 * (size_t)taps, *right = left + taps;
        for (int n = 0; n < taps; ++n) {
            pn_complex z = l->work[(n - l->room + l->size) & (l->size - 1)];
            left[n] = (float)(scale * z.re);
            right[n] = (float)(scale * z.im);
        }
    }
}

/* Whether no response has more than ROOM_LEAKAGE of its energy before `room` samples ahead of its onset. */
static bool is_enough(const loader *l, int room) {
    int taps = l->hrtf->info.taps;
    for (int r = 0; r < 2 * l->set->directions; ++r) {
        const float *ir = l->hrtf->response + (size_t)r * (size_t)taps;
        double before = 0, all = 0;
        for (int n = 0; n < taps; ++n) {
            all += (double)ir[n] * (double)ir[n];
            if (n == l->room - room - 1)
                before = all;
        }
        if (before > ROOM_LEAKAGE * all)
            return false;
    }
    return true;
}

static void choose_room(loader *l) {
    pn_hrtf *h = l->hrtf;
    int room = 0, taps = h->info.taps;
    for (int r = 0; r < ROOMS; ++r) {
        room = room_samples(l, r);
        if (is_enough(l, room))
            break;
    }
    int less = l->room - room;
    for (int r = 0; r < 2 * l->set->directions && less > 0; ++r)
        memmove(h->response + (size_t)r * (size_t)(taps - less),
                h->response + (size_t)r * (size_t)taps + less, (size_t)(taps - less) * sizeof *h->response);
    h->info.taps -= less;
    l->room = room;
}

static void settle_delays(loader *l) {
    pn_hrtf *h = l->hrtf;
    double least = 0, most = 0;
    for (int i = 0; i < 2 * l->set->directions; ++i)
        least = fmin(least, l->tau[i] - l->room);
    h->info.latency = (int)ceil(-least);
    for (int i = 0; i < 2 * l->set->directions; ++i) {
        h->delay[i] = (float)fmax(0, l->tau[i] - l->room + h->info.latency);
        most = fmax(most, (double)h->delay[i]);
    }
    h->info.max_delay = (int)ceil(most);
}

/* Content of the nodes that close gaps: the mean of those around. */
static void fill_gaps(pn_hrtf *h) {
    size_t pair = 2 * (size_t)h->info.taps;
    for (int f = h->info.measured; f < h->info.directions; ++f) {
        double sum = 0, delay[2] = {0, 0};
        for (int i = 0; i < h->info.measured; ++i)
            sum += pn_sphere_fill_weight(h->sphere[0], f, i);
        for (int i = 0; i < h->info.measured; ++i) {
            float weight = (float)(pn_sphere_fill_weight(h->sphere[0], f, i) / sum);
            delay[0] += (double)(weight * h->delay[2 * i]);
            delay[1] += (double)(weight * h->delay[2 * i + 1]);
            for (size_t n = 0; n < pair && weight > 1e-6f; ++n)
                h->response[(size_t)f * pair + n] += weight * h->response[(size_t)i * pair + n];
        }
        h->delay[2 * f] = (float)delay[0];
        h->delay[2 * f + 1] = (float)delay[1];
    }
}

/* ---- level */

/* Adds to sum the aligned blend in front, of the measured directions and those that gaps are filled from. */
static void blend_front(loader *l, pn_complex *sum) {
    const pn_sphere *sphere = l->hrtf->sphere[0];
    pn_sphere_point front;
    pn_sphere_look_up(sphere, (pn_vec3){1, 0, 0}, NULL, &front);
    int measured = l->set->directions;
    double fill[3] = {0, 0, 0};
    for (int k = 0; k < 3; ++k) {
        for (int i = 0; i < measured && front.node[k] >= measured; ++i)
            fill[k] += pn_sphere_fill_weight(sphere, front.node[k], i);
    }
    for (int i = 0; i < measured; ++i) {
        double share = 0;
        for (int k = 0; k < 3; ++k) {
            if (front.node[k] >= measured)
                share += front.weight[k] * pn_sphere_fill_weight(sphere, front.node[k], i) / fill[k];
            else if (front.node[k] == i)
                share += front.weight[k];
        }
        if (share < 1e-6)
            continue;
        advance(l, i);
        for (int n = 0; n < l->size; ++n) {
            sum[n].re += share * l->work[n].re;
            sum[n].im += share * l->work[n].im;
        }
    }
}

/* Mean power of both ears over 250 Hz .. 8 kHz of the aligned blend in front, as it stands in the file: the same for
 * every rate that is rendered at. */
static pinna_status measure_front(loader *l, double *power, pinna_error *err) {
    pinna_status status = prepare(l, err);
    if (status != PINNA_OK)
        return status;
    int size = l->size;
    pn_complex *z = pn_alloc((size_t)size, sizeof *z);
    if (z == NULL)
        return pn_fail_memory(err, "the level of the HRTF set", size * 16.0);
    blend_front(l, z);
    pn_fft_forward(l->fft, z);
    double rate = l->set->rate, top = fmin(8000, 0.45 * rate), sum = 0;
    int bins = 0;
    for (int k = (int)ceil(250.0 * size / rate); k <= top * size / rate; ++k, ++bins) {
        pn_complex p = z[k], q = z[size - k];
        sum += (p.re * p.re + p.im * p.im + q.re * q.re + q.im * q.im) / 4; /* (|L|^2 + |R|^2) / 2 */
    }
    *power = bins > 0 ? sum / bins : 0;
    pn_free(z);
    return PINNA_OK;
}

static pinna_status set_level(loader *l, pinna_error *err) {
    double power = 0;
    pinna_status status = measure_front(l, &power, err);
    if (status != PINNA_OK)
        return status;
    if (!(power > 1e-30) || !isfinite(power))
        return pn_fail(err, PINNA_BAD_FILE, "%s: nothing between 250 Hz and 8 kHz in front; not an HRTF set",
                       l->label);
    l->hrtf->info.scale = 1 / sqrt(power);
    pn_info(l->messages, "%s: level %+.2f dB, so that the front is 0 dB at 1 m", l->label,
            20 * log10(l->hrtf->info.scale));
    return PINNA_OK;
}

/* ---- in order */

static double median_distance(pn_measured *set) {
    double sum = 0; /* of one shell, after repairs: the mean says as much */
    for (int i = 0; i < set->directions; ++i)
        sum += set->distance[i];
    return sum / set->directions;
}

static char *copy_text(const char *text, const char *otherwise) {
    return pn_strdup(text == NULL ? otherwise : text);
}

static pinna_status make_sphere(loader *l, pinna_error *err) {
    pn_hrtf *h = l->hrtf;
    pinna_status status = pn_sphere_create(l->set->direction, l->set->directions, &h->sphere[0], err);
    if (status != PINNA_OK)
        return pn_fail_within(err, status, "%s", l->label);
    h->info.measured = l->set->directions;
    h->info.directions = pn_sphere_nodes(h->sphere[0]);
    h->info.widest_gap_deg = pn_degrees(pn_sphere_widest_gap(h->sphere[0]));
    h->info.horizontal_only = pn_sphere_is_flat(h->sphere[0]);
    return PINNA_OK;
}

static pinna_status make_nodes(loader *l, pinna_error *err) {
    pn_hrtf *h = l->hrtf;
    size_t n = (size_t)h->info.directions;
    h->position = pn_alloc(n, sizeof *h->position);
    h->delay = pn_alloc_floats(2 * n);
    h->response = pn_alloc_floats(2 * n * (size_t)h->info.taps);
    h->name = copy_text(l->set->name, l->label);
    h->licence = copy_text(l->set->licence, "");
    h->convention = copy_text(l->set->convention, "");
    if (!h->position || !h->delay || !h->response || !h->name || !h->licence || !h->convention)
        return pn_fail_memory(err, "the HRTF set", (double)n * h->info.taps * 8);
    for (size_t i = 0; i < n; ++i)
        h->position[i] = pn_vec_scale(pn_sphere_node(h->sphere[0], (int)i), h->info.distance);
    h->info.name = h->name;
    h->info.licence = h->licence;
    h->info.convention = h->convention;
    return PINNA_OK;
}

static void tell_coverage(const loader *l) {
    const pn_hrtf_info *info = &l->hrtf->info;
    if (info->measured == 1)
        pn_warn(l->messages, "%s: one direction only; every source sounds from there", l->label);
    else if (info->horizontal_only)
        pn_warn(l->messages, "%s: its %d directions lie in one plane; elevation is ignored", l->label,
                info->measured);
    else if (info->directions > info->measured)
        pn_warn(l->messages,
                "%s: its directions leave a gap %.0f degrees to each side; in there the edge of the gap is "
                "blended",
                l->label, info->widest_gap_deg);
    if (info->latency > 0)
        pn_info(l->messages,
                "%s: room of %d samples (%.2f ms) before the first onset; files have it taken out again",
                l->label, info->latency, 1e3 * info->latency / info->rate);
}

static pinna_status find_delays(loader *l, pinna_error *err) {
    l->tau = pn_alloc(2 * (size_t)l->set->directions, sizeof *l->tau);
    if (l->tau == NULL)
        return pn_fail_memory(err, "the delays of the HRTF set", l->set->directions * 16.0);
    pinna_status status = pn_delays_estimate(l->set, l->tau, err);
    if (status == PINNA_OK)
        settle_ears(l);
    return status;
}

static pinna_status change_rate(loader *l, pinna_error *err) {
    const pn_hrtf_info *info = &l->hrtf->info;
    int before = l->set->taps;
    if (info->rate == info->file_rate)
        return PINNA_OK;
    pinna_status status = pn_measured_resample(l->set, info->rate, err);
    if (status != PINNA_OK)
        return pn_fail_within(err, status, "%s", l->label);
    for (int i = 0; i < 2 * l->set->directions; ++i)
        l->tau[i] *= info->rate / info->file_rate;
    pn_info(l->messages, "%s: responses resampled from %g to %g Hz (%d to %d samples)", l->label,
            info->file_rate, info->rate, before, l->set->taps - PN_MEASURED_LEAD);
    return PINNA_OK;
}

static pinna_status build(loader *l, double rate, pinna_error *err) {
    pn_measured *set = l->set;
    pn_hrtf *h = l->hrtf;
    pinna_status status = pn_measured_repair(set, l->label, l->messages, err);
    if (status != PINNA_OK)
        return status;
    h->info.file_rate = set->rate;
    h->info.rate = rate > 0 ? rate : set->rate;
    h->info.distance = median_distance(set);
    h->info.shells = 1;
    h->info.radius[0] = h->info.distance;
    status = make_sphere(l, err);
    if (status == PINNA_OK)
        status = find_delays(l, err);
    if (status == PINNA_OK)
        status = set_level(l, err);
    if (status == PINNA_OK)
        status = change_rate(l, err);
    if (status == PINNA_OK)
        status = prepare(l, err);
    if (status != PINNA_OK)
        return status;
    l->room = room_samples(l, ROOMS - 1);
    h->info.taps = l->room + set->taps - (int)floor(l->least);
    status = make_nodes(l, err);
    if (status != PINNA_OK)
        return status;
    align(l);
    choose_room(l);
    settle_delays(l);
    fill_gaps(h);
    tell_coverage(l);
    return PINNA_OK;
}

pinna_status pn_hrtf_from_measured(pn_measured *measured, const char *label, double rate,
                                   const pn_hrtf_options *options, pn_messages *messages, pn_hrtf **hrtf,
                                   pinna_error *err) {
    (void)options;
    *hrtf = NULL;
    loader l = {.set = measured, .label = label, .messages = messages};
    l.hrtf = pn_alloc(1, sizeof *l.hrtf);
    pinna_status status =
        l.hrtf == NULL ? pn_fail_memory(err, "the HRTF set", sizeof *l.hrtf) : build(&l, rate, err);
    pn_fft_free(l.fft);
    pn_free(l.work);
    pn_free(l.tau);
    pn_measured_clear(measured);
    if (status != PINNA_OK) {
        pn_hrtf_free(l.hrtf);
        return status;
    }
    *hrtf = l.hrtf;
    return PINNA_OK;
}

pinna_status pn_hrtf_load(const char *file, double rate, const pn_hrtf_options *options,
                          pn_messages *messages, pn_hrtf **hrtf, pinna_error *err) {
    *hrtf = NULL;
    if (rate != 0 && !(rate >= 4000 && rate <= 768000))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "a rate of %g Hz for the HRTF set; expected 4000 to 768000",
                       rate);
    pn_measured set;
    pinna_status status = pn_sofa_read(file, &set, messages, err);
    if (status != PINNA_OK)
        return status;
    return pn_hrtf_from_measured(&set, pn_sofa_is_builtin(file) ? "builtin" : file, rate, options, messages,
                                 hrtf, err);
}
