#include "dataset/plain_lines.h"

#include "dataset/formats.h"
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { STRETCH = 64 }; /* bytes looked at together: a bit of a word each */

/* Compiled twice: for any processor, and for those that count bits with an instruction. */
#define EACH_TIME static inline __attribute__((always_inline))

struct bits {
    uint64_t lf, cr, quote, blank;
};

#if defined(__SSE2__)
EACH_TIME uint64_t where(const __m128i v[4], char c)
{
    const __m128i want = _mm_set1_epi8(c);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++)
        bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], want)) << (16 * i);
    return bits;
}

EACH_TIME struct bits look(const char *p, bool quotes, bool blanks)
{
    __m128i v[4];
    for (int i = 0; i < 4; i++) v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return (struct bits){.lf = where(v, '\n'),
                         .cr = where(v, '\r'),
                         .quote = quotes ? where(v, '"') : 0,
                         .blank = blanks ? where(v, ' ') | where(v, '\t') | where(v, '\r') : 0};
}
#else
EACH_TIME uint64_t where(const char *p, char c)
{
    uint64_t bits = 0;
    for (int i = 0; i < STRETCH; i++) bits |= (uint64_t)(p[i] == c) << i;
    return bits;
}

EACH_TIME struct bits look(const char *p, bool quotes, bool blanks)
{
    return (struct bits){.lf = where(p, '\n'),
                         .cr = where(p, '\r'),
                         .quote = quotes ? where(p, '"') : 0,
                         .blank = blanks ? where(p, ' ') | where(p, '\t') | where(p, '\r') : 0};
}
#endif

struct state {
    bool json, quotes;
    uint64_t begins; /* 1: the next stretch begins with a line */
    uint64_t empty;  /* 1: a line's CR stands at the end of the last stretch, and its LF ends an empty line */
    struct bt__plain *out;
    size_t max;
};

/* Ends of the lines of a stretch, and of them those of empty ones; stop: from this bit on a closer look is needed. */
EACH_TIME void lines_of(struct state *s, const struct bits *b, bool lf_follows, uint64_t *lf, uint64_t *empty,
                        uint64_t *stop)
{
    const uint64_t begins = b->lf << 1 | s->begins, next = b->lf >> 1 | (uint64_t)lf_follows << 63;
    const uint64_t bare = b->cr & begins & next;
    uint64_t special = s->json ? b->blank & begins : b->quote | (b->cr & ~next);
    *stop = special & -special;
    *lf = *stop ? b->lf & (*stop - 1) : b->lf;
    *empty = *lf & (begins | bare << 1 | s->empty);
    s->begins = b->lf >> 63;
    s->empty = bare >> 63;
}

EACH_TIME unsigned count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* Of those ends the ones up to that of the `left`-th line that is not empty. */
static uint64_t first_rows(uint64_t lf, uint64_t empty, size_t left)
{
    for (uint64_t rest = lf; rest; rest &= rest - 1) {
        uint64_t bit = rest & -rest;
        left -= !(empty & bit);
        if (!left) return lf & (bit | (bit - 1));
    }
    return lf;
}

/* Takes what ends in the stretch at byte `at`; false: enough rows. */
EACH_TIME bool take(struct state *s, size_t at, uint64_t lf, uint64_t empty)
{
    struct bt__plain *o = s->out;
    size_t rows = count(lf & ~empty), left = s->max - o->rows;
    if (rows >= left) {
        lf = first_rows(lf, empty, left);
        rows = left;
    }
    if (!lf) return true;
    o->rows += rows;
    o->lines += count(lf);
    o->bytes = at + (size_t)(64 - __builtin_clzll(lf));
    return rows < left;
}

/* The 64 bytes at q stand at byte `at`; false: no further. */
EACH_TIME bool pass_stretch(struct state *s, const char *q, size_t at, bool lf_follows)
{
    uint64_t lf, empty, stop;
    const struct bits b = look(q, s->quotes, s->json);
    lines_of(s, &b, lf_follows, &lf, &empty, &stop);
    return take(s, at, lf, empty) && !stop;
}

EACH_TIME void pass(struct state *s, const char *p, size_t n)
{
    size_t at = 0;
    for (; n - at > STRETCH; at += STRETCH)
        if (!pass_stretch(s, p + at, at, p[at + STRETCH] == '\n')) return;
    char rest[STRETCH] = {0}; /* NUL bytes are nothing special */
    memcpy(rest, p + at, n - at);
    pass_stretch(s, rest, at, false);
}

#if defined(__SSE2__)
__attribute__((target("popcnt,bmi,avx2"))) static void pass_fast(struct state *s, const char *p, size_t n)
{
    pass(s, p, n);
}

static bool is_fast(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi");
}
#endif

void bt__plain_lines(const struct bt_data_dialect *d, const char *p, size_t n, size_t max_rows,
                     struct bt__plain *out)
{
    struct state s = {.json = d->format == BT_DATA_JSONL, .begins = 1, .out = out, .max = max_rows};
    s.quotes = !s.json && d->quoting == 1;
    *out = (struct bt__plain){.bytes = 0};
    if (bt__format_of(d->format)->find || max_rows == 0) return;
#if defined(__SSE2__)
    if (is_fast()) {
        pass_fast(&s, p, n);
        return;
    }
#endif
    pass(&s, p, n);
}
