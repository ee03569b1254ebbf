// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "mix/loudness.h"

#include <ebur128.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "mix/pan.h"

enum { PORTION = 1024, MOST_CHANNELS = 64 };

struct pn_loudness {
    ebur128_state *state;
    size_t channels;
    float *portion; /* PORTION x channels, interleaved */
};

static pinna_status fail_meter(int code, pinna_error *err) {
    if (code == EBUR128_ERROR_NOMEM)
        return pn_fail_memory(err, "the loudness meter", 0);
    return pn_fail(err, PINNA_BAD_ARGUMENT, "the loudness meter failed (libebur128 error %d)", code);
}

pinna_status pn_loudness_create(int channels, double rate, pn_loudness **loudness, pinna_error *err) {
    *loudness = NULL;
    if (channels < 1 || channels > MOST_CHANNELS || !(rate >= 16 && rate < 2822400))
        return pn_fail(err, PINNA_BAD_ARGUMENT,
                       "loudness of %d channels at %g Hz: 1 to %d at 16 to 2822400 Hz can be metered",
                       channels, rate, (int)MOST_CHANNELS);
    pn_loudness *l = pn_alloc(1, sizeof *l);
    if (l == NULL)
        return pn_fail_memory(err, "the loudness meter", sizeof *l);
    l->channels = (size_t)channels;
    l->portion = pn_alloc_floats(PORTION * l->channels);
    l->state = ebur128_init((unsigned)channels, (unsigned long)lround(rate),
                            EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
    if (l->portion == NULL || l->state == NULL) {
        pn_loudness_free(l);
        return pn_fail_memory(err, "the loudness meter", PORTION * channels * 4.0);
    }
    *loudness = l;
    return PINNA_OK;
}

void pn_loudness_free(pn_loudness *l) {
    if (l == NULL)
        return;
    if (l->state != NULL)
        ebur128_destroy(&l->state);
    pn_free(l->portion);
    pn_free(l);
}

pinna_status pn_loudness_add(pn_loudness *l, const float *const *channel, size_t frames, pinna_error *err) {
    for (size_t done = 0; done < frames;) {
        size_t count = frames - done < PORTION ? frames - done : PORTION;
        for (size_t c = 0; c < l->channels; ++c) {
            for (size_t n = 0; n < count; ++n)
                l->portion[n * l->channels + c] = channel[c][done + n];
        }
        int code = ebur128_add_frames_float(l->state, l->portion, count);
        if (code != EBUR128_SUCCESS)
            return fail_meter(code, err);
        done += count;
    }
    return PINNA_OK;
}

static double largest(const pn_loudness *l, int (*query)(ebur128_state *, unsigned, double *)) {
    double most = 0;
    for (size_t c = 0; c < l->channels; ++c) {
        double peak = 0;
        if (query(l->state, (unsigned)c, &peak) == EBUR128_SUCCESS && peak > most)
            most = peak;
    }
    return most;
}

/* The loudness is asked before the silence that drives the last samples through the peak's interpolator. */
pinna_status pn_loudness_finish(pn_loudness *l, pn_loudness_result *result, pinna_error *err) {
    *result = (pn_loudness_result){-INFINITY, -INFINITY, -INFINITY};
    int code = ebur128_loudness_global(l->state, &result->integrated_lufs);
    if (code != EBUR128_SUCCESS)
        return fail_meter(code, err);
    memset(l->portion, 0, PORTION * l->channels * sizeof *l->portion);
    code = ebur128_add_frames_float(l->state, l->portion, PORTION);
    if (code != EBUR128_SUCCESS)
        return fail_meter(code, err);
    result->true_peak_dbtp = pn_gain_to_db(largest(l, ebur128_true_peak));
    result->sample_peak_db = pn_gain_to_db(largest(l, ebur128_sample_peak));
    return PINNA_OK;
}
