#include "run/events_plain.h"
#include "base/crc32c.h"

#include <pthread.h>

/* Lengths of an event, bytes: what its fields take without the tag and with steps of one byte; what is looked at here. Then every length below
 * has one byte. */
enum { LEAST_EVENT = 24, MOST_EVENT = 127, WALL_AT = 1, STEP_AT = 10, VALUE_BYTES = 5 };
enum { KEY_WALL = 0x09, KEY_STEP = 0x10, KEY_SUMMARY = 0x2a, KEY_MESSAGE = 0x0a, KEY_SIMPLE = 0x15 };

/* Points of a cache line; how many points ahead memory is fetched that will be written to: of dozens of columns that grow side by side no processor foretells it. */
enum { LINE = 8, AHEAD = 3 * LINE };

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

/* At *p stand this key and a length that reaches exactly to the end. */
static inline bool nested(const uint8_t **p, const uint8_t *end, uint8_t key)
{
    const uint8_t *at = *p;
    *p = at + 2;
    return at[0] == key && at[1] == end - at - 2;
}

/* An event of n bytes (LEAST_EVENT…MOST_EVENT) in the plain form. */
static inline bool parse(const uint8_t *p, size_t n, struct plain *e)
{
    const uint8_t *end = p + n;
    if (p[0] != KEY_WALL || p[STEP_AT - 1] != KEY_STEP) return false;
    e->wall = bt__wire_double(bt__little64(p + WALL_AT));
    uint64_t step = p[STEP_AT] & 0x7f;
    const uint8_t *at = p + STEP_AT;
    for (unsigned shift = 7; *at++ & 0x80; shift += 7) {
        if (shift > 56) return false;
        step |= (uint64_t)(*at & 0x7f) << shift;
    }
    e->step = (int64_t)step;
    if (end - at < 6 + VALUE_BYTES || !nested(&at, end, KEY_SUMMARY) || !nested(&at, end, KEY_MESSAGE))
        return false;
    if (!nested(&at, end - VALUE_BYTES, KEY_MESSAGE) || end[-VALUE_BYTES] != KEY_SIMPLE) return false;
    e->tag = at;
    e->tag_n = (size_t)(end - VALUE_BYTES - at);
    e->value = (double)bt__wire_float(bt__little32(end - 4));
    return true;
}

/* Reads up to 7 bytes behind both tags: in a frame more than that follow. */
static inline bool has_tag(const struct bt__series *s, const uint8_t *tag, size_t n)
{
    if (s->tag_n != n) return false;
    const uint8_t *own = (const uint8_t *)s->tag;
    for (; n >= 8; n -= 8, own += 8, tag += 8)
        if (bt__little64(own) != bt__little64(tag)) return false;
    return n == 0 || (bt__little64(own) ^ bt__little64(tag)) << (64 - 8 * n) == 0;
}

static inline bool append(struct bt__series_set *set, const struct plain *e)
{
    struct bt__series *last = set->last, *s = last ? last->next : NULL;
    if (!s || !has_tag(s, e->tag, e->tag_n)) {
        s = bt__series_lookup(set, (const char *)e->tag, e->tag_n);
        if (!s) return false;
    }
    struct bt__points *p = &s->points;
    if (s->other || p->n == p->room || !p->n || e->step < p->step[p->n - 1]) return false;
    if (last) last->next = s;
    set->last = s;
    if (p->n % LINE == 0 && p->n + AHEAD < p->room) {
        __builtin_prefetch(&p->step[p->n + AHEAD], 1);
        __builtin_prefetch(&p->wall[p->n + AHEAD], 1);
        __builtin_prefetch(&p->value[p->n + AHEAD], 1);
    }
    p->step[p->n] = e->step;
    p->wall[p->n] = e->wall;
    p->value[p->n++] = e->value;
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
        if ((uint64_t)(end - data) < size + BT__FRAME_TAIL || !parse(data, (size_t)size, &e)) break;
        if (bt__crc32c_mask(sum(data, (size_t)size)) != bt__little32(data + size) || !append(set, &e)) break;
        at = data + size + BT__FRAME_TAIL;
    }
    return (size_t)(at - p);
}
