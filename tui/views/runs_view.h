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
    struct runs_filter filter;
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
/* Rows anew if the runs, the filter or the order changed. */
void runs_update(struct view *v);
/* By that column; by the same one: the other way round. */
void runs_sort(struct view *v, int column);

/* runs_draw.c */
void runs_draw(struct view *v, struct rect area);
bool runs_mouse(struct view *v, const struct event *e);
/* Glyph and role of a state. */
uint32_t runs_state_glyph(enum bt_run_state s, bool unicode);
enum role runs_state_role(enum bt_run_state s);

/* runs_detail.c */
void runs_detail_tick(struct view *v, double now);
void runs_detail_draw(struct view *v, struct rect inside);
void runs_facts_clear(struct runs_facts *f);

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
bool runs_do(struct view *v, int action);
void runs_forget_doomed(struct runs_view *s);

#endif
