/* Language modelling. */
#ifndef BERTTY_METRICS_LANGUAGE_H
#define BERTTY_METRICS_LANGUAGE_H

#include "metrics/metrics.h"

struct bt__language_results {
    double loss;           /* mean cross-entropy of the masked tokens, natural logarithm */
    int64_t tokens, right; /* masked tokens; those that were guessed */
};

/* Appends the metrics of the family language. */
void bt__language_metrics(const struct bt__language_results *r, struct bt_metrics *out);

struct bt__language_view {
    const struct bt__language_results *r;
};

#endif
