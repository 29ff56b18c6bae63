/* The points of a series in one block of memory, a column behind the other; and where such blocks come from.
 *
 * The blocks of a large file lie in one mapping with large pages: thousands of page faults fewer. A struct bt__point_store owns the mapping alone:
 * zero-initialise it, bt__store_free() when no block of it is in use any more. One thread at a time, but for bt__store_release(). Such pages are
 * cleared by the kernel when they are first written to, which may take as long as reading the file: a thread of the store's own helps. */
#ifndef RUN_EVENTS_POINTS_H
#define RUN_EVENTS_POINTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt__points {
    int64_t *step; /* where the block begins; NULL: none */
    double *wall, *value;
    size_t n, room; /* points in it; as many as it may hold as it stands */
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
/* So many blocks for `room` points will be taken and written to at once. Only the first call counts. */
void bt__store_ahead(struct bt__point_store *s, size_t blocks, size_t room);
/* A block for `room` points or a few more, without any yet; false without memory. */
bool bt__store_take(struct bt__point_store *s, size_t room, struct bt__points *out);
/* The block, if it is one, is no longer used. */
void bt__store_release(const struct bt__point_store *s, struct bt__points *p);
void bt__store_free(struct bt__point_store *s);

/* Keeps the steps below `step`. */
void bt__points_cut(struct bt__points *p, int64_t step);

#endif
