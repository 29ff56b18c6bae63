/* The workbench's inside, for the files app*.c alone. Everything belongs to the drawing thread. */
#ifndef TUI_APP_PRIVATE_H
#define TUI_APP_PRIVATE_H

#include "tui/app.h"
#include "tui/edit.h"
#include "tui/keymap.h"
#include "tui/list.h"
#include "tui/view.h"
#include <bertty/json.h>
#include <bertty/queue.h>

enum { APP_MIN_COLUMNS = 40, APP_MIN_ROWS = 10, APP_TOP = 2, APP_BOTTOM = 1 };

/* ── background work (app_task.c) ── */

struct tasks;
struct tasks *tasks_new(void); /* NULL: no memory, no pipe */
int tasks_fd(const struct tasks *t);
bool tasks_submit(struct tasks *t, const struct app_task *task);
void tasks_cancel(struct tasks *t, const void *owner);
size_t tasks_pending(struct tasks *t, const void *owner);
void tasks_finish(struct tasks *t); /* calls done() of those that have ended */
bool tasks_idle(struct tasks *t);   /* none waits, runs or has ended */
/* Cancels all and waits a moment; false: something still runs, and what it uses must stay. Frees t if true. */
bool tasks_stop(struct tasks *t);

/* ── runs (app_runs.c) ── */

struct colour_of {
    char *dir;
};

/* ── its queue (app_queue.c) ── */

struct queue_state {
    struct app_queue known;
    bool ready; /* there is room for one that waits, or for a trial of a study */
    char *fault;
};
/* On a worker: of a list that was just read; all but ready. */
void queue_read(struct queue_state *q, const char *runs_dir, const struct bt_run_list *list);
void queue_state_clear(struct queue_state *q);
bool queue_same(const struct queue_state *a,
                const struct queue_state *b); /* as far as it is shown beside the list */
/* Starts what is ready. */
void queue_tick(struct app *a);

struct runs {
    char *dir;
    struct bt_run_list list;
    struct queue_state queue;
    uint64_t version, marks_version;
    bool known, busy, again; /* was read once; is being read; to be read again at once */
    char *chosen;
    bool chosen_seen; /* it was in the list */
    char **mark;
    size_t n_marks;
    struct colour_of *colour;
    size_t n_colours;
    double refreshed;
    struct bt_run_watch *watch; /* the one that reads has it while busy; NULL: no memory */
    char *error;                /* the last one that was told */
};
void runs_tick(struct app *a, double now);
void runs_set_dir(struct app *a, const char *dir);
void runs_free(struct app *a);

/* ── what lies over a view ── */

/* Takes all keys while it is there. */
struct overlay {
    void (*draw)(struct app *a, struct rect screen);
    void (*key)(struct app *a, const struct event *e);
    void (*mouse)(struct app *a, const struct event *e); /* may be NULL */
    void (*paste)(struct app *a, const struct event *e); /* may be NULL */
    void (*drop)(struct app *a);                         /* frees what it holds; calls nobody */
};

/* Replaces what is there: whoever waits for that is told that it was cancelled. */
void overlay_open(struct app *a, const struct overlay *o, void *state);
/* Esc, Ctrl-c, Ctrl-g: out of what lies over a view. */
bool event_gives_up(const struct event *e);
/* Takes it away without telling; the state is the caller's to free. */
void *overlay_take(struct app *a);

void help_open(struct app *a);
void command_open(struct app *a);
void theme_choose(struct app *a);
enum bt_status theme_use(struct app *a, const char *name, struct bt_error *err);
/* The terminal has told its background. */
void theme_follow(struct app *a, bool light);
/* A file's fault without the way to the file, for which the status line has no room. Borrowed from err. */
const char *theme_short_error(const struct bt_error *err);
void theme_say_error(struct app *a, const struct bt_error *err);
/* The theme to begin with: the named one, the kept one, the usual one. A fault in one of them is told, and the next taken. Fails if there is none named so. */
enum bt_status theme_begin(struct app *a, const char *name, struct bt_error *err);

/* ── borders (app_border.c) ── */

enum { MAX_BORDERS = 4 };
struct drawn_border {
    struct border is;
    struct rect area, second; /* what was split, and its second part: it begins with the border */
};
/* True: the event was for a border. */
bool border_mouse(struct app *a, const struct event *e);
/* ACT_LARGER, ACT_SMALLER: count cells for the focused pane; ACT_USUAL_SIZE. */
void border_act(struct app *a, int action, int count);

/* ── :pull (app_pull.c) ── */

struct pull;
void pull_run(struct app *a, const char *name);
void pull_tick(struct app *a);

struct history {
    char *name;
    char **line;
    size_t n;
    struct history *next;
};
/* Without memory the line is lost. */
void history_add(struct app *a, const char *name, const char *line);
void history_free(struct history *h);

/* ── the whole ── */

enum { MAX_HINTS = 32, HINT_KEY = 16 };
struct hint {
    int x, w;
    char key[HINT_KEY];
};

struct app {
    struct term *term;
    struct theme *theme;
    struct keymap *keys;
    struct tasks *tasks;
    struct runs runs;
    struct view view[VIEWS];
    bool opened[VIEWS];
    int from[VIEWS]; /* view from which it was opened, −1: none */
    int front;
    bool quit, redraw, urgent;
    int ending; /* signal; −1: the terminal is gone */
    int count;
    bool counting;
    char *message;
    enum role message_role;
    const struct overlay *overlay;
    void *overlay_state;
    struct history *history;
    char *queue_fault;      /* of the last try to start something, NULL: none */
    double queue_rests;     /* until then no other */
    struct pull *pull;      /* the one that is under way, or NULL */
    struct bt_json *kept;   /* of the runs directory's last session; NULL: nothing */
    enum view_id kept_view; /* that was in front */
    bool unkept;            /* nothing can be written */
    bool foreign_state;     /* a session of another version: it is left alone */
    bool chose_theme;       /* this time */
    char *kept_theme;       /* chosen by the user, now or earlier; NULL: none */
    double clock;           /* what ages are counted to; 0: the machine's */
    bool usual_theme;       /* nobody chose: it goes with the terminal's background */
    struct drawn_border border[MAX_BORDERS],
        held; /* of the last frame, outer ones first; the one that is dragged */
    int n_borders;
    bool holding, moved;
    struct hint hint[MAX_HINTS]; /* keys in the bottom line, for the mouse */
    int n_hints;
    struct rect tab[VIEWS], help;       /* where the tabs and "? help" are, for the mouse */
    double ticked, drawn, asked, typed; /* times: of the last tick, frame, request for one, event */
    double frame_s;                     /* what the last frame took */
};

/* ── between starts ── */

enum { STATE_VERSION = 1 };
/* app_state.c. state_forget(): nothing is kept or read from now on. What cannot be read is told on the screen. */
void state_forget(void);
void state_load(struct app *a);
void session_load(struct app *a); /* of the runs directory */
enum bt_status session_save(struct app *a, struct bt_error *err);
enum bt_status state_save(struct app *a, struct bt_error *err); /* the session too */
/* app_session.c */
void session_restore(struct app *a);
void session_restore_view(struct app *a, struct view *v); /* that was just opened */
void session_write(const struct app *a, struct bt_str *out);

/* All but the screen (app_start.c). *out is to be freed after a failure too. */
enum bt_status app_new(const struct app_options *o, struct app **out, struct bt_error *err);
void app_free(struct app *a); /* NULL is fine */

double app_now(void);
struct view *app_front(struct app *a);
struct rect app_area(const struct app *a);
void app_show(struct app *a, enum view_id id);
/* A data file in Data, an experiment file in Experiment. */
void app_open_path(struct app *a, const char *path);
/* An action of the workbench or of the view in front. */
void app_act(struct app *a, int action, int count);
void app_draw(struct app *a);
void app_event(struct app *a, const struct event *e);
void app_tick(struct app *a, double now);

#endif
