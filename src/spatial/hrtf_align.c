// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Response h with delay tau becomes the aligned response A = h advanced by tau (a linear phase), and
 * delay = tau - room. Blends of A then do not comb, and delay comes back as linear phase of the blend, so that at a
 * measured direction the measured response is rendered. What is acausal in A (excess phase, the tails of the
 * fractional shift) is kept in `room` samples before its onset: the fewest of rooms_48k (at 48 kHz) that leave less
 * than -45 dB of every response's energy outside. A delay that would be negative is avoided by delaying the whole set
 * by whole samples (info.latency).
 *
 * A shift by a fraction of a sample rings for ever where a response has content at half the rate, or ends in a step,
 * and what rings beyond the transform of the renderer wraps round, differently for every block size. So:
 *   - the band ends in a raised cosine from TAPER_FROM to TAPER_TO of half the rate;
 *   - the beginning, in samples of its own before `room`, and the end fade; the end is where less than -66 dB of every
 *     response's energy follows;
 *   - the fades bring a little back at half the rate, which a notch takes out: h(n) - sum over i of (-1)^i w(i) h(n - i),
 *     w a Hann window of sum 1, has a double zero there. It is short, so that nothing is cut off again; it reaches down
 *     to 84 % of half the rate (-0.5 dB at 86 %, -5 dB at 93 %);
 *   - info.guard samples are kept free in the transform.
 * What wraps round then is below -100 dB. */
#include "spatial/hrtf_making.h"

#include <string.h>

#include "base/memory.h"

enum { RINGING = 128 }; /* zeros around a response in the transforms, for the tails of a fractional shift */

#define ROOM_LEAKAGE 3.2e-5 /* -45 dB */
#define TAIL_LEAKAGE 2.5e-7 /* -66 dB */
#define TAPER_FROM 0.93
#define TAPER_TO 0.99

enum { ROOMS = 6, FADE_IN_48K = 16, FADE_OUT_48K = 16, NOTCH_48K = 12, GUARD_48K = 4 };
static const int rooms_48k[ROOMS] = {16, 32, 48, 64, 96, 128};

static int samples_48k(const pn_maker *m, int count) {
    return (int)ceil(count * m->set->rate / 48000);
}

static double taper(double part) {
    double x = (part - TAPER_FROM) / (TAPER_TO - TAPER_FROM);
    return x <= 0 ? 1 : x >= 1 ? 0 : 0.5 + 0.5 * cos(PN_PI * x);
}

void pn_maker_advance(pn_maker *m, int task, int direction) {
    const float *left = pn_measured_ir(m->set, direction, 0), *right = pn_measured_ir(m->set, direction, 1);
    pn_complex *z = m->work[task];
    int size = m->size;
    memset(z, 0, (size_t)size * sizeof *z);
    for (int n = 0; n < m->set->taps; ++n)
        z[n] = (pn_complex){(double)left[n], (double)right[n]};
    pn_fft_forward(m->fft, z);
    pn_complex turn[2], at[2] = {{1, 0}, {1, 0}};
    for (int e = 0; e < 2; ++e) {
        double step = 2 * PN_PI * (m->tau[2 * direction + e] - m->set->delay[2 * direction + e]) / size;
        turn[e] = (pn_complex){cos(step), sin(step)};
    }
    for (int k = 0; k <= size / 2; ++k) {
        int mirror = (size - k) & (size - 1);
        pn_complex p = z[k], q = z[mirror];
        pn_complex ear[2] = {{(p.re + q.re) / 2, (p.im - q.im) / 2}, {(p.im + q.im) / 2, (q.re - p.re) / 2}};
        double gain = taper(2.0 * k / size);
        for (int e = 0; e < 2; ++e) {
            double c = gain * at[e].re, s = gain * at[e].im;
            ear[e] = (pn_complex){ear[e].re * c - ear[e].im * s, ear[e].re * s + ear[e].im * c};
            at[e] = (pn_complex){at[e].re * turn[e].re - at[e].im * turn[e].im,
                                 at[e].re * turn[e].im + at[e].im * turn[e].re};
        }
        z[k] = (pn_complex){ear[0].re - ear[1].im, ear[0].im + ear[1].re};
        z[mirror] = (pn_complex){ear[0].re + ear[1].im, ear[1].re - ear[0].im};
    }
    pn_fft_inverse(m->fft, z);
}

pinna_status pn_maker_prepare(pn_maker *m, pinna_error *err) {
    m->most = -1e300;
    m->least = 1e300;
    for (int i = 0; i < 2 * m->set->directions; ++i) {
        m->least = fmin(m->least, m->tau[i] - m->set->delay[i]);
        m->most = fmax(m->most, m->tau[i] - m->set->delay[i]);
    }
    m->size = 64;
    while (m->size < m->set->taps + fmax(0, m->most) - fmin(0, m->least) + 2 * RINGING ||
           m->size < m->set->rate / 50)
        m->size *= 2;
    pn_fft_free(m->fft);
    m->fft = NULL;
    for (int t = 0; t < PN_MAKER_TASKS; ++t) {
        pn_free(m->work[t]);
        m->work[t] = pn_alloc((size_t)m->size, sizeof *m->work[t]);
        if (m->work[t] == NULL)
            return pn_fail_memory(err, "aligning the HRTF set", m->size * 16.0);
    }
    return pn_fft_create(m->size, &m->fft, err);
}

static double scale_of(const pn_maker *m, int direction) {
    int shell = 0;
    while (shell + 1 < m->set->shells && direction >= m->set->shell_first[shell + 1])
        ++shell;
    return m->scale[shell];
}

/* Some of the directions, with the most room, at their level. */
static void align_some(void *context, int task) {
    pn_maker *m = context;
    for (int i = task; i < m->set->directions; i += PN_MAKER_TASKS) {
        pn_maker_advance(m, task, i);
        double scale = scale_of(m, i);
        float *left = m->aligned + (size_t)i * 2 * (size_t)m->row, *right = left + m->row;
        for (int n = 0; n < m->row; ++n) {
            pn_complex z = m->work[task][(n - m->room + m->size) & (m->size - 1)];
            left[n] = (float)(scale * z.re);
            right[n] = (float)(scale * z.im);
        }
    }
}

/* Whether no response has more than ROOM_LEAKAGE of its energy before `room` samples ahead of its onset. */
static bool is_enough(const pn_maker *m, int room) {
    for (int r = 0; r < 2 * m->set->directions; ++r) {
        const float *ir = m->aligned + (size_t)r * (size_t)m->row;
        double early = 0, all = 0;
        for (int n = 0; n < m->row; ++n) {
            double e = (double)ir[n] * (double)ir[n];
            all += e;
            early += n < m->room - room ? e : 0;
        }
        if (early > ROOM_LEAKAGE * all)
            return false;
    }
    return true;
}

static int choose_room(const pn_maker *m) {
    int room = 0;
    for (int r = 0; r < ROOMS; ++r) {
        room = samples_48k(m, rooms_48k[r]);
        if (is_enough(m, room))
            break;
    }
    return room + m->fade_in + m->notch;
}

int pn_maker_find_end(const float *response, int count, int length) {
    int end = 1;
    for (int r = 0; r < count; ++r) {
        const float *ir = response + (size_t)r * (size_t)length;
        double all = 0, late = 0;
        for (int n = 0; n < length; ++n)
            all += (double)ir[n] * (double)ir[n];
        int n = length;
        while (n > end && late + (double)ir[n - 1] * (double)ir[n - 1] <= TAIL_LEAKAGE * all) {
            --n;
            late += (double)ir[n] * (double)ir[n];
        }
        end = n > end ? n : end;
    }
    return end;
}

/* Fades the ends of what lies `notch` samples inside, and takes out half the rate. */
void pn_maker_finish(const pn_maker *m, float *response) {
    int taps = m->hrtf->info.taps, p = m->notch, inner = taps - 2 * p;
    float *h = m->inner;
    memcpy(h, response + p, (size_t)inner * sizeof *h);
    for (int n = 0; n < m->fade_in && n < inner; ++n)
        h[n] *= (float)(0.5 - 0.5 * cos(PN_PI * (n + 0.5) / m->fade_in));
    for (int n = 0; n < m->fade_out && n < inner; ++n)
        h[inner - 1 - n] *= (float)(0.5 - 0.5 * cos(PN_PI * (n + 0.5) / m->fade_out));
    memset(response, 0, (size_t)taps * sizeof *response);
    for (int i = -p; i <= p; ++i) {
        double window = (0.5 + 0.5 * cos(PN_PI * i / (p + 1))) / (p + 1);
        float weight = (float)((i == 0) - (i % 2 == 0 ? window : -window));
        float *restrict to = response + p + i;
        for (int n = 0; n < inner; ++n)
            to[n] += weight * h[n];
    }
}

static void settle_delays(pn_maker *m) {
    pn_hrtf_info *info = &m->hrtf->info;
    double least = 0;
    for (int i = 0; i < 2 * m->set->directions; ++i)
        least = fmin(least, m->tau[i] - m->room);
    info->latency = (int)ceil(-least);
}

pinna_status pn_maker_align(pn_maker *m, pinna_error *err) {
    m->fade_in = samples_48k(m, FADE_IN_48K);
    m->fade_out = samples_48k(m, FADE_OUT_48K);
    m->notch = samples_48k(m, NOTCH_48K);
    int after = m->fade_out + m->notch + (m->options->equalise_diffuse ? samples_48k(m, PN_DIFFUSE_48K) : 0);
    m->room = samples_48k(m, rooms_48k[ROOMS - 1]) + m->fade_in + m->notch;
    m->row = m->room + m->set->taps - (int)floor(m->least) + after;
    size_t rows = 2 * (size_t)m->set->directions;
    m->aligned = pn_alloc_floats(rows * (size_t)m->row);
    m->inner = pn_alloc_floats((size_t)m->row);
    if (m->aligned == NULL || m->inner == NULL)
        return pn_fail_memory(err, "aligning the HRTF set", 4.0 * (double)rows * m->row);
    pn_pool_run(m->pool, align_some, m, PN_MAKER_TASKS);
    int room = choose_room(m), begin = m->room - room, end = pn_maker_find_end(m->aligned, (int)rows, m->row);
    int taps = end - begin + after;
    taps = taps < m->row - begin ? taps : m->row - begin;
    m->hrtf->info.taps = taps;
    for (size_t r = 0; r < rows; ++r) {
        float *to = m->aligned + r * (size_t)taps;
        memmove(to, m->aligned + r * (size_t)m->row + begin, (size_t)taps * sizeof *to);
        pn_maker_finish(m, to);
    }
    m->row = taps;
    m->room = room;
    m->hrtf->info.guard = samples_48k(m, GUARD_48K);
    settle_delays(m);
    return PINNA_OK;
}
