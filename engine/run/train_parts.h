/* The parts of bt_train() and bt_check() that stand in files of their own. */
#ifndef BERTTY_RUN_TRAIN_PARTS_H
#define BERTTY_RUN_TRAIN_PARTS_H

#include "run/trainer.h"

/* What the experiment says, as the learner's settings. */
struct bt__learner_settings bt__learner_settings_of(const struct bt_experiment *x, const struct bt__setup *s);
/* What only the data can tell: a metric that this number of labels does not have. */
enum bt_status bt__check_labels(const struct bt_experiment *x, const struct bt__setup *s,
                                struct bt_error *err);

/* Predicted peak of the process, with its present size as the base; the model's weights must not have been read yet. */
double bt__predicted_mib(const struct bt_experiment *x, const struct bt__setup *s, int threads);
int64_t bt__planned_evaluations(const struct bt_experiment *x, int64_t steps, int64_t steps_per_epoch);
/* Two checkpoints and the rest of a run directory. */
double bt__predicted_disk_mib(const struct bt_experiment *x, const struct bt__setup *s);
/* BT_NOMEM, BT_IO: the machine has too little of one. */
enum bt_status bt__check_limits(const struct bt_experiment *x, const struct bt__setup *s, int threads,
                                const char *runs_dir, struct bt_error *err);

/* Writes run.json. */
enum bt_status bt__run_json(struct bt__trainer *t, struct bt_error *err);

/* The learner with its memory, and the arrays of an epoch's figures. */
enum bt_status bt__make_learner(struct bt__trainer *t, struct bt_error *err);
/* The status file's name and metric, borrowed from the experiment. */
void bt__name_status(struct bt__trainer *t);
/* A copy that is valid and resolved; runs_dir NULL: the experiment's. *out is the caller's even after a failure. */
enum bt_status bt__experiment_ready(const struct bt_experiment *from, const char *runs_dir,
                                    struct bt_experiment **out, struct bt_error *err);
/* Likewise for what reads no model. */
enum bt_status bt__experiment_ready_without_model(const struct bt_experiment *from, const char *runs_dir,
                                                  struct bt_experiment **out, struct bt_error *err);
/* Writes experiment.yaml; x then names the runs directory that the run lies in. */
enum bt_status bt__write_experiment(struct bt_experiment *x, const struct bt__rundir *run,
                                    struct bt_error *err);
/* The directory and what belongs into it before the first step, in the state `starting`: all of it, or no directory. */
enum bt_status bt__make_run(struct bt__trainer *t, struct bt_error *err);
/* The end of a run that failed: log, status, whoever launched us. */
void bt__tell_failure(struct bt__trainer *t, enum bt_status st, const struct bt_error *err);
/* Frees everything but t itself. */
void bt__trainer_clear(struct bt__trainer *t);
/* Tells whoever launched us that the run has its directory. */
void bt__announce(const struct bt__trainer *t);

/* Opens a run that is there and reads its experiment. A queued one is taken: it is `starting` and announced when this returns, and the status is the trainer's to
 * write. *begun: it has trained before. BT_INVALID: finished, or no longer queued though the request says so. */
enum bt_status bt__reopen(struct bt__trainer *t, bool *begun, struct bt_error *err);
/* Brings an open run that has begun back to where its checkpoint was. */
enum bt_status bt__resume(struct bt__trainer *t, struct bt_error *err);

#endif
