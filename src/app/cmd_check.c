// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <string.h>

#include <cjson/cJSON.h>

#include "app/session.h"
#include "base/memory.h"
#include "render/load.h"

/* `check`: a renderer is built as for rendering, described, and thrown away. */

static double seconds_of(const pn_renderer *renderer, uint64_t frames) {
    return (double)frames / pn_renderer_rate(renderer);
}

static const char *kind_of(const pn_source *source) {
    static const char *const kinds[] = {"binaural", "stereo", "direct"};
    return kinds[source->render];
}

static void print_sources(const pn_renderer *renderer) {
    const pn_scene *scene = pn_renderer_scene(renderer);
    printf("sources\n");
    for (size_t i = 0; i < scene->source_count; ++i) {
        const pn_source *source = &scene->sources[i];
        pn_source_report report;
        char length[32];
        pn_renderer_describe_source(renderer, (int)i, &report);
        printf("  %-16s %-8s  %7.2f s + %-8s  %s", report.name, kind_of(source),
               seconds_of(renderer, report.start),
               pn_format_seconds(seconds_of(renderer, report.frames), length, sizeof length),
               source->clip != NULL ? source->clip : "generator");
        if (report.file_rate > 0 && report.file_rate != pn_renderer_rate(renderer))
            printf(", resampled from %.0f Hz", report.file_rate);
        if (!report.active)
            printf(", not heard (mute or solo)");
        for (size_t s = 0; s < source->send_count; ++s)
            printf(", %s %.1f dB", scene->buses[source->sends[s].bus].name, source->sends[s].gain_db);
        printf("\n");
    }
}

static void print_buses(const pn_renderer *renderer) {
    const pn_scene *scene = pn_renderer_scene(renderer);
    if (scene->bus_count > 0)
        printf("buses\n");
    for (size_t b = 0; b < scene->bus_count; ++b) {
        pn_bus_report report;
        char plan[160], levels[1000];
        pn_renderer_describe_bus(renderer, (int)b, &report);
        printf("  %-16s ", report.name);
        if (report.plan == NULL) {
            printf("no reverb\n");
            continue;
        }
        printf("%s response of %.2f s",
               report.ir_channels == 1   ? "mono"
               : report.ir_channels == 2 ? "stereo"
                                         : "true-stereo",
               report.seconds);
        if (report.predelay > 0)
            printf(" after %.1f ms", 1e3 * seconds_of(renderer, report.predelay));
        printf(", partitions %s\n", pn_plan_describe(report.plan, plan, sizeof plan));
        printf("    %s\n%s", pn_plan_describe_cost(report.plan, plan, sizeof plan),
               pn_plan_explain(report.plan, "    ", levels, sizeof levels));
    }
}

static void print_text(const char *name, const pn_renderer *renderer) {
    pn_renderer_report report;
    char length[32], tail[32];
    pn_renderer_describe(renderer, &report);
    printf("%s: %s at %.0f Hz, %llu frames (longest tail %s), block %d, %s\n", name,
           pn_format_seconds(seconds_of(renderer, report.frames), length, sizeof length),
           pn_renderer_rate(renderer), (unsigned long long)report.frames,
           pn_format_seconds(seconds_of(renderer, report.tail), tail, sizeof tail),
           pn_renderer_block(renderer), pn_renderer_device(renderer));
    print_sources(renderer);
    print_buses(renderer);
    if (report.hrtf != NULL)
        printf("hrtf\n  %s: %d directions, responses of %d samples, transform %d, motion every %d frames\n",
               report.hrtf->name, report.hrtf->measured, report.hrtf->taps + report.hrtf->max_delay,
               report.transform, report.quantum);
    printf("latency of the engine %d frames (%.2f ms), one block, when played (the device's buffer and the "
           "ring come on "
           "top), none in files\nmemory of filters and histories %.1f MB\n",
           pn_renderer_block(renderer), 1e3 * pn_renderer_block(renderer) / pn_renderer_rate(renderer),
           1e-6 * (double)report.memory);
}

static cJSON *json_sources(const pn_renderer *renderer) {
    const pn_scene *scene = pn_renderer_scene(renderer);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < scene->source_count; ++i) {
        pn_source_report report;
        cJSON *one = cJSON_CreateObject();
        pn_renderer_describe_source(renderer, (int)i, &report);
        cJSON_AddStringToObject(one, "name", report.name);
        cJSON_AddStringToObject(one, "render", kind_of(&scene->sources[i]));
        if (scene->sources[i].clip != NULL)
            cJSON_AddStringToObject(one, "clip", scene->sources[i].clip);
        cJSON_AddNumberToObject(one, "start", seconds_of(renderer, report.start));
        cJSON_AddNumberToObject(one, "seconds", seconds_of(renderer, report.frames));
        if (report.file_rate > 0)
            cJSON_AddNumberToObject(one, "file_rate", report.file_rate);
        cJSON_AddBoolToObject(one, "heard", report.active);
        cJSON_AddItemToArray(list, one);
    }
    return list;
}

static cJSON *json_buses(const pn_renderer *renderer) {
    cJSON *list = cJSON_CreateArray();
    for (size_t b = 0; b < pn_renderer_scene(renderer)->bus_count; ++b) {
        pn_bus_report report;
        char plan[160];
        cJSON *one = cJSON_CreateObject();
        pn_renderer_describe_bus(renderer, (int)b, &report);
        cJSON_AddStringToObject(one, "name", report.name);
        cJSON_AddNumberToObject(one, "ir_channels", report.ir_channels);
        cJSON_AddNumberToObject(one, "ir_seconds", report.seconds);
        cJSON_AddNumberToObject(one, "predelay", seconds_of(renderer, report.predelay));
        if (report.plan != NULL) {
            cJSON_AddStringToObject(one, "plan", pn_plan_describe(report.plan, plan, sizeof plan));
            cJSON_AddNumberToObject(one, "predicted_us", report.plan->cost_us);
            cJSON_AddNumberToObject(one, "predicted_worst_us", report.plan->worst_us);
            cJSON_AddNumberToObject(one, "latency_frames", report.plan->block);
            cJSON_AddNumberToObject(one, "memory", report.plan->bytes);
        }
        cJSON_AddItemToArray(list, one);
    }
    return list;
}

static void print_json(const pn_renderer *renderer, const pn_messages *messages) {
    pn_renderer_report report;
    pn_renderer_describe(renderer, &report);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "device", pn_renderer_device(renderer));
    cJSON_AddNumberToObject(json, "rate", pn_renderer_rate(renderer));
    cJSON_AddNumberToObject(json, "block", pn_renderer_block(renderer));
    cJSON_AddNumberToObject(json, "frames", (double)report.frames);
    cJSON_AddNumberToObject(json, "seconds", seconds_of(renderer, report.frames));
    cJSON_AddNumberToObject(json, "longest_tail", seconds_of(renderer, report.tail));
    cJSON_AddNumberToObject(json, "memory", (double)report.memory);
    cJSON_AddNumberToObject(json, "latency_frames", pn_renderer_block(renderer));
    cJSON_AddItemToObject(json, "sources", json_sources(renderer));
    cJSON_AddItemToObject(json, "buses", json_buses(renderer));
    if (report.hrtf != NULL) {
        cJSON *hrtf = cJSON_AddObjectToObject(json, "hrtf");
        cJSON_AddStringToObject(hrtf, "name", report.hrtf->name);
        cJSON_AddNumberToObject(hrtf, "directions", report.hrtf->measured);
        cJSON_AddNumberToObject(hrtf, "transform", report.transform);
    }
    cJSON *warnings = cJSON_AddArrayToObject(json, "warnings");
    for (size_t i = 0; i < pn_messages_count(messages); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, i, &level);
        if (level == PINNA_WARNING)
            cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
    }
    char *text = cJSON_Print(json);
    printf("%s\n", text == NULL ? "{}" : text);
    cJSON_free(text);
    cJSON_Delete(json);
}

int pn_cmd_check(int argc, char **argv) {
    pn_session session = {.command = "check", .common.device = "auto"};
    const char *hrtf = NULL;
    double rate = 0;
    int block = 0;
    const pn_option options[] = {
        PN_OPTION_SCENE_HRTF(hrtf),        PN_OPTION_SCENE_RATE(rate),
        PN_OPTION_SCENE_BLOCK(block),      PN_OPTION_DEVICE(session.common),
        PN_OPTION_THREADS(session.common), PN_OPTION_QUIET(session.common),
        PN_OPTION_JSON(session.common),    {0},
    };
    const pn_command command = {
        "check",
        "SCENE [options]",
        "Everything but the rendering: reads the scene and all it names, and says what it holds, "
        "what is\nresampled, how long it is, how the reverbs are cut, latency and memory.",
        options,
        1,
        1};
    const char *arguments[1];
    int exit_status = pn_cli_parse(&command, argc, argv, arguments);
    if (exit_status >= 0)
        return exit_status;
    session.config = pn_session_config(&session.common, rate, block, hrtf);
    exit_status = pn_session_check(&session);
    if (exit_status >= 0)
        return exit_status;

    pn_messages *messages = pn_cli_messages(&session.common);
    pn_scene *scene = NULL;
    pn_renderer *renderer = NULL;
    pinna_error err = {0};
    pinna_status status = pn_load_scene(arguments[0], messages, &scene, &err);
    if (status == PINNA_OK)
        status = pn_renderer_create(scene, &session.config, messages, &renderer, &err);
    exit_status = status == PINNA_OK ? PN_EXIT_DONE : pn_cli_fail("check", &err);
    if (status == PINNA_OK && session.common.json)
        print_json(renderer, messages);
    else if (status == PINNA_OK)
        print_text(arguments[0], renderer);
    pn_renderer_free(renderer);
    pn_messages_free(messages);
    return exit_status;
}
