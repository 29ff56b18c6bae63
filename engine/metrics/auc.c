#include "metrics/auc.h"

#include "metrics/labels.h"
#include "metrics/sets.h"
#include <math.h>

/* Mann and Whitney's count: pairs of a gold example and another one in which the gold one has the higher score, ties half. The count
 * is exact in a double up to 2^52 pairs. */
double bt__ranked_auc(const struct bt__ranked *r, size_t n)
{
    double pairs = 0.0, gold = 0.0, other = 0.0;
    if (n && isnan(r[0].score)) return (double)NAN;
    for (size_t i = 0; i < n;) {
        double tied_gold = 0.0, tied_other = 0.0;
        float score = r[i].score;
        for (; i < n && r[i].score == score; i++)
            if (r[i].gold)
                tied_gold += 1.0;
            else
                tied_other += 1.0;
        pairs += tied_other * (gold + 0.5 * tied_gold);
        gold += tied_gold;
        other += tied_other;
    }
    return gold > 0.0 && other > 0.0 ? pairs / (gold * other) : (double)NAN;
}

static double of_class(const struct bt__labels_view *v, int which)
{
    const struct bt__label_results *r = v->r;
    size_t m = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->gold[i] >= 0)
            v->ranked[m++] = (struct bt__ranked){.score = r->scores[i * (size_t)r->classes + (size_t)which],
                                                 .gold = r->gold[i] == which};
    bt__rank(v->ranked, m);
    return bt__ranked_auc(v->ranked, m);
}

double bt__labels_auc(const struct bt__labels_view *v)
{
    if (v->r->classes == 2) return of_class(v, 1);
    double sum = 0.0;
    for (int c = 0; c < v->r->classes; c++) sum += of_class(v, c);
    return sum / v->r->classes;
}

static void take_label(const struct bt__sets_view *v, int which)
{
    const struct bt__set_results *r = v->r;
    for (size_t i = 0; i < r->n; i++) {
        size_t at = i * (size_t)r->labels + (size_t)which;
        v->ranked[i] = (struct bt__ranked){.score = r->scores[at], .gold = r->gold[at]};
    }
    bt__rank(v->ranked, r->n);
}

double bt__sets_auc_macro(const struct bt__sets_view *v)
{
    double sum = 0.0;
    for (int k = 0; k < v->r->labels; k++) {
        take_label(v, k);
        sum += bt__ranked_auc(v->ranked, v->r->n);
    }
    return sum / v->r->labels;
}

double bt__sets_auc_micro(const struct bt__sets_view *v)
{
    size_t m = v->r->n * (size_t)v->r->labels;
    for (size_t i = 0; i < m; i++)
        v->ranked[i] = (struct bt__ranked){.score = v->r->scores[i], .gold = v->r->gold[i]};
    bt__rank(v->ranked, m);
    return bt__ranked_auc(v->ranked, m);
}

double bt__sets_average_precision(const struct bt__sets_view *v)
{
    double sum = 0.0;
    for (int k = 0; k < v->r->labels; k++) {
        take_label(v, k);
        sum += bt__ranked_precision(v->ranked, v->r->n);
    }
    return sum / v->r->labels;
}
