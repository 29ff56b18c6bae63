/* A view: one file in tui/views/ behind one table of operations, one row in tui/views/views.def.
 *
 * A view's private state is `size` zeroed bytes, allocated and freed by the workbench. It draws from what it has at hand; it never reads a file
 * or waits in a call. */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "tui/app.h"
#include <bertty/json.h>

/* Actions that every view may get; the keys stand in tui/keymap.c. Views' own actions start at ACT_OWN. */
enum {
    ACT_NONE,
    ACT_UP,
    ACT_DOWN,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_HOME,
    ACT_END,
    ACT_HALF_UP,
    ACT_HALF_DOWN,
    ACT_ENTER,  /* Enter: go in */
    ACT_ESCAPE, /* Esc: come out; false: the workbench clears the filter or goes back */
    ACT_SEARCH, /* / */
    ACT_NEXT,
    ACT_PREVIOUS, /* n, N: the next find */
    ACT_COPY,     /* y: the row or the value to the terminal's clipboard */
    ACT_OWN = 100
};

struct action {
    int id;            /* from ACT_OWN on */
    const char *name;  /* for the command line and key maps: "mark", "sort-by" */
    const char *keys;  /* "Space", "s S", "Ctrl-r": separated by blanks; names as in keymap.h */
    const char *help;  /* one line */
    const char *group; /* heading in the help; NULL: the view's name */
};

struct view;

struct view_ops {
    const char *name; /* "Runs" */
    size_t size;
    int panes;                    /* Tab goes through them; ≥ 1 */
    const struct action *actions; /* n_actions of them: they make the help too */
    size_t n_actions;
    /* What its marks mean, for the help: keys holds the mark, help its meaning; ends with one without keys. NULL: none. */
    const struct action *signs;
    const int
        *idle; /* shared actions that do nothing here, up to ACT_NONE: the help leaves them out; NULL: none */

    bool (*open)(struct view *v); /* once, before the first drawing; false: no memory */
    void (*close)(struct view *v);
    void (*shown)(struct view *v);                                /* comes to the front; may be NULL */
    void (*receive)(struct view *v, const struct app_request *r); /* may be NULL */
    /* What it was told to show is not all there yet: at the start, keys wait for it a moment. May be NULL. */
    bool (*settling)(const struct view *v);
    void (*draw)(struct view *v, struct rect area);
    /* An action with a count (1 if none was typed; app_counted() tells). False: not for this view (or nothing to do). */
    bool (*act)(struct view *v, int action, int count);
    /* Before all key maps, for views that take text; true: taken. May be NULL. */
    bool (*key)(struct view *v, const struct event *e);
    /* Whether characters go into a text just now: `?` is no key for the help then. NULL: never. */
    bool (*typing)(const struct view *v);
    bool (*mouse)(struct view *v, const struct event *e); /* may be NULL */
    /* About twice a second while shown (hidden views: when live is true): time to submit polls. May be NULL. */
    void (*tick)(struct view *v, double now);
    /* Appends key hints for the bottom line: "Space mark  s sort". NULL: made from the actions. */
    void (*hints)(struct view *v, struct bt_str *out);
    /* True while v's text entry has unsaved edits that should survive a hang-up: called at a hang-up to save them. May be NULL. */
    void (*autosave)(struct view *v);
    /* The settings that are being edited, if they differ from their file's, else NULL; *version: changes whenever they or that do, never 0. May be NULL. */
    const struct bt_experiment *(*edited)(const struct view *v, uint64_t *version);
    /* True: leaving would lose edits, so that `q` asks first. May be NULL. */
    bool (*unsaved)(struct view *v);
    bool live;
    /* Members of a JSON object that is open: what of it outlasts the program. And, after open() and when another runs directory is shown, what was kept;
     * NULL: nothing, all is as usual. Both may be NULL. */
    void (*keep)(const struct view *v, struct bt_json_writer *w);
    void (*restore)(struct view *v, const struct bt_json *kept);
};

enum { VIEW_BORDERS = 4 };

struct view {
    const struct view_ops *ops;
    struct app *app;
    int focus; /* pane */
    bool zoom; /* the focused pane takes all */
    int share
        [VIEW_BORDERS]; /* of its borders that the user has moved: the first part's, of 1000; 0: the usual */
    void *state;        /* ops->size bytes */
};

const struct view_ops *view_table(enum view_id id);
/* The view of that name, in any case. */
enum bt_status view_named(const char *name, enum view_id *id, struct bt_error *err);

/* extern const struct view_ops view_runs, view_data, …: one in each file of tui/views/. */
#define VIEW(id, symbol) extern const struct view_ops symbol;
#include "tui/views/views.def"
#undef VIEW

#endif
