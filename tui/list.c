#include "tui/list.h"
#include "tui/format.h"
#include <bertty/text.h>
#include <string.h>

enum { MAX_COLUMNS = 32, GAP = 2, WHEEL_ROWS = 3, SIDE_STEP = 8 };

struct placed {
    int x[MAX_COLUMNS], width[MAX_COLUMNS]; /* width −1: left out */
};

static int columns_of(const struct list_look *look)
{
    return look->n_columns < MAX_COLUMNS ? look->n_columns : MAX_COLUMNS;
}

static bool has_header(const struct list_look *look)
{
    for (int c = 0; c < columns_of(look); c++)
        if (look->column[c].title) return true;
    return false;
}

static void keep_within(struct list *l)
{
    size_t page = l->page > 0 ? (size_t)l->page : 1;
    if (l->n == 0) l->cursor = 0;
    if (l->n && l->cursor >= l->n) l->cursor = l->n - 1;
    if (l->cursor < l->top) l->top = l->cursor;
    if (l->cursor >= l->top + page) l->top = l->cursor - page + 1;
    if (l->top + page > l->n) l->top = l->n > page ? l->n - page : 0;
}

void list_resize(struct list *l, size_t n)
{
    l->n = n;
    keep_within(l);
}

/* ── where the columns are ── */

static int needed(const struct placed *p, const struct list_look *look)
{
    int sum = 0, kept = 0;
    for (int c = 0; c < columns_of(look); c++) {
        if (p->width[c] < 0) continue;
        sum += p->width[c];
        kept++;
    }
    return kept ? sum + GAP * (kept - 1) : 0;
}

static void drop_columns(struct placed *p, const struct list_look *look, int room)
{
    while (needed(p, look) > room) {
        int worst = -1;
        for (int c = 0; c < columns_of(look); c++) {
            bool candidate = p->width[c] >= 0 && look->column[c].drop > 0;
            if (candidate && (worst < 0 || look->column[c].drop > look->column[worst].drop)) worst = c;
        }
        if (worst < 0) return;
        p->width[worst] = -1;
    }
}

static int title_width(const struct list_look *look, int c)
{
    const char *title = look->column[c].title;
    return title ? bt_text_width(title, strlen(title)) + (look->sorted == c ? 2 : 0) : 0;
}

/* The widest of the cells in sight. */
static int wanted(const struct list *l, const struct list_look *look, int c, int rows)
{
    int widest = title_width(look, c);
    struct bt_str text = {0};
    for (size_t row = l->top; row < l->n && row < l->top + (size_t)rows; row++) {
        enum role role = ROLE_TEXT;
        bt_str_clear(&text);
        look->cell(look->ctx, row, c, &text, &role);
        int width = bt_text_width(bt_str_text(&text), text.len);
        if (width > widest) widest = width;
    }
    bt_str_free(&text);
    return widest;
}

static void widen(const struct list *l, struct placed *p, const struct list_look *look, int room, int rows)
{
    for (int c = 0; c < columns_of(look); c++) {
        const struct list_column *column = &look->column[c];
        if (p->width[c] < 0 || column->max <= column->min) continue;
        int width = wanted(l, look, c, rows), left = room - needed(p, look);
        if (width > column->max) width = column->max;
        if (width > p->width[c] + left) width = p->width[c] + left;
        if (width > p->width[c]) p->width[c] = width;
    }
}

static void share_rest(struct placed *p, const struct list_look *look, int room)
{
    int open = 0, left = room - needed(p, look);
    for (int c = 0; c < columns_of(look); c++) open += p->width[c] >= 0 && look->column[c].max == 0;
    for (int c = 0; c < columns_of(look) && left > 0; c++) {
        if (p->width[c] < 0 || look->column[c].max != 0) continue;
        int part = left / open--;
        p->width[c] += part;
        left -= part;
    }
}

static void place(const struct list *l, const struct list_look *look, int room, int rows, struct placed *p)
{
    int x = 0, n = columns_of(look);
    for (int c = 0; c < n; c++) p->width[c] = look->column[c].min > 0 ? look->column[c].min : 1;
    drop_columns(p, look, room);
    widen(l, p, look, room, rows);
    share_rest(p, look, room);
    for (int c = 0; c < n; c++) {
        p->x[c] = x;
        if (p->width[c] >= 0) x += p->width[c] + GAP;
    }
}

/* ── drawing ── */

static void draw_aligned(struct term *t, struct rect cell, const struct list_column *c, enum role role,
                         const char *text, size_t n)
{
    struct bt_str end = {0};
    if (c->end) {
        format_end(&end, text, n, cell.w);
        text = bt_str_text(&end);
        n = end.len;
    }
    int width = c->right ? bt_text_width(text, n) : 0;
    term_text(t, cell, 0, c->right && width < cell.w ? cell.w - width : 0, role, text, n);
    bt_str_free(&end);
}

static struct rect cell_rect(struct rect r, int y, const struct placed *p, int c)
{
    int w = p->x[c] + p->width[c] > r.w ? r.w - p->x[c] : p->width[c];
    return (struct rect){.y = r.y + y, .x = r.x + p->x[c], .h = 1, .w = w};
}

static void draw_header(struct term *t, struct rect r, const struct list_look *look, const struct placed *p)
{
    for (int c = 0; c < columns_of(look); c++) {
        struct bt_str title = {0};
        if (p->width[c] < 0 || !look->column[c].title) continue;
        bt_str_add(&title, look->column[c].title);
        if (look->sorted == c) bt_str_add(&title, look->descending ? " ↓" : " ↑");
        draw_aligned(t, cell_rect(r, 0, p, c), &look->column[c], ROLE_HEADER, bt_str_text(&title), title.len);
        bt_str_free(&title);
    }
}

static void draw_cell(struct term *t, struct rect cell, struct list *l, const struct list_look *look,
                      size_t row, int c)
{
    struct bt_str text = {0}, part = {0};
    enum role role = ROLE_TEXT;
    look->cell(look->ctx, row, c, &text, &role);
    const struct list_column *column = &look->column[c];
    const char *shown = bt_str_text(&text);
    size_t n = text.len;
    if (column->max == 0) {
        int width = bt_text_width(shown, n);
        if (width - cell.w > l->wide) l->wide = width - cell.w;
        if (l->left > 0 && width > cell.w) {
            bt_text_slice(&part, shown, n, l->left, width);
            shown = bt_str_text(&part);
            n = part.len;
        }
    }
    draw_aligned(t, cell, column, role, shown, n);
    bt_str_free(&text);
    bt_str_free(&part);
}

void list_draw(struct term *t, struct rect r, struct list *l, const struct list_look *look)
{
    struct placed p;
    int header = has_header(look) && r.h > 1 ? 1 : 0;
    l->at = r;
    l->page = r.h - header > 0 ? r.h - header : 0;
    l->wide = 0;
    keep_within(l);
    if (r.w <= 0 || r.h <= 0) return;
    place(l, look, r.w, l->page, &p);
    if (header) draw_header(t, r, look, &p);
    for (int i = 0; i < l->page && l->top + (size_t)i < l->n; i++) {
        size_t row = l->top + (size_t)i;
        for (int c = 0; c < columns_of(look); c++)
            if (p.width[c] >= 0) draw_cell(t, cell_rect(r, header + i, &p, c), l, look, row, c);
        if (row == l->cursor)
            term_paint(t, r, header + i, 0, r.w, look->focused ? ROLE_CURSOR : ROLE_CURSOR_IDLE);
    }
}

/* ── motions ── */

static void move_by(struct list *l, long by)
{
    if (!l->n) return;
    long to = (long)l->cursor + by, last = (long)l->n - 1;
    l->cursor = (size_t)(to < 0 ? 0 : to > last ? last : to);
    keep_within(l);
}

static bool move_sideways(struct list *l, int by)
{
    int most = l->wide > l->left ? l->wide : l->left, to = l->left + by;
    if (to > most) to = most;
    if (to < 0) to = 0;
    if (to == l->left) return false;
    l->left = to;
    return true;
}

bool list_act(struct list *l, int action, int count)
{
    long page = l->page > 1 ? l->page : 1;
    switch (action) {
    case ACT_UP:
        move_by(l, -count);
        return true;
    case ACT_DOWN:
        move_by(l, count);
        return true;
    case ACT_PAGE_UP:
        move_by(l, -count * page);
        return true;
    case ACT_PAGE_DOWN:
        move_by(l, count * page);
        return true;
    case ACT_HALF_UP:
        move_by(l, -count * ((page + 1) / 2));
        return true;
    case ACT_HALF_DOWN:
        move_by(l, count * ((page + 1) / 2));
        return true;
    case ACT_HOME: /* with a count: that row */
        l->cursor = (size_t)(count - 1);
        keep_within(l);
        return true;
    case ACT_END:
        l->cursor = count > 1 ? (size_t)(count - 1) : l->n ? l->n - 1 : 0;
        keep_within(l);
        return true;
    case ACT_LEFT:
    case ACT_RIGHT:
        return move_sideways(l, action == ACT_LEFT ? -SIDE_STEP * count : SIDE_STEP * count);
    default:
        return false;
    }
}

static int column_at(const struct list *l, const struct list_look *look, int x)
{
    struct placed p;
    place(l, look, l->at.w, l->page, &p);
    for (int c = 0; c < columns_of(look); c++)
        if (p.width[c] >= 0 && x >= p.x[c] && x < p.x[c] + p.width[c] + GAP) return c;
    return -1;
}

bool list_mouse(struct list *l, const struct event *e, const struct list_look *look, bool *activated,
                int *title)
{
    struct rect r = l->at;
    int y = e->y - r.y, header = has_header(look) && r.h > 1 ? 1 : 0;
    *activated = false;
    *title = -1;
    if (y < 0 || y >= r.h || e->x < r.x || e->x >= r.x + r.w) return false;
    if (e->button == MOUSE_WHEEL_UP || e->button == MOUSE_WHEEL_DOWN) {
        move_by(l, e->button == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
        return true;
    }
    if (e->button != MOUSE_LEFT || e->release || e->drag) return false;
    if (y < header) {
        *title = column_at(l, look, e->x - r.x);
        return true;
    }
    size_t row = l->top + (size_t)(y - header);
    if (row >= l->n) return true;
    *activated = e->twice && row == l->cursor;
    l->cursor = row;
    return true;
}
