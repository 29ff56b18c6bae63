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
#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* terminfo's header has a struct of our name and macros for all its capabilities. */
#define term terminfo_terminal
#include <term.h>
#undef term
#undef columns

static const char mouse_on[] = "\033[?1002h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1002l";
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

void term_send(struct term *t, const char *text, size_t n)
{
    while (n) {
        ssize_t sent = write(t->out, text, n);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return;
        text += sent;
        n -= (size_t)sent;
    }
}

/* ── looks ── */

/* Direct colours are what they say, but that their first eight are the palette's. */
static int colour_of(const struct term *t, int32_t rgb)
{
    if (rgb < 0) return -1;
    if (t->colours > 256) return rgb > 0 && rgb < 8 ? 8 : rgb;
    return colour_index(rgb, t->colours);
}

static attr_t attributes_of(unsigned a)
{
    return (a & THEME_BOLD ? A_BOLD : 0) | (a & THEME_DIM ? A_DIM : 0) |
           (a & THEME_UNDERLINE ? A_UNDERLINE : 0) | (a & THEME_REVERSE ? A_REVERSE : 0);
}

/* With 16 colours or fewer a background could hide its text: the role's attributes without colour carry the meaning. */
static void make_look(struct term *t, enum role role)
{
    struct theme_style s = t->theme->style[role];
    const struct theme_style *text = &t->theme->style[ROLE_TEXT];
    struct look *look = &t->look[role];
    if (t->colours == 0) {
        *look = (struct look){.attributes = theme_plain_attributes(role)};
        return;
    }
    if (s.fg < 0) s.fg = text->fg;
    if (t->colours <= 16) {
        if (s.bg >= 0) s.attributes |= theme_plain_attributes(role);
        s.bg = THEME_DEFAULT_COLOUR;
    } else if (s.bg < 0) {
        s.bg = text->bg;
    }
    look->attributes = s.attributes;
    look->pair = (int)role + 1;
    init_extended_pair(look->pair, colour_of(t, s.fg), colour_of(t, s.bg));
}

static int32_t between(int32_t a, int32_t b)
{
    int32_t out = 0;
    for (int shift = 0; shift <= 16; shift += 8)
        out |= (((a >> shift & 0xff) + (b >> shift & 0xff)) / 2) << shift;
    return out;
}

/* Half-way to the colour of borders, which is quiet on the theme's background. A colour of its own costs fewer bytes than an attribute, which
 * has to be taken back by a reset of everything. */
static void make_faint(struct term *t, unsigned n)
{
    const struct theme_style *series = &t->theme->style[role_series(n)],
                             *border = &t->theme->style[ROLE_BORDER];
    t->faint[n] = t->look[role_series(n)];
    if (t->colours < 256 || series->fg < 0 || border->fg < 0) {
        t->faint[n].attributes |= THEME_DIM;
        return;
    }
    t->faint[n].pair = ROLES + 1 + (int)n;
    init_extended_pair(t->faint[n].pair, colour_of(t, between(series->fg, border->fg)),
                       colour_of(t, series->bg < 0 ? t->theme->style[ROLE_TEXT].bg : series->bg));
}

static void make_looks(struct term *t)
{
    for (int r = 0; r < ROLES; r++) make_look(t, (enum role)r);
    for (unsigned n = 0; n < THEME_SERIES; n++) make_faint(t, n);
    cchar_t background;
    const struct look *text = &t->look[ROLE_TEXT];
    setcchar(&background, L" ", attributes_of(text->attributes), (short)text->pair, NULL);
    bkgrndset(&background);
    clearok(stdscr, TRUE);
}

void term_set_theme(struct term *t, const struct theme *theme)
{
    t->theme = theme;
    make_looks(t);
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
    make_looks(t);
}

/* ── opening and closing ── */

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

bool term_keeps_strings(void)
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
    if (term_keeps_strings()) bt_str_add(&restore, paste_off);
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
    if (t->mouse) term_send(t, mouse_on, sizeof mouse_on - 1);
    if (term_keeps_strings()) term_send(t, paste_on, sizeof paste_on - 1);
}

static void modes_off(struct term *t)
{
    if (t->mouse) term_send(t, mouse_off, sizeof mouse_off - 1);
    if (term_keeps_strings()) term_send(t, paste_off, sizeof paste_off - 1);
}

bool term_take_size(struct term *t)
{
    struct winsize size = {0};
    if (ioctl(t->out, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    getmaxyx(stdscr, t->rows, t->columns);
    uint8_t *arms = realloc(t->arms, (size_t)t->rows * (size_t)t->columns);
    if (!arms) return false;
    t->arms = arms;
    memset(arms, 0, (size_t)t->rows * (size_t)t->columns);
    return true;
}

enum bt_status term_open(const struct term_options *o, struct term **out, struct bt_error *err)
{
    if (check_terminal(err) != BT_OK) return BT_UNSUPPORTED;
    struct term *t = calloc(1, sizeof *t);
    if (!t || !(t->input = input_new())) {
        free(t);
        return bt_fail(err, BT_NOMEM, "the terminal's state");
    }
    t->in = STDIN_FILENO;
    t->out = STDOUT_FILENO;
    t->theme = o->theme;
    t->unicode = o->glyphs != PLOT_ASCII && locale_is_unicode();
    t->glyphs = o->glyphs < 0 || !t->unicode ? glyphs_of_terminal(t) : (enum plot_glyphs)o->glyphs;
    t->mouse = o->mouse && term_keeps_strings();
    setupterm(NULL, t->out, NULL);
    add_keys(t);
    enum bt_status status = watch_signals(t, err);
    del_curterm(cur_term);
    char *name = description(o);
    if (status == BT_OK && !(t->screen = newterm(name, stdout, stdin))) {
        signals_remove();
        status = bt_fail(err, BT_UNSUPPORTED, "TERM=%s: the terminal cannot be used", getenv("TERM"));
    }
    free(name);
    if (status != BT_OK) {
        input_free(t->input);
        free(t);
        return status;
    }
    stderr_hold();
    modes_on(t);
    typeahead(-1);
    start_colours(t, o);
    *out = t;
    return term_take_size(t) ? BT_OK : bt_fail(err, BT_NOMEM, "the terminal's state");
}

void term_suspend(struct term *t)
{
    if (t->suspended) return;
    t->suspended = true;
    modes_off(t);
    curs_set(1);
    endwin();
    stderr_release();
}

void term_resume(struct term *t)
{
    if (!t->suspended) endwin(); /* stopped behind our back: the shell has set its own modes */
    t->suspended = false;
    stderr_hold();
    refresh();
    modes_on(t);
    term_take_size(t);
    clearok(stdscr, TRUE);
}

void term_close(struct term *t)
{
    if (!t) return;
    term_suspend(t);
    signals_remove();
    delscreen(t->screen);
    input_free(t->input);
    bt_str_free(&t->scratch);
    bt_str_free(&t->clean);
    free(t->arms);
    free(t);
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
    erase();
    memset(t->arms, 0, (size_t)t->rows * (size_t)t->columns);
    t->cursor_y = -1;
}

void term_end(struct term *t)
{
    leaveok(stdscr, t->cursor_y < 0);
    if (t->cursor_y >= 0) move(t->cursor_y, t->cursor_x);
    if (t->cursor_y < 0) curs_set(0);
    refresh();
    if (t->cursor_y >= 0) curs_set(1);
}

void term_redraw(struct term *t)
{
    (void)t;
    clearok(stdscr, TRUE);
}

void cell_set(struct term *t, int y, int x, const wchar_t *text, struct look look)
{
    cchar_t cell;
    if (setcchar(&cell, text, attributes_of(look.attributes), (short)look.pair, NULL) == OK)
        mvadd_wch(y, x, &cell);
    t->arms[y * t->columns + x] = 0;
}

void cell_paint(struct term *t, int y, int x, int n, struct look look)
{
    (void)t;
    mvchgat(y, x, n, attributes_of(look.attributes), (short)look.pair, NULL);
}
