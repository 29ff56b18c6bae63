/* The Compare view: the marked runs side by side; two of them prediction by prediction. */
#include "tui/views/compare_view.h"
#include "tui/views/marks.h"

#include <bertty/file.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct compare_line *compare_current(const struct compare_view *s)
{
    return s->list.cursor < s->lines.n ? &s->lines.line[s->list.cursor] : NULL;
}

/* ── keys ── */

enum { A_REFERENCE = ACT_OWN, A_EARLIER, A_LATER, A_SLICE, A_DROP, A_REPORT, A_SORT, A_RELOAD, A_RUNS };

static const struct action actions[] = {
    {.id = A_REFERENCE, .name = "reference", .keys = "r", .help = "chosen run becomes A (two: swap)"},
    {.id = A_EARLIER,
     .name = "earlier",
     .keys = "[ <",
     .help = "the run of the chosen cell at its step before (of two)"},
    {.id = A_LATER, .name = "later", .keys = "] >", .help = "… at its step after"},
    {.id = A_SLICE, .name = "add-slice", .keys = "a", .help = "a slice of the rows: an expression"},
    {.id = A_DROP,
     .name = "drop-slice",
     .keys = "d",
     .help = "take away the slice with the cursor, if it was added"},
    {.id = A_REPORT, .name = "report", .keys = "w", .help = "write all of it to an HTML file"},
    {.id = A_SORT, .name = "sort", .keys = "s", .help = "sort the rows of a count"},
    {.id = A_RELOAD, .name = "reload", .keys = "R", .help = "read the runs again"},
    {.id = A_RUNS, .name = "choose-runs", .keys = "m", .help = "choose the runs to compare"},
};

/* The chosen run; the reference itself gives way to the next one. */
static bool make_reference(struct view *v)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    bool runs = l && (l->kind == COMPARE_RUN || l->kind == COMPARE_METRIC || l->kind == COMPARE_SETTING);
    size_t i = runs && s->cell > 0 && s->cell < s->n && s->n > 2 ? s->cell : 1;
    if (s->n < 2) return false;
    free(s->reference);
    s->reference = bt_strdup(s->dir[i]);
    compare_reference_first(s);
    int64_t step = s->step[0];
    s->step[0] = s->step[1];
    s->step[1] = step;
    s->cell = s->first_cell = 0;
    compare_forget(s);
    compare_load(v);
    app_say(v->app, ROLE_TEXT, "reference: %s", bt_path_base(s->dir[0]));
    return true;
}

/* ── steps and slices ── */

/* Of the run whose cell is chosen, on a line about runs; else of B. */
static bool move_step(struct view *v, long by)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    bool runs = l && (l->kind == COMPARE_RUN || l->kind == COMPARE_METRIC || l->kind == COMPARE_SETTING);
    int which = runs && s->cell == 0 ? 0 : 1;
    const struct compare_found *f = s->found;
    if (!f || s->n != 2 || !f->versus.pairing) return f != NULL;
    int64_t shown = which ? f->versus.pairing->step_second : f->versus.pairing->step_first,
            from = s->step[which] >= 0 ? s->step[which] : shown; /* keys may be faster than the reading */
    long n = (long)f->n_steps[which], at = 0;
    while (at < n && f->steps[which][at] < from) at++;
    if (at + by < 0 || at + by >= n) {
        app_say(v->app, ROLE_TEXT, "%c has no predictions %s step %" PRId64, 'A' + which,
                by < 0 ? "before" : "after", from);
        return true;
    }
    s->step[which] = f->steps[which][at + by];
    compare_load(v);
    return true;
}

static void slice_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct compare_view *s = v->state;
    struct bt_error err = {0};
    if (!text || !*text) return;
    if (bt_pair_slice_check(text, &err) != BT_OK) {
        app_say_error(v->app, &err);
        return;
    }
    char **more = realloc(s->expression, (s->expressions + 1) * sizeof *more);
    char *own = more ? bt_strdup(text) : NULL;
    if (more) s->expression = more;
    if (!own) return;
    s->expression[s->expressions++] = own;
    s->to_end = true;
    compare_load(v);
    app_say(v->app, ROLE_TEXT, "slice added, at the end: %s", text);
}

static bool ask_slice(struct view *v)
{
    struct compare_view *s = v->state;
    if (!s->found || !s->found->versus.pairing) return false;
    app_ask(v->app, &(struct app_prompt){.what = "rows where (text ~ \"not\" and gold = …): ",
                                         .initial = "",
                                         .history = "compare-slice",
                                         .done = slice_done,
                                         .ctx = v});
    return true;
}

static bool drop_slice(struct view *v)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    const struct bt_pair_slices *all = s->found ? &s->found->versus.slices : NULL;
    size_t i = 0;
    if (!l || l->kind != COMPARE_SLICE || all->slice[l->index].by != BT_SLICE_EXPRESSION) {
        app_say(v->app, ROLE_TEXT, "d takes away a slice that was added with a");
        return true;
    }
    while (i < s->expressions && strcmp(s->expression[i], all->slice[l->index].name) != 0) i++;
    if (i == s->expressions) return true;
    free(s->expression[i]);
    memmove(s->expression + i, s->expression + i + 1, (--s->expressions - i) * sizeof *s->expression);
    compare_load(v);
    return true;
}

static bool enter(struct view *v)
{
    struct compare_view *s = v->state;
    const struct compare_line *l = compare_current(s);
    struct compare_set set;
    if (l && compare_set_of(&s->lines, l, s->cell, &set)) {
        compare_enter(v, &set);
        return true;
    }
    if (!l || l->kind != COMPARE_METRIC) return false;
    app_open(v->app, VIEW_CHARTS, &(struct app_request){.text = l->text});
    return true;
}

static bool move_cell(struct compare_view *s, long by)
{
    const struct compare_line *l = compare_current(s);
    long n = l && s->found ? (long)compare_cells(&s->lines, l, s->found->compare) : 0;
    long to = (long)s->cell + by;
    if (n < 1) return false;
    s->cell = (size_t)(to < 0 ? 0 : to >= n ? n - 1 : to);
    return true;
}

static bool act_outside(struct view *v, int action, int count)
{
    struct compare_view *s = v->state;
    switch (action) {
    case A_REFERENCE:
        return make_reference(v);
    case A_EARLIER:
        return move_step(v, -count);
    case A_LATER:
        return move_step(v, count);
    case A_SLICE:
        return ask_slice(v);
    case A_DROP:
        return drop_slice(v);
    case A_REPORT:
        return compare_report(v);
    case ACT_ENTER:
        return enter(v);
    case ACT_COPY:
        return compare_copy(v);
    case ACT_LEFT:
        return move_cell(s, -count);
    case ACT_RIGHT:
        return move_cell(s, count);
    case A_SORT:
        app_say(v->app, ROLE_TEXT, "Enter on a count opens its rows; s sorts them");
        return true;
    default:
        return list_act(&s->list, action, count);
    }
}

static bool act(struct view *v, int action, int count)
{
    struct compare_view *s = v->state;
    app_redraw(v->app);
    if (action == A_RELOAD) {
        compare_load(v);
        return true;
    }
    if (action == A_RUNS) {
        marks_choose(v->app);
        return true;
    }
    if (!s->in.open) return act_outside(v, action, count);
    return action == A_SORT ? compare_inside_sort(v, count) : compare_inside_act(v, action, count);
}

static bool mouse(struct view *v, const struct event *e)
{
    struct compare_view *s = v->state;
    size_t line, cell;
    if (s->in.open) return compare_inside_mouse(v, e);
    app_redraw(v->app);
    if (e->button == MOUSE_WHEEL_UP) return list_act(&s->list, ACT_UP, 3);
    if (e->button == MOUSE_WHEEL_DOWN) return list_act(&s->list, ACT_DOWN, 3);
    if (e->button != MOUSE_LEFT || e->release || !compare_place(s, e->y, e->x, &line, &cell)) return false;
    s->list.cursor = line;
    s->cell = cell;
    move_cell(s, 0);
    return e->twice ? enter(v) : true;
}

static void draw(struct view *v, struct rect area)
{
    const struct compare_view *s = v->state;
    if (s->in.open)
        compare_inside_draw(v, area);
    else
        compare_draw(v, area);
}

static void close_view(struct view *v)
{
    struct compare_view *s = v->state;
    compare_forget(s);
    compare_inside_free(&s->in);
    for (size_t i = 0; i < s->n; i++) free(s->dir[i]);
    for (size_t i = 0; i < s->expressions; i++) free(s->expression[i]);
    free(s->dir);
    free(s->expression);
    free(s->reference);
    free(s->report_path);
}

static void hints(struct view *v, struct bt_str *out)
{
    const struct compare_view *s = v->state;
    if (s->in.open)
        bt_str_add(out, "Enter the row in its file  s sort  / filter  y copy  Esc back");
    else if (s->found)
        bt_str_add(out, "Enter rows or chart  ← → cell  [ ] step  a slice  r reference  m runs  w report");
    else
        bt_str_add(out, "m choose runs");
}

static bool open_view(struct view *v)
{
    (void)v;
    return true;
}

static const struct action signs[] = {
    {.keys = "*", .help = "the best of a metric, and all that are as good"},
    {.keys = "›", .help = "more runs to the right"},
    {.keys = "✗", .help = "a wrong prediction"},
    {.keys = NULL},
};

static const int idle[] = {ACT_NEXT, ACT_PREVIOUS, ACT_NONE};

const struct view_ops view_compare = {
    .name = "Compare",
    .size = sizeof(struct compare_view),
    .panes = 1,
    .actions = actions,
    .n_actions = sizeof actions / sizeof *actions,
    .signs = signs,
    .idle = idle,
    .open = open_view,
    .close = close_view,
    .shown = compare_follow_marks,
    .draw = draw,
    .act = act,
    .mouse = mouse,
    .tick = compare_tick,
    .hints = hints,
};
