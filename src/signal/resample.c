// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "signal/resample.h"

#include <math.h>
#include <string.h>

#include <soxr.h>

#include "base/memory.h"

struct pn_resampler {
    soxr_t soxr; /* NULL: equal rates, samples pass as they are */
    int channels;
};

/* Beyond this the converter is refused: no audio needs it, and its filters grow without bound. */
static const double max_ratio = 1e4;

static pinna_status check_rates(double from_rate, double to_rate, pinna_error *err) {
    if (isfinite(from_rate) && isfinite(to_rate) && from_rate > 0 && to_rate > 0 &&
        from_rate / to_rate <= max_ratio && to_rate / from_rate <= max_ratio)
        return PINNA_OK;
    return pn_fail(err, PINNA_BAD_ARGUMENT,
                   "cannot convert from %g Hz to %g Hz: both rates must be above 0 and within a factor of %g",
                   from_rate, to_rate, max_ratio);
}

size_t pn_resample_length(size_t frames, double from_rate, double to_rate) {
    if (from_rate == to_rate)
        return frames;
    double length = (double)frames * to_rate / from_rate + 0.5;
    return length < (double)SIZE_MAX ? (size_t)length : SIZE_MAX;
}

/* soxr's errors are texts; out of memory is the only one that rates and channels checked here leave. */
static pinna_status fail_soxr(soxr_error_t error, pinna_error *err) {
    return pn_fail(err, PINNA_NO_MEMORY, "rate conversion failed (libsoxr: %s); free some memory", error);
}

pinna_status pn_resampler_create(int channels, double from_rate, double to_rate, pn_resampler **resampler,
                                 pinna_error *err) {
    *resampler = NULL;
    pinna_status status = check_rates(from_rate, to_rate, err);
    if (status != PINNA_OK)
        return status;
    if (channels < 1)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "rate conversion of %d channels: at least 1 is needed",
                       channels);
    pn_resampler *made = pn_alloc(1, sizeof *made);
    if (made == NULL)
        return pn_fail_memory(err, "a rate converter", sizeof *made);
    made->channels = channels;
    if (from_rate != to_rate) {
        soxr_error_t error;
        soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
        soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ | SOXR_LINEAR_PHASE, 0);
        soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
        made->soxr = soxr_create(from_rate, to_rate, (unsigned)channels, &error, &io, &quality, &runtime);
        if (error != NULL) {
            pn_resampler_free(made);
            return fail_soxr(error, err);
        }
    }
    *resampler = made;
    return PINNA_OK;
}

void pn_resampler_free(pn_resampler *resampler) {
    if (resampler == NULL)
        return;
    if (resampler->soxr != NULL)
        soxr_delete(resampler->soxr);
    pn_free(resampler);
}

pinna_status pn_resampler_process(pn_resampler *resampler, const float *in, size_t in_frames, size_t *used,
                                  float *out, size_t out_room, size_t *made, pinna_error *err) {
    *used = 0;
    *made = 0;
    if (resampler->soxr != NULL) {
        soxr_error_t error =
            soxr_process(resampler->soxr, in, in == NULL ? 0 : in_frames, used, out, out_room, made);
        return error == NULL ? PINNA_OK : fail_soxr(error, err);
    }
    if (in == NULL)
        return PINNA_OK;
    size_t frames = in_frames < out_room ? in_frames : out_room;
    memcpy(out, in, frames * (size_t)resampler->channels * sizeof *out);
    *used = frames;
    *made = frames;
    return PINNA_OK;
}

/* All of in, then what is left inside, until `room` is full; what soxr does not fill stays zero. */
static pinna_status run_whole(pn_resampler *resampler, const float *in, size_t frames, float *out,
                              size_t room, pinna_error *err) {
    size_t used, made;
    while (frames > 0 && room > 0) {
        pinna_status status = pn_resampler_process(resampler, in, frames, &used, out, room, &made, err);
        if (status != PINNA_OK)
            return status;
        in += used;
        frames -= used;
        out += made;
        room -= made;
    }
    do {
        pinna_status status = pn_resampler_process(resampler, NULL, 0, &used, out, room, &made, err);
        if (status != PINNA_OK)
            return status;
        out += made;
        room -= made;
    } while (made > 0 && room > 0);
    return PINNA_OK;
}

pinna_status pn_resample(const float *in, size_t frames, double from_rate, double to_rate, float **out,
                         size_t *out_frames, pinna_error *err) {
    *out = NULL;
    *out_frames = 0;
    pn_resampler *resampler;
    pinna_status status = pn_resampler_create(1, from_rate, to_rate, &resampler, err);
    if (status != PINNA_OK)
        return status;
    size_t length = pn_resample_length(frames, from_rate, to_rate);
    float *made = pn_alloc_floats(length);
    status = made == NULL ? pn_fail_memory(err, "a resampled signal", (double)length * sizeof(float))
                          : run_whole(resampler, in, frames, made, length, err);
    pn_resampler_free(resampler);
    if (status != PINNA_OK) {
        pn_free(made);
        return status;
    }
    *out = made;
    *out_frames = length;
    return PINNA_OK;
}
