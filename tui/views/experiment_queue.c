/* A run for the queue: the values as they stand, fixed now. */
#include "tui/views/experiment_view.h"

#include <bertty/file.h>
#include <bertty/queue.h>
#include <stdlib.h>
#include <string.h>

struct queueing {
    struct view *v;
    struct bt_experiment *x;
    char *runs_dir; /* NULL: the experiment's own */
    char *dir;
    bool started; /* there was room */
    uint64_t version;
    enum bt_status status;
    struct bt_error err;
};

/* The lock may be somebody else's, who takes then what there is. */
static void take(struct queueing *q)
{
    struct bt_queue_taken taken = {.n = 0};
    char *above = bt_path_above(q->dir);
    const struct bt_queue_taking how = {.runs_dir = above, .by = "the workbench", .patience_s = 5};
    if (above) q->status = bt_queue_take(&how, &taken, &q->err);
    if (q->status == BT_BUSY) q->status = BT_OK;
    for (size_t i = 0; i < taken.n; i++)
        q->started |= strcmp(bt_path_base(taken.dir[i]), bt_path_base(q->dir)) == 0;
    bt_queue_taken_clear(&taken);
    free(above);
}

static void run_queueing(void *ctx, const atomic_bool *cancel)
{
    struct queueing *q = ctx;
    (void)cancel;
    q->status = bt_queue_add(q->x, NULL, q->runs_dir, &q->dir, &q->err);
    if (!q->status) take(q);
}

static void free_queueing(struct queueing *q)
{
    bt_experiment_free(q->x);
    free(q->runs_dir);
    free(q->dir);
    free(q);
}

static void queued(void *ctx, bool cancelled)
{
    struct queueing *q = ctx;
    struct app *a = q->v->app;
    if (!cancelled && q->dir) {
        exp_of(q->v)->launched = q->version;
        app_choose_run(a, q->dir);
        app_refresh(a);
    }
    if (!cancelled && q->status)
        exp_say_failed_launch(q->v, &q->err);
    else if (!cancelled && q->started)
        app_say(a, ROLE_GOOD, "%s starts at once: there was room", bt_path_base(q->dir));
    else if (!cancelled)
        app_say(a, ROLE_GOOD, "%s is queued; Runs (1) shows its place", bt_path_base(q->dir));
    free_queueing(q);
}

void exp_queue(struct view *v)
{
    struct exp_view *s = exp_of(v);
    if (!s->ready || !exp_fit_to_launch(v)) return;
    struct queueing *q = calloc(1, sizeof *q);
    struct app_task t = {.run = run_queueing, .done = queued, .ctx = q, .owner = v->state};
    if (q) {
        const struct bt_experiment *values = form_values(s->form);
        q->v = v;
        q->version = form_version(s->form);
        if (!values->set[BT_OPTION_run_output_dir]) q->runs_dir = bt_strdup(app_runs_dir(v->app));
        if (bt_experiment_copy(values, &q->x, &q->err) == BT_OK && app_submit(v->app, &t)) {
            app_say(v->app, ROLE_TEXT, "queueing …");
            return;
        }
        free_queueing(q);
    }
    app_say(v->app, ROLE_BAD, "no memory");
}
