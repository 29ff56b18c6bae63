/* Reading an audit for the Predictions view, and queueing the runs that it misses. */
#include "tui/views/predictions_audit.h"

#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct view *v;
    char *run, *runs_dir;
    struct pred_audit_found f;
    size_t queued;
    enum bt_status status;
    struct bt_error err; /* of queueing */
};

static void found_clear(struct pred_audit_found *f)
{
    free(f->name);
    free(f->path);
    bt_audit_plan_clear(&f->plan);
    bt_audit_free(f->a);
    pred_texts_free(f->texts);
    bt_label_decisions_clear(&f->decided);
    bt_experiment_free(f->x);
    *f = (struct pred_audit_found){.name = NULL};
}

static void job_free(struct job *j)
{
    found_clear(&j->f);
    free(j->run);
    free(j->runs_dir);
    free(j);
}

void pred_audit_forget(struct pred_view *s)
{
    struct pred_audit *a = s->audit;
    if (!a) return;
    found_clear(&a->f);
    free(a->decided);
    free(a->undo);
    free(a->index);
    sheet_free(&a->side);
    sheet_free(&a->detail);
    bool loading = a->loading;
    *a = (struct pred_audit){.loading = loading, .again = loading, .detail_row = SIZE_MAX};
}

/* ── reading ── */

static void read_data(struct pred_audit_found *f)
{
    const struct bt_data_spec spec = bt_experiment_split(f->x, "train");
    f->texts = pred_texts_read(f->x, "train", 0);
    if (bt_audit_data(&f->plan, &spec, f->data, &f->other)) return;
    if (bt_path_exists(f->path) && !bt_label_decisions_load(f->path, &f->decided, &f->other))
        bt_label_decisions_about(&f->decided, f->path, f->data, &f->other);
}

static void read_audit(const struct job *j, struct pred_audit_found *f)
{
    if (bt_audit_of_run(j->run, j->runs_dir, &f->x, &f->folds, &f->err)) return;
    f->name = bt_experiment_name(f->x);
    f->path = bt_audit_decisions_path(f->x, j->runs_dir);
    if (!f->name || !f->path) {
        bt_fail(&f->err, BT_NOMEM, "no memory for an audit");
        return;
    }
    if (bt_audit_plan(f->x, f->folds, j->runs_dir, &f->plan, &f->err) || f->plan.finished < f->plan.n) return;
    if (bt_audit_load(&f->plan, &f->a, &f->err) == BT_OK) read_data(f);
}

static void load_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    (void)cancel;
    read_audit(j, &j->f);
}

static struct job *job_new(struct view *v)
{
    const struct pred_view *s = v->state;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct job){.v = v, .run = bt_strdup(s->run), .runs_dir = bt_strdup(app_runs_dir(v->app))};
    if (j->run && j->runs_dir) return j;
    job_free(j);
    return NULL;
}

static bool submit(struct job *j, void (*run)(void *, const atomic_bool *), void (*done)(void *, bool))
{
    const struct pred_view *s = j->v->state;
    const struct app_task t = {.run = run, .done = done, .ctx = j, .owner = &s->audit->owner};
    if (app_submit(j->v->app, &t)) return true;
    job_free(j);
    return false;
}

/* The same audit read again keeps what may be taken back, as far as its rows are the same. */
static void take_over(struct view *v, struct job *j)
{
    const struct pred_view *s = v->state;
    struct pred_audit *a = s->audit;
    bool same = a->f.a && j->f.a && a->f.a->n == j->f.a->n && strcmp(a->f.path, j->f.path) == 0;
    found_clear(&a->f);
    a->f = j->f;
    j->f = (struct pred_audit_found){.name = NULL};
    if (!same) a->n_undo = 0;
    pred_audit_take_decisions(a);
    if (!same) pred_audit_to_open(a);
    pred_audit_select(v);
}

static void load_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    const struct pred_view *s = v->state;
    bool ours = !cancelled && s->run && strcmp(s->run, j->run) == 0;
    s->audit->loading = false;
    if (ours && !s->audit->again) take_over(v, j);
    job_free(j);
    app_redraw_now(v->app);
    if (s->audit->again && !cancelled) pred_audit_load(v);
}

void pred_audit_load(struct view *v)
{
    struct pred_view *s = v->state;
    if (!s->audit && (s->audit = calloc(1, sizeof *s->audit))) s->audit->detail_row = SIZE_MAX;
    if (!s->audit || !s->run) return;
    s->audit->again = s->audit->loading;
    if (s->audit->loading) return;
    struct job *j = job_new(v);
    s->audit->seen = app_runs_version(v->app);
    s->audit->loading = j && submit(j, load_run, load_done);
}

void pred_audit_follow(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct pred_audit *a = s->audit;
    if (a && !a->loading && !a->f.a && a->seen != app_runs_version(v->app)) pred_audit_load(v);
}

/* ── queueing ── */

static void queue_run(void *ctx, const atomic_bool *cancel)
{
    struct job *j = ctx;
    struct pred_audit_found f = {.name = NULL};
    (void)cancel;
    j->status = bt_audit_of_run(j->run, j->runs_dir, &f.x, &f.folds, &j->err);
    if (!j->status) j->status = bt_audit_plan(f.x, f.folds, j->runs_dir, &f.plan, &j->err);
    if (!j->status) j->status = bt_audit_queue(f.x, &f.plan, j->runs_dir, &j->queued, &j->err);
    found_clear(&f);
}

static void queue_done(void *ctx, bool cancelled)
{
    struct job *j = ctx;
    struct view *v = j->v;
    if (j->status)
        app_say_error(v->app, &j->err);
    else if (!cancelled)
        app_say(v->app, ROLE_GOOD, "%zu run%s queued: the list is here when all of them are trained",
                j->queued, j->queued == 1 ? "" : "s");
    job_free(j);
    app_refresh(v->app);
    if (!cancelled) pred_audit_load(v);
}

static void queue_now(void *ctx)
{
    struct view *v = ctx;
    struct job *j = job_new(v);
    if (j) submit(j, queue_run, queue_done);
}

bool pred_audit_queue(struct view *v)
{
    const struct pred_view *s = v->state;
    const struct pred_audit_found *f = &s->audit->f;
    const size_t missing = f->plan.n - f->plan.finished - f->plan.alive;
    if (!f->plan.n || f->err.status) return true;
    if (!missing) {
        app_say(v->app, ROLE_TEXT,
                f->a ? "all runs of the audit are finished" : "all runs of the audit are on their way");
        return true;
    }
    char *question = bt_strfmt("Queue %zu run%s of the audit of %s, each as long as one training?", missing,
                               missing == 1 ? "" : "s", f->name);
    if (question) app_confirm(v->app, question, queue_now, v);
    free(question);
    return true;
}
