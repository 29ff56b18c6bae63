/* Words and punctuation marks of ASCII, sixteen bytes at a time: letters and digits are found, lower-cased and looked up as numbers. */
#include "tokenizer/encoder.h"

#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Eight bytes, the first of them in the lowest place; zeros for those from `to` on. */
static inline uint64_t load(const char *text, size_t i, size_t to)
{
    uint64_t x = 0;
    if (to - i >= 8)
        memcpy(&x, text + i, 8);
    else if (to < 8)
        memcpy(&x, text + i, to - i);
    else
        memcpy(&x, text + to - 8, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return to - i >= 8 || to < 8 ? x : i == to ? 0 : x >> 8 * (8 - (to - i));
}

/* How many letters and digits the eight bytes begin with; *x: these alone, their capitals made small if fold is EACH(32), not 0. */
static inline unsigned word_of(uint64_t *x, uint64_t fold)
{
    const uint64_t low = *x & EACH(0x7f), small = low | EACH(0x20);
    const uint64_t letter = (small + EACH(0x80 - 'a')) & ~(small + EACH(0x80 - 'z' - 1));
    const uint64_t digit = (low + EACH(0x80 - '0')) & ~(low + EACH(0x80 - '9' - 1));
    const uint64_t other = ~((letter | digit) & ~*x) & EACH(0x80);
    *x |= (letter & EACH(0x80)) >> 2 & fold;
    if (other == 0) return 8;
    const unsigned n = (unsigned)__builtin_ctzll(other) / 8;
    *x &= (UINT64_C(1) << 8 * n) - 1;
    return n;
}

/* A word that is no piece: cut, or unknown. */
static void parts(struct bt__encoder *s, uint64_t low, uint64_t high, uint32_t i, uint32_t n)
{
    char word[16];
    for (unsigned k = 0; k < 8; k++) {
        word[k] = (char)(low >> 8 * k & 0xff);
        word[k + 8] = (char)(high >> 8 * k & 0xff);
    }
    if (!bt__cut(s, word, n, NULL, NULL, i)) bt__emit(s, s->t->special[BT_UNK], i, i + n);
}

/* The word at i: its bytes; 0: none that can be done here. */
static inline size_t word_at(struct bt__encoder *s, const char *text, size_t i, size_t to, uint64_t fold)
{
    const struct bt_tokenizer *t = s->t;
    uint64_t low = load(text, i, to), high = 0;
    size_t n = word_of(&low, fold);
    if (n == 8) {
        high = load(text, i + 8, to);
        n += word_of(&high, fold);
        if (n > BT__SHORT) return 0;
    }
    if (n == 0 || (i + n < to && t->ascii[(unsigned char)text[i + n]] == BT__NOT_PLAIN)) return 0;
    const int32_t id = bt__short_words_find(&t->words, low, (uint32_t)high);
    if (id >= 0)
        bt__emit(s, id, (uint32_t)i, (uint32_t)(i + n));
    else
        parts(s, low, high, (uint32_t)i, (uint32_t)n);
    s->word++;
    return n;
}

size_t bt__ascii_words(struct bt__encoder *s, const char *text, size_t i, size_t to)
{
    const struct bt_tokenizer *t = s->t;
    const uint64_t fold = t->lower ? EACH(0x20) : 0;
    size_t n;
    while (i < to && !s->failed) {
        const unsigned char c = (unsigned char)text[i];
        switch (t->ascii[c]) {
        case BT__BLANK:
            i++;
            break;
        case BT__MARK_ALONE:
            bt__emit(s, t->alone[c], (uint32_t)i, (uint32_t)i + 1);
            s->word++;
            i++;
            break;
        case BT__LETTER:
            if (!(n = word_at(s, text, i, to, fold))) return i;
            i += n;
            break;
        default:
            return i;
        }
    }
    return i;
}
