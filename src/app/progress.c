// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/audio_file.h"

double pn_monotonic_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void pn_progress_start(pn_progress *progress, const pn_common *common) {
    memset(progress, 0, sizeof *progress);
    progress->shown = !common->quiet && isatty(STDERR_FILENO);
    progress->started = pn_monotonic_seconds();
}

enum { CELLS = 30 };

static bool is_due(pn_progress *progress) {
    double now = pn_monotonic_seconds();
    if (!progress->shown || now - progress->drawn < 0.1)
        return false;
    progress->drawn = now;
    return true;
}

/* The left part of the line; returns its width. */
static int draw_bar(double part) {
    char bar[CELLS + 1];
    part = part > 1 ? 1 : part;
    memset(bar, '.', CELLS);
    memset(bar, '#', (size_t)(part * CELLS));
    bar[CELLS] = '\0';
    return fprintf(stderr, "\r[%s] %3.0f %%", bar, 100 * part);
}

static void finish_line(pn_progress *progress, int width) {
    for (int i = width; i < progress->width; ++i)
        fputc(' ', stderr);
    progress->width = width;
    fflush(stderr);
}

void pn_progress_show(pn_progress *progress, double audio_seconds, double total) {
    if (!is_due(progress))
        return;
    double elapsed = progress->drawn - progress->started;
    double speed = elapsed > 0 ? audio_seconds / elapsed : 0;
    int width = draw_bar(total > 0 ? audio_seconds / total : 0);
    width += fprintf(stderr, "  %.0f times real time  %.0f s left ", speed,
                     speed > 0 ? (total - audio_seconds) / speed : 0.0);
    finish_line(progress, width);
}

void pn_progress_part(pn_progress *progress, const char *what, double part) {
    if (!is_due(progress))
        return;
    int width = draw_bar(part);
    finish_line(progress, width + fprintf(stderr, "  %s ", what));
}

void pn_progress_end(pn_progress *progress) {
    if (!progress->shown || progress->width == 0)
        return;
    fprintf(stderr, "\r%*s\r", progress->width + 1, "");
    fflush(stderr);
}

static atomic_int interrupts;

/* The second one ends the program as soon as this returns (the signal is blocked meanwhile). */
static void on_interrupt(int number) {
    if (atomic_fetch_add(&interrupts, 1) == 0) {
        pn_audio_writer_interrupt();
        return;
    }
    pn_audio_writer_cancel_all();
    signal(number, SIG_DFL);
    raise(number);
}

void pn_interrupt_watch(void) {
    struct sigaction action = {0};
    action.sa_handler = on_interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write error with a message, not a silent end */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that reaches the limit on its size */
}

bool pn_interrupted(void) {
    return atomic_load(&interrupts) != 0;
}
