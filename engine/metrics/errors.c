#include "metrics/numbers.h"

#include "metrics/ratio.h"
#include <math.h>

static long double squares(const struct bt__numbers_view *v)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < v->n; i++) {
        long double d = (long double)v->gold[i] - v->predicted[i];
        sum += d * d;
    }
    return sum;
}

double bt__numbers_mse(const struct bt__numbers_view *v)
{
    return v->n ? (double)(squares(v) / (long double)v->n) : 0.0;
}

double bt__numbers_rmse(const struct bt__numbers_view *v)
{
    return sqrt(bt__numbers_mse(v));
}

double bt__numbers_mae(const struct bt__numbers_view *v)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < v->n; i++) sum += fabsl((long double)v->gold[i] - v->predicted[i]);
    return v->n ? (double)(sum / (long double)v->n) : 0.0;
}

/* 1 − Σ(gold − predicted)² / Σ(gold − mean)². */
double bt__numbers_r2(const struct bt__numbers_view *v)
{
    long double mean = 0.0L, total = 0.0L, left = squares(v);
    bool constant = true;
    if (v->n < 2) return (double)NAN;
    for (size_t i = 0; i < v->n; i++) {
        mean += v->gold[i];
        constant = constant && v->gold[i] == v->gold[0];
    }
    mean /= (long double)v->n;
    for (size_t i = 0; i < v->n; i++) total += (v->gold[i] - mean) * (v->gold[i] - mean);
    if (constant && !isnan(left)) return left > 0.0L ? 0.0 : 1.0;
    return (double)(1.0L - left / total);
}
