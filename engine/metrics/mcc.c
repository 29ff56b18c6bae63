#include "metrics/metrics.h"

#include <math.h>

/* Matthews' coefficient for any number of classes (Gorodkin 2004):
 * (c·s − Σ p·t) / √((s² − Σ p²)(s² − Σ t²)), s examples, c right, p predicted and t gold of each class. */
double bt__metric_mcc(const struct bt__confusion *c)
{
    double s = (double)bt__confusion_total(c), hits = 0.0, pt = 0.0, pp = 0.0, tt = 0.0;
    for (int i = 0; i < c->classes; i++) {
        struct bt__class_counts k = bt__confusion_class(c, i);
        double p = (double)k.predicted, t = (double)k.gold;
        hits += (double)k.hit;
        pt += p * t;
        pp += p * p;
        tt += t * t;
    }
    double under = (s * s - pp) * (s * s - tt);
    return under > 0.0 ? (hits * s - pt) / sqrt(under) : 0.0;
}
