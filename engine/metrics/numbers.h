/* Regression: a number for each example. The arrays are the caller's. */
#ifndef BERTTY_METRICS_NUMBERS_H
#define BERTTY_METRICS_NUMBERS_H

#include "metrics/metrics.h"

struct bt__number_results {
    size_t n;
    const double *gold; /* [n]; NaN: not known, the example is left out */
    const double *predicted;
};

/* Appends the metrics of the family numbers. */
enum bt_status bt__number_metrics(const struct bt__number_results *r, struct bt_metrics *out,
                                  struct bt_error *err);

/* A value and where it stands. */
struct bt__placed {
    double value;
    size_t at;
};
/* From the least on; no value is NaN. */
void bt__sort_placed(struct bt__placed *p, size_t n);

struct bt__numbers_view {
    size_t n;                                              /* known ones */
    double *gold, *predicted, *gold_rank, *predicted_rank; /* [n] each */
};

#endif
