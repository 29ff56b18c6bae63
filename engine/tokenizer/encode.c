/* Text → words → pieces, in one pass over the text: each code point is cleaned, decomposed, lower-cased and appended to the
 * current word; a word that ends is cut greedily into the longest pieces (Wu et al. 2016). */
#include "tokenizer/internal.h"

#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4 * BT__MAX_CHARS };

struct encoder {
    const struct bt_tokenizer *t;
    struct bt_encoding *e;
    bool places;          /* offsets are wanted */
    bool failed;          /* no memory */
    uint32_t word;        /* number of the current word */
    size_t n, chars;      /* bytes in text; code points of the word, counted beyond the limit too */
    uint32_t first, last; /* bytes of the input that the word covers */
    char text[ROOM];      /* the word, normalised */
    uint32_t begin[ROOM], end[ROOM]; /* of each byte of text: the input's bytes it came from */
};

static bool grow(struct bt_encoding *e)
{
    size_t cap = e->cap ? e->cap * 2 : 256;
    int32_t *ids = realloc(e->ids, cap * sizeof *ids);
    if (ids) e->ids = ids;
    uint32_t *begin = realloc(e->begin, cap * sizeof *begin);
    if (begin) e->begin = begin;
    uint32_t *end = realloc(e->end, cap * sizeof *end);
    if (end) e->end = end;
    uint32_t *word = realloc(e->word, cap * sizeof *word);
    if (word) e->word = word;
    if (!ids || !begin || !end || !word) return false;
    e->cap = cap;
    return true;
}

static void emit(struct encoder *s, int32_t id, uint32_t begin, uint32_t end)
{
    struct bt_encoding *e = s->e;
    if (e->n == e->cap && !grow(e)) {
        s->failed = true;
        return;
    }
    e->ids[e->n] = id;
    if (s->places) {
        e->begin[e->n] = begin;
        e->end[e->n] = end;
        e->word[e->n] = s->word;
    }
    e->n++;
}

/* The longest piece that starts at byte from: its id, and its end in *to. */
static int32_t longest(const struct encoder *s, size_t from, size_t *to)
{
    const struct bt__vocab *v = &s->t->vocab;
    uint64_t hash[ROOM + 1], h = BT__HASH_START;
    size_t most = s->n - from;
    if (most > v->longest) most = v->longest;
    if (from > 0) h = bt__hash_byte(bt__hash_byte(h, '#'), '#');
    for (size_t i = 0; i < most; i++) hash[i] = h = bt__hash_byte(h, (unsigned char)s->text[from + i]);
    for (size_t n = most; n > 0; n--) {
        if (from + n < s->n && ((unsigned char)s->text[from + n] & 0xc0) == 0x80)
            continue; /* inside a character */
        int32_t id = bt__vocab_find(v, hash[n - 1], s->text + from, n, from > 0);
        if (id < 0) continue;
        *to = from + n;
        return id;
    }
    return -1;
}

/* Ends the current word, if there is one. */
static void finish_word(struct encoder *s)
{
    if (s->chars == 0) return;
    size_t before = s->e->n, at = 0;
    bool known = s->chars <= s->t->max_chars;
    while (known && at < s->n) {
        size_t to = at;
        int32_t id = longest(s, at, &to);
        known = id >= 0;
        if (known) emit(s, id, s->begin[at], s->end[to - 1]);
        at = to;
    }
    if (!known) {
        s->e->n = before;
        emit(s, s->t->special[BT_UNK], s->first, s->last);
    }
    s->word++;
    s->n = s->chars = 0;
}

static void extend(struct encoder *s, uint32_t begin, uint32_t end)
{
    if (s->chars == 0) s->first = begin;
    if (s->chars == 0 || end > s->last) s->last = end;
    s->chars++;
}

/* Canonical order: a combining character goes before those with a higher class. Returns the byte where it belongs. */
static size_t place_of(const struct encoder *s, int32_t cp)
{
    size_t at = s->n;
    int class = bt__char_class(cp);
    while (at > 0) {
        size_t back = at - 1;
        int32_t before;
        while (back > 0 && ((unsigned char)s->text[back] & 0xc0) == 0x80) back--;
        if (!bt_utf8_decode(s->text + back, at - back, &before) || bt__char_class(before) <= class) break;
        at = back;
    }
    return at;
}

static void insert(struct encoder *s, size_t at, const char *bytes, size_t n, uint32_t begin, uint32_t end)
{
    size_t tail = s->n - at;
    memmove(s->text + at + n, s->text + at, tail);
    memmove(s->begin + at + n, s->begin + at, tail * sizeof *s->begin);
    memmove(s->end + at + n, s->end + at, tail * sizeof *s->end);
    for (size_t i = 0; i < n; i++) {
        s->text[at + i] = bytes[i];
        s->begin[at + i] = begin;
        s->end[at + i] = end;
    }
    s->n += n;
}

/* One code point of the normalised text. */
static void append(struct encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    unsigned f = s->t->map[cp];
    char bytes[4];
    if (f & BT__SPACE) {
        finish_word(s);
        return;
    }
    if (f & BT__PUNCT) finish_word(s);
    size_t n = bt_utf8_encode(cp, bytes);
    if (s->chars < s->t->max_chars && s->n + n <= ROOM)
        insert(s, f & BT__COMBINES && s->t->strip ? place_of(s, cp) : s->n, bytes, n, begin, end);
    extend(s, begin, end);
    if (f & BT__PUNCT) finish_word(s);
}

static void lower_and_append(struct encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    int32_t out[2] = {cp};
    size_t n = s->t->lower && s->t->map[cp] & BT__LOWERS ? bt__char_lower(cp, s->t->compat, out) : 1;
    for (size_t i = 0; i < n; i++) append(s, out[i], begin, end);
}

/* A code point outside of ASCII, through the whole normalisation. */
static void character(struct encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    const struct bt_tokenizer *t = s->t;
    unsigned f = t->map[cp];
    int32_t parts[32];
    if (f & BT__REMOVE && t->clean) return;
    bool alone = f & BT__CJK && t->cjk;
    if (alone) finish_word(s);
    size_t n = t->strip && f & BT__DECOMPOSES ? bt__char_nfd(cp, t->compat, parts, 32) : 1;
    if (n == 1 && !(f & BT__DECOMPOSES && t->strip)) parts[0] = cp;
    for (size_t i = 0; i < n; i++)
        if (!(t->strip && t->map[parts[i]] & BT__MARK)) lower_and_append(s, parts[i], begin, end);
    if (alone) finish_word(s);
}

static void ascii(struct encoder *s, unsigned char c, uint32_t at)
{
    unsigned f = s->t->map[c];
    if (f & BT__REMOVE && s->t->clean) return;
    if (f & BT__SPACE) {
        finish_word(s);
        return;
    }
    if (f & BT__PUNCT) finish_word(s);
    if (s->chars < s->t->max_chars) {
        s->text[s->n] = (char)(f & BT__LOWERS && s->t->lower ? c + 32 : c);
        s->begin[s->n] = at;
        s->end[s->n++] = at + 1;
    }
    extend(s, at, at + 1);
    if (f & BT__PUNCT) finish_word(s);
}

/* Text without added tokens in it. */
static void plain(struct encoder *s, const char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to && !s->failed;) {
        int32_t cp;
        if ((unsigned char)text[i] < 0x80) {
            ascii(s, (unsigned char)text[i], (uint32_t)i);
            i++;
            continue;
        }
        size_t n = bt_utf8_decode(text + i, to - i, &cp);
        if (n) character(s, cp, (uint32_t)i, (uint32_t)(i + n));
        i += n ? n : 1; /* an invalid byte is U+FFFD, which is removed */
    }
    finish_word(s);
}

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The longest added token at a place, or NULL. */
static const struct bt__added *added_at(const struct bt_tokenizer *t, const char *text, size_t n, size_t at)
{
    const struct bt__added *found = NULL;
    if (!t->added_first[(unsigned char)text[at]]) return NULL;
    for (size_t i = 0; i < t->n_added; i++) {
        const struct bt__added *a = &t->added[i];
        if (a->n > n - at || (found && a->n <= found->n) || memcmp(text + at, a->text, a->n) != 0) continue;
        bool glued = (at > 0 && word_byte(text[at - 1])) || (at + a->n < n && word_byte(text[at + a->n]));
        if (!(a->single_word && glued)) found = a;
    }
    return found;
}

static size_t skip_back(const char *text, size_t from, size_t at)
{
    while (at > from && strchr(" \t\n\r", text[at - 1])) at--;
    return at;
}

static void run(struct encoder *s, const char *text, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n && !s->failed;) {
        const struct bt__added *a = added_at(s->t, text, n, i);
        if (!a) {
            i++;
            continue;
        }
        plain(s, text, from, a->lstrip ? skip_back(text, from, i) : i);
        emit(s, a->id, (uint32_t)i, (uint32_t)(i + a->n));
        s->word++;
        i += a->n;
        while (a->rstrip && i < n && strchr(" \t\n\r", text[i])) i++;
        from = i;
    }
    plain(s, text, from, n);
}

static enum bt_status encode(const struct bt_tokenizer *t, const char *text, size_t n, struct bt_encoding *e,
                             bool places, struct bt_error *err)
{
    struct encoder s;
    s.t = t;
    s.e = e;
    s.places = places;
    s.failed = false;
    s.word = 0;
    s.n = s.chars = 0;
    s.first = s.last = 0;
    e->n = 0;
    if (n > UINT32_MAX) return bt_fail(err, BT_INVALID, "a text of %zu bytes, expected at most 4 GiB", n);
    run(&s, text, n);
    return s.failed ? bt_fail(err, BT_NOMEM, "no memory for the pieces of a text of %zu bytes", n) : BT_OK;
}

enum bt_status bt_tokenizer_encode(const struct bt_tokenizer *t, const char *text, size_t n,
                                   struct bt_encoding *e, struct bt_error *err)
{
    return encode(t, text, n, e, true, err);
}

enum bt_status bt_tokenizer_ids(const struct bt_tokenizer *t, const char *text, size_t n,
                                struct bt_encoding *e, struct bt_error *err)
{
    return encode(t, text, n, e, false, err);
}

void bt_encoding_free(struct bt_encoding *e)
{
    free(e->ids);
    free(e->begin);
    free(e->end);
    free(e->word);
    *e = (struct bt_encoding){.n = 0};
}
