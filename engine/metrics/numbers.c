#include "metrics/numbers.h"

#include <math.h>
#include <stdlib.h>

static int lower_first(const void *a, const void *b)
{
    const struct bt__placed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

void bt__sort_placed(struct bt__placed *p, size_t n)
{
    if (n) qsort(p, n, sizeof *p, lower_first);
}

static bool any_nan(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i])) return true;
    return false;
}

/* Ranks from 1, equal values share the mean of theirs; all NaN if a value is. */
static void ranks(const double *x, size_t n, struct bt__placed *p, double *out)
{
    bool nan = any_nan(x, n);
    for (size_t i = 0; i < n; i++) {
        p[i] = (struct bt__placed){.value = x[i], .at = i};
        out[i] = (double)NAN;
    }
    if (nan || !n) return;
    bt__sort_placed(p, n);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && p[j].value == p[i].value; j++) continue;
        for (size_t k = i; k < j; k++) out[p[k].at] = 0.5 * (double)(i + j + 1);
    }
}

static void take_known(struct bt__numbers_view *v, const struct bt__number_results *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (isnan(r->gold[i])) continue;
        v->gold[v->n] = r->gold[i];
        v->predicted[v->n++] = r->predicted[i];
    }
}

enum bt_status bt__number_metrics(const struct bt__number_results *r, struct bt_metrics *out,
                                  struct bt_error *err)
{
    size_t n, m = r->n + 1;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    double *all = calloc(4 * m, sizeof *all);
    struct bt__placed *scratch = calloc(m, sizeof *scratch);
    struct bt__numbers_view v = {.n = 0};
    enum bt_status st =
        all && scratch ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the metrics of %zu examples", r->n);
    if (!st) {
        v.gold = all, v.predicted = all + m, v.gold_rank = all + 2 * m, v.predicted_rank = all + 3 * m;
        take_known(&v, r);
        ranks(v.gold, v.n, scratch, v.gold_rank);
        ranks(v.predicted, v.n, scratch, v.predicted_rank);
    }
    for (size_t i = 0; i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_numbers, 0))
            bt__metric_put(out, row[i].name, row[i].value.numbers(&v));
    free(scratch);
    free(all);
    return st;
}
