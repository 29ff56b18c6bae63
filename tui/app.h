/* What the workbench offers to its views: the runs, the marks, messages, questions, background work.
 *
 * Everything here is for the thread that draws. Nothing blocks: files and models are read by tasks on worker threads. */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "tui/picture.h"
#include "tui/term.h"
#include <bertty/experiment.h>
#include <bertty/run.h>
#include <stdatomic.h>

struct app;
struct view;

/* A view's number is its key. */
enum view_id {
    VIEW_RUNS,
    VIEW_DATA,
    VIEW_EXPERIMENT,
    VIEW_CHARTS,
    VIEW_PREDICTIONS,
    VIEW_COMPARE,
    VIEW_PROBE,
    VIEW_LOG,
    VIEW_STUDY,
    VIEWS
};

struct term *app_term(struct app *a);
/* Asks for a new frame: soon, joined with other changes; or at once, for what somebody waits for. */
void app_redraw(struct app *a);
void app_redraw_now(struct app *a);

/* ── runs ── */

const char *app_runs_dir(const struct app *a);
/* Newest first; refreshed by a worker about once a second and at once by app_refresh(). Borrowed until the next tick. */
const struct bt_run_list *app_runs(const struct app *a);
bool app_runs_known(const struct app *a);       /* false: the directory has not been read yet */
uint64_t app_runs_version(const struct app *a); /* changes when the list does */
void app_refresh(struct app *a);
/* The queue of the runs directory, as of the list; limit and held are not looked at while nothing waits. */
struct app_queue {
    size_t waiting;
    int64_t limit; /* runs at a time */
    bool held;
    const char *fault; /* why it cannot be read; NULL: it can */
};
const struct app_queue *app_queue(const struct app *a);
/* The run that the views speak of: the one chosen in Runs, at start the newest; NULL: there is none. Borrowed until it changes. */
const char *app_run(const struct app *a);
void app_choose_run(struct app *a, const char *dir);
const struct bt_run_status *app_run_status(const struct app *a, const char *dir); /* NULL: not in the list */
/* Marked runs, in the order of their marking: those that Charts and Compare show (none marked: the chosen one). */
bool app_marked(const struct app *a, const char *dir);
void app_mark(struct app *a, const char *dir, bool on);
const char *const *app_marks(const struct app *a, size_t *n);
uint64_t app_marks_version(const struct app *a);
/* A stable number for the colour and the marker of a run. */
unsigned app_run_colour(struct app *a, const char *dir);

/* The settings that somebody is editing and has not saved, with their file's path in them; NULL: none. *version changes whenever they do, and when they are
 * saved; 0: nothing was edited yet. Borrowed until the next event. */
const struct bt_experiment *app_edited(const struct app *a, uint64_t *version);

/* ── going elsewhere ── */

struct app_request {              /* what another view asks of one; members that do not apply are zero */
    const char *path;             /* VIEW_DATA: file; VIEW_EXPERIMENT: file */
    size_t row;                   /* from 1 */
    const char *run;              /* run directory */
    int64_t step;                 /* checkpoint */
    const char *text, *pair;      /* VIEW_PROBE: what to type */
    bool why;                     /* VIEW_PROBE: explain the answer */
    const char *study;            /* VIEW_STUDY: its name */
    const char *gold, *predicted; /* VIEW_PREDICTIONS: confusion cell */
    const struct bt_experiment *experiment; /* VIEW_EXPERIMENT: clone of a run's */
    const struct bt_option *option;         /* VIEW_EXPERIMENT: go to its field */
};
void app_open(struct app *a, enum view_id view,
              const struct app_request *r); /* r may be NULL: just show the view */
/* v is shown and nothing lies over it: what a task has to ask may be asked without taking somebody's keys. */
bool app_in_front(const struct app *a, const struct view *v);
void app_back(struct app *a); /* to the view from which this one was opened */
void app_quit(struct app *a);
/* True while a typed count is being handed to act(). */
bool app_counted(const struct app *a);

/* Seconds since 1970, for ages. Of a picture they may be set: SOURCE_DATE_EPOCH, https://reproducible-builds.org/specs/source-date-epoch/ */
double app_clock(const struct app *a);
/* Where things are kept between starts (~/.local/state/bertty); NULL: nowhere. It may not be there yet. The caller frees. */
char *app_state_dir(void);

/* ── borders between panes ── */

/* first, second: the panes on either side, a bit each. number: the view's own, below VIEW_BORDERS. The rest as in layout.h. */
struct border {
    int number;
    bool rows; /* one above the other */
    int share, min_first, min_second;
    unsigned first, second;
};
/* Splits r as layout.h does, while drawing: where the user has put the border, else as b says. */
void app_split(struct view *v, const struct border *b, struct rect r, struct rect *first,
               struct rect *second);

/* ── talking to the user ── */

/* A line at the bottom until the next key. role: ROLE_TEXT, ROLE_GOOD, ROLE_WARN, ROLE_BAD. */
void app_say(struct app *a, enum role role, const char *fmt, ...) BT_PRINTF(3, 4);
void app_say_error(struct app *a, const struct bt_error *err);

/* A line of input at the bottom. done is called once: text NULL when it was cancelled. changed (or NULL) after every edit; complete (or NULL) appends
 * candidates, each the whole line up to where the cursor will be, ended by \n. check (or NULL): false says in err what is wrong with the text, which
 * stands above the line then; changed is not called, and Enter waits for a better one. what: the prompt, "filter: ". history: lines are kept by this name. */
struct app_prompt {
    const char *what, *initial, *history;
    void (*done)(void *ctx, const char *text);
    void (*changed)(void *ctx, const char *text);
    void (*complete)(void *ctx, const char *before, struct bt_str *out);
    bool (*check)(void *ctx, const char *text, struct bt_error *err);
    void *ctx;
};
/* A check: what bt_regex_typed() takes. */
bool app_check_pattern(void *ctx, const char *text, struct bt_error *err);
void app_ask(struct app *a, const struct app_prompt *p);
/* “question (y/n)”: done(ctx) only after y. */
void app_confirm(struct app *a, const char *question, void (*done)(void *ctx), void *ctx);
/* Asks only if there is something at the path. */
void app_confirm_replace(struct app *a, const char *path, void (*done)(void *ctx), void *ctx);
/* A list to choose from, with a filter line; done gets the index, or −1. items are copied. */
void app_choose(struct app *a, const char *title, const char *const *items, size_t n,
                void (*done)(void *ctx, int index), void *ctx);
/* Leaves the screen to a program ($EDITOR file) and comes back. False: it could not be started. */
bool app_edit_file(struct app *a, const char *path);

/* ── background work ── */

struct app_task {
    void (*run)(void *ctx, const atomic_bool *cancel); /* on a worker thread */
    void (*done)(void *ctx,
                 bool cancelled); /* then on the drawing thread: takes over the result, frees ctx */
    void *ctx;
    const void *owner; /* for app_cancel(); usually the view */
};
/* False (nothing is called): no memory. Tasks of one owner run one after the other, those of others beside them. */
bool app_submit(struct app *a, const struct app_task *t);
/* Asks the owner's tasks to stop; their done() is still called. */
void app_cancel(struct app *a, const void *owner);
size_t app_pending(const struct app *a, const void *owner);

/* ── the workbench ── */

struct app_options {
    const char *runs_dir;
    const char *open; /* name of the view to begin with, or a file to open; NULL: Runs */
    const char
        *theme; /* NULL: dark, or light where the terminal says so; a wrong one is told and another used */
    bool ascii;
    int colours; /* 0, 8, 16, 256, 1 << 24; −1: as many as the screen has */
};
/* Until the user leaves. *ended_by: the signal that ended it, 0: none; the caller passes it on. */
enum bt_status app_main(const struct app_options *o, int *ended_by, struct bt_error *err);

/* The workbench without a terminal: app_shot() appends a picture of a view, in which all background work has ended. What is kept between starts plays
 * no part. options.open: a file for Data or Experiment, or NULL. */
struct app_shot {
    const char *view; /* its name */
    const char *keys; /* pressed one after another: names as in keymap.h, separated by blanks; NULL: none */
    int rows, columns;
    enum picture_format format;
};
enum bt_status app_shot(const struct app_options *o, const struct app_shot *s, struct bt_str *out,
                        struct bt_error *err);

#endif
