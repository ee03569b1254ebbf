// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_BENCH_SVG_H
#define PN_APP_BENCH_SVG_H

#include <stdio.h>

#include "base/status.h"

/* A page of SVG drawn into memory and written at the end: text, bars and lines, nothing more. Units are pixels, y runs
 * down. Drawing never fails; what went wrong (memory, the file) is said by pn_svg_write. */
typedef struct {
    FILE *stream; /* NULL when memory ran out */
    char *text;
    size_t size;
} pn_svg;

typedef enum { PN_SVG_START, PN_SVG_MIDDLE, PN_SVG_END } pn_svg_anchor;

/* A white page with a dark text colour. */
void pn_svg_begin(pn_svg *svg, double width, double height);
/* y is the base line. */
void pn_svg_text(pn_svg *svg, double x, double y, double height, pn_svg_anchor anchor, const char *format,
                 ...) __attribute__((format(printf, 6, 7)));
void pn_svg_rectangle(pn_svg *svg, double x, double y, double width, double height, const char *colour);
void pn_svg_line(pn_svg *svg, double x1, double y1, double x2, double y2, const char *colour, double width);
/* Ends the page, puts it into a file that appears when complete ("-": standard output), and frees it. */
pinna_status pn_svg_write(pn_svg *svg, const char *path, pinna_error *err);
/* Frees a page that is not wanted. */
void pn_svg_discard(pn_svg *svg);

/* The next of 1, 2, 5, 10, 20, .. (or a power of ten below) that is at least value: steps of an axis. */
double pn_svg_step(double value);

#endif
