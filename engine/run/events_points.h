/* The columns of series: one number of eight bytes for each point, a block of memory each; and where such blocks come from.
 *
 * Series that are logged together have their steps in common, and often their wall times: such a column is kept once. Series that share
 * one may have come to different places in it, and none writes over what is there: who finds another number there than its own parts
 * from it (events_series.c).
 *
 * The blocks of a large file lie in one mapping with large pages: thousands of page faults fewer. A struct bt__point_store owns the mapping
 * alone: zero-initialise it, bt__store_free() when no block of it is in use any more. One thread at a time, but for bt__column_release(). Such
 * pages are cleared by the kernel when they are first written to, which may take as long as reading the file: a thread of the store's
 * own helps. */
#ifndef RUN_EVENTS_POINTS_H
#define RUN_EVENTS_POINTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    BT__COLUMN_STEP /* int64_t */,
    BT__COLUMN_WALL /* double */,
    BT__COLUMN_VALUE /* double */,
    BT__COLUMNS
};

enum {
    BT__ITEM = 8,                   /* bytes of a number */
    BT__COLUMN_LINE = 64 / BT__ITEM /* numbers of a cache line */
};

struct bt__column {
    size_t n, room; /* numbers in it, and as many as there may be */
    unsigned users; /* of what is read and of what is shown */
    bool counted;   /* among those that memory is made ready for */
    _Alignas(BT__ITEM) unsigned char item[];
};

struct bt__points {
    struct bt__column *column[BT__COLUMNS]; /* all of them or, without any points, some or none */
    size_t n;                               /* points; each column has as many numbers, or more of others */
};

struct bt__point_store {
    void *map; /* NULL: none */
    size_t size;
    uint8_t *free; /* from here to the mapping's end */
    bool tried;    /* at most one mapping */

    bool helped; /* there is a helper, or there was */
    pthread_t helper;
    uint8_t *from, *to; /* what it makes ready */
    atomic_bool enough; /* it ends soon */
};

/* So many points are to come, about. */
void bt__store_expect(struct bt__point_store *s, uint64_t points);
/* So many columns for `room` numbers will be taken and written to at once. Only the first call counts. */
void bt__store_ahead(struct bt__point_store *s, size_t columns, size_t room);
void bt__store_free(struct bt__point_store *s);

/* A column for `room` numbers or a few more, without any yet and with one user; NULL without memory. */
struct bt__column *bt__column_take(struct bt__point_store *s, size_t room);
/* A user less (c may be NULL); without any the column is gone. */
void bt__column_release(const struct bt__point_store *s, struct bt__column *c);

static inline void *bt__column_at(struct bt__column *c, size_t i)
{
    return c->item + i * BT__ITEM;
}

/* The number behind the first n is *item: it was already, or it is written. False: another one is there, or there is no room. Of dozens of
 * columns that grow side by side no processor foretells where will be written: it is told. */
static inline bool bt__column_put(struct bt__column *c, size_t n, const void *item)
{
    enum { AHEAD = 3 * BT__COLUMN_LINE };
    if (c->n > n) return memcmp(bt__column_at(c, n), item, BT__ITEM) == 0;
    if (n == c->room) return false;
    if (n % BT__COLUMN_LINE == 0 && n + AHEAD < c->room) __builtin_prefetch(bt__column_at(c, n + AHEAD), 1);
    memcpy(bt__column_at(c, n), item, BT__ITEM);
    c->n = n + 1;
    return true;
}

static inline int64_t bt__points_step(const struct bt__points *p, size_t i)
{
    int64_t step;
    memcpy(&step, bt__column_at(p->column[BT__COLUMN_STEP], i), sizeof step);
    return step;
}

/* Keeps the points with steps below `step`. */
void bt__points_cut(struct bt__points *p, int64_t step);

#endif
