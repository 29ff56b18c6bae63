#include "tui/plot.h"

#include <math.h>
#include <string.h>

enum { MIN_WIDTH_FOR_LABELS = 16, MIN_HEIGHT_FOR_LABELS = 4, MIN_HEIGHT_FOR_LINE = 6, MARK_EVERY = 18 };

/* What a style draws with: dots within a cell, and the glyphs of the frame. */
static const struct glyphs {
    int across, down;
    uint32_t vertical, tick_left, corner, horizontal, tick_down, cursor, nan, up, low;
} styles[] = {
    [PLOT_BRAILLE] = {.across = 2,
                      .down = 4,
                      .vertical = 0x2502,
                      .tick_left = 0x2524,
                      .corner = 0x2514,
                      .horizontal = 0x2500,
                      .tick_down = 0x252c,
                      .cursor = 0x2502,
                      .nan = 0xd7,
                      .up = 0x2191,
                      .low = 0x2193},
    [PLOT_BLOCK] = {.across = 2,
                    .down = 2,
                    .vertical = 0x2502,
                    .tick_left = 0x2524,
                    .corner = 0x2514,
                    .horizontal = 0x2500,
                    .tick_down = 0x252c,
                    .cursor = 0x2502,
                    .nan = 0xd7,
                    .up = 0x2191,
                    .low = 0x2193},
    [PLOT_ASCII] = {.across = 1,
                    .down = 3,
                    .vertical = '|',
                    .tick_left = '+',
                    .corner = '+',
                    .horizontal = '-',
                    .tick_down = '+',
                    .cursor = '!',
                    .nan = 'x',
                    .up = '^',
                    .low = 'v'},
};

uint32_t plot_marker(unsigned colour, enum plot_glyphs glyphs)
{
    static const uint32_t shapes[] = {0x25cf, 0x25b2, 0x25a0, 0x25c6, 0x25bc,
                                      0x25cb, 0x25b3, 0x25a1, 0x25c7, 0x25bd};
    static const uint32_t ascii[] = {'o', '*', '#', '@', '%', '&', 'O', 'A', 'D', 'V'};
    return glyphs == PLOT_ASCII ? ascii[colour % 10] : shapes[colour % 10];
}

uint32_t plot_nan_mark(enum plot_glyphs glyphs)
{
    return styles[glyphs].nan;
}

/* ── the surface: dots counted from the top left of the area ── */

struct surface {
    const struct plot_spec *spec;
    const struct glyphs *g;
    struct plot_cell *cell;
    struct plot_area area;
    int across, down; /* dots in the area */
};

static struct plot_cell *cell_at(const struct surface *s, int column, int row)
{
    return &s->cell[(s->area.top + row) * s->spec->width + s->area.left + column];
}

static void put_dot(const struct surface *s, const struct plot_line *line, int x, int y)
{
    static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < 0 || y < 0 || x >= s->across || y >= s->down) return;
    struct plot_cell *c = cell_at(s, x / s->g->across, y / s->g->down);
    int dx = x % s->g->across, dy = y % s->g->down;
    if (c->role >= PLOT_MARK) return;
    if (c->role == PLOT_FAINT && !line->faint) c->dots = 0; /* the raw line makes way for the smoothed one */
    c->role = line->faint ? PLOT_FAINT : PLOT_LINE;
    c->colour = (uint8_t)line->colour;
    int bit = s->spec->glyphs == PLOT_BRAILLE ? braille[dy][dx] : 1 << (dy * s->g->across + dx);
    c->dots = (uint8_t)(c->dots | bit);
}

static void put_mark(const struct surface *s, int x, int y, uint32_t ch, enum plot_role role, unsigned colour)
{
    if (x < 0 || x >= s->across) return;
    y = y < 0 ? 0 : y >= s->down ? s->down - 1 : y;
    struct plot_cell *c = cell_at(s, x / s->g->across, y / s->g->down);
    *c = (struct plot_cell){.ch = ch, .role = (uint8_t)role, .colour = (uint8_t)colour};
}

static uint32_t dots_glyph(enum plot_glyphs glyphs, uint8_t dots)
{
    static const uint16_t quadrants[16] = {' ',    0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b,
                                           0x2597, 0x259a, 0x2590, 0x259c, 0x2584, 0x2599, 0x259f, 0x2588};
    static const char heights[8] = {' ', '\'', '-', '|', '.', ':', '|', '|'};
    if (glyphs == PLOT_BRAILLE) return 0x2800u + dots;
    return glyphs == PLOT_BLOCK ? quadrants[dots & 15] : (uint32_t)heights[dots & 7];
}

static void dots_to_glyphs(const struct surface *s)
{
    for (int row = 0; row < s->area.height; row++)
        for (int column = 0; column < s->area.width; column++) {
            struct plot_cell *c = cell_at(s, column, row);
            if (c->dots) c->ch = dots_glyph(s->spec->glyphs, c->dots);
        }
}

/* ── data → dots ── */

static double scaled(double v, struct plot_range r, bool log)
{
    if (log) return (log10(v) - log10(r.min)) / (log10(r.max) - log10(r.min));
    return (v - r.min) / (r.max - r.min);
}

static double unscaled(double share, struct plot_range r, bool log)
{
    if (log) return pow(10, log10(r.min) + share * (log10(r.max) - log10(r.min)));
    return r.min + share * (r.max - r.min);
}

/* Dot row of a value, clamped to what an int can hold; row 0 is the top. */
static double dot_y(const struct surface *s, double v)
{
    double y = (1 - scaled(v, s->spec->y, s->spec->log_y)) * (s->down - 1);
    return y < -1e6 ? -1e6 : y > 1e6 ? 1e6 : y;
}

static double dot_x(const struct surface *s, double x)
{
    double at = scaled(x, s->spec->x, s->spec->log_x) * (s->across - 1);
    return at < -1e6 ? -1e6 : at > 1e6 ? 1e6 : at;
}

static void vertical(const struct surface *s, const struct plot_line *line, int x, double from, double to)
{
    int a = (int)lround(from < to ? from : to), b = (int)lround(from < to ? to : from);
    if (b < 0 || a >= s->down) return;
    if (a < 0) a = 0;
    if (b >= s->down) b = s->down - 1;
    for (int y = a; y <= b; y++) put_dot(s, line, x, y);
}

/* The way between two points, clipped by columns; each column gets the rows that the line passes in it. */
static void connect(const struct surface *s, const struct plot_line *line, double x0, double y0, double x1,
                    double y1)
{
    double slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    int first = (int)lround(x0 < -1 ? -1 : x0), last = (int)lround(x1 > s->across ? s->across : x1);
    for (int x = first; x <= last; x++) {
        double a = x - 0.5 < x0 ? x0 : x - 0.5, b = x + 0.5 > x1 ? x1 : x + 0.5;
        if (line->dashed && x % 4 >= 2) continue;
        double from = y0 + slope * (a - x0), to = y0 + slope * (b - x0);
        if (x != first && from != to) from += from < to ? 0.5 : -0.5; /* the column before has that row */
        if ((slope > 0) != (from < to)) from = to;
        vertical(s, line, x, from, to);
    }
}

/* The first index ≥ from whose x is above the bound. */
static size_t above(const struct plot_line *line, size_t from, double bound)
{
    size_t low = from, high = line->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (line->x[middle] > bound)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* What falls into one column of dots. */
struct column {
    double least, greatest, last; /* dot rows of the values that can be shown */
    bool any, starts_well, ends_well, nan, up, low;
};

static void take_block(struct column *c, const struct plot_line *line, size_t i, bool first)
{
    const struct plot_block *b = &line->block[i / PLOT_BLOCK_POINTS];
    if (first) c->starts_well = true;
    c->ends_well = c->any = true;
    c->last = line->y[i + PLOT_BLOCK_POINTS - 1];
    if (b->least < c->least) c->least = b->least;
    if (b->greatest > c->greatest) c->greatest = b->greatest;
}

static struct column gather(const struct surface *s, const struct plot_line *line, size_t from, size_t to)
{
    struct column c = {.least = INFINITY, .greatest = -INFINITY};
    for (size_t i = from; i < to; i++) {
        const size_t whole = plot_block_at(line->block, i, to, s->spec->log_y);
        if (whole) {
            take_block(&c, line, i, i == from);
            i += whole - 1;
            continue;
        }
        double v = line->y[i];
        bool good = isfinite(v) && (!s->spec->log_y || v > 0);
        if (i == from) c.starts_well = good;
        c.ends_well = good;
        c.nan |= isnan(v);
        c.up |= isinf(v) && v > 0;
        c.low |= !good && v <= 0;
        if (!good) continue;
        c.any = true;
        c.last = v;
        if (v < c.least) c.least = v;
        if (v > c.greatest) c.greatest = v;
    }
    return c;
}

struct pen {
    bool down;
    bool in_gap; /* its beginning is marked */
    double x, y; /* dots */
    double seen; /* the last row that was drawn: where a NaN is marked */
    int next_mark, last_x, last_y;
};

static void mark_column(const struct surface *s, const struct plot_line *line, struct pen *pen, int x,
                        int gap)
{
    pen->last_x = x;
    pen->last_y = (int)lround(pen->y);
    if (!line->marked || x < pen->next_mark || pen->y < 0 || pen->y > s->down - 1) return;
    put_mark(s, x, pen->last_y, plot_marker(line->colour, s->spec->glyphs), PLOT_MARK, line->colour);
    pen->next_mark = x + gap;
}

static void mark_gaps(const struct surface *s, const struct column *c, int x, double row)
{
    if (c->nan) put_mark(s, x, (int)lround(row), s->g->nan, PLOT_NAN, 0);
    if (c->up) put_mark(s, x, 0, s->g->up, PLOT_NAN, 0);
    if (c->low) put_mark(s, x, s->down - 1, s->g->low, PLOT_NAN, 0);
}

static void draw_column(const struct surface *s, const struct plot_line *line, struct pen *pen, int x,
                        size_t from, size_t to, int gap)
{
    struct column c = gather(s, line, from, to);
    if (c.any) {
        double top = dot_y(s, c.greatest), bottom = dot_y(s, c.least);
        double first = c.starts_well ? dot_y(s, line->y[from]) : 0;
        if (pen->down && c.starts_well) connect(s, line, pen->x, pen->y, x, first);
        vertical(s, line, x, top, bottom);
        pen->x = x;
        pen->y = pen->seen = dot_y(s, c.last);
        mark_column(s, line, pen, x, gap);
    }
    pen->down = c.ends_well;
    if (!pen->in_gap || c.any) mark_gaps(s, &c, x, pen->seen);
    pen->in_gap = !c.ends_well;
}

static bool shown(const struct surface *s, double v)
{
    return isfinite(v) && (!s->spec->log_y || v > 0);
}

/* From the last point left of the window, so that a zoomed line does not begin in mid-air. */
static void enter_window(const struct surface *s, const struct plot_line *line, size_t first, struct pen *pen)
{
    if (first == 0 || (s->spec->log_x && line->x[first - 1] <= 0) || !shown(s, line->y[first - 1])) return;
    pen->down = true;
    pen->x = dot_x(s, line->x[first - 1]);
    pen->y = pen->seen = dot_y(s, line->y[first - 1]);
}

static void leave_window(const struct surface *s, const struct plot_line *line, size_t next,
                         const struct pen *pen)
{
    if (next >= line->n || !pen->down || !shown(s, line->y[next])) return;
    connect(s, line, pen->x, pen->y, dot_x(s, line->x[next]), dot_y(s, line->y[next]));
}

static void draw_points(const struct surface *s, const struct plot_line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        if (!shown(s, line->y[i]) || !isfinite(line->x[i])) continue;
        int x = (int)lround(dot_x(s, line->x[i])), y = (int)lround(dot_y(s, line->y[i]));
        if (line->marked)
            put_mark(s, x, y, plot_marker(line->colour, s->spec->glyphs), PLOT_MARK, line->colour);
        else
            put_dot(s, line, x, y);
    }
}

static void draw_level(const struct surface *s, const struct plot_line *line)
{
    const double v = line->n ? line->y[line->n - 1] : (double)NAN;
    if (!shown(s, v)) return;
    const double y = dot_y(s, v);
    if (y < -0.5 || y > s->down - 0.5) return;
    connect(s, line, 0, y, s->across - 1, y);
    const uint32_t mark = plot_marker(line->colour, s->spec->glyphs);
    if (!line->marked) return;
    put_mark(s, 0, (int)lround(y), mark, PLOT_MARK, line->colour);
    put_mark(s, s->across - 1, (int)lround(y), mark, PLOT_MARK, line->colour);
}

static void draw_line(const struct surface *s, const struct plot_line *line)
{
    if (line->level) {
        draw_level(s, line);
        return;
    }
    if (line->scattered) {
        draw_points(s, line);
        return;
    }
    double half = 0.5 / (s->across > 1 ? s->across - 1 : 1);
    size_t i = above(line, 0, unscaled(-half, s->spec->x, s->spec->log_x));
    size_t end = above(line, i, unscaled(1 + half, s->spec->x, s->spec->log_x));
    bool sparse = (end - i) * 4 <= (size_t)s->area.width;
    int gap = sparse ? 1 : MARK_EVERY * s->g->across;
    struct pen pen = {.seen = (s->down - 1) / 2.0,
                      .next_mark = sparse ? 0 : (int)(line->colour % 4 + 1) * gap / 4,
                      .last_x = -1};
    enter_window(s, line, i, &pen);
    for (int x = 0; x < s->across && i < end; x++) {
        double share = s->across > 1 ? (double)x / (s->across - 1) : 0;
        size_t next = above(line, i, unscaled(share + half, s->spec->x, s->spec->log_x));
        if (next > end) next = end;
        if (next > i) draw_column(s, line, &pen, x, i, next, gap);
        i = next;
    }
    leave_window(s, line, end, &pen);
    if (line->marked && pen.last_x >= 0 && pen.last_y >= 0 && pen.last_y < s->down)
        put_mark(s, pen.last_x, pen.last_y, plot_marker(line->colour, s->spec->glyphs), PLOT_MARK,
                 line->colour);
}

/* ── the frame ── */

static void put_text(struct plot_cell *row, int width, int column, const char *text, enum plot_role role)
{
    for (; *text; text++, column++)
        if (column >= 0 && column < width)
            row[column] = (struct plot_cell){.ch = (uint8_t)*text, .role = (uint8_t)role};
}

static void frame_y(const struct surface *s, const struct plot_tick *tick, int n)
{
    int width = s->spec->width, left = s->area.left;
    for (int row = 0; row < s->area.height && left > 0; row++)
        s->cell[(s->area.top + row) * width + left - 1] =
            (struct plot_cell){.ch = s->g->vertical, .role = PLOT_AXIS};
    for (int i = 0, last = -1; i < n && left > 0; i++) {
        double y = dot_y(s, tick[i].at);
        int row = (int)lround(y) / s->g->down;
        if (y < -0.5 || y > s->down - 0.5 || row == last) continue;
        struct plot_cell *cells = s->cell + (s->area.top + row) * width;
        put_text(cells, left - 1, left - 1 - (int)strlen(tick[i].text), tick[i].text, PLOT_LABEL);
        cells[left - 1].ch = s->g->tick_left;
        last = row;
    }
}

static void frame_x(const struct surface *s)
{
    struct plot_tick tick[PLOT_MAX_TICKS];
    const struct plot_spec *p = s->spec;
    int bottom = s->area.top + s->area.height, below = p->height - bottom, free_from = 0;
    if (below < 1) return;
    struct plot_cell *line = below > 1 ? s->cell + bottom * p->width : NULL;
    struct plot_cell *label = s->cell + (p->height - 1) * p->width;
    for (int c = s->area.left - 1; line && c < p->width; c++)
        if (c >= 0) line[c] = (struct plot_cell){.ch = s->g->horizontal, .role = PLOT_AXIS};
    if (line && s->area.left > 0) line[s->area.left - 1].ch = s->g->corner;
    int n = plot_ticks(p->x, p->x_kind, p->log_x, s->area.width / 9 + 1, tick);
    for (int i = 0; i < n; i++) {
        int c = plot_column(p, &s->area, tick[i].at) + s->area.left, len = (int)strlen(tick[i].text);
        int at = c - len / 2;
        if (at + len > p->width) at = p->width - len;
        if (c < s->area.left || c >= p->width) continue;
        if (line) line[c].ch = s->g->tick_down;
        if (at < free_from) continue;
        put_text(label, p->width, at, tick[i].text, PLOT_LABEL);
        free_from = at + len + 1;
    }
    for (size_t i = 0; line && i < p->n_events; i++) {
        int c = plot_column(p, &s->area, p->event[i].x);
        if (c >= 0 && c < s->area.width)
            line[s->area.left + c] = (struct plot_cell){.ch = p->event[i].ch, .role = PLOT_EVENT};
    }
}

static void draw_cursor(const struct surface *s)
{
    int column = plot_column(s->spec, &s->area, s->spec->cursor_x);
    if (column < 0 || column >= s->area.width) return;
    for (int row = 0; row < s->area.height; row++) {
        struct plot_cell *c = cell_at(s, column, row);
        if (c->role == PLOT_EMPTY) *c = (struct plot_cell){.ch = s->g->cursor, .role = PLOT_CURSOR};
    }
}

/* How the cells are shared between the plot and its axes. */
static struct plot_area lay_out(const struct plot_spec *p, const struct plot_tick *tick, int n)
{
    int label = 0;
    for (int i = 0; i < n; i++)
        if ((int)strlen(tick[i].text) > label) label = (int)strlen(tick[i].text);
    int left = p->width >= MIN_WIDTH_FOR_LABELS + label ? label + 1 : 0;
    int below = p->height >= MIN_HEIGHT_FOR_LINE ? 2 : p->height >= MIN_HEIGHT_FOR_LABELS ? 1 : 0;
    return (struct plot_area){.left = left, .width = p->width - left, .height = p->height - below};
}

void plot_draw(const struct plot_spec *p, struct plot_cell *cell, struct plot_area *area)
{
    struct plot_tick tick[PLOT_MAX_TICKS];
    *area = (struct plot_area){0};
    if (p->width <= 0 || p->height <= 0) return;
    for (int i = 0; i < p->width * p->height; i++) cell[i] = (struct plot_cell){.ch = ' '};
    if (!(p->x.max > p->x.min) || !(p->y.max > p->y.min)) return;
    if ((p->log_x && p->x.min <= 0) || (p->log_y && p->y.min <= 0)) return;
    int n = plot_ticks(p->y, PLOT_X_NUMBER, p->log_y, p->height / 3 + 1, tick);
    *area = lay_out(p, tick, n);
    struct surface s = {.spec = p, .g = &styles[p->glyphs], .cell = cell, .area = *area};
    s.across = area->width * s.g->across;
    s.down = area->height * s.g->down;
    frame_y(&s, tick, n);
    frame_x(&s);
    for (size_t i = 0; i < p->n_lines; i++)
        if (p->line[i].faint) draw_line(&s, &p->line[i]);
    for (size_t i = 0; i < p->n_lines; i++)
        if (!p->line[i].faint) draw_line(&s, &p->line[i]);
    dots_to_glyphs(&s);
    if (p->cursor) draw_cursor(&s);
}

double plot_x_at(const struct plot_spec *spec, const struct plot_area *area, int column)
{
    int across = styles[spec->glyphs].across, dots = area->width * across;
    double middle = column * across + (across - 1) / 2.0;
    return unscaled(dots > 1 ? middle / (dots - 1) : 0, spec->x, spec->log_x);
}

int plot_column(const struct plot_spec *spec, const struct plot_area *area, double x)
{
    int across = styles[spec->glyphs].across;
    if (spec->log_x && x <= 0) return -1;
    double dot = scaled(x, spec->x, spec->log_x) * (area->width * across - 1);
    if (!(dot > -0.5)) return -1;
    return dot >= area->width * across ? area->width : (int)lround(dot) / across;
}
