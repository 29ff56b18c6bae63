/* What each code point means to the tokenizer: a byte of flags, and the mappings behind two of them.
 *
 * The tables follow utf8proc, corrected by hf_unicode.def to those of Hugging Face's tokenizers. */
#ifndef BERTTY_TOKENIZER_CHARMAP_H
#define BERTTY_TOKENIZER_CHARMAP_H

#include <bertty/tokenizer.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
    BT__SPACE = 1,       /* separates words */
    BT__REMOVE = 2,      /* vanishes */
    BT__PUNCT = 4,       /* a word of its own */
    BT__CJK = 8,         /* gets spaces around it */
    BT__MARK = 16,       /* dropped when accents are stripped */
    BT__DECOMPOSES = 32, /* its canonical decomposition is something else */
    BT__LOWERS = 64,     /* its lower-case form is something else */
    BT__COMBINES = 128   /* takes part in canonical reordering */
};

enum { BT__CODE_POINTS = 0x110000, BT__PAGE_BITS = 8, BT__PAGE = 1 << BT__PAGE_BITS };

/* A page is filled when a character of it is asked for first, by whichever thread does. */
struct bt__charmap {
    uint8_t flags[BT__CODE_POINTS];
    _Atomic bool known[BT__CODE_POINTS >> BT__PAGE_BITS];
    pthread_mutex_t filling;
    enum bt_compat compat;
    unsigned drop; /* flags that are switched off */
};

/* The caller frees with bt__charmap_free(); NULL without memory. */
struct bt__charmap *bt__charmap_new(enum bt_compat compat, unsigned drop);
void bt__charmap_free(struct bt__charmap *m);
void bt__charmap_fill(struct bt__charmap *m, size_t page);

/* What a code point means. */
static inline unsigned bt__char_flags(struct bt__charmap *m, int32_t cp)
{
    const size_t page = (size_t)cp >> BT__PAGE_BITS;
    if (!atomic_load_explicit(&m->known[page], memory_order_acquire)) bt__charmap_fill(m, page);
    return m->flags[cp];
}

/* Lower-case form: up to two code points into out; returns how many. */
size_t bt__char_lower(int32_t cp, enum bt_compat compat, int32_t out[2]);
/* Whether the capital sigma at [begin, end) of text's part [from, to) is the last letter of its word, as Python's str.lower() sees it: cased
 * letters before it, none behind it, case-ignorable characters passed over. */
bool bt__final_sigma(const char *text, size_t from, size_t to, size_t begin, size_t end);
/* Canonical combining class. */
int bt__char_class(int32_t cp);
/* Canonical decomposition into out; returns how many (≤ cap). */
size_t bt__char_nfd(int32_t cp, enum bt_compat compat, int32_t *out, size_t cap);

#endif
