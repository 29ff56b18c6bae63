/* Run directories as everybody but their engine sees them: which runs there are, how they stand, what they predicted; and how to steer, start
 * and delete them. Nothing here holds a run open; everything can be called while an engine writes. Calls read files: a screen makes them on
 * a worker. */
#ifndef BERTTY_RUN_H
#define BERTTY_RUN_H

#include <bertty/error.h>
#include <bertty/experiment.h>
#include <bertty/json.h>
#include <bertty/notes.h>
#include <bertty/str.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name in status.json, still has an engine */
#define BT_RUN_STATES(X)                                                                                     \
    X(BT_RUN_QUEUED, "queued", false) /* waits for its turn: <bertty/queue.h> */                             \
    X(BT_RUN_STARTING, "starting", true)                                                                     \
    X(BT_RUN_TRAINING, "training", true)                                                                     \
    X(BT_RUN_EVALUATING, "evaluating", true)                                                                 \
    X(BT_RUN_PAUSED, "paused", true)                                                                         \
    X(BT_RUN_STOPPING, "stopping", true)                                                                     \
    X(BT_RUN_FINISHED, "finished", false)                                                                    \
    X(BT_RUN_STOPPED, "stopped", false)                                                                      \
    X(BT_RUN_FAILED, "failed", false)                                                                        \
    X(BT_RUN_DIVERGED, "diverged", false)                                                                    \
    X(BT_RUN_LOST, "lost", false)       /* derived: the pid is gone or is another process */                 \
    X(BT_RUN_UNKNOWN, "unknown", false) /* no status.json: another tool's logdir, or damaged */

enum bt_run_state {
#define X(name, text, alive) name,
    BT_RUN_STATES(X)
#undef X
};
const char *bt_run_state_name(enum bt_run_state s);
bool bt_run_state_alive(enum bt_run_state s);
bool bt_run_state_ended(
    enum bt_run_state s); /* neither alive nor queued: nothing more comes of it by itself */

/* A snapshot of status.json (plus what is derived). Owns its texts; bt_run_status_clear() frees them. */
struct bt_run_status {
    char *id, *dir; /* last component of the directory; absolute path */
    enum bt_run_state state;
    int64_t place;       /* in the queue, from 1, of a run in a list; 0: none */
    int64_t pid;         /* 0: none */
    int64_t step, total; /* optimiser steps done, and of the whole run (0: unknown) */
    double epoch, epochs;
    double tokens_per_s;          /* of the recent steps */
    double eta_s;                 /* NaN: unknown */
    double train_loss;            /* the last logged; NaN: none */
    char *metric;                 /* metric_for_best_model; NULL: no evaluation */
    double best, last;            /* its values; NaN: none yet */
    int64_t best_step, last_step; /* of these evaluations; −1: none */
    double started, updated;      /* seconds since 1970; 0: unknown */
    bool steered;                 /* a setting was changed while it ran */
    char *error;                  /* last error or warning, or NULL */
    char *name;                   /* experiment's name; NULL: unknown */
    char *host;                   /* where its engine runs or ran; NULL: unknown */
    char *
        baseline; /* "tfidf", "majority": what was measured in a model's place, so that there is none; NULL: an ordinary run */
    char *stalled;          /* its engine lives, but gives no sign of it: why, as error says first; or NULL */
    struct bt_notes notes;  /* of notes.json */
    int64_t pid_start;      /* private: tell a process from a later one with its number */
    int64_t stamp[4];       /* private: tell whether the file has changed */
    int64_t notes_stamp[4]; /* likewise of notes.json; all 0: there is none */
};
void bt_run_status_clear(struct bt_run_status *s);

/* Reads one run. A directory without status.json gives BT_OK and BT_RUN_UNKNOWN; BT_NOTFOUND: no such directory. */
enum bt_status bt_run_status(const char *dir, struct bt_run_status *out, struct bt_error *err);

struct bt_run_list {
    struct bt_run_status *run; /* [n], newest first */
    size_t n;
};
/* Runs under a runs directory (which need not exist: an empty list). previous (or NULL) lets unchanged entries be reused without reading. */
enum bt_status bt_run_list(const char *runs_dir, const struct bt_run_list *previous, struct bt_run_list *out,
                           struct bt_error *err);
void bt_run_list_clear(struct bt_run_list *l);

/* The directory of RUN: an id under runs_dir, a unique prefix or suffix of one, or a path that is a run. "RUN@STEP" (or RUN@best, RUN@last)
 * sets *step (−1: none named; −2: best; −3: last). The caller frees *dir. Odd names ("../x") are refused, and runs of a
 * newer bertty whose format this one does not know. */
enum bt_status bt_run_find(const char *runs_dir, const char *name, char **dir, int64_t *step,
                           struct bt_error *err);
enum { BT_STEP_NONE = -1, BT_STEP_BEST = -2, BT_STEP_LAST = -3 };

/* The model directory of a checkpoint: step ≥ 0, BT_STEP_BEST (falls back to the last), BT_STEP_LAST; BT_STEP_NONE: best, else last. Damaged or
 * unfinished ones (no manifest, sizes differ) are passed over. *step receives which. The caller frees *path. */
enum bt_status bt_run_checkpoint(const char *dir, int64_t step, char **path, int64_t *found,
                                 struct bt_error *err);
/* The settings that the run was started with. BT_NOTFOUND: it has none (another tool's). The caller frees *out. */
enum bt_status bt_run_experiment(const char *dir, struct bt_experiment **out, struct bt_error *err);
/* Steps of the complete checkpoints, ascending; the caller frees *steps. */
enum bt_status bt_run_checkpoints(const char *dir, int64_t **steps, size_t *n, struct bt_error *err);

/* Appends a command line to the control file: "stop", "pause", "resume", "checkpoint", "eval", "set learning_rate=1e-5". BT_INVALID: the run has no
 * engine, or the text is not a command. "stop" takes a queued run out of the queue. */
enum bt_status bt_run_control(const char *dir, const char *command, struct bt_error *err);

struct bt_launch {
    const char *experiment; /* path of the file; NULL when resuming */
    const char *const *set; /* "key=value", n_set of them */
    size_t n_set;
    const char *name;     /* the run's id; NULL: made from the experiment's name and the time */
    const char *runs_dir; /* NULL: the experiment's run.output_dir */
    const char *resume;   /* directory of a run to resume, or DIRECTORY@STEP; NULL: a new one */
    bool force;           /* resume although the data changed */
    const char *
        queued; /* resume only if it is still queued; who takes it, for its log. NULL: whatever its state is */
    const char *program; /* NULL: /proc/self/exe */
};
/* Starts `bertty train …` as a process of its own session, standard streams on /dev/null and the run's log, and waits until it has made its run
 * directory (or failed: then its error is ours). *dir: freed by the caller. The process outlives us. */
enum bt_status bt_run_launch(const struct bt_launch *l, char **dir, struct bt_error *err);

/* Removes a run that has no engine: only what a run consists of, never following symlinks out of it. */
enum bt_status bt_run_remove(const char *dir, struct bt_error *err);

/* Copies a checkpoint (as in bt_run_checkpoint, its sums checked) to a new or empty directory as a plain Hugging Face model, or of its adapter alone for peft: all of it or nothing. *found: which
 * step. BT_EXISTS: there is something already. */
enum bt_status bt_run_export(const char *dir, int64_t step, bool adapter, const char *to, int64_t *found,
                             struct bt_error *err);

/* The last max_bytes of log.txt (whole lines) and the offset behind them; from *offset ≥ 0 on: what was added since. out is appended to. */
enum bt_status bt_run_log(const char *dir, int64_t *offset, size_t max_bytes, struct bt_str *out,
                          struct bt_error *err);

/* ── predictions/<split>-step-NNNNNN.jsonl ── */

/* What the rows of a file are, by the task that wrote them. */
enum bt_rows_kind {
    BT_ROWS_LABELS, /* one label of several: label, scores (classification, absa, multiple choice) */
    BT_ROWS_SETS,   /* any number of labels */
    BT_ROWS_NUMBERS,
    BT_ROWS_TAGS,    /* a tag for each word */
    BT_ROWS_ANSWERS, /* parts of a text */
    BT_ROWS_MASKS    /* masked words */
};

struct bt_prediction {
    int64_t id;                             /* row of the split's file, from 1 */
    const char *name;                       /* of the example in its file; NULL: none */
    const char *gold_text, *predicted_text; /* as a person reads them; gold NULL: none. Borrowed */
    bool judged, correct;                   /* judged: there is a gold value to be right about */
    int gold;                               /* label index; −1: none (of all but BT_ROWS_LABELS) */
    int predicted;
    float p;                  /* of the predicted label, or the row's own confidence; NaN: none */
    float loss;               /* NaN: none */
    const float *scores;      /* [n_labels]; NULL where the rows have none */
    double gold_value, value; /* BT_ROWS_NUMBERS; NaN: none */
    double quality;           /* 0 … 1, of answers the F1; else whether it is correct; NaN: not judged */
    size_t at, size;          /* private */
};
struct bt_predictions {
    char *split;
    int64_t step;
    enum bt_rows_kind kind;
    char **label; /* [n_labels] in id2label's order; none where the rows have no scores by label */
    int n_labels;
    struct bt_prediction *row; /* [n] in the file's order */
    size_t n;
    float *scores; /* private, as the rest */
    char *text;
    void *kept;
};
/* A row as it stands in the file, with the members that only its task has (spans, n-best, …); the caller frees with bt_json_free(). NULL: no memory. */
struct bt_json *bt_prediction_json(const struct bt_predictions *p, const struct bt_prediction *row);
/* The newest at or before step (−1: of the best checkpoint, else the newest). */
enum bt_status bt_predictions_load(const char *dir, const char *split, int64_t step,
                                   struct bt_predictions **out, struct bt_error *err);
void bt_predictions_free(struct bt_predictions *p);
size_t
bt_predictions_last_row(const struct bt_predictions *p); /* the largest id of a row; 0: there is none */
/* Steps for which there are predictions of a split, ascending; the caller frees. */
enum bt_status bt_predictions_steps(const char *dir, const char *split, int64_t **steps, size_t *n,
                                    struct bt_error *err);

#endif
