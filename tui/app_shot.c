/* The workbench driven without a terminal, for a picture: keys in, a frame that has come to rest out. */
#include "tui/app_private.h"
#include <bertty/num.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* The views are told that this much time passes between two looks: what waits for a pause comes. */
static const double STEP_S = 0.5;
/* Frames that must be alike; looks at most, for what never rests (a run that is being trained); how long a task may take. */
enum { ALIKE = 4, MAX_LOOKS = 60, MAX_WORK_S = 120 };

struct shooting {
    struct app *app;
    double now; /* as the views are told */
};

/* Tasks that end may begin others. */
static enum bt_status finish_work(struct app *a, struct bt_error *err)
{
    double until = app_now() + MAX_WORK_S;
    while (!tasks_idle(a->tasks)) {
        struct pollfd wake = {.fd = tasks_fd(a->tasks), .events = POLLIN};
        if (app_now() > until)
            return bt_fail(err, BT_UNSUPPORTED, "the view is still at work after %d s", MAX_WORK_S);
        poll(&wake, 1, 100);
        tasks_finish(a->tasks);
    }
    return BT_OK;
}

static enum bt_status settle(struct shooting *s, struct bt_error *err)
{
    struct app *a = s->app;
    uint64_t before = 0;
    for (int looks = 0, alike = 0; alike < ALIKE && looks < MAX_LOOKS; looks++) {
        enum bt_status status = finish_work(a, err);
        if (status != BT_OK) return status;
        app_tick(a, s->now += STEP_S);
        if ((status = finish_work(a, err)) != BT_OK) return status;
        app_draw(a);
        uint64_t sum = picture_sum(a->term);
        alike = sum == before ? alike + 1 : 1;
        before = sum;
    }
    return BT_OK;
}

/* ── keys ── */

static enum bt_status parse_key(const char *name, struct event *e, struct bt_error *err)
{
    *e = (struct event){.kind = EVENT_KEY};
    if ((e->key = key_parse(name, &e->alt))) return BT_OK;
    const char *near = key_nearest(name);
    if (near) return bt_fail(err, BT_INVALID, "no key '%s' (did you mean '%s'?)", name, near);
    return bt_fail(err, BT_INVALID,
                   "no key '%s': there are a, Space, Enter, Esc, Tab, Up, PgDn, F1, Ctrl-r, Alt-x, …", name);
}

/* Presses them, or with s NULL only looks at their names. */
static enum bt_status press_keys(struct shooting *s, const char *keys, struct bt_error *err)
{
    enum bt_status status = BT_OK;
    for (const char *p = keys; p && status == BT_OK && *(p += strspn(p, " ")); p += strcspn(p, " ")) {
        char *name = bt_strndup(p, strcspn(p, " "));
        struct event e;
        status = name ? parse_key(name, &e, err) : bt_fail(err, BT_NOMEM, "the keys");
        free(name);
        if (!s || status != BT_OK) continue;
        app_event(s->app, &e);
        status = settle(s, err);
    }
    return status;
}

/* ── the picture ── */

static enum bt_status show(struct shooting *s, enum view_id view, const char *file, struct bt_error *err)
{
    app_refresh(s->app);
    enum bt_status status =
        finish_work(s->app, err); /* views open on a list that is known, as they do on the screen */
    if (status != BT_OK) return status;
    if (file)
        app_open(s->app, view, &(struct app_request){.path = file});
    else
        app_show(s->app, view);
    return settle(s, err);
}

static double given_clock(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    int64_t seconds;
    return text && bt_parse_int64(text, &seconds) && seconds > 0 ? (double)seconds : 0;
}

static enum bt_status take(struct app *a, const struct app_options *o, const struct app_shot *shot,
                           enum view_id view, struct bt_error *err)
{
    const struct term_options t = {
        .theme = a->theme, .glyphs = o->ascii ? PLOT_ASCII : -1, .colours = o->colours};
    struct shooting s = {.app = a, .now = app_now()};
    a->clock = given_clock();
    enum bt_status status = picture_open(&t, shot->rows, shot->columns, &a->term, err);
    if (status == BT_OK) status = show(&s, view, o->open, err);
    return status == BT_OK ? press_keys(&s, shot->keys, err) : status;
}

enum bt_status app_shot(const struct app_options *o, const struct app_shot *shot, struct bt_str *out,
                        struct bt_error *err)
{
    enum view_id view;
    struct theme *t = NULL;
    struct app *a = NULL;
    enum bt_status status = view_named(shot->view, &view, err);
    if (status == BT_OK) status = press_keys(NULL, shot->keys, err);
    if (status == BT_OK && o->open && view != VIEW_DATA && view != VIEW_EXPERIMENT)
        status = bt_fail(err, BT_INVALID, "a file is opened in data or experiment, not in %s", shot->view);
    if (status == BT_OK && o->theme)
        status = theme_load(o->theme, &t, err); /* a faulty one is not replaced */
    theme_free(t);
    if (status != BT_OK) return status;
    state_forget();
    status = app_new(o, &a, err);
    if (status == BT_OK) status = take(a, o, shot, view, err);
    if (status == BT_OK) picture_write(a->term, shot->format, out);
    if (status == BT_OK && out->failed) status = bt_fail(err, BT_NOMEM, "the picture");
    if (a) term_close(a->term);
    app_free(a);
    return status;
}
