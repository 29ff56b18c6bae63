#include "metrics/sets.h"

#include "metrics/auc.h"
#include "metrics/ratio.h"
#include <stdlib.h>

static void count(const struct bt__set_results *r, struct bt__class_counts *k)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t c = 0, at = i * (size_t)r->labels; c < (size_t)r->labels; c++, at++) {
            k[c].gold += r->gold[at];
            k[c].predicted += r->predicted[at];
            k[c].hit += r->gold[at] && r->predicted[at];
        }
}

static enum bt_status look(struct bt__sets_view *v, struct bt_error *err)
{
    const struct bt__set_results *r = v->r;
    v->count = calloc((size_t)r->labels + 1, sizeof *v->count);
    v->ranked = r->scores ? calloc(r->n * (size_t)r->labels + 1, sizeof *v->ranked) : NULL;
    if (!v->count || (r->scores && !v->ranked))
        return bt_fail(err, BT_NOMEM, "no memory for the metrics of %zu examples", r->n);
    count(r, v->count);
    v->all = bt__counts_sum(v->count, (size_t)r->labels);
    return BT_OK;
}

enum bt_status bt__set_metrics(const struct bt__set_results *r, struct bt_metrics *out, struct bt_error *err)
{
    struct bt__sets_view v = {.r = r};
    unsigned has = r->scores ? BT__NEEDS_SCORES : 0;
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    enum bt_status st = look(&v, err);
    for (size_t i = 0; i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_sets, has))
            bt__metric_put(out, row[i].name, row[i].value.sets(&v));
    free(v.count);
    free(v.ranked);
    return st;
}

enum bt_status bt__set_classes(const struct bt__set_results *r, struct bt__prf *out, struct bt_error *err)
{
    struct bt__class_counts *k = calloc((size_t)r->labels + 1, sizeof *k);
    if (!k) return bt_fail(err, BT_NOMEM, "no memory for the metrics of %d labels", r->labels);
    count(r, k);
    for (int c = 0; c < r->labels; c++) out[c] = bt__prf_of(&k[c]);
    free(k);
    return BT_OK;
}
