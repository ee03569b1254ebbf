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

static double worst_phase(const double *seconds, size_t count, size_t period, double *sorted) {
    if (count / period < 3)
        return NAN;
    double worst = 0;
    for (size_t phase = 0; phase < period; ++phase) {
        size_t n = 0;
        for (size_t b = phase; b < count; b += period)
            sorted[n++] = seconds[b];
        qsort(sorted, n, sizeof *sorted, by_value);
        worst = fmax(worst, sorted[n / 2]);
    }
    return worst;
}

pinna_status pn_bench_evaluate(const double *seconds, size_t count, size_t warm, size_t period,
                               pn_bench_figures *figures, pinna_error *err) {
    memset(figures, 0, sizeof *figures);
    if (count == 0 || warm >= count)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "no block was measured; give more --seconds");
    seconds += warm;
    count -= warm;
    double *sorted = pn_alloc(count, sizeof *sorted);
    if (sorted == NULL)
        return pn_fail_memory(err, "the times of the blocks", 8.0 * (double)count);
    figures->phase_worst = 1e6 * worst_phase(seconds, count, period, sorted);
    memcpy(sorted, seconds, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    double sum = 0;
    for (size_t b = 0; b < count; ++b)
        sum += sorted[b];
    figures->mean = 1e6 * sum / (double)count;
    figures->p99 = 1e6 * sorted[(count - 1) * 99 / 100];
    figures->max = 1e6 * sorted[count - 1];
    pn_free(sorted);
    return PINNA_OK;
}

pinna_status pn_bench_summarise(const pn_bench_times *times, size_t period, pn_bench_report *report,
                                pinna_error *err) {
    report->blocks = times->count;
    size_t warm = times->count / 4 < period ? times->count / 4 : period;
    pinna_status status = pn_bench_evaluate(times->cpu, times->count, warm, period, &report->cpu, err);
    if (status == PINNA_OK)
        status = pn_bench_evaluate(times->wall, times->count, warm, period, &report->wall, err);
    return status;
}

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
    } rows[] = {{"mean_us", figures->mean},
                {"p99_us", figures->p99},
                {"phase_worst_us", figures->phase_worst},
                {"max_us", figures->max}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        char name[40];
        snprintf(name, sizeof name, "%s%s", prefix, rows[r].name);
        add_number(json, name, rows[r].value);
    }
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

void pn_bench_print(const pn_bench_report *report, bool json, cJSON *more) {
    double per_channel = report->cpu.mean / report->channels;
    double realtime = floor(1e6 * report->block / report->rate / per_channel);
    if (json) {
        print_json(report, per_channel, realtime, more);
    } else {
        printf("device    %s (%s)\nplan      %s, %zu blocks of %d\n", report->device, report->description,
               report->plan, report->blocks, report->block);
        printf("CPU time  mean %.1f us, p99 %.1f, worst phase %.1f, max %.1f, for all channels\n",
               report->cpu.mean, report->cpu.p99, report->cpu.phase_worst, report->cpu.max);
        printf("wall time mean %.1f us, p99 %.1f, worst phase %.1f, max %.1f\n", report->wall.mean,
               report->wall.p99, report->wall.phase_worst, report->wall.max);
        printf("channel   %.2f us; %.0f in real time at %.0f Hz on one core\nerror     %.1f dB\n",
               per_channel, realtime, report->rate, report->error_db);
    }
    cJSON_Delete(more);
}

float pn_bench_noise(uint64_t number) {
    uint64_t z = number * 0x9e3779b97f4a7c15u + 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)((double)(z >> 11) * (2.0 / 9007199254740992.0) - 1.0);
}
