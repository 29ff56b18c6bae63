/* The workbench's loop: events in, actions to views, frames out. */
#include "tui/app_private.h"
#include "tui/commands/cli.h"
#include <bertty/file.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const double TICK_S = 0.5, FIRST_LIST_S = 0.06, BURST_S = 0.02;
/* Between frames that nobody's key asked for: while somebody types and while somebody only watches; and what is waited for others to join. */
static const double FRAME_S = 0.1, WATCHED_FRAME_S = 0.5, TYPING_S = 3, JOIN_S = 0.03;
/* Of the time, frames that nobody asked for take one part in so many; but a line that has come to rest is not taken for a slow one for long. */
static const double LINK_SHARE = 3, MOST_PAUSE_S = 3;
enum { MAX_COUNT = 99999999, MAX_BURST = 512 };

double app_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

double app_clock(const struct app *a)
{
    struct timespec ts;
    if (a->clock > 0) return a->clock;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

struct term *app_term(struct app *a)
{
    return a->term;
}

void app_redraw(struct app *a)
{
    if (!a->redraw) a->asked = app_now();
    a->redraw = true;
}

void app_redraw_now(struct app *a)
{
    app_redraw(a);
    a->urgent = true;
}

void app_quit(struct app *a)
{
    a->quit = true;
}

bool app_counted(const struct app *a)
{
    return a->counting;
}

struct view *app_front(struct app *a)
{
    return &a->view[a->front];
}

bool app_in_front(const struct app *a, const struct view *v)
{
    return &a->view[a->front] == v && !a->overlay;
}

/* ── messages ── */

void app_say(struct app *a, enum role role, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    free(a->message);
    a->message = n < 0 ? NULL : text;
    a->message_role = role;
    app_redraw(a);
}

void app_say_error(struct app *a, const struct bt_error *err)
{
    app_say(a, ROLE_BAD, "%s", err->text[0] ? err->text : bt_status_name(err->status));
}

static void forget_message(struct app *a)
{
    free(a->message);
    a->message = NULL;
}

/* ── views ── */

static bool open_view(struct app *a, enum view_id id)
{
    struct view *v = &a->view[id];
    if (a->opened[id]) return true;
    v->state = calloc(1, v->ops->size ? v->ops->size : 1);
    if (!v->state || (v->ops->open && !v->ops->open(v))) {
        free(v->state);
        v->state = NULL;
        app_say(a, ROLE_BAD, "%s: no memory", v->ops->name);
        return false;
    }
    a->opened[id] = true;
    session_restore_view(a, v);
    return true;
}

void app_show(struct app *a, enum view_id id)
{
    if (!open_view(a, id)) return;
    a->front = (int)id;
    struct view *v = app_front(a);
    if (v->ops->shown) v->ops->shown(v);
    if (v->ops->tick) v->ops->tick(v, app_now());
    app_redraw(a);
}

void app_open(struct app *a, enum view_id id, const struct app_request *r)
{
    if (!open_view(a, id)) return;
    if (a->front != (int)id) a->from[id] = a->front;
    if (r && a->view[id].ops->receive) a->view[id].ops->receive(&a->view[id], r);
    app_show(a, id);
}

const struct bt_experiment *app_edited(const struct app *a, uint64_t *version)
{
    *version = 0;
    for (int i = 0; i < VIEWS; i++)
        if (a->opened[i] && a->view[i].ops->edited) return a->view[i].ops->edited(&a->view[i], version);
    return NULL;
}

void app_back(struct app *a)
{
    int to = a->from[a->front];
    a->from[a->front] = -1;
    if (to >= 0) app_show(a, (enum view_id)to);
}

/* ── actions ── */

static void really_quit(void *ctx)
{
    app_quit(ctx);
}

static void ask_to_quit(struct app *a)
{
    for (int i = 0; i < VIEWS; i++) {
        struct view *v = &a->view[i];
        if (!a->opened[i] || !v->ops->unsaved || !v->ops->unsaved(v)) continue;
        char *question = bt_strfmt("%s has unsaved changes. Leave without saving?", v->ops->name);
        if (question) app_confirm(a, question, really_quit, a);
        free(question);
        return;
    }
    app_quit(a);
}

static void move_focus(struct view *v, int by)
{
    int panes = v->ops->panes > 0 ? v->ops->panes : 1;
    v->focus = (v->focus + by + panes) % panes;
}

static void suspend(struct app *a)
{
    if (!term_suspend(a->term)) return;
    raise(SIGSTOP);
    term_resume(a->term);
}

/* False: not the workbench's. */
static bool act_own(struct app *a, int action, int count)
{
    struct view *v = app_front(a);
    if (action >= ACT_VIEW1 && action < ACT_VIEW1 + VIEWS) {
        a->from[action - ACT_VIEW1] = -1;
        app_show(a, (enum view_id)(action - ACT_VIEW1));
        return true;
    }
    switch (action) {
    case ACT_QUIT:
        ask_to_quit(a);
        return true;
    case ACT_HELP:
        help_open(a);
        return true;
    case ACT_COMMAND:
        command_open(a);
        return true;
    case ACT_NEXT_PANE:
    case ACT_PREVIOUS_PANE:
        move_focus(v, action == ACT_NEXT_PANE ? 1 : -1);
        return true;
    case ACT_ZOOM:
        v->zoom = !v->zoom;
        return true;
    case ACT_LARGER:
    case ACT_SMALLER:
    case ACT_USUAL_SIZE:
        border_act(a, action, count);
        return true;
    case ACT_REDRAW:
        term_redraw(a->term);
        return true;
    case ACT_THEME:
        theme_choose(a);
        return true;
    case ACT_SUSPEND:
        suspend(a);
        return true;
    default:
        return false;
    }
}

void app_act(struct app *a, int action, int count)
{
    struct view *v = app_front(a);
    app_redraw(a);
    if (act_own(a, action, count) || (v->ops->act && v->ops->act(v, action, count)) || action != ACT_ESCAPE)
        return;
    if (v->zoom)
        v->zoom = false;
    else
        app_back(a);
}

/* ── input ── */

/* A count begins with 0, for the other digits open views: "012j" is twelve down. */
static bool take_count(struct app *a, const struct event *e, int action)
{
    bool digit = e->key >= '0' && e->key <= '9' && !e->alt;
    bool begins = e->key == '0' && action == ACT_NONE;
    if (!digit || (!a->counting && !begins)) return false;
    int count = (a->counting ? a->count : 0) * 10 + (e->key - '0');
    a->count = count > MAX_COUNT ? MAX_COUNT : count;
    a->counting = true;
    app_say(a, ROLE_DIM, "%d×", a->count);
    return true;
}

static void on_key(struct app *a, const struct event *e)
{
    struct view *v = app_front(a);
    forget_message(a);
    app_redraw(a);
    if (a->overlay) {
        a->overlay->key(a, e);
        return;
    }
    if (v->ops->key && v->ops->key(v, e)) return;
    int action = keymap_find(a->keys, v->ops, e);
    if (take_count(a, e, action)) return;
    if (action == ACT_ESCAPE && a->counting) action = ACT_NONE;
    if (action != ACT_NONE) app_act(a, action, a->counting && a->count > 0 ? a->count : 1);
    a->counting = false;
}

static bool hit(struct rect r, const struct event *e)
{
    return e->y >= r.y && e->y < r.y + r.h && e->x >= r.x && e->x < r.x + r.w;
}

/* A click on a hint is its key. */
static void click_bottom(struct app *a, const struct event *e)
{
    int rows, columns;
    term_size(a->term, &rows, &columns);
    for (int i = 0; e->y == rows - 1 && i < a->n_hints; i++) {
        const struct hint *h = &a->hint[i];
        struct event key = {.kind = EVENT_KEY};
        if (e->x < h->x || e->x >= h->x + h->w) continue;
        key.key = key_parse(h->key, &key.alt);
        if (key.key) on_key(a, &key);
        return;
    }
}

static void on_mouse(struct app *a, const struct event *e)
{
    struct view *v = app_front(a);
    bool press = e->button == MOUSE_LEFT && !e->release && !e->drag;
    app_redraw(a);
    if (press) forget_message(a);
    if (a->overlay) {
        a->holding = false;
        if (a->overlay->mouse) a->overlay->mouse(a, e);
        return;
    }
    if (border_mouse(a, e)) return;
    for (int i = 0; press && i < VIEWS; i++)
        if (hit(a->tab[i], e)) app_act(a, ACT_VIEW1 + i, 1);
    if (press && hit(a->help, e)) help_open(a);
    if (press) click_bottom(a, e);
    if (hit(app_area(a), e) && v->ops->mouse) v->ops->mouse(v, e);
}

static void on_paste(struct app *a, const struct event *e)
{
    struct view *v = app_front(a);
    app_redraw(a);
    if (a->overlay && a->overlay->paste)
        a->overlay->paste(a, e);
    else if (!a->overlay && v->ops->key)
        v->ops->key(v, e);
}

static void autosave(struct app *a)
{
    for (int i = 0; i < VIEWS; i++)
        if (a->opened[i] && a->view[i].ops->autosave) a->view[i].ops->autosave(&a->view[i]);
}

void app_event(struct app *a, const struct event *e)
{
    if (e->kind != EVENT_NONE) {
        a->urgent = true;
        a->typed = app_now();
    }
    switch (e->kind) {
    case EVENT_KEY:
        on_key(a, e);
        break;
    case EVENT_MOUSE:
        on_mouse(a, e);
        break;
    case EVENT_PASTE:
        on_paste(a, e);
        break;
    case EVENT_RESIZE:
        app_redraw(a);
        break;
    case EVENT_BACKGROUND:
        theme_follow(a, e->light);
        break;
    case EVENT_HANGUP:
        alarm(1);
        autosave(a);
        a->ending = e->key ? e->key : -1;
        a->quit = true;
        break;
    case EVENT_NONE:
    case EVENT_ANSWER:
        break;
    }
}

/* ── the loop ── */

void app_tick(struct app *a, double now)
{
    a->ticked = now;
    runs_tick(a, now);
    pull_tick(a);
    for (int i = 0; i < VIEWS; i++) {
        struct view *v = &a->view[i];
        if (a->opened[i] && v->ops->tick && (i == a->front || v->ops->live)) v->ops->tick(v, now);
    }
}

/* When the next frame may be drawn: at once after input, else some time after the last; a slow link gets fewer, and has time left for keys. */
static double frame_due(const struct app *a)
{
    double pause = a->drawn - a->typed < TYPING_S ? FRAME_S : WATCHED_FRAME_S;
    double frame_s = a->frame_s > term_frame_s(a->term) ? a->frame_s : term_frame_s(a->term);
    double rest = frame_s * LINK_SHARE < MOST_PAUSE_S ? frame_s * LINK_SHARE : MOST_PAUSE_S;
    if (rest > pause) pause = rest;
    if (a->urgent) return 0;
    return a->drawn + pause > a->asked + JOIN_S ? a->drawn + pause : a->asked + JOIN_S;
}

static void draw_if_due(struct app *a)
{
    double now = app_now();
    if (!a->redraw || now < frame_due(a) || term_busy(a->term, a->urgent)) return;
    a->redraw = a->urgent = false;
    app_draw(a);
    a->drawn = app_now();
    a->frame_s = a->drawn - now;
}

static int wait_ms(struct app *a, double now)
{
    double until = a->ticked + TICK_S, due = frame_due(a);
    bool busy = a->redraw && term_busy(a->term, a->urgent); /* its end wakes us */
    if (a->redraw && !busy && due < until) until = due;
    return until <= now ? 0 : (int)((until - now) * 1000) + 1;
}

static void turn(struct app *a)
{
    struct event e;
    double now = app_now();
    term_event(a->term, wait_ms(a, now), tasks_fd(a->tasks), &e);
    double began = app_now();
    app_event(a, &e);
    for (int i = 0; i < MAX_BURST && e.kind != EVENT_NONE && !a->quit && app_now() - began < BURST_S; i++) {
        term_event(a->term, 0, -1, &e);
        app_event(a, &e);
    }
    tasks_finish(a->tasks);
    if (app_now() - a->ticked >= TICK_S) app_tick(a, app_now());
    if (!a->quit) draw_if_due(a);
}

/* ── the beginning ── */

static bool settled(struct app *a)
{
    const struct view *v = app_front(a);
    return !a->opened[a->front] || !v->ops->settling || !v->ops->settling(v);
}

static bool is_input(const struct event *e)
{
    return e->kind == EVENT_KEY || e->kind == EVENT_MOUSE || e->kind == EVENT_PASTE;
}

/* A moment for what the next frame is to show: what the view was told to show and, if asked for, the runs. A key that comes meanwhile is left in *e, and those after it with the terminal: what they act on is about to come. */
static void settle(struct app *a, bool runs, struct event *e)
{
    double until = app_now() + FIRST_LIST_S;
    while (!a->quit && app_now() < until && !(settled(a) && (!runs || a->runs.known))) {
        if (is_input(e)) {
            struct pollfd done = {.fd = tasks_fd(a->tasks), .events = POLLIN};
            poll(&done, 1, 10);
        } else {
            term_event(a->term, 10, tasks_fd(a->tasks), e);
            if (!is_input(e)) app_event(a, e);
        }
        tasks_finish(a->tasks);
        if (a->runs.known && a->ticked <= 0) app_tick(a, app_now());
    }
}

static void draw_first(struct app *a)
{
    a->urgent = true;
    draw_if_due(a);
}

/* The first frame shows the runs if they can be read in a moment. */
static void begin_with_view(struct app *a, enum view_id id)
{
    struct event early = {.kind = EVENT_NONE};
    settle(a, true, &early);
    app_show(a, id);
    if (is_input(&early)) app_event(a, &early);
    draw_first(a);
}

/* A file is asked for: its rows are the first frame, and the runs come after it. */
static void begin_with_file(struct app *a, const char *path)
{
    struct event early = {.kind = EVENT_NONE};
    app_show(a, VIEW_RUNS);
    app_open_path(a, path);
    settle(a, false, &early);
    draw_first(a);
    app_refresh(a);
    settle(a, true, &early);
    if (is_input(&early)) app_event(a, &early);
}

/* ── the whole ── */

enum bt_status app_main(const struct app_options *o, int *ended_by, struct bt_error *err)
{
    enum view_id first = VIEW_RUNS;
    struct bt_error unsaved = {.status = BT_OK};
    struct app *a = NULL;
    enum bt_status status = o->open ? view_named(o->open, &first, err) : BT_OK;
    bool file = status != BT_OK && bt_path_exists(o->open);
    *ended_by = 0;
    if (status != BT_OK && !file) {
        if (!strstr(err->text, "did you mean")) bt_fail(err, BT_INVALID, "%s, and no such file", err->text);
        return status;
    }
    status = app_new(o, &a, err);
    if (status == BT_OK) {
        if (!file) app_refresh(a); /* the runs are read while the terminal is made ready */
        const struct term_options t = {.theme = a->theme,
                                       .glyphs = o->ascii ? PLOT_ASCII : -1,
                                       .colours = o->colours,
                                       .mouse = true,
                                       .ask_background = a->usual_theme};
        status = term_open(&t, &a->term, err);
    }
    if (status == BT_OK) {
        a->typed = app_now(); /* starting is as good as a key */
        if (file)
            begin_with_file(a, o->open);
        else
            begin_with_view(a, o->open ? first : a->kept_view);
        while (!a->quit) turn(a);
        term_close(a->term);
        if (state_save(a, &unsaved) != BT_OK) cli_warn("nothing is kept for the next time: %s", unsaved.text);
        if (a->ending < 0) status = bt_fail(err, BT_IO, "the terminal is gone");
        *ended_by = a->ending > 0 ? a->ending : 0;
    }
    app_free(a);
    return status;
}
