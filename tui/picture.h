/* A screen without a terminal: frames are drawn into memory and written out as a picture. */
#ifndef TUI_PICTURE_H
#define TUI_PICTURE_H

#include "tui/term.h"
#include <bertty/str.h>
#include <wchar.h>

enum { PICTURE_COMBINING = 4 };

struct picture_cell {
    wchar_t text[PICTURE_COMBINING +
                 2];     /* a character and what combines with it; empty: the right half of a wide one */
    int32_t fg, bg;      /* as in struct theme_style */
    unsigned attributes; /* THEME_BOLD | … */
};

/* A term of that size, 1 × 1 cells or more; term_close() frees it. Options as for a terminal: glyphs −1 is braille, colours −1 is 1 << 24. */
enum bt_status picture_open(const struct term_options *o, int rows, int columns, struct term **out,
                            struct bt_error *err);
/* What stands in a cell of the last frame. Borrowed until the next frame. t must come from picture_open(), (y, x) lie on it. */
const struct picture_cell *picture_at(const struct term *t, int y, int x);
/* A number for the whole of the last frame; another frame, another number. */
uint64_t picture_sum(const struct term *t);

enum picture_format { PICTURE_TEXT, PICTURE_ANSI, PICTURE_SVG };
/* Appends the last frame. Text: lines without blanks at their ends. ANSI: the same with colours and attributes (SGR), whole lines. SVG: a page of its own,
 * with a monospaced font of the reader's machine; what the theme leaves to the terminal is drawn on black or white, as suits its colours. */
void picture_write(const struct term *t, enum picture_format format, struct bt_str *out);
void picture_write_svg(const struct term *t, struct bt_str *out);

#endif
