/* A sweep around one trial: half-way to its neighbours on either side. */
#include "run/study_parts.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

struct finer {
    const struct bt_study *s;
    const struct bt_trial *t;
    struct bt_str *base;   /* the experiment */
    struct bt_str options; /* what is tried, below `options:` */
    size_t axes;
    struct bt_error *err;
};

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The different numbers that the trials have for an option, ascending; 0: not all of them are numbers. v has room for s->n. */
static size_t numbers_of(const struct bt_study *s, const struct bt_option *o, double *v)
{
    size_t n = 0, kept = 0;
    if (o->kind != BT_OPTION_INT && o->kind != BT_OPTION_REAL) return 0;
    for (size_t i = 0; i < s->n; i++) {
        const char *text = bt_trial_value(&s->trial[i], o);
        if (text && !bt_parse_double(text, &v[n])) return 0;
        n += text != NULL;
    }
    qsort(v, n, sizeof *v, ascending);
    for (size_t i = 0; i < n; i++)
        if (!kept || v[i] > v[kept - 1]) v[kept++] = v[i];
    return kept;
}

struct span {
    double low, high;
};

/* Half-way to the neighbours; at an end as far as on the other side. Tenfold or more apart, the distances are ratios. */
static struct span around(const double *v, size_t n, double here, const struct bt_option *o)
{
    size_t at = 0;
    while (at + 1 < n && v[at] < here) at++;
    const bool log = v[0] > 0.0 && v[n - 1] >= 10.0 * v[0];
    const double below = v[at ? at - 1 : 0], above = v[at + 1 < n ? at + 1 : n - 1];
    struct span s;
    if (log) {
        s.low = at ? sqrt(below * here) : here / sqrt(above / here);
        s.high = at + 1 < n ? sqrt(above * here) : here * sqrt(here / below);
    } else {
        s.low = at ? (below + here) / 2 : here - (above - here) / 2;
        s.high = at + 1 < n ? (above + here) / 2 : here + (here - below) / 2;
    }
    s.low = fmax(s.low, o->low);
    s.high = fmin(s.high, o->high);
    if (o->kind == BT_OPTION_INT) {
        s.low = ceil(s.low);
        s.high = floor(s.high);
    }
    return s;
}

static void add_number(struct bt_str *out, double v, bool whole)
{
    char text[BT_NUMBER_SIZE];
    snprintf(text, sizeof text, "%.4g", v);
    if (whole || !bt_parse_double(text, &v)) snprintf(text, sizeof text, "%.0f", v);
    bt_str_add(out, whole ? text : bt_format_double(v, text));
}

static enum bt_status fix(struct finer *f, const struct bt_option *o, const char *value)
{
    return bt_experiment_edit(f->base, o->key, value, f->err);
}

static enum bt_status add_option(struct finer *f, const struct bt_option *o)
{
    double here = 0.0, *v = calloc(f->s->n + 1, sizeof *v);
    const char *value = bt_trial_value(f->t, o);
    if (!v) return bt_fail(f->err, BT_NOMEM, "no memory for a sweep");
    size_t n = numbers_of(f->s, o, v);
    bool fine = value && n > 1 && bt_parse_double(value, &here);
    struct span s = fine ? around(v, n, here, o) : (struct span){.low = 0};
    free(v);
    if (!value) return BT_OK;
    if (!fine || !(s.low < s.high)) return fix(f, o, value);
    const bool whole = o->kind == BT_OPTION_INT;
    bt_str_addf(&f->options, "    %s: [", o->key);
    if (s.low < here) {
        add_number(&f->options, s.low, whole);
        bt_str_add(&f->options, ", ");
    }
    bt_str_add(&f->options, value);
    if (s.high > here) {
        bt_str_add(&f->options, ", ");
        add_number(&f->options, s.high, whole);
    }
    bt_str_add(&f->options, "]\n");
    f->axes++;
    return BT_OK;
}

/* Every seed of the study, again. */
static void add_seeds(const struct bt_study *s, struct bt_str *out)
{
    const struct bt_option *o = &bt_options(NULL)[BT_OPTION_train_seed];
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        const char *seed = bt_trial_value(&s->trial[i], o);
        bool known = !seed;
        for (size_t k = 0; k < i && !known; k++) {
            const char *other = bt_trial_value(&s->trial[k], o);
            known = other && strcmp(other, seed) == 0;
        }
        if (known) continue;
        bt_str_addf(out, "%s%s", any ? ", " : "  seeds: [", seed);
        any = true;
    }
    if (any) bt_str_add(out, "]\n");
}

static void add_sweep(const struct finer *f, struct bt_str *out)
{
    const struct bt_study *s = f->s;
    bt_str_add(out, "\nsweep:\n  search: grid\n  options:\n");
    bt_str_add(out, bt_str_text(&f->options));
    add_seeds(s, out);
    bt_str_addf(out, "  metric: %s\n  stopping: %s\n", s->metric, bt_sweep_stopping_name(s->stopping));
    if (s->stopping == BT_SWEEP_ASHA)
        bt_str_addf(out, "  reduction_factor: %lld\n  rungs: %lld\n", (long long)s->reduction_factor,
                    (long long)s->rungs);
    if (s->stopping != BT_SWEEP_MEDIAN) return;
    char warmup[BT_NUMBER_SIZE];
    bt_str_addf(out, "  startup_trials: %lld\n  warmup_fraction: %s\n", (long long)s->startup_trials,
                bt_format_double(s->warmup_fraction, warmup));
}

static enum bt_status read_base(const struct bt_study *s, struct bt_str *out, struct bt_error *err)
{
    char *path = bt__study_path(s->runs_dir, s->name, "experiment.yaml"), *text = NULL;
    size_t n = 0;
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a sweep");
    enum bt_status st = bt_file_read(path, MAX_FILE, &text, &n, err);
    if (!st) bt_str_addn(out, text, n);
    free(text);
    free(path);
    return st;
}

enum bt_status bt_study_finer(const struct bt_study *s, size_t trial, struct bt_str *out,
                              struct bt_error *err)
{
    struct finer f = {.s = s, .t = &s->trial[trial], .base = out, .err = err};
    struct bt_study_option *o = NULL;
    size_t n = 0;
    enum bt_status st = read_base(s, out, err);
    if (!st) st = bt_study_options(s, &o, &n, err);
    for (size_t i = 0; i < n && !st; i++)
        if (bt_option_index(o[i].option) != BT_OPTION_train_seed) st = add_option(&f, o[i].option);
    if (!st && !f.axes)
        st = bt_fail(err, BT_INVALID,
                     "study %s: no option has two numbers or more: there is nothing between them", s->name);
    if (!st) add_sweep(&f, out);
    if (!st && out->failed) st = bt_fail(err, BT_NOMEM, "no memory for a sweep");
    bt_study_options_free(o, n);
    bt_str_free(&f.options);
    return st;
}
