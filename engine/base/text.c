#include <bertty/text.h>

#include "base/unicode.h"
#include <string.h>
#include <utf8proc.h>

const char *bt__unicode_category(int32_t cp)
{
    return utf8proc_category_string(cp);
}

int bt__unicode_width(int32_t cp)
{
    return utf8proc_charwidth(cp);
}

size_t bt__unicode_nfd(int32_t cp, int32_t *out, size_t cap)
{
    int boundary = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(cp, out, (utf8proc_ssize_t)cap, UTF8PROC_DECOMPOSE, &boundary);
    if (n >= 1 && (size_t)n <= cap) return (size_t)n;
    out[0] = cp;
    return 1;
}

int32_t bt__unicode_lower(int32_t cp)
{
    return utf8proc_tolower(cp);
}

int32_t bt__unicode_upper(int32_t cp)
{
    return utf8proc_toupper(cp);
}

int bt__unicode_combining_class(int32_t cp)
{
    return utf8proc_get_property(cp)->combining_class;
}

size_t bt_utf8_decode(const char *p, size_t n, int32_t *code_point)
{
    if (n > 0 && (unsigned char)p[0] < 0x80) {
        *code_point = p[0];
        return 1;
    }
    utf8proc_int32_t cp;
    utf8proc_ssize_t got =
        utf8proc_iterate((const utf8proc_uint8_t *)p, n < 4 ? (utf8proc_ssize_t)n : 4, &cp);
    if (got <= 0) return 0;
    *code_point = cp;
    return (size_t)got;
}

size_t bt_utf8_encode(int32_t code_point, char out[4])
{
    return (size_t)utf8proc_encode_char(code_point, (utf8proc_uint8_t *)out);
}

size_t bt_utf8_valid(const char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n) {
        int32_t cp;
        uint64_t eight;
        for (; n - i >= sizeof eight; i += sizeof eight) { /* most text is ASCII */
            memcpy(&eight, bytes + i, sizeof eight);
            if (eight & 0x8080808080808080u) break;
        }
        if (i == n) break;
        size_t length = bt_utf8_decode(bytes + i, n - i, &cp);
        if (length == 0) break;
        i += length;
    }
    return i;
}

/* Bidi controls, zero-width and other characters that change how their neighbours look, or cannot be seen. */
static bool unsafe(int32_t cp)
{
    switch (utf8proc_category(cp)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    default:
        return (cp >= 0xfe00 && cp <= 0xfe0f) || (cp >= 0xe0100 && cp <= 0xe01ef) || cp == 0x115f ||
               cp == 0x1160 || cp == 0x3164 || cp == 0xffa0;
    }
}

/* One visible unit of the cleaned form: a character or an escape. */
struct unit {
    char text[12];
    size_t n;  /* bytes of text */
    int width; /* columns */
};

static void escape(struct unit *u, const char *fmt, unsigned value)
{
    static const char digits[] = "0123456789abcdef";
    unsigned places = fmt[0] == 'x' ? 2 : fmt[0] == 'u' ? 4 : 8;
    u->n = 0;
    u->text[u->n++] = '\\';
    u->text[u->n++] = fmt[0];
    while (places-- > 0) u->text[u->n++] = digits[value >> (4 * places) & 15];
    u->width = (int)u->n;
}

static void short_escape(struct unit *u, char c)
{
    *u = (struct unit){.text = {'\\', c}, .n = 2, .width = 2};
}

/* Reads the unit at p; returns the bytes it takes. */
static size_t next_unit(const char *p, size_t n, struct unit *u)
{
    unsigned char c = (unsigned char)p[0];
    if (c >= 0x20 && c < 0x7f) {
        *u = (struct unit){.text = {p[0]}, .n = 1, .width = 1};
        return 1;
    }
    int32_t cp;
    size_t length = bt_utf8_decode(p, n, &cp);
    if (length == 0) {
        escape(u, "x", c);
        return 1;
    }
    if (cp == '\n' || cp == '\t' || cp == '\r') {
        short_escape(u, cp == '\n' ? 'n' : cp == '\t' ? 't' : 'r');
    } else if (unsafe(cp)) {
        escape(u, cp < 0x100 ? "x" : cp < 0x10000 ? "u" : "U", (unsigned)cp);
    } else {
        *u = (struct unit){.n = bt_utf8_encode(cp, u->text), .width = utf8proc_charwidth(cp)};
        bt_utf8_encode(cp, u->text);
    }
    return length;
}

void bt_text_clean(struct bt_str *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct unit u;
        i += next_unit(bytes + i, n - i, &u);
        bt_str_addn(out, u.text, u.n);
    }
}

int bt_text_width(const char *bytes, size_t n)
{
    int width = 0;
    for (size_t i = 0; i < n && width < 1 << 30;) {
        struct unit u;
        i += next_unit(bytes + i, n - i, &u);
        width += u.width;
    }
    return width;
}

int bt_text_fit(struct bt_str *out, const char *bytes, size_t n, int columns)
{
    int width = 0, room = 0; /* room: the columns up to where … could still stand */
    size_t keep = out->len;
    for (size_t i = 0; i < n;) {
        struct unit u;
        i += next_unit(bytes + i, n - i, &u);
        if (width + u.width > columns) {
            if (columns <= 0 || out->failed) return 0;
            out->len = keep;
            if (out->data) out->data[keep] = '\0';
            bt_str_add(out, "\xe2\x80\xa6");
            return room + 1;
        }
        width += u.width;
        bt_str_addn(out, u.text, u.n);
        if (width < columns) {
            keep = out->len;
            room = width;
        }
    }
    return width;
}

int bt_text_slice(struct bt_str *out, const char *bytes, size_t n, int skip, int columns)
{
    int at = 0, used = 0;
    for (size_t i = 0; i < n && used < columns;) {
        struct unit u;
        i += next_unit(bytes + i, n - i, &u);
        int begin = at - skip, end = begin + u.width;
        at += u.width;
        if (begin >= 0 && end <= columns) {
            if (u.width == 0 && begin == 0 && used == 0)
                continue; /* belongs to a character that is cut off */
            bt_str_addn(out, u.text, u.n);
            used = end;
        } else if (end > 0 && begin < columns) {
            bool ascii = u.n == (size_t)u.width; /* an escape may be cut, a wide character may not */
            for (int c = begin < 0 ? 0 : begin; c < end && c < columns; c++, used++)
                bt_str_addc(out, ascii ? u.text[c - begin] : ' ');
        }
    }
    return used;
}

size_t bt_utf8_count(const char *bytes, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return count;
}
