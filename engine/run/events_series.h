/* The series that an event reader collects, in two layers: what was read (by the thread that polls) and what is shown (to the
 * thread that draws) until the next commit.
 *
 * The set owns everything; zero-initialise, bt__series_free(). */
#ifndef RUN_EVENTS_SERIES_H
#define RUN_EVENTS_SERIES_H

#include "run/events_decode.h"

#include <bertty/events.h>

struct bt__points {
    int64_t *step;
    double *wall, *value;
    size_t n, cap;
};

struct bt__series {
    char *tag;
    size_t tag_n;
    uint64_t hash;
    bool other;                     /* another plugin's: no scalar */
    struct bt__series *next;        /* the one that followed last time: often the one that follows now */
    struct bt__series *chain;       /* in the hash table's slot */
    struct bt__points shown, added; /* steps ascending within each */
    bool cut;                       /* at the next commit, shown loses its steps ≥ cut_step */
    int64_t cut_step;
    struct bt_series pub;
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
};

/* Polling thread; false without memory. */
bool bt__series_add(struct bt__series_set *set, const struct bt__scalar *s, int64_t step, double wall);
bool bt__series_supersede(struct bt__series_set *set, int64_t step);
void bt__series_supersede_all(struct bt__series_set *set);

/* Drawing thread. True if anything changed. Without memory what was read stays for the next commit. */
bool bt__series_commit(struct bt__series_set *set);

void bt__series_free(struct bt__series_set *set);

#endif
