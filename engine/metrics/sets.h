/* Any number of labels for each example. All arrays are the caller's. */
#ifndef BERTTY_METRICS_SETS_H
#define BERTTY_METRICS_SETS_H

#include "metrics/metrics.h"

struct bt__set_results {
    size_t n;
    int labels;
    const bool *gold, *predicted; /* [n, labels] */
    const float *scores; /* [n, labels] probabilities; NULL: the metrics that need them are left out */
};

/* Appends the metrics of the family sets. */
enum bt_status bt__set_metrics(const struct bt__set_results *r, struct bt_metrics *out, struct bt_error *err);

/* Precision, recall and F1 of each label, into [labels]. */
enum bt_status bt__set_classes(const struct bt__set_results *r, struct bt__prf *out, struct bt_error *err);

struct bt__sets_view {
    const struct bt__set_results *r;
    struct bt__class_counts *count; /* [labels] */
    struct bt__class_counts all;    /* their sum */
    struct bt__ranked *ranked;      /* [n · labels] scratch; NULL without scores */
};

#endif
