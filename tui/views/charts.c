/* The Charts view: the scalars of the marked runs as a grid of live plots. */
#include "tui/views/charts_view.h"
#include "tui/views/marks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Seconds between two looks at the files: of runs that are being trained, and of all others. */
static const double LIVE = 0.9, STILL = 3;

static const double weights[] = {0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99};
enum { WEIGHTS = sizeof weights / sizeof *weights, FIRST_WEIGHT = 2 };

/* ── state ── */

void charts_set_focus(struct charts_view *s, size_t i)
{
    s->focus = i;
    free(s->focus_name);
    s->focus_name = i < s->n_shown ? bt_strdup(s->shown[i]->name) : NULL;
}

static void find_focus(struct charts_view *s)
{
    for (size_t i = 0; s->focus_name && i < s->n_shown; i++)
        if (strcmp(s->shown[i]->name, s->focus_name) == 0) s->focus = i;
    if (s->focus >= s->n_shown) s->focus = s->n_shown ? s->n_shown - 1 : 0;
}

bool charts_update(struct view *v)
{
    struct charts_view *s = v->state;
    struct charts_panel **more = realloc(s->shown, (s->data.n_panels + 1) * sizeof(struct charts_panel *));
    s->n_shown = 0;
    if (!more) return false;
    s->shown = more;
    size_t n = charts_filter(&s->data, s->pattern, s->shown);
    s->n_shown = n;
    find_focus(s);
    const size_t first = v->zoom && n ? s->focus : 0, end = v->zoom && n ? first + 1 : n;
    bool good = true;
    for (size_t i = first; good && i < end; i++) /* those that are drawn are smoothed then */
        good = charts_prepare(s->shown[i], s->o.axis, i == s->focus ? s->o.weight : 0);
    if (!good) s->n_shown = 0;
    s->full = charts_extent(s->shown + first, good ? end - first : 0, &s->o);
    return good;
}

/* ── reading ── */

struct poll {
    struct view *view;
    struct charts_poll *poll;
};

static void submit_poll(struct view *v);

static bool all_loaded(const struct charts_view *s)
{
    bool loaded = true;
    for (size_t i = 0; i < s->data.n_runs; i++) loaded &= s->data.run[i]->loaded || s->data.run[i]->error;
    return loaded;
}

static void poll_run(void *ctx, const atomic_bool *cancel)
{
    struct poll *p = ctx;
    (void)cancel;
    charts_poll_run(p->poll);
}

static void poll_done(void *ctx, bool cancelled)
{
    struct poll *p = ctx;
    struct view *v = p->view;
    struct charts_view *s = v->state;
    bool more, none = !s->data.n_panels, waited = !all_loaded(s);
    if (charts_end(&s->data, p->poll, &more)) {
        s->n_shown = s->n_places = 0; /* panels were made anew */
        app_redraw(v->app);
        if (none || (waited && all_loaded(s))) app_redraw_now(v->app); /* somebody waits for it */
    }
    free(p);
    if (more && !cancelled) submit_poll(v);
}

static void submit_poll(struct view *v)
{
    struct charts_view *s = v->state;
    struct poll *p = s->data.busy ? NULL : calloc(1, sizeof *p);
    if (!p) return;
    bool more;
    *p = (struct poll){.view = v, .poll = charts_begin(&s->data)};
    if (!p->poll) {
        free(p);
        return;
    }
    struct app_task task = {.run = poll_run, .done = poll_done, .ctx = p, .owner = v};
    if (app_submit(v->app, &task)) return;
    charts_end(&s->data, p->poll, &more);
    free(p);
}

/* The marked runs, else the chosen one. */
static void follow_marks(struct view *v)
{
    struct charts_view *s = v->state;
    size_t n;
    const char *chosen = app_run(v->app), *const *dir = app_marks(v->app, &n);
    uint64_t marks = app_marks_version(v->app);
    if (!n && chosen) {
        dir = &chosen;
        n = 1;
    }
    bool same =
        s->started && marks == s->marks && strcmp(chosen ? chosen : "", s->chosen ? s->chosen : "") == 0;
    if (same) return;
    s->started = true;
    s->marks = marks;
    free(s->chosen);
    s->chosen = bt_strdup(chosen);
    s->n_shown = s->n_places = 0;
    if (!charts_set_runs(&s->data, dir, n)) app_say(v->app, ROLE_BAD, "not enough memory for the charts");
    for (size_t i = 0; i < s->data.n_runs; i++)
        s->data.run[i]->colour = app_run_colour(v->app, s->data.run[i]->dir);
    s->polled = 0;
    app_redraw(v->app);
}

/* A run that was over may go on. */
static void follow_runs(struct view *v)
{
    struct charts_view *s = v->state;
    const struct bt_run_list *list = app_runs(v->app);
    if (app_runs_version(v->app) == s->runs) return;
    s->runs = app_runs_version(v->app);
    for (size_t i = 0; i < list->n; i++)
        if (bt_run_state_alive(list->run[i].state)) charts_attend(&s->data, list->run[i].dir);
}

static void tick(struct view *v, double now)
{
    struct charts_view *s = v->state;
    bool live = false;
    follow_marks(v);
    follow_runs(v);
    for (size_t i = 0; i < s->data.n_runs; i++) live |= s->data.run[i]->info.live;
    if (!s->data.n_runs || (all_loaded(s) && now - s->polled < (live ? LIVE : STILL))) return;
    s->polled = now;
    submit_poll(v);
}

static void shown(struct view *v)
{
    follow_marks(v);
    submit_poll(v);
}

/* ── settings ── */

static bool next_axis(struct view *v, int count)
{
    struct charts_view *s = v->state;
    struct charts_panel *p = charts_focused(s);
    double step = (double)NAN;
    if (s->o.cursor && p) step = charts_step_at(p, s->o.at);
    s->o.axis = (enum charts_axis)(((int)s->o.axis + count) % CHARTS_AXES);
    s->o.zoomed = false;
    s->o.cursor = s->o.cursor && p && s->data.n_runs;
    if (s->o.cursor) s->o.at = charts_step_on(p->curve[0].run, s->o.axis, step);
    return true;
}

static bool toggle_log_x(struct view *v, int count)
{
    struct charts_view *s = v->state;
    (void)count;
    s->o.log_x = !s->o.log_x;
    s->o.zoomed = false;
    return true;
}

static bool toggle_log_y(struct view *v, int count)
{
    struct charts_look *look = charts_focused_look(v->state);
    (void)count;
    if (!look) return false;
    look->log_y = !look->log_y;
    look->zoomed = false;
    return true;
}

bool charts_set_smoothing(struct view *v, int to)
{
    struct charts_view *s = v->state;
    s->smoothing = to < 0 ? 0 : to >= WEIGHTS ? WEIGHTS - 1 : to;
    s->o.weight = weights[s->smoothing];
    return true;
}

static bool smoother(struct view *v, int count)
{
    struct charts_view *s = v->state;
    return charts_set_smoothing(v, s->smoothing + count);
}

static bool rougher(struct view *v, int count)
{
    return smoother(v, -count);
}

static bool toggle_clip(struct view *v, int count)
{
    struct charts_view *s = v->state;
    (void)count;
    s->o.clip = !s->o.clip;
    return true;
}

/* From what the size suggested. */
static bool change_grid(struct charts_view *s, int columns, int rows)
{
    if (!s->across) return false;
    if (!s->columns) s->columns = s->across;
    if (!s->rows) s->rows = (int)s->page / s->across;
    s->columns += columns;
    s->rows += rows;
    if (s->columns < 1) s->columns = 1;
    if (s->rows < 1) s->rows = 1;
    return true;
}

static bool more_columns(struct view *v, int count)
{
    return change_grid(v->state, count, 0);
}

static bool fewer_columns(struct view *v, int count)
{
    return change_grid(v->state, -count, 0);
}

static bool more_rows(struct view *v, int count)
{
    return change_grid(v->state, 0, count);
}

static bool fewer_rows(struct view *v, int count)
{
    return change_grid(v->state, 0, -count);
}

static bool natural_grid(struct view *v, int count)
{
    struct charts_view *s = v->state;
    (void)count;
    s->columns = s->rows = 0;
    return true;
}

static bool choose_runs(struct view *v, int count)
{
    (void)count;
    marks_choose(v->app);
    return true;
}

/* ── the filter ── */

static void set_filter(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct charts_view *s = v->state;
    struct bt_regex *pattern = NULL;
    struct bt_error err = {0};
    char *filter = text && *text ? bt_strdup(text) : NULL;
    if (filter && bt_regex_typed(filter, &pattern, &err) != BT_OK) {
        app_say_error(v->app, &err);
        free(filter);
        return;
    }
    free(s->filter);
    bt_regex_free(s->pattern);
    s->filter = filter;
    s->pattern = pattern;
    app_redraw(v->app);
}

/* While an expression is being typed the panels wait for its end. */
static void filter_changed(void *ctx, const char *text)
{
    if (!bt_regex_unfinished(text)) set_filter(ctx, text);
}

/* Given up: what it was before the typing. */
static void filter_done(void *ctx, const char *text)
{
    struct charts_view *s = ((struct view *)ctx)->state;
    set_filter(ctx, text ? text : s->filter_before);
}

static bool ask_filter(struct view *v)
{
    struct charts_view *s = v->state;
    free(s->filter_before);
    s->filter_before = bt_strdup(s->filter);
    app_ask(v->app, &(struct app_prompt){.what = "metrics (text, or /re/): ",
                                         .initial = s->filter ? s->filter : "",
                                         .history = "charts-filter",
                                         .done = filter_done,
                                         .changed = filter_changed,
                                         .check = app_check_pattern,
                                         .ctx = v});
    return true;
}

/* ── the view ── */

enum {
    A_AXIS = ACT_OWN,
    A_LOG_X,
    A_LOG_Y,
    A_SMOOTHER,
    A_ROUGHER,
    A_CLIP,
    A_ZOOM_IN,
    A_ZOOM_OUT,
    A_PAN_LEFT,
    A_PAN_RIGHT,
    A_ZOOM_IN_Y,
    A_ZOOM_OUT_Y,
    A_PAN_UP,
    A_PAN_DOWN,
    A_RESET,
    A_CURSOR,
    A_CURSOR_LEFT,
    A_CURSOR_RIGHT,
    A_CURSOR_BEST,
    A_BATCH,
    A_MORE_COLUMNS,
    A_FEWER_COLUMNS,
    A_MORE_ROWS,
    A_FEWER_ROWS,
    A_NATURAL_GRID,
    A_SAVE,
    A_RUNS,
    A_END
};

#define ACTION(number, word, key, text, heading)                                                             \
    {                                                                                                        \
        .id = (number), .name = (word), .keys = (key), .help = (text), .group = (heading)                    \
    }

static const struct action actions[] = {
    ACTION(A_AXIS, "x-axis", "x", "x axis: step, epoch, tokens, time, clock", "Axes"),
    ACTION(A_LOG_X, "log-x", "X", "logarithmic x axis", "Axes"),
    ACTION(A_LOG_Y, "log-y", "L", "logarithmic y axis of this panel", "Axes"),
    ACTION(A_CLIP, "clip", "o", "leave outliers out of the y axis", "Axes"),
    ACTION(A_SMOOTHER, "smoother", "s", "smooth more (the raw line stays)", "Axes"),
    ACTION(A_ROUGHER, "rougher", "S", "smooth less", "Axes"),
    ACTION(A_ZOOM_IN, "zoom-in", "+ =", "zoom in on x (wheel)", "Zoom"),
    ACTION(A_ZOOM_OUT, "zoom-out", "-", "zoom out on x", "Zoom"),
    ACTION(A_PAN_LEFT, "pan-left", "(", "to the left (drag)", "Zoom"),
    ACTION(A_PAN_RIGHT, "pan-right", ")", "to the right", "Zoom"),
    ACTION(A_ZOOM_IN_Y, "zoom-in-y", ">", "zoom in on y (wheel at its numbers)", "Zoom"),
    ACTION(A_ZOOM_OUT_Y, "zoom-out-y", "<", "zoom out on y", "Zoom"),
    ACTION(A_PAN_UP, "pan-up", "K", "up (drag)", "Zoom"),
    ACTION(A_PAN_DOWN, "pan-down", "J", "down", "Zoom"),
    ACTION(A_RESET, "reset-zoom", "r", "show all of every axis", "Zoom"),
    ACTION(A_CURSOR, "cursor", "c", "cursor on and off (click)", "Cursor"),
    ACTION(A_CURSOR_LEFT, "cursor-left", ",", "cursor to the left", "Cursor"),
    ACTION(A_CURSOR_RIGHT, "cursor-right", ".", "cursor to the right", "Cursor"),
    ACTION(A_CURSOR_BEST, "cursor-best", "b", "cursor to the best checkpoint", "Cursor"),
    ACTION(A_BATCH, "batch", "B", "the rows behind the point, with their losses", "Cursor"),
    ACTION(A_MORE_COLUMNS, "more-columns", "]", "more panels in a row", "Panels"),
    ACTION(A_FEWER_COLUMNS, "fewer-columns", "[", "fewer panels in a row", "Panels"),
    ACTION(A_MORE_ROWS, "more-rows", "}", "more panels in a column", "Panels"),
    ACTION(A_FEWER_ROWS, "fewer-rows", "{", "fewer panels in a column", "Panels"),
    ACTION(A_NATURAL_GRID, "natural-grid", "a", "as many panels as fit well", "Panels"),
    ACTION(A_SAVE, "save", "e", "to a file: .csv, .svg or .txt", "Panels"),
    ACTION(A_RUNS, "choose-runs", "m", "choose the runs to show", "Panels"),
};

static bool (*const handlers[])(struct view *v, int count) = {
    [A_AXIS - ACT_OWN] = next_axis,
    [A_LOG_X - ACT_OWN] = toggle_log_x,
    [A_LOG_Y - ACT_OWN] = toggle_log_y,
    [A_SMOOTHER - ACT_OWN] = smoother,
    [A_ROUGHER - ACT_OWN] = rougher,
    [A_CLIP - ACT_OWN] = toggle_clip,
    [A_ZOOM_IN - ACT_OWN] = charts_zoom_x,
    [A_ZOOM_OUT - ACT_OWN] = charts_unzoom_x,
    [A_PAN_LEFT - ACT_OWN] = charts_pan_left,
    [A_PAN_RIGHT - ACT_OWN] = charts_pan_right,
    [A_ZOOM_IN_Y - ACT_OWN] = charts_zoom_y,
    [A_ZOOM_OUT_Y - ACT_OWN] = charts_unzoom_y,
    [A_PAN_UP - ACT_OWN] = charts_pan_up,
    [A_PAN_DOWN - ACT_OWN] = charts_pan_down,
    [A_RESET - ACT_OWN] = charts_reset,
    [A_CURSOR - ACT_OWN] = charts_cursor,
    [A_CURSOR_LEFT - ACT_OWN] = charts_cursor_left,
    [A_CURSOR_RIGHT - ACT_OWN] = charts_cursor_right,
    [A_CURSOR_BEST - ACT_OWN] = charts_cursor_best,
    [A_BATCH - ACT_OWN] = charts_batch_open,
    [A_MORE_COLUMNS - ACT_OWN] = more_columns,
    [A_FEWER_COLUMNS - ACT_OWN] = fewer_columns,
    [A_MORE_ROWS - ACT_OWN] = more_rows,
    [A_FEWER_ROWS - ACT_OWN] = fewer_rows,
    [A_NATURAL_GRID - ACT_OWN] = natural_grid,
    [A_SAVE - ACT_OWN] = charts_save,
    [A_RUNS - ACT_OWN] = choose_runs,
};

/* One step out: the cursor, the zoom, the single panel, the filter. */
static bool escape(struct view *v)
{
    struct charts_view *s = v->state;
    if (s->o.cursor)
        s->o.cursor = false;
    else if (s->o.zoomed)
        s->o.zoomed = false;
    else if (v->zoom)
        v->zoom = false;
    else if (s->filter)
        set_filter(v, NULL);
    else
        return false;
    return true;
}

static bool act(struct view *v, int action, int count)
{
    struct charts_view *s = v->state;
    if (!charts_update(v)) return false;
    app_redraw(v->app);
    if (s->batch.open) return charts_batch_act(v, action == A_BATCH ? ACT_ESCAPE : action, count);
    if (action >= ACT_OWN && action < A_END) return handlers[action - ACT_OWN](v, count);
    switch (action) {
    case ACT_ENTER:
        v->zoom = !v->zoom;
        return true;
    case ACT_ESCAPE:
        return escape(v);
    case ACT_SEARCH:
        return ask_filter(v);
    case ACT_COPY:
        return charts_copy(v);
    default:
        return charts_motion(v, action, count);
    }
}

static void hints(struct view *v, struct bt_str *out)
{
    const struct charts_view *s = v->state;
    if (s->batch.open) {
        bt_str_add(out, "Enter the row in its file  Esc back to the curves  y copy");
        return;
    }
    if (!s->n_shown) {
        bt_str_add(out, "m choose runs  / filter");
        return;
    }
    bt_str_add(out, v->zoom ? "Enter all panels  ← → cursor  B batch  ↑ ↓ panel"
                            : "Enter this panel alone  c cursor  B batch");
    bt_str_add(
        out,
        "  x axis  s smooth  + - zoom  ( ) move  r reset  L log y  m runs  / filter  e to a file  o clip");
}

static bool open_view(struct view *v)
{
    return charts_set_smoothing(v, FIRST_WEIGHT);
}

static void close_view(struct view *v)
{
    struct charts_view *s = v->state;
    charts_batch_free(s);
    charts_free(&s->data);
    charts_looks_free(&s->looks);
    free(s->filter);
    bt_regex_free(s->pattern);
    free(s->filter_before);
    free(s->shown);
    free(s->focus_name);
    free(s->chosen);
    for (size_t i = 0; i < CHARTS_PLACES; i++) free(s->picture[i].cell);
    free(s->save_path);
}

/* text: the metric to look at. */
static void receive(struct view *v, const struct app_request *r)
{
    struct charts_view *s = v->state;
    bool eval;
    if (r->run) app_choose_run(v->app, r->run);
    if (!r->text) return;
    charts_batch_close(v);
    free(s->focus_name);
    s->focus_name = bt_strdup(charts_group(r->text, &eval));
    set_filter(v, NULL);
    v->zoom = true;
}

static const struct action signs[] = {
    {.keys = "▴", .help = "on the x axis: a checkpoint that is kept"},
    {.keys = "↻", .help = "on the x axis: started again from a checkpoint"},
    {.keys = "!", .help = "on the x axis: a warning in the log (8 Log has it)"},
    {.keys = "★", .help = "on the x axis: the best checkpoint"},
    {.keys = "┄", .help = "the validation rows; a line without gaps: the training"},
    {.keys = NULL},
};

static const int idle[] = {ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_charts = {
    .name = "Charts",
    .size = sizeof(struct charts_view),
    .panes = 1,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .idle = idle,
    .open = open_view,
    .keep = charts_keep,
    .restore = charts_restore,
    .close = close_view,
    .shown = shown,
    .receive = receive,
    .draw = charts_draw,
    .act = act,
    .mouse = charts_mouse,
    .tick = tick,
    .hints = hints,
};
