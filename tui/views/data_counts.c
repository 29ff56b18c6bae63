/* How often each value of a column occurs. */
#include "tui/format.h"
#include "tui/views/data_view.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_ROWS = 256,        /* counted while the lock is held */
    SLICE_ROWS = 1 << 17,   /* … in one slice */
    MOST_DISTINCT = 200000, /* values that are told apart */
    MOST_SHOWN = 5000,      /* values handed over after a slice that is not the last */
    TABLE = 1 << 19         /* places of the hash table */
};

struct counting {
    struct data_walk walk;
    size_t column;
    bool labels;
    struct data_value *value;
    size_t n, rows, beyond, of_row; /* of_row: labels of this row */
    uint32_t *place;                /* [TABLE] index of the value + 1, 0: none */
    struct bt_row row;
    struct data_value *shown; /* sorted copies for the drawing thread */
    size_t n_shown;
};

static void values_free(struct data_value *value, size_t n)
{
    for (size_t i = 0; value && i < n; i++) free(value[i].text);
    free(value);
}

static void counting_free(struct data_walk *w)
{
    struct counting *c = (struct counting *)w;
    values_free(c->value, c->n);
    values_free(c->shown, c->n_shown);
    bt_row_free(&c->row);
    free(c->place);
    free(c);
}

static uint64_t hash(const char *p, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
}

static bool new_value(struct counting *c, const char *text, size_t n, uint32_t *place)
{
    char *copy = bt_strndup(text, n);
    if (!copy) return false;
    if ((c->n & (c->n - 1)) == 0) { /* full: 0, 1, 2, 4, … */
        struct data_value *more = realloc(c->value, (c->n ? c->n * 2 : 1) * sizeof *more);
        if (!more) {
            free(copy);
            return false;
        }
        c->value = more;
    }
    c->value[c->n++] = (struct data_value){.text = copy, .n = n, .rows = 1};
    *place = (uint32_t)c->n;
    return true;
}

static bool count_cell(struct counting *c, const char *text, size_t n)
{
    size_t at = (size_t)hash(text, n) % TABLE;
    for (; c->place[at]; at = (at + 1) % TABLE) {
        struct data_value *v = &c->value[c->place[at] - 1];
        if (v->n != n || memcmp(v->text, text, n) != 0) continue;
        v->rows++;
        return true;
    }
    if (c->n < MOST_DISTINCT) return new_value(c, text, n, &c->place[at]);
    c->beyond++;
    return true;
}

static bool take_label(void *ctx, const char *label, size_t n)
{
    struct counting *c = ctx;
    c->of_row++;
    return count_cell(c, label, n);
}

static bool count_row(struct counting *c)
{
    const char *cell = c->row.cell[c->column];
    size_t n = c->row.cell_n[c->column];
    c->rows++;
    c->of_row = 0;
    if (c->labels && !data_each_label(c->walk.file->separator, cell, n, take_label, c)) return false;
    return c->of_row || count_cell(c, c->labels ? "" : cell, c->labels ? 0 : n);
}

static void count_step(struct counting *c)
{
    struct data_walk *w = &c->walk;
    size_t rows = data_walk_rows(w), end = w->at + STEP_ROWS < rows ? w->at + STEP_ROWS : rows;
    data_lock(w->file);
    for (; w->at < end && w->err.status == BT_OK; w->at++) {
        enum bt_status st = bt_table_row(w->file->table, data_walk_row(w, w->at), &c->row, &w->err);
        if (st == BT_INVALID) w->err.status = BT_OK;
        if (st != BT_OK || c->column >= c->row.n) continue;
        if (!count_row(c)) bt_fail(&w->err, BT_NOMEM, "not enough memory for the values of the column");
    }
    data_unlock(w->file);
}

static int most_first(const void *a, const void *b)
{
    const struct data_value *x = a, *y = b;
    if (x->rows != y->rows) return x->rows < y->rows ? 1 : -1;
    return strcmp(x->text, y->text);
}

/* Sorted copies, of the most frequent ones. */
static void copy_values(struct counting *c, size_t most)
{
    struct data_value *sorted = calloc(c->n + 1, sizeof *sorted);
    values_free(c->shown, c->n_shown);
    c->shown = NULL;
    c->n_shown = 0;
    if (!sorted) return;
    if (c->n) memcpy(sorted, c->value, c->n * sizeof *sorted);
    qsort(sorted, c->n, sizeof *sorted, most_first);
    for (size_t i = 0; i < c->n && i < most; i++, c->n_shown++)
        if (!(sorted[i].text = bt_strndup(sorted[i].text, sorted[i].n))) break;
    c->shown = sorted;
}

static void count_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct counting *c = (struct counting *)w;
    size_t until = w->at + SLICE_ROWS;
    while (w->at < until && w->at < data_walk_rows(w) && w->err.status == BT_OK && !atomic_load(cancel))
        count_step(c);
    bool all = w->at >= data_walk_rows(w) && (w->some || bt_table_complete(w->file->table));
    copy_values(c, all ? SIZE_MAX : MOST_SHOWN);
}

static void count_turn(struct data_walk *w)
{
    struct counting *c = (struct counting *)w;
    struct data_view *s = w->v->state;
    if (w->err.status != BT_OK) app_say_error(w->v->app, &w->err);
    values_free(s->counts.value, s->counts.n);
    s->counts.value = c->shown;
    s->counts.n = c->n_shown;
    s->counts.rows = c->rows;
    s->counts.distinct = c->n;
    s->counts.beyond = c->beyond;
    s->counts.progress = data_walk_progress(w);
    s->counts.complete = w->ended;
    s->counts.partial = data_walk_partial(w);
    c->shown = NULL;
    c->n_shown = 0;
    list_resize(&s->counts_list, s->counts.n);
}

void data_counts_clear(struct data_view *s)
{
    values_free(s->counts.value, s->counts.n);
    free(s->counts.of);
    s->counts = (struct data_counts){0};
    s->counts_list = (struct list){0};
}

void data_count(struct view *v, size_t column, bool labels)
{
    struct data_view *s = v->state;
    struct counting *c = calloc(1, sizeof *c);
    data_walk_stop(v, &s->owner_counts);
    data_counts_clear(s);
    if (c) c->place = calloc(TABLE, sizeof *c->place);
    s->counts.column = column;
    s->counts.labels = labels && s->file->separator;
    s->counts.of = bt_strdup(bt_table_column(s->file->table, column));
    if (c) c->walk.v = v;
    if (!c || !c->place || !s->counts.of || !data_walk_shown(&c->walk)) {
        if (c) counting_free(&c->walk);
        return;
    }
    c->column = column;
    c->labels = s->counts.labels;
    c->walk.owner = &s->owner_counts;
    c->walk.slice = count_slice;
    c->walk.turn = count_turn;
    c->walk.free = counting_free;
    s->page = DATA_COUNTS;
    data_walk_start(&c->walk);
}

/* ── drawing ── */

enum { COL_VALUE, COL_ROWS, COL_SHARE, COL_BAR, COLUMNS };
enum { OTHERS = 29 /* columns that counts, shares and gaps take */, LEAST_BAR = 4 };
static const struct list_column columns[COLUMNS] = {
    [COL_VALUE] = {.title = "value", .min = 10, .max = 10},
    [COL_ROWS] = {.title = "rows", .min = 8, .max = 12, .right = true},
    [COL_SHARE] = {.title = "share", .min = 7, .right = true, .max = 7},
    [COL_BAR] = {.title = "", .min = 8},
};

static void bar(struct bt_str *out, double share, int width)
{
    int n = (int)(share * width + 0.5);
    for (int i = 0; i < n || (i == 0 && share > 0); i++) bt_str_add(out, "▇");
}

static void cell(void *ctx, size_t i, int column, struct bt_str *out, enum role *role)
{
    const struct data_view *s = ctx;
    const struct data_value *v = &s->counts.value[i];
    bool answers = s->file->kind == BT_EXAMPLE_QUESTION && (ptrdiff_t)s->counts.column == s->file->label;
    double rows = (double)s->counts.rows, most = (double)s->counts.value[0].rows;
    if (column == COL_VALUE && v->n == 0) *role = ROLE_DIM;
    if (column == COL_VALUE && v->n) bt_str_addn(out, v->text, v->n);
    if (column == COL_VALUE && !v->n)
        bt_str_add(out, s->counts.labels ? "(no label)" : answers ? "(no answer)" : "(empty)");
    if (column == COL_ROWS) format_count(out, (int64_t)v->rows);
    if (column == COL_SHARE) bt_str_addf(out, "%.1f %%", 100 * (double)v->rows / rows);
    if (column != COL_BAR) return;
    *role = role_series((unsigned)i);
    bar(out, (double)v->rows / most, s->counts_bar);
}

/* The values take what they need, up to half of the room; the bars get the rest. */
static int value_width(const struct data_view *s, int room)
{
    int widest = columns[COL_VALUE].min;
    for (size_t i = s->counts_list.top; i < s->counts.n && i < s->counts_list.top + 100; i++) {
        int w =
            bt_text_width(s->counts.value[i].text, s->counts.value[i].n < 400 ? s->counts.value[i].n : 400);
        if (w > widest) widest = w;
    }
    int most = (room - OTHERS) * 2 / 3;
    return widest < most ? widest : most > columns[COL_VALUE].min ? most : columns[COL_VALUE].min;
}

static struct list_look look_of(struct data_view *s, int room, struct list_column own[COLUMNS])
{
    memcpy(own, columns, sizeof columns);
    own[COL_VALUE].min = own[COL_VALUE].max = value_width(s, room);
    int left = room - OTHERS - own[COL_VALUE].min;
    s->counts_bar = left > LEAST_BAR ? left : LEAST_BAR;
    return (struct list_look){.column = own,
                              .n_columns = COLUMNS,
                              .sorted = COL_ROWS,
                              .descending = true,
                              .focused = true,
                              .cell = cell,
                              .ctx = s};
}

static void title_of(const struct data_view *s, struct bt_str *out)
{
    const struct data_counts *c = &s->counts;
    bt_str_addf(out, "%s of %s · ", c->labels ? "Labels" : "Values", c->of);
    format_count(out, (int64_t)c->distinct);
    bt_str_addf(out, " in ");
    format_count(out, (int64_t)c->rows);
    bt_str_addf(out, " rows%s", s->filter.on ? " (filtered)" : "");
    if (!c->complete) bt_str_addf(out, " · counting %.0f %%", c->progress * 100);
    if (c->partial) bt_str_add(out, " · not all could be read");
    if (!c->beyond) return;
    bt_str_add(out, " · ");
    format_count(out, (int64_t)c->beyond);
    bt_str_add(out, " rows have yet other values");
}

void data_counts_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    title_of(s, &title);
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    struct list_column own[COLUMNS];
    struct list_look look = look_of(s, in.w, own);
    if (s->counts.n)
        list_draw(t, in, &s->counts_list, &look);
    else
        term_print(t, in, in.h / 2, 2, ROLE_TEXT, "%s",
                   s->counts.complete ? "The column has no values." : "Counting …");
}

/* ── keys ── */

static bool drill(struct view *v)
{
    struct data_view *s = v->state;
    size_t i = s->counts_list.cursor;
    if (i >= s->counts.n) return true;
    const struct data_value *value = &s->counts.value[i];
    if (strlen(value->text) != value->n) {
        app_say(v->app, ROLE_WARN, "a value with a NUL byte cannot be looked for");
        return true;
    }
    s->column = s->counts.column;
    data_filter_further(v, (ptrdiff_t)s->counts.column, value->text,
                        s->counts.labels && value->n ? DATA_HAS_LABEL : DATA_EQUALS);
    s->page = DATA_ROWS;
    return true;
}

static bool copy_counts(struct view *v)
{
    struct data_view *s = v->state;
    struct bt_str text = {0};
    bt_str_addf(&text, "%s\trows\n", s->counts.of);
    for (size_t i = 0; i < s->counts.n; i++) {
        bt_str_addn(&text, s->counts.value[i].text, s->counts.value[i].n);
        bt_str_addf(&text, "\t%zu\n", s->counts.value[i].rows);
    }
    if (!text.failed) term_copy(app_term(v->app), bt_str_text(&text), text.len);
    app_say(v->app, ROLE_TEXT, "%zu values copied", s->counts.n);
    bt_str_free(&text);
    return true;
}

bool data_counts_act(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    switch (action) {
    case ACT_ENTER:
        return drill(v);
    case ACT_COPY:
        return copy_counts(v);
    case ACT_ESCAPE:
        data_walk_stop(v, &s->owner_counts);
        s->page = DATA_ROWS;
        return true;
    default:
        return list_act(&s->counts_list, action, count);
    }
}

bool data_counts_mouse(struct view *v, const struct event *e)
{
    struct data_view *s = v->state;
    struct list_column own[COLUMNS];
    struct list_look look = look_of(s, s->counts_list.at.w, own);
    bool activated = false;
    int title = -1;
    if (!s->counts.n || !list_mouse(&s->counts_list, e, &look, &activated, &title)) return false;
    if (activated) drill(v);
    return true;
}
