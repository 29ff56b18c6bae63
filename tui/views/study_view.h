/* The Study view's state, shared by its files: study.c (keys), study_load.c (reading), study_draw.c (the trials and the pane beside them), study_plot.c (the pictures),
 * study_out.c (a finer sweep). */
#ifndef TUI_VIEWS_STUDY_VIEW_H
#define TUI_VIEWS_STUDY_VIEW_H

#include "tui/list.h"
#include "tui/view.h"
#include <bertty/study.h>

/* What one look at the runs directory found; made by a worker, then never changed. */
struct study_found {
    struct bt_string_list names; /* of all studies, the oldest first */
    struct bt_study study;       /* its name is NULL: none */
    struct bt_study_option *option;
    size_t n_options;
    struct bt_error err;
};
void study_found_free(struct study_found *f); /* NULL is fine */

enum { STUDY_TRIALS, STUDY_SIDE };                               /* panes */
enum { STUDY_OPTIONS, STUDY_LINES, STUDY_TIME, STUDY_PICTURES }; /* what the side pane shows */
enum study_column { COL_NUMBER, COL_STATE, COL_STEP, COL_LAST, COL_BEST, COL_OPTIONS };
enum { STUDY_SHOWN = 8 }; /* options with a column of their own */

struct study_view {
    bool busy, again; /* again: something changed while busy */
    uint64_t version; /* of the run list that found was read with */
    char *wanted;     /* name; NULL: the newest */
    struct study_found *found;
    size_t *row; /* trials in the order of the list */
    struct list list, side;
    int picture;
    int sorted; /* a column of the list */
    bool descending;
    char *finer;      /* where the finer sweep goes */
    size_t finer_row; /* and the trial that it lies around */
    char owner_out;
};

static inline struct study_view *study_of(struct view *v)
{
    return v->state;
}

/* The study that is shown; NULL: none. */
const struct bt_study *study_shown(const struct study_view *s);
/* The trial under the cursor; NULL: none. */
const struct bt_trial *study_current(const struct study_view *s);
size_t study_number(const struct bt_study *s, const struct bt_trial *t); /* from 1 */

/* study_load.c */
void study_load(struct view *v);
void study_sort(struct study_view *s);

/* study_draw.c */
void study_draw(struct view *v, struct rect area);
struct list_look study_look(struct view *v, struct list_column column[COL_OPTIONS + STUDY_SHOWN]);

/* study_plot.c */
void study_plot_lines(struct view *v, struct rect in);
void study_plot_time(struct view *v, struct rect in);

/* study_out.c */
bool study_finer(struct view *v);
bool study_hold(struct view *v);

#endif
