/* Welch's t test. The distribution function of Student's t through the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) with
 * Lentz's method as Thompson and Barnett (1986) have it. */
#include <bertty/run_groups.h>

#include <math.h>

enum { MOST_TERMS = 10000, MOST_HALVINGS = 200 };
static const long double TINY = 1e-4000L, ENOUGH = 1e-18L;

static long double away_from_zero(long double v)
{
    return fabsl(v) < TINY ? TINY : v;
}

static long double fraction(long double a, long double b, long double x)
{
    long double c = 1.0L, d = 1.0L / away_from_zero(1.0L - (a + b) * x / (a + 1.0L)), h = d;
    for (int i = 1; i < MOST_TERMS; i++) {
        const long double m = i, even = m * (b - m) * x / ((a + 2.0L * m - 1.0L) * (a + 2.0L * m)),
                          odd = -(a + m) * (a + b + m) * x / ((a + 2.0L * m) * (a + 2.0L * m + 1.0L));
        d = 1.0L / away_from_zero(1.0L + even * d);
        c = away_from_zero(1.0L + even / c);
        h *= d * c;
        d = 1.0L / away_from_zero(1.0L + odd * d);
        c = away_from_zero(1.0L + odd / c);
        h *= d * c;
        if (fabsl(d * c - 1.0L) < ENOUGH) break;
    }
    return h;
}

/* I_x(a, b). */
static long double beta(long double a, long double b, long double x)
{
    if (x <= 0.0L || x >= 1.0L) return x <= 0.0L ? 0.0L : 1.0L;
    const long double front = expl(lgammal(a + b) - lgammal(a) - lgammal(b) + a * logl(x) + b * log1pl(-x));
    if (x < (a + 1.0L) / (a + b + 2.0L)) return front * fraction(a, b, x) / a;
    return 1.0L - front * fraction(b, a, 1.0L - x) / b;
}

/* Of both tails. */
static double beyond(double t, double df)
{
    const long double square = (long double)t * t;
    return (double)beta(df / 2.0L, 0.5L, df / (df + square));
}

/* The t beyond which lies the share p of both tails. */
static double quantile(double p, double df)
{
    double low = 0.0, high = 1.0;
    while (beyond(high, df) > p && high < 1e300) high *= 2.0;
    for (int i = 0; i < MOST_HALVINGS && low < high; i++) {
        const double middle = low + (high - low) / 2.0;
        if (middle <= low || middle >= high) break;
        if (beyond(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return high;
}

struct bt_welch bt_welch_test(const struct bt_sample *a, const struct bt_sample *b)
{
    const double nan = (double)NAN;
    struct bt_welch w = {.difference = a->mean - b->mean, .error = nan, .t = nan, .df = nan, .p = nan};
    if (a->n < 2 || b->n < 2) return w;
    const double u = a->sd * a->sd / (double)a->n, v = b->sd * b->sd / (double)b->n, error = sqrt(u + v);
    if (!(error > 0.0) || isnan(w.difference)) return w; /* no spread: no seed tells anything */
    w.error = error;
    w.t = w.difference / error;
    w.df = (u + v) * (u + v) / (u * u / (double)(a->n - 1) + v * v / (double)(b->n - 1));
    w.p = beyond(w.t, w.df);
    return w;
}

double bt_welch_margin(const struct bt_welch *w)
{
    return isnan(w->p) ? (double)NAN : quantile(0.05, w->df) * w->error;
}
