/* What stands in a frame: text, lines, plots; the clipboard. */
#include "tui/term_glyph.h"
#include "tui/term_private.h"
#include <bertty/text.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COPY = 64 * 1024, MAX_COMBINING = 4 };

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

static void set_char(struct term *t, int y, int x, uint32_t c, struct look look)
{
    if (!t->unicode && c > 0x7e) c = (unsigned char)glyph_ascii(c);
    cell_set(t, y, x, (const wchar_t[]){(wchar_t)c, 0}, look);
}

/* One character with what combines with it. Where the back end thinks otherwise about its width, the columns stay right. */
struct cluster {
    wchar_t text[MAX_COMBINING + 2];
    int width;
};

static size_t next_cluster(const struct term *t, const char *p, size_t n, struct cluster *c)
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
    if (c->width > 0 && c->text[0] > 0x7e && !t->ops->shows(c->text[0], c->width)) {
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
    cell_set(t, y, x, c->text, look);
    if (c->width == 2 && c->text[0] == L'?') set_char(t, y, x + 1, '?', look);
}

/* Cleaned text from column x of the screen on. */
static void put_clean(struct term *t, struct rect seen, int y, int x, struct look look, const char *p,
                      size_t n)
{
    while (n) {
        struct cluster c;
        size_t used = next_cluster(t, p, n, &c);
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
    if (right > left) cell_paint(t, s.y, left, right - left, t->look[role]);
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
    if (inside(s, y, x) && t->arms[y * t->columns + x]) cell_paint(t, y, x, 1, line_look(t, true));
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
        if (!t->colours) look.attributes |= THEME_BOLD;
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
    bt_str_clear(&t->scratch);
    bt_str_add(&t->scratch, "\033]52;c;");
    base64(&t->scratch, (const unsigned char *)text, n < MAX_COPY ? n : MAX_COPY);
    bt_str_add(&t->scratch, "\033\\");
    if (!t->scratch.failed) t->ops->send(t, t->scratch.data, t->scratch.len);
}
