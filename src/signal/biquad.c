// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/biquad.h"

#include <math.h>

#include "base/vec.h"

pn_biquad pn_biquad_low_shelf(double rate, double frequency, double gain_db, double q) {
    double a = pow(10, gain_db / 40), w = 2 * PN_PI * frequency / rate, c = cos(w);
    double alpha = sin(w) / (2 * q), root = 2 * sqrt(a) * alpha;
    double a0 = (a + 1) + (a - 1) * c + root;
    return (pn_biquad){a * ((a + 1) - (a - 1) * c + root) / a0, 2 * a * ((a - 1) - (a + 1) * c) / a0,
                       a * ((a + 1) - (a - 1) * c - root) / a0, -2 * ((a - 1) + (a + 1) * c) / a0,
                       ((a + 1) + (a - 1) * c - root) / a0};
}

pn_complex pn_biquad_response(const pn_biquad *f, double rate, double frequency) {
    double w = 2 * PN_PI * frequency / rate, c1 = cos(w), s1 = -sin(w), c2 = cos(2 * w), s2 = -sin(2 * w);
    double nr = f->b0 + f->b1 * c1 + f->b2 * c2, ni = f->b1 * s1 + f->b2 * s2;
    double dr = 1 + f->a1 * c1 + f->a2 * c2, di = f->a1 * s1 + f->a2 * s2, d = dr * dr + di * di;
    return (pn_complex){(nr * dr + ni * di) / d, (ni * dr - nr * di) / d};
}

void pn_biquad_run(const pn_biquad *f, pn_biquad_state *state, float *samples, int count) {
    double s1 = state->s1, s2 = state->s2;
    for (int n = 0; n < count; ++n) {
        double x = (double)samples[n], y = f->b0 * x + s1;
        s1 = f->b1 * x - f->a1 * y + s2;
        s2 = f->b2 * x - f->a2 * y;
        samples[n] = (float)y;
    }
    state->s1 = s1;
    state->s2 = s2;
}
