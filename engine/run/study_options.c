/* What a study's trials tell about each option. */
#include "experiment/value.h"
#include "metrics/numbers.h"
#include "run/study_parts.h"

#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *bt_trial_value(const struct bt_trial *t, const struct bt_option *o)
{
    const size_t n = strlen(o->key);
    for (size_t i = 0; i < t->set.n; i++)
        if (strncmp(t->set.item[i], o->key, n) == 0 && t->set.item[i][n] == '=')
            return t->set.item[i] + n + 1;
    return NULL;
}

void bt_study_options_free(struct bt_study_option *o, size_t n)
{
    for (size_t i = 0; i < n; i++) free(o[i].value);
    free(o);
}

/* ── which ── */

static enum bt_status collect(const struct bt_study *s, struct bt_study_option **out, size_t *n,
                              struct bt_error *err)
{
    bool seen[BT_OPTIONS] = {false};
    *out = calloc(BT_OPTIONS, sizeof **out);
    *n = 0;
    if (!*out) return bt_fail(err, BT_NOMEM, "no memory for a study");
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < s->trial[i].set.n; k++) {
            const struct bt_option *o = bt__setting_option(s->trial[i].set.item[k], NULL);
            if (!o || seen[bt_option_index(o)]) continue;
            seen[bt_option_index(o)] = true;
            (*out)[(*n)++] = (struct bt_study_option){.option = o, .spearman = (double)NAN};
        }
    }
    return BT_OK;
}

/* ── means ── */

static struct bt_study_value *value_of(struct bt_study_option *o, const char *text)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->value[i].text, text) == 0) return &o->value[i];
    o->value[o->n] = (struct bt_study_value){.text = text, .best = (double)NAN};
    return &o->value[o->n++];
}

static int by_number(const void *a, const void *b)
{
    const struct bt_study_value *x = a, *y = b;
    double p = 0.0, q = 0.0;
    bt_parse_double(x->text, &p);
    bt_parse_double(y->text, &q);
    return (p > q) - (p < q);
}

static bool numbers(const struct bt_study_option *o)
{
    double v;
    for (size_t i = 0; i < o->n; i++)
        if (!bt_parse_double(o->value[i].text, &v)) return false;
    return o->n > 0;
}

static void add_means(const struct bt_study *s, struct bt_study_option *o)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct bt_trial *t = &s->trial[i];
        const char *text = bt_trial_value(t, o->option);
        if (!text || isnan(t->best)) continue;
        struct bt_study_value *v = value_of(o, text);
        double off = t->best - v->mean;
        v->mean += off / (double)++v->n;
        v->sd += off * (t->best - v->mean); /* Welford's sum of squares, until the end */
        if (bt_study_better(s, t->best, v->best)) v->best = t->best;
    }
    for (size_t i = 0; i < o->n; i++)
        o->value[i].sd = o->value[i].n > 1 ? sqrt(o->value[i].sd / (double)(o->value[i].n - 1)) : (double)NAN;
    if (numbers(o)) qsort(o->value, o->n, sizeof *o->value, by_number);
}

/* ── correlation ── */

static enum bt_status correlate(const struct bt_study *s, struct bt_study_option *o, struct bt_error *err)
{
    struct bt_metrics m = {.n = 0};
    size_t n = 0;
    if (o->n < 3 || !numbers(o)) return BT_OK;
    double *x = calloc(2 * s->n + 1, sizeof *x);
    if (!x) return bt_fail(err, BT_NOMEM, "no memory for a study");
    for (size_t i = 0; i < s->n; i++) {
        const char *text = bt_trial_value(&s->trial[i], o->option);
        if (!text || isnan(s->trial[i].best) || !bt_parse_double(text, &x[n])) continue;
        x[s->n + n++] = s->trial[i].best;
    }
    const struct bt__number_results r = {.n = n, .gold = x, .predicted = x + s->n};
    enum bt_status st = bt__number_metrics(&r, &m, err);
    free(x);
    o->spearman = st ? (double)NAN : bt_metrics_get(&m, "spearman");
    return st;
}

enum bt_status bt_study_options(const struct bt_study *s, struct bt_study_option **out, size_t *n,
                                struct bt_error *err)
{
    enum bt_status st = collect(s, out, n, err);
    for (size_t i = 0; i < *n && !st; i++) {
        struct bt_study_option *o = &(*out)[i];
        o->value = calloc(s->n + 1, sizeof *o->value);
        if (!o->value) st = bt_fail(err, BT_NOMEM, "no memory for a study");
        if (!st) add_means(s, o);
        if (!st) st = correlate(s, o, err);
    }
    if (!st) return BT_OK;
    bt_study_options_free(*out, *n);
    *out = NULL;
    *n = 0;
    return st;
}
