/* Search and filter over the whole file, in the background. */
#include "tui/views/data_view.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP_BYTES = 256 << 10, /* looked at while the lock is held */
    STEPS = 64,             /* … in one slice */
    MOST_FOUND = 1 << 16    /* rows that one slice of a filter hands over */
};

/* ── search ── */

struct search {
    struct data_walk walk;
    char *needle;
    bool backwards, round; /* round: has gone on from the other end */
    size_t from, found;    /* found: SIZE_MAX: not yet */
};

static void search_free(struct data_walk *w)
{
    struct search *q = (struct search *)w;
    free(q->needle);
    free(q);
}

/* One look; true: go on. */
static bool search_step(struct search *q, const atomic_bool *cancel)
{
    struct data_walk *w = &q->walk;
    const struct bt_table_query query = {.needle = q->needle, .column = -1, .ignore_case = true};
    size_t row;
    data_lock(w->file);
    enum bt_status st =
        bt_table_search(w->file->table, &query, w->at, q->backwards, STEP_BYTES, cancel, &row, &w->err);
    data_unlock(w->file);
    if (st == BT_OK) q->found = row;
    if (st != BT_NOTFOUND) return false;
    w->err.status = BT_OK;
    w->at = row;
    return q->backwards ? row != SIZE_MAX : row < bt_table_rows(w->file->table);
}

static void search_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct search *q = (struct search *)w;
    for (int i = 0; i < STEPS && !atomic_load(cancel); i++)
        if (!search_step(q, cancel)) break;
    if (q->found != SIZE_MAX) w->ended = true;
}

static bool in_filter(const struct data_view *s, size_t row, size_t *i)
{
    size_t low = 0, high = s->filter.n;
    *i = row;
    if (!s->filter.on) return true;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->filter.row[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    *i = low;
    return low < s->filter.n && s->filter.row[low] == row;
}

/* The cursor goes to the cell that holds the needle. */
static void show_found(struct data_view *s, size_t i)
{
    data_go_to(s, i);
    s->left = 0;
    const struct data_cached *c = data_row(s, data_cursor_row(s));
    size_t n = strlen(s->needle);
    s->reveal = true;
    for (size_t k = 0; k < c->cells.n && k < bt_table_columns(s->file->table); k++)
        for (size_t at = 0; at + n <= c->cells.cell_n[k]; at++)
            if (strncasecmp(c->cells.cell[k] + at, s->needle, n) == 0) {
                s->column = k;
                return;
            }
}

static void tell_round(struct search *q)
{
    if (q->round)
        app_say(q->walk.v->app, ROLE_DIM, "went on from the %s of the file",
                q->backwards ? "end" : "beginning");
}

/* A row that the filter hides is passed over. False: look further. */
static bool take_found(struct search *q)
{
    struct data_view *s = q->walk.v->state;
    size_t i;
    if (in_filter(s, q->found, &i)) {
        show_found(s, i);
        tell_round(q);
        return true;
    }
    q->walk.at = q->backwards ? q->found - 1 : q->found + 1;
    q->found = SIZE_MAX;
    q->walk.ended = false;
    return false;
}

/* At an end of the file: once more from the other one. */
static void turn_round(struct search *q)
{
    struct data_view *s = q->walk.v->state;
    size_t rows = bt_table_rows(q->walk.file->table);
    if (q->round || rows == 0) {
        s->searching = false;
        s->queued = 0;
        q->walk.ended = true;
        app_say(q->walk.v->app, ROLE_WARN, "“%s” is in no row%s", q->needle,
                s->filter.on ? " that is shown" : "");
        return;
    }
    q->round = true;
    q->walk.ended = false;
    q->walk.at = q->backwards ? rows - 1 : 0;
}

/* Keys that came while a search was under way. */
static void go_on(struct view *v)
{
    struct data_view *s = v->state;
    int queued = s->queued;
    s->queued = queued > 0 ? queued - 1 : queued < 0 ? queued + 1 : 0;
    if (queued) data_search_next(v, queued < 0);
}

static void search_turn(struct data_walk *w)
{
    struct search *q = (struct search *)w;
    struct data_view *s = w->v->state;
    bool failed = w->err.status != BT_OK;
    size_t rows = bt_table_rows(w->file->table);
    if (failed) app_say_error(w->v->app, &w->err);
    if (failed || (q->found != SIZE_MAX && take_found(q))) {
        s->searching = false;
        w->ended = true;
        app_redraw_now(w->v->app);
        go_on(w->v);
        return;
    }
    bool through = q->round && (q->backwards ? w->at < q->from : w->at > q->from);
    if (through || (q->backwards ? w->at == SIZE_MAX : w->ended)) turn_round(q);
    s->search_progress = q->backwards || !rows ? bt_table_progress(w->file->table) : data_walk_progress(w);
}

static void search_start(struct view *v, size_t from, bool backwards)
{
    struct data_view *s = v->state;
    struct search *q = calloc(1, sizeof *q);
    data_walk_stop(v, &s->owner_find);
    s->searching = false;
    if (!q || !(q->needle = bt_strdup(s->needle))) {
        free(q);
        return;
    }
    q->walk = (struct data_walk){.v = v,
                                 .owner = &s->owner_find,
                                 .at = from,
                                 .slice = search_slice,
                                 .turn = search_turn,
                                 .free = search_free};
    q->backwards = backwards;
    q->from = from;
    q->found = SIZE_MAX;
    s->searching = true;
    s->search_progress = 0;
    data_walk_start(&q->walk);
}

bool data_search_next(struct view *v, bool backwards)
{
    struct data_view *s = v->state;
    size_t row = data_cursor_row(s);
    if (!s->needle) {
        app_say(v->app, ROLE_TEXT, "/ searches");
        return true;
    }
    if (row == SIZE_MAX) return true;
    if (s->searching) {
        s->queued += backwards ? -1 : 1;
        return true;
    }
    size_t rows = bt_table_rows(s->file->table);
    search_start(v, backwards ? (row ? row - 1 : rows - 1) : row + 1, backwards);
    return true;
}

static void search_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct data_view *s = v->state;
    size_t row = s->file ? data_cursor_row(s) : SIZE_MAX;
    if (!text || !s->file) return;
    char *needle = *text ? bt_strdup(text) : NULL;
    free(s->needle);
    s->needle = needle;
    app_redraw(v->app);
    s->queued = 0;
    if (needle && row != SIZE_MAX) search_start(v, row, false);
}

bool data_ask_search(struct view *v)
{
    app_ask(v->app,
            &(struct app_prompt){.what = "/", .history = "data-search", .done = search_done, .ctx = v});
    return true;
}

/* ── filter ── */

struct filtering {
    struct data_walk walk;
    char *needle;
    ptrdiff_t column;
    enum data_match match;
    struct bt_row row;
    size_t *found, n; /* of the last slice */
};

static void filtering_free(struct data_walk *w)
{
    struct filtering *f = (struct filtering *)w;
    bt_row_free(&f->row);
    free(f->needle);
    free(f->found);
    free(f);
}

static bool is_other(void *ctx, const char *label, size_t n)
{
    const char *needle = ctx;
    return strlen(needle) != n || memcmp(label, needle, n) != 0;
}

/* Whether a row that holds the needle has it as a label. */
static bool has_label(struct filtering *f, size_t row)
{
    struct data_file *file = f->walk.file;
    size_t column = (size_t)f->column;
    if (bt_table_row(file->table, row, &f->row, NULL) != BT_OK || column >= f->row.n) return false;
    return !data_each_label(file->separator, f->row.cell[column], f->row.cell_n[column], is_other, f->needle);
}

static bool filter_step(struct filtering *f, const atomic_bool *cancel)
{
    struct data_walk *w = &f->walk;
    const struct bt_table_query q = {.needle = f->needle,
                                     .column = f->column,
                                     .ignore_case = f->match == DATA_HOLDS,
                                     .whole = f->match == DATA_EQUALS};
    enum bt_status st = BT_OK;
    size_t row = 0;
    data_lock(w->file);
    for (int i = 0; i < 256 && st == BT_OK && f->n < MOST_FOUND; i++) {
        st = bt_table_search(w->file->table, &q, w->at, false, STEP_BYTES, cancel, &row, &w->err);
        if (st == BT_OK && (f->match != DATA_HAS_LABEL || has_label(f, row))) f->found[f->n++] = row;
        if (st == BT_OK) w->at = row + 1;
    }
    data_unlock(w->file);
    if (st == BT_NOTFOUND) {
        w->err.status = BT_OK;
        w->at = row;
    }
    return (st == BT_OK || st == BT_NOTFOUND) && w->at < bt_table_rows(w->file->table) && f->n < MOST_FOUND;
}

static void filter_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct filtering *f = (struct filtering *)w;
    f->n = 0;
    for (int i = 0; i < STEPS * 4 && !atomic_load(cancel); i++)
        if (!filter_step(f, cancel)) break;
}

static bool add_rows(struct data_filter *to, const size_t *row, size_t n)
{
    if (to->n + n > to->cap) {
        size_t cap = (to->n + n) * 2;
        size_t *more = realloc(to->row, cap * sizeof *more);
        if (!more) return false;
        to->row = more;
        to->cap = cap;
    }
    if (n) memcpy(to->row + to->n, row, n * sizeof *row);
    to->n += n;
    return true;
}

static void filter_turn(struct data_walk *w)
{
    struct filtering *f = (struct filtering *)w;
    struct data_view *s = w->v->state;
    if (w->err.status != BT_OK) app_say_error(w->v->app, &w->err);
    if (!add_rows(&s->filter, f->found, f->n)) {
        app_say(w->v->app, ROLE_BAD, "not enough memory for the rows of the filter");
        w->ended = true;
    }
    s->filter.progress = data_walk_progress(w);
    s->filter.complete = w->ended;
}

void data_filter_clear(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = s->file && s->filter.on ? data_cursor_row(s) : SIZE_MAX;
    bool on = s->filter.on;
    data_walk_stop(v, &s->owner_filter);
    free(s->filter.needle);
    free(s->filter.row);
    s->filter = (struct data_filter){0};
    if (on && row != SIZE_MAX) s->cursor = row;
}

void data_filter_by(struct view *v, ptrdiff_t column, const char *needle, enum data_match match)
{
    struct data_view *s = v->state;
    struct filtering *f = calloc(1, sizeof *f);
    data_filter_clear(v);
    s->filter =
        (struct data_filter){.on = true, .column = column, .needle = bt_strdup(needle), .match = match};
    s->cursor = s->top = 0;
    if (f) *f = (struct filtering){.needle = bt_strdup(needle), .column = column, .match = match};
    if (!f || !f->needle || !s->filter.needle || !(f->found = calloc(MOST_FOUND, sizeof *f->found))) {
        if (f) filtering_free(&f->walk);
        data_filter_clear(v);
        return;
    }
    f->walk = (struct data_walk){.v = v,
                                 .owner = &s->owner_filter,
                                 .slice = filter_slice,
                                 .turn = filter_turn,
                                 .free = filtering_free};
    data_walk_start(&f->walk);
}

static void filter_done(void *ctx, const char *text)
{
    struct view *v = ctx;
    struct data_view *s = v->state;
    if (!text || !s->file) return;
    if (*text)
        data_filter_by(v, -1, text, DATA_HOLDS);
    else
        data_filter_clear(v);
    app_redraw(v->app);
}

bool data_ask_filter(struct view *v)
{
    app_ask(v->app, &(struct app_prompt){
                        .what = "rows with: ", .history = "data-filter", .done = filter_done, .ctx = v});
    return true;
}
