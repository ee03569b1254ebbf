// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_AIR_H
#define PN_SPATIAL_AIR_H

#include "base/realtime.h"
#include "base/status.h"

/* What still air does to sound on its way, by ISO 9613-1:1993, at 101.325 kPa: the speed of sound, and the absorption
 * of pure tones, which grows with frequency and is linear in the distance (in dB). HRTFs and levels refer to 1 m, so
 * that absorbs over what is farther than PN_AIR_REFERENCE_METRES.
 *
 * For rendering it is a table of short minimum-phase responses by distance, of which two neighbours are blended. */
#define PN_AIR_REFERENCE_METRES 1.0

typedef struct {
    double temperature; /* degrees Celsius, -50 .. 60 */
    double humidity;    /* relative, per cent, 0 .. 100 */
} pn_air_state;

/* dB per metre at a frequency in Hz. */
double pn_air_absorption(const pn_air_state *air, double frequency);
/* Metres per second; 343.2 at 20 degrees. */
double pn_air_speed_of_sound(double temperature);

/* The table for distances up to `farthest`, but not beyond 10 km (there low-pass filters would have to be longer than
 * is worth it): from there on the last response is used. Up to 30 dB of absorption it is right within 0.3 dB, 0.4 up to
 * 50 dB, as far as 3 km; at 10 km of dry air (10 per cent) 2.3 dB. */
int pn_air_nodes(double farthest);
/* Taps that such a table needs: 1.3 ms up to 100 m, 2.7 up to 1 km, 5.3 beyond. */
int pn_air_taps(double farthest, double rate);
/* Fills responses[node][taps], taps at least pn_air_taps. Node 0 is the unit impulse. */
pinna_status pn_air_responses(const pn_air_state *air, double farthest, double rate, int taps,
                              float *responses, pinna_error *err);
/* The two nodes of a distance, and their weights (sum 1; node 0 alone up to the reference, exactly). */
PN_BLOCK_PATH void pn_air_look_up(int nodes, double distance, int node[2], double weight[2]);

#endif
