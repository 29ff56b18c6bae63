#include "metrics/auc.h"

#include <math.h>
#include <stdlib.h>

/* A total order: NaN comes first. */
static int higher_first(const void *a, const void *b)
{
    const struct bt__ranked *x = a, *y = b;
    bool nan_x = isnan(x->score), nan_y = isnan(y->score);
    if (nan_x || nan_y) return (int)nan_y - (int)nan_x;
    return (x->score < y->score) - (x->score > y->score);
}

void bt__rank(struct bt__ranked *r, size_t n)
{
    if (n) qsort(r, n, sizeof *r, higher_first);
}
