/* Settings that were changed while a run went on: steered.jsonl, {"step":120,"option":"learning_rate","value":1e-05} a line. A change
 * counts from the update after `step` on; a resume repeats it there. The caller frees with bt__steering_free(). */
#ifndef BERTTY_RUN_STEERING_H
#define BERTTY_RUN_STEERING_H

#include "run/rundir.h"

struct bt__steered {
    int64_t step;
    double learning_rate;
};
struct bt__steering {
    struct bt__steered *item; /* in the order in which they were given */
    size_t n;
};

/* What the run's file holds; none if there is no file. A torn last line is passed over. */
enum bt_status bt__steering_load(struct bt__steering *s, const struct bt__rundir *r, struct bt_error *err);
/* Written (fsynced) before it takes effect. */
enum bt_status bt__steering_add(struct bt__steering *s, const struct bt__rundir *r, int64_t step,
                                double learning_rate, struct bt_error *err);
/* The learning rate for the update after `step`; NaN: it was not changed. */
double bt__steering_rate(const struct bt__steering *s, int64_t step);
void bt__steering_free(struct bt__steering *s);

#endif
