/* Where a run stands between two steps, besides its weights and moments: trainer.json of a checkpoint. */
#ifndef BERTTY_RUN_TRAINER_STATE_H
#define BERTTY_RUN_TRAINER_STATE_H

#include "optim/schedule.h"
#include "run/hashes.h"
#include <bertty/train.h>

struct bt__mark {
    int64_t step; /* −1: none */
    struct bt_metrics metrics;
};

struct bt__trainer_state {
    int64_t step;               /* updates done */
    int64_t evaluated;          /* step of the last evaluation of the plan; −1: none */
    struct bt__mark best, last; /* evaluations; best by metric_for_best_model */
    int64_t stale;              /* evaluations since a better one: early stopping's patience */
    bool stopped_early;
    struct bt__plateau plateau; /* of reduce_lr_on_plateau */
    int64_t alarms;             /* steps in a row whose loss was above train.loss_watchdog_threshold */
    int64_t tokens;             /* trained on so far */
    double seconds;             /* spent in training steps so far */
    double loss_sum;
    int64_t loss_steps; /* of the steps since the last point of the loss curve */
};

/* Before the first step. */
void bt__trainer_state_begin(struct bt__trainer_state *s);
/* total, the optimiser's name and data go into the file for whoever resumes. */
void bt__trainer_state_write(struct bt_str *out, const struct bt__trainer_state *s, int64_t total,
                             const char *optim, const struct bt__hashes *data);
/* *root: the whole file, for the optimiser's name and the data's sums; the caller frees it. */
enum bt_status bt__trainer_state_read(const char *path, struct bt__trainer_state *s, struct bt_json **root,
                                      struct bt_error *err);

/* How much better a metric's value is than the one before; not above 0 if it is not. A NaN is worse than any number. */
double bt__metric_gain(double before, double value, bool greater_is_better);

/* {"loss": 0.5, …}; what is not finite is null, and NaN when it is read again. */
void bt__metrics_write(struct bt_json_writer *w, const struct bt_metrics *m);

#endif
