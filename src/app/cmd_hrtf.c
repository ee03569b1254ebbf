// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/cairo_api.h"
#include "app/cli.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/hrtf_plot.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/ops.h"
#include "io/audio_file.h"
#include "render/aim.h"
#include "spatial/hrtf.h"
#include "spatial/itd.h"
#include "spatial/sofa.h"

enum { MOST_ITD_POINTS = 1 << 22 }; /* transformed in all for the range of ITDs */

/* What the file held before it was made ready. */
typedef struct {
    char *version, *title, *organization;
    int directions, taps;
    double least_distance, most_distance, least_elevation, most_elevation;
    double least_delay, most_delay; /* Data.Delay, samples */
    double receiver_y;
} file_facts;

typedef struct {
    double azimuth, elevation, distance, gain;
    float *left,
        *right; /* length samples, of which `frames` are written: without the equaliser's last ringing */
    int length, frames;
    double itd_us, ild_db;
} at_direction;

typedef struct {
    const char *file, *at_text, *out, *plot, *equalise;
    pn_hrtf_options options;
    double rate;
    pn_common common;
    pn_messages *messages;
    file_facts facts;
    pn_hrtf *hrtf;
    double least_itd_us, most_itd_us;
    int itd_step; /* of every how many directions */
    at_direction at;
    pn_hrtf_figures *figures; /* with plot */
} job;

static bool parse_at(const char *text, at_direction *at) {
    char copy[128];
    double value[3] = {0, 0, 1};
    int count = 0;
    if (strlen(text) >= sizeof copy)
        return false;
    strcpy(copy, text);
    for (char *part = copy; part != NULL; ++count) {
        char *comma = strchr(part, ',');
        if (comma != NULL)
            *comma = '\0';
        if (count == 3 || !pn_parse_number(part, &value[count]))
            return false;
        part = comma == NULL ? NULL : comma + 1;
    }
    *at = (at_direction){.azimuth = value[0], .elevation = value[1], .distance = value[2]};
    at->gain = 1 / fmax(value[2], 0.2);
    return count >= 2 && fabs(value[1]) <= 90 && value[2] >= 0 && value[2] <= 1e6 && fabs(value[0]) <= 3600;
}

static bool has_ending(const char *name, const char *ending) {
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcasecmp(name + length - end, ending) == 0;
}

static void note_facts(file_facts *f, pn_measured *set) {
    f->version = set->version;
    f->title = set->title;
    f->organization = set->organization;
    set->version = set->title = set->organization = NULL; /* taken over */
    f->directions = set->directions;
    f->taps = set->taps;
    f->receiver_y = set->receiver_y;
    for (int i = 0; i < set->directions; ++i) {
        double elevation = pn_degrees(asin(fmax(-1, fmin(1, set->direction[i].z))));
        double distance = set->distance[i];
        elevation = fabs(elevation) < 1e-3 ? 0 : elevation; /* no -0.0 */
        f->least_elevation = i ? fmin(f->least_elevation, elevation) : elevation;
        f->most_elevation = i ? fmax(f->most_elevation, elevation) : elevation;
        f->least_distance = i ? fmin(f->least_distance, distance) : distance;
        f->most_distance = i ? fmax(f->most_distance, distance) : distance;
        for (int ear = 0; ear < 2; ++ear) {
            double delay = set->delay[2 * i + ear];
            f->least_delay = i + ear ? fmin(f->least_delay, delay) : delay;
            f->most_delay = i + ear ? fmax(f->most_delay, delay) : delay;
        }
    }
}

/* Over the nodes, or as many of them, evenly, as take a second. */
static pinna_status find_itd_range(job *j, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    size_t taps = (size_t)info->taps;
    pn_itd *itd = NULL;
    pinna_status status = pn_itd_create(info->taps, info->rate, &itd, err);
    if (status != PINNA_OK)
        return status;
    pn_hrtf_hint hint = {{-1, -1}};
    int most = MOST_ITD_POINTS / pn_itd_size(itd);
    j->itd_step = 1 + (info->directions - 1) / (most > 0 ? most : 1);
    for (int i = 0; i < info->directions; i += j->itd_step) {
        pn_hrtf_point point;
        pn_hrtf_look_up(j->hrtf, pn_hrtf_positions(j->hrtf)[i], &hint, &point);
        const float *left = pn_hrtf_responses(j->hrtf) + (size_t)i * 2 * taps;
        double us =
            1e6 * pn_itd_measure(itd, left, left + taps, (double)point.delay[1] - (double)point.delay[0]);
        j->least_itd_us = i ? fmin(j->least_itd_us, us) : us;
        j->most_itd_us = i ? fmax(j->most_itd_us, us) : us;
    }
    pn_itd_free(itd);
    return PINNA_OK;
}

static void show_progress(void *user, double part) {
    pn_progress_part(user, "preparing", part);
}

static pinna_status load(job *j, pinna_error *err) {
    pn_measured set;
    pinna_status status =
        pn_sofa_read(j->file, &set, NULL, err); /* only for the facts: it is all told below */
    if (status != PINNA_OK)
        return status;
    note_facts(&j->facts, &set);
    pn_measured_clear(&set);
    pn_progress progress;
    pn_progress_start(&progress, &j->common);
    j->options.progress = show_progress;
    j->options.user = &progress;
    status = pn_hrtf_load(j->file, j->rate, &j->options, j->messages, &j->hrtf, err);
    pn_progress_end(&progress);
    if (status == PINNA_OK)
        status = find_itd_range(j, err);
    return status;
}

static bool parse_equalise(const char *text, pn_hrtf_options *options) {
    static const struct {
        const char *text;
        bool low, diffuse;
    } words[] = {{"none", false, false},
                 {"low", true, false},
                 {"diffuse", false, true},
                 {"low,diffuse", true, true},
                 {"diffuse,low", true, true}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
        if (strcmp(text, words[i].text) != 0)
            continue;
        options->equalise_given = true;
        options->equalise_low = words[i].low;
        options->equalise_diffuse = words[i].diffuse;
        return true;
    }
    return false;
}

/* By the filter that a source of the default field has there: nearer than 1 m, what a near source does to it. */
static pinna_status respond(const job *j, const pn_aimer *aimer, pn_vec3 place, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    pn_bank_desc bank = *pn_aimer_get_bank(aimer);
    bank.size = 64;
    while (bank.size < j->at.length + info->guard)
        bank.size *= 2;
    pn_aim aim = {.relative = place, .gain = 1, .field = PN_FIELD_AUTO};
    pn_aim_hint hint;
    pn_filter filter;
    pn_aim_hint_init(&hint);
    pn_aim_filter(aimer, &aim, &hint, &filter);
    double *response = pn_alloc((size_t)bank.size, sizeof *response);
    if (response == NULL)
        return pn_fail_memory(err, "the responses", bank.size * 8.0);
    pinna_status status = PINNA_OK;
    for (int ear = 0; ear < 2 && status == PINNA_OK; ++ear) {
        float *out = ear == 0 ? j->at.left : j->at.right;
        pn_biquad_state state = {0, 0};
        status = pn_ops_filter(&bank, &filter, ear, response, err);
        for (int n = 0; n < j->at.length && status == PINNA_OK; ++n)
            out[n] = (float)response[n];
        for (int s = 0; s < info->sections && status == PINNA_OK; ++s, state = (pn_biquad_state){0, 0})
            pn_biquad_run(&info->section[s], &state, out, j->at.length);
    }
    pn_free(response);
    return status;
}

static pinna_status look(job *j, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    at_direction *at = &j->at;
    bool near = at->distance < 1;
    pn_vec3 place = pn_vec_from_polar(pn_radians(at->azimuth), pn_radians(at->elevation), at->distance);
    pn_aimer_desc desc = {
        .hrtf = j->hrtf, .distance = {PN_DISTANCE_INVERSE, 1, 1000, 1}, .parallax = near, .near = near};
    pn_aimer *aimer = NULL;
    pinna_status status = pn_aimer_create(&desc, &aimer, err);
    if (status != PINNA_OK)
        return status;
    at->frames = pn_aimer_reach(aimer, at->distance);
    at->length = at->frames + info->ringing;
    at->left = pn_alloc_floats((size_t)at->length);
    at->right = pn_alloc_floats((size_t)at->length);
    if (at->left == NULL || at->right == NULL)
        status = pn_fail_memory(err, "the responses", at->length * 8.0);
    else
        status =
            near ? respond(j, aimer, place, err) : pn_hrtf_response(j->hrtf, place, at->left, at->right, err);
    pn_aimer_free(aimer);
    if (status != PINNA_OK)
        return status;
    double left = 1e-30, right = 1e-30;
    for (int n = 0; n < at->length; ++n) {
        left += (double)at->left[n] * (double)at->left[n];
        right += (double)at->right[n] * (double)at->right[n];
        at->left[n] = (float)(at->gain * (double)at->left[n]);
        at->right[n] = (float)(at->gain * (double)at->right[n]);
    }
    at->ild_db = 10 * log10(left / right);
    pn_itd *itd = NULL;
    status = pn_itd_create(at->length, info->rate, &itd, err);
    if (status == PINNA_OK)
        at->itd_us = 1e6 * pn_itd_measure(itd, at->left, at->right, 0);
    pn_itd_free(itd);
    return status;
}

/* The file begins at the set's own time 0: without the latency that only rendering needs. */
static pinna_status write_pair(job *j, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    size_t length = (size_t)(j->at.frames - info->latency);
    const char *input = pn_sofa_is_builtin(j->file) ? NULL : j->file;
    pn_audio_writer_spec spec = {.channels = 2,
                                 .rate = info->rate,
                                 .encoding = PN_ENCODING_F32,
                                 .frames = length,
                                 .inputs = &input,
                                 .input_count = input != NULL};
    const float *channel[2] = {j->at.left + info->latency, j->at.right + info->latency};
    pn_audio_writer *writer = NULL;
    pinna_status status = pn_audio_writer_open(j->out, &spec, j->messages, &writer, err);
    if (status == PINNA_OK)
        status = pn_audio_writer_write(writer, channel, length, err);
    if (status == PINNA_OK)
        status = pn_audio_writer_commit(writer, err);
    pn_audio_writer_free(writer);
    return status;
}

static pinna_status draw(job *j, pinna_error *err) {
    pinna_status status = pn_hrtf_figures_make(j->file, j->hrtf, &j->figures, err);
    if (status != PINNA_OK)
        return status;
    return pn_hrtf_plot(j->figures, pn_hrtf_get_info(j->hrtf), j->plot,
                        pn_sofa_is_builtin(j->file) ? NULL : j->file, err);
}

static void print_line(const char *what, const char *text) {
    if (text != NULL && text[0] != '\0')
        printf("%-12s %s\n", what, text);
}

static void print_distance(const file_facts *f, const pn_hrtf_info *info) {
    if (f->most_distance > 1.001 * f->least_distance)
        printf("%-12s %.3g to %.3g m", "distance", f->least_distance, f->most_distance);
    else
        printf("%-12s %.3g m", "distance", f->most_distance);
    for (int s = 0; s < info->shells && info->shells > 1; ++s)
        printf("%s%.3g", s ? ", " : "; shells at ", info->radius[s]);
    printf("\n");
}

static void print_text(const job *j) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    const file_facts *f = &j->facts;
    printf("%-12s %s\n", "set", info->name);
    print_line("title", f->title);
    print_line("by", f->organization);
    print_line("licence", info->licence);
    printf("%-12s %s %s\n", "convention", info->convention, f->version);
    printf("%-12s %d in the file, %d used, elevation %.1f to %.1f degrees\n", "directions", f->directions,
           info->measured, f->least_elevation, f->most_elevation);
    if (info->horizontal_only || info->measured == 1)
        printf("%-12s %s\n", "coverage", info->measured == 1 ? "one direction" : "one plane");
    else
        printf("%-12s no direction is farther than %.1f degrees from a measured one\n", "coverage",
               info->widest_gap_deg);
    print_distance(f, info);
    printf("%-12s %d samples at %g Hz (%.1f ms)\n", "responses", f->taps, info->file_rate,
           1e3 * f->taps / info->file_rate);
    if (f->least_delay != 0 || f->most_delay != 0)
        printf("%-12s %g to %g samples, beside the responses\n", "delays", f->least_delay, f->most_delay);
    printf("%-12s %s\n", "ears",
           isnan(f->receiver_y) ? "2; the file does not say which is which"
           : f->receiver_y < 0  ? "2; the file calls the first the right one (its responses decide)"
                                : "2; left, then right");
    printf("%-12s %.0f to %.0f us (below 1.5 kHz", "ITD", j->least_itd_us, j->most_itd_us);
    if (j->itd_step > 1)
        printf(", one of every %d directions", j->itd_step);
    printf(")\n");
    printf("%-12s %d taps and up to %d samples of delay at %g Hz, %+.2f dB", "as rendered", info->taps,
           info->max_delay, info->rate, 20 * log10(info->scale));
    printf(info->latency ? ", delayed by %d samples\n" : "\n", info->latency);
    printf("%-12s %d nodes, %.1f MB, %s in %.2f s\n", "grid", info->directions, 1e-6 * info->bytes,
           info->cached ? "from the cache" : "made", info->seconds);
    printf("%-12s %s\n", "equalised",
           info->equalised_low && info->equalised_diffuse ? "low, diffuse"
           : info->equalised_low                          ? "low"
           : info->equalised_diffuse                      ? "diffuse"
                                                          : "as measured");
    if (j->figures != NULL && j->figures->predicted > 0)
        printf("%-12s every other direction met from the rest: mean %.2f dB and %.1f us, 95 %% below %.2f dB "
               "and %.1f us\n",
               "between", j->figures->lsd_mean, j->figures->itd_mean, j->figures->lsd_p95,
               j->figures->itd_p95);
    print_line("plotted", j->plot);
    if (j->at_text == NULL)
        return;
    printf("%-12s azimuth %g, elevation %g, distance %g m: ITD %+.1f us (+: left first), ILD %+.2f dB, gain "
           "%+.2f dB\n",
           "at", j->at.azimuth, j->at.elevation, j->at.distance, j->at.itd_us, j->at.ild_db,
           20 * log10(j->at.gain));
    print_line("written", j->out);
}

static void add_messages(cJSON *json, const pn_messages *messages) {
    cJSON *infos = cJSON_AddArrayToObject(json, "messages"),
          *warnings = cJSON_AddArrayToObject(json, "warnings");
    for (size_t i = 0; i < pn_messages_count(messages); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, i, &level);
        cJSON_AddItemToArray(level == PINNA_WARNING ? warnings : infos, cJSON_CreateString(text));
    }
}

static void add_at(cJSON *json, const job *j) {
    cJSON *at = cJSON_AddObjectToObject(json, "at");
    cJSON_AddNumberToObject(at, "azimuth", j->at.azimuth);
    cJSON_AddNumberToObject(at, "elevation", j->at.elevation);
    cJSON_AddNumberToObject(at, "distance", j->at.distance);
    cJSON_AddNumberToObject(at, "itd_us", j->at.itd_us);
    cJSON_AddNumberToObject(at, "ild_db", j->at.ild_db);
    cJSON_AddNumberToObject(at, "gain_db", 20 * log10(j->at.gain));
    if (j->out != NULL)
        cJSON_AddStringToObject(at, "written", j->out);
}

static cJSON *grid_array(double (*grid)[PN_FIGURES_AZIMUTHS]) {
    cJSON *rows = cJSON_CreateArray();
    for (int i = 0; i < PN_FIGURES_ELEVATIONS; ++i)
        cJSON_AddItemToArray(rows, cJSON_CreateDoubleArray(grid[i], PN_FIGURES_AZIMUTHS));
    return rows;
}

static void add_errors(cJSON *plot, const pn_hrtf_figures *f) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"predicted", f->predicted},
                   {"lsd_mean_db", f->lsd_mean},
                   {"lsd_p95_db", f->lsd_p95},
                   {"itd_error_mean_us", f->itd_mean},
                   {"itd_error_p95_us", f->itd_p95}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
        cJSON_AddNumberToObject(plot, numbers[i].key, numbers[i].value);
    cJSON *directions = cJSON_AddArrayToObject(plot, "directions");
    for (int i = 0; i < f->directions; ++i) {
        const pn_figures_direction *d = &f->direction[i];
        const double values[] = {d->azimuth, d->elevation, d->distance, d->lsd_db, d->itd_error_us};
        cJSON_AddItemToArray(directions, cJSON_CreateDoubleArray(values, 5));
    }
}

/* Everything that is drawn, as numbers. */
static void add_figures(cJSON *json, const job *j) {
    pn_hrtf_figures *f = j->figures;
    cJSON *plot = cJSON_AddObjectToObject(json, "plot"), *levels = cJSON_CreateArray();
    cJSON_AddStringToObject(plot, "written", j->plot);
    add_errors(plot, f);
    cJSON_AddStringToObject(plot, "grid", "elevation -90..90 by 5, azimuth 180..-180 by 5");
    cJSON_AddItemToObject(plot, "itd_us", grid_array(f->itd_us));
    cJSON_AddItemToObject(plot, "ild_db", grid_array(f->ild_db));
    cJSON_AddStringToObject(plot, "levels",
                            "left and right ear, azimuth 180..-180 by 2.5, frequencies even in logarithm");
    cJSON_AddNumberToObject(plot, "low_hz", f->low_hz);
    cJSON_AddNumberToObject(plot, "high_hz", f->high_hz);
    for (int ear = 0; ear < 2; ++ear) {
        cJSON *circle = cJSON_CreateArray();
        for (int i = 0; i < PN_FIGURES_CIRCLE; ++i)
            cJSON_AddItemToArray(circle, cJSON_CreateDoubleArray(f->level_db[ear][i], PN_FIGURES_ROWS));
        cJSON_AddItemToArray(levels, circle);
    }
    cJSON_AddItemToObject(plot, "level_db", levels);
}

static pinna_status print_json(const job *j, pinna_error *err) {
    const pn_hrtf_info *info = pn_hrtf_get_info(j->hrtf);
    const file_facts *f = &j->facts;
    cJSON *json = cJSON_CreateObject();
    const struct {
        const char *key, *text;
    } texts[] = {{"file", pn_sofa_is_builtin(j->file) ? "builtin" : j->file},
                 {"name", info->name},
                 {"title", f->title},
                 {"organization", f->organization},
                 {"licence", info->licence},
                 {"convention", info->convention},
                 {"version", f->version}};
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"file_rate", info->file_rate},
                   {"file_directions", f->directions},
                   {"file_taps", f->taps},
                   {"distance_min", f->least_distance},
                   {"distance_max", f->most_distance},
                   {"elevation_min", f->least_elevation},
                   {"elevation_max", f->most_elevation},
                   {"delay_min", f->least_delay},
                   {"delay_max", f->most_delay},
                   {"widest_gap_degrees", info->widest_gap_deg},
                   {"rate", info->rate},
                   {"directions", info->measured},
                   {"nodes", info->directions},
                   {"shells", info->shells},
                   {"taps", info->taps},
                   {"max_delay", info->max_delay},
                   {"latency", info->latency},
                   {"bytes", info->bytes},
                   {"seconds", info->seconds},
                   {"scale_db", 20 * log10(info->scale)},
                   {"itd_min_us", j->least_itd_us},
                   {"itd_max_us", j->most_itd_us},
                   {"itd_step", j->itd_step}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i)
        cJSON_AddStringToObject(json, texts[i].key, texts[i].text == NULL ? "" : texts[i].text);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
        cJSON_AddNumberToObject(json, numbers[i].key, numbers[i].value);
    cJSON_AddBoolToObject(json, "horizontal_only", info->horizontal_only);
    cJSON_AddBoolToObject(json, "equalised_low", info->equalised_low);
    cJSON_AddBoolToObject(json, "equalised_diffuse", info->equalised_diffuse);
    cJSON_AddBoolToObject(json, "cached", info->cached);
    if (j->at_text != NULL)
        add_at(json, j);
    if (j->figures != NULL)
        add_figures(json, j);
    add_messages(json, j->messages);
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (text == NULL)
        return pn_fail_memory(err, "the JSON text", 4e3);
    printf("%s\n", text);
    cJSON_free(text);
    return PINNA_OK;
}

static pinna_status run(job *j, pinna_error *err) {
    pinna_status status = j->plot == NULL ? PINNA_OK : pn_cairo_load(err); /* before the work, not after */
    if (status == PINNA_OK)
        status = load(j, err);
    if (status == PINNA_OK && j->at_text != NULL)
        status = look(j, err);
    if (status == PINNA_OK && j->out != NULL)
        status = write_pair(j, err);
    if (status == PINNA_OK && j->plot != NULL)
        status = draw(j, err);
    if (status != PINNA_OK)
        return status;
    /* With the audio itself on standard output the report goes to standard error. */
    if (j->out != NULL && pn_is_standard_output(j->out))
        dup2(STDERR_FILENO, STDOUT_FILENO);
    if (j->common.json)
        return print_json(j, err);
    print_text(j);
    return PINNA_OK;
}

static void clear(job *j) {
    pn_hrtf_free(j->hrtf);
    pn_hrtf_figures_free(j->figures);
    pn_free(j->at.left);
    pn_free(j->at.right);
    pn_free(j->facts.version);
    pn_free(j->facts.title);
    pn_free(j->facts.organization);
    pn_messages_free(j->messages);
}

int pn_cmd_hrtf(int argc, char **argv) {
    job j = {0};
    const pn_option options[] = {
        {"--at", NULL, PN_OPTION_TEXT, &j.at_text, "AZ,EL[,DIST]",
         "the response pair of a source there (degrees, metres; level and near field inside)"},
        {"--output", "-o", PN_OPTION_TEXT, &j.out, "OUT",
         "with --at: write that pair as a stereo file (32 bit float)"},
        {"--rate", NULL, PN_OPTION_NUMBER, &j.rate, "HZ",
         "as it would be rendered at this rate (default: the file's)"},
        {"--equalise", NULL, PN_OPTION_TEXT, &j.equalise, "E",
         "none, low, diffuse or low,diffuse (default: low for builtin, else none)"},
        {"--plot", NULL, PN_OPTION_TEXT, &j.plot, "OUT.png",
         "a picture: directions, error between them, ITD, ILD, levels (.png or .svg)"},
        PN_OPTION_QUIET(j.common),
        PN_OPTION_JSON(j.common),
        {0},
    };
    const pn_command command = {
        "hrtf",
        "FILE [--at AZ,EL[,DIST] [-o HRIR.wav]] [--plot OUT.png] [options]",
        "Tells what is in a SOFA file (or builtin), what is repaired, and what is rendered in a direction.\n"
        "Azimuth counter-clockwise from the front (+90 = left), elevation up, distance 1 by default.\n"
        "\n"
        "Reads SimpleFreeFieldHRIR, SimpleFreeFieldHRTF (and its older name SimpleFreeFieldTF), and sets of\n"
        "directions in GeneralFIR and GeneralTF. Everything else is refused with the reason.\n"
        "The error between directions is found by leaving out every other one; with --json all that is\n"
        "drawn comes as numbers, under \"plot\".",
        options,
        1,
        1};
    int status = pn_cli_parse(&command, argc, argv, &j.file);
    if (status >= 0)
        return status;
    if (j.plot != NULL && !has_ending(j.plot, ".png") && !has_ending(j.plot, ".svg"))
        return pn_cli_usage("hrtf", "--plot: '%s' does not end in .png or .svg", j.plot);
    if (j.at_text != NULL && !parse_at(j.at_text, &j.at))
        return pn_cli_usage(
            "hrtf",
            "--at: '%s' is not AZIMUTH,ELEVATION[,DISTANCE] (degrees, -90 to 90 for the elevation; "
            "metres)",
            j.at_text);
    if (j.out != NULL && j.at_text == NULL)
        return pn_cli_usage("hrtf", "-o needs a direction: --at AZ,EL");
    if (j.rate != 0 && !(j.rate >= 8000 && j.rate <= 384000))
        return pn_cli_usage("hrtf", "--rate: %g is outside 8000..384000 Hz", j.rate);
    if (j.equalise != NULL && !parse_equalise(j.equalise, &j.options))
        return pn_cli_usage("hrtf", "--equalise: '%s' is none of none, low, diffuse, low,diffuse",
                            j.equalise);
    j.messages = pn_cli_messages(&j.common);
    pinna_error err = {0};
    status = run(&j, &err) == PINNA_OK ? PN_EXIT_DONE : pn_cli_fail("hrtf", &err);
    clear(&j);
    return status;
}
