/* The Compare view's state, shared by its files: compare.c (keys), compare_load.c (which runs, reading), compare_draw.c (the table), compare_inside.c (the rows behind
 * a count). */
#ifndef TUI_VIEWS_COMPARE_VIEW_H
#define TUI_VIEWS_COMPARE_VIEW_H

#include "tui/list.h"
#include "tui/view.h"
#include "tui/views/compare_lines.h"
#include <bertty/versus.h>

/* What one look at the runs found; made by a worker, then never changed. */
struct compare_found {
    struct bt_compare *compare; /* NULL: err */
    struct bt_versus versus;    /* its pairing is NULL: versus_err, or there are not two runs */
    struct bt_error err, versus_err;
    int64_t *steps[2]; /* [n_steps] of two runs: those with predictions, ascending */
    size_t n_steps[2];
};

/* The rows behind a count. */
struct compare_inside {
    bool open;
    struct compare_set set;
    enum compare_order order;
    char *filter, *filter_before;
    size_t *index, n; /* rows of the pairing */
    struct list list;
};

struct compare_view {
    bool started, busy, again; /* again: something changed while busy */
    bool to_end;               /* a slice was added: it is the last line */
    uint64_t marks;            /* version of the marks that dir was made from */
    uint64_t signature;        /* of the runs' states when they were read */
    char **dir;                /* the reference first */
    size_t n;
    int64_t step[2];   /* of two runs: as in struct bt_run_at */
    char **expression; /* of slices, [expressions] */
    size_t expressions;
    char *reference; /* directory; NULL: the first marked */
    struct compare_found *found;
    struct compare_lines lines;
    struct list list;
    size_t cell;       /* chosen in the line with the cursor */
    size_t first_cell; /* the first one that is shown */
    struct rect at;    /* of the last drawing, for the mouse */
    int name_width, cell_width;
    struct compare_inside in;
    char *report_path; /* of the last report; NULL: none yet */
    char owner_out;
};

const struct compare_line *compare_current(const struct compare_view *s);

/* compare_out.c */
bool compare_copy(struct view *v);
bool compare_report(struct view *v);
/* compare_load.c */
void compare_load(struct view *v);
void compare_forget(struct compare_view *s);
void compare_follow_marks(struct view *v); /* what is shown is forgotten at once if it is of other runs */
void compare_reference_first(struct compare_view *s);
void compare_tick(struct view *v, double now);

void compare_draw(struct view *v, struct rect area);
/* The line and the cell at a place on the screen; false: none. */
bool compare_place(const struct compare_view *s, int y, int x, size_t *line, size_t *cell);

void compare_enter(struct view *v, const struct compare_set *set);
void compare_inside_update(struct compare_view *s);
void compare_inside_draw(struct view *v, struct rect area);
bool compare_inside_act(struct view *v, int action, int count);
bool compare_inside_mouse(struct view *v, const struct event *e);
bool compare_inside_sort(struct view *v, int count);
void compare_inside_free(struct compare_inside *in);

#endif
