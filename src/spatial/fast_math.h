// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_SPATIAL_FAST_MATH_H
#define PN_SPATIAL_FAST_MATH_H

/* Logarithm and exponential of floats to about 3e-7, written so that loops of them vectorise. */

/* x > 0, normal. log((1 + s) / (1 - s)) as a series in s, |s| < 0.172. */
static inline float pn_fast_log2(float x) {
    union {
        float f;
        int i;
    } u = {x};
    int exponent = (u.i - 0x3f3504f3) >> 23;
    u.i -= exponent * (1 << 23);
    float t = u.f - 1, s = t / (2 + t), z = s * s;
    float p = 2.8853900817779268f +
              z * (0.9617966939259756f + z * (0.5770780163555854f + z * (0.4121985831111324f + z * 0.32f)));
    return (float)exponent + s * p;
}

/* Within -120 .. 120. */
static inline float pn_fast_exp2(float x) {
    x = x < -120 ? -120 : x > 120 ? 120 : x;
    int whole = (int)(x + 1024.5f) - 1024;
    float f = x - (float)whole;
    float p =
        1 + f * (0.69314718f +
                 f * (0.24022651f +
                      f * (0.05550411f + f * (0.0096181291f + f * (0.0013333558f + f * 0.000154035f)))));
    union {
        int i;
        float f;
    } u = {(whole + 127) * (1 << 23)};
    return p * u.f;
}

#endif
