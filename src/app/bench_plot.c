// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>

#include "app/bench.h"
#include "app/bench_svg.h"

/* Two panels under a title: how many blocks took how long, and the medians over the schedule's period. */
enum { WIDTH = 900, LEFT = 70, RIGHT = 30, TOP = 112, PANEL = 240, GAP = 80, BOTTOM = 55, TICKS = 5 };
static const char bar_colour[] = "#4878a8", line_colour[] = "#c44e52", grid_colour[] = "#ddd";

typedef struct {
    pn_svg *svg;
    double top, most; /* of the panel, the value at its upper end */
    double low, high; /* of the horizontal axis, as logarithms for the histogram */
} panel;

static double x_at(const panel *p, double value) {
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - p->low) / (p->high - p->low);
}

static double y_at(const panel *p, double value) {
    return p->top + PANEL * (1 - value / p->most);
}

static void draw_frame(panel *p, const char *title, const char *across, double most, double least_step) {
    double step = fmax(pn_svg_step(most / TICKS), least_step);
    p->most = step * ceil(most / step * 1.0001);
    pn_svg_text(p->svg, LEFT, p->top - 12, 14, PN_SVG_START, "%s", title);
    for (int n = 0; n * step <= p->most * 1.0001; ++n) {
        double v = n * step;
        pn_svg_line(p->svg, LEFT, y_at(p, v), WIDTH - RIGHT, y_at(p, v), grid_colour, 1);
        pn_svg_text(p->svg, LEFT - 8, y_at(p, v) + 4, 12, PN_SVG_END, "%g", v);
    }
    pn_svg_line(p->svg, LEFT, p->top + PANEL, WIDTH - RIGHT, p->top + PANEL, "#222", 1);
    pn_svg_text(p->svg, 0.5 * (LEFT + WIDTH - RIGHT), p->top + PANEL + 40, 13, PN_SVG_MIDDLE, "%s", across);
}

/* Three digits. */
static int decimals(double value) {
    return value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
}

/* A named line across the bars. */
static void mark(const panel *p, const char *name, double us) {
    double x = x_at(p, log(us));
    pn_svg_line(p->svg, x, p->top, x, p->top + PANEL, line_colour, 1.5);
    pn_svg_text(p->svg, x + 4, p->top + 12, 12, PN_SVG_START, "%s %.*f", name, decimals(us), us);
}

static void label_time(const panel *p, double us) {
    double x = x_at(p, log(us));
    if (log(us) < p->low || log(us) > p->high)
        return;
    pn_svg_line(p->svg, x, p->top + PANEL, x, p->top + PANEL + 5, "#222", 1);
    pn_svg_text(p->svg, x, p->top + PANEL + 19, 12, PN_SVG_MIDDLE, "%g", us);
}

/* Ticks at 1, 2, 5 times powers of ten; at even steps where the axis spans less. */
static void label_times(const panel *p, double low, double high) {
    double step = pn_svg_step((high - low) / 10);
    if (high / low < 6) {
        for (int n = (int)ceil(low / step); n * step <= high; ++n)
            label_time(p, n * step);
        return;
    }
    for (int digits = (int)floor(log10(low)); pow(10, digits) <= high; ++digits) {
        label_time(p, pow(10, digits));
        label_time(p, 2 * pow(10, digits));
        label_time(p, 5 * pow(10, digits));
    }
}

static void draw_histogram(pn_svg *svg, const pn_bench_report *report) {
    const pn_bench_histogram *h = &report->histogram;
    double low = h->edge[0], high = h->edge[h->bins] > low ? h->edge[h->bins] : low * 1.1, most = 1;
    panel p = {.svg = svg, .top = TOP, .low = log(low), .high = log(high)};
    for (int b = 0; b < h->bins; ++b)
        most = fmax(most, (double)h->blocks[b]);
    draw_frame(&p, "Blocks by CPU time (all threads and channels together)", "microseconds of a block",
               1.12 * most, 1);
    for (int b = 0; b < h->bins; ++b) {
        double x = x_at(&p, log(h->edge[b])),
               end = b + 1 < h->bins ? x_at(&p, log(h->edge[b + 1])) : WIDTH - RIGHT;
        double y = y_at(&p, (double)h->blocks[b]);
        pn_svg_rectangle(svg, x + 0.5, y, end - x - 1, p.top + PANEL - y, bar_colour);
    }
    label_times(&p, low, high);
    mark(&p, "mean", report->cpu.mean);
    if (log(report->cpu.p99 / report->cpu.mean) > 0.1 * (p.high - p.low) &&
        log(high / report->cpu.p99) > 0.1 * (p.high - p.low))
        mark(&p, "p99", report->cpu.p99);
}

static void draw_phases(pn_svg *svg, const pn_bench_report *report) {
    double period = (double)report->period, most = fmax(report->cpu.phase_worst, report->cpu.mean);
    panel p = {.svg = svg, .top = TOP + PANEL + GAP, .low = 0, .high = period};
    draw_frame(&p, "Median by place in the schedule, microseconds", "block within the schedule's period",
               most, 0);
    double gap = period < 200 ? 0.5 : 0;
    for (size_t b = 0; b < report->period; ++b) {
        double x = x_at(&p, (double)b), end = x_at(&p, (double)b + 1), y = y_at(&p, report->phases[b]);
        pn_svg_rectangle(svg, x + gap, y, end - x - 2 * gap, p.top + PANEL - y, bar_colour);
    }
    size_t step = (size_t)fmax(1, pn_svg_step(period / 10));
    for (size_t b = 0; b < report->period; b += step)
        pn_svg_text(svg, x_at(&p, (double)b + 0.5), p.top + PANEL + 19, 12, PN_SVG_MIDDLE, "%zu", b);
    double y = y_at(&p, report->cpu.mean);
    pn_svg_line(svg, LEFT, y, WIDTH - RIGHT, y, line_colour, 1.5);
    pn_svg_text(svg, WIDTH - RIGHT, p.top - 12, 12, PN_SVG_END, "line: mean %.*f, worst place %.*f",
                decimals(report->cpu.mean), report->cpu.mean, decimals(report->cpu.phase_worst),
                report->cpu.phase_worst);
}

pinna_status pn_bench_plot(const pn_bench_report *report, const char *path, pinna_error *err) {
    const pn_bench_figures *cpu = &report->cpu;
    bool phases = report->period > 1 && isfinite(report->cpu.phase_worst);
    pn_svg svg;
    pn_svg_begin(&svg, WIDTH, TOP + PANEL + (phases ? GAP + PANEL : 0) + BOTTOM);
    pn_svg_text(&svg, LEFT, 28, 17, PN_SVG_START, "%s", report->plan);
    pn_svg_text(&svg, LEFT, 48, 12, PN_SVG_START, "%d channel%s, %zu block%s of %d frames, on %s (%s)",
                report->channels, report->channels == 1 ? "" : "s", report->blocks,
                report->blocks == 1 ? "" : "s", report->block, report->device, report->description);
    pn_svg_text(&svg, LEFT, 65, 12, PN_SVG_START, "CPU time: mean %.*f us, p99 %.*f, max %.*f; error %.1f dB",
                decimals(cpu->mean), cpu->mean, decimals(cpu->p99), cpu->p99, decimals(cpu->max), cpu->max,
                report->error_db);
    draw_histogram(&svg, report);
    if (phases)
        draw_phases(&svg, report);
    return pn_svg_write(&svg, path, err);
}
