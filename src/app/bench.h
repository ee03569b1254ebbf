// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_BENCH_H
#define PN_APP_BENCH_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "app/cli.h"
#include "device/backend.h"

/* What the benchmarks share: times of blocks, and how they are told. Times are CPU time of all threads together
 * (what a block costs) and wall time beside it. */

typedef struct {
    double *cpu, *wall; /* seconds of each block */
    size_t count, room;
    double cpu_started, wall_started;
} pn_bench_times;

pinna_status pn_bench_times_init(pn_bench_times *times, size_t blocks, pinna_error *err);
void pn_bench_times_clear(pn_bench_times *times);
void pn_bench_start(pn_bench_times *times);
void pn_bench_stop(pn_bench_times *times);

enum { PN_BENCH_BINS = 24 };

/* Blocks by what they took: bin b counts edge[b] <= t < edge[b + 1] (the last bin with its end), edges in microseconds,
 * each the same factor from the one before. */
typedef struct {
    int bins; /* 1 when all blocks took the same */
    double edge[PN_BENCH_BINS + 1];
    size_t blocks[PN_BENCH_BINS];
} pn_bench_histogram;

typedef struct {
    double mean, p50, p90, p99, p999, max; /* microseconds */
    double phase_worst;                    /* NAN when a phase was met less than 3 times */
} pn_bench_figures;

/* Leaves out the first `warm` blocks. phase_worst: the blocks are sorted by their place in the schedule's period;
 * the largest of the places' medians, which the stalls of a machine do not move.
 * histogram and phases (`period` values: the medians in microseconds, NAN when not known) may be NULL. */
pinna_status pn_bench_evaluate(const double *seconds, size_t count, size_t warm, size_t period,
                               pn_bench_figures *figures, pn_bench_histogram *histogram, double *phases,
                               pinna_error *err);

/* Everything that both benchmarks report. */
typedef struct {
    const char *device, *description, *plan;
    int threads, channels, block;
    double rate;
    size_t blocks;
    double error_db;
    const char *notes; /* lines for people, each ended by a newline; or NULL */
    pn_bench_figures cpu, wall;
    pn_bench_histogram histogram; /* of CPU times */
    double *phases;               /* medians of CPU time, microseconds; see pn_bench_report_clear */
    size_t period;
} pn_bench_report;

/* Evaluates the times into report->cpu, wall, histogram and phases. */
pinna_status pn_bench_summarise(const pn_bench_times *times, size_t period, pn_bench_report *report,
                                pinna_error *err);
void pn_bench_report_clear(pn_bench_report *report);

/* Prints the report: text, or a JSON document to which `more` (may be NULL) was moved item by item. Takes `more`. */
void pn_bench_print(const pn_bench_report *report, bool json, cJSON *more);

/* An SVG file: the histogram, and the phases' medians where the schedule has any. */
pinna_status pn_bench_plot(const pn_bench_report *report, const char *path, pinna_error *err);

typedef struct {
    pn_common common;
    int channels, sources, block, taps, steps, edit;
    const char *matrix, *hrtf, *plot; /* may be NULL */
    double ir, seconds;
    bool live, offline, still, doppler;
} pn_bench_options;

pinna_status pn_bench_convolve(const pn_bench_options *options, pn_pool *pool, pn_backend *backend,
                               pn_messages *messages, pinna_error *err);
pinna_status pn_bench_binaural(const pn_bench_options *options, pn_backend *backend, pn_messages *messages,
                               pinna_error *err);

/* Uniform noise in -1..1 from a number, for signals that can be looked up again. */
float pn_bench_noise(uint64_t number);

#endif
