#include "base/rng.h"
#include "explain/tally.h"

#include <bertty/bootstrap.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── the draws ── */

struct drawing {
    struct bt__tally side[2];
    size_t n;
    uint32_t *weight;                         /* [n] how often each row was drawn */
    double *difference[BT_BOOTSTRAP_METRICS]; /* [BT_BOOTSTRAP_DRAWS], of the draws that have one */
};

static void draw(struct drawing *d, uint64_t which)
{
    struct bt__rng r = bt__rng_key(BT_BOOTSTRAP_SEED, BT__STREAM_BOOTSTRAP, which);
    memset(d->weight, 0, d->n * sizeof *d->weight);
    for (size_t j = 0; j < d->n; j++) d->weight[((uint64_t)bt__rng_u32(r, (uint32_t)j) * d->n) >> 32]++;
}

static void choose(struct drawing *d)
{
    bt__tally_choose(&d->side[0], d->weight);
    bt__tally_choose(&d->side[1], d->weight);
}

static void keep(struct drawing *d, const struct bt_bootstrap *b, size_t *draws)
{
    for (size_t k = 0; k < b->n; k++) {
        double x =
            bt__tally_value(&d->side[1], b->metric[k].name) - bt__tally_value(&d->side[0], b->metric[k].name);
        if (!isnan(x)) d->difference[k][draws[k]++] = x;
    }
}

/* ── what follows from them ── */

static int lower_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* numpy.quantile's linear interpolation. */
static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    double share = at - (double)i;
    if (i + 1 >= n) return sorted[n - 1];
    return sorted[i] + share * (sorted[i + 1] - sorted[i]);
}

static void judge(struct bt_bootstrap_metric *m, double *difference, size_t n)
{
    size_t low = 0, high = 0;
    m->draws = n;
    m->low = m->high = m->p = (double)NAN;
    if (!n) return;
    qsort(difference, n, sizeof *difference, lower_first);
    for (size_t i = 0; i < n; i++) {
        low += difference[i] <= 0.0;
        high += difference[i] >= 0.0;
    }
    m->low = quantile(difference, n, 0.025);
    m->high = quantile(difference, n, 0.975);
    m->p = fmin(1.0, 2.0 * (double)(1 + (low < high ? low : high)) / (double)(1 + n));
}

/* ── all of it ── */

/* The metrics on all rows, as they are. */
static void measure(struct drawing *d, struct bt_bootstrap *out)
{
    const char *const *name = bt__tally_metrics(&d->side[0]);
    for (size_t i = 0; i < d->n; i++) d->weight[i] = 1;
    choose(d);
    for (; name[out->n]; out->n++) {
        struct bt_bootstrap_metric *m = &out->metric[out->n];
        *m = (struct bt_bootstrap_metric){.name = name[out->n],
                                          .higher_is_better =
                                              bt__tally_greater_is_better(&d->side[0], name[out->n]),
                                          .first = bt__tally_value(&d->side[0], name[out->n]),
                                          .second = bt__tally_value(&d->side[1], name[out->n])};
        m->difference = m->second - m->first;
    }
}

static enum bt_status open_drawing(const struct bt_pairing *p, struct drawing *d, struct bt_error *err)
{
    bool good = (d->weight = calloc(p->n, sizeof *d->weight)) != NULL;
    d->n = p->n;
    for (int k = 0; good && k < BT_BOOTSTRAP_METRICS; k++)
        good = (d->difference[k] = calloc(BT_BOOTSTRAP_DRAWS, sizeof **d->difference)) != NULL;
    if (!good) return bt_fail(err, BT_NOMEM, "no memory for the bootstrap of %zu rows", p->n);
    enum bt_status status = bt__tally_make(p, 0, &d->side[0], err);
    return status ? status : bt__tally_make(p, 1, &d->side[1], err);
}

static void close_drawing(struct drawing *d)
{
    bt__tally_free(&d->side[0]);
    bt__tally_free(&d->side[1]);
    free(d->weight);
    for (int k = 0; k < BT_BOOTSTRAP_METRICS; k++) free(d->difference[k]);
}

enum bt_status bt_bootstrap_make(const struct bt_pairing *p, const atomic_bool *cancel,
                                 struct bt_bootstrap *out, struct bt_error *err)
{
    struct drawing d = {.n = 0};
    size_t draws[BT_BOOTSTRAP_METRICS] = {0};
    *out = (struct bt_bootstrap){.n = 0};
    if (p->n == 0 || p->n > UINT32_MAX) return BT_OK;
    enum bt_status status = open_drawing(p, &d, err);
    if (status == BT_OK) measure(&d, out);
    for (uint64_t b = 0; b < BT_BOOTSTRAP_DRAWS && status == BT_OK; b++) {
        if (cancel && atomic_load(cancel)) status = bt_fail(err, BT_CANCELLED, "interrupted");
        draw(&d, b);
        choose(&d);
        keep(&d, out, draws);
    }
    for (size_t k = 0; k < out->n && status == BT_OK; k++) judge(&out->metric[k], d.difference[k], draws[k]);
    close_drawing(&d);
    return status;
}
