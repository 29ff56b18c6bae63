#include "run/events_points.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { POINT_BYTES = BT__COLUMNS * BT__ITEM, CACHE_LINE = 64, LARGE_PAGE = 2 << 20 };
static const uint64_t LEAST_MAP = 2 * LARGE_PAGE, MOST_MAP = (uint64_t)4 << 30; /* bytes */
static const size_t MOST_AHEAD = 64 << 20;
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* <asm-generic/mman-common.h> since Linux 5.14; an older one refuses it */
#endif

void bt__store_expect(struct bt__point_store *s, uint64_t points)
{
    if (s->tried || points < LEAST_MAP / POINT_BYTES || points > MOST_MAP / POINT_BYTES) return;
    s->tried = true;
#ifdef MADV_HUGEPAGE
    size_t size = (size_t)points * POINT_BYTES + LARGE_PAGE;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return;
    s->map = map;
    s->size = size;
    s->free = (uint8_t *)(((uintptr_t)map + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1));
    (void)madvise(s->free, (size_t)points * POINT_BYTES, MADV_HUGEPAGE); /* without it all works too */
#endif
}

/* From the end on: blocks are taken and written to from the beginning on. */
static void *make_ready(void *store)
{
    struct bt__point_store *s = store;
    for (uint8_t *at = s->to; at > s->from && !atomic_load(&s->enough); at -= LARGE_PAGE)
        if (madvise(at - LARGE_PAGE, LARGE_PAGE, MADV_POPULATE_WRITE) != 0) break;
    return NULL;
}

/* Bytes of a column for so many numbers, an odd number of cache lines: columns that are filled at the same pace never fall into the same few
 * sets of the cache. */
static size_t bytes_of(size_t room)
{
    const size_t bytes = sizeof(struct bt__column) + room * BT__ITEM;
    return ((bytes + CACHE_LINE - 1) / CACHE_LINE | 1) * CACHE_LINE;
}

void bt__store_ahead(struct bt__point_store *s, size_t columns, size_t room)
{
    sigset_t all, old;
    if (!s->map || s->helped || !columns || room > MOST_AHEAD / BT__ITEM / columns) return;
    const size_t pages = columns * bytes_of(room) / LARGE_PAGE;
    s->from = (uint8_t *)(((uintptr_t)s->free + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1));
    s->to = s->from + pages * LARGE_PAGE;
    if (s->to > (uint8_t *)s->map + s->size) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for others */
    s->helped = pthread_create(&s->helper, NULL, make_ready, s) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct bt__column *bt__column_take(struct bt__point_store *s, size_t room)
{
    if (room > SIZE_MAX / BT__ITEM / 2) return NULL;
    const size_t bytes = bytes_of(room);
    uint8_t *end = s->map ? (uint8_t *)s->map + s->size : NULL;
    struct bt__column *c;
    if (s->map && (size_t)(end - s->free) >= bytes) {
        c = (struct bt__column *)(void *)s->free;
        s->free += bytes;
    } else if (!(c = malloc(bytes))) {
        return NULL;
    }
    *c = (struct bt__column){.room = (bytes - sizeof *c) / BT__ITEM, .users = 1};
    return c;
}

static bool mapped(const struct bt__point_store *s, const void *p)
{
    return s->map && (uintptr_t)p >= (uintptr_t)s->map && (uintptr_t)p < (uintptr_t)s->map + s->size;
}

/* Gives back the whole pages of a column in the mapping. */
static void give_back(const struct bt__column *c)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)c;
    const uintptr_t end = begin + bytes_of(c->room), first = (begin + page - 1) / page * page;
    if (end / page * page > first) (void)madvise((void *)first, end / page * page - first, MADV_DONTNEED);
}

void bt__column_release(const struct bt__point_store *s, struct bt__column *c)
{
    if (!c || --c->users) return;
    if (mapped(s, c))
        give_back(c);
    else
        free(c);
}

void bt__store_free(struct bt__point_store *s)
{
    atomic_store(&s->enough, true);
    if (s->helped) pthread_join(s->helper, NULL);
    if (s->map) munmap(s->map, s->size);
    *s = (struct bt__point_store){.map = NULL};
}

void bt__points_cut(struct bt__points *p, int64_t step)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bt__points_step(p, middle) < step)
            low = middle + 1;
        else
            high = middle;
    }
    p->n = low;
}
