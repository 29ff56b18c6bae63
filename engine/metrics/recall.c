#include "metrics/labels.h"
#include "metrics/ratio.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <math.h>

double bt__labels_recall(const struct bt__labels_view *v)
{
    return bt__ratio(&v->count[1], BT__RECALL);
}

double bt__labels_recall_macro(const struct bt__labels_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->classes, BT__RECALL, true);
}

double bt__labels_recall_micro(const struct bt__labels_view *v)
{
    return bt__ratio(&v->all, BT__RECALL);
}

double bt__labels_recall_weighted(const struct bt__labels_view *v)
{
    return bt__ratio_weighted(v->count, (size_t)v->r->classes, BT__RECALL);
}

double bt__sets_recall_micro(const struct bt__sets_view *v)
{
    return bt__ratio(&v->all, BT__RECALL);
}

double bt__sets_recall_macro(const struct bt__sets_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->labels, BT__RECALL, false);
}

double bt__spans_recall(const struct bt__spans_view *v)
{
    return bt__ratio(&v->all, BT__RECALL);
}

double bt__spans_recall_macro(const struct bt__spans_view *v)
{
    return v->types ? bt__ratio_macro(v->count, v->types, BT__RECALL, false) : (double)NAN;
}

double bt__spans_recall_weighted(const struct bt__spans_view *v)
{
    return bt__ratio_weighted(v->count, v->types, BT__RECALL);
}
