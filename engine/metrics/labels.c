#include "metrics/labels.h"

#include "metrics/auc.h"
#include "metrics/ratio.h"
#include <stdlib.h>

static void count(struct bt__labels_view *v)
{
    const struct bt__label_results *r = v->r;
    for (size_t i = 0; i < r->n; i++) {
        if (r->gold[i] < 0) continue;
        v->count[r->gold[i]].gold++;
        v->count[r->predicted[i]].predicted++;
        v->count[r->gold[i]].hit += r->gold[i] == r->predicted[i];
        v->known++;
    }
    v->all = bt__counts_sum(v->count, (size_t)r->classes);
}

/* Scores that are needed by nobody get no scratch. */
static enum bt_status look(struct bt__labels_view *v, bool ranked, struct bt_error *err)
{
    v->count = calloc((size_t)v->r->classes + 1, sizeof *v->count);
    v->ranked = ranked ? calloc(v->r->n + 1, sizeof *v->ranked) : NULL;
    if (!v->count || (ranked && !v->ranked))
        return bt_fail(err, BT_NOMEM, "no memory for the metrics of %zu examples", v->r->n);
    count(v);
    return BT_OK;
}

static void close_view(struct bt__labels_view *v)
{
    free(v->count);
    free(v->ranked);
}

enum bt_status bt__label_metrics(const struct bt__label_results *r, struct bt_metrics *out,
                                 struct bt_error *err)
{
    struct bt__labels_view v = {.r = r};
    unsigned has = (r->classes == 2 ? BT__NEEDS_TWO : 0) | (r->scores ? BT__NEEDS_SCORES : 0);
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    enum bt_status st = look(&v, r->scores, err);
    for (size_t i = 0; i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_labels, has))
            bt__metric_put(out, row[i].name, row[i].value.labels(&v));
    close_view(&v);
    return st;
}

enum bt_status bt__choice_metrics(const struct bt__label_results *r, struct bt_metrics *out,
                                  struct bt_error *err)
{
    struct bt__labels_view v = {.r = r};
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    enum bt_status st = look(&v, false, err);
    for (size_t i = 0; i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_choices, 0))
            bt__metric_put(out, row[i].name, row[i].value.choices(&v));
    close_view(&v);
    return st;
}
