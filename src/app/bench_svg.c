// SPDX-FileCopyrightText: 2026 The pinna authors
// SPDX-License-Identifier: MIT
#include "app/bench_svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "io/staged.h"

void pn_svg_begin(pn_svg *svg, double width, double height) {
    memset(svg, 0, sizeof *svg);
    svg->stream = open_memstream(&svg->text, &svg->size);
    if (svg->stream == NULL)
        return;
    fprintf(svg->stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" "
            "font-family=\"sans-serif\" fill=\"#222\">\n",
            width, height, width, height);
    pn_svg_rectangle(svg, 0, 0, width, height, "#fff");
}

/* Characters that mean something in XML, and those it forbids. */
static void put_escaped(FILE *stream, const char *text) {
    for (; *text != '\0'; ++text) {
        if (*text == '&')
            fputs("&amp;", stream);
        else if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '>')
            fputs("&gt;", stream);
        else if ((unsigned char)*text >= ' ')
            fputc(*text, stream);
    }
}

void pn_svg_text(pn_svg *svg, double x, double y, double height, pn_svg_anchor anchor, const char *format,
                 ...) {
    static const char *const anchors[] = {"start", "middle", "end"};
    char text[512];
    va_list arguments;
    if (svg->stream == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(svg->stream, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" text-anchor=\"%s\">", x, y, height,
            anchors[anchor]);
    put_escaped(svg->stream, text);
    fputs("</text>\n", svg->stream);
}

void pn_svg_rectangle(pn_svg *svg, double x, double y, double width, double height, const char *colour) {
    if (svg->stream != NULL)
        fprintf(svg->stream, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"/>\n", x,
                y, fmax(width, 0), fmax(height, 0), colour);
}

void pn_svg_line(pn_svg *svg, double x1, double y1, double x2, double y2, const char *colour, double width) {
    if (svg->stream != NULL)
        fprintf(svg->stream,
                "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"%s\" stroke-width=\"%g\"/>\n",
                x1, y1, x2, y2, colour, width);
}

pinna_status pn_svg_write(pn_svg *svg, const char *path, pinna_error *err) {
    pn_staged file = {0};
    pinna_status status = PINNA_OK;
    bool complete = svg->stream != NULL && fputs("</svg>\n", svg->stream) >= 0 && fflush(svg->stream) == 0;
    if (!complete)
        status = pn_fail_memory(err, "the plot", (double)svg->size);
    if (status == PINNA_OK)
        status = pn_staged_open(path, NULL, 0, &file, err);
    if (status == PINNA_OK)
        status = pn_staged_write(&file, svg->text, svg->size, err);
    if (status == PINNA_OK)
        status = pn_staged_commit(&file, err);
    else
        pn_staged_discard(&file);
    pn_svg_discard(svg);
    return status;
}

void pn_svg_discard(pn_svg *svg) {
    if (svg->stream != NULL)
        fclose(svg->stream);
    free(svg->text);
    memset(svg, 0, sizeof *svg);
}

double pn_svg_step(double value) {
    if (!(value > 0))
        return 1;
    double power = pow(10, floor(log10(value)));
    double digit = value / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}
