/* The Runs view: which runs there are, how they stand, and what can be done with them. */
#include "tui/views/runs_view.h"

#include <stdlib.h>
#include <string.h>

static const double MINUTES_S = 15; /* between frames that only show ages in minutes */

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
    if (s->here_group && runs_follow_group(v, chosen)) return;
    runs_stand_on(s, NULL);
    for (size_t i = 0; chosen && i < s->list.n; i++)
        if (s->row[i] < list->n && strcmp(list->run[s->row[i]].dir, chosen) == 0) {
            s->list.cursor = i;
            return;
        }
    if (runs_follow_group(v, chosen)) return;
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
    size_t *row = realloc(s->row, (2 * list->n + 1) * sizeof *row);
    if (!row) {
        list_resize(&s->list, 0);
        return;
    }
    s->row = row;
    struct runs_order order = {.column = s->sort,
                               .descending = s->descending,
                               .now = app_clock(v->app),
                               .marked = marked,
                               .ctx = v->app};
    struct runs_which which = {
        .filter = runs_known(s) ? s->filter : NULL, .facts = s->known, .hidden = s->hidden};
    s->n_runs = runs_rows(list, &which, &order, row);
    list_resize(&s->list, runs_fold(v, s->n_runs));
    s->n_hidden = runs_hidden(list, &which);
    s->runs_version = version;
    s->marks_version = marks;
    s->stale = false;
    follow(v); /* before anybody draws, or acts on, what stands under the cursor now */
}

void runs_refresh(struct view *v)
{
    runs_of(v)->stale = true;
    runs_update(v);
}

/* ── moving, marking, sorting ── */

void runs_choose_here(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_status *here = runs_here(v);
    const struct bt_run_group *g = runs_group_here(v);
    runs_stand_on(s, g);
    if (g) here = &app_runs(v->app)->run[g->member[0]];
    if (here) app_choose_run(v->app, here->dir);
}

static void mark_here(struct view *v)
{
    const struct bt_run_status *here = runs_here(v);
    const struct bt_run_group *g = runs_group_here(v);
    if (!here && !g) return;
    if (g)
        runs_mark_group(v, g);
    else
        app_mark(v->app, here->dir, !app_marked(v->app, here->dir));
    list_act(&runs_of(v)->list, ACT_DOWN, 1);
    runs_choose_here(v);
}

static void mark_shown(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    for (size_t i = 0; i < s->list.n; i++) {
        const struct bt_run_group *g = runs_group_at(s, i);
        for (size_t k = 0; g && k < g->n; k++) app_mark(v->app, list->run[g->member[k]].dir, true);
        if (!g) app_mark(v->app, list->run[s->row[i]].dir, true);
    }
}

static void unmark(struct view *v)
{
    size_t n;
    const char *const *dir;
    while ((dir = app_marks(v->app, &n)), n > 0) app_mark(v->app, dir[n - 1], false);
}

/* The curves have no order of their own: they are passed over, and stand for the loss. */
static int beside(const struct runs_view *s, int by)
{
    int c = (int)s->sort + by;
    return c == RUNS_CURVE ? c + by : c;
}

void runs_sort(struct view *v, int column)
{
    if (column == RUNS_CURVE) column = RUNS_LOSS;
    struct runs_view *s = runs_of(v);
    int n = runs_columns(app_runs(v->app));
    enum runs_column c = (enum runs_column)((column + n) % n);
    s->descending = c == s->sort ? !s->descending : runs_descending_first(c);
    s->sort = c;
    runs_refresh(v);
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
    bt_run_filter_free(s->filter);
    runs_groups_free(s);
    bt_facts_free(s->known);
    runs_facts_clear(&s->facts);
    runs_forget_doomed(s);
    free(s->filter_text);
    free(s->filter_fault);
    free(s->reference);
    free(s->row);
}

/* Ages grow: by the second where one is below an hour, else by the minute. */
static void redraw_ages(struct view *v, double now)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *l = app_runs(v->app);
    double clock = app_clock(v->app);
    bool young = false;
    for (size_t i = 0; i < l->n && !young; i++) young = clock - l->run[i].started < 3600;
    if (!young && now - s->aged_at < MINUTES_S) return;
    s->aged_at = now;
    app_redraw(v->app);
}

static void tick(struct view *v, double now)
{
    runs_update(v);
    follow(v);
    redraw_ages(v, now);
    runs_known_tick(v, now);
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
    runs_set_filter(v, "");
    return true;
}

static bool act(struct view *v, int action, int count)
{
    struct runs_view *s = runs_of(v);
    runs_update(v);
    if (v->focus == RUNS_DETAIL && scroll_detail(s, action, count)) return true;
    if (v->focus == RUNS_TABLE && list_act(&s->list, action, count)) {
        runs_choose_here(v);
        runs_known_tick(v, s->now);
        return true;
    }
    switch (action) {
    case ACT_SEARCH:
        runs_ask_filter(v);
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
        runs_sort(v, beside(s, 1));
        return true;
    case ACT_SORT_BACK:
        runs_sort(v, beside(s, -1));
        return true;
    case ACT_FOLD:
        runs_fold_or_not(v);
        return true;
    case ACT_HIDDEN:
        runs_show_hidden(v);
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
    {.id = ACT_FOLD, .name = "fold", .keys = "f", .help = "runs of other seeds in one line, or not"},
    {.id = ACT_REFERENCE, .name = "reference", .keys = "=", .help = "compare settings with it; again: no"},
    {.id = ACT_TAGS,
     .name = "tags",
     .keys = "#",
     .help = "its tags (marked: of all marked)",
     .group = "Notes"},
    {.id = ACT_NOTE, .name = "note", .keys = "w", .help = "write a note about it", .group = "Notes"},
    {.id = ACT_HIDE, .name = "hide", .keys = "-", .help = "hide it, or show it again", .group = "Notes"},
    {.id = ACT_HIDDEN,
     .name = "hidden",
     .keys = "+",
     .help = "show hidden runs too, or not",
     .group = "Notes"},
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
     .keys = "*",
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

static const struct action signs[] = {
    {.keys = "=", .help = "the run that settings are compared with"},
    {.keys = "-", .help = "a hidden run"},
    {.keys = "▸ ▾", .help = "a group of seeds, closed, open; with !: some of it runs"},
    {.keys = "+", .help = "before a group: runs of it are marked"},
    {.keys = "±", .help = "standard deviation of a group (of the sample)"},
    {.keys = "*", .help = "behind the state: a setting was changed while it ran"},
    {.keys = NULL},
};

static void hints(struct view *v, struct bt_str *out)
{
    const struct bt_run_status *here = runs_here(v);
    if (runs_group_here(v)) {
        bt_str_add(out, "Enter open or close  Space mark all of it  f every run  / filter  s sort");
        return;
    }
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
    .signs = signs,
    .idle = idle,
    .open = open_view,
    .close = close_view,
    .keep = runs_keep,
    .restore = runs_restore,
    .draw = runs_draw,
    .act = act,
    .mouse = runs_mouse,
    .tick = tick,
    .hints = hints,
};
