/* Which labels are probably wrong: confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"), from
 * probabilities of models that had not seen the rows.
 *
 * A result owns everything that hangs on it. */
#ifndef BERTTY_AUDIT_H
#define BERTTY_AUDIT_H

#include <bertty/data_hash.h>
#include <bertty/experiment.h>
#include <bertty/run.h>

struct bt_confident {
    size_t n;          /* rows */
    int labels;        /* K */
    double *threshold; /* [K] mean probability of the label over the rows that have it; 2 where none has */
    int64_t *
        joint; /* [K, K] rows that are given label i and are probably j; each given label's sum is that of its rows */
    bool *
        flagged; /* [n] pruned by noise rate: of the rows given i, the joint[i, j] with the largest p(j) − p(i), unless i is the likeliest */
    double *margin; /* [n] p(given) − the largest other p, −1 … 1 */
    size_t *
        order; /* [n] what to look at first: the flagged rows, then the others, each by margin; of equal ones by row */
    size_t n_flagged;
};
/* scores [n, K]: probabilities; given [n]: labels, 0 … K − 1. BT_INVALID: fewer than two labels, no rows, a label out of range or a score that is none. */
enum bt_status bt_confident_learn(const float *scores, const int *given, size_t n, int labels,
                                  struct bt_confident **out, struct bt_error *err);
void bt_confident_free(struct bt_confident *c); /* c may be NULL */

/* ── the runs of an audit: each predicts the part of the training rows that it did not see, after every epoch ── */

enum { BT_AUDIT_FOLDS = 5, BT_AUDIT_MOST_FOLDS = 100 };

struct bt_audit_fold {
    char *dir; /* RUNS/NAME-audit-1of5 */
    enum bt_run_state state;
    bool there;          /* else it has not been queued yet, and the rest says nothing */
    int64_t step, total; /* as in struct bt_run_status */
    char *error;         /* NULL: none */
};
struct bt_audit_plan {
    struct bt_audit_fold *fold; /* [n] */
    size_t n, finished, alive;  /* alive: trained or waiting in the queue */
};
/* How the runs stand. x: as loaded. runs_dir: NULL: the experiment's. BT_INVALID: the task does not give each row one label of several; folds out of range. Freed with
 * bt_audit_plan_clear(), also after a failure. */
enum bt_status bt_audit_plan(const struct bt_experiment *x, int64_t folds, const char *runs_dir,
                             struct bt_audit_plan *out, struct bt_error *err);
void bt_audit_plan_clear(struct bt_audit_plan *p);
/* Queues what is not there, and again what has ended without being finished; *queued of them. Whoever calls starts the queue. */
enum bt_status bt_audit_queue(const struct bt_experiment *x, const struct bt_audit_plan *p,
                              const char *runs_dir, size_t *queued, struct bt_error *err);

/* The audit that a run belongs to, with *folds of them: of a run that an audit made its own, else the audit of its experiment, with as many folds as the runs in runs_dir are of (none:
 * BT_AUDIT_FOLDS). *x: the run's settings, to plan and to queue with; the caller frees it, also after a failure. */
enum bt_status bt_audit_of_run(const char *dir, const char *runs_dir, struct bt_experiment **x,
                               int64_t *folds, struct bt_error *err);
/* Where decisions about its rows are kept (<bertty/label_decisions.h>): in data.label_decisions, else in RUNS/NAME.decisions.jsonl. The caller frees. NULL: no memory. */
char *bt_audit_decisions_path(const struct bt_experiment *x, const char *runs_dir);
/* The version of the training data (spec: of split train) as they are now. BT_INVALID: a run of the audit was trained on another one; hex is set then too. */
enum bt_status bt_audit_data(const struct bt_audit_plan *p, const struct bt_data_spec *spec,
                             char hex[BT_DATA_HASH], struct bt_error *err);

struct bt_audit_row {
    int64_t id;        /* of the training data, from 1 */
    int given, likely; /* labels; likely: the one with the largest probability but the given one */
    float p_given, p_likely;
    bool flagged;
    double margin;
};
struct bt_audit {
    char **label; /* [labels] */
    int labels;
    struct bt_audit_row *row; /* [n] what to look at first */
    size_t n, n_flagged;
    int64_t *joint; /* [labels, labels] as in struct bt_confident */
};
/* How good a label looks, 0 … 1: cleanlab's normalized margin, (p(given) − the largest other p + 1) / 2. */
static inline double bt_audit_quality(const struct bt_audit_row *r)
{
    return (r->margin + 1.0) / 2.0;
}
/* From the predictions of finished runs: of each row the geometric mean of what the evaluations of its run say, one after every epoch. BT_INVALID: a row that two of them predict, or labels that differ: runs of different data. */
enum bt_status bt_audit_load(const struct bt_audit_plan *p, struct bt_audit **out, struct bt_error *err);
void bt_audit_free(struct bt_audit *a); /* a may be NULL */

#endif
