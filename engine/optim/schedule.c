#include "optim/schedule.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

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
    return larger(0.0, 0.5 * (1.0 + cos(PI * progress(s, step))));
}

static double cosine_with_restarts(const struct bt__schedule *s, int64_t step)
{
    double way = progress(s, step);
    if (way >= 1.0) return 0.0;
    return larger(0.0, 0.5 * (1.0 + cos(PI * fmod((double)s->cycles * way, 1.0))));
}

static double polynomial(const struct bt__schedule *s, int64_t step)
{
    if (step > s->total || s->base <= s->end) return s->base > 0.0 ? s->end / s->base : 0.0;
    return ((s->base - s->end) * pow(larger(0.0, 1.0 - progress(s, step)), s->power) + s->end) / s->base;
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

static double reduced(const struct bt__schedule *s, int64_t step)
{
    (void)step;
    return s->reduced > 0.0 ? s->reduced : 1.0;
}

double bt__schedule_factor(const struct bt__schedule *s, int64_t step)
{
    static const struct {
        double (*after)(const struct bt__schedule *s, int64_t step); /* the warm-up */
        bool warms_up;
    } kinds[] = {[BT__SCHEDULE_LINEAR] = {.after = linear, .warms_up = true},
                 [BT__SCHEDULE_COSINE] = {.after = cosine, .warms_up = true},
                 [BT__SCHEDULE_COSINE_WITH_RESTARTS] = {.after = cosine_with_restarts, .warms_up = true},
                 [BT__SCHEDULE_POLYNOMIAL] = {.after = polynomial, .warms_up = true},
                 [BT__SCHEDULE_CONSTANT] = {.after = constant, .warms_up = false},
                 [BT__SCHEDULE_CONSTANT_WITH_WARMUP] = {.after = constant, .warms_up = true},
                 [BT__SCHEDULE_INVERSE_SQRT] = {.after = inverse_sqrt, .warms_up = true},
                 [BT__SCHEDULE_REDUCE_LR_ON_PLATEAU] = {.after = reduced, .warms_up = false}};
    if (step < s->warmup && kinds[s->kind].warms_up) return (double)step / larger(1.0, (double)s->warmup);
    return kinds[s->kind].after(s, step);
}

static bool better(const struct bt__plateau *p, const struct bt__plateau_rule *rule, double figure)
{
    const double threshold = 1e-4; /* relative */
    if (!p->any) return !isnan(figure);
    return rule->greater ? figure > p->best * (1.0 + threshold) : figure < p->best * (1.0 - threshold);
}

bool bt__plateau_step(struct bt__plateau *p, const struct bt__plateau_rule *rule, double figure)
{
    const double least = 1e-8;
    if (!(p->factor > 0.0)) p->factor = 1.0;
    if (better(p, rule, figure)) {
        *p = (struct bt__plateau){.any = true, .best = figure, .factor = p->factor};
        return false;
    }
    if (++p->stale <= rule->patience) return false;
    p->stale = 0;
    if (rule->base * p->factor * (1.0 - rule->factor) <= least) return false;
    p->factor *= rule->factor;
    return true;
}
