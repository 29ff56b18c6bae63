/* Runs side by side: the settings that differ, metrics, and for two runs what they predict differently.
 *
 * A comparison owns everything that hangs on it; it is freed as a whole. Reading may be slow: let a worker do it. */
#ifndef BERTTY_COMPARE_H
#define BERTTY_COMPARE_H

#include <bertty/error.h>
#include <bertty/run.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run, or one of its checkpoints. */
struct bt_run_at {
    const char *dir;
    int64_t
        step; /* of its evaluations the one there or the last before it; BT_STEP_LAST: the last; BT_STEP_NONE, BT_STEP_BEST: the best, else the last */
};

struct bt_compare_run {
    char *dir, *id;               /* id: with "@400" behind it if a step was asked for */
    int64_t step;                 /* as asked for, or BT_STEP_NONE */
    char *state;                  /* of status.json; "" for the logdir of another tool */
    bool baseline;                /* then state is its kind: "tfidf baseline" */
    int64_t best_step, last_step; /* −1: none */
};

struct bt_compare_setting {
    const char *key; /* "optim.learning_rate"; static */
    char **value;    /* one for each run; NULL where the run has no experiment file */
};

struct bt_compare_metric {
    char *name;                    /* "eval/accuracy", "train/tokens_per_s" */
    double *value;                 /* one for each run; NaN where it has none */
    bool judged, higher_is_better; /* judged: one of them is the best */
    int best;                      /* the run with the best value; −1: not judged, or a tie of all */
};

struct bt_compare {
    size_t n_runs, n_settings, n_metrics;
    struct bt_compare_run *run;
    struct bt_compare_setting
        *setting; /* those that differ between at least two runs, in the order of the option table */
    struct bt_compare_metric
        *metric; /* evaluations at the run's best step (else its last), then figures of the training */
};

/* A run without an experiment or without events takes part with what it has. */
enum bt_status bt_compare_load(const struct bt_run_at *runs, size_t n, struct bt_compare **out,
                               struct bt_error *err);
void bt_compare_free(struct bt_compare *c); /* c may be NULL */

/* ── the predictions of two runs on the same examples ── */

/* Of numbers, which are neither right nor wrong: BOTH_RIGHT as near to gold as the other one, ONLY_FIRST and ONLY_SECOND the one that is nearer. */
enum bt_outcome { BT_BOTH_RIGHT, BT_ONLY_FIRST, BT_ONLY_SECOND, BT_BOTH_WRONG, BT_OUTCOMES };

struct bt_pair_row {
    int64_t id;                        /* row number in the split's file */
    const char *gold, *first, *second; /* labels or texts ("": no answer); borrowed from the pairing */
    double p_first, p_second;          /* of the predicted label; NaN if the file has none */
    double loss_first, loss_second;    /* NaN likewise */
    double gold_value, value_first, value_second; /* BT_ROWS_NUMBERS; else NaN */
    double quality_first, quality_second;         /* as in struct bt_prediction */
    enum bt_outcome outcome;
    const struct bt_prediction *of_first, *of_second; /* as they stand in side; borrowed */
};

struct bt_pairing {
    char *split; /* "validation" */
    enum bt_rows_kind kind;
    int64_t step_first, step_second; /* of the checkpoints that predicted */
    size_t n;                        /* rows that both have, with the same gold label */
    struct bt_pair_row *row;         /* by id */
    size_t count[BT_OUTCOMES];
    size_t agree;                   /* same prediction, right or wrong */
    size_t only_first, only_second; /* rows that just one of them has */
    size_t gold_differs;            /* rows left out because the gold labels differ */
    double p;                       /* McNemar's exact test of the two accuracies; of numbers the sign test */
    struct bt_predictions *side[2]; /* what the rows are borrowed from, by id */
};

/* Predictions of the two, which may be of one run, for a split that both have: `split`, or NULL for the first of
 * test, validation, …. BT_NOTFOUND where there is none. */
enum bt_status bt_pairing_load(const struct bt_run_at *first, const struct bt_run_at *second,
                               const char *split, struct bt_pairing **out, struct bt_error *err);
void bt_pairing_free(struct bt_pairing *p);             /* p may be NULL */
size_t bt_pairing_last_row(const struct bt_pairing *p); /* the largest id of a row; 0: there is none */

/* Who says what: rows that the first gave the one label and the second the other. */
struct bt_pair_matrix {
    const char **label; /* [n] that one of the two predicted, sorted; borrowed from the pairing */
    size_t n;           /* 0: not rows of labels, or more than BT_PAIR_LABELS */
    size_t *count;      /* [n, n]: first · n + second */
};
enum { BT_PAIR_LABELS = 64 /* beyond them a matrix tells nothing */ };
enum bt_status bt_pair_matrix_make(const struct bt_pairing *p, struct bt_pair_matrix *out,
                                   struct bt_error *err);
void bt_pair_matrix_clear(struct bt_pair_matrix *m);

/* Two-sided exact McNemar test: the probability that b + c fair coins fall at least as unevenly as b to c. */
double bt_mcnemar_exact(uint64_t b, uint64_t c);

#endif
