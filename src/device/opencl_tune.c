// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "device/opencl_tune.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cache.h"
#include "base/memory.h"
#include "device/opencl_backend.h"
#include "device/opencl_matrix.h"

/* What is tried of each: the widths stand in groups that are tried together, the rest as found best so far. */
typedef struct {
    int bins, wide, jobs, lanes_log2, tile_log2, group, transform_group; /* 0, lanes -1: as it is */
} change;

static const change changes[] = {{.bins = 1, .wide = 1, .lanes_log2 = -1},
                                 {.bins = 1, .wide = 2, .lanes_log2 = -1},
                                 {.bins = 4, .wide = 4, .lanes_log2 = -1},
                                 {.bins = 8, .wide = 8, .lanes_log2 = -1},
                                 {.bins = 8, .wide = 16, .lanes_log2 = -1},
                                 {.bins = 16, .wide = 16, .lanes_log2 = -1},
                                 {.jobs = 2, .lanes_log2 = -1},
                                 {.jobs = 4, .lanes_log2 = -1},
                                 {.tile_log2 = 4, .lanes_log2 = -1},
                                 {.tile_log2 = 5, .lanes_log2 = -1},
                                 {.group = 64, .lanes_log2 = -1},
                                 {.group = 128, .lanes_log2 = -1},
                                 {.group = 256, .lanes_log2 = -1},
                                 {.lanes_log2 = 0},
                                 {.lanes_log2 = 2},
                                 {.lanes_log2 = 3},
                                 {.transform_group = 16, .lanes_log2 = -1},
                                 {.transform_group = 64, .lanes_log2 = -1},
                                 {.transform_group = 256, .lanes_log2 = -1}};
enum { CHANGES = sizeof changes / sizeof changes[0] };

static const double EARNS = 0.03; /* what a change must save */

/* ------------------------------------------------------------------ what is kept */

static const char cache_kind[] = "widths", version[] = "widths 1\n";

static pinna_status make_key(const pn_opencl_info *info, char *key, size_t size, pinna_error *err) {
    size_t used = (size_t)snprintf(key, size, "%s%s\n", version, pn_opencl_type_name(info->type));
    return pn_opencl_program_identity(info, key + used, size - used, err);
}

static bool is_one_of(int value, const int *of, int count) {
    for (int i = 0; i < count; ++i)
        if (value == of[i])
            return true;
    return false;
}

static bool are_possible(const pn_opencl_widths *w) {
    static const int bins[] = {1, 4, 8, 16}, wide[] = {1, 2, 4, 8, 16}, jobs[] = {2, 4}, lanes[] = {0, 2, 3};
    static const int tiles[] = {4, 5}, groups[] = {16, 32, 64, 128, 256};
    return is_one_of(w->bins, bins, 4) && is_one_of(w->wide, wide, 5) && w->wide % w->bins == 0 &&
           is_one_of(w->jobs, jobs, 2) && is_one_of(w->lanes_log2, lanes, 3) &&
           is_one_of(w->tile_log2, tiles, 2) && is_one_of(w->group, groups, 5) &&
           is_one_of(w->transform_group, groups, 5);
}

static bool parse(const char *text, pn_opencl_widths *w) {
    int used = 0;
    *w = (pn_opencl_widths){0};
    return sscanf(text, "%d %d %d %d %d %d %d%n", &w->bins, &w->wide, &w->jobs, &w->lanes_log2, &w->tile_log2,
                  &w->group, &w->transform_group, &used) == 7 &&
           text[used] == '\0' && are_possible(w);
}

pn_opencl_tuning pn_opencl_tuned_widths(const pn_opencl_info *info, pn_opencl_widths *widths) {
    char key[1200], text[128];
    *widths = pn_opencl_usual_widths(info);
    if (make_key(info, key, sizeof key, NULL) != PINNA_OK)
        return PN_OPENCL_USUAL;
    size_t size = 0;
    unsigned char *data = NULL;
    pn_cache_answer answer = pn_cache_read(cache_kind, key, &data, &size);
    if (answer == PN_CACHE_NOTHING)
        return PN_OPENCL_USUAL;
    pn_opencl_widths kept;
    bool good = answer == PN_CACHE_FOUND && size < sizeof text;
    if (good) {
        memcpy(text, data, size);
        text[size] = '\0';
        good = parse(text, &kept);
    }
    pn_free(data);
    if (good)
        *widths = kept;
    return good ? PN_OPENCL_TUNED : PN_OPENCL_DAMAGED;
}

bool pn_opencl_keep_widths(const pn_opencl_info *info, const pn_opencl_widths *w) {
    char text[128], key[1200];
    if (make_key(info, key, sizeof key, NULL) != PINNA_OK)
        return false;
    int size = snprintf(text, sizeof text, "%d %d %d %d %d %d %d", w->bins, w->wide, w->jobs, w->lanes_log2,
                        w->tile_log2, w->group, w->transform_group);
    return pn_cache_write(cache_kind, key, (const unsigned char *)text, (size_t)size);
}

const char *pn_opencl_widths_describe(const pn_opencl_widths *w, char *text, size_t size) {
    snprintf(text, size, "sums %d of %d bins, %d jobs, tiles %d, groups %d; transforms %d lanes, groups %d",
             w->bins, w->wide, w->jobs, 1 << w->tile_log2, w->group, 1 << w->lanes_log2, w->transform_group);
    return text;
}

/* ------------------------------------------------------------------ what is tried */

enum { BLOCK = 256, TAPS = 65536, CHANNELS_CPU = 8, CHANNELS_GPU = 128 };
enum { REPEATS = 8 }; /* the least time of them counts: other programs only ever add to it */

typedef struct {
    const pn_opencl_info *info;
    float *taps;
    pn_level_entry *entry;
    int channels;
} trial;

static pinna_status run_matrix(const trial *t, pn_opencl *device, double *us, pinna_error *err) {
    const pn_matrix_level level[] = {
        {BLOCK, 16, 0}, {8 * BLOCK, 14, (size_t)16 * BLOCK}, {64 * BLOCK, 2, (size_t)128 * BLOCK}};
    const pn_matrix_desc desc = {.inputs = t->channels,
                                 .outputs = t->channels,
                                 .level = level,
                                 .levels = 3,
                                 .entry = t->entry,
                                 .entries = t->channels};
    pn_matrix *matrix = NULL;
    pn_matrix_rates rates = {0};
    pinna_status status = pn_opencl_matrix_create(&device->head, &desc, &matrix, err);
    *us = INFINITY;
    for (int r = 0; r < REPEATS && status == PINNA_OK; ++r) {
        status = pn_opencl_matrix_time(matrix, &rates, err);
        *us = fmin(*us, rates.forward_us + rates.sums_us + rates.inverse_us);
    }
    pn_opencl_matrix_free(matrix);
    return status;
}

/* Microseconds of a call with these widths. Only what takes less than `least` is worth a self-test, for which a
 * processor's driver compiles as much again; what does not pass it takes for ever. */
static pinna_status try(const trial *t, const pn_opencl_widths *widths, double least, double *us,
                        pinna_error *err) {
    pn_backend *backend = NULL;
    pinna_status status = pn_opencl_open_with(t->info, widths, &backend, err);
    if (status == PINNA_OK)
        status = run_matrix(t, (pn_opencl *)backend, us, err);
    if (status == PINNA_OK && *us < least)
        status = pn_backend_selftest(backend, NULL, NULL, err);
    pn_backend_close(backend);
    return status;
}

static bool apply(const change *c, pn_opencl_widths *w) {
    const pn_opencl_widths before = *w;
    w->bins = c->bins > 0 ? c->bins : w->bins;
    w->wide = c->wide > 0 ? c->wide : w->wide;
    w->jobs = c->jobs > 0 ? c->jobs : w->jobs;
    w->lanes_log2 = c->lanes_log2 >= 0 ? c->lanes_log2 : w->lanes_log2;
    w->tile_log2 = c->tile_log2 > 0 ? c->tile_log2 : w->tile_log2;
    w->group = c->group > 0 ? c->group : w->group;
    w->transform_group = c->transform_group > 0 ? c->transform_group : w->transform_group;
    return memcmp(&before, w, sizeof before) != 0;
}

static void tell(const trial *t, const char *what, const pn_opencl_widths *w, double us,
                 const pn_opencl_tune_listener *to) {
    char text[160], line[256];
    snprintf(line, sizeof line, "%s %s: %.0f us for a block of %d channels", what,
             pn_opencl_widths_describe(w, text, sizeof text), us, t->channels);
    to->line(to->user, line);
}

static pinna_status search(const trial *t, const pn_opencl_tune_listener *to, pinna_error *err) {
    pn_opencl_widths best = pn_opencl_usual_widths(t->info);
    double least = 0;
    to->progress(to->user, 0, CHANGES + 1);
    pinna_status status = try(t, &best, INFINITY, &least, err);
    if (status != PINNA_OK)
        return status;
    tell(t, "usual ", &best, least, to);
    for (int c = 0; c < CHANGES; ++c) {
        pn_opencl_widths widths = best;
        double us = 0, enough = least * (1 - EARNS);
        to->progress(to->user, c + 1, CHANGES + 1);
        if (!apply(&changes[c], &widths) || try(t, &widths, enough, &us, NULL) != PINNA_OK || us >= enough)
            continue;
        best = widths;
        least = us;
        tell(t, "better", &best, least, to);
    }
    if (!pn_opencl_keep_widths(t->info, &best))
        return pn_fail(err, PINNA_IO, "the best widths cannot be kept: the cache cannot be written");
    tell(t, "kept  ", &best, least, to);
    return PINNA_OK;
}

pinna_status pn_opencl_tune(const pn_opencl_info *info, const pn_opencl_tune_listener *to, pinna_error *err) {
    trial t = {.info = info, .channels = info->type == PN_OPENCL_CPU ? CHANNELS_CPU : CHANNELS_GPU};
    pinna_status status = pn_cache_check(err);
    if (status != PINNA_OK)
        return status;
    t.taps = pn_alloc_floats(TAPS);
    t.entry = pn_alloc((size_t)t.channels, sizeof *t.entry);
    if (t.taps == NULL || t.entry == NULL)
        status = pn_fail_memory(err, "the tuning of a device", 4.0 * TAPS);
    if (status == PINNA_OK) {
        for (int n = 0; n < TAPS; ++n)
            t.taps[n] = (float)((n * 7919) % 1021 - 510) / 1021;
        for (int c = 0; c < t.channels; ++c)
            t.entry[c] = (pn_level_entry){c, c, t.taps, TAPS};
        status = search(&t, to, err);
    }
    pn_free(t.taps);
    pn_free(t.entry);
    return status;
}
