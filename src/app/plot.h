// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_PLOT_H
#define PN_APP_PLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* A page to draw on, PNG or SVG, through cairo. Units are pixels of the page, y runs down. Drawing never fails; what went
 * wrong (memory, the file) is said by pn_plot_write. */
typedef struct pn_plot pn_plot;

typedef struct {
    double red, green, blue; /* 0..1, sRGB */
} pn_plot_colour;

typedef struct {
    double x, y;
} pn_plot_point;

typedef enum { PN_PLOT_START, PN_PLOT_MIDDLE, PN_PLOT_END } pn_plot_anchor;

extern const pn_plot_colour pn_plot_ink, pn_plot_grey, pn_plot_faint;

/* The kind follows the ending of path: .png (at `scale` pixels for one of the page) or .svg; PINNA_BAD_ARGUMENT else.
 * A white page. */
pinna_status pn_plot_create(const char *path, double width, double height, double scale, pn_plot **plot,
                            pinna_error *err);
/* Puts the page into a file that appears when complete, and is none of the inputs. */
pinna_status pn_plot_write(pn_plot *plot, const char *const *inputs, size_t input_count, pinna_error *err);
void pn_plot_free(pn_plot *plot); /* accepts NULL */

/* y is the base line; height that of the letters' em. */
void pn_plot_text(pn_plot *plot, double x, double y, double height, pn_plot_anchor anchor,
                  pn_plot_colour colour, const char *format, ...) __attribute__((format(printf, 7, 8)));
void pn_plot_title(pn_plot *plot, double x, double y, double height, const char *text); /* bold */
/* Reads upwards, centred on y; x is the base line. */
void pn_plot_text_upwards(pn_plot *plot, double x, double y, double height, const char *text);
void pn_plot_line(pn_plot *plot, const pn_plot_point *points, int count, pn_plot_colour colour, double width);
void pn_plot_frame(pn_plot *plot, double x, double y, double width, double height, pn_plot_colour colour);
void pn_plot_dot(pn_plot *plot, double x, double y, double radius, pn_plot_colour colour);
void pn_plot_circle(pn_plot *plot, double x, double y, double radius, pn_plot_colour colour, double width);
/* pixels[row][column], 0xAARRGGBB with alpha 0 or 255, stretched over the rectangle. */
void pn_plot_image(pn_plot *plot, double x, double y, double width, double height, int columns, int rows,
                   const uint32_t *pixels);

/* Colours of equal steps to the eye: from dark violet over green to yellow for 0..1, and from blue over near white to
 * orange for -1..1. Values beyond are held. */
pn_plot_colour pn_plot_even(double value);
pn_plot_colour pn_plot_diverging(double value);
uint32_t pn_plot_pixel(pn_plot_colour colour);

/* A bar of colours that stands, with ticks from low to high in steps, and what it measures above. */
void pn_plot_colour_bar(pn_plot *plot, double x, double y, double height, bool diverging, double low,
                        double high, double step, const char *unit);

#endif
