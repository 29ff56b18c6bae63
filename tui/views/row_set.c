#include "tui/views/row_set.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 64, BLOCK = 64 /* words */ };

static bool grow(struct row_set *s, size_t row)
{
    size_t words = s->words ? s->words : BLOCK;
    while (words <= row / BITS) words *= 2;
    if (words == s->words) return true;
    uint64_t *word = realloc(s->word, words * sizeof *word);
    if (word) s->word = word;
    size_t *before = word ? realloc(s->before, words / BLOCK * sizeof *before) : NULL;
    if (!before) return false;
    s->before = before;
    memset(word + s->words, 0, (words - s->words) * sizeof *word);
    for (size_t i = s->words / BLOCK; i < words / BLOCK; i++) before[i] = s->n;
    s->words = words;
    return true;
}

bool row_set_add(struct row_set *s, size_t row)
{
    if (!grow(s, row)) return false;
    size_t block = s->n ? s->last / BITS / BLOCK : 0;
    while (block < row / BITS / BLOCK) s->before[++block] = s->n;
    s->word[row / BITS] |= (uint64_t)1 << row % BITS;
    s->last = row;
    s->n++;
    return true;
}

static size_t count(uint64_t bits)
{
    return (size_t)__builtin_popcountll(bits);
}

size_t row_set_at(const struct row_set *s, size_t i)
{
    if (i >= s->n) return SIZE_MAX;
    size_t low = 0, high = s->last / BITS / BLOCK + 1;
    while (high - low > 1) { /* the last block with at most i rows before it */
        size_t middle = (low + high) / 2;
        if (s->before[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    size_t left = i - s->before[low], at = low * BLOCK;
    for (; count(s->word[at]) <= left; at++) left -= count(s->word[at]);
    uint64_t bits = s->word[at];
    for (; left; left--) bits &= bits - 1;
    return at * BITS + (size_t)__builtin_ctzll(bits);
}

bool row_set_find(const struct row_set *s, size_t row, size_t *i)
{
    *i = s->n;
    if (s->n == 0 || row > s->last) return false;
    size_t at = row / BITS, block = at / BLOCK;
    *i = s->before[block];
    for (size_t k = block * BLOCK; k < at; k++) *i += count(s->word[k]);
    uint64_t bit = (uint64_t)1 << row % BITS;
    *i += count(s->word[at] & (bit - 1));
    return s->word[at] & bit;
}

bool row_set_copy(const struct row_set *s, struct row_set *to)
{
    *to = (struct row_set){.words = s->words, .n = s->n, .last = s->last};
    to->word = malloc(s->words * sizeof *to->word + 1);
    to->before = malloc(s->words / BLOCK * sizeof *to->before + 1);
    if (!to->word || !to->before) {
        row_set_free(to);
        return false;
    }
    if (s->words) memcpy(to->word, s->word, s->words * sizeof *to->word);
    if (s->words) memcpy(to->before, s->before, s->words / BLOCK * sizeof *to->before);
    return true;
}

void row_set_free(struct row_set *s)
{
    free(s->word);
    free(s->before);
    *s = (struct row_set){.n = 0};
}
