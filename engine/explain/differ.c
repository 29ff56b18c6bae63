/* How what a model says of a variant differs from what it says of the original. */
#include "explain/vary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ── the same thing in another text ── */

/* The edits of the text that answers lie in. */
struct shifts {
    const struct bt__shift *item;
    size_t n;
};

/* Where a place of the original lies in the variant. A place that begins or ends within what was replaced begins or ends with that. */
static size_t moved(const struct shifts *s, size_t at, bool end)
{
    size_t more = 0, less = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct bt__shift *x = &s->item[i];
        if (end ? at <= x->begin : at < x->begin) break;
        if (at < x->end) return x->begin + more - less + (end ? x->put : 0);
        more += x->put;
        less += x->end - x->begin;
    }
    return at + more - less;
}

/* All of it was left out. */
static bool is_gone(const struct shifts *s, const struct bt__piece *p)
{
    return p->end > p->begin && moved(s, p->begin, false) >= moved(s, p->end, true);
}

static bool same_place(const struct shifts *s, const struct bt__piece *a, const struct bt__piece *b)
{
    return moved(s, a->begin, false) == b->begin && moved(s, a->end, true) == b->end;
}

static bool same_type(const struct bt__piece *a, const struct bt__piece *b)
{
    return a->type == b->type && strncmp(a->label, b->label, a->type) == 0;
}

/* What piece i of a is in b; of masks the same word for the same mask. */
static const struct bt__piece *counterpart(int task, const struct bt__said *a, size_t i,
                                           const struct bt__said *b, const struct shifts *s)
{
    const struct bt__piece *p = &a->piece[i];
    size_t mask = 0, number = 0;
    for (size_t k = 0; task == BT_TYPE_MLM && k <= i; k++) mask += a->piece[k].chosen;
    for (size_t k = 0; k < b->n; k++) {
        const struct bt__piece *q = &b->piece[k];
        number += q->chosen;
        if (task == BT_TYPE_MLM   ? number == mask && strcmp(p->label, q->label) == 0
            : task == BT_TYPE_NER ? same_place(s, p, q) && same_type(p, q)
                                  : (task == BT_TYPE_QA ? same_place(s, p, q)
                                                        : k == i)) /* labels and choices keep their order */
            return q;
    }
    return NULL;
}

/* ── differences ── */

/* What changes most, the first of those that change alike: two labels' probabilities are rounded apart. */
static void take(struct bt__difference *d, const struct bt__piece *of, double before, double after)
{
    const double rounding = 1e-6;
    if (d->of && !(fabs(after - before) > fabs(d->after - d->before) + rounding)) return;
    *d = (struct bt__difference){.flipped = d->flipped, .of = of->label, .before = before, .after = after};
}

/* Entities of the variant that the original has not, wherever they are. */
static void take_new(int task, const struct bt__said *a, const struct bt__said *b, const struct shifts *s,
                     struct bt__difference *d)
{
    for (size_t k = 0; k < b->n; k++) {
        bool known = false;
        for (size_t i = 0; i < a->n && !known; i++) known = counterpart(task, a, i, b, s) == &b->piece[k];
        if (known) continue;
        d->flipped = true;
        take(d, &b->piece[k], 0.0, b->piece[k].score);
    }
}

static void differ_entities(const struct bt__said *a, const struct bt__said *b, const struct shifts *s,
                            struct bt__difference *d)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct bt__piece *q = counterpart(BT_TYPE_NER, a, i, b, s);
        if (is_gone(s, &a->piece[i])) continue;
        d->flipped |= !q;
        take(d, &a->piece[i], a->piece[i].score, q ? q->score : 0.0);
    }
    take_new(BT_TYPE_NER, a, b, s, d);
}

/* Of answers and words those that were chosen count; whatever is not among the best any more has a probability of nearly 0. */
static void differ_chosen(int task, const struct bt__said *a, const struct bt__said *b,
                          const struct shifts *s, struct bt__difference *d)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct bt__piece *q = counterpart(task, a, i, b, s);
        if (!a->piece[i].chosen) continue;
        const bool same = q && q->chosen;
        d->flipped |= !same;
        take(d, &a->piece[i], a->piece[i].score, q ? q->score : 0.0);
    }
}

static void differ_labels(int task, const struct bt__said *a, const struct bt__said *b,
                          const struct shifts *s, struct bt__difference *d)
{
    /* The chosen ones first: of two labels that change as much theirs is told. */
    for (int chosen = 1; chosen >= 0; chosen--)
        for (size_t i = 0; i < a->n; i++) {
            const struct bt__piece *q = counterpart(task, a, i, b, s);
            if (!q || a->piece[i].chosen != (bool)chosen) continue;
            d->flipped |= q->chosen != a->piece[i].chosen;
            take(d, &a->piece[i], a->piece[i].score, q->score);
        }
}

struct bt__difference bt__said_differ(int task, const struct bt__said *a, const struct bt__said *b,
                                      const struct bt__shift *shift, size_t n)
{
    const struct shifts s = {.item = shift, .n = n};
    struct bt__difference d = {.of = NULL};
    switch (bt__way_of(task)) {
    case BT__ENTITIES:
        differ_entities(a, b, &s, &d);
        break;
    case BT__FREE_TEXT:
        differ_chosen(task, a, b, &s, &d);
        break;
    default:
        differ_labels(task, a, b, &s, &d);
        break;
    }
    if (bt__way_of(task) == BT__NUMBER) {
        d.flipped = false;
        d.of = NULL;
    }
    return d;
}

double bt__said_score(int task, const struct bt__said *s)
{
    double least = (double)NAN;
    if (bt__way_of(task) == BT__NUMBER) return s->n ? s->piece[0].score : least;
    for (size_t i = 0; i < s->n; i++)
        if (s->piece[i].chosen) least = fmin(least, s->piece[i].score);
    return least;
}
