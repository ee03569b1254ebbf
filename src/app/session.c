// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/memory.h"

pn_renderer_config pn_session_config(const pn_common *common, double rate, int block, const char *hrtf) {
    return (pn_renderer_config){
        .rate = rate,
        .block = block,
        .hrtf = hrtf,
        .device = common->device,
        .threads = common->threads,
        .spectra = common->spectra,
    };
}

const char *pn_format_seconds(double seconds, char *text, size_t size) {
    if (seconds < 60)
        snprintf(text, size, "%.2f s", seconds);
    else
        snprintf(text, size, "%d:%04.1f", (int)(seconds / 60), fmod(seconds, 60));
    return text;
}

int pn_session_check(const pn_session *session) {
    const pn_renderer_config *c = &session->config;
    if (c->rate != 0 && !(c->rate >= 8000 && c->rate <= 384000 && c->rate == floor(c->rate)))
        return pn_cli_usage(session->command, "--rate %g: expected whole Hz, 8000 to 384000", c->rate);
    if (c->block != 0 && (c->block < 32 || c->block > 8192 || (c->block & (c->block - 1)) != 0))
        return pn_cli_usage(session->command, "--block %d: expected a power of two, 32 to 8192", c->block);
    return pn_cli_check_common(session->command, &session->common);
}

/* ---- the writer */

static pn_encoding choose_encoding(const pn_session *session, const pn_scene *scene) {
    pn_encoding encoding = session->fallback_encoding;
    if (session->common.encoding != NULL)
        pn_encoding_parse(session->common.encoding, &encoding);
    else if (scene->output.encoding != PN_ENCODING_DEFAULT)
        encoding = scene->output.encoding;
    return encoding;
}

static size_t list_inputs(const pn_session *session, const pn_scene *scene, const char **inputs) {
    size_t count = 0;
    if (scene->file != NULL)
        inputs[count++] = scene->file;
    if (session->config.hrtf != NULL)
        inputs[count++] = session->config.hrtf;
    if (scene->hrtf.file != NULL)
        inputs[count++] = scene->hrtf.file;
    for (size_t i = 0; i < scene->source_count; ++i)
        if (scene->sources[i].clip != NULL)
            inputs[count++] = scene->sources[i].clip;
    for (size_t b = 0; b < scene->bus_count; ++b)
        if (scene->buses[b].has_reverb && scene->buses[b].reverb.ir != NULL)
            inputs[count++] = scene->buses[b].reverb.ir;
    return count;
}

static pinna_status open_writer(const pn_session *session, const pn_scene *scene, pn_messages *messages,
                                pn_audio_writer **writer, pinna_error *err) {
    const char **inputs = pn_alloc(3 + scene->source_count + scene->bus_count, sizeof *inputs);
    if (inputs == NULL)
        return pn_fail_memory(err, "the list of inputs", 0);
    pn_audio_writer_spec spec = {
        .channels = 2,
        .rate = session->config.rate > 0 ? session->config.rate : scene->rate,
        .encoding = choose_encoding(session, scene),
        .dither = scene->output.dither,
        .inputs = inputs,
    };
    spec.input_count = list_inputs(session, scene, inputs);
    pinna_status status = pn_audio_writer_open(session->out, &spec, messages, writer, err);
    pn_free(inputs);
    return status;
}

/* ---- what was done, for people and for programs */

typedef struct {
    const pn_session *session;
    const pn_renderer *renderer;
    const pn_messages *messages;
    pn_offline_result result;
    pn_audio_writer_stats written;
} summary;

static double audio_seconds(const summary *s) {
    return (double)s->result.frames / pn_renderer_rate(s->renderer);
}

static double speed(const summary *s) {
    return s->result.seconds > 0 ? audio_seconds(s) / s->result.seconds : 0;
}

/* With the audio itself on standard output the report goes to standard error. */
static FILE *report_stream(const summary *s) {
    return pn_is_standard_output(s->session->out) ? stderr : stdout;
}

static void add_level(cJSON *json, const char *name, double level) {
    if (isfinite(level))
        cJSON_AddNumberToObject(json, name, round(level * 100) / 100);
    else
        cJSON_AddNullToObject(json, name);
}

static void print_json(const summary *s) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "output", s->session->out);
    cJSON_AddStringToObject(json, "device", pn_renderer_device(s->renderer));
    cJSON_AddNumberToObject(json, "frames", (double)s->result.frames);
    cJSON_AddNumberToObject(json, "rate", pn_renderer_rate(s->renderer));
    cJSON_AddNumberToObject(json, "channels", 2);
    cJSON_AddStringToObject(json, "encoding", s->written.encoding);
    cJSON_AddNumberToObject(json, "seconds", audio_seconds(s));
    cJSON_AddNumberToObject(json, "realtime_factor", speed(s));
    add_level(json, "peak_dbtp", s->result.loudness.true_peak_dbtp);
    add_level(json, "lufs", s->result.loudness.integrated_lufs);
    cJSON_AddNumberToObject(json, "clipped_samples", (double)s->written.clipped);
    cJSON *warnings = cJSON_AddArrayToObject(json, "warnings");
    for (size_t i = 0; i < pn_messages_count(s->messages); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(s->messages, i, &level);
        if (level == PINNA_WARNING)
            cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
    }
    char *text = cJSON_Print(json);
    fprintf(report_stream(s), "%s\n", text == NULL ? "{}" : text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void count_kinds(const pn_renderer *renderer, int *active, int *binaural) {
    const pn_scene *scene = pn_renderer_scene(renderer);
    *active = *binaural = 0;
    for (size_t i = 0; i < scene->source_count; ++i) {
        int audible = pn_source_audible(scene, &scene->sources[i]);
        *active += audible;
        *binaural += audible && scene->sources[i].render == PN_RENDER_BINAURAL;
    }
}

static void print_level(FILE *to, const char *what, double level, const char *unit) {
    if (isfinite(level))
        fprintf(to, "%s %.1f %s", what, level, unit);
    else
        fprintf(to, "%s none", what);
}

static void print_text(const summary *s) {
    FILE *to = report_stream(s);
    char length[32];
    int active, binaural;
    pn_renderer_report report;
    count_kinds(s->renderer, &active, &binaural);
    pn_renderer_describe(s->renderer, &report);
    size_t buses = pn_renderer_scene(s->renderer)->bus_count;
    fprintf(to, "%s: %s, stereo, %.0f Hz, %s\n",
            pn_is_standard_output(s->session->out) ? "standard output" : s->session->out,
            pn_format_seconds(audio_seconds(s), length, sizeof length), pn_renderer_rate(s->renderer),
            s->written.encoding);
    fprintf(to, "  %d source%s (%d binaural), %zu bus%s", active, active == 1 ? "" : "s", binaural, buses,
            buses == 1 ? "" : "es");
    if (report.hrtf != NULL)
        fprintf(to, ", heard through %s (%d directions)", report.hrtf->name, report.hrtf->measured);
    fprintf(to, "\n  ");
    print_level(to, "true peak", s->result.loudness.true_peak_dbtp, "dBTP");
    print_level(to, ", loudness", s->result.loudness.integrated_lufs, "LUFS");
    fprintf(to, "\n  rendered in %.2f s on %s, %.0f times real time\n", s->result.seconds,
            pn_renderer_device(s->renderer), speed(s));
}

/* ---- the work */

typedef struct {
    pn_progress bar;
    double rate;
} watch_state;

static bool on_progress(void *user, uint64_t done, uint64_t total) {
    watch_state *state = user;
    pn_progress_show(&state->bar, (double)done / state->rate, (double)total / state->rate);
    return !pn_interrupted();
}

static pinna_status render_to(const pn_session *session, pn_renderer *renderer, pn_audio_writer *writer,
                              summary *s, pinna_error *err) {
    watch_state state = {.rate = pn_renderer_rate(renderer)};
    if (pn_renderer_frames(renderer) == 0)
        return pn_fail(err, PINNA_BAD_SCENE, "the scene has no length: nothing sounds in it");
    pn_progress_start(&state.bar, &session->common);
    pn_offline_watch watch = {on_progress, &state};
    pinna_status status = pn_offline_render(renderer, writer, &watch, &s->result, err);
    pn_progress_end(&state.bar);
    if (status == PINNA_OK)
        status = pn_audio_writer_commit(writer, err);
    if (status == PINNA_OK)
        pn_audio_writer_get_stats(writer, &s->written);
    return status;
}

int pn_session_render(const pn_session *session, pn_scene *scene, pn_messages *messages) {
    pinna_error err = {0};
    pn_audio_writer *writer = NULL;
    pn_renderer *renderer = NULL;
    pn_interrupt_watch();
    pinna_status status = open_writer(session, scene, messages, &writer, &err);
    if (status != PINNA_OK)
        pn_scene_free(scene);
    else
        status = pn_renderer_create(scene, &session->config, messages, &renderer, &err);
    summary s = {.session = session, .renderer = renderer, .messages = messages};
    if (status == PINNA_OK)
        status = render_to(session, renderer, writer, &s, &err);
    if (status == PINNA_OK) {
        pn_cli_repeat_warnings(&session->common, messages);
        if (session->common.json)
            print_json(&s);
        else if (!session->common.quiet)
            print_text(&s);
    }
    pn_renderer_free(renderer);
    pn_audio_writer_free(writer);
    return status == PINNA_OK ? PN_EXIT_DONE : pn_cli_fail(session->command, &err);
}
