/* Precision, recall and F1 of counts, and their averages over classes: of labels, label sets and entity types alike. */
#ifndef BERTTY_METRICS_RATIO_H
#define BERTTY_METRICS_RATIO_H

#include "metrics/confusion.h"
#include <stdbool.h>

enum bt__ratio { BT__PRECISION, BT__RECALL, BT__F1 };

/* a / b, 0 where b is 0. */
double bt__quotient(double a, double b);
double bt__ratio(const struct bt__class_counts *k, enum bt__ratio which);
/* The plain mean; present: over the classes that occur alone, as gold or as prediction. 0 without any. */
double bt__ratio_macro(const struct bt__class_counts *k, size_t n, enum bt__ratio which, bool present);
/* The mean weighted by the gold examples; 0 without any. */
double bt__ratio_weighted(const struct bt__class_counts *k, size_t n, enum bt__ratio which);
struct bt__class_counts bt__counts_sum(const struct bt__class_counts *k, size_t n);

#endif
