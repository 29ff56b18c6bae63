/* What the files of the Runs view share. Everything belongs to the drawing thread; tasks work on copies. */
#ifndef TUI_VIEWS_RUNS_VIEW_H
#define TUI_VIEWS_RUNS_VIEW_H

#include "tui/list.h"
#include "tui/view.h"
#include "tui/views/runs_rows.h"

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
    size_t *row; /* [list.n] indices into app_runs() */
    uint64_t runs_version, marks_version;
    bool stale; /* filter or order changed */
    enum runs_column sort;
    bool descending;
    char *filter_text, *filter_fault; /* NULL: none */
    struct bt_run_filter *filter;     /* NULL: all */
    bool hidden;                      /* hidden runs are shown */
    size_t n_hidden;                  /* that are not */
    bool curves;                      /* the last drawing had them */
    bool asking;                      /* the filter's prompt is open */
    struct bt_facts *known;           /* what filters need of all runs; NULL: nothing was read yet */
    unsigned known_need;              /* BT_FACTS_… that are known of all of them */
    uint64_t known_version;           /* of the list that they were read for */
    double known_at, now;             /* when they were asked for; the last tick */
    char *reference; /* directory of the run that the others are compared with; NULL: the defaults */
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
};

static inline struct runs_view *runs_of(const struct view *v)
{
    return v->state;
}
/* The run under the cursor; NULL: none. Borrowed until the next tick. */
const struct bt_run_status *runs_here(const struct view *v);
/* Rows anew if the runs, the filter or the order changed. */
void runs_update(struct view *v);
/* By that column; by the same one: the other way round. */
void runs_sort(struct view *v, int column);

/* The rows follow the list, the filter or the order; the cursor goes with the chosen run. */
void runs_refresh(struct view *v);

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
/* Glyph and role of a state. */
uint32_t runs_state_glyph(enum bt_run_state s, bool unicode);
enum role runs_state_role(enum bt_run_state s);

/* runs_detail.c */
void runs_detail_tick(struct view *v, double now);
void runs_detail_draw(struct view *v, struct rect inside);
void runs_facts_clear(struct runs_facts *f);

/* runs_notes.c */
void runs_ask_tags(struct view *v, const struct bt_run_status *here);
void runs_ask_note(struct view *v, const struct bt_run_status *here);
/* Gives or takes the tag `hidden`. */
void runs_hide(struct view *v, const struct bt_run_status *here);
void runs_show_hidden(struct view *v);

/* runs_actions.c */
/* Remembers the run that a prompt is about, whatever the cursor does meanwhile; and gives it, once (NULL: it is gone). Borrowed until the next tick. */
void runs_ask_about(struct view *v, const struct bt_run_status *here);
const struct bt_run_status *runs_asked(struct view *v);
bool runs_do(struct view *v, int action);
void runs_forget_doomed(struct runs_view *s);

#endif
