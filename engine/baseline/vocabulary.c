#include "baseline/vocabulary.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 1 << 12,
    MOST_TERMS = INT32_MAX - 2 /* liblinear counts features, and one more, in an int */
};

/* FNV-1a */
static uint32_t hash_of(const char *text, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

/* Where the term is, or where it would be put. */
static uint32_t *slot_of(const struct bt__vocabulary *v, const char *text, size_t n, uint32_t hash)
{
    size_t i = hash & (v->slots - 1);
    for (; v->slot[i]; i = (i + 1) & (v->slots - 1)) {
        const struct bt__term *t = &v->term[v->slot[i] - 1];
        if (t->hash == hash && t->n == n && memcmp(v->text.data + t->at, text, n) == 0) break;
    }
    return &v->slot[i];
}

int64_t bt__vocabulary_find(const struct bt__vocabulary *v, const char *text, size_t n)
{
    return v->slots ? (int64_t)*slot_of(v, text, n, hash_of(text, n)) - 1 : -1;
}

/* All terms into slots that are free. */
static void fill(struct bt__vocabulary *v)
{
    for (size_t k = 0; k < v->n; k++) {
        size_t i = v->term[k].hash & (v->slots - 1);
        while (v->slot[i]) i = (i + 1) & (v->slots - 1);
        v->slot[i] = (uint32_t)k + 1;
    }
}

static bool room(struct bt__vocabulary *v)
{
    if (v->n >= MOST_TERMS) return false;
    if (v->n == v->cap) {
        struct bt__term *more = realloc(v->term, (2 * v->cap + FIRST_SLOTS) * sizeof *more);
        if (!more) return false;
        v->term = more;
        v->cap = 2 * v->cap + FIRST_SLOTS;
    }
    if (2 * v->n < v->slots) return true;
    uint32_t *slot = calloc(v->slots ? 2 * v->slots : FIRST_SLOTS, sizeof *slot);
    if (!slot) return false;
    free(v->slot);
    v->slot = slot;
    v->slots = v->slots ? 2 * v->slots : FIRST_SLOTS;
    fill(v);
    return true;
}

int64_t bt__vocabulary_add(struct bt__vocabulary *v, const char *text, size_t n)
{
    if (!room(v)) return -1;
    const uint32_t hash = hash_of(text, n);
    uint32_t *slot = slot_of(v, text, n, hash);
    if (*slot) return (int64_t)*slot - 1;
    const size_t at = v->text.len;
    bt_str_addn(&v->text, text, n);
    if (v->text.failed) return -1;
    v->term[v->n++] = (struct bt__term){.at = at, .n = n, .hash = hash};
    *slot = (uint32_t)v->n;
    return (int64_t)v->n - 1;
}

/* ── order ── */

struct entry {
    const char *text;
    struct bt__term term;
    uint32_t was;
};

static int bytewise(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const size_t n = x->term.n < y->term.n ? x->term.n : y->term.n;
    const int c = memcmp(x->text, y->text, n);
    return c ? c : (x->term.n > y->term.n) - (x->term.n < y->term.n);
}

bool bt__vocabulary_sort(struct bt__vocabulary *v, uint32_t *place)
{
    struct entry *e = calloc(v->n + 1, sizeof *e);
    if (!e) return false;
    for (size_t i = 0; i < v->n; i++)
        e[i] = (struct entry){.text = v->text.data + v->term[i].at, .term = v->term[i], .was = (uint32_t)i};
    if (v->n) qsort(e, v->n, sizeof *e, bytewise);
    for (size_t i = 0; i < v->n; i++) {
        v->term[i] = e[i].term;
        place[e[i].was] = (uint32_t)i;
    }
    free(e);
    if (v->n) memset(v->slot, 0, v->slots * sizeof *v->slot);
    fill(v);
    return true;
}

void bt__vocabulary_free(struct bt__vocabulary *v)
{
    bt_str_free(&v->text);
    free(v->term);
    free(v->slot);
    *v = (struct bt__vocabulary){.n = 0};
}
