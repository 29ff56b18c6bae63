/* The screen's inside, for the files term*.c alone. Frames go to a back end: curses (term.c) or a picture (term_picture.c). Whoever draws reaches cells
 * through cell_set() and cell_paint() and knows neither. */
#ifndef TUI_TERM_PRIVATE_H
#define TUI_TERM_PRIVATE_H

#include "tui/term.h"
#include "tui/term_input.h"
#include "tui/term_output.h"
#include <bertty/str.h>
#include <wchar.h>

struct look {
    unsigned attributes; /* THEME_BOLD | … */
    int pair;            /* from 1: a number for its two colours */
};

struct term;

/* What a back end does. pair() is called with colours as a theme has them: THEME_DEFAULT_COLOUR, 0xRRGGBB where there are more than 256, else
 * THEME_PALETTE and an index. */
struct term_ops {
    void (*close)(struct term *t); /* what it has of its own; t is the caller's to free */
    bool (*suspend)(struct term *t);
    void (*resume)(struct term *t);
    void (*begin)(struct term *t); /* every cell blank */
    void (*end)(struct term *t);
    void (*redraw)(struct term *t);
    void (*set)(struct term *t, int y, int x, const wchar_t *text, struct look look);
    void (*paint)(struct term *t, int y, int x, int n, struct look look);
    bool (*shows)(wchar_t c, int width); /* in so many columns */
    void (*pair)(struct term *t, int pair, int32_t fg, int32_t bg);
    void (*looks_made)(struct term *t);
    void (*send)(struct term *t, const char *text, size_t n); /* past the frame: strings that move nothing */
};

struct term {
    const struct term_ops *ops;
    void *own; /* the back end's */
    int in, out;
    struct input *input;
    struct output *output; /* NULL: a picture */
    const struct theme *theme;
    enum plot_glyphs glyphs;
    bool unicode, mouse, suspended;
    bool asked;          /* the terminal may still answer */
    bool answers;        /* it has answered */
    bool synchronized;   /* it shows a frame when it is whole */
    bool whole;          /* all of the next frame is to be sent */
    uint64_t sum, shown; /* of what was drawn into this frame, and into the last */
    int colours, rows, columns;
    struct look look[ROLES], faint[THEME_SERIES]; /* faint: raw lines beneath smoothed ones */
    uint8_t *arms;                                /* [rows × columns] line-drawing arms of each cell */
    int cursor_y, cursor_x;
    struct bt_str scratch, clean;
    struct event click; /* the last press, for double clicks */
    int64_t click_ms, fed_ms;
};

enum { TERM_PAIRS = 1 + ROLES + THEME_SERIES };

/* Looks from the theme and the number of colours. */
void term_make_looks(struct term *t);
/* NULL without memory. The arms of rows × columns cells; term_free() frees them, and t. */
struct term *term_new(const struct term_options *o);
bool term_set_size(struct term *t, int rows, int columns);
void term_free(struct term *t);

/* The cell must lie on the screen. text: a character and what combines with it. */
void cell_set(struct term *t, int y, int x, const wchar_t *text, struct look look);
/* Another look for n cells. */
void cell_paint(struct term *t, int y, int x, int n, struct look look);

/* Waits for what was asked after frames; keys that come meanwhile are lost. */
void term_await_answers(struct term *t, int timeout_ms);

/* After SIGWINCH. False without memory. */
bool term_take_size(struct term *t);

#endif
