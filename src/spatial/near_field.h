// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_NEAR_FIELD_H
#define PN_SPATIAL_NEAR_FIELD_H

#include "base/realtime.h"
#include "base/status.h"
#include "base/vec.h"
#include "signal/fft.h"

/* What changes at an ear when a source comes nearer than the distance the HRTF set stands for (the reference, 1 m):
 *
 *   level       the distance variation function of a rigid sphere: how the sound at the ear differs from that at the
 *               reference by frequency and angle of incidence, less the law of distance, which is common to both ears.
 *               At 0.2 m up to +5.8 dB at the near ear, and -7.7 dB at the far one.
 *   arrival     the longer ways round the sphere: up to 46 us later at the far ear.
 *   direction   parallax: the ear sees the source elsewhere than the centre of the head does, and the response of the
 *               set is that of the direction it sees.
 *
 * The three fit together: for an ear on a sphere, the response at the reference in the direction seen, arriving as it
 * does at the distance, convolved with the table's response, is the response at the distance, within 0.2 dB up to 15 kHz
 * and 2 % in amplitude and phase up to 1.5 kHz.
 * All three vanish at the reference, continuously. Distances are held at PN_NEAREST_METRES from below: from there on
 * only the direction of a source counts. Angles are radians between the source and the ear, seen from the centre. */
#define PN_HEAD_RADIUS 0.0875

/* Sound pressure at the ear re that in the centre of the head without the head, frequency >= 0 in Hz; phase re the
 * arrival there, exp(-i w t) turning. */
pn_complex pn_near_pressure(double distance, double angle, double frequency);

/* Seconds by which sound reaches the ear later than it would the centre; along the ray, or the tangent and the
 * sphere. */
PN_BLOCK_PATH double pn_near_arrival(double distance, double angle);

/* The angle at which the ear sees the source, as a point at `reference`. */
PN_BLOCK_PATH double pn_near_seen_angle(double distance, double reference, double angle);
/* The same for a place in the head's axes and an ear (0 left, 1 right): the place seen, at `reference`. */
PN_BLOCK_PATH pn_vec3 pn_near_seen_from(int ear, pn_vec3 place, double reference);
/* The angle of a place to an ear; a right angle in the centre. */
PN_BLOCK_PATH double pn_near_angle(int ear, pn_vec3 place);

/* The table of minimum-phase responses by distance and angle; reference > PN_NEAREST_METRES. */
int pn_near_nodes(double reference);
/* Taps that it needs: 2 ms, in which the sound has gone round the head. */
int pn_near_taps(double rate);
/* Fills responses[node][taps], taps at least pn_near_taps. The last node is the unit impulse, for the reference. */
pinna_status pn_near_responses(double reference, double rate, int taps, float *responses, pinna_error *err);

enum { PN_NEAR_BLEND = 4 };
/* The nodes of a distance and an angle; weights have sum 1, the used ones (more than 0) come first. Returns how many. */
PN_BLOCK_PATH int pn_near_look_up(double reference, double distance, double angle, int node[PN_NEAR_BLEND],
                                  double weight[PN_NEAR_BLEND]);

#endif
