/* The grid: rows of the file, columns as wide as what they hold. */
#include "tui/format.h"
#include "tui/layout.h"
#include "tui/views/data_view.h"

#include <bertty/file.h>
#include <bertty/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, SMALL = 20, LEAST = 4, MOST_COLUMNS = 128, MOST_WRAPPED = 12, SIDE_STEP = 8, WHEEL_ROWS = 3 };
enum { MEASURED = 4096 /* bytes of a cell that are looked at for its width */, MOST_CACHED = 128 << 20 };

/* ── rows ── */

size_t data_rows(const struct data_view *s)
{
    if (!s->file) return 0;
    if (s->sort.row) return s->sort.n;
    return s->filter.on ? s->filter.rows.n : bt_table_rows(s->file->table);
}

size_t data_row_at(const struct data_view *s, size_t i)
{
    if (i >= data_rows(s)) return SIZE_MAX;
    if (s->sort.row) return i < s->sort.n ? s->sort.row[i] : SIZE_MAX;
    return s->filter.on ? row_set_at(&s->filter.rows, i) : i;
}

static bool place_in_order(const struct data_view *s, size_t row, size_t *i)
{
    for (*i = 0; *i < s->sort.n; ++*i)
        if (s->sort.row[*i] == row) return true;
    return false;
}

bool data_place_of(const struct data_view *s, size_t row, size_t *i)
{
    *i = row;
    if (s->sort.row) return place_in_order(s, row, i);
    return !s->filter.on || row_set_find(&s->filter.rows, row, i);
}

size_t data_cursor_row(const struct data_view *s)
{
    return data_row_at(s, s->cursor);
}

const struct data_cached *data_row(struct data_view *s, size_t row)
{
    struct data_cached *c = &s->cached[row % DATA_CACHED];
    struct bt_error err = {.status = BT_OK};
    if (c->row == row && (c->cells.n || c->status != BT_OK)) return c;
    if (s->cached_bytes > MOST_CACHED) data_forget_rows(s);
    s->cached_bytes -= c->cells.text.len;
    data_lock(s->file);
    c->status = bt_table_row(s->file->table, row, &c->cells, &err);
    data_unlock(s->file);
    s->cached_bytes += c->cells.text.len;
    snprintf(c->why, sizeof c->why, "%.*s", (int)sizeof c->why - 1, c->status == BT_OK ? "" : err.text);
    if (c->status != BT_OK && c->status != BT_INVALID) c->cells.n = 0;
    c->row = row;
    return c;
}

void data_forget_rows(struct data_view *s)
{
    for (size_t i = 0; i < DATA_CACHED; i++) {
        bt_row_free(&s->cached[i].cells);
        s->cached[i] = (struct data_cached){.row = SIZE_MAX};
    }
    s->cached_bytes = 0;
}

void data_go_to(struct data_view *s, size_t i)
{
    size_t n = data_rows(s);
    s->cursor = n == 0 ? 0 : i < n ? i : n - 1;
}

/* ── where the columns are ── */

struct placed {
    size_t column;
    int x, w;
};
struct layout {
    int gutter, n;
    struct placed at[MOST_COLUMNS];
};

static int cell_width(const char *cell, size_t n)
{
    return bt_text_width(cell, n < MEASURED ? n : MEASURED);
}

static int gutter_width(const struct data_view *s)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%zu", bt_table_rows(s->file->table));
    return (n < 3 ? 3 : n) + 2;
}

/* Widths only grow, so that columns do not dance while one moves. */
static void measure(struct data_view *s, int rows)
{
    size_t n = bt_table_columns(s->file->table);
    for (size_t k = 0; k < n && s->width; k++) {
        const char *name = bt_table_column(s->file->table, k);
        int w = cell_width(name, strlen(name)) + 1 + (s->sort.on && s->sort.column == k ? 2 : 0);
        if (w > s->width[k]) s->width[k] = w;
    }
    for (int i = 0; i < rows && s->width; i++) {
        size_t row = data_row_at(s, s->top + (size_t)i);
        if (row == SIZE_MAX) break;
        const struct data_cached *c = data_row(s, row);
        for (size_t k = 0; k < n && k < c->cells.n && c->status == BT_OK; k++) {
            int w = cell_width(c->cells.cell[k], c->cells.cell_n[k]);
            if (w > s->width[k]) s->width[k] = w;
        }
    }
}

/* Small columns get what they need; large ones share what is left, but not less than a fair part. */
static int large_width(const struct data_view *s, int room)
{
    size_t n = bt_table_columns(s->file->table);
    int large = 0;
    for (size_t k = 0; k < n; k++) {
        room -= GAP;
        if (s->width[k] > SMALL)
            large++;
        else
            room -= s->width[k];
    }
    room += GAP;
    int part = large ? room / large : 0;
    return part > SMALL ? part : SMALL;
}

static void place(const struct data_view *s, int width, struct layout *l)
{
    size_t n = bt_table_columns(s->file->table);
    int x = l->gutter, most = large_width(s, width - l->gutter);
    l->n = 0;
    for (size_t k = s->first_column; k < n && l->n < MOST_COLUMNS; k++) {
        if (x + (s->width[k] < LEAST ? s->width[k] : LEAST) > width) break;
        int w = s->width[k] > SMALL && s->width[k] > most ? most : s->width[k];
        if (x + w > width || (k + 1 == n && s->width[k] > w)) w = width - x;
        l->at[l->n++] = (struct placed){.column = k, .x = x, .w = w};
        x += w + GAP;
    }
}

static const struct placed *find_column(const struct layout *l, size_t column)
{
    for (int i = 0; i < l->n; i++)
        if (l->at[i].column == column) return &l->at[i];
    return NULL;
}

/* The cursor's column is there, and whole unless it is wider than the screen. */
static void place_cursor(struct data_view *s, int width, struct layout *l)
{
    size_t n = bt_table_columns(s->file->table);
    l->gutter = gutter_width(s);
    if (s->column >= n) s->column = n ? n - 1 : 0;
    if (s->column < s->first_column) s->first_column = s->column;
    for (;; s->first_column++) {
        place(s, width, l);
        const struct placed *p = find_column(l, s->column);
        int wanted = s->width[s->column] < SMALL ? s->width[s->column] : SMALL;
        if (s->first_column >= s->column || (p && p->w >= wanted)) return;
    }
}

/* ── drawing ── */

static const char *cell_of(const struct data_cached *c, size_t column, size_t *n)
{
    *n = column < c->cells.n ? c->cells.cell_n[column] : 0;
    return *n ? c->cells.cell[column] : "";
}

static bool is_number(const struct data_view *s, size_t column)
{
    enum column_kind kind = s->file->column[column].kind;
    return kind == COLUMN_INTEGER || kind == COLUMN_NUMBER;
}

static void draw_header(struct term *t, struct rect r, const struct data_view *s, const struct layout *l)
{
    struct bt_str name = {.data = NULL};
    for (int i = 0; i < l->n; i++) {
        const struct placed *p = &l->at[i];
        struct rect cell = {.y = r.y, .x = r.x + p->x, .h = 1, .w = p->w};
        bool here = p->column == s->column, sorted = s->sort.on && s->sort.column == p->column;
        int x = 0;
        bt_str_clear(&name);
        bt_str_addf(&name, "%s%s", bt_table_column(s->file->table, p->column),
                    !sorted            ? ""
                    : s->sort.reversed ? " ↓"
                                       : " ↑");
        if (is_number(s, p->column)) x = p->w - bt_text_width(bt_str_text(&name), name.len) - here;
        if (here) term_put(t, cell, 0, x > 0 ? x : 0, ROLE_FOCUS, 0x203a /* › */);
        term_text(t, cell, 0, (x > 0 ? x : 0) + here, here ? ROLE_FOCUS : ROLE_HEADER, bt_str_text(&name),
                  name.len);
    }
    bt_str_free(&name);
    if (l->n && l->at[0].column > 0) term_put(t, r, 0, l->gutter - 2, ROLE_KEY, 0x2039 /* ‹ */);
    if (l->n && l->at[l->n - 1].column + 1 < bt_table_columns(s->file->table))
        term_put(t, r, 0, r.w - 1, ROLE_KEY, 0x203a);
}

/* Where the needle stands in a cell, as columns of its cleaned form. An expression that takes too long is not marked any more. */
static bool find_needle(struct data_view *s, const char *cell, size_t n, int *at, int *w)
{
    size_t begin, end;
    enum bt_match found = s->regex ? bt_regex_find(s->regex, cell, n, 0, &begin, &end) : BT_MATCH_NONE;
    if (found == BT_MATCH_GAVE_UP) {
        bt_regex_free(s->regex);
        s->regex = NULL;
    }
    if (found != BT_MATCH_FOUND) return false;
    *at = bt_text_width(cell, begin);
    *w = bt_text_width(cell + begin, end - begin);
    return true;
}

/* Scrolls the cursor's cell so that what was found in it is seen. */
static void reveal(struct data_view *s, const struct layout *l)
{
    enum { AROUND = 8 };
    size_t n, row = data_cursor_row(s);
    const struct placed *p = find_column(l, s->column);
    int at, w;
    s->reveal = false;
    if (!p || row == SIZE_MAX) return;
    const char *text = cell_of(data_row(s, row), s->column, &n);
    s->left = find_needle(s, text, n, &at, &w) && at + w > p->w - 1 ? at + w - p->w + AROUND : 0;
}

static void draw_cell(struct term *t, struct rect cell, struct data_view *s, const struct data_cached *c,
                      size_t column, bool cursor_row)
{
    size_t n;
    const char *text = cell_of(c, column, &n);
    struct bt_str part = {0};
    enum role role = c->status == BT_OK ? ROLE_TEXT : ROLE_BAD;
    int x = 0, left = column == s->column ? s->left : 0, at, w;
    int width = cell_width(text, n);
    if (is_number(s, column) && width < cell.w) x = cell.w - width;
    if (cursor_row && column == s->column) s->wide = width > cell.w ? width - cell.w : 0;
    if (left > 0 && width > cell.w)
        bt_text_slice(&part, text, n, left, cell.w + 1);
    else
        bt_str_addn(&part, text, n < MEASURED ? n : MEASURED), left = 0;
    term_text(t, cell, 0, x, role, bt_str_text(&part), part.len);
    if (cursor_row) term_paint(t, cell, 0, 0, cell.w, ROLE_CURSOR);
    if (find_needle(s, text, n < MEASURED ? n : MEASURED, &at, &w) && at + w > left)
        term_paint(t, cell, 0, x + (at > left ? at - left : 0), at > left ? w : at + w - left, ROLE_MARK);
    bt_str_free(&part);
}

static void draw_number(struct term *t, struct rect r, int y, const struct layout *l,
                        const struct data_view *s, const struct data_cached *c, size_t row)
{
    bool odd = c->status != BT_OK || c->cells.n != bt_table_columns(s->file->table);
    char number[32];
    int n = snprintf(number, sizeof number, "%zu", row + 1);
    term_print(t, r, y, l->gutter - 2 - n, ROLE_DIM, "%s", number);
    if (odd) term_put(t, r, y, l->gutter - 2, ROLE_WARN, '!');
}

static void draw_line(struct term *t, struct rect r, int y, const struct layout *l, struct data_view *s,
                      size_t i)
{
    size_t row = data_row_at(s, i);
    const struct data_cached *c = data_row(s, row);
    bool here = i == s->cursor;
    draw_number(t, r, y, l, s, c, row);
    if (here) term_paint(t, r, y, 0, r.w, ROLE_CURSOR);
    if (c->status != BT_OK && c->cells.n == 0) {
        struct rect rest = {.y = r.y + y, .x = r.x + l->gutter, .h = 1, .w = r.w - l->gutter};
        term_text(t, rest, 0, 0, ROLE_BAD, c->why, strlen(c->why));
        return;
    }
    for (int k = 0; k < l->n; k++) {
        struct rect cell = {.y = r.y + y, .x = r.x + l->at[k].x, .h = 1, .w = l->at[k].w};
        if (c->status == BT_INVALID && k == 0) cell.w = r.w - l->at[k].x;
        draw_cell(t, cell, s, c, c->status == BT_INVALID ? 0 : l->at[k].column, here);
        if (c->status == BT_INVALID) break;
    }
}

/* ── wrapped rows ── */

/* Draws (t not NULL) or only counts the lines of a wrapped cell. */
static int wrapped_cell(struct term *t, struct rect cell, const char *text, size_t n)
{
    struct bt_str clean = {0};
    size_t at = 0;
    int y = 0;
    bt_text_clean(&clean, text, n < MEASURED ? n : MEASURED);
    do {
        size_t fit = sheet_fit(bt_str_text(&clean) + at, clean.len - at, cell.w);
        bool last = y + 1 == MOST_WRAPPED || (t && y + 1 >= cell.h);
        if (t) term_text(t, cell, y, 0, ROLE_TEXT, bt_str_text(&clean) + at, last ? clean.len - at : fit);
        at += fit;
        y++;
    } while (at < clean.len && y < MOST_WRAPPED);
    bt_str_free(&clean);
    return y;
}

static int wrapped_height(struct data_view *s, const struct layout *l, size_t i)
{
    const struct data_cached *c = data_row(s, data_row_at(s, i));
    int most = 1;
    for (int k = 0; k < l->n; k++) {
        size_t n;
        const char *text = cell_of(c, l->at[k].column, &n);
        int h = wrapped_cell(NULL, (struct rect){.w = l->at[k].w}, text, n);
        if (h > most) most = h;
    }
    return most;
}

static void draw_wrapped(struct term *t, struct rect r, int y, int h, const struct layout *l,
                         struct data_view *s, size_t i)
{
    size_t row = data_row_at(s, i);
    const struct data_cached *c = data_row(s, row);
    draw_number(t, r, y, l, s, c, row);
    for (int k = 0; k < l->n; k++) {
        size_t n;
        const char *text = cell_of(c, l->at[k].column, &n);
        struct rect cell = {.y = r.y + y, .x = r.x + l->at[k].x, .h = h, .w = l->at[k].w};
        wrapped_cell(t, cell, text, n);
    }
    for (int k = 0; i == s->cursor && k < h; k++) term_paint(t, r, y + k, 0, r.w, ROLE_CURSOR);
}

/* Moves the top so that the cursor's row is wholly seen, and no room is left below the last row. */
static void keep_wrapped(struct data_view *s, const struct layout *l, int room)
{
    size_t first = s->cursor, n = data_rows(s), i = 0;
    int used = wrapped_height(s, l, s->cursor);
    for (; first > s->top; first--) {
        used += wrapped_height(s, l, first - 1);
        if (used > room) break;
    }
    s->top = first;
    for (used = 0, i = first; i < n && used < room; i++) used += wrapped_height(s, l, i);
    for (; s->top > 0 && i == n; s->top--) {
        used += wrapped_height(s, l, s->top - 1);
        if (used > room) break;
    }
}

/* ── the page ── */

static void keep_within(struct data_view *s, int page)
{
    size_t n = data_rows(s), rows = page > 0 ? (size_t)page : 1;
    if (s->cursor >= n) s->cursor = n ? n - 1 : 0;
    if (s->cursor < s->top) s->top = s->cursor;
    if (s->cursor >= s->top + rows) s->top = s->cursor - rows + 1;
    if (!s->wrap && s->top + rows > n) s->top = n > rows ? n - rows : 0;
}

static void draw_lines(struct term *t, struct rect r, struct data_view *s, const struct layout *l)
{
    size_t n = data_rows(s);
    if (s->wrap && n) keep_wrapped(s, l, r.h);
    s->page_rows = 0;
    s->wide = 0;
    for (int y = 0; y < r.h && s->top + (size_t)s->page_rows < n; s->page_rows++) {
        size_t i = s->top + (size_t)s->page_rows;
        int h = s->wrap ? wrapped_height(s, l, i) : 1;
        if (y + h > r.h) h = r.h - y;
        if (s->wrap)
            draw_wrapped(t, r, y, h, l, s, i);
        else
            draw_line(t, r, y, l, s, i);
        y += h;
    }
}

static void filter_text(const struct data_view *s, struct bt_str *out)
{
    const struct data_filter *f = &s->filter;
    data_filter_tell(s, out);
    if (!f->complete) bt_str_addf(out, " · looking %.0f %%", f->progress * 100);
    if (f->partial) bt_str_add(out, " · not all rows could be read");
}

static void sort_text(const struct data_view *s, struct bt_str *out)
{
    if (!s->sort.on) return;
    bt_str_addf(out, " · by %s %s", bt_table_column(s->file->table, s->sort.column),
                s->sort.reversed ? "↓" : "↑");
    if (!s->sort.row) bt_str_addf(out, " %.0f %%", s->sort.progress * 100);
}

void data_title(const struct view *v, struct bt_str *out)
{
    const struct data_view *s = v->state;
    const struct bt_table *t = s->file ? s->file->table : NULL;
    bt_str_add(out, "Data");
    if (!t) return;
    bt_str_addf(out, " · %s · ", bt_path_base(s->file->path));
    if (s->filter.on) {
        format_count(out, (int64_t)s->filter.rows.n);
        bt_str_add(out, " of ");
    }
    format_count(out, (int64_t)bt_table_rows(t));
    bt_str_add(out, bt_table_rows(t) == 1 ? " row" : " rows");
    sort_text(s, out);
    if (s->filter.on) filter_text(s, out);
    if (s->index_err.status != BT_OK)
        bt_str_add(out, " · not read to its end");
    else if (!bt_table_complete(t))
        bt_str_addf(out, " · %s %.0f %%", s->halted ? "stopped at" : "reading", bt_table_progress(t) * 100);
    if (s->searching) bt_str_addf(out, " · searching “%s” %.0f %%", s->needle, s->search_progress * 100);
    if (s->opening) bt_str_addf(out, " · opening %s …", bt_path_base(s->opening));
}

static void draw_place(struct term *t, struct rect area, const struct data_view *s)
{
    struct bt_str text = {0};
    size_t row = data_cursor_row(s);
    if (row == SIZE_MAX || area.w < 60 || s->column >= bt_table_columns(s->file->table)) return;
    bt_str_add(&text, " ");
    bt_str_addf(&text, "row %zu · %s", row + 1, bt_table_column(s->file->table, s->column));
    char kind[64];
    column_describe(&s->file->column[s->column], kind, sizeof kind);
    bt_str_addf(&text, " (%s) ", kind);
    int w = bt_text_width(bt_str_text(&text), text.len);
    if (w < area.w - 4)
        term_text(t, area, area.h - 1, area.w - 2 - w, ROLE_DIM, bt_str_text(&text), text.len);
    bt_str_free(&text);
}

void data_rows_draw(struct view *v, struct rect area)
{
    struct data_view *s = v->state;
    struct term *t = app_term(v->app);
    struct bt_str title = {0};
    struct layout l;
    data_title(v, &title);
    struct rect in = term_box(t, area, bt_str_text(&title), true);
    bt_str_free(&title);
    if (in.h < 2 || !s->width) return;
    struct rect rows = {.y = in.y + 1, .x = in.x, .h = in.h - 1, .w = in.w};
    keep_within(s, rows.h); /* as many rows as there may be; wrapped ones move the top further */
    measure(s, rows.h);
    place_cursor(s, in.w, &l);
    s->grid = rows;
    if (s->reveal) reveal(s, &l);
    draw_header(t, in, s, &l);
    if (data_rows(s))
        draw_lines(t, rows, s, &l);
    else
        term_print(t, rows, 1, 2, ROLE_TEXT, "%s",
                   !s->filter.on        ? "The file has no rows."
                   : s->filter.complete ? "No row has that. Esc shows all rows."
                                        : "Looking …");
    if (s->index_err.status != BT_OK)
        term_text(t, area, area.h - 1, 2, ROLE_BAD, s->index_err.text, strlen(s->index_err.text));
    else
        draw_place(t, area, s);
}

/* ── motions ── */

static bool move_column(struct data_view *s, long by)
{
    long n = (long)bt_table_columns(s->file->table), to = (long)s->column + by;
    bool hidden = s->wide > 0 && !s->wrap;
    if (by > 0 && hidden && s->left < s->wide) { /* first through what the cell hides */
        s->left += SIDE_STEP;
        if (s->left > s->wide) s->left = s->wide;
        return true;
    }
    if (by < 0 && s->left > 0) {
        s->left = s->left > SIDE_STEP ? s->left - SIDE_STEP : 0;
        return true;
    }
    to = to < 0 ? 0 : to >= n ? n - 1 : to;
    if (to == (long)s->column) return true;
    s->column = (size_t)to;
    s->left = 0;
    return true;
}

static void move_row(struct data_view *s, long by)
{
    long to = (long)s->cursor + by;
    data_go_to(s, to < 0 ? 0 : (size_t)to);
}

bool data_rows_act(struct view *v, int action, int count)
{
    struct data_view *s = v->state;
    long page = s->page_rows > 1 ? s->page_rows : 1;
    switch (action) {
    case ACT_UP:
    case ACT_DOWN:
        move_row(s, action == ACT_UP ? -count : count);
        return true;
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
        move_row(s, action == ACT_PAGE_UP ? -count * page : count * page);
        return true;
    case ACT_HALF_UP:
    case ACT_HALF_DOWN:
        move_row(s, (action == ACT_HALF_UP ? -count : count) * ((page + 1) / 2));
        return true;
    case ACT_HOME:
        data_go_to(s, (size_t)(count - 1));
        return true;
    case ACT_END:
        data_go_to(s, app_counted(v->app) ? (size_t)(count - 1) : SIZE_MAX);
        return true;
    case ACT_LEFT:
    case ACT_RIGHT:
        return move_column(s, action == ACT_LEFT ? -count : count);
    default:
        return false;
    }
}

bool data_rows_mouse(struct view *v, const struct event *e)
{
    struct data_view *s = v->state;
    struct layout l;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN) {
        move_row(s, e->button == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
        return true;
    }
    if (e->button != MOUSE_LEFT || e->release || e->drag || !s->file) return false;
    bool title = e->y == s->grid.y - 1;
    if (!title && !layout_in(s->grid, e->y, e->x)) return false;
    place_cursor(s, s->grid.w, &l);
    for (int k = 0; k < l.n; k++)
        if (e->x - s->grid.x >= l.at[k].x && l.at[k].column != s->column) {
            bool beyond = k + 1 < l.n && e->x - s->grid.x >= l.at[k + 1].x;
            if (!beyond) s->left = 0, s->column = l.at[k].column;
        }
    int y = 0;
    for (size_t i = s->top; !title && i < data_rows(s) && y <= e->y - s->grid.y; i++) {
        y += s->wrap ? wrapped_height(s, &l, i) : 1;
        if (y > e->y - s->grid.y) s->cursor = i;
    }
    return true;
}
