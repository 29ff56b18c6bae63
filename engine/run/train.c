/* bt_train(): from a request to a run, new or resumed, and what is said about its end. */
#include "run/train_parts.h"

#include "experiment/value.h"
#include "math/gemm.h"
#include "model/prefix.h"
#include <bertty/file.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── who waits for the directory ── */

static void announce(const struct bt_train_request *r, const char *mark, const char *text)
{
    struct bt_str line = {0};
    if (r->announce < 0) return;
    bt_str_addf(&line, "%s%s\n", mark, text);
    (void)bt_write_all(r->announce, bt_str_text(&line), line.len); /* whoever launched us may have gone */
    bt_str_free(&line);
}

void bt__announce(const struct bt__trainer *t)
{
    announce(t->req, "", t->run->dir);
}

/* ── preparing ── */

enum bt_status bt__make_learner(struct bt__trainer *t, struct bt_error *err)
{
    const struct bt__task_data *d = &t->setup.split[BT__TRAIN];
    const struct bt__learner_settings s = bt__learner_settings_of(t->x, &t->setup);
    t->p_gold = calloc(d->f.n + 1, sizeof *t->p_gold);
    t->right = calloc(d->f.n + 1, sizeof *t->right);
    if (!t->p_gold || !t->right) return bt_fail(err, BT_NOMEM, "no memory for the training rows' figures");
    enum bt_status st = bt__learner_create(t->setup.model, t->pool, t->setup.task, d, &s, &t->learner, err);
    const struct bt__features *v = &t->setup.split[BT__VALIDATION].f;
    t->kept = s.kept;
    if (!st && t->kept.validation)
        st = bt__prefix_create(t->setup.model, v->start, v->n, &t->validation_prefix, err);
    if (st) return st;
    bt__learner_observe(t->learner, bt__observe, t);
    bt__dynamics_clear(t);
    t->steps_per_epoch = bt__learner_steps_per_epoch(t->learner);
    t->total = bt__learner_total(t->learner);
    return BT_OK;
}

static enum bt_status load(struct bt__trainer *t, struct bt_error *err)
{
    const struct bt_experiment *x = t->x;
    const int threads = bt__pool_threads(t->pool);
    enum bt_status st = bt__setup_data(&t->setup, x, x->model_name_or_path, t->pool, bt__tell_text, t, err);
    if (!st) st = bt__check_labels(x, &t->setup, err);
    if (!st) st = bt__check_limits(x, &t->setup, threads, x->run_output_dir, err);
    if (!st) st = bt__hashing_begin(x, true, &t->hashing, err); /* what can be refused has been */
    if (st) return st;
    bt__floats_touch(t->pool, t->setup.model->w, t->setup.model->params.total);
    return bt__setup_weights(&t->setup, x, bt__tell_text, t, err);
}

/* The labels that were found become part of the experiment: it then says the same whatever happens to the data. */
static enum bt_status keep_labels(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    bt__list_free(&t->x->task_labels);
    t->x->task_labels = (struct bt_string_list){.n = 0};
    for (int i = 0; i < t->setup.task->labels.n && !st; i++)
        st = bt__list_add(&t->x->task_labels, t->setup.task->labels.name[i], err);
    return st;
}

/* Takes over dir. */
static enum bt_status use_runs_dir(struct bt_experiment *x, char *dir, struct bt_error *err)
{
    if (!dir) return bt_fail(err, BT_NOMEM, "no memory for the runs' directory");
    free(x->run_output_dir);
    x->run_output_dir = dir;
    return BT_OK;
}

enum bt_status bt__write_experiment(struct bt_experiment *x, const struct bt__rundir *run,
                                    struct bt_error *err)
{
    struct bt_str text = {0};
    /* absolute: the experiment then means the same from everywhere */
    enum bt_status st = use_runs_dir(x, bt_path_above(run->dir), err);
    if (!st) bt_experiment_write(x, &text);
    if (!st) st = bt__rundir_write(run, "experiment.yaml", &text, err);
    bt_str_free(&text);
    return st;
}

void bt__name_status(struct bt__trainer *t)
{
    t->status.name = t->x->run_name;
    t->status.metric = t->x->eval_eval_strategy == BT_EVAL_NO ? NULL : t->x->eval_metric_for_best_model;
}

static enum bt_status fill_run(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = keep_labels(t, err);
    if (!st) st = bt__write_experiment(t->x, t->run, err);
    if (!st) st = bt__run_json(t, err);
    if (!st) st = bt_events_open(t->run->dir, &t->events, err);
    if (!st && t->learner) bt__keep_batches(t, -1);
    return st;
}

/* The directory and what belongs into it before the first step: all of it, or no directory. */
enum bt_status bt__make_run(struct bt__trainer *t, struct bt_error *err)
{
    const struct bt_experiment *x = t->x;
    char *name = t->baseline ? bt_strfmt("%.50s-%s", x->run_name, t->baseline) : bt_strdup(x->run_name);
    if (!name) return bt_fail(err, BT_NOMEM, "no memory for a run's name");
    enum bt_status st = bt__rundir_create(x->run_output_dir, t->req->name, name, &t->run, err);
    free(name);
    if (st) return st;
    st = fill_run(t, err);
    if (st) {
        bt__rundir_discard(t->run);
        bt__rundir_free(t->run);
        t->run = NULL;
        return st;
    }
    t->live = true;
    bt__name_status(t);
    bt__state(t, BT_RUN_STARTING);
    bt__announce(t);
    return BT_OK;
}

static enum bt_status valid_copy(const struct bt_experiment *from, const char *runs_dir,
                                 struct bt_experiment **out, struct bt_error *err)
{
    enum bt_status st = bt_experiment_copy(from, out, err);
    if (!st && runs_dir) st = use_runs_dir(*out, bt_strdup(runs_dir), err);
    return st ? st : bt_experiment_validate(*out, NULL, err);
}

enum bt_status bt__experiment_ready(const struct bt_experiment *from, const char *runs_dir,
                                    struct bt_experiment **out, struct bt_error *err)
{
    enum bt_status st = valid_copy(from, runs_dir, out, err);
    return st ? st : bt_experiment_resolve(*out, err);
}

enum bt_status bt__experiment_ready_without_model(const struct bt_experiment *from, const char *runs_dir,
                                                  struct bt_experiment **out, struct bt_error *err)
{
    enum bt_status st = valid_copy(from, runs_dir, out, err);
    return st ? st : bt__experiment_resolve_data(*out, err);
}

/* All that has to be read before the first step. */
static enum bt_status prepare(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = bt__pool_create((int)t->x->run_num_threads, &t->pool, err);
    if (!st) st = load(t, err);
    return st ? st : bt__make_learner(t, err);
}

static enum bt_status begin_new(struct bt__trainer *t, struct bt_error *err)
{
    if (t->req->name && !bt__run_name_ok(t->req->name)) /* before the data is read */
        return bt__rundir_create("", t->req->name, NULL, &t->run, err);
    enum bt_status st = bt__experiment_ready(t->req->experiment, t->req->runs_dir, &t->x, err);
    if (!st) st = prepare(t, err);
    return st ? st : bt__make_run(t, err);
}

/* A run that was queued and never began: its directory is there, with the experiment alone. */
static enum bt_status begin_late(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = bt_experiment_resolve(t->x, err);
    if (!st) st = prepare(t, err);
    if (!st) st = fill_run(t, err);
    if (!st) bt__name_status(t);
    return st;
}

static enum bt_status begin_again(struct bt__trainer *t, struct bt_error *err)
{
    bool begun = false;
    enum bt_status st = bt__reopen(t, &begun, err);
    if (!st) st = begun ? bt__resume(t, err) : begin_late(t, err);
    if (st) return st;
    if (!t->live) bt__announce(t);
    t->live = true;
    return BT_OK;
}

/* ── the whole ── */

/* What the task says about its training data. */
static void tell_data(struct bt__trainer *t)
{
    const struct bt__task *task = t->setup.task;
    for (int i = 0; i < BT__SPLITS && task->ops->about_data; i++) {
        struct bt_str text = {.len = 0};
        if (t->setup.split[i].n) task->ops->about_data(task, &t->setup.split[i], &text);
        if (text.len) bt__tell(t, "%s: %s", bt__split_name((enum bt__split)i), bt_str_text(&text));
        bt_str_free(&text);
    }
}

static void tell_kept(struct bt__trainer *t)
{
    const int layers = bt__prefix_layer(t->setup.model);
    if (t->kept.train || t->kept.validation)
        bt__tell(t, "what the %d frozen layer%s below make%s of the %s data is computed once and kept",
                 layers, layers == 1 ? "" : "s", layers == 1 ? "s" : "",
                 !t->kept.train       ? "validation"
                 : t->kept.validation ? "training and validation"
                                      : "training");
}

static void tell_start(struct bt__trainer *t)
{
    const struct bt__task_data *d = t->setup.split;
    if (bt__gemm_serial() && bt__pool_threads(t->pool) > 1)
        bt__tell(t, "this OpenBLAS was built for one thread: install libopenblas0-pthread for speed");
    if (t->setup.report.pooler_fresh) bt__tell(t, "the model has no pooler: it is drawn anew");
    bt__tell(t, "%zu training rows, %zu for validation, %zu for the test; %lld steps, %lld an epoch",
             d[BT__TRAIN].n, d[BT__VALIDATION].n, d[BT__TEST].n, (long long)t->total,
             (long long)t->steps_per_epoch);
    if (d[BT__TRAIN].f.truncated && !t->setup.task->ops->about_data)
        bt__tell(t, "%zu training rows are longer than data.max_seq_length (%lld tokens) and are cut",
                 d[BT__TRAIN].f.truncated, (long long)t->x->data_max_seq_length);
    if (t->x->data_truncation == BT_TRUNCATION_SLIDING_WINDOW)
        bt__tell(t, "%zu training rows are read in %zu windows", d[BT__TRAIN].n, d[BT__TRAIN].f.n);
    if (bt__imitates(t->x)) bt__tell(t, "%s", bt__imitates(t->x));
    tell_data(t);
    tell_kept(t);
    struct bt_progress p = {.kind = BT_PROGRESS_START,
                            .dir = t->run->dir,
                            .step = t->st.step,
                            .total = t->total,
                            .epoch = bt__epoch(t)};
    if (t->req->progress) t->req->progress(t->req->ctx, &p);
}

static void find_study(struct bt__trainer *t)
{
    struct bt_error err = {.status = BT_OK};
    if (bt__trial_open(t->run->dir, &t->trial, &err))
        bt__warn(t, "trial.json: %s: the run goes on by itself", err.text);
    else if (t->trial)
        bt__tell(t, "trial %lld of the study %s", (long long)bt__trial_number(t->trial),
                 bt__trial_study(t->trial));
}

void bt__tell_failure(struct bt__trainer *t, enum bt_status st, const struct bt_error *err)
{
    if (!t->run) {
        announce(t->req, "!", err->text);
        return;
    }
    bt__rundir_log(t->run, err->text);
    if (!t->live) {
        announce(t->req, "!", err->text);
        return;
    }
    if (st == BT_DIVERGED) bt__batch_done(t, t->st.step + 1); /* the step that could not be made */
    bt__flush(t);
    memcpy(t->status.error, err->text, sizeof t->status.error);
    t->status.eta_s = (double)NAN;
    bt__state(t, st == BT_DIVERGED ? BT_RUN_DIVERGED : BT_RUN_FAILED);
}

static const char *end_state(const struct bt__trainer *t, enum bt_status st)
{
    if (st == BT_DIVERGED) return "diverged";
    if (st) return "failed";
    return t->stop ? "stopped" : "finished";
}

static void fill_result(struct bt__trainer *t, enum bt_status st, struct bt_train_result *out)
{
    *out = (struct bt_train_result){.id = t->run ? bt_strdup(t->run->id) : NULL,
                                    .dir = t->run ? bt_strdup(t->run->dir) : NULL,
                                    .state = end_state(t, st),
                                    .best_step = t->st.best.step,
                                    .best = t->st.best.metrics,
                                    .last_step = t->st.step > 0 ? t->st.step : t->st.last.step,
                                    .test = t->test,
                                    .train_tokens = t->st.tokens,
                                    .train_seconds = t->st.seconds,
                                    .tokens_per_s =
                                        t->st.seconds > 0.0 ? (double)t->st.tokens / t->st.seconds : 0.0,
                                    .max_rss_mib = bt__proc_max_rss_mib()};
    if (t->st.last.step == out->last_step) out->last = t->st.last.metrics;
    if (t->x && t->x->eval_metric_for_best_model)
        snprintf(out->metric, sizeof out->metric, "%s", t->x->eval_metric_for_best_model);
}

void bt__trainer_clear(struct bt__trainer *t)
{
    bt_events_close(t->events, NULL);
    bt__batches_close(t->batches);
    bt__learner_free(t->learner);
    bt__prefix_free(t->validation_prefix);
    bt__setup_free(&t->setup);
    bt__hashing_free(t->hashing); /* reads the experiment */
    bt__hashes_free(&t->data);
    bt__steering_free(&t->steering);
    bt__trial_free(t->trial);
    bt__pool_free(t->pool);
    bt__rundir_free(t->run);
    bt_experiment_free(t->x);
    free(t->p_gold);
    free(t->right);
}

enum bt_status bt_train(const struct bt_train_request *r, struct bt_train_result *result,
                        struct bt_error *err)
{
    struct bt_error mine = {.status = BT_OK};
    struct bt__trainer *t = calloc(1, sizeof *t);
    *result = (struct bt_train_result){.state = "failed", .best_step = -1, .last_step = -1};
    if (!t) return bt_fail(err, BT_NOMEM, "no memory for a run");
    *t = (struct bt__trainer){.req = r, .begun = bt__clock(), .saved = -1, .resumed = -1};
    bt__trainer_state_begin(&t->st);
    bt__status_begin(&t->status);
    enum bt_status st = bt__gemm_init(&mine);
    if (!st) st = r->resume ? begin_again(t, &mine) : begin_new(t, &mine);
    if (!st) {
        tell_start(t);
        find_study(t);
        st = bt__trainer_loop(t, &mine);
    }
    if (st) bt__tell_failure(t, st, &mine);
    fill_result(t, st, result);
    bt__trainer_clear(t);
    free(t);
    return st ? bt_fail(err, st, "%s", mine.text) : BT_OK;
}

void bt_train_result_clear(struct bt_train_result *r)
{
    free(r->id);
    free(r->dir);
    *r = (struct bt_train_result){.state = "failed", .best_step = -1, .last_step = -1};
}
