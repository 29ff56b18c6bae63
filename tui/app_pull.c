/* `:pull NAME`: a model from the hub while the workbench goes on. One at a time; leaving the workbench ends it, and the next goes on from there. */
#include "tui/app_private.h"
#include <bertty/hub.h>
#include <stdlib.h>
#include <string.h>

struct pull {
    struct app *app;
    char *name;
    const char *said; /* the line at the bottom, as long as it is ours; only compared */
    const atomic_bool *cancel;
    _Atomic int64_t done, total; /* bytes */
    enum bt_status status;
    struct bt_pull_result result;
    struct bt_error err;
};

static void on_progress(void *ctx, const struct bt_pull_progress *p)
{
    struct pull *l = ctx;
    atomic_store(&l->done, p->total_done);
    atomic_store(&l->total, p->total);
}

static bool on_interrupt(void *ctx)
{
    const struct pull *l = ctx;
    return atomic_load(l->cancel);
}

static void run(void *ctx, const atomic_bool *cancel)
{
    struct pull *l = ctx;
    l->cancel = cancel;
    const struct bt_pull_request r = {.name = l->name,
                                      .retries = BT_PULL_RETRIES,
                                      .progress = on_progress,
                                      .interrupted = on_interrupt,
                                      .ctx = l};
    l->status = bt_hub_pull(&r, &l->result, &l->err);
}

static void done(void *ctx, bool cancelled)
{
    struct pull *l = ctx;
    struct app *a = l->app;
    a->pull = NULL;
    if (cancelled)
        app_say(a, ROLE_WARN, "%s: stopped; :pull goes on from here", l->name);
    else if (l->status)
        app_say_error(a, &l->err);
    else
        app_say(a, ROLE_GOOD, "%s is in the cache: %zu files, %zu of them fetched now", l->name,
                l->result.files, l->result.fetched);
    app_redraw_now(a);
    bt_pull_result_clear(&l->result);
    free(l->name);
    free(l);
}

static void say_progress(struct pull *l)
{
    double mib = 1048576.0;
    app_say(l->app, ROLE_TEXT, "%s: fetching, %.1f of %.1f MiB", l->name, (double)atomic_load(&l->done) / mib,
            (double)atomic_load(&l->total) / mib);
    l->said = l->app->message;
}

void pull_tick(struct app *a)
{
    if (a->pull && (!a->message || a->message == a->pull->said)) say_progress(a->pull);
}

static void stop(void *ctx)
{
    struct app *a = ctx;
    if (a->pull) app_cancel(a, &a->pull);
}

static void ask_to_stop(struct app *a)
{
    char *question = bt_strfmt("%s is being fetched: stop that?", a->pull->name);
    if (question) app_confirm(a, question, stop, a);
    free(question);
}

void pull_run(struct app *a, const char *name)
{
    if (a->pull) {
        ask_to_stop(a);
        return;
    }
    if (!bt_hub_is_name(name)) {
        app_say(a, ROLE_BAD, "pull: %s%sexpected the name of a model: org/name", name, *name ? ": " : "");
        return;
    }
    struct pull *l = calloc(1, sizeof *l);
    if (l) *l = (struct pull){.app = a, .name = bt_strdup(name)};
    struct app_task t = {.run = run, .done = done, .ctx = l, .owner = &a->pull};
    if (l && l->name && app_submit(a, &t)) {
        a->pull = l;
        say_progress(l);
        return;
    }
    app_say(a, ROLE_BAD, "pull: no memory");
    if (l) free(l->name);
    free(l);
}
