// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <cjson/cJSON.h>

#include "app/cli.h"
#include "base/memory.h"
#include "base/threads.h"
#include "device/opencl_device.h"
#include "io/audio_device.h"
#include "signal/rafft.h"

/* Everything is gathered as one JSON document; the text for people is a view of it:
 *   cpu      {name, description, processors, simd[], usable, self_test[], problem}
 *   opencl   {problem, devices[{name, platform, device, type, ..., widths, widths_from, tuning[], tuning_problem, usable,
 *             self_test[], problem}]}
 *   audio    {driver, outputs[], problem} */

static void add_line(void *lines, const char *line) {
    cJSON_AddItemToArray(lines, cJSON_CreateString(line));
}

/* usable, and problem where it is not. */
static void add_verdict(cJSON *to, pinna_status status, const pinna_error *err) {
    cJSON_AddBoolToObject(to, "usable", status == PINNA_OK);
    if (status != PINNA_OK)
        cJSON_AddStringToObject(to, "problem", err->text);
}

static cJSON *look_at_cpu(void) {
    cJSON *cpu = cJSON_CreateObject();
    pn_simd kinds[4];
    int count = pn_simd_available(kinds);
    cJSON_AddStringToObject(cpu, "name", "cpu");
    cJSON_AddNumberToObject(cpu, "processors", pn_processor_count());
    cJSON *simd = cJSON_AddArrayToObject(cpu, "simd");
    for (int i = 0; i < count; ++i)
        add_line(simd, pn_simd_name(kinds[i]));
    pn_backend *backend = NULL;
    pinna_error err = {0};
    cJSON *lines = cJSON_AddArrayToObject(cpu, "self_test");
    pinna_status status = pn_backend_cpu_open(NULL, &backend, &err);
    if (status == PINNA_OK) {
        cJSON_AddStringToObject(cpu, "description", backend->description);
        status = pn_backend_selftest(backend, add_line, lines, &err);
    }
    add_verdict(cpu, status, &err);
    pn_backend_close(backend);
    return cpu;
}

/* The tuning's lines come as they are found: it takes its time. */
typedef struct {
    cJSON *lines;
    pn_progress progress;
} tuning;

static void tell_line(void *user, const char *line) {
    tuning *t = user;
    pn_progress_end(&t->progress);
    fprintf(stderr, "  %s\n", line);
    add_line(t->lines, line);
}

static void show_progress(void *user, int done, int of) {
    tuning *t = user;
    pn_progress_part(&t->progress, "of the widths", (double)done / of);
}

static void tune_device(const pn_opencl_info *info, const char *name, cJSON *device) {
    const pn_common common = {0};
    pinna_error err = {0};
    tuning t = {.lines = cJSON_AddArrayToObject(device, "tuning")};
    const pn_opencl_tune_listener listener = {tell_line, show_progress, &t};
    fprintf(
        stderr,
        "%s: its kernels are built and timed with other widths; this may take a minute or two, and changes "
        "nothing before its end\n",
        name);
    pn_progress_start(&t.progress, &common);
    pinna_status status = pn_opencl_tune(info, &listener, &err);
    pn_progress_end(&t.progress);
    if (status != PINNA_OK)
        cJSON_AddStringToObject(device, "tuning_problem", err.text);
}

static void add_widths(const pn_backend *backend, cJSON *device) {
    static const char *const from[] = {[PN_OPENCL_USUAL] = "usual",
                                       [PN_OPENCL_TUNED] = "tuned",
                                       [PN_OPENCL_DAMAGED] = "usual, tuning damaged"};
    const pn_opencl *opened = (const pn_opencl *)backend;
    char text[160];
    cJSON_AddStringToObject(device, "widths", pn_opencl_widths_describe(&opened->widths, text, sizeof text));
    cJSON_AddStringToObject(device, "widths_from", from[opened->tuning]);
}

static cJSON *look_at_device(const pn_opencl_info *info, bool tune) {
    cJSON *device = cJSON_CreateObject();
    char name[32];
    snprintf(name, sizeof name, info->device < 0 ? "opencl:%d" : "opencl:%d.%d", info->platform,
             info->device);
    cJSON_AddStringToObject(device, "name", name);
    cJSON_AddStringToObject(device, "platform", info->platform_name);
    cJSON *lines = cJSON_AddArrayToObject(device, "self_test");
    if (info->device >= 0) {
        cJSON_AddStringToObject(device, "device", info->name);
        cJSON_AddStringToObject(device, "type", pn_opencl_type_name(info->type));
        cJSON_AddStringToObject(device, "version", info->version);
        cJSON_AddStringToObject(device, "driver", info->driver);
        cJSON_AddNumberToObject(device, "memory_bytes", (double)info->memory);
        cJSON_AddNumberToObject(device, "max_allocation_bytes", (double)info->max_alloc);
        cJSON_AddNumberToObject(device, "compute_units", info->units);
    }
    pn_backend *backend = NULL;
    pinna_error err = {0};
    if (tune && info->problem[0] == '\0')
        tune_device(info, name, device);
    pinna_status status = pn_opencl_try(info, add_line, lines, &backend, &err);
    if (status == PINNA_OK)
        add_widths(backend, device);
    add_verdict(device, status, &err);
    pn_backend_close(backend);
    return device;
}

static cJSON *look_at_opencl(bool tune) {
    cJSON *opencl = cJSON_CreateObject(), *devices = cJSON_AddArrayToObject(opencl, "devices");
    pn_opencl_info *list = NULL;
    int count = 0;
    pinna_error err = {0};
    if (pn_opencl_list(&list, &count, &err) != PINNA_OK)
        cJSON_AddStringToObject(opencl, "problem", err.text);
    for (int i = 0; i < count; ++i)
        cJSON_AddItemToArray(devices, look_at_device(&list[i], tune));
    pn_free(list);
    return opencl;
}

static cJSON *look_at_audio(void) {
    cJSON *audio = cJSON_CreateObject(), *outputs = cJSON_AddArrayToObject(audio, "outputs");
    const char *driver = NULL;
    pinna_error err = {0};
    if (pn_audio_device_list(add_line, outputs, &driver, &err) != PINNA_OK)
        cJSON_AddStringToObject(audio, "problem", err.text);
    if (driver != NULL)
        cJSON_AddStringToObject(audio, "driver", driver);
    return audio;
}

/* ------------------------------------------------------------------ for people */

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text == NULL ? "" : text;
}

static double number_of(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

/* What it passed; why it is not used, unless the last line says so already. */
static void print_tests(const cJSON *device) {
    const cJSON *line = NULL;
    cJSON_ArrayForEach(line, cJSON_GetObjectItemCaseSensitive(device, "self_test"))
        printf("    %s\n", cJSON_GetStringValue(line));
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(device, "usable")))
        printf("    not usable: %s\n", text_of(device, "problem"));
}

static void print_cpu(const cJSON *cpu) {
    const cJSON *kind = NULL;
    double processors = number_of(cpu, "processors");
    printf("CPU\n  cpu: %s, %.0f processor%s\n    arithmetic:", text_of(cpu, "description"), processors,
           processors == 1 ? "" : "s");
    cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(cpu, "simd"))
        printf(" %s", cJSON_GetStringValue(kind));
    printf("\n");
    print_tests(cpu);
}

static void print_opencl(const cJSON *opencl) {
    const cJSON *devices = cJSON_GetObjectItemCaseSensitive(opencl, "devices"), *device = NULL;
    const char *problem = text_of(opencl, "problem");
    printf("OpenCL\n");
    if (problem[0] != '\0')
        printf("  none: %s\n", problem);
    else if (cJSON_GetArraySize(devices) == 0)
        printf("  none: no platform has a device; install a driver (Debian: pocl-opencl-icd for the "
               "processor)\n");
    cJSON_ArrayForEach(device, devices) {
        printf("  %s: %s", text_of(device, "name"), text_of(device, "platform"));
        if (text_of(device, "device")[0] != '\0')
            printf(", %s (%s)\n    %.0f compute units, %.1f GB of memory, %.1f GB in one piece; driver %s",
                   text_of(device, "device"), text_of(device, "type"), number_of(device, "compute_units"),
                   number_of(device, "memory_bytes") * 1e-9, number_of(device, "max_allocation_bytes") * 1e-9,
                   text_of(device, "driver"));
        printf("\n");
        if (text_of(device, "widths")[0] != '\0')
            printf("    %s (%s)\n", text_of(device, "widths"), text_of(device, "widths_from"));
        if (text_of(device, "tuning_problem")[0] != '\0')
            printf("    not tuned: %s\n", text_of(device, "tuning_problem"));
        print_tests(device);
    }
}

static void print_audio(const cJSON *audio) {
    const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(audio, "outputs"), *output = NULL;
    const char *problem = text_of(audio, "problem"), *driver = text_of(audio, "driver");
    printf("audio outputs%s%s%s\n", driver[0] == '\0' ? "" : " (", driver, driver[0] == '\0' ? "" : ")");
    if (cJSON_GetArraySize(outputs) == 0)
        printf("  none%s%s\n", problem[0] == '\0' ? "" : ": ", problem);
    cJSON_ArrayForEach(output, outputs) printf("  %s\n", cJSON_GetStringValue(output));
}

static int print_json(const cJSON *all) {
    char *text = cJSON_Print(all);
    if (text == NULL) {
        pinna_error err;
        pn_fail_memory(&err, "the JSON text", 16384);
        return pn_cli_fail("devices", &err);
    }
    printf("%s\n", text);
    cJSON_free(text);
    return PN_EXIT_DONE;
}

int pn_cmd_devices(int argc, char **argv) {
    pn_common common = {0};
    bool tune = false;
    const pn_option options[] = {
        {"--tune", NULL, PN_OPTION_FLAG, &tune, NULL,
         "find each OpenCL device's fastest kernel widths, and keep them (results stay the same)"},
        PN_OPTION_JSON(common),
        {0}};
    const pn_command command = {
        "devices",
        "[--tune] [--json]",
        "Lists what can compute: the CPU, and the OpenCL devices by the names that --device takes, with the "
        "error of\n"
        "each job in its self-test against float64; and the audio outputs that `pinna play` can use. Kernels "
        "are\nbuilt with widths that suit a device's type, until --tune has found and kept better ones for "
        "it.",
        options,
        0,
        0};
    const char *none[1] = {NULL};
    int status = pn_cli_parse(&command, argc, argv, none);
    if (status >= 0)
        return status;
    cJSON *all = cJSON_CreateObject();
    cJSON *cpu = look_at_cpu(), *opencl = look_at_opencl(tune), *audio = look_at_audio();
    cJSON_AddItemToObject(all, "cpu", cpu);
    cJSON_AddItemToObject(all, "opencl", opencl);
    cJSON_AddItemToObject(all, "audio", audio);
    if (common.json) {
        status = print_json(all);
    } else {
        print_cpu(cpu);
        print_opencl(opencl);
        print_audio(audio);
        status = PN_EXIT_DONE;
    }
    cJSON_Delete(all);
    return status;
}
