/* Pictures as text, with and without colours. */
#include "tui/picture.h"
#include <bertty/text.h>

/* ── a cell ── */

static void add_text(struct bt_str *out, const struct picture_cell *c)
{
    char bytes[4];
    for (const wchar_t *p = c->text; *p; p++) bt_str_addn(out, bytes, bt_utf8_encode((int32_t)*p, bytes));
}

static bool is_blank(const struct picture_cell *c)
{
    return c->text[0] == L' ' && !c->text[1];
}

static bool same_style(const struct picture_cell *a, const struct picture_cell *b)
{
    return a->fg == b->fg && a->bg == b->bg && a->attributes == b->attributes;
}

/* ── ANSI ── */

/* first: 30 for the text, 40 for what is behind it; the bright eight begin 60 later. */
static void add_colour(struct bt_str *out, int32_t colour, int first)
{
    int index = colour & 255;
    if (colour < 0) return;
    if (!(colour & THEME_PALETTE))
        bt_str_addf(out, ";%d;2;%d;%d;%d", first + 8, (int)(colour >> 16 & 255), (int)(colour >> 8 & 255),
                    index);
    else if (index < 16)
        bt_str_addf(out, ";%d", index < 8 ? first + index : first + 60 + index - 8);
    else
        bt_str_addf(out, ";%d;5;%d", first + 8, index);
}

static void add_style(struct bt_str *out, const struct picture_cell *c)
{
    bt_str_add(out, "\033[0");
    if (c->attributes & THEME_BOLD) bt_str_add(out, ";1");
    if (c->attributes & THEME_DIM) bt_str_add(out, ";2");
    if (c->attributes & THEME_UNDERLINE) bt_str_add(out, ";4");
    if (c->attributes & THEME_REVERSE) bt_str_add(out, ";7");
    add_colour(out, c->fg, 30);
    add_colour(out, c->bg, 40);
    bt_str_addc(out, 'm');
}

static void ansi_line(const struct term *t, int y, int columns, struct bt_str *out)
{
    const struct picture_cell *before = NULL;
    for (int x = 0; x < columns; x++) {
        const struct picture_cell *c = picture_at(t, y, x);
        if (!before || !same_style(before, c)) add_style(out, c);
        add_text(out, c);
        before = c;
    }
    bt_str_add(out, "\033[0m");
}

/* ── text ── */

static void text_line(const struct term *t, int y, int columns, struct bt_str *out)
{
    while (columns > 0 && is_blank(picture_at(t, y, columns - 1))) columns--;
    for (int x = 0; x < columns; x++) add_text(out, picture_at(t, y, x));
}

void picture_write(const struct term *t, enum picture_format format, struct bt_str *out)
{
    int rows, columns;
    if (format == PICTURE_SVG) {
        picture_write_svg(t, out);
        return;
    }
    term_size(t, &rows, &columns);
    for (int y = 0; y < rows; y++) {
        if (format == PICTURE_ANSI)
            ansi_line(t, y, columns, out);
        else
            text_line(t, y, columns, out);
        bt_str_addc(out, '\n');
    }
}
