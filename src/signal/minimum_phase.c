// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/minimum_phase.h"

#include <math.h>

void pn_minimum_phase(const pn_fft *fft, const double *magnitude, double floor, pn_complex *out) {
    int size = pn_fft_size(fft), half = size / 2;
    for (int k = 0; k < size; ++k)
        out[k] = (pn_complex){log(fmax(magnitude[k <= half ? k : size - k], floor)), 0};
    pn_fft_inverse(fft, out);
    for (int n = 1; n < half; ++n) {
        out[n] = (pn_complex){2 * out[n].re, 0};
        out[n + half] = (pn_complex){0, 0};
    }
    pn_fft_forward(fft, out);
    for (int k = 0; k < size; ++k) {
        double gain = exp(out[k].re);
        out[k] = (pn_complex){gain * cos(out[k].im), gain * sin(out[k].im)};
    }
    pn_fft_inverse(fft, out);
}
