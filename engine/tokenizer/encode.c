/* Text → words → pieces, in one pass over the text: each code point is cleaned, decomposed, lower-cased and appended to the
 * current word; a word that ends is cut into pieces. Words that need none of that go by ascii.c. */
#include "tokenizer/encoder.h"

#include <bertty/str.h>
#include <bertty/text.h>
#include <stdlib.h>
#include <string.h>

/* Ends the current word, if there is one. */
static void finish_word(struct bt__encoder *s)
{
    s->barrier = 0;
    if (s->chars == 0) return;
    if (s->chars > s->t->max_chars || !bt__cut(s, s->text, s->n, s->begin, s->end, s->first))
        bt__emit(s, s->t->special[BT_UNK], s->first, s->last);
    s->word++;
    s->n = s->chars = 0;
}

static void extend(struct bt__encoder *s, uint32_t begin, uint32_t end)
{
    if (s->chars == 0) s->first = begin;
    if (s->chars == 0 || end > s->last) s->last = end;
    s->chars++;
}

/* Canonical order: a combining character goes before those with a higher class. Returns the byte of the word where it belongs. */
static size_t place_of(const struct bt__encoder *s, int32_t cp)
{
    const char *text = s->text;
    size_t at = s->n;
    int class = bt__char_class(cp);
    while (at > s->barrier) {
        size_t back = at - 1;
        int32_t before;
        while (back > 0 && ((unsigned char)text[back] & 0xc0) == 0x80) back--;
        if (!bt_utf8_decode(text + back, at - back, &before)) break;
        if (!(bt__char_flags(s->t->map, before) & BT__COMBINES) || bt__char_class(before) <= class) break;
        at = back;
    }
    return at;
}

/* n bytes into the word at a place; they all come from the input's [begin, end). There is room. */
static void insert(struct bt__encoder *s, size_t at, const char *bytes, size_t n, uint32_t begin,
                   uint32_t end)
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

static bool normal_room(struct bt__normal *m)
{
    if (m->n + 4 <= m->cap) return true;
    size_t cap = m->cap ? m->cap * 2 : 1024;
    char *text = realloc(m->text, cap);
    if (text) m->text = text;
    uint32_t *begin = realloc(m->begin, cap * sizeof *begin);
    if (begin) m->begin = begin;
    uint32_t *end = realloc(m->end, cap * sizeof *end);
    if (end) m->end = end;
    if (!text || !begin || !end) return false;
    m->cap = cap;
    return true;
}

/* The combining class of the character at a byte of m, and how many bytes it has. */
static int class_at(const struct bt__normal *m, size_t at, size_t *length)
{
    int32_t cp = 0;
    *length = bt_utf8_decode(m->text + at, m->n - at, &cp);
    return bt__char_class(cp);
}

/* The characters of the run that ends m, by class, those of a class in their order: a run may be as long as the text. */
static void sort_run(struct bt__encoder *s)
{
    struct bt__normal *m = s->normal, copy = {.n = m->n - s->run};
    size_t place[256 + 1] = {s->run}, length;
    copy.text = malloc(copy.n);
    copy.begin = malloc(copy.n * sizeof *copy.begin);
    copy.end = malloc(copy.n * sizeof *copy.end);
    s->failed = !copy.text || !copy.begin || !copy.end;
    if (!s->failed) {
        memcpy(copy.text, m->text + s->run, copy.n);
        memcpy(copy.begin, m->begin + s->run, copy.n * sizeof *copy.begin);
        memcpy(copy.end, m->end + s->run, copy.n * sizeof *copy.end);
        for (size_t i = 0; i < copy.n; i += length) place[class_at(&copy, i, &length) + 1] += length;
        for (int c = 0; c < 256; c++) place[c + 1] += place[c];
    }
    for (size_t i = 0; !s->failed && i < copy.n; i += length) {
        size_t *to = &place[class_at(&copy, i, &length)];
        memcpy(m->text + *to, copy.text + i, length);
        memcpy(m->begin + *to, copy.begin + i, length * sizeof *copy.begin);
        memcpy(m->end + *to, copy.end + i, length * sizeof *copy.end);
        *to += length;
    }
    free(copy.text);
    free(copy.begin);
    free(copy.end);
}

/* A starter comes next, or came and was dropped, or there is nothing more. */
static void close_run(struct bt__encoder *s)
{
    if (s->mixed) sort_run(s);
    s->mixed = false;
    s->run = s->normal->n;
}

static void normal_append(struct bt__encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    struct bt__normal *m = s->normal;
    unsigned f = bt__char_flags(s->t->map, cp);
    char bytes[4];
    if (f & BT__SPACE && s->t->clean) cp = ' ';
    if (!(f & BT__COMBINES)) close_run(s);
    if (s->failed || !normal_room(m)) {
        s->failed = true;
        return;
    }
    if (m->n > s->run) s->mixed |= bt__char_class(cp) < s->last_class;
    if (f & BT__COMBINES) s->last_class = bt__char_class(cp);
    for (size_t i = 0, n = bt_utf8_encode(cp, bytes); i < n; i++, m->n++) {
        m->text[m->n] = bytes[i];
        m->begin[m->n] = begin;
        m->end[m->n] = end;
    }
    if (!(f & BT__COMBINES)) s->run = m->n;
}

/* One code point of the normalised text. */
static void append(struct bt__encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    unsigned f = bt__char_flags(s->t->map, cp);
    char bytes[4];
    if (s->normal) {
        normal_append(s, cp, begin, end);
        return;
    }
    if (f & BT__SPACE) {
        finish_word(s);
        return;
    }
    if (f & BT__PUNCT) finish_word(s);
    size_t n = bt_utf8_encode(cp, bytes);
    if (s->chars < s->t->max_chars && s->n + n <= BT__WORD_ROOM) {
        insert(s, f & BT__COMBINES && !s->ordered ? place_of(s, cp) : s->n, bytes, n, begin, end);
    }
    extend(s, begin, end);
    if (f & BT__PUNCT) finish_word(s);
}

static void lower_and_append(struct bt__encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    const struct bt_tokenizer *t = s->t;
    if (cp == 0x3a3 && t->compat == BT_COMPAT_GOOGLE && t->lower &&
        bt__final_sigma(s->input, s->from, s->to, begin, end))
        cp = 0x3c2;
    int32_t out[2] = {cp};
    size_t n = bt__char_flags(t->map, cp) & BT__LOWERS ? bt__char_lower(cp, t->compat, out) : 1;
    for (size_t i = 0; i < n; i++) append(s, out[i], begin, end);
}

/* A dropped mark. If it is a starter, marks on its two sides keep their order. */
static void drop_mark(struct bt__encoder *s, int32_t cp)
{
    if (bt__char_flags(s->t->map, cp) & BT__COMBINES) return;
    if (s->normal)
        close_run(s);
    else
        s->barrier = s->n;
}

/* A code point through the whole normalisation. */
static void character(struct bt__encoder *s, int32_t cp, uint32_t begin, uint32_t end)
{
    const struct bt_tokenizer *t = s->t;
    unsigned f = bt__char_flags(t->map, cp);
    int32_t parts[32] = {cp};
    if (f & BT__REMOVE) return;
    if (f & BT__CJK) append(s, ' ', begin, begin);
    size_t n = f & BT__DECOMPOSES ? bt__char_nfd(cp, t->compat, parts, 32) : 1;
    for (size_t i = 0; i < n; i++) {
        if (bt__char_flags(t->map, parts[i]) & BT__MARK)
            drop_mark(s, parts[i]);
        else
            lower_and_append(s, parts[i], begin, end);
    }
    if (f & BT__CJK) append(s, ' ', end, end);
}

/* The fast path: letters and digits of ASCII from i on; returns where they end. */
static size_t ascii_run(struct bt__encoder *s, const char *text, size_t i, size_t to)
{
    const unsigned char *fold = s->t->fold;
    size_t begin = i, n = s->n, room = s->t->max_chars > s->chars ? s->t->max_chars - s->chars : 0;
    unsigned char c;
    if (s->chars == 0) s->first = (uint32_t)i;
    for (; i < to && (c = fold[(unsigned char)text[i]]); i++) {
        if (room == 0) continue;
        room--;
        s->text[n++] = (char)c;
    }
    if (s->places)
        for (size_t k = s->n; k < n; k++) {
            s->begin[k] = (uint32_t)(begin + k - s->n);
            s->end[k] = s->begin[k] + 1;
        }
    s->chars += i - begin;
    s->last = (uint32_t)i;
    s->n = n;
    return i;
}

/* Text without added tokens in it. */
static void plain(struct bt__encoder *s, const char *text, size_t from, size_t to)
{
    s->input = text;
    s->from = from;
    s->to = to;
    for (size_t i = from; i < to && !s->failed;) {
        int32_t cp;
        if (!s->normal && s->chars == 0 && (i = bt__ascii_words(s, text, i, to)) == to) break;
        if (!s->normal && s->t->fold[(unsigned char)text[i]]) {
            i = ascii_run(s, text, i, to);
            continue;
        }
        size_t n = bt_utf8_decode(text + i, to - i, &cp);
        if (n == 0) {
            n = 1;
            cp = 0xfffd;
        }
        character(s, cp, (uint32_t)i, (uint32_t)(i + n));
        i += n;
    }
    if (s->normal) close_run(s);
    finish_word(s);
}

/* Words of text that is normalised already. */
static void words(struct bt__encoder *s, const struct bt__normal *m, size_t from, size_t to)
{
    s->ordered = true;
    for (size_t i = from; i < to && !s->failed;) {
        int32_t cp;
        size_t n = bt_utf8_decode(m->text + i, to - i, &cp);
        if (n == 0) break;
        append(s, cp, m->begin[i], m->end[i]);
        i += n;
    }
    finish_word(s);
    s->ordered = false;
}

/* A range of the text, or if m is not NULL of that, with no added token in it. */
static void gap(struct bt__encoder *s, const char *text, const struct bt__normal *m, size_t from, size_t to);

/* The next byte, from i on, with which an added token may begin; n: none. */
static size_t next_first(const struct bt_tokenizer *t, bool normalized, const char *text, size_t i, size_t n)
{
    const bool *first = t->first[normalized];
    if (t->n_first[normalized] == 1) {
        const char *found = i < n ? memchr(text + i, t->one_first[normalized], n - i) : NULL;
        return found ? (size_t)(found - text) : n;
    }
    while (i < n && !first[(unsigned char)text[i]]) i++;
    return i;
}

/* Cuts n bytes at the added tokens; a space that one of them swallowed may still begin the next. m: text is that of m, normalised; else it is the input. */
static void split(struct bt__encoder *s, const char *text, const struct bt__normal *m, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; (i = next_first(s->t, m != NULL, text, i, n)) < n && !s->failed;) {
        bool glued = false;
        const struct bt__added *a = bt__added_at(s->t, m != NULL, text, n, i, &glued);
        size_t start = i, end = i += a ? a->n : 1;
        if (!a || glued) continue;
        if (a->lstrip) start = bt__space_before(text, from, start);
        if (a->rstrip) end = bt__space_after(text, n, end);
        if (start > from) gap(s, text, m, from, start);
        bt__emit(s, a->id, m ? m->begin[start] : (uint32_t)start, m ? m->end[end - 1] : (uint32_t)end);
        s->word++;
        from = end;
    }
    if (from < n) gap(s, text, m, from, n);
}

static void gap(struct bt__encoder *s, const char *text, const struct bt__normal *m, size_t from, size_t to)
{
    struct bt__normal normal = {.n = 0};
    if (m) {
        words(s, m, from, to);
        return;
    }
    if (!s->t->n_first[true]) {
        plain(s, text, from, to);
        return;
    }
    s->normal = &normal;
    s->run = 0;
    plain(s, text, from, to);
    s->normal = NULL;
    if (!s->failed && normal.n) split(s, normal.text, &normal, normal.n);
    free(normal.text);
    free(normal.begin);
    free(normal.end);
}

static void run(struct bt__encoder *s, const char *text, size_t n)
{
    if (s->t->n_first[false])
        split(s, text, NULL, n);
    else
        gap(s, text, NULL, 0, n);
}

static void start(struct bt__encoder *s, const struct bt_tokenizer *t)
{
    s->t = t;
    s->normal = NULL;
    s->failed = s->ordered = s->mixed = false;
    s->run = 0;
    s->last_class = 0;
    s->word = 0;
    s->barrier = s->n = s->chars = 0;
    s->first = s->last = 0;
}

static enum bt_status encode(const struct bt_tokenizer *t, const char *text, size_t n, struct bt_encoding *e,
                             bool places, struct bt_error *err)
{
    struct bt__encoder s; /* its buffers stay as they are */
    start(&s, t);
    s.e = e;
    s.places = places;
    e->n = 0;
    if (n > UINT32_MAX) return bt_fail(err, BT_INVALID, "a text of %zu bytes, expected at most 4 GiB", n);
    run(&s, text, n);
    return s.failed ? bt_fail(err, BT_NOMEM, "no memory for the pieces of a text of %zu bytes", n) : BT_OK;
}

enum bt_status bt__normalize(const struct bt_tokenizer *t, const char *text, char **out, struct bt_error *err)
{
    struct bt__encoder s;
    struct bt__normal m = {.n = 0};
    start(&s, t);
    s.normal = &m;
    plain(&s, text, 0, strlen(text));
    *out = s.failed ? NULL : bt_strndup(m.n ? m.text : "", m.n);
    free(m.text);
    free(m.begin);
    free(m.end);
    return *out ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for an added token");
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
