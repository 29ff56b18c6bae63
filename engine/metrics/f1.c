#include "metrics/metrics.h"

static double quotient(double a, double b)
{
    return b > 0.0 ? a / b : 0.0;
}

struct bt__prf bt__metric_class(const struct bt__confusion *c, int which)
{
    struct bt__class_counts k = bt__confusion_class(c, which);
    return (struct bt__prf){.precision = quotient((double)k.hit, (double)k.predicted),
                            .recall = quotient((double)k.hit, (double)k.gold),
                            .f1 = quotient(2.0 * (double)k.hit, (double)(k.predicted + k.gold))};
}

/* F1 of label 1. */
double bt__metric_f1(const struct bt__confusion *c)
{
    return c->classes > 1 ? bt__metric_class(c, 1).f1 : 0.0;
}

/* The mean over the classes that occur, as gold or as prediction (scikit-learn's default labels). */
double bt__metric_f1_macro(const struct bt__confusion *c)
{
    double sum = 0.0;
    int present = 0;
    for (int i = 0; i < c->classes; i++) {
        struct bt__class_counts k = bt__confusion_class(c, i);
        if (k.gold + k.predicted == 0) continue;
        sum += bt__metric_class(c, i).f1;
        present++;
    }
    return present ? sum / present : 0.0;
}
