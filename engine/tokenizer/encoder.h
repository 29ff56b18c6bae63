/* A text on its way to pieces: what encode.c (characters), ascii.c (plain words) and pieces.c (words to pieces) share. */
#ifndef BERTTY_TOKENIZER_ENCODER_H
#define BERTTY_TOKENIZER_ENCODER_H

#include "tokenizer/internal.h"

/* Normalised text, where it is wanted as a whole. */
struct bt__normal {
    char *text;
    uint32_t *begin, *end; /* of each byte: the input's bytes it came from */
    size_t n, cap;
};

struct bt__encoder {
    const struct bt_tokenizer *t;
    struct bt_encoding *e;
    struct bt__normal *normal; /* if not NULL the normalised text goes there, not into words */
    const char *input;         /* the text, of which [from, to) is being read */
    size_t from, to;
    bool places;              /* offsets are wanted */
    bool failed;              /* no memory */
    uint32_t word;            /* number of the current word */
    bool ordered;             /* what is read is in canonical order already */
    size_t barrier;           /* of a word: no reordering across this byte, a starter was dropped there */
    size_t run;               /* of normal: where the last run of combining characters begins … */
    bool mixed;               /* … which are not in canonical order yet */
    int last_class;           /* of its last one */
    size_t n, chars;          /* bytes in text; code points of the word, counted beyond the limit too */
    uint32_t first, last;     /* bytes of the input that the word covers */
    char text[BT__WORD_ROOM]; /* the word, normalised */
    uint32_t begin[BT__WORD_ROOM],
        end[BT__WORD_ROOM]; /* of each byte of text: the input's bytes it came from */
};

/* Room for n more pieces; false: no memory, which s remembers. */
bool bt__pieces_grow(struct bt__encoder *s, size_t n);
static inline bool bt__pieces_room(struct bt__encoder *s, size_t n)
{
    return s->e->cap - s->e->n >= n || bt__pieces_grow(s, n);
}

/* A piece of the current word. */
static inline void bt__emit(struct bt__encoder *s, int32_t id, uint32_t begin, uint32_t end)
{
    struct bt_encoding *e = s->e;
    if (!bt__pieces_room(s, 1)) return;
    e->ids[e->n] = id;
    if (s->places) {
        e->begin[e->n] = begin;
        e->end[e->n] = end;
        e->word[e->n] = s->word;
    }
    e->n++;
}

/* The pieces of a word of n bytes that is not too long, or false: a part of it is unknown. begin, end: of each byte, the input's; NULL: the input
 * has the word's bytes one by one from `first` on. */
bool bt__cut(struct bt__encoder *s, const char *word, size_t n, const uint32_t *begin, const uint32_t *end,
             uint32_t first);

/* Reads [i, to) as long as there are words and punctuation marks of ASCII that nothing else touches; returns where something else begins. No word is
 * open. */
size_t bt__ascii_words(struct bt__encoder *s, const char *text, size_t i, size_t to);

#endif
