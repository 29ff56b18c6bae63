#include "tasks/classes.h"

#include "metrics/labels.h"
#include "tasks/class_weights.h"
#include "tasks/inputs.h"
#include "tasks/softmax.h"
#include <bertty/num.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── labels ── */

static enum bt_status from_data(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    const char **text = calloc(train->n + 1, sizeof *text);
    size_t *length = calloc(train->n + 1, sizeof *length);
    for (size_t i = 0; text && length && i < train->n; i++) {
        const struct bt_example *e = bt__task_example(train, i);
        text[i] = e->label;
        length[i] = e->label_n;
    }
    enum bt_status st = text && length ? bt__labels_from_values(&t->labels, text, length, train->n, err)
                                       : bt_fail(err, BT_NOMEM, "no memory for the labels");
    free(text);
    free(length);
    return st;
}

enum bt_status bt__classes_learn(struct bt__task *t, const struct bt__task_data *train, struct bt_error *err)
{
    if (t->labels.n) return BT_OK;
    enum bt_status st = from_data(t, train, err);
    if (!st && t->labels.n < 2)
        st = bt_fail(err, BT_INVALID, "%s: every row has the label \"%s\", expected at least two labels",
                     train->files[0], t->labels.n ? t->labels.name[0] : "");
    return st;
}

int bt__classes_index(const struct bt__labels *l, const char *text, size_t n)
{
    int at = bt__labels_find(l, text, n);
    char digits[16];
    int64_t number;
    if (at >= 0 || n == 0 || n >= sizeof digits || strncmp(l->name[0], "LABEL_", 6) != 0) return at;
    memcpy(digits, text, n);
    digits[n] = '\0';
    return bt_parse_int64(digits, &number) && number >= 0 && number < l->n ? (int)number : -1;
}

enum bt_status bt__classes_unknown(const struct bt__task *t, const struct bt__task_data *d,
                                   const struct bt_example *e, const char *text, size_t n,
                                   struct bt_error *err)
{
    const struct bt__labels *l = &t->labels;
    struct bt_str known = {0};
    for (int i = 0; i < l->n && i < 4; i++) bt_str_addf(&known, "%s\"%.40s\"", i ? ", " : "", l->name[i]);
    if (l->n > 4) bt_str_add(&known, ", …");
    enum bt_status st =
        bt_fail(err, BT_INVALID, "%s:%zu: label \"%.*s\" is not one of the %d labels (%s)",
                bt__task_file(d, e), e->line, (int)(n < 60 ? n : 60), text, l->n, bt_str_text(&known));
    bt_str_free(&known);
    return st;
}

enum bt_status bt__classes_gold(const struct bt__task *t, struct bt__task_data *d, bool gold,
                                struct bt_error *err)
{
    int *to = calloc(d->n + 1, sizeof *to);
    if (!to) return bt_fail(err, BT_NOMEM, "no memory for %zu labels", d->n);
    d->gold = to;
    for (size_t i = 0; i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        to[i] = e->label ? bt__classes_index(&t->labels, e->label, e->label_n) : -1;
        if (gold && !e->label)
            return bt_fail(err, BT_INVALID, "%s:%zu: no label, expected one", bt__task_file(d, e), e->line);
        if (gold && to[i] < 0) return bt__classes_unknown(t, d, e, e->label, e->label_n, err);
    }
    return BT_OK;
}

int bt__classes_stratum(const struct bt__task *t, const struct bt_example *e)
{
    return bt__labels_find(&t->labels, e->label, e->label_n);
}

static int gold_of(const struct bt__task_data *d, size_t e)
{
    return d->gold ? ((const int *)d->gold)[e] : -1;
}

void bt__classes_tally(const struct bt__task *t, const struct bt__task_data *d, int64_t *rows)
{
    (void)t;
    for (size_t i = 0; i < d->n; i++)
        if (gold_of(d, i) >= 0) rows[gold_of(d, i)]++;
}

struct bt__head_spec bt__classes_head(const struct bt__task *t)
{
    return bt__pooled_head(t, t->labels.n);
}

/* ── loss ── */

double bt__classes_weight(const struct bt__task *t, const struct bt__task_data *d, size_t i)
{
    (void)t;
    int gold = gold_of(d, bt__task_example_of(d, i));
    return gold < 0 ? 0.0 : bt__class_weight(d, gold);
}

double bt__classes_loss(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                        const float *logits, double scale, float *dlogits)
{
    int gold = gold_of(d, bt__task_example_of(d, i));
    if (gold < 0) return 0.0;
    return bt__weighted_cross_entropy(logits, t->labels.n, gold, d->class_weight,
                                      dlogits ? t->x->train_label_smoothing_factor : 0.0, scale, dlogits);
}

struct bt__verdict bt__classes_judge(const struct bt__task *t, const struct bt__task_data *d, size_t i,
                                     const float *logits)
{
    int gold = gold_of(d, bt__task_example_of(d, i));
    return (struct bt__verdict){.p_gold =
                                    (float)exp(-bt__cross_entropy(logits, t->labels.n, gold, 0.0, 1.0, NULL)),
                                .right = bt__argmax(logits, t->labels.n) == gold};
}

/* ── figures ── */

/* The mean logits of an example's sequences, into [labels.n]. */
static void logits_of(const struct bt__task *t, const struct bt__task_data *d, const struct bt__logits *l,
                      size_t e, float *to)
{
    for (int c = 0; c < t->labels.n; c++) to[c] = (float)bt__task_mean(d, l, e, c);
}

/* Gold, predicted and probabilities of all examples; the caller frees. */
struct figures {
    int *gold, *predicted;
    float *scores;
};

static void figures_free(struct figures *f)
{
    free(f->gold);
    free(f->predicted);
    free(f->scores);
}

static enum bt_status figures_of(const struct bt__task *t, const struct bt__task_data *d,
                                 const struct bt__logits *l, struct figures *f, struct bt_error *err)
{
    const size_t k = (size_t)t->labels.n;
    *f = (struct figures){.gold = calloc(d->n + 1, sizeof *f->gold),
                          .predicted = calloc(d->n + 1, sizeof *f->predicted),
                          .scores = calloc(d->n * k + 1, sizeof *f->scores)};
    float *logits = calloc(k + 1, sizeof *logits);
    bool ok = logits && f->gold && f->predicted && f->scores;
    for (size_t e = 0; ok && e < d->n; e++) {
        logits_of(t, d, l, e, logits);
        bt__softmax(logits, t->labels.n, f->scores + e * k);
        f->gold[e] = gold_of(d, e);
        f->predicted[e] = bt__argmax(logits, t->labels.n);
    }
    free(logits);
    if (ok) return BT_OK;
    figures_free(f);
    return bt_fail(err, BT_NOMEM, "no memory for the results of %zu rows", d->n);
}

enum bt_status bt__classes_metrics(const struct bt__task *t, const struct bt__task_data *d,
                                   const struct bt__logits *l, struct bt_metrics *out, struct bt_error *err)
{
    struct figures f;
    enum bt_status st = figures_of(t, d, l, &f, err);
    if (st) return st;
    const struct bt__label_results r = {
        .n = d->n, .classes = t->labels.n, .gold = f.gold, .predicted = f.predicted, .scores = f.scores};
    st = bt__label_metrics(&r, out, err);
    figures_free(&f);
    return st;
}

/* ── answers ── */

enum bt_status bt__classes_row(const struct bt__task *t, const struct bt__task_data *d,
                               const struct bt__logits *l, size_t e, struct bt_json_writer *w,
                               struct bt_error *err)
{
    const struct bt__labels *names = &t->labels;
    float *p = calloc(2 * (size_t)names->n, sizeof *p), *logits = p ? p + names->n : NULL;
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for %d scores", names->n);
    logits_of(t, d, l, e, logits);
    bt__softmax(logits, names->n, p);
    if (gold_of(d, e) >= 0) bt_jw_ktext(w, "gold", names->name[gold_of(d, e)]);
    bt_jw_ktext(w, "prediction", names->name[bt__argmax(logits, names->n)]);
    bt_jw_key(w, "scores");
    bt_jw_object(w);
    for (int c = 0; c < names->n; c++) {
        bt_jw_key(w, names->name[c]);
        bt_jw_float(w, p[c]);
    }
    bt_jw_end_object(w);
    bt_jw_key(w, "logits");
    bt_jw_array(w);
    for (int c = 0; c < names->n; c++) bt_jw_float(w, logits[c]);
    bt_jw_end_array(w);
    if (gold_of(d, e) >= 0) {
        bt_jw_key(w, "loss");
        bt_jw_float(w, (float)bt__cross_entropy(logits, names->n, gold_of(d, e), 0.0, 1.0, NULL));
    }
    free(p);
    return BT_OK;
}

enum bt_status bt__classes_answer(const struct bt__task *t, const struct bt__task_data *d,
                                  const struct bt__logits *l, size_t e, struct bt__answers *out,
                                  struct bt_error *err)
{
    const struct bt__labels *names = &t->labels;
    float *p = calloc(2 * (size_t)names->n, sizeof *p), *logits = p ? p + names->n : NULL;
    if (!p) return bt_fail(err, BT_NOMEM, "no memory for %d scores", names->n);
    logits_of(t, d, l, e, logits);
    const int best = bt__argmax(logits, names->n);
    bt__softmax(logits, names->n, p);
    enum bt_status st = BT_OK;
    for (int c = 0; c < names->n && !st; c++) {
        struct bt_answer *a = bt__answers_add(out);
        if (!a)
            st = bt_fail(err, BT_NOMEM, "no memory for %d scores", names->n);
        else
            *a = (struct bt_answer){.label = names->name[c],
                                    .label_n = strlen(names->name[c]),
                                    .score = (double)p[c],
                                    .chosen = c == best};
    }
    free(p);
    return st;
}

static bool reserve(struct bt_evaluation_result *r, size_t k)
{
    r->label = calloc(k, sizeof *r->label);
    r->confusion = calloc(k * k, sizeof *r->confusion);
    r->precision = calloc(k, sizeof *r->precision);
    r->recall = calloc(k, sizeof *r->recall);
    r->f1 = calloc(k, sizeof *r->f1);
    r->support = calloc(k, sizeof *r->support);
    return r->label && r->confusion && r->precision && r->recall && r->f1 && r->support;
}

static bool fill_labels(struct bt_evaluation_result *r, const struct bt__labels *names,
                        const struct bt__confusion *c)
{
    for (int i = 0; i < c->classes; i++) {
        struct bt__prf one = bt__metric_class(c, i);
        r->precision[i] = one.precision;
        r->recall[i] = one.recall;
        r->f1[i] = one.f1;
        r->support[i] = bt__confusion_class(c, i).gold;
        if (!(r->label[i] = bt_strdup(names->name[i]))) return false;
        r->n_labels++;
    }
    memcpy(r->confusion, c->count, (size_t)c->classes * (size_t)c->classes * sizeof *r->confusion);
    return true;
}

enum bt_status bt__classes_report(const struct bt__task *t, const struct bt__task_data *d,
                                  const struct bt__logits *l, struct bt_evaluation_result *r,
                                  struct bt_error *err)
{
    struct bt__confusion c;
    struct figures f;
    enum bt_status st = figures_of(t, d, l, &f, err);
    if (st) return st;
    r->gold = f.gold;
    r->predicted = f.predicted;
    r->scores = f.scores;
    st = bt__confusion_create(&c, t->labels.n, err);
    for (size_t e = 0; !st && e < d->n; e++)
        if (f.gold[e] >= 0) bt__confusion_add(&c, f.gold[e], f.predicted[e]);
    if (!st && (!reserve(r, (size_t)t->labels.n) || !fill_labels(r, &t->labels, &c)))
        st = bt_fail(err, BT_NOMEM, "no memory for the results of %d labels", t->labels.n);
    bt__confusion_free(&c);
    return st;
}
