// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/generator.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/noise.h"
#include "base/vec.h"
#include "mix/pan.h"

/* Pink noise: P. Kellet's economy of six one-pole filters on white noise, within 0.05 dB of -3 dB/octave
 * above 10 Hz at 44.1 kHz (music-dsp archive, 1999); scaled to its RMS by the energy of its impulse response.
 * Pluck: K. Karplus and A. Strong, "Digital synthesis of plucked-string and drum timbres", CMJ 7(2), 1983,
 * with the tuning all-pass of D. Jaffe and J. Smith in the same issue: a loop of `length` samples, a
 * two-point mean (half a sample) and an all-pass for the fraction left. Sweep: A. Farina, AES 108th
 * convention, 2000: exponential in frequency. */

enum { POLES = 6 };

static const double pink_pole[POLES] = {0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616};
static const double pink_gain[POLES] = {0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980};

struct pn_generator_run {
    pn_generator_kind kind;
    double amplitude, rate, frequency;
    uint64_t frame, frames, fade;
    uint64_t seed;
    double sweep_seconds, sweep_rate; /* of the sweep: its length, ln(f2/f1) / length */
    double pole[POLES], delayed;
    float *string;
    size_t string_length, position;
    double allpass, allpass_in, allpass_out, last, loss;
};

static double pink_next(pn_generator_run *run, double white) {
    double sum = run->delayed + white * 0.5362;
    for (int k = 0; k < POLES; ++k) {
        run->pole[k] = pink_pole[k] * run->pole[k] + pink_gain[k] * white;
        sum += run->pole[k];
    }
    run->delayed = white * 0.115926;
    return sum;
}

/* RMS of pink_next for white noise of RMS 1. */
static double pink_rms(void) {
    pn_generator_run probe = {0};
    double energy = 0;
    for (int n = 0; n < 20000; ++n) {
        double h = pink_next(&probe, n == 0 ? 1 : 0);
        energy += h * h;
    }
    return sqrt(energy);
}

static pinna_status start_string(pn_generator_run *run, pinna_error *err) {
    double period = run->rate / run->frequency;
    double whole = floor(period - 0.5 - 0.1);
    if (whole < 1)
        whole = 1;
    double fraction = period - 0.5 - whole;
    run->string_length = (size_t)whole;
    run->allpass = (1 - fraction) / (1 + fraction);
    run->loss = pow(10, -3 / (run->frequency * 4.0)); /* at most 4 s to -60 dB, whatever the pitch */
    run->string = pn_alloc_floats(run->string_length);
    if (run->string == NULL)
        return pn_fail_memory(err, "a plucked string", 4 * whole);
    double mean = 0, peak = 0, smooth = 0;
    for (size_t n = 0; n < run->string_length; ++n) {
        smooth += 0.6 * (pn_noise_uniform(&run->seed) - smooth); /* a soft pick */
        run->string[n] = (float)smooth;
        mean += smooth / whole;
    }
    for (size_t n = 0; n < run->string_length; ++n) {
        run->string[n] -= (float)mean;
        peak = fmax(peak, fabs((double)run->string[n]));
    }
    for (size_t n = 0; n < run->string_length && peak > 0; ++n)
        run->string[n] = (float)(run->string[n] / peak);
    return PINNA_OK;
}

static double string_next(pn_generator_run *run) {
    double out = run->string[run->position];
    double mean = 0.5 * (out + run->last) * run->loss;
    run->last = out;
    double tuned = run->allpass * (mean - run->allpass_out) + run->allpass_in;
    run->allpass_in = mean;
    run->allpass_out = tuned;
    run->string[run->position] = (float)tuned;
    if (++run->position == run->string_length)
        run->position = 0;
    return out;
}

static void start_sweep(pn_generator_run *run, const pn_generator *from) {
    run->sweep_seconds = from->duration > 0 ? from->duration : (double)run->frames / run->rate;
    run->sweep_rate = log(from->frequency_end / from->frequency) / run->sweep_seconds;
    uint64_t frames = (uint64_t)llround(run->sweep_seconds * run->rate);
    if (frames < run->frames)
        run->frames = frames;
}

pinna_status pn_generator_run_create(const pn_generator *generator, double rate, uint64_t frames,
                                     pn_generator_run **out, pinna_error *err) {
    *out = NULL;
    pn_generator_run *run = pn_alloc(1, sizeof *run);
    if (run == NULL)
        return pn_fail_memory(err, "a generator", sizeof *run);
    run->kind = generator->kind;
    run->rate = rate;
    run->frequency = generator->frequency;
    run->frames = frames;
    run->fade = (uint64_t)(0.005 * rate);
    run->seed = generator->seed * 0x9e3779b97f4a7c15u;
    run->amplitude = pn_db_to_gain(generator->level_db);
    if (run->kind == PN_GENERATOR_NOISE)
        run->amplitude *= sqrt(3.0); /* uniform noise of peak 1 has an RMS of 1 / sqrt(3) */
    if (run->kind == PN_GENERATOR_PINK)
        run->amplitude *= sqrt(3.0) / pink_rms();
    if (run->kind == PN_GENERATOR_SWEEP)
        start_sweep(run, generator);
    if (run->kind == PN_GENERATOR_PLUCK) {
        pinna_status status = start_string(run, err);
        if (status != PINNA_OK) {
            pn_generator_run_free(run);
            return status;
        }
    }
    *out = run;
    return PINNA_OK;
}

void pn_generator_run_free(pn_generator_run *run) {
    if (run == NULL)
        return;
    pn_free(run->string);
    pn_free(run);
}

static double fade_over(const pn_generator_run *run, uint64_t frames) {
    return frames >= run->fade ? 1 : 0.5 - 0.5 * cos(PN_PI * (double)frames / (double)run->fade);
}

static double fade_out(const pn_generator_run *run) {
    return fade_over(run, run->frames - run->frame);
}

static double fade(const pn_generator_run *run) {
    return fade_over(run, run->frame + 1) * fade_out(run);
}

/* Of the run's frame, a whole number of periods taken away exactly enough: t * f in double is good for days.
 */
static double sine_at(const pn_generator_run *run) {
    double turns = (double)run->frame * (run->frequency / run->rate);
    return sin(2 * PN_PI * (turns - floor(turns)));
}

static double sweep_at(const pn_generator_run *run) {
    double t = (double)run->frame / run->rate;
    double turns = run->sweep_rate == 0 ? run->frequency * t
                                        : run->frequency * expm1(run->sweep_rate * t) / run->sweep_rate;
    return sin(2 * PN_PI * (turns - floor(turns)));
}

static double impulse_at(const pn_generator_run *run) {
    if (run->frequency <= 0)
        return run->frame == 0;
    double before = floor(((double)run->frame - 1) * run->frequency / run->rate);
    return run->frame == 0 || floor((double)run->frame * run->frequency / run->rate) > before;
}

static double next_sample(pn_generator_run *run) {
    switch (run->kind) {
    case PN_GENERATOR_SINE:
        return sine_at(run) * fade(run);
    case PN_GENERATOR_NOISE:
        return pn_noise_uniform(&run->seed) * fade(run);
    case PN_GENERATOR_PINK:
        return pink_next(run, pn_noise_uniform(&run->seed)) * fade(run);
    case PN_GENERATOR_IMPULSE:
        return impulse_at(run);
    case PN_GENERATOR_SWEEP:
        return sweep_at(run) * fade(run);
    case PN_GENERATOR_PLUCK:
        return string_next(run) * fade_out(run);
    }
    return 0;
}

void pn_generator_run_make(pn_generator_run *run, float *out, size_t frames) {
    size_t n = 0;
    for (; n < frames && run->frame < run->frames; ++n, ++run->frame)
        out[n] = (float)(run->amplitude * next_sample(run));
    memset(out + n, 0, (frames - n) * sizeof *out);
}
