#include "run/trainer.h"

#include "run/control.h"
#include <bertty/num.h>
#include <math.h>
#include <string.h>

static const double PAUSE_POLL = 0.1; /* seconds */

/* ── commands ── */

static void set_rate(struct bt__trainer *t, double rate)
{
    struct bt_error err = {.status = BT_OK};
    if (bt__steering_add(&t->steering, t->run, t->st.step, rate, &err)) {
        bt__warn(t, "the learning rate was not changed: %s", err.text);
        return;
    }
    t->status.steered = true;
    bt__tell(t, "learning rate set to %g after step %lld", rate, (long long)t->st.step);
}

static enum bt_status extra_eval(struct bt__trainer *t, struct bt_error *err)
{
    bool better;
    if (t->setup.split[BT__VALIDATION].f.n == 0) {
        bt__warn(t, "eval: the experiment has no validation data");
        return BT_OK;
    }
    return bt__eval(t, false, &better, err);
}

static enum bt_status obey(struct bt__trainer *t, const struct bt__command *c, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    switch (c->kind) {
    case BT__STOP:
        t->stop = true;
        break;
    case BT__PAUSE:
        t->paused = true;
        break;
    case BT__RESUME:
        t->paused = false;
        break;
    case BT__CHECKPOINT:
        bt__save(t);
        break;
    case BT__EVAL:
        st = extra_eval(t, err);
        break;
    case BT__SET:
        set_rate(t, c->value);
        break;
    }
    return st;
}

static enum bt_status read_control(struct bt__trainer *t, struct bt_error *err)
{
    char line[512];
    enum bt_status st = BT_OK;
    while (!st && !t->stop && bt__control_line(t->run->lock, &t->control_at, line, sizeof line)) {
        struct bt__command c;
        struct bt_error bad = {.status = BT_OK};
        if (line[strspn(line, " \t\r")] == '\0') continue;
        if (bt__command_parse(line, &c, &bad))
            bt__warn(t, "control: %s", bad.text);
        else
            st = obey(t, &c, err);
    }
    if (t->req->interrupted && t->req->interrupted(t->req->ctx)) t->stop = true;
    return st;
}

/* Whether another round like the longest, and a checkpoint behind it, would end after run.max_time. */
static bool time_is_up(struct bt__trainer *t)
{
    if (bt__clock() + t->longest < t->until) return false;
    bt__tell(t, "run.max_time (%s) is nearly over: `bertty train --resume` goes on from here",
             t->x->run_max_time);
    return t->stop = true;
}

/* Reads commands; while paused, until one ends that. */
static enum bt_status steer(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = read_control(t, err);
    if (st || !t->paused || t->stop) return st;
    bt__tell(t, "paused after step %lld", (long long)t->st.step);
    bt__flush(t);
    bt__state(t, BT_RUN_PAUSED);
    while (!st && t->paused && !t->stop && !time_is_up(t)) {
        bt__sleep(PAUSE_POLL);
        st = read_control(t, err);
        if (t->status.state != BT_RUN_PAUSED) bt__state(t, BT_RUN_PAUSED); /* it has evaluated */
        if (bt__clock() - t->status.written > 30.0) bt__status_write(&t->status, t->run, true);
    }
    t->paused = false;
    if (!st && !t->stop) {
        bt__tell(t, "going on");
        bt__state(t, BT_RUN_TRAINING);
        t->window = (struct bt__window){.clock = bt__clock(), .cpu = bt__proc_cpu_seconds()};
    }
    return st;
}

/* ── the loop ── */

static double base_rate(const struct bt__trainer *t)
{
    double rate = bt__steering_rate(&t->steering, t->st.step);
    return isnan(rate) ? t->x->optim_learning_rate : rate;
}

/* Axolotl's watchdog: a loss that stays high will not come down any more. */
static enum bt_status watch(struct bt__trainer *t, double loss, struct bt_error *err)
{
    const double threshold = t->x->train_loss_watchdog_threshold;
    if (threshold < 0.0) return BT_OK;
    t->st.alarms = loss > threshold ? t->st.alarms + 1 : 0;
    if (t->st.alarms < t->x->train_loss_watchdog_patience) return BT_OK;
    return bt_fail(err, BT_DIVERGED,
                   "step %lld: the loss is %.4g, above train.loss_watchdog_threshold (%g) for %lld steps",
                   (long long)t->st.step, loss, threshold, (long long)t->st.alarms);
}

static enum bt_status step(struct bt__trainer *t, struct bt_error *err)
{
    struct bt__step_result r;
    double begin = bt__clock();
    bt__learner_set_rate(t->learner, base_rate(t));
    bt__learner_reduce(t->learner, t->st.plateau.factor);
    enum bt_status st = bt__learner_step(t->learner, t->st.step, &r, err);
    if (st) return st;
    double seconds = bt__clock() - begin;
    t->st.step++;
    bt__batch_done(t, t->st.step);
    t->st.tokens += r.tokens;
    t->st.seconds += seconds;
    t->st.loss_sum += r.loss;
    t->st.loss_steps++;
    bt__account(t, &r, seconds);
    if (t->st.step % t->steps_per_epoch == 0) {
        bt__dynamics_write(t, t->st.step / t->steps_per_epoch);
        bt__dynamics_clear(t);
    }
    return watch(t, r.loss, err);
}

/* After an evaluation of the plan: has the metric stopped to improve? */
static void reduce_rate(struct bt__trainer *t)
{
    const struct bt_experiment *x = t->x;
    const struct bt__plateau_rule rule = {.greater = x->eval_greater_is_better != BT_GREATER_IS_BETTER_FALSE,
                                          .factor = x->optim_lr_reduce_factor,
                                          .patience = x->optim_lr_reduce_patience,
                                          .base = base_rate(t)};
    double figure = bt_metrics_get(&t->st.last.metrics, x->eval_metric_for_best_model);
    if (x->optim_lr_scheduler_type != BT_LR_REDUCE_ON_PLATEAU) return;
    if (bt__plateau_step(&t->st.plateau, &rule, figure))
        bt__tell(t, "learning rate reduced to %g: more than %lld evaluations without a better %s",
                 rule.base * t->st.plateau.factor, (long long)rule.patience, x->eval_metric_for_best_model);
}

/* A trial's study hears of each evaluation of the plan, and may end it here. */
static void ask_study(struct bt__trainer *t)
{
    struct bt_error err = {.status = BT_OK};
    struct bt__trial_answer a;
    const struct bt_trial_report r = {.step = t->st.step,
                                      .total = t->total,
                                      .tokens = t->st.tokens,
                                      .seconds = t->st.seconds,
                                      .value =
                                          bt_metrics_get(&t->st.last.metrics, bt__trial_metric(t->trial))};
    if (bt__trial_report(t->trial, &r, &a, &err)) {
        bt__warn(t, "the study does not know of this evaluation: %s", err.text);
        return;
    }
    if (a.text[0]) bt__tell(t, "%s", a.text);
    t->stop |= a.stop;
}

/* What is due after a step (or, when resumed, still due): evaluation, then a checkpoint. */
static enum bt_status after_step(struct bt__trainer *t, struct bt_error *err)
{
    bool better = false;
    enum bt_status st = BT_OK;
    if (bt__eval_due(t) && t->st.evaluated != t->st.step) {
        st = bt__eval(t, true, &better, err);
        if (st) return st;
        reduce_rate(t);
    }
    if (t->trial && bt__eval_due(t)) ask_study(t); /* when resumed, too: it may be to wait here still */
    bool save = better ? t->x->run_save_strategy != BT_SAVE_NO : bt__save_due(t);
    if (save && t->saved != t->st.step) bt__save(t);
    return BT_OK;
}

static bool done(const struct bt__trainer *t)
{
    return t->st.step >= t->total || t->st.stopped_early;
}

static enum bt_status first_eval(struct bt__trainer *t, struct bt_error *err)
{
    bool better;
    if (!t->x->eval_eval_on_start || t->st.step > 0 || t->setup.split[BT__VALIDATION].f.n == 0) return BT_OK;
    return bt__eval(t, false, &better, err);
}

static enum bt_status one_round(struct bt__trainer *t, struct bt_error *err)
{
    const double begin = bt__clock();
    enum bt_status st = step(t, err);
    if (!st) st = after_step(t, err);
    const double seconds = bt__clock() - begin;
    if (seconds > t->longest) t->longest = seconds;
    return st;
}

static enum bt_status train(struct bt__trainer *t, struct bt_error *err)
{
    enum bt_status st = first_eval(t, err);
    if (!st && t->st.step > 0) st = after_step(t, err);
    while (!st) {
        st = steer(t, err);
        if (st || t->stop || done(t) || time_is_up(t)) break;
        st = one_round(t, err);
    }
    if (!st && !t->stop && t->st.step % t->steps_per_epoch != 0)
        bt__dynamics_write(t, t->st.step / t->steps_per_epoch + 1);
    return st;
}

static void stopped(struct bt__trainer *t)
{
    bt__state(t, BT_RUN_STOPPING);
    if (t->x->run_save_strategy != BT_SAVE_NO && t->saved != t->st.step) bt__save(t);
    bt__tell(t, "stopped after step %lld of %lld", (long long)t->st.step, (long long)t->total);
    bt__flush(t);
    t->status.eta_s = (double)NAN;
    bt__state(t, BT_RUN_STOPPED);
}

static enum bt_status finished(struct bt__trainer *t, bool unsaved, struct bt_error *err)
{
    if (unsaved)
        return bt_fail(err, BT_IO, "the training is done, but its last weights could not be saved: %.300s",
                       t->status.error);
    bt__tell(t, "finished after %lld steps, %.0f s of training", (long long)t->st.step, t->st.seconds);
    bt__flush(t);
    t->status.eta_s = 0.0;
    bt__state(t, BT_RUN_FINISHED);
    return BT_OK;
}

enum bt_status bt__trainer_loop(struct bt__trainer *t, struct bt_error *err)
{
    double most = (double)INFINITY;
    if (t->x->run_max_time) bt_parse_duration(t->x->run_max_time, &most); /* it has been validated */
    t->until = t->begun + most;
    t->window = (struct bt__window){.clock = bt__clock(), .cpu = bt__proc_cpu_seconds()};
    bt__state(t, BT_RUN_TRAINING);
    enum bt_status st = train(t, err);
    bool unsaved = bt__save_due(t) && t->saved != t->st.step;
    if (!st && !t->stop) st = bt__eval_test(t, err);
    if (st == BT_CANCELLED) {
        t->stop = true;
        st = BT_OK;
    }
    if (st) return st;
    if (t->stop) {
        stopped(t);
        return BT_OK;
    }
    return finished(t, unsaved, err);
}
