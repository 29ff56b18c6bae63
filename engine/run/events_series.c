#include "run/events_series.h"

#include <stdlib.h>

/* ── tags ── */

static uint64_t hash_bytes(const char *p, size_t n) /* FNV-1a */
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)p[i]) * 1099511628211u;
    return h;
}

static bool has_tag(const struct bt__series *s, const char *tag, size_t n)
{
    return s->tag_n == n && memcmp(s->tag, tag, n) == 0;
}

static bool grow_table(struct bt__series_set *set)
{
    if (set->n < set->cap) return true;
    size_t cap = set->cap ? set->cap * 2 : 64;
    struct bt__series **all = realloc(set->all, cap * sizeof(struct bt__series *));
    if (!all) return false;
    set->all = all;
    struct bt__series **slot = calloc(cap * 2, sizeof(struct bt__series *));
    if (!slot) return false;
    free(set->slot);
    set->slot = slot;
    set->n_slots = cap * 2;
    set->cap = cap;
    for (size_t i = 0; i < set->n; i++) {
        struct bt__series **head = &slot[all[i]->hash & (set->n_slots - 1)];
        all[i]->chain = *head;
        *head = all[i];
    }
    return true;
}

static struct bt__series *new_series(struct bt__series_set *set, const char *tag, size_t n, uint64_t hash)
{
    if (!grow_table(set)) return NULL;
    struct bt__series *s = calloc(1, sizeof *s);
    if (s) s->tag = calloc(1, n + 8);
    if (s && set->folder) s->folder = bt_strdup(set->folder);
    if (!s || !s->tag || (set->folder && !s->folder)) {
        if (s) free(s->tag);
        free(s);
        return NULL;
    }
    struct bt__series **head = &set->slot[hash & (set->n_slots - 1)];
    if (n) memcpy(s->tag, tag, n);
    s->tag_n = n;
    s->hash = hash;
    s->chain = *head;
    *head = s;
    set->all[set->n++] = s;
    return s;
}

static struct bt__series *lookup(const struct bt__series_set *set, const char *tag, size_t n, uint64_t hash)
{
    struct bt__series *s = set->n_slots ? set->slot[hash & (set->n_slots - 1)] : NULL;
    while (s && !has_tag(s, tag, n)) s = s->chain;
    return s;
}

struct bt__series *bt__series_lookup(const struct bt__series_set *set, const char *tag, size_t n)
{
    return lookup(set, tag, n, hash_bytes(tag, n));
}

static struct bt__series *find_series(struct bt__series_set *set, const char *tag, size_t n)
{
    struct bt__series *last = set->last;
    if (last && last->next && has_tag(last->next, tag, n)) return set->last = last->next;
    uint64_t hash = hash_bytes(tag, n);
    struct bt__series *s = lookup(set, tag, n, hash);
    if (!s) s = new_series(set, tag, n, hash);
    if (last && s) last->next = s;
    return s ? set->last = s : NULL;
}

/* ── polling ── */

enum { FIRST = 64, MOST_TIMES = 1 << 14 };

/* As many points as a series will have that had n when so much of the file was read; at least half as many again as now. */
static size_t room_for(const struct bt__series_set *set, size_t n)
{
    const size_t least = n < FIRST ? FIRST : n + n / 2;
    if (n < FIRST || !set->done) return least;
    double times = 1.05 * (double)set->size / (double)set->done;
    size_t most = (size_t)((times < MOST_TIMES ? times : MOST_TIMES) * (double)n);
    return most > least ? most : least;
}

/* The first series needs its columns: others that have as many points will need theirs now. */
static void look_ahead(struct bt__series_set *set, size_t room)
{
    size_t columns = 0;
    for (size_t i = 0; i < set->n; i++)
        for (int k = 0; k < BT__COLUMNS && set->all[i]->points.n >= FIRST / 2; k++) {
            struct bt__column *c = set->all[i]->points.column[k];
            columns += !c->counted;
            c->counted = true;
        }
    bt__store_ahead(&set->store, columns, room);
}

/* The column has the first n numbers of `own` (which may be NULL if n is 0), and *item behind them. */
static bool fits(struct bt__column *c, struct bt__column *own, size_t n, const void *item)
{
    return c && c != own && c->n > n && memcmp(bt__column_at(c, n), item, BT__ITEM) == 0 &&
           (!n || memcmp(c->item, own->item, n * BT__ITEM) == 0);
}

/* Shares the column of another series, if it fits. */
static bool share(struct bt__series_set *set, struct bt__series *s, int which, struct bt__series *other,
                  const void *item)
{
    struct bt__column **own = &s->points.column[which];
    if (!other || !fits(other->points.column[which], *own, s->points.n, item)) return false;
    bt__column_release(&set->store, *own);
    *own = other->points.column[which];
    (*own)->users++;
    s->beside = other;
    return true;
}

static bool own_column(struct bt__series_set *set, struct bt__series *s, int which)
{
    struct bt__column **own = &s->points.column[which], *more;
    const size_t n = s->points.n, room = room_for(set, n);
    if (n >= FIRST && !set->store.helped) look_ahead(set, room);
    if (!(more = bt__column_take(&set->store, room)) && !(more = bt__column_take(&set->store, n + n / 2 + 1)))
        return false;
    if (n) memcpy(more->item, (*own)->item, n * BT__ITEM);
    more->n = n;
    bt__column_release(&set->store, *own);
    *own = more;
    return true;
}

/* A file may go back and forth without end: looking for company takes time only so often. */
enum { PARTED_MOST = 16 };

/* Makes a column one that takes *item behind the points so far: another one where it is full, or where others need what it has there. `before`:
 * the series that the file has just before this one. */
static bool move_on(struct bt__series_set *set, struct bt__series *s, int which, struct bt__series *before,
                    const void *item)
{
    struct bt__column *c = s->points.column[which];
    const bool parts = c && c->n > s->points.n;
    if (parts && c->users == 1) {
        c->n = s->points.n;
        return true;
    }
    if (which != BT__COLUMN_VALUE && (!parts || s->parted++ < PARTED_MOST) &&
        (share(set, s, which, s->beside, item) || share(set, s, which, before, item) ||
         share(set, s, which, before ? before->beside : NULL, item)))
        return true;
    return own_column(set, s, which);
}

static bool put(struct bt__series_set *set, struct bt__series *s, int which, struct bt__series *before,
                const void *item)
{
    struct bt__column **c = &s->points.column[which];
    if (*c && bt__column_put(*c, s->points.n, item)) return true;
    return move_on(set, s, which, before, item) && bt__column_put(*c, s->points.n, item);
}

bool bt__series_add(struct bt__series_set *set, const struct bt__scalar *v, int64_t step, double wall)
{
    if (!v->tag && !v->has_value) return true;
    struct bt__series *before = set->last, *s = find_series(set, v->tag ? v->tag : "", v->tag_n);
    if (!s) return false;
    s->other |= v->other;
    if (!v->has_value || s->other) return true;
    struct bt__points *p = &s->points;
    /* A step below the last one, without a word: a run that was started again. TensorBoard's data server does the same. */
    if (p->n && step < bt__points_step(p, p->n - 1)) bt__points_cut(p, step);
    if (!put(set, s, BT__COLUMN_STEP, before, &step) || !put(set, s, BT__COLUMN_WALL, before, &wall) ||
        !put(set, s, BT__COLUMN_VALUE, before, &v->value))
        return false;
    p->n++;
    return true;
}

static bool steps_reserve(struct bt__steps *s, size_t n)
{
    if (n <= s->cap) return true;
    int64_t *step = realloc(s->step, (n + 16) * sizeof *step);
    if (!step) return false;
    s->step = step;
    s->cap = n + 16;
    return true;
}

static bool in_folder(const struct bt__series *s, const char *folder)
{
    return s->folder && folder ? strcmp(s->folder, folder) == 0 : !s->folder && !folder;
}

bool bt__series_supersede(struct bt__series_set *set, int64_t step)
{
    struct bt__steps *r = &set->resumes;
    for (size_t i = 0; i < set->n; i++)
        if (in_folder(set->all[i], set->folder)) bt__points_cut(&set->all[i]->points, step);
    if (set->folder) return true;
    while (r->n && r->step[r->n - 1] >= step - 1) r->n--;
    if (step <= 1) return true; /* a start, no resume */
    if (!steps_reserve(r, r->n + 1)) return false;
    r->step[r->n++] = step - 1;
    return true;
}

void bt__series_supersede_all(struct bt__series_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        set->all[i]->points.n = 0;
        set->all[i]->other = false;
    }
    set->resumes.n = 0;
}

/* ── committing ── */

static void release_all(struct bt__series_set *set, struct bt__points *p)
{
    for (int k = 0; k < BT__COLUMNS; k++) bt__column_release(&set->store, p->column[k]);
    *p = (struct bt__points){.n = 0};
}

static bool commit_one(struct bt__series_set *set, struct bt__series *s)
{
    const struct bt__points *p = &s->points;
    if (p->n == s->shown.n && memcmp(p->column, s->shown.column, sizeof p->column) == 0) return false;
    for (int k = 0; k < BT__COLUMNS; k++)
        if (p->column[k]) p->column[k]->users++;
    release_all(set, &s->shown);
    s->shown = *p;
    s->pub.tag = s->tag;
    s->pub.n = p->n;
    if (p->n) {
        s->pub.step = bt__column_at(p->column[BT__COLUMN_STEP], 0);
        s->pub.wall = bt__column_at(p->column[BT__COLUMN_WALL], 0);
        s->pub.value = bt__column_at(p->column[BT__COLUMN_VALUE], 0);
    }
    s->pub.version++;
    return true;
}

static int by_tag(const void *a, const void *b)
{
    return strcmp((*(struct bt__series *const *)a)->tag, (*(struct bt__series *const *)b)->tag);
}

static void list_shown(struct bt__series_set *set)
{
    if (set->shown_cap < set->n) {
        struct bt__series **shown = realloc(set->shown, set->cap * sizeof(struct bt__series *));
        if (!shown) return;
        set->shown = shown;
        set->shown_cap = set->cap;
    }
    set->n_shown = 0;
    for (size_t i = 0; i < set->n; i++)
        if (set->all[i]->pub.n && !set->all[i]->other) set->shown[set->n_shown++] = set->all[i];
    if (set->n_shown) qsort(set->shown, set->n_shown, sizeof(struct bt__series *), by_tag);
}

static bool commit_resumes(struct bt__series_set *set)
{
    struct bt__steps *to = &set->shown_resumes, *from = &set->resumes;
    if (to->n == from->n && (!to->n || memcmp(to->step, from->step, to->n * sizeof *to->step) == 0))
        return false;
    if (!steps_reserve(to, from->n)) return false;
    if (from->n) memcpy(to->step, from->step, from->n * sizeof *to->step);
    to->n = from->n;
    return true;
}

bool bt__series_commit(struct bt__series_set *set)
{
    bool changed = commit_resumes(set);
    for (size_t i = 0; i < set->n; i++) changed |= commit_one(set, set->all[i]);
    if (!changed) return false;
    list_shown(set);
    set->version++;
    return true;
}

void bt__series_free(struct bt__series_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        release_all(set, &set->all[i]->points);
        release_all(set, &set->all[i]->shown);
        free(set->all[i]->tag);
        free(set->all[i]->folder);
        free(set->all[i]);
    }
    free(set->all);
    free(set->slot);
    free(set->shown);
    free(set->resumes.step);
    free(set->shown_resumes.step);
    bt__store_free(&set->store);
    *set = (struct bt__series_set){0};
}
