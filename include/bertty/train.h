/* Training in this process: what `bertty train` without --detach is. Also the check before it. */
#ifndef BERTTY_TRAIN_H
#define BERTTY_TRAIN_H

#include <bertty/experiment.h>
#include <stdbool.h>
#include <stdint.h>

struct bt_metric_value {
    char name[40];
    double value;
};
enum { BT_MAX_METRICS = 64 };

/* An evaluation's figures by name: "loss" and those of engine/metrics/metrics.def that the task has. */
struct bt_metrics {
    struct bt_metric_value item[BT_MAX_METRICS];
    size_t n;
};
double bt_metrics_get(const struct bt_metrics *m, const char *name); /* NaN if absent */

/* What happened, for whoever prints it; borrowed for the call. */
enum bt_progress_kind {
    BT_PROGRESS_TEXT,  /* text: "reading train.tsv" */
    BT_PROGRESS_START, /* dir is there; total is known */
    BT_PROGRESS_STEP,  /* every logging_steps */
    BT_PROGRESS_EVAL,  /* metrics of split at step */
    BT_PROGRESS_SAVED, /* text: the checkpoint's name */
    BT_PROGRESS_WARNING,
};
struct bt_progress {
    enum bt_progress_kind kind;
    const char *text, *dir, *split;
    int64_t step, total;
    double epoch, loss, learning_rate, tokens_per_s, eta_s;
    const struct bt_metrics *metrics;
    bool best;
};

struct bt_train_request {
    struct bt_experiment *experiment; /* as loaded (not resolved); NULL when resuming. Stays the caller's */
    const char *name;                 /* the run's id; NULL: made */
    const char *runs_dir;             /* NULL: run.output_dir */
    const char *resume;               /* run directory to go on with */
    int64_t resume_step;              /* checkpoint to go on from; −1: the newest intact one */
    bool force;                       /* resume although data files changed */
    const char *queued; /* resume only what is still queued; who takes it. NULL: whatever its state is */
    int announce; /* −1, or a descriptor: the run's directory and a newline (or "!error") is written there once it is known */
    void (*progress)(void *ctx, const struct bt_progress *p); /* may be NULL */
    bool (*interrupted)(
        void *
            ctx); /* asked between steps; true: stop with a checkpoint, as the control file's stop. May be NULL */
    void *ctx;
};

struct bt_train_result {
    char *id, *dir;                     /* NULL if no directory was made */
    const char *state;                  /* "finished", "stopped", "failed", "diverged"; static */
    int64_t best_step, last_step;       /* −1: none */
    struct bt_metrics best, last, test; /* n = 0: none */
    char metric[40];                    /* that decides which is best; "" before that is known */
    int64_t train_tokens;
    double train_seconds, tokens_per_s, max_rss_mib;
};

/* Runs to the end. BT_OK: finished or stopped. Failures after the run directory exists are in its status.json and log.txt too. result is always
 * filled; free with bt_train_result_clear(). */
enum bt_status bt_train(const struct bt_train_request *r, struct bt_train_result *result,
                        struct bt_error *err);
void bt_train_result_clear(struct bt_train_result *r);

/* ── before launch ── */

struct bt_check {
    int64_t train_rows, dev_rows, test_rows;
    int64_t train_tokens; /* of one epoch */
    int64_t steps_per_epoch, steps;
    bool by_steps;              /* train.max_steps says how long it is: with fewer rows it is no shorter */
    int64_t truncated, unknown; /* training rows that are cut; [UNK] pieces */
    int longest;                /* tokens */
    int64_t parameters, trainable;
    int64_t fresh;                  /* tensors that the checkpoint does not have and that are drawn anew */
    double memory_mib;              /* predicted peak of the process */
    double available_mib;           /* min(cgroup's limit, available) */
    double disk_mib, disk_free_mib; /* two checkpoints and the rest; free at output_dir */
    double seconds;     /* predicted time from the measured rate; NaN if timed = false or too little memory */
    double rate;        /* tokens a second that were measured; NaN likewise */
    double eval_tokens; /* of all evaluations together, as tokens of training that take as long */
    int64_t *of_length; /* [longest + 1] training sequences by their tokens */
    size_t n_labels;
    char **label;
    int64_t *label_rows; /* of the training data: rows, or where words have labels, words */
    int64_t labelled;    /* what those are a part of */
    char **found;        /* [n_found] what each file was recognised as and by what, a line each */
    size_t n_found;
    char **warning; /* hygiene: duplicates, conflicts, leakage between splits, truncation … one line each */
    size_t n_warnings;
};
/* Everything that can be said without training. timed: does some real steps, about 0.3 s, on weights that are thrown away. */
enum bt_status bt_check(const struct bt_experiment *x, bool timed, struct bt_check **out,
                        struct bt_error *err);
void bt_check_free(struct bt_check *c);

/* What the measured rate leaves time for. */
struct bt_fit {
    bool whole;    /* the run as it stands */
    double epochs; /* of it, with as many evaluations in each */
    int64_t steps; /* … which are so many */
    int64_t
        rows; /* or all its epochs of so many training rows; 0: not one, or they say nothing about its length */
    int max_length; /* or of sequences that are cut at so many tokens; 0: not even at the fewest */
};
/* Of a check that was timed (c->rate is a number). */
void bt_check_within(const struct bt_check *c, double seconds, struct bt_fit *out);

#endif
