// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "peers.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ one transform */

struct peer_fftw {
    float *time, *back;
    fftwf_complex *bins;
    fftwf_plan forward, inverse;
};

peer_fftw *peer_fftw_open(int size) {
    peer_fftw *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->time = fftwf_alloc_real((size_t)size);
    f->back = fftwf_alloc_real((size_t)size);
    f->bins = fftwf_alloc_complex((size_t)size / 2 + 1);
    if (f->time == NULL || f->back == NULL || f->bins == NULL) {
        peer_fftw_close(f);
        return NULL;
    }
    f->forward = fftwf_plan_dft_r2c_1d(size, f->time, f->bins, FFTW_MEASURE);
    f->inverse = fftwf_plan_dft_c2r_1d(size, f->bins, f->back, FFTW_MEASURE);
    for (int n = 0; n < size; ++n)
        f->time[n] = (float)(n * 7919 % 2003) * 1e-3f - 1;
    return f;
}

void peer_fftw_pair(peer_fftw *f) {
    fftwf_execute(f->forward);
    fftwf_execute(f->inverse);
}

void peer_fftw_close(peer_fftw *f) {
    if (f == NULL)
        return;
    if (f->forward != NULL)
        fftwf_destroy_plan(f->forward);
    if (f->inverse != NULL)
        fftwf_destroy_plan(f->inverse);
    fftwf_free(f->time);
    fftwf_free(f->back);
    fftwf_free(f->bins);
    free(f);
}

/* ------------------------------------------------------------------ overlap-save */

enum { SLICE = 2048 }; /* bins that are summed over all partitions while in cache */

struct peer_overlap {
    size_t block, bins, length, partitions;
    float *time;
    fftwf_complex *sum, *filter, *input;
    fftwf_plan forward, inverse;
};

peer_overlap *peer_overlap_open(size_t block, size_t length) {
    peer_overlap *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    *o = (peer_overlap){
        .block = block, .bins = block + 1, .length = length, .partitions = (length + block - 1) / block};
    o->time = fftwf_alloc_real(2 * block);
    o->sum = fftwf_alloc_complex(o->bins);
    o->filter = fftwf_alloc_complex(o->bins * o->partitions);
    o->input = fftwf_alloc_complex(o->bins * o->partitions);
    if (o->time == NULL || o->sum == NULL || o->filter == NULL || o->input == NULL) {
        peer_overlap_close(o);
        return NULL;
    }
    o->forward = fftwf_plan_dft_r2c_1d((int)(2 * block), o->time, o->sum, FFTW_ESTIMATE);
    o->inverse = fftwf_plan_dft_c2r_1d((int)(2 * block), o->sum, o->time, FFTW_ESTIMATE);
    return o;
}

static void make_filter(peer_overlap *o, const float *response) {
    float scale = 0.5f / (float)o->block;
    for (size_t p = 0; p < o->partitions; ++p) {
        memset(o->time, 0, 2 * o->block * sizeof *o->time);
        for (size_t n = 0; n < o->block && p * o->block + n < o->length; ++n)
            o->time[n] = response[p * o->block + n] * scale;
        fftwf_execute_dft_r2c(o->forward, o->time, o->filter + p * o->bins);
    }
    memset(o->input, 0, o->bins * o->partitions * sizeof *o->input);
}

static void add_products(float *restrict sum, const float *restrict a, const float *restrict b, size_t bins) {
    for (size_t n = 0; n < 2 * bins; n += 2) {
        sum[n] += a[n] * b[n] - a[n + 1] * b[n + 1];
        sum[n + 1] += a[n] * b[n + 1] + a[n + 1] * b[n];
    }
}

static void add_partitions(peer_overlap *o, size_t block) {
    memset(o->sum, 0, o->bins * sizeof *o->sum);
    for (size_t first = 0; first < o->bins; first += SLICE) {
        size_t bins = o->bins - first < SLICE ? o->bins - first : SLICE;
        for (size_t p = 0; p < o->partitions && p <= block; ++p)
            add_products((float *)(o->sum + first),
                         (const float *)(o->input + (block - p) % o->partitions * o->bins + first),
                         (const float *)(o->filter + p * o->bins + first), bins);
    }
}

/* The 2 B frames that end with block b, with silence around the signal. */
static void take_window(peer_overlap *o, const float *in, size_t frames, size_t b) {
    for (size_t half = 0; half < 2; ++half) {
        float *to = o->time + half * o->block;
        size_t first = (b + half - 1) * o->block, count = 0;
        if (b + half > 0 && first < frames)
            count = frames - first < o->block ? frames - first : o->block;
        if (count > 0)
            memcpy(to, in + first, count * sizeof *to);
        memset(to + count, 0, (o->block - count) * sizeof *to);
    }
}

void peer_overlap_run(peer_overlap *o, const float *in, size_t frames, const float *response, float *out) {
    size_t blocks = (frames + o->length - 1 + o->block - 1) / o->block;
    make_filter(o, response);
    for (size_t b = 0; b < blocks; ++b) {
        take_window(o, in, frames, b);
        fftwf_execute_dft_r2c(o->forward, o->time, o->input + b % o->partitions * o->bins);
        add_partitions(o, b);
        fftwf_execute_dft_c2r(o->inverse, o->sum, o->time);
        memcpy(out + b * o->block, o->time + o->block, o->block * sizeof *out);
    }
}

void peer_overlap_close(peer_overlap *o) {
    if (o == NULL)
        return;
    if (o->forward != NULL)
        fftwf_destroy_plan(o->forward);
    if (o->inverse != NULL)
        fftwf_destroy_plan(o->inverse);
    fftwf_free(o->time);
    fftwf_free(o->sum);
    fftwf_free(o->filter);
    fftwf_free(o->input);
    free(o);
}
