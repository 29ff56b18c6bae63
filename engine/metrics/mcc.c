#include "metrics/labels.h"

#include <math.h>

/* Matthews' coefficient for any number of classes (Gorodkin 2004):
 * (c·s − Σ p·t) / √((s² − Σ p²)(s² − Σ t²)), s examples, c right, p predicted and t gold of each class. */
struct sums {
    double s, hits, pt, pp, tt;
};

static void add(struct sums *a, const struct bt__class_counts *k)
{
    double p = (double)k->predicted, t = (double)k->gold;
    a->s += t;
    a->hits += (double)k->hit;
    a->pt += p * t;
    a->pp += p * p;
    a->tt += t * t;
}

static double coefficient(const struct sums *a)
{
    double under = (a->s * a->s - a->pp) * (a->s * a->s - a->tt);
    return under > 0.0 ? (a->hits * a->s - a->pt) / sqrt(under) : 0.0;
}

double bt__labels_mcc(const struct bt__labels_view *v)
{
    struct sums a = {.s = 0.0};
    for (int i = 0; i < v->r->classes; i++) add(&a, &v->count[i]);
    return coefficient(&a);
}
