/* Everything that knows curses. */
#include "tui/term.h"
#include "tui/term_glyph.h"
#include "tui/term_input.h"
#include "tui/term_signal.h"
#include <bertty/str.h>
#include <bertty/text.h>
#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* terminfo's header has a struct of our name and macros for all its capabilities. */
#define term terminfo_terminal
#include <term.h>
#undef term
#undef columns

enum { ESCAPE_MS = 25, DOUBLE_CLICK_MS = 400, MAX_COPY = 64 * 1024, MAX_COMBINING = 4, EVENT_BYTES = 4096 };

struct look {
    attr_t attributes;
    int pair;
};

struct term {
    SCREEN *screen;
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

static const char mouse_on[] = "\033[?1002h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1002l";
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A terminal that has gone is noticed by poll(). */
static void send_text(struct term *t, const char *text, size_t n)
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
        *look = (struct look){.attributes = attributes_of(theme_plain_attributes(role))};
        return;
    }
    if (s.fg < 0) s.fg = text->fg;
    if (t->colours <= 16) {
        if (s.bg >= 0) s.attributes |= theme_plain_attributes(role);
        s.bg = THEME_DEFAULT_COLOUR;
    } else if (s.bg < 0) {
        s.bg = text->bg;
    }
    look->attributes = attributes_of(s.attributes);
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
        t->faint[n].attributes |= A_DIM;
        return;
    }
    t->faint[n].pair = (short)(ROLES + 1 + (int)n);
    init_pair(t->faint[n].pair, colour_of(t, between(series->fg, border->fg)),
              colour_of(t, series->bg < 0 ? t->theme->style[ROLE_TEXT].bg : series->bg));
}

static void make_looks(struct term *t)
{
    for (int r = 0; r < ROLES; r++) make_look(t, (enum role)r);
    for (unsigned n = 0; n < THEME_SERIES; n++) make_faint(t, n);
    cchar_t background;
    const struct look *text = &t->look[ROLE_TEXT];
    setcchar(&background, L" ", text->attributes, (short)text->pair, NULL);
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
    if (keeps_strings()) bt_str_add(&restore, paste_off);
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
    if (t->mouse) send_text(t, mouse_on, sizeof mouse_on - 1);
    if (keeps_strings()) send_text(t, paste_on, sizeof paste_on - 1);
}

static void modes_off(struct term *t)
{
    if (t->mouse) send_text(t, mouse_off, sizeof mouse_off - 1);
    if (keeps_strings()) send_text(t, paste_off, sizeof paste_off - 1);
}

static bool take_size(struct term *t)
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
    t->mouse = o->mouse && keeps_strings();
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
    modes_on(t);
    typeahead(-1);
    start_colours(t, o);
    *out = t;
    return take_size(t) ? BT_OK : bt_fail(err, BT_NOMEM, "the terminal's state");
}

void term_suspend(struct term *t)
{
    if (t->suspended) return;
    t->suspended = true;
    modes_off(t);
    curs_set(1);
    endwin();
}

void term_resume(struct term *t)
{
    if (!t->suspended) endwin(); /* stopped behind our back: the shell has set its own modes */
    t->suspended = false;
    refresh();
    modes_on(t);
    take_size(t);
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

static struct rect on_screen(const struct term *t, struct rect r)
{
    int bottom = r.y + r.h < t->rows ? r.y + r.h : t->rows,
        right = r.x + r.w < t->columns ? r.x + r.w : t->columns;
    struct rect c = {.y = r.y > 0 ? r.y : 0, .x = r.x > 0 ? r.x : 0};
    c.h = bottom > c.y ? bottom - c.y : 0;
    c.w = right > c.x ? right - c.x : 0;
    return c;
}

static bool inside(struct rect r, int y, int x)
{
    return y >= r.y && y < r.y + r.h && x >= r.x && x < r.x + r.w;
}

static void set_cell(struct term *t, int y, int x, const wchar_t *text, struct look look)
{
    cchar_t cell;
    if (setcchar(&cell, text, look.attributes, (short)look.pair, NULL) == OK) mvadd_wch(y, x, &cell);
    t->arms[y * t->columns + x] = 0;
}

static void set_char(struct term *t, int y, int x, uint32_t c, struct look look)
{
    if (!t->unicode && c > 0x7e) c = (unsigned char)glyph_ascii(c);
    set_cell(t, y, x, (const wchar_t[]){(wchar_t)c, 0}, look);
}

/* One character with what combines with it. Where curses thinks otherwise about its width, the columns stay right. */
struct cluster {
    wchar_t text[MAX_COMBINING + 2];
    int width;
};

static size_t next_cluster(const char *p, size_t n, struct cluster *c)
{
    int32_t cp = '?';
    size_t used = bt_utf8_decode(p, n, &cp);
    if (!used) used = 1;
    int length = 0;
    c->width = bt_text_width(p, used);
    c->text[length++] = (wchar_t)cp;
    while (used < n && (unsigned char)p[used] >= 0x80) {
        size_t more = bt_utf8_decode(p + used, n - used, &cp);
        if (!more || bt_text_width(p + used, more) != 0) break;
        if (length <= MAX_COMBINING) c->text[length++] = (wchar_t)cp;
        used += more;
    }
    c->text[length] = 0;
    if (c->width > 0 && c->text[0] > 0x7e && wcwidth(c->text[0]) != c->width) {
        c->text[0] = L'?';
        c->text[1] = 0;
    }
    return used;
}

static void put_cluster(struct term *t, int y, int x, const struct cluster *c, struct look look)
{
    bool plain = !t->unicode && c->text[0] > 0x7e;
    if (plain) {
        for (int i = 0; i < c->width; i++)
            set_char(t, y, x + i, (uint32_t)(c->width == 1 ? c->text[0] : L'?'), look);
        return;
    }
    set_cell(t, y, x, c->text, look);
    if (c->width == 2 && c->text[0] == L'?') set_char(t, y, x + 1, '?', look);
}

/* Cleaned text from column x of the screen on. */
static void put_clean(struct term *t, struct rect seen, int y, int x, struct look look, const char *p,
                      size_t n)
{
    while (n) {
        struct cluster c;
        size_t used = next_cluster(p, n, &c);
        bool fits = c.width > 0 && inside(seen, y, x) && inside(seen, y, x + c.width - 1);
        if (fits) put_cluster(t, y, x, &c, look);
        x += c.width;
        p += used;
        n -= used;
    }
}

int term_text(struct term *t, struct rect clip, int y, int x, enum role role, const char *bytes, size_t n)
{
    struct rect seen = on_screen(t, clip);
    if (y < 0 || y >= clip.h || x >= clip.w || !bytes) return 0;
    bt_str_clear(&t->clean);
    int width = bt_text_fit(&t->clean, bytes, n, clip.w - (x > 0 ? x : 0));
    put_clean(t, seen, clip.y + y, clip.x + x, t->look[role], bt_str_text(&t->clean), t->clean.len);
    return width;
}

int term_print(struct term *t, struct rect clip, int y, int x, enum role role, const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) return 0;
    int width = term_text(t, clip, y, x, role, text, (size_t)n);
    free(text);
    return width;
}

void term_put(struct term *t, struct rect clip, int y, int x, enum role role, uint32_t code_point)
{
    if (inside(on_screen(t, clip), clip.y + y, clip.x + x))
        set_char(t, clip.y + y, clip.x + x, code_point, t->look[role]);
}

void term_fill(struct term *t, struct rect r, enum role role, uint32_t code_point)
{
    struct rect s = on_screen(t, r);
    for (int y = s.y; y < s.y + s.h; y++)
        for (int x = s.x; x < s.x + s.w; x++) set_char(t, y, x, code_point, t->look[role]);
}

void term_paint(struct term *t, struct rect clip, int y, int x, int n, enum role role)
{
    struct rect wanted = {.y = clip.y + y, .x = clip.x + x, .h = 1, .w = n};
    struct rect in_clip = on_screen(t, clip), s = on_screen(t, wanted);
    if (s.h == 0 || s.y < in_clip.y || s.y >= in_clip.y + in_clip.h) return;
    int right = s.x + s.w < in_clip.x + in_clip.w ? s.x + s.w : in_clip.x + in_clip.w;
    int left = s.x > in_clip.x ? s.x : in_clip.x;
    if (right > left)
        mvchgat(s.y, left, right - left, t->look[role].attributes, (short)t->look[role].pair, NULL);
}

void term_shade(struct term *t, struct rect r, enum role role)
{
    for (int y = 0; y < r.h; y++) term_paint(t, r, y, 0, r.w, role);
}

/* Arms are added to those that stand there already, so that neighbouring frames join. */
static void add_arms(struct term *t, struct rect s, int y, int x, unsigned arms, struct look look)
{
    if (!inside(s, y, x)) return;
    unsigned all = t->arms[y * t->columns + x] | arms;
    set_char(t, y, x, glyph_line(all), look);
    t->arms[y * t->columns + x] = (uint8_t)all;
}

static void draw_frame(struct term *t, struct rect r, struct look look)
{
    struct rect s = on_screen(t, r);
    int bottom = r.y + r.h - 1, right = r.x + r.w - 1;
    for (int x = r.x + 1; x < right; x++) {
        add_arms(t, s, r.y, x, LINE_LEFT | LINE_RIGHT, look);
        add_arms(t, s, bottom, x, LINE_LEFT | LINE_RIGHT, look);
    }
    for (int y = r.y + 1; y < bottom; y++) {
        add_arms(t, s, y, r.x, LINE_UP | LINE_DOWN, look);
        add_arms(t, s, y, right, LINE_UP | LINE_DOWN, look);
    }
    add_arms(t, s, r.y, r.x, LINE_DOWN | LINE_RIGHT, look);
    add_arms(t, s, r.y, right, LINE_DOWN | LINE_LEFT, look);
    add_arms(t, s, bottom, r.x, LINE_UP | LINE_RIGHT, look);
    add_arms(t, s, bottom, right, LINE_UP | LINE_LEFT, look);
}

/* Where there are colours, lines do without other attributes: switching them on and off in every row costs more bytes than the rest. */
static struct look line_look(const struct term *t, bool focused)
{
    struct look look = t->look[focused ? ROLE_FOCUS : ROLE_BORDER];
    if (t->colours) look.attributes = 0;
    return look;
}

static void outline_cell(struct term *t, struct rect s, int y, int x)
{
    cchar_t c;
    wchar_t text[CCHARW_MAX + 1];
    attr_t attributes;
    short pair;
    struct look look = line_look(t, true);
    if (!inside(s, y, x) || mvin_wch(y, x, &c) == ERR) return;
    if (getcchar(&c, text, &attributes, &pair, NULL) == ERR) return;
    uint32_t line = glyph_line(t->arms[y * t->columns + x]);
    if (!t->unicode) line = (unsigned char)glyph_ascii(line);
    if (t->arms[y * t->columns + x] && (uint32_t)text[0] == line)
        mvchgat(y, x, 1, look.attributes, look.pair, NULL);
}

void term_outline(struct term *t, struct rect r)
{
    struct rect s = on_screen(t, r);
    for (int x = r.x; x < r.x + r.w; x++) {
        outline_cell(t, s, r.y, x);
        outline_cell(t, s, r.y + r.h - 1, x);
    }
    for (int y = r.y + 1; y < r.y + r.h - 1; y++) {
        outline_cell(t, s, y, r.x);
        outline_cell(t, s, y, r.x + r.w - 1);
    }
}

struct rect term_box(struct term *t, struct rect r, const char *title, bool focused)
{
    struct rect in = {.y = r.y + 1, .x = r.x + 1, .h = r.h > 2 ? r.h - 2 : 0, .w = r.w > 2 ? r.w - 2 : 0};
    if (r.h < 2 || r.w < 2) return in;
    draw_frame(t, r, line_look(t, focused));
    if (title && *title && r.w > 6) {
        struct rect edge = {.y = r.y, .x = r.x + 2, .h = 1, .w = r.w - 4};
        struct rect text = {.y = r.y, .x = r.x + 3, .h = 1, .w = r.w - 6};
        enum role role = focused ? ROLE_FOCUS : ROLE_TITLE;
        int width = term_text(t, text, 0, 0, role, title, strlen(title));
        term_put(t, edge, 0, 0, role, ' ');
        term_put(t, edge, 0, width + 1, role, ' ');
    }
    return in;
}

static struct look plot_look(const struct term *t, const struct plot_cell *c)
{
    static const enum role roles[] = {
        [PLOT_EMPTY] = ROLE_TEXT, [PLOT_AXIS] = ROLE_BORDER,  [PLOT_LABEL] = ROLE_DIM,
        [PLOT_NAN] = ROLE_BAD,    [PLOT_EVENT] = ROLE_ACCENT, [PLOT_CURSOR] = ROLE_FOCUS};
    struct look look = t->look[role_series(c->colour)];
    switch (c->role) {
    case PLOT_FAINT:
        return t->faint[c->colour % THEME_SERIES];
    case PLOT_MARK:
        if (!t->colours) look.attributes |= A_BOLD;
        return look;
    case PLOT_LINE:
        return look;
    default:
        return t->look[roles[c->role]];
    }
}

void term_plot(struct term *t, struct rect r, const struct plot_cell *cell)
{
    struct rect s = on_screen(t, r);
    for (int y = s.y; y < s.y + s.h; y++) {
        for (int x = s.x; x < s.x + s.w; x++) {
            const struct plot_cell *c = &cell[(y - r.y) * r.w + (x - r.x)];
            set_char(t, y, x, c->ch ? c->ch : ' ', plot_look(t, c));
        }
    }
}

void term_cursor(struct term *t, struct rect clip, int y, int x)
{
    if (!inside(on_screen(t, clip), clip.y + y, clip.x + x)) return;
    t->cursor_y = clip.y + y;
    t->cursor_x = clip.x + x;
}

static void base64(struct bt_str *out, const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned left = (unsigned)(n - i);
        unsigned v =
            (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0U);
        bt_str_addc(out, digits[v >> 18 & 63]);
        bt_str_addc(out, digits[v >> 12 & 63]);
        bt_str_addc(out, left > 1 ? digits[v >> 6 & 63] : '=');
        bt_str_addc(out, left > 2 ? digits[v & 63] : '=');
    }
}

void term_copy(struct term *t, const char *text, size_t n)
{
    if (!keeps_strings()) return;
    bt_str_clear(&t->scratch);
    bt_str_add(&t->scratch, "\033]52;c;");
    base64(&t->scratch, (const unsigned char *)text, n < MAX_COPY ? n : MAX_COPY);
    bt_str_add(&t->scratch, "\033\\");
    if (!t->scratch.failed) send_text(t, t->scratch.data, t->scratch.len);
}

/* ── input ── */

static bool after_signals(struct term *t, struct event *e)
{
    struct signals_seen seen = signals_take();
    if (seen.ending) {
        *e = (struct event){.kind = EVENT_HANGUP, .key = seen.ending};
        return true;
    }
    if (seen.suspend) {
        term_suspend(t);
        signals_stop_self();
        seen.ending = signals_take().ending;
    }
    if (seen.suspend || seen.continued) term_resume(t);
    if (!seen.suspend && !seen.continued && !seen.resized) return false;
    take_size(t);
    *e = (struct event){.kind = EVENT_RESIZE};
    return true;
}

static void mark_double(struct term *t, struct event *e)
{
    if (e->kind != EVENT_MOUSE || e->release || e->drag || e->button > MOUSE_RIGHT || !e->button) return;
    int64_t now = now_ms();
    e->twice = t->click.button == e->button && t->click.y == e->y && t->click.x == e->x &&
               now - t->click_ms < DOUBLE_CLICK_MS;
    t->click = *e;
    if (e->twice) t->click.button = MOUSE_NONE;
    t->click_ms = now;
}

/* False: the terminal is gone. */
static bool read_bytes(struct term *t)
{
    char bytes[EVENT_BYTES];
    ssize_t n = read(t->in, bytes, sizeof bytes);
    t->fed_ms = now_ms();
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    return n > 0 && (input_feed(t->input, bytes, (size_t)n) || true);
}

void term_event(struct term *t, int timeout_ms, int wake_fd, struct event *e)
{
    int64_t until = now_ms() + timeout_ms;
    for (;;) {
        if (after_signals(t, e)) return;
        if (input_next(t->input, now_ms() - t->fed_ms >= ESCAPE_MS, e)) {
            mark_double(t, e);
            return;
        }
        bool unfinished = input_unfinished(t->input);
        int64_t left = timeout_ms < 0 ? -1 : until - now_ms();
        if (timeout_ms >= 0 && left < 0) left = 0;
        if (unfinished && (left < 0 || left > ESCAPE_MS)) left = ESCAPE_MS;
        struct pollfd fds[] = {{.fd = t->in, .events = POLLIN},
                               {.fd = signals_fd(), .events = POLLIN},
                               {.fd = wake_fd, .events = POLLIN}};
        int ready = poll(fds, wake_fd < 0 ? 2 : 3, (int)left);
        *e = (struct event){.kind = EVENT_NONE};
        if (ready < 0) continue;
        if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) || (fds[0].revents & POLLIN && !read_bytes(t))) {
            e->kind = EVENT_HANGUP;
            return;
        }
        if (wake_fd >= 0 && fds[2].revents) return;
        if (ready == 0 && (!unfinished || timeout_ms == 0)) return;
    }
}
