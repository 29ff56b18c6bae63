/* What the Study view changes: a study that is held or let go, and a finer sweep written to a file. */
#include "tui/views/study_view.h"

#include <bertty/file.h>
#include <bertty/queue.h>
#include <stdlib.h>
#include <string.h>

/* ── holding ── */

struct holding {
    struct view *view;
    char *runs_dir, *name;
    bool held;
    struct bt_error err;
    enum bt_status status;
};

/* One that is let go wants its next trial at once. */
static void run_hold(void *ctx, const atomic_bool *cancel)
{
    static const double PATIENCE = 20; /* seconds: somebody may be starting an engine */
    struct holding *h = ctx;
    struct bt_queue_taken taken = {.n = 0};
    (void)cancel;
    const struct bt_queue_taking how = {
        .runs_dir = h->runs_dir, .by = "the workbench", .patience_s = PATIENCE};
    h->status = bt_study_hold(h->runs_dir, h->name, h->held, &h->err);
    if (!h->status && !h->held) h->status = bt_queue_take(&how, &taken, &h->err);
    bt_queue_taken_clear(&taken);
}

static void held(void *ctx, bool cancelled)
{
    struct holding *h = ctx;
    struct app *a = h->view->app;
    if (h->status && !cancelled)
        app_say_error(a, &h->err);
    else if (!cancelled)
        app_say(a, ROLE_GOOD, "%s: %s", h->name,
                h->held ? "no further trial is started; those that run go on" : "goes on");
    app_refresh(a);
    study_load(h->view);
    free(h->runs_dir);
    free(h->name);
    free(h);
}

bool study_hold(struct view *v)
{
    const struct bt_study *s = study_shown(study_of(v));
    struct holding *h = s ? calloc(1, sizeof *h) : NULL;
    if (!s) return false;
    if (h)
        *h = (struct holding){
            .view = v, .runs_dir = bt_strdup(s->runs_dir), .name = bt_strdup(s->name), .held = !s->held};
    struct app_task task = {.run = run_hold, .done = held, .ctx = h, .owner = &study_of(v)->owner_out};
    if (h && h->runs_dir && h->name && app_submit(v->app, &task)) return true;
    if (h) {
        free(h->runs_dir);
        free(h->name);
        free(h);
    }
    app_say(v->app, ROLE_BAD, "no memory");
    return true;
}

/* ── a finer sweep ── */

struct writing {
    struct view *view;
    char *runs_dir, *name, *path;
    size_t trial;
    struct bt_error err;
    enum bt_status status;
};

static void run_write(void *ctx, const atomic_bool *cancel)
{
    struct writing *w = ctx;
    struct bt_study s;
    struct bt_str text = {0};
    (void)cancel;
    w->status = bt_study_load(w->runs_dir, w->name, NULL, &s, &w->err);
    if (!w->status && w->trial >= s.n) w->status = bt_fail(&w->err, BT_NOTFOUND, "the trial has gone");
    if (!w->status) w->status = bt_study_finer(&s, w->trial, &text, &w->err);
    if (!w->status) w->status = bt_file_write_atomic(w->path, bt_str_text(&text), text.len, &w->err);
    bt_str_free(&text);
    bt_study_clear(&s);
}

static void writing_free(struct writing *w)
{
    free(w->runs_dir);
    free(w->name);
    free(w->path);
    free(w);
}

static void written(void *ctx, bool cancelled)
{
    struct writing *w = ctx;
    struct app *a = w->view->app;
    if (w->status && !cancelled) app_say_error(a, &w->err);
    if (!w->status && !cancelled) {
        if (app_in_front(a, w->view))
            app_open(a, VIEW_EXPERIMENT, &(struct app_request){.path = w->path, .step = -1});
        app_say(a, ROLE_GOOD, "written: %s; `bertty sweep` begins it", w->path);
    }
    writing_free(w);
}

static void write_finer(void *ctx)
{
    struct view *v = ctx;
    struct study_view *s = study_of(v);
    const struct bt_study *study = study_shown(s);
    struct writing *w = study && s->finer ? calloc(1, sizeof *w) : NULL;
    if (w)
        *w = (struct writing){.view = v,
                              .runs_dir = bt_strdup(study->runs_dir),
                              .name = bt_strdup(study->name),
                              .path = bt_strdup(s->finer),
                              .trial = s->finer_row};
    struct app_task task = {.run = run_write, .done = written, .ctx = w, .owner = &s->owner_out};
    if (w && w->runs_dir && w->name && w->path && app_submit(v->app, &task)) return;
    if (w) writing_free(w);
    app_say(v->app, ROLE_BAD, "no memory");
}

static void path_given(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct study_view *s = study_of(v);
    if (!text || !*text) return;
    free(s->finer);
    s->finer = bt_strdup(text);
    if (s->finer) app_confirm_replace(v->app, s->finer, write_finer, v);
}

bool study_finer(struct view *v)
{
    struct study_view *s = study_of(v);
    const struct bt_study *study = study_shown(s);
    const struct bt_trial *t = study_current(s);
    if (!study || !t) return false;
    char *path = bt_strfmt("%s-finer.yaml", study->name);
    s->finer_row = study_number(study, t) - 1;
    app_ask(v->app, &(struct app_prompt){.what = "experiment file of the finer sweep: ",
                                         .initial = path ? path : "",
                                         .history = "finer",
                                         .done = path_given,
                                         .ctx = v});
    free(path);
    return true;
}
