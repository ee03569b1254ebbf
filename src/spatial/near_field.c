// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Pressure on a rigid sphere of radius a from a point source at r, re the free field in the centre (R. O. Duda, W. L.
 * Martens, "Range dependence of the response of a spherical head model", JASA 104, 1998, with exp(-i w t)):
 *
 *   H(r, w, angle) = -(r / (k a^2)) exp(-i k r) sum over m of (2 m + 1) P_m(cos angle) h_m(k r) / h'_m(k a)
 *
 * h_m are spherical Hankel functions of the first kind. They are found by upward recursion, which is stable for them
 * (their imaginary part is the growing solution). At 0 Hz the sum is that of (2 m + 1) / (m + 1) (a / r)^m P_m.
 *
 * The distance variation function is the ratio of two of them at the same angle (A. Kan, C. Jin, A. van Schaik, "A
 * psychophysical evaluation of near-field head-related transfer functions synthesized using a distance variation
 * function", JASA 125, 2009). Here the set's response is taken from the direction that the ear sees, so the ratio is
 *
 *   |H(r, w, angle)| / |H(reference, w, seen angle)|
 *
 * with minimum phase; what the phases differ besides is the difference of arrival times along rays,
 * tangents and great circles (R. S. Woodworth's model, for finite distances).
 *
 * Seen angle: where the ray from the ear through the source meets the sphere of the reference. In the shadow nothing is
 * seen, the sound comes round the head from all sides there; so the parallax is faded out from 75 to 135 degrees, before
 * the lobes about the far side, which would not fit each other.
 *
 * Table: angles every 5 degrees, distances at equal steps of 1 / r of about a half. */
#include "spatial/near_field.h"

#include <stdbool.h>

#include "base/memory.h"
#include "signal/minimum_phase.h"
#include "spatial/distance.h"

enum { ANGLES = 37, MOST_TERMS = 400, STEPS_TO_1_M = 8 };
static const double speed_of_sound = 343.2;
static const double highest_hz = 24000; /* above it the ratio stays as it is */

/* ------------------------------------------------------------------ pressure */

static pn_complex times(pn_complex a, pn_complex b) {
    return (pn_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static pn_complex over(pn_complex a, pn_complex b) {
    double square = b.re * b.re + b.im * b.im;
    return (pn_complex){(a.re * b.re + a.im * b.im) / square, (a.im * b.re - a.re * b.im) / square};
}

static double magnitude_of(pn_complex a) {
    return hypot(a.re, a.im);
}

/* h_m of one argument: the values of orders m - 1 and m. */
typedef struct {
    double x;
    pn_complex before, now;
} hankel;

static hankel hankel_at_0(double x) {
    double s = sin(x) / x, c = cos(x) / x;
    return (hankel){x, {c, s}, {s, -c}}; /* h_-1 = i h_0 */
}

static void raise(hankel *h, int m) {
    double factor = (2 * m + 1) / h->x;
    pn_complex next = {factor * h->now.re - h->before.re, factor * h->now.im - h->before.im};
    h->before = h->now;
    h->now = next;
}

/* h'_m = h_(m-1) - (m + 1) / x h_m */
static pn_complex slope(const hankel *h, int m) {
    double factor = (m + 1) / h->x;
    return (pn_complex){h->before.re - factor * h->now.re, h->before.im - factor * h->now.im};
}

/* Factors of P_m, without the phase of the free field; returns how many matter. */
static int factors_of(double distance, double frequency, pn_complex factor[MOST_TERMS]) {
    double rho = distance / PN_HEAD_RADIUS, mu = 2 * PN_PI * frequency * PN_HEAD_RADIUS / speed_of_sound;
    double power = 1, largest = 0;
    hankel far = {0}, near = {0};
    if (mu > 0) {
        far = hankel_at_0(mu * rho);
        near = hankel_at_0(mu);
    }
    for (int m = 0; m < MOST_TERMS; ++m) {
        if (mu > 0) {
            pn_complex ratio = over(far.now, slope(&near, m));
            double scale = -(2 * m + 1) * rho / mu;
            factor[m] = (pn_complex){scale * ratio.re, scale * ratio.im};
            raise(&far, m);
            raise(&near, m);
        } else {
            factor[m] = (pn_complex){(2 * m + 1.0) / (m + 1) * power, 0};
            power /= rho;
        }
        double size = magnitude_of(factor[m]);
        largest = fmax(largest, size);
        if (m > mu && size < 1e-12 * largest)
            return m + 1;
    }
    return MOST_TERMS;
}

static pn_complex sum_of(const pn_complex *factor, int terms, double cosine) {
    double low = 1, p = cosine; /* P_(m-1), P_m */
    pn_complex sum = factor[0];
    for (int m = 1; m < terms; ++m) {
        sum.re += factor[m].re * p;
        sum.im += factor[m].im * p;
        double next = ((2 * m + 1) * cosine * p - m * low) / (m + 1);
        low = p;
        p = next;
    }
    return sum;
}

pn_complex pn_near_pressure(double distance, double angle, double frequency) {
    pn_complex factor[MOST_TERMS];
    int terms = factors_of(distance, frequency, factor);
    double phase = -2 * PN_PI * frequency * distance / speed_of_sound;
    return times((pn_complex){cos(phase), sin(phase)}, sum_of(factor, terms, cos(angle)));
}

/* ------------------------------------------------------------------ rays */

double pn_near_arrival(double distance, double angle) {
    double a = PN_HEAD_RADIUS, r = distance, edge = acos(a / r);
    double way = angle < edge ? sqrt(r * r - 2 * r * a * cos(angle) + a * a)
                              : sqrt(r * r - a * a) + a * (angle - edge);
    return (way - r) / speed_of_sound;
}

double pn_near_seen_angle(double distance, double reference, double angle) {
    static const double fades_from = 75 * PN_PI / 180, fades_over = 60 * PN_PI / 180;
    double a = PN_HEAD_RADIUS, along = distance * cos(angle) - a, across = distance * sin(angle);
    double length = hypot(along, across), cosine = along / length, sine = across / length;
    double t = sqrt(reference * reference - a * a * sine * sine) - a * cosine;
    double seen = atan2(t * sine, a + t * cosine);
    double part = fmin(fmax((angle - fades_from) / fades_over, 0), 1);
    return angle + (0.5 + 0.5 * cos(PN_PI * part)) * (seen - angle);
}

double pn_near_angle(int ear, pn_vec3 place) {
    double along = ear == 0 ? place.y : -place.y, across = hypot(place.x, place.z);
    return across == 0 && along == 0 ? PN_PI / 2 : atan2(across, along);
}

static double held(double distance, double reference) {
    return fmin(fmax(distance, PN_NEAREST_METRES), reference);
}

pn_vec3 pn_near_seen_from(int ear, pn_vec3 place, double reference) {
    double seen =
        pn_near_seen_angle(held(pn_vec_length(place), reference), reference, pn_near_angle(ear, place));
    double across = hypot(place.x, place.z), scale = across > 0 ? reference * sin(seen) / across : 0;
    double along = reference * cos(seen);
    return (pn_vec3){scale * place.x, ear == 0 ? along : -along, scale * place.z};
}

/* ------------------------------------------------------------------ table */

/* Steps of 1 / r from the nearest distance to the reference. */
static int steps_to(double reference) {
    double all = 1 / PN_NEAREST_METRES - 1 / reference;
    return (int)fmax(ceil(all / (1 / PN_NEAREST_METRES - 1) * STEPS_TO_1_M - 1e-9), 1);
}

int pn_near_nodes(double reference) {
    return steps_to(reference) * ANGLES + 1;
}

int pn_near_taps(double rate) {
    return (int)ceil(rate / 500);
}

static double distance_of(int step, double reference) {
    double nearest = 1 / PN_NEAREST_METRES;
    return 1 / (nearest - (nearest - 1 / reference) * step / steps_to(reference));
}

static double angle_of(int index) {
    return PN_PI * index / (ANGLES - 1);
}

/* |H(distance)| / |H(reference)| of every angle at one frequency. */
static void ratios_at(double distance, double reference, double frequency, double ratio[ANGLES]) {
    pn_complex near[MOST_TERMS], far[MOST_TERMS];
    int near_terms = factors_of(distance, frequency, near), far_terms = factors_of(reference, frequency, far);
    for (int i = 0; i < ANGLES; ++i) {
        double seen = pn_near_seen_angle(distance, reference, angle_of(i));
        ratio[i] = magnitude_of(sum_of(near, near_terms, cos(angle_of(i)))) /
                   magnitude_of(sum_of(far, far_terms, cos(seen)));
    }
}

typedef struct {
    pn_fft *fft;
    int size;
    double *magnitude; /* [ANGLES][size / 2 + 1] */
    pn_complex *work;
} designer;

static void design(designer *d, int step, double reference, double rate, int taps, float *responses) {
    double distance = distance_of(step, reference), ratio[ANGLES] = {0};
    int bins = d->size / 2 + 1;
    for (int k = 0; k < bins; ++k) {
        double frequency = k * rate / d->size;
        if (frequency <= highest_hz)
            ratios_at(distance, reference, frequency, ratio);
        for (int i = 0; i < ANGLES; ++i)
            d->magnitude[(size_t)i * (size_t)bins + (size_t)k] = ratio[i];
    }
    for (int i = 0; i < ANGLES; ++i) {
        pn_minimum_phase(d->fft, d->magnitude + (size_t)i * (size_t)bins, 1e-3, d->work);
        float *to = responses + ((size_t)step * ANGLES + (size_t)i) * (size_t)taps;
        for (int n = 0; n < taps; ++n)
            to[n] = n < pn_near_taps(rate) ? (float)d->work[n].re : 0;
    }
}

pinna_status pn_near_responses(double reference, double rate, int taps, float *responses, pinna_error *err) {
    designer d = {.size = 64};
    while (d.size < 8 * pn_near_taps(rate))
        d.size *= 2;
    pinna_status status = pn_fft_create(d.size, &d.fft, err);
    d.magnitude = pn_alloc(ANGLES * ((size_t)d.size / 2 + 1), sizeof *d.magnitude);
    d.work = pn_alloc((size_t)d.size, sizeof *d.work);
    if (status == PINNA_OK && (d.magnitude == NULL || d.work == NULL))
        status = pn_fail_memory(err, "the near field", (double)ANGLES * d.size * 4);
    int steps = steps_to(reference);
    for (int step = 0; step < steps && status == PINNA_OK; ++step)
        design(&d, step, reference, rate, taps, responses);
    if (status == PINNA_OK) {
        float *last = responses + (size_t)steps * ANGLES * (size_t)taps;
        for (int n = 0; n < taps; ++n)
            last[n] = n == 0;
    }
    pn_fft_free(d.fft);
    pn_free(d.magnitude);
    pn_free(d.work);
    return status;
}

int pn_near_look_up(double reference, double distance, double angle, int node[PN_NEAR_BLEND],
                    double weight[PN_NEAR_BLEND]) {
    int steps = steps_to(reference), used = 0;
    double nearest = 1 / PN_NEAREST_METRES;
    double at = (nearest - 1 / held(distance, reference)) / (nearest - 1 / reference) * steps;
    double turn = fmin(fmax(angle / PN_PI, 0), 1) * (ANGLES - 1);
    int step = at >= steps ? steps - 1 : (int)at, low = turn >= ANGLES - 1 ? ANGLES - 2 : (int)turn;
    for (int s = 0; s < 2; ++s) {
        double share = s == 0 ? 1 - (at - step) : at - step;
        for (int i = 0; i < 2; ++i) {
            bool last = step + s == steps; /* one node for all angles */
            double part = share * (last ? 1 - i : i == 0 ? 1 - (turn - low) : turn - low);
            if (part <= 0)
                continue;
            node[used] = (step + s) * ANGLES + (last ? 0 : low + i);
            weight[used++] = part;
        }
    }
    return used;
}
