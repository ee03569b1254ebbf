// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/bench.h"
#include "base/memory.h"
#include "bench_peers.h"
#include "convolve/convolver.h"
#include "peers.h"
#include "signal/rafft.h"

enum { RATE = 48000, NOISE = 1 << 18, STEP = 7919, MOST_BLOCK = 8192 };

double peers_cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count) {
    double sorted[PEERS_ROUNDS];
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    return sorted[count / 2];
}

void peers_fill(peers_row *row, const double *ours, const double *theirs, int rounds) {
    double ratio[PEERS_ROUNDS];
    row->ours = median(ours, rounds);
    row->theirs = row->ratio = NAN;
    if (theirs == NULL)
        return;
    for (int r = 0; r < rounds; ++r)
        ratio[r] = ours[r] / theirs[r];
    row->theirs = median(theirs, rounds);
    row->ratio = median(ratio, rounds);
}

static double difference_db(const float *const *a, const float *const *b, int rows, size_t frames) {
    double error = 0, power = 0;
    for (int r = 0; r < rows; ++r) {
        for (size_t n = 0; n < frames; ++n) {
            double off = (double)a[r][n] - (double)b[r][n];
            error += off * off;
            power += (double)b[r][n] * (double)b[r][n];
        }
    }
    return 10 * log10((error + 1e-300) / (power + 1e-300));
}

/* ------------------------------------------------------------------ transforms */

pinna_status peers_transform(const peers_settings *settings, int size, peers_row *row, pinna_error *err) {
    double ours[PEERS_ROUNDS], theirs[PEERS_ROUNDS];
    size_t half = (size_t)size / 2;
    int pairs = 20000000 / size + 1;
    pn_rafft *fft = NULL;
    pinna_status status = pn_rafft_create(size, pn_simd_best(), &fft, err);
    if (status != PINNA_OK)
        return status;
    float *time = pn_alloc_floats((size_t)size), *bins = pn_alloc_floats((size_t)size);
    float *back = pn_alloc_floats((size_t)size), *scratch = pn_alloc_floats(pn_rafft_scratch(fft) + 1);
    peer_fftw *peer = peer_fftw_open(size);
    if (time == NULL || bins == NULL || back == NULL || scratch == NULL || peer == NULL)
        status = pn_fail_memory(err, "the transforms", 16.0 * size);
    for (size_t n = 0; n < 2 * half && status == PINNA_OK; ++n)
        time[n] = pn_bench_noise(n);
    for (int r = -1; r < settings->rounds && status == PINNA_OK; ++r) { /* one to warm up */
        double at = peers_cpu_seconds();
        for (int p = 0; p < pairs; ++p) {
            pn_rafft_forward(fft, time, time + half, bins, scratch);
            pn_rafft_inverse(fft, bins, back, back + half, scratch);
        }
        double middle = peers_cpu_seconds();
        for (int p = 0; p < pairs; ++p)
            peer_fftw_pair(peer);
        double end = peers_cpu_seconds();
        if (r >= 0) {
            ours[r] = 1e6 * (middle - at) / pairs;
            theirs[r] = 1e6 * (end - middle) / pairs;
        }
    }
    if (status == PINNA_OK)
        peers_fill(row, ours, theirs, settings->rounds);
    peer_fftw_close(peer);
    pn_free(time);
    pn_free(bins);
    pn_free(back);
    pn_free(scratch);
    pn_rafft_free(fft);
    return status;
}

/* ------------------------------------------------------------------ streams */

typedef struct {
    const peers_stream_shape *shape;
    size_t length, entries;
    float *noise, *taps; /* NOISE frames and the first block again; of entry e from 16 e on */
    pinna_ir *ir;
    const float **in;
    float **out, **peer_out, *out_data;
    pn_convolver *convolver;
    peer_zita *peer;
    size_t block; /* given so far, to each engine */
} stream;

static void aim_inputs(stream *s, size_t block) {
    for (int i = 0; i < s->shape->inputs; ++i)
        s->in[i] = s->noise + (block * (size_t)s->shape->block + (size_t)i * STEP) % NOISE;
}

static pinna_status make_stream(stream *s, pinna_error *err) {
    const peers_stream_shape *shape = s->shape;
    size_t inputs = (size_t)shape->inputs, outputs = (size_t)shape->outputs, block = (size_t)shape->block;
    s->length = (size_t)(shape->seconds * RATE);
    s->entries = shape->diagonal ? inputs : inputs * outputs;
    size_t taps = s->length + 16 * s->entries;
    s->noise = pn_alloc_floats(NOISE + MOST_BLOCK);
    s->taps = pn_alloc_floats(taps);
    s->ir = pn_alloc(s->entries, sizeof *s->ir);
    s->in = pn_alloc(inputs, sizeof *s->in);
    s->out = pn_alloc(2 * outputs, sizeof *s->out);
    s->out_data = pn_alloc(2 * outputs, block * sizeof(float));
    if (s->noise == NULL || s->taps == NULL || s->ir == NULL || s->in == NULL || s->out == NULL ||
        s->out_data == NULL)
        return pn_fail_memory(err, "the streams", 4.0 * (double)(NOISE + taps));
    s->peer_out = s->out + outputs;
    for (size_t o = 0; o < 2 * outputs; ++o)
        s->out[o] = s->out_data + o * block;
    for (size_t n = 0; n < NOISE + MOST_BLOCK; ++n)
        s->noise[n] = 0.5f * pn_bench_noise(n % NOISE);
    for (size_t n = 0; n < taps; ++n)
        s->taps[n] = 0.01f * pn_bench_noise(n + NOISE) * (float)exp(-6.9 * (double)n / (double)taps);
    for (size_t e = 0; e < s->entries; ++e) {
        int input = (int)(shape->diagonal ? e : e / outputs),
            output = (int)(shape->diagonal ? e : e % outputs);
        s->ir[e] = (pinna_ir){input, output, s->taps + 16 * e, s->length};
    }
    return PINNA_OK;
}

static pinna_status open_engines(stream *s, pn_backend *backend, pinna_error *err) {
    const peers_stream_shape *shape = s->shape;
    const pn_convolver_desc desc = {.inputs = shape->inputs,
                                    .outputs = shape->outputs,
                                    .block = shape->block,
                                    .mode = PN_PLAN_LIVE,
                                    .irs = s->ir,
                                    .ir_count = s->entries,
                                    .backend = backend};
    s->peer =
        peer_zita_open(shape->inputs, shape->outputs, shape->diagonal, s->taps, s->length, shape->block);
    return pn_convolver_create(&desc, &s->convolver, err);
}

/* Both through the same blocks; microseconds of CPU time a block. */
static pinna_status run_round(stream *s, size_t blocks, double *ours, double *theirs, pinna_error *err) {
    pinna_status status = PINNA_OK;
    double at = peers_cpu_seconds();
    for (size_t b = 0; b < blocks && status == PINNA_OK; ++b) {
        aim_inputs(s, s->block + b);
        status = pn_convolver_block_process(s->convolver, s->in, s->out, err);
    }
    double middle = peers_cpu_seconds();
    for (size_t b = 0; b < blocks && s->peer != NULL; ++b) {
        aim_inputs(s, s->block + b);
        peer_zita_run(s->peer, s->in, s->peer_out);
    }
    if (s->peer != NULL)
        peer_zita_settle(s->peer);
    *ours = 1e6 * (middle - at) / (double)blocks;
    *theirs = 1e6 * (peers_cpu_seconds() - middle) / (double)blocks;
    s->block += blocks;
    return status;
}

/* Ours alone, every block timed. */
static pinna_status measure_evenness(stream *s, peers_row *row, pinna_error *err) {
    const pn_plan *plan = pn_convolver_plan(s->convolver);
    size_t period = (size_t)(plan->level[plan->levels - 1].block / plan->block);
    size_t blocks = period * 24 > 1024 ? period * 24 : 1024;
    pn_bench_times times;
    pn_bench_figures figures = {0};
    pinna_status status = pn_bench_times_init(&times, blocks, err);
    for (size_t b = 0; b < blocks && status == PINNA_OK; ++b) {
        aim_inputs(s, s->block + b);
        pn_bench_start(&times);
        status = pn_convolver_block_process(s->convolver, s->in, s->out, err);
        pn_bench_stop(&times);
    }
    if (status == PINNA_OK)
        status = pn_bench_evaluate(times.cpu, times.count, period, period, &figures, NULL, NULL, err);
    row->p99 = figures.p99 / figures.mean;
    row->worst = figures.phase_worst / figures.mean;
    pn_bench_times_clear(&times);
    return status;
}

static pinna_status compare_streams(stream *s, const peers_settings *settings, peers_row *row,
                                    pinna_error *err) {
    double ours[PEERS_ROUNDS], theirs[PEERS_ROUNDS], first[2];
    size_t blocks = (size_t)(settings->seconds * RATE / s->shape->block) + 1;
    size_t warm = s->length / (size_t)s->shape->block + 1;
    pinna_status status = run_round(s, warm, &first[0], &first[1], err);
    for (int r = 0; r < settings->rounds && status == PINNA_OK; ++r)
        status = run_round(s, blocks, &ours[r], &theirs[r], err);
    if (status != PINNA_OK)
        return status;
    peers_fill(row, ours, s->peer == NULL ? NULL : theirs, settings->rounds);
    if (s->peer != NULL)
        row->difference = difference_db((const float *const *)s->out, (const float *const *)s->peer_out,
                                        s->shape->outputs, (size_t)s->shape->block);
    pn_plan_describe(pn_convolver_plan(s->convolver), row->plan, sizeof row->plan);
    return measure_evenness(s, row, err);
}

pinna_status peers_stream(const peers_settings *settings, const peers_stream_shape *shape, peers_row *row,
                          pinna_error *err) {
    stream s = {.shape = shape};
    pinna_status status = make_stream(&s, err);
    if (status == PINNA_OK)
        status = open_engines(&s, settings->backend, err);
    if (status == PINNA_OK)
        status = compare_streams(&s, settings, row, err);
    pn_convolver_free(s.convolver);
    peer_zita_close(s.peer);
    pn_free(s.noise);
    pn_free(s.taps);
    pn_free(s.ir);
    pn_free((void *)s.in);
    pn_free(s.out);
    pn_free(s.out_data);
    return status;
}

/* ------------------------------------------------------------------ offline */

enum { OFFLINE_FRAMES = 60 * RATE, OFFLINE_TAPS = 10 * RATE, PEER_BLOCK = 131072, ROOM = 1 << 19 };

typedef struct {
    float *in[2], *taps[2], *out[2], *peer_out[2];
    peer_overlap *peer;
} offline;

/* From the responses to the last frame: the convolver is made inside. */
static pinna_status run_ours(offline *o, const peers_settings *settings, peers_row *row, pinna_error *err) {
    pinna_ir ir[2];
    for (int c = 0; c < 2; ++c)
        ir[c] = (pinna_ir){c, c, o->taps[c], OFFLINE_TAPS};
    const pn_convolver_desc desc = {.inputs = 2,
                                    .outputs = 2,
                                    .mode = PN_PLAN_OFFLINE,
                                    .irs = ir,
                                    .ir_count = 2,
                                    .backend = settings->backend};
    pn_convolver *convolver = NULL;
    pinna_status status = pn_convolver_create(&desc, &convolver, err);
    if (status != PINNA_OK)
        return status;
    size_t block = (size_t)pn_convolver_block(convolver);
    for (size_t at = 0; at < OFFLINE_FRAMES + OFFLINE_TAPS - 1 && status == PINNA_OK; at += block) {
        const float *in[2] = {o->in[0] + at, o->in[1] + at};
        float *out[2] = {o->out[0] + at, o->out[1] + at};
        status = pn_convolver_block_process(convolver, in, out, err);
    }
    pn_plan_describe(pn_convolver_plan(convolver), row->plan, sizeof row->plan);
    pn_convolver_free(convolver);
    return status;
}

static pinna_status make_offline(offline *o, pinna_error *err) {
    size_t frames = OFFLINE_FRAMES + OFFLINE_TAPS + ROOM;
    o->peer = peer_overlap_open(PEER_BLOCK, OFFLINE_TAPS);
    bool failed = o->peer == NULL;
    for (int c = 0; c < 2; ++c) {
        o->in[c] = pn_alloc_floats(frames);
        o->out[c] = pn_alloc_floats(frames);
        o->peer_out[c] = pn_alloc_floats(frames);
        o->taps[c] = pn_alloc_floats(OFFLINE_TAPS);
        failed =
            failed || o->in[c] == NULL || o->out[c] == NULL || o->peer_out[c] == NULL || o->taps[c] == NULL;
    }
    if (failed)
        return pn_fail_memory(err, "the offline signals", 24.0 * (double)frames);
    for (size_t c = 0; c < 2; ++c) {
        for (size_t n = 0; n < OFFLINE_FRAMES; ++n)
            o->in[c][n] = 0.25f * pn_bench_noise(2 * n + c);
        for (size_t n = 0; n < OFFLINE_TAPS; ++n)
            o->taps[c][n] = 0.03f * pn_bench_noise(2 * n + c + ((uint64_t)1 << 40)) *
                            (float)exp(-6.9 * (double)n / OFFLINE_TAPS);
        memset(o->out[c], 0, frames * sizeof(float)); /* the pages are there for both */
        memset(o->peer_out[c], 0, frames * sizeof(float));
    }
    return PINNA_OK;
}

pinna_status peers_offline(const peers_settings *settings, peers_row *row, pinna_error *err) {
    offline o = {.peer = NULL};
    double ours[PEERS_ROUNDS], theirs[PEERS_ROUNDS];
    pinna_status status = make_offline(&o, err);
    for (int r = -1; r < settings->rounds && status == PINNA_OK; ++r) { /* one to warm up */
        double at = peers_cpu_seconds();
        status = run_ours(&o, settings, row, err);
        double middle = peers_cpu_seconds();
        for (int c = 0; c < 2; ++c)
            peer_overlap_run(o.peer, o.in[c], OFFLINE_FRAMES, o.taps[c], o.peer_out[c]);
        if (r >= 0) {
            ours[r] = 1e3 * (middle - at);
            theirs[r] = 1e3 * (peers_cpu_seconds() - middle);
        }
    }
    if (status == PINNA_OK) {
        peers_fill(row, ours, theirs, settings->rounds);
        row->difference = difference_db((const float *const *)o.out, (const float *const *)o.peer_out, 2,
                                        OFFLINE_FRAMES + OFFLINE_TAPS - 1);
    }
    peer_overlap_close(o.peer);
    for (int c = 0; c < 2; ++c) {
        pn_free(o.in[c]);
        pn_free(o.taps[c]);
        pn_free(o.out[c]);
        pn_free(o.peer_out[c]);
    }
    return status;
}
