// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/cli.h"
#include "base/text.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"render", pn_cmd_render, "render a scene to a file"},
    {"check", pn_cmd_check, "everything but the rendering: what a scene holds, what it would cost"},
    {"convolve", pn_cmd_convolve, "convolve a file with an impulse response"},
    {"place", pn_cmd_place, "put one file into a direction, or on an orbit"},
    {"play", pn_cmd_play, "play a scene live"},
    {"view", pn_cmd_view, "the panning window"},
    {"devices", pn_cmd_devices, "compute and audio devices, and what they pass"},
    {"hrtf", pn_cmd_hrtf, "what is in a SOFA file"},
    {"bench", pn_cmd_bench, "how fast this machine convolves and spatialises"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *to) {
    fprintf(to,
            "pinna " PINNA_VERSION ": spatial audio for headphones\n\nusage: pinna COMMAND [options]\n\n");
    for (int i = 0; i < COMMANDS; ++i)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].about);
    fprintf(to, "\npinna COMMAND --help tells more. To hear something: pinna render builtin -o demo.wav\n");
}

static int unknown_command(const char *word) {
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; ++i)
        names[i] = commands[i].name;
    const char *near = pn_nearest_word(word, names);
    fprintf(stderr, "pinna: unknown command '%s'", word);
    if (near != NULL)
        fprintf(stderr, "; did you mean '%s'?", near);
    fprintf(stderr, " (see pinna --help)\n");
    return PN_EXIT_USAGE;
}

/* Results that could not be written (a full disk) are a failure. */
static int finish(int exit_status) {
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return exit_status;
    fprintf(stderr, "pinna: error: standard output: cannot write: %s\n", strerror(errno));
    return exit_status == PN_EXIT_DONE ? PN_EXIT_FAILED : exit_status;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return PN_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return PN_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("pinna %s\n", pinna_version());
        return PN_EXIT_DONE;
    }
    for (int i = 0; i < COMMANDS; ++i) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return unknown_command(argv[1]);
}

int main(int argc, char **argv) {
    return finish(run(argc, argv));
}
