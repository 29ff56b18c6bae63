#include "metrics/metrics.h"

double bt__metric_accuracy(const struct bt__confusion *c)
{
    int64_t hits = 0, total = bt__confusion_total(c);
    for (int i = 0; i < c->classes; i++) hits += bt__confusion_class(c, i).hit;
    return total ? (double)hits / (double)total : 0.0;
}

/* With one label for each example micro-averaged precision, recall and F1 are all the accuracy. */
double bt__metric_f1_micro(const struct bt__confusion *c)
{
    return bt__metric_accuracy(c);
}
