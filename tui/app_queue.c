/* The queue of the runs directory: what the views know of it, and its next run, started by the workbench where no engine is left to do that. */
#include "tui/app_private.h"
#include <bertty/file.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double AGAIN_S = 60.0; /* after nothing could be started */

void queue_read(struct queue_state *q, const char *runs_dir, const struct bt_run_list *list)
{
    struct bt_error err = {.status = BT_OK};
    *q = (struct queue_state){.known = {.limit = 1}};
    for (size_t i = 0; i < list->n; i++) q->known.waiting += list->run[i].state == BT_RUN_QUEUED;
    if (!q->known.waiting) return;
    if (bt_queue_settings(runs_dir, &q->known.limit, &q->known.held, &err)) q->fault = bt_strdup(err.text);
    q->known.fault = q->fault;
}

void queue_state_clear(struct queue_state *q)
{
    free(q->fault);
    *q = (struct queue_state){.known = {.limit = 1}};
}

bool queue_same(const struct queue_state *a, const struct queue_state *b)
{
    const char *x = a->fault ? a->fault : "", *y = b->fault ? b->fault : "";
    return a->known.limit == b->known.limit && a->known.held == b->known.held && strcmp(x, y) == 0;
}

const struct app_queue *app_queue(const struct app *a)
{
    return &a->runs.queue.known;
}

/* ── taking ── */

struct taking {
    struct app *app;
    char *runs_dir;
    struct bt_queue_taken taken;
    enum bt_status status;
    struct bt_error err;
};

static void run_take(void *ctx, const atomic_bool *cancel)
{
    struct taking *t = ctx;
    const struct bt_queue_taking how = {.runs_dir = t->runs_dir, .by = "the workbench"};
    if (!atomic_load(cancel) && access(t->runs_dir, W_OK) == 0) /* else they are not ours to start */
        t->status = bt_queue_take(&how, &t->taken, &t->err);
}

static void say_started(struct app *a, const struct bt_queue_taken *t)
{
    if (t->n == 1)
        app_say(a, ROLE_GOOD, "%s has left the queue and starts", bt_path_base(t->dir[0]));
    else if (t->n)
        app_say(a, ROLE_GOOD, "%zu runs have left the queue and start", t->n);
}

/* Somebody else who is taking just now is no trouble; the same trouble is told once. */
static void took(void *ctx, bool cancelled)
{
    struct taking *t = ctx;
    struct app *a = t->app;
    if (!cancelled) {
        bool again = t->status && a->queue_fault && strcmp(a->queue_fault, t->err.text) == 0;
        if (t->status && t->status != BT_BUSY && !again) app_say_error(a, &t->err);
        free(a->queue_fault);
        a->queue_fault = t->status ? bt_strdup(t->err.text) : NULL;
        say_started(a, &t->taken);
        if (t->taken.n)
            app_refresh(a);
        else if (t->status != BT_BUSY)
            a->queue_rests = app_now() + AGAIN_S;
    }
    bt_queue_taken_clear(&t->taken);
    free(t->runs_dir);
    free(t);
}

void queue_tick(struct app *a)
{
    if (!a->runs.queue.ready || app_now() < a->queue_rests || app_pending(a, &a->queue_rests)) return;
    struct taking *t = calloc(1, sizeof *t);
    if (t) *t = (struct taking){.app = a, .runs_dir = bt_strdup(a->runs.dir)};
    if (t && t->runs_dir &&
        app_submit(a, &(struct app_task){.run = run_take, .done = took, .ctx = t, .owner = &a->queue_rests}))
        return;
    if (t) free(t->runs_dir);
    free(t);
}
