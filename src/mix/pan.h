// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_MIX_PAN_H
#define PN_MIX_PAN_H

/* Levels and the panning of `render: stereo`. Pure functions; block path. */

/* 10^(db / 20); -INFINITY gives 0. */
double pn_db_to_gain(double db);
/* 20 log10(gain); 0 and below give -INFINITY. */
double pn_gain_to_db(double gain);

/* Sine law of constant power over the front half: left = sin(a), right = cos(a), a = (azimuth + 90 degrees) /
 * 2, so -3 dB each in front, hard left at +90 degrees, hard right at -90. Behind is mirrored: 135 degrees
 * as 45. Azimuth in radians, any; elevation plays no part. gain[0] left, gain[1] right. */
void pn_pan_mono(double azimuth_rad, double gain[2]);

/* Balance for stereo clips: what is left stays left. In front both are 0 dB; turned to one side that side
 * stays at 0 dB and the other follows the sine law, relative to the front, down to silence at 90 degrees. */
void pn_pan_stereo(double azimuth_rad, double gain[2]);

#endif
