/* A plot as SVG: a file of its own, or a part of an HTML page. */
#ifndef TUI_PLOT_SVG_H
#define TUI_PLOT_SVG_H

#include "tui/plot.h"
#include <bertty/str.h>

struct plot_svg_line {
    const double *x, *y, *smooth; /* [n]; smooth NULL: y alone, else y is faint below it */
    size_t n;
    unsigned colour;
    bool dashed;
    bool level;            /* y[n - 1] over the whole width (struct plot_line) */
    const char *run, *tag; /* for the legend */
    const char *mark;      /* a short text where the line ends; NULL: none */
};

struct plot_svg {
    const char *title;
    const struct plot_spec *spec; /* ranges and kinds of the axes */
    const struct plot_svg_line *line;
    size_t n;
    const char *
        part; /* NULL: a file. Else part of a page, which brings the style of the classes (plot_svg_style()); the name is unique in it */
};

/* Appends it. */
void plot_svg(const struct plot_svg *p, struct bt_str *out);
/* The CSS for parts of a page, light and dark. */
const char *plot_svg_style(void);

#endif
