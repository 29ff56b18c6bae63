#include "run/events_plain.h"
#include "base/crc32c.h"

#include <pthread.h>

/* Lengths of an event, bytes: what its fields take without the tag and with steps of one byte; what is looked at here. Then every length below
 * has one byte. */
enum {
    LEAST_EVENT = 24,
    MOST_EVENT = 127,
    WALL_AT = 1,
    STEP_AT = 10,
    MOST_STEP = 8,
    HEADS_BYTES = 6,
    VALUE_BYTES = 5
};
enum { KEY_WALL = 0x09, KEY_STEP = 0x10, KEY_SUMMARY = 0x2a, KEY_MESSAGE = 0x0a, KEY_SIMPLE = 0x15 };

/* The checksum of each length, so that it is computed once and not for every frame. */
static uint32_t length_sum[MOST_EVENT + 1];
static pthread_once_t length_once = PTHREAD_ONCE_INIT;

static void fill_length_sums(void)
{
    for (uint8_t n = 0; n <= MOST_EVENT; n++) length_sum[n] = bt__crc32c_masked((uint8_t[8]){n}, 8);
}

struct plain {
    const uint8_t *tag;
    size_t tag_n;
    int64_t step;
    double wall, value;
};

/* What stands between an event's step and a tag of n bytes: the keys of the summary, its value and the tag, each with a length. */
static inline uint64_t heads(size_t n)
{
    const uint64_t tag = n, value = tag + 2 + VALUE_BYTES, summary = value + 2;
    return KEY_SUMMARY | summary << 8 | (uint64_t)KEY_MESSAGE << 16 | value << 24 |
           (uint64_t)KEY_MESSAGE << 32 | tag << 40;
}

/* An event of n bytes (LEAST_EVENT…MOST_EVENT) in the plain form, with a tag of tag_n bytes. */
static inline bool parse(const uint8_t *p, size_t n, size_t tag_n, struct plain *e)
{
    const size_t step_n = n - (STEP_AT + HEADS_BYTES + VALUE_BYTES) - tag_n;
    if (step_n - 1 >= MOST_STEP || p[0] != KEY_WALL || p[STEP_AT - 1] != KEY_STEP) return false;
    const uint8_t *at = p + STEP_AT + step_n;
    if ((bt__little64(at) ^ heads(tag_n)) << 16 || p[n - VALUE_BYTES] != KEY_SIMPLE) return false;
    uint64_t step = at[-1];
    if (step & 0x80) return false;
    for (size_t i = step_n - 1; i-- > 0;) {
        if (!(p[STEP_AT + i] & 0x80)) return false;
        step = step << 7 | (p[STEP_AT + i] & 0x7f);
    }
    e->step = (int64_t)step;
    e->wall = bt__wire_double(bt__little64(p + WALL_AT));
    e->tag = at + HEADS_BYTES;
    e->tag_n = tag_n;
    e->value = (double)bt__wire_float(bt__little32(p + n - 4));
    return true;
}

/* As many bytes as the tag of a plain event has, if it is one. */
static inline size_t tag_length(const uint8_t *p, size_t n)
{
    size_t at = STEP_AT;
    while (at < n && p[at] & 0x80) at++;
    return at + HEADS_BYTES < n ? p[at + HEADS_BYTES] : 0;
}

/* Reads up to 7 bytes behind both tags: in a frame more than that follow. */
static inline bool has_tag(const struct bt__series *s, const uint8_t *tag)
{
    size_t n = s->tag_n;
    const uint8_t *own = (const uint8_t *)s->tag;
    for (; n >= 8; n -= 8, own += 8, tag += 8)
        if (bt__little64(own) != bt__little64(tag)) return false;
    return n == 0 || (bt__little64(own) ^ bt__little64(tag)) << (64 - 8 * n) == 0;
}

/* The series of an event; NULL: it is not plain, or of a new one. It is looked for first where it was found last time. */
static inline struct bt__series *series_of(const struct bt__series_set *set, const uint8_t *p, size_t n,
                                           struct plain *e)
{
    struct bt__series *s = set->last ? set->last->next : NULL;
    if (s && parse(p, n, s->tag_n, e) && has_tag(s, e->tag)) return s;
    if (!parse(p, n, tag_length(p, n), e)) return NULL;
    return bt__series_lookup(set, (const char *)e->tag, e->tag_n);
}

static inline bool append(struct bt__series_set *set, struct bt__series *s, const struct plain *e)
{
    struct bt__points *p = &s->points;
    if (s->other || !p->n || e->step < bt__points_step(p, p->n - 1)) return false;
    if (!bt__column_put(p->column[BT__COLUMN_STEP], p->n, &e->step)) return false;
    if (!bt__column_put(p->column[BT__COLUMN_WALL], p->n, &e->wall)) return false;
    if (!bt__column_put(p->column[BT__COLUMN_VALUE], p->n, &e->value)) return false;
    p->n++;
    if (set->last) set->last->next = s;
    set->last = s;
    return true;
}

size_t bt__plain_take(struct bt__series_set *set, const uint8_t *p, size_t n)
{
    bt__crc32c_sum *const sum = bt__crc32c_choice();
    const uint8_t *at = p, *end = p + n;
    struct plain e;
    pthread_once(&length_once, fill_length_sums);
    while (end - at >= BT__FRAME + LEAST_EVENT) {
        const uint64_t size = bt__little64(at);
        const uint8_t *data = at + BT__FRAME_HEAD;
        if (size - LEAST_EVENT > MOST_EVENT - LEAST_EVENT || length_sum[size] != bt__little32(at + 8)) break;
        if ((uint64_t)(end - data) < size + BT__FRAME_TAIL) break;
        struct bt__series *s = series_of(set, data, (size_t)size, &e);
        if (!s || bt__crc32c_mask(sum(data, (size_t)size)) != bt__little32(data + size) ||
            !append(set, s, &e))
            break;
        at = data + size + BT__FRAME_TAIL;
    }
    return (size_t)(at - p);
}
