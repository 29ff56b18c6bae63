/* The confusion matrix, from which the metrics of single-label classification follow. The caller frees with bt__confusion_free(). */
#ifndef BERTTY_METRICS_CONFUSION_H
#define BERTTY_METRICS_CONFUSION_H

#include <bertty/error.h>
#include <stddef.h>
#include <stdint.h>

struct bt__confusion {
    int classes;
    int64_t *count; /* [classes, classes]: row = gold, column = predicted */
};

enum bt_status bt__confusion_create(struct bt__confusion *c, int classes, struct bt_error *err);
void bt__confusion_free(struct bt__confusion *c);
void bt__confusion_add(struct bt__confusion *c, int gold, int predicted);

/* One class: how often predicted and right, predicted, and gold. */
struct bt__class_counts {
    int64_t hit, predicted, gold;
};
struct bt__class_counts bt__confusion_class(const struct bt__confusion *c, int which);

#endif
