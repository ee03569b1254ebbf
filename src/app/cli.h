// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_CLI_H
#define PN_APP_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/messages.h"
#include "base/status.h"

/* What the subcommands share: options, messages, progress, interruption, exit status.
 * Exit status: 0 done, 1 failed, 2 wrong usage or not available. Results go to standard output, messages and
 * progress to standard error. */

enum { PN_EXIT_DONE = 0, PN_EXIT_FAILED = 1, PN_EXIT_USAGE = 2 };

typedef enum { PN_OPTION_FLAG, PN_OPTION_TEXT, PN_OPTION_NUMBER, PN_OPTION_INTEGER } pn_option_type;

typedef struct {
    const char *name;  /* "--rate" */
    const char *brief; /* "-r", or NULL */
    pn_option_type type;
    void *value;          /* bool *, const char **, double *, int *; holds the default; set only when given */
    const char *argument; /* "HZ", for the help; NULL for flags */
    const char *help;
} pn_option;

typedef struct {
    const char *name;         /* "render" */
    const char *usage;        /* "SCENE -o OUT [options]" */
    const char *about;        /* paragraphs for --help, lines of at most 100 characters */
    const pn_option *options; /* ended by a zeroed one */
    int min_arguments, max_arguments;
} pn_command;

/* Reads argv[1..] (argv[0] is the command's name). Options may stand anywhere, "--name value" or
 * "--name=value";
 * "--" ends them. Positional arguments go to arguments[0 .. max_arguments-1], NULL where absent. Returns -1
 * to go on, else the exit status (help printed, or a usage error told with a suggestion). */
int pn_cli_parse(const pn_command *command, int argc, char **argv, const char **arguments);

/* Options of most commands. */
typedef struct {
    const char *device;
    int threads;
    const char *encoding;
    int spectra; /* bits of responses' spectra on OpenCL devices; 0: 32 */
    bool quiet, json;
} pn_common;

#define PN_OPTION_OUTPUT(text)                                                                               \
    {                                                                                                        \
        "--output", "-o", PN_OPTION_TEXT, &(text), "OUT",                                                    \
            "the file to write (.wav .w64 .caf .aiff .flac .ogg .opus, or -)"                                \
    }
#define PN_OPTION_DEVICE(c)                                                                                  \
    {                                                                                                        \
        "--device", NULL, PN_OPTION_TEXT, &(c).device, "D",                                                  \
            "auto (default), cpu, opencl, or opencl:PLATFORM.DEVICE (see `pinna devices`)"                   \
    }
#define PN_OPTION_THREADS(c)                                                                                 \
    {                                                                                                        \
        "--threads", NULL, PN_OPTION_INTEGER, &(c).threads, "N",                                             \
            "our CPU threads (default: one per processor)"                                                   \
    }
#define PN_OPTION_SPECTRA(c)                                                                                 \
    {                                                                                                        \
        "--spectra", NULL, PN_OPTION_INTEGER, &(c).spectra, "BITS",                                          \
            "of long responses on an OpenCL device: 32, or 16 (half the memory, around -90 dB; it is told)"  \
    }
#define PN_OPTION_ENCODING(c)                                                                                \
    { "--encoding", NULL, PN_OPTION_TEXT, &(c).encoding, "E", "pcm16, pcm24, pcm32, f32 or f64" }
#define PN_OPTION_QUIET(c)                                                                                   \
    { "--quiet", "-q", PN_OPTION_FLAG, &(c).quiet, NULL, "only errors on standard error" }
#define PN_OPTION_JSON(c)                                                                                    \
    { "--json", NULL, PN_OPTION_FLAG, &(c).json, NULL, "one JSON document on standard output" }

/* Checks the values of device, threads, spectra and encoding. Returns -1, or the exit status of the usage error it told. */
int pn_cli_check_common(const char *command, const pn_common *common);

/* Messages of a command: each is printed on standard error as it comes (unless quiet) and kept. NULL when out
 * of memory, which everything accepts. */
pn_messages *pn_cli_messages(const pn_common *common);
/* Repeats the warnings (unless quiet), but one or two that nothing followed; call at the end. */
void pn_cli_repeat_warnings(const pn_common *common, const pn_messages *messages);

/* Prints "pinna COMMAND: error: text" and returns the exit status for it (2 for PINNA_UNSUPPORTED, else 1).
 */
int pn_cli_fail(const char *command, const pinna_error *err);
/* Prints a usage error in the same form, with a pointer to --help; returns PN_EXIT_USAGE. */
int pn_cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Progress on a terminal: a bar, the percentage, the real-time factor and the time left. Draws at most 10
 * times a second; nothing when quiet, or standard error is no terminal. audio_seconds of `total` are done. */
typedef struct {
    bool shown;
    double started, drawn; /* monotonic seconds */
    int width;
} pn_progress;
void pn_progress_start(pn_progress *progress, const pn_common *common);
void pn_progress_show(pn_progress *progress, double audio_seconds, double total);
/* The same for work that is no audio: a bar, the percentage, what is done. */
void pn_progress_part(pn_progress *progress, const char *what, double part);
void pn_progress_end(pn_progress *progress); /* clears the line */

double pn_monotonic_seconds(void);

/* After pn_interrupt_watch, Ctrl-C and SIGTERM set a flag instead of ending the program, so that a loop can
 * stop and clean up; a second one ends it at once, and takes unfinished files with it. */
void pn_interrupt_watch(void);
bool pn_interrupted(void);

/* Subcommands: argv[0] is the command's name; return the exit status. */
int pn_cmd_render(int argc, char **argv);
int pn_cmd_check(int argc, char **argv);
int pn_cmd_convolve(int argc, char **argv);
int pn_cmd_place(int argc, char **argv);
int pn_cmd_play(int argc, char **argv);
int pn_cmd_view(int argc, char **argv);
int pn_cmd_devices(int argc, char **argv);
int pn_cmd_hrtf(int argc, char **argv);
int pn_cmd_bench(int argc, char **argv);

#endif
