#include "metrics/language.h"

#include <math.h>

/* Infinite where the exponential is. */
double bt__language_perplexity(const struct bt__language_view *v)
{
    return exp(v->r->loss);
}

void bt__language_metrics(const struct bt__language_results *r, struct bt_metrics *out)
{
    struct bt__language_view v = {.r = r};
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_language, 0))
            bt__metric_put(out, row[i].name, row[i].value.language(&v));
}
