/* Pieces that are a whole word of at most BT__SHORT letters and digits of ASCII, found by the word's bytes as two numbers: most words of English.
 *
 * Owned by whoever holds the struct; bt__short_words_free(). Immutable once built. */
#ifndef BERTTY_TOKENIZER_SHORT_WORDS_H
#define BERTTY_TOKENIZER_SHORT_WORDS_H

#include "tokenizer/vocab.h"

enum { BT__SHORT = 12 };

struct bt__short_word {
    uint64_t low;  /* the first eight bytes, the first of all in the lowest place; 0: empty */
    uint32_t high; /* the other four */
    int32_t id;
};

struct bt__short_words {
    struct bt__short_word *slot; /* [1 << bits] open addressing */
    int bits;
};

enum bt_status bt__short_words_build(struct bt__short_words *w, const struct bt__vocab *v, const char *name,
                                     struct bt_error *err);
void bt__short_words_free(struct bt__short_words *w);

static inline size_t bt__short_slot(const struct bt__short_words *w, uint64_t low, uint32_t high)
{
    const uint64_t h = (low ^ (uint64_t)high * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> (64 - w->bits));
}

/* −1: no piece. */
static inline int32_t bt__short_words_find(const struct bt__short_words *w, uint64_t low, uint32_t high)
{
    const size_t mask = ((size_t)1 << w->bits) - 1;
    for (size_t s = bt__short_slot(w, low, high);; s = (s + 1) & mask) {
        const struct bt__short_word *x = &w->slot[s];
        if (x->low == low && x->high == high) return x->id;
        if (x->low == 0) return -1;
    }
}

#endif
