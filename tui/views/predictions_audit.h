/* The label audit in the Predictions view: how the runs of the chosen run's audit stand, then the suspected rows, each to be decided about. What is decided goes to a file beside
 * the data at once (<bertty/label_decisions.h>).
 *
 * predictions_audit.c (keys, drawing), predictions_audit_load.c (reading, queueing), predictions_audit_decide.c (decisions). */
#ifndef TUI_VIEWS_PREDICTIONS_AUDIT_H
#define TUI_VIEWS_PREDICTIONS_AUDIT_H

#include "tui/views/predictions_view.h"
#include <bertty/audit.h>
#include <bertty/label_decisions.h>

/* What a worker has found. */
struct pred_audit_found {
    char *name, *path; /* of the experiment; of the decisions */
    struct bt_experiment *x;
    int64_t folds;
    struct bt_audit_plan plan;
    struct bt_audit *a; /* NULL: err says why, or runs are missing */
    struct bt_error err;
    struct bt_texts *texts;  /* of the training rows */
    char data[BT_DATA_HASH]; /* their version; "": not known */
    struct bt_error
        other; /* the data have changed, or the decisions are about other data: nothing is decided */
    struct bt_label_decisions decided;
};

struct pred_decided {
    enum bt_verdict verdict;
    int label; /* BT_RELABEL: which one; −1: one that the audit does not know */
};
struct pred_undo {
    size_t row; /* of the audit */
    struct pred_decided before;
};

struct pred_audit {
    bool loading, again;
    struct pred_audit_found f;
    uint64_t seen;                /* the list of runs, when it was read */
    struct pred_decided *decided; /* [f.a->n] */
    size_t count[BT_DROP + 1];    /* decisions about suspected rows */
    struct pred_undo *undo;
    size_t n_undo;
    bool all, open;   /* also what is not suspected; only what is not decided yet */
    size_t *index, n; /* shown */
    size_t start;     /* row that the cursor begins at */
    struct list list;
    struct sheet side, detail;
    size_t detail_row;
    struct rect at[PRED_PANES];
    char owner; /* reading and writing come one after the other */
};

/* predictions_audit.c */
void pred_audit_draw(struct view *v, struct rect area);
bool pred_audit_act(struct view *v, int action, int count);
bool pred_audit_mouse(struct view *v, const struct event *e);
void pred_audit_hints(const struct view *v, struct bt_str *out);
void pred_audit_select(
    struct view *v); /* after a change of what is to be shown; the cursor stays on its row */
void pred_audit_to_open(
    struct pred_audit *a); /* before it: the cursor will be on the first row that is not decided */
const struct bt_audit_row *pred_audit_row(const struct pred_audit *a); /* the cursor's; NULL: none */
const struct bt_example *pred_audit_example(const struct pred_audit *a, const struct bt_audit_row *r);
/* predictions_audit_load.c */
void pred_audit_load(struct view *v);
void pred_audit_follow(
    struct view *v); /* reads again when the runs have changed and the audit waits for them */
void pred_audit_forget(struct pred_view *s);
bool pred_audit_queue(struct view *v);
/* predictions_audit_decide.c */
void pred_audit_take_decisions(struct pred_audit *a); /* from what was read */
bool pred_audit_decide(struct view *v, enum bt_verdict verdict, int label);
bool pred_audit_choose(struct view *v);
bool pred_audit_undo(struct view *v);
/* How many suspected rows are decided. */
size_t pred_audit_done(const struct pred_audit *a);

#endif
