/* Gradient × input, and integrated gradients (Sundararajan, Taly & Yan 2017, equation 1) of the word embeddings' rows. */
#include "explain/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Both ends of the way, [n, H] each, and what is between them. */
struct way {
    struct bt__explaining *w;
    struct bt__asker a;
    float *x, *base;
    float *words;        /* [room · n, H] */
    double *at, *weight; /* [most] */
    double *value;       /* [room] */
    double *score;       /* [n] by token */
};

static void way_free(struct way *y)
{
    bt__asker_close(&y->a);
    free(y->x);
    free(y->base);
    free(y->words);
    free(y->at);
    free(y->weight);
    free(y->value);
    free(y->score);
}

static bool asked_about(const struct bt__explaining *w, int token)
{
    for (int k = 0; k < w->aim.cells; k++)
        if (w->aim.cell[k].token == token) return true;
    return false;
}

/* [CLS] and [SEP] stay, and a [MASK] that is asked about; all else is [PAD]. */
static int32_t base_id(const struct bt__explaining *w, int token)
{
    const struct bt_tokenizer *t = w->p->tokenizer;
    const int32_t id = w->ids[token];
    const bool stays = id == bt_tokenizer_special(t, BT_CLS) || id == bt_tokenizer_special(t, BT_SEP) ||
                       (id == bt_tokenizer_special(t, BT_MASK) && asked_about(w, token));
    return stays ? id : w->p->m->config.pad_token_id;
}

static void set_ends(struct way *y)
{
    const struct bt__explaining *w = y->w;
    const struct bt__model *m = w->p->m;
    const size_t h = (size_t)m->config.hidden_size;
    const float *word = m->w + m->word;
    for (int i = 0; i < w->n; i++) {
        memcpy(y->x + (size_t)i * h, word + (size_t)w->ids[i] * h, h * sizeof *word);
        if (w->spec->baseline == BT_EXPLAIN_PAD)
            memcpy(y->base + (size_t)i * h, word + (size_t)base_id(w, i) * h, h * sizeof *word);
    }
}

static int reads_of(const struct bt__explaining *w)
{
    return w->reads ? bt__reads_count(w->reads, w->n) : 1;
}

/* For up to `most` points on the way. */
static enum bt_status way_open(struct way *y, struct bt__explaining *w, int most, struct bt_error *err)
{
    const size_t n = (size_t)w->n, h = (size_t)w->p->m->config.hidden_size;
    *y = (struct way){.w = w};
    enum bt_status st = bt__asker_open(&y->a, w, most, true, reads_of(w), err);
    if (st) return st;
    y->x = calloc(n * h, sizeof *y->x);
    y->base = calloc(n * h, sizeof *y->base);
    y->words = calloc((size_t)y->a.room * n * h, sizeof *y->words);
    y->at = calloc((size_t)most, sizeof *y->at);
    y->weight = calloc((size_t)most, sizeof *y->weight);
    y->value = calloc((size_t)y->a.room, sizeof *y->value);
    y->score = calloc(n, sizeof *y->score);
    if (!y->x || !y->base || !y->words || !y->at || !y->weight || !y->value || !y->score)
        return bt_fail(err, BT_NOMEM, "no memory for %d steps", most);
    set_ends(y);
    return BT_OK;
}

/* The next batch: points at [n], whose word vectors go from base to x. */
static enum bt_status ask(struct way *y, const double *at, int n, struct bt_error *err)
{
    const size_t size = (size_t)y->w->n * (size_t)y->w->p->m->config.hidden_size;
    const struct bt__variant same = bt__asker_same(y->w);
    enum bt_status st = BT_OK;
    if (bt__explain_cancelled(y->w)) return bt__explain_cancel(err);
    bt__asker_clear(&y->a);
    for (int i = 0; i < n && !st; i++) {
        float *to = y->words + (size_t)i * size;
        const float a = (float)at[i];
        for (size_t k = 0; k < size; k++) to[k] = y->base[k] + a * (y->x[k] - y->base[k]);
        st = bt__asker_add(&y->a, &same, err);
    }
    if (!st) bt__asker_ask(&y->a, y->words, y->value);
    return st;
}

/* Adds weight[i] · Σ gradient · (x − base) of each token to its score. */
static void add_scores(struct way *y, const double *weight, int n)
{
    const size_t h = (size_t)y->w->p->m->config.hidden_size;
    const float *g = bt__asker_gradient(&y->a);
    for (int i = 0; i < n; i++)
        for (int t = 0; t < y->w->n; t++, g += h) {
            const float *x = y->x + (size_t)t * h, *base = y->base + (size_t)t * h;
            double sum = 0.0;
            for (size_t k = 0; k < h; k++) sum += (double)g[k] * ((double)x[k] - (double)base[k]);
            y->score[t] += weight[i] * sum;
        }
}

static void put_scores(struct way *y)
{
    struct bt_explanation *x = y->w->x;
    for (size_t i = 0; i < x->n; i++) x->item[i].score = 0.0;
    for (int t = 0; t < y->w->n; t++) x->item[bt__item_of(x, t)].score += y->score[t];
}

static enum bt_status gradient(struct way *y, struct bt_error *err)
{
    const double one = 1.0;
    const size_t h = (size_t)y->w->p->m->config.hidden_size;
    memset(y->base, 0, (size_t)y->w->n * h * sizeof *y->base);
    enum bt_status st = ask(y, &one, 1, err);
    if (st) return st;
    add_scores(y, &one, 1);
    y->w->x->value = y->value[0];
    put_scores(y);
    return BT_OK;
}

enum bt_status bt__explain_gradient(struct bt__explaining *w, struct bt_error *err)
{
    struct way y;
    enum bt_status st = way_open(&y, w, 1, err);
    if (!st) st = gradient(&y, err);
    way_free(&y);
    return st;
}

/* ── the integral ── */

static double completeness(const struct way *y)
{
    const struct bt_explanation *x = y->w->x;
    const double whole = x->value - x->base;
    double sum = 0.0;
    for (int t = 0; t < y->w->n; t++) sum += y->score[t];
    return fabs(whole) > 0.0 ? fabs(whole - sum) / fabs(whole) : (double)NAN;
}

static enum bt_status integrate(struct way *y, int steps, struct bt_error *err)
{
    enum bt_status st = BT_OK;
    const int batches = (steps + y->a.room - 1) / y->a.room, room = (steps + batches - 1) / batches;
    bt__quadrature(y->w->spec->rule, steps, y->at, y->weight);
    memset(y->score, 0, sizeof *y->score * (size_t)y->w->n);
    for (int done = 0; done < steps && !st;) {
        const int n = steps - done < room ? steps - done : room;
        st = ask(y, y->at + done, n, err);
        if (!st) add_scores(y, y->weight + done, n);
        done += n;
        if (!st) bt__explain_tell(y->w, done, steps);
    }
    return st;
}

static enum bt_status both_ends(struct way *y, struct bt_error *err)
{
    const double from = 0.0, to = 1.0;
    enum bt_status st = ask(y, &from, 1, err);
    y->w->x->base = y->value[0];
    if (!st) st = ask(y, &to, 1, err);
    y->w->x->value = y->value[0];
    return st;
}

static enum bt_status integrated(struct way *y, int first, int most, double tolerance, struct bt_error *err)
{
    struct bt_explanation *x = y->w->x;
    enum bt_status st = both_ends(y, err);
    for (int steps = first; !st; steps *= 2) {
        st = integrate(y, steps, err);
        if (st) break;
        x->steps = steps;
        x->error = completeness(y);
        if (!(x->error > tolerance)) break; /* also where it is not defined */
        x->capped = steps > most / 2;
        if (x->capped) break;
    }
    if (!st) put_scores(y);
    return st;
}

enum bt_status bt__explain_integrated(struct bt__explaining *w, struct bt_error *err)
{
    const struct bt_explain_spec *s = w->spec;
    struct way y;
    int first = s->steps > 0 ? s->steps : BT_EXPLAIN_STEPS;
    if (s->rule == BT_EXPLAIN_TRAPEZOID && first < 2) first = 2;
    const int wished = s->most_steps > 0 ? s->most_steps : BT_EXPLAIN_MOST_STEPS;
    const int most = wished > first ? wished : first;
    enum bt_status st = way_open(&y, w, most, err);
    if (!st) st = integrated(&y, first, most, s->tolerance > 0.0 ? s->tolerance : BT_EXPLAIN_TOLERANCE, err);
    way_free(&y);
    return st;
}
