#include "run/evaluate.h"

#include "run/lm.h"
#include "tasks/mlm.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Tokens of the longest sequence of item i, and of all its sequences. */
static int longest_of(const struct bt__features *f, size_t i, int *rows)
{
    int longest = 0;
    *rows = 0;
    for (size_t k = i * bt__features_group(f); k < (i + 1) * bt__features_group(f); k++) {
        if (f->length[k] > longest) longest = f->length[k];
        *rows += f->length[k];
    }
    return longest;
}

struct bt__pass_limits bt__evaluation_limits(const struct bt__features *f, int seqs, int rows)
{
    const int group = (int)bt__features_group(f);
    int longest = 1, most = 1;
    for (size_t i = 0; i < f->n / (size_t)group; i++) {
        int all, one = longest_of(f, i, &all);
        if (one > longest) longest = one;
        if (all > most) most = all;
    }
    if (rows < most) rows = most;
    if ((size_t)seqs > f->n) seqs = f->n ? (int)f->n : 1;
    if (seqs < group) seqs = group;
    size_t pairs = (size_t)rows * (size_t)longest;
    struct bt__pass_limits l = {.seqs = seqs, .rows = rows, .longest = longest, .pairs = pairs};
    if (f->reads) {
        l.reads = rows;
        l.read_pairs = pairs;
    }
    bt__pass_limits_complete(&l);
    return l;
}

struct entry {
    int length, rows, reads; /* of the longest sequence, of all; tokens that the head reads */
    uint32_t index;          /* of the item */
};

static int longer_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static struct entry *sorted(const struct bt__features *f, size_t items)
{
    struct entry *e = malloc((items + 1) * sizeof *e);
    for (size_t i = 0; e && i < items; i++) {
        e[i].index = (uint32_t)i;
        e[i].length = longest_of(f, i, &e[i].rows);
        e[i].reads = 0;
        for (size_t k = i * bt__features_group(f); k < (i + 1) * bt__features_group(f); k++)
            e[i].reads += bt__features_reads(f, k);
    }
    if (e) qsort(e, items, sizeof *e, longer_first);
    return e;
}

static bool fits(const struct bt__batch *b, const struct bt__pass_limits *limits, const struct entry *e,
                 int group)
{
    const size_t pairs = (size_t)e->rows * (size_t)e->length;
    const size_t read_pairs = (size_t)e->reads * (size_t)e->length;
    return b->n + group <= limits->seqs && e->rows <= limits->rows - b->start[b->n] &&
           b->pair[b->n] + pairs <= limits->pairs && e->reads <= limits->reads - b->read_start[b->n] &&
           b->read_pair[b->n] + read_pairs <= limits->read_pairs;
}

/* What an evaluation works with. */
struct work {
    struct bt__pass *pass;
    bt__encoded_fn *each; /* takes the hidden states, and nobody the logits; else NULL */
    void *ctx;
    const struct bt__model *m;
    const struct bt__pass_limits *limits;
    const struct bt__task *t;
    const struct bt__task_data *d;
    struct bt__batch b;
    struct bt__lm lm; /* of a task that draws its sequences */
};

/* The task draws its sequences, and what is drawn is asked for. */
static bool draws(const struct work *w)
{
    return !w->each && w->t->ops->draw;
}

static enum bt_status add(struct work *w, size_t i, struct bt_error *err)
{
    if (draws(w)) return bt__lm_add(&w->lm, w->t, w->d, i, BT__DRAW_EVAL, &w->b, err);
    return bt__features_add(&w->d->f, i, &w->b, err);
}

/* Adds as many items from order[*at …] as the limits allow; *at becomes the place behind the last. */
static enum bt_status fill(struct work *w, const struct entry *order, size_t items, size_t *at,
                           struct bt_error *err)
{
    const size_t group = bt__features_group(&w->d->f);
    enum bt_status st = BT_OK;
    bt__batch_clear(&w->b);
    for (; *at < items && fits(&w->b, w->limits, &order[*at], (int)group) && !st; ++*at)
        for (size_t k = 0; k < group && !st; k++) st = add(w, order[*at].index * group + k, err);
    bt__batch_plan(&w->b);
    return st;
}

static void take(struct work *w, struct bt__evaluation *e)
{
    const struct bt__batch *b = &w->b;
    const float *logits = bt__pass_forward(w->pass, b);
    e->tokens += b->rows.n;
    if (w->each) {
        w->each(w->ctx, w->pass, b);
        return;
    }
    if (draws(w)) {
        bt__lm_take(&w->lm, w->pass, b, w->d->gold != NULL, w->m->config.vocab_size, &e->logits);
        return;
    }
    for (int i = 0; i < b->n; i++) {
        size_t from = e->logits.start[b->source[i]], n = e->logits.start[b->source[i] + 1] - from;
        memcpy(e->logits.value + from, logits, n * sizeof *logits);
        logits += n;
    }
}

/* In the order of the sequences, so that the sum does not depend on the batches. */
double bt__evaluation_loss(const struct bt__evaluation *e, const struct bt__task *t,
                           const struct bt__task_data *d)
{
    double sum = 0.0, weight = 0.0;
    for (size_t i = 0; d->gold && i < d->f.n; i += bt__features_group(&d->f)) {
        weight += t->ops->draw     ? (double)bt__logits_at(&e->logits, i)[BT__LM_MASKED]
                  : t->ops->weight ? t->ops->weight(t, d, i)
                                   : 1.0;
        sum += t->ops->loss(t, d, i, bt__logits_at(&e->logits, i), 1.0, NULL);
    }
    return weight > 0.0 ? sum / weight : 0.0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum bt_status run_all(struct work *w, bool (*keep_going)(void *ctx), void *ctx,
                              struct bt__evaluation *e, struct bt_error *err)
{
    const struct bt__pass_limits *limits = w->limits;
    const size_t items = w->d->f.n / bt__features_group(&w->d->f);
    struct entry *order = sorted(&w->d->f, items);
    enum bt_status st =
        order ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the order of %zu examples", items);
    if (!st) st = bt__batch_reserve(&w->b, limits->seqs, limits->rows, limits->reads, err);
    if (!st && draws(w)) st = bt__lm_reserve(&w->lm, limits, w->m->config.vocab_size, err);
    double start = now();
    for (size_t at = 0; !st && at < items;) {
        size_t next = at;
        st = fill(w, order, items, &next, err);
        if (st) break;
        if (next == at)
            st = bt_fail(err, BT_NOMEM, "an example of %d tokens is longer than the %d that were reserved",
                         order[at].rows, limits->rows);
        else if (keep_going && !keep_going(ctx))
            st = bt_fail(err, BT_CANCELLED, "evaluation was cancelled");
        if (!st) take(w, e);
        at = next;
    }
    e->seconds = now() - start;
    bt__batch_free(&w->b);
    bt__lm_free(&w->lm);
    free(order);
    return st;
}

/* Where the logits of each sequence go. */
static enum bt_status reserve(struct bt__logits *l, const struct work *w, struct bt_error *err)
{
    const struct bt__features *f = &w->d->f;
    const bool lm = w->t->ops->draw != NULL, sums = lm && w->d->gold;
    l->cols = sums ? BT__LM_SUMS : lm ? BT__LM_COLS : w->m->head.outputs;
    l->start = calloc(f->n + 1, sizeof *l->start);
    for (size_t i = 0; l->start && i < f->n; i++) {
        bool each = w->m->head.kind == BT__HEAD_TOKENS || (lm && !sums);
        l->start[i + 1] = l->start[i] + (size_t)(each ? bt__features_reads(f, i) : 1) * (size_t)l->cols;
    }
    l->value = l->start ? calloc(l->start[f->n] + 1, sizeof *l->value) : NULL;
    return l->value ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the logits of %zu sequences", f->n);
}

enum bt_status bt__evaluate(struct bt__pass *pass, const struct bt__model *m,
                            const struct bt__pass_limits *limits, const struct bt__task *t,
                            const struct bt__task_data *d, bool (*keep_going)(void *ctx), void *ctx,
                            struct bt__evaluation *e, struct bt_error *err)
{
    struct work w = {.pass = pass, .m = m, .limits = limits, .t = t, .d = d};
    *e = (struct bt__evaluation){.tokens = 0};
    enum bt_status st = reserve(&e->logits, &w, err);
    bt__pass_dropout(pass, false, 0, 0);
    if (!st) st = run_all(&w, keep_going, ctx, e, err);
    if (st)
        bt__evaluation_free(e);
    else
        e->loss = bt__evaluation_loss(e, t, d);
    return st;
}

enum bt_status bt__encode_all(struct bt__pass *pass, const struct bt__pass_limits *limits,
                              const struct bt__task_data *d, bt__encoded_fn *each,
                              bool (*keep_going)(void *ctx), void *ctx, struct bt_error *err)
{
    struct work w = {.pass = pass, .each = each, .ctx = ctx, .limits = limits, .d = d};
    struct bt__evaluation e = {.tokens = 0};
    bt__pass_dropout(pass, false, 0, 0);
    return run_all(&w, keep_going, ctx, &e, err);
}

void bt__evaluation_free(struct bt__evaluation *e)
{
    free(e->logits.value);
    free(e->logits.start);
    *e = (struct bt__evaluation){.tokens = 0};
}

enum bt_status bt__evaluation_metrics(const struct bt__evaluation *e, const struct bt__task *t,
                                      const struct bt__task_data *d, struct bt_metrics *out,
                                      struct bt_error *err)
{
    *out = (struct bt_metrics){.n = 0};
    bt__metric_put(out, "loss", e->loss);
    return t->ops->metrics(t, d, &e->logits, out, err);
}

enum bt_status bt__evaluation_rows(const struct bt__evaluation *e, const struct bt__task *t,
                                   const struct bt__task_data *d, struct bt_str *out, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    for (size_t i = 0; i < d->n && !st; i++) {
        const struct bt_example *x = bt__task_example(d, i);
        struct bt_json_writer w = BT_JSON_WRITER(out);
        bt_jw_object(&w);
        bt_jw_kint(&w, "id", bt__task_row(d, i));
        if (x->id) bt_jw_ktext(&w, "name", x->id);
        st = t->ops->row(t, d, &e->logits, i, &w, err);
        bt_jw_end_object(&w);
        bt_str_addc(out, '\n');
    }
    if (!st && out->failed) st = bt_fail(err, BT_NOMEM, "no memory for the predictions");
    return st;
}

double bt_metrics_get(const struct bt_metrics *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->item[i].name, name) == 0) return m->item[i].value;
    return (double)NAN;
}
