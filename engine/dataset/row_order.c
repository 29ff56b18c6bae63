#include <bertty/row_order.h>

#include <bertty/num.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, RUN = 16, SLICE = 1 << 20 /* keys merged between two looks at cancel */ };
enum key_class { NUMBER, TEXT, EMPTY };

struct key {
    uint64_t first; /* of a number its bits in order, of a text its first bytes */
    uint64_t at;    /* of the rest of the text */
    uint32_t n;     /* bytes of the rest */
    uint32_t row;
};

struct bt_row_order {
    bool reversed;
    size_t most_bytes;
    struct key *key, *other; /* merged from one into the other */
    size_t n, cap;
    char *rest;
    size_t rest_n, rest_cap;
    size_t width, merged; /* of sorted runs; keys of this pass that are merged */
};

struct bt_row_order *bt_row_order_create(bool reversed, size_t most_bytes)
{
    struct bt_row_order *o = calloc(1, sizeof *o);
    if (o) *o = (struct bt_row_order){.reversed = reversed, .most_bytes = most_bytes};
    return o;
}

void bt_row_order_free(struct bt_row_order *o)
{
    if (!o) return;
    free(o->key);
    free(o->other);
    free(o->rest);
    free(o);
}

/* ── keys ── */

/* The class stands in the two highest bits of `at`. */
static enum key_class class_of(const struct key *k)
{
    return (enum key_class)(k->at >> 62);
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    v += 0.0; /* −0 is 0 */
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t first_bytes(const char *p, size_t n)
{
    uint64_t first = 0;
    for (size_t i = 0; i < PREFIX; i++) first = first << 8 | (i < n ? (unsigned char)p[i] : 0);
    return first;
}

static bool is_number(const char *p, size_t n, double *v)
{
    bool likely = strchr("+-.", *p) || (*p >= '0' && *p <= '9');
    return likely && strlen(p) == n && bt_parse_double(p, v);
}

static bool fits(struct bt_row_order *o, size_t more)
{
    size_t keys = o->n == o->cap ? (o->cap ? o->cap * 2 : 1024) : o->cap, bytes = o->rest_cap;
    while (bytes < o->rest_n + more) bytes = bytes ? bytes * 2 : 4096;
    if (keys * 2 * sizeof *o->key + bytes > o->most_bytes) return false;
    if (keys != o->cap) {
        struct key *grown = realloc(o->key, keys * sizeof *grown);
        if (!grown) return false;
        o->key = grown;
        o->cap = keys;
    }
    if (bytes != o->rest_cap) {
        char *grown = realloc(o->rest, bytes);
        if (!grown) return false;
        o->rest = grown;
        o->rest_cap = bytes;
    }
    return true;
}

enum bt_status bt_row_order_add(struct bt_row_order *o, size_t row, const char *cell, size_t n,
                                struct bt_error *err)
{
    double v = 0;
    enum key_class class = n == 0 ? EMPTY : is_number(cell, n, &v) ? NUMBER : TEXT;
    if (n > BT_ROW_ORDER_TEXT) n = BT_ROW_ORDER_TEXT;
    size_t rest = class == TEXT && n > PREFIX ? n - PREFIX : 0;
    if (row > UINT32_MAX || !fits(o, rest))
        return bt_fail(err, BT_NOMEM, "too large to be sorted: %zu rows fit into %zu MiB; filter it first",
                       o->n, o->most_bytes >> 20);
    struct key *k = &o->key[o->n++];
    *k = (struct key){.at = o->rest_n | (uint64_t) class << 62, .row = (uint32_t)row};
    if (class == NUMBER) k->first = bits_of(v);
    if (class == TEXT) {
        k->first = first_bytes(cell, n);
        k->n = (uint32_t)(n < PREFIX ? n : rest + PREFIX);
        if (rest) memcpy(o->rest + o->rest_n, cell + PREFIX, rest);
        o->rest_n += rest;
    }
    return BT_OK;
}

/* ── order ── */

static int order_of_rests(const struct bt_row_order *o, const struct key *a, const struct key *b)
{
    const uint64_t place = ((uint64_t)1 << 62) - 1;
    size_t an = a->n > PREFIX ? a->n - PREFIX : 0, bn = b->n > PREFIX ? b->n - PREFIX : 0;
    size_t n = an < bn ? an : bn;
    int order = n ? memcmp(o->rest + (a->at & place), o->rest + (b->at & place), n) : 0;
    return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* Does b come before a, which stands before it? */
static bool turned(const struct bt_row_order *o, const struct key *a, const struct key *b)
{
    enum key_class ac = class_of(a), bc = class_of(b);
    if (ac == EMPTY || bc == EMPTY) return ac == EMPTY && bc != EMPTY;
    int order = ac != bc ? (ac > bc) - (ac < bc) : (a->first > b->first) - (a->first < b->first);
    if (order == 0 && ac == TEXT) order = order_of_rests(o, a, b);
    return o->reversed ? order < 0 : order > 0;
}

static void sort_run(const struct bt_row_order *o, struct key *k, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct key moved = k[i];
        size_t at = i;
        for (; at > 0 && turned(o, &k[at - 1], &moved); at--) k[at] = k[at - 1];
        k[at] = moved;
    }
}

static void merge(struct bt_row_order *o, size_t from, size_t middle, size_t to)
{
    size_t a = from, b = middle;
    for (size_t i = from; i < to; i++) {
        bool second = a == middle || (b < to && turned(o, &o->key[a], &o->key[b]));
        o->other[i] = o->key[second ? b++ : a++];
    }
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Pairs of runs of this pass, until there were enough or all. */
static void merge_some(struct bt_row_order *o)
{
    size_t until = smaller(o->merged + SLICE, o->n);
    while (o->merged < until) {
        size_t middle = smaller(o->merged + o->width, o->n), to = smaller(middle + o->width, o->n);
        merge(o, o->merged, middle, to);
        o->merged = to;
    }
    if (o->merged < o->n) return;
    struct key *was = o->key;
    o->key = o->other;
    o->other = was;
    o->width *= 2;
    o->merged = 0;
}

enum bt_status bt_row_order_sort(struct bt_row_order *o, const atomic_bool *cancel, double *progress,
                                 struct bt_error *err)
{
    double passes = 1, done = 1;
    if (cancel && atomic_load(cancel)) return bt_fail(err, BT_CANCELLED, "cancelled");
    if (!o->width) {
        o->other = malloc(o->cap * sizeof *o->other + 1);
        if (!o->other) return bt_fail(err, BT_NOMEM, "not enough memory to sort %zu rows", o->n);
        for (size_t i = 0; i < o->n; i += RUN) sort_run(o, o->key + i, smaller(RUN, o->n - i));
        o->width = RUN;
    } else if (o->width < o->n) {
        merge_some(o);
    }
    for (size_t w = RUN; w < o->n; w *= 2) {
        passes++;
        if (w < o->width) done++;
    }
    *progress = o->width >= o->n ? 1 : done / (passes + 1);
    return BT_OK;
}

uint32_t *bt_row_order_take(const struct bt_row_order *o, size_t *n)
{
    uint32_t *row = malloc((o->n + 1) * sizeof *row);
    *n = row ? o->n : 0;
    for (size_t i = 0; i < *n; i++) row[i] = o->key[i].row;
    return row;
}
