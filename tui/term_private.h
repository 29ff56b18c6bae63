/* The terminal's inside, for the files term*.c alone. Curses stays in term.c: the others reach cells through cell_set() and cell_paint(). */
#ifndef TUI_TERM_PRIVATE_H
#define TUI_TERM_PRIVATE_H

#include "tui/term.h"
#include "tui/term_input.h"
#include <bertty/str.h>
#include <wchar.h>

struct look {
    unsigned attributes; /* THEME_BOLD | … */
    int pair;            /* of curses */
};

struct screen; /* of curses */

struct term {
    struct screen *screen;
    int in, out;
    struct input *input;
    const struct theme *theme;
    enum plot_glyphs glyphs;
    bool unicode, mouse, suspended;
    int colours, rows, columns;
    struct look look[ROLES], faint[THEME_SERIES]; /* faint: raw lines beneath smoothed ones */
    uint8_t *arms;                                /* [rows × columns] line-drawing arms of each cell */
    int cursor_y, cursor_x;
    struct bt_str scratch, clean;
    struct event click; /* the last press, for double clicks */
    int64_t click_ms, fed_ms;
};

/* The cell must lie on the screen. text: a character and what combines with it. */
void cell_set(struct term *t, int y, int x, const wchar_t *text, struct look look);
/* Another look for n cells. */
void cell_paint(struct term *t, int y, int x, int n, struct look look);

/* Bytes past curses: modes and strings that move nothing. A terminal that has gone is noticed by poll(). */
void term_send(struct term *t, const char *text, size_t n);
/* False for terminals that would show such strings. */
bool term_keeps_strings(void);
/* After SIGWINCH. False without memory. */
bool term_take_size(struct term *t);

#endif
