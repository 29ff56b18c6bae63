/* Added tokens in a text, and what regular expressions call \w and \s around them. */
#include "tokenizer/internal.h"

#include "base/unicode.h"
#include <bertty/text.h>
#include <string.h>

static bool is_space(int32_t cp)
{
    return (cp >= 9 && cp <= 13) || cp == 0x85 || (cp >= 32 && bt__unicode_category(cp)[0] == 'Z');
}

/* \w: alphabetic, marks, decimal digits, connector punctuation, join controls. */
static bool is_word(int32_t cp)
{
    const char *c = bt__unicode_category(cp);
    if (c[0] == 'L' || c[0] == 'M') return true;
    if (c[0] == 'N') return c[1] != 'o';
    if (c[0] == 'P') return c[1] == 'c';
    return cp == 0x200c || cp == 0x200d || (cp >= 0x24b6 && cp <= 0x24e9) ||
           (cp >= 0x1f130 && cp <= 0x1f149) || (cp >= 0x1f150 && cp <= 0x1f169) ||
           (cp >= 0x1f170 && cp <= 0x1f189);
}

/* The code point that ends before at (> from), and its first byte. */
static size_t step_back(const char *text, size_t from, size_t at, int32_t *cp)
{
    size_t back = at - 1;
    while (back > from && at - back < 4 && ((unsigned char)text[back] & 0xc0) == 0x80) back--;
    if (bt_utf8_decode(text + back, at - back, cp) == at - back) return back;
    *cp = 0xfffd;
    return at - 1;
}

size_t bt__space_before(const char *text, size_t from, size_t at)
{
    while (at > from) {
        int32_t cp;
        size_t back = step_back(text, from, at, &cp);
        if (!is_space(cp)) break;
        at = back;
    }
    return at;
}

size_t bt__space_after(const char *text, size_t n, size_t at)
{
    while (at < n) {
        int32_t cp;
        size_t length = bt_utf8_decode(text + at, n - at, &cp);
        if (length == 0 || !is_space(cp)) break;
        at += length;
    }
    return at;
}

static bool touches_word(const char *text, size_t n, size_t begin, size_t end)
{
    int32_t cp;
    if (begin > 0) {
        step_back(text, 0, begin, &cp);
        if (is_word(cp)) return true;
    }
    return end < n && bt_utf8_decode(text + end, n - end, &cp) && is_word(cp);
}

const struct bt__added *bt__added_at(const struct bt_tokenizer *t, bool normalized, const char *text,
                                     size_t n, size_t at, bool *glued)
{
    const struct bt__added *found = NULL;
    if (!t->first[normalized][(unsigned char)text[at]]) return NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        const struct bt__added *a = &t->added[i];
        if (a->normalized != normalized || a->n == 0 || a->n > n - at || (found && a->n <= found->n))
            continue;
        if (memcmp(text + at, a->match, a->n) == 0) found = a;
    }
    *glued = found && found->single_word && touches_word(text, n, at, at + found->n);
    return found;
}
