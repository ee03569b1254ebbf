// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Spectra to responses.
 *
 * Each spectrum is brought onto the bins 0 .. taps / 2 of a transform and inverted (any length, by Bluestein's chirp
 * transform, 1970). A circular response comes out, whose time 0 and direction are still open:
 *
 * - Simulations and measurements disagree on whether exp(-jwt) or exp(+jwt) is later; with the wrong one every response
 *   runs backwards. Two things tell. A sound from the side reaches the near ear, the louder one, first. And a response
 *   rises quickly and decays slowly. The first is used where the set has sides, else the second.
 * - Responses relative to the middle of the head begin before time 0 at the near ear, and wrap around. The circle is cut
 *   where all responses together are quietest, if it is not quiet at 0; the cut becomes a negative delay.
 *
 * Uneven frequencies: a delay turns the phase by less than half a circle between neighbours only where they are dense,
 * usually at the lower end. The delay found there predicts the phase of the next frequency, that one refines the delay,
 * and so on upwards. Level and remaining phase are then smooth and are interpolated by monotone cubics (Fritsch and
 * Carlson, 1980). */
#include "spatial/sofa_spectra.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "signal/fft.h"

enum { FEWEST_BINS = 8, SHORTEST_48K = 256, LONGEST_48K = 4096 };
enum { LOW_BINS = 30 }; /* from which the delay of an even spectrum is taken */

static const double usual_rates[] = {8000,  11025, 12000, 16000, 22050,  24000,  32000,
                                     44100, 48000, 88200, 96000, 176400, 192000, 384000};
enum { USUAL_RATES = sizeof usual_rates / sizeof usual_rates[0] };

/* ---- the grid */

static bool is_usual(double rate) {
    for (int i = 0; i < USUAL_RATES; ++i) {
        if (fabs(rate - usual_rates[i]) < 1e-4 * rate)
            return true;
    }
    return false;
}

/* The upper end of an even grid is half the rate, or the last bin below it of an odd or even length. */
static void plan_even(pn_sofa_grid *grid, double step, int top) {
    grid->taps = 2 * top;
    for (int more = 0; more <= 2; ++more) {
        if (is_usual((2 * top + more) * step)) {
            grid->taps = 2 * top + more;
            break;
        }
    }
    grid->rate = grid->taps * step;
    for (int i = 0; i < USUAL_RATES; ++i) {
        if (fabs(grid->rate - usual_rates[i]) < 1e-4 * grid->rate)
            grid->rate = usual_rates[i];
    }
}

static void plan_uneven(pn_sofa_grid *grid, double step, double top) {
    grid->rate = 2 * top;
    for (int i = USUAL_RATES - 1; i >= 0 && usual_rates[i] >= 2 * top * (1 - 1e-6); --i)
        grid->rate = usual_rates[i];
    double scale = grid->rate / 48000;
    double wanted = fmin(fmax(grid->rate / step, SHORTEST_48K * scale), LONGEST_48K * scale);
    grid->taps = 16;
    while (grid->taps < wanted * (1 - 1e-6))
        grid->taps *= 2;
}

pinna_status pn_sofa_plan_grid(const double *frequency, int bins, const char *label, pn_sofa_grid *grid,
                               pinna_error *err) {
    *grid = (pn_sofa_grid){0};
    if (bins < FEWEST_BINS)
        return pn_fail(err, PINNA_BAD_FILE, "%s: spectra at %d frequencies; at least %d make a response",
                       label, bins, FEWEST_BINS);
    double least = INFINITY;
    for (int k = 0; k < bins; ++k) {
        if (!isfinite(frequency[k]) || frequency[k] < 0 || frequency[k] > 1e6)
            return pn_fail(err, PINNA_BAD_FILE, "%s: frequency %d (N) is %g Hz; expected 0 to 1e6", label, k,
                           frequency[k]);
        if (k > 0 && !(frequency[k] > frequency[k - 1]))
            return pn_fail(err, PINNA_BAD_FILE,
                           "%s: its frequencies (N) do not rise: %g Hz is followed by %g Hz", label,
                           frequency[k - 1], frequency[k]);
        least = k > 0 ? fmin(least, frequency[k] - frequency[k - 1]) : least;
    }
    double step = (frequency[bins - 1] - frequency[0]) / (bins - 1), first = frequency[0] / step;
    grid->even = fabs(first - round(first)) < 0.01 && first < bins;
    for (int k = 0; k < bins; ++k)
        grid->even = grid->even && fabs(frequency[k] - frequency[0] - k * step) < 1e-3 * step;
    if (grid->even) {
        grid->first = (int)lround(first);
        plan_even(grid, frequency[bins - 1] / (grid->first + bins - 1), grid->first + bins - 1);
    } else {
        plan_uneven(grid, least, frequency[bins - 1]);
    }
    return PINNA_OK;
}

/* ---- one spectrum */

typedef struct {
    const pn_sofa_grid *grid;
    const double *frequency;
    int bins, size; /* of the transform behind the chirps */
    pn_fft *fft;
    pn_complex *chirp, *kernel, *work, *half;
    double *phase, *level, *slope[2]; /* [bins]; without the delay */
} maker;

/* A delay turns neighbouring bins against each other, the same everywhere; in seconds. */
static double delay_of(const maker *m, const float *re, const float *im, int bins) {
    double a = 0, b = 0;
    for (int k = 0; k + 1 < bins; ++k) {
        a += (double)re[k] * (double)re[k + 1] + (double)im[k] * (double)im[k + 1];
        b += (double)re[k] * (double)im[k + 1] - (double)im[k] * (double)re[k + 1];
    }
    double step = (m->frequency[bins - 1] - m->frequency[0]) / (bins - 1);
    return -atan2(b, a) / (2 * PN_PI * step);
}

static pn_complex polar(double magnitude, double phase) {
    return (pn_complex){magnitude * cos(phase), magnitude * sin(phase)};
}

/* The phase is 0 or half a circle at 0 Hz; `phase`, without the delay, is that of the lowest frequency given. */
static double phase_below(double phase, double fraction) {
    double origin = PN_PI * round(phase / PN_PI);
    return origin + (phase - origin) * fraction;
}

static void fill_even(const maker *m, const float *re, const float *im) {
    int first = m->grid->first, last = first + m->bins - 1, half = m->grid->taps / 2;
    for (int k = 0; k < m->bins; ++k)
        m->half[first + k] = (pn_complex){(double)re[k], (double)im[k]};
    double delay = delay_of(m, re, im, m->bins < LOW_BINS ? m->bins : LOW_BINS);
    double lowest = hypot((double)re[0], (double)im[0]), step = m->grid->rate / m->grid->taps;
    double turned =
        remainder(atan2((double)im[0], (double)re[0]) + 2 * PN_PI * first * step * delay, 2 * PN_PI);
    /* A magnitude is even in frequency: a + b f^2 through the two lowest. */
    double next = hypot((double)re[1], (double)im[1]), bend = (next - lowest) / (2.0 * first + 1);
    for (int k = 0; k < first; ++k)
        m->half[k] = polar(fmin(fmax(lowest - bend * ((double)first * first - (double)k * k), 0), 2 * lowest),
                           phase_below(turned, (double)k / first) - 2 * PN_PI * k * step * delay);
    for (int k = last + 1; k <= half; ++k) { /* half the rate, of a grid that ends just below it */
        pn_complex end = m->half[last];
        m->half[k] =
            polar(hypot(end.re, end.im), atan2(end.im, end.re) - 2 * PN_PI * (k - last) * step * delay);
    }
}

/* Level in nepers and phase without the delay at the given frequencies; returns the delay. */
static double unwrap(const maker *m, const float *re, const float *im) {
    const double *f = m->frequency;
    int dense = 2;
    while (dense < m->bins && f[dense] - f[dense - 1] < 1.5 * (f[1] - f[0]))
        ++dense;
    double delay = delay_of(m, re, im, dense), weights = 0, turns = 0, before = 0, at = 0;
    for (int k = 0; k < m->bins; ++k) {
        double magnitude = hypot((double)re[k], (double)im[k]), angle = atan2((double)im[k], (double)re[k]);
        double predicted = at - 2 * PN_PI * (f[k] - before) * delay;
        at = predicted + remainder(angle - predicted, 2 * PN_PI);
        before = f[k];
        m->level[k] = log(fmax(magnitude, 1e-12));
        m->phase[k] = at;
        double step = k > 0 ? f[k] - f[k - 1] : f[0];
        weights += magnitude * f[k] * f[k] * step;
        turns += magnitude * f[k] * at * step;
        if (k >= dense && weights > 0)
            delay = -turns / weights / (2 * PN_PI);
    }
    for (int k = 0; k < m->bins; ++k)
        m->phase[k] += 2 * PN_PI * f[k] * delay;
    return delay;
}

/* Slopes of the monotone cubic through y(x). */
static void find_slopes(const double *x, const double *y, int count, double *slope) {
    for (int k = 0; k < count; ++k) {
        if (k == 0 || k == count - 1) {
            int i = k == 0 ? 0 : k - 1;
            slope[k] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
            continue;
        }
        double left = x[k] - x[k - 1], right = x[k + 1] - x[k];
        double a = (y[k] - y[k - 1]) / left, b = (y[k + 1] - y[k]) / right;
        double w = (2 * right + left) / (3 * (right + left));
        slope[k] = a * b > 0 ? a * b / (w * b + (1 - w) * a) : 0;
    }
}

static double cubic(const double *x, const double *y, const double *slope, int k, double at) {
    double width = x[k + 1] - x[k], t = (at - x[k]) / width, u = 1 - t;
    return y[k] * u * u * (1 + 2 * t) + y[k + 1] * t * t * (3 - 2 * t) +
           width * t * u * (slope[k] * u - slope[k + 1] * t);
}

static void fill_uneven(const maker *m, const float *re, const float *im) {
    const double *f = m->frequency;
    int last = m->bins - 1, half = m->grid->taps / 2;
    double delay = unwrap(m, re, im), step = m->grid->rate / m->grid->taps;
    find_slopes(f, m->level, m->bins, m->slope[0]);
    find_slopes(f, m->phase, m->bins, m->slope[1]);
    for (int k = 0, at = 0; k <= half; ++k) {
        double hz = k * step, level, phase, fade = 1;
        while (at + 2 < m->bins && f[at + 1] < hz)
            ++at;
        if (hz < f[0]) {
            level = m->level[0];
            phase = phase_below(m->phase[0], hz / f[0]);
        } else if (hz > f[last]) { /* nothing is known: out by half the rate */
            level = m->level[last];
            phase = m->phase[last];
            fade = 0.5 + 0.5 * cos(PN_PI * (hz - f[last]) / (m->grid->rate / 2 - f[last]));
        } else {
            level = cubic(f, m->level, m->slope[0], at, hz);
            phase = cubic(f, m->phase, m->slope[1], at, hz);
        }
        m->half[k] = polar(fade * exp(level), phase - 2 * PN_PI * hz * delay);
    }
}

/* out[n] = the real inverse transform of half. */
static void invert(const maker *m, float *out) {
    int taps = m->grid->taps;
    memset(m->work, 0, (size_t)m->size * sizeof *m->work);
    m->half[0].im = 0;
    if (taps % 2 == 0)
        m->half[taps / 2].im = 0;
    for (int k = 0; k < taps; ++k) {
        pn_complex x = m->half[k <= taps / 2 ? k : taps - k], c = m->chirp[k];
        x.im = k <= taps / 2 ? x.im : -x.im;
        m->work[k] = (pn_complex){x.re * c.re - x.im * c.im, x.re * c.im + x.im * c.re};
    }
    pn_fft_forward(m->fft, m->work);
    for (int k = 0; k < m->size; ++k) {
        pn_complex x = m->work[k], c = m->kernel[k];
        m->work[k] = (pn_complex){x.re * c.re - x.im * c.im, x.re * c.im + x.im * c.re};
    }
    pn_fft_inverse(m->fft, m->work);
    for (int n = 0; n < taps; ++n)
        out[n] = (float)((m->work[n].re * m->chirp[n].re - m->work[n].im * m->chirp[n].im) / taps);
}

static void clear(maker *m) {
    pn_fft_free(m->fft);
    pn_free(m->chirp);
    pn_free(m->kernel);
    pn_free(m->work);
    pn_free(m->half);
    pn_free(m->phase);
    pn_free(m->level);
    pn_free(m->slope[0]);
    pn_free(m->slope[1]);
}

static pinna_status prepare(maker *m, pinna_error *err) {
    int taps = m->grid->taps;
    size_t n = (size_t)taps, bins = (size_t)m->bins;
    m->size = 2;
    while (m->size < 2 * taps)
        m->size *= 2;
    m->chirp = pn_alloc(n, sizeof *m->chirp);
    m->kernel = pn_alloc((size_t)m->size, sizeof *m->kernel);
    m->work = pn_alloc((size_t)m->size, sizeof *m->work);
    m->half = pn_alloc(n / 2 + 1, sizeof *m->half);
    m->phase = pn_alloc(bins, sizeof *m->phase);
    m->level = pn_alloc(bins, sizeof *m->level);
    m->slope[0] = pn_alloc(bins, sizeof *m->slope[0]);
    m->slope[1] = pn_alloc(bins, sizeof *m->slope[1]);
    if (!m->chirp || !m->kernel || !m->work || !m->half || !m->phase || !m->level || !m->slope[0] ||
        !m->slope[1])
        return pn_fail_memory(err, "the spectra of the HRTF set", m->size * 40.0);
    pinna_status status = pn_fft_create(m->size, &m->fft, err);
    if (status != PINNA_OK)
        return status;
    for (int k = 0; k < taps; ++k) {
        m->chirp[k] = polar(1, PN_PI * (double)((int64_t)k * k % (2 * (int64_t)taps)) / taps);
        m->kernel[k] = (pn_complex){m->chirp[k].re, -m->chirp[k].im};
        if (k > 0)
            m->kernel[m->size - k] = m->kernel[k];
    }
    pn_fft_forward(m->fft, m->kernel);
    return PINNA_OK;
}

/* ---- the sign of the phase */

typedef struct {
    int peak;
    double energy, asymmetry; /* of what follows the peak to what precedes it, nepers */
} shape;

static shape shape_of(const float *ir, int taps) {
    shape s = {0};
    double after = 1e-30, before = 1e-30;
    for (int n = 0; n < taps; ++n) {
        s.energy += (double)ir[n] * (double)ir[n];
        if (fabsf(ir[n]) > fabsf(ir[s.peak]))
            s.peak = n;
    }
    for (int n = 1; n <= taps / 4; ++n) {
        double x = (double)ir[(s.peak + n) % taps], y = (double)ir[(s.peak - n + taps) % taps];
        after += x * x;
        before += y * y;
    }
    s.asymmetry = log(after / before);
    return s;
}

typedef enum { LATER_IS_MINUS, LATER_IS_PLUS } sign;

/* LATER_IS_MINUS: as here, exp(-jwt) is later. */
static sign find_sign(const pn_measured *set, const char **why) {
    double agree = 0, all = 0, asymmetry = 0;
    for (int i = 0; i < set->directions; ++i) {
        shape left = shape_of(pn_measured_ir(set, i, 0), set->taps),
              right = shape_of(pn_measured_ir(set, i, 1), set->taps);
        if (!(left.energy > 0) || !(right.energy > 0) || !isfinite(left.energy + right.energy))
            continue;
        asymmetry += left.asymmetry + right.asymmetry;
        double lag = remainder(right.peak - left.peak, set->taps) / set->rate;
        double level = log(left.energy / right.energy);
        if (fabs(set->direction[i].y) < 0.3 || fabs(lag) > 2e-3)
            continue;
        agree += lag * level;
        all += fabs(lag * level);
    }
    if (all > 0 && fabs(agree) > 0.5 * all) {
        *why = "the louder ear hears first";
        return agree > 0 ? LATER_IS_MINUS : LATER_IS_PLUS;
    }
    *why = "responses decay more slowly than they rise";
    return asymmetry >= 0 ? LATER_IS_MINUS : LATER_IS_PLUS;
}

static void reverse(float *ir, int taps) {
    for (int n = 1, m = taps - 1; n < m; ++n, --m) {
        float swap = ir[n];
        ir[n] = ir[m];
        ir[m] = swap;
    }
}

/* ---- where the circle is cut */

static pinna_status find_cut(const pn_measured *set, double quiet_share, int *cut, pinna_error *err) {
    int taps = set->taps, quiet = taps / 8 > 0 ? taps / 8 : 1;
    double *power = pn_alloc((size_t)taps, sizeof *power);
    if (power == NULL)
        return pn_fail_memory(err, "the spectra of the HRTF set", taps * 8.0);
    double all = 0;
    for (int i = 0; i < 2 * set->directions; ++i) {
        const float *ir = set->ir + (size_t)i * (size_t)taps;
        double energy = shape_of(ir, taps).energy;
        for (int n = 0; n < taps && energy > 0 && isfinite(energy); ++n)
            power[n] += (double)ir[n] * (double)ir[n] / energy;
        all += energy > 0 && isfinite(energy);
    }
    double *before = pn_alloc((size_t)taps, sizeof *before), window = 0, least = INFINITY;
    if (before == NULL) {
        pn_free(power);
        return pn_fail_memory(err, "the spectra of the HRTF set", taps * 8.0);
    }
    for (int n = taps - quiet; n < taps; ++n)
        window += power[n];
    for (int n = 0; n < taps; ++n) { /* of the stretch that ends before n */
        before[n] = window;
        least = fmin(least, window);
        window += power[n] - power[(n - quiet + taps) % taps];
    }
    double quiet_enough = fmax(quiet_share * all, 4 * least);
    for (int n = 0; n <= taps / 2; ++n) {
        *cut = before[(taps - n) % taps] <= quiet_enough ? (taps - n) % taps : n;
        if (before[*cut] <= quiet_enough)
            break;
    }
    pn_free(before);
    pn_free(power);
    return PINNA_OK;
}

/* quiet_share: of the energy, in the stretch before the cut. */
static pinna_status cut_circles(pn_measured *set, double quiet_share, pinna_error *err) {
    int cut = 0, taps = set->taps;
    pinna_status status = find_cut(set, quiet_share, &cut, err);
    if (status != PINNA_OK || cut == 0)
        return status;
    float *copy = pn_alloc_floats((size_t)taps);
    if (copy == NULL)
        return pn_fail_memory(err, "the spectra of the HRTF set", taps * 4.0);
    for (int i = 0; i < 2 * set->directions; ++i) {
        float *ir = set->ir + (size_t)i * (size_t)taps;
        memcpy(copy, ir, (size_t)taps * sizeof *copy);
        memcpy(ir, copy + cut, (size_t)(taps - cut) * sizeof *copy);
        memcpy(ir + (taps - cut), copy, (size_t)cut * sizeof *copy);
        set->delay[i] += cut > taps / 2 ? cut - taps : cut;
    }
    pn_free(copy);
    return PINNA_OK;
}

/* ---- all */

static void tell(const pn_sofa_grid *grid, const double *frequency, int bins, sign later, const char *why,
                 const char *label, pn_messages *messages) {
    const char *missing = !grid->even        ? ", uneven, interpolated"
                          : grid->first == 1 ? "; 0 Hz is continued from the lowest"
                          : grid->first > 1  ? "; what is below is continued from the lowest"
                                             : "";
    pn_info(
        messages,
        "%s: spectra at %d frequencies (%g to %g Hz%s) made into responses of %d samples at %g Hz; later is "
        "exp(%cjwt): %s",
        label, bins, frequency[0], frequency[bins - 1], missing, grid->taps, grid->rate,
        later == LATER_IS_MINUS ? '-' : '+', why);
}

pinna_status pn_sofa_fill_responses(const pn_sofa_grid *grid, const double *frequency, int bins,
                                    const float *re, const float *im, const char *label, pn_measured *set,
                                    pn_messages *messages, pinna_error *err) {
    maker m = {.grid = grid, .frequency = frequency, .bins = bins};
    pinna_status status = prepare(&m, err);
    for (size_t i = 0; i < 2 * (size_t)set->directions && status == PINNA_OK; ++i) {
        if (grid->even)
            fill_even(&m, re + i * (size_t)bins, im + i * (size_t)bins);
        else
            fill_uneven(&m, re + i * (size_t)bins, im + i * (size_t)bins);
        invert(&m, set->ir + i * (size_t)grid->taps);
    }
    clear(&m);
    if (status != PINNA_OK)
        return status;
    const char *why;
    sign later = find_sign(set, &why);
    for (size_t i = 0; i < 2 * (size_t)set->directions && later == LATER_IS_PLUS; ++i)
        reverse(set->ir + i * (size_t)grid->taps, grid->taps);
    tell(grid, frequency, bins, later, why, label, messages);
    return cut_circles(set, grid->even ? 1e-6 : 1e-4, err); /* -60 dB; what was interpolated is less exact */
}
