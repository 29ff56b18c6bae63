/* Everything that knows curses. */
#include "tui/term_glyph.h"
#include "tui/term_input.h"
#include "tui/term_private.h"
#include "tui/term_signal.h"
#include "tui/term_stderr.h"
#include <bertty/str.h>
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS
#include <curses.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* terminfo's header has a struct of our name and macros for all its capabilities. */
#define term terminfo_terminal
#include <term.h>
#undef term
#undef columns

static const char mouse_on[] = "\033[?1002h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1002l";
/* What stands between is shown at once: https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036 */
static const char frame_begin[] = "\033[?2026h", frame_end[] = "\033[?2026l";
/* What is waited at the end, for what was not sent and not answered yet. */
enum { FINISH_MS = 300, ANSWER_MS = 150 };

static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

/* Past curses. A terminal that has gone is noticed by poll(). */
static void send_bytes(struct term *t, const char *text, size_t n)
{
    output_add(t->output, text, n);
}

/* ── looks ── */

/* The colour number of curses. Direct colours are what they say, but that their first eight are the palette's. */
static int colour_of(const struct term *t, int32_t colour)
{
    if (colour < 0) return -1;
    bool direct = t->colours > 256;
    if (colour & THEME_PALETTE) {
        if (!direct || (colour & 255) < 8) return colour & 255;
        colour = palette_colour(colour & 255);
    }
    return direct && colour > 0 && colour < 8 ? 8 : colour;
}

static attr_t attributes_of(unsigned a)
{
    return (a & THEME_BOLD ? A_BOLD : 0) | (a & THEME_DIM ? A_DIM : 0) |
           (a & THEME_UNDERLINE ? A_UNDERLINE : 0) | (a & THEME_REVERSE ? A_REVERSE : 0);
}

static void pair(struct term *t, int number, int32_t fg, int32_t bg)
{
    init_extended_pair(number, colour_of(t, fg), colour_of(t, bg));
}

static void looks_made(struct term *t)
{
    cchar_t background;
    const struct look *text = &t->look[ROLE_TEXT];
    setcchar(&background, L" ", attributes_of(text->attributes), (short)text->pair, NULL);
    bkgrndset(&background);
    t->whole = true;
}

static bool colours_wanted(const struct term_options *o)
{
    const char *no = getenv("NO_COLOR");
    return o->colours != 0 && (o->colours > 0 || !no || !*no);
}

/* COLORS is known only after start_color(). */
static void start_colours(struct term *t, const struct term_options *o)
{
    if (colours_wanted(o) && has_colors() && start_color() == OK && COLORS >= 8) {
        use_default_colors();
        t->colours = COLORS > 256 ? COLORS : COLORS == 256 ? 256 : COLORS >= 16 ? 16 : 8;
        if (o->colours > 0 && o->colours < t->colours) t->colours = o->colours;
    }
    term_make_looks(t);
}

/* ── what the terminal is and has ── */

static bool locale_is_unicode(void)
{
    return MB_CUR_MAX > 1 && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum plot_glyphs glyphs_of_terminal(const struct term *t)
{
    const char *name = getenv("TERM");
    if (!t->unicode) return PLOT_ASCII;
    return name && strcmp(name, "linux") == 0 ? PLOT_BLOCK : PLOT_BRAILLE;
}

/* False for terminals that would show such strings. */
static bool keeps_strings(void)
{
    const char *name = getenv("TERM");
    return name && strncmp(name, "linux", 5) != 0 && strncmp(name, "vt", 2) != 0;
}

/* newterm() would end the process or draw rubbish on these. */
static enum bt_status check_terminal(struct bt_error *err)
{
    const char *name = getenv("TERM");
    int found = 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return bt_fail(err, BT_UNSUPPORTED,
                       "the workbench needs a terminal; `bertty help` lists what needs none");
    if (!name || !*name) return bt_fail(err, BT_UNSUPPORTED, "TERM is not set: no way to know the terminal");
    if (setupterm(name, STDOUT_FILENO, &found) != OK)
        return bt_fail(err, BT_UNSUPPORTED, "TERM=%s: %s", name,
                       found < 0 ? "no terminfo database"
                                 : "terminfo knows no such terminal that can show a screen");
    const char *move = tigetstr("cup");
    bool able = move && move != (char *)-1;
    del_curterm(cur_term);
    if (!able) return bt_fail(err, BT_UNSUPPORTED, "TERM=%s: this terminal cannot move its cursor", name);
    return BT_OK;
}

static void add_keys(struct term *t)
{
    static const struct {
        const char *capability;
        int32_t key;
    } keys[] = {
        {.capability = "kcuu1", .key = KEY_CODE_UP},     {.capability = "kcud1", .key = KEY_CODE_DOWN},
        {.capability = "kcub1", .key = KEY_CODE_LEFT},   {.capability = "kcuf1", .key = KEY_CODE_RIGHT},
        {.capability = "khome", .key = KEY_CODE_HOME},   {.capability = "kend", .key = KEY_CODE_END},
        {.capability = "kpp", .key = KEY_CODE_PAGE_UP},  {.capability = "knp", .key = KEY_CODE_PAGE_DOWN},
        {.capability = "kich1", .key = KEY_CODE_INSERT}, {.capability = "kdch1", .key = KEY_CODE_DELETE},
        {.capability = "kcbt", .key = KEY_CODE_BACKTAB}, {.capability = "kbs", .key = KEY_CODE_BACKSPACE},
        {.capability = "kf1", .key = KEY_CODE_F1},       {.capability = "kf2", .key = KEY_CODE_F1 + 1},
        {.capability = "kf3", .key = KEY_CODE_F1 + 2},   {.capability = "kf4", .key = KEY_CODE_F1 + 3},
        {.capability = "kf5", .key = KEY_CODE_F1 + 4},   {.capability = "kf6", .key = KEY_CODE_F1 + 5},
        {.capability = "kf7", .key = KEY_CODE_F1 + 6},   {.capability = "kf8", .key = KEY_CODE_F1 + 7},
        {.capability = "kf9", .key = KEY_CODE_F1 + 8},   {.capability = "kf10", .key = KEY_CODE_F1 + 9},
        {.capability = "kf11", .key = KEY_CODE_F1 + 10}, {.capability = "kf12", .key = KEY_CODE_F12},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *sequence = tigetstr(keys[i].capability);
        if (sequence && sequence != (char *)-1) input_add(t->input, sequence, keys[i].key);
    }
}

static bool known_terminal(const char *name)
{
    int found;
    if (setupterm(name, STDOUT_FILENO, &found) != OK) return false;
    del_curterm(cur_term);
    return true;
}

/* The description to use: that of TERM, or, where the terminal says that it has 24-bit colours, its sister that knows how to set
 * them ("xterm-direct"; not on every machine). The caller frees. */
static char *description(const struct term_options *o)
{
    const char *name = getenv("TERM"), *has = getenv("COLORTERM");
    bool direct = has && (strcmp(has, "truecolor") == 0 || strcmp(has, "24bit") == 0);
    size_t base = strcspn(name, "-");
    if (direct && (o->colours < 0 || o->colours > 256) && colours_wanted(o)) {
        char *sister = bt_strfmt("%.*s-direct", (int)base, name);
        if (sister && known_terminal(sister)) return sister;
        free(sister);
    }
    return bt_strdup(name);
}

/* A capability without its delays. */
static void add_capability(struct bt_str *out, const char *name)
{
    const char *text = tigetstr(name);
    if (!text || text == (char *)-1) return;
    while (*text) {
        const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (end)
            text = end + 1;
        else
            bt_str_addc(out, *text++);
    }
}

static enum bt_status watch_signals(struct term *t, struct bt_error *err)
{
    struct bt_str restore = {0};
    if (t->mouse) bt_str_add(&restore, mouse_off);
    if (keeps_strings()) {
        bt_str_add(&restore, frame_end);
        bt_str_add(&restore, paste_off);
    }
    add_capability(&restore, "sgr0");
    add_capability(&restore, "rmkx");
    add_capability(&restore, "cnorm");
    add_capability(&restore, "rmcup");
    bt_str_add(&restore, "\r");
    enum bt_status status = signals_install(t->out, bt_str_text(&restore), restore.len, err);
    bt_str_free(&restore);
    return status;
}

static void modes_on(struct term *t)
{
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    if (t->mouse) send_bytes(t, mouse_on, sizeof mouse_on - 1);
    if (keeps_strings()) send_bytes(t, paste_on, sizeof paste_on - 1);
}

/* An answer that comes now would be the shell's. */
static void forget_answers(struct term *t)
{
    term_await_answers(t, ANSWER_MS);
    if (t->asked || output_open_questions(t->output)) tcflush(t->in, TCIFLUSH);
}

/* What waits is sent, or forgotten where nobody reads: then the terminal may stand amid a frame. */
static void finish_output(struct term *t)
{
    if (!output_finish(t->output, FINISH_MS) && keeps_strings())
        send_bytes(t, frame_end, sizeof frame_end - 1);
}

/* The background's colour, whether there are synchronized frames; last what every terminal answers. Nobody waits: what comes is an event. */
static void ask(struct term *t, bool background)
{
    static const char ground[] = "\033]11;?\033\\", mode[] = "\033[?2026$p", attributes[] = "\033[c";
    if (!keeps_strings()) return;
    if (background) send_bytes(t, ground, sizeof ground - 1);
    send_bytes(t, mode, sizeof mode - 1);
    send_bytes(t, attributes, sizeof attributes - 1);
    input_expect_answer(t->input, true);
    t->asked = true;
}

static void modes_off(struct term *t)
{
    if (t->mouse) send_bytes(t, mouse_off, sizeof mouse_off - 1);
    if (keeps_strings()) send_bytes(t, paste_off, sizeof paste_off - 1);
}

bool term_take_size(struct term *t)
{
    struct winsize size = {0};
    if (ioctl(t->out, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    return term_set_size(t, getmaxy(stdscr), getmaxx(stdscr));
}

static bool suspend(struct term *t)
{
    finish_output(t);
    modes_off(t);
    curs_set(1);
    forget_answers(t);
    endwin();
    output_finish(t->output, FINISH_MS); /* what the terminal did not take before that */
    stderr_release();
    return true;
}

static void resume(struct term *t)
{
    finish_output(t);
    if (!t->suspended) endwin(); /* stopped behind our back: the shell has set its own modes */
    stderr_hold();
    refresh();
    modes_on(t);
    term_take_size(t);
    t->whole = true;
}

static void close_screen(struct term *t)
{
    signals_remove();
    delscreen(t->own);
    output_free(t->output);
}

/* ── a frame ── */

/* FNV-1a, a number at a time: a frame that is drawn as the last one was is not looked at again, and costs no byte. */
static void note(struct term *t, uint64_t number)
{
    t->sum = (t->sum ^ number) * 0x100000001b3U;
}

static void note_look(struct term *t, int y, int x, struct look look)
{
    note(t, (uint64_t)y << 32 | (uint64_t)x);
    note(t, (uint64_t)look.attributes << 32 | (uint64_t)look.pair);
}

static void begin(struct term *t)
{
    t->sum = 0xcbf29ce484222325U;
    erase();
}

static void send_frame(struct term *t)
{
    output_frame_begin(t->output);
    output_capture(t->output);
    if (t->whole) clearok(stdscr, TRUE);
    if (t->synchronized) send_bytes(t, frame_begin, sizeof frame_begin - 1);
    leaveok(stdscr, t->cursor_y < 0);
    if (t->cursor_y >= 0) move(t->cursor_y, t->cursor_x);
    if (t->cursor_y < 0) curs_set(0);
    refresh();
    if (t->cursor_y >= 0) curs_set(1);
    output_release(t->output);
    if (t->answers) output_ask(t->output);
    if (t->synchronized) send_bytes(t, frame_end, sizeof frame_end - 1);
    output_flush(t->output);
}

static void end(struct term *t)
{
    note(t, (uint64_t)t->cursor_y << 32 | (uint64_t)t->cursor_x);
    if (t->whole || t->sum != t->shown) send_frame(t);
    t->shown = t->sum;
    t->whole = false;
}

static void redraw(struct term *t)
{
    t->whole = true;
}

static void set(struct term *t, int y, int x, const wchar_t *text, struct look look)
{
    cchar_t cell;
    note_look(t, y, x, look);
    for (const wchar_t *c = text; *c; c++) note(t, (uint64_t)*c);
    if (setcchar(&cell, text, attributes_of(look.attributes), (short)look.pair, NULL) == OK)
        mvadd_wch(y, x, &cell);
}

static void paint(struct term *t, int y, int x, int n, struct look look)
{
    note_look(t, y, x, look);
    note(t, (uint64_t)n);
    mvchgat(y, x, n, attributes_of(look.attributes), (short)look.pair, NULL);
}

/* Curses trusts the C library, which may know another Unicode than ours. */
static bool shows(wchar_t c, int width)
{
    return wcwidth(c) == width;
}

static void send_string(struct term *t, const char *text, size_t n)
{
    if (keeps_strings()) send_bytes(t, text, n);
}

static const struct term_ops curses = {
    .close = close_screen,
    .suspend = suspend,
    .resume = resume,
    .begin = begin,
    .end = end,
    .redraw = redraw,
    .set = set,
    .paint = paint,
    .shows = shows,
    .pair = pair,
    .looks_made = looks_made,
    .send = send_string,
};

/* ── opening ── */

enum bt_status term_open(const struct term_options *o, struct term **out, struct bt_error *err)
{
    if (check_terminal(err) != BT_OK) return BT_UNSUPPORTED;
    struct term *t = term_new(o);
    if (!t || !(t->input = input_new())) {
        term_free(t);
        return bt_fail(err, BT_NOMEM, "the terminal's state");
    }
    t->ops = &curses;
    t->in = STDIN_FILENO;
    t->out = STDOUT_FILENO;
    if (!(t->output = output_new(t->out))) {
        term_free(t);
        return bt_fail(err, BT_NOMEM, "the terminal's state");
    }
    t->unicode = o->glyphs != PLOT_ASCII && locale_is_unicode();
    t->glyphs = o->glyphs < 0 || !t->unicode ? glyphs_of_terminal(t) : (enum plot_glyphs)o->glyphs;
    t->mouse = o->mouse && keeps_strings();
    setupterm(NULL, t->out, NULL);
    add_keys(t);
    enum bt_status status = watch_signals(t, err);
    del_curterm(cur_term);
    char *name = description(o);
    if (status == BT_OK && !(t->own = newterm(name, output_file(t->output), stdin))) {
        signals_remove();
        status = bt_fail(err, BT_UNSUPPORTED, "TERM=%s: the terminal cannot be used", getenv("TERM"));
    }
    free(name);
    if (status != BT_OK) {
        output_free(t->output);
        term_free(t);
        return status;
    }
    stderr_hold();
    modes_on(t);
    typeahead(-1);
    start_colours(t, o);
    ask(t, o->ask_background);
    *out = t;
    return term_take_size(t) ? BT_OK : bt_fail(err, BT_NOMEM, "the terminal's state");
}
