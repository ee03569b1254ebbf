// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/hrtf_plot.h"

#include <stdio.h>

#include "app/bench_svg.h"
#include "app/plot.h"
#include "base/memory.h"

/* Six panels in two columns. Maps are Hammer's equal-area projection (1892) with the front in the middle and the left
 * on the left; the directions are Lambert's equal-area projection of the upper and the lower half, seen from above. */
enum {
    WIDTH = 1440,
    HEIGHT = 1300,
    COLUMN_1 = 70,
    COLUMN_2 = 780,
    ROW_1 = 170,
    ROW_2 = 570,
    ROW_3 = 950,
    MAP = 540, /* width of a map, twice its height */
    TALL = 270,
    FINE = 2, /* pixels of a map's image for one of the page */
    BAR = MAP + 22
};

static void draw_text(pn_plot *p, double x, double y, pn_plot_anchor anchor, const char *text) {
    pn_plot_text(p, x, y, 12, anchor, pn_plot_grey, "%s", text);
}

/* ---- maps of the sphere */

/* Unit map: x -2..2 to the right, y -1..1 upwards. */
static pn_plot_point hammer(double azimuth_deg, double elevation_deg) {
    double half = pn_radians(-azimuth_deg) / 2, up = pn_radians(elevation_deg);
    double z = sqrt(1 + cos(up) * cos(half));
    return (pn_plot_point){2 * cos(up) * sin(half) / z, sin(up) / z};
}

static pn_plot_point on_map(double x, double y, pn_plot_point unit) {
    return (pn_plot_point){x + MAP / 2.0 + unit.x * MAP / 4.0, y + TALL / 2.0 - unit.y * TALL / 2.0};
}

/* The value at a place of the grid of figures, between its four neighbours. */
static double at_grid(double (*grid)[PN_FIGURES_AZIMUTHS], double azimuth_deg, double elevation_deg) {
    double column = fmin(fmax((180 - azimuth_deg) / 5, 0), PN_FIGURES_AZIMUTHS - 1.001);
    double row = fmin(fmax((elevation_deg + 90) / 5, 0), PN_FIGURES_ELEVATIONS - 1.001);
    int i = (int)row, j = (int)column;
    double u = row - i, v = column - j;
    return (1 - u) * ((1 - v) * grid[i][j] + v * grid[i][j + 1]) +
           u * ((1 - v) * grid[i + 1][j] + v * grid[i + 1][j + 1]);
}

/* most: the value of the strongest colour. */
static pinna_status fill_map(pn_plot *p, double x, double y, double (*grid)[PN_FIGURES_AZIMUTHS], double most,
                             pinna_error *err) {
    uint32_t *pixels = pn_alloc((size_t)MAP * FINE * TALL * FINE, sizeof *pixels);
    if (pixels == NULL)
        return pn_fail_memory(err, "the picture", (double)MAP * TALL * FINE * FINE * 4);
    for (int row = 0; row < TALL * FINE; ++row) {
        for (int column = 0; column < MAP * FINE; ++column) {
            double right = 4 * (column + 0.5) / (MAP * FINE) - 2, up = 1 - 2 * (row + 0.5) / (TALL * FINE);
            double outside = right * right / 4 + up * up;
            if (outside > 1)
                continue;
            double X = right * sqrt(2), Y = up * sqrt(2), z = sqrt(fmax(1 - X * X / 16 - Y * Y / 4, 0));
            double azimuth = -pn_degrees(2 * atan2(z * X, 2 * (2 * z * z - 1)));
            double elevation = pn_degrees(asin(fmin(fmax(z * Y, -1), 1)));
            pixels[row * MAP * FINE + column] =
                pn_plot_pixel(pn_plot_diverging(at_grid(grid, azimuth, elevation) / most));
        }
    }
    pn_plot_image(p, x, y, MAP, TALL, MAP * FINE, TALL * FINE, pixels);
    pn_free(pixels);
    return PINNA_OK;
}

static void draw_meridian(pn_plot *p, double x, double y, double azimuth_deg, bool rim) {
    enum { POINTS = 73 };
    pn_plot_point line[POINTS];
    for (int i = 0; i < POINTS; ++i)
        line[i] = on_map(x, y, hammer(azimuth_deg, -90 + 2.5 * i));
    pn_plot_line(p, line, POINTS, rim ? pn_plot_grey : pn_plot_faint, rim ? 1.2 : 0.7);
}

static void draw_parallel(pn_plot *p, double x, double y, double elevation_deg) {
    enum { POINTS = 145 };
    pn_plot_point line[POINTS];
    for (int i = 0; i < POINTS; ++i)
        line[i] = on_map(x, y, hammer(180 - 2.5 * i, elevation_deg));
    pn_plot_line(p, line, POINTS, pn_plot_faint, 0.7);
}

static void draw_net(pn_plot *p, double x, double y) {
    static const struct {
        double azimuth;
        const char *name;
    } names[] = {{135, "135"}, {90, "90 left"},    {45, "45"},    {0, "0 front"},
                 {-45, "-45"}, {-90, "-90 right"}, {-135, "-135"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        draw_meridian(p, x, y, names[i].azimuth, false);
        draw_text(p, on_map(x, y, hammer(names[i].azimuth, 0)).x, y + TALL + 18, PN_PLOT_MIDDLE,
                  names[i].name);
    }
    for (int elevation = -60; elevation <= 60; elevation += 30) {
        pn_plot_point edge = on_map(x, y, hammer(180, elevation));
        char text[16];
        draw_parallel(p, x, y, elevation);
        snprintf(text, sizeof text, "%+d", elevation);
        draw_text(p, edge.x - 6, edge.y + 4 - elevation / 8.0, PN_PLOT_END, elevation ? text : "0");
    }
    draw_meridian(p, x, y, 180, true);
    draw_meridian(p, x, y, -179.999, true);
}

static double greatest(double (*grid)[PN_FIGURES_AZIMUTHS]) {
    double most = 0;
    for (int i = 0; i < PN_FIGURES_ELEVATIONS; ++i)
        for (int j = 0; j < PN_FIGURES_AZIMUTHS; ++j)
            most = fmax(most, fabs(grid[i][j]));
    return most;
}

static pinna_status draw_map(pn_plot *p, double x, double y, double (*grid)[PN_FIGURES_AZIMUTHS],
                             const char *title, const char *what, const char *unit, double least,
                             pinna_error *err) {
    double step = pn_svg_step(fmax(greatest(grid), least) / 4),
           most = step * ceil(fmax(greatest(grid), least) / step);
    pn_plot_title(p, x, y - 34, 15, title);
    draw_text(p, x, y - 16, PN_PLOT_START, what);
    pinna_status status = fill_map(p, x, y, grid, most, err);
    draw_net(p, x, y);
    pn_plot_colour_bar(p, x + BAR, y + 10, TALL - 10, true, -most, most, step, unit);
    return status;
}

/* ---- directions, errors */

static double dot_size(int count) {
    return fmin(fmax(60 / sqrt(count + 1.0), 1.2), 4.5);
}

static void draw_disc(pn_plot *p, double x, double y, double radius, const pn_hrtf_figures *f, bool above) {
    for (int ring = 0; ring < 90; ring += 30)
        pn_plot_circle(p, x, y, radius * sqrt(1 - sin(pn_radians(ring))), ring ? pn_plot_faint : pn_plot_grey,
                       ring ? 0.7 : 1.2);
    for (int spoke = 0; spoke < 180; spoke += 45) {
        double c = radius * cos(pn_radians(spoke)), s = radius * sin(pn_radians(spoke));
        pn_plot_line(p, (pn_plot_point[]){{x - c, y - s}, {x + c, y + s}}, 2, pn_plot_faint, 0.7);
    }
    int shown = 0;
    double size = dot_size(f->directions);
    for (int i = 0; i < f->directions; ++i) {
        const pn_figures_direction *d = &f->direction[i];
        double up = above ? d->elevation : -d->elevation, r = radius * sqrt(fmax(1 - sin(pn_radians(up)), 0));
        if (!(up >= (above ? -1e-6 : 1e-6)))
            continue;
        double azimuth = pn_radians(d->azimuth);
        pn_plot_dot(p, x - r * sin(azimuth), y - r * cos(azimuth), size, (pn_plot_colour){0.16, 0.32, 0.55});
        ++shown;
    }
    draw_text(p, x, y - radius - 8, PN_PLOT_MIDDLE, "front");
    draw_text(p, x - radius - 6, y + 4, PN_PLOT_END, "left");
    draw_text(p, x + radius + 6, y + 4, PN_PLOT_START, "right");
    pn_plot_text(p, x, y + radius + 20, 12, PN_PLOT_MIDDLE, pn_plot_grey,
                 "%s: %d directions, rings every 30 degrees", above ? "level and above" : "below", shown);
}

static void draw_directions(pn_plot *p, double x, double y, const pn_hrtf_figures *f,
                            const pn_hrtf_info *info) {
    pn_plot_title(p, x, y - 34, 15, "Measured directions");
    pn_plot_text(p, x, y - 16, 12, PN_PLOT_START, pn_plot_grey,
                 info->horizontal_only ? "one plane; elevation is ignored"
                                       : "no direction is farther than %.1f degrees from one of them",
                 info->widest_gap_deg);
    double radius = TALL / 2.0 - 16;
    draw_disc(p, x + 28 + radius, y + TALL / 2.0 + 6, radius, f, true);
    draw_disc(p, x + 28 + 3 * radius + 90, y + TALL / 2.0 + 6, radius, f, false);
}

static void draw_errors(pn_plot *p, double x, double y, const pn_hrtf_figures *f) {
    pn_plot_title(p, x, y - 34, 15, "Interpolation error, dB");
    if (f->predicted == 0) {
        draw_text(p, x, y - 16, PN_PLOT_START, "too few directions to leave some out");
        draw_net(p, x, y);
        return;
    }
    pn_plot_text(p, x, y - 16, 12, PN_PLOT_START, pn_plot_grey,
                 "every other direction left out, met from the rest: mean %.2f dB, %.1f us; 95 %% below %.2f "
                 "dB, %.1f us",
                 f->lsd_mean, f->itd_mean, f->lsd_p95, f->itd_p95);
    double step = pn_svg_step(fmax(f->lsd_p95, 0.1) / 4),
           most = step * ceil(fmax(f->lsd_p95, 0.1) * 1.2 / step);
    draw_net(p, x, y);
    double size = 1.25 * dot_size(f->predicted);
    for (int i = 0; i < f->directions; ++i) {
        const pn_figures_direction *d = &f->direction[i];
        if (isnan(d->distance) || isnan(d->lsd_db))
            continue;
        pn_plot_point at = on_map(x, y, hammer(d->azimuth, d->elevation));
        pn_plot_dot(p, at.x, at.y, size, pn_plot_even(d->lsd_db / most));
    }
    pn_plot_colour_bar(p, x + BAR, y + 10, TALL - 10, false, 0, most, step, "dB");
}

/* ---- levels over the horizontal plane */

static void draw_axes(pn_plot *p, double x, double y, const pn_hrtf_figures *f) {
    static const struct {
        double azimuth;
        const char *name;
    } names[] = {{180, "180 behind"}, {90, "90 left"}, {0, "0 front"}, {-90, "-90 right"}, {-180, "-180"}};
    static const double ticks[] = {100, 200, 500, 1000, 2000, 5000, 10000, 20000};
    double across = MAP / 360.0;
    pn_plot_frame(p, x, y, MAP, TALL, pn_plot_grey);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        double at = x + (180 - names[i].azimuth) * across;
        pn_plot_line(p, (pn_plot_point[]){{at, y + TALL}, {at, y + TALL + 5}}, 2, pn_plot_grey, 1);
        draw_text(p, at, y + TALL + 20, PN_PLOT_MIDDLE, names[i].name);
    }
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0] && ticks[i] <= f->high_hz * 1.001; ++i) {
        double at = y + TALL * (1 - log(ticks[i] / f->low_hz) / log(f->high_hz / f->low_hz));
        pn_plot_line(p, (pn_plot_point[]){{x - 5, at}, {x, at}}, 2, pn_plot_grey, 1);
        pn_plot_text(p, x - 9, at + 4, 12, PN_PLOT_END, pn_plot_grey, ticks[i] < 1000 ? "%g" : "%gk",
                     ticks[i] < 1000 ? ticks[i] : ticks[i] / 1000);
    }
    pn_plot_text(p, x + MAP / 2.0, y + TALL + 40, 12, PN_PLOT_MIDDLE, pn_plot_grey, "azimuth, degrees");
    pn_plot_text_upwards(p, x - 46, y + TALL / 2.0, 12, "Hz");
}

static double highest_level(const pn_hrtf_figures *f) {
    double most = -300;
    for (int ear = 0; ear < 2; ++ear)
        for (int j = 0; j < PN_FIGURES_CIRCLE; ++j)
            for (int row = 0; row < PN_FIGURES_ROWS; ++row)
                most = fmax(most, f->level_db[ear][j][row]);
    return most;
}

static pinna_status draw_levels(pn_plot *p, double x, double y, const pn_hrtf_figures *f, int ear,
                                pinna_error *err) {
    double high = 5 * ceil(highest_level(f) / 5), low = high - 45;
    uint32_t *pixels = pn_alloc((size_t)PN_FIGURES_CIRCLE * PN_FIGURES_ROWS, sizeof *pixels);
    if (pixels == NULL)
        return pn_fail_memory(err, "the picture", PN_FIGURES_CIRCLE * PN_FIGURES_ROWS * 4.0);
    for (int row = 0; row < PN_FIGURES_ROWS; ++row)
        for (int j = 0; j < PN_FIGURES_CIRCLE; ++j)
            pixels[(PN_FIGURES_ROWS - 1 - row) * PN_FIGURES_CIRCLE + j] =
                pn_plot_pixel(pn_plot_even((f->level_db[ear][j][row] - low) / (high - low)));
    pn_plot_title(p, x, y - 34, 15, ear ? "Right ear, horizontal plane" : "Left ear, horizontal plane");
    draw_text(p, x, y - 16, PN_PLOT_START,
              "level over azimuth and frequency; 0 dB is the mean in front at 1 m");
    pn_plot_image(p, x, y, MAP, TALL, PN_FIGURES_CIRCLE, PN_FIGURES_ROWS, pixels);
    pn_free(pixels);
    draw_axes(p, x, y, f);
    pn_plot_colour_bar(p, x + BAR, y + 10, TALL - 10, false, low, high, 5, "dB");
    return PINNA_OK;
}

pinna_status pn_hrtf_plot(const pn_hrtf_figures *figures, const pn_hrtf_info *info, const char *path,
                          const char *input, pinna_error *err) {
    pn_plot *p = NULL;
    pn_hrtf_figures *f = (pn_hrtf_figures *)figures; /* arrays of arrays lose their const only so */
    pinna_status status = pn_plot_create(path, WIDTH, HEIGHT, 1.5, &p, err);
    if (status != PINNA_OK)
        return status;
    pn_plot_title(p, COLUMN_1, 52, 24, info->name);
    pn_plot_text(p, COLUMN_1, 80, 14, PN_PLOT_START, pn_plot_grey,
                 "%d directions, %.3g m; measured at %g Hz; %d taps and up to %d samples of delay at %g Hz",
                 info->measured, info->distance, info->file_rate, info->taps, info->max_delay, info->rate);
    draw_directions(p, COLUMN_1, ROW_1, f, info);
    draw_errors(p, COLUMN_2, ROW_1, f);
    status = draw_map(p, COLUMN_1, ROW_2, f->itd_us, "Interaural time difference, microseconds",
                      "below 1.5 kHz; positive: the left ear first", "us", 100, err);
    if (status == PINNA_OK)
        status = draw_map(p, COLUMN_2, ROW_2, f->ild_db, "Interaural level difference, dB",
                          "of the whole energy; positive: the left ear louder", "dB", 4, err);
    for (int ear = 0; ear < 2 && status == PINNA_OK; ++ear)
        status = draw_levels(p, ear ? COLUMN_2 : COLUMN_1, ROW_3, f, ear, err);
    if (status == PINNA_OK)
        status = pn_plot_write(p, &input, input != NULL, err);
    pn_plot_free(p);
    return status;
}
