/* The rows behind a count of the comparison: both predictions, and the text where it can be had. */
#include "tui/needle.h"
#include "tui/sheet.h"
#include "tui/views/compare_view.h"

#include <bertty/text.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COL_ROW, COL_GOLD, COL_FIRST, COL_SECOND, COL_LOSS, COL_TEXT, COLUMNS };
static const struct list_column columns[COLUMNS] = {
    [COL_ROW] = {.title = "row", .min = 6, .max = 9, .right = true},
    [COL_GOLD] = {.title = "gold", .min = 8, .max = 14},
    [COL_FIRST] = {.title = "A", .min = 13, .max = 20},
    [COL_SECOND] = {.title = "B", .min = 13, .max = 20},
    [COL_LOSS] = {.title = "loss B-A", .min = 8, .max = 9, .right = true, .drop = 1},
    [COL_TEXT] = {.title = "text", .min = 26},
};
static const int sorted_column[COMPARE_ORDERS] = {
    [COMPARE_BY_ROW] = COL_ROW, [COMPARE_BY_LOSS] = COL_LOSS, [COMPARE_BY_P] = COL_SECOND};

static const char *const order_names[COMPARE_ORDERS] = {[COMPARE_BY_ROW] = "",
                                                        [COMPARE_BY_LOSS] = ", by what B made worse",
                                                        [COMPARE_BY_P] = ", by how sure B is"};

static const struct bt_pair_row *row_at(const struct compare_view *s, size_t i)
{
    return &s->found->versus.pairing->row[s->in.index[i]];
}

static const struct bt_example *example_of(const struct compare_view *s, const struct bt_pair_row *row)
{
    return bt_pair_example(s->found->versus.pairing, s->found->versus.texts.examples, row);
}

static void add_text(const struct compare_view *s, const struct bt_example *x, struct bt_str *out)
{
    bt_pair_add_text(s->found->versus.pairing, x, out);
}

/* ── which rows ── */

static bool matches(const struct compare_view *s, const struct bt_pair_row *row, const struct needle *needle)
{
    const struct bt_example *x = example_of(s, row);
    struct bt_str text = {0};
    if (x) add_text(s, x, &text);
    bool found = needle_in(needle, bt_str_text(&text), text.len);
    bt_str_free(&text);
    return found || needle_in(needle, row->gold, strlen(row->gold)) ||
           needle_in(needle, row->first, strlen(row->first)) ||
           needle_in(needle, row->second, strlen(row->second));
}

void compare_inside_update(struct compare_view *s)
{
    struct compare_inside *in = &s->in;
    const struct bt_pairing *p = s->found ? s->found->versus.pairing : NULL;
    in->n = 0;
    if (!p) in->open = false;
    if (!in->open) return;
    size_t *more = realloc(in->index, (p->n + 1) * sizeof *more), kept = 0;
    if (!more) return;
    in->index = more;
    size_t n = compare_rows(p, &in->set, in->order, in->index);
    struct needle needle;
    needle_set(&needle, in->filter ? in->filter : "");
    for (size_t i = 0; i < n; i++)
        if (!in->filter || matches(s, &p->row[in->index[i]], &needle)) in->index[kept++] = in->index[i];
    in->n = kept;
    list_resize(&in->list, kept);
}

void compare_enter(struct view *v, const struct compare_set *set)
{
    struct compare_view *s = v->state;
    s->in.open = true;
    s->in.set = *set;
    s->in.list = (struct list){0};
    free(s->in.filter);
    s->in.filter = NULL;
    compare_inside_update(s);
}

void compare_inside_free(struct compare_inside *in)
{
    free(in->filter);
    free(in->filter_before);
    free(in->index);
    *in = (struct compare_inside){0};
}

/* ── drawing ── */

static const char *or_none(const char *text)
{
    return *text ? text : "(none)";
}

/* What a run said, with its confidence; of a number how far it is off. */
static void said_cell(const struct compare_view *s, const struct bt_pair_row *r, bool second, bool right,
                      struct bt_str *out)
{
    double p = second ? r->p_second : r->p_first, value = second ? r->value_second : r->value_first;
    bt_str_addf(out, "%s%s", right ? "" : "✗ ", or_none(second ? r->second : r->first));
    if (s->found->versus.pairing->kind == BT_ROWS_NUMBERS)
        bt_str_addf(out, " %+.2f", value - r->gold_value);
    else if (!isnan(p))
        bt_str_addf(out, " %.2f", p);
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct compare_view *s = ctx;
    const struct bt_pair_row *r = row_at(s, i);
    const struct bt_example *x = column == COL_TEXT ? example_of(s, r) : NULL;
    bool both = r->outcome == BT_BOTH_RIGHT, first = both || r->outcome == BT_ONLY_FIRST,
         second = both || r->outcome == BT_ONLY_SECOND;
    if (column == COL_ROW) bt_str_addf(out, "%" PRId64, r->id);
    if (column == COL_GOLD) bt_str_add(out, or_none(r->gold));
    if (column == COL_FIRST) said_cell(s, r, false, first, out);
    if (column == COL_SECOND) said_cell(s, r, true, second, out);
    if ((column == COL_FIRST && !first) || (column == COL_SECOND && !second)) *role = ROLE_BAD;
    if (column == COL_LOSS && !isnan(r->loss_first) && !isnan(r->loss_second))
        bt_str_addf(out, "%+.3f", r->loss_second - r->loss_first);
    if (x) add_text(s, x, out);
}

static struct list_look look_of(struct compare_view *s)
{
    return (struct list_look){.column = columns,
                              .n_columns = s->found->versus.texts.examples ? COLUMNS : COL_TEXT,
                              .sorted = sorted_column[s->in.order],
                              .descending = s->in.order != COMPARE_BY_ROW,
                              .focused = true,
                              .cell = cell,
                              .ctx = s};
}

/* The whole text of the row with the cursor, as far as a few lines hold it. Returns the lines that are left for the list. */
static int draw_text(struct term *t, struct rect r, const struct compare_view *s)
{
    enum { LINES = 3 };
    const struct bt_example *x =
        s->in.list.cursor < s->in.n ? example_of(s, row_at(s, s->in.list.cursor)) : NULL;
    struct bt_str all = {0}, part = {0};
    if (!x || r.h < 12) return r.h;
    add_text(s, x, &all);
    bt_text_clean(&part, bt_str_text(&all), all.len);
    struct rect line = {.y = r.y, .x = r.x + 1, .h = r.h, .w = r.w - 2};
    size_t at = 0;
    for (int i = 0; i < LINES; i++) {
        size_t left = part.len - at,
               fit = i + 1 == LINES ? left : sheet_fit(bt_str_text(&part) + at, left, line.w);
        term_text(t, line, r.h - LINES + i, 0, ROLE_TEXT, bt_str_text(&part) + at, fit);
        at += fit;
    }
    term_fill(t, (struct rect){.y = r.y + r.h - LINES - 1, .x = r.x, .h = 1, .w = r.w}, ROLE_BORDER, 0x2500);
    bt_str_free(&all);
    bt_str_free(&part);
    return r.h - LINES - 1;
}

void compare_inside_draw(struct view *v, struct rect area)
{
    struct compare_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    struct list_look look = look_of(s);
    compare_set_text(&s->in.set, s->found->versus.pairing->kind, &title);
    bt_str_addf(&title, ": %zu row%s", s->in.n, s->in.n == 1 ? "" : "s");
    bt_str_add(&title, order_names[s->in.order]);
    if (s->in.filter) bt_str_addf(&title, " with /%s", s->in.filter);
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    in.h = draw_text(t, in, s);
    if (s->in.n)
        list_draw(t, in, &s->in.list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s", s->in.filter ? "No row has that." : "No row.");
}

/* ── keys ── */

static void set_filter(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct compare_view *s = v->state;
    char *filter = text && *text ? bt_strdup(text) : NULL;
    free(s->in.filter);
    s->in.filter = filter;
    compare_inside_update(s);
    app_redraw(v->app);
}

static void filter_done(void *ctx, const char *text)
{
    struct compare_view *s = ((struct view *)ctx)->state;
    set_filter(ctx, text ? text : s->in.filter_before);
}

static bool ask_filter(struct view *v)
{
    struct compare_view *s = v->state;
    free(s->in.filter_before);
    s->in.filter_before = bt_strdup(s->in.filter);
    app_ask(v->app, &(struct app_prompt){.what = "rows with: ",
                                         .initial = s->in.filter ? s->in.filter : "",
                                         .history = "compare-filter",
                                         .done = filter_done,
                                         .changed = set_filter,
                                         .ctx = v});
    return true;
}

/* The row in its file. */
static bool open_row(struct view *v)
{
    struct compare_view *s = v->state;
    const struct bt_examples *e = s->found->versus.texts.examples;
    if (s->in.list.cursor >= s->in.n) return false;
    const struct bt_pair_row *row = row_at(s, s->in.list.cursor);
    const struct bt_example *x = example_of(s, row);
    if (!x || x->file >= s->found->versus.texts.n_files) {
        app_say(v->app, ROLE_WARN, "the file that row %" PRId64 " came from cannot be read or has changed",
                row->id);
        return true;
    }
    struct app_request r = {.path = s->found->versus.texts.file[x->file], .row = 1};
    for (size_t i = (size_t)row->id - 1; i-- > 0 && bt_examples_at(e, i)->file == x->file;) r.row++;
    app_open(v->app, VIEW_DATA, &r);
    return true;
}

static bool copy_row(struct view *v)
{
    struct compare_view *s = v->state;
    struct bt_str text = {0};
    if (s->in.list.cursor >= s->in.n) return false;
    for (int k = 0; k < COLUMNS; k++) {
        enum role role = ROLE_TEXT;
        if (k) bt_str_addc(&text, '\t');
        cell(s, s->in.list.cursor, k, &text, &role);
    }
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "row %" PRId64 " copied", row_at(s, s->in.list.cursor)->id);
    bt_str_free(&text);
    return true;
}

bool compare_inside_sort(struct view *v, int count)
{
    struct compare_view *s = v->state;
    s->in.order = (enum compare_order)(((int)s->in.order + count) % COMPARE_ORDERS);
    compare_inside_update(s);
    return true;
}

static bool leave(struct view *v)
{
    struct compare_view *s = v->state;
    if (s->in.filter)
        set_filter(v, NULL);
    else
        s->in.open = false;
    return true;
}

bool compare_inside_act(struct view *v, int action, int count)
{
    struct compare_view *s = v->state;
    switch (action) {
    case ACT_ENTER:
        return open_row(v);
    case ACT_ESCAPE:
        return leave(v);
    case ACT_SEARCH:
        return ask_filter(v);
    case ACT_COPY:
        return copy_row(v);
    default:
        return list_act(&s->in.list, action, count);
    }
}

bool compare_inside_mouse(struct view *v, const struct event *e)
{
    struct compare_view *s = v->state;
    struct list_look look = look_of(s);
    bool activated = false;
    int title = -1;
    if (!list_mouse(&s->in.list, e, &look, &activated, &title)) return false;
    for (int k = 0; title >= 0 && k < COMPARE_ORDERS; k++)
        if (sorted_column[k] == title) s->in.order = (enum compare_order)k;
    if (title >= 0) compare_inside_update(s);
    if (activated) open_row(v);
    app_redraw(v->app);
    return true;
}
