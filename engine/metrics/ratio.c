#include "metrics/ratio.h"

double bt__quotient(double a, double b)
{
    return b > 0.0 ? a / b : 0.0;
}

double bt__ratio(const struct bt__class_counts *k, enum bt__ratio which)
{
    if (which == BT__PRECISION) return bt__quotient((double)k->hit, (double)k->predicted);
    if (which == BT__RECALL) return bt__quotient((double)k->hit, (double)k->gold);
    return bt__quotient(2.0 * (double)k->hit, (double)(k->predicted + k->gold));
}

double bt__ratio_macro(const struct bt__class_counts *k, size_t n, enum bt__ratio which, bool present)
{
    double sum = 0.0;
    size_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        if (present && k[i].gold + k[i].predicted == 0) continue;
        sum += bt__ratio(&k[i], which);
        counted++;
    }
    return bt__quotient(sum, (double)counted);
}

double bt__ratio_weighted(const struct bt__class_counts *k, size_t n, enum bt__ratio which)
{
    double sum = 0.0, weight = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += bt__ratio(&k[i], which) * (double)k[i].gold;
        weight += (double)k[i].gold;
    }
    return bt__quotient(sum, weight);
}

struct bt__class_counts bt__counts_sum(const struct bt__class_counts *k, size_t n)
{
    struct bt__class_counts all = {.hit = 0};
    for (size_t i = 0; i < n; i++) {
        all.hit += k[i].hit;
        all.predicted += k[i].predicted;
        all.gold += k[i].gold;
    }
    return all;
}
