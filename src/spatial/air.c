// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Absorption is the sum of the classical losses (viscosity, heat conduction, rotation) and of the vibrational relaxation
 * of oxygen and nitrogen, whose frequencies depend on the molar concentration of water vapour: ISO 9613-1, equations 3
 * to 5, and B.1 to B.3 for the vapour. Over d metres the magnitude is 10^(-a d / 20).
 *
 * Table: node 0 at the reference (nothing absorbed), then 8 nodes an octave of the distance from 1 m behind it. Between
 * nodes the responses are blended linearly in the distance; at 8 an octave this is 0.2 dB off where 40 dB are absorbed.
 * The responses are minimum phase, since the air's own dispersion is far below a sample. Magnitudes are cut off at
 * -80 dB; the second half of a response fades out, so that cutting it off does not fill the stop band. */
#include "spatial/air.h"

#include "base/memory.h"
#include "base/vec.h"
#include "signal/minimum_phase.h"

enum { NODES_AN_OCTAVE = 8 };
static const double farthest_of_all = 10000;
static const double floor_gain = 1e-4;

double pn_air_absorption(const pn_air_state *air, double frequency) {
    double kelvin = air->temperature + 273.15, part = kelvin / 293.15, f2 = frequency * frequency;
    double saturation = pow(10, -6.8346 * pow(273.16 / kelvin, 1.261) + 4.6151);
    double h = air->humidity * saturation;
    double oxygen = 24 + 4.04e4 * h * (0.02 + h) / (0.391 + h);
    double nitrogen = pow(part, -0.5) * (9 + 280 * h * exp(-4.170 * (pow(part, -1.0 / 3) - 1)));
    double relaxing = 0.01275 * exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen) +
                      0.1068 * exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen);
    return 8.686 * f2 * (1.84e-11 * sqrt(part) + pow(part, -2.5) * relaxing);
}

double pn_air_speed_of_sound(double temperature) {
    return 343.2 * sqrt((temperature + 273.15) / 293.15);
}

/* ------------------------------------------------------------------ table */

static double reach(double farthest) {
    return fmin(farthest, farthest_of_all) - PN_AIR_REFERENCE_METRES;
}

int pn_air_nodes(double farthest) {
    double behind = reach(farthest);
    return 2 + (behind > 1 ? (int)ceil(NODES_AN_OCTAVE * log2(behind)) : 0);
}

static double behind_of(int node) {
    return node == 0 ? 0 : exp2((double)(node - 1) / NODES_AN_OCTAVE);
}

int pn_air_taps(double farthest, double rate) {
    double at_48k = reach(farthest) <= 100 ? 64 : reach(farthest) <= 1000 ? 128 : 256;
    return (int)ceil(at_48k * rate / 48000);
}

static void fade_out(const pn_complex *from, int count, int taps, float *to) {
    int kept = count / 2;
    for (int n = 0; n < taps; ++n) {
        double fade = n < kept ? 1 : 0.5 + 0.5 * cos(PN_PI * (n - kept + 0.5) / (count - kept));
        to[n] = n < count ? (float)(fade * from[n].re) : 0;
    }
}

pinna_status pn_air_responses(const pn_air_state *air, double farthest, double rate, int taps,
                              float *responses, pinna_error *err) {
    int nodes = pn_air_nodes(farthest), count = pn_air_taps(farthest, rate), size = 64;
    while (size < 16 * count)
        size *= 2;
    pn_fft *fft = NULL;
    pinna_status status = pn_fft_create(size, &fft, err);
    if (status != PINNA_OK)
        return status;
    double *magnitude = pn_alloc((size_t)size / 2 + 1, sizeof *magnitude);
    pn_complex *work = pn_alloc((size_t)size, sizeof *work);
    if (magnitude == NULL || work == NULL)
        status = pn_fail_memory(err, "the absorption of the air", 24.0 * size);
    for (int node = 0; node < nodes && status == PINNA_OK; ++node) {
        for (int k = 0; k <= size / 2; ++k)
            magnitude[k] = pow(10, -pn_air_absorption(air, k * rate / size) * behind_of(node) / 20);
        pn_minimum_phase(fft, magnitude, floor_gain, work);
        fade_out(work, count, taps, responses + (size_t)node * (size_t)taps);
    }
    pn_free(magnitude);
    pn_free(work);
    pn_fft_free(fft);
    return status;
}

void pn_air_look_up(int nodes, double distance, int node[2], double weight[2]) {
    double behind = fmin(fmax(distance - PN_AIR_REFERENCE_METRES, 0), behind_of(nodes - 1));
    int low = behind < 1 ? 0 : 1 + (int)(NODES_AN_OCTAVE * log2(behind));
    low = low > nodes - 2 ? nodes - 2 : low;
    double from = behind_of(low), to = behind_of(low + 1);
    node[0] = low;
    node[1] = low + 1;
    weight[1] = fmin(fmax((behind - from) / (to - from), 0), 1);
    weight[0] = 1 - weight[1];
}
