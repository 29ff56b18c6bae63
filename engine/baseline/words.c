#include "baseline/words.h"

#include "base/unicode.h"
#include "metrics/answers.h"
#include <bertty/text.h>

enum { SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2, I_WITH_DOT = 0x130 };

static bool in_word(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    const char kind = bt__unicode_category(c)[0];
    return kind == 'L' || kind == 'N';
}

/* As str.lower(): one code point for one, but for İ, whose dot becomes a mark that no word holds. */
static int32_t lower(const char *text, size_t n, size_t begin, size_t end, int32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    if (c == SIGMA && bt__sigma_is_final(text, n, begin, end)) return FINAL_SIGMA;
    return bt__unicode_lower(c);
}

struct run {
    struct bt_str *word;
    size_t letters; /* code points */
    bt__word_fn *each;
    void *ctx;
};

static bool end_word(struct run *r)
{
    const bool more =
        r->letters < 2 || (!r->word->failed && r->each(r->ctx, bt_str_text(r->word), r->word->len));
    bt_str_clear(r->word);
    r->letters = 0;
    return more;
}

static void add(struct run *r, int32_t c)
{
    char bytes[4];
    if (c < 0x80)
        bt_str_addc(r->word, (char)c);
    else
        bt_str_addn(r->word, bytes, bt_utf8_encode(c, bytes));
    r->letters++;
}

bool bt__words(const char *text, size_t n, struct bt_str *scratch, bt__word_fn *each, void *ctx)
{
    struct run r = {.word = scratch, .each = each, .ctx = ctx};
    bool more = true;
    bt_str_clear(scratch);
    for (size_t at = 0, end; more && at < n; at = end) {
        int32_t c = ' ';
        const size_t size = bt_utf8_decode(text + at, n - at, &c);
        end = at + (size ? size : 1);
        const int32_t small = size ? lower(text, n, at, end, c) : ' ';
        const bool joins = in_word(small);
        if (joins) add(&r, small);
        if (!joins || c == I_WITH_DOT) more = end_word(&r);
    }
    return end_word(&r) && more;
}
