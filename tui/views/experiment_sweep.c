/* The sweep section of the text as it stands becomes a study, once somebody has said yes to the number of its trials. */
#include "tui/views/experiment_view.h"

#include <bertty/queue.h>
#include <bertty/study.h>
#include <stdlib.h>
#include <string.h>

struct sweeping {
    struct view *v;
    bool dry; /* only to see how many */
    struct bt_experiment *x;
    struct bt_sweep sweep;
    char *runs_dir; /* NULL: the experiment's own */
    struct bt_study_outline outline;
    size_t started;
    uint64_t version;
    enum bt_status status;
    struct bt_error err;
};

static void sweeping_free(struct sweeping *w)
{
    if (!w) return;
    bt_experiment_free(w->x);
    bt_sweep_clear(&w->sweep);
    bt_study_outline_clear(&w->outline);
    free(w->runs_dir);
    free(w);
}

void exp_sweep_forget(struct exp_view *s)
{
    sweeping_free(s->sweep);
    s->sweep = NULL;
}

/* The lock may be somebody else's, who takes then what there is. */
static void run_sweeping(void *ctx, const atomic_bool *cancel)
{
    struct sweeping *w = ctx;
    struct bt_queue_taken taken = {.n = 0};
    const struct bt_study_request what = {.experiment = w->x, .sweep = &w->sweep, .runs_dir = w->runs_dir};
    (void)cancel;
    bt_study_outline_clear(&w->outline);
    w->status = bt_study_begin(&what, w->dry, &w->outline, &w->err);
    const struct bt_queue_taking how = {
        .runs_dir = w->outline.runs_dir, .by = "the workbench", .patience_s = 5};
    if (!w->status && !w->dry) w->status = bt_queue_take(&how, &taken, &w->err);
    if (w->status == BT_BUSY) w->status = BT_OK;
    w->started = taken.n;
    bt_queue_taken_clear(&taken);
}

static void swept(void *ctx, bool cancelled);

static void submit(struct sweeping *w)
{
    struct app_task t = {.run = run_sweeping, .done = swept, .ctx = w, .owner = w->v->state};
    if (app_submit(w->v->app, &t)) return;
    app_say(w->v->app, ROLE_BAD, "no memory");
    sweeping_free(w);
}

static void agreed(void *ctx)
{
    struct view *v = ctx;
    struct sweeping *w = exp_of(v)->sweep;
    exp_of(v)->sweep = NULL;
    if (!w) return;
    w->dry = false;
    submit(w);
}

/* Takes over w. */
static void ask(struct sweeping *w)
{
    const struct bt_study_outline *o = &w->outline;
    struct view *v = w->v;
    struct bt_str question = {0};
    if (o->had)
        bt_str_addf(&question, "Add %zu trial%s to the %zu of study %s?", o->n, o->n == 1 ? "" : "s", o->had,
                    o->name);
    else
        bt_str_addf(&question, "Begin study %s with %zu trial%s, each a run?", o->name, o->n,
                    o->n == 1 ? "" : "s");
    exp_sweep_forget(exp_of(v));
    exp_of(v)->sweep = w;
    app_confirm(v->app, bt_str_text(&question), agreed, v);
    bt_str_free(&question);
}

static void begun(struct sweeping *w)
{
    struct app *a = w->v->app;
    exp_of(w->v)->launched = w->version;
    app_refresh(a);
    if (app_in_front(a, w->v))
        app_open(a, VIEW_STUDY, &(struct app_request){.study = w->outline.name, .step = -1});
    app_say(a, ROLE_GOOD, "study %s: %zu trial%s%s; %s", w->outline.name, w->outline.n,
            w->outline.n == 1 ? "" : "s", w->outline.had ? " more" : "",
            w->started ? "the first has started" : "they wait for room in the queue");
}

static void swept(void *ctx, bool cancelled)
{
    struct sweeping *w = ctx;
    struct app *a = w->v->app;
    bool current = !cancelled && (!w->dry || w->version == form_version(exp_of(w->v)->form));
    if (current && w->status)
        exp_say_failed_launch(w->v, &w->err);
    else if (current && w->dry && w->outline.n == 0)
        app_say(a, ROLE_WARN, "study %s has all of these trials already", w->outline.name);
    else if (current && w->dry && app_in_front(a, w->v)) {
        ask(w);
        return;
    } else if (current && !w->dry)
        begun(w);
    sweeping_free(w);
}

void exp_sweep(struct view *v)
{
    struct exp_view *s = exp_of(v);
    size_t n;
    if (!s->ready || !exp_fit_to_launch(v)) return;
    struct sweeping *w = calloc(1, sizeof *w);
    if (!w) {
        app_say(v->app, ROLE_BAD, "no memory");
        return;
    }
    const struct bt_experiment *values = form_values(s->form);
    const char *text = form_text(s->form, &n), *path = form_path(s->form);
    w->v = v;
    w->dry = true;
    w->version = form_version(s->form);
    if (!values->set[BT_OPTION_run_output_dir]) w->runs_dir = bt_strdup(app_runs_dir(v->app));
    w->status = bt_experiment_copy(values, &w->x, &w->err);
    if (!w->status) w->status = bt_sweep_parse(text, n, path ? path : "this text", &w->sweep, &w->err);
    if (!w->status) {
        app_say(v->app, ROLE_TEXT, "counting the trials …");
        submit(w);
        return;
    }
    app_say_error(v->app, &w->err);
    sweeping_free(w);
}
