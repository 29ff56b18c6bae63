/* Evaluations of a run: when, what they decide, and what they leave in the run's directory. */
#include "run/trainer.h"

#include "formats/adapter.h"
#include "run/checkpoint.h"
#include "run/control.h"
#include <bertty/file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool bt__eval_due(const struct bt__trainer *t)
{
    const struct bt_experiment *x = t->x;
    const int64_t step = t->st.step;
    if (x->eval_eval_strategy == BT_EVAL_NO || step == 0) return false;
    if (step >= t->total) return true; /* what is saved at the end should have its figures */
    if (x->eval_eval_strategy == BT_EVAL_STEPS)
        return step % x->eval_eval_steps == 0 && (double)step >= x->eval_eval_delay;
    return step % t->steps_per_epoch == 0 && bt__epoch(t) >= x->eval_eval_delay;
}

/* Has somebody written "stop" since the trainer last read the control file? The lines themselves wait for it. */
static bool stop_waits(const struct bt__trainer *t)
{
    char line[512];
    struct bt__command c;
    int64_t at = t->control_at;
    while (bt__control_line(t->run->lock, &at, line, sizeof line))
        if (!bt__command_parse(line, &c, NULL) && c.kind == BT__STOP) return true;
    return false;
}

static bool keep_going(void *ctx)
{
    struct bt__trainer *t = ctx;
    bt__status_write(&t->status, t->run, false);
    return !(t->req->interrupted && t->req->interrupted(t->req->ctx)) && !stop_waits(t);
}

/* ── predictions ── */

void bt__write_predictions(struct bt__trainer *t, enum bt__split which, int64_t step,
                           const struct bt__evaluation *e)
{
    struct bt_error err = {.status = BT_OK};
    struct bt_str text = {0};
    char *dir = bt__rundir_path(t->run, "predictions");
    char *path =
        dir ? bt_strfmt("%s/%s-step-%06lld.jsonl", dir, bt__split_name(which), (long long)step) : NULL;
    enum bt_status st = path ? bt_mkdirs(dir, &err) : bt_fail(&err, BT_NOMEM, "no memory");
    if (!st) st = bt__evaluation_rows(e, t->setup.task, &t->setup.split[which], &text, &err);
    if (!st) st = bt_file_replace(path, bt_str_text(&text), text.len, &err);
    if (st) bt__warn(t, "predictions of step %lld: %s", (long long)step, err.text);
    bt_str_free(&text);
    free(path);
    free(dir);
}

/* ── one evaluation ── */

void bt__tell_metrics(struct bt__trainer *t, enum bt__split which, int64_t step, const struct bt_metrics *m,
                      bool better)
{
    const char *prefix = which == BT__TEST ? "test" : "eval";
    struct bt_str line = {0};
    const double now = bt__wall();
    bt_str_addf(&line, "%s step %lld", prefix, (long long)step);
    for (size_t i = 0; i < m->n; i++) {
        char tag[64];
        snprintf(tag, sizeof tag, "%s/%s", prefix, m->item[i].name);
        bt__scalar(t, tag, step, now, m->item[i].value);
        bt_str_addf(&line, "  %s %.4f", m->item[i].name, m->item[i].value);
    }
    if (better) bt_str_add(&line, "  (best)");
    bt__flush(t);
    bt__rundir_log(t->run, bt_str_text(&line));
    struct bt_progress p = {.kind = BT_PROGRESS_EVAL,
                            .text = bt_str_text(&line),
                            .dir = t->run->dir,
                            .split = bt__split_name(which),
                            .step = step,
                            .total = t->total,
                            .epoch = bt__epoch(t),
                            .metrics = m,
                            .best = better};
    if (t->req->progress) t->req->progress(t->req->ctx, &p);
    bt_str_free(&line);
}

/* What the task settles on from the validation data goes into the model's configuration, and is told where it is new. */
static enum bt_status settle(struct bt__trainer *t, const struct bt__logits *l, struct bt_error *err)
{
    struct bt__task *task = t->setup.task;
    struct bt__model_config *c = &t->setup.model->config, before = *c;
    if (!task->ops->settle) return BT_OK;
    enum bt_status st = task->ops->settle(task, &t->setup.split[BT__VALIDATION], l, err);
    if (st) return st;
    task->ops->remember(task, c);
    for (int i = 0; i < c->settings; i++)
        if (!(fabs(bt__model_setting(&before, c->setting[i].name) - c->setting[i].value) <= 0.0))
            bt__tell(t, "%s %.6g, found on the validation data", c->setting[i].name, c->setting[i].value);
    return BT_OK;
}

/* Logits, metrics and predictions of a split with the weights as they are. */
static enum bt_status run_split(struct bt__trainer *t, enum bt__split which, int64_t step,
                                struct bt_metrics *m, struct bt_error *err)
{
    const struct bt__task_data *d = &t->setup.split[which];
    struct bt__pass_limits limits = *bt__learner_limits(t->learner);
    struct bt__evaluation e;
    if (limits.seqs > (int)t->x->eval_eval_batch_size) limits.seqs = (int)t->x->eval_eval_batch_size;
    bt__state(t, BT_RUN_EVALUATING);
    bt__pass_use_prefix(bt__learner_pass(t->learner), which == BT__VALIDATION ? t->validation_prefix : NULL);
    double begin = bt__clock();
    enum bt_status st = bt__evaluate(bt__learner_pass(t->learner), t->setup.model, &limits, t->setup.task, d,
                                     keep_going, t, &e, err);
    if (st) return st;
    t->eval_seconds = bt__clock() - begin;
    if (which == BT__VALIDATION) st = settle(t, &e.logits, err);
    if (!st) st = bt__evaluation_metrics(&e, t->setup.task, d, m, err);
    bt__metrics_brief(t->setup.task->ops->family, t->x->eval_metric_for_best_model, m);
    if (!st && isfinite(e.loss))
        bt__write_predictions(t, which, step, &e);
    else if (!st)
        st = bt_fail(err, BT_DIVERGED,
                     "%s data, evaluation at step %lld: the loss is %s, expected a finite number",
                     bt__split_name(which), (long long)step, isnan(e.loss) ? "no number (NaN)" : "infinite");
    bt__evaluation_free(&e);
    return st;
}

/* Updates best and the patience; the rules are those of transformers' Trainer and EarlyStoppingCallback. */
static bool judge(struct bt__trainer *t, const struct bt_metrics *m)
{
    const struct bt_experiment *x = t->x;
    double value = bt_metrics_get(m, x->eval_metric_for_best_model);
    double before = bt_metrics_get(&t->st.best.metrics, x->eval_metric_for_best_model);
    double gain = bt__metric_gain(before, value, x->eval_greater_is_better != BT_GREATER_IS_BETTER_FALSE);
    bool first = t->st.best.step < 0, better = first || gain > 0.0;
    if (first || gain > x->eval_early_stopping_threshold)
        t->st.stale = 0;
    else
        t->st.stale++;
    if (better) t->st.best = (struct bt__mark){.step = t->st.step, .metrics = *m};
    return better;
}

enum bt_status bt__eval(struct bt__trainer *t, bool planned, bool *better, struct bt_error *err)
{
    struct bt_metrics m;
    *better = false;
    enum bt_status st = run_split(t, BT__VALIDATION, t->st.step, &m, err);
    if (st) return st;
    t->st.last = (struct bt__mark){.step = t->st.step, .metrics = m};
    if (planned) {
        *better = judge(t, &m);
        t->st.evaluated = t->st.step;
    }
    bt__tell_metrics(t, BT__VALIDATION, t->st.step, &m, *better);
    if (planned && t->x->eval_early_stopping_patience > 0 &&
        t->st.stale >= t->x->eval_early_stopping_patience && t->st.step < t->total) {
        t->st.stopped_early = true;
        bt__tell(t, "early stopping: %lld evaluations without a better %s", (long long)t->st.stale,
                 t->x->eval_metric_for_best_model);
    }
    bt__state(t, BT_RUN_TRAINING);
    return BT_OK;
}

/* ── the test ── */

/* What the task had settled on when the checkpoint was made. */
static enum bt_status recall(struct bt__trainer *t, const char *path, struct bt_error *err)
{
    struct bt__model_config c = {.num_labels = 0};
    if (!t->setup.task->ops->recall) return BT_OK;
    enum bt_status st = bt__hf_config_load(path, &c, err);
    if (!st) t->setup.task->ops->recall(t->setup.task, &c);
    bt__model_config_free(&c);
    return st;
}

/* The best checkpoint's weights take the place of the last ones. *step: whose weights there are then. */
static enum bt_status best_weights(struct bt__trainer *t, int64_t *step, struct bt_error *err)
{
    struct bt__load_report report;
    struct bt_error missing = {.status = BT_OK};
    *step = t->st.step;
    if (!t->x->eval_load_best_model_at_end || t->st.best.step < 0 || t->st.best.step == t->st.step ||
        t->x->run_save_strategy == BT_SAVE_NO)
        return BT_OK;
    char *path = bt__checkpoint_path(t->run->dir, t->st.best.step);
    if (!path) return bt_fail(err, BT_NOMEM, "no memory for a checkpoint's name");
    enum bt_status st = bt__checkpoint_verify(path, &missing);
    if (st)
        bt__warn(t, "the best checkpoint cannot be used, the test is made with the last weights: %s",
                 missing.text);
    else
        st = bt__hf_weights_load(path, BT__WEIGHTS_SAFETENSORS, &t->setup.model->params, t->setup.model->w,
                                 NULL, &report, err);
    if (!missing.status && !st) st = bt__adapter_load(path, &t->setup.model->params, t->setup.model->w, err);
    if (!missing.status && !st) st = recall(t, path, err);
    if (!st) {
        *step = t->st.best.step;
        t->saved =
            t->st
                .step; /* the weights in memory are no longer those of this step: never to be saved as such */
    }
    free(path);
    return missing.status ? BT_OK : st;
}

enum bt_status bt__eval_test(struct bt__trainer *t, struct bt_error *err)
{
    int64_t step;
    if (t->setup.split[BT__TEST].f.n == 0) return BT_OK;
    enum bt_status st = best_weights(t, &step, err);
    if (!st) st = run_split(t, BT__TEST, step, &t->test, err);
    if (!st) bt__tell_metrics(t, BT__TEST, step, &t->test, false);
    return st;
}
