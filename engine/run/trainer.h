/* A run while it trains: the loop over steps with everything around it. Private to engine/run.
 *
 * Between two steps the trainer evaluates and saves where the experiment says so, and reads the control file. Where it stands is a function of
 * st, the weights and the moments alone, so what a checkpoint holds is enough to go on exactly. */
#ifndef BERTTY_RUN_TRAINER_H
#define BERTTY_RUN_TRAINER_H

#include "run/batches.h"
#include "run/evaluate.h"
#include "run/learner.h"
#include "run/setup.h"
#include "run/status_write.h"
#include "run/steering.h"
#include "run/trainer_state.h"
#include "run/trial.h"
#include <bertty/events.h>
#include <bertty/train.h>

/* Since the last point of the curves. */
struct bt__window {
    double clock, cpu, seconds;
    int64_t tokens;
};

struct bt__trainer {
    const struct bt_train_request *req;
    const char *
        baseline; /* NULL: a model is trained; else the kind of what stands in its place, and there is no learner */
    struct bt_experiment *x; /* resolved */
    struct bt__pool *pool;
    struct bt__setup setup;
    struct bt__learner *learner;
    struct bt__prefix *validation_prefix; /* NULL: none */
    struct bt__kept kept;                 /* as the settings had it */
    struct bt__rundir *run;
    struct bt_events *events;
    struct bt__batches *batches; /* NULL: they cannot be kept */
    struct bt__hashing *hashing; /* of a new run, until they are written */
    struct bt__hashes data;
    struct bt__steering steering;
    struct bt__trial *trial; /* of a study; NULL: of none */
    struct bt__status status;
    struct bt__trainer_state st;
    struct bt__window window;
    struct bt_metrics test;
    float *p_gold, *right; /* [training rows] of this epoch's steps; NaN: not seen yet */
    int64_t steps_per_epoch, total;
    int64_t saved, resumed; /* steps of the newest checkpoint and of the one resumed from; −1: none */
    int64_t control_at;     /* read up to here */
    double begun, until;    /* bt__clock() of the start, and when run.max_time is over (INFINITY: never) */
    double longest;         /* seconds of the longest round so far: a step, and what was due after it */
    double step_seconds;    /* of a recent step, for the time left */
    double eval_seconds;    /* of the last evaluation */
    bool live;         /* the status file is ours to write: everything that could be refused has passed */
    bool data_changed; /* since the checkpoint; --force */
    bool other_optim;  /* the checkpoint is of another optimiser; --force */
    bool stop, paused, warned_events, warned_batches;
};

/* ── what is told (trainer_tell.c) ── */
void bt__tell(struct bt__trainer *t, const char *fmt, ...) BT_PRINTF(2, 3); /* to the log and the caller */
void bt__warn(struct bt__trainer *t, const char *fmt, ...)
    BT_PRINTF(2, 3);                             /* also as the status file's error */
void bt__tell_text(void *ctx, const char *text); /* a bt__say_fn; ctx: the trainer */
/* wall: seconds since 1970, one for all that is told of a moment: readers keep it once then. */
void bt__scalar(struct bt__trainer *t, const char *tag, int64_t step, double wall, double value);
void bt__state(struct bt__trainer *t, enum bt_run_state s); /* written at once */
/* The curves and the batches to their files. */
void bt__flush(struct bt__trainer *t);
double bt__epoch(const struct bt__trainer *t);
/* After a step: the curves every logging_steps, the status file, the progress. */
void bt__account(struct bt__trainer *t, const struct bt__step_result *r, double seconds);

/* ── evaluations (trainer_eval.c) ── */
bool bt__eval_due(const struct bt__trainer *t);
/* planned: it decides about best and patience. BT_CANCELLED: the run is to stop. *better: a new best. */
enum bt_status bt__eval(struct bt__trainer *t, bool planned, bool *better, struct bt_error *err);
/* What an evaluation leaves: its figures in the curves, the log and the caller's progress; its rows in predictions/ (a failure is a warning). */
void bt__tell_metrics(struct bt__trainer *t, enum bt__split which, int64_t step, const struct bt_metrics *m,
                      bool better);
void bt__write_predictions(struct bt__trainer *t, enum bt__split which, int64_t step,
                           const struct bt__evaluation *e);
/* The test file with the best (load_best_model_at_end) or the last weights. */
enum bt_status bt__eval_test(struct bt__trainer *t, struct bt_error *err);

/* ── checkpoints (trainer_save.c) ── */
bool bt__save_due(const struct bt__trainer *t);
/* A failure is a warning: training goes on. */
void bt__save(struct bt__trainer *t);

/* ── what each step trained on (trainer_batches.c): a failure is a warning ── */
/* step ≥ 0: the run goes on from there. */
void bt__keep_batches(struct bt__trainer *t, int64_t step);
/* A bt__observe_fn, for the batches and for the figures below; ctx: the trainer. */
void bt__observe(void *ctx, size_t sequence, const float *logits, double loss);
/* step (from 1) is the one that observed all since the last call. */
void bt__batch_done(struct bt__trainer *t, int64_t step);
void bt__batches_warn(struct bt__trainer *t, const struct bt_error *err); /* once a run */

/* ── the epoch's figures of each example (dynamics.c) ── */
void bt__dynamics_observe(struct bt__trainer *t, size_t sequence, const float *logits);
void bt__dynamics_clear(struct bt__trainer *t);
/* dynamics/epoch-N.jsonl with the rows that this epoch trained on so far; nothing for a task that has no such figures. */
void bt__dynamics_write(struct bt__trainer *t, int64_t epoch);

/* ── the loop (trainer.c) ── */
/* BT_OK: done, or stopped (t->stop). The status file tells the end state, unless the result is an error. */
enum bt_status bt__trainer_loop(struct bt__trainer *t, struct bt_error *err);

/* ── before the loop ── */
struct bt__learner_settings bt__learner_settings_of(const struct bt_experiment *x, const struct bt__setup *s);
/* The optimiser's name. */
const char *bt__optim_of(const struct bt_experiment *x);
/* Why train.precision does not make the run faster here, a sentence in static storage; NULL: it does, or is not asked for. */
const char *bt__imitates(const struct bt_experiment *x);

#endif
