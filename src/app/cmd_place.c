// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <math.h>

#include "app/session.h"
#include "base/memory.h"

typedef struct {
    double azimuth, elevation, distance, orbit;
    double rate;
} placing;

/* A scene of one source: the file, in a direction or on an orbit about the listener. */
static pinna_status make_scene(const char *in, const placing *p, pn_scene **out, pinna_error *err) {
    pn_scene *scene = pn_scene_create();
    pn_source *source = scene == NULL ? NULL : pn_scene_add_source(scene, "place");
    if (source != NULL)
        source->clip = pn_strdup(in);
    if (source == NULL || source->clip == NULL) {
        pn_scene_free(scene);
        return pn_fail_memory(err, "the scene", 0);
    }
    double azimuth = pn_radians(p->azimuth), elevation = pn_radians(p->elevation);
    scene->rate = p->rate;
    if (p->orbit != 0) {
        source->has_orbit = 1;
        source->orbit =
            (pn_orbit){p->orbit, p->distance * cos(elevation), p->distance * sin(elevation), p->azimuth};
        source->position = (pn_vec3){0, 0, 0};
    } else {
        source->has_position = 1;
        source->position = pn_vec_from_polar(azimuth, elevation, p->distance);
    }
    *out = scene;
    return PINNA_OK;
}

/* Without --rate the file's own rate is kept where the renderer takes it; float in, float out. */
static pinna_status look_at_input(const char *in, placing *p, pn_encoding *encoding, pinna_error *err) {
    pn_audio_reader *reader = NULL;
    pinna_status status = pn_audio_reader_open(in, NULL, &reader, err);
    if (status != PINNA_OK)
        return status;
    const pn_audio_info *info = pn_audio_reader_info(reader);
    *encoding = info->is_float ? PN_ENCODING_F32 : PN_ENCODING_PCM24;
    if (p->rate == 0)
        p->rate = info->rate >= 8000 && info->rate <= 384000 ? info->rate : 48000;
    pn_audio_reader_free(reader);
    return PINNA_OK;
}

static int check_placing(const placing *p) {
    if (p->elevation < -90 || p->elevation > 90)
        return pn_cli_usage("place", "--elevation %g: expected -90 to 90 degrees", p->elevation);
    if (!(p->distance >= 0 && p->distance <= 1e6))
        return pn_cli_usage("place", "--distance %g: expected 0 to 1000000 metres", p->distance);
    if (fabs(p->azimuth) > 1e6)
        return pn_cli_usage("place", "--azimuth %g: expected degrees", p->azimuth);
    if (p->orbit != 0 && !(fabs(p->orbit) >= 0.001 && fabs(p->orbit) <= 1e6))
        return pn_cli_usage("place",
                            "--orbit %g: expected 0.001 to 1000000 seconds a turn, negative for clockwise",
                            p->orbit);
    return -1;
}

int pn_cmd_place(int argc, char **argv) {
    pn_session session = {.command = "place", .common.device = "auto"};
    placing p = {.distance = 1};
    const char *hrtf = NULL;
    int block = 0;
    const pn_option options[] = {
        PN_OPTION_OUTPUT(session.out),
        {"--azimuth", "-a", PN_OPTION_NUMBER, &p.azimuth, "DEG", "counter-clockwise, +90 = left (default 0)"},
        {"--elevation", "-e", PN_OPTION_NUMBER, &p.elevation, "DEG", "up (default 0)"},
        {"--distance", "-d", PN_OPTION_NUMBER, &p.distance, "M", "metres; 1 m is 0 dB (default 1)"},
        {"--orbit", NULL, PN_OPTION_NUMBER, &p.orbit, "S",
         "circle the listener once in S seconds, counter-clockwise, from the azimuth on"},
        {"--hrtf", NULL, PN_OPTION_TEXT, &hrtf, "F", "a SOFA file instead of the built-in set"},
        {"--rate", NULL, PN_OPTION_NUMBER, &p.rate, "R", "Hz (default: the file's)"},
        {"--block", NULL, PN_OPTION_INTEGER, &block, "N", "frames, a power of two (default 256)"},
        PN_OPTION_DEVICE(session.common),
        PN_OPTION_THREADS(session.common),
        PN_OPTION_ENCODING(session.common),
        PN_OPTION_QUIET(session.common),
        PN_OPTION_JSON(session.common),
        {0},
    };
    const pn_command command = {"place",
                                "IN -o OUT [options]",
                                "One file through the HRTF: a direction, or an orbit about the listener.",
                                options,
                                1,
                                1};
    const char *arguments[1];
    int exit_status = pn_cli_parse(&command, argc, argv, arguments);
    if (exit_status >= 0)
        return exit_status;
    if (session.out == NULL)
        return pn_cli_usage("place", "no output: add -o OUT.wav");
    session.config = pn_session_config(&session.common, p.rate, block, hrtf);
    exit_status = pn_session_check(&session);
    if (exit_status < 0)
        exit_status = check_placing(&p);
    if (exit_status >= 0)
        return exit_status;

    pn_messages *messages = pn_cli_messages(&session.common);
    pn_scene *scene = NULL;
    pinna_error err = {0};
    pinna_status status = look_at_input(arguments[0], &p, &session.fallback_encoding, &err);
    if (status == PINNA_OK)
        status = make_scene(arguments[0], &p, &scene, &err);
    exit_status =
        status == PINNA_OK ? pn_session_render(&session, scene, messages) : pn_cli_fail("place", &err);
    pn_messages_free(messages);
    return exit_status;
}
