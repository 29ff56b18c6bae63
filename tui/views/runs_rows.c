#include "tui/views/runs_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ── numbers ── */

/* Of the columns that stand for one; BT_RUN_COLUMNS: none. */
static const enum bt_run_column figures[RUNS_COLUMNS] = {
    [RUNS_MARK] = BT_RUN_COLUMNS, [RUNS_STATE] = BT_RUN_COLUMNS, [RUNS_ID] = BT_RUN_COLUMNS,
    [RUNS_BEST] = BT_RUN_BEST,    [RUNS_AT] = BT_RUN_COLUMNS,    [RUNS_LAST] = BT_RUN_LAST,
    [RUNS_LOSS] = BT_RUN_LOSS,    [RUNS_CURVE] = BT_RUN_LOSS,    [RUNS_PROGRESS] = BT_RUN_PROGRESS,
    [RUNS_EPOCH] = BT_RUN_EPOCH,  [RUNS_SPEED] = BT_RUN_SPEED,   [RUNS_ETA] = BT_RUN_LEFT,
    [RUNS_AGE] = BT_RUN_AGE,      [RUNS_TAGS] = BT_RUN_COLUMNS};

double runs_number(const struct bt_run_status *s, enum runs_column column, double now)
{
    if (column == RUNS_STATE) return (double)s->state + 1e-6 * (double)s->place; /* the queue in its order */
    if (column == RUNS_AT) return s->best_step >= 0 ? (double)s->best_step : NAN;
    return bt_run_number(figures[column], s, now);
}

bool runs_descending_first(enum runs_column column)
{
    return column != RUNS_STATE && column != RUNS_ID && column != RUNS_LOSS && column != RUNS_CURVE &&
           column != RUNS_ETA && column != RUNS_AGE && column != RUNS_TAGS;
}

/* ── order ── */

struct sorting {
    const struct bt_run_list *list;
    const struct runs_order *order;
};

static int by_number(double a, double b, bool descending)
{
    if (isnan(a) || isnan(b)) return (int)isnan(a) - (int)isnan(b);
    int c = (a > b) - (a < b);
    return descending ? -c : c;
}

static int by_tag(const struct bt_notes *a, const struct bt_notes *b, bool descending)
{
    if (!a->n_tags || !b->n_tags) return (int)!a->n_tags - (int)!b->n_tags;
    return descending ? strcasecmp(b->tag[0], a->tag[0]) : strcasecmp(a->tag[0], b->tag[0]);
}

static int compare_rows(const void *pa, const void *pb, void *ctx)
{
    const struct sorting *s = ctx;
    size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
    const struct bt_run_status *x = &s->list->run[a], *y = &s->list->run[b];
    const struct runs_order *o = s->order;
    int c;
    if (o->column == RUNS_ID)
        c = o->descending ? strcmp(y->id, x->id) : strcmp(x->id, y->id);
    else if (o->column == RUNS_TAGS)
        c = by_tag(&x->notes, &y->notes, o->descending);
    else if (o->column == RUNS_MARK)
        c = by_number(o->marked(o->ctx, x->dir), o->marked(o->ctx, y->dir), o->descending);
    else
        c = by_number(runs_number(x, o->column, o->now), runs_number(y, o->column, o->now), o->descending);
    return c ? c : (a > b) - (a < b);
}

static bool shows_hidden(const struct runs_which *which)
{
    return which->hidden || (which->filter && bt_run_filter_hidden(which->filter));
}

size_t runs_hidden(const struct bt_run_list *list, const struct runs_which *which)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n && !shows_hidden(which); i++)
        n += bt_notes_tagged(&list->run[i].notes, BT_TAG_HIDDEN);
    return n;
}

/* The tag `hidden` counts unless it is asked for. */
static bool shown(const struct bt_run_status *s, const struct runs_which *which, bool hidden, double now)
{
    if (!hidden && bt_notes_tagged(&s->notes, BT_TAG_HIDDEN)) return false;
    if (!which->filter) return true;
    struct bt_run_facts facts = bt_facts_of(which->facts, s->dir);
    return bt_run_filter_match(which->filter, s, &facts, now);
}

size_t runs_rows(const struct bt_run_list *list, const struct runs_which *which,
                 const struct runs_order *order, size_t *row)
{
    struct sorting s = {.list = list, .order = order};
    bool hidden = shows_hidden(which);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (shown(&list->run[i], which, hidden, order->now)) row[n++] = i;
    qsort_r(row, n, sizeof *row, compare_rows, &s);
    return n;
}

/* ── texts ── */

void runs_duration(struct bt_str *out, double seconds)
{
    if (!(seconds >= 0.0) || seconds > 1e9) return;
    long long s = (long long)seconds;
    if (s < 60)
        bt_str_addf(out, "%llds", s);
    else if (s < 3600)
        bt_str_addf(out, "%lldm", s / 60);
    else if (s < 86400)
        bt_str_addf(out, "%lldh%02lld", s / 3600, s / 60 % 60);
    else
        bt_str_addf(out, "%lldd", s / 86400);
}
