/* Decisions about labels (<bertty/label_decisions.h>) applied to the training rows. */
#ifndef BERTTY_RUN_LABEL_DECISIONS_H
#define BERTTY_RUN_LABEL_DECISIONS_H

#include "tasks/task.h"

struct bt__label_decisions {
    size_t relabelled, dropped, kept;
};
/* Applies the file to the rows of a split that holds all rows of its files: their labels, and which of them are picked. label: NULL in a line: its "likelier". BT_INVALID, with file and
 * line: no such row, another label than given, no such label, a decision that is none, two about the same row. */
enum bt_status bt__apply_label_decisions(const char *path, const struct bt__task *t, struct bt__task_data *d,
                                         struct bt__label_decisions *told, struct bt_error *err);

#endif
