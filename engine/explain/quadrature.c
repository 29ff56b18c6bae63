/* Points and weights of an integral from 0 to 1. */
#include "explain/parts.h"

#include <math.h>

/* P_n and its derivative at x, by Bonnet's recursion. */
static double legendre(int n, double x, double *slope)
{
    double before = 1.0, p = x;
    for (int k = 2; k <= n; k++) {
        const double next = ((2 * k - 1) * x * p - (k - 1) * before) / k;
        before = p;
        p = next;
    }
    *slope = n * (x * p - before) / (x * x - 1.0);
    return p;
}

/* The roots of P_n by Newton's method from Tricomi's approximation; moved from [−1, 1] to [0, 1]. */
static void gauss(int n, double *at, double *weight)
{
    enum { ROUNDS = 100 };
    const double pi = 3.14159265358979323846;
    for (int i = 0; i < n; i++) {
        double x = -cos(pi * (i + 0.75) / (n + 0.5)), slope = 1.0, step = 1.0;
        if (n == 1) x = 0.0;
        for (int k = 0; k < ROUNDS && fabs(step) > 1e-15; k++) x -= step = legendre(n, x, &slope) / slope;
        at[i] = 0.5 * (1.0 + x);
        weight[i] = 1.0 / ((1.0 - x * x) * slope * slope);
    }
}

void bt__quadrature(enum bt_explain_rule rule, int n, double *at, double *weight)
{
    if (rule == BT_EXPLAIN_GAUSS) {
        gauss(n, at, weight);
        return;
    }
    for (int i = 0; i < n; i++) {
        at[i] = (double)i / (n - 1);
        weight[i] = (i == 0 || i == n - 1 ? 0.5 : 1.0) / (n - 1);
    }
}
