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

struct state {
    bool json, quotes;
    uint64_t begins; /* 1: the next stretch begins with a line */
    uint64_t empty;  /* 1: a line's CR stands at the end of the last stretch, and its LF ends an empty line */
    struct bt__plain *out;
    size_t max;
};

/* Ends of the lines of a stretch, and of them those of empty ones; stop: from this bit on a closer look is needed. */
EACH_TIME void lines_of(struct state *s, const char *p, bool lf_follows, where_fn *where, uint64_t *lf,
                        uint64_t *empty, uint64_t *stop)
{
    const char other = s->quotes ? '"' : '\r';
    const uint64_t all = where(p, '\n', '\n'), begins = all << 1 | s->begins;
    uint64_t bare = 0, special = 0;
    if (s->json) {
        special = (where(p, ' ', '\t') | where(p, '\r', '\r')) & begins;
    } else if (where(p, '\r', other)) {
        const uint64_t next = all >> 1 | (uint64_t)lf_follows << 63, cr = where(p, '\r', '\r');
        bare = cr & begins & next;
        special = (s->quotes ? where(p, '"', '"') : 0) | (cr & ~next);
    }
    *stop = special & -special;
    *lf = *stop ? all & (*stop - 1) : all;
    *empty = *lf & (begins | bare << 1 | s->empty);
    s->begins = all >> 63;
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
EACH_TIME bool pass_stretch(struct state *s, const char *q, size_t at, bool lf_follows, where_fn *where)
{
    uint64_t lf, empty, stop;
    lines_of(s, q, lf_follows, where, &lf, &empty, &stop);
    return take(s, at, lf, empty) && !stop;
}

EACH_TIME void pass(struct state *s, const char *p, size_t n, where_fn *where)
{
    size_t at = 0;
    for (; n - at > STRETCH; at += STRETCH)
        if (!pass_stretch(s, p + at, at, p[at + STRETCH] == '\n', where)) return;
    char rest[STRETCH] = {0}; /* NUL bytes are nothing special */
    memcpy(rest, p + at, n - at);
    pass_stretch(s, rest, at, false, where);
}

#if defined(__SSE2__)
__attribute__((target("popcnt,bmi,avx2"))) static void pass_fast(struct state *s, const char *p, size_t n)
{
    pass(s, p, n, where_avx2);
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
    pass(&s, p, n, where_sse2);
#else
    pass(&s, p, n, where_plain);
#endif
}
