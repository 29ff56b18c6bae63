/* The back end without a terminal: cells in memory. */
#include "tui/picture.h"
#include "tui/term_private.h"
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

struct picture {
    struct picture_cell *cell; /* rows × columns */
    int32_t fg[TERM_PAIRS], bg[TERM_PAIRS];
};

static struct picture_cell *cell_at(const struct term *t, int y, int x)
{
    const struct picture *p = t->own;
    return &p->cell[y * t->columns + x];
}

static void dress(struct term *t, struct picture_cell *c, struct look look)
{
    const struct picture *p = t->own;
    c->attributes = look.attributes;
    c->fg = p->fg[look.pair];
    c->bg = p->bg[look.pair];
}

static void blank(struct picture_cell *c)
{
    wmemcpy(c->text, L" ", 2);
}

/* No half of a wide character stays without the other. */
static void clear_halves(const struct term *t, int y, int x)
{
    struct picture_cell *c = cell_at(t, y, x);
    if (!c->text[0] && x > 0) blank(c - 1);
    if (x + 1 < t->columns && !c[1].text[0]) blank(c + 1);
}

static bool is_wide(wchar_t c)
{
    char bytes[4];
    return c > 0x7e && bt_text_width(bytes, bt_utf8_encode((int32_t)c, bytes)) == 2;
}

static void set(struct term *t, int y, int x, const wchar_t *text, struct look look)
{
    struct picture_cell *c = cell_at(t, y, x);
    size_t n = wcslen(text);
    if (n > PICTURE_COMBINING + 1) n = PICTURE_COMBINING + 1;
    clear_halves(t, y, x);
    wmemcpy(c->text, text, n);
    c->text[n] = 0;
    dress(t, c, look);
    if (x + 1 == t->columns || !is_wide(text[0])) return;
    clear_halves(t, y, x + 1);
    wmemcpy(c->text, text, n);
    c[1].text[0] = 0;
    dress(t, c + 1, look);
}

static void paint(struct term *t, int y, int x, int n, struct look look)
{
    for (int i = 0; i < n; i++) dress(t, cell_at(t, y, x + i), look);
}

static void begin(struct term *t)
{
    for (int y = 0; y < t->rows; y++)
        for (int x = 0; x < t->columns; x++) {
            wmemcpy(cell_at(t, y, x)->text, L" ", 2);
            dress(t, cell_at(t, y, x), t->look[ROLE_TEXT]);
        }
}

static bool shows(wchar_t c, int width)
{
    (void)c;
    (void)width;
    return true;
}

static void pair(struct term *t, int number, int32_t fg, int32_t bg)
{
    struct picture *p = t->own;
    p->fg[number] = fg;
    p->bg[number] = bg;
}

static void nothing(struct term *t)
{
    (void)t;
}

static bool suspend(struct term *t)
{
    (void)t;
    return false;
}

static void send(struct term *t, const char *text, size_t n)
{
    (void)t;
    (void)text;
    (void)n;
}

static void close_picture(struct term *t)
{
    struct picture *p = t->own;
    if (p) free(p->cell);
    free(p);
}

static const struct term_ops picture = {
    .close = close_picture,
    .suspend = suspend,
    .resume = nothing,
    .begin = begin,
    .end = nothing,
    .redraw = nothing,
    .set = set,
    .paint = paint,
    .shows = shows,
    .pair = pair,
    .looks_made = nothing,
    .send = send,
};

enum bt_status picture_open(const struct term_options *o, int rows, int columns, struct term **out,
                            struct bt_error *err)
{
    struct picture *p = calloc(1, sizeof *p);
    struct term *t = term_new(o);
    if (p) p->cell = calloc((size_t)rows * (size_t)columns, sizeof *p->cell);
    if (t) {
        t->ops = &picture;
        t->own = p;
    }
    if (!p || !p->cell || !t || !term_set_size(t, rows, columns)) {
        if (p) free(p->cell);
        free(p);
        term_free(t);
        return bt_fail(err, BT_NOMEM, "a picture of %d × %d cells", columns, rows);
    }
    t->unicode = o->glyphs != PLOT_ASCII;
    t->glyphs = o->glyphs < 0 ? PLOT_BRAILLE : (enum plot_glyphs)o->glyphs;
    t->colours = o->colours < 0 ? 1 << 24 : o->colours;
    for (int i = 0; i < TERM_PAIRS; i++) p->fg[i] = p->bg[i] = THEME_DEFAULT_COLOUR;
    term_make_looks(t);
    begin(t);
    *out = t;
    return BT_OK;
}

const struct picture_cell *picture_at(const struct term *t, int y, int x)
{
    return cell_at(t, y, x);
}

/* FNV-1a, a number at a time. */
static uint64_t add(uint64_t sum, uint64_t number)
{
    return (sum ^ number) * 0x100000001b3U;
}

uint64_t picture_sum(const struct term *t)
{
    uint64_t sum = 0xcbf29ce484222325U;
    for (int y = 0; y < t->rows; y++)
        for (int x = 0; x < t->columns; x++) {
            const struct picture_cell *c = cell_at(t, y, x);
            for (const wchar_t *p = c->text; *p; p++) sum = add(sum, (uint64_t)*p);
            sum = add(add(add(sum, (uint32_t)c->fg), (uint32_t)c->bg), c->attributes);
        }
    return add(add(sum, (uint64_t)t->cursor_y), (uint64_t)t->cursor_x);
}
