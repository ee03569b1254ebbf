// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Two equalisers that are the same for both ears and all directions, so that they change no difference between them.
 *
 * `low`: loudspeakers of measurements fall off below 200 Hz or so, and heads do nothing there: what is missing is put
 * back. Wanted is the mean level of 250 .. 500 Hz minus that at f, of the power mean over directions and ears, within
 * 0 .. 15 dB, fading out from 200 to 300 Hz. Two low shelves are fitted to it by a pattern search (R. Hooke, T. A. Jeeves,
 * 1961). At these frequencies they ring for much longer than the responses last, so that they run after the mix, on
 * two signals.
 *
 * `diffuse`: the inverse of the power mean over the sphere (every node counts by the area around it), as minimum phase
 * from the cepstrum of its magnitude, smoothed over a sixth of an octave and held constant below 150 Hz and above 18 kHz.
 * It is short, and costs nothing when it is in the responses, which become a little longer. It is cut to PN_DIFFUSE_48K
 * samples, and corrected for what that does in a few passes. */
#include "spatial/hrtf_making.h"

#include <string.h>

#include "base/memory.h"

/* ---- low */

enum { POINTS = 60, PARAMETERS = 6 };

typedef struct {
    double rate, frequency[POINTS], wanted[POINTS];
} target;

static void sections_of(const target *t, const double p[PARAMETERS], pn_biquad section[PN_HRTF_SECTIONS]) {
    for (int s = 0; s < PN_HRTF_SECTIONS; ++s)
        section[s] = pn_biquad_low_shelf(t->rate, exp(p[3 * s]), p[3 * s + 1], p[3 * s + 2]);
}

static double error_of(const target *t, const double p[PARAMETERS]) {
    pn_biquad section[PN_HRTF_SECTIONS];
    double sum = 0;
    for (int s = 0; s < PN_HRTF_SECTIONS; ++s) {
        if (p[3 * s] < log(15) || p[3 * s] > log(400) || p[3 * s + 1] < 0 || p[3 * s + 1] > 18 ||
            p[3 * s + 2] < 0.4 || p[3 * s + 2] > 1.2)
            return 1e300;
    }
    sections_of(t, p, section);
    for (int i = 0; i < POINTS; ++i) {
        double db = 0;
        for (int s = 0; s < PN_HRTF_SECTIONS; ++s) {
            pn_complex h = pn_biquad_response(&section[s], t->rate, t->frequency[i]);
            db += 10 * log10(h.re * h.re + h.im * h.im);
        }
        sum += (db - t->wanted[i]) * (db - t->wanted[i]);
    }
    return sum;
}

static void fit(const target *t, double p[PARAMETERS]) {
    double step[PARAMETERS] = {0.3, 3, 0.1, 0.3, 3, 0.1}, least = error_of(t, p);
    for (int pass = 0; pass < 400; ++pass) {
        bool better = false;
        for (int i = 0; i < PARAMETERS; ++i) {
            for (int sign = -1; sign <= 1; sign += 2) {
                double kept = p[i];
                p[i] += sign * step[i];
                double error = error_of(t, p);
                if (error < least) {
                    least = error;
                    better = true;
                } else {
                    p[i] = kept;
                }
            }
        }
        for (int i = 0; i < PARAMETERS && !better; ++i)
            step[i] *= 0.6;
    }
}

/* dB, of the power mean over measured directions and ears of the outermost shell. */
static double level_at(const pn_measured *part, double frequency) {
    double w = 2 * PN_PI * frequency / part->rate, power = 0;
    pn_complex turn = {cos(w), -sin(w)};
    int step = 1 + part->directions / 200; /* the same everywhere at low frequencies */
    for (int r = 0; r < 2 * part->directions; r += r % 2 ? 2 * step - 1 : 1) {
        const float *ir = part->ir + (size_t)r * (size_t)part->taps;
        pn_complex sum = {0, 0}; /* Horner's rule from the end */
        for (int n = part->taps - 1; n >= 0; --n)
            sum = (pn_complex){sum.re * turn.re - sum.im * turn.im + (double)ir[n],
                               sum.re * turn.im + sum.im * turn.re};
        power += sum.re * sum.re + sum.im * sum.im;
    }
    return 10 * log10(power + 1e-30);
}

static double make_target(const pn_measured *part, target *t) {
    double reference = 0, most = 0;
    enum { REFERENCE = 11 };
    for (int i = 0; i < REFERENCE; ++i)
        reference += level_at(part, 250 + 25 * i) / REFERENCE;
    for (int i = 0; i < POINTS; ++i) {
        double f = 20 * pow(600 / 20.0, i / (POINTS - 1.0)), x = fmin(1, fmax(0, (f - 200) / 100));
        double lacking = f < 300 ? reference - level_at(part, f) : 0;
        t->frequency[i] = f;
        t->wanted[i] = (0.5 + 0.5 * cos(PN_PI * x)) * fmin(15, fmax(0, lacking));
        most = fmax(most, t->wanted[i]);
    }
    return most;
}

void pn_maker_equalise_low(pn_maker *m) {
    pn_hrtf_info *info = &m->hrtf->info;
    pn_measured part = pn_maker_shell(m, m->set->shells - 1);
    target t = {.rate = info->rate};
    double most = make_target(&part, &t);
    if (most < 1) {
        pn_info(m->messages, "%s: lacks nothing below 300 Hz; the low equaliser does nothing", m->label);
        return;
    }
    double p[PARAMETERS] = {log(45), most / 2, 0.7, log(110), most / 2, 0.7};
    fit(&t, p);
    info->sections = PN_HRTF_SECTIONS;
    sections_of(&t, p, info->section);
    info->equalised_low = true;
    info->ringing = (int)ceil(0.06 * info->rate);
    pn_info(m->messages,
            "%s: equalised below 300 Hz, up to %+.1f dB, both ears alike (equalise: none leaves it out)",
            m->label, most);
}

/* ---- diffuse */

enum { PASSES = 5 };

typedef struct {
    pn_maker *maker;
    int size, half;
    pn_fft *fft;
    double *area;  /* [node], of the outermost shell */
    double *power; /* [task][half + 1], the sum in the first */
    double *gain;  /* [half + 1], natural logarithm */
    pn_complex *filter;
    pn_complex *work; /* [task][size] */
} diffuse;

static void measure_areas(const pn_sphere *sphere, double *area) {
    int nodes = pn_sphere_nodes(sphere);
    for (int i = 0; i < nodes && pn_sphere_triangles(sphere) == 0; ++i)
        area[i] = 1.0 / nodes;
    for (int t = 0; t < pn_sphere_triangles(sphere); ++t) {
        int v[3];
        pn_sphere_triangle(sphere, t, v);
        pn_vec3 a = pn_sphere_node(sphere, v[0]), b = pn_sphere_node(sphere, v[1]),
                c = pn_sphere_node(sphere, v[2]);
        double volume = pn_vec_dot(a, pn_vec_cross(b, c)); /* A. van Oosterom, J. Strackee, 1983 */
        double angle = 2 * atan2(fabs(volume), 1 + pn_vec_dot(a, b) + pn_vec_dot(b, c) + pn_vec_dot(c, a));
        for (int i = 0; i < 3; ++i)
            area[v[i]] += angle / (12 * PN_PI);
    }
}

/* The spectrum of both ears of a node, as re and im. */
static pn_complex *take_pair(const diffuse *d, int task, int node) {
    const pn_hrtf *h = d->maker->hrtf;
    int taps = h->info.taps;
    const float *left = h->response + (size_t)node * 2 * (size_t)taps, *right = left + taps;
    pn_complex *z = d->work + (size_t)task * (size_t)d->size;
    memset(z, 0, (size_t)d->size * sizeof *z);
    for (int n = 0; n < taps; ++n)
        z[n] = (pn_complex){(double)left[n], (double)right[n]};
    pn_fft_forward(d->fft, z);
    return z;
}

/* |L|^2 + |R|^2 = (|Z(k)|^2 + |Z(-k)|^2) / 2 for Z of left + i right; half of it is the mean. */
static void add_power(const diffuse *d, const pn_complex *z, double weight, double *power) {
    for (int k = 0; k <= d->half; ++k) {
        pn_complex p = z[k], q = z[(d->size - k) & (d->size - 1)];
        power[k] += weight * (p.re * p.re + p.im * p.im + q.re * q.re + q.im * q.im) / 4;
    }
}

static void measure_some(void *context, int task) {
    const diffuse *d = context;
    const pn_hrtf_info *info = &d->maker->hrtf->info;
    int shell = info->shells - 1, nodes = pn_sphere_nodes(d->maker->hrtf->sphere[shell]);
    for (int i = task; i < nodes; i += PN_MAKER_TASKS)
        add_power(d, take_pair(d, task, info->first[shell] + i), d->area[i],
                  d->power + (size_t)task * ((size_t)d->half + 1));
}

static void measure_power(diffuse *d) {
    pn_pool_run(d->maker->pool, measure_some, d, PN_MAKER_TASKS);
    for (int task = 1; task < PN_MAKER_TASKS; ++task) {
        for (int k = 0; k <= d->half; ++k)
            d->power[k] += d->power[(size_t)task * ((size_t)d->half + 1) + (size_t)k];
    }
}

/* Leaves the spectrum of the minimum phase, cut to `length`, in filter. */
static void make_filter(const diffuse *d, int length) {
    int half = d->half;
    pn_complex *z = d->filter;
    for (int k = 0; k < d->size; ++k)
        z[k] = (pn_complex){d->gain[k <= half ? k : d->size - k], 0};
    pn_fft_inverse(d->fft, z);
    for (int n = 0; n < d->size; ++n)
        z[n] = (pn_complex){n == 0 || n == half ? z[n].re : n < half ? 2 * z[n].re : 0, 0};
    pn_fft_forward(d->fft, z);
    for (int k = 0; k < d->size; ++k) {
        double gain = exp(z[k].re);
        z[k] = (pn_complex){gain * cos(z[k].im), gain * sin(z[k].im)};
    }
    pn_fft_inverse(d->fft, z);
    for (int n = 0; n < d->size; ++n) {
        double fade = n < length / 2 ? 1 : n < length ? 0.5 + 0.5 * cos(PN_PI * (2.0 * n / length - 1)) : 0;
        z[n] = (pn_complex){fade * z[n].re, 0};
    }
    pn_fft_forward(d->fft, z);
}

/* Takes from the gain what the power mean through the filter is above its own mean, over a sixth of an octave around
 * each bin, ends held. */
static void correct_gain(const diffuse *d, double rate) {
    double step = rate / d->size, lowest = 150, highest = fmin(18000, 0.43 * rate), mean = 0;
    int counted = 0;
    double *change = d->power + (size_t)d->half + 1; /* of a task that is over */
    for (int k = 0; k <= d->half; ++k) {
        double f = fmin(highest, fmax(lowest, k * step)), sum = 0;
        int from = (int)floor(f / 1.0595 / step), to = (int)ceil(f * 1.0595 / step);
        to = to < d->half ? to : d->half;
        for (int i = from; i <= to; ++i)
            sum += d->power[i] * (d->filter[i].re * d->filter[i].re + d->filter[i].im * d->filter[i].im);
        change[k] = 0.5 * log(fmax(sum / (to - from + 1), 1e-12));
        if (k * step >= 250 && k * step <= 8000) {
            mean += change[k];
            ++counted;
        }
    }
    for (int k = 0; k <= d->half && counted > 0; ++k)
        d->gain[k] = fmax(-2.3, fmin(2.3, d->gain[k] - (change[k] - mean / counted))); /* 20 dB */
}

static void apply_some(void *context, int task) {
    const diffuse *d = context;
    pn_hrtf *h = d->maker->hrtf;
    int taps = h->info.taps;
    for (int node = task; node < h->info.directions; node += PN_MAKER_TASKS) {
        pn_complex *z = take_pair(d, task, node);
        for (int k = 0; k < d->size; ++k) {
            pn_complex a = z[k], b = d->filter[k];
            z[k] = (pn_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
        }
        pn_fft_inverse(d->fft, z);
        float *left = h->response + (size_t)node * 2 * (size_t)taps, *right = left + taps;
        for (int n = 0; n < taps; ++n) {
            left[n] = (float)z[n].re;
            right[n] = (float)z[n].im;
        }
    }
}

/* Mean power of both ears in front, 250 Hz .. 8 kHz, as it is rendered. */
static double front_power(const diffuse *d) {
    const pn_hrtf *h = d->maker->hrtf;
    pn_hrtf_point front;
    pn_hrtf_look_up(h, (pn_vec3){h->info.distance, 0, 0}, NULL, &front);
    int taps = h->info.taps, bins = 0;
    pn_complex *z = d->work;
    memset(z, 0, (size_t)d->size * sizeof *z);
    for (int i = 0; i < PN_HRTF_NODES; ++i) {
        const float *left = h->response + (size_t)front.node[i] * 2 * (size_t)taps, *right = left + taps;
        for (int n = 0; n < taps && front.weight[i] > 0; ++n) {
            z[n].re += (double)(front.weight[i] * left[n]);
            z[n].im += (double)(front.weight[i] * right[n]);
        }
    }
    pn_fft_forward(d->fft, z);
    double step = h->info.rate / d->size, sum = 0;
    for (int k = (int)ceil(250 / step); k * step <= fmin(8000, 0.45 * h->info.rate); ++k, ++bins) {
        pn_complex p = z[k], q = z[d->size - k];
        sum += (p.re * p.re + p.im * p.im + q.re * q.re + q.im * q.im) / 4;
    }
    return bins > 0 ? sum / bins : 1;
}

/* The front as loud as before, and responses no longer than they need be. */
static void tidy(const diffuse *d, double front) {
    pn_maker *m = d->maker;
    pn_hrtf *h = m->hrtf;
    double scale = sqrt(front / fmax(front_power(d), 1e-20));
    int before = h->info.taps, rows = 2 * h->info.directions;
    int taps = pn_maker_find_end(h->response, rows, before) + m->fade_out + m->notch;
    h->info.taps = taps = taps < before ? taps : before;
    h->info.scale *= scale;
    for (size_t r = 0; r < (size_t)rows; ++r) {
        float *to = h->response + r * (size_t)taps;
        memmove(to, h->response + r * (size_t)before, (size_t)taps * sizeof *to);
        for (int n = 0; n < taps; ++n)
            to[n] = (float)(scale * (double)to[n]);
        pn_maker_finish(m, to);
    }
}

static pinna_status allocate(diffuse *d, pinna_error *err) {
    const pn_hrtf *h = d->maker->hrtf;
    d->size = 1024;
    while (d->size < 1.5 * h->info.taps || d->size < h->info.rate / 24)
        d->size *= 2;
    d->half = d->size / 2;
    size_t bins = (size_t)d->half + 1;
    d->area = pn_alloc((size_t)pn_sphere_nodes(h->sphere[h->info.shells - 1]), sizeof *d->area);
    d->power = pn_alloc(PN_MAKER_TASKS * bins, sizeof *d->power);
    d->gain = pn_alloc(bins, sizeof *d->gain);
    d->filter = pn_alloc((size_t)d->size, sizeof *d->filter);
    d->work = pn_alloc(PN_MAKER_TASKS * (size_t)d->size, sizeof *d->work);
    if (!d->area || !d->power || !d->gain || !d->filter || !d->work)
        return pn_fail_memory(err, "equalising the HRTF set", 400.0 * d->size);
    return pn_fft_create(d->size, &d->fft, err);
}

pinna_status pn_maker_equalise_diffuse(pn_maker *m, pinna_error *err) {
    diffuse d = {.maker = m};
    pn_hrtf_info *info = &m->hrtf->info;
    pinna_status status = allocate(&d, err);
    if (status == PINNA_OK) {
        measure_areas(m->hrtf->sphere[info->shells - 1], d.area);
        measure_power(&d);
        double front = front_power(&d);
        int length = (int)ceil(PN_DIFFUSE_48K * info->rate / 48000);
        make_filter(&d, length);
        for (int pass = 0; pass < PASSES; ++pass) {
            correct_gain(&d, info->rate);
            make_filter(&d, length);
        }
        pn_pool_run(m->pool, apply_some, &d, PN_MAKER_TASKS);
        tidy(&d, front);
        info->equalised_diffuse = true;
        pn_info(m->messages, "%s: equalised so that its power mean over the sphere is flat, both ears alike",
                m->label);
    }
    pn_fft_free(d.fft);
    pn_free(d.area);
    pn_free(d.power);
    pn_free(d.gain);
    pn_free(d.filter);
    pn_free(d.work);
    return status;
}
