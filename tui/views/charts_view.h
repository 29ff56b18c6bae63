/* The Charts view's state, shared by its files: charts.c (the view, reading), charts_draw.c, charts_move.c (focus, cursor, zoom, pan,
 * mouse), charts_out.c (files and the clipboard), charts_batch.c (the rows behind a point).
 *
 * Panels are borrowed from data until it changes: charts_update() comes before they are used. */
#ifndef TUI_VIEWS_CHARTS_VIEW_H
#define TUI_VIEWS_CHARTS_VIEW_H

#include "tui/batch_rows.h"
#include "tui/list.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/views/charts_scale.h"

enum { CHARTS_PLACES = 64 };

/* Where the last frame drew a panel. */
struct charts_place {
    struct charts_panel *panel;
    struct rect box, plot;
    struct plot_area area;
    struct plot_spec spec; /* its scales; lines and ticks are gone */
};

/* A plot that was drawn, and what it was drawn from: it is drawn again only where that is something else. */
struct charts_picture {
    uint64_t key;
    struct plot_cell *cell; /* [room] */
    size_t room;
    struct plot_area area;
};

/* What a step trained on, in place of the panels while open. */
struct charts_batch {
    bool open, loading;
    char *run; /* directory */
    int64_t step;
    struct batch_rows *rows; /* NULL: loading, or err */
    struct bt_error err;
    struct list list;
    struct sheet row;
    char owner; /* of the reading */
};

struct charts_view {
    struct charts data;
    struct charts_options o;
    struct charts_looks looks;
    int smoothing;            /* index of a weight */
    int columns, rows;        /* of the grid; 0: as the size suggests */
    char *filter;             /* what names of panels must match; NULL: nothing */
    struct bt_regex *pattern; /* … compiled */
    char *filter_before;      /* … before it is being edited */
    struct charts_panel **shown;
    size_t n_shown, focus;  /* focus: index of the panel that keys act on */
    char *focus_name;       /* … while panels come and go */
    struct plot_range full; /* of the x axis */
    bool started;           /* the next two are of now */
    uint64_t marks;         /* version of the marks that data was made from */
    char *chosen;           /* … and the run */
    uint64_t runs;          /* version of the list of runs that was last looked through for some that go on */
    double polled;          /* when */
    size_t page;            /* panels that the last frame had room for, … */
    int across;             /* … and in one row of it */
    struct charts_place place[CHARTS_PLACES];
    size_t n_places;
    struct charts_picture picture[CHARTS_PLACES]; /* by place */
    int drag_y, drag_x;                           /* the cell where a drag is */
    char *save_path;                              /* what a question is about */
    struct charts_batch batch;
    char **batch_run; /* [n_batch_runs] directories, while one is to be chosen */
    size_t n_batch_runs;
};

/* Finds the panels again, prepares those that may be drawn (only the focused one is smoothed yet) and the x axis, which is as long as their curves. False without memory: nothing is
 * shown. */
bool charts_update(struct view *v);
struct plot_range charts_shown_x(const struct charts_view *s);
/* The panel that keys act on, NULL: none; and its look. */
struct charts_panel *charts_focused(const struct charts_view *s);
struct charts_look *charts_focused_look(struct charts_view *s);
/* One of the weights, from 0: none; beyond the last: that. */
bool charts_set_smoothing(struct view *v, int to);
void charts_set_focus(struct charts_view *s, size_t i);

void charts_draw(struct view *v, struct rect area);
/* A place on the x axis as text. */
void charts_x_text(enum charts_axis axis, double x, char *text, size_t size);

/* Steps that move something, each with a count; false: nothing to do. */
bool charts_motion(struct view *v, int action, int count);
bool charts_zoom_x(struct view *v, int count);
bool charts_unzoom_x(struct view *v, int count);
bool charts_zoom_y(struct view *v, int count);
bool charts_unzoom_y(struct view *v, int count);
bool charts_pan_left(struct view *v, int count);
bool charts_pan_right(struct view *v, int count);
bool charts_pan_up(struct view *v, int count);
bool charts_pan_down(struct view *v, int count);
bool charts_reset(struct view *v, int count);
bool charts_cursor(struct view *v, int count);
bool charts_cursor_left(struct view *v, int count);
bool charts_cursor_right(struct view *v, int count);
bool charts_cursor_best(struct view *v, int count);
bool charts_mouse(struct view *v, const struct event *e);

/* charts_batch.c: the rows that the point under the cursor sums up (without one: the last). */
bool charts_batch_open(struct view *v, int count);
void charts_batch_close(struct view *v);
void charts_batch_free(struct charts_view *s);
void charts_batch_draw(struct view *v, struct rect area);
bool charts_batch_act(struct view *v, int action, int count);
bool charts_batch_mouse(struct view *v, const struct event *e);

/* charts_keep.c */
void charts_keep(const struct view *v, struct bt_json_writer *w);
void charts_restore(struct view *v, const struct bt_json *kept);

bool charts_save(struct view *v, int count);
bool charts_copy(struct view *v);

#endif
