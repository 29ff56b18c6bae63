#include "metrics/labels.h"
#include "metrics/ratio.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <math.h>

struct bt__prf bt__prf_of(const struct bt__class_counts *k)
{
    return (struct bt__prf){.precision = bt__ratio(k, BT__PRECISION),
                            .recall = bt__ratio(k, BT__RECALL),
                            .f1 = bt__ratio(k, BT__F1)};
}

struct bt__prf bt__metric_class(const struct bt__confusion *c, int which)
{
    struct bt__class_counts k = bt__confusion_class(c, which);
    return bt__prf_of(&k);
}

double bt__labels_f1(const struct bt__labels_view *v)
{
    return bt__ratio(&v->count[1], BT__F1);
}

double bt__labels_f1_macro(const struct bt__labels_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->classes, BT__F1, true);
}

double bt__labels_f1_micro(const struct bt__labels_view *v)
{
    return bt__ratio(&v->all, BT__F1);
}

double bt__labels_f1_weighted(const struct bt__labels_view *v)
{
    return bt__ratio_weighted(v->count, (size_t)v->r->classes, BT__F1);
}

double bt__sets_f1_micro(const struct bt__sets_view *v)
{
    return bt__ratio(&v->all, BT__F1);
}

double bt__sets_f1_macro(const struct bt__sets_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->labels, BT__F1, false);
}

double bt__sets_f1_weighted(const struct bt__sets_view *v)
{
    return bt__ratio_weighted(v->count, (size_t)v->r->labels, BT__F1);
}

static double f1_of_row(const bool *gold, const bool *predicted, size_t n)
{
    struct bt__class_counts k = {.hit = 0};
    for (size_t i = 0; i < n; i++) {
        k.hit += gold[i] && predicted[i];
        k.gold += gold[i];
        k.predicted += predicted[i];
    }
    return bt__ratio(&k, BT__F1);
}

double bt__sets_f1_samples(const struct bt__sets_view *v)
{
    const struct bt__set_results *r = v->r;
    const size_t k = (size_t)r->labels;
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++) sum += f1_of_row(r->gold + i * k, r->predicted + i * k, k);
    return bt__quotient(sum, (double)r->n);
}

double bt__spans_f1(const struct bt__spans_view *v)
{
    return bt__ratio(&v->all, BT__F1);
}

double bt__spans_f1_macro(const struct bt__spans_view *v)
{
    return v->types ? bt__ratio_macro(v->count, v->types, BT__F1, false) : (double)NAN;
}

double bt__spans_f1_weighted(const struct bt__spans_view *v)
{
    return bt__ratio_weighted(v->count, v->types, BT__F1);
}
