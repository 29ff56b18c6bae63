/* How the Charts view scales its panels: which ones are shown and where, what part of the axes, and what is drawn in one. No
 * terminal.
 *
 * Everything is borrowed but what a struct charts_drawing holds (charts_drawing_free()) and the looks (charts_looks_free()). */
#ifndef TUI_VIEWS_CHARTS_SCALE_H
#define TUI_VIEWS_CHARTS_SCALE_H

#include "tui/plot.h"
#include "tui/views/charts_curves.h"
#include <bertty/regex.h>

/* What holds for all panels. */
struct charts_options {
    enum charts_axis axis;
    bool log_x, clip;
    double weight; /* of the smoothing; 0: none */
    bool zoomed;   /* only x of the x axis is shown */
    struct plot_range x;
    bool cursor;
    double at; /* the cursor, on the x axis */
};

/* What holds for one panel, kept by its name while runs come and go. */
struct charts_look {
    char *name;
    bool log_y;
    bool zoomed; /* only y of the y axis is shown */
    struct plot_range y;
};
struct charts_looks {
    struct charts_look *look;
    size_t n;
};
/* The look of a panel, made if there is none yet; NULL without memory. Borrowed until the next call. */
struct charts_look *charts_look(struct charts_looks *l, const char *name);
void charts_looks_free(struct charts_looks *l);

/* ── which panels, where ── */

/* Fills shown (c->n_panels of them) with the panels whose name has a match; returns how many. NULL: all. */
size_t charts_filter(const struct charts *c, struct bt_regex *pattern, struct charts_panel **shown);

/* Columns and rows of a grid of n panels in width × height cells; what is not 0 already is kept if there is room. */
void charts_grid(int width, int height, size_t n, int *columns, int *rows);

/* ── ranges ── */

/* The x of all curves of n prepared panels; {0, 1} if there is none. Widened to round numbers. */
struct plot_range charts_extent(struct charts_panel *const *panel, size_t n, const struct charts_options *o);
/* Narrower (factor < 1) or wider around the place at `share` of it; true: it is as wide as full, there is nothing to zoom. */
bool charts_zoom(struct plot_range *r, struct plot_range full, bool log, double share, double factor);
/* Moved by a share of its width, within full. */
void charts_pan(struct plot_range *r, struct plot_range full, bool log, double share);

/* The x of the next point (of a curve of the panel) at least `least` to the right (negative: to the left) of `at`. */
double charts_next_x(const struct charts_panel *panel, double at, double least);
/* The step of a place on the x axis, as the panel's first curve has it. */
double charts_step_at(const struct charts_panel *panel, double at);

/* ── one panel ── */

struct charts_drawing {
    struct plot_spec spec; /* width, height and glyphs are the caller's to set */
    struct plot_line *line;
    struct plot_event *event;
};
/* Lines, ticks and ranges of a prepared panel. x: what the x axis shows. False without memory. */
bool charts_draw_panel(const struct charts *c, const struct charts_panel *panel,
                       const struct charts_options *o, const struct charts_look *look, struct plot_range x,
                       enum plot_glyphs glyphs, struct charts_drawing *out);
void charts_drawing_free(struct charts_drawing *d);
/* The range that the values of a panel take, as the y axis shows it if it is not zoomed. */
struct plot_range charts_values(const struct plot_line *line, size_t n, struct plot_range x, bool log,
                                bool clip);

/* The value, least and greatest one of a curve within x. */
struct charts_summary {
    size_t at; /* index of the last point at or before the cursor (without one: the last) */
    size_t least, greatest;
    bool any; /* least and greatest are indices of finite values */
};
/* The curve must have a point. */
struct charts_summary charts_summarise(const struct charts_curve *curve, struct plot_range x,
                                       const struct charts_options *o);

/* The name of a run where there is little room: what tells it apart. Borrowed from it. */
const char *charts_short_id(const char *id);

#endif
