#include "metrics/numbers.h"

#include <math.h>
#include <stdbool.h>

static bool constant(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

struct centred {
    long double mean, norm;
};

/* The norm of x − mean, scaled so that no square overflows. */
static struct centred centre(const double *x, size_t n)
{
    struct centred c = {.mean = 0.0L};
    long double most = 0.0L, sum = 0.0L;
    for (size_t i = 0; i < n; i++) c.mean += x[i];
    c.mean /= (long double)n;
    for (size_t i = 0; i < n; i++) {
        long double d = fabsl(x[i] - c.mean);
        if (!(d <= most)) most = d;
    }
    for (size_t i = 0; i < n; i++) {
        long double d = (x[i] - c.mean) / most;
        sum += d * d;
    }
    c.norm = most * sqrtl(sum);
    return c;
}

static double correlation(const double *x, const double *y, size_t n)
{
    if (n < 2 || constant(x, n) || constant(y, n)) return (double)NAN;
    struct centred cx = centre(x, n), cy = centre(y, n);
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++) sum += (x[i] - cx.mean) / cx.norm * ((y[i] - cy.mean) / cy.norm);
    if (n == 2) sum = roundl(sum);
    if (sum > 1.0L) return 1.0;
    return sum < -1.0L ? -1.0 : (double)sum;
}

double bt__numbers_pearson(const struct bt__numbers_view *v)
{
    return correlation(v->gold, v->predicted, v->n);
}

double bt__numbers_spearman(const struct bt__numbers_view *v)
{
    return correlation(v->gold_rank, v->predicted_rank, v->n);
}
