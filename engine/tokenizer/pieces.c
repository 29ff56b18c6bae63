/* Words to pieces, the longest first (Wu et al. 2016). */
#include "tokenizer/encoder.h"

#include <stdlib.h>

bool bt__pieces_grow(struct bt__encoder *s, size_t n)
{
    struct bt_encoding *e = s->e;
    size_t cap = e->cap ? e->cap * 2 : 256;
    if (cap < e->n + n) cap = e->n + n;
    int32_t *ids = realloc(e->ids, cap * sizeof *ids);
    if (ids) e->ids = ids;
    uint32_t *begin = realloc(e->begin, cap * sizeof *begin);
    if (begin) e->begin = begin;
    uint32_t *end = realloc(e->end, cap * sizeof *end);
    if (end) e->end = end;
    uint32_t *word = realloc(e->word, cap * sizeof *word);
    if (word) e->word = word;
    s->failed = !ids || !begin || !end || !word;
    if (!s->failed) e->cap = cap;
    return !s->failed;
}

bool bt__cut(struct bt__encoder *s, const char *word, size_t n, const uint32_t *begin, const uint32_t *end,
             uint32_t first)
{
    struct bt_encoding *e = s->e;
    if (!bt__pieces_room(s, n)) return true;
    const size_t from = e->n, found = bt__trie_cut(&s->t->trie, word, n, e->ids + from);
    e->n += found;
    for (size_t i = 0, at = 0, to; s->places && i < found; i++, at = to) {
        to = at + s->t->vocab.length[e->ids[from + i]] - (i ? 2 : 0);
        e->begin[from + i] = begin ? begin[at] : first + (uint32_t)at;
        e->end[from + i] = end ? end[to - 1] : first + (uint32_t)to;
        e->word[from + i] = s->word;
    }
    return found > 0;
}
