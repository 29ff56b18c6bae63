/* What the files of the Runs view share. Everything belongs to the drawing thread; tasks work on copies. */
#ifndef TUI_VIEWS_RUNS_VIEW_H
#define TUI_VIEWS_RUNS_VIEW_H

#include "tui/list.h"
#include "tui/view.h"
#include "tui/views/runs_rows.h"
#include <bertty/run_groups.h>

/* A row from here on is a group's. */
#define RUNS_GROUP (SIZE_MAX / 2)

enum { RUNS_TABLE, RUNS_DETAIL, RUNS_PANES };

struct runs_setting {
    const char *name;   /* static */
    char *other, *here; /* the reference's value (or the default) and the run's */
};

struct runs_metric {
    char *name;
    double value;
};

/* What is known of one run beyond its status; read by a task. */
struct runs_facts {
    char *dir;
    char *reference;   /* directory; NULL: the defaults */
    bool has_settings; /* there is an experiment.yaml */
    struct runs_setting *setting;
    size_t n_settings;
    struct runs_metric *metric;
    size_t n_metrics;
    struct bt_str log; /* its last lines */
    double bytes;      /* of all its files */
    char *fault;       /* why something could not be read, or NULL */
};

struct runs_view {
    struct list list;
    size_t *row;   /* [list.n] indices into app_runs(), or RUNS_GROUP + a group's number */
    size_t n_runs; /* that the filter lets through */
    uint64_t runs_version, marks_version;
    bool stale; /* filter or order changed */
    enum runs_column sort;
    bool descending;
    char *filter_text, *filter_fault; /* NULL: none */
    struct bt_run_filter *filter;     /* NULL: all */
    bool hidden;                      /* hidden runs are shown */
    size_t n_hidden;                  /* that are not */
    bool curves;                      /* the last drawing had them */
    bool folded;                      /* groups of seeds are one row */
    struct bt_run_groups groups;      /* of the runs that are shown; none unless folded */
    char **open;                      /* [n_open] keys of groups whose members are shown */
    size_t n_open;
    char *here_group;       /* key of the group that the cursor stands on; NULL: on a run */
    bool asking;            /* the filter's prompt is open */
    struct bt_facts *known; /* what filters need of all runs; NULL: nothing was read yet */
    unsigned known_need;    /* BT_FACTS_… that are known of all of them, if not of this moment, … */
    unsigned read_need;     /* … and those that the last reading looked at again */
    uint64_t known_version; /* of the list that they were read for */
    double known_at, now;   /* when they were asked for; the last tick */
    double aged_at;         /* when the ages were drawn for their own sake */
    char *reference;        /* directory of the run that the others are compared with; NULL: the defaults */
    struct rect table_at, detail_at;

    struct runs_facts facts;
    double facts_at; /* when they were asked for */
    int64_t facts_step;
    int detail_top, detail_lines, detail_page;

    char **doomed; /* directories that a question is about */
    size_t n_doomed;
};

enum {
    ACT_MARK = ACT_OWN,
    ACT_MARK_ALL,
    ACT_UNMARK,
    ACT_SORT,
    ACT_SORT_BACK,
    ACT_TURN,
    ACT_STOP,
    ACT_PAUSE,
    ACT_RESUME,
    ACT_CHECKPOINT,
    ACT_EVALUATE,
    ACT_RATE,
    ACT_DELETE,
    ACT_CLONE,
    ACT_REFERENCE,
    ACT_PREDICTIONS,
    ACT_PROBE,
    ACT_LOG,
    ACT_NEW,
    ACT_TAGS,
    ACT_NOTE,
    ACT_HIDE,
    ACT_HIDDEN,
    ACT_FOLD,
    ACT_QUEUE,
    ACT_QUEUE_UP,
    ACT_QUEUE_DOWN,
    ACT_QUEUE_FIRST,
    ACT_QUEUE_HOLD,
    ACT_QUEUE_LIMIT,
};

static inline struct runs_view *runs_of(const struct view *v)
{
    return v->state;
}
/* The run under the cursor; NULL: none. Borrowed until the next tick. */
const struct bt_run_status *runs_here(const struct view *v);
/* The run under the cursor is the one that all views speak of; of a group the first. */
void runs_choose_here(struct view *v);
/* Rows anew if the runs, the filter or the order changed. */
void runs_update(struct view *v);
/* By that column; by the same one: the other way round. */
void runs_sort(struct view *v, int column);

/* The rows follow the list, the filter or the order; the cursor goes with the chosen run. */
void runs_refresh(struct view *v);

/* runs_keep.c */
void runs_keep(const struct view *v, struct bt_json_writer *w);
void runs_restore(struct view *v, const struct bt_json *kept);

/* runs_filter.c */
void runs_ask_filter(struct view *v);
void runs_set_filter(struct view *v, const char *text);
/* Reads what the filter needs to know, where it is not known or no longer true. */
void runs_known_tick(struct view *v, double now);
/* All that the filter needs is known. */
bool runs_known(const struct runs_view *s);

/* runs_draw.c */
void runs_draw(struct view *v, struct rect area);
/* How many of the columns there are: the last ones only where they say something. */
int runs_columns(const struct bt_run_list *list);
bool runs_mouse(struct view *v, const struct event *e);
void runs_progress(struct bt_str *out, int64_t step, int64_t total, bool unicode);
/* Glyph and role of a state. */
uint32_t runs_state_glyph(const struct bt_run_status *s, bool unicode);
enum role runs_state_role(const struct bt_run_status *s);

/* runs_detail.c */
void runs_detail_tick(struct view *v, double now);
void runs_detail_draw(struct view *v, struct rect inside);
void runs_facts_clear(struct runs_facts *f);
/* An option's value; of an absolute path the last part: where it lies is the same for most runs. The caller frees. */
char *runs_setting(const struct bt_experiment *x, size_t option);

/* runs_groups.c */
/* Turns the n rows of runs into rows of groups where they are folded (row has room for twice the runs); returns how many. */
size_t runs_fold(struct view *v, size_t n);
const struct bt_run_group *runs_group_at(const struct runs_view *s, size_t row); /* NULL: a run */
const struct bt_run_group *runs_group_here(const struct view *v);
bool runs_in_group(const struct runs_view *s, size_t run);
/* The cursor is meant to stay on that group; NULL: it is on a run. */
void runs_stand_on(struct runs_view *s, const struct bt_run_group *g);
/* Puts the cursor on the group that it stood on, or that holds the chosen run; false: neither is shown. */
bool runs_follow_group(struct view *v, const char *chosen);
void runs_fold_or_not(struct view *v);
void runs_open_group(struct view *v); /* the one under the cursor; again: closes it */
void runs_mark_group(struct view *v, const struct bt_run_group *g);
void runs_groups_free(struct runs_view *s);
void runs_group_cell(const struct view *v, const struct bt_run_group *g, int column, bool narrow,
                     struct bt_str *out, enum role *role);
void runs_group_draw(struct view *v, const struct bt_run_group *g, struct rect inside);

/* runs_notes.c */
void runs_ask_tags(struct view *v, const struct bt_run_status *here);
void runs_ask_note(struct view *v, const struct bt_run_status *here);
/* Gives or takes the tag `hidden`. */
void runs_hide(struct view *v, const struct bt_run_status *here);
void runs_show_hidden(struct view *v);

/* runs_queue.c: each says what became of it */
void runs_queue_up(struct view *v, const struct bt_run_status *here);
void runs_queue_down(struct view *v, const struct bt_run_status *here);
void runs_queue_first(struct view *v, const struct bt_run_status *here);
void runs_queue_again(struct view *v, const struct bt_run_status *here);
void runs_queue_start(struct view *v, const struct bt_run_status *here);
void runs_queue_hold(struct view *v);
void runs_queue_limit(struct view *v);
/* What a queued run waits for, in one line. */
void runs_queue_why(const struct view *v, const struct bt_run_status *s, struct bt_str *out);

/* runs_actions.c */
/* Remembers the run that a prompt is about, whatever the cursor does meanwhile; and gives it, once (NULL: it is gone). Borrowed until the next tick. */
void runs_ask_about(struct view *v, const struct bt_run_status *here);
const struct bt_run_status *runs_asked(struct view *v);
bool runs_do(struct view *v, int action);
void runs_forget_doomed(struct runs_view *s);

#endif
