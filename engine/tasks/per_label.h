/* Numbers for labels in an option that is a list: "0.5" is for every label, "LABEL=0.3" for one (the last '=' divides). */
#ifndef BERTTY_TASKS_PER_LABEL_H
#define BERTTY_TASKS_PER_LABEL_H

#include "tasks/labels.h"
#include <bertty/experiment.h>

struct bt__per_label {
    const char *option; /* for messages: "task.threshold" */
    double fallback;    /* where the list says nothing */
    double low, high;   /* both included */
};

/* Whether every item reads as one of the two forms and is within bounds; whatever the labels are. */
bool bt__per_label_fits(const struct bt_string_list *list, double low, double high);
/* to[l->n]. BT_INVALID: an item that is neither, out of bounds, of a label that is not there, or said twice. */
enum bt_status bt__per_label_read(const struct bt__per_label *how, const struct bt_string_list *list,
                                  const struct bt__labels *l, double *to, struct bt_error *err);

#endif
