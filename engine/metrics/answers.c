#include "metrics/answers.h"

#include "metrics/answers_view.h"
#include "metrics/ratio.h"
#include <stdlib.h>

enum bt_status bt__answers_score(struct bt__answers_view *v, struct bt_error *err)
{
    const struct bt__answer_results *r = v->r;
    v->score = calloc(r->n + 1, sizeof *v->score);
    enum bt_status st =
        v->score ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the scores of %zu questions", r->n);
    for (size_t i = 0; i < r->n && !st; i++) st = bt__answer_score(&r->item[i], r->v2, &v->score[i], err);
    return st;
}

/* In the order of the questions, as the scripts add. */
static void add_up(struct bt__answers_view *v)
{
    for (size_t i = 0; i < v->r->n; i++) {
        const struct bt__answer *a = &v->r->item[i];
        struct bt__answer_score s = v->score[i];
        if (!s.counted) continue;
        if (v->r->v2 && (v->r->has_null_odds ? a->null_odds : 0.0) > v->r->threshold)
            s.exact = s.f1 = a->golds == 0;
        struct bt__answer_sum *const both[] = {&v->all, a->golds ? &v->has : &v->none};
        for (int k = 0; k < 2; k++) {
            both[k]->exact += s.exact;
            both[k]->f1 += s.f1;
            both[k]->n++;
        }
    }
}

static unsigned what_it_has(const struct bt__answers_view *v)
{
    if (!v->r->v2) return BT__NEEDS_V1;
    return BT__NEEDS_V2 | (v->r->has_null_odds ? BT__NEEDS_SCORES : 0) | (v->has.n ? BT__NEEDS_GOLD : 0) |
           (v->none.n ? BT__NEEDS_NULL : 0);
}

enum bt_status bt__answer_metrics(const struct bt__answer_results *r, struct bt_metrics *out,
                                  struct bt_error *err)
{
    struct bt__answers_view v = {.r = r};
    size_t n;
    const struct bt__metric_row *row = bt__metric_rows(&n);
    enum bt_status st = bt__answers_score(&v, err);
    if (!st && r->v2 && r->has_null_odds) st = bt__answers_best(&v, err);
    if (!st) add_up(&v);
    for (size_t i = 0, has = what_it_has(&v); i < n && !st; i++)
        if (bt__metric_applies(&row[i], BT__METRICS_answers, (unsigned)has))
            bt__metric_put(out, row[i].name, row[i].value.answers(&v));
    free(v.score);
    return st;
}

static double percent(double sum, size_t n)
{
    return bt__quotient(100.0 * sum, (double)n);
}

double bt__answers_exact(const struct bt__answers_view *v)
{
    return percent(v->all.exact, v->all.n);
}

double bt__answers_f1(const struct bt__answers_view *v)
{
    return percent(v->all.f1, v->all.n);
}

double bt__answers_total(const struct bt__answers_view *v)
{
    return (double)v->all.n;
}

double bt__answers_has_exact(const struct bt__answers_view *v)
{
    return percent(v->has.exact, v->has.n);
}

double bt__answers_has_f1(const struct bt__answers_view *v)
{
    return percent(v->has.f1, v->has.n);
}

double bt__answers_has_total(const struct bt__answers_view *v)
{
    return (double)v->has.n;
}

double bt__answers_none_exact(const struct bt__answers_view *v)
{
    return percent(v->none.exact, v->none.n);
}

double bt__answers_none_f1(const struct bt__answers_view *v)
{
    return percent(v->none.f1, v->none.n);
}

double bt__answers_none_total(const struct bt__answers_view *v)
{
    return (double)v->none.n;
}
