/* The rows that are shown, in the order of a column: their cells are read and sorted in the background. */
#include "tui/views/data_view.h"

#include <bertty/row_order.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 256 /* read while the lock is held */, SLICE_ROWS = 1 << 16 };
static const size_t MOST_BYTES = (size_t)512 << 20;
static const double READING = 0.7; /* share of the work */

struct sorting {
    struct data_walk walk;
    size_t column;
    struct bt_row_order *order;
    struct bt_row row;
    double sorted; /* progress of the second part */
    uint32_t *rows;
    size_t n;
};

static void sorting_free(struct data_walk *w)
{
    struct sorting *q = (struct sorting *)w;
    bt_row_order_free(q->order);
    bt_row_free(&q->row);
    free(q->rows);
    free(q);
}

/* A row without the column sorts as an empty cell. */
static void read_step(struct sorting *q)
{
    struct data_walk *w = &q->walk;
    size_t rows = data_walk_rows(w), end = w->at + STEP_ROWS < rows ? w->at + STEP_ROWS : rows;
    data_lock(w->file);
    for (; w->at < end && w->err.status == BT_OK; w->at++) {
        size_t row = data_walk_row(w, w->at);
        enum bt_status st = bt_table_row(w->file->table, row, &q->row, &w->err);
        bool there = st == BT_OK && q->column < q->row.n;
        if (st != BT_OK && st != BT_INVALID) break;
        w->err.status = BT_OK;
        bt_row_order_add(q->order, row, there ? q->row.cell[q->column] : "",
                         there ? q->row.cell_n[q->column] : 0, &w->err);
    }
    data_unlock(w->file);
}

static void sort_slice(struct data_walk *w, const atomic_bool *cancel)
{
    struct sorting *q = (struct sorting *)w;
    size_t until = w->at + SLICE_ROWS;
    while (w->at < until && w->at < data_walk_rows(w) && w->err.status == BT_OK && !atomic_load(cancel))
        read_step(q);
    bool all = w->at >= data_walk_rows(w) && (w->some || bt_table_complete(w->file->table));
    while (all && q->sorted < 1 && w->err.status == BT_OK) /* in one slice: the walk would end */
        bt_row_order_sort(q->order, cancel, &q->sorted, &w->err);
    if (all && w->err.status == BT_OK) q->rows = bt_row_order_take(q->order, &q->n);
}

static void sort_turn(struct data_walk *w)
{
    struct sorting *q = (struct sorting *)w;
    struct data_view *s = w->v->state;
    s->sort.progress = data_walk_progress(w) * READING;
    if (w->err.status != BT_OK) {
        app_say_error(w->v->app, &w->err);
        s->sort.on = false;
        return;
    }
    if (!w->ended) return;
    if (!q->rows && bt_table_complete(w->file->table)) { /* its end came when the slice was through */
        w->ended = false;
        return;
    }
    if (!q->rows) { /* the file was not read to its end */
        s->sort.on = false;
        app_say(w->v->app, ROLE_WARN, "not sorted: the file is not read to its end (i goes on)");
        return;
    }
    s->sort.row = q->rows;
    s->sort.n = q->n;
    q->rows = NULL;
    s->cursor = s->top = 0;
}

/* ── begin and end ── */

void data_sort_clear(struct view *v)
{
    struct data_view *s = v->state;
    data_walk_stop(v, &s->owner_sort);
    free(s->sort.row);
    s->sort = (struct data_sorting){.on = false};
}

void data_sort_again(struct view *v)
{
    struct data_view *s = v->state;
    size_t row = s->file && s->sort.row && !s->filter.on ? data_cursor_row(s) : SIZE_MAX;
    data_walk_stop(v, &s->owner_sort);
    free(s->sort.row);
    s->sort.row = NULL;
    s->sort.n = 0;
    s->sort.progress = 0;
    if (row != SIZE_MAX) s->cursor = row;
    if (!s->file || !s->sort.on || (s->filter.on && !s->filter.complete)) return;
    struct sorting *q = calloc(1, sizeof *q);
    if (q) q->order = bt_row_order_create(s->sort.reversed, MOST_BYTES);
    if (q) q->walk.v = v;
    if (!q || !q->order || !data_walk_shown(&q->walk)) {
        if (q) sorting_free(&q->walk);
        s->sort.on = false;
        app_say(v->app, ROLE_BAD, "not enough memory to sort the rows");
        return;
    }
    q->column = s->sort.column;
    q->walk.owner = &s->owner_sort;
    q->walk.slice = sort_slice;
    q->walk.turn = sort_turn;
    q->walk.free = sorting_free;
    data_walk_start(&q->walk);
}

bool data_sort(struct view *v)
{
    struct data_view *s = v->state;
    bool same = s->sort.on && s->sort.column == s->column;
    if (same && s->sort.reversed) {
        size_t row = data_cursor_row(s), i;
        data_sort_clear(v);
        if (row != SIZE_MAX && data_place_of(s, row, &i)) s->cursor = i;
        return true;
    }
    s->sort.on = true;
    s->sort.reversed = same;
    s->sort.column = s->column;
    data_sort_again(v);
    return true;
}
