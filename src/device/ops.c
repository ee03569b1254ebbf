// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/ops.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/vec.h"
#include "signal/interpolator.h"

double pn_ops_frequency(int size, int k) {
    double f = -(k + 0.25) / (size / 2);
    return f < -0.5 ? f + 1 : f;
}

static pn_complex turn(double cycles) {
    cycles -= floor(cycles);
    return (pn_complex){cos(2 * PN_PI * cycles), sin(2 * PN_PI * cycles)};
}

static pn_complex multiply(pn_complex a, pn_complex b) {
    return (pn_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

void pn_ops_forward(int size, const double *re, const double *im, pn_complex *bins) {
    int m = size / 2;
    for (int k = 0; k < m; ++k) {
        pn_complex sum = {0, 0};
        for (int n = 0; n < m; ++n) {
            pn_complex z = {re[n], im == NULL ? 0 : im[n]};
            pn_complex term = multiply(z, turn(-pn_ops_frequency(size, k) * n));
            sum.re += term.re;
            sum.im += term.im;
        }
        bins[k] = sum;
    }
}

void pn_ops_inverse(int size, const pn_complex *bins, double *re, double *im) {
    int m = size / 2;
    for (int n = 0; n < m; ++n) {
        pn_complex sum = {0, 0};
        for (int k = 0; k < m; ++k) {
            pn_complex term = multiply(bins[k], turn(pn_ops_frequency(size, k) * n));
            sum.re += term.re;
            sum.im += term.im;
        }
        if (re != NULL)
            re[n] = sum.re / m;
        if (im != NULL)
            im[n] = sum.im / m;
    }
}

void pn_ops_multiply_add(int size, pn_complex *sum, const pn_complex *a, const pn_complex *b) {
    for (int k = 0; k < size / 2; ++k) {
        pn_complex product = multiply(a[k], b[k]);
        sum[k].re += product.re;
        sum[k].im += product.im;
    }
}

void pn_ops_blend(int size, pn_complex *out, const pn_complex *const *node, const float *weight, int count) {
    for (int k = 0; k < size / 2; ++k) {
        out[k] = (pn_complex){0, 0};
        for (int j = 0; j < count; ++j) {
            out[k].re += (double)weight[j] * node[j][k].re;
            out[k].im += (double)weight[j] * node[j][k].im;
        }
    }
}

void pn_ops_ramp(int size, double delay, pn_complex *out) {
    for (int k = 0; k < size / 2; ++k)
        out[k] = turn(-pn_ops_frequency(size, k) * delay);
}

void pn_ops_level(const pn_level_desc *desc, const float *const *input, size_t frames, double *const *out) {
    for (int o = 0; o < desc->outputs; ++o)
        memset(out[o], 0, frames * sizeof **out);
    for (int e = 0; e < desc->entries; ++e) {
        const pn_level_entry *entry = &desc->entry[e];
        const float *x = input[entry->input];
        double *y = out[entry->output];
        for (size_t k = 0; k < entry->length; ++k)
            for (size_t n = k; n < frames; ++n)
                y[n] += (double)entry->taps[k] * (double)x[n - k];
    }
}

/* out: taps + max(tint_taps, 1) - 1 samples. */
static void blend_in_time(const pn_bank_desc *desc, const pn_filter *filter, int ear, double *out) {
    size_t taps = (size_t)desc->taps, row = (size_t)desc->tint_taps;
    memset(out, 0, (taps + (row > 1 ? row : 1) - 1) * sizeof *out);
    bool tinted = pn_filter_tinted(filter, ear);
    for (int j = 0; j < PN_FILTER_NODES; ++j) {
        const float *response = desc->responses + ((size_t)filter->node[ear][j] * 2 + (size_t)ear) * taps;
        double weight = (double)filter->weight[ear][j];
        for (size_t n = 0; n < taps && weight != 0 && !tinted; ++n)
            out[n] += weight * (double)response[n];
        for (int t = 0; t < PN_FILTER_TINTS && weight != 0 && tinted; ++t) {
            const float *tint = desc->tint_responses + (size_t)filter->tint[ear][t] * row;
            double both = weight * (double)filter->tint_weight[ear][t];
            for (size_t n = 0; n < taps; ++n)
                for (size_t k = 0; k < row && both != 0; ++k)
                    out[n + k] += both * (double)response[n] * (double)tint[k];
        }
    }
}

pinna_status pn_ops_filter(const pn_bank_desc *desc, const pn_filter *filter, int ear, double *out,
                           pinna_error *err) {
    int size = desc->size, taps = desc->taps + (desc->tint_taps > 1 ? desc->tint_taps - 1 : 0);
    double delay = (double)filter->delay[ear];
    double *blend = pn_alloc((size_t)taps, sizeof *blend);
    if (blend == NULL)
        return pn_fail_memory(err, "the reference of a filter", 8.0 * taps);
    blend_in_time(desc, filter, ear, blend);
    memset(out, 0, (size_t)size * sizeof *out);
    for (int tap = 0; tap < taps; ++tap) {
        for (int n = 0; n < size && blend[tap] != 0; ++n) {
            double x = n - tap - delay;
            double below = size * sin(PN_PI * x / size);
            out[n] += blend[tap] * (fabs(below) < 1e-9 ? 1 : sin(PN_PI * x) / below);
        }
    }
    pn_free(blend);
    return PINNA_OK;
}

void pn_ops_propagate(const pn_bank_desc *desc, const pn_propagation *propagation, const float *in,
                      double *out) {
    double row[PN_INTERPOLATOR_ROWS][PN_INTERPOLATOR_TAPS];
    pn_interpolator_make(row);
    for (int n = 0; n < desc->quantum; ++n) {
        double u = (double)n / desc->quantum, delay = 0;
        for (int k = 3; k >= 0; --k)
            delay = delay * u + (double)propagation->c[k];
        delay += propagation->whole;
        if (!(delay >= PN_PROPAGATION_SHORTEST))
            delay = PN_PROPAGATION_SHORTEST;
        if (delay > desc->propagation)
            delay = desc->propagation;
        double before = floor(-delay), phase = (-delay - before) * PN_INTERPOLATOR_PHASES,
               whole = floor(phase);
        const double *h = row[(int)whole];
        const float *x = in + n + (ptrdiff_t)before - (PN_INTERPOLATOR_REACH - 1);
        out[n] = 0;
        for (int k = 0; k < PN_INTERPOLATOR_TAPS; ++k)
            out[n] += (h[k] + (phase - whole) * (h[k + PN_INTERPOLATOR_TAPS] - h[k])) * (double)x[k];
    }
}

/* sum += the last `quantum` frames of the negacyclic convolution of history and filter. */
static void convolve_tail(const pn_bank_desc *desc, const float *history, const double *filter, double *sum) {
    int size = desc->size, first = size - desc->quantum;
    for (int n = 0; n < desc->quantum; ++n) {
        int end = first + n;
        for (int k = 0; k <= end; ++k)
            sum[n] += filter[k] * (double)history[end - k];
        for (int k = end + 1; k < size; ++k)
            sum[n] -= filter[k] * (double)history[end - k + size];
    }
}

/* out += one ear of one source. filter: size + 2 * quantum samples of room. */
static pinna_status add_source(const pn_bank_desc *desc, const pn_bank_source *source, const float *history,
                               int ear, double *filter, double *out, pinna_error *err) {
    size_t quantum = (size_t)desc->quantum;
    double *before = filter + desc->size, *after = before + quantum;
    int steps = pn_bank_steps(source), piece = desc->quantum / steps;
    for (int k = 0; k <= steps; ++k) {
        pinna_status status = pn_ops_filter(desc, pn_bank_knot(source, k), ear, filter, err);
        if (status != PINNA_OK)
            return status;
        memcpy(before, after, quantum * sizeof *before);
        memset(after, 0, quantum * sizeof *after);
        convolve_tail(desc, history, filter, after);
        for (int n = (k - 1) * piece; k > 0 && n < k * piece; ++n)
            out[n] += before[n] + (after[n] - before[n]) * (double)(n - (k - 1) * piece) / piece;
    }
    return PINNA_OK;
}

pinna_status pn_ops_bank(const pn_bank_desc *desc, const pn_bank_source *sources, const float *const *history,
                         double *left, double *right, pinna_error *err) {
    size_t size = (size_t)desc->size, quantum = (size_t)desc->quantum;
    double *filter = pn_alloc(size + 2 * quantum, sizeof *filter);
    if (filter == NULL)
        return pn_fail_memory(err, "the reference of the spatial bank", (double)(size + 2 * quantum) * 8);
    pinna_status status = PINNA_OK;
    for (int ear = 0; ear < 2; ++ear) {
        double *out = ear == 0 ? left : right;
        memset(out, 0, quantum * sizeof *out);
        for (int s = 0; s < desc->sources && status == PINNA_OK; ++s)
            if (history[s] != NULL)
                status = add_source(desc, &sources[s], history[s], ear, filter, out, err);
    }
    pn_free(filter);
    return status;
}

static bool power_of_two(int value, int low, int high) {
    return value >= low && value <= high && (value & (value - 1)) == 0;
}

pinna_status pn_level_desc_check(const pn_level_desc *desc, pinna_error *err) {
    if (!power_of_two(desc->block, 32, 524288))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "partition level: block %d, expected a power of two, 32..524288", desc->block);
    if (desc->inputs < 1 || desc->outputs < 1 || desc->entries < 1)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "partition level: %d inputs, %d outputs, %d entries, expected 1 or more of each",
                       desc->inputs, desc->outputs, desc->entries);
    for (int e = 0; e < desc->entries; ++e) {
        const pn_level_entry *entry = &desc->entry[e];
        if (entry->input < 0 || entry->input >= desc->inputs || entry->output < 0 ||
            entry->output >= desc->outputs || entry->length == 0 || entry->taps == NULL)
            return pn_fail(err, PINNA_BAD_ARGUMENT,
                           "partition level: entry %d (%d to %d, %zu taps) is outside %d x %d or empty", e,
                           entry->input, entry->output, entry->length, desc->inputs, desc->outputs);
    }
    return PINNA_OK;
}

pinna_status pn_bank_desc_check(const pn_bank_desc *desc, pinna_error *err) {
    if (!power_of_two(desc->size, 64, 1048576) || !power_of_two(desc->quantum, 32, 256) ||
        desc->quantum > desc->size / 2)
        return pn_fail(
            err, PINNA_BAD_ARGUMENT,
            "spatial bank: transform %d, quantum %d, expected powers of two, the quantum 32..256 and at "
            "most half of the transform",
            desc->size, desc->quantum);
    if (desc->sources < 1 || desc->nodes < 1 || desc->responses == NULL)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "spatial bank: %d sources, %d nodes, expected 1 or more",
                       desc->sources, desc->nodes);
    if (desc->tints < 0 || (desc->tints > 0) != (desc->tint_taps > 0) ||
        (desc->tints > 0) != (desc->tint_responses != NULL))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "spatial bank: %d tints of %d taps, expected none of either or both, with responses",
                       desc->tints, desc->tint_taps);
    int tail = desc->tint_taps > 1 ? desc->tint_taps - 1 : 0;
    if (desc->taps < 1 || desc->max_delay < 0 ||
        (long)desc->taps + tail + desc->max_delay + desc->quantum > (long)desc->size + 1)
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "spatial bank: %d taps, %d more of tints, delay %d and quantum %d do not fit into a "
                       "transform of %d",
                       desc->taps, tail, desc->max_delay, desc->quantum, desc->size);
    if (desc->propagation != 0 &&
        (desc->propagation < PN_PROPAGATION_SHORTEST || desc->propagation > PN_PROPAGATION_LONGEST))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "spatial bank: propagation of %d samples, expected 0 or %d..%d", desc->propagation,
                       PN_PROPAGATION_SHORTEST, PN_PROPAGATION_LONGEST);
    return PINNA_OK;
}
