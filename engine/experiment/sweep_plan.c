/* From what a sweep may take to what its trials take. */
#include <bertty/sweep.h>

#include "base/rng.h"
#include "experiment/value.h"
#include <bertty/num.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 100 }; /* so many for each trial, then there are no further combinations */

struct making {
    const struct bt_sweep *s;
    struct bt_sweep_plan *plan;
    struct bt_experiment *scratch; /* writes the values */
    struct bt_error *err;
};

void bt_sweep_plan_clear(struct bt_sweep_plan *p)
{
    for (size_t i = 0; i < p->n; i++) bt__list_free(&p->trial[i]);
    free(p->trial);
    *p = (struct bt_sweep_plan){.n = 0};
}

/* ── values ── */

/* share 0 … 1 of a range. Four digits are enough for a hyperparameter, and are what a person can read. */
static double in_range(const struct bt_sweep_axis *a, double share)
{
    char text[32];
    double v = a->log ? a->low * pow(a->high / a->low, share) : a->low + (a->high - a->low) * share;
    if (a->option->kind == BT_OPTION_INT) v = floor(v + 0.5);
    snprintf(text, sizeof text, "%.4g", v);
    if (a->option->kind == BT_OPTION_REAL) bt_parse_double(text, &v);
    return v < a->low ? a->low : v > a->high ? a->high : v;
}

static enum bt_status add_setting(struct making *m, const struct bt_option *o, const char *value,
                                  struct bt_string_list *to)
{
    char *text = bt_strfmt("%s=%s", o->key, value);
    enum bt_status st =
        text ? bt__list_add(to, text, m->err) : bt_fail(m->err, BT_NOMEM, "no memory for a sweep");
    free(text);
    return st;
}

static enum bt_status add_number(struct making *m, const struct bt_sweep_axis *a, double v,
                                 struct bt_string_list *to)
{
    char number[BT_NUMBER_SIZE];
    struct bt_str text = {0};
    if (a->option->kind == BT_OPTION_INT)
        snprintf(number, sizeof number, "%lld", (long long)v);
    else
        bt_format_double(v, number);
    enum bt_status st = bt_experiment_set(m->scratch, a->option->key, number, m->err);
    if (!st) bt_experiment_get(m->scratch, a->option, &text);
    if (!st) st = add_setting(m, a->option, bt_str_text(&text), to);
    bt_str_free(&text);
    return st;
}

/* Value i of what a grid's axis takes. */
static enum bt_status add_at(struct making *m, const struct bt_sweep_axis *a, size_t i,
                             struct bt_string_list *to)
{
    if (a->value.n) return add_setting(m, a->option, a->value.item[i], to);
    return add_number(m, a, in_range(a, (double)i / (double)(a->steps - 1)), to);
}

/* uniform: 0 ≤ u < 1. */
static enum bt_status add_drawn(struct making *m, const struct bt_sweep_axis *a, double u,
                                struct bt_string_list *to)
{
    if (a->value.n) return add_setting(m, a->option, a->value.item[(size_t)(u * (double)a->value.n)], to);
    return add_number(m, a, in_range(a, u), to);
}

/* ── trials ── */

static bool planned(const struct bt_sweep_plan *p, const struct bt_string_list *set)
{
    for (size_t i = 0; i < p->n; i++)
        if (bt__list_same(&p->trial[i], set)) return true;
    return false;
}

/* Takes over set; one that is planned already is dropped. */
static enum bt_status add_trial(struct making *m, struct bt_string_list *set)
{
    struct bt_sweep_plan *p = m->plan;
    enum bt_status st = BT_OK;
    if (planned(p, set)) {
        bt__list_free(set);
        return BT_OK;
    }
    if (p->n == BT_SWEEP_MOST) st = bt_fail(m->err, BT_INVALID, "sweep: more than %d trials", BT_SWEEP_MOST);
    struct bt_string_list *more = st ? NULL : realloc(p->trial, (p->n + 1) * sizeof *more);
    if (!st && !more) st = bt_fail(m->err, BT_NOMEM, "no memory for a sweep");
    if (st) {
        bt__list_free(set);
        return st;
    }
    p->trial = more;
    more[p->n++] = *set;
    return BT_OK;
}

/* The same settings with each seed. */
static enum bt_status add_seeds(struct making *m, const struct bt_string_list *set)
{
    const struct bt_string_list *seed = &m->s->seed;
    enum bt_status st = BT_OK;
    for (size_t k = 0; k < (seed->n ? seed->n : 1) && !st; k++) {
        struct bt_string_list one = {.n = 0};
        st = bt__list_append(&one, set, m->err);
        if (!st && seed->n) st = add_setting(m, &bt_options(NULL)[BT_OPTION_train_seed], seed->item[k], &one);
        if (st)
            bt__list_free(&one);
        else
            st = add_trial(m, &one);
    }
    return st;
}

static size_t values(const struct bt_sweep_axis *a)
{
    return a->value.n ? a->value.n : (size_t)a->steps;
}

static enum bt_status make_grid(struct making *m)
{
    const struct bt_sweep *s = m->s;
    size_t points = 1;
    for (size_t i = 0; i < s->n && points <= BT_SWEEP_MOST; i++) points *= values(&s->axis[i]);
    if (points > BT_SWEEP_MOST)
        return bt_fail(m->err, BT_INVALID, "sweep: the grid has more than %d points", BT_SWEEP_MOST);
    enum bt_status st = BT_OK;
    for (size_t p = 0; p < points && !st; p++) {
        struct bt_string_list set = {.n = 0};
        size_t below = points;
        for (size_t i = 0; i < s->n && !st; i++) { /* the last axis changes fastest */
            below /= values(&s->axis[i]);
            st = add_at(m, &s->axis[i], p / below % values(&s->axis[i]), &set);
        }
        if (!st) st = add_seeds(m, &set);
        bt__list_free(&set);
    }
    return st;
}

/* Draw k is the same whatever else is asked for: a longer search begins with the shorter one's trials. */
static enum bt_status make_random(struct making *m)
{
    const struct bt_sweep *s = m->s;
    const size_t each = s->seed.n ? s->seed.n : 1, wanted = (size_t)s->trials * each;
    enum bt_status st = BT_OK;
    for (int64_t k = 0; k < s->trials * DRAWS && m->plan->n < wanted && !st; k++) {
        struct bt__rng rng = bt__rng_key((uint64_t)s->draw, BT__STREAM_SWEEP, (uint64_t)k);
        struct bt_string_list set = {.n = 0};
        for (size_t i = 0; i < s->n && !st; i++)
            st = add_drawn(m, &s->axis[i], bt__rng_uniform(rng, (uint32_t)i), &set);
        if (!st) st = add_seeds(m, &set);
        bt__list_free(&set);
    }
    return st;
}

enum bt_status bt_sweep_make_plan(const struct bt_sweep *s, struct bt_sweep_plan *out, struct bt_error *err)
{
    struct making m = {.s = s, .plan = out, .err = err};
    *out = (struct bt_sweep_plan){.n = 0};
    enum bt_status st = bt_experiment_new(&m.scratch, err);
    if (!st) st = s->search == BT_SWEEP_GRID ? make_grid(&m) : make_random(&m);
    bt_experiment_free(m.scratch);
    return st;
}
