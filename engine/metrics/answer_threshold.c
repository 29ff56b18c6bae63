#include "metrics/answers.h"

#include "metrics/answers_view.h"
#include "metrics/ratio.h"
#include <stdlib.h>

struct placed {
    double odds;
    size_t at;
};

static int lower_first(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->odds < y->odds || x->odds > y->odds) return x->odds < y->odds ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* What it is worth to give an answer to question i rather than none. */
static double gain(const struct bt__answers_view *v, size_t i, bool by_f1)
{
    const struct bt__answer *a = &v->r->item[i];
    if (a->golds) return by_f1 ? v->score[i].f1 : v->score[i].exact;
    return a->predicted_n ? -1.0 : 0.0;
}

/* From “no answer to anything” upwards: each question in the order of its odds is given its answer, ties too one by one, as the script does. */
static struct bt__best_threshold best(const struct bt__answers_view *v, const struct placed *p, bool by_f1)
{
    struct bt__best_threshold b = {.threshold = 0.0};
    double now = 0.0;
    size_t counted = 0;
    for (size_t i = 0; i < v->r->n; i++) now += v->r->item[i].golds == 0;
    b.value = now;
    for (size_t i = 0; i < v->r->n; i++) {
        if (!v->score[p[i].at].counted) continue;
        counted++;
        now += gain(v, p[i].at, by_f1);
        if (!(now > b.value)) continue;
        b.value = now;
        b.threshold = p[i].odds;
    }
    b.value = bt__quotient(100.0 * b.value, (double)counted);
    return b;
}

enum bt_status bt__answers_best(struct bt__answers_view *v, struct bt_error *err)
{
    size_t n = v->r->n;
    struct placed *p = calloc(n + 1, sizeof *p);
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for the null odds of %zu questions", n);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct placed){.odds = v->r->has_null_odds ? v->r->item[i].null_odds : 0.0, .at = i};
    qsort(p, n, sizeof *p, lower_first);
    v->best_exact = best(v, p, false);
    v->best_f1 = best(v, p, true);
    free(p);
    return BT_OK;
}

enum bt_status bt__answer_threshold(const struct bt__answer_results *r, bool by_f1, double *threshold,
                                    double *value, struct bt_error *err)
{
    struct bt__answers_view v = {.r = r};
    enum bt_status st = bt__answers_score(&v, err);
    if (!st) st = bt__answers_best(&v, err);
    if (!st) {
        *threshold = by_f1 ? v.best_f1.threshold : v.best_exact.threshold;
        *value = by_f1 ? v.best_f1.value : v.best_exact.value;
    }
    free(v.score);
    return st;
}

double bt__answers_best_exact(const struct bt__answers_view *v)
{
    return v->best_exact.value;
}

double bt__answers_best_exact_threshold(const struct bt__answers_view *v)
{
    return v->best_exact.threshold;
}

double bt__answers_best_f1(const struct bt__answers_view *v)
{
    return v->best_f1.value;
}

double bt__answers_best_f1_threshold(const struct bt__answers_view *v)
{
    return v->best_f1.threshold;
}
