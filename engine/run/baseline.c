/* bt_baseline(): a run without a model. Its answers are logits like a model's, so that the task makes of them what it makes of those. */
#include <bertty/baseline.h>

#include "baseline/logistic.h"
#include "run/train_parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
#define X(name, word) [name] = word,
    BT_BASELINES(X)
#undef X
};

struct job {
    const struct bt_baseline_request *req;
    struct bt__trainer *t;
    struct bt__tfidf *tfidf; /* NULL: the same answer for all */
    struct bt__logistic *model;
    float *same; /* [cols] that answer */
    int cols;
    struct bt__evaluation answer[BT__SPLITS];
    struct bt_metrics metrics[BT__SPLITS];
};

static const struct bt__task_data *split(const struct job *j, enum bt__split which)
{
    return &j->t->setup.split[which];
}

/* ── which tasks ── */

static enum bt_status check_task(const struct bt_experiment *x, enum bt_baseline_kind kind,
                                 struct bt_error *err)
{
    const struct bt__task_ops *ops = bt__task_ops(x->task_type);
    const bool labels = ops->family == BT__METRICS_labels;
    const bool some = labels || ops->family == BT__METRICS_sets || ops->family == BT__METRICS_numbers;
    if (kind == BT_BASELINE_TFIDF ? labels : some) return BT_OK;
    if (some)
        return bt_fail(err, BT_UNSUPPORTED, "task.type: %s has no baseline of the kind tfidf, only majority",
                       ops->name);
    return bt_fail(err, BT_UNSUPPORTED,
                   "task.type: %s has no baseline, expected classification, absa, multilabel or regression",
                   ops->name);
}

static enum bt_status check_splits(const struct bt_experiment *x, struct bt_error *err)
{
    if (bt_experiment_validates(x) || x->data_test_file.n) return BT_OK;
    return bt_fail(
        err, BT_INVALID,
        "data.validation_file: missing, expected validation or test data to measure a baseline on");
}

/* ── the same answer for all ── */

/* Shares of the training rows, as if each label stood in one more: a label that the validation data alone has is unlikely, not impossible. */
static enum bt_status shares(struct job *j, struct bt_error *err)
{
    const struct bt__task *task = j->t->setup.task;
    const struct bt__task_data *train = split(j, BT__TRAIN);
    int64_t *rows = calloc((size_t)j->cols + 1, sizeof *rows);
    if (!rows) return bt_fail(err, BT_NOMEM, "no memory for %d labels", j->cols);
    task->ops->tally(task, train, rows);
    const bool sets = task->ops->family == BT__METRICS_sets; /* each label by itself, given or not */
    for (int c = 0; c < j->cols; c++) {
        const double with = (double)rows[c] + 1.0, all = (double)train->n + (sets ? 2.0 : j->cols);
        j->same[c] = (float)log(with / (sets ? all - with : all));
    }
    free(rows);
    return BT_OK;
}

static double mean(const struct bt__task_data *d)
{
    const double *gold = d->gold;
    double sum = 0.0;
    for (size_t i = 0; i < d->n; i++) sum += gold[i];
    return sum / (double)d->n;
}

static enum bt_status fit_majority(struct job *j, struct bt_error *err)
{
    j->same = calloc((size_t)j->cols, sizeof *j->same);
    if (!j->same) return bt_fail(err, BT_NOMEM, "no memory for %d labels", j->cols);
    if (j->t->setup.task->labels.n) return shares(j, err);
    j->same[0] = (float)mean(split(j, BT__TRAIN));
    return BT_OK;
}

/* ── words ── */

/* The caller frees; NULL: no memory. */
static struct bt__text *texts_of(const struct bt__task_data *d)
{
    struct bt__text *texts = calloc(d->n + 1, sizeof *texts);
    for (size_t i = 0; texts && i < d->n; i++) {
        const struct bt_example *e = bt__task_example(d, i);
        texts[i] =
            (struct bt__text){.text = e->text, .text_n = e->text_n, .pair = e->pair, .pair_n = e->pair_n};
    }
    return texts;
}

static enum bt_status fit_tfidf(struct job *j, struct bt_error *err)
{
    const struct bt__task_data *train = split(j, BT__TRAIN);
    struct bt__sparse rows = {.n = 0};
    struct bt__text *texts = texts_of(train);
    if (!texts) return bt_fail(err, BT_NOMEM, "no memory for %zu texts", train->n);
    enum bt_status st = bt__tfidf_fit(texts, train->n, j->req->ngrams, &j->tfidf, &rows, err);
    if (st == BT_INVALID) st = bt_error_prefix(err, st, "%s", train->files[0]);
    if (!st) st = bt__logistic_fit(&rows, bt__tfidf_features(j->tfidf), train->gold, j->cols, &j->model, err);
    bt__sparse_free(&rows);
    free(texts);
    return st;
}

/* ── answers ── */

static enum bt_status reserve(struct bt__logits *l, size_t n, int cols, struct bt_error *err)
{
    *l = (struct bt__logits){.value = calloc(n * (size_t)cols + 1, sizeof *l->value),
                             .start = calloc(n + 1, sizeof *l->start),
                             .cols = cols};
    if (!l->value || !l->start) return bt_fail(err, BT_NOMEM, "no memory for the answers to %zu rows", n);
    for (size_t i = 0; i <= n; i++) l->start[i] = i * (size_t)cols;
    return BT_OK;
}

static enum bt_status weigh_words(const struct job *j, const struct bt__task_data *d, struct bt__logits *l,
                                  struct bt_error *err)
{
    struct bt__sparse rows = {.n = 0};
    struct bt__text *texts = texts_of(d);
    if (!texts) return bt_fail(err, BT_NOMEM, "no memory for %zu texts", d->n);
    enum bt_status st = bt__tfidf_rows(j->tfidf, texts, d->n, &rows, err);
    for (size_t i = 0; !st && i < d->n; i++) bt__logistic_logits(j->model, &rows, i, l->value + l->start[i]);
    bt__sparse_free(&rows);
    free(texts);
    return st;
}

static enum bt_status answer(struct job *j, enum bt__split which, struct bt_error *err)
{
    const struct bt__task *task = j->t->setup.task;
    const struct bt__task_data *d = split(j, which);
    struct bt__evaluation *e = &j->answer[which];
    struct bt_metrics *m = &j->metrics[which];
    if (d->n == 0) return BT_OK;
    enum bt_status st = reserve(&e->logits, d->n, j->cols, err);
    for (size_t i = 0; !st && j->same && i < d->n; i++)
        memcpy(e->logits.value + e->logits.start[i], j->same, (size_t)j->cols * sizeof *j->same);
    if (!st && j->tfidf) st = weigh_words(j, d, &e->logits, err);
    if (st) return st;
    e->loss = bt__evaluation_loss(e, task, d);
    st = bt__evaluation_metrics(e, task, d, m, err);
    bt__metrics_brief(task->ops->family, j->t->x->eval_metric_for_best_model, m);
    return st;
}

/* ── the run ── */

static enum bt_status compute(struct job *j, struct bt_error *err)
{
    struct bt__trainer *t = j->t;
    const struct bt_baseline_request *r = j->req;
    enum bt_status st = r->name && !bt__run_name_ok(r->name) /* before the data is read */
                            ? bt__rundir_create("", r->name, NULL, &t->run, err)
                            : BT_OK;
    if (!st) st = bt__experiment_ready_without_model(r->experiment, r->runs_dir, &t->x, err);
    if (!st) st = check_task(t->x, r->kind, err);
    if (!st) st = check_splits(t->x, err);
    if (!st) st = bt__pool_create(1, &t->pool, err);
    if (!st) st = bt__hashing_begin(t->x, false, &t->hashing, err);
    if (!st) st = bt__setup_texts(&t->setup, t->x, t->pool, bt__tell_text, t, err);
    if (!st) st = bt__check_labels(t->x, &t->setup, err);
    if (st) return st;
    j->cols = t->setup.task->labels.n ? t->setup.task->labels.n : 1;
    st = r->kind == BT_BASELINE_TFIDF ? fit_tfidf(j, err) : fit_majority(j, err);
    if (!st) st = answer(j, BT__VALIDATION, err);
    return st ? st : answer(j, BT__TEST, err);
}

static void tell_fit(const struct job *j)
{
    const size_t rows = split(j, BT__TRAIN)->n;
    if (j->tfidf)
        bt__tell(j->t, "baseline: logistic regression over TF-IDF, %zu training rows, %zu features", rows,
                 bt__tfidf_features(j->tfidf));
    else
        bt__tell(j->t, "baseline: the same answer for all, from %zu training rows", rows);
}

static void keep_split(struct job *j, enum bt__split which)
{
    if (split(j, which)->n == 0) return;
    bt__write_predictions(j->t, which, 0, &j->answer[which]);
    bt__tell_metrics(j->t, which, 0, &j->metrics[which], false);
}

static enum bt_status keep(struct job *j, struct bt_error *err)
{
    struct bt__trainer *t = j->t;
    struct bt__status *s = &t->status;
    s->baseline = t->baseline;
    enum bt_status st = bt__make_run(t, err);
    if (st) return st;
    tell_fit(j);
    keep_split(j, BT__VALIDATION);
    keep_split(j, BT__TEST);
    if (split(j, BT__VALIDATION)->n) {
        s->metric = t->x->eval_metric_for_best_model;
        s->best = s->last = bt_metrics_get(&j->metrics[BT__VALIDATION], s->metric);
        s->best_step = s->last_step = 0;
    }
    bt__tell(t, "finished");
    bt__flush(t);
    s->eta_s = 0.0;
    bt__state(t, BT_RUN_FINISHED);
    return BT_OK;
}

static void fill_result(const struct job *j, struct bt_baseline_result *out)
{
    const struct bt__trainer *t = j->t;
    *out = (struct bt_baseline_result){.id = t->run ? bt_strdup(t->run->id) : NULL,
                                       .dir = t->run ? bt_strdup(t->run->dir) : NULL,
                                       .train_rows = split(j, BT__TRAIN)->n,
                                       .features = j->tfidf ? bt__tfidf_features(j->tfidf) : 0,
                                       .seconds = bt__clock() - t->begun,
                                       .validation = j->metrics[BT__VALIDATION],
                                       .test = j->metrics[BT__TEST]};
    if (t->x && t->x->eval_metric_for_best_model)
        snprintf(out->metric, sizeof out->metric, "%s", t->x->eval_metric_for_best_model);
}

static void clear(struct job *j)
{
    for (int i = 0; i < BT__SPLITS; i++) bt__evaluation_free(&j->answer[i]);
    bt__tfidf_free(j->tfidf);
    bt__logistic_free(j->model);
    free(j->same);
    bt__trainer_clear(j->t);
    free(j->t);
}

enum bt_status bt_baseline(const struct bt_baseline_request *r, struct bt_baseline_result *result,
                           struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK};
    const struct bt_train_request train = {
        .name = r->name, .resume_step = -1, .announce = -1, .progress = r->progress, .ctx = r->ctx};
    struct job j = {.req = r, .t = calloc(1, sizeof *j.t)};
    *result = (struct bt_baseline_result){.id = NULL};
    if (!j.t) return bt_fail(err, BT_NOMEM, "no memory for a run");
    *j.t = (struct bt__trainer){
        .req = &train, .baseline = words[r->kind], .begun = bt__clock(), .saved = -1, .resumed = -1};
    bt__trainer_state_begin(&j.t->st);
    bt__status_begin(&j.t->status);
    enum bt_status st = compute(&j, &mine);
    if (!st) st = keep(&j, &mine);
    if (st) bt__tell_failure(j.t, st, &mine);
    fill_result(&j, result);
    clear(&j);
    return st ? bt_fail(err, st, "%s", mine.text) : BT_OK;
}

void bt_baseline_result_clear(struct bt_baseline_result *r)
{
    free(r->id);
    free(r->dir);
    *r = (struct bt_baseline_result){.id = NULL};
}
