/* Pictures as SVG: rectangles where the background is another, over them a run of text for each stretch of one look. */
#include "tui/markup.h"
#include "tui/picture.h"
#include "tui/term_glyph.h"
#include "tui/term_private.h"
#include <math.h>
#include <string.h>

/* In tenths of a pixel: a cell, where letters stand in it, what is around the screen. */
enum { CELL_W = 84, CELL_H = 170, BASELINE = 130, MARGIN = 80, FONT = 14, MAX_LOOKS = 256 };

struct look_of {
    int32_t fg, bg; /* 0xRRGGBB, as they are seen: reversed and dimmed */
    bool bold, underline;
};

struct page {
    const struct term *t;
    struct bt_str *out;
    int rows, columns;
    int32_t fg, bg;                 /* where the theme leaves it to the terminal */
    struct look_of look[MAX_LOOKS]; /* those that a style stands for so far */
    int n;
};

/* ── colours ── */

static double linear(int channel)
{
    double c = channel / 255.0;
    return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* Relative luminance, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
static double luminance(int32_t rgb)
{
    return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) + 0.0722 * linear(rgb & 255);
}

static int32_t rgb_of(int32_t colour, int32_t otherwise)
{
    if (colour < 0) return otherwise;
    return colour & THEME_PALETTE ? palette_colour(colour & 255) : colour;
}

/* Black or white, whichever is farther from the theme's colours. 0.18: as far (in contrast) from the one as from the other. */
static void choose_ground(struct page *p)
{
    const struct theme *theme = p->t->theme;
    double sum = 0;
    int n = 0;
    for (int r = 0; r < ROLES; r++) {
        const struct theme_style *s = &theme->style[r];
        if (s->fg < 0 || s->bg >= 0) continue;
        sum += luminance(rgb_of(s->fg, 0));
        n++;
    }
    bool light = n && sum / n < 0.18;
    p->fg = light ? 0x1a1a1a : 0xd8d8d8;
    p->bg = light ? 0xffffff : 0x101216;
}

static int32_t mixed(int32_t a, int32_t b)
{
    int32_t out = 0;
    for (int shift = 0; shift <= 16; shift += 8)
        out |= (2 * (a >> shift & 255) + (b >> shift & 255)) / 3 << shift;
    return out;
}

static struct look_of look_at(const struct page *p, int y, int x)
{
    const struct picture_cell *c = picture_at(p->t, y, x);
    bool cursor = y == p->t->cursor_y && x == p->t->cursor_x, reverse = c->attributes & THEME_REVERSE;
    struct look_of l = {.fg = rgb_of(c->fg, p->fg),
                        .bg = rgb_of(c->bg, p->bg),
                        .bold = c->attributes & THEME_BOLD,
                        .underline = c->attributes & THEME_UNDERLINE};
    if (cursor != reverse) {
        int32_t fg = l.fg;
        l.fg = l.bg;
        l.bg = fg;
    }
    if (c->attributes & THEME_DIM) l.fg = mixed(l.fg, l.bg);
    return l;
}

static bool same_text(struct look_of a, struct look_of b)
{
    return a.fg == b.fg && a.bold == b.bold && a.underline == b.underline;
}

/* ── numbers and names ── */

static void add_tenths(struct bt_str *out, const char *name, int tenths)
{
    bt_str_addf(out, " %s='%d", name, tenths / 10);
    if (tenths % 10) bt_str_addf(out, ".%d", tenths % 10);
    bt_str_addc(out, '\'');
}

static void add_hex(struct bt_str *out, int32_t rgb)
{
    bt_str_addf(out, "#%06x", (unsigned)rgb);
}

/* The number of a look; −1: there are too many. */
static int style_of(const struct page *p, struct look_of l)
{
    for (int i = 0; i < p->n; i++)
        if (same_text(p->look[i], l)) return i;
    return -1;
}

/* ── what is drawn ── */

static void add_rectangles(const struct page *p, int y)
{
    for (int x = 0, end; x < p->columns; x = end) {
        int32_t bg = look_at(p, y, x).bg;
        for (end = x + 1; end < p->columns && look_at(p, y, end).bg == bg;) end++;
        if (bg == p->bg) continue;
        bt_str_add(p->out, "<rect");
        add_tenths(p->out, "x", MARGIN + x * CELL_W);
        add_tenths(p->out, "y", MARGIN + y * CELL_H);
        add_tenths(p->out, "width", (end - x) * CELL_W);
        add_tenths(p->out, "height", CELL_H);
        bt_str_add(p->out, " fill='");
        add_hex(p->out, bg);
        bt_str_add(p->out, "'/>\n");
    }
}

/* Characters that a machine may take from different fonts, which have different widths: a run is of one kind, and is stretched to its cells. */
enum kind { KIND_BLANK, KIND_LATIN, KIND_LINES, KIND_BRAILLE, KIND_OTHER };

static enum kind kind_at(const struct page *p, int y, int x)
{
    const wchar_t *text = picture_at(p->t, y, x)->text;
    wchar_t c = text[0];
    if (c == L' ' || c == 0x2800 || !c) return KIND_BLANK;
    if (text[1]) return KIND_OTHER;
    if (c < 0x250) return KIND_LATIN;
    if (c >= 0x2500 && c < 0x25a0) return KIND_LINES;
    return c > 0x2800 && c < 0x2900 ? KIND_BRAILLE : KIND_OTHER;
}

/* Cells of the run that begins at x: blanks inside it count, those behind it do not. */
static int run_length(const struct page *p, int y, int x)
{
    struct look_of look = look_at(p, y, x);
    enum kind kind = kind_at(p, y, x);
    int last = x;
    if (kind == KIND_OTHER) return x + 1 < p->columns && !picture_at(p->t, y, x + 1)->text[0] ? 2 : 1;
    for (int i = x + 1; i < p->columns && same_text(look_at(p, y, i), look); i++) {
        enum kind next = kind_at(p, y, i);
        if (next == kind || (next == KIND_BLANK && look.underline))
            last = i;
        else if (next != KIND_BLANK)
            break;
    }
    return last + 1 - x;
}

static void add_run(const struct page *p, int y, int x, int n)
{
    bt_str_add(p->out, "<text");
    add_tenths(p->out, "x", MARGIN + x * CELL_W);
    add_tenths(p->out, "y", MARGIN + y * CELL_H + BASELINE);
    add_tenths(p->out, "textLength", n * CELL_W);
    bt_str_addf(p->out, " class='s%d'>", style_of(p, look_at(p, y, x)));
    for (int i = x; i < x + n; i++)
        for (const wchar_t *c = picture_at(p->t, y, i)->text; *c; c++)
            markup_char(p->out, *c == 0x2800 ? ' ' : (int32_t)*c);
    bt_str_add(p->out, "</text>\n");
}

static void add_texts(const struct page *p, int y)
{
    for (int x = 0, n; x < p->columns; x += n) {
        bool seen = kind_at(p, y, x) != KIND_BLANK || look_at(p, y, x).underline;
        n = seen ? run_length(p, y, x) : 1;
        if (seen) add_run(p, y, x, n);
    }
}

static void collect_looks(struct page *p)
{
    for (int y = 0; y < p->rows; y++)
        for (int x = 0; x < p->columns; x++) {
            struct look_of l = look_at(p, y, x);
            if (p->n < MAX_LOOKS && style_of(p, l) < 0) p->look[p->n++] = l;
        }
}

static void add_styles(const struct page *p)
{
    bt_str_addf(
        p->out,
        "<style>\ntext { font: %dpx 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre }\n",
        FONT);
    for (int i = 0; i < p->n; i++) {
        bt_str_addf(p->out, ".s%d { fill: ", i);
        add_hex(p->out, p->look[i].fg);
        if (p->look[i].bold) bt_str_add(p->out, "; font-weight: bold");
        if (p->look[i].underline) bt_str_add(p->out, "; text-decoration: underline");
        bt_str_add(p->out, " }\n");
    }
    bt_str_add(p->out, "</style>\n");
}

static void add_head(const struct page *p)
{
    int width = 2 * MARGIN + p->columns * CELL_W, height = 2 * MARGIN + p->rows * CELL_H;
    bt_str_add(p->out, "<svg xmlns='http://www.w3.org/2000/svg' xml:space='preserve'");
    add_tenths(p->out, "width", width);
    add_tenths(p->out, "height", height);
    bt_str_addf(p->out, " viewBox='0 0 %d.%d %d.%d'>\n", width / 10, width % 10, height / 10, height % 10);
    add_styles(p);
    bt_str_add(p->out, "<rect width='100%' height='100%' fill='");
    add_hex(p->out, p->bg);
    bt_str_add(p->out, "'/>\n");
}

void picture_write_svg(const struct term *t, struct bt_str *out)
{
    struct page p = {.t = t, .out = out};
    term_size(t, &p.rows, &p.columns);
    choose_ground(&p);
    p.bg = rgb_of(t->theme->style[ROLE_TEXT].bg, p.bg);
    p.fg = rgb_of(t->theme->style[ROLE_TEXT].fg, p.fg);
    collect_looks(&p);
    add_head(&p);
    for (int y = 0; y < p.rows; y++) add_rectangles(&p, y);
    for (int y = 0; y < p.rows; y++) add_texts(&p, y);
    bt_str_add(out, "</svg>\n");
}
