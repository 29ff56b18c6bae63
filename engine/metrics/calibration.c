#include "metrics/labels.h"
#include "metrics/ratio.h"
#include <bertty/calibration.h>
#include <float.h>
#include <math.h>

/* The bin (b/15, (b+1)/15] that a probability is in; −1: none, as for 0. No float but 1 is so near to a limit that the product could round to it. */
int bt_calibration_bin(double p)
{
    if (!(p > 0.0)) return -1;
    return p < 1.0 ? (int)ceil(p * BT_CALIBRATION_BINS) - 1 : BT_CALIBRATION_BINS - 1;
}

void bt_calibration_add(struct bt_calibration *c, double p, bool right, double weight)
{
    int b = bt_calibration_bin(p);
    c->n += weight;
    if (b < 0) return;
    c->bin[b].n += weight;
    c->bin[b].confidence += weight * p;
    c->bin[b].right += weight * (double)right;
}

double bt_calibration_ece(const struct bt_calibration *c)
{
    double sum = 0.0;
    for (int b = 0; b < BT_CALIBRATION_BINS; b++) sum += fabs(c->bin[b].right - c->bin[b].confidence);
    return bt__quotient(sum, c->n);
}

/* Confidence is the probability of what was predicted. */
double bt__labels_ece(const struct bt__labels_view *v)
{
    const struct bt__label_results *r = v->r;
    struct bt_calibration c = {.n = 0.0};
    for (size_t i = 0; i < r->n; i++) {
        if (r->gold[i] < 0) continue;
        double p = (double)r->scores[i * (size_t)r->classes + (size_t)r->predicted[i]];
        bt_calibration_add(&c, p, r->predicted[i] == r->gold[i], 1.0);
    }
    return bt_calibration_ece(&c);
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
