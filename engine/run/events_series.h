/* The series that an event reader collects: what was read (by the thread that polls), and how much of it is shown (to the thread that
 * draws) until the next commit. Both look at the same columns: the polling thread writes only behind what is shown, or in others.
 *
 * The set owns everything; zero-initialise, bt__series_free(). */
#ifndef RUN_EVENTS_SERIES_H
#define RUN_EVENTS_SERIES_H

#include "run/events_decode.h"
#include "run/events_points.h"

#include <bertty/events.h>

struct bt__series {
    char *tag; /* readable up to 8 bytes behind its end */
    size_t tag_n;
    uint64_t hash;
    char *folder;              /* where it was first met; NULL: in the run's own directory */
    bool other;                /* another plugin's: no scalar */
    struct bt__series *next;   /* the one that followed last time: often the one that follows now */
    struct bt__series *chain;  /* in the hash table's slot */
    struct bt__series *beside; /* whose columns it shared last */
    unsigned parted;           /* how often it left a column because its numbers were others */
    struct bt__points points;  /* what was read, steps ascending */
    struct bt__points shown;   /* what is shown, */
    struct bt_series pub;      /* as others see it */
};

struct bt__steps {
    int64_t *step;
    size_t n, cap;
};

struct bt__series_set {
    struct bt__series **all; /* in the order of their first appearance */
    size_t n, cap;
    struct bt__series **slot; /* hash table of n_slots, a power of two */
    size_t n_slots;
    struct bt__series *last;
    struct bt__series **shown; /* those with points, by tag */
    size_t n_shown, shown_cap;
    struct bt__steps resumes, shown_resumes;
    uint64_t version;
    struct bt__point_store store;
    const char *folder;  /* of the file that is being read, borrowed; NULL: the run's own directory */
    uint64_t done, size; /* of the file that is being read, bytes: what series will need is judged by it */
};

/* Polling thread: the series of a tag, NULL if there is none yet. */
struct bt__series *bt__series_lookup(const struct bt__series_set *set, const char *tag, size_t n);
/* Polling thread; false without memory. */
bool bt__series_add(struct bt__series_set *set, const struct bt__scalar *s, int64_t step, double wall);
/* Of the folder that is being read alone. */
bool bt__series_supersede(struct bt__series_set *set, int64_t step);
void bt__series_supersede_all(struct bt__series_set *set);

/* Drawing thread. True if anything changed. Without memory what was read stays for the next commit. */
bool bt__series_commit(struct bt__series_set *set);

void bt__series_free(struct bt__series_set *set);

#endif
