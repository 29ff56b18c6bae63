/* Which trials go on: successive halving and the median rule, over what a study knows. Nothing is read or written here. */
#include "run/study_parts.h"

#include <math.h>
#include <stdlib.h>

bool bt_study_better(const struct bt_study *s, double a, double b)
{
    if (isnan(a) || isnan(b)) return !isnan(a);
    return s->greater_is_better ? a > b : a < b;
}

const struct bt_trial *bt_study_best(const struct bt_study *s)
{
    const struct bt_trial *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (isnan(s->trial[i].best)) continue;
        if (!best || bt_study_better(s, s->trial[i].best, best->best)) best = &s->trial[i];
    }
    return best;
}

bool bt_study_spent(const struct bt_study *s)
{
    return (s->max_tokens && s->tokens >= s->max_tokens) ||
           (s->max_seconds > 0.0 && s->seconds >= s->max_seconds);
}

/* ── successive halving ── */

double bt__rung_share(const struct bt_study *s, int r)
{
    return pow((double)s->reduction_factor, (double)(r - s->rungs));
}

int bt__rung_of(const struct bt_study *s, int64_t step, int64_t total)
{
    int r = (int)s->rungs - 1;
    while (r >= 0 && (double)step < bt__rung_share(s, r) * (double)total) r--;
    return r;
}

/* What trial i had at rung r, or at the first one above that it reached by then. */
static bool at_rung(const struct bt_study *s, size_t i, int r, double *value)
{
    for (size_t k = 0; k < s->n_reports; k++) {
        const struct bt_trial_report *p = &s->report[k];
        if (p->trial != i || !p->evaluated || (p->rung < r && p->step < p->total)) continue;
        *value = p->value;
        return true;
    }
    *value = (double)NAN;
    return s->trial[i].state == BT_TRIAL_FAILED;
}

bool bt__among_best(const struct bt_study *s, size_t i, int r)
{
    double mine, value;
    size_t n = 1, better = 0;
    if (!at_rung(s, i, r, &mine) || isnan(mine)) return false;
    for (size_t k = 0; k < s->n; k++) {
        if (k == i || !at_rung(s, k, r, &value)) continue;
        n++;
        /* of equals the first goes on */
        better += bt_study_better(s, value, mine) || (k < i && !bt_study_better(s, mine, value));
    }
    return better < n / (size_t)s->reduction_factor;
}

ptrdiff_t bt__promotable(const struct bt_study *s)
{
    ptrdiff_t best = -1;
    if (s->stopping != BT_SWEEP_ASHA) return -1;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_trial *t = &s->trial[i], *b = best >= 0 ? &s->trial[best] : NULL;
        if (t->state != BT_TRIAL_WAITING || t->rung < 0) continue;
        if (!t->promoted && !bt__among_best(s, i, t->rung)) continue;
        if (!b || t->rung > b->rung || (t->rung == b->rung && bt_study_better(s, t->value, b->value)))
            best = (ptrdiff_t)i;
    }
    return best;
}

/* ── the median ── */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double share(const struct bt_trial_report *r)
{
    return r->total > 0 ? (double)r->step / (double)r->total : 0.0;
}

/* The mean of what a trial had up to a share of its steps; false: it has not come as far, or has no figures. */
static bool running_mean(const struct bt_study *s, size_t trial, double until, double *mean)
{
    double sum = 0.0, reached = 0.0;
    size_t n = 0;
    for (size_t i = 0; i < s->n_reports; i++) {
        const struct bt_trial_report *r = &s->report[i];
        if (r->trial != trial || !r->evaluated) continue;
        reached = fmax(reached, share(r));
        if (share(r) > until + 1e-9 || isnan(r->value)) continue;
        sum += r->value;
        n++;
    }
    *mean = n ? sum / (double)n : (double)NAN;
    return n > 0 && reached + 1e-9 >= until;
}

bool bt__below_median(const struct bt_study *s, size_t i)
{
    const struct bt_trial *t = &s->trial[i];
    const double until = t->total > 0 ? (double)t->step / (double)t->total : 0.0;
    size_t n = 0;
    if (until < s->warmup_fraction || t->step >= t->total) return false;
    double *means = calloc(s->n + 1, sizeof *means);
    if (!means) return false; /* then it goes on */
    for (size_t k = 0; k < s->n; k++)
        if (k != i && running_mean(s, k, until, &means[n])) n++;
    qsort(means, n, sizeof *means, ascending);
    double median = n ? (means[(n - 1) / 2] + means[n / 2]) / 2.0 : (double)NAN;
    free(means);
    return n >= (size_t)s->startup_trials && bt_study_better(s, median, t->best);
}

/* ── the end ── */

bool bt_study_done(const struct bt_study *s)
{
    for (size_t i = 0; i < s->n; i++) {
        enum bt_trial_state st = s->trial[i].state;
        if (st == BT_TRIAL_QUEUED || st == BT_TRIAL_RUNNING) return false;
        if ((st == BT_TRIAL_PLANNED || st == BT_TRIAL_LOST) && !bt_study_spent(s)) return false;
    }
    return bt_study_spent(s) || bt__promotable(s) < 0;
}

const char *bt_study_standing(const struct bt_study *s)
{
    bool running = false;
    for (size_t i = 0; i < s->n; i++) running |= s->trial[i].state == BT_TRIAL_RUNNING;
    if (s->held) return "paused";
    if (bt_study_done(s)) return bt_study_spent(s) ? "budget used up" : "done";
    return running ? "running" : "waiting";
}
