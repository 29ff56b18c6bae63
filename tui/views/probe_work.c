#include "tui/views/probe_work.h"

#include "tui/views/probe_view.h"
#include <stdlib.h>

enum { PAUSE = 2 /* ticks without a key */ };

struct probe_job {
    struct view *view;
    struct probe_work *work;
    struct probe_cache *cache;
    struct probe_wish *wish;
    void *order;
    struct probe_pace pace;
    void *found;
};

void probe_pace_progress(void *pace, int done, int all)
{
    struct probe_pace *p = pace;
    if (atomic_load(p->cancelled)) atomic_store(&p->stop, true);
    atomic_store(&p->done, done);
    atomic_store(&p->all, all);
}

/* ── one job ── */

static void job_free(struct probe_job *j)
{
    if (j->order) j->work->ops->order_free(j->order);
    if (j->found) j->work->ops->result_free(j->found);
    probe_wish_free(j->wish);
    free(j);
}

static void job_run(void *ctx, const atomic_bool *cancel)
{
    struct probe_job *j = ctx;
    j->pace.cancelled = cancel;
    if (atomic_load(cancel) || atomic_load(&j->pace.stop)) return;
    j->found = j->work->ops->run(j->cache, j->wish, j->order, &j->pace);
}

static void job_done(void *ctx, bool cancelled)
{
    struct probe_job *j = ctx;
    struct view *v = j->view;
    struct probe_work *w = j->work;
    w->job = NULL;
    if (!cancelled && !atomic_load(&j->pace.stop) && j->found) {
        void *old = w->found;
        w->found = j->found;
        j->found = old;
        app_redraw(v->app);
    }
    job_free(j);
    if (!cancelled) probe_below_go(v);
}

static struct probe_job *job_new(struct view *v, struct probe_work *w)
{
    const struct probe_view *s = v->state;
    struct probe_job *j = calloc(1, sizeof *j);
    if (!j) return NULL;
    *j = (struct probe_job){
        .view = v, .work = w, .cache = s->cache, .wish = probe_wish_of(v), .order = w->ops->order(v)};
    atomic_init(&j->pace.stop, false);
    atomic_init(&j->pace.done, 0);
    atomic_init(&j->pace.all, 0);
    if (j->wish && j->order) return j;
    job_free(j);
    return NULL;
}

/* ── the work ── */

/* The models are open, and unless that does not matter the text was answered. */
static bool ready(const struct probe_view *s, bool always)
{
    if (s->busy || s->stale || !s->found || !s->found->n) return false;
    return always || (!s->found->answer[0].error && s->found->answer[0].tokens);
}

void probe_work_go(struct view *v, struct probe_work *w)
{
    if (!w->due || w->wait > 0 || w->job || !ready(v->state, w->ops->always)) return;
    struct probe_job *j = job_new(v, w);
    if (!j) return;
    const struct app_task task = {.run = job_run, .done = job_done, .ctx = j, .owner = v};
    w->due = false;
    w->job = j;
    if (!app_submit(v->app, &task)) {
        w->job = NULL;
        job_free(j);
    }
    app_redraw(v->app);
}

void probe_work_changed(struct probe_work *w, bool typing)
{
    w->due = true;
    w->wait = typing ? PAUSE : 0;
    probe_work_stop(w);
}

void probe_work_stop(struct probe_work *w)
{
    if (w->job) atomic_store(&w->job->pace.stop, true);
}

void probe_work_tick(struct view *v, struct probe_work *w, bool shown)
{
    if (w->wait > 0) w->wait--;
    if (w->job && shown) app_redraw(v->app); /* its progress */
    if (shown) probe_work_go(v, w);
}

bool probe_work_progress(const struct probe_work *w, int *done, int *all)
{
    if (!w->job || atomic_load(&w->job->pace.stop)) return false;
    *done = atomic_load(&w->job->pace.done);
    *all = atomic_load(&w->job->pace.all);
    return true;
}

void probe_work_free(struct probe_work *w)
{
    if (w->found) w->ops->result_free(w->found);
    w->found = NULL;
}
