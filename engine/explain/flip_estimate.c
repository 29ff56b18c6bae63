/* HotFlip's first-order estimate (Ebrahimi et al. 2018, equation 10), for all replacements of words at once. */
#include "explain/flips.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 /* words whose products with the vocabulary are computed at once */ };

/* Some words of the sequence, and what the vocabulary makes of them. */
struct block {
    const struct bt__explaining *w;
    const struct bt__estimating *how;
    const float *gradient; /* [tokens, H] */
    const struct bt_explained *word[BLOCK];
    int n, h, vocab;
    float *at, *mean; /* [BLOCK, H] the gradient at the first piece; the mean of the pieces' embeddings */
    float *product, *cosine; /* [BLOCK, vocab] */
    double old[BLOCK];       /* Σ embedding · gradient of the pieces that go */
};

static bool block_make(struct block *b)
{
    const size_t h = (size_t)b->h, v = (size_t)b->vocab;
    b->at = calloc(BLOCK * h, sizeof *b->at);
    b->mean = calloc(BLOCK * h, sizeof *b->mean);
    b->product = calloc(BLOCK * v, sizeof *b->product);
    b->cosine = b->how->similarity > 0.0 ? calloc(BLOCK * v, sizeof *b->cosine) : NULL;
    return b->at && b->mean && b->product && (b->cosine || b->how->similarity <= 0.0);
}

static void block_free(struct block *b)
{
    free(b->at);
    free(b->mean);
    free(b->product);
    free(b->cosine);
}

/* ── which words ── */

static bool is_fixed(const struct bt__estimating *how, const struct bt_explained *item)
{
    for (size_t i = 0; i < how->n_fixed; i++)
        if (item->begin < how->fixed[i].begin + how->fixed[i].put && item->end > how->fixed[i].begin)
            return true;
    return false;
}

static bool has_letter(const char *text)
{
    for (; *text; text++)
        if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text & 0x80)) return true;
    return false;
}

static bool may_change(const struct block *b, const struct bt_explained *item)
{
    const int32_t unk = bt_tokenizer_special(b->w->p->tokenizer, BT_UNK), id = b->w->ids[item->first];
    const bool word = id == unk || (item->text[0] != '[' && has_letter(item->text));
    return word && !item->special && item->end > item->begin &&
           item->pair == (b->how->field != BT_VARY_TEXT) && !is_fixed(b->how, item);
}

/* ── the estimate ── */

static double dot(const float *a, const float *b, int n)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static void add_word(struct block *b, const struct bt_explained *item)
{
    const struct bt__model *m = b->w->p->m;
    const int32_t *id = b->w->ids + item->first;
    const size_t h = (size_t)b->h;
    const float *g = b->gradient + (size_t)item->first * h;
    memcpy(b->at + (size_t)b->n * h, g, h * sizeof *g);
    bt__lexicon_mean(b->how->lexicon, id, (size_t)item->tokens, b->mean + (size_t)b->n * h);
    b->old[b->n] = 0.0;
    for (int k = 0; k < item->tokens; k++)
        b->old[b->n] += dot(m->w + m->word + (size_t)id[k] * h, g + (size_t)k * h, b->h);
    b->word[b->n++] = item;
}

static bool better(const struct bt__candidates *c, double a, double b)
{
    return c->rising ? a > b : a < b;
}

static void insert(struct bt__candidates *c, const struct bt__candidate *x)
{
    int place = c->n < c->most ? c->n++ : c->most - 1;
    for (; place > 0 && better(c, x->estimate, c->item[place - 1].estimate); place--)
        c->item[place] = c->item[place - 1];
    c->item[place] = *x;
}

static bool like(const struct block *b, int i, int32_t id, float length)
{
    if (!b->cosine) return true;
    const float c = b->cosine[(size_t)i * (size_t)b->vocab + (size_t)id];
    return (double)c >= b->how->similarity * (double)length * (double)b->how->lexicon->length[id];
}

/* A word that is one piece, and stays one wherever it is written. */
static bool is_itself(const struct block *b, int32_t id, struct bt_encoding *e)
{
    const char *piece = bt_tokenizer_piece(b->w->p->tokenizer, id);
    return bt_tokenizer_ids(b->w->p->tokenizer, piece, strlen(piece), e, NULL) == BT_OK && e->n == 1 &&
           e->ids[0] == id;
}

static void rank(struct block *b, struct bt__candidates *best, struct bt_encoding *e)
{
    const struct bt__lexicon *x = b->how->lexicon;
    bt__lexicon_products(x, b->at, b->n, b->product);
    if (b->cosine) bt__lexicon_products(x, b->mean, b->n, b->cosine);
    for (int i = 0; i < b->n; i++) {
        const float *mean = b->mean + (size_t)i * (size_t)b->h;
        const float length = (float)sqrt(dot(mean, mean, b->h));
        const int32_t own = b->word[i]->tokens == 1 ? b->w->ids[b->word[i]->first] : -1;
        for (size_t k = 0; k < x->n; k++) {
            const struct bt__candidate c = {
                .begin = b->word[i]->begin,
                .end = b->word[i]->end,
                .id = x->id[k],
                .estimate = (double)b->product[(size_t)i * (size_t)b->vocab + (size_t)x->id[k]] - b->old[i]};
            if (best->n == best->most && !better(best, c.estimate, best->item[best->n - 1].estimate))
                continue;
            if (c.id != own && like(b, i, c.id, length) && is_itself(b, c.id, e)) insert(best, &c);
        }
    }
    b->n = 0;
}

static enum bt_status estimate(struct bt__explaining *w, const struct bt__estimating *how,
                               const float *gradient, struct bt__candidates *best, struct bt_error *err)
{
    struct block b = {.w = w,
                      .how = how,
                      .gradient = gradient,
                      .h = w->p->m->config.hidden_size,
                      .vocab = w->p->m->config.vocab_size};
    struct bt_encoding e = {.n = 0};
    enum bt_status st = block_make(&b) ? BT_OK : bt_fail(err, BT_NOMEM, "no memory for the vocabulary");
    for (size_t i = 0; i < w->x->n && !st; i++) {
        if (may_change(&b, &w->x->item[i])) add_word(&b, &w->x->item[i]);
        if (b.n && (b.n == BLOCK || i + 1 == w->x->n)) rank(&b, best, &e);
    }
    bt_encoding_free(&e);
    block_free(&b);
    return st;
}

enum bt_status bt__flip_estimate(struct bt__explaining *w, const struct bt__estimating *how,
                                 struct bt__candidates *best, struct bt_error *err)
{
    struct bt__asker a;
    const struct bt__variant same = bt__asker_same(w);
    const int reads = w->reads ? bt__reads_count(w->reads, w->n) : 1;
    enum bt_status st = bt__asker_open(&a, w, 1, true, reads, err);
    best->n = 0;
    if (!st) st = bt__asker_add(&a, &same, err);
    if (!st) bt__asker_ask(&a, NULL, &w->x->value);
    if (!st) st = estimate(w, how, bt__asker_gradient(&a), best, err);
    bt__asker_close(&a);
    return st;
}
