#include "tasks/softmax.h"

#include <math.h>

static double log_sum(const float *logits, int n)
{
    double top = (double)logits[0], sum = 0.0;
    for (int i = 1; i < n; i++) top = (double)logits[i] > top ? (double)logits[i] : top;
    for (int i = 0; i < n; i++) sum += exp((double)logits[i] - top);
    return top + log(sum);
}

void bt__softmax(const float *logits, int n, float *p)
{
    double z = log_sum(logits, n);
    for (int i = 0; i < n; i++) p[i] = (float)exp((double)logits[i] - z);
}

int bt__argmax(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

double bt__cross_entropy(const float *logits, int classes, int gold, double smoothing, double scale,
                         float *dlogits)
{
    double z = log_sum(logits, classes), loss = 0.0;
    for (int i = 0; i < classes; i++) {
        double logp = (double)logits[i] - z;
        double q = smoothing / classes + (i == gold ? 1.0 - smoothing : 0.0);
        if (q > 0.0) loss -= q * logp;
        if (dlogits) dlogits[i] = (float)(scale * (exp(logp) - q));
    }
    return loss;
}

double bt__weighted_cross_entropy(const float *logits, int classes, int gold, const double *weight,
                                  double smoothing, double scale, float *dlogits)
{
    if (!weight) return bt__cross_entropy(logits, classes, gold, smoothing, scale, dlogits);
    double z = log_sum(logits, classes), loss = 0.0, all = (1.0 - smoothing) * weight[gold];
    for (int i = 0; i < classes; i++) all += smoothing / classes * weight[i];
    for (int i = 0; i < classes; i++) {
        double logp = (double)logits[i] - z;
        double q = weight[i] * (smoothing / classes + (i == gold ? 1.0 - smoothing : 0.0));
        if (q > 0.0) loss -= q * logp;
        if (dlogits) dlogits[i] = (float)(scale * (all * exp(logp) - q));
    }
    return loss;
}
