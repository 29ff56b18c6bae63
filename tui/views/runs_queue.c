/* The queue in the Runs view: what a run waits for, and the keys that change it. */
#include "tui/views/runs_view.h"

#include <bertty/file.h>
#include <bertty/num.h>
#include <bertty/queue.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMED = 3 }; /* running runs that are named */

/* ── what it waits for ── */

static void name_running(const struct view *v, struct bt_str *out)
{
    const struct bt_run_list *l = app_runs(v->app);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!bt_run_state_alive(l->run[i].state)) continue;
        if (n++ < NAMED) bt_str_addf(out, "%s%s", n == 1 ? "waits for " : " or ", l->run[i].id);
    }
    if (n > NAMED) bt_str_addf(out, " or %zu more", n - NAMED);
    if (n)
        bt_str_addf(out, " to end: %zu running, %lld at a time", n, (long long)app_queue(v->app)->limit);
    else
        bt_str_add(out, "nothing runs: it is about to start");
}

void runs_queue_why(const struct view *v, const struct bt_run_status *s, struct bt_str *out)
{
    const struct app_queue *q = app_queue(v->app);
    char host[65] = "";
    (void)!gethostname(host, sizeof host - 1);
    if (s->place > 1 && !q->fault) bt_str_addf(out, "%lld before it in the queue; ", (long long)s->place - 1);
    if (q->fault)
        bt_str_add(out, q->fault);
    else if (q->held)
        bt_str_add(out, "the queue is held: W lets it go on");
    else if (s->host && strcmp(s->host, host) != 0)
        bt_str_addf(out, "it was queued on %s, which takes it; R starts it here", s->host);
    else
        name_running(v, out);
}

/* ── changing it, on a worker ── */

enum queue_deed { DEED_MOVE, DEED_AGAIN, DEED_START, DEED_HOLD, DEED_LIMIT };

struct queue_job {
    struct view *v;
    enum queue_deed deed;
    int64_t number; /* an enum bt_queue_move; whether to hold; the limit; then the place */
    char *dir;      /* of the run */
    char *runs_dir;
    enum bt_status status;
    struct bt_error err;
};

static void start_one(struct queue_job *j)
{
    struct bt_queue_taken taken;
    const struct bt_queue_taking how = {
        .runs_dir = j->runs_dir, .by = "the workbench", .only = j->dir, .patience_s = 20};
    j->status = bt_queue_take(&how, &taken, &j->err);
    bt_queue_taken_clear(&taken);
}

static void run_job(void *ctx, const atomic_bool *cancel)
{
    struct queue_job *j = ctx;
    if (atomic_load(cancel)) return;
    switch (j->deed) {
    case DEED_MOVE:
        j->status = bt_queue_move(j->dir, (enum bt_queue_move)j->number, &j->number, &j->err);
        break;
    case DEED_AGAIN:
        j->status = bt_queue_again(j->dir, &j->err);
        break;
    case DEED_START:
        start_one(j);
        break;
    case DEED_HOLD:
        j->status = bt_queue_hold(j->runs_dir, j->number != 0, &j->err);
        break;
    case DEED_LIMIT:
        j->status = bt_queue_limit(j->runs_dir, j->number, &j->err);
        break;
    }
}

static void say_done(const struct queue_job *j)
{
    struct app *a = j->v->app;
    const char *id = j->dir ? bt_path_base(j->dir) : "";
    switch (j->deed) {
    case DEED_MOVE:
        app_say(a, ROLE_GOOD, "%s is number %lld in the queue", id, (long long)j->number);
        break;
    case DEED_AGAIN:
        app_say(a, ROLE_GOOD, "%s is queued to go on", id);
        break;
    case DEED_START:
        app_say(a, ROLE_GOOD, "%s has left the queue and starts", id);
        break;
    case DEED_HOLD:
        app_say(a, ROLE_GOOD, j->number ? "the queue is held: W lets it go on" : "the queue goes on");
        break;
    case DEED_LIMIT:
        app_say(a, ROLE_GOOD, "%lld of the queue's runs at a time", (long long)j->number);
        break;
    }
}

static void free_job(struct queue_job *j)
{
    free(j->dir);
    free(j->runs_dir);
    free(j);
}

static void job_done(void *ctx, bool cancelled)
{
    struct queue_job *j = ctx;
    if (!cancelled && j->status)
        app_say_error(j->v->app, &j->err);
    else if (!cancelled)
        say_done(j);
    if (!cancelled) app_refresh(j->v->app);
    free_job(j);
}

/* dir NULL: the deed is about the whole queue. */
static void submit(struct view *v, enum queue_deed deed, const char *dir, int64_t number)
{
    struct queue_job *j = calloc(1, sizeof *j);
    if (j)
        *j = (struct queue_job){.v = v,
                                .deed = deed,
                                .number = number,
                                .dir = bt_strdup(dir),
                                .runs_dir = bt_strdup(app_runs_dir(v->app))};
    struct app_task t = {.run = run_job, .done = job_done, .ctx = j, .owner = v->state};
    if (j && j->runs_dir && (j->dir || !dir) && app_submit(v->app, &t)) return;
    app_say(v->app, ROLE_BAD, "no memory");
    if (j) free_job(j);
}

/* ── keys ── */

static void move(struct view *v, const struct bt_run_status *here, enum bt_queue_move how)
{
    if (here->state == BT_RUN_QUEUED)
        submit(v, DEED_MOVE, here->dir, how);
    else
        app_say(v->app, ROLE_WARN, "%s is %s, not queued", here->id, bt_run_state_name(here->state));
}

void runs_queue_up(struct view *v, const struct bt_run_status *here)
{
    move(v, here, BT_QUEUE_UP);
}

void runs_queue_down(struct view *v, const struct bt_run_status *here)
{
    move(v, here, BT_QUEUE_DOWN);
}

void runs_queue_first(struct view *v, const struct bt_run_status *here)
{
    move(v, here, BT_QUEUE_FIRST);
}

void runs_queue_again(struct view *v, const struct bt_run_status *here)
{
    submit(v, DEED_AGAIN, here->dir, 0);
}

void runs_queue_start(struct view *v, const struct bt_run_status *here)
{
    app_say(v->app, ROLE_TEXT, "starting %s …", here->id);
    submit(v, DEED_START, here->dir, 0);
}

void runs_queue_hold(struct view *v)
{
    if (app_queue(v->app)->waiting)
        submit(v, DEED_HOLD, NULL, !app_queue(v->app)->held);
    else
        app_say(v->app, ROLE_TEXT, "nothing is queued: Q in Experiment queues a run");
}

static void limit_typed(void *ctx, const char *text)
{
    struct view *v = ctx;
    int64_t n;
    if (!text || !*text) return;
    if (bt_parse_int64(text, &n) && n >= 1 && n <= BT_QUEUE_MOST)
        submit(v, DEED_LIMIT, NULL, n);
    else
        app_say(v->app, ROLE_BAD, "\"%s\": expected a number from 1 to %d", text, BT_QUEUE_MOST);
}

void runs_queue_limit(struct view *v)
{
    struct app_prompt p = {.what = "how many runs of the queue at a time: ",
                           .history = "queue-limit",
                           .done = limit_typed,
                           .ctx = v};
    app_ask(v->app, &p);
}
