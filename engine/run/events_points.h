/* The points of a series in one block of memory, a column behind the other; and where such blocks come from.
 *
 * The blocks of a large file lie in one mapping with large pages: thousands of page faults fewer. A struct bt__point_store owns the mapping alone:
 * zero-initialise it, bt__store_free() when no block of it is in use any more. One thread at a time, but for bt__store_release(). */
#ifndef RUN_EVENTS_POINTS_H
#define RUN_EVENTS_POINTS_H

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
};

/* So many points are to come, about. */
void bt__store_expect(struct bt__point_store *s, uint64_t points);
/* A block for `room` points or a few more, without any yet; false without memory. */
bool bt__store_take(struct bt__point_store *s, size_t room, struct bt__points *out);
/* The block, if it is one, is no longer used. */
void bt__store_release(const struct bt__point_store *s, struct bt__points *p);
void bt__store_free(struct bt__point_store *s);

/* Keeps the steps below `step`. */
void bt__points_cut(struct bt__points *p, int64_t step);

#endif
