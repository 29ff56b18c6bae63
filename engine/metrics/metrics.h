/* The metrics by name. All are 0 to 1 (mcc −1 to 1), larger is better; an undefined quotient counts as 0, as in scikit-learn. */
#ifndef BERTTY_METRICS_METRICS_H
#define BERTTY_METRICS_METRICS_H

#include "metrics/confusion.h"

struct bt__metric {
    const char *name;
    double (*value)(const struct bt__confusion *c);
    int classes; /* 2: defined for two labels only; 0: for any number */
};

/* The table and its length. */
const struct bt__metric *bt__metrics(size_t *n);

struct bt__prf {
    double precision, recall, f1;
};
/* Precision, recall and F1 of one class. */
struct bt__prf bt__metric_class(const struct bt__confusion *c, int which);

#define METRIC(name, fn, classes) double fn(const struct bt__confusion *c);
#include "metrics/metrics.def"
#undef METRIC

#endif
