#include "metrics/labels.h"
#include "metrics/ratio.h"
#include "metrics/sets.h"
#include "metrics/spans.h"
#include <math.h>

double bt__labels_precision(const struct bt__labels_view *v)
{
    return bt__ratio(&v->count[1], BT__PRECISION);
}

double bt__labels_precision_macro(const struct bt__labels_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->classes, BT__PRECISION, true);
}

double bt__labels_precision_micro(const struct bt__labels_view *v)
{
    return bt__ratio(&v->all, BT__PRECISION);
}

double bt__labels_precision_weighted(const struct bt__labels_view *v)
{
    return bt__ratio_weighted(v->count, (size_t)v->r->classes, BT__PRECISION);
}

double bt__sets_precision_micro(const struct bt__sets_view *v)
{
    return bt__ratio(&v->all, BT__PRECISION);
}

double bt__sets_precision_macro(const struct bt__sets_view *v)
{
    return bt__ratio_macro(v->count, (size_t)v->r->labels, BT__PRECISION, false);
}

double bt__spans_precision(const struct bt__spans_view *v)
{
    return bt__ratio(&v->all, BT__PRECISION);
}

double bt__spans_precision_macro(const struct bt__spans_view *v)
{
    return v->types ? bt__ratio_macro(v->count, v->types, BT__PRECISION, false) : (double)NAN;
}

double bt__spans_precision_weighted(const struct bt__spans_view *v)
{
    return bt__ratio_weighted(v->count, v->types, BT__PRECISION);
}
