/* Studies: trials of one experiment with different settings (<bertty/sweep.h>), run one after the other or several at a time through the queue of a runs directory.
 * engine/run/study_parts.h tells how it is kept and who does what. Calls read files and may wait for a lock: a screen makes them on a worker. */
#ifndef BERTTY_STUDY_H
#define BERTTY_STUDY_H

#include <bertty/run.h>
#include <bertty/sweep.h>

enum bt_trial_state {
    BT_TRIAL_PLANNED, /* has no run yet */
    BT_TRIAL_QUEUED,
    BT_TRIAL_RUNNING, /* its run has an engine */
    BT_TRIAL_WAITING, /* at a rung, and goes on from there if it turns out to be among the best */
    BT_TRIAL_CUT,     /* the study has stopped it */
    BT_TRIAL_FINISHED,
    BT_TRIAL_FAILED, /* or has diverged, or was lost five times at the same step */
    BT_TRIAL_HALTED, /* a person has stopped it */
    BT_TRIAL_LOST    /* its engine has died: it is taken up again */
};
const char *bt_trial_state_name(enum bt_trial_state s);

/* One evaluation of a trial, or what was decided about it. */
struct bt_trial_report {
    size_t trial; /* index */
    int64_t step, total;
    double value;   /* of the study's metric; NaN: none */
    int64_t tokens; /* that the trial has trained on so far */
    double seconds; /* and how long */
    double time;    /* seconds since 1970 */
    int rung;       /* from 0; −1: none */
    bool promoted, cut,
        again;      /* goes on from the rung, is stopped for good, was taken up again after it was lost */
    bool evaluated; /* a report of the trial itself */
};

struct bt_trial {
    char *id; /* of its run */
    struct bt_string_list set;
    enum bt_trial_state state;
    int64_t step, total; /* of the last evaluation; 0: none */
    double value, best;  /* of the last evaluation, and the best of all; NaN: none */
    int64_t tokens;
    double seconds;
    int rung;      /* the highest that it has reached, from 0; −1: none */
    bool promoted; /* from there */
};

struct bt_study {
    char *name, *runs_dir;
    bool held;
    char *why; /* held: why, if nobody asked for it; or NULL */
    char *metric;
    bool greater_is_better;
    enum bt_sweep_stopping stopping;
    int64_t reduction_factor, rungs, startup_trials;
    double warmup_fraction;
    int64_t max_tokens;
    double max_seconds;
    double created;         /* seconds since 1970 */
    struct bt_trial *trial; /* [n] */
    size_t n;
    struct bt_trial_report *report; /* [n_reports] as they came */
    size_t n_reports, n_damaged;    /* n_damaged: lines that could not be read */
    int64_t tokens;                 /* of all trials */
    double seconds;
};

/* The names of a runs directory's studies, the oldest first; the caller frees the list's items and the list. */
enum bt_status bt_study_names(const char *runs_dir, struct bt_string_list *out, struct bt_error *err);
/* runs: the directory's, or NULL: they are listed. Cleared with bt_study_clear(), also after a failure. BT_NOTFOUND. */
enum bt_status bt_study_load(const char *runs_dir, const char *name, const struct bt_run_list *runs,
                             struct bt_study *out, struct bt_error *err);
void bt_study_clear(struct bt_study *s);
/* The trial with the best value so far; NULL: none has one. */
const struct bt_trial *bt_study_best(const struct bt_study *s);
/* a is better than b; no value is the worst. */
bool bt_study_better(const struct bt_study *s, double a, double b);
/* A budget is used up: nothing more is started. */
bool bt_study_spent(const struct bt_study *s);
/* Nothing more comes of it by itself: no trial is planned, queued, running or to go on. */
bool bt_study_done(const struct bt_study *s);

/* What the trials tell about one option: partial means and a rank correlation, over the trials that have a figure, each with its best value. They see one option at a
 * time: what two do together, and that stopped trials came less far, they do not show. */
struct bt_study_value {
    const char *text; /* as YAML, borrowed from the study */
    size_t n;         /* trials */
    double mean, sd;  /* of their best values; sd of the sample, NaN for one */
    double best;
};
struct bt_study_option {
    const struct bt_option *option;
    struct bt_study_value *value; /* [n] numbers ascending, other values in the order of the trials */
    size_t n;
    double
        spearman; /* between the option's number and the best value; NaN: no numbers, or fewer than three of them */
};
/* In the order in which the trials name them; *out is freed with bt_study_options_free(). */
enum bt_status bt_study_options(const struct bt_study *s, struct bt_study_option **out, size_t *n,
                                struct bt_error *err);
void bt_study_options_free(struct bt_study_option *o, size_t n);
/* The value of an option in a trial, borrowed; NULL: it does not set it. */
const char *bt_trial_value(const struct bt_trial *t, const struct bt_option *o);

/* "running", "waiting" (for room in the queue), "done", "budget used up", "paused" (held). */
const char *bt_study_standing(const struct bt_study *s);

struct bt_study_request {
    const struct bt_experiment *experiment; /* as loaded: it is checked and resolved */
    const struct bt_sweep *sweep;
    const char *name;     /* NULL: the experiment's */
    const char *runs_dir; /* NULL: the experiment's run.output_dir */
};
/* What bt_study_begin() would make. */
struct bt_study_outline {
    char *name, *runs_dir;
    struct bt_string_list *trial; /* [n] settings of the new ones */
    size_t n, had;                /* had: trials that it has already */
};
void bt_study_outline_clear(struct bt_study_outline *o);
/* Makes a study, or adds to the one of that name the trials that it does not have (its budgets become those of the request). Every trial's settings are checked. dry: nothing is written. BT_INVALID:
 * settings that do not go together; an experiment, a metric or a stopping other than those that the study began with. Then bt_queue_take(). */
enum bt_status bt_study_begin(const struct bt_study_request *r, bool dry, struct bt_study_outline *out,
                              struct bt_error *err);
/* Appends an experiment file whose sweep lies around a trial: of each option with several numbers the trial's and those half-way to the next ones on either side; all else as the
 * trial has it. BT_INVALID: no option has several numbers. */
enum bt_status bt_study_finer(const struct bt_study *s, size_t trial, struct bt_str *out,
                              struct bt_error *err);
/* Held: no trial is started or taken up; those that run are left alone. */
enum bt_status bt_study_hold(const char *runs_dir, const char *name, bool held, struct bt_error *err);
/* Forgets the study; the runs stay. BT_BUSY: a trial is queued or running. */
enum bt_status bt_study_remove(const char *runs_dir, const char *name, struct bt_error *err);

#endif
