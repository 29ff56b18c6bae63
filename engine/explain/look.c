/* Where attention goes: one layer's, or rolled out through all of them (Abnar & Zuidema 2020, section 3: half of a layer's output is its input). */
#include "explain/parts.h"

#include <stdlib.h>
#include <string.h>

/* [n, n] matrices of tokens. */
struct looks {
    struct bt__asker a;
    double *m, *layer, *next;
};

static void looks_free(struct looks *l)
{
    bt__asker_close(&l->a);
    free(l->m);
    free(l->layer);
    free(l->next);
}

/* One forward pass in which every token of the last layer is a query. */
static enum bt_status look(struct bt__explaining *w, struct looks *l, struct bt_error *err)
{
    const size_t n = (size_t)w->n;
    *l = (struct looks){.m = calloc(n * n, sizeof *l->m),
                        .layer = calloc(n * n, sizeof *l->layer),
                        .next = calloc(n * n, sizeof *l->next)};
    uint8_t *all = malloc(n);
    struct bt__variant v = bt__asker_same(w);
    enum bt_status st = bt__asker_open(&l->a, w, 1, true, w->n, err);
    if (!st && (!l->m || !l->layer || !l->next || !all))
        st = bt_fail(err, BT_NOMEM, "no memory for the attention of %d tokens", w->n);
    if (!st) {
        memset(all, 1, n);
        v.reads = all;
        st = bt__asker_add(&l->a, &v, err);
    }
    if (!st) bt__asker_ask(&l->a, NULL, &w->x->value);
    free(all);
    return st;
}

/* A layer's head, from 0, or the mean of all, where head is −1; into to [n, n]. */
static void take_layer(const struct bt__explaining *w, const struct looks *l, int layer, int head, double *to)
{
    const int heads = w->p->m->config.num_attention_heads, first = head < 0 ? 0 : head,
              end = head < 0 ? heads : head + 1;
    const size_t square = (size_t)w->n * (size_t)w->n;
    memset(to, 0, square * sizeof *to);
    for (int k = first; k < end; k++) {
        const float *p = bt__pass_attention(l->a.pass, layer, 0, k);
        for (size_t i = 0; i < square; i++) to[i] += (double)p[i] / (end - first);
    }
}

/* Of the rows of an item's tokens the mean, of the columns the sum. */
static enum bt_status put_matrix(struct bt__explaining *w, const double *m, struct bt_error *err)
{
    struct bt_explanation *x = w->x;
    x->matrix = calloc(x->n * x->n, sizeof *x->matrix);
    if (!x->matrix) return bt_fail(err, BT_NOMEM, "no memory for the attention of %zu words", x->n);
    for (int i = 0; i < w->n; i++)
        for (int j = 0; j < w->n; j++) {
            const int row = bt__item_of(x, i), col = bt__item_of(x, j);
            x->matrix[(size_t)row * x->n + (size_t)col] += m[i * w->n + j] / x->item[row].tokens;
        }
    return BT_OK;
}

/* How much F is read at a token: it is read at the aim's cells, at [CLS], or at the mean of all. */
static double share(const struct bt__explaining *w, int token)
{
    const struct bt__aim *aim = &w->aim;
    double sum = 0.0;
    if (aim->cell[0].token == BT__AIM_WHOLE)
        return w->p->m->head.kind == BT__HEAD_MEAN ? 1.0 / w->n : token == 0;
    for (int k = 0; k < aim->cells; k++) sum += aim->cell[k].token == token ? 1.0 / aim->cells : 0.0;
    return sum;
}

static void put_scores(struct bt__explaining *w, const double *m)
{
    for (int i = 0; i < w->n; i++)
        for (int j = 0; j < w->n; j++)
            w->x->item[bt__item_of(w->x, j)].score += share(w, i) * m[i * w->n + j];
}

static enum bt_status put(struct bt__explaining *w, const double *m, struct bt_error *err)
{
    put_scores(w, m);
    return put_matrix(w, m, err);
}

enum bt_status bt__explain_attention(struct bt__explaining *w, struct bt_error *err)
{
    struct looks l;
    const struct bt_explain_spec *s = w->spec;
    enum bt_status st = look(w, &l, err);
    w->x->layer = s->layer ? s->layer : w->x->layers;
    w->x->head = s->head;
    if (!st) {
        take_layer(w, &l, w->x->layer - 1, s->head - 1, l.m);
        st = put(w, l.m, err);
    }
    looks_free(&l);
    return st;
}

/* m = ½ (layer + I) · m */
static void roll(struct looks *l, int n)
{
    for (int i = 0; i < n; i++) {
        double *row = l->next + i * n;
        for (int j = 0; j < n; j++) row[j] = 0.5 * l->m[i * n + j];
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++) row[j] += 0.5 * l->layer[i * n + k] * l->m[k * n + j];
    }
    double *t = l->m;
    l->m = l->next;
    l->next = t;
}

enum bt_status bt__explain_rollout(struct bt__explaining *w, struct bt_error *err)
{
    struct looks l;
    enum bt_status st = look(w, &l, err);
    for (int i = 0; i < w->n && !st; i++) l.m[i * w->n + i] = 1.0;
    for (int layer = 0; layer < w->x->layers && !st; layer++) {
        if (bt__explain_cancelled(w)) st = bt__explain_cancel(err);
        take_layer(w, &l, layer, -1, l.layer);
        roll(&l, w->n);
    }
    if (!st) st = put(w, l.m, err);
    looks_free(&l);
    return st;
}
