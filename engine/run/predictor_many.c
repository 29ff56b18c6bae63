/* One input, many inputs, and labelled files. */
#include "run/predictor_parts.h"

#include "dataset/wrap.h"
#include "tasks/inputs.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH_SEQS = 64, BATCH_ROWS = 2048, ROWS_STEP = 64 };

/* Memory grows in steps, so that inputs that are each a little longer do not make it anew each time. */
static int rounded(int rows)
{
    return (rows + ROWS_STEP - 1) / ROWS_STEP * ROWS_STEP;
}

struct cancel {
    const atomic_bool *flag;
};

static bool go_on(void *ctx)
{
    const struct cancel *c = ctx;
    return !atomic_load(c->flag);
}

enum bt_status bt__predictor_room(struct bt_predictor *p, const struct bt__features *f,
                                  struct bt__pass_limits *limits, struct bt_error *err)
{
    int all = f->start[f->n] < BATCH_ROWS ? rounded((int)f->start[f->n]) : BATCH_ROWS;
    *limits = bt__evaluation_limits(f, BATCH_SEQS, all);
    limits->longest = rounded(limits->longest);
    limits->pairs = (size_t)limits->rows * (size_t)limits->longest;
    return bt__predictor_reserve(p, limits, err);
}

enum bt_status bt__predictor_run(struct bt_predictor *p, const struct bt__task_data *d,
                                 const atomic_bool *cancel, struct bt__evaluation *e, struct bt_error *err)
{
    struct cancel c = {.flag = cancel};
    struct bt__pass_limits limits;
    enum bt_status st = bt__predictor_room(p, &d->f, &limits, err);
    if (st) return st;
    return bt__evaluate(p->pass, p->m, &limits, p->task, d, cancel ? go_on : NULL, &c, e, err);
}

/* ── inputs ── */

static struct bt_example example_of(const struct bt_input *in)
{
    return (struct bt_example){.text = in->text,
                               .text_n = in->text_n,
                               .pair = in->pair,
                               .pair_n = in->pair_n,
                               .part = in->part,
                               .parts = in->parts,
                               .mark = in->mark,
                               .mark_n = in->mark_n};
}

enum bt_status bt__predictor_prepare(struct bt_predictor *p, const struct bt_input *in, size_t n,
                                     struct bt__task_data *d, struct bt_error *err)
{
    struct bt_example *e = calloc(n + 1, sizeof *e);
    if (!e) return bt_fail(err, BT_NOMEM, "no memory for %zu inputs", n);
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < n && !st; i++) {
        e[i] = example_of(&in[i]);
        if (e[i].pair && p->m->config.type_vocab_size < 2)
            st = bt_fail(err, BT_INVALID, "%s: the model has one token type: it cannot tell pairs apart",
                         p->dir);
    }
    if (!st) st = bt__examples_wrap(e, n, &d->examples, err);
    free(e);
    d->n = n;
    if (!st) st = bt__task_build(p->task, d, false, p->pool, err);
    return st;
}

/* The logits of a text that was read in windows are their mean: it takes the place of the first one's. */
static void pool_windows(const struct bt__task_data *d, struct bt__logits *l, size_t i, size_t first,
                         size_t end)
{
    if (d->f.group > 1 || end - first < 2) return;
    for (int c = 0; c < l->cols; c++)
        l->value[l->start[first] + (size_t)c] = (float)bt__task_mean(d, l, i, c);
}

/* What the model says about example i, kept until the next. */
static enum bt_status answer(struct bt_predictor *p, const struct bt__task_data *d, struct bt__evaluation *e,
                             size_t i, struct bt_output *out, struct bt_error *err)
{
    const size_t first = bt__task_first(d, i), end = i + 1 < d->n ? bt__task_first(d, i + 1) : d->f.n;
    const size_t group = d->f.group > 1 ? (size_t)d->f.group : 1;
    bt__answers_clear(&p->answers);
    enum bt_status st = p->task->ops->answer(p->task, d, &e->logits, i, &p->answers, err);
    if (st) return st;
    if (p->m->head.kind == BT__HEAD_POOLED || p->m->head.kind == BT__HEAD_MEAN)
        pool_windows(d, &e->logits, i, first, end);
    *out = (struct bt_output){.answer = p->answers.item,
                              .n = p->answers.n,
                              .word = p->answers.word,
                              .words = p->answers.words,
                              .logits = bt__logits_at(&e->logits, first),
                              .n_logits = e->logits.start[first + group] - e->logits.start[first],
                              .truncated = d->f.truncated > 0};
    for (size_t s = first; s < end; s++)
        if (d->f.length[s] > out->tokens) out->tokens = d->f.length[s];
    return BT_OK;
}

enum bt_status bt_predict_all(struct bt_predictor *p, const struct bt_input *in, size_t n, bt_answer_fn *each,
                              void *ctx, const atomic_bool *cancel, struct bt_error *err)
{
    struct bt__task_data d = {.n = 0};
    struct bt__evaluation e = {.tokens = 0};
    struct bt_output out;
    enum bt_status st = bt__predictor_prepare(p, in, n, &d, err);
    if (!st) st = bt__predictor_run(p, &d, cancel, &e, err);
    for (size_t i = 0; i < n && !st; i++) {
        st = answer(p, &d, &e, i, &out, err);
        if (!st) each(ctx, i, &out);
    }
    bt__evaluation_free(&e);
    bt__task_data_free(&d);
    return st;
}

enum bt_status bt_predict(struct bt_predictor *p, const struct bt_input *in, struct bt_output *out,
                          struct bt_error *err)
{
    struct bt__evaluation e = {.tokens = 0};
    bt__task_data_free(&p->last);
    enum bt_status st = bt__predictor_prepare(p, in, 1, &p->last, err);
    if (!st) st = bt__predictor_run(p, &p->last, NULL, &e, err);
    if (!st) st = answer(p, &p->last, &e, 0, out, err);
    free(p->logits);
    p->logits = e.logits.value; /* the answer's logits point into it */
    e.logits.value = NULL;
    bt__evaluation_free(&e);
    return st;
}

/* ── evaluation ── */

static enum bt_status evaluate(struct bt_predictor *p, struct bt__task_data *d, bool gold,
                               struct bt_str *predictions, struct bt_evaluation_result *r,
                               struct bt_error *err)
{
    struct bt__evaluation e = {.tokens = 0};
    enum bt_status st = bt__task_build(p->task, d, gold, p->pool, err);
    if (!st) st = bt__predictor_run(p, d, NULL, &e, err);
    if (!st && gold) st = bt__evaluation_metrics(&e, p->task, d, &r->metrics, err);
    if (!st && gold && p->task->ops->report) st = p->task->ops->report(p->task, d, &e.logits, r, err);
    if (!st && predictions) st = bt__evaluation_rows(&e, p->task, d, predictions, err);
    r->rows = d->n;
    r->tokens_per_s = e.seconds > 0.0 ? (double)e.tokens / e.seconds : 0.0;
    bt__evaluation_free(&e);
    return st;
}

/* Which settings count, and whether they are enough. */
static enum bt_status settings(const struct bt_predictor *p, const struct bt_data_spec *given,
                               bool predictions, struct bt_data_spec *spec, struct bt_error *err)
{
    if (!given && p->alone)
        return bt_fail(err, BT_INVALID, "%s: this model has no run whose data settings could be used",
                       p->dir);
    *spec = given ? *given : bt_experiment_data(p->x);
    spec->kind = p->task->ops->examples;
    if (spec->kind != BT_EXAMPLE_TEXT || (spec->text_column && (spec->label_column || predictions)))
        return BT_OK;
    return bt_fail(err, BT_INVALID, "which column holds the %s? (a name or a number from 1)",
                   spec->text_column ? "label" : "text");
}

enum bt_status bt_predictor_eval(struct bt_predictor *p, const char *const *files, size_t n_files,
                                 const struct bt_data_spec *given, struct bt_str *predictions,
                                 struct bt_evaluation_result **out, struct bt_error *err)
{
    struct bt_data_spec spec;
    struct bt__task_data d = {.files = files};
    enum bt_status st = settings(p, given, predictions != NULL, &spec, err);
    spec.files = files;
    spec.n_files = n_files;
    if (!st) st = bt_examples_load(&spec, &d.examples, err);
    if (st) return st;
    d.n = bt_examples_count(d.examples);
    struct bt_evaluation_result *r = calloc(1, sizeof *r);
    if (!d.n)
        st = bt_fail(err, BT_INVALID, "%s: there are no rows in it", files[0]);
    else if (!r)
        st = bt_fail(err, BT_NOMEM, "no memory for the results of %zu rows", d.n);
    else
        st = evaluate(p, &d, spec.label_column || spec.kind != BT_EXAMPLE_TEXT, predictions, r, err);
    bt__task_data_free(&d);
    if (st)
        bt_evaluation_result_free(r);
    else
        *out = r;
    return st;
}

void bt_evaluation_result_free(struct bt_evaluation_result *r)
{
    if (!r) return;
    for (int i = 0; r->label && i < r->n_labels; i++) free(r->label[i]);
    free(r->label);
    free(r->confusion);
    free(r->precision);
    free(r->recall);
    free(r->f1);
    free(r->support);
    free(r->gold);
    free(r->predicted);
    free(r->scores);
    free(r);
}
