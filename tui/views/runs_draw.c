/* The table of runs on the screen. */
#include "tui/empty.h"
#include "tui/format.h"
#include "tui/layout.h"
#include "tui/spark.h"
#include "tui/views/runs_view.h"

#include <bertty/text.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDE = 150, DETAIL_ROWS = 9, LEAST_TABLE = 8, FULL_ID = 136, CURVE = 10, DEVIATION = 82 };

struct state_look {
    uint32_t glyph, ascii;
    enum role role;
};

static const struct state_look looks[] = {
    [BT_RUN_QUEUED] = {.glyph = 0x25cb, .ascii = '.', .role = ROLE_DIM},        /* ○ */
    [BT_RUN_STARTING] = {.glyph = 0x25cc, .ascii = 'o', .role = ROLE_ACCENT},   /* ◌ */
    [BT_RUN_TRAINING] = {.glyph = 0x25cf, .ascii = '*', .role = ROLE_ACCENT},   /* ● */
    [BT_RUN_EVALUATING] = {.glyph = 0x25d0, .ascii = '%', .role = ROLE_ACCENT}, /* ◐ */
    [BT_RUN_PAUSED] = {.glyph = 0x2016, .ascii = '=', .role = ROLE_WARN},       /* ‖ */
    [BT_RUN_STOPPING] = {.glyph = 0x25d1, .ascii = '%', .role = ROLE_WARN},     /* ◑ */
    [BT_RUN_FINISHED] = {.glyph = 0x2713, .ascii = '+', .role = ROLE_GOOD},     /* ✓ */
    [BT_RUN_STOPPED] = {.glyph = 0x25a0, .ascii = '#', .role = ROLE_TEXT},      /* ■ */
    [BT_RUN_FAILED] = {.glyph = 0x2717, .ascii = 'x', .role = ROLE_BAD},        /* ✗ */
    [BT_RUN_DIVERGED] = {.glyph = 0x2191, .ascii = '^', .role = ROLE_BAD},      /* ↑ */
    [BT_RUN_LOST] = {.glyph = '?', .ascii = '?', .role = ROLE_BAD},
    [BT_RUN_UNKNOWN] = {.glyph = 0x00b7, .ascii = '-', .role = ROLE_DIM}, /* · */
};

uint32_t runs_state_glyph(const struct bt_run_status *s, bool unicode)
{
    if (s->stalled) return '!';
    return unicode ? looks[s->state].glyph : looks[s->state].ascii;
}

enum role runs_state_role(const struct bt_run_status *s)
{
    return s->stalled ? ROLE_WARN : looks[s->state].role;
}

static void add_glyph(struct bt_str *out, uint32_t code_point)
{
    char bytes[4];
    bt_str_addn(out, bytes, bt_utf8_encode((int32_t)code_point, bytes));
}

/* ── cells ── */

struct cells {
    struct view *v;
    const struct bt_run_list *list;
    double now;
    bool unicode, full_id, narrow; /* narrow: there is no column for ± */
};

static void value(struct bt_str *out, double v)
{
    char text[PLOT_TICK_TEXT];
    if (isnan(v)) return;
    plot_value(text, sizeof text, v);
    bt_str_add(out, text);
}

void runs_progress(struct bt_str *out, int64_t step, int64_t total, bool unicode)
{
    enum { CELLS = 8 };
    if (total <= 0) return;
    double share = (double)step / (double)total;
    share = share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
    int full = (int)(share * CELLS + 1e-9);
    for (int i = 0; i < CELLS; i++)
        bt_str_add(out, unicode ? (i < full ? "█" : "░") : (i < full ? "#" : "."));
    bt_str_addf(out, "%4d%%", (int)(share * 100.0 + 1e-9));
}

static void mark_cell(const struct cells *c, const struct bt_run_status *s, struct bt_str *out,
                      enum role *role)
{
    const struct runs_view *view = runs_of(c->v);
    if (app_marked(c->v->app, s->dir)) {
        unsigned colour = app_run_colour(c->v->app, s->dir);
        add_glyph(out, plot_marker(colour, term_glyphs(app_term(c->v->app))));
        *role = role_series(colour);
    } else if (view->reference && strcmp(view->reference, s->dir) == 0) {
        bt_str_addc(out, '=');
    } else if (bt_notes_tagged(&s->notes, BT_TAG_HIDDEN)) {
        bt_str_addc(out, '-');
    }
}

static void best_cell(const struct bt_run_status *s, struct bt_str *out, enum role *role)
{
    value(out, s->best);
    if (!isnan(s->best)) *role = ROLE_ACCENT;
}

static void epoch_cell(const struct bt_run_status *s, struct bt_str *out)
{
    if (s->total <= 0 && s->epoch <= 0.0) return;
    bt_str_addf(out, s->epochs >= 100.0 ? "%.1f" : "%.2f", s->epoch);
    if (s->epochs > 0.0) bt_str_addf(out, s->epochs < 1.0 ? "/%.2f" : "/%.3g", s->epochs);
}

/* No seconds: an idle screen stays as it is. */
static void age(struct bt_str *out, double seconds)
{
    if (seconds < 60.0)
        bt_str_add(out, "<1m");
    else
        runs_duration(out, seconds);
}

/* Of what has been read by now; what is missing is asked for at the next tick. */
static void curve_cell(const struct cells *c, const struct bt_run_status *s, struct bt_str *out,
                       enum role *role)
{
    struct runs_view *view = runs_of(c->v);
    struct bt_run_facts f = bt_facts_of(view->known, s->dir);
    view->curves = true;
    spark_add(out, f.curve, f.n_curve, CURVE, term_glyphs(app_term(c->v->app)));
    if (bt_run_state_alive(s->state)) *role = ROLE_ACCENT;
}

static void tags_cell(const struct bt_run_status *s, struct bt_str *out, enum role *role)
{
    const struct bt_notes *n = &s->notes;
    for (size_t i = 0; i < n->n_tags; i++) bt_str_addf(out, "%s%s", i ? " " : "", n->tag[i]);
    if (n->note) bt_str_addf(out, "%s%s", n->n_tags ? " · " : "", n->note);
    if (!n->fault) return;
    bt_str_add(out, "damaged");
    *role = ROLE_BAD;
}

static void cell(void *ctx, size_t row, int column, struct bt_str *out, enum role *role)
{
    const struct cells *c = ctx;
    const struct bt_run_group *g = runs_group_at(runs_of(c->v), row);
    if (g) {
        runs_group_cell(c->v, g, column, c->narrow, out, role);
        return;
    }
    const struct bt_run_status *s = &c->list->run[runs_of(c->v)->row[row]];
    switch ((enum runs_column)column) {
    case RUNS_MARK:
        mark_cell(c, s, out, role);
        break;
    case RUNS_STATE:
        add_glyph(out, runs_state_glyph(s, c->unicode));
        bt_str_addf(out, " %s%s", bt_run_state_name(s->state), s->steered ? "*" : "");
        if (s->place) bt_str_addf(out, " %lld", (long long)s->place);
        *role = runs_state_role(s);
        break;
    case RUNS_ID:
        if (runs_in_group(runs_of(c->v), runs_of(c->v)->row[row])) bt_str_add(out, "  ");
        if (c->full_id)
            bt_str_add(out, s->id);
        else
            format_run_id(out, s->id);
        break;
    case RUNS_BEST:
        best_cell(s, out, role);
        break;
    case RUNS_AT:
        if (s->best_step >= 0 && !isnan(s->best)) bt_str_addf(out, "%lld", (long long)s->best_step);
        break;
    case RUNS_LAST:
        value(out, s->last);
        break;
    case RUNS_LOSS:
        value(out, s->train_loss);
        break;
    case RUNS_CURVE:
        curve_cell(c, s, out, role);
        break;
    case RUNS_PROGRESS:
        runs_progress(out, s->step, s->total, c->unicode);
        break;
    case RUNS_EPOCH:
        epoch_cell(s, out);
        break;
    case RUNS_SPEED:
        value(out, runs_number(s, RUNS_SPEED, c->now));
        break;
    case RUNS_ETA:
        runs_duration(out, runs_number(s, RUNS_ETA, c->now));
        break;
    case RUNS_AGE:
        age(out, runs_number(s, RUNS_AGE, c->now));
        break;
    case RUNS_TAGS:
        tags_cell(s, out, role);
        break;
    case RUNS_COLUMNS:
        break;
    }
}

static const struct list_column columns[RUNS_COLUMNS] = {
    [RUNS_MARK] = {.title = "", .min = 1, .max = 1},
    [RUNS_STATE] = {.title = "state", .min = 12, .max = 13},
    [RUNS_ID] = {.title = "run", .min = 20, .max = 0},
    [RUNS_BEST] = {.title = "best", .min = 6, .max = 7, .right = true, .drop = 1},
    [RUNS_AT] = {.title = "at", .min = 6, .max = 6, .right = true, .drop = 5},
    [RUNS_LAST] = {.title = "last", .min = 6, .max = 7, .right = true, .drop = 7},
    [RUNS_LOSS] = {.title = "loss", .min = 6, .max = 7, .right = true, .drop = 8},
    [RUNS_CURVE] = {.title = "loss curve", .min = CURVE, .max = CURVE, .drop = 9},
    [RUNS_PROGRESS] = {.title = "progress", .min = 13, .max = 13, .drop = 2},
    [RUNS_EPOCH] = {.title = "epoch", .min = 9, .max = 11, .right = true, .drop = 11},
    [RUNS_SPEED] = {.title = "tok/s", .min = 6, .max = 7, .right = true, .drop = 10},
    [RUNS_ETA] = {.title = "left", .min = 5, .max = 5, .right = true, .drop = 3},
    [RUNS_AGE] = {.title = "age", .min = 5, .max = 5, .right = true, .drop = 4},
    [RUNS_TAGS] = {.title = "tags, note", .min = 12, .max = 40, .drop = 6},
};

/* Tags have a column where there are any. */
int runs_columns(const struct bt_run_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct bt_notes *n = &list->run[i].notes;
        if (n->n_tags || n->note || n->fault) return RUNS_COLUMNS;
    }
    return RUNS_TAGS;
}

static struct list_look look(struct view *v, struct cells *c, int width)
{
    struct runs_view *s = runs_of(v);
    *c = (struct cells){.v = v,
                        .list = app_runs(v->app),
                        .now = floor(app_clock(v->app)),
                        .unicode = term_unicode(app_term(v->app)),
                        .full_id = width >= FULL_ID,
                        .narrow = width < DEVIATION};
    return (struct list_look){.column = columns,
                              .n_columns = runs_columns(c->list),
                              .sorted = (int)s->sort,
                              .descending = s->descending,
                              .focused = v->focus == RUNS_TABLE,
                              .cell = cell,
                              .ctx = c};
}

/* ── panes ── */

static void centred(struct view *v, struct rect r, int y, enum role role, const char *text)
{
    int width = bt_text_width(text, strlen(text));
    term_text(app_term(v->app), r, y, r.w > width ? (r.w - width) / 2 : 0, role, text, strlen(text));
}

/* The first screen of somebody who has just started. */
static void draw_empty(struct view *v, struct rect r)
{
    char *missing = bt_strfmt("There is no run in %s yet.", app_runs_dir(v->app));
    const struct empty none = {
        .role = ROLE_TITLE,
        .missing = missing ? missing : "There is no run yet.",
        .advice = {"Enter opens the Experiment view: choose a file, set what you like, launch it with L. "
                   "The run goes on when you leave.",
                   "", "? shows the keys of every view.", "",
                   "In a shell: bertty train experiments/movie-reviews.yaml --detach"}};
    empty_draw(app_term(v->app), r, &none);
    free(missing);
}

static void draw_none_match(struct view *v, struct rect r)
{
    const struct runs_view *s = runs_of(v);
    if (!s->filter_text && s->n_hidden) {
        centred(v, r, r.h / 2 - 1, ROLE_TEXT, "All runs are hidden.");
        centred(v, r, r.h / 2, ROLE_DIM, "+ shows them");
        return;
    }
    centred(v, r, r.h / 2 - 1, ROLE_TEXT, "No run matches the filter.");
    centred(v, r, r.h / 2, ROLE_DIM, "Esc shows all again, / changes it");
}

static void title_groups(size_t n, struct bt_str *out)
{
    if (n)
        bt_str_addf(out, " · %zu group%s of seeds", n, n == 1 ? "" : "s");
    else
        bt_str_add(out, " · no groups of seeds");
}

static void title(const struct view *v, struct bt_str *out)
{
    const struct runs_view *s = runs_of(v);
    size_t marks, all = app_runs(v->app)->n;
    app_marks(v->app, &marks);
    bt_str_add(out, "Runs");
    if (s->filter_text)
        bt_str_addf(out, " %zu of %zu · %s", s->n_runs, all, s->filter_text);
    else if (s->n_hidden)
        bt_str_addf(out, " %zu of %zu", s->n_runs, all);
    else if (all)
        bt_str_addf(out, " %zu", all);
    if (s->n_hidden) bt_str_addf(out, " · %zu hidden", s->n_hidden);
    if (s->groups.of) title_groups(s->groups.n, out);
    if (!runs_known(s) || (s->folded && !s->groups.of)) bt_str_add(out, " · reading the runs");
    if (app_queue(v->app)->waiting)
        bt_str_addf(out, " · %zu queued%s", app_queue(v->app)->waiting,
                    app_queue(v->app)->held ? ", held" : "");
    if (marks) bt_str_addf(out, " · %zu marked", marks);
    if (s->filter_fault) bt_str_addf(out, " · %s", s->filter_fault);
}

static void draw_table(struct view *v, struct rect r)
{
    struct runs_view *s = runs_of(v);
    struct bt_str text = {.data = NULL};
    struct cells c;
    title(v, &text);
    struct rect in = term_box(app_term(v->app), r, bt_str_text(&text), v->focus == RUNS_TABLE);
    bt_str_free(&text);
    s->table_at = r;
    s->curves = false;
    if (app_runs(v->app)->n == 0) {
        if (app_runs_known(v->app)) draw_empty(v, in);
    } else if (s->list.n == 0) {
        draw_none_match(v, in);
    } else {
        struct list_look how = look(v, &c, in.w);
        list_draw(app_term(v->app), in, &s->list, &how);
    }
}

static void draw_detail(struct view *v, struct rect r)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_status *here = runs_here(v);
    s->detail_at = r;
    const struct bt_run_group *g = runs_group_here(v);
    const char *head = here ? here->id : g ? "Group of seeds" : "Run";
    struct rect in = term_box(app_term(v->app), r, head, v->focus == RUNS_DETAIL);
    if (g)
        runs_group_draw(v, g, in);
    else
        runs_detail_draw(v, in);
}

/* Of 1000: what few runs do not need goes to the details. All runs count, so that a filter moves no border. */
static int table_share(int rows, size_t runs)
{
    enum { AROUND = 3 }; /* borders and the header */
    int usual = rows >= 2 * DETAIL_ROWS + 12 ? 600 : 540;
    if (runs + AROUND >= (size_t)rows) return usual;
    int needed = ((int)runs + AROUND) * 1000 / rows + 1;
    return needed < usual ? needed : usual;
}

void runs_draw(struct view *v, struct rect area)
{
    struct runs_view *s = runs_of(v);
    struct rect table = area, detail = {.h = 0};
    runs_update(v);
    bool none = app_runs(v->app)->n == 0;
    if (none) v->focus = RUNS_TABLE;
    if (!v->zoom && !none && area.w >= WIDE)
        app_split(v,
                  &(struct border){.number = 0,
                                   .share = 660,
                                   .min_first = 96,
                                   .min_second = 40,
                                   .first = 1 << RUNS_TABLE,
                                   .second = 1 << RUNS_DETAIL},
                  area, &table, &detail);
    else if (!v->zoom && !none && area.h >= LEAST_TABLE + DETAIL_ROWS)
        app_split(v,
                  &(struct border){.number = 1,
                                   .rows = true,
                                   .share = table_share(area.h, app_runs(v->app)->n),
                                   .min_first = LEAST_TABLE,
                                   .min_second = DETAIL_ROWS,
                                   .first = 1 << RUNS_TABLE,
                                   .second = 1 << RUNS_DETAIL},
                  area, &table, &detail);
    else if (v->focus == RUNS_DETAIL) {
        table.h = 0;
        detail = area;
    }
    s->table_at = s->detail_at = (struct rect){.h = 0};
    if (table.h) draw_table(v, table);
    if (detail.h) draw_detail(v, detail);
}

bool runs_mouse(struct view *v, const struct event *e)
{
    struct runs_view *s = runs_of(v);
    struct cells c;
    bool activated = false;
    int clicked = -1;
    runs_update(v);
    if (s->detail_at.h && layout_in(s->detail_at, e->y, e->x)) {
        if (e->button == MOUSE_LEFT) v->focus = RUNS_DETAIL;
        if (e->button == MOUSE_WHEEL_UP) s->detail_top -= s->detail_top > 0;
        if (e->button == MOUSE_WHEEL_DOWN) s->detail_top += s->detail_top + s->detail_page < s->detail_lines;
        return true;
    }
    if (!s->table_at.h || !layout_in(s->table_at, e->y, e->x)) return false;
    if (e->button == MOUSE_LEFT) v->focus = RUNS_TABLE;
    struct list_look how = look(v, &c, s->table_at.w - 2);
    if (!list_mouse(&s->list, e, &how, &activated, &clicked)) return false;
    if (clicked >= 0) {
        runs_sort(v, clicked);
        return true;
    }
    runs_choose_here(v);
    if (activated && runs_group_here(v))
        runs_open_group(v);
    else if (activated)
        app_open(v->app, VIEW_CHARTS, NULL);
    return true;
}
