// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

static double seconds_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

pinna_status pn_bench_times_init(pn_bench_times *times, size_t blocks, pinna_error *err) {
    memset(times, 0, sizeof *times);
    times->room = blocks;
    times->cpu = pn_alloc(blocks, sizeof *times->cpu);
    times->wall = pn_alloc(blocks, sizeof *times->wall);
    if (times->cpu == NULL || times->wall == NULL)
        return pn_fail_memory(err, "the times of the blocks", 16.0 * (double)blocks);
    return PINNA_OK;
}

void pn_bench_times_clear(pn_bench_times *times) {
    pn_free(times->cpu);
    pn_free(times->wall);
    memset(times, 0, sizeof *times);
}

void pn_bench_start(pn_bench_times *times) {
    times->wall_started = seconds_of(CLOCK_MONOTONIC);
    times->cpu_started = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void pn_bench_stop(pn_bench_times *times) {
    double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
    if (times->count == times->room)
        return;
    times->cpu[times->count] = cpu - times->cpu_started;
    times->wall[times->count++] = wall - times->wall_started;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of each phase. sorted: room for count values. */
static void find_phases(const double *seconds, size_t count, size_t period, double *phases, double *sorted) {
    for (size_t phase = 0; phase < period; ++phase) {
        size_t n = 0;
        for (size_t b = phase; b < count; b += period)
            sorted[n++] = seconds[b];
        qsort(sorted, n, sizeof *sorted, by_value);
        phases[phase] = n < 3 ? NAN : 1e6 * sorted[n / 2];
    }
}

static double worst_of(const double *phases, size_t period) {
    double worst = 0;
    for (size_t p = 0; p < period; ++p) {
        if (isnan(phases[p]))
            return NAN;
        worst = fmax(worst, phases[p]);
    }
    return worst;
}

/* sorted: seconds, at least one. */
static void make_histogram(const double *sorted, size_t count, pn_bench_histogram *h) {
    double low = fmax(1e6 * sorted[0], 1e-3), high = fmax(1e6 * sorted[count - 1], low);
    memset(h, 0, sizeof *h);
    h->bins = high > low * 1.0001 ? PN_BENCH_BINS : 1;
    for (int e = 0; e <= h->bins; ++e)
        h->edge[e] = low * pow(high / low, (double)e / h->bins);
    int bin = 0;
    for (size_t b = 0; b < count; ++b) {
        while (bin + 1 < h->bins && 1e6 * sorted[b] >= h->edge[bin + 1])
            ++bin;
        ++h->blocks[bin];
    }
}

static void find_figures(const double *sorted, size_t count, pn_bench_figures *figures) {
    double sum = 0;
    for (size_t b = 0; b < count; ++b)
        sum += sorted[b];
    figures->mean = 1e6 * sum / (double)count;
    figures->p50 = 1e6 * sorted[(count - 1) / 2];
    figures->p90 = 1e6 * sorted[(count - 1) * 90 / 100];
    figures->p99 = 1e6 * sorted[(count - 1) * 99 / 100];
    figures->p999 = 1e6 * sorted[(count - 1) * 999 / 1000];
    figures->max = 1e6 * sorted[count - 1];
}

pinna_status pn_bench_evaluate(const double *seconds, size_t count, size_t warm, size_t period,
                               pn_bench_figures *figures, pn_bench_histogram *histogram, double *phases,
                               pinna_error *err) {
    memset(figures, 0, sizeof *figures);
    if (count == 0 || warm >= count)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "no block was measured; give more --seconds");
    seconds += warm;
    count -= warm;
    double *sorted = pn_alloc(count, sizeof *sorted), *medians = pn_alloc(period, sizeof *medians);
    pinna_status status = PINNA_OK;
    if (sorted == NULL || medians == NULL) {
        status = pn_fail_memory(err, "the times of the blocks", 8.0 * (double)(count + period));
    } else {
        find_phases(seconds, count, period, medians, sorted);
        figures->phase_worst = worst_of(medians, period);
        if (phases != NULL)
            memcpy(phases, medians, period * sizeof *phases);
        memcpy(sorted, seconds, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_value);
        find_figures(sorted, count, figures);
        if (histogram != NULL)
            make_histogram(sorted, count, histogram);
    }
    pn_free(sorted);
    pn_free(medians);
    return status;
}

pinna_status pn_bench_summarise(const pn_bench_times *times, size_t period, pn_bench_report *report,
                                pinna_error *err) {
    report->blocks = times->count;
    report->period = period;
    report->phases = pn_alloc(period, sizeof *report->phases);
    if (report->phases == NULL)
        return pn_fail_memory(err, "the times of the blocks", 8.0 * (double)period);
    /* What follows the warm blocks begins at a phase of its own; only differences between phases are told. */
    size_t warm = times->count / 4 < period ? times->count / 4 : period;
    pinna_status status = pn_bench_evaluate(times->cpu, times->count, warm, period, &report->cpu,
                                            &report->histogram, report->phases, err);
    if (status == PINNA_OK)
        status = pn_bench_evaluate(times->wall, times->count, warm, period, &report->wall, NULL, NULL, err);
    return status;
}

void pn_bench_report_clear(pn_bench_report *report) {
    pn_free(report->phases);
    report->phases = NULL;
}

/* ------------------------------------------------------------------ text and JSON */

static void add_number(cJSON *json, const char *name, double value) {
    if (isfinite(value))
        cJSON_AddNumberToObject(json, name, value);
    else
        cJSON_AddNullToObject(json, name);
}

static void add_figures(cJSON *json, const char *prefix, const pn_bench_figures *figures) {
    const struct {
        const char *name;
        double value;
    } rows[] = {{"mean_us", figures->mean}, {"p50_us", figures->p50},
                {"p90_us", figures->p90},   {"p99_us", figures->p99},
                {"p999_us", figures->p999}, {"phase_worst_us", figures->phase_worst},
                {"max_us", figures->max}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        char name[40];
        snprintf(name, sizeof name, "%s%s", prefix, rows[r].name);
        add_number(json, name, rows[r].value);
    }
}

static void add_histogram(cJSON *json, const pn_bench_histogram *h) {
    cJSON *one = cJSON_AddObjectToObject(json, "histogram");
    cJSON_AddItemToObject(one, "edges_us", cJSON_CreateDoubleArray(h->edge, h->bins + 1));
    cJSON *blocks = cJSON_AddArrayToObject(one, "blocks");
    for (int b = 0; b < h->bins; ++b)
        cJSON_AddItemToArray(blocks, cJSON_CreateNumber((double)h->blocks[b]));
}

static void add_phases(cJSON *json, const pn_bench_report *report) {
    if (report->period > 1 && isfinite(report->cpu.phase_worst))
        cJSON_AddItemToObject(json, "phase_medians_us",
                              cJSON_CreateDoubleArray(report->phases, (int)report->period));
}

static void print_json(const pn_bench_report *report, double per_channel, double realtime, cJSON *more) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "device", report->device);
    cJSON_AddStringToObject(json, "description", report->description);
    add_number(json, "threads", report->threads);
    add_number(json, "channels", report->channels);
    add_number(json, "block", report->block);
    add_number(json, "rate", report->rate);
    add_number(json, "blocks", (double)report->blocks);
    add_figures(json, "", &report->cpu);
    add_figures(json, "wall_", &report->wall);
    add_number(json, "mean_us_per_channel", per_channel);
    add_number(json, "realtime_channels", realtime);
    add_number(json, "error_db", report->error_db);
    cJSON_AddStringToObject(json, "plan", report->plan);
    add_histogram(json, &report->histogram);
    add_phases(json, report);
    while (more != NULL && more->child != NULL) {
        cJSON *item = cJSON_DetachItemViaPointer(more, more->child);
        cJSON_AddItemToObject(json, item->string, item);
    }
    char *text = cJSON_Print(json);
    if (text != NULL)
        printf("%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void print_figures(const char *name, const pn_bench_figures *f) {
    printf("%s mean %.1f us, p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f", name, f->mean, f->p50,
           f->p90, f->p99, f->p999, f->max);
    if (isfinite(f->phase_worst))
        printf(", worst phase %.1f\n", f->phase_worst);
    else
        printf(", worst phase -\n"); /* too few blocks to tell */
}

/* Two bins a line; a bar of up to 50 marks. */
static void print_histogram(const pn_bench_histogram *h) {
    size_t most = 1;
    for (int b = 0; b < h->bins; b += 2) {
        size_t blocks = h->blocks[b] + (b + 1 < h->bins ? h->blocks[b + 1] : 0);
        most = blocks > most ? blocks : most;
    }
    for (int b = 0; b < h->bins; b += 2) {
        int end = b + 2 < h->bins ? b + 2 : h->bins;
        size_t blocks = h->blocks[b] + (b + 1 < h->bins ? h->blocks[b + 1] : 0);
        int marks = (int)((blocks * 50 + most - 1) / most);
        printf("%9.1f .. %8.1f us %7zu %.*s\n", h->edge[b], h->edge[end], blocks, marks,
               "##################################################");
    }
}

static void print_text(const pn_bench_report *report, double per_channel, double realtime) {
    printf("device    %s (%s)\nplan      %s\n", report->device, report->description, report->plan);
    if (report->notes != NULL)
        printf("%s", report->notes);
    printf("blocks    %zu of %d frames\n", report->blocks, report->block);
    print_figures("CPU time ", &report->cpu);
    print_figures("wall time", &report->wall);
    printf("channel   %.2f us; %.0f in real time at %.0f Hz on one core\nerror     %.1f dB\n", per_channel,
           realtime, report->rate, report->error_db);
    printf("CPU time of the blocks\n");
    print_histogram(&report->histogram);
}

void pn_bench_print(const pn_bench_report *report, bool json, cJSON *more) {
    double per_channel = report->cpu.mean / report->channels;
    double realtime = floor(1e6 * report->block / report->rate / per_channel);
    if (json)
        print_json(report, per_channel, realtime, more);
    else
        print_text(report, per_channel, realtime);
    cJSON_Delete(more);
}

float pn_bench_noise(uint64_t number) {
    uint64_t z = number * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)((double)(z >> 11) * (2.0 / 9007199254740992.0) - 1.0);
}
