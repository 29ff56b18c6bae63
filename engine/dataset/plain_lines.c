#include "dataset/plain_lines.h"

#include "dataset/formats.h"
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { STRETCH = 64 }; /* bytes looked at together: a bit of a word each */

/* Compiled twice: for any processor, and for those that count bits with an instruction. */
#define EACH_TIME static inline __attribute__((always_inline))

/* The bytes of a stretch that are a or b. */
typedef uint64_t where_fn(const char *p, char a, char b);

#if !defined(__SSE2__)
EACH_TIME uint64_t where_plain(const char *p, char a, char b)
{
    uint64_t bits = 0;
    for (int i = 0; i < STRETCH; i++) bits |= (uint64_t)(p[i] == a || p[i] == b) << i;
    return bits;
}

#else
EACH_TIME uint64_t where_sse2(const char *p, char a, char b)
{
    const __m128i x = _mm_set1_epi8(a), y = _mm_set1_epi8(b);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        const __m128i same = _mm_or_si128(_mm_cmpeq_epi8(v, x), _mm_cmpeq_epi8(v, y));
        bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(same) << (16 * i);
    }
    return bits;
}

__attribute__((target("avx2"))) EACH_TIME uint64_t where_avx2(const char *p, char a, char b)
{
    const __m256i x = _mm256_set1_epi8(a), y = _mm256_set1_epi8(b);
    const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    const __m256i low = _mm256_or_si256(_mm256_cmpeq_epi8(v, x), _mm256_cmpeq_epi8(v, y));
    const __m256i high = _mm256_or_si256(_mm256_cmpeq_epi8(w, x), _mm256_cmpeq_epi8(w, y));
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32 | (uint32_t)_mm256_movemask_epi8(low);
}
#endif

/* Compiled once for each. */
enum mode { LINES, QUOTES, JSON };

/* What is known where a stretch ends; bits of the first byte of the next one, or all. */
struct state {
    bool as_written;
    char delimiter;
    uint64_t begins; /* 1: the next stretch begins with a record */
    uint64_t empty;  /* 1: a line's CR stands at the end of the last stretch, and its LF ends an empty line */
    uint64_t inside; /* all: within a quoted cell */
    uint64_t closed; /* 1: if the last byte was a ", it closed a cell or was the first of "" */
    size_t inner;    /* lines that ended within the record that is open */
    struct bt__plain *out;
    size_t max;
};

/* The bytes on both sides of a stretch. */
struct sides {
    char before, next;
};

struct marks {
    uint64_t lines; /* ends of lines */
    uint64_t ends;  /* … of records and empty lines */
    uint64_t empty; /* … of empty lines */
    uint64_t stop;  /* from this bit on a closer look is needed; 0: nowhere */
};

/* Each bit becomes the parity of those up to it. */
EACH_TIME uint64_t parity(uint64_t bits)
{
    for (int i = 1; i < STRETCH; i *= 2) bits ^= bits << i;
    return bits;
}

/* Which bytes are inside of quoted cells if every " opens or closes one ("" closes it and opens it again); bad: those that do not. */
EACH_TIME uint64_t inside_quotes(struct state *s, const char *p, struct sides by, where_fn *where,
                                 uint64_t lf, uint64_t cr, uint64_t *bad)
{
    const uint64_t quote = where(p, '"', '"'), inside = parity(quote) ^ s->inside;
    const uint64_t opens = quote & inside, closes = quote & ~inside;
    const uint64_t border = where(p, s->delimiter, s->delimiter) | lf;
    const bool first = by.before == s->delimiter || by.before == '\n';
    const bool last = by.next == s->delimiter || by.next == '\n' || by.next == '\r' || by.next == '"';
    const uint64_t doubled = closes << 1 | (by.before == '"' ? s->closed : 0);
    const uint64_t may_open = border << 1 | (uint64_t)first | doubled;
    const uint64_t may_close = (border | cr | quote) >> 1 | (uint64_t)last << 63;
    *bad = (opens & ~may_open) | (closes & ~may_close) | (s->as_written ? opens & doubled : 0);
    s->inside = 0 - (inside >> 63);
    s->closed = closes >> 63;
    return inside;
}

EACH_TIME void look(struct state *s, const char *p, struct sides by, where_fn *where, enum mode mode,
                    struct marks *m)
{
    const char other = mode == QUOTES ? '"' : '\r';
    const uint64_t lf = where(p, '\n', '\n');
    uint64_t bare = 0, special = 0, ends = lf, begins = lf << 1 | s->begins;
    if (mode == JSON) {
        special = (where(p, ' ', '\t') | where(p, '\r', '\r')) & begins;
    } else if ((mode == QUOTES && s->inside) || where(p, '\r', other)) {
        const uint64_t follows = lf >> 1 | (uint64_t)(by.next == '\n') << 63, cr = where(p, '\r', '\r');
        if (mode == QUOTES) ends &= ~inside_quotes(s, p, by, where, lf, cr, &special);
        begins = ends << 1 | s->begins;
        bare = cr & begins & follows;
        special |= cr & ~follows;
    }
    m->lines = lf;
    m->stop = special & -special;
    m->ends = m->stop ? ends & (m->stop - 1) : ends;
    m->empty = m->ends & (begins | bare << 1 | s->empty);
    s->begins = ends >> 63;
    s->empty = bare >> 63;
}

EACH_TIME unsigned count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

/* Of those ends the ones up to that of the `left`-th line that is not empty. */
static uint64_t first_rows(uint64_t ends, uint64_t empty, size_t left)
{
    for (uint64_t rest = ends; rest; rest &= rest - 1) {
        uint64_t bit = rest & -rest;
        left -= !(empty & bit);
        if (!left) return ends & (bit | (bit - 1));
    }
    return ends;
}

/* Lines within the records whose ends have been counted, of which the one at bit `last` is the last. */
EACH_TIME void count_inner(struct state *s, uint64_t lines, uint64_t ends, int last)
{
    const uint64_t passed = ~(uint64_t)0 >> (63 - last);
    s->out->lines += s->inner + count(lines & passed & ~ends);
    s->inner = count(lines & ~passed);
}

/* Takes what ends in the stretch at byte `at`; false: enough rows. */
EACH_TIME bool take(struct state *s, size_t at, enum mode mode, const struct marks *m)
{
    struct bt__plain *o = s->out;
    uint64_t ends = m->ends;
    size_t rows = count(ends & ~m->empty), left = s->max - o->rows;
    if (rows >= left) {
        ends = first_rows(ends, m->empty, left);
        rows = left;
    }
    const bool inner = mode == QUOTES && (s->inner || m->lines != m->ends);
    if (!ends) {
        if (inner) s->inner += count(m->lines);
        return true;
    }
    const size_t all = count(ends);
    const int last = 63 - __builtin_clzll(ends);
    o->rows += rows;
    o->empty += all - rows;
    o->lines += all;
    o->bytes = at + (size_t)last + 1;
    if (inner) count_inner(s, m->lines, ends, last);
    return rows < left;
}

/* The 64 bytes at q stand at byte `at`; false: no further. */
EACH_TIME bool pass_stretch(struct state *s, const char *q, size_t at, struct sides by, where_fn *where,
                            enum mode mode)
{
    struct marks m;
    look(s, q, by, where, mode, &m);
    return take(s, at, mode, &m) && !m.stop;
}

EACH_TIME void pass(struct state *s, const char *p, size_t n, where_fn *where, enum mode mode)
{
    size_t at = 0;
    struct sides by = {.before = '\n'};
    for (; n - at > STRETCH; at += STRETCH) {
        by.next = p[at + STRETCH];
        if (!pass_stretch(s, p + at, at, by, where, mode)) return;
        by.before = p[at + STRETCH - 1];
    }
    char rest[STRETCH] = {0}; /* NUL bytes are nothing special */
    memcpy(rest, p + at, n - at);
    by.next = '\0';
    pass_stretch(s, rest, at, by, where, mode);
}

EACH_TIME void pass_in(enum mode mode, struct state *s, const char *p, size_t n, where_fn *where)
{
    if (mode == QUOTES)
        pass(s, p, n, where, QUOTES);
    else if (mode == JSON)
        pass(s, p, n, where, JSON);
    else
        pass(s, p, n, where, LINES);
}

#if defined(__SSE2__)
__attribute__((target("popcnt,bmi,avx2"))) static void pass_fast(enum mode mode, struct state *s,
                                                                 const char *p, size_t n)
{
    pass_in(mode, s, p, n, where_avx2);
}

static bool is_fast(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi");
}
#endif

void bt__plain_lines(const struct bt_data_dialect *d, const char *p, size_t n, size_t max_rows,
                     bool as_written, struct bt__plain *out)
{
    struct state s = {
        .as_written = as_written, .delimiter = d->delimiter, .begins = 1, .out = out, .max = max_rows};
    const enum mode mode = d->format == BT_DATA_JSONL ? JSON : d->quoting == 1 ? QUOTES : LINES;
    *out = (struct bt__plain){.bytes = 0};
    if (bt__format_of(d->format)->find || max_rows == 0) return;
#if defined(__SSE2__)
    if (is_fast())
        pass_fast(mode, &s, p, n);
    else
        pass_in(mode, &s, p, n, where_sse2);
#else
    pass_in(mode, &s, p, n, where_plain);
#endif
}
