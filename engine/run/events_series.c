#include "run/events_series.h"

#include <stdlib.h>

/* ── points ── */

static bool points_reserve(struct bt__points *p, size_t more)
{
    if (p->cap - p->n >= more) return true;
    size_t cap = p->cap ? p->cap * 2 : 64;
    while (cap < p->n + more) cap *= 2;
    int64_t *step = realloc(p->step, cap * sizeof *step);
    if (step) p->step = step;
    double *wall = realloc(p->wall, cap * sizeof *wall);
    if (wall) p->wall = wall;
    double *value = realloc(p->value, cap * sizeof *value);
    if (value) p->value = value;
    if (!step || !wall || !value) return false;
    p->cap = cap;
    return true;
}

static void points_free(struct bt__points *p)
{
    free(p->step);
    free(p->wall);
    free(p->value);
    *p = (struct bt__points){0};
}

/* Keeps the steps below `step`. */
static void points_cut(struct bt__points *p, int64_t step)
{
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->step[middle] < step)
            low = middle + 1;
        else
            high = middle;
    }
    p->n = low;
}

static bool points_append(struct bt__points *to, struct bt__points *from)
{
    if (to->n == 0) { /* the first load: no copy */
        struct bt__points empty = *to;
        *to = *from;
        *from = empty;
        from->n = 0;
        return true;
    }
    if (!points_reserve(to, from->n)) return false;
    memcpy(to->step + to->n, from->step, from->n * sizeof *to->step);
    memcpy(to->wall + to->n, from->wall, from->n * sizeof *to->wall);
    memcpy(to->value + to->n, from->value, from->n * sizeof *to->value);
    to->n += from->n;
    from->n = 0;
    return true;
}

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
    if (!s || !(s->tag = bt_strndup(tag, n))) {
        free(s);
        return NULL;
    }
    struct bt__series **head = &set->slot[hash & (set->n_slots - 1)];
    s->tag_n = n;
    s->hash = hash;
    s->chain = *head;
    *head = s;
    set->all[set->n++] = s;
    return s;
}

static struct bt__series *find_series(struct bt__series_set *set, const char *tag, size_t n)
{
    struct bt__series *last = set->last;
    if (last && last->next && has_tag(last->next, tag, n)) return set->last = last->next;
    uint64_t hash = hash_bytes(tag, n);
    struct bt__series *s = set->n_slots ? set->slot[hash & (set->n_slots - 1)] : NULL;
    while (s && !has_tag(s, tag, n)) s = s->chain;
    if (!s) s = new_series(set, tag, n, hash);
    if (last) last->next = s;
    return set->last = s;
}

/* ── polling ── */

static void supersede_one(struct bt__series *s, int64_t step)
{
    points_cut(&s->added, step);
    if (s->shown.n == 0 || s->shown.step[s->shown.n - 1] < step) return;
    if (!s->cut || step < s->cut_step) s->cut_step = step;
    s->cut = true;
}

/* The last step that is not superseded; false if there is none. */
static bool last_step(const struct bt__series *s, int64_t *step)
{
    if (s->added.n)
        *step = s->added.step[s->added.n - 1];
    else if (s->shown.n)
        *step = s->shown.step[s->shown.n - 1];
    else
        return false;
    if (s->added.n || !s->cut || *step < s->cut_step) return true;
    if (s->cut_step == INT64_MIN) return false;
    *step = s->cut_step - 1; /* none that stays is above that */
    return true;
}

bool bt__series_add(struct bt__series_set *set, const struct bt__scalar *v, int64_t step, double wall)
{
    int64_t last;
    if (!v->tag && !v->has_value) return true;
    struct bt__series *s = find_series(set, v->tag ? v->tag : "", v->tag_n);
    if (!s) return false;
    s->other |= v->other;
    if (!v->has_value || s->other) return true;
    /* A step below the last one, without a word: a run that was started again. TensorBoard's data server does the same. */
    if (last_step(s, &last) && step < last) supersede_one(s, step);
    struct bt__points *p = &s->added;
    if (!points_reserve(p, 1)) return false;
    p->step[p->n] = step;
    p->wall[p->n] = wall;
    p->value[p->n++] = v->value;
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

bool bt__series_supersede(struct bt__series_set *set, int64_t step)
{
    struct bt__steps *r = &set->resumes;
    for (size_t i = 0; i < set->n; i++) supersede_one(set->all[i], step);
    while (r->n && r->step[r->n - 1] >= step - 1) r->n--;
    if (step <= 1) return true; /* a start, no resume */
    if (!steps_reserve(r, r->n + 1)) return false;
    r->step[r->n++] = step - 1;
    return true;
}

void bt__series_supersede_all(struct bt__series_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        supersede_one(set->all[i], INT64_MIN);
        set->all[i]->other = false;
    }
    set->resumes.n = 0;
}

/* ── committing ── */

static bool commit_one(struct bt__series *s)
{
    bool changed = s->cut || s->added.n;
    if (!changed) return false;
    if (s->cut) points_cut(&s->shown, s->cut_step);
    s->cut = false;
    if (s->added.n) points_append(&s->shown, &s->added);
    s->pub = (struct bt_series){.tag = s->tag,
                                .n = s->shown.n,
                                .step = s->shown.step,
                                .wall = s->shown.wall,
                                .value = s->shown.value,
                                .version = s->pub.version + 1};
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
        if (set->all[i]->shown.n && !set->all[i]->other) set->shown[set->n_shown++] = set->all[i];
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
    for (size_t i = 0; i < set->n; i++) changed |= commit_one(set->all[i]);
    if (!changed) return false;
    list_shown(set);
    set->version++;
    return true;
}

void bt__series_free(struct bt__series_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        points_free(&set->all[i]->shown);
        points_free(&set->all[i]->added);
        free(set->all[i]->tag);
        free(set->all[i]);
    }
    free(set->all);
    free(set->slot);
    free(set->shown);
    free(set->resumes.step);
    free(set->shown_resumes.step);
    *set = (struct bt__series_set){0};
}
