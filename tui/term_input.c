/* Key sequences, SGR and X10 mouse reports, bracketed paste. */
#include "tui/term_input.h"
#include <bertty/str.h>
#include <bertty/text.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ESC = 0x1b, MAX_SEQUENCE = 32, MAX_EXTRA = 48, MAX_STRING = 4096, MAX_PASTE = 1 << 20 };

struct extra {
    char bytes[12];
    size_t n;
    int32_t key;
};

struct input {
    struct bt_str buffer, paste;
    size_t at; /* bytes of the buffer that are done with */
    bool pasting, expects;
    struct extra extra[MAX_EXTRA];
    size_t n_extra;
};

/* How many bytes a reading took: 0: more are needed. */
typedef size_t taken;

struct input *input_new(void)
{
    return calloc(1, sizeof(struct input));
}

void input_free(struct input *in)
{
    if (!in) return;
    bt_str_free(&in->buffer);
    bt_str_free(&in->paste);
    free(in);
}

void input_add(struct input *in, const char *sequence, int32_t key)
{
    size_t n = strlen(sequence);
    if (in->n_extra == MAX_EXTRA || n < 2 || n > sizeof in->extra->bytes || sequence[0] != ESC) return;
    struct extra *x = &in->extra[in->n_extra++];
    memcpy(x->bytes, sequence, n);
    x->n = n;
    x->key = key;
}

bool input_feed(struct input *in, const char *bytes, size_t n)
{
    if (in->at) {
        in->buffer.len -= in->at;
        if (in->buffer.len) memmove(in->buffer.data, in->buffer.data + in->at, in->buffer.len);
        in->at = 0;
    }
    in->buffer.failed = false;
    bt_str_addn(&in->buffer, bytes, n);
    return !in->buffer.failed;
}

void input_expect_answer(struct input *in, bool expected)
{
    in->expects = expected;
}

bool input_unfinished(const struct input *in)
{
    return in->at < in->buffer.len && !in->pasting;
}

static void key_event(struct event *e, int32_t key, bool alt)
{
    *e = (struct event){.kind = EVENT_KEY, .key = key, .alt = alt};
}

/* ── control sequences ── */

/* Final bytes of ESC [ … and ESC O … */
static int32_t letter_key(char c)
{
    static const struct {
        char c;
        int32_t key;
    } letters[] = {{.c = 'A', .key = KEY_CODE_UP},      {.c = 'B', .key = KEY_CODE_DOWN},
                   {.c = 'C', .key = KEY_CODE_RIGHT},   {.c = 'D', .key = KEY_CODE_LEFT},
                   {.c = 'H', .key = KEY_CODE_HOME},    {.c = 'F', .key = KEY_CODE_END},
                   {.c = 'Z', .key = KEY_CODE_BACKTAB}, {.c = 'P', .key = KEY_CODE_F1},
                   {.c = 'Q', .key = KEY_CODE_F1 + 1},  {.c = 'R', .key = KEY_CODE_F1 + 2},
                   {.c = 'S', .key = KEY_CODE_F1 + 3},  {.c = 'M', .key = KEY_CODE_ENTER}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].c == c) return letters[i].key;
    return 0;
}

/* Numbers of ESC [ n ~ */
static int32_t tilde_key(int n)
{
    static const int32_t keys[] = {
        [1] = KEY_CODE_HOME,    [2] = KEY_CODE_INSERT,    [3] = KEY_CODE_DELETE,   [4] = KEY_CODE_END,
        [5] = KEY_CODE_PAGE_UP, [6] = KEY_CODE_PAGE_DOWN, [7] = KEY_CODE_HOME,     [8] = KEY_CODE_END,
        [11] = KEY_CODE_F1,     [12] = KEY_CODE_F1 + 1,   [13] = KEY_CODE_F1 + 2,  [14] = KEY_CODE_F1 + 3,
        [15] = KEY_CODE_F1 + 4, [17] = KEY_CODE_F1 + 5,   [18] = KEY_CODE_F1 + 6,  [19] = KEY_CODE_F1 + 7,
        [20] = KEY_CODE_F1 + 8, [21] = KEY_CODE_F1 + 9,   [23] = KEY_CODE_F1 + 10, [24] = KEY_CODE_F12};
    return n >= 0 && (size_t)n < sizeof keys / sizeof *keys ? keys[n] : 0;
}

static int numbers(const char *p, size_t n, int value[4])
{
    int count = 0;
    for (size_t i = 0; i < n && count < 4; i++) {
        if (p[i] >= '0' && p[i] <= '9') {
            if (value[count] < 100000) value[count] = value[count] * 10 + (p[i] - '0');
        } else if (p[i] == ';') {
            count++;
        }
    }
    return count < 4 ? count + 1 : 4;
}

/* Modifiers are counted from 1: shift 1, alt 2, ctrl 4. Ctrl with an arrow is the same as Alt with it. */
static bool alt_modifier(int modifier)
{
    return modifier > 1 && ((modifier - 1) & (2 | 4));
}

static void mouse_event(struct event *e, int code, int x, int y, bool release)
{
    static const enum mouse_button buttons[] = {MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_NONE};
    *e = (struct event){.kind = EVENT_MOUSE, .y = y - 1, .x = x - 1, .release = release, .drag = code & 32};
    if (code & 64)
        e->button = code & 1 ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
    else
        e->button = buttons[code & 3];
    if (e->y < 0 || e->x < 0 || (code & 64 && code & 2)) e->kind = EVENT_NONE;
}

static void finish_csi(struct input *in, const char *params, size_t n, char final, struct event *e)
{
    int value[4] = {0};
    int count = numbers(params, n, value);
    if (n && params[0] == '<') {
        if ((final == 'M' || final == 'm') && count >= 3)
            mouse_event(e, value[0], value[1], value[2], final == 'm');
        return;
    }
    if (n && params[0] == '?' && (final == 'c' || (final == 'y' && params[n - 1] == '$'))) {
        *e = (struct event){.kind = EVENT_ANSWER, .key = ANSWER_LAST};
        if (final == 'y') *e = (struct event){.kind = EVENT_ANSWER, .key = value[0], .y = value[1]};
        return;
    }
    if (final == 'n' && n == 1 && params[0] == '0') {
        *e = (struct event){.kind = EVENT_ANSWER, .key = ANSWER_WELL};
        return;
    }
    if (final == '~' && value[0] == 200) {
        in->pasting = true;
        bt_str_clear(&in->paste);
        return;
    }
    int32_t key = final == '~' ? tilde_key(value[0]) : letter_key(final);
    if (key) key_event(e, key, alt_modifier(count > 1 ? value[1] : 0));
}

static taken read_csi(struct input *in, const char *p, size_t n, struct event *e)
{
    size_t i = 2;
    if (n > 2 && p[2] == '[') { /* F1 … F5 of the Linux console */
        if (n < 4) return 0;
        if (p[3] >= 'A' && p[3] <= 'E') key_event(e, KEY_CODE_F1 + (p[3] - 'A'), false);
        return 4;
    }
    if (n > 2 && p[2] == 'M') { /* X10 mouse: three bytes, 32 added */
        if (n < 6) return 0;
        int code = (unsigned char)p[3] - 32;
        bool release = (code & 3) == 3 && !(code & 64);
        mouse_event(e, code, (unsigned char)p[4] - 32, (unsigned char)p[5] - 32, release);
        return 6;
    }
    while (i < n && i < MAX_SEQUENCE && p[i] >= 0x20 && p[i] < 0x40) i++;
    if (i == n) return i < MAX_SEQUENCE ? 0 : i;
    if (i < MAX_SEQUENCE && p[i] >= 0x40 && p[i] < 0x7f) finish_csi(in, p + 2, i - 2, p[i], e);
    return i + 1;
}

static taken read_ss3(const char *p, size_t n, struct event *e)
{
    if (n < 3) return 0;
    int32_t key = letter_key(p[2]);
    if (!key && p[2] >= 'j' && p[2] <= 'y') key = "*+,-./0123456789"[p[2] - 'j']; /* keypad */
    if (key) key_event(e, key, false);
    return 3;
}

static const char background[] = "\033]11;rgb";
enum { N_BACKGROUND = sizeof background - 1, N_BACKGROUND_MARK = 5 /* as far as the 11; */ };

/* One to four hexadecimal digits as a share of the most they can say, in thousandths; −1: there are none. */
static int component(const char **p)
{
    int value = 0, most = 0;
    for (; isxdigit((unsigned char)**p) && most < 0xffff; ++*p) {
        int c = tolower((unsigned char)**p);
        value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
        most = most * 16 + 15;
    }
    return most ? value * 1000 / most : -1;
}

/* "rgb:1e1e/1e1e/2e2e", "rgba:…/ffff": the background's colour. Light is what black can be read on better than white. */
static void read_background(const char *p, struct event *e)
{
    static const int weight[] = {299, 587, 114}; /* of red, green, blue: ITU-R BT.601 */
    int luma = 0;
    p += N_BACKGROUND;
    if (*p == 'a') p++;
    for (int i = 0; i < 3; i++) {
        if (*p++ != (i ? '/' : ':')) return;
        int c = component(&p);
        if (c < 0) return;
        luma += c * weight[i];
    }
    *e = (struct event){.kind = EVENT_BACKGROUND, .light = luma > 500 * 1000};
}

/* Other answers of the terminal (OSC, DCS, APC, PM) mean nothing to us. The bytes end with a BEL or an ESC, so that reading stops there. */
static taken read_string(const char *p, size_t n, struct event *e)
{
    for (size_t i = 2; i < n && i < MAX_STRING; i++) {
        if (p[i] != 7 && p[i] != ESC) continue;
        if (p[i] == ESC && i + 1 == n) return 0;
        if (i >= N_BACKGROUND && memcmp(p, background, N_BACKGROUND) == 0) read_background(p, e);
        return p[i] == 7 ? i + 1 : i + 2;
    }
    return n < MAX_STRING ? 0 : n;
}

static taken read_extra(const struct input *in, const char *p, size_t n, struct event *e)
{
    for (size_t i = 0; i < in->n_extra; i++) {
        const struct extra *x = &in->extra[i];
        if (x->n > n || memcmp(x->bytes, p, x->n) != 0) continue;
        key_event(e, x->key, false);
        return x->n;
    }
    return 0;
}

/* ── plain characters ── */

static int32_t control_key(unsigned char c)
{
    switch (c) {
    case '\r':
    case '\n':
        return KEY_CODE_ENTER;
    case '\t':
        return KEY_CODE_TAB;
    case 8:
    case 0x7f:
        return KEY_CODE_BACKSPACE;
    case ESC:
        return KEY_CODE_ESCAPE;
    default:
        return c;
    }
}

static size_t utf8_length(unsigned char c)
{
    return c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}

static taken read_char(const char *p, size_t n, bool alt, bool idle, struct event *e)
{
    unsigned char c = (unsigned char)p[0];
    int32_t cp;
    if (c < 0x20 || c == 0x7f) {
        if (c) key_event(e, control_key(c), alt);
        return 1;
    }
    size_t length = bt_utf8_decode(p, n, &cp);
    if (length) {
        key_event(e, cp, alt);
        return length;
    }
    return n < utf8_length(c) && !idle ? 0 : 1;
}

static taken read_escape(struct input *in, const char *p, size_t n, bool idle, struct event *e)
{
    taken t = read_extra(in, p, n, e);
    if (t) return t;
    if (n > 1) {
        switch (p[1]) {
        case '[':
            t = read_csi(in, p, n, e);
            break;
        case 'O':
            t = read_ss3(p, n, e);
            break;
        case ']':
        case 'P':
        case '_':
        case '^':
            t = read_string(p, n, e);
            if (!t && in->expects && n >= N_BACKGROUND_MARK && memcmp(p, background, N_BACKGROUND_MARK) == 0)
                return 0;
            break;
        case ESC: /* Esc, then something else */
            key_event(e, KEY_CODE_ESCAPE, false);
            return 1;
        default:
            t = read_char(p + 1, n - 1, true, idle, e);
            if (t) t++;
        }
        if (t || !idle) return t;
        if (n == 2) t = read_char(p + 1, 1, true, true, e);
        return t ? t + 1 : n;
    }
    if (!idle) return 0;
    key_event(e, KEY_CODE_ESCAPE, false);
    return 1;
}

/* ── paste ── */

static void add_pasted(struct input *in, const char *p, size_t n)
{
    for (size_t i = 0; i < n && in->paste.len < MAX_PASTE; i++)
        bt_str_addc(&in->paste, p[i] == '\r' ? '\n' : p[i]);
}

static bool read_paste(struct input *in, struct event *e)
{
    static const char end[] = "\033[201~";
    enum { N_END = sizeof end - 1 };
    const char *p = in->buffer.data + in->at;
    size_t n = in->buffer.len - in->at;
    const char *found = n ? memmem(p, n, end, N_END) : NULL;
    size_t keep = n < N_END - 1 ? n : N_END - 1; /* a beginning of the end may stand there */
    size_t part = found ? (size_t)(found - p) : n - keep;
    add_pasted(in, p, part);
    in->at += part;
    if (!found) return false;
    in->at += N_END;
    in->pasting = false;
    *e = (struct event){.kind = EVENT_PASTE, .text = bt_str_text(&in->paste), .text_n = in->paste.len};
    return true;
}

bool input_next(struct input *in, bool idle, struct event *e)
{
    while (in->at < in->buffer.len) {
        if (in->pasting) {
            if (read_paste(in, e)) return true;
            if (in->pasting) return false;
            continue;
        }
        const char *p = in->buffer.data + in->at;
        size_t n = in->buffer.len - in->at;
        *e = (struct event){.kind = EVENT_NONE};
        taken t = p[0] == ESC ? read_escape(in, p, n, idle, e) : read_char(p, n, false, idle, e);
        if (!t) return false;
        in->at += t;
        if (e->kind != EVENT_NONE) return true;
    }
    return false;
}
