/* task.class_weights: how much each label's examples count in the training loss, as torch.nn.CrossEntropyLoss(weight=…). */
#ifndef BERTTY_TASKS_CLASS_WEIGHTS_H
#define BERTTY_TASKS_CLASS_WEIGHTS_H

#include "tasks/task.h"

/* Whether the option reads as none, balanced, or numbers for labels. */
bool bt__class_weights_fit(const struct bt_string_list *list);
/* train->class_weight by the option, NULL where it asks for nothing; train is built. balanced: rows / (labels · rows of the label), as
 * scikit-learn's compute_class_weight; a label without rows weighs 0 and is not counted. Only training data has weights: losses of
 * evaluations are plain. */
enum bt_status bt__class_weights(const struct bt__task *t, struct bt__task_data *train, struct bt_error *err);
/* Of a label in this split: 1 without weights. */
double bt__class_weight(const struct bt__task_data *d, int label);

#endif
