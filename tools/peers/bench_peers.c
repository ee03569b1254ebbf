// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT

/* bench-peers [--core N] [--rounds N] [--seconds T] [--only WORD] [--json] [--plot OUT.svg]
 *
 * Our transforms and convolvers beside FFTW and zita-convolver, on one core, in turn. */
#include <cjson/cJSON.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/bench_svg.h"
#include "bench_peers.h"
#include "signal/rafft.h"

enum { MOST_ROWS = 64 };

typedef struct {
    int core;
    const char *only, *plot;
    bool json;
    peers_settings settings;
    peers_row row[MOST_ROWS];
    int rows;
} program;

/* ------------------------------------------------------------------ workloads */

static const struct {
    const char *name;
    peers_stream_shape shape;
    double asked;
} streams[] = {
    {"8 channels x 1 s, block 256", {8, 8, true, 1, 256}, 0.42},
    {"8 channels x 5 s, block 256", {8, 8, true, 5, 256}, NAN},
    {"8 channels x 10 s, block 256", {8, 8, true, 10, 256}, 0.30},
    {"8 channels x 10 s, block 64", {8, 8, true, 10, 64}, 0.35},
    {"8 channels x 10 s, block 1024", {8, 8, true, 10, 1024}, 0.30},
    {"1 channel x 10 s, block 256", {1, 1, true, 10, 256}, NAN},
    {"matrix 32 x 2, 2 s, block 256", {32, 2, false, 2, 256}, 0.45},
    {"64 channels x 2 s, block 256", {64, 64, true, 2, 256}, 0.62},
    {"8 channels x 2 s, block 256", {8, 8, true, 2, 256}, NAN},
    {"8 channels x 20 s, block 256", {8, 8, true, 20, 256}, NAN},
    {"8 channels x 60 s, block 256", {8, 8, true, 60, 256}, NAN},
};

static bool wanted(const program *p, const char *name) {
    return p->only == NULL || strstr(name, p->only) != NULL;
}

static peers_row *next_row(program *p, const char *name, const char *peer, const char *unit, double asked) {
    peers_row *row = &p->row[p->rows++];
    *row =
        (peers_row){.peer = peer, .unit = unit, .asked = asked, .p99 = NAN, .worst = NAN, .difference = NAN};
    snprintf(row->name, sizeof row->name, "%s", name);
    if (!p->json)
        fprintf(stderr, "%s\n", name);
    return row;
}

static pinna_status run_all(program *p, pinna_error *err) {
    pinna_status status = PINNA_OK;
    char name[64];
    double asked = pn_simd_best() == PN_SIMD_16 ? 0.40 : pn_simd_best() == PN_SIMD_8 ? 0.55 : (double)NAN;
    for (int size = 512; size <= 32768 && status == PINNA_OK; size *= 2) {
        snprintf(name, sizeof name, "real transform %d and back", size);
        if (wanted(p, name))
            status = peers_transform(&p->settings, size, next_row(p, name, "fftw", "us", asked), err);
    }
    for (size_t s = 0; s < sizeof streams / sizeof streams[0] && status == PINNA_OK; ++s)
        if (wanted(p, streams[s].name))
            status = peers_stream(&p->settings, &streams[s].shape,
                                  next_row(p, streams[s].name, "zita", "us", streams[s].asked), err);
    const char *offline = "offline: 60 s stereo x 10 s";
    if (status == PINNA_OK && wanted(p, offline))
        status = peers_offline(&p->settings, next_row(p, offline, "fftw", "ms", 0.55), err);
    if (status == PINNA_OK && p->rows == 0)
        return pn_fail(err, PINNA_BAD_ARGUMENT, "--only: no workload has '%s' in its name", p->only);
    return status;
}

/* ------------------------------------------------------------------ results */

/* Formats a figure, or a dash. */
static const char *figure(double value, int digits, char *text, size_t size) {
    if (isfinite(value))
        snprintf(text, size, "%.*f", digits, value);
    else
        snprintf(text, size, "-");
    return text;
}

static double ours_of(const program *p, const char *name) {
    for (int r = 0; r < p->rows; ++r)
        if (strcmp(p->row[r].name, name) == 0)
            return p->row[r].ours;
    return NAN;
}

/* What a response of 60 s costs to one of 1 s. */
static double growth(const program *p) {
    return ours_of(p, "8 channels x 60 s, block 256") / ours_of(p, "8 channels x 1 s, block 256");
}

static void print_table(const program *p) {
    printf("%-32s %10s %10s %-5s %6s %6s %6s %6s %8s  %s\n", "workload", "pinna", "peer", "", "ratio",
           "asked", "p99", "worst", "dB", "plan");
    for (int r = 0; r < p->rows; ++r) {
        const peers_row *row = &p->row[r];
        char t[7][32];
        printf("%-32s %7s %s %7s %s %-5s %6s %6s %6s %6s %8s  %s\n", row->name,
               figure(row->ours, 2, t[0], sizeof t[0]), row->unit, figure(row->theirs, 2, t[1], sizeof t[1]),
               row->unit, row->peer, figure(row->ratio, 3, t[2], sizeof t[2]),
               figure(row->asked, 2, t[3], sizeof t[3]), figure(row->p99, 2, t[4], sizeof t[4]),
               figure(row->worst, 2, t[5], sizeof t[5]), figure(row->difference, 1, t[6], sizeof t[6]),
               row->plan);
    }
    printf("CPU time of a block (pair, file), all channels; ratio: median of %d rounds in turn; p99 and "
           "worst place of "
           "the\nschedule to our mean; dB between both outputs.\n",
           p->settings.rounds);
    if (isfinite(growth(p)))
        printf("From 1 s to 60 s of response our cost grows %.1f times.\n", growth(p));
}

static void add_number(cJSON *json, const char *name, double value) {
    if (isfinite(value))
        cJSON_AddNumberToObject(json, name, value);
    else
        cJSON_AddNullToObject(json, name);
}

static void print_json(const program *p) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "description", p->settings.backend->description);
    cJSON_AddNumberToObject(json, "rounds", p->settings.rounds);
    add_number(json, "growth_1_to_60_s", growth(p));
    cJSON *rows = cJSON_AddArrayToObject(json, "rows");
    for (int r = 0; r < p->rows; ++r) {
        const peers_row *row = &p->row[r];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "workload", row->name);
        cJSON_AddStringToObject(one, "peer", row->peer);
        cJSON_AddStringToObject(one, "unit", row->unit);
        add_number(one, "ours", row->ours);
        add_number(one, "theirs", row->theirs);
        add_number(one, "ratio", row->ratio);
        add_number(one, "asked", row->asked);
        add_number(one, "p99_to_mean", row->p99);
        add_number(one, "phase_worst_to_mean", row->worst);
        add_number(one, "difference_db", row->difference);
        cJSON_AddStringToObject(one, "plan", row->plan);
        cJSON_AddItemToArray(rows, one);
    }
    char *text = cJSON_Print(json);
    printf("%s\n", text == NULL ? "{}" : text);
    cJSON_free(text);
    cJSON_Delete(json);
}

/* Bars of the ratios: 1 is the peer. */
static pinna_status plot(const program *p, pinna_error *err) {
    enum { WIDTH = 900, LEFT = 250, RIGHT = 120, TOP = 70, LINE = 24 };
    double height = TOP + LINE * p->rows + 50, most = 1, scale;
    pn_svg svg;
    for (int r = 0; r < p->rows; ++r)
        most = isfinite(p->row[r].ratio) ? fmax(most, p->row[r].ratio) : most;
    scale = (WIDTH - LEFT - RIGHT) / most;
    pn_svg_begin(&svg, WIDTH, height);
    pn_svg_text(&svg, 20, 28, 17, PN_SVG_START, "CPU time of pinna, the peer's being 1");
    pn_svg_text(&svg, 20, 48, 12, PN_SVG_START, "%s; medians of %d rounds in turn; red: what is asked",
                p->settings.backend->description, p->settings.rounds);
    for (int n = 0; 0.1 * n <= most * 1.0001; ++n) {
        double v = 0.1 * n;
        pn_svg_line(&svg, LEFT + v * scale, TOP, LEFT + v * scale, height - 45, "#ddd", 1);
        pn_svg_text(&svg, LEFT + v * scale, height - 28, 12, PN_SVG_MIDDLE, "%.1f", v);
    }
    for (int r = 0, y = TOP; r < p->rows; ++r, y += LINE) {
        const peers_row *row = &p->row[r];
        pn_svg_text(&svg, LEFT - 8, y + 16, 12, PN_SVG_END, "%s", row->name);
        if (!isfinite(row->ratio)) {
            pn_svg_text(&svg, LEFT + 6, y + 16, 12, PN_SVG_START, "%s cannot; ours %.3g %s", row->peer,
                        row->ours, row->unit);
            continue;
        }
        pn_svg_rectangle(&svg, LEFT, y + 4, row->ratio * scale, LINE - 8, "#4878a8");
        pn_svg_text(&svg, WIDTH - 20, y + 16, 12, PN_SVG_END, "%.2f of %s", row->ratio, row->peer);
        if (isfinite(row->asked))
            pn_svg_line(&svg, LEFT + row->asked * scale, y + 2, LEFT + row->asked * scale, y + LINE - 2,
                        "#c44e52", 2);
    }
    return pn_svg_write(&svg, p->plot, err);
}

/* ------------------------------------------------------------------ options */

static void print_usage(FILE *to) {
    fprintf(to,
            "usage: bench-peers [--core N] [--rounds 3..%d] [--seconds T] [--only WORD] [--json] "
            "[--plot OUT.svg]\n",
            PEERS_ROUNDS);
}

static int usage(const char *word) {
    fprintf(stderr, "bench-peers: '%s'?\n", word);
    print_usage(stderr);
    return 2;
}

/* Returns 0, or an exit status. */
static int read_options(program *p, int argc, char **argv) {
    for (int a = 1; a < argc; ++a) {
        const char *name = argv[a], *value = a + 1 < argc ? argv[a + 1] : "";
        if (strcmp(name, "--json") == 0) {
            p->json = true;
            continue;
        }
        if (strcmp(name, "--core") == 0)
            p->core = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--rounds") == 0)
            p->settings.rounds = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--seconds") == 0)
            p->settings.seconds = strtod(value, NULL);
        else if (strcmp(name, "--only") == 0)
            p->only = value;
        else if (strcmp(name, "--plot") == 0)
            p->plot = value;
        else
            return usage(name);
        ++a;
    }
    if (p->settings.rounds < 3 || p->settings.rounds > PEERS_ROUNDS || !(p->settings.seconds > 0))
        return usage("--rounds, --seconds");
    return 0;
}

/* Before any thread is made: zita's inherit it. */
static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    if (core >= 0 && sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "bench-peers: no core %d; not pinned\n", core);
}

int main(int argc, char **argv) {
    static program p = {.core = 0, .settings = {.rounds = 7, .seconds = 4}};
    pinna_error err = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_usage(stdout);
        return 0;
    }
    int failed = read_options(&p, argc, argv);
    if (failed != 0)
        return failed;
    pin(p.core);
    pinna_status status = pn_backend_cpu_open(NULL, &p.settings.backend, &err);
    if (status == PINNA_OK)
        status = run_all(&p, &err);
    if (status == PINNA_OK && p.json)
        print_json(&p);
    else if (status == PINNA_OK)
        print_table(&p);
    if (status == PINNA_OK && p.plot != NULL)
        status = plot(&p, &err);
    pn_backend_close(p.settings.backend);
    if (status != PINNA_OK)
        fprintf(stderr, "bench-peers: error: %s\n", err.text);
    return status == PINNA_OK ? 0 : 1;
}
