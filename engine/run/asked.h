/* How a trained model wants to be asked: the options of its run that decide what a text becomes and how the answer is read (length, truncation,
 * thresholds, …). They go with the model, in config.json, so that a directory without its run answers as the run does. */
#ifndef BERTTY_RUN_ASKED_H
#define BERTTY_RUN_ASKED_H

#include "model/config.h"
#include <bertty/experiment.h>

/* Puts them into c in place of those that are there. */
enum bt_status bt__asked_write(const struct bt_experiment *x, struct bt__model_config *c,
                               struct bt_error *err);
/* Sets them in x, whose task is the one that c's architecture tells. A configuration that is another model's by now (trained further, with
 * another head) does not count. dir: for messages. */
enum bt_status bt__asked_read(struct bt_experiment *x, const struct bt__model_config *c, const char *dir,
                              struct bt_error *err);

#endif
