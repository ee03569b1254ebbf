// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/plot.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "app/cairo_api.h"
#include "base/memory.h"
#include "base/vec.h"
#include "io/staged.h"

const pn_plot_colour pn_plot_ink = {0.13, 0.13, 0.13}, pn_plot_grey = {0.45, 0.45, 0.45},
                     pn_plot_faint = {0.8, 0.8, 0.8};

struct pn_plot {
    char *path;
    bool png;
    cairo_surface_t *surface;
    cairo_t *cairo;
    char *bytes; /* the file, as it is made */
    size_t size, room;
    bool no_memory;
};

static cairo_status_t keep(void *user, const unsigned char *data, unsigned length) {
    pn_plot *p = user;
    if (p->size + length > p->room) {
        size_t room = 2 * p->room + length + 65536;
        char *more = pn_regrow(p->bytes, p->room, room, 1);
        if (more == NULL) {
            p->no_memory = true;
            return CAIRO_STATUS_NO_MEMORY;
        }
        p->bytes = more;
        p->room = room;
    }
    memcpy(p->bytes + p->size, data, length);
    p->size += length;
    return CAIRO_STATUS_SUCCESS;
}

static bool ends_with(const char *path, const char *end) {
    size_t a = strlen(path), b = strlen(end);
    return a > b && strcasecmp(path + a - b, end) == 0;
}

pinna_status pn_plot_create(const char *path, double width, double height, double scale, pn_plot **plot,
                            pinna_error *err) {
    *plot = NULL;
    bool png = ends_with(path, ".png");
    if (!png && !ends_with(path, ".svg"))
        return pn_fail(err, PINNA_BAD_ARGUMENT, "%s: a picture's name ends in .png or .svg", path);
    pinna_status status = pn_cairo_load(err);
    if (status != PINNA_OK)
        return status;
    pn_plot *p = pn_alloc(1, sizeof *p);
    if (p == NULL)
        return pn_fail_memory(err, "the picture", sizeof *p);
    p->png = png;
    p->path = pn_strdup(path);
    p->surface =
        png ? pn_cairo.image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale), (int)(height * scale))
            : pn_cairo.svg_surface_create_for_stream(keep, p, width, height);
    p->cairo = pn_cairo.create(p->surface);
    if (p->path == NULL || pn_cairo.status(p->cairo) != CAIRO_STATUS_SUCCESS) {
        pn_plot_free(p);
        return pn_fail_memory(err, "the picture", width * height * scale * scale * 4);
    }
    if (png)
        pn_cairo.scale(p->cairo, scale, scale);
    pn_cairo.set_source_rgb(p->cairo, 1, 1, 1);
    pn_cairo.paint(p->cairo);
    *plot = p;
    return PINNA_OK;
}

pinna_status pn_plot_write(pn_plot *p, const char *const *inputs, size_t input_count, pinna_error *err) {
    cairo_status_t made = pn_cairo.status(p->cairo);
    if (made == CAIRO_STATUS_SUCCESS && p->png)
        made = pn_cairo.surface_write_to_png_stream(p->surface, keep, p);
    pn_cairo.surface_finish(p->surface);
    if (made == CAIRO_STATUS_SUCCESS)
        made = pn_cairo.surface_status(p->surface);
    if (p->no_memory || made == CAIRO_STATUS_NO_MEMORY)
        return pn_fail_memory(err, "the picture", (double)p->size);
    if (made != CAIRO_STATUS_SUCCESS)
        return pn_fail(err, PINNA_IO, "%s: the picture cannot be made: %s", p->path,
                       pn_cairo.status_to_string(made));
    pn_staged file = {0};
    pinna_status status = pn_staged_open(p->path, inputs, input_count, &file, err);
    if (status == PINNA_OK)
        status = pn_staged_write(&file, p->bytes, p->size, err);
    if (status == PINNA_OK)
        return pn_staged_commit(&file, err);
    pn_staged_discard(&file);
    return status;
}

void pn_plot_free(pn_plot *p) {
    if (p == NULL)
        return;
    pn_cairo.destroy(p->cairo);
    pn_cairo.surface_destroy(p->surface);
    pn_free(p->bytes);
    pn_free(p->path);
    pn_free(p);
}

/* ---- drawing */

static void choose(pn_plot *p, pn_plot_colour colour) {
    pn_cairo.set_source_rgb(p->cairo, colour.red, colour.green, colour.blue);
}

static void choose_font(pn_plot *p, double height, bool bold) {
    pn_cairo.select_font_face(p->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                              bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    pn_cairo.set_font_size(p->cairo, height);
}

static double width_of(pn_plot *p, const char *text) {
    cairo_text_extents_t extents;
    pn_cairo.text_extents(p->cairo, text, &extents);
    return extents.x_advance;
}

void pn_plot_text(pn_plot *p, double x, double y, double height, pn_plot_anchor anchor, pn_plot_colour colour,
                  const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    choose_font(p, height, false);
    choose(p, colour);
    double width = width_of(p, text);
    pn_cairo.move_to(p->cairo,
                     x - (anchor == PN_PLOT_START    ? 0
                          : anchor == PN_PLOT_MIDDLE ? width / 2
                                                     : width),
                     y);
    pn_cairo.show_text(p->cairo, text);
}

void pn_plot_title(pn_plot *p, double x, double y, double height, const char *text) {
    choose_font(p, height, true);
    choose(p, pn_plot_ink);
    pn_cairo.move_to(p->cairo, x, y);
    pn_cairo.show_text(p->cairo, text);
}

void pn_plot_text_upwards(pn_plot *p, double x, double y, double height, const char *text) {
    choose_font(p, height, false);
    choose(p, pn_plot_ink);
    pn_cairo.save(p->cairo);
    pn_cairo.translate(p->cairo, x, y + width_of(p, text) / 2);
    pn_cairo.rotate(p->cairo, -PN_PI / 2);
    pn_cairo.move_to(p->cairo, 0, 0);
    pn_cairo.show_text(p->cairo, text);
    pn_cairo.restore(p->cairo);
}

void pn_plot_line(pn_plot *p, const pn_plot_point *points, int count, pn_plot_colour colour, double width) {
    choose(p, colour);
    pn_cairo.set_line_width(p->cairo, width);
    pn_cairo.set_line_join(p->cairo, CAIRO_LINE_JOIN_ROUND);
    pn_cairo.new_path(p->cairo);
    for (int i = 0; i < count; ++i)
        pn_cairo.line_to(p->cairo, points[i].x, points[i].y);
    pn_cairo.stroke(p->cairo);
}

void pn_plot_frame(pn_plot *p, double x, double y, double width, double height, pn_plot_colour colour) {
    choose(p, colour);
    pn_cairo.set_line_width(p->cairo, 1);
    pn_cairo.rectangle(p->cairo, x, y, width, height);
    pn_cairo.stroke(p->cairo);
}

void pn_plot_dot(pn_plot *p, double x, double y, double radius, pn_plot_colour colour) {
    choose(p, colour);
    pn_cairo.new_path(p->cairo);
    pn_cairo.arc(p->cairo, x, y, radius, 0, 2 * PN_PI);
    pn_cairo.fill(p->cairo);
}

void pn_plot_circle(pn_plot *p, double x, double y, double radius, pn_plot_colour colour, double width) {
    choose(p, colour);
    pn_cairo.set_line_width(p->cairo, width);
    pn_cairo.new_path(p->cairo);
    pn_cairo.arc(p->cairo, x, y, radius, 0, 2 * PN_PI);
    pn_cairo.stroke(p->cairo);
}

void pn_plot_image(pn_plot *p, double x, double y, double width, double height, int columns, int rows,
                   const uint32_t *pixels) {
    cairo_surface_t *image = pn_cairo.image_surface_create(CAIRO_FORMAT_ARGB32, columns, rows);
    if (pn_cairo.surface_status(image) != CAIRO_STATUS_SUCCESS) {
        p->no_memory = true;
        pn_cairo.surface_destroy(image);
        return;
    }
    for (int row = 0; row < rows; ++row)
        memcpy(pn_cairo.image_surface_get_data(image) + row * pn_cairo.image_surface_get_stride(image),
               pixels + (size_t)row * (size_t)columns, (size_t)columns * sizeof *pixels);
    pn_cairo.surface_mark_dirty(image);
    pn_cairo.save(p->cairo);
    pn_cairo.translate(p->cairo, x, y);
    pn_cairo.scale(p->cairo, width / columns, height / rows);
    pn_cairo.set_source_surface(p->cairo, image, 0, 0);
    pn_cairo.pattern_set_extend(pn_cairo.get_source(p->cairo), CAIRO_EXTEND_PAD);
    pn_cairo.rectangle(p->cairo, 0, 0, columns, rows);
    pn_cairo.fill(p->cairo);
    pn_cairo.restore(p->cairo);
    pn_cairo.surface_destroy(image);
}

/* ---- colours */

static double encode(double linear) {
    double v = fmin(fmax(linear, 0), 1);
    return v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
}

static pn_plot_colour from_oklab(double lightness, double a, double b) {
    double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return (pn_plot_colour){encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                            encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                            encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

/* Ten colours of viridis (van der Walt and Smith, 2015, CC0), which was made for equal steps. */
pn_plot_colour pn_plot_even(double value) {
    static const uint32_t stops[] = {0x440154, 0x482878, 0x3e4989, 0x31688e, 0x26828e,
                                     0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725};
    double at = fmin(fmax(value, 0), 1) * 8.9999, mix = at - floor(at);
    uint32_t a = stops[(int)at], b = stops[(int)at + 1];
    double channel[3];
    for (int i = 0; i < 3; ++i)
        channel[i] = ((1 - mix) * (a >> (16 - 8 * i) & 255) + mix * (b >> (16 - 8 * i) & 255)) / 255;
    return (pn_plot_colour){channel[0], channel[1], channel[2]};
}

/* From blue over near white to orange, in Oklab (Ottosson, 2020): darker and stronger to both sides alike. */
pn_plot_colour pn_plot_diverging(double value) {
    double t = fmin(fmax(value, -1), 1), far = fabs(t), hue = (t < 0 ? 255 : 45) * PN_PI / 180;
    return from_oklab(0.97 - 0.47 * far, 0.14 * far * cos(hue), 0.14 * far * sin(hue));
}

uint32_t pn_plot_pixel(pn_plot_colour c) {
    return 0xff000000u | (uint32_t)lrint(c.red * 255) << 16 | (uint32_t)lrint(c.green * 255) << 8 |
           (uint32_t)lrint(c.blue * 255);
}

void pn_plot_colour_bar(pn_plot *p, double x, double y, double height, bool diverging, double low,
                        double high, double step, const char *unit) {
    enum { SHADES = 256, WIDTH = 14 };
    uint32_t shade[SHADES];
    for (int i = 0; i < SHADES; ++i) {
        double t = 1 - (i + 0.5) / SHADES;
        shade[i] = pn_plot_pixel(diverging ? pn_plot_diverging(2 * t - 1) : pn_plot_even(t));
    }
    pn_plot_image(p, x, y, WIDTH, height, 1, SHADES, shade);
    pn_plot_frame(p, x, y, WIDTH, height, pn_plot_grey);
    for (int n = (int)ceil(low / step - 1e-9); n * step <= high * (1 + 1e-9) + 1e-9; ++n) {
        double at = y + height * (1 - (n * step - low) / (high - low));
        pn_plot_line(p, (pn_plot_point[]){{x + WIDTH, at}, {x + WIDTH + 4, at}}, 2, pn_plot_grey, 1);
        pn_plot_text(p, x + WIDTH + 7, at + 4, 12, PN_PLOT_START, pn_plot_ink, "%s%g",
                     n > 0 && diverging ? "+" : "", n * step);
    }
    pn_plot_text(p, x, y - 9, 12, PN_PLOT_START, pn_plot_ink, "%s", unit);
}
