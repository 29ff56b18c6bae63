#include "metrics/auc.h"

#include <math.h>

double bt__ranked_precision(const struct bt__ranked *r, size_t n)
{
    double sum = 0.0, gold = 0.0;
    if (n && isnan(r[0].score)) return (double)NAN;
    for (size_t i = 0; i < n;) {
        double tied = 0.0;
        float score = r[i].score;
        for (; i < n && r[i].score == score; i++) tied += r[i].gold;
        gold += tied;
        sum += tied * gold / (double)i;
    }
    return gold > 0.0 ? sum / gold : 0.0;
}
