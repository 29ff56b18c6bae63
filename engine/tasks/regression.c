/* Regression: a number for a text or a pair of texts (mean squared error, as transformers' problem_type "regression"). */
#include "metrics/numbers.h"
#include "tasks/aim.h"
#include "tasks/inputs.h"
#include "tasks/task.h"
#include <bertty/num.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    *which = BT_OPTION_train_label_smoothing_factor;
    *what = "regression has no labels to smooth, expected 0";
    return x->train_label_smoothing_factor <= 0.0 && bt__check_columns(x, which, what);
}

/* ── gold ── */

static enum bt_status number_of(const struct bt__task_data *d, const struct bt_example *e, double *to,
                                struct bt_error *err)
{
    if (e->label && bt_parse_double(e->label, to) && isfinite(*to)) return BT_OK;
    return bt_fail(err, BT_INVALID, "%s:%zu: label \"%.60s\", expected a finite number", bt__task_file(d, e),
                   e->line, e->label ? e->label : "");
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    enum bt_status st = bt__task_inputs(t, d, pool, err);
    if (st || !gold) return st;
    double *to = calloc(d->n + 1, sizeof *to);
    if (!to) return bt_fail(err, BT_NOMEM, "no memory for %zu labels", d->n);
    d->gold = to;
    for (size_t i = 0; i < d->n && !st; i++) st = number_of(d, bt__task_example(d, i), &to[i], err);
    return st;
}

static double gold_of(const struct bt__task_data *d, size_t e)
{
    return ((const double *)d->gold)[e];
}

static double value_of(const struct bt__task_data *d, const struct bt__logits *l, size_t e)
{
    return bt__task_mean(d, l, e, 0);
}

/* ── loss and figures ── */

static double loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits)
{
    double off = (double)logits[0] - gold_of(d, bt__task_example_of(d, i));
    (void)t;
    if (dlogits) dlogits[0] = (float)(2.0 * scale * off);
    return off * off;
}

static enum bt_status metrics(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    double *value = calloc(d->n + 1, sizeof *value);
    (void)t;
    if (!value) return bt_fail(err, BT_NOMEM, "no memory for %zu numbers", d->n);
    for (size_t e = 0; e < d->n; e++) value[e] = value_of(d, l, e);
    const struct bt__number_results r = {.n = d->n, .gold = d->gold, .predicted = value};
    enum bt_status st = bt__number_metrics(&r, out, err);
    free(value);
    return st;
}

/* ── answers ── */

static void put_number(struct bt_json_writer *w, const char *text_key, const char *number_key, double v)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", v);
    bt_jw_ktext(w, text_key, text);
    bt_jw_knum(w, number_key, v);
}

static enum bt_status row(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err)
{
    double value = value_of(d, l, e);
    (void)t;
    (void)err;
    if (d->gold) put_number(w, "gold", "gold_value", gold_of(d, e));
    put_number(w, "prediction", "value", value);
    if (d->gold) bt_jw_knum(w, "loss", (value - gold_of(d, e)) * (value - gold_of(d, e)));
    return BT_OK;
}

static enum bt_status answer(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err)
{
    struct bt_answer *a = bt__answers_add(out);
    (void)t;
    if (!a) return bt_fail(err, BT_NOMEM, "no memory for an answer");
    *a = (struct bt_answer){.score = value_of(d, l, e), .chosen = true};
    return BT_OK;
}

static enum bt_status aim(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, const struct bt__aim_wish *wish, struct bt__aim *out,
                          struct bt_error *err)
{
    (void)t;
    enum bt_status st = bt__aim_no_word(wish, err);
    if (!st) st = bt__aim_no_target(wish, "gives one number", err);
    if (st) return st;
    bt__aim_output(d, l, e, 0, out);
    out->norm = BT__NORM_NONE;
    bt_str_add(&out->name, "the number");
    return BT_OK;
}

const struct bt__task_ops bt__task_regression = {
    .name = "regression",
    .about = "a number for a text or a pair of texts",
    .examples = BT_EXAMPLE_TEXT,
    .family = BT__METRICS_numbers,
    .architecture = "BertForSequenceClassification",
    .problem_type = "regression",
    .check = check,
    .learn = bt__nameless_learn,
    .head = bt__nameless_head,
    .build = build,
    .loss = loss,
    .metrics = metrics,
    .row = row,
    .answer = answer,
    .aim = aim,
};
