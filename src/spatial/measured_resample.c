// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
/* Rate conversion of a whole set.
 *
 * A converter costs more to make than a response takes to convert, so many responses go through one, with silence
 * between them that is longer than its filter. The distance between two is a multiple of the smallest step that
 * falls on a sample at both rates, where that step is short; otherwise the fraction that remains of a response's place
 * goes into its delay. */
#include "spatial/measured.h"

#include <string.h>

#include "base/memory.h"
#include "signal/resample.h"

enum { GAP = 512, BATCH_SAMPLES = 1 << 18, LONGEST_STEP = 2048 };

typedef struct {
    double ratio; /* to / from */
    size_t period, batch;
    int taps; /* of a converted response, lead included */
} layout;

/* The smallest number of input samples that is a whole number of output samples; 1 when that is long. */
static size_t common_step(double from, double to) {
    if (from != floor(from) || to != floor(to))
        return 1;
    unsigned long a = (unsigned long)from, b = (unsigned long)to;
    while (b != 0) {
        unsigned long rest = a % b;
        a = b;
        b = rest;
    }
    size_t step = (unsigned long)from / a;
    return step <= LONGEST_STEP ? step : 1;
}

static layout plan(const pn_measured *set, double rate) {
    layout l = {.ratio = rate / set->rate};
    size_t step = common_step(set->rate, rate);
    l.period = ((size_t)set->taps + GAP + step - 1) / step * step;
    l.batch = BATCH_SAMPLES / l.period + 1;
    l.taps = (int)ceil(set->taps * l.ratio) + PN_MEASURED_LEAD;
    return l;
}

/* Response r of the batch begins at input sample (r + 1) * period. */
static void cut(const layout *l, const float *out, size_t length, size_t r, float *to, double *delay) {
    double place = (double)((r + 1) * l->period) * l->ratio;
    double whole = floor(place + 1e-9);
    size_t first = (size_t)whole - PN_MEASURED_LEAD;
    size_t count = first + (size_t)l->taps <= length ? (size_t)l->taps : length - first;
    for (size_t n = 0; n < count; ++n)
        to[n] = (float)(out[first + n] / l->ratio);
    *delay = *delay * l->ratio - PN_MEASURED_LEAD - fmax(0, place - whole);
}

static pinna_status convert_batch(const pn_measured *set, const layout *l, size_t first, size_t count,
                                  double rate, float *line, pn_measured *to, pinna_error *err) {
    size_t samples = (count + 1) * l->period + GAP, made;
    memset(line, 0, samples * sizeof *line);
    for (size_t r = 0; r < count; ++r)
        memcpy(line + (r + 1) * l->period, set->ir + (first + r) * (size_t)set->taps,
               (size_t)set->taps * sizeof *line);
    float *out = NULL;
    pinna_status status = pn_resample(line, samples, set->rate, rate, &out, &made, err);
    if (status != PINNA_OK)
        return status;
    for (size_t r = 0; r < count; ++r)
        cut(l, out, made, r, to->ir + (first + r) * (size_t)to->taps, &to->delay[first + r]);
    pn_free(out);
    return PINNA_OK;
}

pinna_status pn_measured_resample(pn_measured *set, double rate, pinna_error *err) {
    layout l = plan(set, rate);
    pn_measured to;
    pinna_status status = pn_measured_create(&to, set->directions, l.taps, rate, err);
    if (status != PINNA_OK)
        return status;
    memcpy(to.delay, set->delay, 2 * (size_t)set->directions * sizeof *to.delay);
    float *line = pn_alloc_floats((l.batch + 1) * l.period + GAP);
    if (line == NULL)
        status = pn_fail_memory(err, "converting the HRTF set's rate",
                                (double)(l.batch * l.period * sizeof *line));
    size_t all = 2 * (size_t)set->directions;
    for (size_t first = 0; first < all && status == PINNA_OK; first += l.batch) {
        size_t count = all - first < l.batch ? all - first : l.batch;
        status = convert_batch(set, &l, first, count, rate, line, &to, err);
    }
    pn_free(line);
    if (status == PINNA_OK) {
        float *ir = set->ir;
        double *delay = set->delay;
        set->ir = to.ir;
        set->delay = to.delay;
        to.ir = ir;
        to.delay = delay;
        set->taps = l.taps;
        set->rate = rate;
    }
    pn_measured_clear(&to);
    return status;
}
