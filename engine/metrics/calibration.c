#include "metrics/labels.h"
#include "metrics/ratio.h"
#include <float.h>
#include <math.h>

enum { BINS = 15 };

/* The bin (b/15, (b+1)/15] that a probability is in; −1: none, as for 0. No float but 1 is so near to a limit that the product could round to it. */
static int bin_of(double p)
{
    if (!(p > 0.0)) return -1;
    return p < 1.0 ? (int)ceil(p * BINS) - 1 : BINS - 1;
}

/* Σ over bins of |right − Σ confidence| / n (Guo et al. 2017), confidence being the probability of what was predicted. */
double bt__labels_ece(const struct bt__labels_view *v)
{
    const struct bt__label_results *r = v->r;
    double confidence[BINS] = {0.0}, right[BINS] = {0.0}, sum = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->gold[i] < 0) continue;
        double p = (double)r->scores[i * (size_t)r->classes + (size_t)r->predicted[i]];
        int b = bin_of(p);
        if (b < 0) continue;
        confidence[b] += p;
        right[b] += r->predicted[i] == r->gold[i];
    }
    for (int b = 0; b < BINS; b++) sum += fabs(right[b] - confidence[b]);
    return bt__quotient(sum, (double)v->known);
}

static double squares(const float *p, int classes, int gold)
{
    double sum = 0.0;
    for (int c = 0; c < classes; c++) {
        double d = (c == gold ? 1.0 : 0.0) - (double)p[c];
        sum += d * d;
    }
    return sum;
}

/* Brier 1950; halved for two labels, as is usual. */
double bt__labels_brier(const struct bt__labels_view *v)
{
    const struct bt__label_results *r = v->r;
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++)
        if (r->gold[i] >= 0) sum += squares(r->scores + i * (size_t)r->classes, r->classes, r->gold[i]);
    return bt__quotient(sum, (double)v->known) * (r->classes == 2 ? 0.5 : 1.0);
}

/* A probability of 0 counts as 2^-52, so that one certain error does not make the mean infinite. */
double bt__labels_log_loss(const struct bt__labels_view *v)
{
    const struct bt__label_results *r = v->r;
    double sum = 0.0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->gold[i] < 0) continue;
        double p = (double)r->scores[i * (size_t)r->classes + (size_t)r->gold[i]];
        if (p < DBL_EPSILON) p = DBL_EPSILON;
        if (p > 1.0 - DBL_EPSILON) p = 1.0 - DBL_EPSILON;
        sum -= log(p);
    }
    return bt__quotient(sum, (double)v->known);
}
