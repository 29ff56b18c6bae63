/* What every back end shares: looks made of the theme, frames begun and ended. */
#include "tui/term_glyph.h"
#include "tui/term_private.h"
#include <stdlib.h>
#include <string.h>

/* ── looks ── */

/* As a back end wants it: see struct term_ops. */
static int32_t shown_colour(const struct term *t, int32_t colour)
{
    if (colour < 0) return THEME_DEFAULT_COLOUR;
    if (colour & THEME_PALETTE) return t->colours >= 16 ? colour : THEME_PALETTE | (colour & 7);
    return t->colours > 256 ? colour : THEME_PALETTE | colour_index(colour, t->colours);
}

static void make_pair(struct term *t, int pair, int32_t fg, int32_t bg)
{
    t->ops->pair(t, pair, shown_colour(t, fg), shown_colour(t, bg));
}

/* With 16 colours or fewer a background that is only near the one asked for could hide its text: the role's attributes without colour stand for it.
 * Black is black everywhere, and one that the theme takes from the palette is what it wants. */
static bool keeps_background(const struct term *t, int32_t bg)
{
    return t->colours > 16 || bg == 0 || (bg & THEME_PALETTE && (bg & 255) < t->colours);
}

/* The colours of what has none of its own. Where the theme's ground cannot be shown, its text would not suit the terminal's. */
static struct theme_style ground_of(const struct term *t)
{
    struct theme_style text = t->theme->style[ROLE_TEXT];
    if (text.bg >= 0 && !keeps_background(t, text.bg)) text.fg = text.bg = THEME_DEFAULT_COLOUR;
    return text;
}

static void make_look(struct term *t, enum role role)
{
    struct theme_style s = t->theme->style[role], ground = ground_of(t);
    struct look *look = &t->look[role];
    if (t->colours == 0) {
        *look = (struct look){.attributes = theme_plain_attributes(role)};
        return;
    }
    if (s.bg >= 0 && !keeps_background(t, s.bg)) {
        s.attributes |= theme_plain_attributes(role);
        s.fg = s.bg = THEME_DEFAULT_COLOUR; /* its text would not suit another */
    }
    look->attributes = s.attributes;
    look->pair = (int)role + 1;
    make_pair(t, look->pair, s.fg < 0 ? ground.fg : s.fg, s.bg < 0 ? ground.bg : s.bg);
}

static int32_t between(int32_t a, int32_t b)
{
    int32_t out = 0;
    for (int shift = 0; shift <= 16; shift += 8)
        out |= (((a >> shift & 0xff) + (b >> shift & 0xff)) / 2) << shift;
    return out;
}

static bool is_rgb(int32_t colour)
{
    return colour >= 0 && !(colour & THEME_PALETTE);
}

/* Half-way to the colour of borders, which is quiet on the theme's background. A colour of its own costs fewer bytes than an attribute, which
 * has to be taken back by a reset of everything. */
static void make_faint(struct term *t, unsigned n)
{
    const struct theme_style *series = &t->theme->style[role_series(n)],
                             *border = &t->theme->style[ROLE_BORDER];
    t->faint[n] = t->look[role_series(n)];
    if (t->colours < 256 || !is_rgb(series->fg) || !is_rgb(border->fg)) {
        t->faint[n].attributes |= THEME_DIM;
        return;
    }
    t->faint[n].pair = ROLES + 1 + (int)n;
    make_pair(t, t->faint[n].pair, between(series->fg, border->fg),
              series->bg < 0 ? t->theme->style[ROLE_TEXT].bg : series->bg);
}

void term_make_looks(struct term *t)
{
    for (int r = 0; r < ROLES; r++) make_look(t, (enum role)r);
    for (unsigned n = 0; n < THEME_SERIES; n++) make_faint(t, n);
    t->ops->looks_made(t);
}

void term_set_theme(struct term *t, const struct theme *theme)
{
    t->theme = theme;
    term_make_looks(t);
}

/* ── beginning and end ── */

struct term *term_new(const struct term_options *o)
{
    struct term *t = calloc(1, sizeof *t);
    if (t) t->theme = o->theme;
    return t;
}

bool term_set_size(struct term *t, int rows, int columns)
{
    uint8_t *arms = realloc(t->arms, (size_t)rows * (size_t)columns);
    if (!arms) return false;
    t->rows = rows;
    t->columns = columns;
    t->arms = arms;
    memset(arms, 0, (size_t)rows * (size_t)columns);
    return true;
}

void term_free(struct term *t)
{
    if (!t) return;
    input_free(t->input);
    bt_str_free(&t->scratch);
    bt_str_free(&t->clean);
    free(t->arms);
    free(t);
}

bool term_suspend(struct term *t)
{
    if (!t->suspended) t->suspended = t->ops->suspend(t);
    return t->suspended;
}

void term_resume(struct term *t)
{
    t->ops->resume(t);
    t->suspended = false;
}

void term_close(struct term *t)
{
    if (!t) return;
    term_suspend(t);
    t->ops->close(t);
    term_free(t);
}

enum plot_glyphs term_glyphs(const struct term *t)
{
    return t->glyphs;
}

bool term_unicode(const struct term *t)
{
    return t->unicode;
}

/* ── a frame ── */

void term_size(const struct term *t, int *rows, int *columns)
{
    *rows = t->rows;
    *columns = t->columns;
}

void term_begin(struct term *t)
{
    t->ops->begin(t);
    memset(t->arms, 0, (size_t)t->rows * (size_t)t->columns);
    t->cursor_y = -1;
}

void term_end(struct term *t)
{
    t->ops->end(t);
}

void term_redraw(struct term *t)
{
    t->ops->redraw(t);
}

void cell_set(struct term *t, int y, int x, const wchar_t *text, struct look look)
{
    t->ops->set(t, y, x, text, look);
    t->arms[y * t->columns + x] = 0;
}

void cell_paint(struct term *t, int y, int x, int n, struct look look)
{
    t->ops->paint(t, y, x, n, look);
}
