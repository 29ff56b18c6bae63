#include "tokenizer/charmap.h"

#include "base/unicode.h"
#include <stdlib.h>
#include <string.h>

struct range {
    int32_t first, last;
};

/* The CJK ranges as Hugging Face has them; Hangul and Kana are not among them. */
static const struct range cjk[] = {{.first = 0x4e00, .last = 0x9fff},   {.first = 0x3400, .last = 0x4dbf},
                                   {.first = 0x20000, .last = 0x2a6df}, {.first = 0x2a700, .last = 0x2b73f},
                                   {.first = 0x2b740, .last = 0x2b81f}, {.first = 0x2b920, .last = 0x2ceaf},
                                   {.first = 0xf900, .last = 0xfaff},   {.first = 0x2f800, .last = 0x2fa1f}};

struct pair {
    int32_t from, to[2];
};

static const struct pair lower_exceptions[] = {
#define RANGE(property, a, b)
#define LOWER(cp, a, b) {.from = cp, .to = {a, b}},
#define NFD(cp, a, b)
#include "tokenizer/hf_unicode.def"
#undef LOWER
#undef NFD
};
static const struct pair nfd_exceptions[] = {
#define LOWER(cp, a, b)
#define NFD(cp, a, b) {.from = cp, .to = {a, b}},
#include "tokenizer/hf_unicode.def"
#undef LOWER
#undef NFD
#undef RANGE
};

static size_t exception(const struct pair *table, size_t n, int32_t cp, int32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].from != cp) continue;
        out[0] = table[i].to[0];
        out[1] = table[i].to[1];
        return table[i].to[1] ? 2 : 1;
    }
    return 0;
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

size_t bt__char_lower(int32_t cp, enum bt_compat compat, int32_t out[2])
{
    size_t n = cp < 0x80 ? 0 : exception(lower_exceptions, COUNT(lower_exceptions), cp, out);
    if (n && (compat == BT_COMPAT_HF || cp == 0x130)) return n;
    out[0] = bt__unicode_lower(cp);
    return 1;
}

size_t bt__char_nfd(int32_t cp, enum bt_compat compat, int32_t *out, size_t cap)
{
    size_t n = compat == BT_COMPAT_HF ? exception(nfd_exceptions, COUNT(nfd_exceptions), cp, out) : 0;
    return n ? n : bt__unicode_nfd(cp, out, cap);
}

int bt__char_class(int32_t cp)
{
    return bt__unicode_combining_class(cp);
}

static bool ascii_punctuation(int32_t cp)
{
    return (cp >= 33 && cp <= 47) || (cp >= 58 && cp <= 64) || (cp >= 91 && cp <= 96) ||
           (cp >= 123 && cp <= 126);
}

static bool is_line_space(int32_t cp)
{
    return cp == '\t' || cp == '\n' || cp == '\r';
}

static unsigned flags_of(int32_t cp)
{
    const char *c = bt__unicode_category(cp);
    int32_t parts[32];
    unsigned f = 0;
    if (c[0] == 'Z' || is_line_space(cp)) return BT__SPACE;
    if (cp == 0 || cp == 0xfffd || (c[0] == 'C' && (c[1] == 'c' || c[1] == 'f' || c[1] == 'o')))
        return BT__REMOVE;
    if (c[0] == 'P' || ascii_punctuation(cp)) f |= BT__PUNCT;
    if (c[0] == 'M' && c[1] == 'n') f |= BT__MARK;
    if (bt__unicode_combining_class(cp) > 0) f |= BT__COMBINES;
    if (bt__unicode_lower(cp) != cp) f |= BT__LOWERS;
    if (cp >= 0x80 && (bt__unicode_nfd(cp, parts, 32) != 1 || parts[0] != cp)) f |= BT__DECOMPOSES;
    return f;
}

/* Sets flags of those of the characters first … last that are in a page. */
static void put(struct bt__charmap *m, size_t page, int32_t first, int32_t last, unsigned add, unsigned drop)
{
    const int32_t begin = (int32_t)page << BT__PAGE_BITS, end = begin + BT__PAGE;
    if (first < begin) first = begin;
    if (last >= end) last = end - 1;
    for (int32_t cp = first; cp <= last; cp++) m->flags[cp] = (uint8_t)((m->flags[cp] & ~drop) | add);
}

enum { KEEP, REMOVE, MARK, NO_MARK, PUNCTUATION, NO_PUNCTUATION, STARTER };

static void correct(struct bt__charmap *m, size_t page)
{
    static const struct {
        uint8_t add, drop;
    } change[] = {[KEEP] = {.drop = BT__REMOVE},      [REMOVE] = {.add = BT__REMOVE},
                  [MARK] = {.add = BT__MARK},         [NO_MARK] = {.drop = BT__MARK},
                  [PUNCTUATION] = {.add = BT__PUNCT}, [NO_PUNCTUATION] = {.drop = BT__PUNCT},
                  [STARTER] = {.drop = BT__COMBINES}};
#define RANGE(property, a, b) put(m, page, a, b, change[property].add, change[property].drop);
#define LOWER(cp, a, b)       put(m, page, cp, cp, BT__LOWERS, 0);
#define NFD(cp, a, b)         put(m, page, cp, cp, (b) || (a) != (cp) ? BT__DECOMPOSES : 0, BT__DECOMPOSES);
#include "tokenizer/hf_unicode.def"
#undef RANGE
#undef LOWER
#undef NFD
}

/* Google's code keeps private use, takes utf8proc's categories as they are, and begins the last CJK range where it should. */
static void google(struct bt__charmap *m, size_t page)
{
    put(m, page, 0xe000, 0xf8ff, 0, BT__REMOVE);
    put(m, page, 0xf0000, 0xffffd, 0, BT__REMOVE);
    put(m, page, 0x100000, 0x10fffd, 0, BT__REMOVE);
    put(m, page, 0x130, 0x130, BT__LOWERS, 0);
    put(m, page, 0x2b820, 0x2b91f, BT__CJK, 0);
}

/* What is switched off; without cleaning, the other controls that separate words do so. */
static void settle(struct bt__charmap *m, size_t page)
{
    static const int32_t spaces[] = {0x0b, 0x0c, 0x85};
    put(m, page, 0, BT__CODE_POINTS - 1, 0, m->drop);
    for (size_t i = 0; (m->drop & BT__REMOVE) && i < COUNT(spaces); i++)
        put(m, page, spaces[i], spaces[i], BT__SPACE, 0xff);
}

static void fill(struct bt__charmap *m, size_t page)
{
    const int32_t begin = (int32_t)page << BT__PAGE_BITS;
    for (int32_t cp = begin; cp < begin + BT__PAGE; cp++) m->flags[cp] = (uint8_t)flags_of(cp);
    for (size_t i = 0; i < COUNT(cjk); i++) put(m, page, cjk[i].first, cjk[i].last, BT__CJK, 0);
    if (m->compat == BT_COMPAT_HF)
        correct(m, page);
    else
        google(m, page);
    settle(m, page);
}

void bt__charmap_fill(struct bt__charmap *m, size_t page)
{
    pthread_mutex_lock(&m->filling);
    if (!atomic_load_explicit(&m->known[page], memory_order_relaxed)) {
        fill(m, page);
        atomic_store_explicit(&m->known[page], true, memory_order_release);
    }
    pthread_mutex_unlock(&m->filling);
}

struct bt__charmap *bt__charmap_new(enum bt_compat compat, unsigned drop)
{
    struct bt__charmap *m = calloc(1, sizeof *m); /* the pages that nobody asks for cost nothing */
    if (!m) return NULL;
    if (pthread_mutex_init(&m->filling, NULL)) {
        free(m);
        return NULL;
    }
    m->compat = compat;
    m->drop = drop;
    return m;
}

void bt__charmap_free(struct bt__charmap *m)
{
    if (!m) return;
    pthread_mutex_destroy(&m->filling);
    free(m);
}
