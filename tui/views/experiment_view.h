/* What the files of the Experiment view share. Everything belongs to the drawing thread; tasks work on copies. */
#ifndef TUI_VIEWS_EXPERIMENT_VIEW_H
#define TUI_VIEWS_EXPERIMENT_VIEW_H

#include "tui/edit.h"
#include "tui/form.h"
#include "tui/list.h"
#include "tui/view.h"
#include <bertty/train.h>

enum { EXP_FORM, EXP_TEXT, EXP_CHECK, EXP_PANES };

struct exp_row {
    size_t group; /* index of the group's first option */
    size_t field; /* FORM_NO_FIELD: the group's heading */
};

/* What the values would lead to: the last prediction, or why there is none. */
struct exp_check {
    struct bt_check *result;
    char *fault;
    size_t fault_field;     /* FORM_NO_FIELD: none in particular */
    uint64_t version, seen; /* form's text that it is about; that was seen last */
    double seen_at;         /* when that text was seen first */
};

/* The difference to something else. */
struct exp_other {
    struct bt_experiment *x; /* NULL: no difference is shown */
    char *name;
    bool run; /* resolved: paths are absolute */
};

struct exp_pick { /* what a list to choose from offers */
    char *label, *path;
    int kind;
};

struct exp_view {
    struct form *form;
    bool ready;   /* something was opened */
    bool looking; /* for the file to open first */
    struct exp_row row[2 * BT_OPTIONS];
    struct list list;
    bool folded[BT_OPTIONS];
    char *filter;
    bool only_changed;
    struct exp_other other;
    struct exp_check check;

    struct edit *edit; /* NULL: no field is being typed */
    size_t edited;
    char *edit_fault;

    bool *new_line; /* [n_lines] of the text */
    size_t n_lines;
    uint64_t lines_version;
    int text_left, text_top, check_top, check_lines, text_page, check_page;
    struct rect form_at, text_at, check_at;

    struct exp_pick *pick;
    size_t n_picks;
    char *files; /* paths that may be experiments, a line each; NULL: not looked yet */
    double listed_at;
    char *origin;             /* id of the run that it was cloned from; NULL: none */
    char *wanted;             /* path to open once the question about unsaved changes is answered */
    char *wanted_run;         /* … or the run to clone */
    char *save_path;          /* where to, once the question about overwriting is answered */
    char *kept;               /* text of an earlier session */
    uint64_t launched;        /* form's text that was launched last */
    bool offered, taken_over; /* the text of the earlier session */
    size_t wanted_option;     /* field to go to when there is a form, from 1; 0: none */
    double stat_at;           /* when the file was looked at last */
    struct sweeping *sweep;   /* the study that somebody is asked about; NULL: none */
};

enum {
    ACT_TOGGLE = ACT_OWN,
    ACT_MORE,
    ACT_LESS,
    ACT_RESET,
    ACT_UNDO,
    ACT_REDO,
    ACT_ONLY_CHANGED,
    ACT_DIFFERENCE,
    ACT_EDITOR,
    ACT_SAVE,
    ACT_SAVE_AS,
    ACT_LAUNCH,
    ACT_QUEUE,
    ACT_SWEEP,
    ACT_OPEN,
    ACT_FOLD,
    ACT_FRESH,
    ACT_TAKE,
};

static inline struct exp_view *exp_of(const struct view *v)
{
    return v->state;
}

/* experiment.c */
void exp_update_rows(struct view *v);
size_t exp_field_here(const struct view *v);  /* FORM_NO_FIELD: a heading, or nothing */
void exp_go_to(struct view *v, size_t field); /* cursor there, whatever is folded or filtered */
void exp_say_status(struct view *v, enum bt_status st, const struct bt_error *err); /* only failures */
bool exp_same_as_other(const struct exp_view *s, size_t field);

/* experiment_edit.c: typing into a field */
void exp_edit_start(struct view *v, size_t field);
void exp_edit_end(struct view *v); /* nothing changes */
/* True if the value was taken; else the entry stays open with the reason. */
bool exp_edit_take(struct view *v);
bool exp_edit_key(struct view *v, const struct event *e);

/* experiment_draw.c, experiment_panes.c */
void exp_draw(struct view *v, struct rect area);
void exp_draw_text(struct view *v, struct rect r);
void exp_draw_check(struct view *v, struct rect r);
void exp_summary(const struct view *v, struct bt_str *out, enum role *role); /* the prediction in one line */
bool exp_mouse(struct view *v, const struct event *e);

/* experiment_clone.c */
void exp_clone(struct view *v, const struct bt_experiment *x, const char *from);
/* A resolved value that only follows from others. */
bool exp_follows(const struct bt_experiment *x, size_t field);

/* experiment_file.c: reading, saving, keeping */
void exp_first_file(struct view *v);
void exp_open_path(struct view *v, const char *path); /* asks first if there are unsaved changes */
void exp_open_run(struct view *v, const char *dir);
void exp_fresh(struct view *v);
void exp_show_from_start(struct view *v);
void exp_offer_kept(struct view *v);
void exp_save(struct view *v);
void exp_ask_save_as(struct view *v);
void exp_editor(struct view *v);
void exp_autosave(struct view *v);
bool exp_worth_keeping(const struct exp_view *s); /* changes that would be lost */
void exp_file_tick(struct view *v, double now);
void exp_file_close(struct exp_view *s);

/* experiment_state.c: paths below $XDG_STATE_HOME/bertty; the caller frees; NULL without memory or home */
char *exp_state_path(const char *kind, const char *of);

/* experiment_launch.c: prediction and launch */
void exp_check_tick(struct view *v, double now);
void exp_check_clear(struct exp_check *c);
void exp_launch(struct view *v);
bool exp_fit_to_launch(struct view *v); /* nothing is known to be wrong; else it says what, at its field */
void exp_say_failed_launch(struct view *v, const struct bt_error *err);

/* experiment_queue.c */
void exp_queue(struct view *v);
/* experiment_sweep.c */
void exp_sweep(struct view *v);
void exp_sweep_forget(struct exp_view *s);

/* experiment_pick.c: lists to choose from */
void exp_ask_open(struct view *v);
void exp_ask_difference(struct view *v);
void exp_other_clear(struct exp_other *o);
void exp_list_files(struct view *v);
void exp_list_tick(struct view *v, double now);
void exp_pick_close(struct exp_view *s);
/* Appends paths that continue `before`, a line each; directories end with /. Reads a directory. */
void exp_complete_path(const char *before, struct bt_str *out);
/* Is it called as an experiment file is: .yaml or .yml, and no probe set? */
bool exp_is_file(const char *path);

#endif
