#include "run/label_decisions.h"

#include "dataset/store.h"
#include "tasks/classes.h"
#include <bertty/label_decisions.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct deciding {
    const char *path;
    size_t line;
    const struct bt__task *t;
    struct bt__task_data *d;
    unsigned char *decided; /* [n] enum bt_verdict of the rows */
    struct bt_error *err;
};

static enum bt_status wrong(const struct deciding *g, const char *fmt, ...) BT_PRINTF(2, 3);
static enum bt_status wrong(const struct deciding *g, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return bt_fail(g->err, BT_INVALID, "%s:%zu: %s", g->path, g->line, text);
}

static int label_of(const struct deciding *g, const char *name)
{
    return name ? bt__classes_index(&g->t->labels, name, strlen(name)) : -1;
}

/* The row's label must be the one that was looked at: else the data have changed since. */
static enum bt_status check_row(const struct deciding *g, int64_t row, const char *given)
{
    if (row < 1 || (uint64_t)row > g->d->n) return wrong(g, "row %lld of %zu rows", (long long)row, g->d->n);
    const struct bt_example *x = &g->d->examples->at[row - 1];
    const int is = x->label ? bt__classes_index(&g->t->labels, x->label, x->label_n) : -1;
    if (!given || is < 0 || label_of(g, given) != is)
        return wrong(g, "row %lld is \"%.*s\" in the data, the decision was about \"%.60s\"", (long long)row,
                     (int)(x->label_n < 60 ? x->label_n : 60), x->label ? x->label : "", given ? given : "");
    return BT_OK;
}

static enum bt_status decide(const struct deciding *g, const struct bt_label_decision *about,
                             struct bt__label_decisions *told)
{
    enum bt_status st = check_row(g, about->row, about->given);
    if (st) return st;
    g->decided[about->row - 1] = (unsigned char)about->verdict;
    told->kept += about->verdict == BT_KEEP;
    told->dropped += about->verdict == BT_DROP;
    told->relabelled += about->verdict == BT_RELABEL;
    if (about->verdict != BT_RELABEL) return BT_OK;
    const int label = label_of(g, about->label);
    if (label < 0) return wrong(g, "\"%.60s\" is not one of the labels", about->label ? about->label : "");
    struct bt_example *x = &g->d->examples->at[about->row - 1];
    x->label = g->t->labels.name[label]; /* lives as long as the task, and that as long as its data */
    x->label_n = strlen(x->label);
    return BT_OK;
}

/* The rows that are not dropped. */
static enum bt_status pick_rest(const struct deciding *g)
{
    struct bt__task_data *d = g->d;
    const size_t n = d->n;
    d->pick = calloc(n + 1, sizeof *d->pick);
    if (!d->pick) return bt_fail(g->err, BT_NOMEM, "%s: no memory for %zu rows", g->path, n);
    d->n = 0;
    for (size_t i = 0; i < n; i++)
        if (g->decided[i] != BT_DROP) d->pick[d->n++] = (uint32_t)i;
    return d->n ? BT_OK : bt_fail(g->err, BT_INVALID, "%s: every training row is dropped", g->path);
}

enum bt_status bt__apply_label_decisions(const char *path, const struct bt__task *t, struct bt__task_data *d,
                                         struct bt__label_decisions *told, struct bt_error *err)
{
    struct deciding g = {.path = path, .t = t, .d = d, .decided = calloc(d->n + 1, 1), .err = err};
    struct bt_label_decisions all = {.n = 0};
    *told = (struct bt__label_decisions){.kept = 0};
    enum bt_status st = g.decided ? bt_label_decisions_load(path, &all, err)
                                  : bt_fail(err, BT_NOMEM, "%s: no memory for %zu rows", path, d->n);
    for (size_t i = 0; i < all.n && !st; i++) {
        g.line = all.item[i].line;
        st = decide(&g, &all.item[i], told);
    }
    if (!st && told->dropped) st = pick_rest(&g);
    bt_label_decisions_clear(&all);
    free(g.decided);
    return st;
}
