/* A text as SQuAD's scripts compare it. They are in Python, and so what is a capital letter, a space or a word's character is what Python's
 * str.lower(), str.split() and re say. */
#include "metrics/answers.h"

#include "base/unicode.h"
#include <bertty/text.h>
#include <string.h>

static bool is_space(int32_t c)
{
    if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20);
    if (c < 0x1680) return c == 0x85 || c == 0xa0;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static bool is_punctuation(int32_t c)
{
    return (c > 0x20 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7f);
}

static bool is_word(int32_t c)
{
    const char *category = bt__unicode_category(c);
    return category[0] == 'L' || category[0] == 'N';
}

/* One character at *at, which is moved on; a byte that is no UTF-8 is a character of its own that is nothing in particular. */
static int32_t next(const char *text, size_t n, size_t *at)
{
    int32_t c;
    size_t bytes = bt_utf8_decode(text + *at, n - *at, &c);
    *at += bytes ? bytes : 1;
    return bytes ? c : 0xfffd;
}

static void add(struct bt_str *out, int32_t c)
{
    char bytes[4];
    bt_str_addn(out, bytes, bt_utf8_encode(c, bytes));
}

static void lower(const char *text, size_t n, struct bt_str *out)
{
    for (size_t at = 0; at < n;) {
        size_t begin = at;
        int32_t c = next(text, n, &at);
        if (is_punctuation(c)) continue;
        if (c == 0x3a3) {
            add(out, bt__sigma_is_final(text, n, begin, at) ? 0x3c2 : 0x3c3);
            continue;
        }
        add(out, c == 0x130 ? 'i' : bt__unicode_lower(c));
        if (c == 0x130) add(out, 0x307); /* the only letter that becomes two */
    }
}

static bool is_article(const char *word, size_t n)
{
    static const char *const article[] = {"a", "an", "the"};
    for (size_t i = 0; i < sizeof article / sizeof *article; i++)
        if (strlen(article[i]) == n && memcmp(article[i], word, n) == 0) return true;
    return false;
}

/* The end of the run of word characters, or of other ones, that begins at from. */
static size_t run_end(const char *text, size_t n, size_t from, bool word)
{
    for (size_t at = from; at < n;) {
        size_t begin = at;
        if (is_word(next(text, n, &at)) != word) return begin;
    }
    return n;
}

/* Adds a run with single spaces for what separates, none at the start. */
static void add_spaced(const char *text, size_t n, bool *space, struct bt_str *out, size_t start)
{
    for (size_t at = 0; at < n;) {
        size_t begin = at;
        if (is_space(next(text, n, &at))) {
            *space = true;
            continue;
        }
        if (*space && out->len > start) bt_str_addc(out, ' ');
        *space = false;
        bt_str_addn(out, text + begin, at - begin);
    }
}

void bt__answer_normalize(const char *text, size_t n, struct bt_str *out)
{
    struct bt_str low = {.len = 0};
    bool word = false, space = false;
    size_t start = out->len;
    lower(text, n, &low);
    for (size_t at = 0, end; at < low.len; at = end, word = !word) {
        end = run_end(low.data, low.len, at, word);
        if (word && is_article(low.data + at, end - at))
            space = true;
        else
            add_spaced(low.data + at, end - at, &space, out, start);
    }
    out->failed = out->failed || low.failed;
    bt_str_free(&low);
}
