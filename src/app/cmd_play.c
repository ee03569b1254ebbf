// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <time.h>

#include "app/session.h"
#include "render/live.h"
#include "render/load.h"

typedef struct {
    const char *output;
    int buffer;
    double ahead_ms;
} play_options;

static pinna_status open_device(const play_options *options, const pn_renderer *renderer,
                                pn_messages *messages, pn_audio_device **device, pinna_error *err) {
    /* At least two blocks: one is played while the next is made. */
    double ahead_s = 1e-3 * options->ahead_ms,
           blocks_s = 2 * pn_renderer_block(renderer) / pn_renderer_rate(renderer);
    pn_audio_device_desc desc = {
        .name = options->output,
        .rate = pn_renderer_rate(renderer),
        .buffer = options->buffer,
        .ahead_s = ahead_s > blocks_s ? ahead_s : blocks_s,
    };
    pinna_status status = pn_audio_device_open(&desc, messages, device, err);
    if (status != PINNA_OK)
        return status;
    const pn_audio_device_info *info = pn_audio_device_get_info(*device);
    pn_info(messages,
            "playing on %s (%s): %.0f Hz, buffer of %d frames; latency %.1f ms with the ring of %zu frames",
            info->name, info->driver, info->rate, info->buffer,
            1e3 * (double)(info->ring_frames + (size_t)info->buffer) / info->rate, info->ring_frames);
    if (info->rate != desc.rate)
        pn_info(messages, "the mix is converted from %.0f to %.0f Hz for the device", desc.rate, info->rate);
    return PINNA_OK;
}

static void show(const pn_live_state *state, const pn_renderer *renderer, const pn_common *common,
                 pn_progress *progress) {
    double rate = pn_renderer_rate(renderer);
    if (progress->shown && !common->quiet) {
        fprintf(stderr, "\r%7.1f of %.1f s, %llu underrun%s ", (double)state->frames_rendered / rate,
                (double)pn_renderer_frames(renderer) / rate, (unsigned long long)state->underruns,
                state->underruns == 1 ? "" : "s");
        fflush(stderr);
        progress->width = 40;
    }
}

/* Until all is rendered and played, or Ctrl-C. */
static void wait_for_end(pn_live *live, pn_audio_device *device, const pn_renderer *renderer,
                         const pn_common *common, pn_progress *progress) {
    const pn_audio_device_info *info = pn_audio_device_get_info(device);
    struct timespec pause = {0, 50 * 1000 * 1000};
    pn_live_state state;
    do {
        nanosleep(&pause, NULL);
        pn_live_get_state(live, &state);
        show(&state, renderer, common, progress);
    } while (!state.finished && !pn_interrupted());
    /* What is still in the ring, and one buffer inside the device. */
    while (!pn_interrupted() && pn_audio_device_writable(device) < info->ring_frames)
        nanosleep(&pause, NULL);
    struct timespec buffer = {0, (long)(1e9 * info->buffer / info->rate) % 1000000000};
    if (!pn_interrupted())
        nanosleep(&buffer, NULL);
}

static pinna_status play(pn_renderer *renderer, const play_options *options, const pn_common *common,
                         pn_messages *messages, pinna_error *err) {
    pn_audio_device *device = NULL;
    pn_live *live = NULL;
    pn_progress progress;
    pinna_status status = open_device(options, renderer, messages, &device, err);
    if (status == PINNA_OK)
        status = pn_live_start(renderer, device, &live, err);
    if (status == PINNA_OK) {
        pn_progress_start(&progress, common);
        wait_for_end(live, device, renderer, common, &progress);
        pn_progress_end(&progress);
        pn_live_state state;
        pn_live_get_state(live, &state);
        status = pn_live_stop(live, err);
        if (status == PINNA_OK && state.underruns > 0)
            pn_warn(messages,
                    "%llu underrun%s: the device waited for samples and played silence; a larger --ahead or "
                    "--buffer "
                    "helps",
                    (unsigned long long)state.underruns, state.underruns == 1 ? "" : "s");
        if (status == PINNA_OK && !common->quiet)
            fprintf(stderr, "%s %.1f s, %llu underruns, on %s\n",
                    pn_interrupted() ? "stopped after" : "played",
                    (double)state.frames_rendered / pn_renderer_rate(renderer),
                    (unsigned long long)state.underruns, pn_renderer_device(renderer));
    }
    pn_audio_device_close(device);
    return status;
}

int pn_cmd_play(int argc, char **argv) {
    pn_session session = {.command = "play", .common.device = "auto"};
    play_options play_with = {.ahead_ms = 80};
    const char *hrtf = NULL;
    int block = 0;
    const pn_option options[] = {
        {"--output", "-o", PN_OPTION_TEXT, &play_with.output, "NAME", "audio output (see pinna devices)"},
        {"--buffer", NULL, PN_OPTION_INTEGER, &play_with.buffer, "N", "frames the device asks for at a time"},
        {"--ahead", NULL, PN_OPTION_NUMBER, &play_with.ahead_ms, "MS",
         "how far ahead of the device to render (default 80)"},
        PN_OPTION_SCENE_HRTF(hrtf),
        PN_OPTION_SCENE_BLOCK(block),
        PN_OPTION_DEVICE(session.common),
        PN_OPTION_THREADS(session.common),
        PN_OPTION_SPECTRA(session.common),
        PN_OPTION_QUIET(session.common),
        {0},
    };
    const pn_command command = {
        "play",
        "SCENE [options]",
        "Plays a scene live through SDL2. The samples are those of `pinna render`; when the "
        "device runs\nat another rate they are converted once. Ctrl-C stops.",
        options,
        1,
        1};
    const char *arguments[1];
    int exit_status = pn_cli_parse(&command, argc, argv, arguments);
    if (exit_status >= 0)
        return exit_status;
    if (play_with.buffer < 0 || play_with.buffer > 32768 || (play_with.buffer & (play_with.buffer - 1)) != 0)
        return pn_cli_usage("play", "--buffer %d: expected a power of two up to 32768", play_with.buffer);
    if (!(play_with.ahead_ms >= 1 && play_with.ahead_ms <= 60000))
        return pn_cli_usage("play", "--ahead %g: expected 1 to 60000 milliseconds", play_with.ahead_ms);
    session.config = pn_session_config(&session.common, 0, block, hrtf);
    exit_status = pn_session_check(&session);
    if (exit_status >= 0)
        return exit_status;

    pn_messages *messages = pn_cli_messages(&session.common);
    pn_scene *scene = NULL;
    pn_renderer *renderer = NULL;
    pinna_error err = {0};
    pn_interrupt_watch();
    pinna_status status = pn_load_scene(arguments[0], messages, &scene, &err);
    if (status == PINNA_OK)
        status = pn_renderer_create(scene, &session.config, messages, &renderer, &err);
    if (status == PINNA_OK)
        status = play(renderer, &play_with, &session.common, messages, &err);
    exit_status = status == PINNA_OK ? PN_EXIT_DONE : pn_cli_fail("play", &err);
    pn_renderer_free(renderer);
    pn_messages_free(messages);
    return exit_status;
}
