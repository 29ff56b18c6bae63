/* Baselines: what an experiment's data allow without a BERT, measured as a run of its own so that runs can be compared with it. */
#ifndef BERTTY_BASELINE_H
#define BERTTY_BASELINE_H

#include <bertty/train.h>

/* name, the word for it */
#define BT_BASELINES(X)                                                                                      \
    X(BT_BASELINE_TFIDF, "tfidf") /* logistic regression over TF-IDF weighted words: classification, absa */ \
    X(BT_BASELINE_MAJORITY, "majority") /* the commonest label; of sets each label's; of numbers the mean */
enum bt_baseline_kind {
#define X(name, word) name,
    BT_BASELINES(X)
#undef X
};

struct bt_baseline_request {
    const struct bt_experiment
        *experiment; /* as loaded (not resolved); its model is not read and need not be there */
    enum bt_baseline_kind kind;
    int ngrams;           /* 1, or 2: also pairs of words that follow each other */
    const char *name;     /* the run's id; NULL: made */
    const char *runs_dir; /* NULL: run.output_dir */
    void (*progress)(void *ctx, const struct bt_progress *p); /* may be NULL */
    void *ctx;
};

struct bt_baseline_result {
    char *id, *dir; /* NULL if no directory was made */
    size_t train_rows, features;
    double seconds;                     /* of all of it */
    struct bt_metrics validation, test; /* n = 0: none */
    char metric[40];                    /* metric_for_best_model */
};

/* Reads the data as training does, fits, and leaves a finished run: settings, status, log, curves with one point (step 0), predictions. There is no
 * directory unless all of that could be computed. BT_UNSUPPORTED: not for this task, or without liblinear. result is always filled; free
 * with bt_baseline_result_clear(). */
enum bt_status bt_baseline(const struct bt_baseline_request *r, struct bt_baseline_result *result,
                           struct bt_error *err);
void bt_baseline_result_clear(struct bt_baseline_result *r);

#endif
