// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "render/balance.h"

#include <math.h>

#include "base/memory.h"
#include "base/vec.h"
#include "signal/biquad.h"
#include "signal/fft.h"

enum { KINDS = 4 }; /* white lows, white highs, pink lows, pink highs */

struct pn_balance {
    float *amplitude; /* [node][ear][kind]: root of the power */
};

/* How much a bin of every kind counts, [kind][bins]; the sum over white lows and highs of all bins is 1, over pink ones
 * too. */
static void set_weights(const pn_hrtf_info *info, int bins, double *weight) {
    double spacing = info->rate / 2 / bins, pink = log(info->rate / 2 / 20);
    for (int k = 0; k < bins; ++k) {
        double from = fmax((k - 0.5) * spacing, 20), to = fmax((k + 0.5) * spacing, 20), at = k * spacing;
        double low = tan(PN_PI * at / info->rate) / tan(PN_PI * PN_BALANCE_HZ / info->rate), equaliser = 1;
        for (int s = 0; s < info->sections; ++s) {
            pn_complex z = pn_biquad_response(&info->section[s], info->rate, fmax(at, 20));
            equaliser *= z.re * z.re + z.im * z.im;
        }
        for (int kind = 0; kind < KINDS; ++kind) {
            double part = kind % 2 ? low * low / (1 + low * low) : 1 / (1 + low * low);
            weight[kind * bins + k] = part * equaliser * (kind < 2 ? 1.0 / bins : log(to / from) / pink);
        }
    }
}

/* The two ears of a node as one complex signal: X and Y are the halves of Z[k] +- conj(Z[-k]). */
static void measure(const pn_fft *fft, const float *response, int taps, const double *weight, pn_complex *z,
                    float *amplitude) {
    int size = pn_fft_size(fft), bins = size / 2;
    for (int n = 0; n < size; ++n)
        z[n] = n < taps ? (pn_complex){(double)response[n], (double)response[taps + n]} : (pn_complex){0, 0};
    pn_fft_forward(fft, z);
    double sum[2][KINDS] = {{0}};
    for (int k = 0; k < bins; ++k) {
        pn_complex a = z[k], b = z[(size - k) % size];
        double left = ((a.re + b.re) * (a.re + b.re) + (a.im - b.im) * (a.im - b.im)) / 4;
        double right = ((a.im + b.im) * (a.im + b.im) + (b.re - a.re) * (b.re - a.re)) / 4;
        for (int kind = 0; kind < KINDS; ++kind) {
            sum[0][kind] += left * weight[kind * bins + k];
            sum[1][kind] += right * weight[kind * bins + k];
        }
    }
    for (int ear = 0; ear < 2; ++ear)
        for (int kind = 0; kind < KINDS; ++kind)
            amplitude[ear * KINDS + kind] = (float)sqrt(sum[ear][kind]);
}

pinna_status pn_balance_create(const pn_hrtf *hrtf, pn_balance **out, pinna_error *err) {
    *out = NULL;
    const pn_hrtf_info *info = pn_hrtf_get_info(hrtf);
    size_t nodes = (size_t)info->directions, values = nodes * 2 * KINDS;
    int size = 512;
    while (size < info->taps)
        size *= 2;
    pn_fft *fft = NULL;
    pinna_status status = pn_fft_create(size, &fft, err);
    if (status != PINNA_OK)
        return status;
    pn_balance *balance = pn_alloc(1, sizeof *balance);
    pn_complex *z = pn_alloc((size_t)size, sizeof *z);
    double *weight = pn_alloc((size_t)size * KINDS / 2, sizeof *weight);
    if (balance != NULL)
        balance->amplitude = pn_alloc_floats(values);
    if (balance == NULL || balance->amplitude == NULL || z == NULL || weight == NULL) {
        status = pn_fail_memory(err, "the levels of wide sources", (double)(values * sizeof(float)));
        pn_balance_free(balance);
        balance = NULL;
    } else {
        set_weights(info, size / 2, weight);
        for (size_t n = 0; n < nodes; ++n)
            measure(fft, pn_hrtf_responses(hrtf) + n * 2 * (size_t)info->taps, info->taps, weight, z,
                    balance->amplitude + n * 2 * KINDS);
    }
    pn_free(z);
    pn_free(weight);
    pn_fft_free(fft);
    *out = balance;
    return status;
}

void pn_balance_free(pn_balance *balance) {
    if (balance == NULL)
        return;
    pn_free(balance->amplitude);
    pn_free(balance);
}

void pn_balance_add(const pn_balance *balance, const pn_filter *filter, pn_balance_power *power) {
    for (int ear = 0; ear < 2; ++ear) {
        double sum[KINDS] = {0};
        for (int k = 0; k < PN_FILTER_NODES && filter->weight[ear][k] != 0; ++k) {
            const float *of = balance->amplitude + ((size_t)filter->node[ear][k] * 2 + (size_t)ear) * KINDS;
            for (int kind = 0; kind < KINDS; ++kind)
                sum[kind] += (double)(filter->weight[ear][k] * of[kind]);
        }
        for (int kind = 0; kind < KINDS; ++kind)
            power->of[kind / 2][kind % 2] += sum[kind] * sum[kind];
    }
}

pn_balance_gains pn_balance_solve(const pn_balance_power *point, const pn_balance_power *copies) {
    const double(*c)[2] = copies->of;
    double white = point->of[0][0] + point->of[0][1], pink = point->of[1][0] + point->of[1][1];
    if (!(c[0][0] + c[0][1] > 0))
        return (pn_balance_gains){0, 1};
    /* x c[.][0] + y c[.][1] = white, pink: the ratio x / y, and then y by white */
    double x = pink * c[0][1] - white * c[1][1], y = white * c[1][0] - pink * c[0][0];
    double ratio = x <= 0 ? 0.25 : y <= 0 ? 4 : fmin(fmax(x / y, 0.25), 4);
    double gain = sqrt(white / (ratio * c[0][0] + c[0][1]));
    return (pn_balance_gains){gain, sqrt(ratio)};
}
