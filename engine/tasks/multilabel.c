/* Any number of labels for a text or a pair of texts: a decision for each (binary cross-entropy, as transformers' problem_type
 * "multi_label_classification"). */
#include "metrics/sets.h"
#include "tasks/classes.h"
#include "tasks/inputs.h"
#include "tasks/per_label.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool check(const struct bt_experiment *x, int *which, const char **what)
{
    const bool smooth = x->train_label_smoothing_factor > 0.0;
    const bool bounds = bt__per_label_fits(&x->task_threshold, 0.0, 1.0);
    const bool apart = x->task_label_separator && x->task_label_separator[0];
    *which = smooth    ? BT_OPTION_train_label_smoothing_factor
             : !bounds ? BT_OPTION_task_threshold
                       : BT_OPTION_task_label_separator;
    *what = smooth    ? "multilabel has no smoothing, expected 0"
            : !bounds ? "expected a number from 0 to 1, or LABEL=NUMBER"
                      : "empty, expected what stands between labels";
    return !smooth && bounds && apart && bt__check_columns(x, which, what);
}

/* ── labels and their thresholds ── */

static enum bt_status from_data(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < train->n; i++) n += bt__task_example(train, i)->parts;
    const char **text = calloc(n + 1, sizeof *text);
    size_t *length = calloc(n + 1, sizeof *length);
    for (size_t i = 0; text && length && i < train->n; i++) {
        const struct bt_example *e = bt__task_example(train, i);
        for (uint32_t p = 0; p < e->parts; p++, k++) {
            text[k] = e->part[p].text;
            length[k] = e->part[p].n;
        }
    }
    enum bt_status st = text && length ? bt__labels_from_values(&t->labels, text, length, n, err)
                                       : bt_fail(err, BT_NOMEM, "no memory for the labels");
    free(text);
    free(length);
    if (!st && t->labels.n < 2)
        st = bt_fail(err, BT_INVALID, "%s: %d label%s in all rows, expected at least two", train->files[0],
                     t->labels.n, t->labels.n == 1 ? "" : "s");
    return st;
}

static enum bt_status learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    static const struct bt__per_label how = {
        .option = "task.threshold", .fallback = 0.5, .low = 0.0, .high = 1.0};
    enum bt_status st = t->labels.n ? BT_OK : from_data(t, train, err);
    if (st) return st;
    t->own = calloc((size_t)t->labels.n, sizeof(double));
    if (!t->own) return bt_fail(err, BT_NOMEM, "no memory for %d labels", t->labels.n);
    return bt__per_label_read(&how, &t->x->task_threshold, &t->labels, t->own, err);
}

static void close_task(struct bt__task *t)
{
    free(t->own);
}

/* ── gold ── */

static const bool *gold_of(const struct bt__task *t, const struct bt__task_data *d, size_t e)
{
    return (const bool *)d->gold + e * (size_t)t->labels.n;
}

static enum bt_status set_of(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt_example *e, bool *to, struct bt_error *err)
{
    if (!e->label)
        return bt_fail(err, BT_INVALID, "%s:%zu: no labels, expected a column of them", bt__task_file(d, e),
                       e->line);
    for (uint32_t p = 0; p < e->parts; p++) {
        int one = bt__classes_index(&t->labels, e->part[p].text, e->part[p].n);
        if (one < 0) return bt__classes_unknown(t, d, e, e->part[p].text, e->part[p].n, err);
        to[one] = true;
    }
    return BT_OK;
}

static enum bt_status build(const struct bt__task *t, struct bt__task_data *d, bool gold,
                            struct bt__pool *pool, struct bt_error *err)
{
    enum bt_status st = bt__task_inputs(t, d, pool, err);
    if (st || !gold) return st;
    d->gold = calloc(d->n * (size_t)t->labels.n + 1, sizeof(bool));
    if (!d->gold) return bt_fail(err, BT_NOMEM, "no memory for %zu sets of labels", d->n);
    for (size_t i = 0; i < d->n && !st; i++)
        st = set_of(t, d, bt__task_example(d, i), (bool *)d->gold + i * (size_t)t->labels.n, err);
    return st;
}

static void tally(const struct bt__task *t, const struct bt__task_data *d, int64_t *rows)
{
    for (size_t i = 0; d->gold && i < d->n; i++)
        for (int c = 0; c < t->labels.n; c++) rows[c] += gold_of(t, d, i)[c];
}

/* ── loss ── */

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* −log σ(x) or −log(1 − σ(x)), without overflow. */
static double surprise(double x, bool gold)
{
    return (x > 0.0 ? x : 0.0) - (gold ? x : 0.0) + log1p(exp(-fabs(x)));
}

static double loss(const struct bt__task *t, const struct bt__task_data *d, size_t i, const float *logits,
                   double scale, float *dlogits)
{
    const bool *gold = gold_of(t, d, bt__task_example_of(d, i));
    double sum = 0.0;
    for (int c = 0; c < t->labels.n; c++) {
        double x = (double)logits[c];
        sum += surprise(x, gold[c]);
        if (dlogits) dlogits[c] = (float)(scale * (sigmoid(x) - (gold[c] ? 1.0 : 0.0)) / t->labels.n);
    }
    return sum / t->labels.n;
}

/* p: the geometric mean of what is given to the right decisions. */
static struct bt__verdict judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                const float *logits)
{
    const bool *gold = gold_of(t, d, bt__task_example_of(d, i));
    struct bt__verdict v = {.p_gold = (float)exp(-loss(t, d, i, logits, 1.0, NULL)), .right = true};
    for (int c = 0; c < t->labels.n; c++)
        if ((sigmoid((double)logits[c]) >= ((const double *)t->own)[c]) != gold[c]) v.right = false;
    return v;
}

/* ── figures ── */

static double logit_of(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int c)
{
    return bt__task_mean(d, l, e, c);
}

static double score_of(const struct bt__task_data *d, const struct bt__logits *l, size_t e, int c)
{
    return sigmoid(logit_of(d, l, e, c));
}

static bool chosen(const struct bt__task *t, double score, int c)
{
    return score >= ((const double *)t->own)[c];
}

/* Decisions and probabilities of all examples; the caller frees. */
struct figures {
    bool *predicted;
    float *scores;
    struct bt__set_results r;
};

static void figures_free(struct figures *f)
{
    free(f->predicted);
    free(f->scores);
}

static enum bt_status figures_of(const struct bt__task *t, const struct bt__task_data *d,
                                 const struct bt__logits *l, struct figures *f, struct bt_error *err)
{
    const size_t k = (size_t)t->labels.n;
    *f = (struct figures){.predicted = calloc(d->n * k + 1, sizeof *f->predicted),
                          .scores = calloc(d->n * k + 1, sizeof *f->scores)};
    if (!f->predicted || !f->scores) {
        figures_free(f);
        return bt_fail(err, BT_NOMEM, "no memory for the results of %zu rows", d->n);
    }
    for (size_t i = 0; i < d->n * k; i++) {
        double p = score_of(d, l, i / k, (int)(i % k));
        f->scores[i] = (float)p;
        f->predicted[i] = chosen(t, p, (int)(i % k));
    }
    f->r = (struct bt__set_results){
        .n = d->n, .labels = t->labels.n, .gold = d->gold, .predicted = f->predicted, .scores = f->scores};
    return BT_OK;
}

static enum bt_status metrics(const struct bt__task *t, const struct bt__task_data *d,
                              const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    struct figures f;
    enum bt_status st = figures_of(t, d, l, &f, err);
    if (st) return st;
    st = bt__set_metrics(&f.r, out, err);
    figures_free(&f);
    return st;
}

static bool reserve(struct bt_evaluation_result *r, size_t k)
{
    r->label = calloc(k, sizeof *r->label);
    r->precision = calloc(k, sizeof *r->precision);
    r->recall = calloc(k, sizeof *r->recall);
    r->f1 = calloc(k, sizeof *r->f1);
    r->support = calloc(k, sizeof *r->support);
    return r->label && r->precision && r->recall && r->f1 && r->support;
}

static bool fill_labels(struct bt_evaluation_result *r, const struct bt__labels *names,
                        const struct bt__prf *one)
{
    for (int c = 0; c < names->n; c++) {
        r->precision[c] = one[c].precision;
        r->recall[c] = one[c].recall;
        r->f1[c] = one[c].f1;
        if (!(r->label[c] = bt_strdup(names->name[c]))) return false;
        r->n_labels++;
    }
    return true;
}

static enum bt_status report(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, struct bt_evaluation_result *r, struct bt_error *err)
{
    const size_t k = (size_t)t->labels.n;
    struct figures f;
    struct bt__prf *one = calloc(k, sizeof *one);
    enum bt_status st =
        one ? figures_of(t, d, l, &f, err) : bt_fail(err, BT_NOMEM, "no memory for %zu labels", k);
    if (!st) {
        st = bt__set_classes(&f.r, one, err);
        figures_free(&f);
    }
    if (!st && !(reserve(r, k) && fill_labels(r, &t->labels, one)))
        st = bt_fail(err, BT_NOMEM, "no memory for the results of %zu labels", k);
    if (!st) tally(t, d, r->support);
    free(one);
    return st;
}

/* ── answers ── */

static const char *separator(const struct bt__task *t)
{
    return t->x->task_label_separator ? t->x->task_label_separator : ",";
}

/* "key": "a,b" */
static void put_joined(const struct bt__task *t, const char *key, const bool *in, struct bt_json_writer *w,
                       struct bt_str *text)
{
    bt_str_clear(text);
    for (int c = 0, some = 0; c < t->labels.n; c++)
        if (in[c]) bt_str_addf(text, "%s%s", some++ ? separator(t) : "", t->labels.name[c]);
    bt_jw_ktext(w, key, bt_str_text(text));
}

static void put_list(const struct bt__task *t, const char *key, const bool *in, struct bt_json_writer *w)
{
    bt_jw_key(w, key);
    bt_jw_array(w);
    for (int c = 0; c < t->labels.n; c++)
        if (in[c]) bt_jw_text(w, t->labels.name[c]);
    bt_jw_end_array(w);
}

static void put_scores(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                       size_t e, struct bt_json_writer *w)
{
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (int c = 0; c < t->labels.n; c++) {
        bt_jw_key(w, t->labels.name[c]);
        bt_jw_float(w, (float)score_of(d, l, e, c));
    }
    bt_jw_end_object(w);
    bt_jw_key(w, "logits");
    bt_jw_array(w);
    for (int c = 0; c < t->labels.n; c++) bt_jw_float(w, (float)logit_of(d, l, e, c));
    bt_jw_end_array(w);
}

static double loss_of(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                      size_t e)
{
    double sum = 0.0;
    for (int c = 0; c < t->labels.n; c++) sum += surprise(logit_of(d, l, e, c), gold_of(t, d, e)[c]);
    return sum / t->labels.n;
}

static enum bt_status row(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                          size_t e, struct bt_json_writer *w, struct bt_error *err)
{
    const size_t k = (size_t)t->labels.n;
    struct bt_str text = {0};
    bool *in = calloc(k, sizeof *in);
    if (!in) return bt_fail(err, BT_NOMEM, "no memory for %zu labels", k);
    for (int c = 0; c < t->labels.n; c++) in[c] = chosen(t, score_of(d, l, e, c), c);
    if (d->gold) put_joined(t, "gold", gold_of(t, d, e), w, &text);
    put_joined(t, "prediction", in, w, &text);
    if (d->gold) bt_jw_kbool(w, "correct", memcmp(in, gold_of(t, d, e), k * sizeof *in) == 0);
    if (d->gold) put_list(t, "gold_labels", gold_of(t, d, e), w);
    put_list(t, "labels", in, w);
    put_scores(t, d, l, e, w);
    if (d->gold) bt_jw_knum(w, "loss", loss_of(t, d, l, e));
    enum bt_status st = text.failed ? bt_fail(err, BT_NOMEM, "no memory for %zu labels", k) : BT_OK;
    bt_str_free(&text);
    free(in);
    return st;
}

static enum bt_status answer(const struct bt__task *t, const struct bt__task_data *d,
                             const struct bt__logits *l, size_t e, struct bt__answers *out,
                             struct bt_error *err)
{
    for (int c = 0; c < t->labels.n; c++) {
        struct bt_answer *a = bt__answers_add(out);
        double p = score_of(d, l, e, c);
        if (!a) return bt_fail(err, BT_NOMEM, "no memory for %d scores", t->labels.n);
        *a = (struct bt_answer){.label = t->labels.name[c],
                                .label_n = strlen(t->labels.name[c]),
                                .score = p,
                                .chosen = chosen(t, p, c)};
    }
    return BT_OK;
}

const struct bt__task_ops bt__task_multilabel = {
    .name = "multilabel",
    .about = "any number of labels for a text or a pair of texts",
    .examples = BT_EXAMPLE_LABEL_SET,
    .family = BT__METRICS_sets,
    .architecture = "BertForSequenceClassification",
    .problem_type = "multi_label_classification",
    .check = check,
    .learn = learn,
    .close = close_task,
    .head = bt__classes_head,
    .build = build,
    .tally = tally,
    .loss = loss,
    .judge = judge,
    .metrics = metrics,
    .row = row,
    .answer = answer,
    .aim = bt__aim_sets,
    .report = report,
};
