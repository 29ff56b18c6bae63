/* One label for each example: classification, aspects; and the choice among endings. All arrays are the caller's. */
#ifndef BERTTY_METRICS_LABELS_H
#define BERTTY_METRICS_LABELS_H

#include "metrics/metrics.h"

struct bt__label_results {
    size_t n;
    int classes;
    const int *gold;      /* [n]; −1: not known, the example is left out */
    const int *predicted; /* [n] */
    const float *scores;  /* [n, classes] probabilities; NULL: the metrics that need them are left out */
};

/* Appends the metrics of the family labels. */
enum bt_status bt__label_metrics(const struct bt__label_results *r, struct bt_metrics *out,
                                 struct bt_error *err);
/* Appends those of the family choices; classes is the largest number of choices, scores may be NULL. */
enum bt_status bt__choice_metrics(const struct bt__label_results *r, struct bt_metrics *out,
                                  struct bt_error *err);

/* What the rows of the table work on. */
struct bt__labels_view {
    const struct bt__label_results *r;
    struct bt__class_counts all;    /* their sum */
    struct bt__class_counts *count; /* [classes] */
    size_t known;                   /* examples with a gold label */
    struct bt__ranked *ranked;      /* [n] scratch of the AUC; NULL without scores */
};

#endif
