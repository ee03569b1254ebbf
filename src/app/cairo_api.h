// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#ifndef PN_APP_CAIRO_API_H
#define PN_APP_CAIRO_API_H

#include <cairo-svg.h>
#include <cairo.h>

#include "base/status.h"

/* cairo, loaded at run time: with the fonts and window systems that it brings along it takes a third of the start of
 * every command, and only pictures need it. The library is the system's, or what the environment names as
 * PINNA_CAIRO_LIBRARY (for tests). */

#define PN_CAIRO_FUNCTIONS(X)                                                                                \
    X(arc)                                                                                                   \
    X(create)                                                                                                \
    X(destroy)                                                                                               \
    X(fill)                                                                                                  \
    X(get_source)                                                                                            \
    X(image_surface_create)                                                                                  \
    X(image_surface_get_data)                                                                                \
    X(image_surface_get_stride)                                                                              \
    X(line_to)                                                                                               \
    X(move_to)                                                                                               \
    X(new_path)                                                                                              \
    X(paint)                                                                                                 \
    X(pattern_set_extend)                                                                                    \
    X(rectangle)                                                                                             \
    X(restore)                                                                                               \
    X(rotate)                                                                                                \
    X(save)                                                                                                  \
    X(scale)                                                                                                 \
    X(select_font_face)                                                                                      \
    X(set_font_size)                                                                                         \
    X(set_line_join)                                                                                         \
    X(set_line_width)                                                                                        \
    X(set_source_rgb)                                                                                        \
    X(set_source_surface)                                                                                    \
    X(show_text)                                                                                             \
    X(status)                                                                                                \
    X(status_to_string)                                                                                      \
    X(stroke)                                                                                                \
    X(surface_destroy)                                                                                       \
    X(surface_finish)                                                                                        \
    X(surface_mark_dirty)                                                                                    \
    X(surface_status)                                                                                        \
    X(surface_write_to_png_stream)                                                                           \
    X(svg_surface_create_for_stream)                                                                         \
    X(text_extents)                                                                                          \
    X(translate)

typedef struct {
#define PN_CAIRO_MEMBER(name) __typeof__(cairo_##name) *name;
    PN_CAIRO_FUNCTIONS(PN_CAIRO_MEMBER)
#undef PN_CAIRO_MEMBER
} pn_cairo_api;

/* The functions, once pn_cairo_load has returned PINNA_OK; stays loaded until the process ends. */
extern pn_cairo_api pn_cairo;

/* PINNA_UNSUPPORTED without the library, or with one that lacks a function. Any thread, any number of times. */
pinna_status pn_cairo_load(pinna_error *err);

#endif
