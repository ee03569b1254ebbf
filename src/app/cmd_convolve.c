// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "app/cli.h"
#include "app/convolution.h"
#include "app/session.h"
#include "base/memory.h"
#include "base/text.h"
#include "mix/pan.h"

static void add_level(cJSON *json, const char *name, double level) {
    if (isfinite(level))
        cJSON_AddNumberToObject(json, name, round(level * 100) / 100);
    else
        cJSON_AddNullToObject(json, name);
}

static void add_warnings(cJSON *json, const pn_messages *messages) {
    cJSON *warnings = cJSON_AddArrayToObject(json, "warnings");
    for (size_t i = 0; i < pn_messages_count(messages); ++i) {
        pinna_message_level level;
        const char *text = pn_messages_get(messages, i, &level);
        if (level == PINNA_WARNING)
            cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
    }
}

static double speed(const pn_convolution_result *r) {
    return r->seconds > 0 ? (double)r->frames / r->rate / r->seconds : 0;
}

static void print_json(const pn_convolution *job, const pn_convolution_result *r, const pn_messages *messages,
                       FILE *to) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "output", job->out);
    cJSON_AddStringToObject(json, "device", r->device);
    cJSON_AddNumberToObject(json, "frames", (double)r->frames);
    cJSON_AddNumberToObject(json, "rate", r->rate);
    cJSON_AddNumberToObject(json, "channels", r->channels);
    cJSON_AddStringToObject(json, "encoding", r->encoding);
    cJSON_AddNumberToObject(json, "seconds", (double)r->frames / r->rate);
    cJSON_AddNumberToObject(json, "realtime_factor", speed(r));
    cJSON_AddStringToObject(json, "layout", r->layout);
    cJSON_AddStringToObject(json, "plan", r->plan);
    cJSON_AddNumberToObject(json, "ir_frames", (double)r->frames_ir);
    cJSON_AddNumberToObject(json, "ir_channels", r->channels_ir);
    add_level(json, "peak_dbfs", pn_gain_to_db(r->peak));
    add_level(json, "normalize_db", job->normalize ? r->gain_db : NAN);
    cJSON_AddNumberToObject(json, "clipped_samples", (double)r->clipped);
    add_warnings(json, messages);
    char *text = cJSON_Print(json);
    fprintf(to, "%s\n", text == NULL ? "{}" : text);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void print_text(const pn_convolution *job, const pn_convolution_result *r, FILE *to) {
    char length[32], response[32];
    double peak = pn_gain_to_db(r->peak);
    fprintf(to, "%s: %s, %d channel%s, %.0f Hz, %s\n",
            pn_is_standard_output(job->out) ? "standard output" : job->out,
            pn_format_seconds((double)r->frames / r->rate, length, sizeof length), r->channels,
            r->channels == 1 ? "" : "s", r->rate, r->encoding);
    fprintf(to, "  %d x %d, %s; response of %s\n", r->channels_in, r->channels, r->layout,
            pn_format_seconds((double)r->frames_ir / r->rate, response, sizeof response));
    if (isfinite(peak))
        fprintf(to, "  peak %.2f dBFS", peak);
    else
        fprintf(to, "  silence");
    if (r->clipped > 0)
        fprintf(to, ", %llu samples clipped", (unsigned long long)r->clipped);
    fprintf(to, "\n  done in %.2f s on %s, %.0f times real time\n", r->seconds, r->device, speed(r));
}

static bool on_progress(void *user, uint64_t done, uint64_t total, double rate) {
    pn_progress_show(user, (double)done / rate, (double)total / rate);
    return !pn_interrupted();
}

/* "IR2@TIME", at the last @. Returns -1 or an exit status; *path is allocated. */
static int parse_swap(const char *text, char **path, double *time) {
    const char *at = strrchr(text, '@');
    if (at == NULL || at == text || !pn_parse_number(at + 1, time) || *time < 0)
        return pn_cli_usage(
            "convolve", "--swap %s: expected IR2@TIME, a file and a time in seconds, as in b.wav@2.5", text);
    *path = pn_strdup(text);
    if (*path != NULL)
        (*path)[at - text] = '\0';
    return *path != NULL ? -1 : PN_EXIT_FAILED;
}

static int check(const pn_common *common, double wet, double dry, pn_encoding *encoding) {
    if (fabs(wet) > 200)
        return pn_cli_usage("convolve", "--wet %g: expected -200 to 200 dB", wet);
    if (!isnan(dry) && fabs(dry) > 200)
        return pn_cli_usage("convolve", "--dry %g: expected -200 to 200 dB", dry);
    if (common->encoding != NULL)
        pn_encoding_parse(common->encoding, encoding); /* false: told by the check of all commands */
    return pn_cli_check_common("convolve", common);
}

static int run(pn_convolution *job, const pn_common *common) {
    pn_messages *messages = pn_cli_messages(common);
    pn_convolution_result result;
    pn_progress bar;
    pinna_error err = {0};
    pn_interrupt_watch();
    pn_progress_start(&bar, common);
    job->progress = on_progress;
    job->progress_user = &bar;
    pinna_status status = pn_convolution_run(job, messages, &result, &err);
    pn_progress_end(&bar);
    int exit_status = status == PINNA_OK ? PN_EXIT_DONE : pn_cli_fail("convolve", &err);
    if (status == PINNA_OK) {
        /* With the audio itself on standard output the summary goes to standard error. */
        FILE *to = pn_is_standard_output(job->out) ? stderr : stdout;
        pn_cli_repeat_warnings(common, messages);
        if (common->json)
            print_json(job, &result, messages, to);
        else if (!common->quiet)
            print_text(job, &result, to);
    }
    pn_messages_free(messages);
    return exit_status;
}

int pn_cmd_convolve(int argc, char **argv) {
    pn_convolution job = {0};
    pn_common common = {.device = "auto"};
    const char *swap = NULL;
    double wet = 0, dry = NAN;
    const pn_option options[] = {
        PN_OPTION_OUTPUT(job.out),
        {"--wet", NULL, PN_OPTION_NUMBER, &wet, "DB", "level of the convolved sound (default 0)"},
        {"--dry", NULL, PN_OPTION_NUMBER, &dry, "DB", "level of the input beside it (default: none)"},
        {"--swap", NULL, PN_OPTION_TEXT, &swap, "IR2@TIME",
         "from TIME (seconds) on another response, crossfaded in 20 ms"},
        {"--normalize", NULL, PN_OPTION_FLAG, &job.normalize, NULL,
         "scale to a peak of -1 dBFS over all channels"},
        PN_OPTION_DEVICE(common),
        PN_OPTION_THREADS(common),
        PN_OPTION_SPECTRA(common),
        PN_OPTION_ENCODING(common),
        PN_OPTION_QUIET(common),
        PN_OPTION_JSON(common),
        {0},
    };
    const pn_command command = {
        "convolve",
        "IN IR -o OUT [options]",
        "Convolves IN with the impulse response IR: exactly linear, no scaling, of length IN + IR - 1.\n"
        "A mono IR serves every channel; one with as many channels as IN goes channel by channel; a mono IN\n"
        "gives one output for each channel of IR; 4 channels on a stereo IN are true stereo LL, LR, RL, RR.\n"
        "An IR of another rate is resampled to that of IN. OUT appears under its name when it is complete.",
        options,
        2,
        2};
    const char *arguments[2];
    int exit_status = pn_cli_parse(&command, argc, argv, arguments);
    if (exit_status >= 0)
        return exit_status;
    if (job.out == NULL)
        return pn_cli_usage("convolve", "no output: add -o OUT.wav");
    exit_status = check(&common, wet, dry, &job.encoding);
    char *swap_path = NULL;
    if (exit_status < 0 && swap != NULL)
        exit_status = parse_swap(swap, &swap_path, &job.swap_s);
    if (exit_status >= 0)
        return exit_status;
    job.in = arguments[0];
    job.ir = arguments[1];
    job.swap_ir = swap_path;
    job.wet_gain = pn_db_to_gain(wet);
    job.dry_gain = isnan(dry) ? 0 : pn_db_to_gain(dry);
    job.device = common.device;
    job.threads = common.threads;
    job.spectra = common.spectra;
    exit_status = run(&job, &common);
    pn_free(swap_path);
    return exit_status;
}
