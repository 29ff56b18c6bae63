/* Drawing the comparison: a table whose lines have a cell for each run, or for each label. */
#include "tui/empty.h"
#include "tui/format.h"
#include "tui/views/compare_view.h"

#include <bertty/text.h>
#include <string.h>

enum {
    NAME_LEAST = 20,
    NAME_MOST = 34,
    CELL_LEAST = 12,
    CELL_MOST = 26,
    CELL_WIDEST = 44,
    NARROW = 8, /* cells of the metrics of two runs and of slices */
    NARROW_NAME_LEAST = 12,
    NARROW_NAME_MOST = 44,
    MARKS = 4 /* before a run's name */
};

static void put(struct term *t, struct rect r, int y, int x, enum role role, const char *text)
{
    term_text(t, r, y, x, role, text, strlen(text));
}

/* A part of a line, so that a text is cut where its cell ends. */
static struct rect part(struct rect r, int x, int w)
{
    if (x + w > r.w) w = r.w - x;
    return (struct rect){.y = r.y, .x = r.x + x, .h = r.h, .w = w > 0 ? w : 0};
}

/* ── geometry ── */

static size_t most_cells(const struct compare_view *s)
{
    size_t runs = s->found->compare->n_runs, labels = s->found->versus.matrix.n,
           most = labels > runs ? labels : runs;
    return most > COMPARE_NARROW_CELLS || !s->found->versus.pairing ? most : COMPARE_NARROW_CELLS;
}

/* Cells are as wide as the names of the runs, within bounds. */
static int widest_cell(const struct compare_view *s)
{
    const struct bt_compare *c = s->found->compare;
    int widest = CELL_MOST;
    for (size_t i = 0; i < c->n_runs; i++) {
        int w = bt_text_width(c->run[i].id, strlen(c->run[i].id)) + MARKS + 1;
        if (w > widest) widest = w;
    }
    return widest < CELL_WIDEST ? widest : CELL_WIDEST;
}

static void lay_out(struct compare_view *s, int width)
{
    int need = NAME_LEAST, runs = (int)s->n, most = widest_cell(s);
    for (size_t i = 0; i < s->lines.n; i++) {
        const struct compare_line *l = &s->lines.line[i];
        if (l->kind == COMPARE_HEAD || l->kind == COMPARE_NOTE || compare_narrow(l)) continue;
        int w = bt_text_width(l->text, strlen(l->text)) + 2;
        if (w > need) need = w;
    }
    s->name_width = need > NAME_MOST ? NAME_MOST : need;
    if (s->name_width > width / 2) s->name_width = width / 2;
    s->cell_width = runs ? (width - s->name_width - 1) / runs : CELL_MOST;
    if (s->cell_width > most) s->cell_width = most;
    if (s->cell_width < CELL_LEAST) s->cell_width = CELL_LEAST;
}

/* Where the cells of a line are: the one behind the other, from the first that is seen. */
struct cells {
    int x, width;
    size_t first, seen;
};

static struct cells cells_of(const struct compare_view *s, const struct compare_line *l, int width)
{
    struct cells c = {.x = s->name_width, .width = s->cell_width, .first = s->first_cell};
    if (compare_narrow(l)) {
        c.width = NARROW;
        c.x = width - 1 - COMPARE_NARROW_CELLS * NARROW;
        c.x = c.x < NARROW_NAME_LEAST ? NARROW_NAME_LEAST : c.x > NARROW_NAME_MOST ? NARROW_NAME_MOST : c.x;
        c.first = 0;
    }
    int n = (width - c.x - 1) / c.width;
    c.seen = n > 0 ? (size_t)n : 1;
    if (compare_narrow(l) && l == compare_current(s) && s->cell >= c.seen) c.first = s->cell - c.seen + 1;
    return c;
}

/* As many as runs' names have above them. */
static size_t cells_seen(const struct compare_view *s, int width)
{
    int n = (width - s->name_width - 1) / s->cell_width;
    return n > 0 ? (size_t)n : 1;
}

/* The chosen cell is always seen; lines with fewer cells do not follow it beyond their last. */
static void scroll(struct compare_view *s, int width)
{
    const struct compare_line *l = compare_current(s);
    size_t seen = cells_seen(s, width), most = most_cells(s),
           here = l ? compare_cells(&s->lines, l, s->found->compare) : 0;
    if (s->cell >= most) s->cell = most ? most - 1 : 0;
    if (l && compare_narrow(l)) return;
    if (here > 1 && s->cell >= here) s->cell = here - 1;
    if (s->cell < s->first_cell) s->first_cell = s->cell;
    if (s->cell >= s->first_cell + seen) s->first_cell = s->cell - seen + 1;
}

bool compare_place(const struct compare_view *s, int y, int x, size_t *line, size_t *cell)
{
    int row = y - s->at.y;
    if (row < 0 || row >= s->at.h || s->list.top + (size_t)row >= s->list.n || !s->cell_width) return false;
    *line = s->list.top + (size_t)row;
    const struct cells c = cells_of(s, &s->lines.line[*line], s->at.w);
    int column = x - s->at.x - c.x;
    *cell = column < 0 ? s->cell : c.first + (size_t)(column / c.width);
    return true;
}

/* ── lines ── */

static enum role cell_role(const struct compare_view *s, const struct compare_line *l, size_t i)
{
    const struct bt_compare *c = s->found->compare;
    if (l->kind == COMPARE_METRIC) return compare_is_best(&c->metric[l->index], i) ? ROLE_GOOD : ROLE_TEXT;
    if (l->kind == COMPARE_LABELS || l->kind == COMPARE_HEADS) return ROLE_HEADER;
    if (compare_narrow(l)) return ROLE_TEXT;
    if (l->kind == COMPARE_MATRIX) return l->index == i ? ROLE_GOOD : ROLE_TEXT;
    if (l->kind != COMPARE_SETTING || i == 0) return ROLE_TEXT;
    const char *value = c->setting[l->index].value[i], *reference = c->setting[l->index].value[0];
    return value && reference && strcmp(value, reference) == 0 ? ROLE_DIM : ROLE_ACCENT;
}

static void cut_path(struct bt_str *text, int columns)
{
    struct bt_str end = {0};
    format_end(&end, bt_str_text(text), text->len, columns);
    bt_str_clear(text);
    bt_str_addn(text, bt_str_text(&end), end.len);
    bt_str_free(&end);
}

static void draw_cells(struct term *t, struct rect r, const struct compare_view *s,
                       const struct compare_line *l, bool current)
{
    struct bt_str text = {0};
    size_t n = compare_cells(&s->lines, l, s->found->compare);
    const struct cells c = cells_of(s, l, r.w);
    for (size_t i = c.first; i < n; i++) {
        int x = c.x + (int)(i - c.first) * c.width;
        if (i >= c.first + c.seen) break; /* a part of a value would look like another one */
        struct rect cell = part(r, x, c.width - 1);
        bt_str_clear(&text);
        compare_cell(&s->lines, l, s->found->compare, i, &text);
        if (l->kind == COMPARE_SETTING && memchr(bt_str_text(&text), '/', text.len)) cut_path(&text, cell.w);
        int width = bt_text_width(bt_str_text(&text), text.len), left = 0;
        if (l->kind != COMPARE_SETTING && l->kind != COMPARE_RUN && width < cell.w) left = cell.w - width;
        put(t, cell, 0, left, cell_role(s, l, i), bt_str_text(&text));
        bool chosen = current && i == (n == 1 ? 0 : s->cell);
        if (chosen) term_paint(t, cell, 0, 0, cell.w, ROLE_CURSOR);
    }
    bt_str_free(&text);
}

static void draw_line(struct term *t, struct rect r, const struct compare_view *s, size_t i)
{
    const struct compare_line *l = &s->lines.line[i];
    bool current = i == s->list.cursor;
    if (l->kind == COMPARE_HEAD || l->kind == COMPARE_NOTE) {
        put(t, r, 0, l->kind == COMPARE_HEAD ? 0 : 1, l->kind == COMPARE_HEAD ? ROLE_TITLE : ROLE_DIM,
            l->text);
        if (current) term_paint(t, r, 0, 0, r.w, ROLE_CURSOR);
        return;
    }
    put(t, part(r, 1, cells_of(s, l, r.w).x - 2), 0, 0, current ? ROLE_CURSOR_IDLE : ROLE_TEXT, l->text);
    draw_cells(t, r, s, l, current);
}

/* ── above the lines: which run is which ── */

/* Beginning and end of a name that is too long: the one tells the experiment, the other the run. */
static void run_name(const char *id, int room, struct bt_str *out)
{
    size_t n = strlen(id);
    int width = bt_text_width(id, n), tail = room / 2, head = room - tail - 1;
    if (width <= room || head < 1) {
        bt_str_add(out, id);
        return;
    }
    bt_text_slice(out, id, n, 0, head);
    bt_str_add(out, "…");
    bt_text_slice(out, id, n, width - tail, tail);
}

static void draw_head(struct view *v, struct rect r)
{
    struct compare_view *s = v->state;
    struct term *t = app_term(v->app);
    const struct bt_compare *c = s->found->compare;
    enum plot_glyphs glyphs = term_unicode(t) ? PLOT_BRAILLE : PLOT_ASCII;
    put(t, part(r, 0, s->name_width - 1), 0, 0, ROLE_DIM, s->busy ? "reading" : "A is the reference");
    for (size_t i = s->first_cell; i < c->n_runs; i++) {
        int x = s->name_width + (int)(i - s->first_cell) * s->cell_width;
        if (i >= s->first_cell + cells_seen(s, r.w)) {
            term_put(t, r, 0, r.w - 1, ROLE_KEY, 0x203a);
            break;
        }
        struct rect cell = part(r, x, s->cell_width - 1);
        unsigned colour = app_run_colour(v->app, c->run[i].dir);
        const char *id = c->run[i].id;
        term_print(t, cell, 0, 0, i == s->cell ? ROLE_TITLE : ROLE_TEXT, "%c", 'A' + (int)(i % 26));
        term_put(t, cell, 0, 2, role_series(colour), plot_marker(colour, glyphs));
        struct bt_str name = {0};
        run_name(id, cell.w - MARKS, &name);
        put(t, cell, 0, MARKS, i == s->cell ? ROLE_TITLE : ROLE_TEXT, bt_str_text(&name));
        bt_str_free(&name);
    }
}

static void draw_empty(struct view *v, struct rect r)
{
    static const struct empty few = {.role = ROLE_TEXT,
                                     .missing = "Mark two runs or more to compare them.",
                                     .advice = {"Space in 1 Runs marks them, and so does m here.",
                                                "Two runs are also compared prediction by prediction."}},
                              reading = {.role = ROLE_DIM, .missing = "Reading …"};
    const struct compare_view *s = v->state;
    const struct empty failed = {.role = ROLE_BAD, .missing = s->found ? s->found->err.text : ""};
    bool wrong = s->n >= 2 && s->found && !s->busy;
    empty_draw(app_term(v->app), r, s->n < 2 ? &few : wrong ? &failed : &reading);
}

void compare_draw(struct view *v, struct rect area)
{
    struct compare_view *s = v->state;
    struct term *t = app_term(v->app);
    struct rect in = term_box(t, area, "Compare", true);
    s->at = (struct rect){0};
    if (s->n < 2 || !s->found || !s->found->compare) {
        draw_empty(v, in);
        return;
    }
    lay_out(s, in.w);
    scroll(s, in.w);
    draw_head(v, in);
    s->at = (struct rect){.y = in.y + 1, .x = in.x, .h = in.h - 1, .w = in.w};
    s->list.page = s->at.h;
    list_resize(&s->list, s->lines.n);
    if (s->list.cursor < s->list.top) s->list.top = s->list.cursor;
    if (s->list.cursor >= s->list.top + (size_t)s->at.h) s->list.top = s->list.cursor - (size_t)s->at.h + 1;
    for (int y = 0; y < s->at.h && s->list.top + (size_t)y < s->lines.n; y++) {
        struct rect row = {.y = s->at.y + y, .x = s->at.x, .h = 1, .w = s->at.w};
        draw_line(t, row, s, s->list.top + (size_t)y);
    }
}
