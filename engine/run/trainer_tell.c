/* Where the news of a run goes: log.txt, status.json, the event file, the caller's progress. */
#include "run/train_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

double bt__epoch(const struct bt__trainer *t)
{
    return t->steps_per_epoch ? (double)t->st.step / (double)t->steps_per_epoch : 0.0;
}

static struct bt_progress progress(const struct bt__trainer *t, enum bt_progress_kind kind, const char *text)
{
    const double none = (double)NAN;
    return (struct bt_progress){.kind = kind,
                                .text = text,
                                .dir = t->run ? t->run->dir : NULL,
                                .step = t->st.step,
                                .total = t->total,
                                .epoch = bt__epoch(t),
                                .loss = t->status.train_loss,
                                .learning_rate = none,
                                .tokens_per_s = t->status.tokens_per_s,
                                .eta_s = t->status.eta_s};
}

static void send(const struct bt__trainer *t, const struct bt_progress *p)
{
    if (t->req->progress) t->req->progress(t->req->ctx, p);
}

static void tell(struct bt__trainer *t, enum bt_progress_kind kind, const char *text)
{
    struct bt_progress p = progress(t, kind, text);
    if (t->run) bt__rundir_log(t->run, text);
    send(t, &p);
}

void bt__tell_text(void *ctx, const char *text)
{
    tell(ctx, BT_PROGRESS_TEXT, text);
}

void bt__tell(struct bt__trainer *t, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tell(t, BT_PROGRESS_TEXT, text);
}

void bt__warn(struct bt__trainer *t, const char *fmt, ...)
{
    char text[1024], line[1100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(line, sizeof line, "warning: %s", text);
    snprintf(t->status.error, sizeof t->status.error, "%.500s", text);
    struct bt_progress p = progress(t, BT_PROGRESS_WARNING, text);
    if (t->run) bt__rundir_log(t->run, line);
    if (t->live) bt__status_write(&t->status, t->run, true);
    send(t, &p);
}

/* Once a run. */
static void warn_events(struct bt__trainer *t, const struct bt_error *err)
{
    if (t->warned_events) return;
    t->warned_events = true;
    bt__warn(t, "the curves: %s", err->text);
}

void bt__scalar(struct bt__trainer *t, const char *tag, int64_t step, double wall, double value)
{
    struct bt_error err = {.status = BT_OK};
    if (bt_events_scalar(t->events, tag, step, wall, value, &err)) warn_events(t, &err);
}

static void copy_state(struct bt__trainer *t)
{
    struct bt__status *s = &t->status;
    const char *metric = s->metric ? s->metric : "";
    if (!t->learner) return; /* a queued run that is not prepared yet keeps what it had */
    s->step = t->st.step;
    s->total = t->total;
    s->epoch = bt__epoch(t);
    s->epochs = t->steps_per_epoch ? (double)t->total / (double)t->steps_per_epoch : 0.0;
    s->best_step = t->st.best.step;
    s->best = t->st.best.step < 0 ? (double)NAN : bt_metrics_get(&t->st.best.metrics, metric);
    s->last_step = t->st.last.step;
    s->last = t->st.last.step < 0 ? (double)NAN : bt_metrics_get(&t->st.last.metrics, metric);
}

void bt__state(struct bt__trainer *t, enum bt_run_state s)
{
    t->status.state = s;
    copy_state(t);
    bt__status_write(&t->status, t->run, true);
}

static double time_left(const struct bt__trainer *t)
{
    int64_t steps = t->total - t->st.step;
    int64_t evals = bt__planned_evaluations(t->x, steps, t->steps_per_epoch);
    return (double)steps * t->step_seconds + (double)evals * t->eval_seconds;
}

void bt__flush(struct bt__trainer *t)
{
    struct bt_error err = {.status = BT_OK};
    if (t->batches && bt__batches_flush(t->batches, &err)) bt__batches_warn(t, &err);
    if (t->events && bt_events_flush(t->events, &err)) warn_events(t, &err);
}

/* A point of every curve. */
static void log_point(struct bt__trainer *t, const struct bt__step_result *r)
{
    struct bt__window *w = &t->window;
    const double now = bt__wall();
    double wall = bt__clock() - w->clock, cpu = bt__proc_cpu_seconds();
    t->status.train_loss = t->st.loss_sum / (double)t->st.loss_steps;
    bt__scalar(t, "train/loss", t->st.step, now, t->status.train_loss);
    bt__scalar(t, "train/learning_rate", t->st.step, now, r->learning_rate);
    bt__scalar(t, "train/grad_norm", t->st.step, now, r->grad_norm);
    bt__scalar(t, "train/epoch", t->st.step, now, bt__epoch(t));
    bt__scalar(t, "train/tokens", t->st.step, now, (double)t->st.tokens);
    bt__scalar(t, "train/tokens_per_s", t->st.step, now, t->status.tokens_per_s);
    bt__scalar(t, "system/rss_mib", t->st.step, now, bt__proc_rss_mib());
    bt__scalar(t, "system/cpu_percent", t->st.step, now, wall > 0.0 ? 100.0 * (cpu - w->cpu) / wall : 0.0);
    bt__flush(t);
    struct bt_progress p = progress(t, BT_PROGRESS_STEP, NULL);
    p.learning_rate = r->learning_rate;
    char line[160];
    snprintf(line, sizeof line, "step %lld of %lld  loss %.4f  learning rate %.3g  %.0f tokens/s",
             (long long)t->st.step, (long long)t->total, p.loss, p.learning_rate, p.tokens_per_s);
    bt__rundir_log(t->run, line);
    send(t, &p);
    t->st.loss_sum = 0.0;
    t->st.loss_steps = 0;
    *w = (struct bt__window){.clock = bt__clock(), .cpu = cpu};
}

void bt__account(struct bt__trainer *t, const struct bt__step_result *r, double seconds)
{
    t->window.seconds += seconds;
    t->window.tokens += r->tokens;
    t->step_seconds = t->step_seconds > 0.0 ? 0.95 * t->step_seconds + 0.05 * seconds : seconds;
    t->status.tokens_per_s = t->window.seconds > 0.0 ? (double)t->window.tokens / t->window.seconds : 0.0;
    t->status.eta_s = time_left(t);
    if (isnan(t->status.train_loss)) t->status.train_loss = r->loss;
    if (t->st.step % t->x->run_logging_steps == 0 || t->st.step == t->total) log_point(t, r);
    copy_state(t);
    bt__status_write(&t->status, t->run, false);
}
