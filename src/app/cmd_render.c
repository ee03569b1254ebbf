// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/session.h"
#include "render/load.h"

int pn_cmd_render(int argc, char **argv) {
    pn_session session = {
        .command = "render", .common.device = "auto", .fallback_encoding = PN_ENCODING_PCM24};
    const char *hrtf = NULL, *stems = NULL;
    double rate = 0;
    int block = 0;
    const pn_option options[] = {
        PN_OPTION_OUTPUT(session.out),
        PN_OPTION_SCENE_HRTF(hrtf),
        PN_OPTION_SCENE_RATE(rate),
        PN_OPTION_SCENE_BLOCK(block),
        {"--stems", NULL, PN_OPTION_TEXT, &stems, "DIR", "one file for each source (not available yet)"},
        PN_OPTION_DEVICE(session.common),
        PN_OPTION_THREADS(session.common),
        PN_OPTION_SPECTRA(session.common),
        PN_OPTION_ENCODING(session.common),
        PN_OPTION_QUIET(session.common),
        PN_OPTION_JSON(session.common),
        {0},
    };
    const pn_command command = {
        "render",
        "SCENE -o OUT [options]",
        "Renders a scene (YAML) to a stereo file for headphones. SCENE \"builtin\" is the demo scene.\n"
        "The file appears under its name only when it is complete.",
        options,
        1,
        1};
    const char *arguments[1];
    int exit_status = pn_cli_parse(&command, argc, argv, arguments);
    if (exit_status >= 0)
        return exit_status;
    if (session.out == NULL)
        return pn_cli_usage("render", "no output: add -o OUT.wav");
    if (stems != NULL)
        return pn_cli_usage("render", "--stems is not available yet in this version");
    session.config = pn_session_config(&session.common, rate, block, hrtf);
    exit_status = pn_session_check(&session);
    if (exit_status >= 0)
        return exit_status;

    pn_messages *messages = pn_cli_messages(&session.common);
    pn_scene *scene = NULL;
    pinna_error err = {0};
    if (pn_load_scene(arguments[0], messages, &scene, &err) != PINNA_OK)
        exit_status = pn_cli_fail("render", &err);
    else
        exit_status = pn_session_render(&session, scene, messages);
    pn_messages_free(messages);
    return exit_status;
}
