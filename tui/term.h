/* The screen: a terminal (term.c, the only place that knows curses) or a picture of one (tui/picture.h). A frame is drawn whole into memory; only what
 * differs from the last one is sent.
 *
 * One terminal a process; belongs to the thread that opened it. */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "tui/plot.h"
#include "tui/theme.h"
#include <stdbool.h>

struct rect {
    int y, x, h, w;
};

struct term;

struct term_options {
    const struct theme *theme; /* borrowed */
    int glyphs;                /* enum plot_glyphs; −1: what the terminal can show */
    int colours;               /* 0, 8, 16, 256, 1 << 24; −1: what the terminal has (NO_COLOR honoured) */
    bool mouse;
    bool ask_background; /* EVENT_BACKGROUND comes where the terminal can tell */
};

/* Fails (TERM unknown or dumb, no terminal) without having changed anything. Restores the terminal after every signal that can be caught. */
enum bt_status term_open(const struct term_options *o, struct term **out, struct bt_error *err);
void term_close(struct term *t);
/* Gives the screen to another program (false: a picture has none to give), and takes it back (everything is drawn anew). */
bool term_suspend(struct term *t);
void term_resume(struct term *t);
void term_set_theme(struct term *t, const struct theme *theme); /* everything is drawn anew */
enum plot_glyphs term_glyphs(const struct term *t);
bool term_unicode(const struct term *t); /* the locale and the terminal show more than ASCII */

/* ── a frame ── */

void term_size(const struct term *t, int *rows, int *columns);
void term_begin(struct term *t); /* an empty frame, no cursor */
void term_end(struct term *t);   /* sends the difference; 0 bytes if there is none; never waits */
/* What was sent has not arrived yet, as far as that can be known: another frame would only wait behind it. small: for what a key asked for, which may
 * join a little that is on its way. */
bool term_busy(struct term *t, bool small);
/* Seconds that the last frame took to arrive; 0: not known. */
double term_frame_s(const struct term *t);

/* Cleans n bytes and shows what fits into clip from (y, x) on (relative to clip); returns the columns used. Cut text ends with “…”. */
int term_text(struct term *t, struct rect clip, int y, int x, enum role role, const char *bytes, size_t n);
int term_print(struct term *t, struct rect clip, int y, int x, enum role role, const char *fmt, ...)
    BT_PRINTF(6, 7);
/* One code point (of ours, not of data) as it is. On a terminal without Unicode the nearest ASCII. */
void term_put(struct term *t, struct rect clip, int y, int x, enum role role, uint32_t code_point);
/* Repeats a code point over the part of r that lies in clip. */
void term_fill(struct term *t, struct rect r, enum role role, uint32_t code_point);
/* Gives n cells from (y, x) on the look of a role, text untouched. */
void term_paint(struct term *t, struct rect clip, int y, int x, int n, enum role role);
/* A frame around r with a title in its upper edge; returns the inside. Shared edges: draw neighbours overlapping by one cell. */
struct rect term_box(struct term *t, struct rect r, const char *title, bool focused);
/* Gives the lines of a frame that stands there the look of the focus, where neighbours drew over it; texts in its edges stay. */
void term_outline(struct term *t, struct rect r);
/* Cells of a plot. series: role of colour c is role_series(c). */
void term_plot(struct term *t, struct rect r, const struct plot_cell *cell);
void term_cursor(struct term *t, struct rect clip, int y, int x); /* shows the cursor there */
/* Gives every cell of r the look of a role: what lies beneath an overlay. */
void term_shade(struct term *t, struct rect r, enum role role);
/* The next frame is sent whole, whatever the terminal shows. */
void term_redraw(struct term *t);
/* Puts text into the clipboard of the user's terminal (OSC 52); at most 64 KiB. */
void term_copy(struct term *t, const char *text, size_t n);

/* ── input ── */

enum event_kind {
    EVENT_NONE,
    EVENT_KEY,
    EVENT_MOUSE,
    EVENT_RESIZE,
    EVENT_HANGUP,
    EVENT_PASTE,
    EVENT_BACKGROUND, /* light tells what the terminal's is */
    EVENT_ANSWER      /* of the terminal to the screen itself: never seen outside */
};

/* Keys are code points; those that are none lie above Unicode. */
enum key {
    KEY_CODE_BASE = 0x110000,
    KEY_CODE_UP,
    KEY_CODE_DOWN,
    KEY_CODE_LEFT,
    KEY_CODE_RIGHT,
    KEY_CODE_HOME,
    KEY_CODE_END,
    KEY_CODE_PAGE_UP,
    KEY_CODE_PAGE_DOWN,
    KEY_CODE_INSERT,
    KEY_CODE_DELETE,
    KEY_CODE_BACKSPACE,
    KEY_CODE_ENTER,
    KEY_CODE_ESCAPE,
    KEY_CODE_TAB,
    KEY_CODE_BACKTAB,
    KEY_CODE_F1, /* … F12 */
    KEY_CODE_F12 = KEY_CODE_F1 + 11
};
#define KEY_CTRL(c) ((c) - 'a' + 1)

enum mouse_button { MOUSE_NONE, MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct event {
    enum event_kind kind;
    int32_t
        key; /* EVENT_KEY: code point, KEY_CTRL(c) or enum key; EVENT_HANGUP: the signal, 0: the terminal is gone */
    bool alt;
    int y, x; /* EVENT_MOUSE: cell of the screen */
    enum mouse_button button;
    bool release, drag, twice, light;
    const char *text; /* EVENT_PASTE: borrowed until the next event */
    size_t text_n;
};

/* Waits up to timeout_ms (−1: for ever) for an event or for a byte on wake_fd (which is left unread; EVENT_NONE then, as on time-out).
 * Nothing ever comes from a picture: not to be called on one. */
void term_event(struct term *t, int timeout_ms, int wake_fd, struct event *e);

#endif
