#include "run/evaluate.h"

#include "metrics/metrics.h"
#include "tasks/classification.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bt__pass_limits bt__evaluation_limits(const struct bt__features *f, int seqs, int rows)
{
    int longest = 1;
    for (size_t i = 0; i < f->n; i++)
        if (f->length[i] > longest) longest = f->length[i];
    if (rows < longest) rows = longest;
    if ((size_t)seqs > f->n) seqs = f->n ? (int)f->n : 1;
    size_t pairs = (size_t)rows * (size_t)longest;
    return (struct bt__pass_limits){.seqs = seqs,
                                    .rows = rows,
                                    .longest = longest,
                                    .pairs = pairs,
                                    .reads = f->reads ? rows : seqs,
                                    .read_pairs = f->reads ? pairs : (size_t)rows};
}

struct entry {
    int length;
    uint32_t index;
};

static int longer_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static struct entry *sorted(const struct bt__features *f)
{
    struct entry *e = malloc((f->n + 1) * sizeof *e);
    for (size_t i = 0; e && i < f->n; i++)
        e[i] = (struct entry){.length = f->length[i], .index = (uint32_t)i};
    if (e) qsort(e, f->n, sizeof *e, longer_first);
    return e;
}

/* Adds as many examples from order[at …] as the limits allow; returns the place behind the last. */
static size_t fill(struct bt__batch *b, const struct bt__pass_limits *limits, const struct bt__features *f,
                   const struct entry *order, size_t at)
{
    bt__batch_clear(b);
    while (at < f->n && b->n < limits->seqs) {
        size_t n = (size_t)order[at].length;
        if (n > (size_t)(limits->rows - b->start[b->n]) || b->pair[b->n] + n * n > limits->pairs) break;
        if (bt__features_add(f, order[at].index, b, NULL)) break;
        at++;
    }
    bt__batch_plan(b);
    return at;
}

static void take(struct bt__evaluation *e, const struct bt__batch *b, const float *logits, int classes,
                 const int *gold)
{
    for (int i = 0; i < b->n; i++) {
        const float *row = logits + (size_t)i * (size_t)classes;
        int label = gold ? gold[b->source[i]] : -1;
        memcpy(e->logits + (size_t)b->source[i] * (size_t)classes, row, (size_t)classes * sizeof *row);
        if (label >= 0) bt__confusion_add(&e->confusion, label, bt__argmax(row, classes));
    }
    e->tokens += b->rows.n;
}

/* In the order of the examples, so that the sum does not depend on the batches. */
static double mean_loss(const struct bt__evaluation *e, size_t n, int classes, const int *gold)
{
    double sum = 0.0;
    size_t known = 0;
    for (size_t i = 0; gold && i < n; i++) {
        if (gold[i] < 0) continue;
        sum += bt__cross_entropy(e->logits + i * (size_t)classes, classes, gold[i], 0.0, 1.0, NULL);
        known++;
    }
    return known ? sum / (double)known : 0.0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum bt_status run_all(struct bt__pass *pass, const struct bt__model *m,
                              const struct bt__pass_limits *limits, const struct bt__features *f,
                              const int *gold, bool (*keep_going)(void *ctx), void *ctx,
                              struct bt__evaluation *e, struct bt_error *err)
{
    struct bt__batch b = {.n = 0};
    struct entry *order = sorted(f);
    enum bt_status st =
        order ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the order of %zu examples", f->n);
    if (!st) st = bt__batch_reserve(&b, limits->seqs, limits->rows, limits->reads, err);
    double start = now();
    for (size_t at = 0; !st && at < f->n;) {
        size_t next = fill(&b, limits, f, order, at);
        if (next == at)
            st = bt_fail(err, BT_NOMEM, "an example of %d tokens is longer than the %d that were reserved",
                         order[at].length, limits->rows);
        else if (keep_going && !keep_going(ctx))
            st = bt_fail(err, BT_CANCELLED, "evaluation was cancelled");
        if (!st) take(e, &b, bt__pass_forward(pass, &b), m->num_labels, gold);
        at = next;
    }
    e->seconds = now() - start;
    bt__batch_free(&b);
    free(order);
    return st;
}

enum bt_status bt__evaluate(struct bt__pass *pass, const struct bt__model *m,
                            const struct bt__pass_limits *limits, const struct bt__features *f,
                            const int *gold, bool (*keep_going)(void *ctx), void *ctx,
                            struct bt__evaluation *e, struct bt_error *err)
{
    *e = (struct bt__evaluation){.logits = calloc(f->n * (size_t)m->num_labels + 1, sizeof *e->logits)};
    enum bt_status st =
        e->logits ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the logits of %zu examples", f->n);
    if (!st) st = bt__confusion_create(&e->confusion, m->num_labels, err);
    bt__pass_dropout(pass, false, 0, 0);
    if (!st) st = run_all(pass, m, limits, f, gold, keep_going, ctx, e, err);
    if (st)
        bt__evaluation_free(e);
    else
        e->loss = mean_loss(e, f->n, m->num_labels, gold);
    return st;
}

void bt__evaluation_free(struct bt__evaluation *e)
{
    bt__confusion_free(&e->confusion);
    free(e->logits);
    *e = (struct bt__evaluation){.tokens = 0};
}

static void put(struct bt_metrics *out, const char *name, double value)
{
    if (out->n == BT_MAX_METRICS) return;
    struct bt_metric_value *v = &out->item[out->n++];
    snprintf(v->name, sizeof v->name, "%s", name);
    v->value = value;
}

void bt__evaluation_metrics(const struct bt__evaluation *e, struct bt_metrics *out)
{
    size_t n;
    const struct bt__metric *all = bt__metrics(&n);
    *out = (struct bt_metrics){.n = 0};
    put(out, "loss", e->loss);
    for (size_t i = 0; i < n; i++)
        if (all[i].classes == 0 || all[i].classes == e->confusion.classes)
            put(out, all[i].name, all[i].value(&e->confusion));
}

double bt_metrics_get(const struct bt_metrics *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->item[i].name, name) == 0) return m->item[i].value;
    return (double)NAN;
}
