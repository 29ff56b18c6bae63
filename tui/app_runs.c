/* The list of runs, the chosen one, the marks. */
#include "tui/app_private.h"
#include <bertty/queue.h>
#include <bertty/run_watch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks; and the longest time without one, however quiet the kernel is. */
static const double REFRESH_S = 1.0, QUIET_S = 20.0;

/* ── refreshing ── */

struct reading {
    struct app *app;
    char *dir;
    const struct bt_run_list *previous; /* the list that is shown stays as it is until we are done */
    struct bt_run_watch *watch;         /* NULL: none */
    struct bt_run_list list;
    struct queue_state queue;
    bool known, ready; /* previous was read; something could have been started then */
    enum bt_status status;
    struct bt_error err;
};

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_status(const struct bt_run_status *a, const struct bt_run_status *b)
{
    return a->state == b->state && a->place == b->place && a->pid == b->pid && a->step == b->step &&
           a->total == b->total && a->best_step == b->best_step && a->last_step == b->last_step &&
           a->steered == b->steered && same_number(a->epoch, b->epoch) && same_number(a->epochs, b->epochs) &&
           same_number(a->tokens_per_s, b->tokens_per_s) && same_number(a->eta_s, b->eta_s) &&
           same_number(a->train_loss, b->train_loss) && same_number(a->best, b->best) &&
           same_number(a->last, b->last) && same_number(a->started, b->started) &&
           same_number(a->updated, b->updated) && bt_same_text(a->dir, b->dir) &&
           memcmp(a->notes_stamp, b->notes_stamp, sizeof a->notes_stamp) == 0 &&
           bt_same_text(a->metric, b->metric) && bt_same_text(a->error, b->error) &&
           bt_same_text(a->name, b->name);
}

static bool same_list(const struct bt_run_list *a, const struct bt_run_list *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_status(&a->run[i], &b->run[i])) return false;
    return true;
}

static void read_runs(void *ctx, const atomic_bool *cancel)
{
    struct reading *r = ctx;
    (void)cancel;
    if (r->watch) bt_run_watch_begin(r->watch, r->dir);
    r->status = r->watch ? bt_run_list_watched(r->watch, r->dir, r->previous, &r->list, &r->err)
                         : bt_run_list(r->dir, r->previous, &r->list, &r->err);
    queue_read(&r->queue, r->dir, &r->list);
    /* a list that is as it was says what it said: studies, if there are any, are not read again */
    bool same = r->known && same_list(r->previous, &r->list);
    r->queue.ready = same ? r->ready : bt_queue_ready(r->dir, &r->list);
}

/* The newest run is the chosen one until somebody chooses, and again when the chosen one is gone. */
static void choose_existing(struct app *a)
{
    struct runs *r = &a->runs;
    bool there = app_run_status(a, r->chosen) != NULL;
    if (there || (r->chosen && !r->chosen_seen)) {
        r->chosen_seen |= there;
        return;
    }
    free(r->chosen);
    r->chosen = r->list.n ? bt_strdup(r->list.run[0].dir) : NULL;
    r->chosen_seen = true;
}

static bool in_list(const struct bt_run_list *l, const char *dir)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->run[i].dir, dir) == 0) return true;
    return false;
}

/* Marks of runs that are gone; at the first look also those of an earlier session in another directory. */
static void drop_marks(struct app *a, const struct bt_run_list *old)
{
    for (size_t i = a->runs.n_marks; i-- > 0;) {
        const char *dir = a->runs.mark[i];
        if ((!a->runs.known || in_list(old, dir)) && !in_list(&a->runs.list, dir)) app_mark(a, dir, false);
    }
}

static void tell_once(struct app *a, const struct reading *r)
{
    const char *text = r->status == BT_OK ? NULL : r->err.text;
    if (text && !bt_same_text(text, a->runs.error)) app_say_error(a, &r->err);
    free(a->runs.error);
    a->runs.error = bt_strdup(text);
}

static void runs_read(void *ctx, bool cancelled)
{
    struct reading *r = ctx;
    struct app *a = r->app;
    struct runs *runs = &a->runs;
    runs->busy = false;
    bool current = !cancelled && bt_same_text(r->dir, runs->dir);
    if (current) tell_once(a, r);
    bool fresh = current && r->status == BT_OK;
    if (fresh && !(runs->known && same_list(&runs->list, &r->list) && queue_same(&runs->queue, &r->queue))) {
        struct bt_run_list old = runs->list;
        runs->list = r->list;
        r->list = old;
        runs->version++;
        drop_marks(a, &old);
        app_redraw(a);
    }
    if (fresh) {
        struct queue_state old = runs->queue;
        runs->queue = r->queue;
        r->queue = old;
    }
    if (current && !runs->known) a->ticked = 0; /* views that wait for the first list look at it at once */
    if (current) runs->known = true;
    choose_existing(a);
    queue_state_clear(&r->queue);
    bt_run_list_clear(&r->list);
    free(r->dir);
    free(r);
    if (runs->again && !cancelled) app_refresh(a);
}

void app_refresh(struct app *a)
{
    struct runs *runs = &a->runs;
    runs->again = runs->busy;
    if (runs->busy) return;
    struct reading *r = calloc(1, sizeof *r);
    if (!r || !(r->dir = bt_strdup(runs->dir))) {
        free(r);
        return;
    }
    if (!runs->watch) runs->watch = bt_run_watch_new();
    r->app = a;
    r->previous = &runs->list;
    r->known = runs->known;
    r->ready = runs->queue.ready;
    r->watch =
        runs->known ? runs->watch : NULL; /* a first list is waited for: watching begins with the next */
    runs->refreshed = app_now();
    runs->busy =
        app_submit(a, &(struct app_task){.run = read_runs, .done = runs_read, .ctx = r, .owner = runs});
    if (runs->busy) return;
    free(r->dir);
    free(r);
}

/* An engine that died changes no file, and a run that waits may go on when something else ends. */
static bool any_goes_on(const struct bt_run_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (bt_run_state_alive(l->run[i].state) || l->run[i].state == BT_RUN_QUEUED) return true;
    return false;
}

void runs_tick(struct app *a, double now)
{
    struct runs *r = &a->runs;
    double quiet = now - r->refreshed;
    if (!r->busy && quiet >= REFRESH_S) {
        bool noticed = !r->watch || bt_run_watch_changed(r->watch);
        if (noticed || quiet >= QUIET_S || any_goes_on(&r->list)) app_refresh(a);
    }
    queue_tick(a);
}

/* ── what views ask ── */

const char *app_runs_dir(const struct app *a)
{
    return a->runs.dir;
}

const struct bt_run_list *app_runs(const struct app *a)
{
    return &a->runs.list;
}

bool app_runs_known(const struct app *a)
{
    return a->runs.known;
}

uint64_t app_runs_version(const struct app *a)
{
    return a->runs.version;
}

const char *app_run(const struct app *a)
{
    return a->runs.chosen;
}

void app_choose_run(struct app *a, const char *dir)
{
    if (bt_same_text(dir, a->runs.chosen)) return;
    char *copy = bt_strdup(dir);
    free(a->runs.chosen);
    a->runs.chosen = copy;
    a->runs.chosen_seen = app_run_status(a, copy) != NULL;
    app_redraw(a);
}

const struct bt_run_status *app_run_status(const struct app *a, const char *dir)
{
    for (size_t i = 0; dir && i < a->runs.list.n; i++)
        if (strcmp(a->runs.list.run[i].dir, dir) == 0) return &a->runs.list.run[i];
    return NULL;
}

static size_t find_mark(const struct app *a, const char *dir)
{
    size_t i = 0;
    while (i < a->runs.n_marks && strcmp(a->runs.mark[i], dir) != 0) i++;
    return i;
}

bool app_marked(const struct app *a, const char *dir)
{
    return dir && find_mark(a, dir) < a->runs.n_marks;
}

static bool add_mark(struct runs *r, const char *dir)
{
    char **grown = realloc(r->mark, (r->n_marks + 1) * sizeof *grown);
    if (!grown) return false;
    r->mark = grown;
    if (!(grown[r->n_marks] = bt_strdup(dir))) return false;
    r->n_marks++;
    return true;
}

static void remove_mark(struct runs *r, size_t i)
{
    free(r->mark[i]);
    memmove(&r->mark[i], &r->mark[i + 1], (r->n_marks - i - 1) * sizeof *r->mark);
    r->n_marks--;
}

void app_mark(struct app *a, const char *dir, bool on)
{
    struct runs *r = &a->runs;
    size_t i = find_mark(a, dir);
    if (on == (i < r->n_marks)) return;
    if (!on)
        remove_mark(r, i);
    else if (!add_mark(r, dir))
        return;
    r->marks_version++;
    app_redraw(a);
}

const char *const *app_marks(const struct app *a, size_t *n)
{
    *n = a->runs.n_marks;
    return (const char *const *)a->runs.mark;
}

uint64_t app_marks_version(const struct app *a)
{
    return a->runs.marks_version;
}

unsigned app_run_colour(struct app *a, const char *dir)
{
    struct runs *r = &a->runs;
    size_t i = 0;
    while (i < r->n_colours && strcmp(r->colour[i].dir, dir) != 0) i++;
    if (i < r->n_colours) return (unsigned)i;
    struct colour_of *grown = realloc(r->colour, (r->n_colours + 1) * sizeof *grown);
    if (!grown) return 0;
    r->colour = grown;
    if ((grown[i].dir = bt_strdup(dir))) r->n_colours++;
    return (unsigned)i;
}

static void forget_marks(struct runs *r)
{
    for (size_t i = 0; i < r->n_marks; i++) free(r->mark[i]);
    r->n_marks = 0;
    r->marks_version++;
}

void runs_set_dir(struct app *a, const char *dir)
{
    struct runs *r = &a->runs;
    struct bt_error err = {.status = BT_OK};
    char *copy = bt_strdup(dir);
    if (!copy) return;
    if (session_save(a, &err) != BT_OK) app_say_error(a, &err);
    free(r->dir);
    r->dir = copy;
    r->known = false;
    free(r->chosen);
    r->chosen = NULL;
    forget_marks(r);
    history_free(a->history);
    a->history = NULL;
    session_load(a);
    app_refresh(a);
    app_redraw(a);
}

void runs_free(struct app *a)
{
    struct runs *r = &a->runs;
    forget_marks(r);
    for (size_t i = 0; i < r->n_colours; i++) free(r->colour[i].dir);
    free(r->colour);
    free(r->mark);
    free(r->chosen);
    free(r->error);
    bt_run_watch_free(r->watch);
    free(r->dir);
    free(a->queue_fault);
    queue_state_clear(&r->queue);
    bt_run_list_clear(&r->list);
}
