// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include <limits.h>
#include <math.h>
#include <string.h>

#include "app/bench.h"

enum { NOT_GIVEN = INT_MIN };

/* Options of the other benchmark would change nothing. */
static int check_kind(const pn_bench_options *o, bool binaural, const char *kind) {
    const struct {
        const char *name;
        bool given, binaural;
    } options[] = {{"--channels", o->channels != NOT_GIVEN, false},
                   {"--matrix", o->matrix != NULL, false},
                   {"--ir", !isnan(o->ir), false},
                   {"--live", o->live, false},
                   {"--offline", o->offline, false},
                   {"--edit", o->edit != NOT_GIVEN, false},
                   {"--spectra", o->common.spectra != 0, false},
                   {"--sources", o->sources != NOT_GIVEN, true},
                   {"--taps", o->taps != NOT_GIVEN, true},
                   {"--hrtf", o->hrtf != NULL, true},
                   {"--still", o->still, true},
                   {"--steps", o->steps != NOT_GIVEN, true},
                   {"--doppler", o->doppler, true}};
    if (!binaural && strcmp(kind, "convolve") != 0)
        return pn_cli_usage("bench", "'%s' is no benchmark; expected convolve or binaural", kind);
    for (size_t n = 0; n < sizeof options / sizeof options[0]; ++n) {
        if (options[n].given && options[n].binaural != binaural)
            return pn_cli_usage("bench", "%s is for pinna bench %s", options[n].name,
                                binaural ? "convolve" : "binaural");
    }
    if (o->matrix != NULL && o->channels != NOT_GIVEN)
        return pn_cli_usage("bench", "--channels and --matrix exclude each other");
    if (o->live && o->offline)
        return pn_cli_usage("bench", "--live and --offline exclude each other");
    if (o->offline && o->block != NOT_GIVEN)
        return pn_cli_usage("bench",
                            "--block and --offline exclude each other: whole files have blocks of their own");
    return -1;
}

static int or_default(int given, int value) {
    return given != NOT_GIVEN ? given : value;
}

static void set_defaults(pn_bench_options *o) {
    o->channels = or_default(o->channels, 8);
    o->ir = isnan(o->ir) ? 10 : o->ir;
    o->edit = or_default(o->edit, 0);
    o->sources = or_default(o->sources, 64);
    o->taps = or_default(o->taps, 224);
    o->steps = or_default(o->steps, 1);
    o->block = or_default(o->block, 256);
}

static int check_options(const pn_bench_options *options) {
    int block = options->block;
    size_t name = options->plot == NULL ? 0 : strlen(options->plot);
    if (block < 32 || block > 8192 || (block & (block - 1)) != 0)
        return pn_cli_usage("bench", "--block: %d, expected a power of two, 32..8192", block);
    if (!(options->seconds > 0 && options->seconds <= 3600))
        return pn_cli_usage("bench", "--seconds: %g, expected more than 0, up to 3600", options->seconds);
    if (options->plot != NULL && (name < 4 || strcmp(options->plot + name - 4, ".svg") != 0))
        return pn_cli_usage("bench", "--plot: '%s' does not end in .svg", options->plot);
    if (options->edit < 0 || options->edit > 100000)
        return pn_cli_usage("bench", "--edit: %d, expected 0..100000", options->edit);
    if (options->sources < 1 || options->sources > 65536)
        return pn_cli_usage("bench", "--sources: %d, expected 1..65536", options->sources);
    if (options->taps < 64 || options->taps > 8192)
        return pn_cli_usage("bench", "--taps: %d, expected 64..8192", options->taps);
    if (options->steps != 1 && options->steps != 2 && options->steps != 4)
        return pn_cli_usage("bench", "--steps: %d, expected 1, 2 or 4", options->steps);
    return pn_cli_check_common("bench", &options->common);
}

static pinna_status run(pn_bench_options *options, bool binaural, pinna_error *err) {
    pn_messages *messages = pn_cli_messages(&options->common);
    pn_pool *pool = NULL;
    pn_backend *backend = NULL;
    pinna_status status = pn_pool_create(options->common.threads, &pool, err);
    options->common.threads = pn_pool_threads(pool);
    if (status == PINNA_OK)
        status = pn_backend_open(options->common.device, pool, messages, &backend, err);
    if (status == PINNA_OK && !binaural)
        status = pn_backend_set_spectra(backend, options->common.spectra, messages, err);
    if (status == PINNA_OK && binaural)
        status = pn_bench_binaural(options, backend, messages, err);
    else if (status == PINNA_OK)
        status = pn_bench_convolve(options, pool, backend, messages, err);
    pn_backend_close(backend);
    pn_pool_free(pool);
    pn_cli_repeat_warnings(&options->common, messages);
    pn_messages_free(messages);
    return status;
}

int pn_cmd_bench(int argc, char **argv) {
    pn_bench_options o = {.common = {.device = "auto", .threads = 1},
                          .channels = NOT_GIVEN,
                          .edit = NOT_GIVEN,
                          .sources = NOT_GIVEN,
                          .block = NOT_GIVEN,
                          .taps = NOT_GIVEN,
                          .steps = NOT_GIVEN,
                          .ir = NAN,
                          .seconds = 10};
    const pn_option options[] = {
        {"--channels", NULL, PN_OPTION_INTEGER, &o.channels, "N",
         "convolve: N channels, each with its response (8)"},
        {"--matrix", NULL, PN_OPTION_TEXT, &o.matrix, "IxO",
         "convolve: I inputs into O outputs, a response each"},
        {"--ir", NULL, PN_OPTION_NUMBER, &o.ir, "S", "convolve: seconds of each response (10)"},
        {"--live", NULL, PN_OPTION_FLAG, &o.live, NULL, "convolve: small blocks, as when playing (default)"},
        {"--offline", NULL, PN_OPTION_FLAG, &o.offline, NULL, "convolve: blocks as for whole files"},
        {"--edit", NULL, PN_OPTION_INTEGER, &o.edit, "N",
         "convolve: then exchanges N responses, one by one, while running (0)"},
        {"--sources", NULL, PN_OPTION_INTEGER, &o.sources, "N", "binaural: N sources (64)"},
        {"--taps", NULL, PN_OPTION_INTEGER, &o.taps, "N", "binaural: taps of a filter, delay inside (224)"},
        {"--hrtf", NULL, PN_OPTION_TEXT, &o.hrtf, "F", "binaural: a SOFA file (the built-in set)"},
        {"--still", NULL, PN_OPTION_FLAG, &o.still, NULL, "binaural: no source moves"},
        {"--steps", NULL, PN_OPTION_INTEGER, &o.steps, "K",
         "binaural: 1, 2 or 4 filters a quantum, as for fast sources (1)"},
        {"--doppler", NULL, PN_OPTION_FLAG, &o.doppler, NULL,
         "binaural: distances change too, and are heard by delay lines"},
        {"--block", NULL, PN_OPTION_INTEGER, &o.block, "B", "frames of a block (256)"},
        {"--seconds", NULL, PN_OPTION_NUMBER, &o.seconds, "T", "seconds of audio to measure (10)"},
        PN_OPTION_DEVICE(o.common),
        {"--spectra", NULL, PN_OPTION_INTEGER, &o.common.spectra, "BITS",
         "convolve: 32, or 16 on an OpenCL device (half the memory, around -90 dB; it is told)"},
        {"--threads", NULL, PN_OPTION_INTEGER, &o.common.threads, "N",
         "our CPU threads (1; 0: one per processor)"},
        {"--plot", NULL, PN_OPTION_TEXT, &o.plot, "OUT.svg",
         "draws the histogram of the blocks' times and the phases"},
        PN_OPTION_QUIET(o.common),
        PN_OPTION_JSON(o.common),
        {0}};
    const pn_command command = {
        .name = "bench",
        .usage = "convolve|binaural [options]",
        .about = "Measures blocks on this machine, at 48 kHz: CPU time of all threads together, wall time "
                 "beside it,\n"
                 "and the error against double precision. The worst phase is the largest median over the "
                 "places of\n"
                 "the schedule's longest period: how even the work is, whatever the machine's stalls.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1};
    const char *kind = NULL;
    int status = pn_cli_parse(&command, argc, argv, &kind);
    if (status >= 0)
        return status;
    bool binaural = strcmp(kind, "binaural") == 0;
    status = check_kind(&o, binaural, kind);
    if (status >= 0)
        return status;
    set_defaults(&o);
    status = check_options(&o);
    if (status >= 0)
        return status;
    pinna_error err = {0};
    if (run(&o, binaural, &err) == PINNA_OK)
        return PN_EXIT_DONE;
    status = pn_cli_fail("bench", &err);
    return err.status == PINNA_BAD_ARGUMENT ? PN_EXIT_USAGE : status;
}
