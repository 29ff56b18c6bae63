#include "optim/schedule.h"

#include <math.h>

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Share of the way from the end of the warm-up to the end. */
static double progress(const struct bt__schedule *s, int64_t step)
{
    return (double)(step - s->warmup) / larger(1.0, (double)(s->total - s->warmup));
}

static double linear(const struct bt__schedule *s, int64_t step)
{
    return larger(0.0, 1.0 - progress(s, step));
}

static double cosine(const struct bt__schedule *s, int64_t step)
{
    return larger(0.0, 0.5 * (1.0 + cos(3.14159265358979323846 * progress(s, step))));
}

static double polynomial(const struct bt__schedule *s, int64_t step)
{
    const double end = 1e-7;
    if (step > s->total || s->base <= end) return s->base > 0.0 ? end / s->base : 0.0;
    return ((s->base - end) * (1.0 - progress(s, step)) + end) / s->base;
}

static double constant(const struct bt__schedule *s, int64_t step)
{
    (void)s;
    (void)step;
    return 1.0;
}

static double inverse_sqrt(const struct bt__schedule *s, int64_t step)
{
    double scale = s->warmup > 0 ? (double)s->warmup : 10000.0;
    return 1.0 / sqrt(((double)step + scale - (double)s->warmup) / scale);
}

double bt__schedule_factor(const struct bt__schedule *s, int64_t step)
{
    static double (*const after[])(const struct bt__schedule *,
                                   int64_t) = {[BT__SCHEDULE_LINEAR] = linear,
                                               [BT__SCHEDULE_COSINE] = cosine,
                                               [BT__SCHEDULE_POLYNOMIAL] = polynomial,
                                               [BT__SCHEDULE_CONSTANT] = constant,
                                               [BT__SCHEDULE_CONSTANT_WITH_WARMUP] = constant,
                                               [BT__SCHEDULE_INVERSE_SQRT] = inverse_sqrt};
    if (step < s->warmup && s->kind != BT__SCHEDULE_CONSTANT)
        return (double)step / larger(1.0, (double)s->warmup);
    return after[s->kind](s, step);
}
