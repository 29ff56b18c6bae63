/* Groups of seeds in the Runs view: folded rows, their cells, and the pane about one. */
#include "tui/format.h"
#include "tui/layout.h"
#include "tui/views/runs_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── rows ── */

const struct bt_run_group *runs_group_at(const struct runs_view *s, size_t row)
{
    size_t at = row < s->list.n && s->row[row] >= RUNS_GROUP ? s->row[row] - RUNS_GROUP : s->groups.n;
    return at < s->groups.n ? &s->groups.group[at] : NULL;
}

const struct bt_run_group *runs_group_here(const struct view *v)
{
    const struct runs_view *s = runs_of(v);
    return runs_group_at(s, s->list.cursor);
}

bool runs_in_group(const struct runs_view *s, size_t run)
{
    return s->groups.of && s->groups.of[run] != BT_ALONE;
}

static size_t find_open(const struct runs_view *s, const char *key)
{
    size_t i = 0;
    while (i < s->n_open && strcmp(s->open[i], key) != 0) i++;
    return i;
}

/* A row of the folded table: a run alone, or a group in the place of its first member. */
struct item {
    size_t row, place;
    double best; /* of a group the mean */
};

struct direction {
    bool by_best, descending;
};

static int compare_items(const void *pa, const void *pb, void *ctx)
{
    const struct item *a = pa, *b = pb;
    const struct direction *d = ctx;
    int c = 0;
    if (d->by_best && isnan(a->best) != isnan(b->best)) return isnan(a->best) ? 1 : -1;
    if (d->by_best) c = (a->best > b->best) - (a->best < b->best);
    if (d->descending) c = -c;
    return c ? c : (a->place > b->place) - (a->place < b->place);
}

static size_t take_items(const struct runs_view *s, const struct bt_run_list *list, size_t n,
                         struct item *item)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        ptrdiff_t of = s->groups.of[s->row[i]];
        const struct bt_run_group *g = of == BT_ALONE ? NULL : &s->groups.group[of];
        if (g && g->member[0] != s->row[i]) continue;
        item[kept++] = (struct item){.row = g ? RUNS_GROUP + (size_t)of : s->row[i],
                                     .place = i,
                                     .best = g ? g->mean : list->run[s->row[i]].best};
    }
    return kept;
}

static const struct bt_experiment *settings_of(const struct view *v, const struct bt_run_group *g)
{
    const struct bt_run_status *first = &app_runs(v->app)->run[g->member[0]];
    return bt_facts_of(runs_of(v)->known, first->dir).settings;
}

size_t runs_fold(struct view *v, size_t n)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_list *list = app_runs(v->app);
    struct direction d = {.by_best = s->sort == RUNS_BEST, .descending = s->descending};
    bt_run_groups_clear(&s->groups);
    if (!s->folded || !(s->known_need & BT_FACTS_SETTINGS)) return n;
    struct item *item = calloc(n + 1, sizeof *item);
    if (!item || !bt_run_groups_make(list, s->row, n, s->known, &s->groups)) {
        free(item);
        return n;
    }
    size_t items = take_items(s, list, n, item), rows = 0;
    qsort_r(item, items, sizeof *item, compare_items, &d);
    for (size_t i = 0; i < items; i++) {
        s->row[rows++] = item[i].row;
        if (item[i].row < RUNS_GROUP) continue;
        const struct bt_run_group *g = &s->groups.group[item[i].row - RUNS_GROUP];
        if (find_open(s, g->key) == s->n_open) continue;
        memcpy(s->row + rows, g->member, g->n * sizeof *s->row);
        rows += g->n;
    }
    free(item);
    return rows;
}

/* ── the cursor ── */

void runs_stand_on(struct runs_view *s, const struct bt_run_group *g)
{
    free(s->here_group);
    s->here_group = g ? bt_strdup(g->key) : NULL;
}

static bool holds(const struct bt_run_list *list, const struct bt_run_group *g, const char *dir)
{
    for (size_t i = 0; i < g->n; i++)
        if (strcmp(list->run[g->member[i]].dir, dir) == 0) return true;
    return false;
}

bool runs_follow_group(struct view *v, const char *chosen)
{
    struct runs_view *s = runs_of(v);
    for (size_t i = 0; i < s->list.n; i++) {
        const struct bt_run_group *g = runs_group_at(s, i);
        bool it = g && (s->here_group ? strcmp(g->key, s->here_group) == 0
                                      : chosen && holds(app_runs(v->app), g, chosen));
        if (!it) continue;
        s->list.cursor = i;
        if (!s->here_group) runs_stand_on(s, g);
        return true;
    }
    return false;
}

/* ── what keys do ── */

void runs_fold_or_not(struct view *v)
{
    struct runs_view *s = runs_of(v);
    s->folded = !s->folded;
    runs_stand_on(s, NULL);
    runs_known_tick(v, s->now);
    runs_refresh(v);
    app_say(v->app, ROLE_TEXT,
            s->folded ? "runs that differ in train.seed alone are one line: Enter opens it"
                      : "every run has its line");
}

void runs_open_group(struct view *v)
{
    struct runs_view *s = runs_of(v);
    const struct bt_run_group *g = runs_group_here(v);
    if (!g) return;
    size_t i = find_open(s, g->key);
    if (i < s->n_open) {
        free(s->open[i]);
        s->open[i] = s->open[--s->n_open];
    } else {
        char **more = realloc(s->open, (s->n_open + 1) * sizeof *more);
        if (more) s->open = more;
        if (more && (more[s->n_open] = bt_strdup(g->key))) s->n_open++;
    }
    runs_refresh(v);
}

/* All of them; if they are marked, none. */
void runs_mark_group(struct view *v, const struct bt_run_group *g)
{
    const struct bt_run_list *list = app_runs(v->app);
    bool all = true;
    for (size_t i = 0; i < g->n; i++) all &= app_marked(v->app, list->run[g->member[i]].dir);
    for (size_t i = 0; i < g->n; i++) app_mark(v->app, list->run[g->member[i]].dir, !all);
}

void runs_groups_free(struct runs_view *s)
{
    for (size_t i = 0; i < s->n_open; i++) free(s->open[i]);
    free(s->open);
    free(s->here_group);
    bt_run_groups_clear(&s->groups);
}

/* ── cells ── */

static void deviation(struct bt_str *out, const char *before, double sd)
{
    char text[PLOT_TICK_TEXT];
    if (isnan(sd)) return;
    plot_value(text, sizeof text, sd);
    bt_str_addf(out, "%s±%s", before, text);
}

/* In the six columns beside the mean: "±.0707", "±12.3". */
static void short_deviation(struct bt_str *out, double sd)
{
    char text[32];
    if (isnan(sd)) return;
    bool small = sd < 0.99995;
    snprintf(text, sizeof text, small ? "%.4f" : "%.3g", sd);
    if (small && sd > 0.0 && sd < 0.00005)
        bt_str_add(out, "±<1e-4");
    else
        bt_str_addf(out, "±%s", text + small);
}

static const struct bt_run_status *first_of(const struct view *v, const struct bt_run_group *g)
{
    return &app_runs(v->app)->run[g->member[0]];
}

/* "learning_rate 1e-3 optim sgd" */
static void tell_settings(const struct view *v, const struct bt_run_group *g, struct bt_str *out)
{
    const struct bt_experiment *x = settings_of(v, g);
    for (size_t o = 0; x && o < BT_OPTIONS; o++) {
        if (!runs_of(v)->groups.told[o]) continue;
        char *value = runs_setting(x, o);
        bt_str_addf(out, "%s%s %s", out->len ? " " : "", bt_options(NULL)[o].name, value ? value : "");
        free(value);
    }
}

static void name_group(struct bt_str *out, const struct bt_run_status *first)
{
    if (first->name && *first->name)
        bt_str_add(out, first->name);
    else
        format_run_id(out, first->id);
}

static void mark_cell(const struct view *v, const struct bt_run_group *g, struct bt_str *out)
{
    size_t marked = 0;
    for (size_t i = 0; i < g->n; i++) marked += app_marked(v->app, app_runs(v->app)->run[g->member[i]].dir);
    if (marked) bt_str_addc(out, '+');
}

/* What tells it from the others; if nothing does, its name. */
static void id_cell(const struct view *v, const struct bt_run_group *g, struct bt_str *out)
{
    struct bt_str told = {.data = NULL};
    tell_settings(v, g, &told);
    if (told.len)
        bt_str_add(out, bt_str_text(&told));
    else
        name_group(out, first_of(v, g));
    bt_str_free(&told);
}

void runs_group_cell(const struct view *v, const struct bt_run_group *g, int column, bool narrow,
                     struct bt_str *out, enum role *role)
{
    char text[PLOT_TICK_TEXT] = "";
    bool unicode = term_unicode(app_term(v->app)), open = find_open(runs_of(v), g->key) < runs_of(v)->n_open;
    *role = ROLE_TITLE;
    if (column == RUNS_MARK) mark_cell(v, g, out);
    if (column == RUNS_STATE) {
        bt_str_addf(out, "%s %zu runs", unicode ? (open ? "▾" : "▸") : (open ? "v" : ">"), g->n);
        if (g->n_alive) bt_str_addc(out, '!');
    }
    if (column == RUNS_ID) id_cell(v, g, out);
    if (column == RUNS_BEST && g->n_values) {
        plot_value(text, sizeof text, g->mean);
        bt_str_add(out, text);
    }
    if (column == RUNS_AT) short_deviation(out, g->sd);
    if (column == RUNS_PROGRESS && narrow && !g->n_alive && !isnan(g->sd))
        deviation(out, "", g->sd); /* there is no column beside the mean */
    else if (column == RUNS_PROGRESS)
        runs_progress(out, g->step, g->total, unicode);
}

/* ── the pane ── */

struct column_at {
    int seed, best, state, id;
};

static void draw_member(const struct view *v, struct rect in, int y, const struct bt_run_status *r)
{
    static const struct column_at at = {.seed = 2, .best = 14, .state = 24, .id = 37};
    struct term *t = app_term(v->app);
    struct bt_run_facts f = bt_facts_of(runs_of(v)->known, r->dir);
    char text[PLOT_TICK_TEXT] = "-";
    if (!isnan(r->best)) plot_value(text, sizeof text, r->best);
    if (f.settings) term_print(t, in, y, at.seed, ROLE_TEXT, "%lld", (long long)f.settings->train_seed);
    term_print(t, in, y, at.best, ROLE_ACCENT, "%s", text);
    term_print(t, in, y, at.state, runs_state_role(r), "%s", bt_run_state_name(r->state));
    term_text(t, in, y, at.id, ROLE_DIM, r->id, strlen(r->id));
}

void runs_group_draw(struct view *v, const struct bt_run_group *g, struct rect in)
{
    struct runs_view *s = runs_of(v);
    struct bt_str line = {.data = NULL}, told = {.data = NULL};
    char text[PLOT_TICK_TEXT];
    enum { HEAD = 3 };
    s->detail_page = in.h;
    s->detail_lines = HEAD + (int)g->n;
    if (s->detail_top > s->detail_lines - in.h)
        s->detail_top = s->detail_lines > in.h ? s->detail_lines - in.h : 0;
    name_group(&told, first_of(v, g));
    tell_settings(v, g, &told);
    bt_str_addf(&line, "%zu runs that differ in train.seed alone", g->n);
    if (g->n_values) {
        plot_value(text, sizeof text, g->mean);
        bt_str_addf(&line, " · best %s %s", g->metric ? g->metric : "", text);
        deviation(&line, " ", g->sd);
        if (g->n_values < g->n) bt_str_addf(&line, " (of %zu)", g->n_values);
    }
    if (!isnan(g->versus.p)) bt_str_addf(&line, " · p %.2g against the best group", g->versus.p);
    for (int y = 0; y < in.h && s->detail_top + y < s->detail_lines; y++) {
        int at = s->detail_top + y;
        if (at == 0) term_text(app_term(v->app), in, y, 0, ROLE_TEXT, bt_str_text(&line), line.len);
        if (at == 1) term_text(app_term(v->app), in, y, 0, ROLE_ACCENT, bt_str_text(&told), told.len);
        if (at == 2)
            term_print(app_term(v->app), in, y, 0, ROLE_HEADER, "  seed        best      state        run");
        if (at >= HEAD) draw_member(v, in, y, &app_runs(v->app)->run[g->member[at - HEAD]]);
    }
    bt_str_free(&line);
    bt_str_free(&told);
}
