/* The Runs view: which runs there are, how they stand, and what can be done with them. */
#include "tui/views/runs_view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const struct bt_run_status *runs_here(const struct view *v)
{
    const struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    if (s->list.cursor >= s->list.n || s->row[s->list.cursor] >= list->n) return NULL;
    return &list->run[s->row[s->list.cursor]];
}

static bool marked(void *ctx, const char *dir)
{
    return app_marked(ctx, dir);
}

/* The cursor goes with the chosen run; a chosen run that the filter hides gives way to the one under the cursor. */
static void follow(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    const char *chosen = app_run(v->app);
    for (size_t i = 0; chosen && i < s->list.n; i++)
        if (strcmp(list->run[s->row[i]].dir, chosen) == 0) {
            s->list.cursor = i;
            return;
        }
    const struct bt_run_status *here = runs_here(v);
    if (here && (!chosen || app_run_status(v->app, chosen))) app_choose_run(v->app, here->dir);
}

void runs_update(struct view *v)
{
    struct runs_view *s = runs_of(v);
    uint64_t version = app_runs_version(v->app), marks = app_marks_version(v->app);
    bool fresh = version != s->runs_version || s->stale;
    if (!fresh && !(s->sort == RUNS_MARK && marks != s->marks_version)) return;
    const struct bt_run_list *list = app_runs(v->app);
    size_t *row = realloc(s->row, (list->n + 1) * sizeof *row);
    if (!row) {
        list_resize(&s->list, 0);
        return;
    }
    s->row = row;
    struct runs_order order = {
        .column = s->sort, .descending = s->descending, .now = clock_now(), .marked = marked, .ctx = v->app};
    list_resize(&s->list, runs_rows(list, &s->filter, &order, row));
    s->runs_version = version;
    s->marks_version = marks;
    s->stale = false;
}

/* ── moving, marking, sorting ── */

static void choose_here(struct view *v)
{
    const struct bt_run_status *here = runs_here(v);
    if (here) app_choose_run(v->app, here->dir);
}

static void mark_here(struct view *v)
{
    const struct bt_run_status *here = runs_here(v);
    if (!here) return;
    app_mark(v->app, here->dir, !app_marked(v->app, here->dir));
    list_act(&runs_of(v)->list, ACT_DOWN, 1);
    choose_here(v);
}

static void mark_shown(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    for (size_t i = 0; i < s->list.n; i++) app_mark(v->app, list->run[s->row[i]].dir, true);
}

static void unmark(struct view *v)
{
    size_t n;
    const char *const *dir;
    while ((dir = app_marks(v->app, &n)), n > 0) app_mark(v->app, dir[n - 1], false);
}

void runs_sort(struct view *v, int column)
{
    struct runs_view *s = runs_of(v);
    enum runs_column c = (enum runs_column)((column + RUNS_COLUMNS) % RUNS_COLUMNS);
    s->descending = c == s->sort ? !s->descending : runs_descending_first(c);
    s->sort = c;
    s->stale = true;
    runs_update(v);
    follow(v);
}

/* ── filter ── */

static void set_filter(struct view *v, const char *text)
{
    struct runs_view *s = runs_of(v);
    struct runs_filter fresh;
    struct bt_str why = {.data = NULL};
    free(s->filter_fault);
    s->filter_fault = NULL;
    if (runs_filter_parse(text, &fresh, &why)) {
        runs_filter_clear(&s->filter);
        s->filter = fresh;
        free(s->filter_text);
        s->filter_text = text[strspn(text, " ")] ? bt_strdup(text) : NULL;
        s->stale = true;
        runs_update(v);
        follow(v);
    } else {
        s->filter_fault = bt_strdup(bt_str_text(&why)); /* the last good one stays */
    }
    bt_str_free(&why);
    app_redraw(v->app);
}

static void filter_changed(void *ctx, const char *text)
{
    set_filter(ctx, text);
}

static void filter_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct runs_view *s = runs_of(v);
    set_filter(v, text ? text : "");
    if (s->filter_fault) app_say(v->app, ROLE_BAD, "%s", s->filter_fault);
    free(s->filter_fault);
    s->filter_fault = NULL;
}

static void filter_complete(void *ctx, const char *before, struct bt_str *out)
{
    static const char *const words[] = {
        "state:alive",    "state:training", "state:finished", "state:stopped", "state:failed", "state:queued",
        "state:diverged", "state:lost",     "state:paused",   "metric>",       "last>",        "loss<",
        "step>",          "epoch>",         "speed>",         "eta<",          "age<"};
    (void)ctx;
    const char *word = strrchr(before, ' ');
    word = word ? word + 1 : before;
    word += *word == '-';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(words[i], word, strlen(word)) == 0)
            bt_str_addf(out, "%.*s%s\n", (int)(word - before), before, words[i]);
}

static void ask_filter(struct view *v)
{
    struct runs_view *s = runs_of(v);
    struct app_prompt p = {.what = "filter: ",
                           .initial = s->filter_text,
                           .history = "runs-filter",
                           .done = filter_done,
                           .changed = filter_changed,
                           .complete = filter_complete,
                           .ctx = v};
    app_ask(v->app, &p);
}

/* ── the view ── */

static bool open_view(struct view *v)
{
    struct runs_view *s = runs_of(v);
    s->sort = RUNS_AGE;
    s->stale = true;
    return true;
}

static void close_view(struct view *v)
{
    struct runs_view *s = runs_of(v);
    runs_filter_clear(&s->filter);
    runs_facts_clear(&s->facts);
    runs_forget_doomed(s);
    free(s->filter_text);
    free(s->filter_fault);
    free(s->reference);
    free(s->row);
}

static void tick(struct view *v, double now)
{
    runs_update(v);
    follow(v);
    app_redraw(v->app); /* ages grow */
    runs_detail_tick(v, now);
}

static bool scroll_detail(struct runs_view *s, int action, int count)
{
    struct list l = {.n = (size_t)s->detail_lines, .cursor = (size_t)s->detail_top, .page = s->detail_page};
    if (!list_act(&l, action, count)) return false;
    int most = s->detail_lines - s->detail_page;
    s->detail_top = (int)l.cursor > most ? (most > 0 ? most : 0) : (int)l.cursor;
    return true;
}

static bool escape(struct view *v)
{
    struct runs_view *s = runs_of(v);
    if (v->focus == RUNS_DETAIL) {
        v->focus = RUNS_TABLE;
        return true;
    }
    if (!s->filter_text) return false;
    set_filter(v, "");
    return true;
}

static bool act(struct view *v, int action, int count)
{
    struct runs_view *s = runs_of(v);
    runs_update(v);
    if (v->focus == RUNS_DETAIL && scroll_detail(s, action, count)) return true;
    if (v->focus == RUNS_TABLE && list_act(&s->list, action, count)) {
        choose_here(v);
        return true;
    }
    switch (action) {
    case ACT_SEARCH:
        ask_filter(v);
        return true;
    case ACT_ESCAPE:
        return escape(v);
    case ACT_MARK:
        mark_here(v);
        return true;
    case ACT_MARK_ALL:
        mark_shown(v);
        return true;
    case ACT_UNMARK:
        unmark(v);
        return true;
    case ACT_SORT:
        runs_sort(v, (int)s->sort + 1);
        return true;
    case ACT_SORT_BACK:
        runs_sort(v, (int)s->sort - 1);
        return true;
    case ACT_TURN:
        runs_sort(v, (int)s->sort);
        return true;
    default:
        return runs_do(v, action);
    }
}

static const struct action actions[] = {
    {.id = ACT_MARK, .name = "mark", .keys = "Space", .help = "mark it for Charts and Compare"},
    {.id = ACT_MARK_ALL, .name = "mark-all", .keys = "M", .help = "mark all runs that are shown"},
    {.id = ACT_UNMARK, .name = "unmark", .keys = "u", .help = "take all marks away"},
    {.id = ACT_SORT, .name = "sort", .keys = "s", .help = "sort by the next column"},
    {.id = ACT_SORT_BACK, .name = "sort-back", .keys = "S", .help = "sort by the column before"},
    {.id = ACT_TURN, .name = "reverse", .keys = "i", .help = "reverse the order"},
    {.id = ACT_REFERENCE, .name = "reference", .keys = "=", .help = "compare settings with it; again: no"},
    {.id = ACT_STOP,
     .name = "stop",
     .keys = "x",
     .help = "stop with a checkpoint; queued: take out",
     .group = "Steering"},
    {.id = ACT_PAUSE,
     .name = "pause",
     .keys = "p",
     .help = "pause the run, or let it go on",
     .group = "Steering"},
    {.id = ACT_RESUME,
     .name = "resume",
     .keys = "R",
     .help = "start again where it stopped; queued: now",
     .group = "Steering"},
    {.id = ACT_CHECKPOINT,
     .name = "checkpoint",
     .keys = "c",
     .help = "save a checkpoint now",
     .group = "Steering"},
    {.id = ACT_EVALUATE, .name = "evaluate", .keys = "v", .help = "evaluate now", .group = "Steering"},
    {.id = ACT_RATE,
     .name = "learning-rate",
     .keys = "a",
     .help = "set its learning rate",
     .group = "Steering"},
    {.id = ACT_DELETE,
     .name = "delete",
     .keys = "D",
     .help = "delete it (marked: all marked)",
     .group = "Steering"},
    {.id = ACT_QUEUE,
     .name = "queue",
     .keys = "Q",
     .help = "let it go on when its turn comes",
     .group = "Queue"},
    {.id = ACT_QUEUE_UP, .name = "queue-up", .keys = "K", .help = "earlier in the queue", .group = "Queue"},
    {.id = ACT_QUEUE_DOWN, .name = "queue-down", .keys = "J", .help = "later in the queue", .group = "Queue"},
    {.id = ACT_QUEUE_FIRST,
     .name = "queue-first",
     .keys = "F",
     .help = "to the front of the queue",
     .group = "Queue"},
    {.id = ACT_QUEUE_HOLD,
     .name = "queue-hold",
     .keys = "W",
     .help = "hold the queue, or let it go on",
     .group = "Queue"},
    {.id = ACT_QUEUE_LIMIT,
     .name = "queue-limit",
     .keys = "#",
     .help = "how many at a time",
     .group = "Queue"},
    {.id = ACT_NEW, .name = "new", .keys = "o", .help = "a new run: opens Experiment", .group = "Going on"},
    {.id = ACT_CLONE,
     .name = "clone",
     .keys = "e",
     .help = "a new run from its settings",
     .group = "Going on"},
    {.id = ACT_PREDICTIONS,
     .name = "predictions",
     .keys = "P",
     .help = "what it predicted",
     .group = "Going on"},
    {.id = ACT_PROBE, .name = "probe", .keys = "t", .help = "talk to its model", .group = "Going on"},
    {.id = ACT_LOG, .name = "log", .keys = "L", .help = "its log", .group = "Going on"},
};

static void hints(struct view *v, struct bt_str *out)
{
    const struct bt_run_status *here = runs_here(v);
    if (!here) {
        bt_str_add(out, app_runs(v->app)->n ? "/ filter  Esc all runs" : "Enter Experiment");
        return;
    }
    bt_str_add(out, "Enter charts  Space mark  ");
    if (here->state == BT_RUN_QUEUED)
        bt_str_add(out, "K J F earlier, later, first  R start now  x take out");
    else if (bt_run_state_alive(here->state))
        bt_str_add(out, here->state == BT_RUN_PAUSED ? "p go on  x stop" : "x stop  p pause  v evaluate");
    else
        bt_str_add(out, here->state == BT_RUN_FINISHED ? "t talk  P predictions  D delete"
                                                       : "R resume  Q queue  D delete");
    bt_str_add(out, "  e clone  / filter  s sort");
}

static const int idle[] = {ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_runs = {
    .name = "Runs",
    .size = sizeof(struct runs_view),
    .panes = RUNS_PANES,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .idle = idle,
    .open = open_view,
    .close = close_view,
    .draw = runs_draw,
    .act = act,
    .mouse = runs_mouse,
    .tick = tick,
    .hints = hints,
};
