/* The Predictions view's state, shared by its files: predictions.c (keys), predictions_load.c (reading), predictions_draw.c (which pane stands
 * where), predictions_kinds.c (the columns of each kind of rows), predictions_matrix.c, predictions_side.c and predictions_calibration.c (the pane that sums up),
 * predictions_detail.c (the row), predictions_out.c (to other views, the clipboard and files).
 * predictions_audit.c has the list of probable label errors and predictions_map.c the data map, which may stand in place of all that.
 *
 * What a task has read is handed over on the drawing thread and not changed from then on. */
#ifndef TUI_VIEWS_PREDICTIONS_VIEW_H
#define TUI_VIEWS_PREDICTIONS_VIEW_H

#include "tui/list.h"
#include "tui/sheet.h"
#include "tui/view.h"
#include "tui/views/predictions_rows.h"
#include <bertty/experiment.h>
#include <bertty/slices.h>
#include <bertty/texts.h>
#include <bertty/threshold.h>

/* PRED_MATRIX: the pane that sums up: the confusion matrix, or what the kind has instead. */
enum { PRED_LIST, PRED_MATRIX, PRED_DETAIL, PRED_PANES };
enum { PRED_COLUMNS = 7 };
/* What the view shows. */
enum pred_mode { PRED_ROWS /* predictions */, PRED_AUDIT, PRED_MAP };
enum pred_split { PRED_VALIDATION, PRED_TEST, PRED_SPLITS };
const char *pred_split_name(enum pred_split split);
/* Which split of a run a data file is part of. Reads files. */
enum pred_naming { PRED_UNKNOWN /* there is no experiment */, PRED_NAMED, PRED_NOT_NAMED };
enum pred_naming pred_split_of(const char *run, const char *file, enum pred_split *split);

struct pred_view {
    char *run; /* directory; NULL: none */
    char *
        pinned; /* another view asked for this run while that one was chosen; NULL: the chosen run is shown */
    enum pred_mode mode;
    struct pred_audit *audit; /* NULL: nobody has asked for it */
    struct pred_map *map;     /* likewise */
    enum pred_split split;
    int64_t step; /* asked for; −1: of the best checkpoint, else the newest */

    bool loading, started, again; /* again: something changed meanwhile */
    struct bt_predictions *p;     /* NULL: err */
    struct bt_error err;
    int64_t *steps;
    size_t n_steps;
    size_t other_steps; /* of the other split */
    int64_t seen_step;  /* of the run's last evaluation when it was read */
    enum bt_run_state seen_state;
    struct pred_matrix matrix; /* BT_ROWS_LABELS */
    struct pred_facts facts;   /* the other kinds */
    struct bt_calibration calibration;
    bool calibrated;                  /* the pane that sums up shows it */
    struct bt_thresholds *thresholds; /* NULL: the rows have none to choose, or are not read yet */
    bool sliding;                     /* the pane that sums up shows the slider */
    int positive;                     /* … of this label; BT_THRESHOLD_ALL: of all in sets */
    double threshold;
    double *kept; /* [n_kept] by which the rows are decided; NaN: as predicted; NULL: all are as predicted */
    int n_kept;
    struct list bins; /* … its bins that have rows, the surest first */
    bool known_kind;  /* rows were shown already: the order is that of `kind` */
    enum bt_rows_kind kind;
    struct bt_texts *texts; /* NULL: not read yet */
    float *history;         /* [n_history * p->n] p(gold); NULL: not read yet */
    size_t n_history;       /* the last steps of `steps` */

    struct pred_query query; /* query.text is ours */
    char *expression;        /* rows that it holds for; NULL: all */
    bool *in;                /* … of p; NULL: not made yet */
    struct bt_slices slices; /* as they were last read */
    char *filter, *filter_before;
    struct bt_row_notes notes; /* of the split's rows */
    struct bt_error notes_err; /* they cannot be read */
    char *tag;                 /* query.tag is ours */
    size_t *index, n;
    struct list list, side;                  /* side: groups, then slices */
    struct list_column column[PRED_COLUMNS]; /* of the kind */
    int64_t wanted;                          /* row (id) to go to; 0: none */
    char *wanted_file;                       /* … counted within this file; NULL: within all */
    char *wanted_gold, *wanted_predicted;    /* cell to show */

    int gold, predicted; /* the matrix's cursor; matrix.n: all */
    int first_gold, first_predicted;
    struct rect matrix_at, detail_at;
    int cell_width, label_width, figures;
    struct sheet detail;
    size_t detail_row;
    char *export_path;
    char owner_load, owner_texts, owner_history, owner_out, owner_slices, owner_notes;
};

/* predictions_load.c */
void pred_load(struct view *v);
void pred_forget(struct pred_view *s);
/* bt_texts_read() into memory of its own; NULL: there is none. */
struct bt_texts *pred_texts_read(const struct bt_experiment *x, const char *split, size_t most);
void pred_texts_free(struct bt_texts *t);
/* predictions.c */
void pred_update(struct view *v); /* after a change of what is to be shown */
/* After a choice of rows elsewhere (a cell, a line of the side): the list from its beginning, all of them; true. */
bool pred_show_chosen(struct view *v);
const struct bt_prediction *pred_row(const struct pred_view *s); /* the cursor's; NULL: none */
bool pred_filtered(const struct pred_view *s);
/* predictions_draw.c */
/* The three panes, as they stand in all modes; texts: the detail wants room; share: of the list. Where there is no room for three only the focused one has height. */
void pred_panes(struct view *v, struct rect area, bool texts, int share, struct rect pane[PRED_PANES]);
void pred_draw(struct view *v, struct rect area);
/* predictions_kinds.c */
struct list_look pred_look(const struct view *v);
/* The order after (by 1) or of the first column; that of a column, PRED_ORDERS: none. */
enum pred_order pred_next_order(enum bt_rows_kind kind, enum pred_order now, int by);
enum pred_order pred_first_order(enum bt_rows_kind kind);
enum pred_order pred_column_order(enum bt_rows_kind kind, int column);
/* predictions_detail.c */
void pred_detail_draw(struct view *v, struct rect area);
/* predictions_side.c: groups, slices and figures; of numbers the scatter plot. */
void pred_side_draw(struct view *v, struct rect area);
size_t pred_side_rows(const struct pred_view *s);
bool pred_side_open(struct view *v); /* the rows of the group or the slice under the cursor */
bool pred_side_mouse(struct view *v, const struct event *e);
/* predictions_slices.c */
void pred_slice_forget_rows(struct pred_view *s); /* before rows or texts change */
void pred_slice_apply(struct view *v);
void pred_slice_set(struct view *v, const char *expression); /* NULL: all rows */
bool pred_slice_ask(struct view *v);
bool pred_slice_name_it(struct view *v);
bool pred_slice_choose(struct view *v);
/* predictions_notes.c */
bool pred_notes_tag(struct view *v);
bool pred_notes_write(struct view *v);
bool pred_notes_choose(struct view *v); /* rows with a tag */
/* predictions_calibration.c */
bool pred_calibration_shown(const struct pred_view *s);
bool pred_calibration_show(struct view *v); /* or no longer */
void pred_calibration_draw(struct view *v, struct rect area);
bool pred_calibration_act(struct view *v, int action, int count);
bool pred_calibration_mouse(struct view *v, const struct event *e);
/* predictions_threshold.c */
bool pred_threshold_shown(const struct pred_view *s);
bool pred_threshold_show(struct view *v); /* or no longer */
void pred_threshold_draw(struct view *v, struct rect area);
bool pred_threshold_act(struct view *v, int action, int count);
bool pred_threshold_best(struct view *v);
bool pred_threshold_forget(struct view *v); /* the kept ones */
void pred_threshold_title(const struct pred_view *s,
                          struct bt_str *out); /* ", positive ≥ 0.37" of what is kept */
/* predictions_matrix.c */
void pred_matrix_draw(struct view *v, struct rect area);
int pred_label_width(const struct pred_view *s, int most);
/* The cell of the matrix at a place on the screen. */
bool pred_place(const struct pred_view *s, int y, int x, int *gold, int *predicted);
/* predictions_keep.c */
void pred_keep(const struct view *v, struct bt_json_writer *w);
void pred_restore(struct view *v, const struct bt_json *kept);
/* predictions_out.c */
bool pred_to_probe(struct view *v, bool why); /* why: its answer is explained there */
bool pred_to_data(struct view *v);
/* A row (from 1) of a split in its file, in Data. False: it has none. */
bool pred_open_row(struct view *v, const struct bt_texts *texts, int64_t id);
bool pred_copy(struct view *v);
bool pred_export(struct view *v);

#endif
