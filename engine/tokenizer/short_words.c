#include "tokenizer/short_words.h"

#include <stdlib.h>

/* The bytes as numbers, or false: not a short word. */
static bool pack(const char *piece, size_t n, uint64_t *low, uint32_t *high)
{
    if (n == 0 || n > BT__SHORT) return false;
    *low = *high = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)piece[i], lower = c | 32;
        if (!(c >= '0' && c <= '9') && !(c < 0x80 && lower >= 'a' && lower <= 'z')) return false;
        if (i < 8)
            *low |= (uint64_t)c << 8 * i;
        else
            *high |= (uint32_t)c << 8 * (i - 8);
    }
    return true;
}

static void put(struct bt__short_words *w, uint64_t low, uint32_t high, int32_t id)
{
    const size_t mask = ((size_t)1 << w->bits) - 1;
    size_t s = bt__short_slot(w, low, high);
    while (w->slot[s].low && !(w->slot[s].low == low && w->slot[s].high == high)) s = (s + 1) & mask;
    w->slot[s] = (struct bt__short_word){.low = low, .high = high, .id = id}; /* the later of equals wins */
}

enum bt_status bt__short_words_build(struct bt__short_words *w, const struct bt__vocab *v, const char *name,
                                     struct bt_error *err)
{
    uint64_t low;
    uint32_t high;
    size_t words = 0;
    for (int32_t id = 0; id < v->n; id++)
        words += v->piece[id] && pack(v->piece[id], v->length[id], &low, &high);
    *w = (struct bt__short_words){.bits = 6};
    while ((size_t)1 << w->bits < 2 * words) w->bits++;
    w->slot = calloc((size_t)1 << w->bits, sizeof *w->slot);
    if (!w->slot) return bt_fail(err, BT_NOMEM, "%s: no memory for %zu words", name, words);
    for (int32_t id = 0; id < v->n; id++)
        if (v->piece[id] && pack(v->piece[id], v->length[id], &low, &high)) put(w, low, high, id);
    return BT_OK;
}

void bt__short_words_free(struct bt__short_words *w)
{
    free(w->slot);
    *w = (struct bt__short_words){.bits = 0};
}
